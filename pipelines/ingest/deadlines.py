"""Deadlines that count only the time in which this process could run.

A laptop that sleeps, a virtual machine or a process that is halted: the server is not slow meanwhile, so no deadline
comes nearer. Some clocks stop in such a pause, others go on; where they go on, a tick that comes late tells.

Here: pauses and timeouts of one event loop. Not here: what the deadlines are for (`asking`).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

_TICK_SECONDS = 1.0
_PAUSED_FROM_SECONDS = 10.0
"""So late a tick is no busy loop any more."""


class Deadlines:
    """The timeouts of what is under way; a pause moves all of them on."""

    def __init__(self) -> None:
        self.paused_seconds = 0.0
        self._open: set[asyncio.Timeout] = set()
        self._timer: asyncio.TimerHandle

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look out for pauses, in the running event loop."""
        self._wait_for_tick()
        try:
            yield
        finally:
            self._timer.cancel()

    def _wait_for_tick(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + _TICK_SECONDS
        self._timer = loop.call_at(due, self._tick, due)

    def _tick(self, due: float) -> None:
        """Comes before the timeouts that a pause made due, since it was due before them."""
        late = asyncio.get_running_loop().time() - due
        if late > _PAUSED_FROM_SECONDS:
            self._move_on(late)
        self._wait_for_tick()

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[asyncio.Timeout]:
        """Raise TimeoutError if the block takes longer, pauses apart."""
        async with asyncio.timeout(seconds) as deadline:
            self._open.add(deadline)
            try:
                yield deadline
            finally:
                self._open.remove(deadline)

    def _move_on(self, seconds: float) -> None:
        self.paused_seconds += seconds
        for deadline in self._open:
            if not deadline.expired() and (when := deadline.when()) is not None:
                deadline.reschedule(when + seconds)
