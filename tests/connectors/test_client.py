"""The client against fake APIs: functions from request to response, without a network."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import httpx
import httpx2
import openai
import pytest
import stamina
from rich.pretty import pretty_repr
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from connectors.openai_conversations import (
    INCLUDE,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConversationsClient,
    ConversationsError,
    Cursor,
    MalformedResponseError,
    NotFoundError,
    QuotaError,
    RateLimitedError,
    Request,
    RequestTimeoutError,
    ServerError,
    Step,
    TransportError,
    Walk,
    WalkError,
)

KEY = "sk-proj-abcdef1234567890"
WORDS = "somebody's words"
T = TypeVar("T")
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own settings out."""
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "AZURE_OPENAI_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def _no_waiting() -> Iterator[None]:
    """Turn waits off, and leave the number of attempts alone."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


no_waiting = pytest.mark.usefixtures("_no_waiting")


def run(handler: Handler, act: Callable[[ConversationsClient], Awaitable[T]], **options: object) -> T:
    """Run one coroutine with a client of this fake API."""

    async def main() -> T:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
            client = ConversationsClient(KEY, http_client=http, **options)  # type: ignore[arg-type]
            return await act(client)

    return asyncio.run(main())


def listing(*ids: str, more: bool = False) -> httpx.Response:
    """Return a list response of items with these IDs."""
    data = [{"id": identifier, "type": "message"} for identifier in ids]
    last = ids[-1] if ids else None
    return httpx.Response(200, json={"object": "list", "data": data, "has_more": more, "last_id": last})


def scripted(*answers: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """Return a fake API that gives these answers in turn, and the list of what it was asked."""
    asked: list[httpx.Request] = []
    left = iter(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle, asked


async def first_page(client: ConversationsClient) -> list[str | None]:
    """Return the IDs of the first page of conv_1."""
    return [item.id for item in (await client.items.list("conv_1")).data]


# ---- the request


def significant(headers: list[tuple[bytes, bytes]]) -> set[tuple[bytes, bytes]]:
    """Leave out what describes the program or the connection."""
    own = {b"user-agent", b"host", b"connection", b"accept-encoding"}
    lower = {(name.lower(), value) for name, value in headers}
    return {(name, value) for name, value in lower if name not in own and not name.startswith(b"x-stainless-")}


@pytest.mark.parametrize("options", [{}, {"organization": "org_1", "project": "proj_1"}])
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"after": "msg 9/é&x", "include": list(INCLUDE), "limit": 100, "order": "asc"},
    ],
)
def test_our_request_is_the_official_sdks(options: dict[str, str], query: dict[str, object]) -> None:
    """Method, raw path and query, and headers are equal, for the same call with the same settings."""
    recorded: list[tuple[str, bytes, set[tuple[bytes, bytes]]]] = []
    body = {"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None}

    def theirs(request: httpx2.Request) -> httpx2.Response:
        recorded.append((request.method, request.url.raw_path, significant(request.headers.raw)))
        return httpx2.Response(200, json=body)

    def ours(request: httpx.Request) -> httpx.Response:
        recorded.append((request.method, request.url.raw_path, significant(request.headers.raw)))
        return httpx.Response(200, json=body)

    async def ask_theirs() -> None:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(theirs)) as http:
            sdk = openai.AsyncOpenAI(api_key=KEY, http_client=http, **options)  # type: ignore[arg-type]
            await sdk.conversations.items.list("conv a/1", **query)  # type: ignore[arg-type]
            await sdk.conversations.items.retrieve("msg_1", conversation_id="conv_1", include=["a.b"])  # type: ignore[list-item]
            await sdk.conversations.retrieve("conv_1")

    async def ask_ours(client: ConversationsClient) -> None:
        await client.items.list("conv a/1", **query)  # type: ignore[arg-type]
        with pytest.raises(ConversationsError):
            await client.retrieve("conv_1")

    asyncio.run(ask_theirs())
    sdk_list, _, sdk_conversation = recorded
    recorded.clear()
    with stamina.set_testing(True):
        run(ours, ask_ours, **options)
    assert recorded == [sdk_list, sdk_conversation]
    assert (b"authorization", f"Bearer {KEY}".encode()) in recorded[0][2]


def test_we_say_who_we_are() -> None:
    """The user agent is this program's, and nothing pretends to be the official SDK."""
    handle, asked = scripted(listing())
    run(handle, first_page)
    assert asked[0].headers["user-agent"].startswith("conversations-to-duckdb/")
    assert not [name for name in asked[0].headers if name.startswith("x-stainless")]


def test_settings_come_from_the_environment_of_the_official_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """All four variables are read; an empty one counts as unset; a trailing slash is fine."""
    monkeypatch.setenv("OPENAI_API_KEY", "key-from-env")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://us.api.openai.com/v1/")
    monkeypatch.setenv("OPENAI_ORG_ID", "org_1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "")
    handle, asked = scripted(listing())

    async def main() -> bool:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
            client = ConversationsClient(http_client=http)
            await first_page(client)
            return client.is_openai

    assert asyncio.run(main())
    assert str(asked[0].url) == "https://us.api.openai.com/v1/conversations/conv_1/items"
    assert asked[0].headers["authorization"] == "Bearer key-from-env"
    assert asked[0].headers["openai-organization"] == "org_1"
    assert "openai-project" not in asked[0].headers


@pytest.mark.parametrize(
    ("base_url", "is_openai"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.openai.com.evil.example/v1", False),
        ("https://evilapi.openai.com/v1", False),
        ("http://127.0.0.1:8080/v1", False),
    ],
)
def test_only_openais_own_hosts_are_openai(base_url: str, is_openai: bool) -> None:
    """Others are read with less trust."""
    assert ConversationsClient(KEY, base_url=base_url).is_openai is is_openai


@pytest.mark.parametrize(
    "options",
    [
        {"api_key": None},
        {"api_key": ""},
        {"api_key": f"{KEY}\n"},
        {"api_key": f"{KEY} "},
        {"api_key": f"{KEY}\x00"},
        {"api_key": f"{KEY}é"},
        {"organization": "org\n1"},
        {"project": "proj 1"},
        {"base_url": "api.openai.com/v1"},
        {"base_url": "ftp://api.openai.com/v1"},
        {"base_url": "https:///v1"},
        {"base_url": "https://host:port/v1"},
        {"base_url": "https://[::1/v1"},
        {"base_url": "https://ho st/v1"},
        {"base_url": "https://host/v1\n"},
        {"base_url": f"https://user:{KEY}@host/v1"},
        {"base_url": f"https://host/v1?key={KEY}"},
        {"base_url": "http://example.com/v1"},
        {"base_url": "http://127.0.0.1.example.com/v1"},
        {"base_url": "https://" + "a" * 70_000},
    ],
)
def test_unusable_settings_stop_before_any_request(options: dict[str, str | None]) -> None:
    """The error says what to set, and shows neither the key nor a password."""
    with pytest.raises(ConfigurationError) as caught:
        ConversationsClient(**{"api_key": KEY, **options})  # type: ignore[arg-type]
    shown = f"{caught.value!r} {caught.value.__cause__}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert KEY not in shown
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("base_url", "allow_http"),
    [
        ("http://localhost:8080/v1", False),
        ("http://127.0.0.1/v1", False),
        ("http://[::1]:8080/v1", False),
        ("http://gateway.example/v1", True),
    ],
)
def test_plain_http_is_for_this_machine_or_on_request(base_url: str, allow_http: bool) -> None:
    """A key never goes over the network in clear by accident."""
    assert ConversationsClient(KEY, base_url=base_url, allow_http=allow_http)


def test_a_redirect_is_followed_and_does_not_take_the_key_along() -> None:
    """Another host gets the request, but not the Authorization header."""
    moved = httpx.Response(307, headers={"location": "https://other.example/v1/x"})
    handle, asked = scripted(moved, listing("a"))
    assert run(handle, first_page) == ["a"]
    assert asked[1].url.host == "other.example"
    assert "authorization" not in asked[1].headers


# ---- paging


def test_awaiting_a_list_gives_a_page_with_the_envelopes_fields() -> None:
    """As with the official async client."""
    handle, _ = scripted(listing("a", "b", more=True))

    async def act(client: ConversationsClient) -> tuple[object, ...]:
        page = await client.items.list("conv_1")
        return page.object, [item.id for item in page.data], page.first_id, page.has_more, page.last_id

    assert run(handle, act) == ("list", ["a", "b"], None, True, "b")


@pytest.mark.parametrize("is_awaited", [True, False])
def test_iterating_over_a_list_or_a_page_goes_on_to_the_end(is_awaited: bool) -> None:
    """Both forms of the official client ask `after` the last ID, with the same other parameters."""
    handle, asked = scripted(listing("a", "b", more=True), listing("c"))

    async def act(client: ConversationsClient) -> list[str | None]:
        pager = client.items.list("conv_1", order="asc", limit=2, include=["a.b"])
        if is_awaited:
            return [item.id async for item in await pager]
        return [item.id async for item in pager]

    assert run(handle, act) == ["a", "b", "c"]
    assert [dict(request.url.params) for request in asked] == [
        {"order": "asc", "limit": "2", "include[]": "a.b"},
        {"order": "asc", "limit": "2", "include[]": "a.b", "after": "b"},
    ]


def test_iterating_does_not_circle() -> None:
    """A server that ignores `after` ends in an error."""

    async def act(client: ConversationsClient) -> list[str | None]:
        return [item.id async for item in client.items.list("conv_1")]

    with pytest.raises(WalkError):
        run(lambda _: listing("a", more=True), act)


def test_one_item_and_one_conversation_are_retrieved() -> None:
    """Both endpoints give their typed value."""
    handle, asked = scripted(
        httpx.Response(200, content=b'{"id":"msg_1", "type":"message"}'),
        httpx.Response(200, content=b'{"id":"conv_1","created_at":1,"metadata":{"a": "b"}}'),
    )

    async def act(client: ConversationsClient) -> tuple[bytes, bytes | None]:
        item = await client.items.retrieve("msg_1", conversation_id="conv_1", include=["a.b"])
        return item.raw, (await client.retrieve("conv_1")).metadata

    assert run(handle, act) == (b'{"id":"msg_1", "type":"message"}', b'{"a": "b"}')
    assert [request.url.raw_path for request in asked] == [
        b"/v1/conversations/conv_1/items/msg_1?include%5B%5D=a.b",
        b"/v1/conversations/conv_1",
    ]


async def steps_of(client: ConversationsClient, walk: Walk) -> list[Step]:
    """Return all steps of a walk."""
    return [step async for step in client.walk_pages(walk)]


@pytest.mark.parametrize("status", [400, 404])
def test_a_walk_is_driven_to_its_end(status: int) -> None:
    """A refused `after` is asked once without it, and the steps arrive in order."""
    refused = httpx.Response(status, json={"error": {"message": "Item not found"}})
    handle, asked = scripted(refused, listing("a", more=True), listing("c"))
    walk = Walk("conv_1", cursor=Cursor("b", "a"))
    steps = run(handle, lambda client: steps_of(client, walk))
    assert [([item.id for item in step.items], step.is_relist, step.is_last) for step in steps] == [
        (["a"], True, False),
        (["c"], True, True),
    ]
    assert [request.url.params.get("after") for request in asked] == ["a", None, "a"]


def test_a_missing_conversation_is_not_found() -> None:
    """The same refusal without `after` is the conversation's."""
    missing = httpx.Response(404, json={"error": {"message": "Conversation not found"}})
    handle, asked = scripted(missing, missing)
    with pytest.raises(NotFoundError):
        run(handle, lambda client: steps_of(client, Walk("conv_1", cursor=Cursor("b", "a"))))
    assert len(asked) == 2


# ---- retries


def error(status: int, headers: dict[str, str] | None = None, code: str | None = None) -> httpx.Response:
    """Return an error response."""
    body = {"error": {"message": WORDS, "type": "t", "param": None, "code": code}}
    return httpx.Response(status, json=body, headers=headers)


@no_waiting
@pytest.mark.parametrize(
    ("answer", "attempts", "kind"),
    [
        (error(400), 1, BadRequestError),
        (error(401), 1, AuthenticationError),
        (error(404), 1, NotFoundError),
        (error(422), 1, BadRequestError),
        (error(408), 3, ServerError),
        (error(409), 3, ServerError),
        (error(429), 3, RateLimitedError),
        (error(500), 3, ServerError),
        (error(503), 3, ServerError),
        (error(429, code="insufficient_quota"), 1, QuotaError),
        (error(404, {"x-should-retry": "true"}), 3, NotFoundError),
        (error(401, {"x-should-retry": "true"}), 1, AuthenticationError),
        (error(500, {"x-should-retry": "false"}), 1, ServerError),
        (error(429, {"retry-after": "130"}), 1, RateLimitedError),
        (error(500, {"retry-after": "130", "x-should-retry": "true"}), 1, ServerError),
        (httpx.ConnectError("m"), 3, TransportError),
        (httpx.ReadError("m"), 3, TransportError),
        (httpx.RemoteProtocolError("m"), 3, TransportError),
        (httpx.ConnectTimeout("m"), 3, RequestTimeoutError),
        (httpx.ReadTimeout("m"), 3, RequestTimeoutError),
        (httpx.PoolTimeout("m"), 3, RequestTimeoutError),
        (OSError("m"), 3, TransportError),
        (httpx.Response(200, content=b'{"object":"li'), 3, MalformedResponseError),
        (httpx.Response(200, content=b""), 3, MalformedResponseError),
        (httpx.Response(204), 3, MalformedResponseError),
        (httpx.Response(304), 1, MalformedResponseError),
    ],
)
def test_what_is_retried(answer: httpx.Response | Exception, attempts: int, kind: type[Exception]) -> None:
    """Three attempts in all, for exactly what the official SDK retries, and for broken bodies."""

    async def act(client: ConversationsClient) -> tuple[type[Exception], int, int]:
        with pytest.raises(ConversationsError) as caught:
            await client.items.list("conv_1")
        return type(caught.value), client.stats.requests, client.stats.retries

    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    assert run(handle, act) == (kind, attempts, attempts - 1)


@no_waiting
def test_a_passing_failure_costs_a_retry_and_no_data() -> None:
    """A limit, a broken body and a lost connection, and then the page."""
    broken = httpx.Response(200, content=b'{"object":"list","data":[{"id"')
    handle, asked = scripted(error(429), broken, httpx.ReadError("m"), listing("a"))

    async def act(client: ConversationsClient) -> tuple[list[str | None], int, int, int, int]:
        ids = await first_page(client)
        stats = client.stats
        return ids, stats.requests, stats.retries, stats.rate_limited, stats.bytes_received

    expected_bytes = sum(len(answer.content) for answer in (error(429), broken, listing("a")))
    assert run(handle, act, max_retries=3) == (["a"], 4, 3, 1, expected_bytes)
    assert len({request.url for request in asked}) == 1


@no_waiting
def test_retries_can_be_turned_off() -> None:
    """max_retries=0 is one attempt."""
    handle, asked = scripted(error(500))
    with pytest.raises(ServerError):
        run(handle, first_page, max_retries=0)
    assert len(asked) == 1


def test_a_cancelled_request_ends_at_once() -> None:
    """Cancellation is no failure to retry."""
    calls = 0

    async def handle(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        await asyncio.sleep(60)
        return listing()

    async def main() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
            task = asyncio.create_task(first_page(ConversationsClient(KEY, http_client=http)))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert calls == 1


def test_someone_elses_mistake_is_not_retried() -> None:
    """An exception that is not about the API comes through as it is."""
    handle, asked = scripted(KeyError("bug"))
    with pytest.raises(KeyError):
        run(handle, first_page)
    assert len(asked) == 1


# ---- privacy and quiet


@no_waiting
def test_retries_print_and_log_nothing(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """They are counted; stamina's own logging of them would land in the command's output."""
    caplog.set_level(logging.DEBUG, "stamina")
    handle, _ = scripted(error(500), error(500), listing("a"))
    set_on_retry_hooks(None)
    run(handle, first_page)
    assert capsys.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name == "stamina"]


@no_waiting
def test_other_hooks_and_other_peoples_retries_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """A hook that an application sets hears of our retries; stamina still logs those of others."""
    heard: list[RetryDetails] = []

    def hear(details: RetryDetails) -> None:
        heard.append(details)

    try:
        set_on_retry_hooks([hear])
        handle, _ = scripted(error(500), listing("a"))
        run(handle, first_page)
        assert len(heard) == 1
        set_on_retry_hooks(None)
        run(scripted(error(500), listing("a"))[0], first_page)
        capsys.readouterr()
        for attempt in stamina.retry_context(on=KeyError, attempts=2):
            with attempt:
                if attempt.num == 1:
                    raise KeyError
        assert "retry_scheduled" in capsys.readouterr().out
    finally:
        set_on_retry_hooks(None)


@no_waiting
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"error": {"message": f"Incorrect API key provided: {KEY}", "code": WORDS}}),
        httpx.Response(400, json={"error": {"message": WORDS, "param": WORDS}}),
        httpx.Response(500, text=WORDS),
        httpx.Response(200, text=WORDS),
        httpx.Response(200, json={"object": WORDS, "data": {"text": WORDS}}),
        httpx.Response(200, content=b'{"data":[{"id":"a","text":"' + WORDS.encode() + b'"]}'),
        httpx.LocalProtocolError(f"Illegal header value b'Bearer {KEY}'"),
        httpx.ConnectError(f"{KEY} {WORDS}"),
        httpx.ReadTimeout(f"{KEY} {WORDS}"),
        httpx.InvalidURL(f"{KEY} {WORDS}"),
        httpx.TooManyRedirects(f"{KEY} {WORDS}"),
        OSError(f"{KEY} {WORDS}"),
    ],
)
def test_no_error_shows_the_key_or_what_people_wrote(answer: httpx.Response | Exception) -> None:
    """Neither in its text, nor in its facts, nor in a cause that a traceback prints; it names the place."""

    async def act(client: ConversationsClient) -> ConversationsError:
        with pytest.raises(ConversationsError) as caught:
            await client.items.list("conv_1", after="msg_secret")
        return caught.value

    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    failure = run(handle, act)
    assert failure.__cause__ is None
    assert failure.__suppress_context__ or failure.__context__ is None
    shown = f"{failure} {failure!r} {failure.__dict__}"
    assert KEY not in shown
    assert WORDS not in shown
    assert "msg_secret" not in shown
    assert "conversations/conv_1/items on api.openai.com" in shown


def test_no_repr_shows_the_key() -> None:
    """The client, its settings and its pages can be logged."""
    handle, _ = scripted(listing("a"))

    async def act(client: ConversationsClient) -> list[object]:
        pager = client.items.list("conv_1")
        return [client, client.items, client.stats, vars(client)["_settings"], pager, await pager]

    for thing in run(handle, act):
        assert KEY not in repr(thing) + pretty_repr(thing)


@no_waiting
def test_a_body_that_cannot_be_decompressed_is_malformed() -> None:
    """A proxy that cuts a compressed body is retried like any broken body."""
    whole = gzip.compress(listing("a").content)
    cut = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip"))
    good = httpx.Response(200, headers={"content-encoding": "gzip"}, content=whole)
    handle, asked = scripted(cut, good)
    assert run(handle, first_page) == ["a"]
    assert len(asked) == 2


def test_an_id_too_long_for_a_url_skips_its_conversation() -> None:
    """It cannot be asked for, today or later."""
    handle, asked = scripted()
    with pytest.raises(BadRequestError):
        run(handle, lambda client: client.retrieve("conv_" + "a" * 70_000))
    assert asked == []


def test_send_returns_the_body_as_it_is() -> None:
    """For endpoints that have no reader here."""
    handle, asked = scripted(httpx.Response(200, content=json.dumps([1]).encode()))
    assert run(handle, lambda client: client.send(Request("GET", "/conversations"))) == b"[1]"
    assert asked[0].url.raw_path == b"/v1/conversations"


def test_a_client_closes_its_own_connections_and_no_others() -> None:
    """A given http_client stays open for its owner."""

    async def main() -> tuple[bool, bool]:
        async with httpx.AsyncClient() as http:
            async with ConversationsClient(KEY, http_client=http):
                pass
            async with ConversationsClient(KEY) as client:
                own = vars(client)["_http"]
            return http.is_closed, own.is_closed

    assert asyncio.run(main()) == (False, True)


# ---- a network that is gone


@no_waiting
def test_a_network_that_answered_before_is_waited_for() -> None:
    """Three attempts, a pause of a second, three more, a pause of two; the last of three more is answered."""
    handle, asked = scripted(listing("a"), *[httpx.ConnectError("m")] * 8, listing("b"))
    assert run(handle, twice, network_patience=3) == ["a", "b"]
    assert len(asked) == 10


@no_waiting
@pytest.mark.parametrize(
    ("before", "patience", "attempts"),
    [([listing("a")], 0, 3), ([listing("a")], 3, 9), ([], 3, 3), ([listing("a")], 0.5, 6)],
    ids=["no patience", "too long away", "never there", "a short patience"],
)
def test_a_network_that_stays_away_is_an_error(before: list[httpx.Response], patience: float, attempts: int) -> None:
    handle, asked = scripted(*before, *[httpx.ConnectError("m")] * 20)
    with pytest.raises(TransportError):
        run(handle, twice if before else first_page, network_patience=patience)
    assert len(asked) == len(before) + attempts


@no_waiting
def test_one_conversation_without_an_answer_is_given_up_while_others_are_answered() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "conv_1" in request.url.path:
            asked.append(request.url.path)
            raise httpx.ConnectError("m")
        return listing("b")

    async def act(client: ConversationsClient) -> None:
        async def others() -> None:
            while True:
                await client.items.list("conv_2")
                await asyncio.sleep(0)

        await client.items.list("conv_2")
        answered = asyncio.create_task(others())
        try:
            await client.items.list("conv_1")
        finally:
            answered.cancel()

    asked: list[str] = []
    with pytest.raises(TransportError):
        run(answer, act, network_patience=1_000)
    assert len(asked) == 6


async def twice(client: ConversationsClient) -> list[str | None]:
    """Return the IDs of the first pages of two lists."""
    return [*await first_page(client), *await first_page(client)]
