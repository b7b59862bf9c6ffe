"""Typed rows from received items: what fits its declaration is read as it is, what does not is reported as drift."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import duckdb

from models import flatten, ops
from models.conform import UNKNOWN_TYPE, UNREADABLE, Drift, conform, shown
from models.item_type import SPINE
from models.items import ITEM_TYPES
from pipelines.ingest.frames import POLARS_TYPES, polars_columns, relation

_SOURCE = "received"
_SOURCE_COLUMNS = {column.name: POLARS_TYPES[column.type] for column in SPINE} | dict.fromkeys(
    ("type", "raw"), POLARS_TYPES["VARCHAR"]
)
_DISTINCT_AT_MOST = 100
_OTHERS = "(others)"
_REFUSED = Drift("", UNREADABLE, "refused by DuckDB")


class Received(NamedTuple):
    """An item as received, with what its rows need to know of it."""

    conversation_id: str
    item_id: str
    position: int
    item_at: datetime | None
    type: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    original: bytes


@dataclass
class _Finding:
    occurrences: int
    first_seen_at: datetime
    last_seen_at: datetime
    example: tuple[str, str]


class Findings:
    """Drift, counted by type, path, kind and word."""

    def __init__(self) -> None:
        """Begin with none."""
        self._distinct: dict[tuple[str, str], int] = {}
        self._found: dict[tuple[str, Drift], _Finding] = {}

    def add(self, item: Received, drift: Iterable[Drift]) -> None:
        """Count what was found in one item."""
        for one in drift:
            key = self._key(shown(item.type), one)
            known = self._found.get(key)
            if known is None:
                example = (item.conversation_id, item.item_id)
                self._found[key] = _Finding(1, item.first_seen_at, item.last_seen_at, example)
                continue
            known.occurrences += 1
            known.first_seen_at = min(known.first_seen_at, item.first_seen_at)
            known.last_seen_at = max(known.last_seen_at, item.last_seen_at)

    def _key(self, type_name: str, drift: Drift) -> tuple[str, Drift]:
        """The finding's own key; from some number on, all others of its kind share one."""
        key = (type_name, drift)
        if key in self._found:
            return key
        kind = (type_name, drift.kind)
        self._distinct[kind] = self._distinct.get(kind, 0) + 1
        return key if self._distinct[kind] <= _DISTINCT_AT_MOST else (type_name, Drift(_OTHERS, drift.kind, _OTHERS))

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        """Add the counts to `ops.drift`."""
        table = ops.DRIFT.full_name
        key = ", ".join(ops.DRIFT.key)
        found = (
            (type_name, *drift, one.occurrences, one.first_seen_at, one.last_seen_at, *one.example)
            for (type_name, drift), one in self._found.items()
        )
        with relation(con, "found", polars_columns(ops.DRIFT), found):
            con.execute(
                f"create or replace temp table merged as select {key}, sum(occurrences) as occurrences, "
                "min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at, "
                "unnest(arg_min({'example_conversation_id': example_conversation_id, "
                "'example_item_id': example_item_id}, first_seen_at)) "
                f"from (select * from {table} where ({key}) in (select ({key}) from found) "
                f"union all select * from found) group by {key}"
            )
            con.execute(f"delete from {table} where ({key}) in (select ({key}) from found)")
        con.execute(f"insert into {table} by name from merged")


def fill(con: duckdb.DuckDBPyConnection, items: Iterable[Received], findings: Findings) -> None:
    """Add the items' rows to the tables of their types; an item of a type that is not declared has none."""
    rows: dict[str, list[tuple[object, ...]]] = {}
    received: dict[tuple[str, str], Received] = {}
    for item in items:
        if item.type not in ITEM_TYPES:
            findings.add(item, [Drift("type", UNKNOWN_TYPE, shown(item.type))])
            continue
        readable, drift = conform(ITEM_TYPES[item.type], item.original)
        if drift:
            findings.add(item, drift)
        received[item.conversation_id, item.item_id] = item
        rows.setdefault(item.type, []).append((*item[:5], readable))
    for name in sorted(rows):
        with relation(con, _SOURCE, _SOURCE_COLUMNS, rows[name]):
            con.execute(flatten.parse(ITEM_TYPES[name], _SOURCE))
        for key in con.execute(flatten.unreadable()).fetchall():
            findings.add(received[key], [_REFUSED])
        for statement in flatten.insert(ITEM_TYPES[name]):
            con.execute(statement)


def remove(con: duckdb.DuckDBPyConnection, items: str) -> None:
    """Delete the typed rows of the items (conversation_id, item_id, type) in a relation."""
    for (name,) in con.execute(f"select distinct type from {items} order by type").fetchall():
        for statement in flatten.delete(ITEM_TYPES[name], items) if name in ITEM_TYPES else ():
            con.execute(statement)
