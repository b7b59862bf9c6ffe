-- Grain: one row per live user message: the turn from it to the next one, or to the end of the conversation.
-- Question: what did it take to answer the user, and how did it end?
--
-- A turn's items are all live items of the conversation whose turn_index (see `analytics.items`) is its own. Items
-- before the first user message (turn_index 0) are in no turn and no row here. Calls are the rows of
-- `analytics.tool_calls` with that turn_index; counts of calls are 0 where there are none.
--
-- **The answer** is the last message of the turn that is_answer (see `analytics.messages`).
--
-- **ended_state** is told from the answer and from what stands after it; without an answer, from the whole turn. The
-- first rule that holds decides:
--
-- 1. a call after it whose approval is awaiting and is_made is false: awaiting_approval, explicit;
-- 2. a call after it whose outcome is pending: open_call, with that outcome's method of the last such call; or else the
--    answer itself, or an item after it, is_open (see `analytics.items`): open_call, explicit;
-- 3. there is an answer, and no call after it: incomplete, explicit, if the answer's status is incomplete;
--    awaiting_user, heuristic, if it is_asking_back; else answered, explicit (a refusal is an answer);
-- 4. the last call after it (of the turn, without an answer) has outcome error, timeout or denied: error, with that
--    outcome's method;
-- 5. else incomplete, heuristic: the list ends, or the user speaks again, without an answer.
--
-- **Times** are those of `analytics.items` (NULL if not usable). started_at is that of the user message; answered_at
-- that of the answer; ended_at that of the last item of the turn that has one. answer_ms and duration_ms are
-- answered_at and ended_at less started_at, in milliseconds (microseconds divided by 1000.0); NULL if one is missing or
-- the difference is negative. first_reaction_ms is the time of the first item after the user message that is an
-- assistant message (also a commentary), reasoning, or of kind call, less started_at, in the same way. All three
-- measure until an item was begun, not until it was complete.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- turn_index BIGINT: Place of the turn in the conversation, from 1.
-- user_item_id VARCHAR: The user message that it begins with.
-- answer_item_id VARCHAR: The last assistant message of the turn that is no commentary; NULL if there is none.
-- first_position BIGINT: Position of the user message.
-- last_position BIGINT: Position of the last item of the turn.
-- is_last BOOLEAN: Whether it is the last turn of the conversation.
-- started_at TIMESTAMP: Time of the user message, UTC; NULL if its ID tells none, or it is copied.
-- answered_at TIMESTAMP: When the answer was begun, UTC; NULL if unknown or there is none.
-- ended_at TIMESTAMP: When the last item with a usable time was begun, UTC.
-- first_reaction_ms DOUBLE: Milliseconds from the user message to the first thing the model did; NULL if unknown.
-- answer_ms DOUBLE: Milliseconds from the user message to the begin of the answer; NULL if unknown.
-- duration_ms DOUBLE: Milliseconds from the user message to the begin of the last item; NULL if unknown.
-- item_count BIGINT: Items of the turn, the user message included.
-- timed_item_count BIGINT: Of these, those with a usable time: the coverage of the times.
-- user_text_chars BIGINT: Characters of the user message's text.
-- answer_text_chars BIGINT: Characters of the answer's text; 0 without an answer.
-- assistant_message_count BIGINT: Messages of role assistant, commentary included.
-- citation_count BIGINT: Citations in messages of the turn.
-- reasoning_count BIGINT: Items of type reasoning.
-- compaction_count BIGINT: Items of type compaction.
-- step_count BIGINT: Rounds of calls (step_index): what the model did without asking the user.
-- call_count BIGINT: Calls, also those that were not made.
-- tool_count BIGINT: Different tools called.
-- tools VARCHAR[]: These tools, in order of their words (by code point); empty if there are none.
-- ok_call_count BIGINT: Calls whose outcome is ok.
-- failed_call_count BIGINT: Calls whose outcome is error or timeout.
-- denied_call_count BIGINT: Calls whose outcome is denied.
-- pending_call_count BIGINT: Calls whose outcome is pending.
-- unknown_call_count BIGINT: Calls of which nothing tells the outcome.
-- explicit_call_count BIGINT: Calls whose outcome a field of the API says: the coverage of the counts before.
-- retry_count BIGINT: Calls that repeat a failed one of the turn.
-- approval_count BIGINT: Items of type mcp_approval_request.
-- is_refused BOOLEAN: Whether an assistant message of the turn is a refusal.
-- ended_state VARCHAR: How the turn ended: answered, awaiting_user, awaiting_approval, open_call, error, incomplete.
-- ended_state_method VARCHAR: How ended_state was obtained: explicit, heuristic.
select
    conversation_id,
    turn_index,
    first_item_id as user_item_id,
    answer_item_id,
    first_position,
    last_position,
    turn_index = max(turn_index) over (partition by conversation_id) as is_last,
    started_at,
    answered_at,
    ended_at,
    first_reaction_ms,
    answer_ms,
    duration_ms,
    item_count,
    timed_item_count,
    user_text_chars,
    answer_text_chars,
    assistant_message_count,
    citation_count,
    reasoning_count,
    compaction_count,
    step_count,
    call_count,
    len(tools) as tool_count,
    tools,
    ok_call_count,
    failed_call_count,
    denied_call_count,
    pending_call_count,
    unknown_call_count,
    explicit_call_count,
    retry_count,
    approval_count,
    assistant_refusal_count > 0 as is_refused,
    ended_state,
    ended_state_method
from analytics.stretches
where turn_index > 0
