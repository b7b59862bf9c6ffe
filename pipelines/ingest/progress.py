"""How far work has come, told to whoever listens, from wherever it is done. Not here: how it looks (`terminal`)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """So many of so many conversations or items; with conversations, the items that came with them."""

    what: str
    done: int
    of: int
    items: int | None = None


OnProgress = Callable[[Progress], None]
_listener: ContextVar[OnProgress | None] = ContextVar("_listener", default=None)


@contextmanager
def heard_by(listener: OnProgress) -> Iterator[None]:
    """Have this listener told of what is done in the block, in the block's own thread."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(progress: Progress) -> None:
    """Tell the listener, if there is one."""
    if listener := _listener.get():
        listener(progress)
