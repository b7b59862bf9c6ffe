"""Rows as relations that SQL can read, through Polars, which is loaded when there are some: it takes its time."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from models.table import Table
from pipelines.ingest.database import MEMORY_BYTES

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

GIVEN = "given_rows"
_MEMORY_TIMES = 12
"""How much memory a statement may take, in times the bytes it is given; it takes about half as much."""
Columns = Mapping[str, str]
"""Names of columns, and DuckDB's words for their types."""


def columns_of(table: Table) -> Columns:
    """The table's columns."""
    return {column.name: column.type for column in table.columns}


def frame(columns: Columns, values: Iterable[Collection[object]]) -> "pl.DataFrame":
    """The values of each column as a frame; text may be given as its bytes in UTF-8."""
    import polars as pl

    types = {
        "VARCHAR": pl.String(),
        "JSON": pl.String(),
        "BIGINT": pl.Int64(),
        "BOOLEAN": pl.Boolean(),
        "TIMESTAMP": pl.Datetime("us"),
    }

    def series(name: str, kind: pl.DataType, values: Collection[object]) -> pl.Series:
        is_bytes = isinstance(next(iter(values), None), bytes)
        return pl.Series(name, values, dtype=pl.Binary() if is_bytes else kind).cast(kind)

    return pl.DataFrame([series(name, types[columns[name]], each) for name, each in zip(columns, values, strict=True)])


def together(frames: Iterable["pl.DataFrame"]) -> "pl.DataFrame":
    """The rows of frames with the same columns."""
    import polars as pl

    return pl.concat(frames)


def execute(con: duckdb.DuckDBPyConnection, statement: str, given_rows: "pl.DataFrame | pa.Table") -> None:
    """Run a statement that reads a frame, or an Arrow table, as the relation GIVEN.

    DuckDB finds it here by its name. A registered one would stay in memory until the transaction ends, as would a
    temporary table that was dropped.
    """
    _allow(con, given_rows)
    con.execute(statement)


def read(con: duckdb.DuckDBPyConnection, query: str, given_rows: "pl.DataFrame | pa.Table") -> "pa.Table":
    """What a query makes of a frame that it reads as the relation GIVEN."""
    _allow(con, given_rows)
    return con.sql(query).to_arrow_table()


def _allow(con: duckdb.DuckDBPyConnection, rows: "pl.DataFrame | pa.Table") -> None:
    """Raise the limit where rows are so long that few of them need more."""
    import polars as pl

    size = rows.estimated_size() if isinstance(rows, pl.DataFrame) else rows.nbytes
    if _MEMORY_TIMES * size > MEMORY_BYTES:
        con.execute(f"set memory_limit = '{_MEMORY_TIMES * size}B'")


@contextmanager
def relation(
    con: duckdb.DuckDBPyConnection,
    name: str,
    columns: Columns,
    rows: Iterable[Sequence[object]],
) -> Iterator[None]:
    """The rows under this name, as a relation that several statements can read; for what is small."""
    by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
    con.register(name, frame(columns, by_column))
    try:
        yield
    finally:
        con.unregister(name)
