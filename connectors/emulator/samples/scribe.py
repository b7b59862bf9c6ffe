"""The pen that scenarios write with: time, randomness, IDs. Knows no scenario and no item's fields."""

import random
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from connectors.emulator import identifiers
from connectors.emulator.includes import Item
from connectors.emulator.incoming import in_wire_order

T = TypeVar("T")


class Scribe:
    """Writes the items of one conversation in order, each a little later than the one before."""

    def __init__(self, rng: random.Random, key: str, at: float) -> None:
        """Begins at a moment, with the key that all IDs of the conversation share."""
        self.rng = rng
        self.key = key
        self.at = at
        self.items: list[Item] = []

    def wait(self, low: float, high: float) -> None:
        """Lets some seconds pass."""
        self.at += self.rng.uniform(low, high)

    def chance(self, probability: float) -> bool:
        """True once in a while."""
        return self.rng.random() < probability

    def pick(self, choices: Sequence[T]) -> T:
        """One of several choices."""
        return self.rng.choice(choices)

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.rng.randint(low, high)

    def call_id(self) -> str:
        """A new word to pair a call with its output."""
        return identifiers.mint_call_id(self.rng)

    def file_id(self) -> str:
        """A new ID of an uploaded file."""
        return identifiers.mint_file_id(self.rng)

    def container_id(self) -> str:
        """A new ID of a container that code ran in."""
        return identifiers.mint_sent("cntr", self.rng, self.at, self.key)

    def secret(self, low: int = 300, high: int = 900) -> str:
        """A placeholder for encrypted text, which is served as new text of this length on each read."""
        return "gAAAAABq" + "A" * self.number(low, high)

    def send(self, item_type: str, **fields: Any) -> Item:
        """Writes an item that the client sent."""
        self.wait(0.01, 0.2)
        return self._write(identifiers.mint_sent, item_type, fields)

    def emit(self, item_type: str, **fields: Any) -> Item:
        """Writes an item born of a Response."""
        self.wait(0.3, 4.0)
        return self._write(identifiers.mint_born, item_type, fields)

    def _write(self, mint: Any, item_type: str, fields: Item) -> Item:
        """Adds an item with its ID and its keys in the API's order."""
        item_id = mint(identifiers.prefix_of(item_type), self.rng, self.at, self.key)
        item = in_wire_order({"id": item_id, "type": item_type, **fields})
        self.items.append(item)
        return item


def to_json(value: Any) -> str:
    """A value as compact JSON text, as arguments and outputs carry it."""
    return msgspec.json.encode(value).decode()
