"""Speaking to DuckDB: connections, transactions, rows as a relation. Not here: any table of ours."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import polars as pl

from models.table import Table
from pipelines.ingest.errors import WarehouseError

STORAGE_VERSION = "v1.5.0"
"""Files are written for this DuckDB and all later ones, whichever version writes them."""
_PAUSE_SECONDS = 0.2
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "storage_compatibility_version": STORAGE_VERSION,
    # A checkpoint re-encodes the last row group of every touched table: once at the end, not once every 16 MB.
    "checkpoint_threshold": "1GB",
    "autoinstall_known_extensions": False,
}
POLARS_TYPES: Mapping[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "JSON": pl.String(),
    "BIGINT": pl.Int64(),
    "BOOLEAN": pl.Boolean(),
    "TIMESTAMP": pl.Datetime("us"),
}


def connect(path: Path, wait_seconds: float) -> duckdb.DuckDBPyConnection:
    """Open the file for writing, as the one process that may; waits while another one has it open.

    WarehouseError if it is still held after `wait_seconds`, or cannot be opened at all.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return duckdb.connect(path, config=_CONFIG)
        except duckdb.Error as error:
            if not _is_held(error):
                raise WarehouseError(f"{path}: cannot be opened as a DuckDB file: {_first_line(error)}") from error
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"{path}: still open in {_holder(error)} after {wait_seconds:.0f} s; wait for it to end, and read "
                    "from the serving snapshot instead of the warehouse"
                ) from error
        time.sleep(_PAUSE_SECONDS)


def connect_read_only(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a snapshot for reading. WarehouseError if there is none, or it is no DuckDB file."""
    if not path.is_file():
        raise WarehouseError(f"{path}: no snapshot yet; register conversations and run `conversations sync` first")
    try:
        con = duckdb.connect(path, read_only=True)
    except duckdb.Error as error:
        raise WarehouseError(f"{path}: cannot be read as a snapshot: {_first_line(error)}") from error
    con.execute("set python_enable_replacements = false")  # a name in SQL is a table, never a variable of ours
    return con


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing."""
    con.execute("begin")
    try:
        yield
        con.execute("commit")
    except BaseException:
        with suppress(duckdb.Error):  # a commit that failed has rolled back by itself
            con.execute("rollback")
        raise


@contextmanager
def relation(
    con: duckdb.DuckDBPyConnection,
    name: str,
    columns: Mapping[str, pl.DataType],
    rows: Iterable[Sequence[object]],
) -> Iterator[None]:
    """The rows under this name, as a relation that SQL can read."""
    by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
    series = (
        pl.Series(column, values, dtype=kind) for (column, kind), values in zip(columns.items(), by_column, strict=True)
    )
    con.register(name, pl.DataFrame(list(series)))
    try:
        yield
    finally:
        con.unregister(name)


def polars_columns(table: Table) -> dict[str, pl.DataType]:
    """The table's columns as a Polars schema."""
    return {column.name: POLARS_TYPES[column.type] for column in table.columns}


def insert(con: duckdb.DuckDBPyConnection, table: Table, values: Sequence[object]) -> None:
    """Add one row."""
    con.execute(f"insert into {table.full_name} values ({', '.join('?' * len(values))})", list(values))


def one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that the query gives."""
    return int(con.execute(query).fetchall()[0][0])


def _is_held(error: Exception) -> bool:
    return isinstance(error, duckdb.IOException) and "lock on file" in str(error)


def _holder(error: Exception) -> str:
    found = re.search(r"held in (.+?) \(PID (\d+)\)", str(error))
    return f"process {found[2]} ({Path(found[1]).name})" if found else "another process"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
