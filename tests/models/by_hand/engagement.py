"""The rows of `analytics.engagement_funnel` and `analytics.hour_of_week`."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.models.by_hand.reading import as_json, share
from tests.models.by_hand.spine import Row
from tests.models.by_hand.tools import FEW, quantile

Summary = Mapping[str, Any]
Turn = Mapping[str, Any]
Call = Mapping[str, Any]
_ANSWERED = {"answered", "awaiting_user"}
_UNANSWERED = {"error", "incomplete", "open_call"}
_HOURS = 24 * 7
Key = tuple[Any, str | None, str | None]


def engagement_funnel(summaries: Sequence[Summary], turns: Sequence[Turn], calls: Sequence[Call]) -> Iterator[Row]:
    """The rows of all conversations together."""
    groups: dict[Key, list[dict[str, bool]]] = defaultdict(list)
    for one in summaries:
        own = [turn for turn in turns if turn["conversation_id"] == one["conversation_id"]]
        made = [call for call in calls if call["conversation_id"] == one["conversation_id"]]
        began: datetime | None = one["created_at"] or one["first_item_at"]
        stages = _stages(one, own, made)
        pairs = json.loads(one["metadata"]) if one["metadata"] else {}
        for key, value in [(None, None), *pairs.items()]:
            said = value if value is None or isinstance(value, str) else as_json(value)
            groups[began and began.date(), key, said].append(stages)
    for (day, key, value), members in groups.items():
        counts = {f"{name}_count": sum(one[name] for one in members) for name in members[0]}
        yield {
            "day": day,
            "metadata_key": key,
            "metadata_value": value,
            "conversation_count": len(members),
            **counts,
            "two_turn_share": share(counts["two_turn_count"], counts["with_turn_count"]),
            "used_tool_share": share(counts["used_tool_count"], len(members)),
            "tool_ok_share": share(counts["tool_ok_count"], counts["decided_tool_count"]),
            "answered_share": share(counts["answered_count"], counts["with_turn_count"]),
            "followed_up_share": share(counts["followed_up_count"], counts["answered_count"]),
            "abandoned_share": share(counts["abandoned_count"], counts["failed_count"]),
            "is_few_conversations": len(members) < FEW,
        }


def _stages(one: Summary, turns: Sequence[Turn], calls: Sequence[Call]) -> dict[str, bool]:
    """How far a conversation got."""
    last_calls = [call for call in calls if turns and call["turn_index"] == turns[-1]["turn_index"]]
    is_abandoned = (
        bool(turns) and turns[-1]["ended_state"] in _UNANSWERED and any(call["is_failed"] for call in last_calls)
    )
    is_told = any(call["is_decided"] and call["outcome_method"] != "explicit" for call in last_calls)
    return {
        "explicit_day": one["created_at"] is not None,
        "with_turn": bool(turns),
        "two_turn": len(turns) > 1,
        "used_tool": bool(calls),
        "decided_tool": any(call["is_decided"] for call in calls),
        "tool_ok": any(call["outcome"] == "ok" for call in calls),
        "answered": any(turn["ended_state"] in _ANSWERED for turn in turns),
        "followed_up": any(turn["ended_state"] in _ANSWERED for turn in turns[:-1]),
        "failed": any(call["is_failed"] for call in calls),
        "abandoned": is_abandoned,
        "heuristic_abandoned": is_abandoned and (is_told or turns[-1]["ended_state_method"] == "heuristic"),
    }


def hour_of_week(turns: Sequence[Turn], calls: Sequence[Call]) -> Iterator[Row]:
    """The rows of all conversations together."""
    groups: dict[int | None, list[Turn]] = {hour: [] for hour in range(_HOURS)}
    for turn in turns:
        at = turn["started_at"]
        groups.setdefault(at and 24 * at.weekday() + at.hour, []).append(turn)
    made: dict[tuple[str, int], list[Call]] = defaultdict(list)
    for call in calls:
        made[call["conversation_id"], call["turn_index"]].append(call)
    for hour, own in groups.items():
        yield _hour(hour, own, [call for turn in own for call in made[turn["conversation_id"], turn["turn_index"]]])


def _hour(hour: int | None, turns: Sequence[Turn], calls: Sequence[Call]) -> Row:
    decided = [call for call in calls if call["is_decided"]]
    failed = sum(call["is_failed"] for call in calls)
    answered = sum(turn["ended_state"] in _ANSWERED for turn in turns)
    waits = [turn["answer_ms"] for turn in turns if turn["answer_ms"] is not None]
    return {
        "hour_of_week": hour,
        "weekday": None if hour is None else hour // 24 + 1,
        "hour": None if hour is None else hour % 24,
        "day_count": len({turn["started_at"].date() for turn in turns if turn["started_at"]}),
        "turn_count": len(turns),
        "conversation_count": len({turn["conversation_id"] for turn in turns}),
        "answered_count": answered,
        "heuristic_ended_count": sum(turn["ended_state_method"] == "heuristic" for turn in turns),
        "answered_share": share(answered, len(turns)),
        "call_count": len(calls),
        "failed_call_count": failed,
        "decided_call_count": len(decided),
        "error_rate": share(failed, len(decided)),
        "explicit_decided_count": sum(call["outcome_method"] == "explicit" for call in decided),
        "is_few_turns": len(turns) < FEW,
        "answer_count": len(waits),
        "answer_p50_ms": quantile(waits, 0.5),
    }
