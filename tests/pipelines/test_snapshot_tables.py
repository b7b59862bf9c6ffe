"""The snapshot's tables: those of the views, whatever happened between two snapshots, and made anew only in part."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from connectors.emulator import Store, running_emulator
from connectors.emulator.samples import sample_store
from connectors.openai_conversations import ConversationsClient
from models.analytics import VIEWS
from pipelines.ingest import snapshot_tables
from pipelines.ingest.forgetting import forget
from pipelines.ingest.places import Places
from pipelines.ingest.registry import candidates
from pipelines.ingest.snapshot_tables import KEPT, read_by
from pipelines.ingest.sync import SyncOptions, sync
from pipelines.ingest.warehouse import Warehouse

ITEMS = (
    {"type": "message", "role": "user", "content": "and now?"},
    {"type": "function_call", "call_id": "call_new", "name": "look", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_new", "output": "seen"},
    {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "rain", "sources": []}},
)
MARK = "taken over"


def items(store: Store, conversation_id: str) -> list[str]:
    return [item.id for item in store.list_items(conversation_id, order="asc", limit=1_000_000).items]


def differing(where: Places) -> list[str]:
    """The tables of the snapshot that are not what the views of the warehouse say, in their order."""
    with (
        duckdb.connect(where.warehouse, read_only=True) as warehouse,
        duckdb.connect(where.serving, read_only=True) as snapshot,
    ):
        return [
            view.name
            for view in KEPT
            if warehouse.execute(f"from {view.full_name} order by {', '.join(view.sorted_by)}").fetchall()
            != snapshot.execute(f"from {view.full_name}").fetchall()
        ]


def test_whatever_happened_they_are_what_the_views_say(where: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made in several parts each time."""
    monkeypatch.setattr(snapshot_tables, "ITEMS_AT_A_TIME", 300)
    store = sample_store()
    ids = store.conversation_ids()[:20]
    with running_emulator(store) as base_url:

        def pull(**options: object) -> None:
            client = ConversationsClient("any", base_url=base_url)
            sync(where, client, SyncOptions(**options))  # type: ignore[arg-type]  # forwarded by name

        def register(*ids: str) -> None:
            with Warehouse.open(where.warehouse) as warehouse:
                warehouse.register(candidates("test", ids))

        register(*ids[:-1])
        pull()
        assert differing(where) == []

        register(ids[-1])
        for one in ids[:3]:
            store.create_items(one, ITEMS)
        pull()
        assert differing(where) == []

        first, second, *_ = items(store, ids[5])
        store.delete_item(ids[5], first)
        store.replace_item(ids[5], {**ITEMS[0], "id": second})
        store.reorder_items(ids[6], items(store, ids[6])[::-1])
        pull(chosen=tuple(ids[5:8]), reconcile=True)
        assert differing(where) == []

        forget(where, ids[10:12])
        store.delete_conversation(ids[12])
        pull()
        assert differing(where) == []


def drop_a_table(where: Places) -> None:
    change(where.serving, "drop table analytics.tool_calls cascade")


def declare_otherwise(where: Places) -> None:
    change(where.serving, "update ops.warehouse set declarations = '{}'")


def damage(where: Places) -> None:
    where.serving.write_bytes(b"no database")


def rebuild(where: Places) -> None:
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.rebuild(["message"])


def change_all(where: Places) -> None:
    change(where.serving, "update raw.items set run_id = 'other'")


def nothing(where: Places) -> None:
    pass


def change(file: Path, statement: str) -> None:
    with duckdb.connect(file) as con:
        con.execute(statement)


@pytest.mark.parametrize(
    ("happened", "is_taken_over"),
    [
        (nothing, True),
        (rebuild, False),
        (change_all, False),
        (declare_otherwise, False),
        (drop_a_table, False),
        (damage, False),
    ],
)
def test_rows_of_what_did_not_change_are_taken_over_where_that_is_safe(
    happened: Callable[[Places], None],
    is_taken_over: bool,
    where: Places,
    store: Store,
    register: Callable[..., int],
    pull: Callable[..., object],
) -> None:
    ids = [store.create_conversation(ITEMS).id for _ in range(4)]
    register(*ids)
    pull()
    change(where.serving, f"update analytics.messages set text = '{MARK}'")
    happened(where)
    store.create_items(ids[0], ITEMS)
    pull()
    with duckdb.connect(where.serving, read_only=True) as con:
        texts = con.execute("select conversation_id, text from analytics.messages order by all").fetchall()
    expected = [(one, MARK if is_taken_over and one != ids[0] else ITEMS[0]["content"]) for one in (ids[0], *ids)]
    assert texts == sorted(expected)


def test_their_rows_are_made_of_what_is_compared() -> None:
    """Items, and nothing that tells of runs or of the registry; and they are found by their conversation."""
    for view in read_by(KEPT):
        assert view.reads_of("raw") <= {"items"}
        assert not view.reads_of("ops")
    assert {view.sorted_by[0] for view in KEPT} == {"conversation_id"}


def test_what_a_view_reads_is_found_at_any_distance() -> None:
    (effort,) = (view for view in VIEWS if view.name == "reasoning_effort")
    assert {"stretches", "turns", "reasoning_effort"} <= {view.name for view in read_by([effort])}
