"""The tables of the warehouse: made when it is new, brought up to date when the declarations changed.

Typed tables are derived, so a changed declaration needs no migration: the type's tables are made anew from raw. Views
are made anew whenever a declaration changed: one keeps the types of what it read when it was made.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import duckdb

from models import analytics, ops
from models import raw as facts
from models.conform import UNKNOWN_TYPE
from models.flatten import same_item
from models.item_type import SCHEMA as ITEMS_SCHEMA
from models.items import ITEM_TYPES
from models.macros import MACROS
from models.table import Table
from pipelines.ingest.clock import utc_now
from pipelines.ingest.database import another, insert, one, transaction
from pipelines.ingest.errors import WarehouseError
from pipelines.ingest.landing import Row
from pipelines.ingest.originals import Originals
from pipelines.ingest.progress import Progress, tell
from pipelines.ingest.typed import Findings, fill, readable

FACT_TABLES = (*facts.TABLES, *ops.TABLES)
_ADDED: Mapping[int, Mapping[Table, tuple[str, ...]]] = {
    1: {facts.ITEMS: ("is_raw_base64",)},
    2: {
        facts.CONVERSATIONS: ("last_verified_at", "missing_since"),
        ops.RUNS: ("scope", "conversations_verified", "reconcile_requests", "publish_ms"),
    },
    3: {ops.WAREHOUSE: ("rebuilt_at",)},
}
"""The columns that lead from a version to the next; new tables follow by themselves."""
_FILLED = {2: (f"update {facts.CONVERSATIONS.full_name} set missing_since = last_polled_at where status = 'missing'",)}
"""What is known of these columns in a warehouse that did not have them."""
_LIVE_OF_TYPES = "i.deleted_at is null and list_contains(?, i.type)"
_SLICE_ITEMS, _SLICE_BYTES, _FETCHED_ROWS = 20_000, 32_000_000, 50


def prepare(con: duckdb.DuckDBPyConnection, path: Path, originals: Originals) -> None:
    """Make sure that the open file is a warehouse with all declared tables.

    WarehouseError if it is a database of somebody else's, or of a newer version of ours; then nothing is changed.
    """
    if not _columns(con, ops.WAREHOUSE):
        _refuse_foreign(con, path)
        _create(con)
        return
    try:
        ((version, declarations),) = con.execute(
            f"select schema_version, declarations from {ops.WAREHOUSE.full_name}"
        ).fetchall()
    except (ValueError, duckdb.BinderException):
        raise WarehouseError(
            f"{path}: a DuckDB file whose {ops.WAREHOUSE.full_name} is not ours, or damaged; choose another path with "
            "--warehouse, or put a backup in its place. Nothing was changed"
        ) from None
    if version > ops.SCHEMA_VERSION:
        raise WarehouseError(
            f"{path}: written by a newer conversations-to-duckdb (schema {version}; this one knows "
            f"{ops.SCHEMA_VERSION}); update this installation, nothing was changed"
        )
    built = json.loads(declarations)
    if built != fingerprints():
        _migrate(con, version)
        _redeclare(con, originals, built)


def rebuild(con: duckdb.DuckDBPyConnection, originals: Originals, types: Collection[str]) -> int:
    """Make these types' tables and their drift anew from `raw.items`, a bounded amount at a time.

    Returns how many items were read. WarehouseError if a file of a payload is missing.
    """
    for name in types:
        for part in ITEM_TYPES[name].tables:
            con.execute(f"drop table if exists {part.table.full_name}")
            _create_table(con, part.table)
        con.execute(f"delete from {ops.DRIFT.full_name} where type = ?", [name])
    _count_unknown_types(con)
    findings, count = Findings(), 0
    total = one(con, f"select count(*) from {facts.ITEMS.full_name} as i where {_LIVE_OF_TYPES}", list(types))
    for items in _slices(con, originals, types):
        fill(con, readable(items, findings))
        count += len(items)
        tell(Progress("items made anew", count, total))
    findings.write(con)
    con.execute(f"update {ops.WAREHOUSE.full_name} set rebuilt_at = ?", [utc_now()])
    return count


def _count_unknown_types(con: duckdb.DuckDBPyConnection) -> None:
    """What the live items say of types that are not declared."""
    con.execute(f"delete from {ops.DRIFT.full_name} where kind = ?", [UNKNOWN_TYPE])
    findings = Findings()
    for row in con.execute(
        f"select {', '.join(Row._fields[:-1])} from {facts.ITEMS.full_name} "
        "where deleted_at is null and (type is null or not list_contains(?, type))",
        [list(ITEM_TYPES)],
    ).fetchall():
        readable([Row._make((*row, b""))], findings)
    findings.write(con)


def _slices(con: duckdb.DuckDBPyConnection, originals: Originals, types: Collection[str]) -> Iterator[list[Row]]:
    """The live items of these types as received, in the order in which they were stored."""
    columns = ", ".join(f"i.{name}" for name in Row._fields[:-1])
    read = another(con)  # reads on while the rows are written
    read.execute(
        f"select {columns}, i.raw, i.is_raw_base64, b.blobs from {facts.ITEMS.full_name} as i left join ("
        "select conversation_id, item_id, list((byte_offset, sha256)) as blobs "
        f"from {facts.BLOBS.full_name} group by all) as b on {same_item('i', 'b')} "
        f"where {_LIVE_OF_TYPES} order by i.rowid",
        [list(types)],
    )
    items: list[Row] = []
    size = 0
    while rows := read.fetchmany(_FETCHED_ROWS):
        for *columns_of_row, raw, is_raw_base64, blobs in rows:
            items.append(Row._make((*columns_of_row, originals.give_back(raw, is_raw_base64, blobs or ()))))
            size += len(items[-1].original)
            if len(items) >= _SLICE_ITEMS or size >= _SLICE_BYTES:
                yield items
                items, size = [], 0
    if items:
        yield items


def fingerprints() -> dict[str, str]:
    """SHA-256 (hex) of what is declared: fact tables and macros, typed tables, views, and each item type."""
    declared = {
        "facts": "\n".join((*_statements(FACT_TABLES), *(words for macro in MACROS for words in macro.statements()))),
        ITEMS_SCHEMA: "\n".join(_statements(_typed_tables())),
        analytics.SCHEMA: "\n".join(words for view in analytics.VIEWS for words in view.statements()),
    }
    declared |= {name: repr(one_type) for name, one_type in ITEM_TYPES.items()}
    return {name: sha256(words.encode()).hexdigest() for name, words in declared.items()}


def _statements(tables: Iterable[Table]) -> Iterator[str]:
    return (words for table in tables for words in (table.create(), *table.comments()))


def _refuse_foreign(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    if found := one(con, "select count(*) from duckdb_tables() where not internal"):
        raise WarehouseError(
            f"{path}: a DuckDB file with {found} tables that is no warehouse of ours; "
            "choose another path with --warehouse, nothing was changed"
        )


def _create(con: duckdb.DuckDBPyConnection) -> None:
    with transaction(con):
        for schema in ("raw", ITEMS_SCHEMA, "ops"):
            con.execute(f"create schema if not exists {schema}")
        for table in (*FACT_TABLES, *_typed_tables()):
            _create_table(con, table)
        _create_macros(con)
        _create_views(con)
        insert(con, ops.WAREHOUSE, [ops.SCHEMA_VERSION, json.dumps(fingerprints()), 0, utc_now(), None])


def _migrate(con: duckdb.DuckDBPyConnection, version: int) -> None:
    """Bring the fact tables up to date. Committed by itself: `rebuild` reads only what is committed."""
    with transaction(con):
        for older in range(version, ops.SCHEMA_VERSION):
            for table, names in _ADDED[older].items():
                for column in table.columns:
                    if column.name in names:
                        con.execute(f"alter table {table.full_name} add column {column.name} {column.type}")
            for statement in _FILLED.get(older, ()):
                con.execute(statement)
        for table in FACT_TABLES:
            _create_table(con, table)
        _create_macros(con)
        con.execute(f"update {ops.WAREHOUSE.full_name} set schema_version = ?", [ops.SCHEMA_VERSION])


def _redeclare(con: duckdb.DuckDBPyConnection, originals: Originals, built: Mapping[str, str]) -> None:
    """Make the typed tables anew whose declaration or columns changed, those that are new, and all views."""
    declared, found = fingerprints(), _columns_found(con)
    stale = {
        name
        for name, item_type in ITEM_TYPES.items()
        if built.get(name) != declared[name] or not all(_is_found(part.table, found) for part in item_type.tables)
    }
    with transaction(con):
        for name in ITEM_TYPES.keys() - stale:
            for part in ITEM_TYPES[name].tables:
                _comment(con, part.table)
        if stale or built.keys() - declared.keys():
            rebuild(con, originals, stale)
        _create_views(con)
        con.execute(
            f"update {ops.WAREHOUSE.full_name} set declarations = ?, data_version = data_version + 1",
            [json.dumps(declared)],
        )


def _create_table(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    con.execute(table.create())
    _comment(con, table)


def _create_macros(con: duckdb.DuckDBPyConnection) -> None:
    for macro in MACROS:
        for statement in macro.statements():
            con.execute(statement)


def _create_views(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"drop schema if exists {analytics.SCHEMA} cascade")
    con.execute(f"create schema {analytics.SCHEMA}")
    for view in analytics.VIEWS:
        for statement in view.statements():
            con.execute(statement)


def _comment(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    for statement in table.comments():
        con.execute(statement)


def _typed_tables() -> tuple[Table, ...]:
    return tuple(part.table for item_type in ITEM_TYPES.values() for part in item_type.tables)


def _columns_found(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    """Names and types (without quotes) of the columns that the typed tables have, by table."""
    found = con.execute(
        "select table_name, list((column_name, replace(data_type, '\"', '')) order by column_index) "
        "from duckdb_columns() where schema_name = ? group by all",
        [ITEMS_SCHEMA],
    ).fetchall()
    return dict(found)


def _is_found(table: Table, found: Mapping[str, list[tuple[str, str]]]) -> bool:
    return found.get(table.name) == [(column.name, column.type.replace('"', "")) for column in table.columns]


def _columns(con: duckdb.DuckDBPyConnection, table: Table) -> list[tuple[str]]:
    return con.execute(
        "select column_name from duckdb_columns() where schema_name = ? and table_name = ?",
        [table.schema, table.name],
    ).fetchall()
