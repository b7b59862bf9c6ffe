"""Typed rows from received items: what fits its declaration is read as it is, what does not is reported as drift."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING

import duckdb

from models import flatten, ops
from models import raw as facts
from models.conform import UNKNOWN_TYPE, UNREADABLE, Drift, conform, shown
from models.item_type import SPINE, ItemType
from models.items import ITEM_TYPES
from pipelines.ingest.frames import GIVEN, columns_of, execute, frame, read, relation, together
from pipelines.ingest.landing import Row

if TYPE_CHECKING:
    import polars as pl

_GIVEN = (*(column.name for column in SPINE), "type")
_SOURCE_COLUMNS = {column.name: column.type for column in SPINE} | dict.fromkeys(("type", "raw"), "VARCHAR")
_WAITING_ROWS, _WAITING_BYTES = 5_000, 4_000_000
"""A type with fewer waits for more, at most until the transaction ends: a statement has a price of its own."""
_DISTINCT_AT_MOST = 100
_OTHERS = "(others)"
_REFUSED = Drift("", UNREADABLE, "refused by DuckDB")


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

    def add(self, item: Row, drift: Iterable[Drift]) -> None:
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
        if not self._found:
            return
        table = ops.DRIFT.full_name
        key = ", ".join(ops.DRIFT.key)
        found = (
            (type_name, *drift, one.occurrences, one.first_seen_at, one.last_seen_at, *one.example)
            for (type_name, drift), one in self._found.items()
        )
        with relation(con, "found", columns_of(ops.DRIFT), found):
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


Readable = Mapping[str, "pl.DataFrame"]
"""What may be read of items, by type: the columns that their rows begin with, and JSON."""


def readable(items: Iterable[Row], findings: Findings) -> Readable:
    """What may be read of these items; one of a type that is not declared has no rows."""
    by_type: dict[str | None, list[Row]] = {}
    for item in items:
        by_type.setdefault(item.type, []).append(item)
    frames = {}
    for name, rows in by_type.items():
        if name in ITEM_TYPES:
            frames[name] = _readable(ITEM_TYPES[name], rows, findings)
        else:
            for item in rows:
                findings.add(item, [Drift("type", UNKNOWN_TYPE, shown(name))])
    return frames


def _readable(item_type: ItemType, items: Sequence[Row], findings: Findings) -> "pl.DataFrame":
    conformed = [conform(item_type, item.original) for item in items]
    for item, one in zip(items, conformed, strict=True):
        if one.drift:
            findings.add(item, one.drift)
    given = (list(map(attrgetter(name), items)) for name in _GIVEN)
    return frame(_SOURCE_COLUMNS, [*given, [one.json for one in conformed]])


def fill(con: duckdb.DuckDBPyConnection, items: Readable) -> None:
    """Add the items' rows to the tables of their types."""
    filling = Filling(con)
    filling.add(items)
    filling.end()


class Filling:
    """The typed tables while a transaction fills them; some rows wait for others of their type, at most to its end."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        """Fill the tables of this connection."""
        self._con = con
        self._waiting: dict[str, list[pl.DataFrame]] = {}

    def add(self, items: Readable) -> None:
        """Add the items' rows to the tables of their types."""
        for name in sorted(items):
            frames = self._waiting.setdefault(name, [])
            frames.append(items[name])
            if sum(map(len, frames)) >= _WAITING_ROWS or sum(one.estimated_size() for one in frames) >= _WAITING_BYTES:
                self._insert(name)

    def end(self) -> None:
        """Add the rows that still wait."""
        for name in sorted(self._waiting):
            self._insert(name)

    def remove(self, items: str) -> None:
        """Delete the typed rows of the items (conversation_id, item_id, type) in a relation."""
        self.end()
        for (name,) in self._con.execute(f"select distinct type from {items} order by type").fetchall():
            for statement in flatten.delete(ITEM_TYPES[name], items) if name in ITEM_TYPES else ():
                self._con.execute(statement)

    def _insert(self, name: str) -> None:
        parsed = read(self._con, flatten.parse(ITEM_TYPES[name], GIVEN), together(self._waiting.pop(name)))
        if parsed["e"].null_count:
            self._report(read(self._con, flatten.unreadable(GIVEN), parsed).to_pylist())
        for statement in flatten.insert(ITEM_TYPES[name], GIVEN):
            execute(self._con, statement, parsed)

    def _report(self, refused: Iterable[Mapping[str, str]]) -> None:
        findings, columns = Findings(), ", ".join(Row._fields[:-1])
        for key in refused:
            (found,) = self._con.execute(
                f"select {columns} from {facts.ITEMS.full_name} "
                "where conversation_id = $conversation_id and item_id = $item_id",
                dict(key),
            ).fetchall()
            findings.add(Row._make((*found, b"")), [_REFUSED])
        findings.write(self._con)
