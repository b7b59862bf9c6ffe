"""What tests of models share."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.ingest.originals import Originals
from pipelines.ingest.schema import prepare
from tests.models.given import Given


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        prepare(con, Path("memory"), Originals(Path("memory")))
        yield con


@pytest.fixture
def given(warehouse: duckdb.DuckDBPyConnection) -> Iterator[Given]:
    warehouse.execute("begin")
    yield Given(warehouse)
    warehouse.execute("rollback")
