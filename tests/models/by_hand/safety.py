"""The rows of `analytics.safety_events`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.models.by_hand.reading import elements, nested, rows, text
from tests.models.by_hand.spine import Item, Row
from tests.models.by_hand.turns import ended

Call = Mapping[str, Any]
_MESSAGE_CHARS = 200


def safety_events(conversation: Sequence[Item], calls: Sequence[Call]) -> Iterator[Row]:
    """The rows of one conversation."""
    by_id = {call["item_id"]: call for call in calls}
    items = {item.id: item for item in conversation}
    for item in conversation:
        for n, event in enumerate(_events(item, items, by_id.get(item.id)), 1):
            own = [other for other in conversation if other.turn_index == item.turn_index]
            state, method = ended(own, [call for call in calls if call["turn_index"] == item.turn_index])
            yield {
                "conversation_id": item.conversation_id,
                "item_id": item.id,
                "event_index": n,
                "position": item.position,
                "turn_index": item.turn_index,
                "role": item.role,
                "happened_at": item.time,
                **event,
                "message": (str(event["message"] or "")[:_MESSAGE_CHARS]) or None,
                **_aftermath(item, event["tool"], [it for it in conversation if it.position > item.position], by_id),
                "ended_state": state,
                "ended_state_method": method,
            }


def _events(item: Item, items: Mapping[str, Item], call: Call | None) -> Iterator[Row]:
    nothing: Row = dict.fromkeys(("tool", "code", "categories", "stage", "is_acknowledged"))
    nothing["acknowledged_method"] = "none"
    if item.kind == "message" and item.refusal is not None:
        yield {**nothing, "kind": "refusal", "message": item.refusal}
    elif item.type == "image_generation_call":
        error = nested(item.body, "error")
        found = nested(error, "moderation_details")
        code, categories, stage = text(error, "code"), _texts(found, "categories"), text(found, "moderation_stage")
        if code == "moderation_blocked" or categories is not None or stage is not None:
            told = {"code": code, "categories": categories, "stage": stage, "message": text(error, "message")}
            yield {**nothing, "kind": "moderation", "tool": "image_generation", **told}
    elif item.type == "computer_call":
        output = items.get(call["output_item_id"]) if call else None
        seen = rows(output.body, "acknowledged_safety_checks") if output else []
        for check in rows(item.body, "pending_safety_checks"):
            name = "code" if text(check, "id") is None else "id"
            is_seen = text(check, name) is not None and text(check, name) in {text(one, name) for one in seen}
            yield {
                **nothing,
                "kind": "safety_check",
                "tool": "computer",
                "code": text(check, "code"),
                "message": text(check, "message"),
                "is_acknowledged": is_seen,
                "acknowledged_method": "heuristic" if is_seen and name == "code" else "explicit",
            }


def _texts(value: object, name: str) -> list[str | None] | None:
    """A field that is a list, with its strings."""
    found = nested({"it": value}, "it").get(name)
    return [text({"it": one}, "it") for one in elements(value, name)] if isinstance(found, list) else None


def _aftermath(item: Item, tool: object, later: Sequence[Item], calls: Mapping[str, Call]) -> Row:
    moves = [other for other in later if other.role in {"user", "assistant"} or other.kind == "call"]
    return {
        "followed_by": _word(moves[0], tool, calls) if moves else "nothing",
        "followed_by_method": "heuristic",
        "next_item_id": moves[0].id if moves else None,
        "is_user_back": any(other.role == "user" for other in moves),
        "is_answered_later": any(other.is_answer and other.refusal is None and other.text_chars > 0 for other in moves),
    }


def _word(move: Item, tool: object, calls: Mapping[str, Call]) -> str:
    if move.kind == "call":
        return "same_tool" if calls[move.id]["tool"] == tool else "other_tool"
    if move.role == "user":
        return "user"
    if move.refusal is not None:
        return "refusal"
    return "answer" if move.is_answer else "commentary"
