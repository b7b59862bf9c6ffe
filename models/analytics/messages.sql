-- Grain: one row per live message item.
-- Question: who said what, in which turn, with how many citations and attachments?
-- Snapshot: a table, sorted by conversation_id, position.
--
-- The messages are the rows of `items.message`; parts are those of `items.message__content`, citations those of
-- `items.message__content__annotations`, whatever their type.
--
-- turn_index, status, item_at and is_time_usable are those of `analytics.items`.
--
-- **message_index** counts the messages of the conversation by position, from 1.
--
-- **Sizes.** Characters are Unicode code points (`length`). text is the texts of the parts, joined by a newline, as in
-- `items.message`; NULL if no part has text. text_chars is its length, 0 where text is NULL. estimated_tokens is
-- text_chars divided by 4, rounded up: the API tells no tokens here, and a quarter of the characters is a rule of thumb
-- for English. Refusals are not part of text.
--
-- **refusal** is the first non-NULL refusal by content_index; is_refusal: there is one.
--
-- **is_answer**: role is `assistant` and phase is not `commentary` (NULL counts as an answer). is_asking_back: an
-- answer whose text, without white space at its end (space, tab, newline, carriage return), ends with one of `?`, `？`,
-- `؟`.
--
-- Columns
-- conversation_id VARCHAR: The conversation that the message is in.
-- item_id VARCHAR: The message.
-- position BIGINT: Ordinal of the item in its conversation; gaps mean nothing, order does.
-- message_index BIGINT: Place among the messages of the conversation, from 1.
-- turn_index BIGINT: The turn: user messages up to and with this item; 0 before the first.
-- role VARCHAR: Who speaks, in the API's word.
-- phase VARCHAR: commentary on work in progress, or final_answer; NULL where the API says neither.
-- status VARCHAR: The item's status in the API's word; NULL if it has none.
-- is_answer BOOLEAN: Whether the role is assistant and the phase is not commentary.
-- is_asking_back BOOLEAN: Whether an answer's text ends with a question mark; false for other messages. A heuristic.
-- item_at TIMESTAMP: When the message was begun, UTC, read from its ID; NULL if it tells no time.
-- is_time_usable BOOLEAN: Whether item_at may be measured with: it is there, and the item is not known to be copied.
-- text VARCHAR: What was said: the texts of the parts, joined by a newline; NULL if no part has text.
-- text_chars BIGINT: Characters of text; 0 if there is none.
-- estimated_tokens BIGINT: A quarter of text_chars, rounded up; an estimate, the API tells no tokens.
-- refusal VARCHAR: The model's explanation why it refuses; NULL if it does not.
-- is_refusal BOOLEAN: Whether a part of the message is a refusal.
-- part_count BIGINT: Parts of the message.
-- image_count BIGINT: Parts of type input_image or computer_screenshot.
-- file_count BIGINT: Parts of type input_file.
-- citation_count BIGINT: Annotations of all parts.
-- url_citation_count BIGINT: Annotations of type url_citation.
-- file_citation_count BIGINT: Annotations of type file_citation or container_file_citation.
with
annotation_counts as (
    select
        conversation_id,
        item_id,
        count(*) as citation_count,
        count(*) filter (where type = 'url_citation') as url_citation_count,
        count(*) filter (where type in ('file_citation', 'container_file_citation')) as file_citation_count
    from items.message__content__annotations
    group by all
),
part_counts as (
    select
        conversation_id,
        item_id,
        arg_min(refusal, content_index) filter (where refusal is not null) as refusal,
        count(*) as part_count,
        count(*) filter (where type in ('input_image', 'computer_screenshot')) as image_count,
        count(*) filter (where type = 'input_file') as file_count
    from items.message__content
    group by all
),
spoken as (
    select
        *,
        role is not distinct from 'assistant' and phase is distinct from 'commentary' as is_answer,
        coalesce(length(text), 0) as text_chars
    from items.message
)
select
    m.conversation_id,
    m.item_id,
    m.position,
    row_number() over (partition by m.conversation_id order by m.position) as message_index,
    i.turn_index,
    m.role,
    m.phase,
    i.status,
    m.is_answer,
    m.is_answer and coalesce(regexp_matches(m.text, '[?？؟][ \t\n\r]*$'), false) as is_asking_back,
    i.item_at,
    i.is_time_usable,
    m.text,
    m.text_chars,
    (m.text_chars + 3) // 4 as estimated_tokens,
    p.refusal,
    p.refusal is not null as is_refusal,
    coalesce(p.part_count, 0) as part_count,
    coalesce(p.image_count, 0) as image_count,
    coalesce(p.file_count, 0) as file_count,
    coalesce(a.citation_count, 0) as citation_count,
    coalesce(a.url_citation_count, 0) as url_citation_count,
    coalesce(a.file_citation_count, 0) as file_citation_count
from spoken as m
inner join analytics.items as i using (conversation_id, item_id)
left join part_counts as p using (conversation_id, item_id)
left join annotation_counts as a using (conversation_id, item_id)
