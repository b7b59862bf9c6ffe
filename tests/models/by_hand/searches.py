"""What searches have in common: their calls in place, and what messages cite."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from tests.models.by_hand.families import family_of
from tests.models.by_hand.reading import missing_if_empty, text
from tests.models.by_hand.spine import Item
from tests.models.by_hand.tools import Call


@dataclass(frozen=True)
class Step:
    """A search, or a step of one: the item, and its row in `analytics.tool_calls`."""

    item: Item
    call: Call

    @property
    def place(self) -> dict[str, object]:
        """The columns that all views of searches take over."""
        names = ("conversation_id", "item_id", "position", "turn_index", "call_index", "called_at", "status", "outcome")
        return {name: self.call[name] for name in names}


@dataclass(frozen=True)
class Citation:
    """A citation of a page or file, in a message."""

    message: Item
    of: str
    filename: str | None = None

    def follows(self, item: Item) -> bool:
        """Whether it is in a message of the same turn, after the item."""
        return self.message.turn_index == item.turn_index and self.message.position > item.position


def steps(conversation: Sequence[Item], calls: Sequence[Call], family: str) -> list[Step]:
    """The calls of a family, in order."""
    by_id = {call["item_id"]: call for call in calls}
    return [Step(it, by_id[it.id]) for it in conversation if it.kind == "call" and family_of(it) == family]


def pages_cited(conversation: Sequence[Item]) -> Iterator[Citation]:
    """All citations of pages that have an address."""
    for item in conversation:
        for one in item.citations if item.kind == "message" else []:
            if text(one, "type") == "url_citation" and (page := page_url(text(one, "url"))):
                yield Citation(item, page)


def files_cited(conversation: Sequence[Item]) -> Iterator[Citation]:
    """All citations of files by their ID."""
    for item in conversation:
        for one in item.citations if item.kind == "message" else []:
            if text(one, "type") == "file_citation" and (file := missing_if_empty(text(one, "file_id"))):
                yield Citation(item, file, text(one, "filename"))


def page_url(url: str | None) -> str | None:
    """An address as pages are told apart by it."""
    if url is None:
        return None
    address = url.partition("#")[0]
    if not re.match(r"[A-Za-z][A-Za-z0-9+.\-]*://", address):
        return (_without_campaign(address) if address != "/" else "") or None
    parts = urlsplit(address)
    path, mark, parameters = _without_campaign(urlunsplit(("", "", parts.path, parts.query, ""))).partition("?")
    begin = address[: address.index("//") + 2].lower() + parts.netloc.lower()
    return begin + ("" if path == "/" and not mark else path) + mark + parameters


def _without_campaign(address: str) -> str:
    path, _, query = address.partition("?")
    kept = [one for one in query.split("&") if not one.startswith("utm_")]
    return path + ("?" + "&".join(kept) if any(kept) else "")


def page_domain(url: str | None) -> str | None:
    """The host, without port and `www.`."""
    found = re.match(r"[a-z][a-z0-9+.\-]*://([^/?#]*)", (url or "").lower())
    host = found[1].rpartition("@")[2].partition(":")[0].removeprefix("www.") if found else ""
    return host or None


def words(query: str | None) -> set[str]:
    """The different words of a query."""
    return set(re.findall(r"[^\W_]+", (query or "").lower()))
