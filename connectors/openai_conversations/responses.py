"""What a 2xx body holds: pages, items, conversations, each with its text exactly as received.

What belongs here: reading a body. What does not: what any other status means (`refusals.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import msgspec

from connectors.openai_conversations.errors import MalformedResponseError

OPEN_STATUSES: Final = frozenset(
    {"in_progress", "searching", "generating", "interpreting", "calling", "queued"},
)
"""The statuses of an item that may still change; null, unknown and all others are terminal."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """One item: what a reader must know of it before parsing it, and its text exactly as received.

    `id`, `type` and `status` are None where the item has none, or none that is a well-formed string.
    """

    id: str | None
    type: str | None
    status: str | None
    raw: bytes

    @property
    def is_open(self) -> bool:
        """Whether the API may still change this item."""
        return self.status in OPEN_STATUSES

    def to_dict(self) -> dict[str, Any]:
        """Return the parsed item; raise MalformedResponseError where it is not a JSON object."""
        try:
            value = json.loads(self.raw)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            _raise_malformed("An element of the list is not an item", "Report it to the server's operator.")
        return value

    def __repr__(self) -> str:
        """Name the item without its content, which is somebody's words."""
        return f"Item(id={self.id!r}, type={self.type!r}, status={self.status!r}, raw=<{len(self.raw)} bytes>)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Name the item without its content, for rich's tracebacks too."""
        return [("id", self.id), ("type", self.type), ("status", self.status)]


class Page(msgspec.Struct, frozen=True):
    """One list response. A missing, null or empty `first_id` or `last_id` is None."""

    object: str | None
    data: tuple[Item, ...]
    first_id: str | None
    has_more: bool
    last_id: str | None


class Conversation(msgspec.Struct, frozen=True):
    """One conversation: creation time in Unix seconds, and its metadata as the JSON text received."""

    id: str
    created_at: int | None
    metadata: bytes | None

    def __repr__(self) -> str:
        """Name the conversation without its metadata, which is somebody's words."""
        return f"Conversation(id={self.id!r}, created_at={self.created_at!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Name the conversation without its metadata, for rich's tracebacks too."""
        return [("id", self.id), ("created_at", self.created_at)]


class _Envelope(msgspec.Struct):
    object: str | None = None
    data: list[msgspec.Raw] | None = None
    first_id: str | None = None
    has_more: bool | None = None
    last_id: str | None = None


class _Heads(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    status: str | None = None


_KEEP_BYTES = "surrogateescape"
"""Bytes that are not UTF-8 come out of the text as they went in: an item may hold them, and is kept all the same."""
_TIMES = range(253_402_300_800)
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_HEADS = msgspec.json.Decoder(_Heads)


def read_page(body: bytes) -> Page:
    """Return the page in this body (Conversations API, list items); raise MalformedResponseError if none is.

    A list may leave out `first_id`, `last_id`, `has_more`, or `data` where nothing follows, as some servers do. One odd
    item never costs the page: it keeps its bytes, and what it does not tell properly is None.
    """
    try:
        envelope = _ENVELOPE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # msgspec refuses the whole page for a lone surrogate anywhere in it, or for a number as `last_id`.
        envelope = _read_odd_envelope(body.decode("utf-8", _KEEP_BYTES))
    if envelope.data is None and (envelope.object != "list" or envelope.has_more):
        _raise_malformed("The answer is not a list of items", "Check that the base URL is an OpenAI API.")
    return Page(
        object=envelope.object,
        data=tuple(_read_item(bytes(raw)) for raw in envelope.data or ()),
        first_id=envelope.first_id or None,
        has_more=envelope.has_more or False,
        last_id=envelope.last_id or None,
    )


def read_item(body: bytes) -> Item:
    """Return the item in this body (Conversations API, retrieve an item), or raise MalformedResponseError."""
    _members(_utf8(body))
    return _read_item(body)


def read_conversation(body: bytes) -> Conversation:
    """Return the conversation in this body (Conversations API, retrieve), or raise MalformedResponseError."""
    members = _members(_utf8(body))
    identifier = _string(members.get("id"))
    if not identifier:
        _raise_malformed("The answer is not a conversation", "Check that the base URL is an OpenAI API.")
    metadata = members.get("metadata", "null")
    return Conversation(
        id=identifier,
        created_at=_seconds(members.get("created_at", "null")),
        metadata=None if metadata == "null" else metadata.encode(),
    )


def _read_item(raw: bytes) -> Item:
    try:
        heads = _HEADS.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        heads = _read_odd_heads(raw)
    return Item(heads.id or None, heads.type, heads.status, raw)


def _read_odd_heads(raw: bytes) -> _Heads:
    """Read what can be read of an item that is not an object, or whose heads are not all strings."""
    try:
        members = _members(raw.decode("utf-8", _KEEP_BYTES))
        return _Heads(*(_string(members.get(key)) for key in ("id", "type", "status")))
    except (MalformedResponseError, RecursionError):
        return _Heads()


def _read_odd_envelope(text: str) -> _Envelope:
    members = _members(text)
    has_more = members.get("has_more", "null")
    data = members.get("data", "null")
    if has_more not in {"true", "false", "null"} or not data.startswith(("[", "null")):
        _raise_malformed("The answer is not a list of items", "Check that the base URL is an OpenAI API.")
    return _Envelope(
        object=_string(members.get("object")),
        data=None
        if data == "null"
        else [msgspec.Raw(element.encode("utf-8", _KEEP_BYTES)) for element in _parts(data)],
        first_id=_string(members.get("first_id")),
        has_more=has_more == "true",
        last_id=_string(members.get("last_id")),
    )


def _utf8(body: bytes) -> str:
    """Return the body as text; what is not UTF-8 could not be stored as text later."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        _raise_malformed("The answer is not UTF-8", "Try again; if it stays, look at proxies in between.")


def _well_formed(value: object) -> str | None:
    return value if isinstance(value, str) and is_well_formed(value) else None


def _string(text: str | None) -> str | None:
    """Return the string that this JSON text is, or None for anything else."""
    return None if text is None else _well_formed(_JSON.decode(text))


def _seconds(text: str) -> int | None:
    """Return the whole number of seconds that this JSON text is (some servers send a float), or None.

    A number that is no time of the years 1970 to 9999 (milliseconds, say) tells none.
    """
    try:
        seconds = int(msgspec.json.decode(text, type=float))
    except (msgspec.MsgspecError, ValueError, OverflowError):
        return None
    return seconds if seconds in _TIMES else None


def is_well_formed(text: str) -> bool:
    """Say whether the text can be written as UTF-8: no lone surrogates."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


# The slow way into JSON: for a page that msgspec refuses, with the exact text of each part
#
# The standard library accepts lone surrogates. Numbers are never looked at here, and a number of 5,000
# digits is an error to `int`, so they are read as None.


def _refuse_constant(_: str) -> NoReturn:
    message = "NaN and Infinity are not JSON"
    raise ValueError(message)


_JSON = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=lambda _: None, parse_float=lambda _: None)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
_DEPTH = {"[": 1, "{": 1, "]": -1, "}": -1}
_GAP = re.compile(r"[ \t\n\r]*")


def _members(text: str) -> dict[str, str]:
    """Return the exact JSON text of each member of the object that this text is; raise if it is none."""
    if not text.lstrip().startswith("{") or not _is_json(text):
        _raise_malformed("The answer is not a JSON object", "Check that the base URL is an OpenAI API.")
    members: dict[str, str] = {}
    for part in _parts(text):
        key, end = _JSON.raw_decode(part)
        members[key] = part[_skip(part, _skip(part, end) + 1) :]
    return members


def _is_json(text: str) -> bool:
    """Say whether the text is JSON; one nested too deep to be sure counts as JSON if its brackets close."""
    try:
        _JSON.decode(text)
    except RecursionError:
        return _close(text) == len(text.rstrip())
    except ValueError:
        return False
    return True


def _parts(text: str) -> Iterator[str]:
    """Yield the exact text of each member or element of the object or array that this text is, however deep."""
    depth, start = 0, 0
    for token in _TOKEN.finditer(text):
        depth += _DEPTH.get(token[0], 0)
        is_end = depth == 0
        if depth == 1 and token[0] in "[{":
            start = token.end()
        elif (is_end or (depth == 1 and token[0] == ",")) and (part := text[start : token.start()].strip()):
            yield part
            start = token.end()
        if is_end:
            return


def _close(text: str) -> int:
    """Return the position after the bracket that closes the first one; 0 if none does."""
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += _DEPTH.get(token[0], 0)
        if depth == 0:
            return token.end()
    return 0


def _skip(text: str, position: int) -> int:
    """Return the position of the next character that is not a space."""
    match = _GAP.match(text, position)
    return match.end() if match else position


def _raise_malformed(what: str, advice: str) -> NoReturn:
    message = f"{what}. {advice}"
    raise MalformedResponseError(message)
