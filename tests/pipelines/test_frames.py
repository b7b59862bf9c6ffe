"""Rows as relations: what they may take of memory, and what they leave behind."""

import gc
import weakref
from collections.abc import Callable

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from pipelines.ingest import frames
from pipelines.ingest.frames import GIVEN, execute, read

STRUCTURE = '{"a": ["VARCHAR"]}'


@pytest.mark.parametrize("count", [1, 40])
def test_long_rows_may_take_more_memory_than_the_limit(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Payload, not the number of rows, decides: 20 MB in one item or in forty."""
    monkeypatch.setattr(frames, "MEMORY_BYTES", 50_000_000)
    words = '"' + "word " * (4_000_000 // count) + '"'
    with duckdb.connect(config={"memory_limit": "50MB"}) as con:
        rows = pl.DataFrame({"raw": [f'{{"a": [{words}]}}'] * count})
        parsed = read(con, f"select from_json(raw, '{STRUCTURE}') as e from {GIVEN}", rows)
        con.execute("create table found (part varchar)")
        execute(con, f"insert into found select unnest(e.a) from {GIVEN}", parsed)
        assert con.execute("select count(*), max(length(part)) from found").fetchall() == [(count, len(words) - 2)]


@pytest.mark.parametrize("use", [execute, read])
def test_a_transaction_does_not_hold_on_to_what_it_was_given(use: Callable[..., object]) -> None:
    """Else memory grows with the transaction, not with the batch."""
    rows = pa.table({"number": [1, 2, 3]})
    is_there = weakref.ref(rows)
    with duckdb.connect() as con:
        con.execute("begin")
        use(con, f"select sum(number) from {GIVEN}", rows)
        del rows
        con.execute("select 1").fetchall()
        gc.collect()
        assert is_there() is None
