-- Grain: one row per event: a message's refusal, an image that moderation stopped, a safety check of a computer call.
-- Question: where did the model or a policy say no or wait, over what, and what followed?
--
-- **Events**, of live items, by kind:
--
-- * refusal: a message that is_refusal (see `analytics.messages`), of whatever role: one event.
-- * moderation: an image_generation_call whose error_code is moderation_blocked, or whose
--   error_moderation_details_categories or error_moderation_details_moderation_stage is not NULL: one event.
-- * safety_check: a row of `items.computer_call__pending_safety_checks`; in order of pending_safety_checks_index.
--
-- Fields of the API say so; nothing is read from words: a model that declines in an ordinary text is no event, nor is
-- text that was filtered before it became an item. event_index counts the events of an item from 1.
--
-- code is error_code of a moderation, code of a safety check, else NULL. message is the refusal, error_message, or the
-- check's message, at most its first 200 code points; NULL where that is NULL or empty.
--
-- **is_acknowledged**, of a safety check; NULL for others: among the acknowledged_safety_checks of the output of the
-- call (output_item_id of `analytics.tool_calls`) there is one with the same id (not NULL): explicit; or else, where
-- the check has no id, one with the same code (not NULL): heuristic; or else false, explicit, also if there is no
-- output (yet). acknowledged_method is none where is_acknowledged is NULL.
--
-- **What followed.** next_item_id is the first item after the event's item in the conversation that is a user or
-- assistant message, or of kind call; followed_by says what it is: user; refusal (an assistant message that is one);
-- commentary (an assistant message that is not is_answer); answer (any other assistant message); same_tool (a call of
-- the same tool, see `analytics.tool_calls`); other_tool (any other call); nothing, if there is none. Position alone
-- tells: that one came because of the other is not said, so followed_by_method is heuristic. is_user_back: a user
-- message stands after it in the conversation. is_answered_later: an answer (is_answer of `analytics.messages`) that is
-- no refusal and has text stands after it, in this turn or a later one.
--
-- turn_index, is_time_usable and role are those of `analytics.items`, ended_state that of `analytics.stretches`;
-- happened_at is the time of the item.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- item_id VARCHAR: The item that tells of the event.
-- event_index BIGINT: Place among the events of the item, from 1.
-- position BIGINT: Ordinal of the item in its conversation; gaps mean nothing, order does.
-- turn_index BIGINT: The turn; 0 before the first user message.
-- kind VARCHAR: What happened: refusal, moderation, safety_check.
-- role VARCHAR: Who refused, in the API's word; NULL for other kinds.
-- tool VARCHAR: The tool that it is about: image_generation, computer; NULL for refusals.
-- code VARCHAR: Code of the moderation's error or of the safety check, in the API's word; NULL if there is none.
-- categories VARCHAR[]: What moderation found; NULL for other kinds, and where it does not say.
-- stage VARCHAR: What was moderated: input, output, unknown; NULL for other kinds, and where it does not say.
-- message VARCHAR: The event in words, 200 characters at most; NULL if there are none.
-- happened_at TIMESTAMP: When the item was begun, UTC, read from its ID; NULL if no usable time is there.
-- is_acknowledged BOOLEAN: Whether a safety check was acknowledged with the call's output; NULL for other kinds.
-- acknowledged_method VARCHAR: How is_acknowledged was obtained: explicit (id), heuristic (code), none.
-- followed_by VARCHAR: What came next: user, answer, commentary, refusal, same_tool, other_tool, nothing.
-- followed_by_method VARCHAR: How followed_by was obtained: heuristic (by position).
-- next_item_id VARCHAR: The item that came next; NULL if nothing followed.
-- is_user_back BOOLEAN: Whether the user spoke again afterwards.
-- is_answered_later BOOLEAN: Whether an answer that is no refusal came afterwards.
-- ended_state VARCHAR: How the turn ended: answered, awaiting_user, awaiting_approval, open_call, error, incomplete.
-- ended_state_method VARCHAR: How ended_state was obtained: explicit, heuristic.
with
acknowledged as (
    select c.conversation_id, c.item_id, list(a.id) as ids, list(a.code) as codes
    from analytics.tool_calls as c
    inner join items.computer_call_output__acknowledged_safety_checks as a
        on c.conversation_id = a.conversation_id and c.output_item_id = a.item_id
    where c.family = 'computer'
    group by all
),
events as (
    select
        conversation_id, item_id, 1 as event_index, 'refusal' as kind, refusal as message
    from analytics.messages
    where is_refusal
    union all by name
    select
        conversation_id, item_id, 1 as event_index, 'moderation' as kind, 'image_generation' as tool,
        error_code as code, error_message as message, error_moderation_details_categories as categories,
        error_moderation_details_moderation_stage as stage
    from items.image_generation_call
    where error_code = 'moderation_blocked' or categories is not null or stage is not null
    union all by name
    select
        p.conversation_id, p.item_id, 'safety_check' as kind, 'computer' as tool, p.code, p.message,
        row_number() over (partition by p.conversation_id, p.item_id order by p.pending_safety_checks_index)
            as event_index,
        case
            when p.id is not null then coalesce(list_contains(a.ids, p.id), false)
            else coalesce(list_contains(a.codes, p.code), false)
        end as is_acknowledged,
        case when p.id is null and is_acknowledged then 'heuristic' else 'explicit' end as acknowledged_method
    from items.computer_call__pending_safety_checks as p
    left join acknowledged as a using (conversation_id, item_id)
),
-- What may follow, of conversations with an event.
moves as (
    select
        i.conversation_id,
        i.item_id,
        i.position,
        i.role,
        c.tool,
        m.is_answer and not m.is_refusal and m.text_chars > 0 as is_plain_answer,
        case
            when i.role = 'user' then 'user'
            when m.is_refusal then 'refusal'
            when m.is_answer then 'answer'
            when i.role = 'assistant' then 'commentary'
            else 'call'
        end as word
    from analytics.items as i
    left join analytics.messages as m using (conversation_id, item_id)
    left join analytics.tool_calls as c using (conversation_id, item_id)
    where
        (i.role in ('user', 'assistant') or i.kind = 'call')
        and i.conversation_id in (select conversation_id from events)
),
lasts as (
    select
        conversation_id,
        max(position) filter (where role = 'user') as user_position,
        max(position) filter (where is_plain_answer) as answer_position
    from moves
    group by all
),
placed as (
    select
        e.*,
        i.position,
        i.turn_index,
        i.role,
        case when i.is_time_usable then i.item_at end as happened_at
    from events as e
    inner join analytics.items as i using (conversation_id, item_id)
)
select
    e.conversation_id,
    e.item_id,
    e.event_index,
    e.position,
    e.turn_index,
    e.kind,
    e.role,
    e.tool,
    e.code,
    e.categories,
    e.stage,
    nullif(left(e.message, 200), '') as message,
    e.happened_at,
    e.is_acknowledged,
    coalesce(e.acknowledged_method, 'none') as acknowledged_method,
    case
        when n.item_id is null then 'nothing'
        when n.word <> 'call' then n.word
        when n.tool = e.tool then 'same_tool'
        else 'other_tool'
    end as followed_by,
    'heuristic' as followed_by_method,
    n.item_id as next_item_id,
    coalesce(l.user_position > e.position, false) as is_user_back,
    coalesce(l.answer_position > e.position, false) as is_answered_later,
    s.ended_state,
    s.ended_state_method
from placed as e
asof left join moves as n
    on e.conversation_id = n.conversation_id and e.position < n.position
left join lasts as l on e.conversation_id = l.conversation_id
left join analytics.stretches as s on e.conversation_id = s.conversation_id and e.turn_index = s.turn_index
