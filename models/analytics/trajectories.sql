-- Grain: one row per path: a sequence of tools, runs of the same tool made one, that turns went along.
-- Question: which ways does the model go, how often, and how do they end?
--
-- A turn's path is the tools of its rows in `analytics.tool_calls` by call_index. Runs are the maximal stretches of
-- equal tools; a run of one call is written as the tool, a longer one as the tool and `+`; runs are joined with ` > `.
-- Two turns are on the same path if these texts are equal, however long the runs are; how long they are is told by
-- call_count and its median. A turn without calls has the path `(none)`. Turns are all rows of `analytics.turns`.
--
-- turn_share is turn_count / all_turn_count. How turns ended is their ended_state; answered_rate is answered_count /
-- turn_count, where answered_count counts the states answered and awaiting_user, and heuristic_ended_count those turns
-- whose ended_state_method is heuristic. Medians are `quantile_cont` at 0.5, as in `analytics.tool_daily`.
-- is_few_turns: turn_count is less than 20. The example is the turn with the least conversation_id (by code point),
-- then turn_index.
--
-- Columns
-- path VARCHAR: The tools in order, runs made one: shell+ > apply_patch > shell; (none) for turns without calls.
-- run_count BIGINT: Runs in the path; 0 without calls.
-- turn_count BIGINT: Turns that went along it.
-- all_turn_count BIGINT: Turns in all, the same in every row.
-- turn_share DOUBLE: turn_count / all_turn_count.
-- conversation_count BIGINT: Different conversations with such a turn.
-- call_count BIGINT: Calls of these turns, together.
-- call_count_p50 DOUBLE: Median of the calls of a turn.
-- failed_call_count BIGINT: Calls of these turns that failed.
-- answered_count BIGINT: Turns that ended answered or awaiting_user: the numerator of answered_rate.
-- answered_rate DOUBLE: answered_count / turn_count.
-- awaiting_user_count BIGINT: Turns that ended awaiting_user, which answered_count contains.
-- awaiting_approval_count BIGINT: Turns that ended awaiting_approval.
-- open_call_count BIGINT: Turns that ended in an open_call.
-- error_count BIGINT: Turns that ended in an error.
-- incomplete_count BIGINT: Turns that ended incomplete.
-- heuristic_ended_count BIGINT: Turns whose ended_state was told by a heuristic.
-- duration_count BIGINT: Turns whose duration is known: the coverage of the median.
-- duration_p50_ms DOUBLE: Median of duration_ms; NULL if none is known.
-- is_few_turns BOOLEAN: Whether turn_count is less than 20, so that rates tell little.
-- example_conversation_id VARCHAR: The conversation of one such turn.
-- example_turn_index BIGINT: That turn.
select null::VARCHAR as path, null::BIGINT as run_count, null::BIGINT as turn_count, null::BIGINT as all_turn_count,
null::DOUBLE as turn_share, null::BIGINT as conversation_count, null::BIGINT as call_count, null::DOUBLE as
call_count_p50, null::BIGINT as failed_call_count, null::BIGINT as answered_count, null::DOUBLE as answered_rate,
null::BIGINT as awaiting_user_count, null::BIGINT as awaiting_approval_count, null::BIGINT as open_call_count,
null::BIGINT as error_count, null::BIGINT as incomplete_count, null::BIGINT as heuristic_ended_count, null::BIGINT as
duration_count, null::DOUBLE as duration_p50_ms, null::BOOLEAN as is_few_turns, null::VARCHAR as
example_conversation_id, null::BIGINT as example_turn_index where false
