-- Grain: one row per loop: a tool called again and again in one turn, each time because of, or the same as, the last.
-- Question: where is an agent stuck on a tool?
--
-- Rows of `analytics.tool_calls` with is_made, of one conversation and turn, in order of call_index; neighbours are two
-- of them with no other such row between. Neighbours are linked if they are of the same tool, the second is in a later
-- step (step_index), and the first is_failed or both have the same arguments_hash (not NULL). A loop is a maximal chain
-- of linked neighbours: at least two calls. Calls of another tool in between end it: running tests, mending a file and
-- running the tests again is no loop. loop_index numbers the loops of a turn by position, from 1.
--
-- is_stuck: the loop has three calls or more. is_recovered: the last call's outcome is ok. duration_ms is called_at of
-- the last call less that of the first, in milliseconds (microseconds divided by 1000.0); NULL if one is NULL or it is
-- negative.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- turn_index BIGINT: The turn; 0 before the first user message.
-- loop_index BIGINT: Which loop of the turn, from 1.
-- tool VARCHAR: The tool, as in analytics.tool_calls.
-- family VARCHAR: Family of the tool.
-- first_item_id VARCHAR: The loop's first call.
-- last_item_id VARCHAR: The loop's last call.
-- first_position BIGINT: Position of the first call.
-- last_position BIGINT: Position of the last call.
-- call_count BIGINT: Calls of the loop.
-- failed_count BIGINT: Of these, those that failed.
-- heuristic_outcome_count BIGINT: Of these, those whose outcome was told by a heuristic.
-- distinct_argument_count BIGINT: Different arguments (arguments_hash); calls without arguments do not count.
-- last_outcome VARCHAR: Outcome of the last call; NULL where nothing tells.
-- is_recovered BOOLEAN: Whether the last call's outcome is ok.
-- is_stuck BOOLEAN: Whether the loop has three calls or more.
-- started_at TIMESTAMP: called_at of the first call, UTC; NULL if unknown.
-- duration_ms DOUBLE: Milliseconds from the begin of the first call to the begin of the last; NULL if unknown.
select null::VARCHAR as conversation_id, null::BIGINT as turn_index, null::BIGINT as loop_index, null::VARCHAR as
tool, null::VARCHAR as family, null::VARCHAR as first_item_id, null::VARCHAR as last_item_id, null::BIGINT as
first_position, null::BIGINT as last_position, null::BIGINT as call_count, null::BIGINT as failed_count, null::BIGINT
as heuristic_outcome_count, null::BIGINT as distinct_argument_count, null::VARCHAR as last_outcome, null::BOOLEAN as
is_recovered, null::BOOLEAN as is_stuck, null::TIMESTAMP as started_at, null::DOUBLE as duration_ms where false
