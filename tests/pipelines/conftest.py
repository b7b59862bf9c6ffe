"""A warehouse, a local API and a client for the tests of the flow."""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

from connectors.emulator import Store, running_emulator
from connectors.openai_conversations import ConversationsClient
from pipelines.ingest.places import Places
from pipelines.ingest.registry import candidates
from pipelines.ingest.sync import SyncOptions, sync
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import SyncResult

KEY = "sk-test-marker-of-a-key"


@pytest.fixture
def where(tmp_path: Path) -> Places:
    """The files of an empty warehouse."""
    return Places(tmp_path / "warehouse.duckdb", tmp_path / "serving.duckdb")


@pytest.fixture
def store() -> Store:
    """An empty local API."""
    return Store(seed=1)


@pytest.fixture
def api(store: Store) -> Iterator[str]:
    """The base URL at which the store is served."""
    with running_emulator(store) as base_url:
        yield base_url


@pytest.fixture
def pull(where: Places, api: str) -> Callable[..., SyncResult]:
    """One sync of the registered conversations; takes the options of a sync."""

    def run(**options: object) -> SyncResult:
        client = ConversationsClient(KEY, base_url=api)
        return sync(where, client, SyncOptions(**options))  # type: ignore[arg-type]  # forwarded by name

    return run


@pytest.fixture
def register(where: Places) -> Callable[..., int]:
    """Adds conversations to the registry."""

    def add(*ids: str) -> int:
        with Warehouse.open(where.warehouse) as warehouse:
            return warehouse.register(candidates("test", ids)).new

    return add


@pytest.fixture
def rows(where: Places) -> Callable[..., list[tuple[object, ...]]]:
    """What a query gives on the serving snapshot."""

    def ask(query: str, *values: object) -> list[tuple[object, ...]]:
        with duckdb.connect(where.serving, read_only=True) as con:
            return con.execute(query, list(values)).fetchall()

    return ask


@pytest.fixture
def land(where: Places, register: Callable[..., int]) -> Callable[..., SyncResult]:
    """Syncs a conversation whose list is just these items, each the bytes of its JSON; all on one page."""

    def run(*raw: bytes, conversation_id: str = "conv_1", **options: object) -> SyncResult:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/items"):
                return httpx.Response(200, content=b'{"object":"list","data":[%b],"has_more":false}' % b",".join(raw))
            return httpx.Response(200, json={"id": conversation_id, "created_at": 1_790_000_000, "metadata": {}})

        register(conversation_id)
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        client = ConversationsClient(KEY, base_url="http://localhost/v1", http_client=http)
        chosen = SyncOptions(chosen=(conversation_id,), **options)  # type: ignore[arg-type]  # forwarded by name
        return sync(where, client, chosen)

    return run
