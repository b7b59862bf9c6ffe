"""How often the polling rule asks, and how late it sees what is new: a simulation over a model of activity.

The rule is the project's own (`next_poll_at`); here it is an expression over columns, compared with the original on
random cases before each simulation. Runs begin every 15 minutes and ask what is due, each conversation with one
request, in no time. The first of the simulated days only brings the registry into its usual state, and the last only
lets late polls come; the days between are measured.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from random import Random
from zlib import crc32

import polars as pl

from benchmarks.measure import Measured
from pipelines.ingest.clock import ACTIVE_FOR, LONGEST_POLL, SHORTEST_POLL, next_poll_at

_SECOND = 1_000_000
_HOUR, _DAY = 3_600 * _SECOND, 86_400 * _SECOND
_TICK = 15 * 60 * _SECOND
_FIRST, _LAST = _DAY, 8 * _DAY
_SPAN = 9 * _DAY
_MINUTE = 60 * _SECOND
_HOURS = (1, 1, 1, 1, 1, 2, 4, 7, 11, 14, 15, 14, 13, 14, 15, 15, 14, 12, 10, 9, 8, 6, 4, 2)
"""How likely a session begins in each hour of the day."""
_EPOCH = datetime(2025, 1, 1)


@dataclass(frozen=True)
class Kind:
    """Conversations that behave alike: a share of all, their sessions a day, and the turns of a session."""

    name: str
    share: float
    sessions_a_day: float
    turns: int
    minutes_between_turns: float = 4.0


KINDS = (
    Kind("hot", 0.005, 12, 6),
    Kind("warm", 0.045, 0.5, 8),
    Kind("cold, waking after months", 0.95, 1 / 120, 5),
)


def described() -> str:
    """The model of activity, as JSON."""
    return json.dumps({"kinds": [asdict(kind) for kind in KINDS], "sessions_by_hour": _HOURS, "measured_days": 7})


def measure(count: int) -> Iterator[Measured]:
    """The rule, and asking all every 15 minutes, for so many conversations; staleness is counted by turn."""
    rng = Random(7)
    conversations, turns = _model(count, rng)
    _check(conversations, rng)
    polls, seen = _simulate(conversations, turns)
    turns = turns.with_columns(is_active=turns["at"] - seen["grown_at"] <= _DAY)
    every = (pl.col("at") / _TICK).ceil() * _TICK
    days = (_LAST - _FIRST) // _DAY
    for name, requests, at in (
        ("rule", polls / days, seen["polled_at"]),
        ("all every 15 minutes", count * 96.0, every),
    ):
        late = turns.with_columns(minutes=(at - pl.col("at")) / _MINUTE).filter(pl.col("at").is_between(_FIRST, _LAST))
        figures = {"requests a day": requests}
        for title, some in (("", late), (", active", late.filter("is_active"))):
            minutes = some["minutes"]
            figures[f"turns{title}"] = float(some.height)
            if minutes.null_count():
                raise RuntimeError(f"{minutes.null_count()} turns were never seen")
            worst = {"median": minutes.median(), "p95": minutes.quantile(0.95), "worst": minutes.max()}
            figures |= {f"{word} min{title}": float(value) for word, value in worst.items()}  # type: ignore[arg-type]
        does = "next_poll_at" if name == "rule" else "for comparison"
        yield Measured(f"{count:,} conversations: {name}", does, [{key: round(it, 2) for key, it in figures.items()}])


def _model(count: int, rng: Random) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The conversations with the factor of their jitter and their last growth; the turns in their order."""
    jitters, grown, owners, times = [], [], [], []
    kinds = rng.choices(KINDS, [kind.share for kind in KINDS], k=count)
    for number, kind in enumerate(kinds):
        jitters.append(crc32(_id(number).encode()))
        gap = _DAY / kind.sessions_a_day
        grown.append(-int(rng.expovariate(1 / gap)))
        at = rng.expovariate(1 / gap)
        while at < _SPAN:
            turn = at // _DAY * _DAY + (rng.choices(range(24), _HOURS)[0] + rng.random()) * _HOUR
            for _ in range(1 + int(rng.expovariate(1 / (kind.turns - 1)))):
                owners.append(number)
                times.append(int(turn))
                turn += rng.expovariate(1 / (kind.minutes_between_turns * _MINUTE))
            at += rng.expovariate(1 / gap)
    conversations = pl.DataFrame({"number": range(count), "crc": jitters, "grown_at": grown})
    turns = pl.DataFrame({"number": owners, "at": times}).filter(pl.col("at") < _SPAN).sort("number", "at")
    return conversations, turns


def _id(number: int) -> str:
    return f"conv_{number:048x}"


def _due_at(polled_at: pl.Expr, grown_at: pl.Expr) -> pl.Expr:
    """`next_poll_at` over columns, in microseconds."""
    shortest, longest, active = (
        wait // timedelta(microseconds=1) for wait in (SHORTEST_POLL, LONGEST_POLL, ACTIVE_FOR)
    )
    since = polled_at - grown_at
    wait = pl.when(since <= active).then(shortest).otherwise((since / 10).clip(upper_bound=longest))
    return (polled_at + wait * (1 - 0.1 * pl.col("crc") / 2**32)).round().cast(pl.Int64)


def _check(conversations: pl.DataFrame, rng: Random) -> None:
    """RuntimeError if expression and rule differ by more than a microsecond in any of 10,000 cases."""
    cases = conversations.sample(10_000, with_replacement=True, seed=7).with_columns(
        polled_at=pl.Series([rng.randrange(_SPAN) for _ in range(10_000)])
    )
    grown_at = pl.Series([at - int(_MINUTE * 10 ** rng.uniform(0, 6)) for at in cases["polled_at"]])
    cases = cases.with_columns(grown_at=grown_at)
    cases = cases.with_columns(due_at=_due_at(pl.col("polled_at"), pl.col("grown_at")))
    for number, _, grown, polled, due in cases.iter_rows():
        now, since = (_EPOCH + timedelta(microseconds=at) for at in (polled, grown))
        if abs(next_poll_at(_id(number), now, since) - _EPOCH - timedelta(microseconds=due)) > timedelta(
            microseconds=1
        ):
            raise RuntimeError(f"the simulated rule differs from next_poll_at: polled at {now}, grown at {since}")


def _simulate(conversations: pl.DataFrame, turns: pl.DataFrame) -> tuple[int, pl.DataFrame]:
    """How many polls the measured days take; for each turn the poll that sees it, and the growth seen last before it.

    Both are null for a turn that no poll sees.
    """
    keys = turns["number"] * _SPAN + turns["at"]
    wait = _due_at(pl.lit(0), pl.col("grown_at"))
    active = conversations.with_columns(
        polled_at=_tick((wait * (pl.col("number") * 7919 % 997) / 997).cast(pl.Int64)),
        seen=keys.search_sorted(conversations["number"] * _SPAN),
    )
    polls, found = 0, []
    while active.height:
        polls += active.filter(pl.col("polled_at").is_between(_FIRST, _LAST, closed="left")).height
        until = keys.search_sorted(active["number"] * _SPAN + active["polled_at"], side="right")
        active = active.with_columns(until=until)
        found.append(active.filter(pl.col("until") > pl.col("seen")).select("seen", "until", "polled_at", "grown_at"))
        grown_at = pl.when(pl.col("until") > pl.col("seen")).then("polled_at").otherwise("grown_at")
        active = active.with_columns(grown_at=grown_at, seen="until")
        active = active.with_columns(polled_at=_tick(_due_at(pl.col("polled_at"), pl.col("grown_at"))))
        active = active.filter(pl.col("polled_at") < _SPAN)
    seen = pl.concat(found).with_columns(turn=pl.int_ranges("seen", "until")).explode("turn").sort("turn")
    every = pl.DataFrame({"turn": range(turns.height)}).with_columns(pl.col("turn").cast(pl.Int64))
    return polls, every.join(seen, on="turn", how="left", maintain_order="left")


def _tick(due_at: pl.Expr) -> pl.Expr:
    """The run that asks what is due at a time."""
    return -(-due_at // _TICK) * _TICK
