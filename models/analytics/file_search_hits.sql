-- Grain: one row per result of a file search (element of results of a file_search_call).
-- Question: which passages of which files come back, at which rank and score, and are they cited?
--
-- The results are those of live items; they are there only if include[] asked for `file_search_call.results`, and
-- without them a search has no row here: `analytics.file_searches` counts how many searches tell. position, turn_index,
-- called_at: those of the search, as in `analytics.tool_calls`.
--
-- **rank** is the place in the list, from 1: the list's order is the API's ranking, whatever the scores say. A file may
-- come back with several passages: file_rank is the place of the file among the different files of the search, by the
-- first passage of each; is_first_of_file says that no passage before it is of the same file. Files are told apart by
-- file_id; a result without one (NULL or empty) is no file: its file_rank is NULL and is_first_of_file is false.
--
-- **is_cited**: a message of the same turn after the search has a file_citation of the file (of equal file_id);
-- citation_count counts them. The API cites files, not passages: all passages of a cited file are cited. A file that
-- two searches of the turn find is cited for both. NULL without a file_id.
--
-- Columns
-- conversation_id VARCHAR: The conversation that the search is in.
-- item_id VARCHAR: The file_search_call.
-- rank BIGINT: Place among the results of the search, from 1.
-- position BIGINT: Ordinal of the search in its conversation; gaps mean nothing, order does.
-- turn_index BIGINT: The turn: user messages up to and with this item; 0 before the first.
-- called_at TIMESTAMP: Time of the search, UTC; NULL if its ID tells none, or it is copied.
-- file_id VARCHAR: The file; NULL if the result does not say.
-- filename VARCHAR: Name of the file.
-- vector_store_id VARCHAR: The vector store that the file is in.
-- file_rank BIGINT: Place of the file among the different files of the search, from 1; NULL without a file_id.
-- is_first_of_file BOOLEAN: Whether it is the first passage of its file in this search.
-- score DOUBLE: Relevance, from 0 to 1, as the API says.
-- text_chars BIGINT: Characters of the passage; 0 if there is none.
-- is_cited BOOLEAN: Whether the file is cited later in the turn; NULL without a file_id.
-- citation_count BIGINT: Citations of the file later in the turn; NULL without a file_id.
with
hits as (
    select
        r.conversation_id,
        r.item_id,
        (r.results_index + 1)::bigint as rank,
        c.position,
        c.turn_index,
        c.called_at,
        nullif(r.file_id, '') as file_id,
        r.filename,
        r.vector_store_id,
        r.score,
        coalesce(length(r.text), 0) as text_chars
    from items.file_search_call__results as r
    inner join analytics.tool_calls as c using (conversation_id, item_id)
    where c.family = 'file_search'
),
marked as (
    select
        *,
        file_id is not null
        and row_number() over (partition by conversation_id, item_id, file_id order by rank) = 1 as is_first_of_file
    from hits
),
numbered as (
    select
        *,
        count(*) filter (where is_first_of_file)
            over (partition by conversation_id, item_id order by rank) as file_number
    from marked
),
cited as (
    select m.conversation_id, m.turn_index, m.position, a.file_id, count(*) as citation_count
    from items.message__content__annotations as a
    inner join analytics.messages as m using (conversation_id, item_id)
    where a.type = 'file_citation' and a.file_id <> '' and m.file_citation_count > 0
    group by all
),
files_cited as (
    select h.conversation_id, h.item_id, h.file_id, sum(c.citation_count)::bigint as citation_count
    from numbered as h
    inner join cited as c using (conversation_id, turn_index, file_id)
    where h.is_first_of_file and c.position > h.position
    group by all
)
select
    conversation_id,
    item_id,
    rank,
    position,
    turn_index,
    called_at,
    file_id,
    filename,
    vector_store_id,
    case
        when file_id is not null
        then min(file_number) over (partition by conversation_id, item_id, file_id)
    end as file_rank,
    is_first_of_file,
    score,
    text_chars,
    case when file_id is not null then c.citation_count is not null end as is_cited,
    case when file_id is not null then coalesce(c.citation_count, 0) end as citation_count
from numbered
left join files_cited as c using (conversation_id, item_id, file_id)
