"""What a conversation's pages mean for what is stored: pure, no network and no database.

Two ways to land: items past the cursor are new and simply appended; items of an open tail or of a re-list are compared
with what is stored, and what is stored but no longer listed is gone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from connectors.openai_conversations.protocol import Item
from connectors.openai_conversations.walk import Cursor, Step
from models.content import content_hash, same_content
from models.ids import item_time

SETTLED_AFTER = timedelta(hours=24)
"""An item that is still open this long after it was first seen is taken as it is."""
TAIL_ITEMS = 200
"""A longer open tail is not pulled again whole: the cursor moves on, and its open items are read singly."""


class ConversationState(NamedTuple):
    """Where one conversation stands: the part of its registry row that a pull changes."""

    conversation_id: str
    created_at: datetime | None
    metadata: str | None
    cursor_item_id: str | None
    previous_item_id: str | None
    next_position: int
    tail_position: int | None
    last_polled_at: datetime | None
    last_grown_at: datetime | None
    next_poll_at: datetime | None
    status: str
    last_error: str | None
    last_verified_at: datetime | None
    missing_since: datetime | None

    @property
    def cursor(self) -> Cursor | None:
        """The cursor as a walk wants it."""
        return None if self.cursor_item_id is None else Cursor(self.cursor_item_id, self.previous_item_id)

    @property
    def compared_from(self) -> int | None:
        """The position from which on the next pull lists what is stored again; None if all it brings is new."""
        from_position = self.tail_position if self.cursor_item_id else 0
        return from_position if from_position is not None and from_position < self.next_position else None


class Row(NamedTuple):
    """A row of `raw.items`, its columns in order, with the bytes as received in place of how they are kept."""

    conversation_id: str
    position: int
    item_id: str
    is_id_synthetic: bool
    type: str | None
    status: str | None
    item_at: datetime | None
    item_at_source: str
    content_hash: str
    include_set: str
    first_seen_at: datetime
    last_seen_at: datetime
    deleted_at: datetime | None
    run_id: str
    original: bytes


class StoredItem(NamedTuple):
    """What is stored of an item, as far as landing needs it."""

    position: int
    content_hash: str
    include_set: str
    first_seen_at: datetime
    is_deleted: bool


class Stored(NamedTuple):
    """How to look up what is stored of one conversation."""

    items: Callable[[int], Mapping[str, StoredItem]]
    """The items from this position on, by ID."""
    original: Callable[[str], bytes]
    """One item's bytes as received."""


@dataclass(frozen=True)
class RunStamp:
    """What every row written by a run carries of it."""

    run_id: str
    include_set: str


def include_set(include: Iterable[str]) -> str:
    """What was asked for with `include[]`, in the form in which items carry it."""
    return ",".join(sorted(include))


@dataclass
class Landed:
    """What is to be written for one page of a conversation."""

    rows: list[Row] = field(default_factory=list)
    new: int = 0
    """How many of the rows are items that were not there before."""
    gone: list[str] = field(default_factory=list)
    """Items that are stored but no longer listed."""
    may_be_stored: bool = False
    """Whether an item of the rows could be stored already."""
    renumbered: dict[str, int] = field(default_factory=dict)
    """New positions, where the list's order is not the stored one; else empty."""


class Landing:
    """One conversation's pages as they arrive."""

    def __init__(self, state: ConversationState, stamp: RunStamp, stored: Stored) -> None:
        """Begin where the conversation stands."""
        self._begun = state
        self._stamp = stamp
        self._stored = stored
        self._cursor_item_id = self._last_item_id = state.cursor_item_id
        self._previous_item_id = state.previous_item_id
        self._next_position = state.next_position
        self._tail_position = state.tail_position
        self._last_position = -1
        self._is_tail_open = False
        self._tail_items = 0
        self._is_relisting = False
        self._known: Mapping[str, StoredItem] | None = None
        self._rereadable: Mapping[str, StoredItem] | None = None
        self._known_without_id: Iterator[str] = iter(())
        self._listed: dict[str, int] = {}
        self._tail_item_id: str | None = None
        self._is_in_order = True
        self._has_stored = state.next_position > 0
        if state.compared_from is not None:
            self._compare_from(state.compared_from)

    @property
    def state(self) -> ConversationState:
        """What may be committed with the rows so far.

        While items are compared with what is stored, the cursor stays where it was, and in a re-list there is none:
        only the last page tells what is gone, and a run that dies before it must compare again from the same item on.
        """
        if self._known is not None and self._is_relisting:
            return self._begun._replace(
                cursor_item_id=None,
                previous_item_id=None,
                next_position=self._next_position,
                tail_position=None,
            )
        if self._known is not None:
            return self._begun._replace(next_position=self._next_position)
        return self._begun._replace(
            cursor_item_id=self._cursor_item_id,
            previous_item_id=self._previous_item_id,
            next_position=self._next_position,
            tail_position=self._tail_position,
        )

    def begins_again(self, step: Step) -> bool:
        """Whether this page is the first of a re-list: all that landed before must be stored first."""
        return step.is_relist and not self._is_relisting

    def land(self, step: Step, now: datetime) -> Landed:
        """What to write for one page of the walk, received at `now` (UTC)."""
        if self.begins_again(step):
            self._is_relisting = True
            self._begun = self.state
            self._cursor_item_id = self._previous_item_id = self._last_item_id = None
            self._compare_from(0)
        landed = Landed(may_be_stored=self._has_stored)
        for item in step.items:
            self._land(item, now, landed)
        if step.is_last and self._known is not None:
            self._close_comparison(self._known, landed)
        return landed

    def reread(self, item_id: str, item: Item, now: datetime) -> Landed:
        """What to write for a stored item that was asked for by itself, received at `now` (UTC)."""
        if self._rereadable is None:
            self._rereadable = self._stored.items(0)
        known = self._rereadable.get(item_id)
        landed = Landed(may_be_stored=True)
        if known is not None and item.id == item_id:
            row = self._row(item, item_id, known.position, known.first_seen_at, now)
            landed.rows = [row] if self._is_changed(known, row) else []
        return landed

    def _compare_from(self, position: int) -> None:
        self._has_stored = True
        self._last_position = -1
        self._is_tail_open, self._tail_items = False, 0
        self._known = self._stored.items(position)
        without_id = (name for name, item in self._known.items() if name.startswith("~") and not item.is_deleted)
        self._known_without_id = iter(tuple(without_id))
        self._tail_item_id = None
        self._listed = {}
        self._is_in_order = True
        self._tail_position = None

    def _land(self, item: Item, now: datetime, landed: Landed) -> None:
        item_id = item.id if item.id is not None else self._synthetic_id()
        known = self._known.get(item_id) if self._known else None
        position = known.position if known else self._next_position
        self._next_position += known is None
        if self._known is not None:
            self._listed[item_id] = position
            self._is_in_order = self._is_in_order and position > self._last_position
        self._last_position = position
        first_seen_at = known.first_seen_at if known else now
        row = self._row(item, item_id, position, first_seen_at, now)
        if known is None or self._is_changed(known, row):
            landed.rows.append(row)
            landed.new += known is None or known.is_deleted
        self._move_cursor(item, item_id, position, now - first_seen_at)

    def _synthetic_id(self) -> str:
        """`~` and a position: the stored one of the next item without ID not listed yet, else the next free."""
        return next(self._known_without_id, f"~{self._next_position}")

    def _row(self, item: Item, item_id: str, position: int, first_seen_at: datetime, now: datetime) -> Row:
        item_at = None if item.id is None else item_time(item.id, now)
        return Row(
            conversation_id=self._begun.conversation_id,
            position=position,
            item_id=item_id,
            is_id_synthetic=item.id is None,
            type=item.type,
            status=item.status,
            item_at=item_at,
            item_at_source="unknown" if item_at is None else "id",
            content_hash=content_hash(item.raw),
            include_set=self._stamp.include_set,
            first_seen_at=first_seen_at,
            last_seen_at=now,
            deleted_at=None,
            run_id=self._stamp.run_id,
            original=item.raw,
        )

    def _is_changed(self, known: StoredItem, row: Row) -> bool:
        if known.is_deleted or known.include_set != row.include_set:
            return True
        return known.content_hash != row.content_hash and not same_content(
            self._stored.original(row.item_id), row.original
        )

    def _move_cursor(self, item: Item, item_id: str, position: int, age: timedelta) -> None:
        """The cursor moves on to the item, unless it or one before it may still change, or it has no ID."""
        self._is_tail_open = self._is_tail_open or (item.is_open and age < SETTLED_AFTER)
        previous_item_id, self._last_item_id = self._last_item_id, item.id or self._last_item_id
        if item.id is None or (self._is_tail_open and self._tail_items < TAIL_ITEMS):
            self._tail_items += 1
            if self._tail_position is None:
                self._tail_position, self._tail_item_id = position, item_id
            return
        self._is_tail_open, self._tail_items = False, 0
        self._cursor_item_id, self._previous_item_id = item.id, previous_item_id
        self._tail_position = self._tail_item_id = None

    def _close_comparison(self, known: Mapping[str, StoredItem], landed: Landed) -> None:
        """After the last page: what was not listed is gone; a list in another order gives new positions."""
        landed.gone = [
            item_id for item_id, item in known.items() if item_id not in self._listed and not item.is_deleted
        ]
        if not self._is_in_order:
            # Fresh positions, so that none is ever given twice: deleted items keep theirs.
            first = self._next_position
            landed.renumbered = {item_id: position for position, item_id in enumerate(self._listed, first)}
            self._tail_position = None if self._tail_item_id is None else landed.renumbered[self._tail_item_id]
            self._next_position += len(self._listed)
        self._known = None
