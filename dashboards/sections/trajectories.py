"""Trajectories and loops: the ways that turns go from tool to tool, and where they turn in circles."""

from dashboards import charts
from dashboards.figures import Column, Data, Figure, Section, Tile

PATHS = Data(
    "paths",
    """select path, turn_count, answered_count, conversation_count, failed_call_count, heuristic_ended_count,
    duration_p50_ms, duration_count, sum(turn_count) over ()::bigint - turn_count as other_count
from analytics.trajectories
order by turn_count desc, path
limit 100""",
    keys=("path",),
)
TRANSITIONS = Data(
    "transitions",
    """with busy as (
    select from_tool as tool, row_number() over (order by from_count desc, from_tool) as place
    from (select distinct from_tool, from_count from analytics.tool_transitions where from_tool <> 'START')
    order by place limit 10
),
places as (
    from busy union all values ('START', 0), ('END', 11), ('(others)', 12)
)
select a.tool as before, b.tool as after, any_value(a.place) as before_place, any_value(b.place) as after_place,
    sum(transition_count)::bigint as transition_count, sum(failed_count)::bigint as failed_count,
    sum(sum(transition_count)) over (partition by a.tool)::bigint as before_count
from analytics.tool_transitions
join places as a on a.tool = case when from_tool in (select tool from places) then from_tool else '(others)' end
join places as b on b.tool = case when to_tool in (select tool from places) then to_tool else '(others)' end
group by before, after
order by before_place, after_place""",
    keys=("before", "after"),
)
LOOPS = Data(
    "loops",
    """select started_at::date as day, tool, count(*) as loop_count, count(*) filter (not is_stuck) as twice_count,
    count(*) filter (is_stuck and is_recovered) as recovered_count,
    count(*) filter (is_stuck and not is_recovered) as never_count, count(*) filter (is_stuck) as stuck_count,
    sum(call_count)::bigint as call_count, sum(failed_count)::bigint as failed_count,
    sum(heuristic_outcome_count)::bigint as heuristic_count
from analytics.retry_loops
group by all""",
    keys=("day", "tool"),
)
STUCK = Data(
    "stuck",
    """select started_at::date as day, tool, conversation_id, turn_index::varchar as turn, call_count, failed_count,
    distinct_argument_count, coalesce(last_outcome, '(unknown)') as last_outcome
from analytics.retry_loops
where is_stuck and not is_recovered
order by call_count desc, conversation_id, turn_index
limit 500""",
    keys=("day", "tool", "conversation_id", "turn"),
)
_ENDS = {
    "twice_count": ("two calls", "open"),
    "recovered_count": ("stuck, then ok", "late"),
    "never_count": ("stuck, never ok", "bad"),
}

TILES = (
    Tile(
        "Stuck loops",
        LOOPS,
        "stuck_count",
        "{stuck_count} of {loop_count} loops; {never_count} never ok",
        is_better="down",
    ),
)

SECTION = Section(
    "trajectories",
    "Trajectories and loops",
    "The ways that turns go from tool to tool, how they end, and where an agent turns in circles.",
    (
        Figure(
            "paths",
            "The ways that turns go",
            "What does the model do, in which order, and does it get there?",
            PATHS,
            (
                Column("path", "Tools, in order (+: several calls in a row)", "path"),
                Column("turn_count", "Turns", "bar"),
                Column("answered_rate", "Ended with an answer (95 % bounds)", "share"),
                Column("failed_call_count", "Failed calls"),
                Column("duration_p50_ms", "Median time", "ms"),
                Column("duration_count", "Timed turns"),
            ),
            "{turn_count} turns on these paths. Ended with an answer: {answered_count/turn_count} of them; how they "
            "ended was told by a heuristic for {heuristic_ended_count}.",
            "There is no turn yet.",
            rates={"answered_rate": ("answered_count", "turn_count")},
            order="-turn_count",
            limit=20,
            is_wide=True,
        ),
        Figure(
            "transitions",
            "What comes next",
            "After a call of this tool (row), what does the model do (column)?",
            TRANSITIONS,
            (
                Column("before", "After", "text"),
                Column("after", "Comes", "text"),
                Column("transition_count", "Times"),
                Column("probability", "Share of the row (95 % bounds)", "share"),
                Column("failed_count", "After a failed call"),
            ),
            "{transition_count} transitions, {failed_count} of them after a call that failed; each row adds up to 100 "
            "%. START and END are a turn's. The 10 tools called most are told apart.",
            "There is no turn yet.",
            charts.matrix("before", "after", "probability", "transition_count", ("after", "comes", "share")),
            rates={"probability": ("transition_count", "before_count")},
            is_wide=True,
        ),
        Figure(
            "loops",
            "Loops by tool",
            "Where is a tool called again and again, and does it help?",
            LOOPS,
            (
                Column("tool", "Tool", "text"),
                Column("loop_count", "Loops"),
                Column("twice_count", "Two calls"),
                Column("recovered_count", "Stuck, then ok"),
                Column("never_count", "Stuck, never ok"),
                Column("call_count", "Calls in them"),
                Column("failed_count", "Failed"),
            ),
            "{loop_count} loops with {call_count} calls, {failed_count} of them failed (told by a heuristic for "
            "{heuristic_count} calls). Stuck: three calls or more, {stuck_count} loops.",
            "No tool was called again after a failure, or with the same arguments.",
            charts.by_key("tool", _ENDS, "loops"),
            order="-loop_count",
            limit=15,
        ),
        Figure(
            "stuck",
            "Stuck, and never ok",
            "Which turns should somebody read?",
            STUCK,
            (
                Column("tool", "Tool", "text"),
                Column("call_count", "Calls", "bar"),
                Column("failed_count", "Failed"),
                Column("distinct_argument_count", "Different arguments"),
                Column("conversation_id", "Conversation", "id"),
                Column("turn", "Turn", "text"),
            ),
            "Loops of three calls or more whose last call was not ok; the 500 longest are kept.",
            "No loop of three calls or more ended without success.",
            order="-call_count",
            limit=20,
        ),
    ),
)
