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
select null::VARCHAR as from_tool, null::VARCHAR as to_tool, null::BIGINT as transition_count, null::BIGINT as
from_count, null::DOUBLE as probability, null::BIGINT as failed_count, null::BIGINT as conversation_count,
null::BOOLEAN as is_few_transitions where false
