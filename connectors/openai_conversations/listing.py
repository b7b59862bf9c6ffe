"""Which conversations a server has, where it tells: Microsoft Foundry does, and some other servers of this API.

OpenAI itself has no such list. `GET /conversations` as Foundry has it
(https://learn.microsoft.com/azure/foundry/reference/rest/list-conversations): pages like those of items.

What belongs here: going through that list. What does not: what is done with the IDs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final, NoReturn

from connectors.openai_conversations.errors import ConfigurationError, ConversationsError
from connectors.openai_conversations.protocol import PAGE_LIMIT, Page, list_conversations, read_page

if TYPE_CHECKING:
    from connectors.openai_conversations.client import ConversationsClient

_NO_SUCH_ADDRESS: Final = frozenset({404, 405, 501})


class NoListError(ConfigurationError):
    """The server does not tell which conversations it has, or not all of them."""


async def conversation_ids(client: ConversationsClient) -> AsyncIterator[str]:
    """Yield the IDs of the server's conversations, oldest first, each once; what has no ID is left out.

    Raises NoListError where the server has no such list, or one that does not come to an end.
    """
    seen: dict[str, None] = {}
    after: str | None = None
    is_more_expected = True
    while is_more_expected:
        page = await _fetch(client, after)
        new = dict.fromkeys(item.id for item in page.data if item.id is not None and item.id not in seen)
        if page.has_more and not new:
            _refuse(client, "says that there is more, and does not give it")
        for conversation_id in new:
            yield conversation_id
        seen |= new
        after = page.last_id or next(reversed(new), None)
        # Some servers never say that there is more.
        is_more_expected = bool(new) and (page.has_more or len(page.data) >= PAGE_LIMIT)


async def _fetch(client: ConversationsClient, after: str | None) -> Page:
    try:
        return await client.call(list_conversations(after=after, limit=PAGE_LIMIT, order="asc"), read_page)
    except ConversationsError as error:
        if error.status in _NO_SUCH_ADDRESS:
            _refuse(client, f"is not there (it answered {error.status})")
        raise


def _refuse(client: ConversationsClient, what: str) -> NoReturn:
    message = (
        f"The list of conversations on {client.host} {what}. OpenAI and Azure OpenAI have none, a project of Microsoft "
        "Foundry has: check the address, or register the IDs from where you stored them, with --file or --sql."
    )
    raise NoListError(message) from None
