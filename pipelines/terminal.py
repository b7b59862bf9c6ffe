"""What happens between a person and a command while it works: a bar, and the keys that stop it.

A bar only where a person looks: on a terminal that can move its cursor. Not here: what is printed in the end
(`console`), and what a stop does (`ingest.stopping`).
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from pipelines.ingest.progress import Progress, heard_by
from pipelines.ingest.stopping import listening

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

STOPPED_EXIT = 130
_STANDARD_ERROR = 2
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NEW_LINE, _CURSOR_ON = "\r\x1b[2K", "\x1b[?25h"


@contextmanager
def progress() -> Iterator[None]:
    """Show what the work of the block tells of its progress, where somebody looks; nothing of it stays."""
    if not _has_bar():
        yield
        return
    bar = _Bar()
    with heard_by(bar.show):
        try:
            yield
        finally:
            bar.end()


class _Bar:
    """A line that grows while there is something left to do."""

    def __init__(self) -> None:
        self._shown: Bar | None = None

    def show(self, said: Progress) -> None:
        """Draw it."""
        if self._shown is None or self._shown.tasks[-1].description != said.what:
            self.end()
            self._shown = _bar(said)
            self._shown.start()
        items = "" if said.items is None else f"{said.items:,} items"
        self._shown.update(self._shown.task_ids[-1], completed=said.done, total=said.of, items=items)
        if said.done >= said.of:
            self.end()

    def end(self) -> None:
        """Leave the line to others."""
        if self._shown:
            self._shown.stop()
        self._shown = None


def _bar(said: Progress) -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[items]}"),
        TimeRemainingColumn(),
    )
    # What is printed meanwhile is not the bar's: it may go elsewhere.
    bar = Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    bar.add_task(said.what, total=said.of, items="")
    return bar


def _has_bar() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}


@contextmanager
def stoppable() -> Iterator[None]:
    """Make Ctrl-C and SIGTERM ask the work of the block to stop in good order; a second one ends the process at once.

    Work that minds no stop, like waiting for another run, is ended by the first. To end at once is safe at any instant,
    since only what is committed counts; an exception could come up anywhere, and be taken for something else.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are not ours to handle there
        yield
        return
    with listening() as stop:

        def end(number: int, frame: FrameType | None) -> None:
            if stop.is_asked or not stop.ask():
                _say("Stopped.\n" + _CURSOR_ON * _has_bar())
                os._exit(STOPPED_EXIT)
            _say("Stopping when what has arrived is committed; once more ends at once.\n")

        before = [(number, signal.signal(number, end)) for number in _SIGNALS]
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)


def _say(words: str) -> None:
    """Say it past Python's own buffers, which a signal may have found in use."""
    os.write(_STANDARD_ERROR, (_NEW_LINE * _has_bar() + words).encode())
