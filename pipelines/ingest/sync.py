"""The sync: asks conversations for what is new, many at once, each in order, and has it committed in batches.

Here: who asks when, and what is handed to whom. Not here: paging (`connectors`), what a page means (`landing`),
SQL (`warehouse`). Pages flow through a bounded queue to one writer, so memory does not grow with the amount of data.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import duckdb

from connectors.openai_conversations import (
    INCLUDE,
    Conversation,
    ConversationsClient,
    ConversationsError,
    ForbiddenError,
    NotFoundError,
    Step,
    StopError,
    TransportError,
    Walk,
)
from models.conform import readable_json
from pipelines.ingest.clock import INACTIVE_POLL, next_poll_at, utc, utc_now
from pipelines.ingest.errors import SelectionError, WarehouseError
from pipelines.ingest.landing import ConversationState, Landing, RunStamp
from pipelines.ingest.originals import CUT_FROM_BYTES
from pipelines.ingest.places import Places
from pipelines.ingest.publishing import publish
from pipelines.ingest.report import RunReport, write_run_file
from pipelines.ingest.warehouse import Batch, Problem, Warehouse

BATCH_ITEMS = 20_000
BATCH_BYTES = 32_000_000
BATCH_SECONDS = 10.0
_SILENT_AT_MOST = 8
"""After so many conversations in a row without any answer (or as many as are asked at once), the network is down."""
_DOUBTED_FROM = 2
_DETAILS_KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True)
class SyncOptions:
    """Which conversations to ask, and how."""

    chosen: tuple[str, ...] = ()
    only_due: bool = False
    include_inactive: bool = False
    include: tuple[str, ...] = INCLUDE
    concurrency: int = 16
    cut_from_bytes: int = CUT_FROM_BYTES


@dataclass
class SyncResult:
    """What a run did; `rows_by_type` counts the raw items written, by the API's type word."""

    report: RunReport
    rows_by_type: dict[str, int] = field(default_factory=dict)
    failures: list[Problem] = field(default_factory=list)
    is_published: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a run has come."""

    conversations: int
    of_conversations: int
    items: int


OnProgress = Callable[[Progress], None]


def sync(
    places: Places,
    client: ConversationsClient,
    options: SyncOptions | None = None,
    on_progress: OnProgress | None = None,
) -> SyncResult:
    """Pull what is new, commit it, publish the snapshot. What was committed stays, however the run ends.

    Troubles of single conversations are in the result; an error that ends the run is in `result.report.error`.
    SelectionError if a chosen conversation is not registered; WarehouseError if the warehouse cannot be used.
    """
    options = options or SyncOptions()
    failure: BaseException | None = None
    try:
        return _sync(places, client, options, on_progress)
    except* (duckdb.Error, OSError) as failed:
        failure = failed.exceptions[0]
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    raise WarehouseError(f"{places.warehouse}: {_said(failure)}; what was committed before is kept") from failure


def _sync(
    places: Places, client: ConversationsClient, options: SyncOptions, on_progress: OnProgress | None
) -> SyncResult:
    with Warehouse.open(places.warehouse, cut_from_bytes=options.cut_from_bytes) as warehouse:
        states = _select(warehouse, options)
        run = _Run(warehouse, client, options, places, len(states), on_progress)
        warehouse.begin_run(run.report)
        asyncio.run(run.pull(states))
        warehouse.end_run(run.report)
        write_run_file(places.run_file, run.report)
        run.result.is_published = publish(warehouse, places.serving)
    return run.result


def _select(warehouse: Warehouse, options: SyncOptions) -> list[ConversationState]:
    states = warehouse.states(
        chosen=options.chosen, only_due=options.only_due, include_inactive=options.include_inactive
    )
    if missing := set(options.chosen) - {state.conversation_id for state in states}:
        raise SelectionError(f"not in the registry: {', '.join(sorted(missing))}; add with `conversations register`")
    return states


def _said(error: BaseException) -> str:
    """What DuckDB or the system said, unless it could quote an item."""
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror}"
    speaks_of_files = isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException) or "No space" in str(error)
    return str(error).splitlines()[0] if speaks_of_files else f"DuckDB failed ({type(error).__name__})"


@dataclass(frozen=True)
class _Arrived:
    state: ConversationState
    step: Step
    at: datetime

    @property
    def bytes(self) -> int:
        return sum(len(item.raw) for item in self.step.items)


@dataclass(frozen=True)
class _Finished:
    state: ConversationState
    details: Conversation | None


@dataclass(frozen=True)
class _Failed:
    state: ConversationState
    error: ConversationsError


_Event = _Arrived | _Finished | _Failed


class _Room:
    """How many bytes of items may wait to be written; a page is let in while there is any room at all."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._taken = 0
        self._changed = asyncio.Condition()

    async def take(self, count: int) -> None:
        """Wait for room."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._taken < self._limit)
            self._taken += count

    async def give_back(self, count: int) -> None:
        """Let others in."""
        async with self._changed:
            self._taken -= count
            self._changed.notify_all()


class _Run:
    """One execution: pullers fill a queue, one writer empties it."""

    def __init__(
        self,
        warehouse: Warehouse,
        client: ConversationsClient,
        options: SyncOptions,
        places: Places,
        of_conversations: int,
        on_progress: OnProgress | None,
    ) -> None:
        self.report = RunReport.begin()
        self.result = SyncResult(self.report)
        self._client = client
        self._options = options
        self._of_conversations = of_conversations
        self._on_progress = on_progress
        self._items = 0
        self._has_answered = False
        self._is_right_project = False
        self._silent = 0
        self._unknown: list[_Failed] = []
        self._writer = _Writer(warehouse, self.result, options, places)

    async def pull(self, states: Sequence[ConversationState]) -> None:
        """Ask all these conversations; returns when everything that arrived is committed."""
        queue: asyncio.Queue[_Event | None] = asyncio.Queue(maxsize=2 * self._options.concurrency)
        async with self._client, asyncio.TaskGroup() as group:
            group.create_task(self._writer.drain(queue))
            try:
                await self._ask_all(states, queue)
                error = None
            except* StopError as stopped:
                error = str(stopped.exceptions[0])
            self._count_requests()
            await queue.put(None)
        self.report.end(error)

    async def _ask_all(self, states: Sequence[ConversationState], queue: "asyncio.Queue[_Event | None]") -> None:
        waiting = iter(states)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._options.concurrency, len(states))):
                group.create_task(self._ask_in_turn(waiting, queue))
        for event in self._unknown_at_the_end():
            await queue.put(event)

    async def _ask_in_turn(self, waiting: Iterator[ConversationState], queue: "asyncio.Queue[_Event | None]") -> None:
        for state in waiting:
            self.report.conversations_asked += 1
            for event in self._judge(await self._ask(state, queue)):
                await queue.put(event)
            self._count_requests()
            if self._on_progress:
                asked = self.report.conversations_asked
                self._on_progress(Progress(asked, self._of_conversations, self._items))

    async def _ask(self, state: ConversationState, queue: "asyncio.Queue[_Event | None]") -> _Finished | _Failed:
        """Pull one conversation, its pages in order; its own troubles end here."""
        walk = Walk(
            state.conversation_id,
            cursor=state.cursor,
            include=self._options.include,
            trusts_has_more=self._client.is_openai,
        )
        has_news = False
        try:
            async for step in self._client.walk_pages(walk):
                self._has_answered = self._is_right_project = True
                self._items += len(step.items)
                has_news = has_news or bool(step.items)
                arrived = _Arrived(state, step, utc_now())
                await self._writer.room.take(arrived.bytes)
                await queue.put(arrived)
            details = await self._client.retrieve(state.conversation_id) if _wants_details(state, has_news) else None
        except StopError:
            raise
        except ConversationsError as error:
            return _Failed(state, error)
        return _Finished(state, details)

    def _judge(self, event: "_Finished | _Failed") -> "Sequence[_Finished | _Failed]":
        """What may be committed now that this conversation is over; StopError where the fault is not its own.

        No answer at all, or many times in a row, is the network's fault. And where all that were pulled before are
        unknown now, it is more likely that another project is asked than that all were deleted: so these are held
        back until one is found.
        """
        if isinstance(event, _Failed) and isinstance(event.error, TransportError):
            self._silent += 1
            if not self._has_answered or self._silent >= max(_SILENT_AT_MOST, self._options.concurrency):
                raise StopError(str(event.error)) from None
            return (event,)
        self._silent, self._has_answered = 0, True
        if isinstance(event, _Failed) and isinstance(event.error, NotFoundError) and not self._is_right_project:
            if event.state.last_grown_at is None:
                return (event,)
            self._unknown.append(event)
            return ()
        self._is_right_project = self._is_right_project or isinstance(event, _Finished)
        held, self._unknown = self._unknown, []
        return (*held, event)

    def _unknown_at_the_end(self) -> "Sequence[_Failed]":
        if len(self._unknown) < _DOUBTED_FROM:
            return self._unknown
        raise StopError(
            f"All {len(self._unknown)} conversations that were pulled before are unknown to {self._client.host} now. "
            "Check OPENAI_API_KEY, OPENAI_PROJECT_ID and OPENAI_BASE_URL: another project is asked, it seems. "
            "Nothing was changed; if they were all deleted, ask them one by one with --conversation."
        )

    def _count_requests(self) -> None:
        stats, report = self._client.stats, self.report
        report.requests, report.retries, report.rate_limited = (
            stats.requests,
            stats.retries,
            stats.rate_limited,
        )
        report.received_bytes = stats.bytes_received


class _Writer:
    """Turns what arrives into committed batches. Its work is done in a thread, one batch at a time."""

    def __init__(self, warehouse: Warehouse, result: SyncResult, options: SyncOptions, places: Places) -> None:
        self._warehouse = warehouse
        self._result = result
        self._report = result.report
        self._run_file = places.run_file
        self._stamp = RunStamp(self._report.run_id, ",".join(sorted(options.include)))
        self._landings: dict[str, Landing] = {}
        self._grown: set[str] = set()
        self._batch = Batch()
        self.room = _Room(2 * BATCH_BYTES)

    async def drain(self, queue: "asyncio.Queue[_Event | None]") -> None:
        """Commit what the queue gives, until it gives None."""
        write_run_file(self._run_file, self._report)
        events: list[_Event] = []
        writing: asyncio.Task[None] | None = None
        while True:
            is_last = await _fill(events, queue)
            if writing is not None:
                await writing
            if is_last:
                break
            writing = asyncio.create_task(self._write_and_make_room(tuple(events)))
            events.clear()
        await self._write_and_make_room(tuple(events))

    async def _write_and_make_room(self, events: "Sequence[_Event]") -> None:
        await asyncio.to_thread(self._write, events)
        await self.room.give_back(sum(event.bytes for event in events if isinstance(event, _Arrived)))

    def _write(self, events: Sequence[_Event]) -> None:
        for event in events:
            match event:
                case _Arrived():
                    self._land(event)
                case _Finished():
                    self._finish(event)
                case _Failed():
                    self._fail(event)
        self._commit()

    def _commit(self) -> None:
        if self._batch.states:
            self._warehouse.commit(self._batch, self._report.run_id)
            write_run_file(self._run_file, self._report)
        self._batch = Batch()

    def _land(self, event: _Arrived) -> None:
        conversation_id = event.state.conversation_id
        landing = self._landings.get(conversation_id)
        if landing is None:
            landing = Landing(event.state, self._stamp, self._warehouse.stored(conversation_id))
            self._landings[conversation_id] = landing
        if landing.begins_again(event.step):
            self._commit()
        landed = landing.land(event.step, event.at)
        self._batch.add(landing.state, landed)
        self._report.items_new += landed.new
        self._report.items_changed += len(landed.rows) - landed.new
        self._report.items_deleted += len(landed.gone)
        for row in landed.rows:
            word = row.type or ""
            self._result.rows_by_type[word] = self._result.rows_by_type.get(word, 0) + 1
        if landed.new and conversation_id not in self._grown:
            self._grown.add(conversation_id)
            self._report.conversations_grown += 1
        self._batch.problems += _oddities(conversation_id, event.step, bool(landed.renumbered))

    def _finish(self, event: _Finished) -> None:
        state, now = self._end(event.state), utc_now()
        grown_at = now if state.conversation_id in self._grown else state.last_grown_at
        if event.details is not None:
            state = _with_details(state, event.details)
        self._settle(
            event.state,
            replace(
                state,
                last_polled_at=now,
                last_grown_at=grown_at,
                next_poll_at=next_poll_at(state.conversation_id, now, grown_at or state.created_at or now),
                status="active",
                last_error=None,
            ),
        )
        if event.state.status != "active":
            self._batch.recovered.append(state.conversation_id)

    def _fail(self, event: _Failed) -> None:
        state, now = self._end(event.state), utc_now()
        status = _status(event.error)
        wait = next_poll_at(state.conversation_id, now, now) if status == "failing" else now + INACTIVE_POLL
        message = str(event.error)
        self._settle(
            event.state, replace(state, last_polled_at=now, next_poll_at=wait, status=status, last_error=message)
        )
        problem = Problem(state.conversation_id, type(event.error).__name__, message)
        self._batch.problems.append(problem)
        self._result.failures.append(problem)
        self._report.conversations_failed += 1

    def _settle(self, begun: ConversationState, state: ConversationState) -> None:
        """Keep how a conversation stands now; when it was asked is no news, unless it was the first time."""
        self._batch.states[state.conversation_id] = state
        told = (state.status, state.created_at, state.metadata)
        is_news = begun.last_polled_at is None or told != (begun.status, begun.created_at, begun.metadata)
        self._batch.has_news = self._batch.has_news or is_news

    def _end(self, begun: ConversationState) -> ConversationState:
        landing = self._landings.pop(begun.conversation_id, None)
        return begun if landing is None else landing.state


async def _fill(events: list[_Event], queue: "asyncio.Queue[_Event | None]") -> bool:
    """Take from the queue until there is a batch; returns whether that was the end."""
    items, size, deadline = 0, 0, time.monotonic() + BATCH_SECONDS
    while items < BATCH_ITEMS and size < BATCH_BYTES:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                event = await queue.get()
        except TimeoutError:
            return False
        if event is None:
            return True
        events.append(event)
        if isinstance(event, _Arrived):
            items += len(event.step.items)
            size += event.bytes
    return False


def _wants_details(state: ConversationState, has_news: bool) -> bool:
    """Creation time and metadata are asked at first sight, and when a conversation goes on after a day."""
    if state.created_at is None:
        return True
    return has_news and (state.last_grown_at is None or utc_now() - state.last_grown_at > _DETAILS_KEPT_FOR)


def _with_details(state: ConversationState, details: Conversation) -> ConversationState:
    return replace(
        state,
        created_at=None if details.created_at is None else utc(details.created_at),
        metadata=None if details.metadata is None else readable_json(details.metadata.decode()),
    )


def _status(error: ConversationsError) -> str:
    match error:
        case NotFoundError():
            return "missing"
        case ForbiddenError():
            return "forbidden"
        case _:
            return "failing"


def _oddities(conversation_id: str, step: Step, is_renumbered: bool) -> Iterator[Problem]:
    """What is worth recording although nothing is left to do."""
    if step.repeated_ids:
        message = f"{len(step.repeated_ids)} IDs stood twice on one page; the first of each was kept."
        yield Problem(conversation_id, "duplicate_id", message, is_over=True)
    if is_renumbered:
        message = "A re-list came in another order than the one stored; its positions were given anew."
        yield Problem(conversation_id, "order_changed", message, is_over=True)
