"""The rows of the views about tools over time: `analytics.tool_daily` and `analytics.retry_loops`."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from tests.models.by_hand.reading import share
from tests.models.by_hand.spine import Row, milliseconds

Call = Mapping[str, Any]
FEW = 20
_STUCK_CALLS = 3
_Z = 1.959963984540054


def quantile(values: Iterable[float], at: float) -> float | None:
    """The value at a share of the sorted values, between the two nearest in proportion."""
    ordered = sorted(values)
    if not ordered:
        return None
    rank = (len(ordered) - 1) * at
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


def wilson(part: int, of: int) -> tuple[float | None, float | None]:
    """Wilson's score interval of a share, 95 %."""
    if of == 0:
        return None, None
    rate = part / of
    middle = rate + _Z * _Z / (2 * of)
    spread = _Z * math.sqrt(rate * (1 - rate) / of + _Z * _Z / (4 * of * of))
    scale = 1 + _Z * _Z / of
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def outcomes(calls: Sequence[Call]) -> Row:
    """How many calls ended in which way, and the share of the decided ones that failed."""
    counts = Counter(call["outcome"] for call in calls)
    failed, decided = sum(call["is_failed"] for call in calls), sum(call["is_decided"] for call in calls)
    explicit = sum(call["is_decided"] and call["outcome_method"] == "explicit" for call in calls)
    low, high = wilson(failed, decided)
    return {
        **{f"{word}_count": counts[word] for word in ("ok", "error", "timeout", "denied", "pending")},
        "unknown_count": counts[None],
        "failed_count": failed,
        "decided_count": decided,
        "error_rate": share(failed, decided),
        "error_rate_low": low,
        "error_rate_high": high,
        "explicit_decided_count": explicit,
        "explicit_share": share(explicit, decided),
        "is_few_calls": decided < FEW,
    }


def span(did: str, what: str, times: Iterable[datetime | None]) -> Row:
    """When it was first and last done, and how many tell."""
    known = [time for time in times if time is not None]
    return {
        f"first_{did}_at": min(known, default=None),
        f"last_{did}_at": max(known, default=None),
        f"timed_{what}_count": len(known),
    }


def tool_daily(calls: Iterable[Call]) -> Iterator[Row]:
    """The rows of all conversations together."""
    groups: dict[object, list[Call]] = defaultdict(list)
    for call in calls:
        groups[call["called_at"] and call["called_at"].date(), call["tool"]].append(call)
    for group in groups.values():
        called_at = group[0]["called_at"]
        took = [call["latency_ms"] for call in group if call["latency_ms"] is not None]
        yield {
            "day": called_at and called_at.date(),
            **{name: group[0][name] for name in ("tool", "family", "tool_name", "namespace", "server_label")},
            "call_count": len(group),
            "conversation_count": len({call["conversation_id"] for call in group}),
            **outcomes(group),
            "retry_count": sum(call["retry_of"] is not None for call in group),
            "latency_count": len(took),
            "explicit_latency_count": sum(call["latency_method"] == "explicit" for call in group),
            "latency_p50_ms": quantile(took, 0.5),
            "latency_p95_ms": quantile(took, 0.95),
            "latency_p99_ms": quantile(took, 0.99),
            "is_few_latencies": len(took) < FEW,
        }


def retry_loops(calls: Sequence[Call]) -> Iterator[Row]:
    """The rows of one conversation, whose calls come by position."""
    made = [call for call in calls if call["is_made"]]
    for _, turn in groupby(made, key=lambda call: call["turn_index"]):
        for index, loop in enumerate(_loops(list(turn)), 1):
            yield _loop(index, loop)


def _loops(turn: Sequence[Call]) -> Iterator[list[Call]]:
    chain = [turn[0]]
    for before, call in pairwise(turn):
        if not _is_linked(before, call):
            if len(chain) > 1:
                yield chain
            chain = []
        chain.append(call)
    if len(chain) > 1:
        yield chain


def _is_linked(before: Call, call: Call) -> bool:
    is_same = before["arguments_hash"] is not None and before["arguments_hash"] == call["arguments_hash"]
    return (
        before["tool"] == call["tool"]
        and before["step_index"] < call["step_index"]
        and (before["is_failed"] or is_same)
    )


def _loop(index: int, loop: Sequence[Call]) -> Row:
    first, last = loop[0], loop[-1]
    return {
        "conversation_id": first["conversation_id"],
        "turn_index": first["turn_index"],
        "loop_index": index,
        "tool": first["tool"],
        "family": first["family"],
        "first_item_id": first["item_id"],
        "last_item_id": last["item_id"],
        "first_position": first["position"],
        "last_position": last["position"],
        "call_count": len(loop),
        "failed_count": sum(call["is_failed"] for call in loop),
        "heuristic_outcome_count": sum(call["outcome_method"] == "heuristic" for call in loop),
        "distinct_argument_count": len({call["arguments_hash"] for call in loop} - {None}),
        "last_outcome": last["outcome"],
        "is_recovered": last["outcome"] == "ok",
        "is_stuck": len(loop) >= _STUCK_CALLS,
        "started_at": first["called_at"],
        "duration_ms": milliseconds(first["called_at"], last["called_at"]),
    }
