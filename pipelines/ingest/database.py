"""Speaking to DuckDB: connections, transactions, files. Not here: tables of ours, and rows as relations (`frames`)."""

import errno
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from traceback import walk_tb

import duckdb
from filelock import FileLock, Timeout

from models.table import Table, literal
from pipelines.ingest.errors import WarehouseError

STORAGE_VERSION = "v1.5.0"
"""Files are written for this DuckDB and all later ones, whichever version writes them."""
ROW_GROUP_ROWS = 10_240
"""Rows that fill a group go straight to their place in the file: they are not written to the log first, nor kept in
memory until the checkpoint, as those of DuckDB's own groups of 122,880 are."""
COPY = "fresh_copy"
OURS = "warehouse"
_PAUSE_SECONDS = 0.2
_FILE_TROUBLES = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM)
_OWNER_ONLY = 0o077
MEMORY_BYTES = 200_000_000
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    # A checkpoint re-encodes the last row group of every touched table: once at the end, not once every 16 MB.
    "checkpoint_threshold": "1GB",
    # Without a limit, what was written stays in memory until much of the machine's is full.
    "memory_limit": f"{MEMORY_BYTES}B",
    # Text of this length on average is compressed: files are less than half as large, and written as fast.
    "zstd_min_string_length": 200,
    "autoinstall_known_extensions": False,
}


def connect(path: Path, wait_seconds: float, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open the file for writing, as the one process that may, or just to look; waits while another one has it open.

    WarehouseError if it is still held after `wait_seconds`, or cannot be opened at all.
    """
    deadline = time.monotonic() + wait_seconds
    with _at_the_door(path, wait_seconds):
        while True:
            try:
                return attach(path, read_only=True) if read_only else _attach_to_write(path)
            except duckdb.Error as error:
                if not _is_held(error):
                    raise WarehouseError(
                        f"{path}: cannot be opened as a DuckDB file: {_why(error)}; nothing was changed"
                    ) from error
                if time.monotonic() > deadline:
                    raise WarehouseError(
                        f"{path}: still open in {_holder(error)} after {wait_seconds:.0f} s; wait for it to end, and "
                        "read from the serving snapshot instead of the warehouse"
                    ) from error
            time.sleep(_PAUSE_SECONDS)


def make(path: Path, wait_seconds: float, fill: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
    """Make the file in one step, unless it is there: it appears as `fill` made it, or not at all."""
    with _at_the_door(path, wait_seconds):
        if path.exists():
            return
        fresh = temporary(path)
        try:
            with attach(fresh) as con:
                fill(con)
                con.execute("checkpoint")  # at closing, a failure would go unnoticed
            sync_to_disk(fresh)
            fresh.replace(path)
        finally:
            temporary(path)


def attach(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open the file by attaching it, which alone lets one say how large its row groups are."""
    con = duckdb.connect(config={**_CONFIG, "temp_directory": f"{path}.tmp"})
    try:
        con.execute(_attachment(path, OURS, read_only=read_only))
        con.execute(f"use {OURS}")
    except BaseException:
        con.close()
        raise
    return con


def _attach_to_write(path: Path) -> duckdb.DuckDBPyConnection:
    con = attach(path)
    con.execute("set threads = 1")  # batches are too small to share: with two threads they took twice the CPU time
    return con


def _attachment(path: Path, name: str, *, read_only: bool = False) -> str:
    options = "read_only" if read_only else f"row_group_size {ROW_GROUP_ROWS}"
    if not path.exists():
        options += f", storage_version '{STORAGE_VERSION}'"
    return f"attach {literal(str(path))} as {name} ({options})"


def another(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Another connection to the same open file, which sees what was committed."""
    cursor = con.cursor()
    cursor.execute(f"use {OURS}")
    return cursor


def write_anew(con: duckdb.DuckDBPyConnection, path: Path, statement: str) -> None:
    """Put a fresh copy in the open file's place, without what was deleted; the connection is of no use afterwards.

    In the same step the statement takes effect, which calls the copy's catalog COPY.
    """
    fresh = temporary(path)
    con.execute("checkpoint")  # closing the connection must have nothing left to write
    try:
        _copy_anew(con, fresh, statement)
        fresh.replace(path)
    finally:
        temporary(path)


def _copy_anew(con: duckdb.DuckDBPyConnection, fresh: Path, statement: str) -> None:
    con.execute(_attachment(fresh, COPY))
    con.execute(f"copy from database {OURS} to {COPY}")
    con.execute(statement)
    con.execute(f"checkpoint {COPY}")
    con.execute(f"detach {COPY}")
    sync_to_disk(fresh)


def sync_to_disk(path: Path) -> None:
    """Wait until the file is on disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def is_awaited(path: Path) -> bool:
    """Whether another process waits to open the file that we hold."""
    try:
        with FileLock(_door(path), timeout=0):
            return False
    except Timeout:
        return True


@contextmanager
def _at_the_door(path: Path, wait_seconds: float) -> Iterator[None]:
    """Wait in a way that the holder can see: whoever waits holds this lock."""
    try:
        _door(path).touch(mode=0o600)  # FileLock would take a directory that cannot be written for a lock that is held
        with FileLock(_door(path), timeout=wait_seconds):
            yield
    except Timeout as error:
        raise WarehouseError(f"{path}: others wait for it already; try again later") from error


def temporary(path: Path) -> Path:
    """Where to write what will take the file's place; nothing is there."""
    fresh = path.with_name(path.name + ".new")
    for leftover in (fresh, fresh.with_name(fresh.name + ".wal")):
        leftover.unlink(missing_ok=True)
    return fresh


def _door(path: Path) -> Path:
    return path.with_name(path.name + ".door")


@contextmanager
def telling(path: Path, comfort: str = "what was committed before is kept") -> Iterator[None]:
    """Turn what DuckDB, Polars or the system fail with into a WarehouseError, which quotes no item."""
    try:
        yield
    except RuntimeError as error:
        if not is_interrupt(error):
            raise
        raise KeyboardInterrupt from None
    except Exception as error:
        if not isinstance(error, duckdb.Error | OSError) and not type(error).__module__.startswith("polars"):
            raise
        failure = WarehouseError(f"{path}: {said(error)}; {comfort}")
    else:
        return
    raise failure from None


def is_interrupt(error: BaseException | None) -> bool:
    """Whether this is what DuckDB makes of Ctrl-C."""
    return isinstance(error, RuntimeError) and "interrupted" in str(error)


def said(error: BaseException | None) -> str:
    """What DuckDB or the system said of files and memory; of all else, which may quote an item, kind and place."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}; see to its permissions and space"
    for trouble in map(os.strerror, _FILE_TROUBLES):
        if trouble in str(error):
            return f"{trouble}; see to its permissions and space"
    if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException):  # these speak of files and memory only
        return _first_line(error)
    *_, (frame, line) = walk_tb(error.__traceback__ if error else None)
    place = f"{Path(frame.f_code.co_filename).name}, line {line}"
    return f"an unexpected {type(error).__name__} in {place}; please report it"


@contextmanager
def owner_only() -> Iterator[None]:
    """Files made meanwhile, by DuckDB too, are their owner's alone to read and write."""
    before = os.umask(_OWNER_ONLY)
    try:
        yield
    finally:
        os.umask(before)


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


def insert(con: duckdb.DuckDBPyConnection, table: Table, values: Sequence[object]) -> None:
    """Add one row."""
    con.execute(f"insert into {table.full_name} values ({', '.join('?' * len(values))})", list(values))


def one(con: duckdb.DuckDBPyConnection, query: str, *values: object) -> int:
    """The one number that the query gives."""
    return int(con.execute(query, list(values)).fetchall()[0][0])


def _is_held(error: Exception) -> bool:
    return isinstance(error, duckdb.Error) and ("lock on file" in str(error) or "already attached" in str(error))


def _holder(error: Exception) -> str:
    found = re.search(r"held in (.+?) \(PID (\d+)\)", str(error))
    if found:
        return f"process {found[2]} ({Path(found[1]).name})"
    return "this process" if "already attached" in str(error) else "another process"


def _why(error: Exception) -> str:
    if "sqlite_scanner" in str(error):
        return "it is an SQLite database; choose another path with --warehouse"
    if "version number" in str(error) or "Storage Version" in str(error):
        return f"{_first_line(error)} A newer DuckDB wrote it: update this installation"
    return f"{_first_line(error)} Choose another path with --warehouse, or see to the file"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
