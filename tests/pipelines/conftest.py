"""A warehouse, a local API and a client for the tests of the flow."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:  # most tests of this room do without it
    import dagster as dg

ROOT = Path(__file__).parents[2]
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


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[dg.DagsterInstance]":
    """A Dagster instance as `dagster.yaml` describes it, its state in a temporary directory."""
    import dagster as dg

    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
    monkeypatch.setenv("CONVERSATIONS_DAGSTER_STATE", str(tmp_path / "dagster"))
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.get() as found:
        yield found


@pytest.fixture
def environment(where: Places, api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run finds in its environment: a key, the local API, the files of the warehouse, no source."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-zebra-of-a-key")
    monkeypatch.setenv("OPENAI_BASE_URL", api)
    monkeypatch.setenv("CONVERSATIONS_WAREHOUSE", str(where.warehouse))
    monkeypatch.setenv("CONVERSATIONS_SERVING", str(where.serving))
    monkeypatch.delenv("CONVERSATIONS_SOURCE", raising=False)
