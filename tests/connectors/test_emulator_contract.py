"""What the official SDK, an independent client of the same API, makes of the emulator over real HTTP."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, get_args

import openai
import pytest
from openai.types.conversations import ConversationItem
from openai.types.responses import ResponseIncludable
from pydantic import TypeAdapter

from connectors.emulator import Store, running_emulator
from connectors.emulator.includes import INCLUDABLE, Item
from connectors.emulator.samples import sample_store

EVERYTHING: list[ResponseIncludable] = list(INCLUDABLE)  # type: ignore[arg-type]  # the same words, checked below


@pytest.fixture(scope="module")
def samples() -> Store:
    """The sample data; tests only read it, or change conversations of their own."""
    return sample_store()


@pytest.fixture(scope="module")
def base_url(samples: Store) -> Iterator[str]:
    """Where the samples are served."""
    with running_emulator(samples, api_key="sk-right") as url:
        yield url


@pytest.fixture(scope="module")
def client(base_url: str) -> Iterator[openai.OpenAI]:
    """The SDK with the right key; it does not try again, so that errors show at once."""
    with openai.OpenAI(api_key="sk-right", base_url=base_url, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def longest(samples: Store) -> str:
    """The conversation with the most items."""
    return max(samples.conversation_ids(), key=lambda key: len(samples.retrieve_conversation(key).timeline.ids))


def test_paging_gives_every_item_once_and_desc_is_asc_reversed(
    client: openai.OpenAI, samples: Store, longest: str
) -> None:
    """The SDK's own pagination over several pages, in both orders."""
    up = [item.id for item in client.conversations.items.list(longest, order="asc", limit=100)]
    down = [item.id for item in client.conversations.items.list(longest, order="desc", limit=90)]
    assert up == samples.retrieve_conversation(longest).timeline.ids
    assert down == up[::-1]


def test_a_limit_makes_pages_of_that_size(client: openai.OpenAI, longest: str) -> None:
    """One page holds as many items as asked for, and the next begins behind it."""
    page = client.conversations.items.list(longest, order="asc", limit=7)
    following = page.get_next_page()
    assert (len(page.data), len(following.data), page.has_more) == (7, 7, True)
    assert page.last_id == page.data[-1].id
    assert following.data[0].id not in {item.id for item in page.data}


def test_async_paging_gives_the_same(base_url: str, samples: Store, longest: str) -> None:
    """The asynchronous client walks the same list."""

    async def walk() -> list[str | None]:
        async with openai.AsyncOpenAI(api_key="sk-right", base_url=base_url) as client:
            pages = client.conversations.items.list(longest, order="asc", limit=100)
            return [item.id async for item in pages]

    assert asyncio.run(walk()) == samples.retrieve_conversation(longest).timeline.ids


def test_the_sdk_knows_the_same_includes() -> None:
    """No include value is missing and none is invented."""
    assert set(INCLUDABLE) == set(get_args(ResponseIncludable))


def test_a_conversation_lives_from_create_to_delete(client: openai.OpenAI) -> None:
    """Created with items, read, extended, emptied item by item, and gone."""
    created = client.conversations.create(
        items=[{"type": "message", "role": "user", "content": "one"}], metadata={"topic": "contract"}
    )
    assert client.conversations.retrieve(created.id) == created
    assert client.conversations.update(created.id, metadata={}).metadata == {}
    added = client.conversations.items.create(
        created.id, items=[{"type": "message", "role": "assistant", "content": "two"}]
    )
    items = list(client.conversations.items.list(created.id, order="asc"))
    assert items[1] == added.data[0]
    item_id = added.data[0].id
    assert item_id is not None
    assert client.conversations.items.retrieve(item_id, conversation_id=created.id) == items[1]
    client.conversations.items.delete(item_id, conversation_id=created.id)
    assert list(client.conversations.items.list(created.id)) == items[:1]
    assert client.conversations.delete(created.id).deleted is True
    with pytest.raises(openai.NotFoundError, match="not found"):
        client.conversations.items.list(created.id)


def test_twenty_one_items_are_refused(client: openai.OpenAI) -> None:
    """The SDK raises its error for bad requests, and nothing is added."""
    created = client.conversations.create()
    with pytest.raises(openai.BadRequestError, match="maximum length 20"):
        client.conversations.items.create(created.id, items=[{"type": "message", "role": "user", "content": "x"}] * 21)
    assert list(client.conversations.items.list(created.id)) == []
    client.conversations.delete(created.id)


def test_a_wrong_key_is_an_authentication_error(base_url: str, longest: str) -> None:
    """Typed, with its code and a request ID."""
    with (
        openai.OpenAI(api_key="sk-wrong", base_url=base_url, max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.conversations.items.list(longest)
    assert caught.value.code == "invalid_api_key"
    assert caught.value.request_id


def test_unknown_conversations_and_items_are_not_found_errors(client: openai.OpenAI, longest: str) -> None:
    """Typed, with the API's message."""
    with pytest.raises(openai.NotFoundError, match="Conversation with id 'conv_x' not found"):
        client.conversations.retrieve("conv_x")
    with pytest.raises(openai.NotFoundError, match="Item with id 'msg_x' not found in conversation"):
        client.conversations.items.retrieve("msg_x", conversation_id=longest)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": 1000}, "limit"),
        ({"after": "msg_unknown"}, "after"),
        ({"include": ["everything"]}, "include[0]"),
        ({"extra_query": {"include": "reasoning.encrypted_content"}}, "include"),
    ],
)
def test_bad_queries_are_bad_request_errors(
    client: openai.OpenAI, longest: str, query: dict[str, Any], param: str
) -> None:
    """Typed, and naming the parameter."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.conversations.items.list(longest, **query)
    assert caught.value.param == param


def test_what_an_include_asks_for_comes_only_then(client: openai.OpenAI, samples: Store) -> None:
    """Sources of a web search are there with their include and absent without it."""
    conversation_id, item_id = next(
        (key, item.id)
        for key in samples.conversation_ids()
        for item in samples.retrieve_conversation(key).timeline.items.values()
        if item.item["type"] == "web_search_call" and (item.item.get("action") or {}).get("sources")
    )
    bare = client.conversations.items.retrieve(item_id, conversation_id=conversation_id)
    full = client.conversations.items.retrieve(
        item_id, conversation_id=conversation_id, include=["web_search_call.action.sources"]
    )
    assert bare.type == full.type == "web_search_call"
    assert "sources" not in bare.to_dict()["action"]  # type: ignore[operator]  # a dictionary of objects
    assert full.to_dict()["action"]["sources"]  # type: ignore[index]  # a dictionary of objects


def as_modelled(item: Item) -> Item | None:
    """The item as the SDK models it, or None where real items are known to differ from that model."""
    if item["type"] == "web_search_call":
        action = item.get("action") or {}
        if not action or any("url" not in source for source in action.get("sources", [])):
            return None
    if item["type"] == "mcp_call" and isinstance(item["error"], str):
        return None
    return item


def test_every_sample_item_is_what_the_sdk_models(client: openai.OpenAI, samples: Store) -> None:
    """Validated strictly, type by type; the known differences of real items are the only ones, and few."""
    adapter: TypeAdapter[ConversationItem] = TypeAdapter(ConversationItem)
    skipped = checked = 0
    for conversation_id in samples.conversation_ids():
        stored = samples.retrieve_conversation(conversation_id).timeline.items.values()
        for raw in (samples.render(item, frozenset(INCLUDABLE)) for item in stored):
            item = as_modelled(json.loads(raw))
            if item is None:
                skipped += 1
                continue
            parsed = adapter.validate_json(json.dumps(item), strict=True)
            assert parsed.type == item["type"]
            assert set(parsed.model_extra or {}) <= {"status"} or item["type"] != "custom_tool_call"
            checked += 1
    assert checked > 3500
    assert 0 < skipped < 60


def test_all_items_arrive_raw_as_the_store_holds_them(client: openai.OpenAI, samples: Store) -> None:
    """With every include, what comes over HTTP is the full item, secrets apart."""
    conversation_id = samples.conversation_ids()[-1]
    response = client.conversations.items.with_raw_response.list(
        conversation_id, order="asc", limit=100, include=EVERYTHING
    )
    received = json.loads(response.content)["data"]
    stored = [item.item for item in samples.retrieve_conversation(conversation_id).timeline.items.values()]
    assert len(received) == min(len(stored), 100)
    secrets = {"encrypted_content", "fingerprint"}
    for one, other in zip(received, stored, strict=False):
        assert {key: one[key] for key in one.keys() - secrets} == {key: other[key] for key in other.keys() - secrets}
