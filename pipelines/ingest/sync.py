"""The sync: asks conversations for what is new, many at once, each in order, and has it committed in batches.

Here: who is asked when, and when a run stops. Not here: paging (`connectors`), what becomes of a page (`writing`).
Pages flow through a bounded queue to one writer, so memory does not grow with the amount of data.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import duckdb

from connectors.openai_conversations import (
    INCLUDE,
    ConversationsClient,
    ConversationsError,
    NotFoundError,
    StopError,
    TransportError,
    Walk,
)
from pipelines.ingest.clock import utc_now
from pipelines.ingest.errors import SelectionError, WarehouseError
from pipelines.ingest.landing import ConversationState
from pipelines.ingest.originals import CUT_FROM_BYTES
from pipelines.ingest.places import Places
from pipelines.ingest.publishing import publish
from pipelines.ingest.report import RunReport, write_run_file
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import Arrived, Event, Failed, Finished, SyncResult, Writer

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
        self._unknown: list[Failed] = []
        self._writer = Writer(warehouse, self.result, options.include, places)

    async def pull(self, states: Sequence[ConversationState]) -> None:
        """Ask all these conversations; returns when everything that arrived is committed."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(maxsize=2 * self._options.concurrency)
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

    async def _ask_all(self, states: Sequence[ConversationState], queue: "asyncio.Queue[Event | None]") -> None:
        waiting = iter(states)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._options.concurrency, len(states))):
                group.create_task(self._ask_in_turn(waiting, queue))
        for event in self._unknown_at_the_end():
            await queue.put(event)

    async def _ask_in_turn(self, waiting: Iterator[ConversationState], queue: "asyncio.Queue[Event | None]") -> None:
        for state in waiting:
            self.report.conversations_asked += 1
            for event in self._judge(await self._ask(state, queue)):
                await queue.put(event)
            self._count_requests()
            if self._on_progress:
                asked = self.report.conversations_asked
                self._on_progress(Progress(asked, self._of_conversations, self._items))

    async def _ask(self, state: ConversationState, queue: "asyncio.Queue[Event | None]") -> Finished | Failed:
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
                arrived = Arrived(state, step, utc_now())
                await self._writer.room.take(arrived.bytes)
                await queue.put(arrived)
            details = await self._client.retrieve(state.conversation_id) if _wants_details(state, has_news) else None
        except StopError:
            raise
        except ConversationsError as error:
            return Failed(state, error)
        return Finished(state, details)

    def _judge(self, event: "Finished | Failed") -> "Sequence[Finished | Failed]":
        """What may be committed now that this conversation is over; StopError where the fault is not its own.

        No answer at all, or many times in a row, is the network's fault. And where all that were pulled before are
        unknown now, it is more likely that another project is asked than that all were deleted: so these are held
        back until one is found.
        """
        if isinstance(event, Failed) and isinstance(event.error, TransportError):
            self._silent += 1
            if not self._has_answered or self._silent >= max(_SILENT_AT_MOST, self._options.concurrency):
                raise StopError(str(event.error)) from None
            return (event,)
        self._silent, self._has_answered = 0, True
        if isinstance(event, Failed) and isinstance(event.error, NotFoundError) and not self._is_right_project:
            if event.state.last_grown_at is None:
                return (event,)
            self._unknown.append(event)
            return ()
        self._is_right_project = self._is_right_project or isinstance(event, Finished)
        held, self._unknown = self._unknown, []
        return (*held, event)

    def _unknown_at_the_end(self) -> "Sequence[Failed]":
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


def _wants_details(state: ConversationState, has_news: bool) -> bool:
    """Creation time and metadata are asked at first sight, and when a conversation goes on after a day."""
    if state.created_at is None:
        return True
    return has_news and (state.last_grown_at is None or utc_now() - state.last_grown_at > _DETAILS_KEPT_FOR)
