"""Writing the report: the snapshot is asked once, and the answers are put into the page. Not here: the questions."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import vl_convert

from dashboards.figures import PER_DECADE, Data, Figure, Section, Tile
from dashboards.sections import SECTIONS, TILES
from models.table import literal
from pipelines.ingest.database import owner_only, said, sync_to_disk, temporary
from pipelines.ingest.errors import WarehouseError
from pipelines.ingest.reading import open_snapshot

DAYS = 400
"""The latest days that the page holds, at most; what is older is counted, and left out."""
TOOLS = 30
"""The tools called most; all others are taken together."""
OTHER_TOOLS = "(other tools)"
ROWS = 150_000
"""The most rows of one data set: where there are more, the page holds fewer days."""
_PAGE = files("dashboards") / "page"


def write(serving: Path, output: Path, *, with_examples: bool) -> None:
    """What `dashboards.write_report` says."""
    with open_snapshot(serving) as con:
        con.execute("set enable_progress_bar = false")
        html = _page(_contents(con, with_examples))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with owner_only():
            fresh = temporary(output)
            fresh.write_text(html, encoding="utf-8")
            sync_to_disk(fresh)
            fresh.replace(output)
    except OSError as error:
        raise WarehouseError(f"{output}: cannot write the report: {said(error)}") from error


def _contents(con: duckdb.DuckDBPyConnection, with_examples: bool) -> dict[str, Any]:
    """All that the page is made from, of as many days as it can hold."""
    days = DAYS
    while True:
        reading = _Reading(con, with_examples, days)
        contents = reading.contents()
        if reading.most_rows <= ROWS or days == 1:
            return contents
        days //= 2


class _Reading:
    """What the snapshot says of the latest days."""

    def __init__(self, con: duckdb.DuckDBPyConnection, with_examples: bool, days: int) -> None:
        self._con = con
        self._with_examples = with_examples
        self._days = days
        self.most_rows = 0
        self._first_day = self._first()
        self._tools = [tool for (tool,) in con.execute(_TOOLS_BY_CALLS).fetchall()]

    def contents(self) -> dict[str, Any]:
        """All that the page is made from."""
        as_of, version = self._con.execute(_AS_OF).fetchall()[0]
        sections = [self._section(section) for section in SECTIONS]
        return {
            "as_of": as_of,
            "version": version,
            "with_examples": self._with_examples,
            "per_decade": PER_DECADE,
            "tools": self._tools[:TOOLS] + ([OTHER_TOOLS] if len(self._tools) > TOOLS else []),
            "cuts": list(self._cuts()),
            "data": {data.name: self._rows(data) for data in self._used()},
            "sections": sections,
            "tiles": [_tile(tile) for tile in TILES],
        }

    def _figures(self, section: Section) -> list[Figure]:
        return [figure for figure in section.figures if self._with_examples or not figure.data.is_example]

    def _section(self, section: Section) -> dict[str, Any]:
        figures = [_figure(figure) for figure in self._figures(section)]
        return {"id": section.id, "title": section.title, "lead": section.lead, "figures": figures}

    def _used(self) -> list[Data]:
        used = [figure.data for section in SECTIONS for figure in self._figures(section)]
        return list(dict.fromkeys([*used, *(tile.data for tile in TILES)]))

    def _first(self) -> date | None:
        """The first day that is kept; None if all are."""
        ((first, last),) = self._con.execute(_DAYS).fetchall()
        if first is None or (last - first).days < self._days:
            return None
        begin: date = last - timedelta(days=self._days - 1)
        return begin

    def _cuts(self) -> Iterator[str]:
        """What is left out, in words."""
        if self._first_day:
            ((count,),) = self._con.execute(_OLDER, [self._first_day]).fetchall()
            yield (
                f"Figures over time begin on {self._first_day:%d %b %Y}, the latest {self._days} days: {count:,} older "
                "items, and what they are part of, are in none of them."
            )
        if len(self._tools) > TOOLS:
            yield (
                f"The {TOOLS} tools called most are told apart; the other {len(self._tools) - TOOLS} are taken "
                f"together as {OTHER_TOOLS}."
            )

    def _rows(self, data: Data) -> dict[str, Any]:
        """A data set's rows by columns, and the query that gives them; why there are none, if it cannot be asked."""
        sql = data.sql
        try:
            sql = self._cut(data)
            result = self._con.execute(_bucketed(sql, data) if data.value else sql)
        except duckdb.CatalogException:
            return {"sql": sql, "keys": data.keys, "value": data.value, "columns": {}, "is_missing": True}
        names = [column[0] for column in result.description or ()]
        rows = result.fetchall()
        self.most_rows = max(self.most_rows, len(rows))
        columns = {name: _packed(column) for name, column in zip(names, zip(*rows, strict=True), strict=False)}
        return {"sql": sql, "keys": data.keys, "value": data.value, "columns": columns, "is_missing": False}

    def _cut(self, data: Data) -> str:
        """The data set's query, without the days and the tools that a page cannot hold."""
        sql = data.sql
        if "day" in data.keys and self._first_day:
            sql = f"select * from (\n{sql}\n)\nwhere day is null or day >= date {literal(str(self._first_day))}"
        if "tool" in data.keys and len(self._tools) > TOOLS:
            known = ", ".join(literal(tool) for tool in self._tools[:TOOLS])
            tool = f"case when tool in ({known}) then tool else {literal(OTHER_TOOLS)} end as tool"
            sql = f"select {tool}, {self._together(data)} from (\n{sql}\n)" + ("" if data.value else "\ngroup by all")
        return sql

    def _together(self, data: Data) -> str:
        """The other columns, for tools that are taken together: measures summed, of words the greatest."""
        columns = self._con.execute(f"describe {data.sql}").fetchall()
        return ", ".join(
            name
            if name in data.keys or name == data.value
            else f"{'max' if kind == 'VARCHAR' else 'sum'}({name})::{kind} as {name}"
            for name, kind, *_ in columns
            if name != "tool"
        )


_TOOLS_BY_CALLS = "select tool from analytics.tool_calls group by tool order by count(*) desc, tool"
_DAYS = "select min(item_at)::date, max(item_at)::date from analytics.items where is_time_usable"
_OLDER = "select count(*) from analytics.items where is_time_usable and item_at < ?"
_AS_OF = "select strftime(as_of, '%Y-%m-%dT%H:%M:%SZ'), version() from analytics.ingest_health"


def _bucketed(sql: str, data: Data) -> str:
    """How many values are in which bucket: the n-th begins at 10 ** (n / PER_DECADE)."""
    keys = ", ".join(data.keys)
    return (
        f"select {keys}, floor({PER_DECADE} * log10(greatest({data.value}, 1)))::int as bucket, count(*) as count "
        f"from ({sql}) group by all order by all"
    )


def _packed(values: tuple[Any, ...]) -> Any:
    """A column for JSON: numbers as they are, words by their places in a list of the different ones."""
    if all(value is None or isinstance(value, int | float) for value in values):
        return [round(value, 6) if isinstance(value, float) else value for value in values]
    words = list(dict.fromkeys(None if value is None else str(value) for value in values))
    places = {word: place for place, word in enumerate(words)}
    return {"words": words, "places": [places[None if value is None else str(value)] for value in values]}


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        **vars(figure),
        "data": figure.data.name,
        "columns": [vars(column) for column in figure.columns],
    }


def _tile(tile: Tile) -> dict[str, Any]:
    return {**vars(tile), "data": tile.data.name}


def _page(contents: dict[str, Any]) -> str:
    """The file: markup, style, program, libraries and data in one."""
    parts = {
        "style": (_PAGE / "page.css").read_text(encoding="utf-8"),
        "libraries": _libraries(),
        "program": (_PAGE / "page.js").read_text(encoding="utf-8"),
        "data": json.dumps(contents, ensure_ascii=False, separators=(",", ":"), default=str).replace("<", "\\u003c"),
    }
    page = (_PAGE / "page.html").read_text(encoding="utf-8")
    for name, text in parts.items():
        before, after = page.split(f"<!-- {name} -->")
        page = before + text + after
    return page


@cache
def _libraries() -> str:
    """Vega, Vega-Lite and Vega-Embed, as vl-convert has them with it; making one file of them takes a second or two."""
    return f"(function () {{\n{vl_convert.javascript_bundle('window.vegaEmbed = vegaEmbed;')}\n}})();"
