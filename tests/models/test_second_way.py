"""Each view says what plain Python makes of the same items, written from the definitions and not from the SQL.

With the sample data, with the same altered by chance, and with recordings of the real API where they are at hand.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pytest

from models.analytics import VIEWS
from tests.models.by_hand import sources
from tests.models.by_hand.everything import KEYS, by_hand
from tests.models.by_hand.sources import Lists
from tests.models.by_hand.spine import Row
from tests.models.by_hand.warehouse import build, listed, registered

Cases = Mapping[tuple[str, str], set[object]]
Rows = Mapping[str, Sequence[Row]]
Key = tuple[object, ...]
_SHOWN = 20
_PRECISION = 1e-9
_GONE = 23
"""Of the altered lists, every 23rd item is not there any more when they are listed again."""

AT_LEAST = {
    "items": 3000,
    "messages": 1000,
    "tool_calls": 500,
    "turns": 200,
    "conversation_summary": 100,
    "tool_daily": 100,
    "tool_inventory": 40,
    "tool_transitions": 50,
    "trajectories": 3,
    "retry_loops": 1,
    "code_interpreter_runs": 20,
    "reasoning_effort": 200,
    "context_pressure": 500,
    "safety_events": 4,
    "engagement_funnel": 20,
    "hour_of_week": 168,
}
"""So many rows of each view are compared, whatever the source."""
USUAL: Cases = {
    ("tool_calls", "outcome"): {"ok", "error", "denied", "pending"},
    ("tool_calls", "outcome_method"): {"explicit", "heuristic"},
    ("tool_calls", "output_method"): {"explicit", "heuristic", "none"},
    ("tool_calls", "retry_method"): {"heuristic", "none"},
    ("tool_calls", "latency_method"): {"heuristic", "none"},
    ("tool_calls", "approval"): {"approved", None},
    ("tool_calls", "step_call_count"): {1, 2, 3},
    ("tool_calls", "is_made"): {True, False},
    ("tool_calls", "is_json_arguments"): {True, False, None},
    ("turns", "ended_state"): {"answered", "incomplete"},
    ("tool_inventory", "is_undefined"): {True, False},
    ("tool_inventory", "is_unused"): {True, False},
    ("tool_inventory", "is_changed"): {True, False},
    ("reasoning_effort", "silent_count"): {0, 1},
    ("context_pressure", "duplicate_count"): {0, 1},
    ("safety_events", "kind"): {"refusal"},
    ("hour_of_week", "hour_of_week"): {None, 0, 167},
}
"""What occurs in every source."""
SAMPLE: Cases = {
    ("items", "is_copied"): {True, False},
    ("messages", "is_refusal"): {True, False},
    ("tool_calls", "outcome"): {"timeout", None},
    ("tool_calls", "retry_method"): {"explicit"},
    ("tool_calls", "latency_method"): {"explicit"},
    ("tool_calls", "approval"): {"denied"},
    ("retry_loops", "is_stuck"): {True, False},
    ("retry_loops", "is_recovered"): {True, False},
    ("turns", "ended_state"): {"open_call"},
    ("code_interpreter_runs", "error_class"): {"FileNotFoundError", None},
    ("code_interpreter_runs", "rerun_of_method"): {"explicit", "heuristic", "none"},
    ("code_interpreter_runs", "is_mended"): {True, False},
    ("code_interpreter_runs", "cited_file_count"): {0, 1},
    ("reasoning_effort", "is_effort_changed"): {True, False},
    ("context_pressure", "window_index"): {0, 1},
    ("safety_events", "kind"): {"refusal", "moderation", "safety_check"},
    ("safety_events", "is_acknowledged"): {True, False, None},
    ("safety_events", "followed_by"): {"user", "refusal", "same_tool", "nothing"},
    ("safety_events", "is_user_back"): {True, False},
    ("engagement_funnel", "abandoned_count"): {0, 1},
    ("engagement_funnel", "metadata_key"): {None, "end", "last"},
}
"""What occurs in the sample data, altered or not."""
UNALTERED: Cases = {
    ("code_interpreter_runs", "error_class"): {"KeyError", "SyntaxError"},
    ("code_interpreter_runs", "cited_file_count"): {2},
    ("reasoning_effort", "effort"): {"low", "high", None},
    ("reasoning_effort", "is_effort_mixed"): {True, False},
    ("reasoning_effort", "orphan_count"): {0, 1},
    ("context_pressure", "source"): {"instructions", "definitions", "approval", "compaction", "output"},
}
"""What occurs in the sample data as it is."""
ALTERED: Cases = {
    ("tool_calls", "is_abandoned"): {True, False},
    ("tool_calls", "output_count"): {0, 1, 2},
    ("tool_calls", "approval"): {"awaiting"},
    ("tool_calls", "turn_index"): {0},
    ("turns", "ended_state"): {"awaiting_user", "awaiting_approval", "error"},
    ("conversation_summary", "turn_count"): {0},
    ("conversation_summary", "output_without_call_count"): {0, 1},
}
"""What occurs where chance was at work."""
RECORDED: Cases = {("turns", "ended_state"): {"awaiting_user"}, ("retry_loops", "is_recovered"): {True}}
"""What the real API is known to do."""


def sample() -> tuple[Lists, Lists]:
    lists = sources.sample()
    return lists, lists


def altered() -> tuple[Lists, Lists]:
    before = sources.altered(seed=1)
    return before, {one: [text for n, text in enumerate(own, 1) if n % _GONE] for one, own in before.items()}


def altered_otherwise() -> tuple[Lists, Lists]:
    lists = sources.altered(seed=3)
    return lists, lists


def recorded() -> tuple[Lists, Lists]:
    if not sources.CORPUS.is_file():
        pytest.skip(f"no recordings of the real API at {sources.CORPUS}; CONVERSATIONS_CORPUS names another place")
    lists = sources.recorded()
    return lists, lists


@pytest.mark.parametrize(
    ("source", "cases"),
    [
        (sample, [USUAL, SAMPLE, UNALTERED]),
        (altered, [USUAL, SAMPLE, ALTERED, {("conversation_summary", "deleted_item_count"): {0, 1}}]),
        (altered_otherwise, [USUAL, SAMPLE, ALTERED]),
        (recorded, [USUAL, RECORDED]),
    ],
)
def test_each_view_says_what_is_found_by_hand(
    source: Callable[[], tuple[Lists, Lists]],
    cases: Sequence[Cases],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    before, now = source()
    where = build(tmp_path, before, now)
    with duckdb.connect(where.serving, read_only=True) as con:
        expected = by_hand(listed(con, now), registered(before, now))
        found = {view: list(_selected(con, view)) for view in KEYS}
    assert [view for view, rows in expected.items() if len(rows) < AT_LEAST[view]] == []
    assert [line for one in cases for line in _missing(one, expected)] == []
    differences = [line for view in KEYS for line in _compared(view, expected[view], found[view])]
    assert not differences, "\n".join([f"{len(differences)} differences", *differences[:_SHOWN]])
    record_property(f"rows found by hand, {source.__name__}", {view: len(rows) for view, rows in expected.items()})


def _missing(cases: Cases, rows: Rows) -> Iterator[str]:
    """The cases that no row is of."""
    for (view, column), values in cases.items():
        for value in values - {row[column] for row in rows[view]}:
            yield f"{view}: no row with {column} {value!r}"


def _selected(con: duckdb.DuckDBPyConnection, view: str) -> Iterator[Row]:
    asked = con.execute(f"select * from analytics.{view}")
    names = [column[0] for column in asked.description or ()]
    assert names == [column.name for column in next(one for one in VIEWS if one.name == view).columns]
    yield from (dict(zip(names, row, strict=True)) for row in asked.fetchall())


def _compared(view: str, expected: Sequence[Row], found: Sequence[Row]) -> Iterator[str]:
    """What differs: which view, which row, which column, what is found by hand and what by SQL."""
    by_hand, by_sql = _keyed(view, expected), _keyed(view, found)
    for key in by_hand.keys() | by_sql.keys():
        left, right = by_hand.get(key), by_sql.get(key)
        if left is None or right is None:
            yield f"{view} {key}: only {'by SQL' if left is None else 'by hand'}"
            continue
        if left.keys() != right.keys():
            yield f"{view}: columns differ: {sorted(left.keys() ^ right.keys())}"
            return
        for column, value in left.items():
            if not _equal(value, right[column]):
                yield f"{view} {key} {column}: by hand {value!r:.100}, by SQL {right[column]!r:.100}"


def _keyed(view: str, rows: Sequence[Row]) -> dict[Key, Row]:
    keyed = {tuple(row[name] for name in KEYS[view]): row for row in rows}
    assert len(keyed) == len(rows), f"{view}: not one row per {KEYS[view]}"
    return keyed


def _equal(left: object, right: object) -> bool:
    if isinstance(left, float) and isinstance(right, float | int):
        return math.isclose(left, right, rel_tol=_PRECISION, abs_tol=_PRECISION)
    return left == right and (left is None or type(left) is type(right))
