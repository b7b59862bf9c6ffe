"""The two ways to a server, pyreqwest and httpx's own, are one to whoever is asked, and to us."""

import asyncio
import gzip

import pytest

from connectors.emulator import Store, running_emulator
from connectors.openai_conversations import Conversation, ConversationsClient, transport

KEY = "sk-1"
PATH = "/v1/conversations/conv_1"
BODY = b'{"id": "conv_1", "object": "conversation", "created_at": 1, "metadata": {}}'
Answers = dict[str, bytes]


@pytest.fixture(params=[False, True], ids=["httpx", "pyreqwest"], autouse=True)
def _over_both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "HAS_PYREQWEST", request.param and transport.HAS_PYREQWEST)


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join((b"HTTP/1.1 " + status, length, b"Connection: close", *headers, b"", body))


def retrieve(answers: Answers, times: int = 1) -> tuple[list[bytes], list[Conversation]]:
    """What was received for so many calls, and what came of them; a server has one answer for each path."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answers[path_of(received[-1])])
        await writer.drain()
        writer.close()

    async def main() -> list[Conversation]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            async with ConversationsClient(KEY, base_url=base_url, organization="org_1") as client:
                return [await client.retrieve("conv_1") for _ in range(times)]

    return received, asyncio.run(main())


def path_of(request: bytes) -> str:
    return request.split()[1].decode()


def headers_of(request: bytes) -> dict[str, str]:
    """Those that say something to the API; a host's port differs each time."""
    lines = (line.decode().partition(": ") for line in request.split(b"\r\n")[1:] if line)
    return {name.lower(): value for name, _, value in lines if name.lower() != "host"}


def test_the_same_headers_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that httpx sends by itself, too."""
    ((request,), _) = retrieve({PATH: answer(BODY)})
    monkeypatch.setattr(transport, "HAS_PYREQWEST", False)
    ((by_httpx,), _) = retrieve({PATH: answer(BODY)})
    ours, theirs = headers_of(request), headers_of(by_httpx)
    assert ours == theirs
    assert ours["authorization"] == f"Bearer {KEY}"
    assert {"accept", "accept-encoding", "user-agent", "openai-organization"} <= ours.keys()


def test_a_request_that_is_cancelled_when_its_answer_comes_is_cancelled() -> None:
    store = Store()
    conversation_id = store.create_conversation([]).id

    async def cancel_at_each_instant(base_url: str) -> list[bool]:
        outcomes = []
        async with ConversationsClient(KEY, base_url=base_url) as client:
            for turns in [*range(200)] * 3:
                asked = asyncio.create_task(client.retrieve(conversation_id))
                for _ in range(turns):
                    await asyncio.sleep(0)
                if asked.cancel():
                    await asyncio.wait([asked])
                    outcomes.append(asked.cancelled())
        return outcomes

    with running_emulator(store) as base_url:
        outcomes = asyncio.run(cancel_at_each_instant(base_url))
    assert any(outcomes)
    assert all(outcomes)


def test_a_compressed_answer_is_read() -> None:
    """The API compresses most of them."""
    _, (conversation,) = retrieve({PATH: answer(gzip.compress(BODY), b"Content-Encoding: gzip")})
    assert conversation.id == "conv_1"


def test_redirects_are_followed_each_time() -> None:
    """With the key, as long as it is the same server."""
    moved = answer(b"", b"Location: /v2", status=b"307 Temporary Redirect")
    received, conversations = retrieve({PATH: moved, "/v2": answer(BODY)}, times=2)
    assert [conversation.id for conversation in conversations] == ["conv_1"] * 2
    assert [path_of(request) for request in received][-4:] == 2 * [PATH, "/v2"]
    assert all(headers_of(request)["authorization"] == f"Bearer {KEY}" for request in received)
