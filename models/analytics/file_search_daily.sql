-- Grain: one row per day (UTC) with file searches, and one for searches without a usable time (day NULL).
-- Question: how often do file searches find nothing, and how high do they rank what answers cite, day by day?
--
-- Rows of `analytics.file_searches`, grouped by the date of called_at. A day is that of UTC, whatever the reader's time
-- zone. Days without a search have no row; searches without a usable time are in the row whose day is NULL, so that the
-- counts of all rows add up to all searches.
--
-- **zero_hit_rate** is zero_hit_count / told_count, where told_count counts the searches whose outcome is ok and that
-- tell their results; told_share is its coverage.
--
-- **hit@k**: of the judged searches, how many have a result of a cited file among the first k (first_cited_rank is at
-- most k), for k = 1, 3, 5. **mean_reciprocal_rank** (MRR) is reciprocal_rank_sum / judged_count, where a miss counts
-- 0. judged_share is the coverage of both. To put days together, add the counts and sums up and divide then.
--
-- is_few_told: told_count is less than 20; is_few_judged: judged_count is less than 20. Such rows are flagged, not
-- ranked: their rates tell little.
--
-- Columns
-- day DATE: Day of called_at, UTC; NULL for searches whose time is unknown.
-- search_count BIGINT: Searches.
-- conversation_count BIGINT: Different conversations with such a search.
-- ok_count BIGINT: Searches whose outcome is ok.
-- failed_count BIGINT: Searches whose outcome is error.
-- told_count BIGINT: Of ok_count, those that tell their results: the denominator of zero_hit_rate.
-- told_share DOUBLE: told_count / ok_count: the coverage of zero_hit_rate; NULL if no search is ok.
-- zero_hit_count BIGINT: Of told_count, those without a result.
-- zero_hit_rate DOUBLE: zero_hit_count / told_count; NULL if no search tells.
-- result_count BIGINT: Results of all searches.
-- judged_count BIGINT: Of told_count, those judged by citation: the denominator of what follows.
-- judged_share DOUBLE: judged_count / told_count: the coverage of hit@k and MRR; NULL if no search tells.
-- hit_at_1_count BIGINT: Judged searches whose first result is of a cited file.
-- hit_at_1_rate DOUBLE: hit_at_1_count / judged_count; NULL if no search is judged.
-- hit_at_3_count BIGINT: Judged searches with a cited file among the first 3 results.
-- hit_at_3_rate DOUBLE: hit_at_3_count / judged_count; NULL if no search is judged.
-- hit_at_5_count BIGINT: Judged searches with a cited file among the first 5 results.
-- hit_at_5_rate DOUBLE: hit_at_5_count / judged_count; NULL if no search is judged.
-- missed_count BIGINT: Judged searches none of whose results is of a cited file.
-- reciprocal_rank_sum DOUBLE: Sum of reciprocal_rank; 0 if no search is judged.
-- mean_reciprocal_rank DOUBLE: reciprocal_rank_sum / judged_count; NULL if no search is judged.
-- is_few_told BOOLEAN: Whether fewer than 20 searches tell their results, so that zero_hit_rate tells little.
-- is_few_judged BOOLEAN: Whether fewer than 20 searches are judged, so that hit@k and MRR tell little.
with counted as (
    select
        called_at::date as day,
        count(*) as search_count,
        count(distinct conversation_id) as conversation_count,
        count(*) filter (where outcome = 'ok') as ok_count,
        count(*) filter (where outcome = 'error') as failed_count,
        count(is_zero_hit) as told_count,
        count(*) filter (where is_zero_hit) as zero_hit_count,
        coalesce(sum(result_count), 0)::bigint as result_count,
        count(*) filter (where is_judged) as judged_count,
        count(*) filter (where first_cited_rank <= 1) as hit_at_1_count,
        count(*) filter (where first_cited_rank <= 3) as hit_at_3_count,
        count(*) filter (where first_cited_rank <= 5) as hit_at_5_count,
        count(*) filter (where is_judged and first_cited_rank is null) as missed_count,
        coalesce(sum(reciprocal_rank), 0) as reciprocal_rank_sum
    from analytics.file_searches
    group by all
)
select
    day,
    search_count,
    conversation_count,
    ok_count,
    failed_count,
    told_count,
    told_count / nullif(ok_count, 0) as told_share,
    zero_hit_count,
    zero_hit_count / nullif(told_count, 0) as zero_hit_rate,
    result_count,
    judged_count,
    judged_count / nullif(told_count, 0) as judged_share,
    hit_at_1_count,
    hit_at_1_count / nullif(judged_count, 0) as hit_at_1_rate,
    hit_at_3_count,
    hit_at_3_count / nullif(judged_count, 0) as hit_at_3_rate,
    hit_at_5_count,
    hit_at_5_count / nullif(judged_count, 0) as hit_at_5_rate,
    missed_count,
    reciprocal_rank_sum,
    reciprocal_rank_sum / nullif(judged_count, 0) as mean_reciprocal_rank,
    told_count < 20 as is_few_told,
    judged_count < 20 as is_few_judged
from counted
