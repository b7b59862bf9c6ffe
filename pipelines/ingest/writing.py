"""The writing half of a sync: turns what arrives into batches, and has them written and committed.

Here: what waits to be written, when it is written, and what a run counts. Not here: who is asked when (`sync`), what a
page means (`landing`), SQL (`warehouse`).
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import ClassVar, TypeVar

from connectors.openai_conversations import (
    Conversation,
    ConversationsError,
    ForbiddenError,
    Item,
    NotFoundError,
    Step,
)
from models.conform import readable_json, shown
from pipelines.ingest.clock import inactive_poll_at, next_poll_at, utc, utc_now
from pipelines.ingest.landing import ConversationState, Landed, Landing, RunStamp, Stored, include_set
from pipelines.ingest.places import Places
from pipelines.ingest.report import RECONCILE, RunReport, write_run_file
from pipelines.ingest.warehouse import Batch, Problem, Warehouse

T = TypeVar("T")
BATCH_ITEMS = 5_000
BATCH_BYTES = 8_000_000
"""What is written at once: as little as is about as fast as more, since it is in memory several times over."""
COMMIT_ITEMS = 100_000
COMMIT_BYTES = 128_000_000
COMMIT_SECONDS = 10.0
"""When what was written is committed, whichever comes first."""
WAITING_BYTES = 32_000_000
ALONE_SECONDS = 600.0
"""A run that has had the warehouse for so long closes it between two batches where another process waits for it."""


@dataclass
class SyncResult:
    """What a run did; `rows_by_type` counts the raw items written, by the API's type word."""

    report: RunReport
    rows_by_type: dict[str, int] = field(default_factory=dict)
    failures: list[Problem] = field(default_factory=list)
    is_published: bool = False


@dataclass(frozen=True)
class Arrived:
    """A page of a conversation, received at `at` (UTC); `details` where they were asked for before it."""

    state: ConversationState
    step: Step
    at: datetime
    details: Conversation | None

    @property
    def items(self) -> Sequence[Item]:
        """What arrived with it."""
        return self.step.items

    @cached_property
    def bytes(self) -> int:
        """Length of the items."""
        return sum(len(item.raw) for item in self.items)


@dataclass(frozen=True)
class Reread:
    """One item before the cursor, asked for by itself because it may still change; received at `at` (UTC)."""

    state: ConversationState
    item_id: str
    item: Item
    at: datetime

    @property
    def items(self) -> Sequence[Item]:
        """What arrived with it."""
        return (self.item,)

    @property
    def bytes(self) -> int:
        """Length of the item."""
        return len(self.item.raw)


@dataclass(frozen=True)
class Finished:
    """A conversation was pulled to its end, from its first item if it `is_whole`; `details` where they were asked."""

    state: ConversationState
    details: Conversation | None
    is_whole: bool
    items: ClassVar[Sequence[Item]] = ()
    bytes: ClassVar[int] = 0


@dataclass(frozen=True)
class Failed:
    """A conversation could not be pulled to its end."""

    state: ConversationState
    error: ConversationsError
    items: ClassVar[Sequence[Item]] = ()
    bytes: ClassVar[int] = 0


Event = Arrived | Reread | Finished | Failed


class Room:
    """How many bytes of items may wait to be written; a page is let in while there is any room at all."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._taken = 0
        self._changed = asyncio.Condition()

    async def take(self, count: int) -> None:
        """Wait for room."""
        if self._taken >= self._limit:
            async with self._changed:
                await self._changed.wait_for(lambda: self._taken < self._limit)
        self._taken += count

    async def give_back(self, count: int) -> None:
        """Let others in."""
        async with self._changed:
            self._taken -= count
            self._changed.notify_all()


class Writer:
    """Turns what arrives into batches, in a thread; another one, the only one to touch the warehouse, writes them.

    So a batch is made ready while the one before is written.
    """

    def __init__(self, warehouse: Warehouse, result: SyncResult, include: Sequence[str], places: Places) -> None:
        self._warehouse = warehouse
        self._result = result
        self._report = result.report
        self._run_file = places.run_file
        self._stamp = RunStamp(self._report.run_id, include_set(include))
        self._landings: dict[str, Landing] = {}
        self._grown_at: dict[str, datetime] = {}
        self._details: dict[str, Conversation] = {}
        self._batch = Batch()
        self._uncommitted = _Amount()
        self._opened_at = time.monotonic()
        self._dropped: set[str] = set()
        self._desk = ThreadPoolExecutor(1, "warehouse")
        self._written: Future[None] = Future()
        self._written.set_result(None)
        self.room = Room(WAITING_BYTES)

    async def drain(self, queue: "asyncio.Queue[Event | None]") -> None:
        """Commit what the queue gives, until it gives None."""
        write_run_file(self._run_file, self._report)
        is_last = False
        while not is_last:
            events, is_last = await _next(queue)
            await asyncio.to_thread(self._take_in, events)
            await self.room.give_back(sum(event.bytes for event in events))
        await asyncio.to_thread(self._commit)
        await asyncio.wrap_future(self._written)

    def close(self) -> None:
        """Commit what was written when the run broke off, and end the thread."""
        with self._desk:
            self._at_desk(self._commit_written)

    def _at_desk(self, work: Callable[[], T]) -> T:
        """Do it in the thread that writes, after all that it was given before."""
        return self._desk.submit(work).result()

    def _take_in(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.state.conversation_id in self._dropped:
                continue
            match event:
                case Arrived():
                    self._land(event)
                case Reread():
                    self._reread(event)
                case Finished():
                    self._finish(event)
                case Failed():
                    self._fail(event)
            self._uncommitted.add(event)
        self._hand_over()
        if self._uncommitted.is_enough():
            self._commit()

    def _hand_over(self) -> None:
        """Have the batch written, once the one before is; an error of that one is raised here."""
        if self._batch.states:
            prepared, self._batch = self._warehouse.prepare(self._batch), Batch()
            self._written.result()
            self._written = self._desk.submit(self._warehouse.write, prepared)

    def _commit(self) -> None:
        """Have committed what was handed over, and let others in after a time."""
        self._written.result()
        self._written = self._desk.submit(self._commit_written)
        self._uncommitted = _Amount()
        if time.monotonic() - self._opened_at > ALONE_SECONDS:
            self._dropped.update(self._at_desk(self._warehouse.let_others_in))

    def _commit_written(self) -> None:
        self._warehouse.commit(self._report.run_id)
        write_run_file(self._run_file, self._report)

    def _landing(self, state: ConversationState) -> Landing:
        landing = self._landings.get(state.conversation_id)
        if landing is None:
            stored = self._warehouse.stored(state.conversation_id)
            at_desk = Stored(
                lambda position: self._at_desk(partial(stored.items, position)),
                lambda item_id: self._at_desk(partial(stored.original, item_id)),
            )
            landing = Landing(state, self._stamp, at_desk)
            self._landings[state.conversation_id] = landing
        return landing

    def _reread(self, event: Reread) -> None:
        landing = self._landing(event.state)
        self._count(landing, landing.reread(event.item_id, event.item, event.at))

    def _land(self, event: Arrived) -> None:
        conversation_id = event.state.conversation_id
        landing = self._landing(event.state)
        if landing.begins_again(event.step):
            self._hand_over()
        landed = landing.land(event.step, event.at)
        if event.details is not None:
            self._details[conversation_id] = event.details
        if landed.new:
            self._report.conversations_grown += conversation_id not in self._grown_at
            self._grown_at[conversation_id] = event.at
        self._count(landing, landed)
        self._batch.problems += _oddities(conversation_id, event.step, bool(landed.renumbered))

    def _count(self, landing: Landing, landed: Landed) -> None:
        self._batch.add(self._with_news(landing.state), landed)
        self._report.items_new += landed.new
        self._report.items_changed += len(landed.rows) - landed.new
        self._report.items_deleted += len(landed.gone)
        for name, count in Counter(row.type for row in landed.rows).items():
            word = shown(name)
            self._result.rows_by_type[word] = self._result.rows_by_type.get(word, 0) + count

    def _finish(self, event: Finished) -> None:
        if event.details is not None:
            self._details[event.state.conversation_id] = event.details
        state, now = self._end(event.state), utc_now()
        self._report.conversations_verified += event.is_whole
        self._settle(
            event.state,
            state._replace(
                last_polled_at=now,
                next_poll_at=next_poll_at(state.conversation_id, now, state.last_grown_at or state.created_at or now),
                status="active",
                last_error=None,
                last_verified_at=now if event.is_whole else state.last_verified_at,
                missing_since=None,
            ),
        )

    def _fail(self, event: Failed) -> None:
        state, now = self._end(event.state), utc_now()
        status = _status(event.error)
        one_id = state.conversation_id
        message = str(event.error)
        self._settle(
            event.state,
            state._replace(
                last_polled_at=now,
                next_poll_at=next_poll_at(one_id, now, now) if status == "failing" else inactive_poll_at(one_id, now),
                status=status,
                last_error=message,
                missing_since=_missing_since(state, status, now),
            ),
        )
        problem = Problem(one_id, type(event.error).__name__, message)
        self._batch.problems.append(problem)
        self._result.failures.append(problem)
        self._report.conversations_failed += 1

    def _end(self, begun: ConversationState) -> ConversationState:
        landing = self._landings.pop(begun.conversation_id, None)
        state = self._with_news(begun if landing is None else landing.state)
        self._details.pop(begun.conversation_id, None)
        return state

    def _with_news(self, state: ConversationState) -> ConversationState:
        """The state with what its pages told beside items: that it grew, and its details. Committed with its rows."""
        if grown_at := self._grown_at.get(state.conversation_id):
            state = state._replace(last_grown_at=grown_at)
        details = self._details.get(state.conversation_id)
        return state if details is None else _with_details(state, details)

    def _settle(self, begun: ConversationState, state: ConversationState) -> None:
        """Keep how a conversation stands now; when it was asked is no news, unless it was the first time."""
        self._batch.states[state.conversation_id] = state
        told = (state.status, state.created_at, state.metadata)
        is_news = begun.last_polled_at is None or told != (begun.status, begun.created_at, begun.metadata)
        is_news = is_news or self._report.scope == RECONCILE  # who asks for it wants to see that it was done
        self._batch.has_news = self._batch.has_news or is_news


@dataclass
class _Amount:
    """How much of what arrived has been taken in since a time."""

    items: int = 0
    bytes: int = 0
    since: float = field(default_factory=time.monotonic)

    def add(self, event: Event) -> None:
        self.items += len(event.items)
        self.bytes += event.bytes

    def is_enough(self) -> bool:
        is_time = time.monotonic() - self.since > COMMIT_SECONDS
        return is_time or self.items >= COMMIT_ITEMS or self.bytes >= COMMIT_BYTES


async def _next(queue: "asyncio.Queue[Event | None]") -> tuple[Sequence[Event], bool]:
    """Take from the queue what makes a batch, or what there is after some seconds; and whether that was the end."""
    events: list[Event] = []
    amount, deadline = _Amount(), time.monotonic() + COMMIT_SECONDS
    while amount.items < BATCH_ITEMS and amount.bytes < BATCH_BYTES and len(events) < BATCH_ITEMS:
        try:
            event = queue.get_nowait() if queue.qsize() else await _get(queue, deadline)
        except TimeoutError:
            return events, False
        if event is None:
            return events, True
        events.append(event)
        amount.add(event)
    return events, False


async def _get(queue: "asyncio.Queue[Event | None]", deadline: float) -> Event | None:
    async with asyncio.timeout(deadline - time.monotonic()):
        return await queue.get()


def _with_details(state: ConversationState, details: Conversation) -> ConversationState:
    return state._replace(
        created_at=None if details.created_at is None else utc(details.created_at),
        metadata=None if details.metadata is None else readable_json(details.metadata.decode()),
    )


def _missing_since(state: ConversationState, status: str, now: datetime) -> datetime | None:
    """A passing trouble does not say that the API knows the conversation again; that it is forbidden does."""
    if status == "missing":
        return state.missing_since or now
    return state.missing_since if status == "failing" else None


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
