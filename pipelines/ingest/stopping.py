"""Ending early, in good order: a run that is asked to stop asks nobody any more, and commits what has arrived.

Here: that a stop was asked for, and who hears of it. Not here: what asks for it (signals: `terminal`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Stop:
    """Whether a stop was asked for; a run that minds it ends in good order."""

    def __init__(self) -> None:
        self.is_asked = False
        self._minding: list[Callable[[], object]] = []

    def ask(self) -> bool:
        """Ask for it. Returns whether a run minds it; otherwise whoever asks has to end by himself."""
        self.is_asked = True
        for tell in self._minding:
            tell()
        return bool(self._minding)

    @contextmanager
    def minded(self, tell: Callable[[], object] = lambda: None) -> Iterator[None]:
        """While this lasts, a stop ends in good order: `tell` is called in the thread that asks."""
        self._minding.append(tell)
        try:
            yield
        finally:
            self._minding.remove(tell)


_this: ContextVar[Stop] = ContextVar("_this")


def this_stop() -> Stop:
    """The stop that the work in hand listens to; by itself, one that nobody asks for."""
    return _this.get(None) or Stop()


@contextmanager
def listening() -> Iterator[Stop]:
    """Have the work of the block listen to a new stop."""
    stop = Stop()
    token = _this.set(stop)
    try:
        yield stop
    finally:
        _this.reset(token)
