-- Grain: one row per approval request: the question whether a tool of an MCP server may be called.
-- Question: what was asked, who decided what and why, how long did it take, and was the call made?
--
-- Rows are the live items of type mcp_approval_request. Only live items of the same conversation are looked at. tool,
-- tool_name, server_label, argument_chars, arguments_hash are told as in `analytics.tool_calls`; times are those of
-- `analytics.items` (NULL if not usable).
--
-- **decision** is told as approval is in `analytics.tool_calls`. The response is the last mcp_approval_response that
-- names the request in approval_request_id; response_count counts all that do. approved or denied, explicit, if its
-- approve is true or false. Without a response: approved, heuristic, if a call was made all the same (what approved it
-- left no item), else awaiting, heuristic. A response whose approve is NULL decides nothing: awaiting, explicit.
-- reason is that of the response, NULL if it is empty.
--
-- **wait_ms** is the time of the response less that of the request, in milliseconds (microseconds divided by 1000.0);
-- NULL if one is NULL or it is negative. It is what the agent waited for: the person's time to notice included.
--
-- **The call** is the first live mcp_call, by position, that names the request in approval_request_id; call_count
-- counts all that do. is_executed: there is one. Nothing keeps a denied request from being executed: a row that is both
-- is worth a look. call_outcome and call_outcome_method are outcome and outcome_method of `analytics.tool_calls`.
--
-- is_abandoned: decision is awaiting, and the conversation has a user message after the request.
-- denied_before_count: requests of the same tool before this one in the conversation whose decision is denied.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- item_id VARCHAR: The approval request.
-- position BIGINT: Ordinal of the request in its conversation; gaps mean nothing, order does.
-- turn_index BIGINT: The turn: user messages up to the request; 0 before the first.
-- tool VARCHAR: The tool that is asked about, as in analytics.tool_calls.
-- server_label VARCHAR: Name of the MCP server; NULL if it is missing.
-- tool_name VARCHAR: Name of the tool; NULL if it is missing.
-- argument_chars BIGINT: Characters of the arguments; NULL if there are none.
-- arguments_hash VARCHAR: SHA-256 of the arguments, hex: equal for equal text.
-- requested_at TIMESTAMP: When the request was begun, UTC; NULL if no usable time is there.
-- decision VARCHAR: What was decided: approved, denied, awaiting (nothing yet).
-- decision_method VARCHAR: How decision was obtained: explicit (the response), heuristic (from what is missing).
-- reason VARCHAR: Why, in the words of the response; NULL if it says nothing.
-- response_item_id VARCHAR: The response that decides; NULL if there is none.
-- response_position BIGINT: Position of that response.
-- response_count BIGINT: Responses to the request; more than 1 is unusual.
-- responded_at TIMESTAMP: When the response was sent, UTC; NULL if unknown or there is none.
-- wait_ms DOUBLE: Milliseconds from the request to its response; NULL if unknown or there is none.
-- is_executed BOOLEAN: Whether the call was made.
-- call_item_id VARCHAR: The call; NULL if it was not made.
-- call_position BIGINT: Position of the call.
-- call_count BIGINT: Calls that name the request; more than 1 is unusual.
-- call_outcome VARCHAR: How the call ended: ok, error, timeout, denied, pending; NULL where nothing tells, or it was
--   not made.
-- call_outcome_method VARCHAR: How call_outcome was obtained: explicit, heuristic, none.
-- is_abandoned BOOLEAN: Whether nothing is decided although the user has spoken again.
-- denied_before_count BIGINT: Earlier requests of the same tool in the conversation that were denied.
with
responses as (
    select
        a.conversation_id,
        a.approval_request_id,
        arg_max(a.item_id, a.position) as response_item_id,
        max(a.position) as response_position,
        arg_max_null(a.approve, a.position) as approve,
        arg_max_null(nullif(a.reason, ''), a.position) as reason,
        count(*) as response_count
    from items.mcp_approval_response as a
    group by all
),
calls as (
    select
        conversation_id,
        approval_request_id,
        arg_min(item_id, position) as call_item_id,
        min(position) as call_position,
        count(*) as call_count
    from items.mcp_call
    where approval_request_id is not null
    group by all
),
last_turns as (
    select conversation_id, max(turn_index) as last_turn_index
    from analytics.items
    where role = 'user'
    group by all
),
decided as (
    select
        r.conversation_id,
        r.item_id,
        r.position,
        i.turn_index,
        nullif(r.server_label, '') as server_label,
        nullif(r.name, '') as tool_name,
        tool_word('mcp', null, nullif(r.server_label, ''), nullif(r.name, '')) as tool,
        r.arguments,
        case when i.is_time_usable then i.item_at end as requested_at,
        case
            when a.approve then 'approved'
            when not a.approve then 'denied'
            when a.response_item_id is null and c.call_item_id is not null then 'approved'
            else 'awaiting'
        end as decision,
        case when a.response_item_id is null then 'heuristic' else 'explicit' end as decision_method,
        a.reason,
        a.response_item_id,
        a.response_position,
        coalesce(a.response_count, 0) as response_count,
        c.call_item_id,
        c.call_position,
        coalesce(c.call_count, 0) as call_count,
        coalesce(i.turn_index < t.last_turn_index, false) as is_before_user
    from items.mcp_approval_request as r
    inner join analytics.items as i using (conversation_id, item_id, position)
    left join responses as a on r.conversation_id = a.conversation_id and r.item_id = a.approval_request_id
    left join calls as c on r.conversation_id = c.conversation_id and r.item_id = c.approval_request_id
    left join last_turns as t on r.conversation_id = t.conversation_id
),
timed as (
    select
        d.*,
        case when i.is_time_usable then i.item_at end as responded_at,
        epoch_us(responded_at) - epoch_us(d.requested_at) as wait_us,
        c.outcome as call_outcome,
        coalesce(c.outcome_method, 'none') as call_outcome_method
    from decided as d
    left join analytics.items as i
        on d.conversation_id = i.conversation_id and d.response_item_id = i.item_id
        and i.type = 'mcp_approval_response'
    left join analytics.tool_calls as c
        on d.conversation_id = c.conversation_id and d.call_item_id = c.item_id and c.family = 'mcp'
)
select
    conversation_id,
    item_id,
    position,
    turn_index,
    tool,
    server_label,
    tool_name,
    length(arguments) as argument_chars,
    sha256(arguments) as arguments_hash,
    requested_at,
    decision,
    decision_method,
    reason,
    response_item_id,
    response_position,
    response_count,
    responded_at,
    case when wait_us >= 0 then wait_us / 1000.0 end as wait_ms,
    call_item_id is not null as is_executed,
    call_item_id,
    call_position,
    call_count,
    call_outcome,
    call_outcome_method,
    decision = 'awaiting' and is_before_user as is_abandoned,
    count(*) filter (where decision = 'denied') over (
        partition by conversation_id, tool order by position rows between unbounded preceding and 1 preceding
    ) as denied_before_count
from timed
