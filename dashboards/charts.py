"""The forms that answers take, in Altair: few, and the same everywhere. Not here: what is asked (`sections/`).

Colours are names of the page's (`page/page.css`), which has one set for light and one for dark, and one meaning for
each. A chart is given its rows by the page, already summed, under the name `rows`; `period` and `period_end` are the
begin and the end of a day or week.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

Spec = dict[str, Any]

OUTCOMES = {
    "ok_count": ("ok", "good"),
    "error_count": ("error", "bad"),
    "timeout_count": ("timeout", "late"),
    "denied_count": ("denied", "refused"),
    "pending_count": ("pending", "open"),
    "unknown_count": ("unknown", "unknown"),
}
"""How calls end: measure, word, colour."""
_TIME_SCALE = alt.Scale(type="utc", domainMin=alt.ExprRef("begin"), domainMax=alt.ExprRef("end"), nice=False)
_PARAMS = [alt.param(name="begin", value=0), alt.param(name="end", value=1), alt.param(name="chosen", value="")]
"""What the page tells every chart: the range of time, and the chosen tool."""
_UNCHOSEN = alt.condition("chosen === '' || datum.tool === chosen", alt.value(1.0), alt.value(0.25))
_ROW = 22
_SECOND, _MINUTE, _HOUR = 1000, 60_000, 3_600_000
_TIMES_MS = [
    *(1, 3, 10, 30, 100, 300, _SECOND, 3 * _SECOND, 10 * _SECOND, 30 * _SECOND, _MINUTE, 3 * _MINUTE),
    *(10 * _MINUTE, 30 * _MINUTE, _HOUR, 3 * _HOUR, 10 * _HOUR, 24 * _HOUR, 72 * _HOUR, 240 * _HOUR),
]
"""Where an axis of times has its lines."""


def colour(name: str) -> str:
    """A colour of the page."""
    return f"var(--{name})"


def over_time(parts: Mapping[str, tuple[str, str]], title: str, height: int = 200) -> Spec:
    """Bars of a count per day or week, one part upon the other; parts are measure: (word, colour)."""
    base = _folded(parts).mark_bar(stroke=colour("card"), strokeWidth=0.75)
    chart = base.encode(
        x=_time(),
        x2="period_end",
        y=alt.Y("sum(count):Q", title=title, axis=alt.Axis(tickMinStep=1, tickCount=5)),
        color=_colours(parts),
        order=alt.Order("rank:Q"),
        tooltip=[_day_tip(), alt.Tooltip("part:N", title="what"), alt.Tooltip("sum(count):Q", title=title, format=",")],
    )
    return _spec(chart, height, _legend(parts))


def by_key(key: str, parts: Mapping[str, tuple[str, str]], title: str) -> Spec:
    """A bar for each row, longest first as the page sorts them, with its parts and its total at its end."""
    rows = _rows(key)
    folded = _folded(parts)
    bars = folded.mark_bar(stroke=colour("card"), strokeWidth=0.75, cursor="pointer").encode(
        y=rows,
        x=alt.X("sum(count):Q", title=title, axis=alt.Axis(tickMinStep=1, tickCount=5)),
        color=_colours(parts),
        opacity=_UNCHOSEN,
        order=alt.Order("rank:Q"),
        tooltip=[
            alt.Tooltip(f"{key}:N", title=key.replace("_", " ")),
            alt.Tooltip("part:N", title="what"),
            alt.Tooltip("sum(count):Q", title=title, format=","),
        ],
    )
    totals = folded.mark_text(align="left", dx=4, color=colour("text")).encode(
        y=rows, x="sum(count):Q", text=alt.Text("sum(count):Q", format=",")
    )
    return _spec(bars + totals, None, _legend(parts), right=56)


def shares_by_key(key: str, rate: str, title: str, whole: tuple[str, str], tone: str = "bad") -> Spec:
    """A share for each row, with the bounds within which it is known, and a rule where the share of all rows is.

    `whole` is numerator and denominator.
    """
    base = alt.Chart(alt.NamedData("rows"))
    numerator, denominator = whole
    rows = _rows(key)
    scale = alt.Scale(domainMin=0, nice=True)
    axis = alt.Axis(format=".0%", tickCount=5)
    bounds = base.mark_rule(strokeWidth=6, opacity=0.3, color=colour(tone), strokeCap="round").encode(
        y=rows, x=alt.X(f"{rate}_low:Q", title=title, scale=scale, axis=axis), x2=f"{rate}_high"
    )
    points = base.mark_circle(size=70, opacity=1, color=colour(tone), cursor="pointer").encode(
        y=rows,
        x=f"{rate}:Q",
        tooltip=[
            alt.Tooltip(f"{key}:N", title=key.replace("_", " ")),
            alt.Tooltip(f"{rate}:Q", title=title, format=".1%"),
            alt.Tooltip(f"{rate}_low:Q", title="at least", format=".1%"),
            alt.Tooltip(f"{rate}_high:Q", title="at most", format=".1%"),
            alt.Tooltip(f"{denominator}:Q", title="of", format=","),
        ],
    )
    labels = (
        base.mark_text(align="left", dx=6, color=colour("text"))
        .encode(y=rows, x=f"{rate}_high:Q", text="label:N")
        .transform_calculate(label=f"format(datum.{rate}, '.0%') + ' of ' + format(datum.{denominator}, ',')")
    )
    all_rows = (
        base.mark_rule(color=colour("muted"), strokeDash=[3, 3])
        .transform_aggregate(n=f"sum({numerator})", d=f"sum({denominator})")
        .transform_calculate(all="datum.n / datum.d")
        .encode(x="all:Q", tooltip=[alt.Tooltip("all:Q", title="all of these", format=".1%")])
    )
    return _spec(all_rows + bounds + points + labels, None, right=88)


def share_over_time(rate: str, denominator: str, title: str, tone: str = "bad", height: int = 200) -> Spec:
    """A share per day or week in its bounds; hollow where it is of fewer than 20."""
    base = alt.Chart(alt.NamedData("rows")).transform_calculate(middle="(+datum.period + +datum.period_end) / 2")
    x = _time("middle")
    band = base.mark_area(opacity=0.18, color=colour(tone)).encode(
        x=x,
        y=alt.Y(f"{rate}_low:Q", title=title, axis=alt.Axis(format=".0%", tickCount=5), scale=alt.Scale(domainMin=0)),
        y2=f"{rate}_high",
    )
    line = base.mark_line(color=colour(tone), strokeWidth=2).encode(x=x, y=f"{rate}:Q")
    points = base.mark_point(size=36, filled=True, opacity=1, stroke=colour(tone)).encode(
        x=x,
        y=f"{rate}:Q",
        fill=alt.condition(f"datum.{denominator} < 20", alt.value(colour("card")), alt.value(colour(tone))),
        tooltip=[
            _day_tip(),
            alt.Tooltip(f"{rate}:Q", title=title, format=".1%"),
            alt.Tooltip(f"{rate}_low:Q", title="at least", format=".1%"),
            alt.Tooltip(f"{rate}_high:Q", title="at most", format=".1%"),
            alt.Tooltip(f"{denominator}:Q", title="of", format=","),
        ],
    )
    return _spec(band + line + points, height)


def spans_by_key(key: str, low: str, high: str, count: str, title: str) -> Spec:
    """From one percentile of a time to a higher one, for each row, on a scale of powers of ten."""
    base = alt.Chart(alt.NamedData("rows"))
    rows = _rows(key)
    tip = [
        alt.Tooltip(f"{key}:N", title=key.replace("_", " ")),
        alt.Tooltip("low:N", title=low.removesuffix("_ms")),
        alt.Tooltip("high:N", title=high.removesuffix("_ms")),
        alt.Tooltip(f"{count}:Q", title="of", format=","),
    ]
    told = base.transform_calculate(
        low=_seconds(low), high=_seconds(high), label=f"{_seconds(low)} + ' to ' + {_seconds(high)}"
    )
    x = alt.X(f"{low}:Q", title=title, scale=alt.Scale(type="log", nice=True), axis=_log_axis())
    spans = told.mark_rule(strokeWidth=6, opacity=0.3, color=colour("time"), strokeCap="round").encode(
        y=rows, x=x, x2=high
    )
    begins = told.mark_circle(size=70, opacity=1, color=colour("time"), cursor="pointer").encode(
        y=rows, x=f"{low}:Q", tooltip=tip
    )
    ends = told.mark_tick(thickness=2.5, height=12, color=colour("time")).encode(y=rows, x=f"{high}:Q", tooltip=tip)
    labels = told.mark_text(align="left", dx=8, color=colour("text")).encode(y=rows, x=f"{high}:Q", text="label:N")
    return _spec(spans + begins + ends + labels, None, right=104)


def times_over_time(quantiles: Sequence[tuple[str, str]], count: str, title: str, height: int = 200) -> Spec:
    """Percentiles of a time per day or week, on a scale of powers of ten, each named at its line's end."""
    names = [name for name, _ in quantiles]
    words = dict(quantiles)
    base = (
        alt.Chart(alt.NamedData("rows"))
        .transform_calculate(middle="(+datum.period + +datum.period_end) / 2")
        .transform_fold([*names], as_=["quantile", "ms"])
        .transform_calculate(word=f"{_lookup(words)}[datum.quantile]", told=_seconds("ms"))
        .transform_filter("isValid(datum.ms)")
    )
    x = _time("middle")
    colours = dict(zip(words.values(), ("time", "time-far"), strict=False))
    scale = alt.Scale(domain=[*colours], range=[*map(colour, colours.values())])
    line = base.mark_line(strokeWidth=2, point={"size": 30, "filled": True}).encode(
        x=x,
        y=alt.Y("ms:Q", title=title, scale=alt.Scale(type="log", nice=True), axis=_log_axis()),
        color=alt.Color("word:N", scale=scale, legend=None),
        tooltip=[
            _day_tip(),
            alt.Tooltip("word:N", title="percentile"),
            alt.Tooltip("told:N", title=title),
            alt.Tooltip(f"{count}:Q", title="of", format=","),
        ],
    )
    return _spec(line, height, colours.items())


def steps(key: str, count: str, title: str, key_title: str, tone: str = "main", height: int = 180) -> Spec:
    """How often each value of a small number, or of an ordered word, occurs; the count stands on its bar."""
    base = alt.Chart(alt.NamedData("rows"))
    x = alt.X(f"{key}:O", title=key_title, sort=None, axis=alt.Axis(labelAngle=0))
    bars = base.mark_bar(color=colour(tone), cornerRadiusEnd=2).encode(
        x=x,
        y=alt.Y(f"{count}:Q", title=title, axis=alt.Axis(tickMinStep=1, tickCount=4)),
        tooltip=[alt.Tooltip(f"{key}:O", title=key_title), alt.Tooltip(f"{count}:Q", title=title, format=",")],
    )
    labels = base.mark_text(dy=-6, color=colour("text")).encode(
        x=x, y=f"{count}:Q", text=alt.Text(f"{count}:Q", format=",")
    )
    return _spec(bars + labels, height)


def matrix(row: str, column: str, share: str, count: str, titles: tuple[str, str, str]) -> Spec:
    """A share for each pair, told by how strong the colour is, and in numbers where it is a tenth or more.

    The page's rows have the places of both words as `<row>_place` and `<column>_place`.
    """
    base = alt.Chart(alt.NamedData("rows"))
    row_title, column_title, title = titles
    y = alt.Y(
        f"{row}:N",
        title=None,
        sort=alt.EncodingSortField(f"{row}_place", op="min"),
        axis=alt.Axis(grid=False),
    )
    x = alt.X(
        f"{column}:N",
        title=None,
        sort=alt.EncodingSortField(f"{column}_place", op="min"),
        axis=alt.Axis(labelAngle=-40, labelLimit=110, orient="top", grid=False),
    )
    cells = base.mark_rect(color=colour("main"), stroke=colour("card"), strokeWidth=2).encode(
        y=y,
        x=x,
        opacity=alt.Opacity(f"{share}:Q", scale=alt.Scale(domain=[0, 1], range=[0.06, 1]), legend=None),
        tooltip=[
            alt.Tooltip(f"{row}:N", title=row_title),
            alt.Tooltip(f"{column}:N", title=column_title),
            alt.Tooltip(f"{share}:Q", title=title, format=".1%"),
            alt.Tooltip(f"{count}:Q", title="times", format=","),
        ],
    )
    labels = (
        base.mark_text(fontSize=10)
        .transform_filter(f"datum.{share} >= 0.1")
        .encode(
            y=y,
            x=x,
            text=alt.Text(f"{share}:Q", format=".0%"),
            color=alt.condition(f"datum.{share} > 0.6", alt.value(colour("card")), alt.value(colour("text"))),
        )
    )
    return _spec(cells + labels, None)


def week(count: str, title: str) -> Spec:
    """A count for each hour of a week, told by how strong the colour is: `weekday` by `hour`."""
    cells = (
        alt.Chart(alt.NamedData("rows"))
        .mark_rect(color=colour("main"), stroke=colour("card"), strokeWidth=2)
        .encode(
            y=alt.Y("weekday:N", title=None, sort=None, axis=alt.Axis(grid=False)),
            x=alt.X(
                "hour:O", title="hour (UTC)", sort=None, axis=alt.Axis(labelAngle=0, labelOverlap=True, grid=False)
            ),
            opacity=alt.Opacity(f"{count}:Q", scale=alt.Scale(domainMin=0, range=[0.05, 1]), legend=None),
            tooltip=[
                alt.Tooltip("weekday:N", title="day"),
                alt.Tooltip("hour:O", title="hour (UTC)"),
                alt.Tooltip(f"{count}:Q", title=title, format=","),
            ],
        )
    )
    return _spec(cells, None)


def _folded(parts: Mapping[str, tuple[str, str]]) -> alt.Chart:
    """A row for each part: its measure's `count`, its word as `part`, its place as `rank`."""
    words = {measure: word for measure, (word, _) in parts.items()}
    ranks = {measure: str(rank) for rank, measure in enumerate(parts)}
    return (
        alt.Chart(alt.NamedData("rows"))
        .transform_fold([*parts], as_=["measure", "count"])
        .transform_calculate(part=f"{_lookup(words)}[datum.measure]", rank=f"toNumber({_lookup(ranks)}[datum.measure])")
    )


def _legend(parts: Mapping[str, tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """What needs telling apart."""
    return parts.values() if len(parts) > 1 else ()


def _lookup(words: Mapping[str, str]) -> str:
    """An object of Vega's expressions."""
    return "{" + ", ".join(f"'{key}': '{word}'" for key, word in words.items()) + "}"


def _colours(parts: Mapping[str, tuple[str, str]]) -> alt.Color:
    words, names = zip(*parts.values(), strict=True)
    return alt.Color("part:N", scale=alt.Scale(domain=list(words), range=[*map(colour, names)]), legend=None)


def _rows(key: str) -> alt.Y:
    return alt.Y(f"{key}:N", title=None, sort=None)


def _time(name: str = "period") -> alt.X:
    return alt.X(
        f"{name}:T", title=None, scale=_TIME_SCALE, axis=alt.Axis(format="%-d %b", labelOverlap=True, tickCount=7)
    )


def _day_tip() -> alt.Tooltip:
    return alt.Tooltip("period_label:N", title="when")


def _log_axis() -> alt.Axis:
    return alt.Axis(labelExpr=_seconds("value"), values=_TIMES_MS, labelOverlap=True)


def _seconds(name: str) -> str:
    """Milliseconds in the unit that people would say."""
    ms = f"datum.{name}"
    return (
        f"({ms} < 1000 ? format({ms}, '.2~r') + ' ms' : {ms} < 60000 ? format({ms} / 1000, '.2~r') + ' s' : "
        f"{ms} < 3600000 ? format({ms} / 60000, '.2~r') + ' min' : format({ms} / 3600000, '.2~r') + ' h')"
    )


def _spec(
    chart: alt.Chart | alt.LayerChart,
    height: int | None,
    legend: Iterable[tuple[str, str]] = (),
    *,
    right: int = 8,
) -> Spec:
    """The chart as Vega-Lite, as wide as its place in the page, with room for labels at the right.

    Without a height it has as much for each row. The legend, word and colour, is the page's to show: it wraps there.
    """
    spec: Spec = (
        chart.properties(
            width="container",
            height=height or 10 * _ROW,
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
            padding={"left": 2, "top": 8, "right": right, "bottom": 4},
            usermeta={"row": None if height else _ROW, "legend": [(word, colour(name)) for word, name in legend]},
        )
        .add_params(*_PARAMS)
        .to_dict()
    )
    return {name: value for name, value in spec.items() if name not in {"$schema", "config"}}
