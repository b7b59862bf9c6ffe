"""Questions to the views of the `analytics` schema: three to each, as a dashboard asks them of the snapshot."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import duckdb

from benchmarks.measure import Measured

LAST_30_DAYS, ONE_TOOL, ONE_CONVERSATION, ALL = "last 30 days s", "one tool s", "one conversation s", "all s"
ONE_KEY = "one key s"
_SINCE = "(select max(item_at) - interval 30 day from raw.items)"
_CONVERSATION = "conversation_id = (select max(conversation_id) from raw.conversations)"
_TOOL = "function:run_query"
_CALLED = "count(*), count(*) filter (is_failed), count(*) filter (is_decided), quantile_cont(latency_ms, 0.95)"

QUESTIONS = {
    "items": {
        LAST_30_DAYS: f"select type, count(*) from analytics.items where item_at > {_SINCE} group by all",
        ONE_TOOL: "select count(*), max(item_at) from analytics.items where type = 'mcp_call'",
        ONE_CONVERSATION: f"from analytics.items where {_CONVERSATION} order by position",
    },
    "messages": {
        LAST_30_DAYS: f"select role, count(*), sum(text_chars) from analytics.messages where item_at > {_SINCE} "
        "group by all",
        ONE_TOOL: "select count(*) from analytics.messages where is_asking_back and citation_count > 0",
        ONE_CONVERSATION: f"from analytics.messages where {_CONVERSATION} order by position",
    },
    "tool_calls": {
        LAST_30_DAYS: f"select tool, {_CALLED} from analytics.tool_calls where called_at > {_SINCE} group by all",
        ONE_TOOL: f"select {_CALLED} from analytics.tool_calls where tool = '{_TOOL}'",
        ONE_CONVERSATION: f"from analytics.tool_calls where {_CONVERSATION} order by position",
    },
    "turns": {
        LAST_30_DAYS: f"select ended_state, count(*), median(duration_ms) from analytics.turns "
        f"where started_at > {_SINCE} group by all",
        ONE_TOOL: f"select count(*), avg(step_count) from analytics.turns where list_contains(tools, '{_TOOL}')",
        ONE_CONVERSATION: f"from analytics.turns where {_CONVERSATION} order by turn_index",
    },
    "conversation_summary": {
        LAST_30_DAYS: "select ended_state, count(*), sum(failed_call_count) from analytics.conversation_summary "
        f"where last_item_at > {_SINCE} group by all",
        ONE_TOOL: "select count(*) from analytics.conversation_summary where retry_count > 0",
        ONE_CONVERSATION: f"from analytics.conversation_summary where {_CONVERSATION}",
    },
    "tool_daily": {
        LAST_30_DAYS: f"select tool, sum(call_count) from analytics.tool_daily where day > {_SINCE} group by all",
        ONE_TOOL: f"from analytics.tool_daily where tool = '{_TOOL}' order by day",
        ALL: "from analytics.tool_daily order by day, tool",
    },
    "tool_inventory": {
        LAST_30_DAYS: f"from analytics.tool_inventory where last_defined_at > {_SINCE}",
        ONE_TOOL: f"from analytics.tool_inventory where tool = '{_TOOL}'",
        ALL: "from analytics.tool_inventory where is_unused or is_undefined or is_changed",
    },
    "tool_transitions": {
        ONE_TOOL: f"from analytics.tool_transitions where from_tool = '{_TOOL}' order by transition_count desc",
        ALL: "from analytics.tool_transitions order by transition_count desc",
    },
    "trajectories": {
        ONE_TOOL: f"from analytics.trajectories where contains(path, '{_TOOL}')",
        ALL: "from analytics.trajectories order by turn_count desc",
    },
    "retry_loops": {
        LAST_30_DAYS: f"select tool, count(*) from analytics.retry_loops where started_at > {_SINCE} group by all",
        ONE_TOOL: f"from analytics.retry_loops where tool = '{_TOOL}' and is_stuck",
        ONE_CONVERSATION: f"from analytics.retry_loops where {_CONVERSATION}",
    },
    "code_interpreter_runs": {
        LAST_30_DAYS: "select error_class, count(*), count(*) filter (is_mended) from analytics.code_interpreter_runs "
        f"where called_at > {_SINCE} group by all",
        ONE_TOOL: "select count(*) from analytics.code_interpreter_runs where list_contains(imports, 'pandas')",
        ONE_CONVERSATION: f"from analytics.code_interpreter_runs where {_CONVERSATION} order by position",
    },
    "reasoning_effort": {
        LAST_30_DAYS: "select effort, count(*), sum(reasoning_ms), sum(gap_count) from analytics.reasoning_effort "
        f"where started_at > {_SINCE} group by all",
        ONE_TOOL: "select count(*), sum(orphan_count) from analytics.reasoning_effort where effort = 'high'",
        ONE_CONVERSATION: f"from analytics.reasoning_effort where {_CONVERSATION} order by turn_index",
    },
    "context_pressure": {
        LAST_30_DAYS: "select source, sum(chars), sum(duplicate_chars) from analytics.context_pressure "
        f"where is_current and last_item_at > {_SINCE} group by all",
        ONE_TOOL: "from analytics.context_pressure where source = 'output' order by duplicate_chars desc limit 20",
        ONE_CONVERSATION: f"from analytics.context_pressure where {_CONVERSATION} order by window_index, source",
    },
    "safety_events": {
        LAST_30_DAYS: "select kind, followed_by, count(*) from analytics.safety_events "
        f"where happened_at > {_SINCE} group by all",
        ONE_TOOL: "select count(*), count(*) filter (is_answered_later) from analytics.safety_events "
        "where tool = 'image_generation'",
        ONE_CONVERSATION: f"from analytics.safety_events where {_CONVERSATION} order by position, event_index",
    },
    "engagement_funnel": {
        LAST_30_DAYS: "select sum(conversation_count), sum(answered_count), sum(abandoned_count) "
        f"from analytics.engagement_funnel where metadata_key is null and day > {_SINCE}",
        ONE_KEY: "select metadata_value, sum(conversation_count), sum(answered_count) from analytics.engagement_funnel "
        "where metadata_key = 'topic' group by all",
        ALL: "from analytics.engagement_funnel order by day, metadata_key, metadata_value",
    },
    "hour_of_week": {ALL: "from analytics.hour_of_week order by hour_of_week"},
    "ingest_health": {ALL: "from analytics.ingest_health"},
    "drift": {ALL: "from analytics.drift"},
}
"""By view; a view without the columns for a question is asked for all it has."""


def measure(snapshot: Path, rounds: int) -> Iterator[Measured]:
    """Each view's questions, one connection for all, as a dashboard has it: seconds by question, in each round."""
    with duckdb.connect(snapshot, read_only=True) as con:
        for view, questions in QUESTIONS.items():
            taken = [{name: _seconds(con, query) for name, query in questions.items()} for _ in range(rounds)]
            slowest = max(median(one[name] for one in taken) for name in questions)
            yield Measured(view, "", [{**one, "slowest median s": round(slowest, 4)} for one in taken])


def _seconds(con: duckdb.DuckDBPyConnection, query: str) -> float:
    started = time.perf_counter()
    con.execute(query).fetchall()
    return round(time.perf_counter() - started, 4)
