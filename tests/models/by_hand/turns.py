"""The rows of `analytics.turns` and `analytics.conversation_summary`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.models.by_hand.reading import share
from tests.models.by_hand.spine import ANSWERED_BY, Item, Row, milliseconds

Call = Mapping[str, Any]
OUTCOMES = {"ok": "ok", "denied": "denied", "pending": "pending", "unknown": None}


@dataclass(frozen=True)
class Registered:
    """What the registry says of a conversation, and how many of its items are gone."""

    conversation_id: str
    registry_status: str
    source: str
    created_at: datetime | None
    metadata: object
    deleted_item_count: int


def answer_of(items: Sequence[Item]) -> Item | None:
    """The last message that answers."""
    return next((item for item in reversed(items) if item.is_answer), None)


def ended(items: Sequence[Item], calls: Sequence[Call]) -> tuple[str, str]:
    """How it ended, and how that is known."""
    answer = answer_of(items)
    begin = -1 if answer is None else answer.position
    after = [call for call in calls if call["position"] > begin]
    pending = [call for call in after if call["outcome"] == "pending"]
    if any(call["approval"] == "awaiting" and not call["is_made"] for call in after):
        return "awaiting_approval", "explicit"
    if pending:
        return "open_call", pending[-1]["outcome_method"]
    if any(item.is_open for item in items if item.position >= begin):
        return "open_call", "explicit"
    if answer is not None and not after:
        if answer.status == "incomplete":
            return "incomplete", "explicit"
        return ("awaiting_user", "heuristic") if answer.is_asking_back else ("answered", "explicit")
    if after and after[-1]["outcome"] in {"error", "timeout", "denied"}:
        return "error", after[-1]["outcome_method"]
    return "incomplete", "heuristic"


def turns(conversation: Sequence[Item], calls: Sequence[Call]) -> Iterator[Row]:
    """The rows of one conversation."""
    for index in range(1, conversation[-1].turn_index + 1 if conversation else 1):
        own = [item for item in conversation if item.turn_index == index]
        yield {
            "turn_index": index,
            "is_last": index == conversation[-1].turn_index,
            **_of_items(own),
            **_of_calls([call for call in calls if call["turn_index"] == index]),
            **_state(own, [call for call in calls if call["turn_index"] == index]),
        }


def _of_items(own: Sequence[Item]) -> Row:
    user, answer = own[0], answer_of(own)
    times = [item.time for item in own if item.time is not None]
    answered_at = answer.time if answer else None
    reaction = next((item for item in own[1:] if item.is_reaction), None)
    types = [item.type for item in own]
    return {
        "conversation_id": user.conversation_id,
        "user_item_id": user.id,
        "answer_item_id": answer.id if answer else None,
        "first_position": user.position,
        "last_position": own[-1].position,
        "started_at": user.time,
        "answered_at": answered_at,
        "ended_at": times[-1] if times else None,
        "first_reaction_ms": milliseconds(user.time, reaction.time if reaction else None),
        "answer_ms": milliseconds(user.time, answered_at),
        "duration_ms": milliseconds(user.time, times[-1] if times else None),
        "item_count": len(own),
        "timed_item_count": len(times),
        "user_text_chars": user.text_chars,
        "answer_text_chars": answer.text_chars if answer else 0,
        "assistant_message_count": sum(item.role == "assistant" for item in own),
        "citation_count": sum(len(item.citations) for item in own if item.kind == "message"),
        "reasoning_count": types.count("reasoning"),
        "compaction_count": types.count("compaction"),
        "approval_count": types.count("mcp_approval_request"),
        "is_refused": any(item.role == "assistant" and item.refusal is not None for item in own),
    }


def _of_calls(calls: Sequence[Call]) -> Row:
    tools = sorted({call["tool"] for call in calls})
    return {
        "step_count": max((call["step_index"] for call in calls), default=0),
        "tools": tools,
        "explicit_call_count": sum(call["outcome_method"] == "explicit" for call in calls),
        **_counts(calls),
    }


def _counts(calls: Sequence[Call]) -> Row:
    return {
        "call_count": len(calls),
        "tool_count": len({call["tool"] for call in calls}),
        "failed_call_count": sum(call["is_failed"] for call in calls),
        "retry_count": sum(call["retry_of"] is not None for call in calls),
        **{f"{word}_call_count": sum(call["outcome"] == said for call in calls) for word, said in OUTCOMES.items()},
    }


def _state(own: Sequence[Item], calls: Sequence[Call]) -> Row:
    state, method = ended(own, calls)
    return {"ended_state": state, "ended_state_method": method}


def conversation_summary(
    registered: Registered, conversation: Sequence[Item], calls: Sequence[Call], own_turns: Sequence[Mapping[str, Any]]
) -> Row:
    """The row of a conversation."""
    said = [item for item in conversation if item.kind == "message"]
    times = [item.time for item in conversation if item.time is not None]
    types = [item.type for item in conversation]
    durations = [turn["duration_ms"] for turn in own_turns if turn["duration_ms"] is not None]
    steps = [turn["step_count"] for turn in own_turns]
    decided = [call for call in calls if call["is_decided"]]
    answered_elsewhere = sum(call["output_count"] for call in calls if call["family"] in ANSWERED_BY)
    return {
        "conversation_id": registered.conversation_id,
        "registry_status": registered.registry_status,
        "source": registered.source,
        "created_at": registered.created_at,
        "metadata": registered.metadata,
        **_summary_state(conversation, calls, own_turns),
        "first_item_at": min(times, default=None),
        "last_item_at": max(times, default=None),
        "span_ms": milliseconds(min(times, default=None), max(times, default=None)),
        "active_ms": sum(durations) if durations else None,
        "active_turn_count": len(durations),
        "item_count": len(conversation),
        "timed_item_count": len(times),
        "deleted_item_count": registered.deleted_item_count,
        "unknown_item_count": sum(item.kind == "unknown" for item in conversation),
        "open_item_count": sum(item.is_open for item in conversation),
        "message_count": len(said),
        "user_message_count": sum(item.role == "user" for item in said),
        "assistant_message_count": sum(item.role == "assistant" for item in said),
        "refusal_count": sum(item.refusal is not None for item in said),
        "citation_count": sum(len(item.citations) for item in said),
        "user_text_chars": sum(item.text_chars for item in said if item.role == "user"),
        "assistant_text_chars": sum(item.text_chars for item in said if item.role == "assistant"),
        "estimated_message_tokens": sum(-(-item.text_chars // 4) for item in said),
        "reasoning_count": types.count("reasoning"),
        "compaction_count": types.count("compaction"),
        "turn_count": len(own_turns),
        "turn_step_count": sum(steps),
        "autonomy": share(sum(steps), len(own_turns)),
        "max_turn_steps": max(steps, default=None),
        **_counts(calls),
        "decided_call_count": len(decided),
        "error_rate": share(sum(call["is_failed"] for call in calls), len(decided)),
        "explicit_decided_count": sum(call["outcome_method"] == "explicit" for call in decided),
        "abandoned_call_count": sum(call["is_abandoned"] for call in calls),
        "output_without_call_count": sum(item.kind == "output" for item in conversation) - answered_elsewhere,
        "approval_count": types.count("mcp_approval_request"),
    }


def _summary_state(conversation: Sequence[Item], calls: Sequence[Call], own_turns: Sequence[Mapping[str, Any]]) -> Row:
    if own_turns:
        return {name: own_turns[-1][name] for name in ("ended_state", "ended_state_method")}
    if conversation:
        return _state(conversation, calls)
    return {"ended_state": None, "ended_state_method": "none"}
