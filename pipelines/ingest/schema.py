"""The tables of the warehouse: made when it is new, brought up to date when the declarations changed.

Typed tables are derived, so a changed declaration needs no migration: the type's tables are made anew from raw.
"""

import json
from hashlib import sha256
from pathlib import Path

import duckdb

from models import ops
from models import raw as facts
from models.item_type import SCHEMA as ITEMS_SCHEMA
from models.item_type import ItemType
from models.items import ITEM_TYPES
from models.table import Table
from pipelines.ingest.clock import utc_now
from pipelines.ingest.database import insert, one, transaction
from pipelines.ingest.errors import WarehouseError
from pipelines.ingest.typed import fill_type

VERSION = 1
"""Version of the schemas `raw` and `ops`; a change of theirs is a migration, and a new number."""
FACT_TABLES = (facts.CONVERSATIONS, facts.ITEMS, ops.WAREHOUSE, ops.RUNS, ops.PROBLEMS)
_SLICE_ROWS = 50_000


def prepare(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make sure that the open file is a warehouse with all declared tables.

    WarehouseError if it is a database of somebody else's, or of a newer version of ours; then nothing is changed.
    """
    if not _columns(con, ops.WAREHOUSE):
        _refuse_foreign(con, path)
        _create(con)
        return
    version, declarations = con.execute(
        f"select schema_version, declarations from {ops.WAREHOUSE.full_name}"
    ).fetchall()[0]
    if version > VERSION:
        raise WarehouseError(
            f"{path}: written by a newer conversations-to-duckdb (schema {version}; this one knows {VERSION}); "
            "update this installation, nothing was changed"
        )
    built = json.loads(declarations)
    if built != fingerprints():
        _redeclare(con, built)


def rebuild(con: duckdb.DuckDBPyConnection, item_type: ItemType) -> None:
    """Make the type's tables anew from `raw.items`, a slice at a time."""
    for part in item_type.tables:
        con.execute(f"drop table if exists {part.table.full_name}")
        _create_table(con, part.table)
    last = one(con, f"select coalesce(max(rowid), -1) from {facts.ITEMS.full_name}")
    for first in range(0, last + 1, _SLICE_ROWS):
        con.execute(
            f"create or replace temp view slice as select * from {facts.ITEMS.full_name} "
            f"where rowid >= {first} and rowid < {first + _SLICE_ROWS} and deleted_at is null"
        )
        fill_type(con, item_type, "slice")


def fingerprints() -> dict[str, str]:
    """SHA-256 (hex) of what is declared: of the fact tables, and of each item type."""
    statements = (words for table in FACT_TABLES for words in (table.create(), *table.comments()))
    declared = {"facts": "\n".join(statements)} | {name: repr(one_type) for name, one_type in ITEM_TYPES.items()}
    return {name: sha256(words.encode()).hexdigest() for name, words in declared.items()}


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
        insert(con, ops.WAREHOUSE, [VERSION, json.dumps(fingerprints()), 0, utc_now()])


def _redeclare(con: duckdb.DuckDBPyConnection, built: dict[str, str]) -> None:
    declared = fingerprints()
    with transaction(con):
        for name, item_type in ITEM_TYPES.items():
            if built.get(name) != declared[name]:
                rebuild(con, item_type)
        for table in FACT_TABLES:
            _comment(con, table)
        con.execute(
            f"update {ops.WAREHOUSE.full_name} set declarations = ?, data_version = data_version + 1",
            [json.dumps(declared)],
        )


def _create_table(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    con.execute(table.create())
    _comment(con, table)


def _comment(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    for statement in table.comments():
        con.execute(statement)


def _typed_tables() -> tuple[Table, ...]:
    return tuple(part.table for item_type in ITEM_TYPES.values() for part in item_type.tables)


def _columns(con: duckdb.DuckDBPyConnection, table: Table) -> list[tuple[str]]:
    return con.execute(
        "select column_name from duckdb_columns() where schema_name = ? and table_name = ?",
        [table.schema, table.name],
    ).fetchall()
