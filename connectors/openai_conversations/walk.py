"""The checked cursor: which page of a conversation is asked for next, and which of its items are new.

A walk is a small state machine without I/O: ask `request`, hand the answer to `receive` or `refused`, until
`request` is None. It trusts no server. Its rules:

* **check**: with a cursor, the first request asks for what follows the item *before* the cursor item. A
  healthy answer begins with the cursor item; what follows it is new. Anything else means that the cursor
  item is gone (deleted, or unlinked by the API itself).
* **re-list**: then the whole conversation is listed from the start, once; every step says so.
* **refusal**: a 4xx while `after` was sent is asked once without it. Success means that the item in `after`
  is gone, and is page 1 of the re-list; the same refusal again is about the conversation, and is raised.
* **next**: the next `after` is the envelope's `last_id`, else the last item's ID. The walk ends with
  `has_more: false` or with an empty page; more without an ID to go on from, or without a first item, is a
  contradiction: a whole list must not look empty because its items did not come along.
* **checked end**: an empty page is not believed where the page before said that more follows: some servers
  answer so when the item in `after` was deleted meanwhile. The last item received is checked as a cursor is:
  if it is still there, what follows it is new, and nothing is the end, whatever `has_more` says. If it is
  gone, a walk from a cursor starts the re-list. One from the start ends as a contradiction, as does one that
  saw no ID to check.
* **no trust**: a full page with `has_more: false` from a server that is not OpenAI's is followed by one more
  request; some servers never say that there is more.
* **no repeats**: an item that an earlier page of this walk had means that the server lost its place: it
  starts the re-list, or ends a walk that was listing from the start. An ID twice on one page: the first wins.
* **no standing still**: a server that sends back an `after` that was already asked for ends the walk.

Every request either moves on, checks an end once for each move, starts the only re-list, or ends the walk, so
their number is bounded.

What belongs here: the order of requests within one conversation. What does not: sending them, storing items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from connectors.openai_conversations.errors import BadRequestError, NotFoundError, WalkError
from connectors.openai_conversations.protocol import (
    INCLUDE,
    PAGE_LIMIT,
    Item,
    Page,
    Request,
    list_items,
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last item that is safely stored, and the item before it in the list (None if it is the first)."""

    item_id: str
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What one page brought: its new items in list order.

    `is_relist` says that the items belong to a listing from the start, to be reconciled with what is stored;
    `is_last` that nothing follows; `repeated_ids` which IDs stood on the page more than once. A walk knows
    only its own pages: an item that is stored already, among those of a step that is no re-list, means that
    the server lost its place before the cursor, and asks for a walk with `relist`.
    """

    items: tuple[Item, ...]
    is_relist: bool
    is_last: bool
    repeated_ids: tuple[str, ...] = ()


_REPEATED: Final = "sent an item again that an earlier page had"
_NOTHING: Final = "says that there is more, and gives no item to begin with"
_GONE: Final = "said that more follows, sent an empty page, and does not give the last item again"


@dataclass(frozen=True, slots=True)
class _Distinct:
    items: tuple[Item, ...]
    repeated_ids: tuple[str, ...]


class Walk:
    """One ascending pass over a conversation's items, from a cursor or from the start."""

    def __init__(
        self,
        conversation_id: str,
        *,
        cursor: Cursor | None = None,
        include: Sequence[str] = INCLUDE,
        limit: int = PAGE_LIMIT,
        trusts_has_more: bool = True,
        relist: bool = False,
    ) -> None:
        """Start at the cursor, or at the first item without one or when `relist` asks for everything."""
        self.conversation_id = conversation_id
        self._include = tuple(include)
        self._limit = limit
        self._trusts_has_more = trusts_has_more
        self._starts_at_cursor = cursor is not None and not relist
        self._is_relist = relist
        self._is_finished = False
        self._begin_at(None if relist else cursor)

    def _begin_at(self, cursor: Cursor | None) -> None:
        self._cursor = cursor
        self._after = cursor.previous_item_id if cursor else None
        self._asked = _known(self._after)
        self._seen = _known()  # in list order
        self._without_id = 0  # how many items came after the last one that has an ID
        self._is_more_expected = False

    @property
    def request(self) -> Request | None:
        """The next request, or None when the walk has ended."""
        if self._is_finished:
            return None
        return list_items(
            self.conversation_id, after=self._after, include=self._include, limit=self._limit, order="asc"
        )

    @property
    def is_whole(self) -> bool:
        """Whether the walk has ended, and listed everything from the start."""
        return self._is_finished and (self._is_relist or not self._starts_at_cursor)

    def receive(self, page: Page) -> Step:
        """Return the new items of the page that answers `request`; raise WalkError where pages contradict."""
        page_items = _first_of_each(page.data)
        if self._cursor is not None:
            return self._check(self._cursor, page, page_items)
        if self._has_seen(page_items.items):
            return self._lose_place(_REPEATED)
        return self._take(page, page_items)

    def refused(self, error: BadRequestError | NotFoundError) -> None:
        """Take a 4xx: go on without `after`, or raise what is wrong with the conversation."""
        if self._after is None:
            raise error
        if self._is_relist:
            # Not the 4xx itself: page 1 of this very listing was given, so the conversation is there.
            self._contradict("refused the page after one that it had just given")
        self._start_relist()

    def _check(self, cursor: Cursor, page: Page, page_items: _Distinct) -> Step:
        """Rules *check*, once per walk, and *checked end*."""
        self._cursor = None
        index = next((index for index, item in enumerate(page_items.items) if item.id is not None), None)
        if index is not None and page_items.items[index].id == cursor.item_id:
            self._seen |= _known(cursor.previous_item_id, cursor.item_id)
            new = _Distinct(page_items.items[index + 1 + self._without_id :], page_items.repeated_ids)
            if self._has_seen(new.items):
                return self._lose_place(_REPEATED)
            self._is_finished = self._is_more_expected and not new.items
            return self._take(page, new)
        is_page_1 = self._after is None
        lost = self._lose_place(_GONE)
        return self._take(page, page_items) if is_page_1 else lost

    def _take(self, page: Page, new: _Distinct) -> Step:
        for item in new.items:
            if item.id is None:
                self._without_id += 1
            else:
                self._seen[item.id] = None
                self._without_id = 0
        if self._is_more_expected and not page.data:
            self._check_end()
        elif not self._is_finished:
            self._move_on(page)
        return Step(new.items, self._is_relist, self._is_finished, new.repeated_ids)

    def _move_on(self, page: Page) -> None:
        """Rules *next*, *no trust* and *no standing still*."""
        if page.has_more and not page.data and not self._seen:
            self._contradict(_NOTHING)
        after = page.last_id or (page.data[-1].id if page.data else None)
        is_doubtful = not self._trusts_has_more and len(page.data) >= self._limit
        if not page.data or not (page.has_more or is_doubtful):
            self._is_finished = True
            return
        if after is None:
            self._contradict("says that there is more, and gives no ID to go on from")
        if after in self._asked:
            self._contradict("sent a last_id that was already asked for")
        self._asked |= _known(after)
        self._after = after
        self._is_more_expected = page.has_more

    def _check_end(self) -> None:
        """Ask for the last item received again: rule *checked end*."""
        last_id, previous_id, *_ = *reversed(self._seen), None, None
        if last_id is None:
            self._contradict(_GONE)
        self._cursor = Cursor(last_id, previous_id)
        self._after = previous_id

    def _has_seen(self, items: Sequence[Item]) -> bool:
        return any(item.id in self._seen for item in items)

    def _lose_place(self, what: str) -> Step:
        """Start the re-list where there is something to fall back to."""
        if self._is_relist or not self._starts_at_cursor:
            self._contradict(what)
        self._start_relist()
        return Step((), is_relist=True, is_last=False)

    def _start_relist(self) -> None:
        self._is_relist = True
        self._begin_at(None)

    def _contradict(self, what: str) -> NoReturn:
        message = (
            f"The list of {self.conversation_id} contradicts itself: the server {what}. "
            "It is asked again in the next run; if it stays, report it to the server's operator."
        )
        raise WalkError(message)


def _first_of_each(items: Sequence[Item]) -> _Distinct:
    """Leave out what has the ID of an earlier item of the same page; items without an ID all stay."""
    seen: set[str] = set()
    repeated: list[str] = []
    distinct: list[Item] = []
    for item in items:
        if item.id is not None and item.id in seen:
            repeated.append(item.id)
            continue
        if item.id is not None:
            seen.add(item.id)
        distinct.append(item)
    return _Distinct(tuple(distinct), tuple(dict.fromkeys(repeated)))


def _known(*identifiers: str | None) -> dict[str, None]:
    """Return a set in order."""
    return {identifier: None for identifier in identifiers if identifier is not None}
