"""Rows as relations that SQL can read, through Polars. A room of its own: what only reads need not load Polars."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import polars as pl
import pyarrow as pa

from models.table import Table
from pipelines.ingest.database import MEMORY_BYTES

GIVEN = "given_rows"
_MEMORY_TIMES = 12
"""How much memory a statement may take, in times the bytes it is given; it takes about half as much."""
POLARS_TYPES: Mapping[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "JSON": pl.String(),
    "BIGINT": pl.Int64(),
    "BOOLEAN": pl.Boolean(),
    "TIMESTAMP": pl.Datetime("us"),
}


def frame(columns: Mapping[str, pl.DataType], values: Iterable[Collection[object]]) -> pl.DataFrame:
    """The values of each column as a frame; text may be given as its bytes in UTF-8."""
    return pl.DataFrame([_series(*column, given) for column, given in zip(columns.items(), values, strict=True)])


def execute(con: duckdb.DuckDBPyConnection, statement: str, given_rows: pl.DataFrame | pa.Table) -> None:
    """Run a statement that reads a frame, or an Arrow table, as the relation GIVEN.

    DuckDB finds it here by its name. A registered one would stay in memory until the transaction ends, as would a
    temporary table that was dropped.
    """
    _allow(con, given_rows)
    con.execute(statement)


def read(con: duckdb.DuckDBPyConnection, query: str, given_rows: pl.DataFrame | pa.Table) -> pa.Table:
    """What a query makes of a frame that it reads as the relation GIVEN."""
    _allow(con, given_rows)
    return con.sql(query).to_arrow_table()


def _allow(con: duckdb.DuckDBPyConnection, rows: pl.DataFrame | pa.Table) -> None:
    """Raise the limit where rows are so long that few of them need more."""
    size = rows.estimated_size() if isinstance(rows, pl.DataFrame) else rows.nbytes
    if _MEMORY_TIMES * size > MEMORY_BYTES:
        con.execute(f"set memory_limit = '{_MEMORY_TIMES * size}B'")


@contextmanager
def relation(
    con: duckdb.DuckDBPyConnection,
    name: str,
    columns: Mapping[str, pl.DataType],
    rows: Iterable[Sequence[object]],
) -> Iterator[None]:
    """The rows under this name, as a relation that several statements can read; for what is small."""
    by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
    con.register(name, frame(columns, by_column))
    try:
        yield
    finally:
        con.unregister(name)


def _series(name: str, kind: pl.DataType, values: Collection[object]) -> pl.Series:
    is_bytes = isinstance(next(iter(values), None), bytes)
    return pl.Series(name, values, dtype=pl.Binary() if is_bytes else kind).cast(kind)


def polars_columns(table: Table) -> dict[str, pl.DataType]:
    """The table's columns as a Polars schema."""
    return {column.name: POLARS_TYPES[column.type] for column in table.columns}
