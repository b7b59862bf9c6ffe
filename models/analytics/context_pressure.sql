-- Grain: one row per conversation, window (what stands between two compactions) and source of content.
-- Question: what fills the context: who or what brought it, how large is it, and how much of it is there twice?
-- Snapshot: a table, sorted by conversation_id, window_index, source.
--
-- **Windows.** window_index counts the live compaction items at or before an item in its conversation: 0 before the
-- first one; a compaction begins a window, of which it is the first item. is_current: it is the conversation's last
-- window. What a window holds is what items say that was added since; whether all of it was sent to the model, a
-- request decides (truncation, previous_response_id), which is no item. Hidden are: what is encrypted, uploaded files,
-- the pages that a web search read, instructions and tools that a request brings.
--
-- **Pieces and sources.** Every live item (`analytics.items`) is one piece of content, or two if it is a call that
-- carries its output. A piece has a source, chars (code points of its text, 0 without), attachments (images and files)
-- and attachment bytes:
--
-- * instructions, user, assistant, other_role: messages of role developer or system, user, assistant, any other or
--   none. Text and text_chars of `analytics.messages` (in which a refusal's words are not); attachments: image_count
--   and file_count; bytes: image_url and file_data of the parts.
-- * reasoning: the texts of summary, then of content. compaction: no text; what it holds is encrypted.
-- * arguments: calls (kind call); argument_chars and arguments_hash of `analytics.tool_calls` are its length and text.
-- * output: items of kind output but tool_search_output, and a second piece of calls that carry their output, if they
--   have any: file_search (a result), image_generation (a result of a byte or more), code_interpreter (an output), mcp
--   (output, or else error_message, or error where it is a string). The text: of function, custom and local_shell the
--   string or the texts of the parts; shell: stdout, then stderr, of each element; apply_patch: output; program:
--   result; file_search: the texts of the results; code_interpreter: the logs. Attachments: parts of type input_image,
--   computer_screenshot and input_file; the screenshot of computer, if it has an address, data or a file; the image of
--   image_generation; outputs of type image. Bytes: image_url, file_data, result, url.
-- * definitions: mcp_list_tools: name, description and input_schema of each tool; tool_search_output and
--   additional_tools: the definition of each tool; JSON without white space between its parts.
-- * approval: arguments of a request, reason of a response. configuration, unknown: no text.
--
-- Several texts are joined without anything between them; only non-NULL ones are. Bytes are those within the item, as
-- encoded there (base64): strings that begin with `http` count 0.
--
-- **Duplicates.** A piece is a duplicate if its text (of one code point or more) is that of an earlier piece of the
-- same conversation, window and source; of calls, that of the same tool. duplicate_share is duplicate_chars / chars.
--
-- **Largest.** largest_item_id is the item with the most chars of the source in the window, the first of them if there
-- are several; NULL if none has any. estimated_tokens is chars divided by 4, rounded up: a rule of thumb for English;
-- attachments are not in it.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- window_index BIGINT: Compactions at or before: 0 before the first.
-- is_current BOOLEAN: Whether it is the conversation's last window: what would be sent next.
-- source VARCHAR: What brought the content: instructions, user, assistant, other_role, reasoning, compaction,
--   arguments, output, definitions, approval, configuration, unknown.
-- last_item_at TIMESTAMP: Greatest usable time of an item, UTC; NULL if there is none.
-- piece_count BIGINT: Pieces of content: items, but calls that carry their output are two.
-- chars BIGINT: Characters of their texts.
-- estimated_tokens BIGINT: A quarter of chars, rounded up; an estimate, the API tells no tokens.
-- window_chars BIGINT: Characters of all sources in the window.
-- chars_share DOUBLE: chars / window_chars; NULL if there is no text.
-- textless_count BIGINT: Pieces without text: what they bring is not in chars.
-- attachment_count BIGINT: Images and files.
-- attachment_bytes BIGINT: Bytes of those within the items, as encoded there.
-- duplicate_count BIGINT: Pieces whose text was there before.
-- duplicate_chars BIGINT: Characters of these.
-- duplicate_share DOUBLE: duplicate_chars / chars; NULL if there is no text.
-- largest_item_id VARCHAR: The item with the most characters; NULL if none has any.
-- largest_item_chars BIGINT: Its characters; 0 if none has any.
with
spine as (
    select
        conversation_id,
        item_id,
        position,
        type,
        kind,
        case when is_time_usable then item_at end as usable_at,
        count(*) filter (where kind = 'compaction') over (partition by conversation_id order by position)
            as window_index
    from analytics.items
),

-- What items bring in several parts: in which order, how long, with which image or file.
parts as (
    select
        conversation_id, item_id, output_index as part_index, text,
        type in ('input_image', 'computer_screenshot', 'input_file') as is_attachment,
        case when starts_with(image_url, 'http') then 0 else coalesce(image_url_bytes, 0) end
        + case when starts_with(file_data, 'http') then 0 else coalesce(file_data_bytes, 0) end as bytes
    from (
        from items.function_call_output__output
        union all
        from items.custom_tool_call_output__output
    ) as part
    union all by name
    select conversation_id, item_id, output_index as part_index, concat(stdout, stderr) as text
    from items.shell_call_output__output
    union all by name
    select conversation_id, item_id, results_index as part_index, text from items.file_search_call__results
    union all by name
    select
        conversation_id, item_id, outputs_index as part_index, logs as text, type = 'image' as is_attachment,
        case when starts_with(url, 'http') then 0 else coalesce(url_bytes, 0) end as bytes
    from items.code_interpreter_call__outputs
    union all by name
    select conversation_id, item_id, summary_index - 1000000 as part_index, text from items.reasoning__summary
    union all by name
    select conversation_id, item_id, content_index as part_index, text from items.reasoning__content
    union all by name
    select conversation_id, item_id, tools_index as part_index, concat(name, description, input_schema) as text
    from items.mcp_list_tools__tools
    union all by name
    select conversation_id, item_id, tools_index as part_index, definition::varchar as text
    from items.tool_search_output__tools
    union all by name
    select conversation_id, item_id, tools_index as part_index, definition::varchar as text
    from items.additional_tools__tools
),
texts as (
    select conversation_id, item_id, output as text from items.function_call_output where output is not null
    union all by name
    select conversation_id, item_id, output as text from items.custom_tool_call_output where output is not null
    union all by name
    select conversation_id, item_id, output as text from items.local_shell_call_output
    union all by name
    select conversation_id, item_id, output as text from items.apply_patch_call_output
    union all by name
    select conversation_id, item_id, result as text from items.program_output
    union all by name
    select conversation_id, item_id, coalesce(output, error_message, error) as text
    from items.mcp_call
    where coalesce(output, error_message, error) is not null
    union all by name
    select conversation_id, item_id, arguments as text from items.mcp_approval_request
    union all by name
    select conversation_id, item_id, reason as text from items.mcp_approval_response
    union all by name
    select
        conversation_id, item_id,
        (output_file_id is not null or output_image_url_bytes > 0)::int as attachment_count,
        case when starts_with(output_image_url, 'http') then 0 else output_image_url_bytes end as attachment_bytes
    from items.computer_call_output
    union all by name
    select
        conversation_id, item_id, 1 as attachment_count,
        case when starts_with(result, 'http') then 0 else result_bytes end as attachment_bytes
    from items.image_generation_call
    where result_bytes > 0
    union all by name
    select
        conversation_id, item_id, string_agg(text, '' order by part_index) as text,
        count(*) filter (where is_attachment) as attachment_count, sum(bytes) as attachment_bytes
    from parts
    group by all
),
message_bytes as (
    select
        conversation_id,
        item_id,
        sum(
            case when starts_with(image_url, 'http') then 0 else coalesce(image_url_bytes, 0) end
            + case when starts_with(file_data, 'http') then 0 else coalesce(file_data_bytes, 0) end
        ) as attachment_bytes
    from items.message__content
    where image_url_bytes > 0 or file_data_bytes > 0
    group by all
),
pieces as (
    select
        conversation_id, item_id,
        case
            when role in ('developer', 'system') then 'instructions'
            when role in ('user', 'assistant') then role
            else 'other_role'
        end as source,
        text_chars as chars, hash(text) as text_hash,
        image_count + file_count as attachment_count, attachment_bytes
    from analytics.messages
    left join message_bytes using (conversation_id, item_id)
    union all by name
    select
        conversation_id, item_id, 'arguments' as source, tool, coalesce(argument_chars, 0) as chars,
        hash(arguments_hash) as text_hash
    from analytics.tool_calls
    where is_made
    union all by name
    select
        conversation_id, item_id,
        case
            when s.kind in ('call', 'output') and s.type <> 'tool_search_output' then 'output'
            when s.kind in ('output', 'definition') then 'definitions'
            else s.kind
        end as source,
        coalesce(length(t.text), 0) as chars, hash(t.text) as text_hash, t.attachment_count, t.attachment_bytes
    from spine as s
    left join texts as t using (conversation_id, item_id)
    where s.kind <> 'message' and (s.kind <> 'call' or t.item_id is not null)
),

-- Equal texts, made one.
different as (
    select
        p.conversation_id,
        s.window_index,
        p.source,
        p.tool,
        p.text_hash,
        p.chars,
        count(*) as piece_count,
        max(s.usable_at) as last_item_at,
        sum(p.attachment_count) as attachment_count,
        sum(p.attachment_bytes) as attachment_bytes,
        min(s.position) as position,
        arg_min(p.item_id, s.position) as item_id
    from pieces as p
    inner join spine as s using (conversation_id, item_id)
    group by all
),
summed as (
    select
        conversation_id,
        window_index,
        source,
        max(last_item_at) as last_item_at,
        sum(piece_count) as piece_count,
        sum(piece_count * chars) as chars,
        sum(piece_count) filter (where chars = 0) as textless_count,
        sum(attachment_count) as attachment_count,
        sum(attachment_bytes) as attachment_bytes,
        sum(piece_count - 1) filter (where chars > 0) as duplicate_count,
        sum((piece_count - 1) * chars) as duplicate_chars,
        max(chars) as largest_item_chars,
        arg_max(item_id, {'chars': chars, 'earlier': -position}) filter (where chars > 0) as largest_item_id
    from different
    group by all
)
select
    conversation_id,
    window_index,
    window_index = max(window_index) over (partition by conversation_id) as is_current,
    source,
    last_item_at,
    piece_count::bigint as piece_count,
    chars::bigint as chars,
    ((chars + 3) // 4)::bigint as estimated_tokens,
    sum(chars) over of_window::bigint as window_chars,
    chars / nullif(sum(chars) over of_window, 0) as chars_share,
    coalesce(textless_count, 0)::bigint as textless_count,
    coalesce(attachment_count, 0)::bigint as attachment_count,
    coalesce(attachment_bytes, 0)::bigint as attachment_bytes,
    coalesce(duplicate_count, 0)::bigint as duplicate_count,
    duplicate_chars::bigint as duplicate_chars,
    duplicate_chars / nullif(chars, 0) as duplicate_share,
    largest_item_id,
    largest_item_chars
from summed
window of_window as (partition by conversation_id, window_index)
