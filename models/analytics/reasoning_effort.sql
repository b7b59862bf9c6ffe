-- Grain: one row per live user message: the turn from it to the next one, or to the end of the conversation.
-- Question: how much does the model think in each turn, at which effort, and how much of that is there to read?
-- Snapshot: a table, sorted by conversation_id, turn_index.
--
-- Rows of `analytics.turns`; started_at, duration_ms, item_count, reasoning_count, step_count, call_count, ended_state
-- and ended_state_method are those of that view. Items are those of `analytics.items`, ordered by position. The model's
-- items are assistant messages, reasoning, and items of kind call. Counts are 0 where there is nothing to count.
--
-- **effort** is reasoning_effort of the last configuration_update item of the conversation that says one (not NULL) and
-- stands before the model's first item of the turn, or before the end of the turn if it has none. effort_method is
-- explicit, or none where effort is NULL: what requests ask for is in no item, so that without an update nobody knows.
-- effort_item_id is that update. is_effort_changed: effort differs from that of the turn before in the same
-- conversation; NULL and a word differ, and for the first turn the one before is NULL. is_effort_mixed: an update that
-- says another effort than effort stands after the model's first item and before its last one of the turn.
--
-- **What there is to read.** Of the reasoning items of the turn: summarised_count have a row in
-- `items.reasoning__summary`, readable_count one in `items.reasoning__content`, encrypted_count have encrypted_content,
-- silent_count have neither summary nor content. summary_count counts the summaries, summary_chars and content_chars
-- the code points of their texts and of the contents' (NULL counts 0).
--
-- **Gaps.** The API does not say how long the model thought. A gap is the time of the item that follows a reasoning
-- item (the next live item of any kind) less the time of the reasoning item, if that item is the model's (and so in the
-- same turn), both times are usable, and the difference is not negative: from when thinking was begun to when what came
-- of it was. In milliseconds (microseconds divided by 1000.0). gap_count says how many reasoning items have one: the
-- coverage. reasoning_ms is their sum, longest_gap_ms the greatest; NULL if there is none. reasoning_ms_method is
-- heuristic, or none where it is NULL. orphan_count: reasoning items after which no item of the model stands in the
-- turn: it thought, and nothing came of it.
--
-- **Share of the turn.** time_share is reasoning_ms / duration_ms: of the turn's time up to the begin of its last item;
-- NULL if one of them is, or duration_ms is 0. Reasoning without a gap counts nothing there, and where times run
-- backwards it may be more than 1. item_share is reasoning_count / item_count.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- turn_index BIGINT: Place of the turn in the conversation, from 1.
-- started_at TIMESTAMP: Time of the user message, UTC; NULL if its ID tells none, or it is copied.
-- effort VARCHAR: The effort in force when the model began, in the API's word; NULL if no item of the conversation says
--   it.
-- effort_method VARCHAR: How effort was obtained: explicit (a configuration_update), none.
-- effort_item_id VARCHAR: The configuration_update that says it; NULL if none does.
-- is_effort_changed BOOLEAN: Whether effort is another than in the turn before.
-- is_effort_mixed BOOLEAN: Whether another effort was set while the model was at work.
-- reasoning_count BIGINT: Items of type reasoning.
-- summarised_count BIGINT: Of these, those with a summary.
-- readable_count BIGINT: Of these, those with the thought itself.
-- encrypted_count BIGINT: Of these, those with the thought in encrypted form.
-- silent_count BIGINT: Of these, those with nothing to read.
-- orphan_count BIGINT: Of these, those after which the model did nothing more in the turn.
-- summary_count BIGINT: Summaries.
-- summary_chars BIGINT: Characters of the summaries.
-- content_chars BIGINT: Characters of the thoughts themselves.
-- gap_count BIGINT: Reasoning items of which a gap is known: the coverage of reasoning_ms.
-- reasoning_ms DOUBLE: Milliseconds that reasoning took, as far as known; NULL if unknown.
-- reasoning_ms_method VARCHAR: How reasoning_ms was obtained: heuristic (the next item stands for the end), none.
-- longest_gap_ms DOUBLE: Milliseconds of the longest reasoning; NULL if unknown.
-- duration_ms DOUBLE: Milliseconds from the user message to the begin of the last item; NULL if unknown.
-- time_share DOUBLE: reasoning_ms / duration_ms; NULL if one of them is unknown.
-- item_count BIGINT: Items of the turn, the user message included.
-- item_share DOUBLE: reasoning_count / item_count.
-- step_count BIGINT: Rounds of calls.
-- call_count BIGINT: Calls, also those that were not made.
-- ended_state VARCHAR: How the turn ended: answered, awaiting_user, awaiting_approval, open_call, error, incomplete.
-- ended_state_method VARCHAR: How ended_state was obtained: explicit, heuristic.
with
texts as (
    select
        conversation_id,
        item_id,
        count(*) filter (where is_summary) as summary_count,
        sum(length(text)) filter (where is_summary) as summary_chars,
        count(*) filter (where not is_summary) as content_count,
        sum(length(text)) filter (where not is_summary) as content_chars
    from (
        select conversation_id, item_id, text, true as is_summary from items.reasoning__summary
        union all
        select conversation_id, item_id, text, false as is_summary from items.reasoning__content
    ) as parts
    group by all
),
spine as (
    select
        conversation_id,
        position,
        turn_index,
        case when is_time_usable then item_at end as usable_at,
        kind in ('call', 'reasoning') or role is not distinct from 'assistant' as is_of_model,
        lead(case when is_of_model then usable_at end) over (partition by conversation_id order by position)
            as next_of_model_at
    from analytics.items
),
spans as (
    select
        conversation_id,
        turn_index,
        min(position) filter (where is_of_model) as first_position,
        max(position) filter (where is_of_model) as last_position,
        max(position) as end_position
    from spine
    group by all
),
updates as (
    select conversation_id, item_id, position, reasoning_effort as effort
    from items.configuration_update
    where reasoning_effort is not null
),
in_force as (
    select
        s.conversation_id,
        s.turn_index,
        u.effort,
        u.item_id as effort_item_id,
        lag(u.effort) over (partition by s.conversation_id order by s.turn_index) as effort_before
    from spans as s
    asof left join updates as u
        on s.conversation_id = u.conversation_id
        and coalesce(s.first_position, s.end_position + 1) > u.position
    where s.turn_index > 0
),
mixed as (
    select distinct s.conversation_id, s.turn_index
    from spans as s
    inner join in_force as f using (conversation_id, turn_index)
    inner join updates as u
        on s.conversation_id = u.conversation_id
        and u.position > s.first_position
        and u.position < s.last_position
    where u.effort is distinct from f.effort
),
gaps as (
    select *, epoch_us(next_of_model_at) - epoch_us(usable_at) as gap_us from spine
),
thoughts as (
    select
        conversation_id,
        turn_index,
        count(*) filter (where t.summary_count > 0) as summarised_count,
        count(*) filter (where t.content_count > 0) as readable_count,
        count(r.encrypted_content) as encrypted_count,
        count(*) filter (where t.item_id is null) as silent_count,
        count(*) filter (where position = s.last_position) as orphan_count,
        sum(t.summary_count) as summary_count,
        sum(t.summary_chars) as summary_chars,
        sum(t.content_chars) as content_chars,
        count(*) filter (where g.gap_us >= 0) as gap_count,
        sum(g.gap_us) filter (where g.gap_us >= 0) / 1000.0 as reasoning_ms,
        max(g.gap_us) filter (where g.gap_us >= 0) / 1000.0 as longest_gap_ms
    from items.reasoning as r
    inner join gaps as g using (conversation_id, position)
    inner join spans as s using (conversation_id, turn_index)
    left join texts as t using (conversation_id, item_id)
    group by all
)
select
    conversation_id,
    turn_index,
    t.started_at,
    f.effort,
    case when f.effort is null then 'none' else 'explicit' end as effort_method,
    f.effort_item_id,
    f.effort is distinct from f.effort_before as is_effort_changed,
    m.turn_index is not null as is_effort_mixed,
    t.reasoning_count,
    coalesce(h.summarised_count, 0) as summarised_count,
    coalesce(h.readable_count, 0) as readable_count,
    coalesce(h.encrypted_count, 0) as encrypted_count,
    coalesce(h.silent_count, 0) as silent_count,
    coalesce(h.orphan_count, 0) as orphan_count,
    coalesce(h.summary_count, 0)::bigint as summary_count,
    coalesce(h.summary_chars, 0)::bigint as summary_chars,
    coalesce(h.content_chars, 0)::bigint as content_chars,
    coalesce(h.gap_count, 0) as gap_count,
    h.reasoning_ms,
    case when h.reasoning_ms is null then 'none' else 'heuristic' end as reasoning_ms_method,
    h.longest_gap_ms,
    t.duration_ms,
    h.reasoning_ms / nullif(t.duration_ms, 0) as time_share,
    t.item_count,
    t.reasoning_count / t.item_count as item_share,
    t.step_count,
    t.call_count,
    t.ended_state,
    t.ended_state_method
from analytics.turns as t
left join in_force as f using (conversation_id, turn_index)
left join mixed as m using (conversation_id, turn_index)
left join thoughts as h using (conversation_id, turn_index)
