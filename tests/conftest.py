"""What tests in every room share."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors.emulator import Store, running_emulator
from connectors.emulator.samples import sample_store
from connectors.openai_conversations import ConversationsClient
from pipelines.ingest.places import Places
from pipelines.ingest.registry import candidates
from pipelines.ingest.sync import SyncOptions, sync
from pipelines.ingest.warehouse import Warehouse

SAMPLES = Path(__file__).parent / "samples"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-golden", action="store_true", help="write golden rows and what pages print anew; read the difference"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests recorded with `record_property`, whichever process ran them."""
    for report in terminalreporter.getreports("passed"):
        for name, figure in report.user_properties:
            terminalreporter.write_line(f"{name}: {figure}")


def snapshot_of(store: Store, folder: Path) -> Path:
    """A serving snapshot of all conversations of a store, pulled from the local API."""
    where = Places(folder / "warehouse.duckdb", folder / "serving.duckdb")
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.register(candidates("test", store.conversation_ids()))
    with running_emulator(store) as base_url:
        client = ConversationsClient("any", base_url=base_url)
        with ThreadPoolExecutor(1) as elsewhere:  # in this thread a browser's event loop may be running
            elsewhere.submit(sync, where, client, SyncOptions()).result()
    return where.serving


@pytest.fixture(scope="session")
def sample_serving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the sample conversations; for reading only."""
    return snapshot_of(sample_store(), tmp_path_factory.mktemp("sample"))


@pytest.fixture
def serving_of(tmp_path: Path) -> Callable[[Store], Path]:
    """Makes a snapshot of a store's conversations."""
    return lambda store: snapshot_of(store, tmp_path)
