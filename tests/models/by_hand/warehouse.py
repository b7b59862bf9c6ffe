"""A warehouse of given conversations, what its views say, and the facts that only it can know."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx

from connectors.openai_conversations import ConversationsClient
from pipelines.ingest.places import Places
from pipelines.ingest.registry import candidates
from pipelines.ingest.sync import SyncOptions, sync
from pipelines.ingest.warehouse import Warehouse
from tests.models.by_hand.reading import as_json
from tests.models.by_hand.sources import Lists
from tests.models.by_hand.spine import Listed
from tests.models.by_hand.turns import Registered

_PAGE = 100
_CREATED_AT = 1_790_000_000
_HOUR = 3600
_EPOCH = datetime(1970, 1, 1)
_SOURCE = "second way"
_FACTS = (
    "select conversation_id, item_id, position, first_seen_at, last_seen_at, include_set from raw.items "
    "where deleted_at is null order by conversation_id, position"
)


def build(folder: Path, before: Lists, now: Lists) -> Places:
    """A warehouse of conversations that were listed in one way before, and are now in another."""
    where = Places(folder / "warehouse.duckdb", folder / "serving.duckdb")
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.register(candidates(_SOURCE, list(before)))
    _pull(where, before, SyncOptions())
    if now != before:
        _pull(where, now, SyncOptions(reconcile=True))
    return where


def _pull(where: Places, conversations: Lists, options: SyncOptions) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        conversation_id, _, rest = request.url.path.removeprefix("/v1/conversations/").partition("/")
        if not rest:
            return httpx.Response(200, json=_conversation(conversation_id))
        texts, after = conversations[conversation_id], request.url.params.get("after")
        begin = 0 if after is None else [json.loads(text).get("id") for text in texts].index(after) + 1
        shown, more = ",".join(texts[begin : begin + _PAGE]), json.dumps(len(texts) > begin + _PAGE)
        return httpx.Response(200, content=f'{{"object":"list","data":[{shown}],"has_more":{more}}}'.encode())

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    client = ConversationsClient("any", base_url="http://localhost/v1", http_client=http)
    result = sync(where, client, options)
    assert result.report.status == "done", result.report


def _conversation(conversation_id: str) -> dict[str, Any]:
    """What the API says of a conversation: its end decides on the day and on its metadata."""
    end = conversation_id[-2:]
    ends = {"end": end} if end[0] < end[1] else {"end": end, "last": end[1]}
    return {"id": conversation_id, "created_at": _CREATED_AT + _HOUR * (ord(end[0]) + ord(end[1])), "metadata": ends}


def registered(before: Lists, now: Lists) -> list[Registered]:
    """What the registry must say of the conversations."""
    return [
        Registered(
            conversation_id=one,
            registry_status="active",
            source=_SOURCE,
            created_at=_EPOCH + timedelta(seconds=_conversation(one)["created_at"]),
            metadata=as_json(_conversation(one)["metadata"]),
            deleted_item_count=len(before[one]) - len(texts),
        )
        for one, texts in now.items()
    ]


def listed(con: duckdb.DuckDBPyConnection, now: Lists) -> dict[str, list[Listed]]:
    """Each conversation's items as they were sent, and when they were received, which only the warehouse knows."""
    facts: dict[str, list[tuple[Any, ...]]] = {one: [] for one in now}
    for fact in con.execute(_FACTS).fetchall():
        facts[fact[0]].append(fact)
    return {
        one: [Listed(text, *fact) for text, fact in zip(texts, facts[one], strict=True)] for one, texts in now.items()
    }
