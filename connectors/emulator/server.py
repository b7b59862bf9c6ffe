"""Runs the emulator on a real socket, in a thread or in the foreground. Knows no API rules."""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from connectors.emulator.app import create_app
from connectors.emulator.dialects import OPENAI, Dialect
from connectors.emulator.injection import Faults
from connectors.emulator.store import Store


@contextlib.contextmanager
def running_emulator(
    store: Store,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    api_key: str | None = None,
    faults: Faults | None = None,
    dialect: Dialect = OPENAI,
) -> Iterator[str]:
    """Serves a store from another thread and yields the address for clients; all is stopped and closed afterwards."""
    with _listen(host, port) as listener:
        started = threading.Event()
        server = _Server(create_app(store, api_key=api_key, faults=faults, dialect=dialect), started.set)
        thread = threading.Thread(target=server.run, args=([listener],), name="emulator", daemon=True)
        thread.start()
        try:
            started.wait()
            yield _address(listener, dialect)
        finally:
            server.should_exit = True
            thread.join()


def serve(
    store: Store,
    *,
    host: str,
    port: int,
    api_key: str | None,
    on_started: Callable[[str], None],
    faults: Faults | None = None,
    dialect: Dialect = OPENAI,
) -> None:
    """Serves a store until Ctrl-C or SIGTERM, then returns; tells the address for clients as soon as it answers.

    Raises ``OSError`` with a sentence that names the address when nothing can listen there.
    """
    with _listen(host, port) as listener:
        app = create_app(store, api_key=api_key, faults=faults, dialect=dialect)
        _Server(app, lambda: on_started(_address(listener, dialect))).run([listener])


class _Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # uvicorn picks it when it is imported
    """HTTP that lets the application get at its connection, as ``request.state.transport``."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Adds the connection to what the application is told."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """A server that tells when it answers and takes a signal for a wish to stop, not for a failure."""

    def __init__(self, app: ASGIApp, on_started: Callable[[], object]) -> None:
        """Prepares to serve an application; nothing listens yet."""
        super().__init__(
            uvicorn.Config(
                app,
                access_log=False,
                http=_Protocol,
                lifespan="off",
                log_config=None,
                log_level="warning",
                server_header=False,
                timeout_graceful_shutdown=1,
                ws="none",
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts answering, then says so."""
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hangs up on everybody, as some may wait for an answer that never comes, then stops."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stops; the parent class would also raise the signal again afterwards, and end us with an error."""
        self.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, or an error that says where listening failed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        words = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"cannot listen on {host} port {port}: {words}") from error


def _address(listener: socket.socket, dialect: Dialect) -> str:
    """Where clients find the API, with the port that is really used."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{dialect.address}"
