"""The connector, and a whole sync, against a server that we did not write: SMG, in Rust, with habits of its own.

It is in no lock (107 MB): `make smg` installs it, and without it these tests are skipped. Items are created through the
official SDK.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import openai
import pytest

from connectors.openai_conversations import (
    BadRequestError,
    ConversationsClient,
    Cursor,
    NotFoundError,
    Request,
    Step,
    Walk,
)
from connectors.openai_conversations.listing import NoListError, conversation_ids
from pipelines.ingest.places import Places
from pipelines.ingest.sync import SyncOptions, sync
from pipelines.ingest.verifying import VerifyOptions, verify
from pipelines.ingest.writing import SyncResult
from tests.conftest import SAMPLES

T = TypeVar("T")
INSTALLED = Path(__file__).parents[2] / ".cache/smg"
_OPTIONS = ("--backend", "openai", "--worker-urls", "http://127.0.0.1:1", "--history-backend", "memory")
_CONNECT_RETRIES = 6  # 0, 0.5, 1, 2, ... seconds apart
_ACCEPTED_TYPES = 18


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running SMG."""
    if not (INSTALLED / "smg").is_dir():
        pytest.skip("SMG is not installed: `make smg`, from PyPI")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    log = tmp_path_factory.mktemp("smg") / "log.txt"
    command = [sys.executable, "-m", "smg", "launch", "--host", "127.0.0.1", "--port", port, *_OPTIONS]
    environment = {**os.environ, "PYTHONPATH": str(INSTALLED)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--disable-health-check"], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=_CONNECT_RETRIES), trust_env=False) as http:
            http.get(f"http://127.0.0.1:{port}/v1/conversations/conv_none")
    except httpx.HTTPError as error:
        process.kill()
        pytest.skip(f"SMG does not start ({type(error).__name__}): {log.read_text()[-300:]}")
    yield f"http://127.0.0.1:{port}/v1"
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def sdk(base_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="any", base_url=base_url, max_retries=0) as client:
        yield client


def create(sdk: openai.OpenAI, *items: dict[str, Any]) -> str:
    """A new conversation with these items, one after the other; SMG drops those that come with the conversation."""
    conversation_id = sdk.conversations.create(metadata={"topic": "contract"}).id
    append(sdk, conversation_id, *items)
    return conversation_id


def append(sdk: openai.OpenAI, conversation_id: str, *items: dict[str, Any]) -> None:
    for item in items:
        sdk.conversations.items.create(conversation_id, items=[item])  # type: ignore[list-item]  # any item


def messages(count: int) -> list[dict[str, Any]]:
    return [{"type": "message", "role": "user", "content": f"words {number}"} for number in range(count)]


def listed(sdk: openai.OpenAI, conversation_id: str) -> list[str]:
    """The IDs of a conversation, as the official SDK pages through them."""
    return [str(item.id) for item in sdk.conversations.items.list(conversation_id, order="asc", limit=100)]


def ask(base_url: str, act: Callable[[ConversationsClient], Awaitable[T]]) -> T:
    async def main() -> T:
        async with ConversationsClient("any", base_url=base_url, max_retries=0) as client:
            return await act(client)

    return asyncio.run(main())


def walked(base_url: str, walk: Walk) -> list[Step]:
    async def act(client: ConversationsClient) -> list[Step]:
        return [step async for step in client.walk_pages(walk)]

    return ask(base_url, act)


def test_the_client_lists_what_the_official_sdk_lists(base_url: str, sdk: openai.OpenAI) -> None:
    conversation_id = create(sdk, *messages(120))
    steps = walked(base_url, Walk(conversation_id, trusts_has_more=False))
    assert [item.id for step in steps for item in step.items] == listed(sdk, conversation_id)
    assert [len(step.items) for step in steps] == [100, 20]


def test_every_type_that_it_takes_arrives_as_it_was_sent(base_url: str, sdk: openai.OpenAI) -> None:
    conversation_id, sent = create(sdk), {}
    for path in sorted((SAMPLES / "items").glob("*.full.json")):
        item = json.loads(path.read_bytes())
        try:
            append(sdk, conversation_id, item)
        except openai.BadRequestError:
            continue
        sent[item["type"]] = item
    assert len(sent) >= _ACCEPTED_TYPES
    items = [item.to_dict() for step in walked(base_url, Walk(conversation_id)) for item in step.items]
    assert [(item["type"], item["id"]) for item in items] == [(name, item["id"]) for name, item in sent.items()]
    lost = {"reasoning": {"summary"}, "image_generation_call": {"result"}}  # it keeps fewer fields than it is sent
    for item in items:
        common = item.keys() & sent[item["type"]].keys() - lost.get(item["type"], set())
        assert {"id", "type"} < common
        assert {name: item[name] for name in common} == {name: sent[item["type"]][name] for name in common}


def test_a_cursor_that_is_gone_begins_a_relist_though_page_1_is_given_for_it(base_url: str, sdk: openai.OpenAI) -> None:
    conversation_id = create(sdk, *messages(3))
    first, second, last = listed(sdk, conversation_id)
    sdk.conversations.items.delete(second, conversation_id=conversation_id)
    steps = walked(base_url, Walk(conversation_id, cursor=Cursor(last, second)))
    assert [(step.is_relist, [item.id for item in step.items]) for step in steps][-1] == (True, [first, last])


def test_its_errors_are_told_apart(base_url: str, sdk: openai.OpenAI) -> None:
    conversation_id = create(sdk)
    with pytest.raises(NotFoundError, match=r"answered 404 \(not_found, request req"):
        ask(base_url, lambda client: client.retrieve("conv_none"))
    with pytest.raises(NotFoundError):
        ask(base_url, lambda client: client.items.retrieve("msg_none", conversation_id=conversation_id))
    bare_text = Request("GET", f"/conversations/{conversation_id}/items", (("limit", "many"),))
    with pytest.raises(BadRequestError, match=r"answered 400 \(request req") as caught:
        ask(base_url, lambda client: client.send(bare_text))
    assert "deserialize" not in str(caught.value)


def test_it_lists_no_conversations(base_url: str) -> None:
    async def all_ids(client: ConversationsClient) -> list[str]:
        return [conversation_id async for conversation_id in conversation_ids(client)]

    with pytest.raises(NoListError, match="answered 405"):
        ask(base_url, all_ids)


def test_a_whole_sync_is_what_it_serves(
    base_url: str, sdk: openai.OpenAI, where: Places, register: Callable[..., int], rows: Callable[..., list[Any]]
) -> None:
    long, short, gone = create(sdk, *messages(130)), create(sdk, *messages(3)), create(sdk, *messages(2))
    register(long, short, gone)

    def pull(**options: Any) -> SyncResult:
        return sync(where, ConversationsClient("any", base_url=base_url), SyncOptions(**options))

    assert_agrees(where, base_url, pull(), new=135)
    append(sdk, long, *messages(5))
    *_, last = listed(sdk, short)
    sdk.conversations.items.delete(last, conversation_id=short)
    sdk.conversations.delete(gone)
    grown = pull()
    assert [(problem.conversation_id, problem.kind) for problem in grown.failures] == [(gone, "NotFoundError")]
    assert grown.report.items_deleted == 1
    assert_agrees(where, base_url, grown, new=5)
    assert_agrees(where, base_url, pull(reconcile=True), new=0)
    assert rows("select count(*), count(distinct item_id), count(deleted_at) from raw.items") == [(140, 140, 1)]
    joined = "items.message join raw.conversations using (conversation_id)"
    assert rows(f"select count(*), min(text), max(metadata) from {joined}") == [
        (139, "words 0", '{"topic":"contract"}')
    ]
    assert rows("select count(*) from ops.drift") == [(0,)]


def assert_agrees(where: Places, base_url: str, result: SyncResult, *, new: int) -> None:
    """So many items were new, and now every active conversation is stored as served."""
    assert (result.report.error, result.report.items_new) == (None, new)
    found = verify(where, ConversationsClient("any", base_url=base_url), VerifyOptions())
    assert (found.agrees, found.failures) == (True, {})
    assert found.conversations > 0
