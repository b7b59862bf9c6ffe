"""A local API that answers faster than any client here asks: pages are slices of one file in memory.

Here: `World`, which conversations are served and what is on each page; the HTTP of it; starting it as a process of its
own. Many conversations cost no memory: a copy of a conversation is its text with another 16-digit key in all IDs (an
ID holds the key of the conversation it was born in), put in while it is served.
"""

import asyncio
import json
import mmap
import os
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import cast
from urllib.request import urlopen

import uvloop

from benchmarks.data import SEPARATOR, Dataset
from connectors.emulator.identifiers import KEY_DIGITS

Piece = bytes | memoryview
GROWN_CONVERSATIONS, GROWN_ITEMS = 100, 10
_GROWTH = 1 << 16
_SENT_DIGITS = 48
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class World:
    """Which conversations are served: those of the dataset, each so often, or one that is made of them."""

    data: Dataset = field(default_factory=Dataset)
    copies: int = 1
    items_each: int | None = None
    """No conversation has more items than this."""
    single_items: int = 0
    """Serve one conversation of so many items instead."""
    growths: int = 0
    """How often conversations have grown before."""


@dataclass
class _Base:
    """A conversation of the dataset: where its items are in the text, and their IDs."""

    id: bytes
    created_at: int
    ids: list[bytes]
    offsets: list[int]
    numbers: dict[bytes, int]

    @property
    def key(self) -> bytes:
        return self.id[-KEY_DIGITS:]


@dataclass(frozen=True)
class _Segment:
    """The first `count` items of a conversation, under the key of its copy."""

    base: _Base
    key: bytes
    count: int

    def rename(self, text: Piece) -> Piece:
        return text if self.key == self.base.key else bytes(text).replace(self.base.key, self.key)

    def item_id(self, number: int) -> bytes:
        return bytes(self.rename(self.base.ids[number]))


@dataclass
class _Conversation:
    """What is served under one ID: segments, one after the other."""

    id: bytes
    created_at: int
    segments: list[_Segment] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    by_key: dict[bytes, int] = field(default_factory=dict)
    size: int = 0

    def append(self, segment: _Segment) -> None:
        self.by_key[segment.key] = len(self.segments)
        self.segments.append(segment)
        self.starts.append(self.size)
        self.size += segment.count

    def number(self, item_id: bytes) -> int:
        """The place of an item in the list. KeyError if it is not there."""
        digits = item_id.partition(b"_")[2]
        key = digits[-KEY_DIGITS:] if len(digits) == _SENT_DIGITS else digits[:KEY_DIGITS]
        at = self.by_key[key]
        base = self.segments[at].base
        return self.starts[at] + base.numbers[item_id.replace(key, base.key)]

    def item_id(self, number: int) -> bytes:
        at = bisect_right(self.starts, number) - 1
        return self.segments[at].item_id(number - self.starts[at])

    def page(self, text: memoryview, begin: int, end: int) -> Iterator[Piece]:
        """The JSON of the items from one place to another, in pieces."""
        while begin < end:
            at = bisect_right(self.starts, begin) - 1
            segment, start = self.segments[at], self.starts[at]
            last = min(end, start + segment.count)
            offsets = segment.base.offsets
            yield segment.rename(text[offsets[begin - start] : offsets[last - start] - len(SEPARATOR)])
            begin = last
            if begin < end:
                yield SEPARATOR


class Served:
    """The conversations of a world, by ID, ready to be asked for."""

    def __init__(self, world: World) -> None:
        """Map the dataset's text into memory."""
        with world.data.text.open("rb") as file:
            self._text = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self._bases = list(_bases(world.data, len(self._text) + len(SEPARATOR)))
        made = self._single(world.single_items) if world.single_items else self._copies(world)
        self._conversations = {conversation.id: conversation for conversation in made}
        self._growths = 0
        for _ in range(world.growths):
            self.grow()

    def _copies(self, world: World) -> Iterator[_Conversation]:
        for copy in range(world.copies):
            for base in self._bases:
                key = _key(base, copy)
                conversation = _Conversation(base.id[:-KEY_DIGITS] + key, base.created_at)
                conversation.append(_Segment(base, key, min(len(base.ids), world.items_each or len(base.ids))))
                yield conversation

    def _single(self, items: int) -> Iterator[_Conversation]:
        first = self._bases[0]
        conversation = _Conversation(first.id, first.created_at)
        copy = 0
        while conversation.size < items:
            for base in self._bases:
                left = items - conversation.size
                if left > 0:
                    conversation.append(_Segment(base, _key(base, copy), min(left, len(base.ids))))
            copy += 1
        yield conversation

    @property
    def ids(self) -> list[str]:
        """The IDs of all conversations."""
        return [conversation_id.decode() for conversation_id in self._conversations]

    @property
    def items(self) -> int:
        """How many items all of them have."""
        return sum(conversation.size for conversation in self._conversations.values())

    def grow(self) -> list[bytes]:
        """Append GROWN_ITEMS new items to each of GROWN_CONVERSATIONS conversations; returns which."""
        self._growths += 1
        able = [one for one in self._conversations.values() if len(one.segments[0].base.ids) >= GROWN_ITEMS]
        chosen = able[:: max(len(able) // GROWN_CONVERSATIONS, 1)][:GROWN_CONVERSATIONS]
        for conversation in chosen:
            base, copy = conversation.segments[0].base, int(conversation.segments[0].key, 16)
            key = f"{copy ^ (self._growths * _GROWTH << 24):016x}".encode()
            conversation.append(_Segment(base, key, GROWN_ITEMS))
        return [conversation.id for conversation in chosen]

    def answer(self, target: bytes) -> list[Piece]:
        """The pieces of the response to GET `target`."""
        path, _, query = target.partition(b"?")
        if path == b"/grow":
            return _response([b"\n".join(self.grow())])
        _, _, _, conversation_id, *rest = path.split(b"/")
        conversation = self._conversations.get(conversation_id)
        if conversation is None:
            return _response([b'{"error":{"message":"No such conversation.","type":"invalid_request_error"}}'], 404)
        if not rest:
            told = b'{"id":"%b","object":"conversation","created_at":%d,"metadata":{"topic":"benchmark"}}'
            return _response([told % (conversation_id, conversation.created_at)])
        options = dict(pair.split(b"=", 1) for pair in query.split(b"&"))
        begin = conversation.number(options[b"after"]) + 1 if b"after" in options else 0
        end = min(begin + int(options.get(b"limit", 20)), conversation.size)
        first, last = (b'"%b"' % conversation.item_id(at) if begin < end else b"null" for at in (begin, end - 1))
        has_more = b"true" if end < conversation.size else b"false"
        tail = b'],"first_id":%b,"has_more":%b,"last_id":%b}' % (first, has_more, last)
        return _response([b'{"object":"list","data":[', *conversation.page(self._text, begin, end), tail])


def _bases(data: Dataset, end: int) -> Iterator[_Base]:
    grouped = data.index.group_by("conversation_id", "created_at", maintain_order=True)
    rows = grouped.agg("item_id", "offset").rows()
    ends = [*(offsets[0] for *_, offsets in rows[1:]), end]
    for (conversation_id, created_at, item_ids, offsets), last in zip(rows, ends, strict=True):
        ids = [item_id.encode() for item_id in item_ids]
        numbers = {item_id: number for number, item_id in enumerate(ids)}
        yield _Base(conversation_id.encode(), created_at, ids, [*offsets, last], numbers)


def _key(base: _Base, copy: int) -> bytes:
    """The key of a copy, of the same length; copy 0 is the conversation itself."""
    return f"{int(base.key, 16) ^ (copy << 24):016x}".encode()


def _response(body: list[Piece], status: int = 200) -> list[Piece]:
    head = b"HTTP/1.1 %d -\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return [head % (status, sum(map(len, body))), *body]


class _Protocol(asyncio.Protocol):
    """As much of HTTP as clients need: GET, kept alive, one request after the other."""

    def __init__(self, served: Served, latency_seconds: float) -> None:
        self._served = served
        self._latency_seconds = latency_seconds
        self._received = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        for request in requests:
            pieces = self._served.answer(request.split(b" ", 2)[1])
            if self._latency_seconds:
                asyncio.get_running_loop().call_later(self._latency_seconds, self._transport.writelines, pieces)
            else:
                self._transport.writelines(pieces)


async def _serve(served: Served, latency_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(_Protocol, served, latency_seconds), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], served.items, *served.ids, flush=True)
    await server.serve_forever()


@dataclass(frozen=True)
class Server:
    """A running server, seen from outside."""

    pid: int
    port: int
    items: int
    ids: list[str]

    @property
    def base_url(self) -> str:
        """The address for OPENAI_BASE_URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def grow(self) -> list[str]:
        """Have GROWN_ITEMS new items appended to each of GROWN_CONVERSATIONS conversations; returns which."""
        with urlopen(f"http://127.0.0.1:{self.port}/grow") as answer:
            return str(answer.read().decode()).split()

    def cpu_seconds(self) -> float:
        """CPU time that the server has taken so far."""
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS_PER_SECOND


@contextmanager
def serving(world: World, latency_seconds: float = 0.0) -> Iterator[Server]:
    """Serve a world from another process while the block runs."""
    _ = world.data.directory  # made before, not in the process
    asked = json.dumps([asdict(world), latency_seconds])
    with subprocess.Popen([sys.executable, "-m", __name__, asked], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout  # noqa: S101 (for the type checker)
        try:
            port, items, *ids = process.stdout.readline().split()
            yield Server(process.pid, int(port), int(items), ids)
        finally:
            process.terminate()


if __name__ == "__main__":
    settings, latency = json.loads(sys.argv[1])
    settings["data"]["large_bytes"] = tuple(settings["data"]["large_bytes"])
    world = World(**settings | {"data": Dataset(**settings["data"])})
    uvloop.run(_serve(Served(world), latency))
