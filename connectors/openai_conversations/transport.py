"""How bytes get to the server and back, under httpx's API: pyreqwest where it is installed, else what httpx brings.

httpx's own transport is the bottleneck of a full load: it holds the interpreter while it reads. pyreqwest reads in
threads of its own (`docs/benchmarks.md` has the figures). Proxies and certificates come from the environment with
either. Redirects, decompression and cookies are left to httpx, so that both behave alike.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import httpx

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

    class _Transport(httpx.AsyncBaseTransport):
        """Has pyreqwest send requests that have no body; an answer is read whole, and handed over once."""

        def __init__(self, client: Client) -> None:
            self._client = client

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            try:
                asked = self._client.request(request.method, str(request.url)).headers(request.headers.multi_items())
                answer = await asked.build().send()
                body = bytes(await answer.bytes())
            except (exceptions.PyreqwestError, ValueError) as failed:
                error = next((kind for theirs, kind in _KINDS if isinstance(failed, theirs)), httpx.TransportError)
            else:
                return httpx.Response(
                    answer.status, headers=list(answer.headers.items()), stream=httpx.ByteStream(body)
                )
            raise error("no answer")  # without its cause, whose text may hold a header or a URL

        async def aclose(self) -> None:
            await self._client.close()
            # Its thread may still be returning from the last answer; an interpreter that ends meanwhile aborts.
            await asyncio.sleep(_LAST_WORD_SECONDS)


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
    # Its timeouts are the builder's: those of a request would become one for the whole of it.
    return httpx.AsyncClient(transport=_Transport(builder.build()), timeout=None)  # noqa: S113
