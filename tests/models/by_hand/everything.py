"""All views computed by hand, from the items as they were sent."""

from collections.abc import Mapping, Sequence

from tests.models.by_hand.calls import tool_calls
from tests.models.by_hand.inventory import tool_inventory
from tests.models.by_hand.spine import Listed, Row, in_place, items, messages
from tests.models.by_hand.tools import retry_loops, tool_daily
from tests.models.by_hand.turns import Registered, conversation_summary, turns
from tests.models.by_hand.ways import tool_transitions, trajectories

KEYS = {
    "items": ("conversation_id", "item_id"),
    "messages": ("conversation_id", "item_id"),
    "tool_calls": ("conversation_id", "item_id"),
    "turns": ("conversation_id", "turn_index"),
    "conversation_summary": ("conversation_id",),
    "tool_daily": ("day", "tool"),
    "tool_inventory": ("tool", "definition_hash"),
    "tool_transitions": ("from_tool", "to_tool"),
    "trajectories": ("path",),
    "retry_loops": ("conversation_id", "turn_index", "loop_index"),
}
"""What tells the rows of each view apart."""


def by_hand(listed: Mapping[str, Sequence[Listed]], registered: Sequence[Registered]) -> dict[str, list[Row]]:
    """The rows of each view."""
    placed = {one: in_place(own) for one, own in listed.items()}
    calls = {one: tool_calls(own) for one, own in placed.items()}
    taken = {one: list(turns(own, calls[one])) for one, own in placed.items()}
    all_calls = [call for own in calls.values() for call in own]
    all_turns = [turn for own in taken.values() for turn in own]
    summaries = [
        conversation_summary(one, placed[one.conversation_id], calls[one.conversation_id], taken[one.conversation_id])
        for one in registered
    ]
    return {
        "items": [row for own in placed.values() for row in items(own)],
        "messages": [row for own in placed.values() for row in messages(own)],
        "tool_calls": all_calls,
        "turns": all_turns,
        "conversation_summary": summaries,
        "tool_daily": list(tool_daily(all_calls)),
        "tool_inventory": list(tool_inventory(placed.values(), all_calls)),
        "tool_transitions": list(tool_transitions(all_turns, all_calls)),
        "trajectories": list(trajectories(all_turns, all_calls)),
        "retry_loops": [row for own in calls.values() for row in retry_loops(own)],
    }
