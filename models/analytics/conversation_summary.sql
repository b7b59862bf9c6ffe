-- Grain: one row per conversation of the registry, those without items included.
-- Question: how long, how busy, how autonomous was each conversation, and how does it stand?
--
-- Rows are those of `raw.conversations`; registry_status, source, created_at and metadata are its status, source,
-- created_at and metadata. Items are the live ones (`analytics.items`), calls the rows of `analytics.tool_calls`, turns
-- those of `analytics.turns`. Counts are 0 where there is nothing to count.
--
-- **Times** are those of `analytics.items`. first_item_at and last_item_at are the least and the greatest usable ones;
-- span_ms is their difference in milliseconds (microseconds divided by 1000.0), NULL if there are none. active_ms is
-- the sum of duration_ms of the turns that have one (active_turn_count of them); NULL if none has.
--
-- **Autonomy** is rounds of calls per turn: turn_step_count, the sum of step_count of the turns, divided by turn_count;
-- NULL without turns. max_turn_steps is the greatest step_count of a turn; NULL without turns.
--
-- **error_rate** is failed_call_count / decided_call_count; NULL if nothing is decided.
--
-- **ended_state** is that of the last turn by the rules of `analytics.turns`; a conversation without user messages is
-- judged by the same rules over all its items (its calls are those of turn_index 0). Without any item it is NULL and
-- its method none.
--
-- **output_without_call_count**: items of kind output that belong to no call, which is the number of such items less
-- the sum of output_count of the calls of families that are answered by another item.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- registry_status VARCHAR: Its status in the registry: active, missing, forbidden, failing, unregistered.
-- source VARCHAR: Where its ID came from.
-- created_at TIMESTAMP: When it was created, UTC, as the API says; NULL until first asked.
-- metadata JSON: Its metadata, as the API says; NULL until first asked.
-- ended_state VARCHAR: How it stands: answered, awaiting_user, awaiting_approval, open_call, error, incomplete; NULL
--   without items.
-- ended_state_method VARCHAR: How ended_state was obtained: explicit, heuristic, none.
-- first_item_at TIMESTAMP: Earliest usable time of an item, UTC; NULL if there is none.
-- last_item_at TIMESTAMP: Latest usable time of an item, UTC; NULL if there is none.
-- span_ms DOUBLE: Milliseconds between these two.
-- active_ms DOUBLE: Milliseconds that turns took, together, without the pauses between them; NULL if no turn's is
--   known.
-- active_turn_count BIGINT: Turns whose duration is known: the coverage of active_ms.
-- item_count BIGINT: Live items.
-- timed_item_count BIGINT: Of these, those with a usable time: the coverage of the times.
-- deleted_item_count BIGINT: Items that were found gone from the list.
-- unknown_item_count BIGINT: Live items of a type that is not declared.
-- open_item_count BIGINT: Live items whose status says that they are still being made.
-- message_count BIGINT: Messages, of whatever role.
-- user_message_count BIGINT: Messages of role user.
-- assistant_message_count BIGINT: Messages of role assistant, commentary included.
-- refusal_count BIGINT: Messages with a refusal.
-- citation_count BIGINT: Citations in messages.
-- user_text_chars BIGINT: Characters that users wrote.
-- assistant_text_chars BIGINT: Characters that the assistant wrote, in messages.
-- estimated_message_tokens BIGINT: Sum of estimated_tokens over all messages; an estimate, the API tells no tokens.
-- reasoning_count BIGINT: Items of type reasoning.
-- compaction_count BIGINT: Items of type compaction.
-- turn_count BIGINT: Turns: user messages with what follows them.
-- turn_step_count BIGINT: Rounds of calls within turns.
-- autonomy DOUBLE: Rounds of calls per turn: turn_step_count / turn_count; NULL without turns.
-- max_turn_steps BIGINT: Most rounds of calls in one turn; NULL without turns.
-- call_count BIGINT: Calls, also those that were not made, and those before the first turn.
-- tool_count BIGINT: Different tools called.
-- ok_call_count BIGINT: Calls whose outcome is ok.
-- failed_call_count BIGINT: Calls whose outcome is error or timeout: the numerator of error_rate.
-- decided_call_count BIGINT: Calls whose outcome is ok, error or timeout: the denominator of error_rate.
-- error_rate DOUBLE: failed_call_count / decided_call_count; NULL if nothing is decided.
-- explicit_decided_count BIGINT: Of the decided calls, those whose outcome a field of the API says: the coverage.
-- denied_call_count BIGINT: Calls whose outcome is denied.
-- pending_call_count BIGINT: Calls whose outcome is pending.
-- unknown_call_count BIGINT: Calls of which nothing tells the outcome.
-- abandoned_call_count BIGINT: Pending calls after which the user spoke again.
-- retry_count BIGINT: Calls that repeat a failed one of the same turn.
-- output_without_call_count BIGINT: Output items that belong to no call.
-- approval_count BIGINT: Items of type mcp_approval_request.
with
gone as (
    select conversation_id, count(*) as deleted_item_count
    from raw.items
    where deleted_at is not null
    group by all
),
figures as (
    select
        conversation_id,
        arg_max(ended_state, turn_index) as ended_state,
        arg_max(ended_state_method, turn_index) as ended_state_method,
        min(earliest_at) as first_item_at,
        max(latest_at) as last_item_at,
        sum(duration_ms) filter (where turn_index > 0) as active_ms,
        count(duration_ms) filter (where turn_index > 0) as active_turn_count,
        sum(item_count) as item_count,
        sum(timed_item_count) as timed_item_count,
        sum(unknown_item_count) as unknown_item_count,
        sum(open_item_count) as open_item_count,
        sum(message_count) as message_count,
        sum(assistant_message_count) as assistant_message_count,
        sum(refusal_count) as refusal_count,
        sum(citation_count) as citation_count,
        sum(user_text_chars) as user_text_chars,
        sum(assistant_text_chars) as assistant_text_chars,
        sum(estimated_message_tokens) as estimated_message_tokens,
        sum(reasoning_count) as reasoning_count,
        sum(compaction_count) as compaction_count,
        count(*) filter (where turn_index > 0) as turn_count,
        sum(step_count) filter (where turn_index > 0) as turn_step_count,
        max(step_count) filter (where turn_index > 0) as max_turn_steps,
        sum(call_count) as call_count,
        len(list_distinct(flatten(list(tools)))) as tool_count,
        sum(ok_call_count) as ok_call_count,
        sum(failed_call_count) as failed_call_count,
        sum(decided_call_count) as decided_call_count,
        sum(explicit_decided_count) as explicit_decided_count,
        sum(denied_call_count) as denied_call_count,
        sum(pending_call_count) as pending_call_count,
        sum(unknown_call_count) as unknown_call_count,
        sum(abandoned_call_count) as abandoned_call_count,
        sum(retry_count) as retry_count,
        sum(output_item_count) - sum(output_count) as output_without_call_count,
        sum(approval_count) as approval_count
    from analytics.stretches
    group by all
)
select
    c.conversation_id,
    c.status as registry_status,
    c.source,
    c.created_at,
    c.metadata,
    f.ended_state,
    coalesce(f.ended_state_method, 'none') as ended_state_method,
    f.first_item_at,
    f.last_item_at,
    (epoch_us(f.last_item_at) - epoch_us(f.first_item_at)) / 1000.0 as span_ms,
    f.active_ms,
    coalesce(f.active_turn_count, 0) as active_turn_count,
    coalesce(f.item_count, 0)::bigint as item_count,
    coalesce(f.timed_item_count, 0)::bigint as timed_item_count,
    coalesce(g.deleted_item_count, 0) as deleted_item_count,
    coalesce(f.unknown_item_count, 0)::bigint as unknown_item_count,
    coalesce(f.open_item_count, 0)::bigint as open_item_count,
    coalesce(f.message_count, 0)::bigint as message_count,
    coalesce(f.turn_count, 0) as user_message_count,
    coalesce(f.assistant_message_count, 0)::bigint as assistant_message_count,
    coalesce(f.refusal_count, 0)::bigint as refusal_count,
    coalesce(f.citation_count, 0)::bigint as citation_count,
    coalesce(f.user_text_chars, 0)::bigint as user_text_chars,
    coalesce(f.assistant_text_chars, 0)::bigint as assistant_text_chars,
    coalesce(f.estimated_message_tokens, 0)::bigint as estimated_message_tokens,
    coalesce(f.reasoning_count, 0)::bigint as reasoning_count,
    coalesce(f.compaction_count, 0)::bigint as compaction_count,
    coalesce(f.turn_count, 0) as turn_count,
    coalesce(f.turn_step_count, 0)::bigint as turn_step_count,
    f.turn_step_count / nullif(f.turn_count, 0) as autonomy,
    f.max_turn_steps,
    coalesce(f.call_count, 0)::bigint as call_count,
    coalesce(f.tool_count, 0) as tool_count,
    coalesce(f.ok_call_count, 0)::bigint as ok_call_count,
    coalesce(f.failed_call_count, 0)::bigint as failed_call_count,
    coalesce(f.decided_call_count, 0)::bigint as decided_call_count,
    f.failed_call_count / nullif(f.decided_call_count, 0) as error_rate,
    coalesce(f.explicit_decided_count, 0)::bigint as explicit_decided_count,
    coalesce(f.denied_call_count, 0)::bigint as denied_call_count,
    coalesce(f.pending_call_count, 0)::bigint as pending_call_count,
    coalesce(f.unknown_call_count, 0)::bigint as unknown_call_count,
    coalesce(f.abandoned_call_count, 0)::bigint as abandoned_call_count,
    coalesce(f.retry_count, 0)::bigint as retry_count,
    coalesce(f.output_without_call_count, 0)::bigint as output_without_call_count,
    coalesce(f.approval_count, 0)::bigint as approval_count
from raw.conversations as c
left join figures as f using (conversation_id)
left join gone as g using (conversation_id)
