"""The serving snapshot: a copy of the warehouse that everybody may open, put in place in one step."""

import os
import shutil
from pathlib import Path

import duckdb

from models import ops
from pipelines.ingest.database import connect_read_only
from pipelines.ingest.errors import WarehouseError
from pipelines.ingest.warehouse import Warehouse

_VERSION = f"select created_at, data_version from {ops.WAREHOUSE.full_name}"
_CHUNK_BYTES = 1 << 30


def publish(warehouse: Warehouse, serving: Path) -> bool:
    """Copy the warehouse to its snapshot, if data changed since the last copy, and close it. Returns whether it did.

    Readers that hold the old snapshot open keep it. The copy comes last in a connection's life: closing a second
    handle on the file gives up the process's lock on it (POSIX locks belong to the process, not to the handle).
    WarehouseError if commits are not in the file yet, or the copy cannot be written.
    """
    with warehouse:
        if _published_version(serving) == warehouse.con.execute(_VERSION).fetchall():
            return False
        warehouse.con.execute("checkpoint")
        log = warehouse.path.with_name(warehouse.path.name + ".wal")
        if log.exists() and log.stat().st_size:
            raise WarehouseError(f"{log}: commits are still in the write-ahead log; publishing would lose them")
        temporary = serving.with_name(serving.name + ".new")
        try:
            serving.parent.mkdir(parents=True, exist_ok=True)
            _copy(warehouse.path, temporary)
            temporary.replace(serving)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise WarehouseError(f"{serving}: cannot write the snapshot: {error.strerror}") from error
    return True


def _published_version(serving: Path) -> object:
    """What the snapshot is a copy of; None if that cannot be read, which is no reason not to replace it."""
    try:
        with connect_read_only(serving) as con:
            return con.execute(_VERSION).fetchall()
    except (WarehouseError, duckdb.Error):
        return None


def _copy(source: Path, target: Path) -> None:
    """Copy inside the kernel, sharing blocks where the file system can, and wait until it is on disk."""
    with source.open("rb") as readable, target.open("wb") as writable:
        try:
            while os.copy_file_range(readable.fileno(), writable.fileno(), _CHUNK_BYTES):
                pass
        except (AttributeError, OSError):  # not on this system, or not between these file systems
            readable.seek(0)
            writable.seek(0)
            shutil.copyfileobj(readable, writable)
        os.fsync(writable.fileno())
