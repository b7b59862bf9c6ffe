"""Puts the sample conversations together and into a store. What is said in them, the families know."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from connectors.emulator import identifiers
from connectors.emulator.samples import odd, rhythm
from connectors.emulator.samples.families import ROTATION
from connectors.emulator.samples.scenario import Scenario
from connectors.emulator.samples.scribe import Scribe
from connectors.emulator.store import Store

_USUAL_ITEMS: Final = (2, 6, 10, 14, 20, 26, 34, 46, 60, 78)
_RECENT: Final = timedelta(days=14)
_HOURS_UNTIL_MORE: Final = 8
_SECONDS_BETWEEN_MORE: Final = 240


@dataclass(slots=True)
class _Draft:
    """One conversation being written."""

    number: int
    id: str
    created_at: int
    scenario: Scenario
    metadata: Mapping[str, str]

    @property
    def scribe(self) -> Scribe:
        """The pen that it is written with."""
        return self.scenario.scribe


def sample_store(
    seed: int = 7, *, conversations: int = 120, more: int = 0, now: Callable[[], float] = time.time
) -> Store:
    """A store with sample conversations; ``more`` of them go on with another turn at their end.

    The same seed gives the same items, and what ``more`` adds does not change what was there without it.
    """
    drafts = [_write_draft(seed, number) for number in range(conversations)]
    drafts.sort(key=lambda draft: (draft.created_at, draft.number))
    _copy_an_item(drafts)
    store = Store(seed=seed, now=now)
    for draft in drafts:
        store.put_conversation(draft.id, draft.created_at, draft.metadata)
    _go_on(seed, drafts, more)
    for draft in drafts:
        store.put_items(draft.id, draft.scribe.items)
    return store


def _write_draft(seed: int, number: int) -> _Draft:
    """One conversation, which depends on the seed and on its number only."""
    rng = _randomness(seed, number)
    at = rhythm.some_start(rng)
    key = identifiers.mint_key(rng)
    conversation_id = identifiers.mint_sent("conv", rng, at, key)
    scenario = ROTATION[number % len(ROTATION)](Scribe(rng, key, at))
    draft = _Draft(number, conversation_id, int(at), scenario, scenario.metadata())
    _write_items(draft)
    return draft


def _write_items(draft: _Draft) -> None:
    """The opening and as many turns as the conversation's size asks for."""
    scribe = draft.scribe
    size = odd.SIZES.get(draft.number, scribe.pick(_USUAL_ITEMS))
    if size > 1:
        draft.scenario.opening()
    while len(scribe.items) < size:
        draft.scenario.turn()
        scribe.wait(20, 900)
    if size == 1:
        del scribe.items[1:]
    if draft.number in odd.EXTRAS:
        odd.EXTRAS[draft.number](scribe)


def _copy_an_item(drafts: list[_Draft]) -> None:
    """Puts the first item of an older conversation at the beginning of another, as a reference does."""
    target = next((draft for draft in drafts if draft.number == odd.COPIES), None)
    source = next((draft for draft in drafts if draft.number < odd.COPIES and draft.scribe.items), None)
    if target is not None and source is not None:
        target.scribe.items.insert(0, source.scribe.items[0])


def _go_on(seed: int, drafts: list[_Draft], more: int) -> None:
    """Adds turns one after the other, so that a larger number begins with what a smaller one adds."""
    recent = _recent(drafts)
    _randomness(seed, "more").shuffle(recent)
    begin = rhythm.last_moment() + timedelta(hours=_HOURS_UNTIL_MORE)
    for number in range(more if recent else 0):
        scribe = recent[number % len(recent)].scribe
        scribe.rng = _randomness(seed, f"more {number}")
        scribe.at = max(scribe.at, begin.timestamp() + number * _SECONDS_BETWEEN_MORE)
        recent[number % len(recent)].scenario.turn()


def _recent(drafts: list[_Draft]) -> list[_Draft]:
    """The conversations that may go on: active of late, and not waiting for an open call."""
    since = (rhythm.last_moment() - _RECENT).timestamp()
    return [
        draft for draft in drafts if draft.scribe.items and draft.scribe.at >= since and draft.number not in odd.OPEN
    ]


def _randomness(seed: int, purpose: object) -> random.Random:
    """Randomness for one purpose, independent of all others."""
    return random.Random(f"{seed}/{purpose}")  # invented conversations, not secrets
