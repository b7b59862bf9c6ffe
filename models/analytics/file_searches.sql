-- Grain: one row per file search (file_search_call).
-- Question: what was searched for in files, did it find anything, and at which rank was what the answer cites?
--
-- The rows are those of `analytics.tool_calls` whose family is file_search; turn_index, call_index, called_at, status
-- and outcome are as there. Its results are the rows of `analytics.file_search_hits`.
--
-- **result_count** is the number of results; NULL if the list did not come, as without include[] of
-- `file_search_call.results`. Nothing that is counted from results is known then. is_zero_hit, of a search whose
-- outcome is ok: result_count is 0; NULL if that is NULL, and for other outcomes.
--
-- **Judged by citation.** The API does not say which result was right; what the answer cites is taken for it. The
-- file_citations of a search are those in messages of the same turn after it (turn_citation_count, with a file_id
-- only). is_judged: the outcome is ok, result_count is not NULL, and there is such a citation. Of a judged search,
-- first_cited_rank is the least rank (of results, see `analytics.file_search_hits`) of a cited file; NULL if none of
-- the results is of one: a miss, as when another search of the turn found the file. reciprocal_rank is 1 /
-- first_cited_rank, 0 for a miss, NULL if the search is not judged. What is right and not cited is not seen: these
-- figures compare one week, or one store, with another rather than say how good a search is.
--
-- Columns
-- conversation_id VARCHAR: The conversation that the search is in.
-- item_id VARCHAR: The file_search_call.
-- position BIGINT: Ordinal of the item in its conversation; gaps mean nothing, order does.
-- turn_index BIGINT: The turn: user messages up to and with this item; 0 before the first.
-- call_index BIGINT: Place among the calls of the turn, from 1.
-- called_at TIMESTAMP: Time of the search, UTC; NULL if its ID tells none, or it is copied.
-- status VARCHAR: The item's status in the API's word; NULL if it has none.
-- outcome VARCHAR: ok, error, pending, or NULL, as in analytics.tool_calls.
-- queries VARCHAR[]: What was searched for.
-- result_count BIGINT: Results; NULL if the search does not tell them.
-- file_count BIGINT: Different files among them; NULL if the search does not tell them.
-- vector_store_ids VARCHAR[]: The vector stores that they are in, sorted; empty if there are none.
-- max_score DOUBLE: Greatest score of a result; NULL without one.
-- is_zero_hit BOOLEAN: Whether nothing was found; NULL if that is unknown, or the search did not go well.
-- turn_citation_count BIGINT: Citations of files later in the turn.
-- is_judged BOOLEAN: Whether the turn's citations tell how good the results are.
-- cited_result_count BIGINT: Results whose file is cited later in the turn; NULL if the search does not tell them.
-- cited_file_count BIGINT: Different files of these; NULL if the search does not tell them.
-- first_cited_rank BIGINT: Least rank of a result whose file is cited; NULL if there is none, or not judged.
-- reciprocal_rank DOUBLE: 1 / first_cited_rank, 0 if no result's file is cited; NULL if not judged.
with
searches as (
    select c.*, f.queries, f.result_count
    from analytics.tool_calls as c
    inner join items.file_search_call as f using (conversation_id, item_id)
    where c.family = 'file_search'
),
found as (
    select
        conversation_id,
        item_id,
        count(distinct file_id) as file_count,
        list_sort(list(distinct vector_store_id) filter (where vector_store_id is not null)) as vector_store_ids,
        max(score) as max_score,
        count(*) filter (where is_cited) as cited_result_count,
        count(distinct file_id) filter (where is_cited) as cited_file_count,
        min(rank) filter (where is_cited) as first_cited_rank
    from analytics.file_search_hits
    group by all
),
cited as (
    select s.conversation_id, s.item_id, count(*) as turn_citation_count
    from searches as s
    inner join analytics.messages as m using (conversation_id, turn_index)
    inner join items.message__content__annotations as a
        on m.conversation_id = a.conversation_id and m.item_id = a.item_id
    where m.position > s.position and m.file_citation_count > 0 and a.type = 'file_citation' and a.file_id <> ''
    group by all
),
judged as (
    select
        s.*,
        f.* exclude (conversation_id, item_id),
        coalesce(c.turn_citation_count, 0) as turn_citation_count,
        coalesce(s.outcome = 'ok', false) as is_ok,
        is_ok and s.result_count is not null and c.turn_citation_count is not null as is_judged
    from searches as s
    left join found as f using (conversation_id, item_id)
    left join cited as c using (conversation_id, item_id)
)
select
    conversation_id,
    item_id,
    position,
    turn_index,
    call_index,
    called_at,
    status,
    outcome,
    queries,
    result_count,
    case when result_count is not null then coalesce(file_count, 0) end as file_count,
    coalesce(vector_store_ids, []) as vector_store_ids,
    max_score,
    case when is_ok then result_count = 0 end as is_zero_hit,
    turn_citation_count,
    is_judged,
    case when result_count is not null then coalesce(cited_result_count, 0) end as cited_result_count,
    case when result_count is not null then coalesce(cited_file_count, 0) end as cited_file_count,
    case when is_judged then first_cited_rank end as first_cited_rank,
    case when is_judged then coalesce(1 / first_cited_rank, 0) end as reciprocal_rank
from judged
