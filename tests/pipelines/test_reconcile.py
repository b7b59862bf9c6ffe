"""Whole lists: what vanished, changed, came back or moved; what verifying says of it; and who is listed when."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from connectors.emulator import Faults, Store, running_emulator
from connectors.openai_conversations import ConversationsClient
from pipelines.ingest.asking import Limits
from pipelines.ingest.clock import utc_now
from pipelines.ingest.errors import SelectionError
from pipelines.ingest.places import Places
from pipelines.ingest.sync import SyncOptions, sync
from pipelines.ingest.verifying import NOT_SERVED, NOT_STORED, OTHER_CONTENT, OTHER_ORDER, Verification, VerifyOptions
from pipelines.ingest.verifying import verify as compare
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import SyncResult

Pull = Callable[..., SyncResult]
Register = Callable[..., int]
Rows = Callable[..., list[tuple[object, ...]]]
Verify = Callable[..., Verification]
POSITIONS = "select item_id, position from raw.items where deleted_at is null order by position"


@pytest.fixture
def verify(where: Places, api: str) -> Verify:
    """One verification of the registered conversations; takes its options."""

    def run(**options: object) -> Verification:
        return compare(where, ConversationsClient("any", base_url=api), VerifyOptions(**options))  # type: ignore[arg-type]  # forwarded by name

    return run


def message(item_id: str, text: str = "hello") -> dict[str, object]:
    content = [{"type": "input_text", "text": text}]
    return {"id": item_id, "type": "message", "role": "user", "status": "completed", "content": content}


@pytest.fixture
def one(store: Store, register: Register, pull: Pull) -> str:
    """A conversation of five messages, registered and pulled."""
    store.put_conversation("conv_1", 1_790_000_000, {})
    store.put_items("conv_1", [message(f"msg_{n}") for n in range(5)])
    register("conv_1")
    pull()
    return "conv_1"


def test_vanished_and_changed_items_are_found_and_all_agrees_again(
    one: str, store: Store, pull: Pull, rows: Rows, verify: Verify
) -> None:
    assert verify().agrees
    store.delete_item(one, "msg_1")
    store.replace_item(one, message("msg_3", "changed"))
    assert pull().report.items_changed == 0  # past the cursor there is nothing new, and a pull looks no further
    assert {(it.kind, it.items, it.example_item_id) for it in verify().differences} == {
        (NOT_SERVED, 1, "msg_1"),
        (OTHER_CONTENT, 1, "msg_3"),
    }
    report = pull(reconcile=True).report
    assert (report.items_new, report.items_changed, report.items_deleted) == (0, 1, 1)
    assert (report.scope, report.conversations_verified, report.reconcile_requests) == ("reconcile", 1, report.requests)
    assert verify().agrees
    assert rows("select item_id, deleted_at is not null from raw.items order by position") == [
        ("msg_0", False),
        ("msg_1", True),
        ("msg_2", False),
        ("msg_3", False),
        ("msg_4", False),
    ]
    assert rows("select item_id, text from items.message order by position") == [
        ("msg_0", "hello"),
        ("msg_2", "hello"),
        ("msg_3", "changed"),
        ("msg_4", "hello"),
    ]


def test_an_item_that_comes_back_is_no_longer_deleted_and_keeps_its_position(
    one: str, store: Store, pull: Pull, rows: Rows
) -> None:
    before = rows(POSITIONS)
    store.delete_item(one, "msg_4")
    pull(reconcile=True)
    assert rows("select count(*) from items.message") == [(4,)]
    store.put_items(one, [message("msg_4")])
    pull(reconcile=True)
    assert rows(POSITIONS) == before
    assert rows("select count(*) from items.message") == [(5,)]


def test_another_order_is_found_told_and_renumbered_for_that_conversation_only(
    one: str, store: Store, pull: Pull, rows: Rows, register: Register, verify: Verify
) -> None:
    store.put_conversation("conv_2", 1_790_000_000, {})
    store.put_items("conv_2", [message(f"msg_{n}") for n in range(3)])
    register("conv_2")
    pull()
    order = ["msg_2", "msg_0", "msg_1", "msg_4", "msg_3"]
    store.reorder_items(one, order)
    assert [(it.kind, it.conversation_id) for it in verify().differences] == [(OTHER_ORDER, one)]
    pull(reconcile=True)
    listed = "select item_id from items.message where conversation_id = ? order by position"
    assert [name for (name,) in rows(listed, one)] == order
    assert rows("select position from items.message where conversation_id = 'conv_2' order by 1") == [(0,), (1,), (2,)]
    assert rows("select kind, conversation_id, closed_at is not null from ops.problems") == [
        ("order_changed", one, True)
    ]
    assert verify().agrees


def test_a_deleted_conversation_is_a_fact_of_its_own(one: str, store: Store, pull: Pull, rows: Rows) -> None:
    store.delete_conversation(one)
    assert pull(reconcile=True).report.status == "partial"
    found = "select status, missing_since is not null, last_error is not null from raw.conversations"
    assert rows(found) == [("missing", True, True)]
    assert rows("select count(*), count(deleted_at) from raw.items") == [(5, 0)]
    assert rows("select count(*) from items.message") == [(5,)]
    since = rows("select missing_since from raw.conversations")
    pull(include_inactive=True)
    assert rows("select missing_since from raw.conversations") == since
    store.put_conversation(one, 1_790_000_000, {})
    store.put_items(one, [message(f"msg_{n}") for n in range(5)])
    pull(include_inactive=True)
    assert rows(found) == [("active", False, False)]
    assert rows("select count(*) from ops.problems where closed_at is null") == [(0,)]


def test_an_empty_list_means_that_every_item_is_gone(one: str, store: Store, pull: Pull, rows: Rows) -> None:
    for n in range(5):
        store.delete_item(one, f"msg_{n}")
    assert pull(reconcile=True).report.items_deleted == 5
    assert rows("select status, cursor_item_id from raw.conversations") == [("active", None)]


def test_what_another_include_asked_for_is_refreshed_and_not_called_different(
    one: str, pull: Pull, rows: Rows, verify: Verify
) -> None:
    found = verify(include=())
    assert (found.agrees, found.items_not_compared) == (True, 5)
    assert pull(reconcile=True, include=()).report.items_changed == 5
    assert rows("select distinct include_set from raw.items") == [("",)]
    assert verify(include=()).items_not_compared == 0


def test_verifying_changes_nothing_and_tells_what_is_newer(
    one: str, store: Store, where: Places, verify: Verify
) -> None:
    files = {path: path.read_bytes() for path in where.warehouse.parent.iterdir() if path.is_file()}
    store.put_items(one, [message("msg_5"), message("msg_6")])
    (difference,) = verify(chosen=(one,)).differences
    assert (difference.kind, difference.items, difference.example_item_id) == (NOT_STORED, 2, "msg_5")
    assert {path: path.read_bytes() for path in where.warehouse.parent.iterdir() if path.is_file()} == files
    with pytest.raises(SelectionError, match="conv_other"):
        verify(chosen=("conv_other",))


def test_a_conversation_that_cannot_be_listed_is_not_proven(one: str, store: Store, verify: Verify) -> None:
    store.delete_conversation(one)
    found = verify()
    assert not found.agrees
    assert "404" in found.failures[one]


def test_items_without_an_id_are_compared_in_their_order(where: Places, land: Callable[..., SyncResult]) -> None:
    items = (b'{"type":"message","role":"user","content":"a"}', b'{"type":"message","role":"user","content":"b"}')
    land(*items)

    def served(*data: bytes) -> Verification:
        body = b'{"object":"list","data":[%b],"has_more":false}' % b",".join(data)
        http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body)))
        client = ConversationsClient("any", base_url="http://localhost/v1", http_client=http)
        return compare(where, client, VerifyOptions())

    assert served(*items).agrees
    assert [(it.kind, it.items) for it in served(*items[::-1]).differences] == [(OTHER_CONTENT, 2)]
    assert [(it.kind, it.items) for it in served(items[0]).differences] == [(NOT_SERVED, 1)]
    assert [(it.kind, it.items) for it in served(*items, items[0]).differences] == [(NOT_STORED, 1)]


def aged(where: Places, days: int) -> None:
    """Everything that the warehouse knows of the past happened so many days earlier."""
    columns = ("last_polled_at", "last_grown_at", "next_poll_at", "last_verified_at")
    settings = ", ".join(f"{name} = {name} - interval {days} days" for name in columns)
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.con.execute(f"update raw.conversations set {settings}")


def test_scheduled_runs_list_whole_with_a_tenth_of_their_requests_those_that_wait_longest(
    where: Places, store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    """Each pull costs one request; listing a conversation whole costs two: so one of twenty, in turn."""
    names = [f"conv_{n:02}" for n in range(60)]
    for name in names:
        store.put_conversation(name, 1_790_000_000, {})
        store.put_items(name, [message(f"msg_{n}") for n in range(2)])
    register(*names)
    pull()
    assert pull(only_due=True).report.reconcile_requests == 0
    seen: list[object] = []
    for _ in range(3):
        aged(where, 2)
        began = utc_now()
        report = pull(only_due=True).report
        assert (report.conversations_asked, report.conversations_verified) == (63, 3)
        assert report.reconcile_requests == 6
        with Warehouse.open(where.warehouse) as warehouse:
            listed = warehouse.con.execute(
                "select conversation_id from raw.conversations where last_verified_at > ? order by 1", [began]
            ).fetchall()
        seen += [name for (name,) in listed]
    assert len(set(seen)) == 9


def test_a_list_too_long_for_the_requests_that_are_left_waits_and_holds_up_nobody(
    where: Places, store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    for name, count in (("conv_a", 450), ("conv_b", 2), *((f"conv_{n}", 1) for n in range(20))):
        store.put_conversation(name, 1_790_000_000, {})
        store.put_items(name, [message(f"{name}_{n}") for n in range(count)])
        register(name)
    pull()
    aged(where, 2)
    report = pull(only_due=True).report
    assert (report.conversations_verified, report.reconcile_requests) == (1, 2)
    with Warehouse.open(where.warehouse) as warehouse:
        fresh = "select conversation_id from raw.conversations where last_verified_at > ?"
        found = warehouse.con.execute(fresh, [utc_now() - timedelta(days=1)]).fetchall()
    assert found != [("conv_a",)]


def test_a_tail_too_long_is_settled_and_its_open_items_are_asked_for_singly(
    where: Places, store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    store.put_conversation("conv_1", 1_790_000_000, {})
    store.put_items("conv_1", [message("msg_first"), message("msg_open") | {"status": "in_progress"}])
    store.put_items("conv_1", [message(f"msg_{n}") for n in range(300)])
    register("conv_1")
    pull()
    assert rows("select cursor_item_id, previous_item_id, tail_position from raw.conversations") == [
        ("msg_299", "msg_298", None)
    ]
    quiet = pull().report
    assert (quiet.requests, quiet.items_changed) == (2, 0)  # the check of the cursor, and the open item
    store.replace_item("conv_1", message("msg_open", "done"))
    report = pull().report
    assert (report.requests, report.items_new, report.items_changed) == (2, 0, 1)
    assert rows("select text, status, position from items.message where item_id = 'msg_open'") == [
        ("done", "completed", 1)
    ]
    assert pull().report.requests == 1


def test_an_open_item_that_moved_to_the_end_is_stored_once(
    where: Places, store: Store, register: Register, pull: Pull, rows: Rows, verify: Verify
) -> None:
    """It was to be asked for singly, and is on the page of new items as well."""
    store.put_conversation("conv_1", 1_790_000_000, {})
    opened = [message(f"msg_{n}") | {"status": "in_progress"} for n in range(3)]
    store.put_items("conv_1", [*opened, *(message(f"msg_{n}") for n in range(3, 230))])
    register("conv_1")
    pull()
    store.delete_item("conv_1", "msg_1")
    store.put_items("conv_1", [message("msg_1", "again")])
    pull()
    assert rows("select count(*), count(distinct item_id) from raw.items") == [(230, 230)]
    assert rows("select text, position from items.message where item_id = 'msg_1'") == [("again", 230)]
    pull(reconcile=True)
    assert verify().agrees


def test_a_server_without_single_items_holds_up_nothing(where: Places, register: Register, rows: Rows) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "/items/" in request.url.path:
            return httpx.Response(404, text="no such page")
        if request.url.path.endswith("/items"):
            data = [message(f"msg_{n}") | {"status": "in_progress"} for n in range(210)]
            after = request.url.params.get("after")
            data = data[[one["id"] for one in data].index(after) + 1 :] if after else data
            return httpx.Response(200, json={"object": "list", "data": data, "has_more": False})
        return httpx.Response(200, json={"id": "conv_1", "created_at": 1_790_000_000, "metadata": {}})

    register("conv_1")
    for _ in range(2):
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        client = ConversationsClient("any", base_url="http://localhost/v1", http_client=http)
        assert sync(where, client).report.status == "done"


def test_problems_of_what_is_let_go_are_over(register: Register, pull: Pull, where: Places, rows: Rows) -> None:
    register("conv_1")
    pull()
    assert rows("select count(*) from ops.problems where closed_at is null") == [(1,)]
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.unregister(["conv_1"])
        assert one_number(warehouse, "select count(*) from ops.problems where closed_at is null") == 0


def one_number(warehouse: Warehouse, query: str) -> object:
    return warehouse.con.execute(query).fetchall()[0][0]


def test_missing_conversations_that_are_due_do_not_look_like_another_project(
    one: str, store: Store, register: Register, pull: Pull, where: Places
) -> None:
    store.put_conversation("conv_2", 1_790_000_000, {})
    store.put_items("conv_2", [message("msg_1")])
    register("conv_2")
    pull()
    for name in (one, "conv_2"):
        store.delete_conversation(name)
        pull(chosen=(name,))
    aged(where, 8)
    assert pull(only_due=True).report.status == "partial"
    assert pull(only_due=True).report.conversations_asked == 0


def test_a_server_that_stalls_holds_up_conversations_and_runs_no_longer_than_allowed(
    where: Places, store: Store, register: Register, rows: Rows, pull: Pull
) -> None:
    names = [f"conv_{n}" for n in range(3)]
    for name in names:
        store.put_conversation(name, 1_790_000_000, {})
        store.put_items(name, [message("msg_1")])
    register(*names)
    with running_emulator(store, faults=Faults("stall", in_a_row=0)) as stalling:

        def ask(limits: Limits) -> SyncResult:
            return sync(where, ConversationsClient("any", base_url=stalling), SyncOptions(limits=limits))

        result = ask(Limits(conversation_deadline=0.05))
        assert result.report.status == "partial"
        assert {problem.kind for problem in result.failures} == {"DeadlineError"}
        assert "conversation-deadline" in result.failures[0].message
        late = ask(Limits(run_deadline=0.05))
    assert late.report.status == "stopped"
    assert "0 of 3 conversations" in str(late.report.error)
    assert pull().report.status == "done"
    assert rows("select count(*), count(*) filter (closed_at is null) from ops.problems") == [(3, 0)]


def test_an_interrupted_relist_begins_again_and_stores_nothing_twice(
    where: Places, store: Store, register: Register, rows: Rows, pull: Pull, verify: Verify
) -> None:
    """The server fails in the middle of a whole list that has new items in the middle and at the end."""
    store.put_conversation("conv_1", 1_790_000_000, {})
    store.put_items("conv_1", [message(f"msg_{n}") for n in range(120)])
    register("conv_1")
    pull()
    store.put_items("conv_1", [message(f"msg_{n}") for n in range(120, 350)])
    with running_emulator(store, faults=Faults("unauthorized_from=4")) as failing:
        stopped = sync(where, ConversationsClient("any", base_url=failing), SyncOptions(reconcile=True))
    assert (stopped.report.status, stopped.report.items_new) == ("stopped", 180)
    assert pull().report.status == "done"
    assert verify().agrees
    assert rows("select count(*), count(distinct item_id), max(position) from raw.items") == [(350, 350, 349)]
