"""MCP servers and approvals: what they offer, how their calls fail, and where people are asked."""

from dashboards import charts
from dashboards.figures import Column, Data, Figure, Section, parts

SERVERS = Data(
    "servers",
    """select coalesce(server_label, '(none)') as server, listing_count, failed_listing_count, offered_tool_count,
    called_tool_count, unused_tool_count, unlisted_tool_count, request_count, call_count, failed_count, decided_count,
    explicit_decided_count, protocol_error_count, http_error_count, execution_error_count, text_error_count,
    other_error_count, latency_p95_ms, latency_count
from analytics.mcp_servers
order by call_count desc, server
limit 100""",
    keys=("server",),
)
APPROVALS = Data(
    "approvals",
    """select requested_at::date as day, tool, count(*) as request_count,
    count(*) filter (decision = 'approved') as approved_count, count(*) filter (decision = 'denied') as denied_count,
    count(*) filter (decision = 'awaiting') as awaiting_count,
    count(*) filter (decision in ('approved', 'denied')) as decided_count,
    count(*) filter (decision in ('approved', 'denied') and decision_method = 'explicit') as explicit_count,
    count(*) filter (is_abandoned) as abandoned_count,
    count(*) filter (decision = 'denied' and denied_before_count > 0) as repeated_count
from analytics.approvals
group by all""",
    keys=("day", "tool"),
)
WAITS = Data(
    "waits",
    "select requested_at::date as day, tool, wait_ms from analytics.approvals where wait_ms is not null",
    keys=("day", "tool"),
    value="wait_ms",
)
REASONS = Data(
    "reasons",
    """select requested_at::date as day, tool, left(reason, 200) as reason, count(*) as denied_count
from analytics.approvals
where decision = 'denied' and reason is not null
group by all
order by denied_count desc, tool, reason
limit 200""",
    keys=("day", "tool", "reason"),
    is_example=True,
)
_ERRORS = {
    "protocol_error_count": ("protocol", "refused"),
    "http_error_count": ("HTTP", "late"),
    "execution_error_count": ("the tool itself", "bad"),
    "text_error_count": ("words only", "open"),
    "other_error_count": ("other", "unknown"),
}
_DECISIONS = {
    "approved_count": ("approved", "good"),
    "denied_count": ("denied", "refused"),
    "awaiting_count": ("awaiting", "open"),
}
_NO_SERVER = "No MCP server was listed or called."
_NOT_ASKED = "Nobody was asked for an approval."

SECTION = Section(
    "servers",
    "MCP servers and approvals",
    "What servers offer and how their calls fail; where people are asked, what they say, and how long agents wait.",
    (
        Figure(
            "servers",
            "Servers",
            "Which servers work, and which tools of them does nobody need?",
            SERVERS,
            (
                Column("server", "Server", "text"),
                Column("call_count", "Calls", "bar"),
                Column("error_rate", "Error rate (95 % bounds)", "share"),
                Column("latency_p95_ms", "Latency, p95", "ms"),
                Column("listing_count", "Listings"),
                Column("failed_listings", "Of these, failed", "share"),
                Column("offered_tool_count", "Tools offered"),
                Column("unused_tool_count", "Never called"),
                Column("request_count", "Approvals asked"),
            ),
            "{failed_count} of {decided_count} decided calls failed; {explicit_decided_count/decided_count} of these "
            "are told by the API. {latency_count} calls are timed.",
            _NO_SERVER,
            rates={
                "error_rate": ("failed_count", "decided_count"),
                "failed_listings": ("failed_listing_count", "listing_count"),
            },
            order="-call_count",
            limit=20,
            is_wide=True,
        ),
        Figure(
            "server-errors",
            "Errors by kind",
            "Is it the protocol, the network, or the tool itself?",
            SERVERS,
            (Column("server", "Server", "text"), *parts(_ERRORS)),
            "Failed and denied calls, by what the API says of the error: {protocol_error_count} protocol, "
            "{http_error_count} HTTP, {execution_error_count} the tool itself, {text_error_count} only words.",
            _NO_SERVER,
            charts.by_key("server", _ERRORS, "calls"),
            order="-call_count",
            limit=15,
        ),
        Figure(
            "approvals-over-time",
            "Approvals over time",
            "How often are people asked, and what do they say?",
            APPROVALS,
            (Column("period", "When", "text"), Column("request_count", "Requests"), *parts(_DECISIONS)),
            "{request_count} requests, {decided_count} decided, {explicit_count/decided_count} of these by a response; "
            "{abandoned_count} were left open although the user spoke again.",
            _NOT_ASKED,
            charts.over_time(_DECISIONS, "requests"),
        ),
        Figure(
            "friction",
            "Friction by tool",
            "Which tools are denied again and again, which never?",
            APPROVALS,
            (
                Column("tool", "Tool", "text"),
                Column("request_count", "Requests", "bar"),
                Column("decided_count", "Decided"),
                Column("denied", "Denied (95 % bounds)", "share"),
                Column("repeated_count", "Denied again in the conversation"),
                Column("awaiting_count", "Awaiting"),
            ),
            "Denied: {denied_count} of {decided_count} decided.",
            _NOT_ASKED,
            rates={"denied": ("denied_count", "decided_count")},
            order="-request_count",
            limit=20,
        ),
        Figure(
            "waits",
            "How long agents wait for people",
            "Half of the waits (dot), 19 of 20 (tick).",
            WAITS,
            (
                Column("tool", "Tool", "text"),
                Column("count", "Timed waits"),
                Column("p50_ms", "Median", "ms"),
                Column("p95_ms", "95th percentile", "ms"),
            ),
            "{count} requests with a response and usable times. Right within 6 %; the SQL gives it exactly.",
            "No wait is known.",
            charts.spans_by_key("tool", "p50_ms", "p95_ms", "count", "wait"),
            quantiles={"p50_ms": 0.5, "p95_ms": 0.95},
            order="-p95_ms",
            limit=15,
        ),
        Figure(
            "reasons",
            "Why people said no",
            "In their words.",
            REASONS,
            (
                Column("tool", "Tool", "text"),
                Column("reason", "Reason", "text"),
                Column("denied_count", "Denied", "bar"),
            ),
            "{denied_count} denials with a reason; the 200 most frequent are kept.",
            "No denial has a reason.",
            order="-denied_count",
            limit=50,
            is_wide=True,
        ),
    ),
)
