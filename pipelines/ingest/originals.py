"""How an item's bytes are kept and given back exactly: as text, or base64; long payloads in files of their own."""

import os
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

import duckdb

from models import raw as facts
from models.payloads import PAYLOAD_KEPT_BYTES, Blob, cut, restore
from pipelines.ingest.errors import WarehouseError

CUT_FROM_BYTES = PAYLOAD_KEPT_BYTES
"""Payload strings from this length on are cut out of raw, unless an option says otherwise; 0 cuts none."""


class Kept(NamedTuple):
    """What is kept of an item's bytes."""

    raw: bytes
    """UTF-8."""
    is_raw_base64: bool
    blobs: tuple[Blob, ...]


class Originals:
    """The files beside a warehouse that hold what was cut out of its items, each under its SHA-256."""

    def __init__(self, warehouse: Path, cut_from_bytes: int = CUT_FROM_BYTES) -> None:
        """Keep the files in a directory beside the warehouse; it is made when the first one is written."""
        self.directory = warehouse.with_name(warehouse.name + ".blobs")
        self._cut_from_bytes = cut_from_bytes

    def keep(self, received: bytes) -> Kept:
        """Take an item's bytes apart, and write what was cut out; the files are on disk when this returns."""
        left, cut_out = cut(received, self._cut_from_bytes) if self._cut_from_bytes else (received, [])
        try:
            left.isascii() or left.decode()
        except UnicodeDecodeError:
            return Kept(b64encode(received), True, ())
        for blob, content in cut_out:
            self._write(blob.sha256, content)
        return Kept(left, False, tuple(blob for blob, _ in cut_out))

    def give_back(self, raw: str, is_raw_base64: bool | None, blobs: Iterable[tuple[int, str]]) -> bytes:
        """The bytes as received; `blobs` are (byte_offset, sha256). WarehouseError if a file is missing."""
        if is_raw_base64:
            return b64decode(raw)
        return restore(raw.encode(), [(offset, self._read(digest)) for offset, digest in blobs])

    def keep_only(self, digests: Collection[str]) -> None:
        """Remove every file but these."""
        for path in self.directory.glob("*/*"):
            if path.name not in digests:
                path.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self.directory / digest[:2] / digest

    def _read(self, digest: str) -> bytes:
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            raise WarehouseError(
                f"{self._path(digest)}: missing; the directory belongs to the warehouse and moves with it"
            ) from None

    def _write(self, digest: str, content: bytes) -> None:
        path = self._path(digest)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{digest}.{os.getpid()}.new")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def read_original(con: duckdb.DuckDBPyConnection, originals: Originals, conversation_id: str, item_id: str) -> bytes:
    """An item's bytes as received, put together again. WarehouseError if it is not stored."""
    key = [conversation_id, item_id]
    found = con.execute(
        f"select raw, is_raw_base64 from {facts.ITEMS.full_name} where conversation_id = ? and item_id = ?", key
    ).fetchall()
    if not found:
        raise WarehouseError(f"{item_id} of {conversation_id}: not stored; sync first, or check both IDs")
    blobs = con.execute(
        f"select byte_offset, sha256 from {facts.BLOBS.full_name} where conversation_id = ? and item_id = ?", key
    ).fetchall()
    raw, is_raw_base64 = found[0]
    return originals.give_back(raw, is_raw_base64, blobs)
