"""Conversations and items as plain state, with the API's rules. No HTTP: a refusal is an ``ApiError``."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.emulator import errors, identifiers, incoming
from connectors.emulator.includes import Item
from connectors.emulator.rendering import StoredItem

MAX_ITEMS_SENT: Final = 20


@dataclass(slots=True)
class Timeline:
    """The items of one conversation in list order."""

    ids: list[str] = field(default_factory=list)
    items: dict[str, StoredItem] = field(default_factory=dict)
    _positions: dict[str, int] = field(default_factory=dict)

    def append(self, item: StoredItem) -> None:
        """Puts an item at the end."""
        self._positions[item.id] = len(self.ids)
        self.ids.append(item.id)
        self.items[item.id] = item

    def remove(self, item_id: str) -> None:
        """Takes an item out; those after it move up."""
        del self.items[item_id]
        self.reorder([one for one in self.ids if one != item_id])

    def reorder(self, ids: list[str]) -> None:
        """Puts the items into this order."""
        self.ids = ids
        self._positions = {item_id: position for position, item_id in enumerate(ids)}

    def position(self, item_id: str) -> int | None:
        """Where an item stands, counted from the oldest."""
        return self._positions.get(item_id)


@dataclass(slots=True)
class Conversation:
    """One conversation: what the API says of it, and its items."""

    id: str
    created_at: int
    metadata: dict[str, str]
    timeline: Timeline = field(default_factory=Timeline)

    def body(self) -> dict[str, Any]:
        """The conversation as the API returns it, without its items."""
        return {
            "id": self.id,
            "object": "conversation",
            "created_at": self.created_at,
            "metadata": self.metadata,
        }


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, in the order asked for."""

    items: list[StoredItem]
    has_more: bool


class Store:
    """All conversations of one project, in memory. May be changed while a server's thread reads it."""

    def __init__(self, *, seed: int = 0, now: Callable[[], float] = time.time) -> None:
        """Starts empty. IDs follow from the seed and the clock."""
        self._now = now
        self._rng = random.Random(seed)  # made-up IDs, not secrets
        self._lock = threading.RLock()
        self._conversations: dict[str, Conversation] = {}
        self._items: dict[str, StoredItem] = {}

    def conversation_ids(self) -> list[str]:
        """The IDs of all conversations that are not deleted, oldest first."""
        with self._lock:
            return list(self._conversations)

    def count_items(self) -> int:
        """How many items all these conversations hold; one that is in two conversations counts twice."""
        with self._lock:
            return sum(len(conversation.timeline.ids) for conversation in self._conversations.values())

    def create_conversation(self, items: Sequence[Any] = (), metadata: Mapping[str, str] | None = None) -> Conversation:
        """A new conversation, with up to 20 items to begin with."""
        with self._lock:
            at = self._now()
            key = identifiers.mint_key(self._rng)
            conversation_id = identifiers.mint_sent("conv", self._rng, at, key)
            conversation = Conversation(conversation_id, int(at), dict(metadata or {}))
            self._append(conversation, self._read_items(conversation, items))
            self._conversations[conversation.id] = conversation
            return conversation

    def put_conversation(self, conversation_id: str, created_at: int, metadata: Mapping[str, str]) -> None:
        """Adds an empty conversation under a given ID, as sample data needs."""
        with self._lock:
            self._conversations[conversation_id] = Conversation(conversation_id, created_at, dict(metadata))

    def put_items(self, conversation_id: str, items: Iterable[Item]) -> None:
        """Appends complete items as they are, however many, as sample data needs."""
        with self._lock:
            self._append(self.retrieve_conversation(conversation_id), [StoredItem(item) for item in items])

    def retrieve_conversation(self, conversation_id: str) -> Conversation:
        """The conversation, or the API's 404."""
        with self._lock:
            conversation = self._conversations.get(conversation_id)
            if conversation is None:
                raise errors.no_such_conversation(conversation_id)
            return conversation

    def update_conversation(self, conversation_id: str, metadata: Mapping[str, str]) -> Conversation:
        """Replaces the conversation's metadata."""
        with self._lock:
            conversation = self.retrieve_conversation(conversation_id)
            conversation.metadata = dict(metadata)
            return conversation

    def delete_conversation(self, conversation_id: str) -> None:
        """Makes the conversation unknown; its items stay and can still be referred to, as documented."""
        with self._lock:
            self.retrieve_conversation(conversation_id)
            del self._conversations[conversation_id]

    def create_items(self, conversation_id: str, items: Sequence[Any]) -> list[StoredItem]:
        """Appends up to 20 sent items, all of them or none."""
        with self._lock:
            conversation = self.retrieve_conversation(conversation_id)
            created = self._read_items(conversation, items)
            self._append(conversation, created)
            return created

    def list_items(
        self, conversation_id: str, *, after: str | None = None, order: str = "desc", limit: int = 20
    ) -> Page:
        """One page of a conversation's items, beginning behind the item ``after`` in the given order."""
        with self._lock:
            timeline = self.retrieve_conversation(conversation_id).timeline
            ids = timeline.ids
            position = None if after is None else timeline.position(after)
            if after is not None and position is None:
                raise errors.unknown_cursor(after)
            if order == "asc":
                start = 0 if position is None else position + 1
                chosen = ids[start : start + limit]
                has_more = start + limit < len(ids)
            else:
                end = len(ids) if position is None else position
                chosen = ids[max(0, end - limit) : end][::-1]
                has_more = end > limit
            return Page([timeline.items[item_id] for item_id in chosen], has_more)

    def list_conversations(
        self, *, after: str | None = None, order: str = "desc", limit: int = 20
    ) -> tuple[list[Conversation], bool]:
        """One page of the conversations by creation time, beginning behind the one ``after``; whether more follow."""
        with self._lock:
            ordered = sorted(self._conversations.values(), key=lambda one: one.created_at, reverse=order == "desc")
            ids = [conversation.id for conversation in ordered]
            if after is not None and after not in ids:
                raise errors.unknown_cursor(after)
            start = 0 if after is None else ids.index(after) + 1
            return ordered[start : start + limit], start + limit < len(ordered)

    def retrieve_item(self, conversation_id: str, item_id: str) -> StoredItem:
        """One item of a conversation, or the API's 404."""
        with self._lock:
            item = self.retrieve_conversation(conversation_id).timeline.items.get(item_id)
            if item is None:
                raise errors.no_such_item(item_id)
            return item

    def delete_item(self, conversation_id: str, item_id: str) -> None:
        """Takes an item out of one conversation; another that holds it keeps it."""
        with self._lock:
            self.retrieve_item(conversation_id, item_id)
            self._conversations[conversation_id].timeline.remove(item_id)

    def replace_item(self, conversation_id: str, item: Item) -> None:
        """Puts a complete item in the place of the one with its ID; another conversation keeps what it holds."""
        with self._lock:
            stored = StoredItem(item)
            self.retrieve_item(conversation_id, stored.id)
            self._conversations[conversation_id].timeline.items[stored.id] = self._items[stored.id] = stored

    def reorder_items(self, conversation_id: str, item_ids: Sequence[str]) -> None:
        """Lists a conversation's items in this order from now on; the IDs must be those that it holds."""
        with self._lock:
            timeline = self.retrieve_conversation(conversation_id).timeline
            if sorted(item_ids) != sorted(timeline.ids):
                raise ValueError(f"a new order of {conversation_id} must name each of its items once")
            timeline.reorder(list(item_ids))

    def render(self, item: StoredItem, include: frozenset[str] = frozenset()) -> bytes:
        """The bytes that a reader who asked for these includes gets now."""
        with self._lock:
            return item.render(include, self._rng)

    def _append(self, conversation: Conversation, items: Sequence[StoredItem]) -> None:
        """Puts items at the end of a conversation and makes them known by their ID."""
        for item in items:
            conversation.timeline.append(item)
            self._items[item.id] = item

    def _read_items(self, conversation: Conversation, sent: Sequence[Any]) -> list[StoredItem]:
        """The stored form of sent items, none of which may be in the conversation already."""
        if len(sent) > MAX_ITEMS_SENT:
            raise errors.too_many("items", len(sent), MAX_ITEMS_SENT)
        taken = set(conversation.timeline.items)
        read = []
        for index, one in enumerate(sent):
            item = self._read_item(conversation, incoming.read_item(one, f"items[{index}]"))
            if item.id in taken:
                raise errors.item_already_there(item.id)
            taken.add(item.id)
            read.append(item)
        return read

    def _read_item(self, conversation: Conversation, item: Item) -> StoredItem:
        """The item that this ID already names, or a new one under the ID sent or a fresh one."""
        known = self._items.get(item.get("id") or "")
        if known is not None:
            return known
        if item["type"] == incoming.REFERENCE:
            raise errors.no_such_reference(item["id"])
        if not item.get("id"):
            prefix = identifiers.prefix_of(item["type"])
            key = identifiers.key_of(conversation.id)
            item["id"] = identifiers.mint_sent(prefix, self._rng, self._now(), key)
        return StoredItem(incoming.in_wire_order(item))
