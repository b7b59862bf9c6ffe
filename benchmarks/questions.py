"""Questions to the views of the `analytics` schema: three to each, as a dashboard asks them of the snapshot."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import duckdb

from benchmarks.measure import Measured

LAST_30_DAYS, ONE_TOOL, ONE_CONVERSATION, ALL = "last 30 days s", "one tool s", "one conversation s", "all s"
_SINCE = "(select max(item_at) - interval 30 day from raw.items)"
_CONVERSATION = "conversation_id = (select max(conversation_id) from raw.conversations)"
_TOOL = "function:run_query"
_DOMAIN, _PAGE = "docs.example.com", "page_url = (select max(page_url) from analytics.web_pages)"
_FILE = "file_id = (select max(file_id) from items.file_search_call__results)"
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
    "web_search_queries": {
        LAST_30_DAYS: "select relation, count(*), count(*) filter (is_zero_results), sum(cited_count) "
        f"from analytics.web_search_queries where called_at > {_SINCE} group by all",
        ONE_TOOL: f"select count(*), sum(citation_count) from analytics.web_search_queries where domain = '{_DOMAIN}'",
        ONE_CONVERSATION: f"from analytics.web_search_queries where {_CONVERSATION} order by position",
    },
    "web_pages": {
        LAST_30_DAYS: "select domain, count(*), count(*) filter (origin = 'unretrieved'), count(origin) "
        f"from analytics.web_pages where first_at > {_SINCE} group by all",
        ONE_TOOL: f"select origin, count(*) from analytics.web_pages where domain = '{_DOMAIN}' group by all",
        ONE_CONVERSATION: f"from analytics.web_pages where {_CONVERSATION} order by first_position",
    },
    "citation_funnel": {
        LAST_30_DAYS: f"select count(*), sum(cited_count) from analytics.citation_funnel where last_at > {_SINCE}",
        ONE_TOOL: f"from analytics.citation_funnel where {_PAGE}",
        ALL: "from analytics.citation_funnel order by conversation_count desc limit 20",
    },
    "citation_domains": {
        ONE_TOOL: f"from analytics.citation_domains where domain = '{_DOMAIN}'",
        ALL: "from analytics.citation_domains order by use_count desc",
    },
    "file_search_hits": {
        LAST_30_DAYS: "select rank, count(*), count(*) filter (is_cited) from analytics.file_search_hits "
        f"where called_at > {_SINCE} group by all",
        ONE_TOOL: f"select count(*), count(*) filter (is_cited) from analytics.file_search_hits where {_FILE}",
        ONE_CONVERSATION: f"from analytics.file_search_hits where {_CONVERSATION} order by position, rank",
    },
    "file_searches": {
        LAST_30_DAYS: "select count(*), count(*) filter (is_zero_hit), avg(reciprocal_rank) "
        f"from analytics.file_searches where called_at > {_SINCE}",
        ONE_TOOL: "select count(*) from analytics.file_searches where is_judged and first_cited_rank is null",
        ONE_CONVERSATION: f"from analytics.file_searches where {_CONVERSATION} order by position",
    },
    "file_search_daily": {
        LAST_30_DAYS: f"from analytics.file_search_daily where day > {_SINCE} order by day",
        ALL: "from analytics.file_search_daily order by day",
    },
    "file_search_files": {
        LAST_30_DAYS: f"from analytics.file_search_files where last_found_at > {_SINCE} and is_never_cited",
        ONE_TOOL: f"from analytics.file_search_files where {_FILE}",
        ALL: "from analytics.file_search_files order by citation_count desc",
    },
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
