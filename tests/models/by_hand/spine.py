"""Items in list order, with what `analytics.items` and `analytics.messages` say of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.content import content_hash
from models.ids import birth_key, item_time
from tests.models.by_hand.reading import Object, rows, text, well_formed

Row = dict[str, object]
OPEN = {"in_progress", "searching", "generating", "interpreting", "calling", "queued"}
CALLS = {
    "function_call",
    "custom_tool_call",
    "web_search_call",
    "file_search_call",
    "image_generation_call",
    "computer_call",
    "tool_search_call",
    "code_interpreter_call",
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
    "mcp_call",
    "program",
}
ANSWERED_BY = {
    "function": "function_call_output",
    "custom": "custom_tool_call_output",
    "computer": "computer_call_output",
    "tool_search": "tool_search_output",
    "local_shell": "local_shell_call_output",
    "shell": "shell_call_output",
    "apply_patch": "apply_patch_call_output",
    "program": "program_output",
}
"""The type of item that answers a call, by family; the other families answer within the call."""
_KINDS = {
    "message": "message",
    **dict.fromkeys(CALLS, "call"),
    **dict.fromkeys(ANSWERED_BY.values(), "output"),
    "mcp_approval_request": "approval",
    "mcp_approval_response": "approval",
    "mcp_list_tools": "definition",
    "additional_tools": "definition",
    "reasoning": "reasoning",
    "compaction": "compaction",
    "configuration_update": "configuration",
}
_QUESTION_MARKS = ("?", "？", "؟")  # noqa: RUF001  # question marks of other scripts


@dataclass(frozen=True)
class Listed:
    """An item of a conversation's list, its JSON as received, with what the warehouse alone can know of it."""

    raw: str
    conversation_id: str
    item_id: str
    position: int
    first_seen_at: datetime
    last_seen_at: datetime
    include_set: str


@dataclass(frozen=True, eq=False)
class Item:
    """An item in its place: what every view needs to know of it."""

    listed: Listed
    body: Object
    turn_index: int
    message_index: int
    """Messages up to and with this item."""

    @property
    def conversation_id(self) -> str:
        return self.listed.conversation_id

    @property
    def id(self) -> str:
        return self.listed.item_id

    @property
    def position(self) -> int:
        return self.listed.position

    @property
    def type(self) -> str | None:
        return well_formed(self.body, "type")

    @property
    def status(self) -> str | None:
        return well_formed(self.body, "status")

    @property
    def kind(self) -> str:
        return _KINDS.get(self.type or "", "unknown")

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def item_at(self) -> datetime | None:
        return None if self.is_id_synthetic else item_time(self.id, self.listed.last_seen_at)

    @property
    def is_id_synthetic(self) -> bool:
        return not isinstance(self.body.get("id"), str)

    @property
    def is_copied(self) -> bool | None:
        own, conversation = birth_key(self.id), birth_key(self.conversation_id)
        return None if own is None or conversation is None else own != conversation

    @property
    def time(self) -> datetime | None:
        """The time of the item, if it may be measured with."""
        return None if self.is_copied else self.item_at

    @property
    def role(self) -> str | None:
        return text(self.body, "role") if self.kind == "message" else None

    @property
    def is_answer(self) -> bool:
        return self.role == "assistant" and text(self.body, "phase") != "commentary"

    @property
    def is_reaction(self) -> bool:
        """Whether the model did it: said something, thought, or called."""
        return self.role == "assistant" or self.kind in {"reasoning", "call"}

    @property
    def text(self) -> str | None:
        """A message's text."""
        found = [one for one in (text(part, "text") for part in rows(self.body, "content")) if one is not None]
        return "\n".join(found) if found else None

    @property
    def text_chars(self) -> int:
        return len(self.text or "")

    @property
    def is_asking_back(self) -> bool:
        return self.is_answer and (self.text or "").rstrip(" \t\n\r").endswith(_QUESTION_MARKS)

    @property
    def refusal(self) -> str | None:
        return next((one for part in rows(self.body, "content") if (one := text(part, "refusal")) is not None), None)

    @property
    def citations(self) -> list[Object]:
        """What a message's parts cite."""
        return [one for part in rows(self.body, "content") for one in rows(part, "annotations")]


def in_place(listed: Sequence[Listed]) -> list[Item]:
    """The items of one conversation, in list order."""
    found: list[Item] = []
    turn_index = message_index = 0
    for one in listed:
        body = json.loads(one.raw)
        message_index += body.get("type") == "message"
        turn_index += body.get("type") == "message" and body.get("role") == "user"
        found.append(Item(one, body, turn_index, message_index))
    return found


def items(conversation: Sequence[Item]) -> Iterator[Row]:
    """The rows of `analytics.items`."""
    for item in conversation:
        yield {
            "conversation_id": item.conversation_id,
            "item_id": item.id,
            "position": item.position,
            "turn_index": item.turn_index,
            "type": item.type,
            "kind": item.kind,
            "status": item.status,
            "role": item.role,
            "is_open": item.is_open,
            "item_at": item.item_at,
            "item_at_method": "none" if item.item_at is None else "heuristic",
            "is_copied": item.is_copied,
            "is_time_usable": item.time is not None,
            "is_id_synthetic": item.is_id_synthetic,
            "content_hash": content_hash(item.listed.raw.encode()),
            "include_set": item.listed.include_set,
            "first_seen_at": item.listed.first_seen_at,
            "last_seen_at": item.listed.last_seen_at,
        }


def messages(conversation: Sequence[Item]) -> Iterator[Row]:
    """The rows of `analytics.messages`."""
    for item in conversation:
        if item.kind != "message":
            continue
        parts = [text(part, "type") for part in rows(item.body, "content")]
        cited = [text(one, "type") for one in item.citations]
        yield {
            "conversation_id": item.conversation_id,
            "item_id": item.id,
            "position": item.position,
            "message_index": item.message_index,
            "turn_index": item.turn_index,
            "role": item.role,
            "phase": text(item.body, "phase"),
            "status": item.status,
            "is_answer": item.is_answer,
            "is_asking_back": item.is_asking_back,
            "item_at": item.item_at,
            "is_time_usable": item.time is not None,
            "text": item.text,
            "text_chars": item.text_chars,
            "estimated_tokens": -(-item.text_chars // 4),
            "refusal": item.refusal,
            "is_refusal": item.refusal is not None,
            "part_count": len(parts),
            "image_count": parts.count("input_image") + parts.count("computer_screenshot"),
            "file_count": parts.count("input_file"),
            "citation_count": len(cited),
            "url_citation_count": cited.count("url_citation"),
            "file_citation_count": cited.count("file_citation") + cited.count("container_file_citation"),
        }


def milliseconds(begin: datetime | None, end: datetime | None) -> float | None:
    """From one time to another; None if one is missing or they are in the wrong order."""
    if begin is None or end is None or end < begin:
        return None
    passed = end - begin
    return ((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) / 1000.0
