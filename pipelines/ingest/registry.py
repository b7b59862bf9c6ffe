"""Where conversation IDs come from: arguments, files, SQL, a server. Not here: keeping them (`warehouse`)."""

import asyncio
import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from connectors import openai_conversations as api
from connectors.openai_conversations.listing import conversation_ids
from connectors.openai_conversations.protocol import is_conversation_id
from pipelines.ingest.clock import utc_now
from pipelines.ingest.errors import SourceError

if TYPE_CHECKING:
    import polars as pl  # loaded by what needs it: that takes its time

ID_COLUMNS = ("conversation_id", "id")
TOUCHED_COLUMN = "touched_at"
SERVER = "server"
_SQLITE_MAGIC = b"SQLite format 3\x00"
_NUMBER = re.compile(r"\d+(\.\d+)?")
_EARLIEST_SECONDS = 1e9  # 2001


@dataclass(frozen=True)
class Candidates:
    """The IDs that a source named: well-formed ones once each, in order, and what is no conversation ID."""

    source: str
    ids: tuple[str, ...]
    malformed: tuple[str, ...]
    touched_at: Mapping[str, datetime]
    """When each last had something new, UTC, where the source says so."""

    def touched(self) -> "Candidates":
        """The same, all of them touched now."""
        return replace(self, touched_at=dict.fromkeys(self.ids, utc_now()))


def candidates(source: str, named: Iterable[object], touched_at: Mapping[str, datetime] | None = None) -> Candidates:
    """Tell well-formed conversation IDs from the rest; blanks do not count."""
    words = list(dict.fromkeys(str(word).strip() for word in named if word is not None))
    return Candidates(
        source,
        tuple(word for word in words if is_conversation_id(word)),
        tuple(word for word in words if word and not is_conversation_id(word)),
        touched_at or {},
    )


def from_file(path: Path) -> Candidates:
    """The IDs in a file: txt has one a line (# begins a comment), the others a column.

    SourceError if the file cannot be read, is of an unknown kind, or holds no column that could be the IDs'.
    """
    import polars as pl

    readers = {
        ".csv": lambda path: pl.read_csv(path, infer_schema=False),
        ".jsonl": pl.read_ndjson,
        ".ndjson": pl.read_ndjson,
        ".parquet": pl.read_parquet,
    }
    suffix = path.suffix.lower()
    try:
        if suffix == ".txt":
            lines = path.read_text(encoding="utf-8-sig").splitlines()
            return _some(candidates(path.name, (line.partition("#")[0] for line in lines)), "one ID a line")
        if suffix not in readers:
            raise SourceError(f"{path}: a file of IDs ends in one of .txt, {', '.join(readers)}")
        frame = readers[suffix](path)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise SourceError(f"{path}: cannot be read as {suffix or 'text'} ({type(error).__name__})") from error
    return _some(_from_frame(path.name, frame), "the column of IDs")


def from_sql(query: str, database: Path | None = None) -> Candidates:
    """The IDs that a query gives on a DuckDB or SQLite file (opened read-only), or without a file on DuckDB itself.

    SourceError if the file or the query is not usable, or its result has no column that could be the IDs'.
    """
    if database is not None and not database.is_file():
        raise SourceError(f"{database}: no such file; --database names a DuckDB or SQLite file")
    if database is not None and _is_sqlite(database):
        return _from_frame(database.name, _query_sqlite(query, database))
    try:
        with duckdb.connect(database or ":memory:", read_only=database is not None) as con:
            return _from_frame(database.name if database else "sql", con.sql(query).pl())
    except (duckdb.Error, AttributeError) as error:  # a statement without a result has no .pl()
        raise SourceError(f"{database or 'sql'}: the query failed: {str(error).splitlines()[0]}") from error


def from_server(client: "api.ConversationsClient") -> Candidates:
    """The IDs of all conversations that the server lists, oldest first. NoListError if it has no such list."""

    async def ask() -> list[str]:
        async with client:
            return [conversation_id async for conversation_id in conversation_ids(client)]

    return candidates(client.host, asyncio.run(ask()))


def from_setting(source: str) -> tuple[Candidates, ...]:
    """The IDs that CONVERSATIONS_SOURCE names: `server`, a file, a glob, or SQL (begins with select, with or from)."""
    if source == SERVER:
        return (from_server(api.ConversationsClient()),)
    if source.split(maxsplit=1)[0].lower() in ("select", "with", "from"):
        return (from_sql(source),)
    paths = sorted(glob(source))  # noqa: PTH207 (the pattern may be absolute)
    if not paths:
        raise SourceError(f"CONVERSATIONS_SOURCE: no file matches {source}")
    return tuple(from_file(Path(path)) for path in paths)


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC


def _query_sqlite(query: str, database: Path) -> "pl.DataFrame":
    import polars as pl

    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as con:
            cursor = con.execute(query)
            columns = [column[0] for column in cursor.description or ()]
            values = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(columns)
            return pl.DataFrame(
                {
                    name: pl.Series(map(_text, column), dtype=pl.String)
                    for name, column in zip(columns, values, strict=True)
                }
            )
    except sqlite3.Error as error:
        raise SourceError(f"{database}: the query failed: {error}") from error


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _from_frame(source: str, frame: "pl.DataFrame") -> Candidates:
    column = next((name for name in ID_COLUMNS if name in frame.columns), None)
    if column is None and frame.width == 1:
        column = frame.columns[0]
    if column is None:
        raise SourceError(
            f"{source}: no column of conversation IDs; looked for {' or '.join(ID_COLUMNS)}, or a single column, "
            f"and found {', '.join(frame.columns) or 'none'}"
        )
    headings = [column] if is_conversation_id(column) else []  # a file without a heading begins with an ID
    ids = frame[column].to_list()
    touched = next((frame[name].to_list() for name in frame.columns if name.lower() == TOUCHED_COLUMN), [])
    times: dict[str, datetime] = {}
    for word, value in zip(ids, touched, strict=False):
        if word is not None and value not in (None, ""):
            name, time = str(word).strip(), _time(source, value)
            times[name] = max(time, times.get(name, time))
    return candidates(source, [*headings, *ids], times)


def _time(source: str, value: object) -> datetime:
    """A time as sources write it, in UTC and not after now: a timestamp, ISO 8601, Unix seconds or milliseconds."""
    try:
        match value:
            case datetime():
                time = value
            case _:
                text = str(value).strip()
                is_number = _NUMBER.fullmatch(text)
                time = datetime.fromtimestamp(_seconds(float(text)), UTC) if is_number else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise SourceError(
            f"{source}: {TOUCHED_COLUMN} holds what is no time; write ISO 8601, Unix seconds or milliseconds, or leave "
            "it empty"
        ) from None
    return min(time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None), utc_now())


def _seconds(number: float) -> float:
    """Unix seconds, given as such or as milliseconds; ValueError for what can be neither, like 20261122."""
    if number < _EARLIEST_SECONDS:
        raise ValueError("too small for a time")
    return number if number < _EARLIEST_SECONDS * 1000 else number / 1000


def _some(found: Candidates, looked_at: str) -> Candidates:
    if not found.ids and not found.malformed:
        raise SourceError(f"{found.source}: no conversation IDs; looked at {looked_at}")
    return found
