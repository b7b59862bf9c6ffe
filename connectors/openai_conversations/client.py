"""The only file that does network I/O: sends requests, retries them, and pages through lists.

What belongs here: httpx, deadlines, and counting. What does not: what a response means (`protocol.py`), when a
request may go out (`pacing.py`) and which page comes next (`walk.py`). Everything else talks to the API through
`ConversationsClient`, and a test gives that client an `httpx.MockTransport`: a fake API is a function from request
to response. Its rules:

* **deadlines**: one attempt ends after `timeout` seconds, body included, however slowly it drips in; and
  before that when nothing comes for `read_timeout` seconds, or no connection within `connect_timeout`.
* **in flight**: at most `max_in_flight` requests are sent and not answered. What waits for its own next
  attempt does not count.
* **bounded**: with at most 120 s for a pause before an attempt and 120 s of delay after it, a call ends
  within `(max_retries + 1) * (timeout + 240)` seconds, plus its turn among this client's other requests.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import random
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import stamina

from connectors.openai_conversations import transport
from connectors.openai_conversations.configuration import check_numbers, read_settings
from connectors.openai_conversations.errors import (
    BadRequestError,
    ConfigurationError,
    ConversationsError,
    MalformedResponseError,
    NotFoundError,
    RateLimitedError,
    RequestTimeoutError,
    TransportError,
    WalkError,
)
from connectors.openai_conversations.pacing import Pace
from connectors.openai_conversations.protocol import (
    Conversation,
    Item,
    Request,
    decide,
    list_items,
    read_conversation,
    read_item,
    read_page,
    retrieve_conversation,
    retrieve_item,
    retry_delay,
)
from connectors.openai_conversations.quiet import keep_stamina_quiet
from connectors.openai_conversations.walk import Step, Walk

T = TypeVar("T")


@dataclass(slots=True)
class Stats:
    """What a client did so far. Bytes are those of the bodies after decompression."""

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    bytes_received: int = 0


class ConversationsClient:
    """Reads conversations, with the settings, requests and retries of the official SDK's async client."""

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        organization: str | None = None,
        project: str | None = None,
        max_retries: int = 2,
        timeout: float = 600.0,
        read_timeout: float = 60.0,
        connect_timeout: float = 5.0,
        requests_per_second: float | None = None,
        max_in_flight: int = 100,
        http_client: httpx.AsyncClient | None = None,
        allow_http: bool = False,
    ) -> None:
        """Take settings from the arguments, else from the official SDK's environment variables.

        Those are OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_ORG_ID and OPENAI_PROJECT_ID. Timeouts are in
        seconds: `timeout` for a whole attempt, `read_timeout` for the longest silence. `http_client` stays the
        caller's to close, and brings its own connection limits. Raises ConfigurationError where a setting
        cannot be used.
        """
        self._settings = read_settings(
            os.environ,
            api_key=api_key,
            base_url=base_url,
            organization=organization,
            project=project,
            allow_http=allow_http,
        )
        _check_url(self._settings.base_url)
        check_numbers(
            max_retries=max_retries,
            timeout=timeout,
            read_timeout=read_timeout,
            connect_timeout=connect_timeout,
            requests_per_second=requests_per_second,
            max_in_flight=max_in_flight,
        )
        self._timeout = timeout
        self._read_timeout = read_timeout
        self._connect_timeout = connect_timeout
        self._attempts = max_retries + 1
        self._in_flight = asyncio.Semaphore(max_in_flight)
        self._pace = Pace(requests_per_second)
        self._owns_http = http_client is None
        # The wait for a connection of the pool is bounded by the whole attempt's time.
        self._http = http_client or transport.http_client(
            connect_timeout=connect_timeout, read_timeout=read_timeout, max_connections=max_in_flight
        )
        self._sender = transport.Sender(self._http, self._make_headers())
        self.stats = Stats()
        self.items = Items(self)

    def __repr__(self) -> str:
        """Name the host, and never the key."""
        return f"ConversationsClient(host={self._settings.host!r})"

    @property
    def is_openai(self) -> bool:
        """Whether the host is OpenAI's own, whose `has_more` can be trusted."""
        return self._settings.is_openai

    @property
    def host(self) -> str:
        """The host that is asked, with its port if the base URL has one."""
        return self._settings.host

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless they are the caller's."""
        if self._owns_http:
            await self._http.aclose()

    async def retrieve(self, conversation_id: str) -> Conversation:
        """Return a conversation's creation time and metadata; raise a ConversationsError."""
        return await self.call(retrieve_conversation(conversation_id), read_conversation)

    async def send(self, request: Request) -> bytes:
        """Return the body of the 2xx that answers this request; raise a ConversationsError."""
        return await self.call(request, bytes)

    async def walk_pages(self, walk: Walk) -> AsyncIterator[Step]:
        """Yield the steps of a walk to its end; raise a ConversationsError."""
        while (request := walk.request) is not None:
            try:
                page = await self.call(request, read_page)
            except (BadRequestError, NotFoundError) as error:
                walk.refused(error)
                continue
            yield walk.receive(page)

    async def call(self, request: Request, read: Callable[[bytes], T]) -> T:
        """Send a request and return what `read` makes of the body; a body that it refuses is asked for again.

        Raises the ConversationsError of the last attempt.
        """
        try:
            return self._read(request, await self._send_once(request), read)
        except ConversationsError as error:
            failure = error
        # Only now, since it would cost each request as much as sending takes.
        attempts = stamina.retry_context(on=_Backoff(self._pace.pause), attempts=self._attempts, timeout=None)
        async for attempt in attempts:
            with attempt:
                if attempt.num == 1:
                    raise failure
                self.stats.retries += 1
                return self._read(request, await self._send_once(request), read)
        raise AssertionError  # stamina either returns from the loop or raises

    def _read(self, request: Request, body: bytes, read: Callable[[bytes], T]) -> T:
        try:
            return read(body)
        except MalformedResponseError as error:
            message = f"{self._where(request)}: {error}"
        # Not in the handler: an error's context may hold the body.
        raise MalformedResponseError(message)

    async def _send_once(self, request: Request) -> bytes:
        async with self._in_flight:
            await self._pace.wait()
            self.stats.requests += 1
            answer = await self._get(request)
        self.stats.bytes_received += len(answer.body)
        self.stats.rate_limited += answer.status == httpx.codes.TOO_MANY_REQUESTS
        decide(answer.status, answer.headers, answer.body, where=self._where(request), secret=self._settings.api_key)
        return answer.body

    async def _get(self, request: Request) -> transport.Answer:
        """Return the answer; raise our error without its cause, whose text may hold a header or a URL."""
        deadline = asyncio.timeout(self._timeout)
        try:
            async with deadline:
                return await self._sender.get(f"{self._settings.base_url}{request.target}")
        except transport.ERRORS as error:
            failure = self._no_response(error, self._where(request), is_late=deadline.expired())
        raise failure

    def _no_response(self, error: Exception, where: str, *, is_late: bool) -> ConversationsError:
        """Return our error for one of httpx: what kind it was, and nothing of its text."""
        kind = type(error).__name__
        if is_late:
            return RequestTimeoutError(
                f"{where} was not answered whole within {self._timeout:g} s. "
                "Raise timeout, or look for what slows the network or the server down."
            )
        if isinstance(error, httpx.InvalidURL):
            return BadRequestError(f"{where} cannot be asked for ({kind}). Check the ID and OPENAI_BASE_URL.")
        if isinstance(error, httpx.DecodingError):
            return MalformedResponseError(
                f"{where}: the answer cannot be decompressed ({kind}). Look at proxies in between."
            )
        if isinstance(error, httpx.TimeoutException):  # which of the two, not every transport can tell
            return RequestTimeoutError(
                f"{where} was silent for {self._read_timeout:g} s, or gave no connection within "
                f"{self._connect_timeout:g} s ({kind}). Check the network, the proxy and OPENAI_BASE_URL, or raise "
                "read_timeout or connect_timeout."
            )
        return TransportError(f"{where} gave no answer ({kind}). Check the network, the proxy and OPENAI_BASE_URL.")

    def _where(self, request: Request) -> str:
        """Name what was asked and whom, without the query."""
        return f"{request.path.removeprefix('/')} on {self._settings.host}"

    def _make_headers(self) -> dict[str, str]:
        """Return the headers of the official SDK, less its x-stainless-*: those describe the SDK, not us."""
        settings = self._settings
        optional = {"OpenAI-Organization": settings.organization, "OpenAI-Project": settings.project}
        return {
            "Authorization": f"Bearer {settings.api_key}",
            "Accept": "application/json",
            "User-Agent": f"conversations-to-duckdb/{_version()}",
        } | {name: value for name, value in optional.items() if value is not None}


class Items:
    """The items of conversations, asked for as with the official SDK's `client.conversations.items`."""

    def __init__(self, client: ConversationsClient) -> None:
        """Ask through this client."""
        self._client = client

    def list(
        self,
        conversation_id: str,
        *,
        after: str | None = None,
        include: Sequence[str] = (),
        limit: int | None = None,
        order: str | None = None,
    ) -> ItemsPager:
        """Return what is awaited for one page, or iterated for all items from there on."""
        return ItemsPager(_Query(self._client, conversation_id, after, tuple(include), limit, order))

    async def retrieve(self, item_id: str, *, conversation_id: str, include: Sequence[str] = ()) -> Item:
        """Return one item; raise a ConversationsError."""
        return await self._client.call(retrieve_item(conversation_id, item_id, include=include), read_item)


@dataclass(frozen=True, slots=True)
class _Query:
    client: ConversationsClient
    conversation_id: str
    after: str | None
    include: tuple[str, ...]
    limit: int | None
    order: str | None

    async def fetch(self) -> ItemsPage:
        request = list_items(
            self.conversation_id,
            after=self.after,
            include=self.include,
            limit=self.limit,
            order=self.order,
        )
        page = await self.client.call(request, read_page)
        return ItemsPage(page.object, page.data, page.first_id, page.has_more, page.last_id, query=self)


@dataclass(frozen=True, slots=True)
class ItemsPage:
    """One page of a list, and the way to the following ones."""

    object: str | None
    data: tuple[Item, ...]
    first_id: str | None
    has_more: bool
    last_id: str | None
    query: _Query = field(repr=False, kw_only=True)

    def has_next_page(self) -> bool:
        """Say whether another page is to be asked for: there is more, and an ID to go on from."""
        return bool(self.has_more and self.data and self.last_id)

    async def get_next_page(self) -> ItemsPage:
        """Return the following page; raise WalkError where the server does not move on."""
        if self.last_id == self.query.after:
            message = (
                f"The list of {self.query.conversation_id} stands still: the server sent back the last_id "
                "that was asked for. Report it to the server's operator."
            )
            raise WalkError(message)
        return await replace(self.query, after=self.last_id).fetch()

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Yield the items of this page and of all that follow."""
        page = self
        while True:
            for item in page.data:
                yield item
            if not page.has_next_page():
                return
            page = await page.get_next_page()


class ItemsPager:
    """A list that was not asked for yet: await it for a page, or iterate over its items."""

    def __init__(self, query: _Query) -> None:
        """Remember what to ask for."""
        self._query = query

    def __await__(self) -> Generator[Any, None, ItemsPage]:
        """Return the first page."""
        return self._query.fetch().__await__()

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Yield the items of the first page and of all that follow."""
        async for item in await self:
            yield item


class _Backoff:
    """Tells stamina how long to wait after each failed attempt of one request."""

    def __init__(self, pause: Callable[[float], None]) -> None:
        self._pause = pause
        self._retries = 0

    def __call__(self, error: Exception) -> float | bool:
        if not isinstance(error, ConversationsError):
            return False
        seconds = retry_delay(error, self._retries, random.random)
        if seconds is None:
            return False
        self._retries += 1
        if isinstance(error, RateLimitedError):
            self._pause(seconds)
        keep_stamina_quiet()
        return seconds


def _check_url(url: str) -> None:
    try:
        httpx.URL(url)
    except httpx.InvalidURL:
        message = "The base URL cannot be read. Set OPENAI_BASE_URL to an address like https://api.openai.com/v1."
        raise ConfigurationError(message) from None


def _version() -> str:
    try:
        return importlib.metadata.version("conversations-to-duckdb")
    except importlib.metadata.PackageNotFoundError:
        return "0"
