"""The rows of the views about the ways turns take: `analytics.tool_transitions` and `analytics.trajectories`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from tests.models.by_hand.reading import share
from tests.models.by_hand.spine import Row
from tests.models.by_hand.tools import FEW, Call, quantile

Turn = Mapping[str, Any]
Key = tuple[str, int]
"""A conversation and one of its turns, or 0 for what stands before the first."""
_STATES = {
    "awaiting_user_count": "awaiting_user",
    "awaiting_approval_count": "awaiting_approval",
    "open_call_count": "open_call",
    "error_count": "error",
    "incomplete_count": "incomplete",
}


def tool_transitions(turns: Iterable[Turn], calls: Iterable[Call]) -> Iterator[Row]:
    """The rows of all conversations together."""
    sequences: dict[Key, list[Call]] = {(turn["conversation_id"], turn["turn_index"]): [] for turn in turns}
    for call in calls:
        sequences.setdefault((call["conversation_id"], call["turn_index"]), []).append(call)
    found, failed = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    conversations: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (conversation_id, _), sequence in sequences.items():
        words = ["START", *(call["tool"] for call in sequence), "END"]
        for pair, is_failed in zip(pairwise(words), [False, *(one["is_failed"] for one in sequence)], strict=True):
            found[pair] += 1
            failed[pair] += is_failed
            conversations[pair].add(conversation_id)
    for (one, other), count in found.items():
        begun = sum(often for (from_tool, _), often in found.items() if from_tool == one)
        yield {
            "from_tool": one,
            "to_tool": other,
            "transition_count": count,
            "from_count": begun,
            "probability": count / begun,
            "failed_count": failed[one, other],
            "conversation_count": len(conversations[one, other]),
            "is_few_transitions": begun < FEW,
        }


def trajectories(turns: Sequence[Turn], calls: Iterable[Call]) -> Iterator[Row]:
    """The rows of all conversations together."""
    tools: dict[Key, list[str]] = defaultdict(list)
    for call in calls:
        tools[call["conversation_id"], call["turn_index"]].append(call["tool"])
    ways: dict[str, list[Turn]] = defaultdict(list)
    lengths: dict[str, int] = {}
    for turn in turns:
        runs = [(tool, len(list(run))) for tool, run in groupby(tools[turn["conversation_id"], turn["turn_index"]])]
        path = " > ".join(tool if often == 1 else f"{tool}+" for tool, often in runs) or "(none)"
        ways[path].append(turn)
        lengths[path] = len(runs)
    for path, own in ways.items():
        states = Counter(turn["ended_state"] for turn in own)
        answered = states["answered"] + states["awaiting_user"]
        durations = [turn["duration_ms"] for turn in own if turn["duration_ms"] is not None]
        example = min(own, key=lambda turn: (turn["conversation_id"], turn["turn_index"]))
        yield {
            "path": path,
            "run_count": lengths[path],
            "turn_count": len(own),
            "all_turn_count": len(turns),
            "turn_share": share(len(own), len(turns)),
            "conversation_count": len({turn["conversation_id"] for turn in own}),
            "call_count": sum(turn["call_count"] for turn in own),
            "call_count_p50": quantile((turn["call_count"] for turn in own), 0.5),
            "failed_call_count": sum(turn["failed_call_count"] for turn in own),
            "answered_count": answered,
            "answered_rate": answered / len(own),
            **{name: states[state] for name, state in _STATES.items()},
            "heuristic_ended_count": sum(turn["ended_state_method"] == "heuristic" for turn in own),
            "duration_count": len(durations),
            "duration_p50_ms": quantile(durations, 0.5),
            "is_few_turns": len(own) < FEW,
            "example_conversation_id": example["conversation_id"],
            "example_turn_index": example["turn_index"],
        }
