-- Grain: one row per path that operations name, and one for those that name none (path NULL).
-- Question: which files are changed most, apply worst, and are changed again and again?
--
-- Rows of `analytics.patch_operations`, grouped by path, over all conversations: nothing tells repositories apart, so
-- that one path may be several files. outcome, churn and the other words are theirs.
--
-- error_rate is failed_count / decided_count, its bounds those of `wilson_low` and `wilson_high`; is_few_operations:
-- decided_count is less than 20. **Lines** are those of applied operations (outcome ok) only; counted_count of these
-- have a diff; NULL if none has. net_line_count is added less removed: churn without growth is work done over.
--
-- Columns
-- path VARCHAR: The file, as it is written; NULL for operations that name none.
-- operation_count BIGINT: Operations: the denominator of patched_again_rate.
-- conversation_count BIGINT: Different conversations with one.
-- turn_count BIGINT: Different turns with one.
-- create_count BIGINT: Operations create_file.
-- update_count BIGINT: Operations update_file.
-- delete_count BIGINT: Operations delete_file.
-- ok_count BIGINT: Operations that were applied: the denominator of reworked_rate.
-- failed_count BIGINT: Operations that failed: the numerator of error_rate.
-- decided_count BIGINT: ok_count and failed_count together: the denominator of error_rate.
-- error_rate DOUBLE: failed_count / decided_count; NULL if nothing is decided.
-- error_rate_low DOUBLE: Lower Wilson bound (95 %) of error_rate; NULL if nothing is decided.
-- error_rate_high DOUBLE: Upper Wilson bound (95 %) of error_rate; NULL if nothing is decided.
-- explicit_decided_count BIGINT: Of the decided ones, those whose outcome a field of the API says.
-- explicit_share DOUBLE: explicit_decided_count / decided_count: the coverage of error_rate; NULL if nothing is
--   decided.
-- is_few_operations BOOLEAN: Whether fewer than 20 operations are decided, so that error_rate tells little.
-- pending_count BIGINT: Operations whose outcome is pending.
-- unknown_count BIGINT: Operations of which nothing tells the outcome.
-- added_line_count BIGINT: Lines added by applied operations; NULL if none has a diff.
-- removed_line_count BIGINT: Lines removed by applied operations; NULL if none has a diff.
-- net_line_count BIGINT: Lines added less lines removed; NULL if none has a diff.
-- churn BIGINT: Lines added and removed together; NULL if none has a diff.
-- counted_count BIGINT: Applied operations with a diff: the coverage of the lines.
-- patched_again_count BIGINT: Operations after which the path was patched again in the turn.
-- patched_again_rate DOUBLE: patched_again_count / operation_count; the path NULL is never patched again.
-- recovered_count BIGINT: Failed operations after which another was applied in the turn.
-- reworked_count BIGINT: Applied operations after which another was applied in the turn.
-- reworked_rate DOUBLE: reworked_count / ok_count; NULL if nothing was applied.
-- first_patched_at TIMESTAMP: When it was first to be changed, UTC; NULL if no usable time is there.
-- last_patched_at TIMESTAMP: When it was last to be changed, UTC; NULL if no usable time is there.
-- timed_operation_count BIGINT: Operations with a usable time: the coverage of both.
with counted as (
    select
        path,
        count(*) as operation_count,
        count(distinct conversation_id) as conversation_count,
        count(distinct {'conversation_id': conversation_id, 'turn_index': turn_index}) as turn_count,
        count(*) filter (where operation = 'create_file') as create_count,
        count(*) filter (where operation = 'update_file') as update_count,
        count(*) filter (where operation = 'delete_file') as delete_count,
        count(*) filter (where outcome = 'ok') as ok_count,
        count(*) filter (where is_failed) as failed_count,
        count(*) filter (where is_decided) as decided_count,
        count(*) filter (where is_decided and outcome_method = 'explicit') as explicit_decided_count,
        count(*) filter (where outcome = 'pending') as pending_count,
        count(*) filter (where outcome is null) as unknown_count,
        (sum(added_line_count) filter (where outcome = 'ok'))::bigint as added_line_count,
        (sum(removed_line_count) filter (where outcome = 'ok'))::bigint as removed_line_count,
        count(churn) filter (where outcome = 'ok') as counted_count,
        count(*) filter (where is_patched_again) as patched_again_count,
        count(*) filter (where is_recovered) as recovered_count,
        count(*) filter (where is_reworked) as reworked_count,
        min(called_at) as first_patched_at,
        max(called_at) as last_patched_at,
        count(called_at) as timed_operation_count
    from analytics.patch_operations
    group by all
)
select
    path,
    operation_count,
    conversation_count,
    turn_count,
    create_count,
    update_count,
    delete_count,
    ok_count,
    failed_count,
    decided_count,
    failed_count / nullif(decided_count, 0) as error_rate,
    wilson_low(failed_count, decided_count) as error_rate_low,
    wilson_high(failed_count, decided_count) as error_rate_high,
    explicit_decided_count,
    explicit_decided_count / nullif(decided_count, 0) as explicit_share,
    decided_count < 20 as is_few_operations,
    pending_count,
    unknown_count,
    added_line_count,
    removed_line_count,
    added_line_count - removed_line_count as net_line_count,
    added_line_count + removed_line_count as churn,
    counted_count,
    patched_again_count,
    patched_again_count / operation_count as patched_again_rate,
    recovered_count,
    reworked_count,
    reworked_count / nullif(ok_count, 0) as reworked_rate,
    first_patched_at,
    last_patched_at,
    timed_operation_count
from counted
