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
-- programmatic_tool_calling: program. A missing or empty name or server_label is written `(none)`. Elements of other
-- types (mcp, which defines a server, and unknown ones), of no type, and that are no objects, define nothing.
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
select null::VARCHAR as tool, null::VARCHAR as family, null::VARCHAR as tool_name, null::VARCHAR as namespace,
null::VARCHAR as server_label, null::VARCHAR as definition_hash, null::BIGINT as version_index, null::BIGINT as
version_count, null::BOOLEAN as is_latest, null::BOOLEAN as is_changed, null::BOOLEAN as is_unused, null::BOOLEAN as
is_undefined, null::BIGINT as definition_count, null::BIGINT as defining_conversation_count, null::TIMESTAMP as
first_defined_at, null::TIMESTAMP as last_defined_at, null::BIGINT as timed_definition_count, null::VARCHAR[] as
sources, null::BIGINT as call_count, null::BIGINT as calling_conversation_count, null::BIGINT as tool_call_count,
null::VARCHAR as description, null::JSON as definition where false
