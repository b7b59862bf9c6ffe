"""What a sync would do, without doing it: nothing is asked, nothing is written.

Not here: doing it (`sync`).
"""

from collections.abc import Collection
from dataclasses import dataclass

import duckdb
from filelock import FileLock, Timeout

from pipelines.ingest import membership, source
from pipelines.ingest.database import connect, telling
from pipelines.ingest.landing import ConversationState
from pipelines.ingest.places import Places
from pipelines.ingest.sync import SyncOptions

_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Plan:
    """What a sync would ask, in the order in which it would begin."""

    scope: str
    conversations: tuple[str, ...]
    never_asked: int
    new: tuple[str, ...]
    """Of the conversations, those that CONVERSATIONS_SOURCE names and a sync would register first."""

    def to_dict(self) -> dict[str, object]:
        """The same as plain JSON values."""
        return vars(self)

    def __str__(self) -> str:
        """The same in a sentence."""
        if not self.conversations:
            return f"Would ask none ({self.scope}). Nothing was asked or changed."
        new = f", {len(self.new)} of them new in {source.VARIABLE}" if self.new else ""
        return (
            f"Would ask {len(self.conversations)} conversations ({self.scope}), {self.never_asked} of them for the "
            f"first time{new}. Nothing was asked or changed."
        )


def plan(places: Places, options: SyncOptions) -> Plan:
    """What a sync with these options would ask now, by the warehouse itself, which is only read.

    A scheduled run (`only_due`) lists some conversations whole besides, with up to a tenth of its requests.
    SelectionError if a chosen conversation is not registered, WarehouseError if the warehouse cannot be read.
    """
    new = tuple(dict.fromkeys(name for one in source.named() for name in one.ids))
    states: list[ConversationState] = []
    if places.warehouse.exists():
        with (
            telling(places.warehouse, "nothing was changed"),
            connect(places.warehouse, _WAIT_SECONDS, read_only=True) as con,
        ):
            new = tuple(membership.unknown(con, new))
            states = _states(con, options, new)
    elif left := set(options.chosen) - set(new):
        raise membership.not_registered(left)
    new = tuple(name for name in new if not options.chosen or name in options.chosen)
    return Plan(
        options.scope,
        (*new, *(state.conversation_id for state in states)),
        len(new) + sum(state.last_polled_at is None for state in states),
        new,
    )


def _states(con: duckdb.DuckDBPyConnection, options: SyncOptions, new: Collection[str]) -> list[ConversationState]:
    """The registered conversations that would be asked."""
    chosen = [name for name in options.chosen if name not in new]
    if options.chosen and not chosen:
        return []
    return membership.select(con, chosen=chosen, only_due=options.only_due, include_inactive=options.include_inactive)


def is_going_on(places: Places) -> bool:
    """Whether a sync has the warehouse now, whoever started it."""
    if not places.run_lock.exists():
        return False
    try:
        with FileLock(places.run_lock, timeout=0):
            return False
    except Timeout:
        return True
