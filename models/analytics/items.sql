-- Grain: one row per live item of a conversation, of whatever type, unknown ones included.
-- Question: what is in a conversation, in which order, since when?
-- Snapshot: a table, sorted by conversation_id, position.
--
-- An item is live while `raw.items.deleted_at` is NULL. Everything here comes from `raw.items` (position, type, status,
-- item_at, content_hash, include_set, first_seen_at, last_seen_at as they are) and never from the item's JSON; role
-- alone, and turn_index which counts by it, come from `items.message`.
--
-- **Order.** Within a conversation items are ordered by position, which is unique there; nothing else orders them, in
-- this view and in all others. "Before", "after", "first", "last", "next" mean position, unless time is named.
--
-- **turn_index**: how many live messages of role `user` stand at or before the item in its conversation; 0 before the
-- first one. Every user message begins a turn, also one that directly follows another. The same number in all views.
--
-- **kind** follows from type alone: `message` (message); `call` (function_call, custom_tool_call, web_search_call,
-- file_search_call, image_generation_call, computer_call, tool_search_call, code_interpreter_call, local_shell_call,
-- shell_call, apply_patch_call, mcp_call, program); `output` (function_call_output, custom_tool_call_output,
-- computer_call_output, tool_search_output, local_shell_call_output, shell_call_output, apply_patch_call_output,
-- program_output); `approval` (mcp_approval_request, mcp_approval_response); `definition` (mcp_list_tools,
-- additional_tools); `reasoning`; `compaction`; `configuration` (configuration_update); `unknown` (any other type, and
-- no type at all).
--
-- **is_open**: status is one of in_progress, searching, generating, interpreting, calling, queued. NULL and every other
-- status count as final.
--
-- **Time.** item_at is when the item was begun, read from its ID, a layout that is observed and not documented; its
-- method is therefore heuristic, or none where item_at is NULL. is_copied compares `id_birth_key` of the item's ID and
-- of the conversation's ID: different means that the item was born in another conversation and keeps its time of then;
-- NULL if either ID has no key. is_time_usable: item_at is not NULL and is_copied is not true. Durations, latencies and
-- days, in all views, use usable times only; "the time of an item" means item_at if is_time_usable, else NULL.
--
-- Columns
-- conversation_id VARCHAR: The conversation that the item is in.
-- item_id VARCHAR: The item; unique within its conversation, not across conversations.
-- position BIGINT: Ordinal of the item in its conversation; gaps mean nothing, order does.
-- turn_index BIGINT: The turn: user messages up to and with this item; 0 before the first.
-- type VARCHAR: The item's type, in the API's word, unknown ones too; NULL if it has none.
-- kind VARCHAR: What an item of this type is in a conversation: message, call, output, approval, definition, reasoning,
--   compaction, configuration, unknown.
-- role VARCHAR: Who speaks, in the API's word; NULL for items that are no messages.
-- status VARCHAR: The item's status in the API's word; NULL if it has none.
-- is_open BOOLEAN: Whether the status says that the item is still being made.
-- item_at TIMESTAMP: When the item was begun, UTC, read from its ID; NULL if it tells no time.
-- item_at_method VARCHAR: How item_at was obtained: heuristic (read from the ID), none (NULL).
-- is_copied BOOLEAN: Whether the item was born in another conversation and keeps the time it had there; NULL if the IDs
--   do not tell.
-- is_time_usable BOOLEAN: Whether item_at may be measured with: it is there, and the item is not known to be copied.
-- is_id_synthetic BOOLEAN: Whether item_id is ours, because the item came without one.
-- content_hash VARCHAR: SHA-256 of the item's text without what changes on every read.
-- include_set VARCHAR: What include[] asked for when the item was received: it changes what the item holds.
-- first_seen_at TIMESTAMP: When the item was first received, UTC.
-- last_seen_at TIMESTAMP: When this text of the item was received, UTC.
with live as (
    select i.*, m.role, id_birth_key(i.item_id) <> id_birth_key(i.conversation_id) as is_copied
    from raw.items as i
    left join items.message as m on i.conversation_id = m.conversation_id and i.item_id = m.item_id
    where i.deleted_at is null
)
select
    conversation_id,
    item_id,
    position,
    count(*) filter (where role = 'user') over (partition by conversation_id order by position) as turn_index,
    type,
    case
        when type in ('message', 'reasoning', 'compaction') then type
        when type in (
            'function_call', 'custom_tool_call', 'web_search_call', 'file_search_call', 'image_generation_call',
            'computer_call', 'tool_search_call', 'code_interpreter_call', 'local_shell_call', 'shell_call',
            'apply_patch_call', 'mcp_call', 'program'
        ) then 'call'
        when type in (
            'function_call_output', 'custom_tool_call_output', 'computer_call_output', 'tool_search_output',
            'local_shell_call_output', 'shell_call_output', 'apply_patch_call_output', 'program_output'
        ) then 'output'
        when type in ('mcp_approval_request', 'mcp_approval_response') then 'approval'
        when type in ('mcp_list_tools', 'additional_tools') then 'definition'
        when type = 'configuration_update' then 'configuration'
        else 'unknown'
    end as kind,
    role,
    status,
    coalesce(
        status in ('in_progress', 'searching', 'generating', 'interpreting', 'calling', 'queued'), false
    ) as is_open,
    item_at,
    case when item_at is null then 'none' else 'heuristic' end as item_at_method,
    is_copied,
    item_at is not null and is_copied is not true as is_time_usable,
    is_id_synthetic,
    content_hash,
    include_set,
    first_seen_at,
    last_seen_at
from live
