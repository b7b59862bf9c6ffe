-- Grain: one row per ordered pair of tools of which the second was called right after the first in a turn.
-- Question: what does the model call next?
--
-- The sequence of a turn is the tools of its rows in `analytics.tool_calls` by call_index, between START and END.
-- Sequences are those of all turns of `analytics.turns`, and of the items before the first user message (turn_index 0)
-- where there are calls. Each two neighbours of a sequence are one transition; a turn without calls is one from START
-- to END. Calls made at once follow one another by position like all others. Words of tools are lower case at their
-- begin, so that START and END are no tool's.
--
-- probability is transition_count / from_count, where from_count is all transitions from from_tool. failed_count counts
-- the transitions whose first call is_failed (0 from START); is_few_transitions: from_count is less than 20.
--
-- Columns
-- from_tool VARCHAR: The tool called first, as in analytics.tool_calls; START for a turn's begin.
-- to_tool VARCHAR: The tool called next; END for a turn's end.
-- transition_count BIGINT: How often: the numerator of probability.
-- from_count BIGINT: Transitions from from_tool in all: the denominator of probability.
-- probability DOUBLE: transition_count / from_count.
-- failed_count BIGINT: Of these transitions, those after a call that failed.
-- conversation_count BIGINT: Different conversations in which it occurs.
-- is_few_transitions BOOLEAN: Whether from_count is less than 20, so that probability tells little.
with
empty_turns as (
    select conversation_id, turn_index from analytics.items where turn_index > 0
    except
    select conversation_id, turn_index from analytics.tool_calls
),
calls as (
    select
        conversation_id,
        tool,
        is_failed,
        lag(tool, 1, 'START') over in_turn as last_tool,
        coalesce(lag(is_failed) over in_turn, false) as is_last_failed,
        lead(tool) over in_turn is null as is_end
    from analytics.tool_calls
    window in_turn as (partition by conversation_id, turn_index order by call_index)
),
transitions as (
    select conversation_id, last_tool as from_tool, tool as to_tool, is_last_failed as is_failed from calls
    union all
    select conversation_id, tool as from_tool, 'END' as to_tool, is_failed from calls where is_end
    union all
    select conversation_id, 'START' as from_tool, 'END' as to_tool, false as is_failed from empty_turns
),
counted as (
    select
        from_tool,
        to_tool,
        count(*) as transition_count,
        count(*) filter (where is_failed) as failed_count,
        count(distinct conversation_id) as conversation_count
    from transitions
    group by all
)
select
    from_tool,
    to_tool,
    transition_count,
    (sum(transition_count) over (partition by from_tool))::bigint as from_count,
    transition_count / nullif(from_count, 0) as probability,
    failed_count,
    conversation_count,
    from_count < 20 as is_few_transitions
from counted
