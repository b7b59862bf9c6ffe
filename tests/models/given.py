"""A warehouse in memory that tests put a handful of items into, and the usual items.

Items are written as the API gives them, a second apart; rows name items by their place in the list, from 0.
"""

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb

from connectors.emulator.identifiers import mint_key, mint_sent, prefix_of
from models.ids import item_time
from pipelines.ingest.landing import Row as StoredRow
from pipelines.ingest.typed import Findings, fill, readable

Item = dict[str, Any]
Row = tuple[object, ...]
BEGIN = datetime(2026, 10, 1, 23, 59, 50, tzinfo=UTC)
SEEN = datetime(2026, 10, 20)


class Given:
    """A warehouse in memory that conversations are put into."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.rng = random.Random(1)
        self.names: dict[object, object] = {}

    def conversation(self, *items: Item, begin: datetime = BEGIN) -> str:
        """Store a list of items, each begun a second after the one before; `id` and `position` may be given."""
        key = mint_key(self.rng)
        conversation_id = mint_sent("conv", self.rng, begin.timestamp(), key)
        self.con.execute(
            "insert into raw.conversations (conversation_id, status, registered_at) values (?, 'active', ?)",
            [conversation_id, SEEN],
        )
        self.names[conversation_id] = f"conversation {sum(str(one).startswith('conv_') for one in self.names) + 1}"
        findings = Findings()
        for n, given in enumerate(items):
            at = begin.timestamp() + given.get("at", n)
            item = {name: value for name, value in given.items() if name not in {"at", "deleted"}}
            item = {"id": mint_sent(prefix_of(item["type"]), self.rng, at, key), **item}
            self.names[item["id"]] = n
            self._store(findings, conversation_id, n * 10, item, is_deleted="deleted" in given)
        findings.write(self.con)
        return conversation_id

    def _store(self, findings: Findings, conversation_id: str, position: int, item: Item, *, is_deleted: bool) -> None:
        item_at = item_time(item["id"], SEEN)
        row = [conversation_id, position, item["id"], False, item["type"], item.get("status"), item_at, SEEN, SEEN]
        self.con.execute(
            "insert into raw.items (conversation_id, position, item_id, is_id_synthetic, type, status, item_at, "
            "first_seen_at, last_seen_at, deleted_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [*row, SEEN if is_deleted else None],
        )
        if not is_deleted:
            raw = json.dumps(item).encode()
            stored = StoredRow(
                conversation_id=conversation_id,
                position=position,
                item_id=item["id"],
                is_id_synthetic=False,
                type=item["type"],
                status=item.get("status"),
                item_at=item_at,
                item_at_source="id",
                content_hash="",
                include_set="",
                first_seen_at=SEEN,
                last_seen_at=SEEN,
                deleted_at=None,
                run_id="",
                original=raw,
            )
            fill(self.con, readable([stored], findings))

    def rows(self, view: str, columns: str, order: str = "all") -> list[Row]:
        """The columns of a view, items by their place."""
        found = self.con.execute(f"select {columns} from analytics.{view} order by {order}").fetchall()
        return [
            tuple(self.names.get(value, value) if isinstance(value, str) else value for value in row) for row in found
        ]

    def calls(self, columns: str) -> list[Row]:
        """The columns of the calls, in order."""
        return self.rows("tool_calls", columns, "conversation_id, position")


def user(text: str = "Please.", **more: Any) -> Item:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **more}


def answer(text: str = "Done.", **more: Any) -> Item:
    said = {"type": "message", "role": "assistant", "status": "completed"}
    return {**said, "content": [{"type": "output_text", "text": text, "annotations": []}], **more}


def call(name: str = "f", call_id: str | None = None, arguments: str = "{}", **more: Any) -> Item:
    return {"type": "function_call", "name": name, "call_id": call_id or name, "arguments": arguments, **more}


def output(call_id: str = "f", text: object = "42", **more: Any) -> Item:
    return {"type": "function_call_output", "call_id": call_id, "output": text, **more}


def mcp(name: str = "t", **more: Any) -> Item:
    return {"type": "mcp_call", "server_label": "s", "name": name, "arguments": "{}", "status": "completed", **more}


def asked(request_id: str = "mcpr_1", **more: Any) -> Item:
    return {
        "type": "mcp_approval_request",
        "id": request_id,
        "server_label": "s",
        "name": "t",
        "arguments": "{}",
        **more,
    }


def responded(approve: bool | None, request_id: str = "mcpr_1", **more: Any) -> Item:
    return {"type": "mcp_approval_response", "approval_request_id": request_id, "approve": approve, **more}


def listed(*tools: Mapping[str, Any]) -> Item:
    return {"type": "mcp_list_tools", "server_label": "s", "tools": list(tools)}


REASONING = {"type": "reasoning", "summary": []}
ERROR = '{"error":"no"}'
