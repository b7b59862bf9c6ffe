"""The views of the warehouse: there in a new one, in one that had none, in the snapshot; with what their files say."""

import json
from collections.abc import Callable, Iterator

import duckdb
import pytest

from connectors.emulator import Store
from models.analytics import VIEWS, View
from pipelines.ingest import publishing, schema
from pipelines.ingest.forgetting import forget
from pipelines.ingest.places import Places
from pipelines.ingest.publishing import publish
from pipelines.ingest.warehouse import Warehouse
from tests.pipelines.test_sync import Pull, conversation, said

Register = Callable[..., int]
Rows = Callable[..., list[tuple[object, ...]]]
DECLARED = sorted(
    [(view.name, n, column.name, column.type, column.doc) for view in VIEWS for n, column in enumerate(view.columns)]
)
THERE = (
    "select table_name, column_index - 1, column_name, data_type, comment from duckdb_columns() "
    "where schema_name = 'analytics' order by all"
)


def published(where: Places) -> bool:
    with Warehouse.open(where.warehouse) as warehouse:
        return publish(warehouse, where.serving) is not None


def test_the_columns_of_each_view_are_those_that_its_file_describes_in_order(
    where: Places, register: Register, rows: Rows
) -> None:
    register("conv_1")
    published(where)
    assert rows(THERE) == DECLARED
    for kind, kept in (("view", False), ("table", True)):
        found = rows(f"select {kind}_name, comment from duckdb_{kind}s() where schema_name = 'analytics' order by all")
        assert found == sorted((view.name, view.doc) for view in VIEWS if bool(view.sorted_by) == kept)


def test_tables_of_the_snapshot_hold_what_the_views_of_the_warehouse_say_in_their_order(
    where: Places, store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    """Published twice, as they are made anew each time."""
    call = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}
    answer = {"type": "function_call_output", "call_id": "call_1", "output": "seen"}
    page = {"type": "search", "query": "rain", "sources": [{"type": "url", "url": "https://example.com/rain"}]}
    search = {"type": "web_search_call", "status": "completed", "action": page}
    for text in ("first", "second"):
        register(conversation(store, text))
        register(store.create_conversation([said(text), call, answer, search]).id)
        pull()
    kept = [view for view in VIEWS if view.sorted_by]
    assert {view.name for view in kept} >= {"items", "tool_calls"}
    with duckdb.connect(where.warehouse, read_only=True) as con:
        for view in kept:
            expected = con.execute(f"from {view.full_name} order by {', '.join(view.sorted_by)}").fetchall()
            assert expected
            assert rows(f"from {view.full_name}") == expected


@pytest.mark.parametrize("tries", [1, len(publishing.MEMORY)])
def test_where_memory_is_short_more_is_taken_or_views_stay_views(
    tries: int, where: Places, register: Register, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("conv_1")
    assert published(where)
    failures = iter([duckdb.OutOfMemoryException()] * tries)
    as_table = View.as_table

    def fail(view: View) -> Iterator[str]:
        yield from as_table(view)
        if view.name == "tool_calls" and (failure := next(failures, None)):
            raise failure

    monkeypatch.setattr(View, "as_table", fail)
    register("conv_2")
    assert published(where)
    tables = rows("select count(*) from duckdb_tables() where schema_name = 'analytics'")
    assert tables == [(sum(bool(view.sorted_by) for view in VIEWS) if tries == 1 else 0,)]
    for view in VIEWS:
        rows(f"from {view.full_name}")


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_each_view_answers_without_any_item(view: View, where: Places, register: Register, rows: Rows) -> None:
    register("conv_1")
    published(where)
    rows(f"from analytics.{view.name}")


def test_a_warehouse_without_views_gets_them_without_its_tables_being_made_anew(
    where: Places, register: Register, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("conv_1")
    published(where)
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.con.execute("drop schema analytics cascade")
        built = "json_merge_patch(declarations, '{\"analytics\":null}')"
        warehouse.con.execute(f"update ops.warehouse set declarations = {built}")
    monkeypatch.setattr(schema, "rebuild", None)
    assert published(where)
    assert len(rows(THERE)) == len(DECLARED)
    assert not published(where)
    assert [json.loads(str(one)) for (one,) in rows("select declarations from ops.warehouse")] == [
        schema.fingerprints()
    ]


def test_a_view_that_is_no_longer_declared_goes_and_a_changed_one_is_made_anew(
    where: Places, register: Register, rows: Rows
) -> None:
    register("conv_1")
    published(where)
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.con.execute("create or replace view analytics.items as select 1 as old")
        warehouse.con.execute("create view analytics.of_old as select * from analytics.items")
        built = 'json_merge_patch(declarations, \'{"analytics":"older"}\')'
        warehouse.con.execute(f"update ops.warehouse set declarations = {built}")
    assert published(where)
    assert [name for (name,) in rows("select distinct table_name from (" + THERE + ") order by all")] == sorted(
        view.name for view in VIEWS
    )
    assert len(rows(THERE)) == len(DECLARED)


def test_views_are_made_anew_when_only_a_table_changed(
    where: Places, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view keeps the types of what it read when it was made, and refuses to answer when they have changed."""
    register("conv_1")
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.con.execute("create or replace view analytics.items as select 1 as old")
        built = 'json_merge_patch(declarations, \'{"message":"older"}\')'
        warehouse.con.execute(f"update ops.warehouse set declarations = {built}")
    with Warehouse.open(where.warehouse) as warehouse:
        assert len(warehouse.con.execute(THERE).fetchall()) == len(DECLARED)


def test_views_outlive_the_copy_that_forgetting_makes(where: Places, register: Register, rows: Rows) -> None:
    register("conv_1", "conv_2")
    published(where)
    forget(where, ["conv_1"])
    assert len(rows(THERE)) == len(DECLARED)
    for view in VIEWS:
        rows(f"from analytics.{view.name}")


def test_views_answer_where_the_snapshot_is_attached_under_another_name(where: Places, register: Register) -> None:
    register("conv_1")
    published(where)
    with duckdb.connect() as con:
        con.execute(f"attach '{where.serving}' as w (read_only)")
        for view in VIEWS:
            con.execute(f"from w.analytics.{view.name}").fetchall()
