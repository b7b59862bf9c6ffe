"""What a client sees of each fault, over real connections, and what our own client makes of it."""

import asyncio
import inspect
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

import httpx
import pytest
import stamina
from click.testing import CliRunner

from connectors.emulator import Faults, Store, running_emulator
from connectors.emulator.faults import FAULTS
from connectors.emulator.includes import Item
from connectors.openai_conversations import (
    AuthenticationError,
    ConfigurationError,
    ConversationsClient,
    ConversationsError,
    ForbiddenError,
    MalformedResponseError,
    NotFoundError,
    QuotaError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    TransportError,
    Walk,
    WalkError,
)
from pipelines.cli import main

KEY = "sk-test-0123456789abcdef"
IDS = [f"msg_{number}" for number in range(7)]
ITEMS = "/conversations/conv_1/items"
Reply = httpx.Response


def message(item_id: str, **more: object) -> Item:
    """An item of a conversation."""
    return {"id": item_id, "type": "message", "status": "completed", "content": [], "role": "user", **more}


@pytest.fixture
def store() -> Store:
    """A conversation of seven items, and another of one."""
    store = Store(seed=1)
    for conversation_id, ids in (("conv_1", IDS), ("conv_2", ["msg_other"])):
        store.put_conversation(conversation_id, 1_790_000_000, {})
        store.put_items(conversation_id, [message(item_id) for item_id in ids])
    return store


@contextmanager
def asking(store: Store, faults: Faults | None) -> Iterator[httpx.Client]:
    """A client of a server with these faults."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with (
        running_emulator(store, faults=faults) as base_url,
        httpx.Client(base_url=base_url, headers=headers) as client,
    ):
        yield client


def ids_of(reply: Reply) -> list[str]:
    """The IDs of a page's items."""
    return [item["id"] for item in reply.json()["data"]]


def page(client: httpx.Client, after: str | None = None, **query: str | int) -> Reply:
    """A page of three of the first conversation's items, unless asked otherwise."""
    going_on = {} if after is None else {"after": after}
    return client.get(ITEMS, params={"order": "asc", "limit": 3, **going_on, **query})


# Each fault, as a client sees it


@pytest.mark.parametrize(
    ("fault", "status", "error_type", "code", "header"),
    [
        ("rate_limit", 429, "requests", "rate_limit_exceeded", None),
        ("rate_limit=0.01", 429, "requests", "rate_limit_exceeded", ("retry-after", "0.01")),
        ("rate_limit_ms", 429, "requests", "rate_limit_exceeded", ("retry-after-ms", "5")),
        ("rate_limit_ms=20", 429, "requests", "rate_limit_exceeded", ("retry-after-ms", "20")),
        ("insufficient_quota", 429, "insufficient_quota", "insufficient_quota", None),
        ("server_error", 500, "server_error", None, None),
        ("service_unavailable", 503, "server_error", None, None),
        ("service_unavailable=130", 503, "server_error", None, ("retry-after", "130")),
        ("unauthorized_from=1", 401, "invalid_request_error", "invalid_api_key", None),
        ("failing=conv_1", 500, "server_error", None, None),
        ("forbidden=conv_1", 403, "invalid_request_error", None, None),
    ],
)
def test_a_refusal_has_its_status_words_and_headers(
    store: Store, fault: str, status: int, error_type: str, code: str | None, header: tuple[str, str] | None
) -> None:
    with asking(store, Faults(fault)) as client:
        reply = page(client)
    error = reply.json()["error"]
    assert (reply.status_code, error["type"], error["code"], error["param"]) == (status, error_type, code, None)
    assert [(name, value) for name, value in reply.headers.items() if name.startswith("retry-after")] == (
        [header] if header else []
    )
    assert reply.headers["x-request-id"]


def test_a_rate_limit_may_name_a_date(store: Store) -> None:
    with asking(store, Faults("rate_limit_date=60")) as client:
        reply = page(client)
    assert reply.status_code == 429
    assert 55 < parsedate_to_datetime(reply.headers["retry-after"]).timestamp() - time.time() <= 60


def test_a_bad_gateway_speaks_html(store: Store) -> None:
    with asking(store, Faults("bad_gateway")) as client:
        reply = page(client)
    assert (reply.status_code, reply.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert reply.text.startswith("<html>")


def test_a_reset_is_one_on_the_socket_and_the_next_request_gets_through(store: Store) -> None:
    with asking(store, Faults("connection_reset", in_a_row=1)) as client:
        with pytest.raises(httpx.ReadError, match="reset by peer"):
            page(client)
        assert ids_of(page(client)) == IDS[:3]


def test_a_cut_body_ends_before_its_length(store: Store) -> None:
    with asking(store, Faults("cut_body", in_a_row=1)) as client:
        with pytest.raises(httpx.RemoteProtocolError, match=r"received [1-9]\d* bytes, expected"):
            page(client)
        assert ids_of(page(client)) == IDS[:3]


def test_a_slow_body_comes_whole_and_in_pieces(store: Store) -> None:
    with (
        asking(store, Faults("slow_body=0.004")) as client,
        client.stream("GET", ITEMS, params={"limit": 3, "order": "asc"}) as reply,
    ):
        started = time.perf_counter()
        pieces = list(reply.iter_raw())
    assert time.perf_counter() - started > 0.03
    assert len(pieces) > 1
    assert [item["id"] for item in json.loads(b"".join(pieces))["data"]] == IDS[:3]
    assert int(reply.headers["content-length"]) == sum(map(len, pieces))


def test_a_stall_outlasts_the_clients_patience(store: Store) -> None:
    with asking(store, Faults("stall", in_a_row=1)) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get(ITEMS, timeout=0.05)
        assert client.get(ITEMS).status_code == 200


@pytest.mark.parametrize("fault", ["stall", "slow_body=60"])
def test_whoever_waits_does_not_keep_the_server_from_stopping(
    store: Store, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The waiting client learns at once that the server is gone, and nothing is logged about it."""
    faults = Faults(fault)
    failures: list[Exception] = []

    def wait_for(url: str) -> None:
        try:
            httpx.get(url, headers={"Authorization": f"Bearer {KEY}"}, timeout=5)
        except httpx.TransportError as error:
            failures.append(error)

    with running_emulator(store, faults=faults) as base_url:
        waiting = threading.Thread(target=wait_for, args=(base_url + ITEMS,))
        waiting.start()
        while waiting.is_alive() and not faults.hits:
            time.sleep(0.001)
        started = time.perf_counter()
    waiting.join()
    assert time.perf_counter() - started < 0.9
    assert [isinstance(error, httpx.TimeoutException) for error in failures] == [False]
    assert caplog.records == []


@pytest.mark.parametrize("fault", ["truncated_json", "invalid_json"])
def test_a_whole_response_may_be_no_json(store: Store, fault: str) -> None:
    with asking(store, Faults(fault)) as client:
        reply = page(client)
    assert (reply.status_code, int(reply.headers["content-length"])) == (200, len(reply.content))
    assert reply.content.startswith(b'{"object":"list","data":[')
    with pytest.raises(json.JSONDecodeError):
        reply.json()


@pytest.mark.parametrize(
    ("fault", "look"),
    [
        ("error_in_200", lambda body: list(body) == ["error"] and body["error"]["type"] == "server_error"),
        ("bare_list", lambda body: [item["id"] for item in body] == IDS[:3]),
        ("missing_data", lambda body: list(body) == ["object", "first_id", "has_more", "last_id"]),
    ],
)
def test_an_envelope_may_be_wrong(store: Store, fault: str, look: Callable[[object], bool]) -> None:
    with asking(store, Faults(fault)) as client:
        reply = page(client)
    assert reply.status_code == 200
    assert look(reply.json())


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_repeated_page_is_the_one_just_served(store: Store, order: str) -> None:
    with asking(store, Faults("repeated_page", in_a_row=1)) as client:
        first = page(client, order=order)
        assert page(client, first.json()["last_id"], order=order).json() == first.json()
        second = page(client, first.json()["last_id"], order=order)
        assert page(client, second.json()["last_id"], order=order).json() == second.json()
        assert ids_of(page(client, second.json()["last_id"], order=order)) == [IDS[6] if order == "asc" else IDS[0]]


def test_a_stuck_last_id_is_the_one_asked_for(store: Store) -> None:
    with asking(store, Faults("stuck_last_id")) as client:
        assert page(client).json()["last_id"] == IDS[2]
        second = page(client, IDS[2])
    assert (ids_of(second), second.json()["last_id"]) == (IDS[3:6], IDS[2])


@pytest.mark.parametrize(("fault", "word"), [("has_more_always", True), ("has_more_never", False)])
def test_has_more_may_lie_on_every_page(store: Store, fault: str, word: bool) -> None:
    with asking(store, Faults(fault, rate=0)) as client:
        replies = [page(client), page(client, IDS[5]), page(client, IDS[6])]
    assert [ids_of(reply) for reply in replies] == [IDS[:3], IDS[6:], []]
    assert [reply.json()["has_more"] for reply in replies] == [word] * 3


@pytest.mark.parametrize(
    ("fault", "status", "ids"),
    [
        ((), 400, None),
        (("unknown_after=404",), 404, None),
        (("unknown_after=first_page",), 200, IDS[:3]),
        (("unknown_after=empty_page",), 200, []),
    ],
)
def test_an_unknown_after_is_answered_as_set(
    store: Store, fault: tuple[str, ...], status: int, ids: list[str] | None
) -> None:
    """A known one goes on as ever, and any other mistake is refused as ever."""
    with asking(store, Faults(*fault)) as client:
        reply = page(client, "msg_unknown")
        assert reply.status_code == status
        assert ids is None or (ids_of(reply), reply.json()["has_more"]) == (ids, bool(ids))
        assert ids_of(page(client, IDS[2])) == IDS[3:6]
        assert page(client, "msg_unknown", limit=0).json()["error"]["param"] == "limit"
        assert client.get(f"{ITEMS}?after=a&after=b").status_code == 400


def test_one_include_value_may_be_unknown(store: Store) -> None:
    with asking(store, Faults("unknown_include=message.output_text.logprobs")) as client:
        known, unknown = "include[]=reasoning.encrypted_content", "include[]=message.output_text.logprobs"
        refused = client.get(f"{ITEMS}?{known}&{unknown}")
        assert client.get(f"{ITEMS}?{known}").status_code == 200
    error = refused.json()["error"]
    assert (refused.status_code, error["param"], error["code"]) == (400, "include[1]", "invalid_value")
    assert error["message"].count("message.output_text.logprobs") == 1


def test_a_key_may_be_refused_in_the_middle(store: Store) -> None:
    with asking(store, Faults("unauthorized_from=3")) as client:
        assert [page(client).status_code for _ in range(4)] == [200, 200, 401, 401]
        refused = page(client)
    assert refused.headers["www-authenticate"] == 'Bearer realm="OpenAI API"'
    assert KEY not in refused.text


@pytest.mark.parametrize(("fault", "status"), [("failing", 500), ("forbidden", 403)])
def test_one_conversation_may_fail_for_ever_and_the_other_never(store: Store, fault: str, status: int) -> None:
    with asking(store, Faults(f"{fault}=conv_1", f"{fault}=conv_3")) as client:
        assert {page(client).status_code for _ in range(5)} == {status}
        assert client.get("/conversations/conv_1").status_code == status
        assert client.get("/conversations/conv_2/items").status_code == 200
        assert client.get("/conversations/conv_3").status_code == status


def test_faults_of_lists_leave_other_requests_alone(store: Store) -> None:
    faults = Faults("bare_list", "stuck_last_id", "has_more_always")
    with asking(store, faults) as client:
        assert client.get("/conversations/conv_1").json()["id"] == "conv_1"
    assert faults.hits == []


# Chance


def walk_hits(store: Store, order: list[str], **options: float) -> list[tuple[str, str]]:
    """What happens to four rounds of requests, each for all these items in this order."""
    faults = Faults("server_error", "bad_gateway", "truncated_json", **options)  # type: ignore[arg-type]  # by name
    with asking(store, faults) as client:
        for _ in range(4):
            for after in order:
                page(client, after)
    return faults.hits


def test_the_same_seed_hits_the_same_requests_whatever_their_order(store: Store) -> None:
    hits = walk_hits(store, IDS, rate=0.5, seed=7)
    assert sorted(walk_hits(store, IDS[::-1], rate=0.5, seed=7)) == sorted(hits)
    assert sorted(walk_hits(store, IDS, rate=0.5, seed=8)) != sorted(hits)
    assert 5 < len(hits) < 23
    assert {name for name, _ in hits} == {"server_error", "bad_gateway", "truncated_json"}
    assert hits[0][1].startswith("GET /v1/conversations/conv_1/items?order=asc&limit=3&after=msg_")


def test_rate_is_the_share_of_requests(store: Store) -> None:
    assert walk_hits(store, IDS, rate=0) == []
    assert 2 < len(walk_hits(store, IDS * 8, rate=0.1)) < 50


@pytest.mark.parametrize(
    ("in_a_row", "statuses"), [(2, [500, 500, 200] * 2), (1, [500, 200] * 3), (3, [500, 500, 500, 200, 500, 500])]
)
def test_a_request_is_hit_only_so_often_in_a_row(store: Store, in_a_row: int, statuses: list[int]) -> None:
    with asking(store, Faults("server_error", in_a_row=in_a_row)) as client:
        assert [page(client).status_code for _ in range(6)] == statuses


def test_without_a_limit_it_is_hit_for_ever(store: Store) -> None:
    with asking(store, Faults("server_error", in_a_row=0)) as client:
        assert {page(client).status_code for _ in range(20)} == {500}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("reset", "there is no fault 'reset'; there are rate_limit, "),
        ("stall=5", "write stall, not stall=5"),
        ("failing", "write failing=CONVERSATION_ID, not failing"),
        ("failing=", "write failing=CONVERSATION_ID, not failing="),
        ("rate_limit_ms=soon", r"rate_limit_ms\[=MILLISECONDS\] was given 'soon': Expected `float`"),
        ("slow_body=-1", "Expected `float` >= 0"),
        ("unknown_after=500", "unknown_after=ANSWER was given '500'"),
        ("unauthorized_from=0", "Expected `int` >= 1"),
    ],
)
def test_words_that_name_no_fault_are_refused(words: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Faults(words)


def test_each_fault_is_told_in_one_line_and_any_other_word_refused_by_the_command() -> None:
    told = CliRunner().invoke(main, ["emulate", "--list-faults"]).output.splitlines()
    for fault in FAULTS.values():
        assert inspect.cleandoc(fault.inject.__doc__ or "").count("\n") == 0
        assert [line for line in told if line.split()[:1] == [fault.usage] and line.endswith(fault.summary)]
    refused = CliRunner().invoke(main, ["emulate", "--fault", "reset"])
    assert (refused.exit_code, "there is no fault 'reset'" in refused.output) == (2, True)


# What happens in the middle of a walk


def test_an_action_runs_once_before_the_nth_request_that_contains_a_text(store: Store) -> None:
    faults = Faults()
    faults.before(2, lambda store: store.delete_item("conv_1", IDS[4]), containing="conv_1/items")
    with asking(store, faults) as client:
        assert ids_of(page(client)) == IDS[:3]
        client.get("/conversations/conv_2/items")
        assert IDS[4] in store.retrieve_conversation("conv_1").timeline.ids
        assert ids_of(page(client, IDS[2])) == [IDS[3], IDS[5], IDS[6]]
        assert page(client).status_code == 200


def test_a_conversation_may_be_deleted_between_two_pages(store: Store) -> None:
    faults = Faults()
    faults.before(2, lambda store: store.delete_conversation("conv_1"))
    with asking(store, faults) as client:
        assert [page(client).status_code, page(client, IDS[2]).status_code] == [200, 404]


def test_an_item_may_be_completed_between_two_reads(store: Store) -> None:
    """It stays in its place, and is what a reference to it gives from then on."""
    store.replace_item("conv_1", message(IDS[1], status="in_progress"))
    done = message(IDS[1], role="assistant")
    faults = Faults()
    faults.before(2, lambda store: store.replace_item("conv_1", done), containing="GET")
    with asking(store, faults) as client:
        replies = [page(client), page(client)]
    assert [ids_of(reply) for reply in replies] == [IDS[:3]] * 2
    assert [reply.json()["data"][1]["status"] for reply in replies] == ["in_progress", "completed"]
    assert [item.item for item in store.create_items("conv_2", [{"type": "item_reference", "id": IDS[1]}])] == [done]


def test_the_order_may_change_between_two_pages(store: Store) -> None:
    faults = Faults()
    faults.before(2, lambda store: store.reorder_items("conv_1", [*IDS[3:], *IDS[:3]]))
    with asking(store, faults) as client:
        assert ids_of(page(client)) == IDS[:3]
        assert ids_of(page(client, IDS[4])) == [IDS[5], IDS[6], IDS[0]]
        assert ids_of(page(client, IDS[2])) == []


def test_a_new_order_must_name_the_same_items(store: Store) -> None:
    with pytest.raises(ValueError, match="each of its items once"):
        store.reorder_items("conv_1", IDS[1:])


# Our own client


def walk(store: Store, faults: Faults, *, timeout: float = 30.0) -> tuple[list[str], int]:
    """The IDs that our client brings home from a server with these faults, and how often it tried again."""

    async def bring_home(base_url: str) -> tuple[list[str], int]:
        async with ConversationsClient(KEY, base_url=base_url, timeout=timeout) as client:
            steps = [step async for step in client.walk_pages(Walk("conv_1", limit=3, trusts_has_more=False))]
            return [item.id or "" for step in steps for item in step.items], client.stats.retries

    with running_emulator(store, faults=faults) as base_url, stamina.set_testing(True, attempts=100, cap=True):
        return asyncio.run(bring_home(base_url))


@pytest.mark.parametrize(
    "fault",
    [
        "rate_limit",
        "rate_limit=0.001",
        "rate_limit_ms=1",
        "rate_limit_date=0",
        "server_error",
        "bad_gateway",
        "service_unavailable",
        "service_unavailable=0.001",
        "connection_reset",
        "cut_body",
        "stall",
        "truncated_json",
        "invalid_json",
        "error_in_200",
        "bare_list",
    ],
)
def test_our_client_gets_over_what_happens_twice_in_a_row(store: Store, fault: str) -> None:
    """Each of the three pages is asked for three times."""
    assert walk(store, Faults(fault), timeout=1 if fault == "stall" else 30) == (IDS, 6)


@pytest.mark.parametrize("fault", ["slow_body=0.001", "has_more_always", "has_more_never"])
def test_our_client_takes_no_notice(store: Store, fault: str) -> None:
    assert walk(store, Faults(fault)) == (IDS, 0)


@pytest.mark.parametrize("seed", range(5))
def test_our_client_gets_over_a_mixture(store: Store, seed: int) -> None:
    faults = Faults("rate_limit_ms=1", "connection_reset", "cut_body", "bad_gateway", rate=0.5, seed=seed)
    assert walk(store, faults) == (IDS, len(faults.hits))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rate_limit", RateLimitedError),
        ("service_unavailable=130", ServerError),
        ("server_error", ServerError),
        ("bad_gateway", ServerError),
        ("connection_reset", TransportError),
        ("cut_body", TransportError),
        ("stall", RequestTimeoutError),
        ("truncated_json", MalformedResponseError),
        ("invalid_json", MalformedResponseError),
        ("error_in_200", MalformedResponseError),
        ("bare_list", MalformedResponseError),
        ("insufficient_quota", QuotaError),
        ("unauthorized_from=2", AuthenticationError),
        ("unknown_include=message.output_text.logprobs", ConfigurationError),
        ("failing=conv_1", ServerError),
        ("forbidden=conv_1", ForbiddenError),
        ("repeated_page", WalkError),
        ("stuck_last_id", WalkError),
    ],
)
def test_our_client_reports_what_stays(store: Store, fault: str, error: type[ConversationsError]) -> None:
    with pytest.raises(error) as caught:
        walk(store, Faults(fault, in_a_row=0), timeout=1 if fault == "stall" else 30)
    assert type(caught.value) is error


def test_our_client_says_that_a_conversation_was_deleted_between_two_pages(store: Store) -> None:
    faults = Faults()
    faults.before(2, lambda store: store.delete_conversation("conv_1"))
    with pytest.raises(NotFoundError):
        walk(store, faults)


@pytest.mark.parametrize("fault", [(), *((f"unknown_after={word}",) for word in ("404", "first_page", "empty_page"))])
def test_our_client_loses_nothing_when_the_item_it_goes_on_from_is_deleted(
    store: Store, fault: tuple[str, ...]
) -> None:
    """It brings home all that is left, or says that it could not."""
    faults = Faults(*fault)
    faults.before(2, lambda store: store.delete_item("conv_1", IDS[2]))
    try:
        ids, _ = walk(store, faults)
    except WalkError:
        return
    assert set(ids) == set(IDS)


def test_our_client_reports_a_page_without_its_data(store: Store) -> None:
    with pytest.raises(ConversationsError):
        walk(store, Faults("missing_data", in_a_row=0))


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        ("last_item_deleted=2", IDS[:-1]),
        ("first_item_deleted=2", IDS[1:]),
        ("first_item_changed=2", IDS),
        ("first_item_shared=2", IDS),
    ],
)
def test_what_happens_to_items_happens_before_the_request_that_is_named(
    store: Store, fault: str, left: list[str]
) -> None:
    """The first request sees the conversation as it was, the second one what became of it."""
    store.put_conversation("conv_other", 1_790_000_000, {})
    with asking(store, Faults(fault)) as client:
        assert ids_of(page(client)) == IDS[:3]
        assert store.retrieve_conversation("conv_1").timeline.ids == IDS
        page(client)
    first = store.retrieve_conversation("conv_1").timeline
    assert first.ids == left
    assert (first.items[left[0]].item.get("status") == "incomplete") == ("changed" in fault)
    assert store.retrieve_conversation("conv_other").timeline.ids == (IDS[:1] if "shared" in fault else [])


def test_a_conversation_can_be_deleted_between_two_pages_by_a_flag(store: Store) -> None:
    with pytest.raises(NotFoundError):
        walk(store, Faults("conversation_deleted=2"))
