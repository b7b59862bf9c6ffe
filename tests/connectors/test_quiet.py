"""What a hostile answer may plant is shown nowhere: in no error, no traceback, and no library's log."""

from __future__ import annotations

import asyncio
import gzip
import logging
import pickle
import traceback
from collections.abc import Iterator

import httpx
import pytest
import stamina

from connectors.openai_conversations import ConversationsClient, ConversationsError, transport

KEY = "sk-proj-abcdef1234567890"
WORDS = "somebodys words"
AFTER = "msg_hidden"
SECRETS = (KEY, "somebody", AFTER)
PLANT = f"{KEY} {WORDS}"
NAMES = ("set-cookie", "retry-after", "www-authenticate", "x-should-retry", "authorization")
HEADERS = f"x-request-id: {KEY}\r\n" + "".join(f"{name}: {PLANT}\r\n" for name in NAMES)


def answer(status: int, body: bytes, headers: str = "") -> bytes:
    """Return a response that plants key and words in its status line and every header, and says when it ends."""
    head = f"HTTP/1.1 {status} {PLANT}\r\n{HEADERS}{headers}connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


ERROR_BODY = f'{{"error":{{"message":"{PLANT}","code":"{KEY}","type":"{WORDS}","param":"{PLANT}"}}}}'.encode()
ANSWERS = {
    **{f"status {status}": answer(status, ERROR_BODY) for status in (400, 401, 403, 404, 408, 418, 429, 500, 304)},
    "an error that is no JSON": answer(500, PLANT.encode()),
    "no JSON": answer(200, PLANT.encode()),
    "cut JSON": answer(200, f'{{"data":[{{"text":"{PLANT}'.encode()),
    "no UTF-8": answer(200, PLANT.encode() + b"\xff"),
    "another shape": answer(200, f'{{"data":"{PLANT}"}}'.encode()),
    "a has_more of words": answer(200, f'{{"data":[],"has_more":"{PLANT}"}}'.encode()),
    "not compressed": answer(200, PLANT.encode(), "content-encoding: gzip\r\n"),
    "badly compressed": answer(200, gzip.compress(PLANT.encode() * 9)[:-9] + b"x" * 20, "content-encoding: gzip\r\n"),
    "shorter than said": answer(200, PLANT.encode())[:-3],
    "a wrong length": f"HTTP/1.1 200 OK\r\ncontent-length: {PLANT}\r\n\r\n".encode(),
    "a wrong chunk": f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{PLANT}\r\n".encode(),
    "no HTTP": f"{PLANT}\r\n\r\n".encode(),
    "a wrong header": f"HTTP/1.1 200 OK\r\n{PLANT}\r\n\r\n".encode(),
    "a redirect in a circle": answer(302, b"", f"location: /{WORDS}/{KEY}?{PLANT}\r\n"),
    "a redirect to no URL": answer(302, b"", f"location: https://[{PLANT}\r\n"),
    "a redirect to no protocol": answer(302, b"", f"location: {KEY}://somebody\r\n"),
    "nothing": b"",
}


def shown(error: BaseException | None) -> Iterator[str]:
    """Yield all that can be printed of an error and of those before it, hidden ones too."""
    while error is not None:
        yield from (str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error)))
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("is_fast", [False, True], ids=["httpx", "pyreqwest"])
def test_nothing_that_a_server_plants_is_shown(
    name: str, is_fast: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every logger at DEBUG, over a real connection, in the error and all that led to it."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(transport, "HAS_PYREQWEST", is_fast and transport.HAS_PYREQWEST)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWERS[name])
        await writer.drain()
        writer.close()

    async def main() -> ConversationsError:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with ConversationsClient(KEY, base_url=f"http://127.0.0.1:{port}/v1") as client:
                with pytest.raises(ConversationsError) as caught:
                    await client.items.list("conv_1", after=AFTER)
                return caught.value

    with stamina.set_testing(True, attempts=2, cap=True):
        error = asyncio.run(main())
    logged = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    if not is_fast:  # what happened is still told
        assert any("send_request_headers.started" in line for line in logged)
    for text in (*shown(error), *logged, caplog.text, str(pickle.dumps(error))):
        assert not [secret for secret in SECRETS if secret in text], text
    assert "conversations/conv_1/items on 127.0.0.1" in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError(PLANT),
        httpx.LocalProtocolError(PLANT),
        httpx.InvalidURL(PLANT),
        OSError(PLANT),
        httpx.Response(200, content=PLANT.encode() + b"\xff"),
    ],
)
def test_no_error_remembers_the_one_that_it_stands_for(answer: httpx.Response | Exception) -> None:
    """Those who print contexts that a `from None` would only hide find none."""

    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def main() -> ConversationsError:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
            with pytest.raises(ConversationsError) as caught:
                await ConversationsClient(KEY, http_client=http, max_retries=0).retrieve("conv_1")
            return caught.value

    error = asyncio.run(main())
    assert error.__cause__ is error.__context__ is None


def test_other_peoples_requests_are_logged_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    """Only our own requests' lines are cut, even after some of ours."""
    caplog.set_level(logging.INFO, "httpx")

    async def main() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"object": "list", "data": []}))
        async with httpx.AsyncClient(transport=transport) as http:
            await ConversationsClient(KEY, http_client=http).items.list("conv_1")
            await http.get("https://example.com/theirs?a=b")

    asyncio.run(main())
    assert [record.getMessage() for record in caplog.records] == [
        'HTTP Request: GET https://example.com/theirs?a=b "HTTP/1.1 200 OK"'
    ]
