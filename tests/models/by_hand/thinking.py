"""The rows of `analytics.reasoning_effort`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.models.by_hand.reading import Object, nested, rows, text
from tests.models.by_hand.spine import Item, Row, milliseconds

Turn = Mapping[str, Any]
_OF_TURN = (
    "conversation_id",
    "turn_index",
    "started_at",
    "reasoning_count",
    "duration_ms",
    "item_count",
    "step_count",
    "call_count",
    "ended_state",
    "ended_state_method",
)


def reasoning_effort(conversation: Sequence[Item], turns: Sequence[Turn]) -> Iterator[Row]:
    """The rows of one conversation."""
    effort_before = None
    for turn in turns:
        own = [item for item in conversation if item.turn_index == turn["turn_index"]]
        row = {**{name: turn[name] for name in _OF_TURN}, **_in_force(conversation, own), **_thoughts(own)}
        row["is_effort_changed"] = row["effort"] != effort_before
        effort_before = row["effort"]
        reasoning_ms, duration_ms = row["reasoning_ms"], row["duration_ms"]
        row["time_share"] = reasoning_ms / duration_ms if reasoning_ms is not None and duration_ms else None
        row["item_share"] = row["reasoning_count"] / row["item_count"]
        yield row


def _effort(item: Item) -> str | None:
    return text(nested(item.body, "reasoning"), "effort") if item.type == "configuration_update" else None


def _in_force(conversation: Sequence[Item], own: Sequence[Item]) -> Row:
    """The effort when the model began, and whether it was another while it was at work."""
    acts = [item.position for item in own if item.is_reaction]
    begin = acts[0] if acts else own[-1].position + 1
    said = [item for item in conversation if item.position < begin and _effort(item) is not None]
    effort = _effort(said[-1]) if said else None
    amid = [_effort(item) for item in own if acts and acts[0] < item.position < acts[-1]]
    return {
        "effort": effort,
        "effort_method": "none" if effort is None else "explicit",
        "effort_item_id": said[-1].id if said else None,
        "is_effort_mixed": any(one not in {None, effort} for one in amid),
    }


def _thoughts(own: Sequence[Item]) -> dict[str, Any]:
    thoughts = [(n, item) for n, item in enumerate(own) if item.type == "reasoning"]
    summaries = [rows(item.body, "summary") for _, item in thoughts]
    contents = [rows(item.body, "content") for _, item in thoughts]
    gaps = [gap for n, _ in thoughts if (gap := _gap(own[n : n + 2])) is not None]
    return {
        "summarised_count": sum(map(bool, summaries)),
        "readable_count": sum(map(bool, contents)),
        "encrypted_count": sum(text(item.body, "encrypted_content") is not None for _, item in thoughts),
        "silent_count": sum(not one and not other for one, other in zip(summaries, contents, strict=True)),
        "orphan_count": sum(not any(item.is_reaction for item in own[n + 1 :]) for n, _ in thoughts),
        "summary_count": sum(map(len, summaries)),
        "summary_chars": sum(map(_chars, summaries)),
        "content_chars": sum(map(_chars, contents)),
        "gap_count": len(gaps),
        "reasoning_ms": sum(gaps) if gaps else None,
        "reasoning_ms_method": "heuristic" if gaps else "none",
        "longest_gap_ms": max(gaps, default=None),
    }


def _gap(pair: Sequence[Item]) -> float | None:
    """From a thought to what follows it, if the model did that."""
    is_followed = len(pair) > 1 and pair[1].is_reaction
    return milliseconds(pair[0].time, pair[1].time) if is_followed else None


def _chars(parts: Sequence[Object]) -> int:
    return sum(len(text(part, "text") or "") for part in parts)
