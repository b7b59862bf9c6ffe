"""Proving that what is stored is what the API serves: lists conversations whole, compares, and changes nothing.

What is stored is read from the serving snapshot, so a verification disturbs no run. Not here: mending what differs
(`sync` with `reconcile`).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import NamedTuple

import duckdb

from connectors.openai_conversations import INCLUDE, ConversationsClient, ConversationsError, Item, StopError, Walk
from models import raw as facts
from models.content import content_hash, same_content
from pipelines.ingest import membership
from pipelines.ingest.asking import Answered, Asking, Limits
from pipelines.ingest.clock import utc
from pipelines.ingest.landing import ConversationState, include_set
from pipelines.ingest.originals import Originals, read_original
from pipelines.ingest.places import Places
from pipelines.ingest.progress import OnProgress
from pipelines.ingest.reading import open_snapshot

NOT_STORED, NOT_SERVED, OTHER_ORDER, OTHER_CONTENT = "not_stored", "not_served", "other_order", "other_content"
STORED_TWICE = "stored_twice"
"""How a conversation may differ: in items served and not stored, stored and not served, in another order ..."""
_WITHOUT_ID = "~"


@dataclass(frozen=True)
class Difference:
    """How a conversation differs, in how many items, and one of them."""

    conversation_id: str
    kind: str
    items: int
    example_item_id: str


@dataclass
class Verification:
    """What was compared, and what differs; `failures` says why a conversation could not be listed, by ID."""

    snapshot_at: datetime
    conversations: int = 0
    items: int = 0
    items_not_compared: int = 0
    """Items stored with another include[] than asked for now: their content may rightly differ."""
    requests: int = 0
    differences: list[Difference] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    error: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether every conversation was listed, and is stored as it is served."""
        return not (self.differences or self.failures or self.error)

    def to_dict(self) -> dict[str, object]:
        """The same as plain JSON values."""
        return asdict(self) | {"snapshot_at": self.snapshot_at.isoformat(timespec="seconds"), "agrees": self.agrees}


@dataclass(frozen=True)
class VerifyOptions:
    """Which conversations to compare (all active ones, unless chosen), and how to ask for them."""

    chosen: tuple[str, ...] = ()
    include: tuple[str, ...] = INCLUDE
    limits: Limits = field(default_factory=Limits)


class StoredItem(NamedTuple):
    """What is stored of a live item, as far as a comparison needs it."""

    position: int
    content_hash: str
    include_set: str


def verify(
    places: Places,
    client: ConversationsClient,
    options: VerifyOptions,
    on_progress: OnProgress | None = None,
) -> Verification:
    """Compare what the snapshot holds with what the API serves.

    SelectionError if a chosen conversation is not registered; WarehouseError if there is no snapshot.
    """
    with open_snapshot(places.serving) as con:
        verifier = _Verifier(con, places, client, options, on_progress)
        states = membership.select(con, chosen=options.chosen)
        asyncio.run(verifier.compare(states))
    return verifier.result


class Comparison:
    """One conversation's stored items against its pages, as they come."""

    def __init__(
        self, stored: Sequence[tuple[str, StoredItem]], include_set: str, original: Callable[[str], bytes]
    ) -> None:
        """Begin with the live items stored and their IDs, in the order of their positions."""
        self.items = 0
        self.items_not_compared = 0
        self._stored = dict(stored)
        self._twice = [item_id for item_id, count in Counter(item_id for item_id, _ in stored).items() if count > 1]
        self._include_set = include_set
        self._original = original
        self._left = dict.fromkeys(self._stored)
        self._without_id = (name for name in self._stored if name.startswith(_WITHOUT_ID))
        self._furthest = -1
        self._found: dict[str, list[str]] = {}

    def take(self, items: Iterable[Item]) -> None:
        """Compare a page's items."""
        for item in items:
            self.items += 1
            item_id = item.id or next(self._without_id, _WITHOUT_ID)
            known = self._stored.get(item_id)
            if known is None:
                self._note(NOT_STORED, item_id)
                continue
            self._left.pop(item_id, None)
            if known.position < self._furthest:
                self._note(OTHER_ORDER, item_id)
            self._furthest = max(self._furthest, known.position)
            if known.include_set != self._include_set:
                self.items_not_compared += 1
            elif known.content_hash != content_hash(item.raw) and not same_content(self._original(item_id), item.raw):
                self._note(OTHER_CONTENT, item_id)

    def differences(self, conversation_id: str) -> Iterator[Difference]:
        """What differs, once the last page was taken."""
        found = self._found | ({NOT_SERVED: list(self._left)} if self._left else {})
        if self._twice:
            found |= {STORED_TWICE: self._twice}
        for kind, ids in found.items():
            yield Difference(conversation_id, kind, len(ids), ids[0])

    def _note(self, kind: str, item_id: str) -> None:
        self._found.setdefault(kind, []).append(item_id)


class _Verifier:
    """One verification."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        places: Places,
        client: ConversationsClient,
        options: VerifyOptions,
        on_progress: OnProgress | None,
    ) -> None:
        self.result = Verification(utc(places.serving.stat().st_mtime))
        self._con = con
        self._originals = Originals(places.warehouse)
        self._client = client
        self._options = options
        self._on_progress = on_progress
        self._asking = Asking(client, options.limits, self._list, self._told)

    async def compare(self, states: Sequence[ConversationState]) -> None:
        """Compare all these conversations."""
        async with self._client:
            try:
                await self._asking.ask(states)
            except StopError as stopped:
                self.result.error = str(stopped)
        self.result.requests = self._client.stats.requests

    async def _list(self, state: ConversationState) -> Comparison:
        comparison = Comparison(
            self._stored(state.conversation_id),
            include_set(self._options.include),
            lambda item_id: read_original(self._con, self._originals, state.conversation_id, item_id),
        )
        walk = Walk(
            state.conversation_id,
            include=self._options.include,
            trusts_has_more=self._client.is_openai,
        )
        async for step in self._client.walk_pages(walk):
            self._asking.heard()
            comparison.take(step.items)
        return comparison

    async def _told(self, answered: Answered[Comparison]) -> None:
        conversation_id, result = answered.state.conversation_id, self.result
        match answered.outcome:
            case ConversationsError() as error:
                result.failures[conversation_id] = str(error)
            case comparison:
                result.conversations += 1
                result.items += comparison.items
                result.items_not_compared += comparison.items_not_compared
                result.differences += comparison.differences(conversation_id)
        if self._on_progress:
            self._on_progress(self._asking.progress(result.items))

    def _stored(self, conversation_id: str) -> list[tuple[str, StoredItem]]:
        found = self._con.execute(
            f"select item_id, {', '.join(StoredItem._fields)} from {facts.ITEMS.full_name} "
            "where conversation_id = ? and deleted_at is null order by position",
            [conversation_id],
        ).fetchall()
        return [(item_id, StoredItem(*values)) for item_id, *values in found]
