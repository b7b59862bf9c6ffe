-- Grain: one row per MCP server, by its label, and one for all that names no server (server_label NULL).
-- Question: which servers are there, do they list their tools, which of these are used, and how do calls fail?
--
-- **server_label** is the word that the application gave the server; a missing or empty one is NULL. Two servers with
-- one label are one row, and one server with two labels is two: items tell no address.
--
-- **Listings** are the live items of type mcp_list_tools. failed_listing_count: those whose error is neither NULL nor
-- empty. empty_listing_count: the others without a row in `items.mcp_list_tools__tools`. last_listing_error is the
-- error, at most its first 200 code points, of the last failed one: by first_seen_at (see `analytics.items`),
-- conversation_id, position. first_listed_at and last_listed_at are the least and greatest usable times of all
-- listings, failed ones too; timed_listing_count of them have one.
--
-- **Tools** of a server are told apart by name; a missing or empty name is one, too. Offered: it is in one of the
-- server's listings, in whatever conversation. Called: a call (below) is of it. unused_tool_count: offered, not called.
-- unlisted_tool_count: called, not offered. `analytics.tool_inventory` has them one by one, with their versions.
--
-- **Requests** are the rows of `analytics.approvals`. **Calls** are rows of `analytics.tool_calls` of family mcp with
-- is_made; outcome, error_type, is_failed, is_decided, latency_ms, retry_of, called_at are theirs. What kind of error
-- it was is counted over the calls whose outcome is error, timeout or denied (a refusal that the words of the error
-- tell), by error_type: protocol_error_count mcp_protocol_error, http_error_count http_error, execution_error_count
-- mcp_tool_execution_error, text_error_count text (older calls: words without a kind), other_error_count everything
-- else (a status alone, kinds that are not known). So the five add up to failed_count + denied_count.
--
-- error_rate is failed_count / decided_count, its bounds those of `wilson_low` and `wilson_high`; is_few_calls:
-- decided_count is less than 20. Percentiles are those of `analytics.tool_daily`, over all days.
--
-- Columns
-- server_label VARCHAR: Name of the MCP server; NULL for what names none.
-- conversation_count BIGINT: Different conversations with a listing, a request or a call of the server.
-- listing_count BIGINT: Times that its tools were listed: the denominator of failed_listing_rate.
-- failed_listing_count BIGINT: Of these, those with an error: the numerator of failed_listing_rate.
-- failed_listing_rate DOUBLE: failed_listing_count / listing_count; NULL without listings.
-- empty_listing_count BIGINT: Listings without an error, and without a tool.
-- last_listing_error VARCHAR: Why the last failed listing failed, 200 characters at most; NULL if none did.
-- first_listed_at TIMESTAMP: When its tools were first listed, UTC; NULL if no usable time is there.
-- last_listed_at TIMESTAMP: When its tools were last listed, UTC; NULL if no usable time is there.
-- timed_listing_count BIGINT: Listings with a usable time: the coverage of both.
-- offered_tool_count BIGINT: Different tools in its listings.
-- called_tool_count BIGINT: Different tools called.
-- unused_tool_count BIGINT: Tools offered, and never called in any conversation.
-- unlisted_tool_count BIGINT: Tools called that are in none of its listings.
-- request_count BIGINT: Times that somebody was asked whether one of its tools may be called.
-- call_count BIGINT: Calls of its tools that were made.
-- calling_conversation_count BIGINT: Different conversations with such a call.
-- ok_count BIGINT: Calls whose outcome is ok.
-- error_count BIGINT: Calls whose outcome is error.
-- timeout_count BIGINT: Calls whose outcome is timeout.
-- denied_count BIGINT: Calls whose outcome is denied: the words of the error tell of a refusal.
-- pending_count BIGINT: Calls whose outcome is pending.
-- unknown_count BIGINT: Calls of which nothing tells the outcome.
-- protocol_error_count BIGINT: Failed or denied calls with an error of the protocol (mcp_protocol_error).
-- http_error_count BIGINT: Failed or denied calls with an error of HTTP (http_error).
-- execution_error_count BIGINT: Failed or denied calls with an error of the tool itself (mcp_tool_execution_error).
-- text_error_count BIGINT: Failed or denied calls whose error is words without a kind.
-- other_error_count BIGINT: Failed or denied calls with another kind of error, or with nothing but a status.
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
-- latency_p50_ms DOUBLE: Median latency in milliseconds.
-- latency_p95_ms DOUBLE: 95th percentile of latency, in milliseconds.
-- first_called_at TIMESTAMP: When one of its tools was first called, UTC; NULL if no usable time is there.
-- last_called_at TIMESTAMP: When one of its tools was last called, UTC; NULL if no usable time is there.
-- timed_call_count BIGINT: Calls with a usable time: the coverage of both.
with
tools_listed as (
    select conversation_id, item_id, count(*) as listed_tool_count
    from items.mcp_list_tools__tools
    group by all
),

-- Listings, requests and calls, one row each.
listings as (
    select
        nullif(l.server_label, '') as server_label,
        l.conversation_id,
        nullif(l.error, '') as listing_error,
        n.listed_tool_count is null as is_without_tools,
        case when i.is_time_usable then i.item_at end as listed_at,
        {'first_seen_at': i.first_seen_at, 'conversation_id': l.conversation_id, 'position': l.position} as place
    from items.mcp_list_tools as l
    inner join analytics.items as i using (conversation_id, item_id, position)
    left join tools_listed as n using (conversation_id, item_id)
),
calls as (
    select *, coalesce(outcome in ('error', 'timeout', 'denied'), false) as is_error_told
    from analytics.tool_calls
    where family = 'mcp' and is_made
),
events as (
    select *, 'listing' as event
    from listings
    union all by name
    select 'request' as event, server_label, conversation_id
    from analytics.approvals
    union all by name
    select
        'call' as event, server_label, conversation_id, outcome, outcome_method, is_failed, is_decided, is_error_told,
        error_type, latency_ms, retry_of, called_at
    from calls
),
counted as (
    select
        server_label,
        count(distinct conversation_id) as conversation_count,
        count(*) filter (where event = 'listing') as listing_count,
        count(listing_error) as failed_listing_count,
        count(*) filter (where event = 'listing' and listing_error is null and is_without_tools)
            as empty_listing_count,
        left(arg_max(listing_error, place) filter (where listing_error is not null), 200) as last_listing_error,
        min(listed_at) as first_listed_at,
        max(listed_at) as last_listed_at,
        count(listed_at) as timed_listing_count,
        count(*) filter (where event = 'request') as request_count,
        count(*) filter (where event = 'call') as call_count,
        count(distinct conversation_id) filter (where event = 'call') as calling_conversation_count,
        count(*) filter (where outcome = 'ok') as ok_count,
        count(*) filter (where outcome = 'error') as error_count,
        count(*) filter (where outcome = 'timeout') as timeout_count,
        count(*) filter (where outcome = 'denied') as denied_count,
        count(*) filter (where outcome = 'pending') as pending_count,
        count(*) filter (where event = 'call' and outcome is null) as unknown_count,
        count(*) filter (where is_error_told and error_type = 'mcp_protocol_error') as protocol_error_count,
        count(*) filter (where is_error_told and error_type = 'http_error') as http_error_count,
        count(*) filter (where is_error_told and error_type = 'mcp_tool_execution_error') as execution_error_count,
        count(*) filter (where is_error_told and error_type = 'text') as text_error_count,
        count(*) filter (
            where is_error_told
            and error_type not in ('mcp_protocol_error', 'http_error', 'mcp_tool_execution_error', 'text')
        ) as other_error_count,
        count(*) filter (where is_failed) as failed_count,
        count(*) filter (where is_decided) as decided_count,
        count(*) filter (where is_decided and outcome_method = 'explicit') as explicit_decided_count,
        count(retry_of) as retry_count,
        count(latency_ms) as latency_count,
        quantile_cont(latency_ms, [0.5, 0.95]) as latency_quantiles,
        min(called_at) as first_called_at,
        max(called_at) as last_called_at,
        count(called_at) as timed_call_count
    from events
    group by all
),

-- Each tool of a server: is it offered, is it called?
tools as (
    select server_label, tool_name, bool_or(is_offered) as is_offered, bool_or(not is_offered) as is_called
    from (
        select nullif(l.server_label, '') as server_label, nullif(t.name, '') as tool_name, true as is_offered
        from items.mcp_list_tools__tools as t
        inner join items.mcp_list_tools as l using (conversation_id, item_id)
        union all
        select server_label, tool_name, false as is_offered
        from calls
    ) as given
    group by all
),
tools_counted as (
    select
        server_label,
        count(*) filter (where is_offered) as offered_tool_count,
        count(*) filter (where is_called) as called_tool_count,
        count(*) filter (where is_offered and not is_called) as unused_tool_count,
        count(*) filter (where is_called and not is_offered) as unlisted_tool_count
    from tools
    group by all
)
select
    c.server_label,
    conversation_count,
    listing_count,
    failed_listing_count,
    failed_listing_count / nullif(listing_count, 0) as failed_listing_rate,
    empty_listing_count,
    last_listing_error,
    first_listed_at,
    last_listed_at,
    timed_listing_count,
    coalesce(offered_tool_count, 0) as offered_tool_count,
    coalesce(called_tool_count, 0) as called_tool_count,
    coalesce(unused_tool_count, 0) as unused_tool_count,
    coalesce(unlisted_tool_count, 0) as unlisted_tool_count,
    request_count,
    call_count,
    calling_conversation_count,
    ok_count,
    error_count,
    timeout_count,
    denied_count,
    pending_count,
    unknown_count,
    protocol_error_count,
    http_error_count,
    execution_error_count,
    text_error_count,
    other_error_count,
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
    latency_quantiles[1] as latency_p50_ms,
    latency_quantiles[2] as latency_p95_ms,
    first_called_at,
    last_called_at,
    timed_call_count
from counted as c
left join tools_counted as t on c.server_label is not distinct from t.server_label
