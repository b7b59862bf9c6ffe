"""How bytes get to the server and back: pyreqwest where it is installed, else what httpx brings.

httpx's own transport is the bottleneck of a full load: it holds the interpreter while it reads. pyreqwest reads in
threads of its own. And where an answer is neither a redirect nor compressed, httpx has nothing to do at all: its
requests and responses would cost three times what sending takes (`docs/benchmarks.md` has the figures). Proxies and
certificates come from the environment with either. Redirects and decompression are left to httpx, so that both behave
alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

import httpx

from connectors.openai_conversations.quiet import no_words_in_logs

try:
    from pyreqwest import exceptions
    from pyreqwest.client import Client, ClientBuilder
except ImportError:  # no build of it for this machine
    HAS_PYREQWEST = False
    ERRORS: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, OSError)
else:
    HAS_PYREQWEST = True
    ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError, exceptions.PyreqwestError)
    _KINDS: Final = (
        (exceptions.RequestTimeoutError, httpx.ReadTimeout),
        (exceptions.ConnectError, httpx.ConnectError),
        (ValueError, httpx.UnsupportedProtocol),  # an address that cannot be asked
        (exceptions.RequestError, httpx.ReadError),
    )
    _LAST_WORD_SECONDS: Final = 0.01
_REDIRECTS: Final = range(300, 400)


class Answer(NamedTuple):
    """A response with its body, decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Sender:
    """Sends GET requests that all have the same headers; follows redirects, unless told not to."""

    def __init__(self, http: httpx.AsyncClient, headers: Mapping[str, str], *, follow_redirects: bool = True) -> None:
        """Send through this client: past it, where it has our transport and nothing to do."""
        self._http = http
        self._headers = headers
        self._follow_redirects = follow_redirects
        self._transport = http.transport if isinstance(http, _Client) else None
        both = http.headers.copy()
        both.update(headers)
        self._all_headers = both.multi_items()

    async def get(self, url: str) -> Answer:
        """Return the answer; raise one of ERRORS."""
        if self._transport is not None:
            answer = await self._transport.send("GET", url, self._all_headers)
            if answer.status not in _REDIRECTS:
                return _decompressed(answer)
            self._transport = None  # a server that sends us elsewhere will do so again
        with no_words_in_logs():
            response = await self._http.get(url, headers=self._headers, follow_redirects=self._follow_redirects)
        return Answer(response.status_code, response.headers, response.content)


def _decompressed(answer: Answer) -> Answer:
    if "content-encoding" not in answer.headers:
        return answer
    response = httpx.Response(answer.status, headers=[*answer.headers.items()], content=answer.body)
    return answer._replace(body=response.content)


class _Transport(httpx.AsyncBaseTransport):
    """Has pyreqwest send requests that have no body; an answer is read whole, and handed over once."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def send(self, method: str, url: str, headers: list[tuple[str, str]]) -> Answer:
        """Return the answer as it came; raise an error of httpx."""
        task = asyncio.current_task()
        cancelled = task.cancelling() if task else 0
        error: type[Exception] | None = None
        try:
            response = await self._client.request(method, url).headers(headers).build().send()
            answer = Answer(response.status, response.headers, bytes(await response.bytes()))
        except (exceptions.PyreqwestError, ValueError) as failed:
            error = next((kind for theirs, kind in _KINDS if isinstance(failed, theirs)), httpx.TransportError)
        if task and task.cancelling() > cancelled:
            raise asyncio.CancelledError  # pyreqwest forgets it where the answer, or an error, has just come
        if error is not None:
            raise error("no answer")  # without its cause, whose text may hold a header or a URL
        return answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.send(request.method, str(request.url), request.headers.multi_items())
        return httpx.Response(answer.status, headers=[*answer.headers.items()], stream=httpx.ByteStream(answer.body))

    async def aclose(self) -> None:
        await self._client.close()
        # Its thread may still be returning from the last answer; an interpreter that ends meanwhile aborts.
        await asyncio.sleep(_LAST_WORD_SECONDS)


class _Client(httpx.AsyncClient):
    """A client with our transport, which can be reached."""

    def __init__(self, transport: _Transport) -> None:
        # Its timeouts are the builder's: those of a request would become one for the whole of it.
        super().__init__(transport=transport, timeout=None)
        self.transport = transport


def http_client(*, connect_timeout: float, read_timeout: float, max_connections: int) -> httpx.AsyncClient:
    """Return a client with these timeouts, in seconds; a wait for a connection of the pool has none."""
    if not HAS_PYREQWEST:
        limits = httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
        return httpx.AsyncClient(timeout=httpx.Timeout(read_timeout, connect=connect_timeout, pool=None), limits=limits)
    builder = (
        ClientBuilder()
        .http1_only()
        .follow_redirects(False)
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .max_connections(max_connections)
        .pool_max_idle_per_host(max_connections)
        .connect_timeout(timedelta(seconds=connect_timeout))
        .read_timeout(timedelta(seconds=read_timeout))
    )
    return _Client(_Transport(builder.build()))
