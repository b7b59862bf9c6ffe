"""The snapshot: whole, always there, and no hindrance to anybody."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipelines.ingest.errors import WarehouseError
from pipelines.ingest.places import Places
from pipelines.ingest.publishing import publish
from pipelines.ingest.registry import candidates
from pipelines.ingest.warehouse import Warehouse

Register = Callable[..., int]
Rows = Callable[..., list[tuple[object, ...]]]


def published(where: Places) -> bool:
    """Whether publishing wrote a new snapshot."""
    with Warehouse.open(where.warehouse) as warehouse:
        return publish(warehouse, where.serving) is not None


def test_a_snapshot_holds_what_was_committed(where: Places, rows: Rows) -> None:
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.register(candidates("test", ["conv_1"]))
        assert publish(warehouse, where.serving)
    assert rows("select conversation_id from raw.conversations") == [("conv_1",)]


def test_nothing_is_copied_when_nothing_changed(where: Places, register: Register) -> None:
    register("conv_1")
    assert published(where)
    before = where.serving.stat().st_mtime_ns
    assert not published(where)
    assert where.serving.stat().st_mtime_ns == before


def test_a_change_that_an_earlier_run_did_not_publish_is_published(where: Places, register: Register) -> None:
    register("conv_1")
    published(where)
    register("conv_2")
    assert published(where)


def test_a_new_warehouse_replaces_the_snapshot_of_an_old_one(where: Places, register: Register, rows: Rows) -> None:
    register("conv_1")
    published(where)
    where.warehouse.unlink()
    register("conv_2")
    assert published(where)
    assert rows("select conversation_id from raw.conversations") == [("conv_2",)]


def test_a_reader_that_holds_the_snapshot_keeps_its_view_and_holds_up_nobody(
    where: Places, register: Register, rows: Rows
) -> None:
    register("conv_1")
    published(where)
    with duckdb.connect(where.serving, read_only=True) as reader:
        register("conv_2")
        assert published(where)
        assert reader.execute("select count(*) from raw.conversations").fetchall() == [(1,)]


def test_a_snapshot_that_cannot_be_written_leaves_the_old_one(
    where: Places, register: Register, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("conv_1")
    published(where)
    register("conv_2")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.ingest.publishing._copy", full)
    with pytest.raises(WarehouseError, match="No space left on device"):
        published(where)
    assert rows("select conversation_id from raw.conversations") == [("conv_1",)]
    assert [path.name for path in where.serving.parent.iterdir() if path.suffix == ".new"] == []


def test_every_table_and_column_of_the_snapshot_carries_its_comment(
    where: Places, register: Register, rows: Rows, tmp_path: Path
) -> None:
    register("conv_1")
    published(where)
    assert rows("select table_name from duckdb_tables() where comment is null") == []
    assert rows("select table_name, column_name from duckdb_columns() where not internal and comment is null") == []


def test_a_changed_declaration_rebuilds_its_tables_from_raw(
    where: Places, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("conv_1")
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.con.execute(
            "insert into raw.items (conversation_id, item_id, position, type, raw) values "
            """('conv_1', 'msg_1', 0, 'message', '{"role":"user","content":[{"type":"input_text","text":"hi"}]}')"""
        )
        built = 'json_merge_patch(declarations, \'{"message":"older"}\')'
        warehouse.con.execute(f"update ops.warehouse set declarations = {built}")
        warehouse.con.execute("drop table items.message__content")
    with Warehouse.open(where.warehouse) as warehouse:
        assert warehouse.con.execute("select text, role from items.message").fetchall() == [("hi", "user")]
        assert warehouse.con.execute("select text from items.message__content").fetchall() == [("hi",)]
