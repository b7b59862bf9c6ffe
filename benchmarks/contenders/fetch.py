"""Asks for the same pages as a sync and throws them away: how fast it could be at most, by HTTP client.

    python fetch.py CLIENT BASE_URL TARGETS CONCURRENCY [details]

Each line of TARGETS is a conversation's ID and, if it has one, the item to begin after. With `details` the conversation
itself is asked for, too, as a first sync does. JSON is not parsed: `has_more` and `last_id` are cut
out of a page's end. `socket` is no client but a thread per connection that reads into one buffer: the server alone.
"""

import asyncio
import re
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

INCLUDE = "&".join(
    f"include%5B%5D={value}"
    for value in (
        "file_search_call.results",
        "web_search_call.results",
        "web_search_call.action.sources",
        "message.input_image.image_url",
        "computer_call_output.output.image_url",
        "code_interpreter_call.outputs",
        "reasoning.encrypted_content",
        "message.output_text.logprobs",
    )
)
END = re.compile(rb'"has_more":(true|false),"last_id":"?([^"}]+)')
Get = Callable[[str], Awaitable[bytes]]
Client = Callable[[str, int], AbstractAsyncContextManager[Get]]


def path(conversation: str, after: str) -> str:
    """The request for a page."""
    return f"/conversations/{conversation}/items?{f'after={after}&' * bool(after)}{INCLUDE}&limit=100&order=asc"


def following(conversation: str, page: bytes) -> str:
    """The request for the page after this one, if there is one."""
    found = END.search(page, max(len(page) - 200, 0))
    return path(conversation, found[2].decode()) if found and found[1] == b"true" else ""


@asynccontextmanager
async def with_aiohttp(base_url: str, concurrency: int) -> AsyncIterator[Get]:
    """With aiohttp as it comes."""
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:

        async def get(target: str) -> bytes:
            async with session.get(base_url + target) as response:
                body: bytes = await response.read()
                return body

        yield get


@asynccontextmanager
async def with_httpx(base_url: str, concurrency: int) -> AsyncIterator[Get]:
    """With httpx as it comes."""
    import httpx

    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(limits=limits) as client:

        async def get(target: str) -> bytes:
            return (await client.get(base_url + target)).content

        yield get


@asynccontextmanager
async def with_httpx_aiohttp(base_url: str, concurrency: int) -> AsyncIterator[Get]:
    """With httpx over aiohttp's connections."""
    import httpx
    import httpx_aiohttp

    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    transport = httpx_aiohttp.AiohttpTransport(limits=limits)
    async with httpx.AsyncClient(transport=transport) as client:

        async def get(target: str) -> bytes:
            return (await client.get(base_url + target)).content

        yield get


async def walk(get: Get, targets: Iterator[list[str]], with_details: bool) -> None:
    """Ask one conversation after the other, each to its end."""
    for conversation, *after in targets:
        target = path(conversation, *after or [""])
        while target:
            target = following(conversation, await get(target))
        if with_details:
            await get(f"/conversations/{conversation}")


async def walk_all(client: Client, base_url: str, targets: list[list[str]], at_once: int, with_details: bool) -> None:
    """Ask many conversations at once."""
    waiting = iter(targets)
    async with client(base_url, at_once) as get, asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(walk(get, waiting, with_details))


def read_all(base_url: str, targets: list[list[str]], at_once: int, with_details: bool) -> None:
    """The same with nothing but sockets."""
    address, waiting = urlsplit(base_url), iter(targets)

    def work() -> None:
        buffer = memoryview(bytearray(1 << 20))
        with socket.create_connection((address.hostname, address.port)) as connection:

            def get(target: str) -> bytes:
                connection.sendall(f"GET {address.path}{target} HTTP/1.1\r\n\r\n".encode())
                got = connection.recv_into(buffer)
                head = bytes(buffer[:got]).partition(b"\r\n\r\n")[0]
                left = int(head.rpartition(b" ")[2]) + len(head) + 4 - got
                end = bytes(buffer[max(got - 200, 0) : got])
                while left > 0:
                    got = connection.recv_into(buffer)
                    left -= got
                    end = (end + bytes(buffer[max(got - 200, 0) : got]))[-200:]
                return end

            for conversation, *after in waiting:
                target = path(conversation, *after or [""])
                while target:
                    target = following(conversation, get(target))
                if with_details:
                    get(f"/conversations/{conversation}")

    with ThreadPoolExecutor(at_once) as threads:
        for done in [threads.submit(work) for _ in range(at_once)]:
            done.result()


CLIENTS: dict[str, Client] = {"aiohttp": with_aiohttp, "httpx": with_httpx, "httpx-aiohttp": with_httpx_aiohttp}

if __name__ == "__main__":
    name, base_url, file, concurrency, *details = sys.argv[1:]
    targets = [line.split() for line in Path(file).read_text().splitlines()]
    if name == "socket":
        read_all(base_url, targets, min(int(concurrency), 4), bool(details))
    else:
        asyncio.run(walk_all(CLIENTS[name], base_url, targets, int(concurrency), bool(details)))
