-- Grain: one row per file that a file search found or a message cites, over all conversations.
-- Question: which files are found and never cited, which are cited most, and which without being found?
--
-- Files are told apart by file_id; results and citations without one are left out. Searches that find a file are the
-- different searches (file_search_call) with a row of it in `analytics.file_search_hits`; citations are the
-- file_citations in live messages (`items.message__content__annotations`), in any turn. filename is that of the
-- results, or else of the citations, the greatest by code points where there are several.
--
-- **cited_rate** is cited_search_count / search_count: of the searches that found it, in how many is_cited.
-- is_never_cited means in no conversation. Only what searches tell is known (see told_share of
-- `analytics.file_search_daily`), and a file in a vector store that no search finds has no row.
--
-- **unretrieved_citation_count** counts the citations of the file before which no search of the conversation found it,
-- of those whose origin is known: a search before it found the file, or all file searches before it tell their results
-- (origin_known_citation_count). A file that was attached to a message, and not searched for, is cited like that.
--
-- is_few_searches: search_count is less than 20.
--
-- Columns
-- file_id VARCHAR: The file.
-- filename VARCHAR: Name of the file; NULL where it is nowhere said.
-- vector_store_ids VARCHAR[]: The vector stores it was found in, sorted; empty if it was never found.
-- search_count BIGINT: Searches that found it.
-- conversation_count BIGINT: Different conversations with such a search.
-- result_count BIGINT: Results that are passages of it.
-- best_rank BIGINT: Least rank of a result; NULL if it was never found.
-- max_score DOUBLE: Greatest score of a result; NULL if there is none.
-- score_count BIGINT: Results with a score: the coverage of the scores.
-- score_p50 DOUBLE: Median score of its results; NULL if there is none.
-- cited_search_count BIGINT: Of search_count, those in whose turn it is cited after the search.
-- cited_rate DOUBLE: cited_search_count / search_count; NULL if it was never found.
-- citation_count BIGINT: Citations of it in all.
-- origin_known_citation_count BIGINT: Of these, those of which it is known whether a search found the file before.
-- unretrieved_citation_count BIGINT: Of origin_known_citation_count, those before which no search found it.
-- unretrieved_rate DOUBLE: unretrieved_citation_count / origin_known_citation_count; NULL if nothing is known.
-- is_never_cited BOOLEAN: Whether no message cites it.
-- is_never_found BOOLEAN: Whether no search that tells its results found it.
-- timed_search_count BIGINT: Of search_count, those with a usable time: the coverage of the two times.
-- first_found_at TIMESTAMP: Least called_at of a search that found it, UTC; NULL if there is none.
-- last_found_at TIMESTAMP: Greatest called_at of such a search, UTC; NULL if there is none.
-- is_few_searches BOOLEAN: Whether search_count is less than 20, so that cited_rate tells little.
with
found as (
    select
        file_id,
        max(filename) as filename,
        list_sort(list(distinct vector_store_id) filter (where vector_store_id is not null)) as vector_store_ids,
        count(*) filter (where is_first_of_file) as search_count,
        count(distinct conversation_id) as conversation_count,
        count(*) as result_count,
        min(rank) as best_rank,
        max(score) as max_score,
        count(score) as score_count,
        quantile_cont(score, 0.5) as score_p50,
        count(*) filter (where is_first_of_file and is_cited) as cited_search_count,
        count(*) filter (where is_first_of_file and called_at is not null) as timed_search_count,
        min(called_at) as first_found_at,
        max(called_at) as last_found_at
    from analytics.file_search_hits
    where file_id is not null
    group by all
),

-- Each citation, and since when a search of the conversation found its file, or one did not tell what it found.
citations as (
    select a.conversation_id, m.position, a.file_id, a.filename
    from items.message__content__annotations as a
    inner join items.message as m using (conversation_id, item_id)
    where a.type = 'file_citation' and a.file_id <> ''
),
first_found as (
    select conversation_id, file_id, min(position) as found_from
    from analytics.file_search_hits
    where file_id is not null
    group by all
),
first_untold as (
    select conversation_id, min(position) as untold_from
    from items.file_search_call
    where result_count is null
    group by all
),
cited as (
    select
        c.file_id,
        max(c.filename) as filename,
        count(*) as citation_count,
        count(*) filter (where f.found_from < c.position) as retrieved_count,
        count(*) filter (where u.untold_from < c.position and (f.found_from < c.position) is not true) as unknown_count
    from citations as c
    left join first_found as f using (conversation_id, file_id)
    left join first_untold as u using (conversation_id)
    group by all
),
files as (
    select
        file_id,
        coalesce(f.filename, c.filename) as filename,
        coalesce(f.vector_store_ids, []) as vector_store_ids,
        coalesce(f.search_count, 0) as search_count,
        coalesce(f.conversation_count, 0) as conversation_count,
        coalesce(f.result_count, 0) as result_count,
        f.best_rank,
        f.max_score,
        coalesce(f.score_count, 0) as score_count,
        f.score_p50,
        coalesce(f.cited_search_count, 0) as cited_search_count,
        coalesce(c.citation_count, 0) as citation_count,
        coalesce(c.citation_count - c.unknown_count, 0) as origin_known_citation_count,
        coalesce(c.citation_count - c.unknown_count - c.retrieved_count, 0) as unretrieved_citation_count,
        coalesce(f.timed_search_count, 0) as timed_search_count,
        f.first_found_at,
        f.last_found_at
    from found as f
    full join cited as c using (file_id)
)
select
    file_id,
    filename,
    vector_store_ids,
    search_count,
    conversation_count,
    result_count,
    best_rank,
    max_score,
    score_count,
    score_p50,
    cited_search_count,
    cited_search_count / nullif(search_count, 0) as cited_rate,
    citation_count,
    origin_known_citation_count,
    unretrieved_citation_count,
    unretrieved_citation_count / nullif(origin_known_citation_count, 0) as unretrieved_rate,
    citation_count = 0 as is_never_cited,
    search_count = 0 as is_never_found,
    timed_search_count,
    first_found_at,
    last_found_at,
    search_count < 20 as is_few_searches
from files
