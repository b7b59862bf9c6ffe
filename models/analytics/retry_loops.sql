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
with
neighbours as (
    select
        *,
        coalesce(
            tool = lag(tool) over in_turn
            and step_index > lag(step_index) over in_turn
            and (lag(is_failed) over in_turn or arguments_hash = lag(arguments_hash) over in_turn),
            false
        ) as is_linked
    from analytics.tool_calls
    where is_made
    window in_turn as (partition by conversation_id, turn_index order by call_index)
),
chains as (
    select
        *,
        count(*) filter (where not is_linked)
            over (partition by conversation_id, turn_index order by call_index) as chain_index
    from neighbours
),
loops as (
    select
        conversation_id,
        turn_index,
        chain_index,
        tool,
        family,
        arg_min(item_id, position) as first_item_id,
        arg_max(item_id, position) as last_item_id,
        min(position) as first_position,
        max(position) as last_position,
        count(*) as call_count,
        count(*) filter (where is_failed) as failed_count,
        count(*) filter (where outcome_method = 'heuristic') as heuristic_outcome_count,
        count(distinct arguments_hash) as distinct_argument_count,
        arg_max_null(outcome, position) as last_outcome,
        arg_min_null(called_at, position) as started_at,
        (epoch_us(arg_max_null(called_at, position)) - epoch_us(started_at)) / 1000.0 as until_last_ms
    from chains
    group by all
    having count(*) > 1
)
select
    conversation_id,
    turn_index,
    row_number() over (partition by conversation_id, turn_index order by first_position) as loop_index,
    tool,
    family,
    first_item_id,
    last_item_id,
    first_position,
    last_position,
    call_count,
    failed_count,
    heuristic_outcome_count,
    distinct_argument_count,
    last_outcome,
    coalesce(last_outcome = 'ok', false) as is_recovered,
    call_count >= 3 as is_stuck,
    started_at,
    case when until_last_ms >= 0 then until_last_ms end as duration_ms
from loops
