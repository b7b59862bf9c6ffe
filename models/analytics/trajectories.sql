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
with
runs as (
    select
        conversation_id,
        turn_index,
        call_index,
        tool,
        tool is distinct from lag(tool) over in_turn as is_begin,
        tool is not distinct from lead(tool) over in_turn as is_repeated
    from analytics.tool_calls
    window in_turn as (partition by conversation_id, turn_index order by call_index)
),
paths as (
    select
        conversation_id,
        turn_index,
        string_agg(tool || case when is_repeated then '+' else '' end, ' > ' order by call_index) as path,
        count(*) as run_count
    from runs
    where is_begin
    group by all
),
counted as (
    select
        coalesce(p.path, '(none)') as path,
        coalesce(max(p.run_count), 0) as run_count,
        count(*) as turn_count,
        count(distinct t.conversation_id) as conversation_count,
        sum(t.call_count)::bigint as call_count,
        quantile_cont(t.call_count, 0.5) as call_count_p50,
        sum(t.failed_call_count)::bigint as failed_call_count,
        count(*) filter (where t.ended_state in ('answered', 'awaiting_user')) as answered_count,
        count(*) filter (where t.ended_state = 'awaiting_user') as awaiting_user_count,
        count(*) filter (where t.ended_state = 'awaiting_approval') as awaiting_approval_count,
        count(*) filter (where t.ended_state = 'open_call') as open_call_count,
        count(*) filter (where t.ended_state = 'error') as error_count,
        count(*) filter (where t.ended_state = 'incomplete') as incomplete_count,
        count(*) filter (where t.ended_state_method = 'heuristic') as heuristic_ended_count,
        count(t.duration_ms) as duration_count,
        quantile_cont(t.duration_ms, 0.5) as duration_p50_ms,
        min({'conversation_id': t.conversation_id, 'turn_index': t.turn_index}) as example
    from analytics.turns as t
    left join paths as p using (conversation_id, turn_index)
    group by all
)
select
    path,
    run_count,
    turn_count,
    (sum(turn_count) over ())::bigint as all_turn_count,
    turn_count / nullif(all_turn_count, 0) as turn_share,
    conversation_count,
    call_count,
    call_count_p50,
    failed_call_count,
    answered_count,
    answered_count / nullif(turn_count, 0) as answered_rate,
    awaiting_user_count,
    awaiting_approval_count,
    open_call_count,
    error_count,
    incomplete_count,
    heuristic_ended_count,
    duration_count,
    duration_p50_ms,
    turn_count < 20 as is_few_turns,
    example.conversation_id as example_conversation_id,
    example.turn_index as example_turn_index
from counted
