"""Conversations to compute with: the sample data, the same altered by chance, and recordings of the real API."""

import gzip
import json
import os
import random
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from connectors.emulator.samples import sample_store
from connectors.openai_conversations import INCLUDE

CORPUS = Path(os.environ.get("CONVERSATIONS_CORPUS", Path(__file__).parents[4] / "shared/corpus/items.jsonl.gz"))
_DIGITS_OF_LAYOUT_B = 50
_GONE_OFTEN = {"mcp_call": 0.4, "mcp_approval_response": 0.4}
Lists = dict[str, list[str]]
"""The items of each conversation, in list order, each as JSON."""
_STATUSES = ("completed", "incomplete", "failed", "in_progress", "searching", "generating", "queued", "strange", None)
_WORDS = (
    "",
    "all fine",
    "What else?",
    "这样可以吗\uff1f \n",
    "Error: timed out after 30 s",
    "TypeError: no such thing",
    "user denied the call",
    "tool call was rejected by the user",
    '{"error": "deadline exceeded"}',
    '{"success": false}',
    '{"exit_code": 3, "stdout": ""}',
    "[1, 2,]",
    "Größe 日本語 \U0001f600",
    "odd ones: \ufffd, \x01\x7f\t</x> \\",
)
_VALUES: tuple[Any, ...] = (
    None,
    "",
    0,
    3,
    408,
    -1,
    2.5,
    True,
    False,
    [],
    {},
    [None],
    [{}],
    ["a", None, "b"],
    "completed",
    *_WORDS,
)
_WORDS_OF_UNIONS = {
    "type": (
        "search",
        "open_page",
        "find_in_page",
        "http_error",
        "timeout",
        "exit",
        "namespace",
        "web_search_x",
        "mcp",
    ),
    "execution": ("server", "client"),
    "role": ("user", "assistant", "developer"),
    "phase": ("commentary", "final_answer"),
    "code": ("moderation_blocked", "other", 408, 504),
    "name": ("", "get_order", "search"),
    "namespace": ("", "billing", None),
}


def sample() -> Lists:
    """All conversations of the local API."""
    store = sample_store()
    return {
        one: [
            store.render(item, frozenset(INCLUDE)).decode()
            for item in store.list_items(one, limit=100_000, order="asc").items
        ]
        for one in store.conversation_ids()
    }


def recorded() -> Lists:
    """Recordings of the real API: a conversation for each place that they come from."""
    found: Lists = {}
    known: set[tuple[str, str]] = set()
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        for line in lines:
            read = json.loads(line)
            conversation_id, item_id = f"conv_{read['source']}", read["item"].get("id")
            if item_id is not None and (conversation_id, item_id) in known:
                continue
            known.add((conversation_id, item_id))
            found.setdefault(conversation_id, []).append(json.dumps(read["item"]))
    return {f"conv_{n}": items for n, items in enumerate(found.values())}


def altered(seed: int) -> Lists:
    """The sample data with items gone, moved, repeated, and with other values: seldom what an API would send."""
    rng = random.Random(seed)
    return {one: [json.dumps(item) for item in _altered(rng, items)] for one, items in sample().items()}


def _altered(rng: random.Random, raw: Sequence[str]) -> Iterator[dict[str, Any]]:
    items = [json.loads(text) for text in raw]
    whole = rng.choice((None, None, None, "without call_id", "without user", "without answers"))
    if whole == "without call_id":
        items = [{name: value for name, value in one.items() if name != "call_id"} for one in items]
    elif whole is not None:
        silent = "user" if whole == "without user" else "assistant"
        items = [one for one in items if one.get("role") != silent]
    call_ids = [one["call_id"] for one in items if one.get("call_id")]
    request_ids = [one["id"] for one in items if one["type"] == "mcp_approval_request"]
    items = [one for one in items if rng.random() > _often(one)]
    for _ in range(len(items) // 12):
        place = rng.randrange(len(items))
        items.insert(max(0, place + rng.choice((-3, -1, 1, 2, 5))), items.pop(place))
    known: set[str] = set()
    for item in items:
        for n in range(1 + (rng.random() < 0.08)):  # one in twelve comes twice
            other = deepcopy(item)
            if n or rng.random() < 0.06:
                other["id"] = _other_id(rng, item["id"], len(known))
            _alter(rng, other, call_ids, request_ids)
            if isinstance(other.get("id"), str) and other["id"] not in known:
                known.add(other["id"])
                yield other


def _other_id(rng: random.Random, item_id: str, number: int) -> str:
    """An ID that tells no time, or that of an item born elsewhere."""
    prefix, _, rest = item_id.partition("_")
    is_layout_b = len(rest) == _DIGITS_OF_LAYOUT_B
    return f"{prefix}_0{number:015x}{rest[16:]}" if is_layout_b and rng.random() < 0.3 else f"{prefix}_{number}"


def _often(item: dict[str, Any]) -> float:
    """How likely an item is to go."""
    return _GONE_OFTEN.get(item["type"], 0.1 if item["type"].endswith("_output") else 0.03)


def _alter(rng: random.Random, item: dict[str, Any], call_ids: Sequence[str], request_ids: Sequence[str]) -> None:
    """Puts other values into an item here and there."""
    if rng.random() < 0.15:
        item["status"] = rng.choice(_STATUSES)
    if call_ids and "call_id" in item and rng.random() < 0.1:
        item["call_id"] = rng.choice([None, "", rng.choice(call_ids)])
    if "approval_request_id" in item and rng.random() < 0.3:
        item["approval_request_id"] = rng.choice([None, "mcpr_other", *request_ids])
    if "output" in item and rng.random() < 0.3:
        item["output"] = rng.choice(_WORDS)
    if item["type"] == "message" and rng.random() < 0.15:
        item["content"] = [{"type": "output_text", "text": rng.choice(_WORDS)} for _ in range(rng.choice((1, 1, 2)))]
    if item["type"] == "mcp_approval_response" and rng.random() < 0.6:
        item["approve"] = rng.choice((True, False, False, None))
    if item["type"] == "mcp_call" and rng.random() < 0.3:
        kind = rng.choice(("http_error", "mcp_protocol_error", "mcp_tool_execution_error"))
        content = rng.choice(([{"text": rng.choice(_WORDS)}], [{"text": 5}], [], "words", None))
        error = {"type": kind, "code": rng.choice((404, 408, 504)), "message": rng.choice(_WORDS), "content": content}
        item["error"] = rng.choice((error, {**error, "message": None}, rng.choice(_WORDS), {"code": 5}))
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        _alter_somewhere(rng, item)


def _alter_somewhere(rng: random.Random, value: Any) -> None:
    """Walks into the value and puts another one, or nothing, at some place."""
    names = (
        [name for name in value if name not in {"id", "created_by"}] if isinstance(value, dict) else range(len(value))
    )
    if not names:
        return
    name = rng.choice(list(names))
    if isinstance(value[name], dict | list) and value[name] and rng.random() < 0.75:
        _alter_somewhere(rng, value[name])
    elif isinstance(value, dict) and rng.random() < 0.3:
        del value[name]
    else:
        others = _WORDS_OF_UNIONS.get(str(name), _VALUES) if rng.random() < 0.6 else _VALUES
        value[name] = deepcopy(rng.choice(others))
