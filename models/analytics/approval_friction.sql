-- Grain: one row per tool that somebody was asked about.
-- Question: where do approvals get in the way: which tools are denied again and again, which are always approved?
--
-- Rows of `analytics.approvals`, grouped by tool; decision, wait_ms and the other words are theirs. decided_count is
-- approved_count and denied_count together; denial_rate is denied_count / decided_count, its bounds those of
-- `wilson_low` and `wilson_high`, NULL if nothing is decided. explicit_decided_count: decided ones whose
-- decision_method is explicit.
--
-- **is_repeatedly_denied**: repeated_denial_count is not 0, which counts denied requests with denied_before_count > 0:
-- the agent asked again for what it had been refused in the same conversation. is_always_approved: something is
-- decided, and nothing was denied; with is_few_requests (decided_count less than 20) that may be chance, else asking
-- costs time and tells nothing.
--
-- **Cost.** wait_total_ms is the sum of wait_ms over the wait_count requests that have one. Percentiles are told as in
-- `analytics.tool_daily`. unasked_call_count: rows of `analytics.tool_calls` of the tool with is_made whose approval is
-- NULL: nobody was asked. last_reason is the reason of the last denied request that has one: by requested_at (NULL
-- first), conversation_id, position.
--
-- Columns
-- tool VARCHAR: The tool, as in analytics.tool_calls.
-- server_label VARCHAR: Name of the MCP server; NULL if it is missing.
-- tool_name VARCHAR: Name of the tool; NULL if it is missing.
-- request_count BIGINT: Times that somebody was asked.
-- conversation_count BIGINT: Different conversations in which somebody was asked.
-- approved_count BIGINT: Requests whose decision is approved.
-- denied_count BIGINT: Requests whose decision is denied: the numerator of denial_rate.
-- awaiting_count BIGINT: Requests that are not decided.
-- abandoned_count BIGINT: Of these, those after which the user spoke again.
-- decided_count BIGINT: approved_count and denied_count together: the denominator of denial_rate.
-- denial_rate DOUBLE: denied_count / decided_count; NULL if nothing is decided.
-- denial_rate_low DOUBLE: Lower Wilson bound (95 %) of denial_rate; NULL if nothing is decided.
-- denial_rate_high DOUBLE: Upper Wilson bound (95 %) of denial_rate; NULL if nothing is decided.
-- explicit_decided_count BIGINT: Of the decided requests, those that a response decided.
-- explicit_share DOUBLE: explicit_decided_count / decided_count: the coverage of denial_rate; NULL if nothing is
--   decided.
-- is_few_requests BOOLEAN: Whether fewer than 20 requests are decided, so that denial_rate tells little.
-- repeated_denial_count BIGINT: Denied requests after another of the tool was denied in the same conversation.
-- is_repeatedly_denied BOOLEAN: Whether there is such a request.
-- is_always_approved BOOLEAN: Whether requests were decided, and none was denied.
-- reason_count BIGINT: Denied requests with a reason.
-- last_reason VARCHAR: The latest of these reasons; NULL if there is none.
-- executed_count BIGINT: Requests whose call was made.
-- executed_denied_count BIGINT: Of these, those that were denied.
-- unasked_call_count BIGINT: Calls of the tool that were made without asking.
-- wait_count BIGINT: Requests with a wait: the coverage of the waits.
-- wait_p50_ms DOUBLE: Median wait, in milliseconds; NULL if none is known.
-- wait_p95_ms DOUBLE: 95th percentile of waits, in milliseconds; NULL if none is known.
-- wait_total_ms DOUBLE: Milliseconds that agents waited for people, together; NULL if no wait is known.
-- first_requested_at TIMESTAMP: When somebody was first asked, UTC; NULL if no usable time is there.
-- last_requested_at TIMESTAMP: When somebody was last asked, UTC; NULL if no usable time is there.
-- timed_request_count BIGINT: Requests with a usable time: the coverage of both.
with
asked as (
    select
        tool,
        min(server_label) as server_label,
        min(tool_name) as tool_name,
        count(*) as request_count,
        count(distinct conversation_id) as conversation_count,
        count(*) filter (where decision = 'approved') as approved_count,
        count(*) filter (where decision = 'denied') as denied_count,
        count(*) filter (where decision = 'awaiting') as awaiting_count,
        count(*) filter (where is_abandoned) as abandoned_count,
        approved_count + denied_count as decided_count,
        count(*) filter (where decision <> 'awaiting' and decision_method = 'explicit') as explicit_decided_count,
        count(*) filter (where decision = 'denied' and denied_before_count > 0) as repeated_denial_count,
        count(reason) filter (where decision = 'denied') as reason_count,
        arg_max(
            reason,
            {'at': coalesce(requested_at, '-infinity'), 'conversation_id': conversation_id, 'position': position}
        ) filter (where decision = 'denied' and reason is not null) as last_reason,
        count(*) filter (where is_executed) as executed_count,
        count(*) filter (where is_executed and decision = 'denied') as executed_denied_count,
        count(wait_ms) as wait_count,
        quantile_cont(wait_ms, [0.5, 0.95]) as wait_quantiles,
        sum(wait_ms) as wait_total_ms,
        min(requested_at) as first_requested_at,
        max(requested_at) as last_requested_at,
        count(requested_at) as timed_request_count
    from analytics.approvals
    group by all
),
unasked as (
    select tool, count(*) as unasked_call_count
    from analytics.tool_calls
    where family = 'mcp' and is_made and approval is null
    group by all
)
select
    tool,
    server_label,
    tool_name,
    request_count,
    conversation_count,
    approved_count,
    denied_count,
    awaiting_count,
    abandoned_count,
    decided_count,
    denied_count / nullif(decided_count, 0) as denial_rate,
    wilson_low(denied_count, decided_count) as denial_rate_low,
    wilson_high(denied_count, decided_count) as denial_rate_high,
    explicit_decided_count,
    explicit_decided_count / nullif(decided_count, 0) as explicit_share,
    decided_count < 20 as is_few_requests,
    repeated_denial_count,
    repeated_denial_count > 0 as is_repeatedly_denied,
    decided_count > 0 and denied_count = 0 as is_always_approved,
    reason_count,
    last_reason,
    executed_count,
    executed_denied_count,
    coalesce(unasked_call_count, 0) as unasked_call_count,
    wait_count,
    wait_quantiles[1] as wait_p50_ms,
    wait_quantiles[2] as wait_p95_ms,
    wait_total_ms,
    first_requested_at,
    last_requested_at,
    timed_request_count
from asked
left join unasked using (tool)
