"""Many conversations at once, each in order: who is asked when, whose fault a failure is, and when asking ends.

Here: concurrency, deadlines, and the rules by which a run stops. Not here: what is asked of a conversation, and what
becomes of the answer (`sync`, `verifying`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from connectors.openai_conversations import (
    ConfigurationError,
    ConversationsClient,
    ConversationsError,
    NotFoundError,
    StopError,
    TransportError,
)
from pipelines.ingest.deadlines import Deadlines
from pipelines.ingest.errors import DeadlineError, StoppedError
from pipelines.ingest.landing import ConversationState
from pipelines.ingest.progress import Progress
from pipelines.ingest.stopping import this_stop

T = TypeVar("T")
_SILENT_AT_MOST = 8
"""After so many conversations in a row without any answer (or as many as are asked at once), the network is down."""
_DOUBTED_FROM = 2


@dataclass(frozen=True)
class Limits:
    """How many conversations are asked at once, and how long one, and all together, may take, in seconds."""

    concurrency: int = 16
    conversation_deadline: float = 1800.0
    run_deadline: float = 86_400.0

    def __post_init__(self) -> None:
        """Refuse what is no limit."""
        if not self.concurrency >= 1 or not self.conversation_deadline > 0 or not self.run_deadline > 0:
            raise ConfigurationError("concurrency and deadlines are numbers above 0; correct them")


@dataclass(frozen=True)
class Answered(Generic[T]):
    """How asking one conversation ended: with what was asked for, or with its own trouble."""

    state: ConversationState
    outcome: T | ConversationsError


class Asking(Generic[T]):
    """Asks conversations with `ask`, and hands what comes of each to `tell`, in the order in which they end."""

    def __init__(
        self,
        client: ConversationsClient,
        limits: Limits,
        ask: Callable[[ConversationState], Awaitable[T]],
        tell: Callable[[Answered[T]], Awaitable[None]],
    ) -> None:
        """Begin the time that all may take."""
        self.asked = 0
        self._client = client
        self._limits = limits
        self._ask = ask
        self._tell = tell
        self._deadlines = Deadlines()
        self._deadline = time.monotonic() + limits.run_deadline
        self._stop = this_stop()
        self.expected = 0
        self._has_answered = False
        self._is_right_project = False
        self._silent = 0
        self._unknown: list[Answered[T]] = []

    def progress(self, items: int) -> Progress:
        """How far all has come, with so many items."""
        return Progress("conversations", self.asked, self.expected, items)

    def heard(self) -> None:
        """Note that a conversation of this project answered."""
        self._has_answered = self._is_right_project = True

    async def ask(self, states: Sequence[ConversationState]) -> None:
        """Ask these conversations. StopError if no further request makes sense, or the time is over."""
        self.expected += len(states)
        try:
            with self._deadlines.watched():
                await self._ask_in_time(states)
        except* StopError as stopped:
            error: BaseException = stopped.exceptions[0]
        except* TimeoutError:
            error = StopError(
                f"The run's deadline of {self._limits.run_deadline:g} s has passed; {self.asked} of {self.expected} "
                "conversations were asked. What arrived is kept; run again to go on with those that wait longest."
            )
        else:
            return
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error

    async def _ask_in_time(self, states: Sequence[ConversationState]) -> None:
        """Ask them all before the run's deadline, which a stop brings about at once."""
        if self._stop.is_asked:
            raise self._stopped()
        loop = asyncio.get_running_loop()
        left = self._deadline + self._deadlines.paused_seconds - time.monotonic()
        try:
            async with self._deadlines.within(left) as deadline:

                def end() -> None:
                    if not deadline.expired():
                        deadline.reschedule(loop.time())

                with self._stop.minded(lambda: loop.call_soon_threadsafe(end)):
                    await self._ask_all(states)
        except TimeoutError:
            if self._stop.is_asked:
                raise self._stopped() from None
            raise

    def _stopped(self) -> StoppedError:
        return StoppedError(f"Stopped as asked, after {self.asked} of {self.expected} conversations.")

    async def _ask_all(self, states: Sequence[ConversationState]) -> None:
        waiting = iter(states)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._limits.concurrency, len(states))):
                group.create_task(self._ask_in_turn(waiting))
        for answered in self._unknown_at_the_end():
            await self._tell(answered)

    async def _ask_in_turn(self, waiting: Iterator[ConversationState]) -> None:
        for state in waiting:
            if self._stop.is_asked:
                raise self._stopped()  # whether or not its cancellation has reached us
            outcome = await self._ask_one(state)
            self.asked += 1
            for answered in self._judge(Answered(state, outcome)):
                await self._tell(answered)

    async def _ask_one(self, state: ConversationState) -> T | ConversationsError:
        """Ask one conversation in time; its own troubles end here."""
        try:
            async with self._deadlines.within(self._limits.conversation_deadline):
                return await self._ask(state)
        except TimeoutError:
            return DeadlineError(
                f"{state.conversation_id} took longer than {self._limits.conversation_deadline:g} s. What arrived is "
                "kept, and the next run goes on; raise --conversation-deadline if it stays so."
            )
        except StopError:
            raise
        except ConversationsError as error:
            return error

    def _judge(self, answered: Answered[T]) -> Sequence[Answered[T]]:
        """What may be told now that this conversation is over; StopError where the fault is not its own.

        No answer at all, or many times in a row, is the network's fault. And where all that were pulled before are
        unknown now, it is more likely that another project is asked than that all were deleted: so these are held
        back until one is found.
        """
        outcome = answered.outcome
        if isinstance(outcome, TransportError):
            self._silent += 1
            if not self._has_answered or self._silent >= max(_SILENT_AT_MOST, self._limits.concurrency):
                raise StopError(str(outcome)) from None
            return (answered,)
        self._silent, self._has_answered = 0, True
        if isinstance(outcome, NotFoundError) and not self._is_right_project:
            if answered.state.last_grown_at is None or answered.state.status == "missing":
                return (answered,)
            self._unknown.append(answered)
            return ()
        self._is_right_project = self._is_right_project or not isinstance(outcome, ConversationsError)
        held, self._unknown = self._unknown, []
        return (*held, answered)

    def _unknown_at_the_end(self) -> Sequence[Answered[T]]:
        held, self._unknown = self._unknown, []
        if len(held) < _DOUBTED_FROM:
            return held
        raise StopError(
            f"All {len(held)} conversations that were pulled before are unknown to {self._client.host} now. "
            f"Check {self._client.named('OPENAI_API_KEY, OPENAI_PROJECT_ID and OPENAI_BASE_URL')}: another project is "
            "asked, it seems. Nothing was changed; if they were all deleted, ask them one by one with --conversation."
        )
