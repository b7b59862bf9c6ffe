"""Turns stored items into the bytes that are served, once each. Knows neither conversations nor HTTP.

The API encrypts ``encrypted_content`` and ``fingerprint`` anew on every read; all else of an item is the same
bytes each time. So an item is kept as byte pieces with holes where those secrets go.
"""

import base64
import json
import random
from typing import Final

import msgspec

from connectors.emulator.includes import Item, gates_of, serve

SECRETS: Final = ("encrypted_content", "fingerprint")
_HOLE: Final = "<<here goes a secret>>"
_SECRET_HEAD: Final = b"gAAAAABq"


class StoredItem:
    """One item with everything it holds, and its bytes for each set of includes asked so far."""

    __slots__ = ("_gates", "_rendered", "_secret_chars", "item")

    def __init__(self, item: Item) -> None:
        """Takes the full item; it must not change afterwards."""
        self.item = item
        self._gates = gates_of(item)
        self._secret_chars = max((len(item[key]) for key in SECRETS if isinstance(item.get(key), str)), default=0)
        self._rendered: dict[frozenset[str], list[bytes]] = {}

    @property
    def id(self) -> str:
        """The item's ID."""
        item_id: str = self.item["id"]
        return item_id

    def render(self, include: frozenset[str], rng: random.Random) -> bytes:
        """The item's JSON for a reader who asked for these includes."""
        cut_out = self._gates - include
        pieces = self._rendered.get(cut_out)
        if pieces is None:
            pieces = self._rendered[cut_out] = self._render_pieces(cut_out)
        if len(pieces) == 1:
            return pieces[0]
        return encrypt(rng, self._secret_chars).join(pieces)

    def _render_pieces(self, cut_out: frozenset[str]) -> list[bytes]:
        """The item's JSON, split where its secret goes."""
        served = serve(self.item, cut_out)
        if not self._secret_chars:
            return [to_bytes(served)]
        holed = {key: _HOLE if key in SECRETS and value else value for key, value in served.items()}
        return to_bytes(holed).split(_HOLE.encode())


def to_bytes(item: Item) -> bytes:
    """An item's JSON; the escapes of the slower encoder are needed for half a surrogate pair only."""
    try:
        return msgspec.json.encode(item)
    except UnicodeEncodeError:
        return json.dumps(item, separators=(",", ":")).encode()


def encrypt(rng: random.Random, chars: int) -> bytes:
    """A secret that says nothing, of the given length and in the usual alphabet."""
    noise = base64.urlsafe_b64encode(rng.randbytes(chars))
    return (_SECRET_HEAD + noise)[:chars]
