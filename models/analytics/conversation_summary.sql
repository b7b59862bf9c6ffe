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
select null::VARCHAR as conversation_id, null::VARCHAR as registry_status, null::VARCHAR as source, null::TIMESTAMP as
created_at, null::JSON as metadata, null::VARCHAR as ended_state, null::VARCHAR as ended_state_method, null::TIMESTAMP
as first_item_at, null::TIMESTAMP as last_item_at, null::DOUBLE as span_ms, null::DOUBLE as active_ms, null::BIGINT as
active_turn_count, null::BIGINT as item_count, null::BIGINT as timed_item_count, null::BIGINT as deleted_item_count,
null::BIGINT as unknown_item_count, null::BIGINT as open_item_count, null::BIGINT as message_count, null::BIGINT as
user_message_count, null::BIGINT as assistant_message_count, null::BIGINT as refusal_count, null::BIGINT as
citation_count, null::BIGINT as user_text_chars, null::BIGINT as assistant_text_chars, null::BIGINT as
estimated_message_tokens, null::BIGINT as reasoning_count, null::BIGINT as compaction_count, null::BIGINT as
turn_count, null::BIGINT as turn_step_count, null::DOUBLE as autonomy, null::BIGINT as max_turn_steps, null::BIGINT as
call_count, null::BIGINT as tool_count, null::BIGINT as ok_call_count, null::BIGINT as failed_call_count, null::BIGINT
as decided_call_count, null::DOUBLE as error_rate, null::BIGINT as explicit_decided_count, null::BIGINT as
denied_call_count, null::BIGINT as pending_call_count, null::BIGINT as unknown_call_count, null::BIGINT as
abandoned_call_count, null::BIGINT as retry_count, null::BIGINT as output_without_call_count, null::BIGINT as
approval_count where false
