"""Rows as relations that SQL can read, through Polars. A room of its own: what only reads need not load Polars."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import polars as pl

from models.table import Table

POLARS_TYPES: Mapping[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "JSON": pl.String(),
    "BIGINT": pl.Int64(),
    "BOOLEAN": pl.Boolean(),
    "TIMESTAMP": pl.Datetime("us"),
}


@contextmanager
def relation(
    con: duckdb.DuckDBPyConnection,
    name: str,
    columns: Mapping[str, pl.DataType],
    rows: Iterable[Sequence[object]],
) -> Iterator[None]:
    """The rows under this name, as a relation that SQL can read; text may be given as its bytes in UTF-8."""
    by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
    series = (_series(column, kind, values) for (column, kind), values in zip(columns.items(), by_column, strict=True))
    con.register(name, pl.DataFrame(list(series)))
    try:
        yield
    finally:
        con.unregister(name)


def _series(name: str, kind: pl.DataType, values: Sequence[object]) -> pl.Series:
    is_bytes = bool(values) and isinstance(values[0], bytes)
    return pl.Series(name, values, dtype=pl.Binary() if is_bytes else kind).cast(kind)


def polars_columns(table: Table) -> dict[str, pl.DataType]:
    """The table's columns as a Polars schema."""
    return {column.name: POLARS_TYPES[column.type] for column in table.columns}
