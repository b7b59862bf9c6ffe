-- Grain: one row per operation on a file: each apply_patch_call.
-- Question: which files do agents change, by how much, does the change apply, and does it stay?
--
-- Rows are the rows of `analytics.tool_calls` of family apply_patch; outcome, error_message, latency_ms, retry_of and
-- what else is named as there is theirs. operation is operation_type, path operation_path, NULL if it is empty. Paths
-- are compared as they are written: `./a.py` and `a.py` are two.
--
-- **Lines.** The diff marks each line that it adds with `+` and each that it removes with `-` at the line's beginning;
-- it has no file headers. added_line_count and removed_line_count count these lines (the macro `diff_lines`), churn is
-- their sum, churn_method explicit. All are NULL, and the method none, where there is no diff: what delete_file removes
-- nobody says. They are what the model asked for, whether it was applied (outcome ok) or not.
--
-- **Again.** Rows of one conversation, turn and path (not NULL), by position: path_index counts them from 1;
-- patched_again_by is the next one. is_patched_again: there is one. is_recovered: this one is_failed, and a later one
-- is ok. is_reworked: this one is ok, and a later one is ok: it was applied, and changed once more before the user
-- spoke again. Several patches that were planned for one file look the same.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- item_id VARCHAR: The call.
-- position BIGINT: Ordinal of the call in its conversation; gaps mean nothing, order does.
-- turn_index BIGINT: The turn: user messages up to the call; 0 before the first.
-- operation VARCHAR: What is to be done: create_file, update_file, delete_file; NULL if nothing says.
-- path VARCHAR: The file; NULL if it is missing.
-- called_at TIMESTAMP: When the call was begun, UTC; NULL if no usable time is there.
-- diff_chars BIGINT: Characters of the diff; NULL if there is none.
-- added_line_count BIGINT: Lines that the diff adds; NULL without a diff.
-- removed_line_count BIGINT: Lines that the diff removes; NULL without a diff.
-- churn BIGINT: Lines added and removed together; NULL without a diff.
-- churn_method VARCHAR: How churn was obtained: explicit (counted in the diff), none.
-- outcome VARCHAR: How it ended: ok (applied), error, pending; NULL where nothing tells.
-- outcome_method VARCHAR: How outcome was obtained: explicit, heuristic, none.
-- is_failed BOOLEAN: Whether outcome is error; false where it is NULL.
-- is_decided BOOLEAN: Whether outcome is ok or error: the denominator of error rates.
-- error_message VARCHAR: Why it was not applied, 200 characters at most; NULL if nothing says.
-- retry_of VARCHAR: The failed call, by item_id, that this one repeats in the same turn; NULL if it repeats none.
-- retry_method VARCHAR: How retry_of was found: explicit (same operation), heuristic (same path), none.
-- path_index BIGINT: Which operation on the path in the turn, from 1; NULL without a path.
-- patched_again_by VARCHAR: The next operation, by item_id, on the path in the turn; NULL if there is none.
-- is_patched_again BOOLEAN: Whether there is one.
-- is_recovered BOOLEAN: Whether it failed, and a later operation on the path in the turn was applied.
-- is_reworked BOOLEAN: Whether it was applied, and a later operation on the path in the turn, too.
-- latency_ms DOUBLE: Milliseconds from the call's begin to its output's; NULL if unknown.
-- latency_method VARCHAR: How latency_ms was obtained: explicit, heuristic, none.
with
operations as (
    select
        *,
        nullif(o.operation_path, '') as path,
        length(o.operation_diff) as diff_chars,
        diff_lines(o.operation_diff, '+') as added_line_count,
        diff_lines(o.operation_diff, '-') as removed_line_count
    from analytics.tool_calls as c
    inner join items.apply_patch_call as o using (conversation_id, item_id, position)
),
followed as (
    select
        *,
        path is not null as has_path,
        row_number() over on_path as path_index,
        lead(item_id) over on_path as next_item_id,
        coalesce(bool_or(outcome = 'ok') over later_on_path, false) as is_applied_later
    from operations
    window
        on_path as (partition by conversation_id, turn_index, path order by position),
        later_on_path as (
            partition by conversation_id, turn_index, path order by position
            rows between 1 following and unbounded following
        )
)
select
    conversation_id,
    item_id,
    position,
    turn_index,
    action as operation,
    path,
    called_at,
    diff_chars,
    added_line_count,
    removed_line_count,
    added_line_count + removed_line_count as churn,
    case when diff_chars is null then 'none' else 'explicit' end as churn_method,
    outcome,
    outcome_method,
    is_failed,
    is_decided,
    error_message,
    retry_of,
    retry_method,
    case when has_path then path_index end as path_index,
    case when has_path then next_item_id end as patched_again_by,
    has_path and next_item_id is not null as is_patched_again,
    has_path and is_failed and is_applied_later as is_recovered,
    has_path and is_applied_later and coalesce(outcome = 'ok', false) as is_reworked,
    latency_ms,
    latency_method
from followed
