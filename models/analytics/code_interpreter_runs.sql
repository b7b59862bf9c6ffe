-- Grain: one row per run of the code interpreter: a live code_interpreter_call item.
-- Question: what code does the model run, with which libraries, how does it fail, and is it mended?
--
-- Rows of `analytics.tool_calls` of family code_interpreter; position, turn_index, status, called_at, outcome,
-- outcome_method, is_failed, error_message, latency_ms and latency_method are those of that view. Runs are ordered by
-- position.
--
-- **Code.** code_chars counts code points, code_line_count the newlines in it and one more (0 for the empty string);
-- both are NULL where code is. code_hash is arguments_hash of `analytics.tool_calls`. imports are the modules that the
-- code imports, by the macro `python_imports`: their top-level names, each once, in order of code points; NULL where
-- code is. It reads line by line and not as Python does: an import behind a semicolon or within `exec` is missed, one
-- in a text of several lines is taken for real. imports_method is heuristic, or none where imports is NULL. In the 22
-- runs of public recordings it finds what Python's own parser finds.
--
-- **Outputs** are the rows of `items.code_interpreter_call__outputs`. is_output_asked: include_set of `analytics.items`
-- names code_interpreter_call.outputs; without it the API gives none, and nothing tells how the run ended. log_count
-- and image_count are those of type logs and image; log_chars is the length of all logs; image_bytes those of the
-- images within the item (output_payload_bytes of `analytics.tool_calls`), which images with an address do not add to.
-- cited_file_count is how many different files (file_id, not NULL) messages cite, by annotations of type
-- container_file_citation with the run's container_id (not NULL), after the run and before the next run in the same
-- container in the conversation: the API does not say which run made a file. cited_file_count_method is heuristic, or
-- none where container_id is NULL (and the count 0).
--
-- **error_class** is the class of the exception that the run's logs end with, by the macro `python_error` over the
-- non-NULL logs in order of outputs_index, joined by a newline; NULL if it finds none, or the run is not is_failed.
-- error_class_method is heuristic, or none where error_class is NULL. No run of the recordings comes with logs, so how
-- often it is right is told by the forms that Python and IPython are known to write; of the 329 outputs of tools that
-- the recordings have, it takes none for an exception of Python that is not one.
--
-- **rerun_of** is an earlier run of the same conversation: first, the latest with the same code_hash (not NULL), if
-- there is one: explicit. Otherwise the run directly before it, if it is in the same turn and is_failed: heuristic, for
-- the code is another. Otherwise NULL: none. is_retry: rerun_of is a run that is_failed. is_mended, of a run that
-- is_failed: a later run of the same turn has outcome ok; false for others. attempt_index counts the runs of the turn
-- from 1.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- item_id VARCHAR: The run.
-- position BIGINT: Ordinal of the item in its conversation; gaps mean nothing, order does.
-- turn_index BIGINT: The turn; 0 before the first user message.
-- attempt_index BIGINT: Place among the runs of the turn, from 1.
-- container_id VARCHAR: The container that it ran in.
-- status VARCHAR: The run's own status, in the API's word; NULL if it has none.
-- called_at TIMESTAMP: When the run was begun, UTC, read from its ID; NULL if no usable time is there.
-- code_chars BIGINT: Characters of the code; NULL if there is none.
-- code_line_count BIGINT: Lines of the code; NULL if there is none.
-- code_hash VARCHAR: SHA-256 of the code, hex: equal for equal code.
-- imports VARCHAR[]: Modules that the code imports, by their top-level names; NULL without code.
-- imports_method VARCHAR: How imports was obtained: heuristic (read from the code's lines), none.
-- is_output_asked BOOLEAN: Whether include[] asked for outputs when the item was received: the coverage of all about
--   them.
-- log_count BIGINT: Outputs of type logs.
-- log_chars BIGINT: Characters of all logs.
-- image_count BIGINT: Outputs of type image.
-- image_bytes BIGINT: Bytes of the images that came within the item, as encoded there.
-- cited_file_count BIGINT: Files of the container that messages cite before its next run.
-- cited_file_count_method VARCHAR: How cited_file_count was obtained: heuristic (by place), none (no container).
-- outcome VARCHAR: How it ended: ok, error, pending; NULL where nothing tells.
-- outcome_method VARCHAR: How outcome was obtained: explicit (status), heuristic (logs), none.
-- is_failed BOOLEAN: Whether outcome is error; false where it is NULL.
-- error_class VARCHAR: Class of the exception that ended it, as in ValueError; NULL if none is told.
-- error_class_method VARCHAR: How error_class was obtained: heuristic (read from the logs), none.
-- error_message VARCHAR: The last 200 characters of the logs of a run that failed; NULL if there are none.
-- rerun_of VARCHAR: The earlier run, by item_id, that this one repeats; NULL if it repeats none.
-- rerun_of_method VARCHAR: How rerun_of was found: explicit (same code), heuristic (the failed run before), none.
-- is_retry BOOLEAN: Whether the run that it repeats failed.
-- is_mended BOOLEAN: Whether it failed, and a later run of the turn went well.
-- latency_ms DOUBLE: Milliseconds from its begin to what the model did next; NULL if unknown.
-- latency_method VARCHAR: How latency_ms was obtained: heuristic, none.
with
output_figures as (
    select
        conversation_id,
        item_id,
        string_agg(logs, chr(10) order by outputs_index) as logs,
        count(*) filter (where type = 'logs') as log_count,
        sum(length(logs)) as log_chars,
        count(*) filter (where type = 'image') as image_count
    from items.code_interpreter_call__outputs
    group by all
),
runs as (
    select
        t.*,
        r.container_id,
        r.code,
        o.* exclude (conversation_id, item_id),
        coalesce(contains(i.include_set, 'code_interpreter_call.outputs'), false) as is_output_asked,
        row_number() over in_turn as attempt_index,
        t.is_failed
        and coalesce(max(t.position) filter (where t.outcome = 'ok') over all_of_turn > t.position, false) as is_mended,
        lag({'item_id': t.item_id, 'is_failed': t.is_failed}) over in_turn as run_before,
        case
            when t.arguments_hash is not null
            then lag({'item_id': t.item_id, 'is_failed': t.is_failed}) over same_code
        end as same_run
    from analytics.tool_calls as t
    inner join items.code_interpreter_call as r using (conversation_id, item_id)
    inner join analytics.items as i using (conversation_id, item_id)
    left join output_figures as o using (conversation_id, item_id)
    window
        in_turn as (partition by t.conversation_id, t.turn_index order by t.position),
        all_of_turn as (partition by t.conversation_id, t.turn_index),
        same_code as (partition by t.conversation_id, t.arguments_hash order by t.position)
),
citations as (
    select a.conversation_id, i.position, a.container_id, a.file_id
    from items.message__content__annotations as a
    inner join analytics.items as i using (conversation_id, item_id)
    where a.type = 'container_file_citation'
),
cited_files as (
    select r.conversation_id, r.item_id, count(distinct c.file_id) as cited_file_count
    from citations as c
    asof inner join runs as r
        on c.conversation_id = r.conversation_id and c.container_id = r.container_id and c.position > r.position
    group by all
),
told as (
    select
        r.*,
        coalesce(c.cited_file_count, 0) as cited_file_count,
        python_imports(r.code) as imports,
        case when r.is_failed then python_error(r.logs) end as error_class,
        case
            when r.same_run is not null then 'explicit'
            when r.run_before.is_failed then 'heuristic'
            else 'none'
        end as rerun_of_method
    from runs as r
    left join cited_files as c using (conversation_id, item_id)
)
select
    conversation_id,
    item_id,
    position,
    turn_index,
    attempt_index,
    container_id,
    status,
    called_at,
    length(code) as code_chars,
    case when code = '' then 0 else length(code) - length(replace(code, chr(10), '')) + 1 end as code_line_count,
    arguments_hash as code_hash,
    imports,
    case when imports is null then 'none' else 'heuristic' end as imports_method,
    is_output_asked,
    coalesce(log_count, 0) as log_count,
    coalesce(log_chars, 0)::bigint as log_chars,
    coalesce(image_count, 0) as image_count,
    coalesce(output_payload_bytes, 0) as image_bytes,
    cited_file_count,
    case when container_id is null then 'none' else 'heuristic' end as cited_file_count_method,
    outcome,
    outcome_method,
    is_failed,
    error_class,
    case when error_class is null then 'none' else 'heuristic' end as error_class_method,
    error_message,
    case rerun_of_method when 'explicit' then same_run.item_id when 'heuristic' then run_before.item_id end as rerun_of,
    rerun_of_method,
    coalesce(case rerun_of_method when 'explicit' then same_run.is_failed else run_before.is_failed end, false)
        as is_retry,
    is_mended,
    latency_ms,
    latency_method
from told
