"""The warehouse: the only writer of DuckDB. What a sync asks of what is stored, and what it commits.

Not here: what a page means (`landing`), the order of things (`sync`), who is known at all (`membership`), the copy that
others read (`publishing`).
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Self

import duckdb

from connectors.openai_conversations import OPEN_STATUSES
from models import ops
from models import raw as facts
from models.flatten import same_item
from models.items import ITEM_TYPES
from models.table import literal
from pipelines.ingest import membership, schema, typed
from pipelines.ingest.clock import utc_now
from pipelines.ingest.database import (
    COPY,
    connect,
    insert,
    is_awaited,
    make,
    one,
    owner_only,
    telling,
    transaction,
    write_anew,
)
from pipelines.ingest.errors import SelectionError, WarehouseError
from pipelines.ingest.frames import GIVEN, Columns, columns_of, execute, frame, relation
from pipelines.ingest.landing import SETTLED_AFTER, ConversationState, Landed, Row, Stored, StoredItem
from pipelines.ingest.membership import STATE_COLUMNS, Forgotten, Registered, close_problems
from pipelines.ingest.originals import CUT_FROM_BYTES, Originals, read_original
from pipelines.ingest.registry import Candidates
from pipelines.ingest.report import DUE, RunReport

if TYPE_CHECKING:
    import polars as pl

ALLOWANCE_KEPT_FOR = timedelta(days=7)
_LET_IN_SECONDS = 0.5
_WAIT_AGAIN_SECONDS = 3600.0
_CONVERSATIONS, _ITEMS, _BLOBS = (table.full_name for table in (facts.CONVERSATIONS, facts.ITEMS, facts.BLOBS))
_ITEM_COLUMNS = columns_of(facts.ITEMS)


@dataclass(frozen=True)
class Problem:
    """A trouble of one conversation; `is_over` where it is recorded for the reader, and nothing is left to do."""

    conversation_id: str
    kind: str
    message: str
    is_over: bool = False


@dataclass
class Batch:
    """What is written at once: rows, and with them the states of their conversations."""

    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    """By conversation and item: what came last counts."""
    gone: list[tuple[str, str]] = field(default_factory=list)
    renumbered: list[tuple[str, str, int]] = field(default_factory=list)
    states: dict[str, ConversationState] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    has_news: bool = False
    """Whether the states say more than when a conversation was asked."""
    may_be_stored: bool = False
    """Whether the rows' items could be stored already; not so where nothing of their conversations is."""

    def add(self, state: ConversationState, landed: Landed) -> None:
        """Take in what a page of a conversation brought, with the state that belongs to it."""
        self.rows.update(((row.conversation_id, row.item_id), row) for row in landed.rows)
        self.gone += ((state.conversation_id, item_id) for item_id in landed.gone)
        self.renumbered += (
            (state.conversation_id, item_id, position) for item_id, position in landed.renumbered.items()
        )
        self.states[state.conversation_id] = state
        self.may_be_stored = self.may_be_stored or landed.may_be_stored


@dataclass(frozen=True)
class Prepared:
    """A batch in the form in which SQL can read it."""

    batch: Batch
    items: "pl.DataFrame"
    blobs: Sequence[tuple[object, ...]]
    readable: typed.Readable
    findings: typed.Findings


@dataclass
class _Transaction:
    """What an open transaction still has to write before it is committed."""

    filling: typed.Filling
    states: dict[str, ConversationState] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    changes_data: bool = False
    """Whether it changes more than when a conversation was asked."""


class Warehouse:
    """An open warehouse; use as a context manager. One process at a time."""

    def __init__(self, path: Path, cut_from_bytes: int = CUT_FROM_BYTES) -> None:
        """Name the file; use `open`."""
        self.path = path
        self.originals = Originals(path, cut_from_bytes)
        self.con: duckdb.DuckDBPyConnection
        self.file: BufferedReader
        """The file, to copy it. Closing any handle on it gives up our lock, so this one is closed last."""
        self._opened = ExitStack()
        self._transaction: _Transaction | None = None

    @classmethod
    def open(
        cls, path: Path, *, wait_seconds: float = 30.0, cut_from_bytes: int = CUT_FROM_BYTES, create: bool = True
    ) -> Self:
        """Open the warehouse, or `create` it; waits for another process that has it open.

        What is made while it is open is readable by its owner only. WarehouseError if it is still held after
        `wait_seconds`, is not ours, or was written by a newer version.
        """
        if not create and not path.exists():
            raise WarehouseError(f"{path}: there is no warehouse; check --warehouse")
        warehouse = cls(path, cut_from_bytes)
        with telling(path, "nothing was changed"):
            warehouse._open(wait_seconds)
        if one(warehouse.con, f"select count(*) from {ops.FORGOTTEN.full_name} where erased_at is null"):
            with suppress(WarehouseError), telling(path):  # a disk too full to finish a `forget` now stops nobody else
                warehouse._erase()
        return warehouse

    def _open(self, wait_seconds: float) -> None:
        with ExitStack() as opened:
            opened.enter_context(owner_only())
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self.path.exists():
                make(self.path, wait_seconds, lambda con: schema.prepare(con, self.path, self.originals))
            self.con = connect(self.path, wait_seconds)
            self.file = self.path.open("rb")
            opened.callback(self.file.close)
            opened.callback(self.con.close)
            schema.prepare(self.con, self.path, self.originals)
            self.path.chmod(0o600)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        """The warehouse itself."""
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close the file; an error of DuckDB or the system becomes a WarehouseError."""
        with telling(self.path), ExitStack() as closing:
            closing.callback(self.close)
            if error is not None:
                raise error

    def close(self) -> None:
        """Close the file; what is still in the write-ahead log is moved into it."""
        self._opened.close()

    def let_others_in(self) -> Collection[str]:
        """If another process waits for the file, close it, and wait in turn.

        Returns the conversations that are not to be pulled any more, or that were taken in anew: what is known of them
        is no longer true.
        """
        if not is_awaited(self.path):
            return ()
        before = membership.pulled(self.con)
        self.close()
        time.sleep(_LET_IN_SECONDS)
        self._open(_WAIT_AGAIN_SECONDS)
        return {conversation_id for conversation_id, _ in before - membership.pulled(self.con)}

    def register(self, found: Candidates, *, again: bool = False) -> Registered:
        """Add conversations to the registry; known ones stay as they are, unregistered and forgotten ones are left out.

        With `again` these are taken back.
        """
        with transaction(self.con):
            registered = membership.register(self.con, found.ids, found.source, touched=found.touched_at, again=again)
            if registered.new or again:
                self._count_change()
        return registered

    def unregister(self, ids: Sequence[str]) -> None:
        """Stop pulling conversations; all that is stored of them stays. SelectionError if one is not registered."""
        with transaction(self.con):
            if unknown := membership.unregister(self.con, ids):
                raise SelectionError(f"not in the registry: {', '.join(unknown)}; nothing was changed")
            self._count_change()

    def forget(self, ids: Sequence[str]) -> Forgotten:
        """Erase conversations from the tables and the files, for good; returns what there was of them."""
        with transaction(self.con):
            forgotten = membership.forget(self.con, ids)
            self._count_change()
        self._erase()
        return forgotten

    def _erase(self) -> None:
        """Get what was deleted out of the files: the warehouse is written anew, unreferenced payloads are removed."""
        digests = self.con.execute(f"select distinct sha256 from {_BLOBS}").fetchall()
        self.originals.keep_only({digest for (digest,) in digests})
        now = utc_now().isoformat(sep=" ")
        write_anew(
            self.con,
            self.path,
            f"update {COPY}.{ops.FORGOTTEN.full_name} set erased_at = '{now}' where erased_at is null",
        )
        self.close()
        self._open(_WAIT_AGAIN_SECONDS)

    def count_conversations(self) -> int:
        """How many conversations are registered."""
        return one(self.con, f"select count(*) from {_CONVERSATIONS}")

    def open_items(self) -> Mapping[str, Sequence[str]]:
        """The items before the cursor that may still change, by conversation: a tail was too long to stay open."""
        statuses = ", ".join(map(literal, sorted(OPEN_STATUSES)))
        found = self.con.execute(  # which they are is asked first: of all the others, that reads little but the status
            f"select i.conversation_id, list(i.item_id order by i.position) from {_ITEMS} as i "
            f"join {_CONVERSATIONS} as c on c.conversation_id = i.conversation_id "
            f"where i.rowid in (select rowid from {_ITEMS} where status in ({statuses}) and first_seen_at > ? "
            "and deleted_at is null and not is_id_synthetic) "
            "and (c.tail_position is null or i.position < c.tail_position) group by all",
            [utc_now() - SETTLED_AFTER],
        ).fetchall()
        return dict(found)

    def requests_when_due(self) -> tuple[int, int]:
        """How many requests the scheduled runs of the last week made, and how many of these to compare whole lists."""
        asked, comparing = self.con.execute(
            f"select coalesce(sum(requests), 0), coalesce(sum(reconcile_requests), 0) from {ops.RUNS.full_name} "
            "where scope = ? and started_at > ?",
            [DUE, utc_now() - ALLOWANCE_KEPT_FOR],
        ).fetchall()[0]
        return int(asked), int(comparing)

    def has_forgotten_since(self, time: datetime) -> bool:
        """Whether a conversation was forgotten after this time (UTC)."""
        return one(self.con, f"select count(*) from {ops.FORGOTTEN.full_name} where forgotten_at >= ?", time) > 0

    def last_publish_ms(self) -> int:
        """Milliseconds that a run's last copying of the snapshot took; 0 if none did."""
        return one(self.con, f"select coalesce(arg_max(publish_ms, started_at), 0) from {ops.RUNS.full_name}")

    def stored(self, conversation_id: str) -> Stored:
        """How to look up what is stored of a conversation."""
        return Stored(partial(self._stored_items, conversation_id), partial(self._original, conversation_id))

    def _stored_items(self, conversation_id: str, from_position: int) -> Mapping[str, StoredItem]:
        found = self.con.execute(
            "select item_id, position, content_hash, include_set, first_seen_at, deleted_at is not null "
            f"from {_ITEMS} where conversation_id = ? and position >= ? order by position",
            [conversation_id, from_position],
        ).fetchall()
        return {item_id: StoredItem(*values) for item_id, *values in found}

    def _original(self, conversation_id: str, item_id: str) -> bytes:
        return read_original(self.con, self.originals, conversation_id, item_id)

    def prepare(self, batch: Batch) -> Prepared:
        """Everything about a batch that takes no database; payloads that were cut out are on disk when it returns."""
        rows = list(batch.rows.values())
        kept = [self.originals.keep(row.original) for row in rows]
        columns = list(zip(*rows, strict=True))[:-1] or [()] * len(Row._fields[:-1])
        columns += [tuple(how.raw for how in kept), tuple(how.is_raw_base64 for how in kept)]
        findings = typed.Findings()
        return Prepared(
            batch,
            frame(_ITEM_COLUMNS, columns),
            [
                (row.conversation_id, row.item_id, *astuple(blob))
                for row, how in zip(rows, kept, strict=True)
                for blob in how.blobs
            ],
            typed.readable(rows, findings),
            findings,
        )

    def write(self, prepared: Prepared) -> None:
        """Write a batch; nothing of it is kept before `commit`."""
        with self._writing() as transaction:
            batch = prepared.batch
            if batch.rows:
                self._write_rows(prepared, transaction.filling)
            if batch.gone:
                self._remove(batch.gone, transaction.filling)
            if batch.renumbered:
                self._renumber(batch.renumbered, transaction.filling)
            transaction.states |= batch.states
            transaction.problems += batch.problems
            news = (batch.rows, batch.gone, batch.renumbered, batch.problems, batch.has_news)
            transaction.changes_data = transaction.changes_data or any(news)

    def commit(self, run_id: str) -> None:
        """Commit the batches written since the last time: raw items, typed rows, cursors, problems, or none of it."""
        if self._transaction is None:
            return
        with self._writing() as transaction:
            transaction.filling.end()
            closed = self._write_states(transaction.states.values())
            self._write_problems(transaction.problems, run_id)
            if transaction.changes_data or closed:
                self._count_change()
            self.con.execute("commit")
        self._transaction = None

    @contextmanager
    def _writing(self) -> Iterator[_Transaction]:
        """The open transaction, or a new one; after an error, none, and nothing that it did is kept."""
        if self._transaction is None:
            self.con.execute("begin")
            self._transaction = _Transaction(typed.Filling(self.con))
        try:
            yield self._transaction
        except BaseException:
            self._transaction = None
            with suppress(duckdb.Error):  # a commit that failed has rolled back by itself
                self.con.execute("rollback")
            raise

    def _write_rows(self, prepared: Prepared, filling: typed.Filling) -> None:
        """Append the rows; those whose item is stored already take its place, in the tables of its type only."""
        if prepared.batch.may_be_stored:
            self._replace(prepared.items, filling)
        else:
            execute(self.con, f"insert into {_ITEMS} by name from {GIVEN}", prepared.items)
        if prepared.blobs:
            with relation(self.con, "cut_out", columns_of(facts.BLOBS), prepared.blobs):
                self.con.execute(f"insert into {_BLOBS} by name from cut_out")
        filling.add(prepared.readable)
        prepared.findings.write(self.con)

    def _replace(self, items: "pl.DataFrame", filling: typed.Filling) -> None:
        """Put the rows in the place of those that are stored of their items."""
        self._find_known(items)
        if one(self.con, "select count(*) from known"):
            filling.remove("known")
            for table in (_ITEMS, _BLOBS):
                self.con.execute(f"delete from {table} as r using known as k where {same_item('r', 'k')}")
        execute(
            self.con,
            f"insert into {_ITEMS} by name "
            "select b.* replace (coalesce(k.first_seen_at, b.first_seen_at) as first_seen_at) "
            f"from {GIVEN} as b left join known as k on {same_item('b', 'k')}",
            items,
        )

    def _remove(self, gone: list[tuple[str, str]], filling: typed.Filling) -> None:
        """Note that items are no longer listed: they stay in raw, and leave the typed tables."""
        self._find_known(frame(_only("conversation_id", "item_id"), zip(*gone, strict=True)))
        filling.remove("known")
        self.con.execute(
            f"update {_ITEMS} as r set deleted_at = ? from known as k where {same_item('r', 'k')}",
            [utc_now()],
        )

    def _find_known(self, items: "pl.DataFrame") -> None:
        """What is stored of these items, as the temporary table `known`."""
        execute(
            self.con,
            "create or replace temp table known as select r.conversation_id, r.item_id, r.type, r.first_seen_at "
            f"from (from {_ITEMS} semi join (select distinct conversation_id from {GIVEN}) using (conversation_id)) "
            f"as r join {GIVEN} as n on {same_item('r', 'n')}",
            items,
        )

    def _renumber(self, renumbered: list[tuple[str, str, int]], filling: typed.Filling) -> None:
        filling.end()
        tables = (facts.ITEMS, *(item_type.tables[0].table for item_type in ITEM_TYPES.values()))
        with relation(self.con, "renumbered", _only("conversation_id", "item_id", "position"), renumbered):
            for table in tables:
                self.con.execute(
                    f"update {table.full_name} as t set position = n.position from renumbered as n "
                    f"where {same_item('t', 'n')}"
                )

    def _write_states(self, states: Iterable[ConversationState]) -> int:
        """Write how conversations stand; returns how many problems are over by that."""
        known = columns_of(facts.CONVERSATIONS)
        columns = {name: known[name] for name in STATE_COLUMNS}
        settings = ", ".join(f"{name} = s.{name}" for name in STATE_COLUMNS[1:])
        with relation(self.con, "states", columns, states):
            self.con.execute(
                f"update {_CONVERSATIONS} as c set {settings} from states as s "
                "where c.conversation_id = s.conversation_id"
            )
            return close_problems(self.con, "select conversation_id from states where status = 'active'")

    def _write_problems(self, problems: Iterable[Problem], run_id: str) -> None:
        table, now = ops.PROBLEMS.full_name, utc_now()
        for problem in problems:
            key = [problem.conversation_id, problem.kind]
            same = f"from {table} where conversation_id = ? and kind = ?"
            before = self.con.execute(f"select first_seen_at, occurrences {same}", key).fetchall()
            self.con.execute(f"delete {same}", key)
            first_seen_at, occurrences = before[0] if before else (now, 0)
            closed_at = now if problem.is_over else None
            insert(
                self.con,
                ops.PROBLEMS,
                [*key, problem.message, first_seen_at, now, occurrences + 1, closed_at, run_id],
            )

    def rebuild(self, types: Sequence[str] = ()) -> int:
        """Make the typed tables of these types (all, if none is named) anew from raw. Returns how many items.

        WarehouseError if a type is not declared, or a file of a payload is missing; then nothing is changed.
        """
        if unknown := [name for name in types if name not in ITEM_TYPES]:
            raise WarehouseError(f"{', '.join(unknown)}: not declared; the types are {', '.join(ITEM_TYPES)}")
        with transaction(self.con):
            count = schema.rebuild(self.con, self.originals, types or tuple(ITEM_TYPES))
            self._count_change()
        return count

    def begin_run(self, report: RunReport) -> None:
        """Record that a run began; one that never said how it ended was killed."""
        with transaction(self.con):
            self.con.execute(
                f"update {ops.RUNS.full_name} set status = 'stopped', finished_at = ?, error = 'The process ended "
                "without a word; what it had committed is kept.' where status = 'running'",
                [utc_now()],
            )
            insert(self.con, ops.RUNS, report.values())

    def end_run(self, report: RunReport) -> None:
        """Record how the run ended."""
        with transaction(self.con):
            self.con.execute(f"delete from {ops.RUNS.full_name} where run_id = ?", [report.run_id])
            insert(self.con, ops.RUNS, report.values())

    def _count_change(self) -> None:
        self.con.execute(f"update {ops.WAREHOUSE.full_name} set data_version = data_version + 1")


def _only(*names: str) -> Columns:
    return {name: _ITEM_COLUMNS[name] for name in names}
