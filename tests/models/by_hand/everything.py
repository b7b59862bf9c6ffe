"""All views computed by hand, from the items as they were sent."""

from collections.abc import Mapping, Sequence

from tests.models.by_hand.calls import tool_calls
from tests.models.by_hand.code import code_interpreter_runs
from tests.models.by_hand.context import context_pressure
from tests.models.by_hand.engagement import engagement_funnel, hour_of_week
from tests.models.by_hand.inventory import tool_inventory
from tests.models.by_hand.safety import safety_events
from tests.models.by_hand.spine import Listed, Row, in_place, items, messages
from tests.models.by_hand.thinking import reasoning_effort
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
    "code_interpreter_runs": ("conversation_id", "item_id"),
    "reasoning_effort": ("conversation_id", "turn_index"),
    "context_pressure": ("conversation_id", "window_index", "source"),
    "safety_events": ("conversation_id", "item_id", "event_index"),
    "engagement_funnel": ("day", "metadata_key", "metadata_value"),
    "hour_of_week": ("hour_of_week",),
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
        "code_interpreter_runs": [row for one in placed for row in code_interpreter_runs(placed[one], calls[one])],
        "reasoning_effort": [row for one in placed for row in reasoning_effort(placed[one], taken[one])],
        "context_pressure": [row for one in placed for row in context_pressure(placed[one], calls[one])],
        "safety_events": [row for one in placed for row in safety_events(placed[one], calls[one])],
        "engagement_funnel": list(engagement_funnel(summaries, all_turns, all_calls)),
        "hour_of_week": list(hour_of_week(all_turns, all_calls)),
    }
