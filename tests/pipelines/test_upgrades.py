"""Warehouses of older programs, opened by this one: nothing of them is lost, and all that is new is there."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from connectors.emulator import Store, running_emulator
from connectors.openai_conversations import ConversationsClient
from models import ops
from models import raw as facts
from models.items import ITEM_TYPES
from pipelines.ingest.errors import WarehouseError
from pipelines.ingest.places import Places
from pipelines.ingest.progress import Progress, heard_by
from pipelines.ingest.publishing import publish
from pipelines.ingest.reading import status
from pipelines.ingest.registry import candidates
from pipelines.ingest.sync import sync
from pipelines.ingest.verifying import VerifyOptions, verify
from pipelines.ingest.warehouse import Warehouse
from tests.pipelines.older import WAREHOUSES, change, first_state, open_older

VERSIONS = range(1, ops.SCHEMA_VERSION + 1)
RECEIVED = (*facts.TABLES, ops.RUNS, ops.PROBLEMS)
Rows = list[tuple[object, ...]]
DEFINITION = "replace(replace(macro_definition, 'main.', ''), 'CAST(''f'' AS BOOLEAN)', 'false')"
"""DuckDB 2 has other words for the same where DuckDB 1.5 has stored it."""


@dataclass(frozen=True)
class Upgraded:
    """A warehouse of an older program after this one has opened and published it; the rows of `before`."""

    places: Places
    before: dict[str, pl.DataFrame]

    def rows(self, query: str) -> Rows:
        with duckdb.connect(self.places.serving, read_only=True) as con:
            return con.execute(query).fetchall()


@pytest.fixture(scope="module", params=VERSIONS)
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    places = open_older(request.param, tmp_path_factory.mktemp("older"))
    with duckdb.connect(places.warehouse) as con:
        present = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
        names = [table.full_name for table in RECEIVED if table.name in present]
        before = {name: con.sql(f"from {name} order by all").pl() for name in names}
    with Warehouse.open(places.warehouse) as warehouse:
        publish(warehouse, places.serving)
    return Upgraded(places, before)


@pytest.fixture(scope="module")
def server() -> Store:
    """The API as it was when the warehouses were written."""
    store = first_state()
    change(store)
    return store


@pytest.fixture(scope="module")
def new(server: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The snapshot of a program that pulls everything anew."""
    directory = tmp_path_factory.mktemp("new")
    places = Places(directory / "warehouse.duckdb", directory / "serving.duckdb")
    with Warehouse.open(places.warehouse) as warehouse:
        warehouse.register(candidates("test", server.conversation_ids()))
    with running_emulator(server) as base_url:
        sync(places, ConversationsClient("any", base_url=base_url))
    with duckdb.connect(places.serving, read_only=True) as con:
        yield con


@pytest.fixture
def oldest(tmp_path: Path) -> Places:
    """The files of the first version, as they were left."""
    return open_older(VERSIONS[0], tmp_path)


def test_each_version_of_the_schema_is_kept() -> None:
    kept = {path.name for path in WAREHOUSES.iterdir()}
    assert kept == {f"schema_{version}.zip" for version in VERSIONS}, "tests/pipelines/older.py says how one is made"


@pytest.mark.parametrize(
    "query",
    [
        "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() where not internal",
        "select schema_name, table_name, comment from duckdb_tables()",
        f"select function_name, parameters, {DEFINITION}, comment from duckdb_functions() where not internal",
        f"select schema_version, declarations from {ops.WAREHOUSE.full_name}",
    ],
)
def test_it_is_made_as_a_new_one_is(upgraded: Upgraded, new: duckdb.DuckDBPyConnection, query: str) -> None:
    ordered = f"from ({query}) order by all"
    assert upgraded.rows(ordered) == new.execute(ordered).fetchall()


def test_what_was_received_stays_as_it_was(upgraded: Upgraded) -> None:
    with duckdb.connect(upgraded.places.serving, read_only=True) as con:
        for name, rows in upgraded.before.items():
            assert con.sql(f"select {', '.join(rows.columns)} from {name} order by all").pl().equals(rows), name
    new_column = "select missing_since = last_polled_at from raw.conversations where status = 'missing'"
    assert upgraded.rows(new_column) == [(True,)]


def test_its_typed_tables_are_those_of_a_program_that_pulls_all_anew(
    upgraded: Upgraded, new: duckdb.DuckDBPyConnection
) -> None:
    # Positions and secrets are those of the time when an item was received.
    left_out = {"position", "encrypted_content", "fingerprint"}
    for table in (part.table for item_type in ITEM_TYPES.values() for part in item_type.tables):
        columns = ", ".join(name for name in table.column_names if name not in left_out)
        query = f"select {columns} from {table.full_name} where conversation_id <> 'conv_missing' order by all"
        assert upgraded.rows(query) == new.execute(query).fetchall(), table.name


def test_it_is_what_the_api_serves_and_the_next_sync_goes_on_at_the_cursor(upgraded: Upgraded, tmp_path: Path) -> None:
    shutil.copytree(upgraded.places.warehouse.parent, tmp_path, dirs_exist_ok=True)
    places, server = Places(tmp_path / "warehouse.duckdb", tmp_path / "serving.duckdb"), first_state()
    change(server)
    with running_emulator(server) as base_url:
        found = verify(places, ConversationsClient("any", base_url=base_url), VerifyOptions())
        assert (found.agrees, found.conversations, found.items) == (True, 3, 63)
        server.put_items("conv_odd", [{"type": "message", "id": "msg_new", "role": "user", "content": []}])
        report = sync(places, ConversationsClient("any", base_url=base_url)).report
    assert (report.status, report.items_new, report.items_changed, report.items_deleted) == ("done", 1, 0, 0)
    assert report.requests == len(server.conversation_ids())
    told = status(places, datetime(2026, 11, 27))
    assert (sum(told.items.values()), told.undeclared, told.deleted_items) == (64, {"hologram_call": 1}, 1)
    assert told.conversations == {"active": 3, "missing": 1}


def test_progress_is_told_while_typed_tables_are_made_anew(oldest: Places) -> None:
    told: list[Progress] = []
    with heard_by(told.append), Warehouse.open(oldest.warehouse):
        pass
    assert told[-1].what == "items made anew"
    assert told[-1].done == told[-1].of > 0


def test_opened_again_nothing_is_done_again(oldest: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    Warehouse.open(oldest.warehouse).close()
    monkeypatch.setattr("pipelines.ingest.schema.rebuild", None)
    with Warehouse.open(oldest.warehouse) as warehouse:
        assert warehouse.count_conversations() == 4


def test_a_typed_table_that_is_not_as_declared_is_made_anew(oldest: Places) -> None:
    with Warehouse.open(oldest.warehouse) as warehouse:
        before = warehouse.con.execute("from items.program").fetchall()
        warehouse.con.execute("alter table items.program drop column code")
        warehouse.con.execute(
            """update ops.warehouse set declarations = json_merge_patch(declarations, '{"items":""}')"""
        )
    with Warehouse.open(oldest.warehouse) as warehouse:
        assert warehouse.con.execute("from items.program").fetchall() == before


@pytest.mark.parametrize(
    ("version", "what"), [(1, "`conversations sync` or `publish` writes it anew"), (1000, "update this installation")]
)
def test_a_snapshot_of_another_version_is_refused_with_what_to_do(oldest: Places, version: int, what: str) -> None:
    oldest.warehouse.rename(oldest.serving)
    with duckdb.connect(oldest.serving) as con:
        con.execute(f"update ops.warehouse set schema_version = {version}")
    with pytest.raises(WarehouseError, match=rf"schema {version}, this one knows \d+\); {what}"):
        status(oldest, datetime(2026, 11, 1))


def test_a_warehouse_of_a_newer_version_is_left_as_it_is(oldest: Places) -> None:
    with duckdb.connect(oldest.warehouse) as con:
        con.execute("update ops.warehouse set schema_version = 1000")
    before = oldest.warehouse.read_bytes()
    with pytest.raises(WarehouseError, match=r"schema 1000; this one knows \d+\); update this installation"):
        Warehouse.open(oldest.warehouse)
    assert oldest.warehouse.read_bytes() == before
