"""Rows as relations that SQL can read, through Polars. A room of its own: what only reads need not load Polars."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import polars as pl
import pyarrow as pa

from models.table import Table

GIVEN = "given_rows"
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


def execute(con: duckdb.DuckDBPyConnection, statement: str, given_rows: object) -> None:
    """Run a statement that reads a frame, or an Arrow table, as the relation GIVEN.

    DuckDB finds it here by its name. A registered one would stay in memory until the transaction ends, as would a
    temporary table that was dropped.
    """
    con.execute(statement)


def read(con: duckdb.DuckDBPyConnection, query: str, given_rows: object) -> pa.Table:
    """What a query makes of a frame that it reads as the relation GIVEN."""
    return con.sql(query).to_arrow_table()


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
