"""Images and files inside an item's JSON: what they are, and how long ones are cut out of the text and put back.

A long string of base64 (or a data URL) makes a row of `raw.items` megabytes long, so its bytes are kept beside the
warehouse, once per content. The offset and length say where they were: the text is put together again exactly.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from models.table import literal

PAYLOAD_KEPT_BYTES = 65_536
"""A payload from this length on is not repeated in the typed tables."""
_BEGINNINGS = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi0": "application/pdf",
}
"""How base64 of well-known formats begins."""
# It begins with no character that may follow a closing quote, and of escapes holds \/ only: JSON stays JSON.
_PAYLOAD = re.compile(rb'"((?=[A-Za-z0-9+/_-]|\\/)(?:[A-Za-z0-9+/=_:;,.%-]++|\\/)++)(?=\\?")')
_DATA_URL = "^data:([a-zA-Z0-9.+/-]+)[;,]"


@dataclass(frozen=True)
class Blob:
    """A string cut out of an item: where its bytes were in the text as received, and what they are."""

    byte_offset: int
    byte_length: int
    media_type: str | None
    sha256: str


def cut(raw: bytes, from_bytes: int) -> tuple[bytes, list[tuple[Blob, bytes]]]:
    """The text without its long payload strings, and these, in order; strings shorter than `from_bytes` stay."""
    if len(raw) < from_bytes:
        return raw, []
    kept, blobs, done = [], [], 0
    for match in _PAYLOAD.finditer(raw):
        content = match[1]
        if len(content) < from_bytes:
            continue
        blob = Blob(match.start(1), len(content), media_type(content), sha256(content).hexdigest())
        blobs.append((blob, content))
        kept.append(raw[done : match.start(1)])
        done = match.end(1)
    return b"".join((*kept, raw[done:])), blobs


def restore(text: bytes, blobs: Iterable[tuple[int, bytes]]) -> bytes:
    """The text as received, from what is left of it and the (offset, content) of each blob."""
    for offset, content in sorted(blobs):
        text = text[:offset] + content + text[offset:]
    return text


def media_type(content: bytes) -> str | None:
    """The media type that a payload tells of itself: by its data URL, or by how well-known formats begin."""
    start = content[:200].replace(b"\\/", b"/").decode("ascii", errors="replace")
    if match := re.match(_DATA_URL, start):
        return match[1]
    return next((kind for beginning, kind in _BEGINNINGS.items() if start.startswith(beginning)), None)


def media_type_sql(expression: str) -> str:
    """The same rule as an SQL expression."""
    by_beginning = " ".join(
        f"when starts_with({expression}, {literal(beginning)}) then {literal(kind)}"
        for beginning, kind in _BEGINNINGS.items()
    )
    from_url = f"nullif(regexp_extract({expression}[:200], {literal(_DATA_URL)}, 1), '')"
    return f"case when starts_with({expression}, 'data:') then {from_url} {by_beginning} end"
