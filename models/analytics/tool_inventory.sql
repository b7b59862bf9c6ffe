-- Grain: one row per tool and version of its definition, and one per tool for calls that no definition precedes.
-- Question: which tools are offered but unused, used but not defined, or changed over time?
--
-- **Definitions** are read from live items: the tools of mcp_list_tools (`items.mcp_list_tools__tools`), of
-- tool_search_output and of additional_tools (`items.tool_search_output__tools`, `items.additional_tools__tools`).
-- Tools that were given with a request leave no item, so that a tool without a definition is nothing wrong by itself.
--
-- Which tool a definition defines, in the words of tool in `analytics.tool_calls`: an element of mcp_list_tools
-- `mcp:<server_label>.<name>` (server_label of the item). Of the other two, by type of the element: function
-- `function:<name>`; custom `custom:<name>`; namespace: each element of its list tools whose own type is function or
-- custom, `function:<namespace>.<name>` or `custom:<namespace>.<name>` with the name of the namespace; file_search,
-- image_generation, code_interpreter, local_shell, shell, apply_patch, tool_search: that word; web_search and every
-- type that begins with `web_search_`: web_search; computer and computer_use_preview: computer;
-- programmatic_tool_calling: program. A missing or empty name or server_label is written `(none)`, a namespace without
-- a name is none (`function:<name>`). Elements of other types (mcp, which defines a server, and unknown ones), of no
-- type, and that are no objects, define nothing.
--
-- **definition_hash** is the SHA-256 (hex) of a text. For an element of mcp_list_tools: name, newline, description,
-- newline, input_schema, newline, annotations; the last two as JSON; what is missing or null is the empty string. For
-- the others: the element (for a namespace: the inner element) as JSON. JSON is written without white space between its
-- parts, keys in the order as received, characters not escaped that need not be. Versions are told apart by this hash:
-- one tool, one hash, one version, wherever it is defined. The same definition with its keys in another order is
-- another version.
--
-- **definition_count** counts elements (an item may define a tool twice); first_defined_at and last_defined_at are the
-- least and greatest usable times (see `analytics.items`) of the defining items, NULL if none has one;
-- timed_definition_count counts the elements whose item has one. version_index numbers the versions of a tool from 1 by
-- first_defined_at, NULL last, then by definition_hash; is_latest: the greatest version_index. sources: the different
-- types of the defining items, sorted. description and definition are those of the version's first element: by
-- first_seen_at of the item, conversation_id, position, index of the element in its list, index within a namespace; for
-- mcp_list_tools definition is NULL, its parts are in the typed table.
--
-- **Calls** are rows of `analytics.tool_calls`. Each belongs to the version in force: that of the last definition of
-- the same tool in the same conversation before the call (by position, then by index in the list, then within a
-- namespace). Calls without any belong to the row of their tool whose definition_hash is NULL; that row exists only if
-- there are such calls. So call_count of all rows adds up to all calls.
--
-- Columns
-- tool VARCHAR: The tool, as in analytics.tool_calls.
-- family VARCHAR: Family of the tool: the word before the colon.
-- tool_name VARCHAR: Name of a function, custom tool or tool of an MCP server; NULL for tools of the API itself.
-- namespace VARCHAR: Namespace of a function or custom tool; NULL if it has none.
-- server_label VARCHAR: Name of the MCP server; NULL for other families.
-- definition_hash VARCHAR: SHA-256 of the definition, hex; NULL in the row for calls that no definition precedes.
-- version_index BIGINT: Which version of the tool's definition, in order of first sight, from 1; NULL in that row.
-- version_count BIGINT: Different definitions of the tool; 0 if there is none.
-- is_latest BOOLEAN: Whether it is the version that appeared last; false in that row.
-- is_changed BOOLEAN: Whether the tool has more than one version.
-- is_unused BOOLEAN: Whether the tool is never called, in any conversation.
-- is_undefined BOOLEAN: Whether it is the row for calls that no definition precedes.
-- definition_count BIGINT: How often this definition was given.
-- defining_conversation_count BIGINT: In how many conversations.
-- first_defined_at TIMESTAMP: When it was first given, UTC; NULL if no usable time is there.
-- last_defined_at TIMESTAMP: When it was last given, UTC; NULL if no usable time is there.
-- timed_definition_count BIGINT: Of definition_count, those with a usable time: the coverage of both.
-- sources VARCHAR[]: Types of the items that gave it: additional_tools, mcp_list_tools, tool_search_output; empty in
--   that row.
-- call_count BIGINT: Calls while this version was in force; in that row, calls that no definition precedes.
-- calling_conversation_count BIGINT: Different conversations with such a call.
-- tool_call_count BIGINT: Calls of the tool in all, the same in all its rows: not to be added up.
-- description VARCHAR: What the tool is for, as the model is told.
-- definition JSON: The definition; NULL for tools of MCP servers and in that row.
with
-- Elements of lists of tools; namespaces are replaced by what is in them.
given as (
    select conversation_id, item_id, tools_index, type, name, description, definition
    from items.tool_search_output__tools
    union all
    select conversation_id, item_id, tools_index, type, name, description, definition
    from items.additional_tools__tools
),
inner_lists as (
    select
        conversation_id,
        item_id,
        tools_index,
        name as namespace,
        case when json_type(definition, '$.tools') = 'ARRAY' then from_json(definition -> '$.tools', '["JSON"]') end
            as tools
    from given
    where type = 'namespace'
),
inner_tools as (
    select
        * exclude (tools),
        generate_subscripts(tools, 1) - 1 as inner_index,
        unnest(tools) as definition
    from inner_lists
),
typed as (
    select
        g.* exclude (name),
        case
            when type in ('computer', 'computer_use_preview') then 'computer'
            when type = 'web_search' or starts_with(type, 'web_search_') then 'web_search'
            when type = 'programmatic_tool_calling' then 'program'
            when type in (
                'function', 'custom', 'file_search', 'image_generation', 'code_interpreter', 'local_shell', 'shell',
                'apply_patch', 'tool_search'
            ) then type
        end as family,
        case when type in ('function', 'custom') then nullif(name, '') end as tool_name,
        definition::varchar as definition_text
    from given as g
    union all by name
    select
        * exclude (namespace),
        nullif(namespace, '') as namespace,
        case when definition ->> '$.type' in ('function', 'custom') then definition ->> '$.type' end as family,
        case when json_type(definition, '$.name') = 'VARCHAR' then nullif(definition ->> '$.name', '') end as tool_name,
        case when json_type(definition, '$.description') = 'VARCHAR' then definition ->> '$.description' end
            as description,
        definition::varchar as definition_text
    from inner_tools
    union all by name
    select
        t.conversation_id,
        t.item_id,
        t.tools_index,
        'mcp' as family,
        nullif(l.server_label, '') as server_label,
        nullif(t.name, '') as tool_name,
        t.description,
        concat(t.name, chr(10), t.description, chr(10), t.input_schema, chr(10), t.annotations) as definition_text
    from items.mcp_list_tools__tools as t
    inner join items.mcp_list_tools as l using (conversation_id, item_id)
),
definitions as (
    select
        d.* exclude (type, definition_text),
        tool_word(d.family, d.namespace, d.server_label, d.tool_name) as tool,
        sha256(d.definition_text) as definition_hash,
        i.position,
        i.type as source,
        case when i.is_time_usable then i.item_at end as defined_at,
        {
            'first_seen_at': i.first_seen_at,
            'conversation_id': d.conversation_id,
            'position': i.position,
            'tools_index': d.tools_index,
            'inner_index': coalesce(d.inner_index, 0)
        } as place
    from typed as d
    inner join analytics.items as i using (conversation_id, item_id)
    where d.family is not null
),
versions as (
    select
        tool,
        definition_hash,
        min(family) as family,
        min(tool_name) as tool_name,
        min(namespace) as namespace,
        min(server_label) as server_label,
        count(*) as definition_count,
        count(distinct conversation_id) as defining_conversation_count,
        min(defined_at) as first_defined_at,
        max(defined_at) as last_defined_at,
        count(defined_at) as timed_definition_count,
        list_sort(list(distinct source)) as sources,
        arg_min_null(description, place) as description,
        arg_min_null(definition, place) as definition
    from definitions
    group by all
),

-- Each call with the definition that was in force.
last_definitions as (
    select conversation_id, tool, position, definition_hash
    from definitions
    qualify row_number() over (partition by conversation_id, tool, position order by place desc) = 1
),
calls as (
    select c.tool, c.family, c.tool_name, c.namespace, c.server_label, c.conversation_id, d.definition_hash
    from analytics.tool_calls as c
    asof left join last_definitions as d
        on c.conversation_id = d.conversation_id and c.tool = d.tool and c.position > d.position
),
uses as (
    select
        tool,
        definition_hash,
        min(family) as family,
        min(tool_name) as tool_name,
        min(namespace) as namespace,
        min(server_label) as server_label,
        count(*) as call_count,
        count(distinct conversation_id) as calling_conversation_count
    from calls
    group by all
),
inventory as (
    select
        tool,
        definition_hash,
        coalesce(v.family, u.family) as family,
        coalesce(v.tool_name, u.tool_name) as tool_name,
        coalesce(v.namespace, u.namespace) as namespace,
        coalesce(v.server_label, u.server_label) as server_label,
        v.* exclude (tool, definition_hash, family, tool_name, namespace, server_label),
        coalesce(u.call_count, 0) as call_count,
        coalesce(u.calling_conversation_count, 0) as calling_conversation_count,
        (sum(coalesce(u.call_count, 0)) over of_tool)::bigint as tool_call_count,
        count(v.definition_hash) over of_tool as version_count,
        case when definition_hash is not null then row_number() over (
            partition by tool, definition_hash is null order by v.first_defined_at nulls last, definition_hash
        ) end as version_index
    from versions as v
    full join uses as u using (tool, definition_hash)
    window of_tool as (partition by tool)
)
select
    tool,
    family,
    tool_name,
    namespace,
    server_label,
    definition_hash,
    version_index,
    version_count,
    coalesce(version_index = version_count, false) as is_latest,
    version_count > 1 as is_changed,
    tool_call_count = 0 as is_unused,
    definition_hash is null as is_undefined,
    coalesce(definition_count, 0) as definition_count,
    coalesce(defining_conversation_count, 0) as defining_conversation_count,
    first_defined_at,
    last_defined_at,
    coalesce(timed_definition_count, 0) as timed_definition_count,
    coalesce(sources, []) as sources,
    call_count,
    calling_conversation_count,
    tool_call_count,
    description,
    definition
from inventory
