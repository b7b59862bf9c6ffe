"""The serving snapshot: a copy of the warehouse that everybody may open, put in place in one step."""

import os
import shutil
import time
from contextlib import suppress
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path

import duckdb

from models import ops
from pipelines.ingest.clock import utc
from pipelines.ingest.database import (
    attach,
    connect_read_only,
    owner_only,
    said,
    sync_to_disk,
    temporary,
)
from pipelines.ingest.errors import WarehouseError
from pipelines.ingest.reading import open_snapshot
from pipelines.ingest.snapshot_tables import leave_views, make_tables
from pipelines.ingest.warehouse import Warehouse

_VERSION = f"select created_at, data_version from {ops.WAREHOUSE.full_name}"
_CHUNK_BYTES = 1 << 30
LEAST_DISTANCE = timedelta(minutes=5)
_COPY_SHARE = 20
MEMORY = ("set memory_limit = '400MB'", "set memory_limit = '1GB'", "reset memory_limit")
"""What making tables may take: the first is enough for a conversation of 500,000 items, the last DuckDB's default."""


def publish(warehouse: Warehouse, serving: Path) -> float | None:
    """Copy the warehouse to its snapshot, if data changed since the last copy; the seconds that took, else None.

    In the copy, views that would be slow to read are tables (`View.sorted_by`).
    Readers that hold the old snapshot open keep it. WarehouseError if commits are not in the file yet, or the copy
    cannot be written; then the old snapshot stays.
    """
    if _published_version(serving) == warehouse.con.execute(_VERSION).fetchall():
        return None
    started = time.monotonic()
    warehouse.con.execute("checkpoint")
    log = warehouse.path.with_name(warehouse.path.name + ".wal")
    if log.exists() and log.stat().st_size:
        raise WarehouseError(f"{log}: commits are still in the write-ahead log; publishing would lose them")
    try:
        serving.parent.mkdir(parents=True, exist_ok=True)
        fresh = temporary(serving)
        _copy(warehouse.file, fresh)
        _make_tables(fresh, serving)
        sync_to_disk(fresh)
        fresh.replace(serving)
    except (OSError, duckdb.Error) as error:
        failure = said(error)
    else:
        return time.monotonic() - started
    with suppress(OSError):
        temporary(serving)
    raise WarehouseError(
        f"{serving}: cannot write the snapshot: {failure}; and run `conversations publish`. The warehouse is complete."
    )


def is_time(warehouse: Warehouse, serving: Path, now: datetime) -> bool:
    """Whether a scheduled run should publish: five minutes after the last snapshot, or 20 times what copying took.

    At once, if there is no snapshot of this version, or it still holds what was forgotten.
    """
    try:
        open_snapshot(serving).close()
        published_at = utc(serving.stat().st_mtime)
    except (OSError, WarehouseError):
        return True
    if warehouse.has_forgotten_since(published_at):
        return True
    return is_long_ago(published_at, warehouse.last_publish_ms() / 1000, now)


def is_long_ago(published_at: datetime, last_copy_seconds: float, now: datetime) -> bool:
    """Whether the snapshot is so old that a copy may be made again, for what it costs."""
    age = now - published_at
    return not timedelta(0) <= age < max(LEAST_DISTANCE, _COPY_SHARE * timedelta(seconds=last_copy_seconds))


def _published_version(serving: Path) -> object:
    """What the snapshot is a copy of; None if that cannot be read, which is no reason not to replace it."""
    try:
        with connect_read_only(serving) as con:
            return con.execute(_VERSION).fetchall()
    except (WarehouseError, duckdb.Error):
        return None


def _make_tables(path: Path, last: Path) -> None:
    """Put tables in the place of views; where no memory is enough for that, they stay views, slow and as right."""
    for allow in MEMORY:
        with owner_only(), attach(path) as con, suppress(duckdb.OutOfMemoryException):
            con.execute(allow)
            make_tables(con, last)
            con.execute("checkpoint")  # at closing, a failure would go unnoticed
            return
    with owner_only(), attach(path) as con:
        leave_views(con)
        con.execute("checkpoint")


def _copy(source: BufferedReader, target: Path) -> None:
    """Copy inside the kernel, sharing blocks where the file system can."""
    with target.open("wb") as writable:
        os.lseek(source.fileno(), 0, os.SEEK_SET)
        try:
            while os.copy_file_range(source.fileno(), writable.fileno(), _CHUNK_BYTES):
                pass
        except (AttributeError, OSError):  # not on this system, or not between these file systems
            source.seek(0)
            writable.seek(0)
            shutil.copyfileobj(source, writable)
