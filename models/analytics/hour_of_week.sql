-- Grain: one row per hour of the week (UTC), always 168, and one for turns without a usable time (NULL), if there are.
-- Question: when do people ask, and does it go as well at every hour?
--
-- Turns are the rows of `analytics.turns`, by the hour of started_at. weekday and hour are those of UTC, whatever the
-- reader's time zone; hour_of_week is 24 * (weekday - 1) + hour. Counts are 0 where there is nothing to count. Those of
-- all rows add up to all turns.
--
-- day_count is on how many different dates a turn began in that hour, to put weeks with and without side by side.
-- Counts of calls are those of `analytics.turns`; decided_call_count and explicit_decided_count those of
-- `analytics.stretches`. answered: ended_state is answered or awaiting_user. error_rate as in `analytics.tool_daily`,
-- over the calls of these turns. answer_p50_ms: the median by DuckDB's `quantile_cont` of answer_ms, over the turns
-- that have one.
--
-- Columns
-- hour_of_week BIGINT: Hour of the week, from 0 (Monday, midnight) to 167; NULL for turns whose time is unknown.
-- weekday BIGINT: Day of the week, from 1 (Monday) to 7 (Sunday).
-- hour BIGINT: Hour of the day, from 0 to 23.
-- day_count BIGINT: Different dates on which a turn began in that hour.
-- turn_count BIGINT: Turns that began in that hour.
-- conversation_count BIGINT: Different conversations with such a turn.
-- answered_count BIGINT: Turns that were answered.
-- heuristic_ended_count BIGINT: Turns whose ended_state was told by a heuristic.
-- answered_share DOUBLE: answered_count / turn_count; NULL if there is none.
-- call_count BIGINT: Calls of these turns, also those that were not made.
-- failed_call_count BIGINT: Calls whose outcome is error or timeout: the numerator of error_rate.
-- decided_call_count BIGINT: Calls whose outcome is ok, error or timeout: the denominator of error_rate.
-- error_rate DOUBLE: failed_call_count / decided_call_count; NULL if nothing is decided.
-- explicit_decided_count BIGINT: Of the decided calls, those whose outcome a field of the API says: the coverage.
-- is_few_turns BOOLEAN: Whether fewer than 20 turns began then, so that shares tell little.
-- answer_count BIGINT: Turns of which answer_ms is known: the coverage of answer_p50_ms.
-- answer_p50_ms DOUBLE: Median milliseconds from the user message to the begin of the answer.
with counted as (
    select
        24 * (isodow(started_at) - 1) + hour(started_at) as hour_of_week,
        count(distinct started_at::date) as day_count,
        count(*) as turn_count,
        count(distinct conversation_id) as conversation_count,
        count(*) filter (where ended_state in ('answered', 'awaiting_user')) as answered_count,
        count(*) filter (where ended_state_method = 'heuristic') as heuristic_ended_count,
        sum(call_count) as call_count,
        sum(failed_call_count) as failed_call_count,
        sum(decided_call_count) as decided_call_count,
        sum(explicit_decided_count) as explicit_decided_count,
        count(answer_ms) as answer_count,
        quantile_cont(answer_ms, 0.5) as answer_p50_ms
    from analytics.stretches
    where turn_index > 0
    group by all
)
select
    h.hour_of_week,
    h.hour_of_week // 24 + 1 as weekday,
    h.hour_of_week % 24 as hour,
    coalesce(c.day_count, 0) as day_count,
    coalesce(c.turn_count, 0) as turn_count,
    coalesce(c.conversation_count, 0) as conversation_count,
    coalesce(c.answered_count, 0) as answered_count,
    coalesce(c.heuristic_ended_count, 0) as heuristic_ended_count,
    c.answered_count / c.turn_count as answered_share,
    coalesce(c.call_count, 0)::bigint as call_count,
    coalesce(c.failed_call_count, 0)::bigint as failed_call_count,
    coalesce(c.decided_call_count, 0)::bigint as decided_call_count,
    c.failed_call_count / nullif(c.decided_call_count, 0) as error_rate,
    coalesce(c.explicit_decided_count, 0)::bigint as explicit_decided_count,
    coalesce(c.turn_count, 0) < 20 as is_few_turns,
    coalesce(c.answer_count, 0) as answer_count,
    c.answer_p50_ms
from (
    select range as hour_of_week from range(168)
    union all
    select hour_of_week from counted where hour_of_week is null
) as h
left join counted as c on h.hour_of_week is not distinct from c.hour_of_week
