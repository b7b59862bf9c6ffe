"""The list of a server's conversations, where there is one, and what is said where there is none."""

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from connectors.emulator import DIALECTS, Store, running_emulator
from connectors.openai_conversations import ConversationsClient, ServerError
from connectors.openai_conversations.listing import NoListError, conversation_ids

Answer = Callable[[httpx.Request], httpx.Response]


def listed(base_url: str, answer: Answer | None = None) -> list[str]:
    """All IDs that the server lists."""

    async def ask() -> list[str]:
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer)) if answer else None
        async with ConversationsClient("any", base_url=base_url, http_client=http, max_retries=0) as client:
            return [conversation_id async for conversation_id in conversation_ids(client)]

    return asyncio.run(ask())


def paged(*pages: dict[str, object]) -> Answer:
    """A server that gives these pages in turn."""
    left = iter(pages)
    return lambda _: httpx.Response(200, content=json.dumps(next(left)))


def page(*ids: str | None, more: bool = False, last: str | None = None) -> dict[str, object]:
    data = [{"object": "conversation"} | ({"id": one} if one else {}) for one in ids]
    return {"object": "list", "data": data, "has_more": more, "last_id": last}


def test_every_conversation_is_listed_once_oldest_first() -> None:
    store = Store()
    for number in range(230):
        store.put_conversation(f"conv_{number}", 1_790_000_000 - number // 3, {})
    with running_emulator(store, dialect=DIALECTS["foundry"]) as address:
        found = listed(f"{address}/openai/v1")
    assert sorted(found) == sorted(store.conversation_ids())
    assert found[0] == "conv_228"


def test_a_server_without_conversations_lists_none() -> None:
    with running_emulator(Store(), dialect=DIALECTS["foundry"]) as address:
        assert listed(f"{address}/openai/v1") == []


@pytest.mark.parametrize("provider", ["openai", "azure"])
def test_a_server_without_the_list_says_what_to_do_instead(provider: str) -> None:
    dialect = DIALECTS[provider]
    with running_emulator(Store(), dialect=dialect) as address:
        base_url = address.removesuffix(dialect.address) + dialect.prefixes[0]
        with pytest.raises(NoListError, match=r"is not there \(it answered 40[45]\).+--file or --sql"):
            listed(base_url)


def test_other_troubles_are_those_of_any_request() -> None:
    with pytest.raises(ServerError):
        listed("http://localhost/v1", lambda _: httpx.Response(500))


@pytest.mark.parametrize(
    ("pages", "found"),
    [
        ([page("conv_1", "conv_2")], ["conv_1", "conv_2"]),
        ([page("conv_1", "conv_1", None)], ["conv_1"]),
        ([page("conv_1", more=True, last="conv_1"), page("conv_2")], ["conv_1", "conv_2"]),
        ([page("conv_1", more=True), page("conv_2")], ["conv_1", "conv_2"]),
        ([page(*(f"conv_{n}" for n in range(100))), page("conv_100")], [f"conv_{n}" for n in range(101)]),
        ([page(*(f"conv_{n}" for n in range(100)))] * 2, [f"conv_{n}" for n in range(100)]),
    ],
)
def test_pages_are_followed_as_servers_give_them(pages: list[dict[str, object]], found: list[str]) -> None:
    assert listed("http://localhost/v1", paged(*pages)) == found


@pytest.mark.parametrize(
    "pages", [[page(more=True)], [page(None, more=True)], [page("conv_1", more=True), page("conv_1", more=True)]]
)
def test_a_list_without_an_end_is_an_error(pages: list[dict[str, object]]) -> None:
    with pytest.raises(NoListError, match="says that there is more, and does not give it"):
        listed("http://localhost/v1", paged(*pages))
