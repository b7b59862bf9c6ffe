"""All views computed by hand, from the items as they were sent."""

from collections.abc import Mapping, Sequence

from tests.models.by_hand.calls import tool_calls
from tests.models.by_hand.code import code_interpreter_runs
from tests.models.by_hand.context import context_pressure
from tests.models.by_hand.engagement import engagement_funnel, hour_of_week
from tests.models.by_hand.files import file_search_daily, file_search_files, file_search_hits, file_searches
from tests.models.by_hand.inventory import tool_inventory
from tests.models.by_hand.patches import patch_operations, patch_paths
from tests.models.by_hand.safety import safety_events
from tests.models.by_hand.servers import approval_friction, approvals, mcp_servers
from tests.models.by_hand.shells import shell_commands
from tests.models.by_hand.spine import Listed, Row, in_place, items, messages
from tests.models.by_hand.thinking import reasoning_effort
from tests.models.by_hand.tools import retry_loops, tool_daily
from tests.models.by_hand.turns import Registered, conversation_summary, turns
from tests.models.by_hand.ways import tool_transitions, trajectories
from tests.models.by_hand.web import citation_domains, citation_funnel, web_pages, web_search_queries

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
    "mcp_servers": ("server_label",),
    "approvals": ("conversation_id", "item_id"),
    "approval_friction": ("tool",),
    "shell_commands": ("conversation_id", "item_id", "command_index"),
    "patch_operations": ("conversation_id", "item_id"),
    "patch_paths": ("path",),
    "web_search_queries": ("conversation_id", "item_id"),
    "web_pages": ("conversation_id", "page_url"),
    "citation_funnel": ("page_url",),
    "citation_domains": ("domain",),
    "file_search_hits": ("conversation_id", "item_id", "rank"),
    "file_searches": ("conversation_id", "item_id"),
    "file_search_daily": ("day",),
    "file_search_files": ("file_id",),
}
"""What tells the rows of each view apart."""


def by_hand(listed: Mapping[str, Sequence[Listed]], registered: Sequence[Registered]) -> dict[str, list[Row]]:
    """The rows of each view."""
    placed = {one: in_place(own) for one, own in listed.items()}
    calls = {one: tool_calls(own) for one, own in placed.items()}
    taken = {one: list(turns(own, calls[one])) for one, own in placed.items()}
    asked = [row for one, own in placed.items() for row in approvals(own, calls[one])]
    operations = [row for one, own in placed.items() for row in patch_operations(own, calls[one])]
    all_calls = [call for own in calls.values() for call in own]
    all_turns = [turn for own in taken.values() for turn in own]
    pages = [page for one, own in placed.items() for page in web_pages(own, calls[one])]
    hits = {one: list(file_search_hits(own, calls[one])) for one, own in placed.items()}
    all_hits = [hit for own in hits.values() for hit in own]
    searches = [it for one, own in placed.items() for it in file_searches(own, calls[one], hits[one])]
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
        "mcp_servers": list(mcp_servers(placed.values(), all_calls, asked)),
        "approvals": asked,
        "approval_friction": list(approval_friction(asked, all_calls)),
        "shell_commands": [row for one, own in placed.items() for row in shell_commands(own, calls[one])],
        "patch_operations": operations,
        "patch_paths": list(patch_paths(operations)),
        "web_search_queries": [row for one, own in placed.items() for row in web_search_queries(own, calls[one])],
        "web_pages": pages,
        "citation_funnel": list(citation_funnel(pages)),
        "citation_domains": list(citation_domains(pages)),
        "file_search_hits": all_hits,
        "file_searches": searches,
        "file_search_daily": list(file_search_daily(searches)),
        "file_search_files": list(file_search_files(placed.values(), all_hits)),
    }
