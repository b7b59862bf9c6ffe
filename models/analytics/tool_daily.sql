-- Grain: one row per day (UTC) and tool, and one per tool for calls without a usable time (day NULL).
-- Question: how often is each tool called, how often does it fail, and how long does it take, day by day?
--
-- Rows of `analytics.tool_calls`, grouped by the date of called_at and by tool. A day is that of UTC, whatever the
-- reader's time zone. Days without calls of a tool have no row. Calls without a usable time are not dropped: they are
-- in the row whose day is NULL, so that the counts of all rows add up to all calls.
--
-- **error_rate** is failed_count / decided_count, see is_failed and is_decided; NULL if decided_count is 0. Its bounds
-- are Wilson's score interval without continuity correction, z = 1.959963984540054 (95 %): with n = decided_count and p
-- = failed_count / n they are (p + z*z/(2n) -/+ z * sqrt(p(1-p)/n + z*z/(4n*n))) / (1 + z*z/n), cut to 0 and 1 (the
-- macros `wilson_low` and `wilson_high`); NULL if n is 0. Counts and rates mix calls of both methods; explicit_share
-- says how many of the decided ones the API itself decided.
--
-- **Percentiles** of latency_ms over the calls that have one, by DuckDB's `quantile_cont` (linear interpolation between
-- the two nearest of the sorted values v[0..n-1] at rank (n-1)*q); NULL if there are none.
--
-- **is_few_calls**: decided_count is less than 20. Such rows are flagged, not ranked: their rates tell little.
-- is_few_latencies: latency_count is less than 20.
--
-- Columns
-- day DATE: Day of called_at, UTC; NULL for calls whose time is unknown.
-- tool VARCHAR: The tool, as in analytics.tool_calls.
-- family VARCHAR: Family of the tool.
-- tool_name VARCHAR: Name of a function, custom tool or tool of an MCP server; NULL for tools of the API itself.
-- namespace VARCHAR: Namespace of a function or custom tool; NULL if it has none.
-- server_label VARCHAR: Name of the MCP server; NULL for other families.
-- call_count BIGINT: Calls, also those that were not made.
-- conversation_count BIGINT: Different conversations with such a call.
-- ok_count BIGINT: Calls whose outcome is ok.
-- error_count BIGINT: Calls whose outcome is error.
-- timeout_count BIGINT: Calls whose outcome is timeout.
-- denied_count BIGINT: Calls whose outcome is denied.
-- pending_count BIGINT: Calls whose outcome is pending.
-- unknown_count BIGINT: Calls of which nothing tells the outcome.
-- failed_count BIGINT: error_count and timeout_count together: the numerator of error_rate.
-- decided_count BIGINT: ok_count and failed_count together: the denominator of error_rate.
-- error_rate DOUBLE: failed_count / decided_count; NULL if nothing is decided.
-- error_rate_low DOUBLE: Lower Wilson bound (95 %) of error_rate; NULL if nothing is decided.
-- error_rate_high DOUBLE: Upper Wilson bound (95 %) of error_rate; NULL if nothing is decided.
-- explicit_decided_count BIGINT: Of the decided calls, those whose outcome a field of the API says.
-- explicit_share DOUBLE: explicit_decided_count / decided_count: the coverage of error_rate; NULL if nothing is
--   decided.
-- is_few_calls BOOLEAN: Whether fewer than 20 calls are decided, so that error_rate tells little.
-- retry_count BIGINT: Calls that repeat a failed one of the same turn.
-- latency_count BIGINT: Calls with a latency: the coverage of the percentiles.
-- explicit_latency_count BIGINT: Of these, those whose latency_method is explicit.
-- latency_p50_ms DOUBLE: Median latency in milliseconds.
-- latency_p95_ms DOUBLE: 95th percentile of latency, in milliseconds.
-- latency_p99_ms DOUBLE: 99th percentile of latency, in milliseconds.
-- is_few_latencies BOOLEAN: Whether fewer than 20 calls have a latency, so that percentiles tell little.
with counted as (
    select
        called_at::date as day,
        tool,
        min(family) as family,
        min(tool_name) as tool_name,
        min(namespace) as namespace,
        min(server_label) as server_label,
        count(*) as call_count,
        count(distinct conversation_id) as conversation_count,
        count(*) filter (where outcome = 'ok') as ok_count,
        count(*) filter (where outcome = 'error') as error_count,
        count(*) filter (where outcome = 'timeout') as timeout_count,
        count(*) filter (where outcome = 'denied') as denied_count,
        count(*) filter (where outcome = 'pending') as pending_count,
        count(*) filter (where outcome is null) as unknown_count,
        count(*) filter (where is_failed) as failed_count,
        count(*) filter (where is_decided) as decided_count,
        count(*) filter (where is_decided and outcome_method = 'explicit') as explicit_decided_count,
        count(retry_of) as retry_count,
        count(latency_ms) as latency_count,
        count(*) filter (where latency_method = 'explicit') as explicit_latency_count,
        quantile_cont(latency_ms, [0.5, 0.95, 0.99]) as latency_ms
    from analytics.tool_calls
    group by all
)
select
    day,
    tool,
    family,
    tool_name,
    namespace,
    server_label,
    call_count,
    conversation_count,
    ok_count,
    error_count,
    timeout_count,
    denied_count,
    pending_count,
    unknown_count,
    failed_count,
    decided_count,
    failed_count / nullif(decided_count, 0) as error_rate,
    wilson_low(failed_count, decided_count) as error_rate_low,
    wilson_high(failed_count, decided_count) as error_rate_high,
    explicit_decided_count,
    explicit_decided_count / nullif(decided_count, 0) as explicit_share,
    decided_count < 20 as is_few_calls,
    retry_count,
    latency_count,
    explicit_latency_count,
    latency_ms[1] as latency_p50_ms,
    latency_ms[2] as latency_p95_ms,
    latency_ms[3] as latency_p99_ms,
    latency_count < 20 as is_few_latencies
from counted
