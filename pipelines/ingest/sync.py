"""The sync: asks conversations for what is new, many at once, each in order, and has it committed in batches.

Here: who is asked when, and when a run stops. Not here: paging (`connectors`), what becomes of a page (`writing`).
Pages flow through a bounded queue to one writer, so memory does not grow with the amount of data.
"""

import asyncio
import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from math import floor

from filelock import FileLock, Timeout

from connectors.openai_conversations import (
    INCLUDE,
    PAGE_LIMIT,
    ConfigurationError,
    Conversation,
    ConversationsClient,
    ConversationsError,
    RetryError,
    SkipError,
    StopError,
    Walk,
)
from pipelines.ingest import membership
from pipelines.ingest.asking import Answered, Asking, Limits
from pipelines.ingest.clock import utc_now
from pipelines.ingest.database import is_interrupt, said
from pipelines.ingest.errors import IngestError, WarehouseError
from pipelines.ingest.landing import ConversationState
from pipelines.ingest.originals import CUT_FROM_BYTES
from pipelines.ingest.places import Places
from pipelines.ingest.progress import OnProgress
from pipelines.ingest.publishing import is_time, publish
from pipelines.ingest.report import (
    ACTIVE,
    ALL,
    CHOSEN,
    DUE,
    RECONCILE,
    RunReport,
    read_run_file,
    write_run_file,
)
from pipelines.ingest.stopping import this_stop
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import Arrived, Event, Failed, Finished, Reread, SyncResult, Writer

RUN_WAIT_SECONDS = 30.0
RECONCILE_SHARE = 0.1
_CYCLES_SOUGHT_AFTER = 100_000  # new objects that are left
_REQUESTS_BESIDE_PAGES = 2  # the last page may be full, and the conversation itself is asked for
_DETAILS_KEPT_FOR = timedelta(days=1)
_WAITING_EVENTS = 1_000
"""Asking goes on while a batch is written; how many bytes may wait for that is the writer's to say."""


@dataclass(frozen=True)
class SyncOptions:
    """Which conversations to ask, and how.

    Without a choice all active ones are asked. `only_due` is what a schedule wants: it also verifies some, as long as
    that takes no more than RECONCILE_SHARE of the requests, and does not publish too often. `reconcile` lists
    conversations whole and compares them with what is stored.
    """

    chosen: tuple[str, ...] = ()
    only_due: bool = False
    include_inactive: bool = False
    reconcile: bool = False
    include: tuple[str, ...] = INCLUDE
    limits: Limits = field(default_factory=Limits)
    cut_from_bytes: int = CUT_FROM_BYTES

    @property
    def scope(self) -> str:
        """What is asked, in the word of `ops.runs`."""
        if self.reconcile:
            return RECONCILE
        if self.chosen:
            return CHOSEN
        return DUE if self.only_due else ALL if self.include_inactive else ACTIVE


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
    except* Exception as failed:
        failure = failed.exceptions[0]
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    if isinstance(failure, IngestError):
        raise failure
    if is_interrupt(failure):
        raise KeyboardInterrupt from None
    # Without the cause: DuckDB, Polars and Python quote what they could not read.
    raise WarehouseError(f"{places.warehouse}: {said(failure)}; what was committed before is kept") from None


def _sync(
    places: Places, client: ConversationsClient, options: SyncOptions, on_progress: OnProgress | None
) -> SyncResult:
    with (
        _only_run(places),
        Warehouse.open(places.warehouse, cut_from_bytes=options.cut_from_bytes) as warehouse,
    ):
        run = _Run(warehouse, client, options, places, on_progress)
        states = membership.select(
            warehouse.con,
            chosen=options.chosen,
            only_due=options.only_due,
            include_inactive=options.include_inactive,
        )
        warehouse.begin_run(run.report)
        with closing(run.writer), _collecting_rarely():
            asyncio.run(run.pull(states))
        warehouse.end_run(run.report)
        write_run_file(places.run_file, run.report)
        if run.is_stopped:
            return run.result  # who asks for a stop does not wait for a copy; the next run makes it
        if not options.only_due or is_time(warehouse, places.serving, utc_now()):
            seconds = publish(warehouse, places.serving)
            run.result.is_published = seconds is not None
            if seconds is not None:
                run.report.publish_ms = round(seconds * 1000)
                warehouse.end_run(run.report)
    return run.result


@contextmanager
def _only_run(places: Places) -> Iterator[None]:
    """One sync at a time; another waits, and then says who is at it."""
    lock = places.run_lock
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.touch(mode=0o600)  # FileLock would take a directory that cannot be written for a lock that is held
        with FileLock(lock, timeout=RUN_WAIT_SECONDS):
            yield
    except Timeout:
        run = read_run_file(places.run_file) or {}
        raise WarehouseError(
            f"{places.warehouse}: another run is going on (process {run.get('pid')}, since {run.get('started_at')} "
            "UTC); wait for it to end, see `conversations status`"
        ) from None


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Look for cycles now and then only: what a run makes has none, and looking costs a tenth of its time."""
    before = gc.get_threshold()
    gc.set_threshold(_CYCLES_SOUGHT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Run:
    """One execution: pullers fill a queue, one writer empties it."""

    def __init__(
        self,
        warehouse: Warehouse,
        client: ConversationsClient,
        options: SyncOptions,
        places: Places,
        on_progress: OnProgress | None,
    ) -> None:
        self.report = RunReport.begin(options.scope)
        self.result = SyncResult(self.report)
        self._warehouse = warehouse
        self._client = client
        self._options = options
        self._on_progress = on_progress
        self._stop = this_stop()
        self._items = 0
        self._is_relist = options.reconcile
        self._open_items = warehouse.open_items()
        self._asking = Asking(client, options.limits, self._pull, self._told)
        self.writer = Writer(warehouse, self.result, options.include, places)
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(maxsize=_WAITING_EVENTS)

    @property
    def is_stopped(self) -> bool:
        """Whether the run was asked to stop."""
        return self._stop.is_asked

    async def pull(self, states: Sequence[ConversationState]) -> None:
        """Ask all these conversations; returns when everything that arrived is committed."""
        with self._stop.minded():
            await self._pull_all(states)

    async def _pull_all(self, states: Sequence[ConversationState]) -> None:
        async with self._client:
            error = await self._ask_and_write(states)
            if self._options.only_due and error is None:
                self._is_relist = True
                error = await self._ask_and_write(self._longest_unverified())
        self.report.end(error)

    def _longest_unverified(self) -> Sequence[ConversationState]:
        """The conversations longest unverified, as many as the requests that scheduled runs have left over allow.

        These are RECONCILE_SHARE of all their requests of the last week, less those that already went into it. For a
        long list they are saved up; one that needs more than a week's is left to the command.
        """
        requests, spent = self._warehouse.requests_when_due()
        allowed = floor(RECONCILE_SHARE * (requests + self.report.requests))
        left, chosen = allowed - spent, []
        for state in membership.longest_unverified(self._warehouse.con, at_most=allowed):
            cost = state.next_position // PAGE_LIMIT + _REQUESTS_BESIDE_PAGES
            if left < cost <= allowed:
                break
            if cost <= allowed:
                left -= cost
                chosen.append(state)
        return chosen

    async def _ask_and_write(self, states: Sequence[ConversationState]) -> str | None:
        """Ask these conversations, have committed what arrives; returns why the run must stop, if it must."""
        error, before = None, self._client.stats.requests
        async with asyncio.TaskGroup() as group:
            group.create_task(self.writer.drain(self._queue))
            try:
                await self._asking.ask(states)
            except StopError as stopped:
                error = str(stopped)
            self._count_requests()
            if self._is_relist:
                self.report.reconcile_requests += self._client.stats.requests - before
            await self._queue.put(None)
        return error

    async def _pull(self, state: ConversationState) -> Finished:
        """Queue the conversation's pages, and its open items; ask for its details where they are wanted."""
        walk = Walk(
            state.conversation_id,
            cursor=state.cursor,
            include=self._options.include,
            trusts_has_more=self._client.is_openai,
            relist=self._is_relist,
        )
        details: Conversation | None = None
        trouble: ConversationsError | None = None
        is_relist, unlisted = self._is_relist, dict.fromkeys(self._open_items.get(state.conversation_id, ()))
        async for step in self._client.walk_pages(walk):
            self._asking.heard()
            self._items += len(step.items)
            is_relist = step.is_relist
            for item in step.items:
                unlisted.pop(item.id or "", None)
            if step.items and details is None and trouble is None and _is_stale(state):
                try:
                    details = await self._client.retrieve(state.conversation_id)
                except (RetryError, SkipError) as error:  # the items are stored all the same
                    trouble = error
            if step.items or step.is_relist or step.repeated_ids or state.compared_from is not None:
                await self._hand_over(Arrived(state, step, utc_now(), details))
        if not is_relist:
            await self._reread(state, unlisted)
        if trouble is not None:
            raise trouble
        if details is None and (self._is_relist or state.created_at is None):
            details = await self._client.retrieve(state.conversation_id)
        return Finished(state, details, walk.is_whole)

    async def _reread(self, state: ConversationState, item_ids: Iterable[str]) -> None:
        """Queue these open items before the cursor, as far as the server gives single items."""
        for item_id in item_ids:
            # It is gone, or there is no such address, though the list was read from this server: a re-list will tell.
            with suppress(SkipError, ConfigurationError):
                item = await self._client.items.retrieve(
                    item_id, conversation_id=state.conversation_id, include=self._options.include
                )
                await self._hand_over(Reread(state, item_id, item, utc_now()))

    async def _hand_over(self, event: Arrived | Reread) -> None:
        await self.writer.room.take(event.bytes)
        try:
            await self._queue.put(event)
        except BaseException:
            await self.writer.room.give_back(event.bytes)
            raise

    async def _told(self, answered: Answered[Finished]) -> None:
        """Have the end of one conversation written."""
        outcome = answered.outcome
        await self._queue.put(outcome if isinstance(outcome, Finished) else Failed(answered.state, outcome))
        self._count_requests()
        if self._on_progress:
            self._on_progress(self._asking.progress(self._items))

    def _count_requests(self) -> None:
        stats, report = self._client.stats, self.report
        report.conversations_asked = self._asking.asked
        report.requests, report.retries, report.rate_limited = (
            stats.requests,
            stats.retries,
            stats.rate_limited,
        )
        report.received_bytes = stats.bytes_received


def _is_stale(state: ConversationState) -> bool:
    """Whether creation time and metadata are asked for where there are new items: first ones, or first for a day."""
    if state.created_at is None or state.last_grown_at is None:
        return True
    return utc_now() - state.last_grown_at > _DETAILS_KEPT_FOR
