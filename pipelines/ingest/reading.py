"""What can be read without the warehouse: questions to the serving snapshot, and how things stand."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import duckdb

from models import ops
from models import raw as facts
from models.analytics import View
from models.conform import shown
from models.items import ITEM_TYPES
from models.table import Table, quoted
from pipelines.ingest.clock import utc
from pipelines.ingest.database import connect_read_only, one
from pipelines.ingest.errors import QueryError, WarehouseError
from pipelines.ingest.originals import Originals, read_original
from pipelines.ingest.places import Places
from pipelines.ingest.report import RUNNING, read_run_file

if TYPE_CHECKING:  # only `query` loads it, through DuckDB
    import polars as pl

R = TypeVar("R", Table, View)
_PROBLEMS_SHOWN = 20
_WRITING = {getattr(duckdb.StatementType, name) for name in ("COPY", "EXPORT", "ATTACH", "DETACH", "LOAD")}
_UNPORTABLE = re.compile(r"HUGEINT|INTERVAL|UNION|BIT\b|BLOB|TIME\b|UUID|MAP|ENUM|BIGNUM|TIME ZONE|VARIANT|GEOMETRY")


@dataclass(frozen=True)
class Status:
    """How the warehouse stands, as of its snapshot; `run` is the run in progress, or the last one."""

    snapshot_at: datetime
    conversations: dict[str, int]
    never_asked: int
    due: int
    open_tails: int
    never_verified: int
    longest_unverified: datetime | None
    items: dict[str, int]
    deleted_items: int
    undeclared: dict[str, int]
    problems: list[dict[str, object]]
    open_problems: int
    drift: list[dict[str, object]]
    run: dict[str, object] | None

    def to_dict(self) -> dict[str, object]:
        """The same as plain JSON values."""
        return vars(self) | {"snapshot_at": self.snapshot_at.isoformat(timespec="seconds")}


def query(serving: Path, sql: str) -> "pl.DataFrame":
    """The result of a query on the snapshot. QueryError with DuckDB's words if it cannot be answered.

    Values of types that not every format can hold (intervals, unions, bytes ...) come as DuckDB writes them.
    """
    with connect_read_only(serving) as con:
        try:
            if any(statement.type in _WRITING for statement in duckdb.extract_statements(sql)):
                raise QueryError("`query` only reads; --output writes the result to a file")
            result = con.sql(sql)
            if result is None:
                raise QueryError("that statement gives no rows; `query` takes a SELECT")
            try:
                return result.project(_portable(result, "BIGINT")).pl()
            except duckdb.ConversionException:
                return result.project(_portable(result, "VARCHAR")).pl()
        except duckdb.Error as error:
            raise QueryError(str(error)) from error


def _portable(result: duckdb.DuckDBPyRelation, huge: str) -> str:
    """The result's columns, cast where not every format knows the type; sums of integers as `huge`."""
    casts = ((kind, huge if str(kind) == "HUGEINT" else "VARCHAR") for kind in result.types)
    return ", ".join(
        f"#{n}{f'::{cast}' if _UNPORTABLE.search(str(kind)) else ''} as {quoted(name)}"
        for n, (name, (kind, cast)) in enumerate(zip(result.columns, casts, strict=True), 1)
    )


def status(places: Places, now: datetime) -> Status:
    """How the warehouse stands. WarehouseError if there is no snapshot yet."""
    conversations, items = facts.CONVERSATIONS.full_name, facts.ITEMS.full_name
    with open_snapshot(places.serving) as con:
        never_asked, due, open_tails, never_verified, longest_unverified = con.execute(
            "select count(*) filter (last_polled_at is null), "
            "count(*) filter (status <> 'unregistered' and (next_poll_at is null or next_poll_at <= ?)), "
            "count(*) filter (tail_position is not null), "
            "count(*) filter (status = 'active' and last_verified_at is null), "
            f"min(last_verified_at) filter (status = 'active') from {conversations}",
            [now],
        ).fetchall()[0]
        by_type = _counts(con, "type", f"{items} where deleted_at is null")
        return Status(
            snapshot_at=_modified_at(places.serving),
            conversations=_counts(con, "status", conversations),
            never_asked=never_asked,
            due=due,
            open_tails=open_tails,
            never_verified=never_verified,
            longest_unverified=longest_unverified,
            items={word: count for word, count in by_type.items() if word in ITEM_TYPES},
            deleted_items=one(con, f"select count(*) from {items} where deleted_at is not null"),
            undeclared=_shown({word: count for word, count in by_type.items() if word not in ITEM_TYPES}),
            problems=_dicts(
                con,
                f"select conversation_id, kind, message, occurrences from {ops.PROBLEMS.full_name} "
                f"where closed_at is null order by last_seen_at desc, conversation_id limit {_PROBLEMS_SHOWN}",
            ),
            open_problems=one(con, f"select count(*) from {ops.PROBLEMS.full_name} where closed_at is null"),
            drift=_drift(con),
            run=_run(places),
        )


def _drift(con: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
    return _dicts(con, f"select * from {ops.DRIFT.full_name} order by last_seen_at desc, occurrences desc")


def _dicts(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, object]]:
    """The rows of a query, by the names of its columns."""
    result = con.execute(query)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def open_snapshot(serving: Path) -> duckdb.DuckDBPyConnection:
    """The snapshot, for questions of our own. WarehouseError if it is none, or one of another version."""
    con = connect_read_only(serving)
    try:
        version = one(con, f"select schema_version from {ops.WAREHOUSE.full_name}")
    except duckdb.Error:
        con.close()
        raise WarehouseError(f"{serving}: a DuckDB file, but no snapshot of a warehouse; check --serving") from None
    if version != ops.SCHEMA_VERSION:
        con.close()
        what = "`conversations sync` or `publish` writes it anew"
        raise WarehouseError(
            f"{serving}: a snapshot of another version of conversations-to-duckdb (schema {version}, this one knows "
            f"{ops.SCHEMA_VERSION}); {'update this installation' if version > ops.SCHEMA_VERSION else what}"
        )
    return con


def drift(serving: Path) -> list[dict[str, object]]:
    """Where items differ from what is declared: the rows of `ops.drift` in the snapshot, latest first."""
    with open_snapshot(serving) as con:
        return _drift(con)


def original(places: Places, conversation_id: str, item_id: str) -> bytes:
    """An item's bytes as received. WarehouseError if it is not in the snapshot, or a payload's file is missing."""
    with open_snapshot(places.serving) as con:
        return read_original(con, Originals(places.warehouse), conversation_id, item_id)


def row_counts(serving: Path, relations: Iterable[R]) -> dict[R, int]:
    """How many rows these tables or views have in the snapshot."""
    with open_snapshot(serving) as con:
        return {relation: one(con, f"select count(*) from {relation.full_name}") for relation in relations}


def _run(places: Places) -> dict[str, object] | None:
    """What the last run said of itself; one that says it is running but whose process is gone was killed."""
    run = read_run_file(places.run_file)
    if run is not None and run["status"] == RUNNING and not _is_alive(run["pid"]):
        run["status"] = "killed"
    return run


def _counts(con: duckdb.DuckDBPyConnection, word: str, relation: str) -> dict[str, int]:
    found = con.execute(f"select {word}, count(*) from {relation} group by 1 order by 2 desc, 1").fetchall()
    return dict(found)


def _shown(counts: dict[str, int]) -> dict[str, int]:
    """By words that may be shown: what could be somebody's is counted together."""
    found: dict[str, int] = {}
    for word, count in counts.items():
        found[shown(word)] = found.get(shown(word), 0) + count
    return found


def _modified_at(path: Path) -> datetime:
    return utc(path.stat().st_mtime)


def _is_alive(pid: object) -> bool:
    return Path(f"/proc/{pid}").exists() if Path("/proc").is_dir() else True
