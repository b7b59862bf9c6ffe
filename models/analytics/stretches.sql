-- Grain: one row per turn, and one per conversation for what stands before its first user message (turn_index 0).
-- Question: what is in each stretch of a conversation, cut before every user message?
-- Snapshot: a table, sorted by conversation_id, turn_index.
--
-- What `analytics.turns` and `analytics.conversation_summary` are made of; their definitions hold here, with "the user
-- message" being the first item of the stretch. Items are those of `analytics.items` with that turn_index, and so are
-- messages and calls; counts are 0 where there are none. No row for a turn_index without items. Everything adds up over
-- the rows of a conversation, only tools and times do not.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- turn_index BIGINT: The turn; 0 for what stands before the first one.
-- first_item_id VARCHAR: The first item: the user message of a turn.
-- answer_item_id VARCHAR: The last assistant message that is no commentary; NULL if there is none.
-- first_position BIGINT: Position of the first item.
-- last_position BIGINT: Position of the last item.
-- started_at TIMESTAMP: Time of the first item, UTC; NULL if it is not usable.
-- answered_at TIMESTAMP: Time of the answer, UTC; NULL if it is not usable, or there is none.
-- ended_at TIMESTAMP: Time of the last item with a usable time, UTC.
-- earliest_at TIMESTAMP: Least usable time of an item, UTC.
-- latest_at TIMESTAMP: Greatest usable time of an item, UTC.
-- first_reaction_ms DOUBLE: Milliseconds from the first item to the first thing the model did; NULL if unknown.
-- answer_ms DOUBLE: Milliseconds from the first item to the begin of the answer; NULL if unknown.
-- duration_ms DOUBLE: Milliseconds from the first item to the begin of the last; NULL if unknown.
-- item_count BIGINT: Items.
-- timed_item_count BIGINT: Of these, those with a usable time.
-- unknown_item_count BIGINT: Items of a type that is not declared.
-- open_item_count BIGINT: Items whose status says that they are still being made.
-- output_item_count BIGINT: Items of kind output.
-- reasoning_count BIGINT: Items of type reasoning.
-- compaction_count BIGINT: Items of type compaction.
-- approval_count BIGINT: Items of type mcp_approval_request.
-- message_count BIGINT: Messages, of whatever role.
-- assistant_message_count BIGINT: Messages of role assistant, commentary included.
-- refusal_count BIGINT: Messages with a refusal.
-- assistant_refusal_count BIGINT: Of these, those of role assistant.
-- citation_count BIGINT: Citations in messages.
-- user_text_chars BIGINT: Characters that the user wrote.
-- assistant_text_chars BIGINT: Characters that the assistant wrote, in messages.
-- answer_text_chars BIGINT: Characters of the answer's text; 0 without an answer.
-- estimated_message_tokens BIGINT: Sum of estimated_tokens over all messages.
-- step_count BIGINT: Rounds of calls.
-- call_count BIGINT: Calls, also those that were not made.
-- tools VARCHAR[]: The different tools called, in order of their words (by code point).
-- ok_call_count BIGINT: Calls whose outcome is ok.
-- failed_call_count BIGINT: Calls whose outcome is error or timeout.
-- decided_call_count BIGINT: Calls whose outcome is ok, error or timeout.
-- denied_call_count BIGINT: Calls whose outcome is denied.
-- pending_call_count BIGINT: Calls whose outcome is pending.
-- unknown_call_count BIGINT: Calls of which nothing tells the outcome.
-- explicit_call_count BIGINT: Calls whose outcome a field of the API says.
-- explicit_decided_count BIGINT: Of the decided calls, those whose outcome a field of the API says.
-- abandoned_call_count BIGINT: Pending calls after which the user spoke again.
-- retry_count BIGINT: Calls that repeat a failed one.
-- output_count BIGINT: Output items that belong to these calls.
-- ended_state VARCHAR: How it ended: answered, awaiting_user, awaiting_approval, open_call, error, incomplete.
-- ended_state_method VARCHAR: How ended_state was obtained: explicit, heuristic.
with
answers as (
    select conversation_id, turn_index, item_id, position, item_at, is_time_usable, status, is_asking_back, text_chars
    from analytics.messages
    where is_answer
    qualify row_number() over (partition by conversation_id, turn_index order by position desc) = 1
),
message_figures as (
    select
        conversation_id,
        turn_index,
        count(*) as message_count,
        count(*) filter (where role = 'assistant') as assistant_message_count,
        count(*) filter (where is_refusal) as refusal_count,
        count(*) filter (where is_refusal and role = 'assistant') as assistant_refusal_count,
        sum(citation_count) as citation_count,
        sum(text_chars) filter (where role = 'user') as user_text_chars,
        sum(text_chars) filter (where role = 'assistant') as assistant_text_chars,
        sum(estimated_tokens) as estimated_message_tokens
    from analytics.messages
    group by all
),
item_figures as (
    select
        i.conversation_id,
        i.turn_index,
        arg_min(i.item_id, i.position) as first_item_id,
        min(i.position) as first_position,
        max(i.position) as last_position,
        arg_min_null(i.usable_at, i.position) as started_at,
        arg_min_null(i.usable_at, i.position)
            filter (where i.kind in ('call', 'reasoning') or i.role = 'assistant') as reacted_at,
        arg_max(i.usable_at, i.position) as ended_at,
        min(i.usable_at) as earliest_at,
        max(i.usable_at) as latest_at,
        count(*) as item_count,
        count(i.usable_at) as timed_item_count,
        count(*) filter (where i.kind = 'unknown') as unknown_item_count,
        count(*) filter (where i.is_open) as open_item_count,
        count(*) filter (where i.is_open and i.position >= coalesce(a.position, i.position)) as open_end_count,
        count(*) filter (where i.kind = 'output') as output_item_count,
        count(*) filter (where i.kind = 'reasoning') as reasoning_count,
        count(*) filter (where i.kind = 'compaction') as compaction_count,
        count(*) filter (where i.type = 'mcp_approval_request') as approval_count
    from (select *, case when is_time_usable then item_at end as usable_at from analytics.items) as i
    left join answers as a using (conversation_id, turn_index)
    group by all
),
call_figures as (
    select
        c.conversation_id,
        c.turn_index,
        max(c.step_index) as step_count,
        count(*) as call_count,
        list_sort(list(distinct c.tool)) as tools,
        count(*) filter (where c.outcome = 'ok') as ok_call_count,
        count(*) filter (where c.is_failed) as failed_call_count,
        count(*) filter (where c.is_decided) as decided_call_count,
        count(*) filter (where c.outcome = 'denied') as denied_call_count,
        count(*) filter (where c.outcome = 'pending') as pending_call_count,
        count(*) filter (where c.outcome is null) as unknown_call_count,
        count(*) filter (where c.outcome_method = 'explicit') as explicit_call_count,
        count(*) filter (where c.is_decided and c.outcome_method = 'explicit') as explicit_decided_count,
        count(*) filter (where c.is_abandoned) as abandoned_call_count,
        count(c.retry_of) as retry_count,
        sum(c.output_count) filter (where c.output_item_id <> c.item_id) as output_count,
        count(*) filter (where c.position > coalesce(a.position, -1)) as end_call_count,
        count(*) filter (where c.position > coalesce(a.position, -1) and c.approval = 'awaiting' and not c.is_made)
            as end_awaiting_count,
        arg_max(c.outcome_method, c.position)
            filter (where c.position > coalesce(a.position, -1) and c.outcome = 'pending') as end_pending_method,
        arg_max({'outcome': c.outcome, 'outcome_method': c.outcome_method}, c.position)
            filter (where c.position > coalesce(a.position, -1)) as end_call
    from analytics.tool_calls as c
    left join answers as a using (conversation_id, turn_index)
    group by all
),
joined as (
    select
        i.*,
        m.* exclude (conversation_id, turn_index),
        c.* exclude (conversation_id, turn_index),
        a.item_id as answer_item_id,
        case when a.is_time_usable then a.item_at end as answered_at,
        a.text_chars as answer_text_chars,
        case
            when c.end_awaiting_count > 0 then 'approval'
            when c.end_pending_method is not null then 'pending call'
            when i.open_end_count > 0 then 'open item'
            when a.item_id is not null and coalesce(c.end_call_count, 0) = 0 then 'answer'
            when c.end_call.outcome in ('error', 'timeout', 'denied') then 'failed call'
        end as rule,
        case
            when a.status = 'incomplete' then 'incomplete'
            when a.is_asking_back then 'awaiting_user'
            else 'answered'
        end as answer_state,
        (epoch_us(i.reacted_at) - epoch_us(i.started_at)) / 1000.0 as reaction_ms,
        (epoch_us(answered_at) - epoch_us(i.started_at)) / 1000.0 as until_answer_ms,
        (epoch_us(i.ended_at) - epoch_us(i.started_at)) / 1000.0 as until_end_ms
    from item_figures as i
    left join message_figures as m using (conversation_id, turn_index)
    left join call_figures as c using (conversation_id, turn_index)
    left join answers as a using (conversation_id, turn_index)
)
select
    conversation_id,
    turn_index,
    first_item_id,
    answer_item_id,
    first_position,
    last_position,
    started_at,
    answered_at,
    ended_at,
    earliest_at,
    latest_at,
    case when reaction_ms >= 0 then reaction_ms end as first_reaction_ms,
    case when until_answer_ms >= 0 then until_answer_ms end as answer_ms,
    case when until_end_ms >= 0 then until_end_ms end as duration_ms,
    item_count,
    timed_item_count,
    unknown_item_count,
    open_item_count,
    output_item_count,
    reasoning_count,
    compaction_count,
    approval_count,
    coalesce(message_count, 0) as message_count,
    coalesce(assistant_message_count, 0) as assistant_message_count,
    coalesce(refusal_count, 0) as refusal_count,
    coalesce(assistant_refusal_count, 0) as assistant_refusal_count,
    coalesce(citation_count, 0)::bigint as citation_count,
    coalesce(user_text_chars, 0)::bigint as user_text_chars,
    coalesce(assistant_text_chars, 0)::bigint as assistant_text_chars,
    coalesce(answer_text_chars, 0) as answer_text_chars,
    coalesce(estimated_message_tokens, 0)::bigint as estimated_message_tokens,
    coalesce(step_count, 0) as step_count,
    coalesce(call_count, 0) as call_count,
    coalesce(tools, []) as tools,
    coalesce(ok_call_count, 0) as ok_call_count,
    coalesce(failed_call_count, 0) as failed_call_count,
    coalesce(decided_call_count, 0) as decided_call_count,
    coalesce(denied_call_count, 0) as denied_call_count,
    coalesce(pending_call_count, 0) as pending_call_count,
    coalesce(unknown_call_count, 0) as unknown_call_count,
    coalesce(explicit_call_count, 0) as explicit_call_count,
    coalesce(explicit_decided_count, 0) as explicit_decided_count,
    coalesce(abandoned_call_count, 0) as abandoned_call_count,
    coalesce(retry_count, 0) as retry_count,
    coalesce(output_count, 0)::bigint as output_count,
    case rule
        when 'approval' then 'awaiting_approval'
        when 'pending call' then 'open_call'
        when 'open item' then 'open_call'
        when 'answer' then answer_state
        when 'failed call' then 'error'
        else 'incomplete'
    end as ended_state,
    case
        when rule in ('approval', 'open item') then 'explicit'
        when rule = 'pending call' then end_pending_method
        when rule = 'answer' and answer_state <> 'awaiting_user' then 'explicit'
        when rule = 'failed call' then end_call.outcome_method
        else 'heuristic'
    end as ended_state_method
from joined
