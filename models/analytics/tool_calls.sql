-- Grain: one row per call of a tool, of any family; and one per approval request whose call was not made (yet).
-- Question: which tools were called, with what, by whom, how did it end, and how long did it take?
-- Snapshot: a table, sorted by conversation_id, position.
--
-- **Rows.** All live items of kind `call` (see `analytics.items`). Beside them the live mcp_approval_request items that
-- no live mcp_call of the same conversation names in approval_request_id: calls that somebody is asked about, or
-- refused. is_made is false for these, true for all others. Only live items of the same conversation are ever looked
-- at. The missing call_id: NULL or the empty string.
--
-- **family, tool.** family is the type without its end `_tool_call` or `_call`: function, custom, web_search,
-- file_search, image_generation, computer, tool_search, code_interpreter, local_shell, shell, apply_patch, mcp; program
-- is program; an approval request is mcp. tool_name is the item's name for function, custom, mcp, and NULL for all
-- others; namespace is that of function and custom calls, server_label that of mcp. tool puts them together:
-- `function:<namespace>.<name>` or `function:<name>` without a namespace, `custom:` in the same way,
-- `mcp:<server_label>.<name>`, else the family alone; a missing name or server_label is written `(none)`. A namespace,
-- server_label or name that is the empty string counts as missing. Two calls are of the same tool if tool is equal.
--
-- **action**: web_search: action_type; computer: action_type, or `several` if it is NULL and there are rows in
-- `items.computer_call__actions`; apply_patch: operation_type; image_generation: action; else NULL.
--
-- **execution** says who runs the tool. client: function, custom, computer, local_shell, apply_patch. hosted:
-- web_search, file_search, image_generation, code_interpreter, mcp, program. tool_search: its field execution (server
-- is hosted, client is client, else NULL). shell: environment_type (local is client, container_reference is hosted,
-- else NULL). execution_method is explicit, or none where execution is NULL.
--
-- **caller**: caller_type and caller_caller_id of the item; NULL for types without these fields and where not said.
--
-- **Arguments** are one text per family. function, mcp and approval requests: arguments; custom: input; program and
-- code_interpreter: code; web_search: for action_type search action_query, or if that is NULL action_queries joined by
-- a newline; open_page action_url; find_in_page action_url, newline, action_pattern (a NULL one is the empty string);
-- other or no action_type NULL; file_search: queries joined by a newline; image_generation: revised_prompt;
-- tool_search: the JSON of arguments without white space between its parts, keys in the order as received, characters
-- not escaped that need not be; local_shell: action_command joined by a newline; shell: action_commands joined by a
-- newline; apply_patch: operation_type, newline, operation_path, newline, operation_diff (NULL ones are empty strings);
-- computer: NULL. An empty list gives the empty string, a list that is NULL or missing, or has only NULL
-- elements, gives NULL; other NULL elements are left out of a join. argument_chars counts code points; arguments_hash
-- is the SHA-256 (hex) of the text's UTF-8 bytes.
-- Both are NULL for NULL. is_json_arguments, for function, mcp and approval requests: `json_valid` of the text, which
-- beside JSON lets trailing commas, NaN and Infinity pass; NULL for other families and for NULL.
--
-- **Output: which items belong together.** An approval request has none: output_method none, output_count 0.
-- web_search, file_search, image_generation, code_interpreter and mcp carry their output in the call: output_item_id is
-- the call's own, output_method explicit, output_count 1. All other families are answered by an item of another type:
-- function_call by function_call_output, custom_tool_call by custom_tool_call_output, computer_call by
-- computer_call_output, tool_search_call by tool_search_output, local_shell_call by local_shell_call_output, shell_call
-- by shell_call_output, apply_patch_call by apply_patch_call_output, program by program_output. They are paired in
-- three passes, per conversation and family:
--
-- 1. By call_id, where both have one: an output belongs to the last call with its call_id before it; if no call with
--    its call_id stands before it, to none (an output without its call). Method explicit. For local_shell the output
--    has no call_id, and its item_id takes that place: it pairs with a call whose call_id is equal to it.
-- 2. By adjacency, for what has no call_id to pair by: calls whose call_id is missing and outputs whose call_id is
--    missing; for local_shell all calls and outputs that pass 1 left unpaired. Taken by position within one turn
--    (turn_index of `analytics.items`), they fall into blocks: a block begins with each call whose
--    direct predecessor among them is an output, or that is the first of them in the turn (outputs before the first
--    call are a block of their own). In a block the n-th output belongs to the n-th call; outputs beyond the last call
--    belong to none. Method heuristic.
-- 3. What is left: a call without output (method none), an output without its call (counted in
--    `analytics.conversation_summary`).
--
-- output_item_id and output_position are of the first output that belongs to the call; output_count counts all of them.
-- "The output" below is that first one.
--
-- **output_chars** counts code points of what came back as text. function, custom: the string, or the sum over the
-- texts of all parts; mcp: output; program: result; local_shell, apply_patch: output; shell: the sum over stdout and
-- stderr of all elements; code_interpreter: the sum over logs; file_search: the sum over the texts of results. NULL
-- without output, for the families web_search, image_generation, computer, tool_search, and where a family's field is
-- NULL or missing, or its list has no row; NULL texts within a list count 0, so parts without any text give 0.
-- **output_payload_bytes** is the sum of the bytes of images and files that came back within the item:
-- image_generation: result; computer: output_image_url; function, custom: image_url and file_data of all parts;
-- code_interpreter: url of all outputs; of these only strings that do not begin with `http`. 0 if there is an output
-- but no such string; NULL without output and for all other families. (The tables keep the length of a string that is
-- too long for them, and such a one never is an address.)
--
-- **outcome** is ok, error, timeout, denied (a person or a policy refused), pending (no outcome yet), or NULL where
-- nothing tells; outcome_method is explicit where a field of the API says it, heuristic where it is told from words or
-- from what is not there, none where outcome is NULL. For each family the first rule that holds decides. "Failure" is
-- the macro `output_failure`, "kind" the macro `failure_kind`. "Open" is a status of is_open. "Cut off" means: no
-- output, and the call's status is `incomplete`: error, explicit, error_type incomplete. "No output" means: pending;
-- explicit if the call's status is open, else heuristic.
--
-- * function, custom: cut off; no output; the output's status is incomplete or failed: error, explicit, error_type that
--   status; the output's status is open: pending, explicit; the output's text (the string, or the non-NULL texts of the
--   parts joined by a newline) is a failure: that word, heuristic, error_type output; there is a text, be it empty: ok,
--   heuristic; else NULL, none.
-- * local_shell: as function, with output as the text.
-- * computer, tool_search: cut off; no output; the output's status is completed: ok, explicit; incomplete or failed:
--   error, explicit, error_type that status; open: pending, explicit; else ok, heuristic (an output is there).
-- * shell: cut off; no output; an element's outcome_type is timeout: timeout, explicit, error_type timeout; an
--   element's outcome_exit_code is not 0: error, explicit, error_type exit_code, error_code the code of the first such
--   element by output_index; an element has outcome_exit_code 0: ok, explicit; the output's status is incomplete or
--   failed: error, explicit, error_type that status; open: pending, explicit; else NULL, none. A command that ends with
--   another code than 0 counts as an error whatever the command means by it.
-- * apply_patch: cut off; no output; the output's status is completed: ok, explicit; failed or incomplete: error,
--   explicit, error_type that status; open: pending, explicit; else NULL, none.
-- * program: cut off; no output; the output's status is incomplete or failed: the kind of result (error if result is
--   NULL), explicit if that is error, else heuristic, error_type that status; completed: ok, explicit; open: pending,
--   explicit; else ok, heuristic.
-- * web_search, file_search: status completed: ok; failed or incomplete: error, error_type that status; open: pending;
--   all explicit; else NULL, none. A search that found nothing is ok.
-- * image_generation: error_code is moderation_blocked: denied; any of error_type, error_code, error_message is not
--   NULL: error; result has bytes (result_bytes > 0): ok, even if the status is open, as it has been seen to stay;
--   status failed or incomplete: error, error_type that status; completed: ok; open: pending; all explicit; else NULL,
--   none. error_type is the item's error_type where that is not NULL, else the status.
-- * code_interpreter: status failed or incomplete: error, explicit, error_type that status; open: pending, explicit;
--   the non-NULL logs, in order of outputs_index and joined by a newline, are a failure, or tell of an exception (the
--   macro `python_error`): error, whatever the kind, heuristic, error_type output; status completed: ok, heuristic (it
--   says that the code ran, not that it did not raise); else NULL, none.
-- * mcp, a call: there is an error (error or error_type is not NULL): timeout if error_type is http_error and
--   error_code is 408 or 504, explicit; else the kind of its words (below), explicit if that is error or there are no
--   words, else heuristic; error_type is the item's, or `text` if the error is a string. Status failed or incomplete:
--   error, explicit, error_type that status; open: pending, explicit; output is not NULL, or status is completed: ok,
--   explicit; else NULL, none.
-- * mcp, an approval request: approval is denied: denied, explicit, error_type approval; else pending, explicit.
--
-- error_type, error_code and error_message are NULL unless outcome is error, timeout or denied. error_code is text:
-- image_generation: error_code; mcp: error_code in decimal; shell: see above; else NULL. error_message, at most its
-- first 200 code points: function, custom, local_shell: the output's text; code_interpreter: the last 200 code points
-- of the joined logs; apply_patch: output; program: result; image_generation: error_message; shell: stderr of the first
-- element that timed out or, if none did, of the first with another exit code than 0; mcp: the words of its error,
-- which are error_message, or error if it is a string, or `$[0].text` of error_content as text; an approval request:
-- reason of the response that decided. NULL where that is NULL or empty.
--
-- **is_failed**: outcome is error or timeout. is_decided: outcome is ok, error or timeout; rates are failed per
-- decided, so that what was refused or still goes on counts on neither side. is_abandoned: outcome is pending, and the
-- conversation has a user message after the call.
--
-- **approval**, of mcp rows; NULL for other families and for calls without an approval_request_id. The request is that
-- named by the call, or the row itself; its response is the last mcp_approval_response that names it: approved if
-- approve is true, denied if false, awaiting if there is no response or approve is NULL. A call that names a request is
-- approved if there is no response.
--
-- **Place.** turn_index as in `analytics.items`. call_index counts the rows of this view in the conversation and
-- turn by position, from 1. step_index, from 1 in each turn, is the round in which the model made the call: a row is in
-- the same step as the row before it if both are in the same turn, both are function_call, custom_tool_call,
-- computer_call, local_shell_call, shell_call or apply_patch_call, and no other live item of any type stands between
-- them; else it begins the next step. step_call_count: rows in that step.
--
-- **latency_ms** is the time of an item at the end less the time of the call, in milliseconds; times as in
-- `analytics.items`, differences of microseconds divided by 1000.0. End: for families that are answered by another
-- item, the output; for the others (not for approval requests) the next live item of any kind in the conversation, if
-- it is in the same turn and is an assistant message, reasoning, or of kind call. NULL if one of the times is NULL or
-- the difference is negative. latency_method: explicit where the output was paired explicitly and is another item;
-- heuristic where it was paired by adjacency, or the next item stands for the end; none where latency_ms is NULL. It is
-- from when the call was begun to when what came next was begun: for a client's tool it includes writing the arguments
-- and the client's pause, for a hosted one what the model thought before it went on.
--
-- **retry_of**, within one conversation and turn, among rows with is_made. First: the latest earlier row of the same
-- tool with the same arguments_hash (not NULL), if it is in an earlier step and is_failed: explicit. Otherwise, for the
-- families function, custom, mcp, web_search, file_search, image_generation, tool_search, apply_patch: the latest
-- earlier row of the same tool (apply_patch: and the same operation_path, NULL being equal to NULL), if it is in an
-- earlier step and is_failed: heuristic. Otherwise NULL: none. "Latest earlier row" is found first and then tested; if
-- it fails the test, no other is tried. A command that is run again after something was mended counts as a retry as
-- well.
--
-- Columns
-- conversation_id VARCHAR: The conversation that the call is in.
-- item_id VARCHAR: The call, or the approval request.
-- position BIGINT: Ordinal of the item in its conversation; gaps mean nothing, order does.
-- type VARCHAR: The item's type, in the API's word.
-- family VARCHAR: Family of the tool: function, custom, web_search, file_search, image_generation, computer,
--   tool_search, code_interpreter, local_shell, shell, apply_patch, mcp, program.
-- tool VARCHAR: The tool, as one word: its family, or family, namespace or server, and name, as in
--   function:billing.refund.
-- tool_name VARCHAR: Name of a function, custom tool or tool of an MCP server; NULL for tools of the API itself.
-- namespace VARCHAR: Namespace of a function or custom tool; NULL if it has none.
-- server_label VARCHAR: Name of the MCP server; NULL for other families.
-- action VARCHAR: What kind of step it was, where a tool has several: of web_search, computer, apply_patch,
--   image_generation; else NULL.
-- execution VARCHAR: Who runs the tool: hosted (the API) or client; NULL where nothing tells.
-- execution_method VARCHAR: How execution was obtained: explicit (by type or a field), none.
-- caller_type VARCHAR: What made the call: direct (the model) or program; NULL where the API does not say.
-- caller_call_id VARCHAR: The call_id of the program that made the call; NULL if none did.
-- call_id VARCHAR: What pairs the call with its output; NULL if it has none.
-- status VARCHAR: The call's own status, in the API's word; NULL if it has none.
-- turn_index BIGINT: The turn: user messages up to the call; 0 before the first.
-- step_index BIGINT: The model's round within the turn, from 1; calls made at once share it.
-- step_call_count BIGINT: Calls in that step: more than 1 were made at once.
-- call_index BIGINT: Place among the calls of the turn, from 1.
-- is_made BOOLEAN: Whether the call was made; false for a request for approval that no call followed.
-- approval VARCHAR: Of MCP calls that were to be approved: approved, denied, awaiting; NULL if nobody was asked.
-- called_at TIMESTAMP: When the call was begun, UTC, read from its ID; NULL if no usable time is there.
-- argument_chars BIGINT: Characters of the arguments; NULL if the family has none.
-- arguments_hash VARCHAR: SHA-256 of the arguments, hex: equal for equal text.
-- is_json_arguments BOOLEAN: Whether the arguments of a function or MCP tool are valid JSON; NULL for other families.
-- output_item_id VARCHAR: The item that holds the output, which may be the call itself; NULL if there is none.
-- output_position BIGINT: Position of that item.
-- output_method VARCHAR: How the output was found: explicit (call_id, or in the call), heuristic (adjacency), none.
-- output_count BIGINT: Output items that belong to the call; more than 1 is unusual.
-- output_chars BIGINT: Characters of the output's text; NULL if there is no output, or it is no text.
-- output_payload_bytes BIGINT: Bytes of images and files within the output, as encoded there; NULL for families that
--   have none.
-- outcome VARCHAR: How it ended: ok, error, timeout, denied, pending; NULL where nothing tells.
-- outcome_method VARCHAR: How outcome was obtained: explicit (a field says so), heuristic (words, or what is missing),
--   none.
-- is_failed BOOLEAN: Whether outcome is error or timeout; false where it is NULL.
-- is_decided BOOLEAN: Whether outcome is ok, error or timeout: the denominator of error rates.
-- is_abandoned BOOLEAN: Whether the call is pending although the user has spoken again.
-- error_type VARCHAR: Kind of the error, in the API's word where it gives one; else the status, exit_code, output,
--   text, timeout or approval.
-- error_code VARCHAR: Code of the error as text: of MCP, image generation, or the exit code of a shell; else NULL.
-- error_message VARCHAR: The error in words, 200 characters at most; NULL if there are none.
-- latency_ms DOUBLE: Milliseconds from the call's begin to its output's, or to what the model did next; NULL if
--   unknown.
-- latency_method VARCHAR: How latency_ms was obtained: explicit (times of call and output), heuristic (paired by
--   adjacency, or the next item), none.
-- retry_of VARCHAR: The failed call, by item_id, that this one repeats in the same turn; NULL if it repeats none.
-- retry_method VARCHAR: How retry_of was found: explicit (same arguments), heuristic (same tool, other arguments),
--   none.
with
spine as (
    select
        conversation_id,
        item_id,
        position,
        turn_index,
        type,
        status,
        is_open,
        turn_index < max(turn_index) over (partition by conversation_id) as is_before_user,
        case when is_time_usable then item_at end as begun_at,
        lead(case when is_time_usable and (kind in ('call', 'reasoning') or role = 'assistant') then item_at end)
            over in_order as model_went_on_at,
        type in (
            'function_call', 'custom_tool_call', 'computer_call', 'local_shell_call', 'shell_call', 'apply_patch_call'
        ) as is_parallel_type,
        is_parallel_type and coalesce(lag(is_parallel_type) over in_order, false) as is_made_with_last
    from analytics.items
    window in_order as (partition by conversation_id order by position)
),

-- What came back as a list, one row per item.
part_outputs as (
    select
        conversation_id,
        item_id,
        string_agg(text, chr(10) order by output_index) as text,
        sum(coalesce(length(text), 0)) as chars,
        sum(
            case when starts_with(image_url, 'http') then 0 else coalesce(image_url_bytes, 0) end
            + case when starts_with(file_data, 'http') then 0 else coalesce(file_data_bytes, 0) end
        ) as payload_bytes
    from (
        from items.function_call_output__output
        union all
        from items.custom_tool_call_output__output
    ) as parts
    group by all
),
shell_outputs as (
    select
        conversation_id,
        item_id,
        sum(coalesce(length(stdout), 0) + coalesce(length(stderr), 0)) as chars,
        coalesce(bool_or(outcome_type = 'timeout'), false) as has_timeout,
        coalesce(bool_or(outcome_exit_code = 0), false) as has_success,
        arg_min(outcome_exit_code, output_index) filter (where outcome_exit_code <> 0) as exit_code,
        arg_min(coalesce(stderr, ''), output_index) filter (where outcome_type = 'timeout') as timeout_words,
        arg_min(coalesce(stderr, ''), output_index) filter (where outcome_exit_code <> 0) as exit_words
    from items.shell_call_output__output
    group by all
),
code_outputs as (
    select
        conversation_id,
        item_id,
        string_agg(logs, chr(10) order by outputs_index) as logs,
        sum(coalesce(length(logs), 0)) as chars,
        sum(case when starts_with(url, 'http') then 0 else coalesce(url_bytes, 0) end) as payload_bytes
    from items.code_interpreter_call__outputs
    group by all
),
file_results as (
    select conversation_id, item_id, sum(coalesce(length(text), 0)) as chars
    from items.file_search_call__results
    group by all
),
several_actions as (
    select distinct conversation_id, item_id, 'several' as word_for_several from items.computer_call__actions
),
approval_responses as (
    select conversation_id, approval_request_id, approve, reason
    from items.mcp_approval_response
    qualify row_number() over (partition by conversation_id, approval_request_id order by position desc) = 1
),

-- Calls that another item answers: one select per family, columns that it lacks are NULL.
answered_calls as (
    select
        'function' as family, conversation_id, item_id, position, name, namespace, call_id, 'client' as execution,
        caller_type, caller_caller_id, arguments
    from items.function_call
    union all by name
    select
        'custom' as family, conversation_id, item_id, position, name, namespace, call_id, 'client' as execution,
        caller_type, caller_caller_id, input as arguments
    from items.custom_tool_call
    union all by name
    select
        'computer' as family, conversation_id, item_id, position, call_id, 'client' as execution,
        coalesce(action_type, word_for_several) as action
    from items.computer_call
    left join several_actions using (conversation_id, item_id)
    union all by name
    select
        'tool_search' as family, conversation_id, item_id, position, call_id,
        case execution when 'server' then 'hosted' when 'client' then 'client' end as execution,
        arguments::varchar as arguments
    from items.tool_search_call
    union all by name
    select
        'local_shell' as family, conversation_id, item_id, position, call_id, 'client' as execution,
        array_to_string(action_command, chr(10)) as arguments
    from items.local_shell_call
    union all by name
    select
        'shell' as family, conversation_id, item_id, position, call_id,
        case environment_type when 'local' then 'client' when 'container_reference' then 'hosted' end as execution,
        caller_type, caller_caller_id, array_to_string(action_commands, chr(10)) as arguments
    from items.shell_call
    union all by name
    select
        'apply_patch' as family, conversation_id, item_id, position, call_id, 'client' as execution,
        caller_type, caller_caller_id, operation_type as action, operation_path,
        concat(operation_type, chr(10), operation_path, chr(10), operation_diff) as arguments
    from items.apply_patch_call
    union all by name
    select
        'program' as family, conversation_id, item_id, position, call_id, 'hosted' as execution, code as arguments
    from items.program
),

text_outputs as (
    select
        o.*,
        coalesce(o.output, p.text) as text,
        coalesce(length(o.output), p.chars) as output_chars,
        case when o.family <> 'local_shell' then coalesce(p.payload_bytes, 0) end as output_payload_bytes
    from (
        select 'function' as family, conversation_id, item_id, position, call_id, output
        from items.function_call_output
        union all
        select 'custom' as family, conversation_id, item_id, position, call_id, output
        from items.custom_tool_call_output
        union all
        select 'local_shell' as family, conversation_id, item_id, position, item_id as call_id, output
        from items.local_shell_call_output
    ) as o
    left join part_outputs as p using (conversation_id, item_id)
),

-- What answers them, and what it tells: by fields that go before its status, by status, by signs that come after.
outputs as (
    select
        family, conversation_id, item_id, position, call_id, output_chars, output_payload_bytes,
        left(text, 200) as words,
        case when text is not null then coalesce(output_failure(text), 'ok') end as outcome_by_signs
    from text_outputs
    union all by name
    select
        'computer' as family, conversation_id, item_id, position, call_id, true as is_completed_ok,
        case when starts_with(output_image_url, 'http') then 0 else coalesce(output_image_url_bytes, 0) end
            as output_payload_bytes,
        'ok' as outcome_by_signs
    from items.computer_call_output
    union all by name
    select
        'tool_search' as family, conversation_id, item_id, position, call_id, true as is_completed_ok,
        'ok' as outcome_by_signs
    from items.tool_search_output
    union all by name
    select
        'shell' as family, conversation_id, item_id, position, call_id, chars as output_chars,
        case
            when has_timeout then 'timeout'
            when exit_code is not null then 'error'
            when has_success then 'ok'
        end as outcome_by_fields,
        case when has_timeout then 'timeout' else 'exit_code' end as error_type,
        case when not has_timeout then exit_code end::varchar as error_code,
        coalesce(timeout_words, exit_words) as words
    from items.shell_call_output
    left join shell_outputs using (conversation_id, item_id)
    union all by name
    select
        'apply_patch' as family, conversation_id, item_id, position, call_id, true as is_completed_ok,
        left(output, 200) as words, length(output) as output_chars
    from items.apply_patch_call_output
    union all by name
    select
        'program' as family, conversation_id, item_id, position, call_id, true as is_completed_ok,
        left(result, 200) as words, length(result) as output_chars,
        case when status in ('incomplete', 'failed') then nullif(failure_kind(result), 'error') end
            as outcome_by_fields,
        'heuristic' as fields_method, status as error_type, 'ok' as outcome_by_signs
    from items.program_output
),

mcp_calls as (
    select
        *,
        coalesce(error, error_type) is not null as is_error,
        coalesce(error_type = 'http_error' and error_code in (408, 504), false) as is_timeout,
        coalesce(error_message, error, error_content ->> '$[0].text') as words
    from items.mcp_call
),

-- Calls that hold what came back themselves, in the columns of both.
whole_calls as (
    select
        'web_search' as family, conversation_id, item_id, position, 'hosted' as execution, action_type as action,
        case action_type
            when 'search' then coalesce(action_query, array_to_string(action_queries, chr(10)))
            when 'open_page' then action_url
            when 'find_in_page' then concat(action_url, chr(10), action_pattern)
        end as arguments,
        true as is_completed_ok
    from items.web_search_call
    union all by name
    select
        'file_search' as family, conversation_id, item_id, position, 'hosted' as execution,
        array_to_string(queries, chr(10)) as arguments, true as is_completed_ok, chars as output_chars
    from items.file_search_call
    left join file_results using (conversation_id, item_id)
    union all by name
    select
        'image_generation' as family, conversation_id, item_id, position, 'hosted' as execution, action,
        revised_prompt as arguments, true as is_completed_ok,
        case when starts_with(result, 'http') then 0 else coalesce(result_bytes, 0) end as output_payload_bytes,
        case
            when error_code = 'moderation_blocked' then 'denied'
            when coalesce(error_type, error_code, error_message) is not null then 'error'
            when result_bytes > 0 then 'ok'
        end as outcome_by_fields,
        coalesce(error_type, status) as error_type, error_code, error_message as words
    from items.image_generation_call
    union all by name
    select
        'code_interpreter' as family, conversation_id, item_id, position, 'hosted' as execution, code as arguments,
        chars as output_chars, coalesce(payload_bytes, 0) as output_payload_bytes, right(logs, 200) as words,
        case
            when output_failure(logs) is not null or python_error(logs) is not null then 'error'
            when status = 'completed' then 'ok'
        end as outcome_by_signs
    from items.code_interpreter_call
    left join code_outputs using (conversation_id, item_id)
    union all by name
    select
        'mcp' as family, conversation_id, item_id, position, name, server_label, 'hosted' as execution, arguments,
        approval_request_id, true as is_completed_ok, length(output) as output_chars,
        words,
        case
            when not is_error then null
            when is_timeout then 'timeout'
            else coalesce(failure_kind(words), 'error')
        end as outcome_by_fields,
        case when is_timeout or outcome_by_fields = 'error' then 'explicit' else 'heuristic' end as fields_method,
        coalesce(error_type, 'text') as error_type, error_code::varchar as error_code,
        case when output is not null then 'ok' end as outcome_by_signs, 'explicit' as signs_method
    from mcp_calls
    union all by name
    select
        'mcp' as family, r.conversation_id, r.item_id, r.position, r.name, r.server_label, 'hosted' as execution,
        r.arguments, r.item_id as approval_request_id, 'approval' as error_type, a.reason as words,
        case when a.approve = false then 'denied' else 'pending' end as outcome_by_fields
    from items.mcp_approval_request as r
    anti join items.mcp_call as c on r.conversation_id = c.conversation_id and r.item_id = c.approval_request_id
    left join approval_responses as a
        on r.conversation_id = a.conversation_id and r.item_id = a.approval_request_id
),

-- Which output belongs to which call: by call_id, else by their places between one another.
exchanged as (
    select family, conversation_id, item_id, position, nullif(call_id, '') as call_id, true as is_call
    from answered_calls
    union all
    select family, conversation_id, item_id, position, nullif(call_id, '') as call_id, false as is_call
    from outputs
),
matched as (
    select
        e.*,
        s.turn_index,
        case when call_id is not null then max(position) filter (where is_call) over same_call_id end as call_position,
        call_id is not null and coalesce(not lead(is_call) over same_call_id, false) as is_answered
    from exchanged as e
    inner join spine as s using (conversation_id, item_id, position)
    window same_call_id as (partition by conversation_id, family, call_id order by position)
),
unmatched as (
    select *, is_call and coalesce(not lag(is_call) over in_turn, true) as is_begin_of_block
    from matched
    where call_id is null or family = 'local_shell' and not is_answered and (is_call or call_position is null)
    window in_turn as (partition by conversation_id, family, turn_index order by position)
),
blocks as (
    select
        *,
        count(*) filter (where is_begin_of_block)
            over (partition by conversation_id, family, turn_index order by position) as block_index
    from unmatched
),
places as (
    select
        *,
        row_number() over (partition by conversation_id, family, turn_index, block_index, is_call order by position)
            as place
    from blocks
),
pairs as (
    select conversation_id, call_position, position as output_position, 'explicit' as output_method
    from matched
    where not is_call and call_position is not null
    union all
    select o.conversation_id, c.position as call_position, o.position as output_position, 'heuristic' as output_method
    from places as o
    inner join places as c using (conversation_id, family, turn_index, block_index, place)
    where c.is_call and not o.is_call
),
first_outputs as (
    select
        conversation_id,
        call_position,
        min(output_position) as output_position,
        min(output_method) as output_method,
        count(*) as output_count
    from pairs
    group by all
),

-- All calls with what came back, and by which rule that tells the outcome.
calls as (
    select
        c.*,
        true as is_answered_by_item,
        o.item_id as result_item_id,
        coalesce(f.output_method, 'none') as output_method,
        coalesce(f.output_count, 0) as output_count,
        o.* exclude (family, conversation_id, item_id, position, call_id)
    from answered_calls as c
    left join first_outputs as f on c.conversation_id = f.conversation_id and c.position = f.call_position
    left join outputs as o on c.conversation_id = o.conversation_id and f.output_position = o.position
    union all by name
    select *, false as is_answered_by_item, item_id as result_item_id, 'explicit' as output_method, 1 as output_count
    from whole_calls
),
ruled as (
    select
        c.* exclude (name, namespace, server_label, call_id, approval_request_id, arguments),
        nullif(c.name, '') as tool_name,
        nullif(c.namespace, '') as namespace,
        nullif(c.server_label, '') as server_label,
        nullif(c.call_id, '') as call_id,
        length(c.arguments) as argument_chars,
        sha256(c.arguments) as arguments_hash,
        case when c.family in ('function', 'mcp') then json_valid(c.arguments) end as is_json_arguments,
        tool_word(c.family, nullif(c.namespace, ''), nullif(c.server_label, ''), nullif(c.name, '')) as tool,
        s.type,
        s.status,
        s.is_open,
        s.turn_index,
        s.is_before_user,
        s.is_made_with_last,
        s.begun_at,
        s.type <> 'mcp_approval_request' as is_made,
        case when c.is_answered_by_item then r.begun_at when is_made then s.model_went_on_at end as ended_at,
        case
            when c.approval_request_id is null then null
            when a.approve then 'approved'
            when not a.approve then 'denied'
            when is_made and a.approval_request_id is null then 'approved'
            else 'awaiting'
        end as approval,
        r.position as result_position,
        r.status as result_status,
        case
            when r.item_id is null and s.status = 'incomplete' then 'cut off'
            when r.item_id is null then 'no output'
            when c.outcome_by_fields is not null then 'fields'
            when r.status in ('incomplete', 'failed') then 'failed status'
            when r.is_open then 'open status'
            when r.status = 'completed' and c.is_completed_ok then 'completed status'
            when c.outcome_by_signs is not null then 'signs'
        end as rule
    from calls as c
    inner join spine as s using (conversation_id, item_id, position)
    left join spine as r on c.conversation_id = r.conversation_id and c.result_item_id = r.item_id
    left join approval_responses as a
        on c.conversation_id = a.conversation_id and c.approval_request_id = a.approval_request_id
),
judged as (
    select
        *,
        case rule
            when 'cut off' then 'error'
            when 'no output' then 'pending'
            when 'fields' then outcome_by_fields
            when 'failed status' then 'error'
            when 'open status' then 'pending'
            when 'completed status' then 'ok'
            when 'signs' then outcome_by_signs
        end as outcome,
        case
            when rule is null then 'none'
            when rule = 'no output' and not is_open then 'heuristic'
            when rule = 'fields' then coalesce(fields_method, 'explicit')
            when rule = 'signs' then coalesce(signs_method, 'heuristic')
            else 'explicit'
        end as outcome_method,
        coalesce(outcome in ('error', 'timeout'), false) as is_failed,
        coalesce(outcome in ('error', 'timeout', 'denied'), false) as is_error_told,
        case rule
            when 'cut off' then status
            when 'fields' then error_type
            when 'failed status' then result_status
            when 'signs' then 'output'
        end as kind_of_error,
        epoch_us(ended_at) - epoch_us(begun_at) as latency_us
    from ruled
),

-- Where the call stands in its turn, and which failed call it repeats.
placed as (
    select
        *,
        row_number() over in_turn as call_index,
        count(*) filter (where not is_made_with_last) over in_turn as step_index
    from judged
    window in_turn as (partition by conversation_id, turn_index order by position)
),
compared as (
    select
        *,
        count(*) over (partition by conversation_id, turn_index, step_index) as step_call_count,
        lag({'item_id': item_id, 'step_index': step_index, 'is_failed': is_failed}) over same_arguments as same_call,
        lag({'item_id': item_id, 'step_index': step_index, 'is_failed': is_failed}) over same_target as same_tool_call
    from placed
    window
        same_arguments as (partition by conversation_id, turn_index, tool, is_made, arguments_hash order by position),
        same_target as (partition by conversation_id, turn_index, tool, is_made, operation_path order by position)
),
repeated as (
    select
        *,
        case
            when not is_made then null
            when arguments_hash is not null and same_call.is_failed and same_call.step_index < step_index
            then 'explicit'
            when same_tool_call.is_failed and same_tool_call.step_index < step_index and family in (
                'function', 'custom', 'mcp', 'web_search', 'file_search', 'image_generation', 'tool_search',
                'apply_patch'
            ) then 'heuristic'
        end as retry_method
    from compared
)
select
    conversation_id,
    item_id,
    position,
    type,
    family,
    tool,
    tool_name,
    namespace,
    server_label,
    action,
    execution,
    case when execution is null then 'none' else 'explicit' end as execution_method,
    caller_type,
    caller_caller_id as caller_call_id,
    call_id,
    status,
    turn_index,
    step_index,
    step_call_count,
    call_index,
    is_made,
    approval,
    begun_at as called_at,
    argument_chars,
    arguments_hash,
    is_json_arguments,
    case when is_made then result_item_id end as output_item_id,
    case when is_made then result_position end as output_position,
    case when is_made then output_method else 'none' end as output_method,
    case when is_made then output_count else 0 end as output_count,
    output_chars::bigint as output_chars,
    output_payload_bytes::bigint as output_payload_bytes,
    outcome,
    outcome_method,
    is_failed,
    coalesce(outcome in ('ok', 'error', 'timeout'), false) as is_decided,
    coalesce(outcome = 'pending' and is_before_user, false) as is_abandoned,
    case when is_error_told then kind_of_error end as error_type,
    case when is_error_told then error_code end as error_code,
    case when is_error_told then nullif(left(words, 200), '') end as error_message,
    case when latency_us >= 0 then latency_us / 1000.0 end as latency_ms,
    case
        when latency_us is null or latency_us < 0 then 'none'
        when is_answered_by_item then output_method
        else 'heuristic'
    end as latency_method,
    case retry_method
        when 'explicit' then same_call.item_id
        when 'heuristic' then same_tool_call.item_id
    end as retry_of,
    coalesce(retry_method, 'none') as retry_method
from repeated
