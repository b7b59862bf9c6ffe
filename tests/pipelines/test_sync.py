"""The flow over real HTTP: from conversation IDs to rows in the snapshot, and what happens to trouble."""

from collections.abc import Callable

import duckdb
import httpx
import pytest
import stamina

from connectors.emulator import Store, running_emulator
from connectors.emulator.samples import sample_store
from connectors.openai_conversations import ConversationsClient
from models.items import ITEM_TYPES
from pipelines.ingest.asking import Limits
from pipelines.ingest.errors import SelectionError, WarehouseError
from pipelines.ingest.places import Places
from pipelines.ingest.publishing import publish
from pipelines.ingest.registry import candidates
from pipelines.ingest.sync import SyncOptions, sync
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import SyncResult

Pull = Callable[..., SyncResult]
Register = Callable[..., int]
Rows = Callable[..., list[tuple[object, ...]]]


def said(text: str, **more: object) -> dict[str, object]:
    """A user's message, as a client creates it."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **more}


def conversation(store: Store, *texts: str) -> str:
    """A conversation with these messages; its ID."""
    created = store.create_conversation([said(text) for text in texts[:20]])
    for first in range(20, len(texts), 20):
        store.create_items(created.id, [said(text) for text in texts[first : first + 20]])
    return created.id


def test_a_conversation_arrives_whole_and_in_order(store: Store, register: Register, pull: Pull, rows: Rows) -> None:
    texts = [f"message {n}" for n in range(250)]
    register(one := conversation(store, *texts))
    result = pull()
    assert (result.report.status, result.report.items_new) == ("done", 250)
    assert result.report.requests == 4  # three pages, and the conversation itself
    assert rows("select position, text from items.message order by position") == list(enumerate(texts))
    assert rows("select status, created_at is not null, next_position from raw.conversations") == [
        ("active", True, 250)
    ]
    assert rows("select distinct conversation_id from raw.items") == [(one,)]


def test_raw_is_the_text_as_the_server_sent_it(store: Store, register: Register, pull: Pull, rows: Rows) -> None:
    register(one := conversation(store, "schön ☂ \\ud83d"))
    pull()
    served = store.list_items(one, limit=1, order="asc", after=None)
    assert rows("select raw from raw.items") == [(store.render(served.items[0]).decode(),)]


def test_a_second_run_asks_once_per_conversation_and_changes_nothing(
    store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    register(*(conversation(store, "a", "b") for _ in range(5)))
    pull()
    before = rows("select * from raw.items order by all")
    result = pull()
    assert (result.report.requests, result.report.items_new, result.is_published) == (5, 0, False)
    assert rows("select * from raw.items order by all") == before


def test_only_what_is_new_is_pulled(store: Store, register: Register, pull: Pull, rows: Rows) -> None:
    one, other = conversation(store, "a", "b"), conversation(store, "c")
    register(one, other)
    pull()
    store.create_items(one, [said("d"), said("e")])
    result = pull()
    assert (result.report.items_new, result.report.conversations_grown, result.rows_by_type) == (2, 1, {"message": 2})
    assert rows("select text from items.message where conversation_id = ? order by position", one) == [
        ("a",),
        ("b",),
        ("d",),
        ("e",),
    ]


@pytest.mark.parametrize("gone", [0, 1, 2], ids=["first", "before the cursor", "the cursor item"])
def test_a_deleted_item_leaves_the_tables_and_stays_in_raw(
    gone: int, store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    """An item before the cursor's predecessor is found by a re-list only; the others by the checked cursor."""
    one = conversation(store, "a", "b", "c")
    register(one)
    pull()
    listed = store.list_items(one, limit=10, order="asc", after=None).items
    store.delete_item(one, listed[gone].id)
    store.create_items(one, [said("d")])
    result = pull()
    texts = [text for (text,) in rows("select text from items.message order by position")]
    kept = [text for n, text in enumerate("abc") if n != gone]
    expected = ["a", "b", "c", "d"] if gone == 0 else [*kept, "d"]
    assert (texts, result.report.items_deleted) == (expected, 0 if gone == 0 else 1)
    assert rows("select count(*), count(deleted_at) from raw.items") == [(4, 0 if gone == 0 else 1)]


def test_an_open_tail_is_pulled_again_until_it_is_settled(
    store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    one = store.create_conversation([said("a")]).id
    call = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "", "status": "in_progress"}
    store.put_items(one, [call | {"id": "fc_open"}, said("b", id="msg_b", status="completed")])
    register(one)
    pull()
    assert rows("select tail_position, next_position from raw.conversations") == [(1, 3)]
    store.delete_item(one, "fc_open")
    store.delete_item(one, "msg_b")
    done = call | {"id": "fc_open", "status": "completed", "arguments": "{}"}
    store.put_items(one, [done, said("c", id="msg_c", status="completed")])
    result = pull()
    assert (result.report.items_new, result.report.items_changed, result.report.items_deleted) == (1, 1, 1)
    assert rows("select status, arguments, position from items.function_call") == [("completed", "{}", 1)]
    assert rows("select text, position from items.message order by position") == [("a", 0), ("c", 3)]
    assert rows("select tail_position, cursor_item_id from raw.conversations") == [(None, "msg_c")]


def test_a_tail_that_did_not_change_is_not_written_again(
    store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    one = store.create_conversation().id
    store.put_items(one, [said("a", id="msg_a", status="in_progress")])
    register(one)
    pull()
    result = pull()
    assert (result.report.items_new, result.report.items_changed, result.is_published) == (0, 0, False)
    assert rows("select text from items.message") == [("a",)]


def test_an_unknown_conversation_is_marked_and_the_others_go_on(
    store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    register(one := conversation(store, "a"), "conv_unknown")
    result = pull()
    assert result.report.status == "partial"
    assert [problem.conversation_id for problem in result.failures] == ["conv_unknown"]
    assert rows("select conversation_id, status from raw.conversations order by status") == [
        (one, "active"),
        ("conv_unknown", "missing"),
    ]
    assert rows("select kind, closed_at from ops.problems") == [("NotFoundError", None)]
    assert pull().report.conversations_asked == 1
    assert pull(include_inactive=True).report.conversations_asked == 2


def test_a_problem_is_closed_by_a_later_success(store: Store, register: Register, pull: Pull, rows: Rows) -> None:
    register("conv_late")
    pull()
    store.put_conversation("conv_late", 1_790_000_000, {"topic": "late"})
    pull(chosen=("conv_late",))
    assert rows("select closed_at is not null, occurrences from ops.problems") == [(True, 1)]
    assert rows("select status, last_error, metadata from raw.conversations") == [("active", None, '{"topic":"late"}')]


def test_chosen_conversations_must_be_registered(pull: Pull) -> None:
    with pytest.raises(SelectionError, match="conv_other"):
        pull(chosen=("conv_other",))


def test_only_due_conversations_are_asked_when_that_is_wanted(store: Store, register: Register, pull: Pull) -> None:
    register(conversation(store, "a"))
    assert pull(only_due=True).report.conversations_asked == 1
    assert pull(only_due=True).report.conversations_asked == 0


def test_all_sample_conversations_arrive(where: Places, rows: Rows) -> None:
    """Every item of the sample data, all 29 types, once; the typed ones in their tables."""
    samples = sample_store()
    with running_emulator(samples) as base_url, Warehouse.open(where.warehouse) as warehouse:
        warehouse.register(candidates("test", samples.conversation_ids()))
        warehouse.close()
        result = sync(where, ConversationsClient("any", base_url=base_url))
    assert (result.report.status, result.report.items_new) == ("done", samples.count_items())
    assert rows("select count(*), count(distinct (conversation_id, item_id)) from raw.items") == [
        (samples.count_items(), samples.count_items())
    ]
    for name in ITEM_TYPES:
        assert rows(f"select count(*) from items.{name}") == rows("select count(*) from raw.items where type = ?", name)
    assert rows("select count(distinct type) from raw.items") == [(29,)]
    tables = [part.table.full_name for item_type in ITEM_TYPES.values() for part in item_type.tables]
    synced = {table: rows(f"select * from {table} order by all") for table in tables}
    with Warehouse.open(where.warehouse) as warehouse:
        assert warehouse.rebuild() == samples.count_items()
        publish(warehouse, where.serving)
    assert {table: rows(f"select * from {table} order by all") for table in tables} == synced


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error":"zebra"}', b'{"data":[{"id":"zebra"'])
def test_a_page_that_is_none_fails_that_conversation_with_the_reason(
    body: bytes, where: Places, register: Register, rows: Rows
) -> None:
    """It is asked for three times, like any failed request; the others go on, and nothing of the body is quoted."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if "conv_bad" in request.url.path:
            return httpx.Response(200, content=body)
        if request.url.path.endswith("/items"):
            return httpx.Response(200, json={"object": "list", "data": [said("a", id="msg_a")], "has_more": False})
        return httpx.Response(200, json={"id": "conv_good", "created_at": 1_790_000_000, "metadata": {}})

    register("conv_bad", "conv_good")
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    with stamina.set_testing(True, attempts=3):
        result = sync(where, ConversationsClient("any", base_url="http://localhost/v1", http_client=http))
    assert result.report.status == "partial"
    assert asked.count("/v1/conversations/conv_bad/items") == 3
    assert rows("select conversation_id, status from raw.conversations order by 1") == [
        ("conv_bad", "failing"),
        ("conv_good", "active"),
    ]
    ((message,),) = rows("select message from ops.problems")
    assert "conv_bad" in str(message)
    assert "zebra" not in str(message)


def answering(where: Places, answer: Callable[[str], httpx.Response], **options: object) -> SyncResult:
    """A sync against a server that is a function of the path."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: answer(request.url.path)))
    client = ConversationsClient("any", base_url="http://localhost/v1", http_client=http)
    with stamina.set_testing(True, attempts=3):
        return sync(where, client, SyncOptions(**options))  # type: ignore[arg-type]  # forwarded by name


def one_message(path: str, details: bytes = b'{"id":"conv_1","created_at":1790000000,"metadata":{}}') -> httpx.Response:
    if path.endswith("/items"):
        return httpx.Response(200, json={"object": "list", "data": [said("a", id="msg_a")], "has_more": False})
    return httpx.Response(200, content=details)


@pytest.mark.parametrize(
    ("created_at", "metadata", "kept"),
    [
        ("1761318654000", "{}", (False, "{}")),
        ("-1e30", "{}", (False, "{}")),
        ('"soon"', "null", (False, None)),
        ("1790000000", '{"a":"\\ud83d"}', (True, '{"a":"\ufffd"}')),
    ],
)
def test_odd_details_of_a_conversation_harm_nobody(
    created_at: str, metadata: str, kept: tuple[bool, str | None], where: Places, register: Register, rows: Rows
) -> None:
    register("conv_1")
    details = f'{{"id":"conv_1","created_at":{created_at},"metadata":{metadata}}}'.encode()
    assert answering(where, lambda path: one_message(path, details)).report.status == "done"
    assert rows("select created_at is not null, metadata from raw.conversations") == [kept]
    assert rows("select text from items.message") == [("a",)]


def test_where_all_that_were_pulled_before_are_unknown_another_project_is_asked(
    where: Places, register: Register, rows: Rows
) -> None:
    register("conv_1", "conv_2", "conv_3")
    answering(where, one_message)
    error = {"error": {"message": "Conversation not found.", "type": "invalid_request_error"}}
    result = answering(where, lambda _: httpx.Response(404, json=error))
    assert result.report.error is not None
    assert "OPENAI_PROJECT_ID" in result.report.error
    assert rows("select distinct status from raw.conversations") == [("active",)]
    some = answering(where, lambda path: one_message(path) if "conv_3" in path else httpx.Response(404, json=error))
    assert (some.report.status, some.report.conversations_failed) == ("partial", 2)
    assert rows("select status, count(*) from raw.conversations group by all order by 1") == [
        ("active", 1),
        ("missing", 2),
    ]


def test_a_network_that_dies_in_the_middle_stops_the_run_and_keeps_what_arrived(
    where: Places, register: Register, rows: Rows
) -> None:
    register(*(f"conv_{n:03}" for n in range(100)))
    asked: list[str] = []

    def answer(path: str) -> httpx.Response:
        asked.append(path)
        if len(asked) > 10:
            raise httpx.ConnectError("down")
        return one_message(path)

    result = answering(where, answer, limits=Limits(concurrency=1))
    assert result.report.status == "stopped"
    assert rows("select count(*) from items.message") == [(5,)]
    assert len(asked) < 50


def test_the_snapshot_knows_of_a_first_visit_that_brought_nothing(
    store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    register(store.create_conversation().id)
    assert pull().is_published
    assert rows("select created_at is not null, last_polled_at is not null from raw.conversations") == [(True, True)]
    assert not pull().is_published


def test_no_network_stops_the_run_with_one_sentence(where: Places, register: Register) -> None:
    register("conv_1", "conv_2")
    client = ConversationsClient("any", base_url="http://127.0.0.1:9/v1", max_retries=0)
    report = sync(where, client).report
    assert report.status == "stopped"
    assert report.error is not None
    assert "127.0.0.1:9" in report.error
    assert "OPENAI_BASE_URL" in report.error


def test_a_wrong_key_stops_the_run_and_is_not_shown(where: Places, store: Store, register: Register) -> None:
    register(conversation(store, "a"))
    with running_emulator(store, api_key="right") as base_url:
        report = sync(where, ConversationsClient("sk-wrong-marker", base_url=base_url)).report
    assert report.status == "stopped"
    assert report.requests == 1
    assert report.error is not None
    assert "OPENAI_API_KEY" in report.error
    assert "marker" not in report.error


def test_a_file_of_somebody_else_is_left_alone(where: Places) -> None:
    with duckdb.connect(where.warehouse) as con:
        con.execute("create table theirs (a int)")
    with pytest.raises(WarehouseError, match="no warehouse of ours"):
        Warehouse.open(where.warehouse)


def test_a_warehouse_of_a_newer_version_is_left_alone(where: Places, register: Register) -> None:
    register("conv_1")
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.con.execute("update ops.warehouse set schema_version = 1000")
    with pytest.raises(WarehouseError, match="newer"):
        Warehouse.open(where.warehouse)


def test_however_little_room_there_is_everything_arrives(
    store: Store, register: Register, pull: Pull, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages wait for room to be written; a page larger than all the room there is goes in alone."""
    for limit in ("BATCH_BYTES", "COMMIT_BYTES", "WAITING_BYTES"):
        monkeypatch.setattr(f"pipelines.ingest.writing.{limit}", 1)
    register(*(conversation(store, *(f"message {n}" for n in range(130))) for _ in range(4)))
    assert pull().report.status == "done"
    assert rows("select count(*) from items.message") == [(520,)]
