"""How bytes get to the server and back, under httpx's API: pyreqwest where it is installed, else what httpx brings.

httpx's own transport is the bottleneck of a full load: it holds the interpreter while it reads. pyreqwest reads in
threads of its own (`docs/benchmarks.md` has the figures). Proxies and certificates come from the environment with
either. Redirects, decompression and cookies are left to httpx, so that both behave alike.
"""

from __future__ import annotations

from datetime import timedelta

import httpx

try:
    from pyreqwest.client import ClientBuilder
    from pyreqwest.compatibility.httpx import HttpxTransport
    from pyreqwest.exceptions import PyreqwestError
except ImportError:  # no build of it for this machine
    HAS_PYREQWEST = False
    ERRORS: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, OSError)
else:
    HAS_PYREQWEST = True
    ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError, PyreqwestError)

    class _Transport(HttpxTransport):
        """Tells a body that was cut off from one that cannot be decompressed, which is left to httpx."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            try:
                return await super().handle_async_request(request)
            except httpx.DecodingError:
                error: httpx.TransportError = httpx.ReadError("the body was cut off")
            except ValueError:
                error = httpx.UnsupportedProtocol("an address that cannot be asked")
            raise error


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
