-- Grain: one row per day (UTC) and key and value of metadata, and one per day for all conversations (both NULL).
-- Question: how far do conversations get: a second turn, a tool, a result, an answer, another question; and who leaves
--   after an error?
--
-- Conversations are the rows of `analytics.conversation_summary`, turns those of `analytics.turns`. A conversation
-- counts in the row of its day without key, and in one row of its day for each pair of its metadata (an object; the
-- value as text, NULL if it is null); the rows of one key add up to the conversations that have it, those of several do
-- not. A day without conversations has no row.
--
-- **day** is the date of created_at, which the API says, or if that is NULL of first_item_at, which is read from IDs;
-- NULL if both are. explicit_day_count says how many are of the first sort: the coverage.
--
-- **Stages**, each counted for itself, with or without the one before:
--
-- * with_turn: it has a turn. two_turn: it has two or more.
-- * used_tool: it has a call. tool_ok: one with outcome ok; decided_tool: one that is_decided, the coverage of that.
-- * answered: a turn of it has ended_state answered or awaiting_user. followed_up: after such a turn there is another.
-- * failed: it has a call that is_failed. abandoned: the last turn has a call that is_failed, and its ended_state is
--   error, incomplete or open_call: something failed, no answer came, and the user did not come back. Who may still do
--   so counts until then. heuristic_abandoned_count: of these, those whose ended_state_method is heuristic, or whose
--   last turn has decided calls whose outcome is not explicit.
--
-- is_few_conversations: conversation_count is less than 20. Such rows are flagged, not ranked.
--
-- Columns
-- day DATE: Day on which the conversations began, UTC; NULL if unknown.
-- metadata_key VARCHAR: Key of metadata; NULL for all conversations.
-- metadata_value VARCHAR: Its value; NULL for all conversations.
-- conversation_count BIGINT: Conversations, those without items included.
-- explicit_day_count BIGINT: Of these, those whose day the API says: the coverage of day.
-- with_turn_count BIGINT: Conversations with a turn.
-- two_turn_count BIGINT: Conversations with two turns or more.
-- two_turn_share DOUBLE: two_turn_count / with_turn_count; NULL if there is none.
-- used_tool_count BIGINT: Conversations with a call.
-- used_tool_share DOUBLE: used_tool_count / conversation_count.
-- decided_tool_count BIGINT: Conversations with a call whose outcome is ok, error or timeout.
-- tool_ok_count BIGINT: Conversations with a call whose outcome is ok.
-- tool_ok_share DOUBLE: tool_ok_count / decided_tool_count; NULL if there is none.
-- answered_count BIGINT: Conversations with a turn that was answered.
-- answered_share DOUBLE: answered_count / with_turn_count; NULL if there is none.
-- followed_up_count BIGINT: Conversations in which the user spoke again after an answer.
-- followed_up_share DOUBLE: followed_up_count / answered_count; NULL if there is none.
-- failed_count BIGINT: Conversations with a call that failed.
-- abandoned_count BIGINT: Conversations that ended, unanswered, in a turn with a call that failed.
-- abandoned_share DOUBLE: abandoned_count / failed_count; NULL if there is none.
-- heuristic_abandoned_count BIGINT: Of the abandoned, those that are told by a heuristic.
-- is_few_conversations BOOLEAN: Whether there are fewer than 20, so that shares tell little.
with
turn_figures as (
    select
        conversation_id,
        bool_or(is_answered) as is_answered,
        bool_or(is_answered and not is_last) as is_followed_up,
        bool_or(is_abandoned) as is_abandoned,
        bool_or(is_abandoned and is_told_by_heuristic) as is_heuristic_abandoned
    from (
        select
            conversation_id,
            ended_state in ('answered', 'awaiting_user') as is_answered,
            turn_index = max(turn_index) over (partition by conversation_id) as is_last,
            is_last and failed_call_count > 0 and ended_state in ('error', 'incomplete', 'open_call') as is_abandoned,
            ended_state_method = 'heuristic' or explicit_decided_count < decided_call_count as is_told_by_heuristic
        from analytics.stretches
        where turn_index > 0
    ) as turns
    group by all
),
conversations as (
    select
        c.conversation_id,
        coalesce(c.created_at, c.first_item_at)::date as day,
        c.created_at is not null as is_day_explicit,
        c.turn_count,
        c.call_count,
        c.decided_call_count,
        c.ok_call_count,
        c.failed_call_count,
        t.* exclude (conversation_id),
        map_entries(try_cast(c.metadata as map(varchar, varchar))) as pairs
    from analytics.conversation_summary as c
    left join turn_figures as t using (conversation_id)
),
counted_in as (
    select *, null as pair from conversations
    union all
    select *, unnest(pairs) as pair from conversations
),
counted as (
    select
        day,
        pair.key as metadata_key,
        pair.value as metadata_value,
        count(*) as conversation_count,
        count(*) filter (where is_day_explicit) as explicit_day_count,
        count(*) filter (where turn_count > 0) as with_turn_count,
        count(*) filter (where turn_count > 1) as two_turn_count,
        count(*) filter (where call_count > 0) as used_tool_count,
        count(*) filter (where decided_call_count > 0) as decided_tool_count,
        count(*) filter (where ok_call_count > 0) as tool_ok_count,
        count(*) filter (where is_answered) as answered_count,
        count(*) filter (where is_followed_up) as followed_up_count,
        count(*) filter (where failed_call_count > 0) as failed_count,
        count(*) filter (where is_abandoned) as abandoned_count,
        count(*) filter (where is_heuristic_abandoned) as heuristic_abandoned_count
    from counted_in
    group by all
)
select
    day,
    metadata_key,
    metadata_value,
    conversation_count,
    explicit_day_count,
    with_turn_count,
    two_turn_count,
    two_turn_count / nullif(with_turn_count, 0) as two_turn_share,
    used_tool_count,
    used_tool_count / conversation_count as used_tool_share,
    decided_tool_count,
    tool_ok_count,
    tool_ok_count / nullif(decided_tool_count, 0) as tool_ok_share,
    answered_count,
    answered_count / nullif(with_turn_count, 0) as answered_share,
    followed_up_count,
    followed_up_count / nullif(answered_count, 0) as followed_up_share,
    failed_count,
    abandoned_count,
    abandoned_count / nullif(failed_count, 0) as abandoned_share,
    heuristic_abandoned_count,
    conversation_count < 20 as is_few_conversations
from counted
