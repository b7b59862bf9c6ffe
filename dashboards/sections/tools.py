"""Tools: how often they are called, how often they fail, how long they take, and what goes wrong most."""

from dashboards import charts
from dashboards.figures import Column, Data, Figure, Section, Tile, parts

CALLS = Data(
    "calls",
    """select day, tool, call_count, ok_count, error_count, timeout_count, denied_count, pending_count, unknown_count,
    failed_count, decided_count, explicit_decided_count, retry_count
from analytics.tool_daily""",
    keys=("day", "tool"),
)
LATENCY = Data(
    "latency",
    "select called_at::date as day, tool, latency_ms from analytics.tool_calls where latency_ms is not null",
    keys=("day", "tool"),
    value="latency_ms",
)
FAILURES = Data(
    "failures",
    """with failed as (
    select called_at::date as day, tool, outcome, outcome_method, retry_of, conversation_id, called_at,
        case when regexp_full_match(error_type, '[a-z0-9_]{1,48}') then error_type else '(other)' end as kind,
        case when regexp_full_match(error_code, '[a-z0-9_-]{1,32}') then error_code else '' end as code
    from analytics.tool_calls
    where outcome in ('error', 'timeout', 'denied')
),
latest as (
    select tool, outcome, kind, code, max(day)::varchar as last_day,
        coalesce(arg_max(conversation_id, called_at), min(conversation_id)) as example_conversation_id
    from failed
    group by all
)
select day, tool, outcome, kind, code, count(*) as call_count,
    count(*) filter (outcome_method = 'explicit') as explicit_count, count(retry_of) as retry_count,
    any_value(last_day) as last_day, any_value(example_conversation_id) as example_conversation_id
from failed join latest using (tool, outcome, kind, code)
group by all
order by all""",
    keys=("day", "tool", "outcome", "kind", "code"),
)
MESSAGES = Data(
    "failure_messages",
    """select called_at::date as day, tool, outcome, error_message as message, count(*) as call_count,
    min(conversation_id) as example_conversation_id
from analytics.tool_calls
where outcome in ('error', 'timeout', 'denied') and error_message is not null
group by all
order by call_count desc, day desc nulls last, tool, message
limit 300""",
    keys=("day", "tool", "outcome", "message"),
    is_example=True,
)
ERROR_RATE = {"error_rate": ("failed_count", "decided_count")}
_DECIDED = (
    "Failed: error or timeout, {failed_count} of {decided_count} decided calls ({failed_count/decided_count}). "
    "Of the decided, {explicit_decided_count/decided_count} are told by a field of the API, the others by the words "
    "of their output. Not decided, and on neither side: {denied_count} denied, {pending_count} pending, "
    "{unknown_count} unknown."
)
_NO_CALLS = "No tool has been called in these conversations."
_TIMED = (
    "{count} calls have a latency: from when the call was begun to when its output, or what the model did next, was "
    "begun. Percentiles are read from buckets and right within 6 %; the SQL gives them exactly."
)

TILES = (
    Tile("Tool calls", CALLS, "call_count", "{call_count} calls, of whatever outcome", is_better=""),
    Tile(
        "Tool error rate",
        CALLS,
        "error_rate",
        "{failed_count} of {decided_count} decided; {explicit_decided_count/decided_count} told by the API",
        form="share",
        rate=ERROR_RATE["error_rate"],
        is_better="down",
    ),
    Tile("Tool latency, p95", LATENCY, "p95_ms", "of {count} timed calls", form="ms", quantile=0.95, is_better="down"),
)

SECTION = Section(
    "tools",
    "Tools",
    "Which tools are used, which fail, which are slow. Choose a tool above, or by its bar.",
    (
        Figure(
            "tool-volume",
            "Calls by tool and outcome",
            "Which tools carry the work, and how do their calls end?",
            CALLS,
            (Column("tool", "Tool", "text"), Column("call_count", "Calls"), *parts(charts.OUTCOMES)),
            "{call_count} calls, those not made (denied, awaiting approval) included.",
            _NO_CALLS,
            charts.by_key("tool", charts.OUTCOMES, "calls"),
            order="-call_count",
            limit=15,
        ),
        Figure(
            "tool-errors",
            "Error rate by tool",
            "Which tools fail more than chance explains?",
            CALLS,
            (
                Column("tool", "Tool", "text"),
                Column("failed_count", "Failed"),
                Column("decided_count", "Decided"),
                Column("error_rate", "Error rate (95 % bounds)", "share"),
                Column("explicit_decided_count", "Told by the API"),
            ),
            _DECIDED + " Sorted by the lower bound; the dashed line is all of these together.",
            _NO_CALLS,
            charts.shares_by_key("tool", "error_rate", "error rate", ERROR_RATE["error_rate"]),
            rates=ERROR_RATE,
            order="-error_rate_low",
            limit=15,
            least=("decided_count", 20),
        ),
        Figure(
            "calls-over-time",
            "Calls over time",
            "Is the work growing, and what became of it?",
            CALLS,
            (Column("period", "When", "text"), Column("call_count", "Calls"), *parts(charts.OUTCOMES)),
            "{call_count} calls.",
            _NO_CALLS,
            charts.over_time(charts.OUTCOMES, "calls"),
        ),
        Figure(
            "errors-over-time",
            "Error rate over time",
            "Does it get better or worse?",
            CALLS,
            (
                Column("period", "When", "text"),
                Column("failed_count", "Failed"),
                Column("decided_count", "Decided"),
                Column("error_rate", "Error rate (95 % bounds)", "share"),
            ),
            _DECIDED + " Hollow points are of fewer than 20 calls.",
            _NO_CALLS,
            charts.share_over_time("error_rate", "decided_count", "error rate"),
            rates=ERROR_RATE,
        ),
        Figure(
            "tool-latency",
            "Latency by tool",
            "How long does a call take: half of them (dot), 19 of 20 (tick)?",
            LATENCY,
            (
                Column("tool", "Tool", "text"),
                Column("count", "Timed calls"),
                Column("p50_ms", "Median", "ms"),
                Column("p95_ms", "95th percentile", "ms"),
                Column("p99_ms", "99th percentile", "ms"),
            ),
            _TIMED,
            "No call has a time.",
            charts.spans_by_key("tool", "p50_ms", "p95_ms", "count", "latency"),
            quantiles={"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99},
            order="-p95_ms",
            limit=15,
            least=("count", 20),
        ),
        Figure(
            "latency-over-time",
            "Latency over time",
            "Do calls get slower?",
            LATENCY,
            (
                Column("period", "When", "text"),
                Column("count", "Timed calls"),
                Column("p50_ms", "Median", "ms"),
                Column("p95_ms", "95th percentile", "ms"),
            ),
            _TIMED,
            "No call has a time.",
            charts.times_over_time((("p50_ms", "median"), ("p95_ms", "95 %")), "count", "latency"),
            quantiles={"p50_ms": 0.5, "p95_ms": 0.95},
        ),
        Figure(
            "tool-table",
            "Every tool",
            "All of them at a glance.",
            CALLS,
            (
                Column("tool", "Tool", "text"),
                Column("call_count", "Calls", "bar"),
                Column("call_count", "Over time", "line"),
                Column("error_rate", "Error rate (95 % bounds)", "share"),
                Column("error_rate", "Over time", "line"),
                Column("retry_count", "Retries"),
                Column("denied_count", "Denied"),
                Column("pending_count", "Pending"),
            ),
            _DECIDED,
            _NO_CALLS,
            rates=ERROR_RATE,
            order="-call_count",
            is_wide=True,
        ),
        Figure(
            "failures",
            "Worst failures",
            "What goes wrong most often, and where is one to look at?",
            FAILURES,
            (
                Column("tool", "Tool", "text"),
                Column("outcome", "Outcome", "state"),
                Column("kind", "Kind", "text"),
                Column("code", "Code", "text"),
                Column("call_count", "Calls", "bar"),
                Column("retry_count", "Were retries"),
                Column("last_day", "Last", "text"),
                Column("example_conversation_id", "Latest conversation", "id"),
            ),
            "{call_count} calls failed or were denied; of {explicit_count/call_count} the API itself says so. Last and "
            "latest are of all days.",
            "No call has failed or was denied.",
            order="-call_count",
            limit=20,
            is_wide=True,
        ),
        Figure(
            "failure-messages",
            "What failures say",
            "In the words of outputs and errors, the first 200 characters of each.",
            MESSAGES,
            (
                Column("tool", "Tool", "text"),
                Column("outcome", "Outcome", "state"),
                Column("message", "Words", "text"),
                Column("call_count", "Calls", "bar"),
                Column("example_conversation_id", "Conversation", "id"),
            ),
            "{call_count} calls; the 300 most frequent words of a day are kept.",
            "No failure has words.",
            order="-call_count",
            limit=30,
            is_wide=True,
        ),
    ),
)
