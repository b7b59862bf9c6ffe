"""What one would write by hand: aiohttp, 16 conversations at once, pages collected, two tables made with SQL.

python by_hand.py BASE_URL IDS DATABASE
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import duckdb
import pyarrow as pa

CONCURRENCY = 16


async def pull(session: aiohttp.ClientSession, waiting: Iterator[str], pages: list[tuple[str, str]]) -> None:
    """Pull one conversation after the other."""
    for conversation in waiting:
        params = {"limit": "100", "order": "asc"}
        while True:
            async with session.get(f"conversations/{conversation}/items", params=params) as response:
                response.raise_for_status()
                body = await response.text()
            pages.append((conversation, body))
            page = json.loads(body)
            if not page["has_more"]:
                break
            params["after"] = page["last_id"]


async def pull_all(base_url: str, ids: list[str]) -> list[tuple[str, str]]:
    """All pages of all conversations."""
    pages: list[tuple[str, str]] = []
    waiting = iter(ids)
    async with aiohttp.ClientSession(f"{base_url}/") as session, asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(pull(session, waiting, pages))
    return pages


def store(pages: list[tuple[str, str]], database: str) -> None:
    """The raw items, and messages and tool calls with their most used fields."""
    conversations, bodies = zip(*pages, strict=True)
    received = pa.table({"conversation_id": conversations, "body": bodies})
    with duckdb.connect(database) as con:
        con.register("received", received)
        con.execute(
            """
            create table items as
            with unnested as (
                select conversation_id, unnest(from_json(body -> '$.data', '["JSON"]')) as raw from received
            )
            select conversation_id, raw ->> '$.id' as item_id, raw ->> '$.type' as type, raw ->> '$.status' as status,
                raw::varchar as raw
            from unnested;
            create table messages_and_calls as
            select conversation_id, item_id, type, status, raw ->> '$.role' as role,
                array_to_string(raw ->> '$.content[*].text', '') as text, raw ->> '$.name' as name,
                raw ->> '$.call_id' as call_id, raw ->> '$.arguments' as arguments, raw ->> '$.output' as output
            from items where type = 'message' or type like '%_call' or type like '%_call_output'
            """
        )


if __name__ == "__main__":
    base_url, ids, database = sys.argv[1:]
    store(asyncio.run(pull_all(base_url, Path(ids).read_text().split())), database)
