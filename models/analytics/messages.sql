-- Grain: one row per live message item.
-- Question: who said what, in which turn, with how many citations and attachments?
--
-- The messages are the rows of `items.message`; parts are those of `items.message__content`, citations those of
-- `items.message__content__annotations`, whatever their type.
--
-- **turn_index**: how many live messages of role `user` stand at or before the item's position in its conversation; 0
-- before the first one. Every user message begins a turn, also one that directly follows another. The same number holds
-- for items of all types in all views.
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
select null::VARCHAR as conversation_id, null::VARCHAR as item_id, null::BIGINT as position, null::BIGINT as
message_index, null::BIGINT as turn_index, null::VARCHAR as role, null::VARCHAR as phase, null::VARCHAR as status,
null::BOOLEAN as is_answer, null::BOOLEAN as is_asking_back, null::TIMESTAMP as item_at, null::BOOLEAN as
is_time_usable, null::VARCHAR as text, null::BIGINT as text_chars, null::BIGINT as estimated_tokens, null::VARCHAR as
refusal, null::BOOLEAN as is_refusal, null::BIGINT as part_count, null::BIGINT as image_count, null::BIGINT as
file_count, null::BIGINT as citation_count, null::BIGINT as url_citation_count, null::BIGINT as file_citation_count
where false
