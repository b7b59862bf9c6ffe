"""The API as pure functions: which requests there are, and what a response to one means.

What belongs here: the rules of the Conversations API (https://platform.openai.com/docs/api-reference/conversations),
from values to values; reading bodies and errors is long enough to have rooms of its own, `responses.py` and
`refusals.py`, whose public names are here too. What does not: sockets, clocks, environment variables, and
the order in which a conversation's pages are asked for (`walk.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap
from typing import Final
from urllib.parse import quote, urlencode

from connectors.openai_conversations.errors import BadRequestError
from connectors.openai_conversations.refusals import decide, retry_after, retry_delay
from connectors.openai_conversations.responses import (
    OPEN_STATUSES,
    Conversation,
    Item,
    Page,
    is_well_formed,
    read_conversation,
    read_item,
    read_page,
)

__all__ = [
    "CONVERSATION_ID",
    "DEFAULT_BASE_URL",
    "INCLUDE",
    "OPEN_STATUSES",
    "PAGE_LIMIT",
    "Conversation",
    "Item",
    "Page",
    "Request",
    "decide",
    "is_conversation_id",
    "list_items",
    "read_conversation",
    "read_item",
    "read_page",
    "retrieve_conversation",
    "retrieve_item",
    "retry_after",
    "retry_delay",
]

DEFAULT_BASE_URL: Final = "https://api.openai.com/v1"
CONVERSATION_ID: Final = r"^conv_[A-Za-z0-9_-]{1,200}$"
"""What the ID of a conversation looks like, as a regular expression."""
PAGE_LIMIT: Final = 100
"""The most items that one page may have; a larger `limit` is refused with 400."""

INCLUDE: Final = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
"""Every `include[]` value that the API documents. A list of plain strings: the API may add some."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: method, percent-encoded path under the base URL, and query parameters in order."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> str:
        """The path and query as sent, each parameter percent-encoded as the official SDK does."""
        return f"{self.path}?{'&'.join(starmap(_parameter, self.params))}" if self.params else self.path


def list_items(
    conversation_id: str,
    *,
    after: str | None = None,
    include: Sequence[str] = (),
    limit: int | None = None,
    order: str | None = None,
) -> Request:
    """Return the request for one page of a conversation's items (Conversations API, list items).

    `after` is exclusive; `limit` is 1 to 100; `order` is `asc` or `desc`, and the API's default is `desc`.
    """
    params = [("after", after)] if after is not None else []
    # A bare `include=` or a comma-separated list is answered with 400: it must be repeated brackets.
    params += [("include[]", value) for value in include]
    params += [("limit", str(limit))] if limit is not None else []
    params += [("order", order)] if order is not None else []
    return Request("GET", f"/conversations/{_segment(conversation_id)}/items", tuple(params))


def retrieve_conversation(conversation_id: str) -> Request:
    """Return the request for a conversation's creation time and metadata (Conversations API, retrieve)."""
    return Request("GET", f"/conversations/{_segment(conversation_id)}")


def retrieve_item(conversation_id: str, item_id: str, *, include: Sequence[str] = ()) -> Request:
    """Return the request for one item of a conversation (Conversations API, retrieve an item)."""
    path = f"/conversations/{_segment(conversation_id)}/items/{_segment(item_id)}"
    return Request("GET", path, tuple(("include[]", value) for value in include))


def is_conversation_id(text: str) -> bool:
    """Say whether this can be the ID of a conversation: `conv_` and 1 to 200 of A-Z, a-z, 0-9, `_`, `-`."""
    return re.fullmatch(CONVERSATION_ID, text) is not None


@lru_cache(maxsize=64)  # nearly all parameters of a run are the same
def _parameter(name: str, value: str) -> str:
    return urlencode(((name, value),))


def _segment(identifier: str) -> str:
    """Percent-encode one path segment; an empty or dotted one would ask for something else altogether."""
    if identifier in {"", ".", ".."} or not is_well_formed(identifier):
        message = "An empty, dotted or malformed ID cannot be asked for. Correct or remove it."
        raise BadRequestError(message)
    return quote(identifier, safe="!$&'()*+,;=:@")
