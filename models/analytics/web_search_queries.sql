-- Grain: one row per step of a web search (web_search_call): a search, a page opened, a pattern looked for in a page.
-- Question: what was searched for on the web, what came back, and what of it was opened and cited?
-- Snapshot: a table, sorted by conversation_id, position.
--
-- The rows are those of `analytics.tool_calls` whose family is web_search; turn_index, call_index, called_at, status,
-- outcome and action are as there. A **search** is a row whose action is `search`; search_index counts the searches of
-- the turn by position, from 1.
--
-- **query** of a search: action_query of the item, or if that is NULL action_queries joined by a newline (NULL if it
-- has only NULL elements); query_count: the elements of action_queries, at least 1 if there is an action_query. NULL
-- for other actions.
--
-- **Pages.** An address stands for a page: two addresses are the same page if the macro `page_url` gives the same for
-- both. It leaves out the fragment and parameters that only say who sent the reader (`utm_...`), which the API adds to
-- addresses. domain is by the macro `page_domain`. A heuristic, meant to miss rather than to mix up: two addresses of
-- one page that differ in more stay two pages. In public recordings 64 of 90 different addresses carry such a
-- parameter; two of the 90 become one page, rightly; of the 30 that are cited where pages are told to be found or
-- opened, 27 are among these, and the other three come from searches that do not tell their sources.
--
-- **Sources.** source_count is the number of elements of action_sources of a search, api sources (without an address)
-- included; NULL if the list did not come, as without include[] of `web_search_call.action.sources`, and for other
-- actions. Nothing that is counted from sources is known where it is NULL. page_count is the number of different pages:
-- of a search, of its sources that have an address (NULL if source_count is NULL); of other actions 1, or NULL without
-- an address.
--
-- **What became of them** is read from what follows in the same turn, whoever caused it: a page of a row counts as
-- opened if an `open_page` step of the turn after the row names it, as cited if a message of the turn after the row has
-- a url_citation of it. A page that two searches list is opened and cited for both. What a later turn does with a page
-- counts in `analytics.web_pages`, not here. opened_count, cited_count: so many of the page_count pages;
-- citation_count: their url_citations in messages of the turn after the row. All NULL where page_count is; opened_count
-- and opened_rate are of searches only.
--
-- **is_zero_results**: of a search whose outcome is ok: source_count is 0; NULL if that is NULL, and for all other
-- rows. The API has no field for it: an empty list is taken at its word. In public recordings 4 of 49 searches tell
-- their sources, none an empty list.
--
-- **relation** of a search to the search before it in the turn (previous_item_id: the last one before it that has a
-- query), by the macro `query_relation`: `repeated` if both have the same words, `reformulated` if at least half of all
-- their different words are in both, else `new`. query_overlap is that share (the macro `query_overlap`). NULL for the
-- first search of a turn, without a query, or if both have no word. Words are runs of letters and digits, in lower
-- case, so that texts written without spaces (Chinese, Japanese) are one word. A heuristic that tells that two queries
-- are alike, not why: of the 13 pairs in public recordings it takes 3 for reformulated, of which one is, by reading
-- (the others ask the same of another thing), and reading finds one more.
--
-- **is_known_page** of an `open_page` or `find_in_page` step with an address: a search before it in the conversation
-- lists the page among its sources; NULL if none does and the source_count of one of them is NULL.
--
-- Columns
-- conversation_id VARCHAR: The conversation that the step is in.
-- item_id VARCHAR: The web_search_call.
-- position BIGINT: Ordinal of the item in its conversation; gaps mean nothing, order does.
-- turn_index BIGINT: The turn: user messages up to and with this item; 0 before the first.
-- call_index BIGINT: Place among the calls of the turn, from 1.
-- search_index BIGINT: Place among the searches of the turn, from 1; NULL for other actions.
-- called_at TIMESTAMP: Time of the step, UTC; NULL if its ID tells none, or it is copied.
-- status VARCHAR: The item's status in the API's word; NULL if it has none.
-- outcome VARCHAR: ok, error, pending, or NULL, as in analytics.tool_calls.
-- action VARCHAR: search, open_page, find_in_page; NULL where the API does not say.
-- query VARCHAR: What was searched for; several queries are joined by a newline.
-- query_count BIGINT: Queries of the search; NULL for other actions.
-- page_url VARCHAR: The page that was opened or searched; NULL for searches, and without an address.
-- domain VARCHAR: Domain of that page.
-- pattern VARCHAR: What was looked for in the page; NULL for other actions than find_in_page.
-- source_count BIGINT: Sources that the search came with; NULL if it does not tell, and for other actions.
-- page_count BIGINT: Different pages among the sources, or the page itself; NULL if unknown.
-- opened_count BIGINT: Of page_count, those opened later in the turn; of searches only.
-- opened_rate DOUBLE: opened_count / page_count; NULL without pages.
-- cited_count BIGINT: Of page_count, those cited later in the turn.
-- cited_rate DOUBLE: cited_count / page_count; NULL without pages.
-- citation_count BIGINT: Citations of these pages later in the turn.
-- is_zero_results BOOLEAN: Whether the search came with an empty list of sources; NULL if that is unknown.
-- previous_item_id VARCHAR: The search before it in the turn; NULL if there is none.
-- query_overlap DOUBLE: How many of the different words of this and the previous query are in both, from 0 to 1.
-- relation VARCHAR: What the query is to the previous one: repeated, reformulated, new; NULL without one.
-- relation_method VARCHAR: How relation was obtained: heuristic (from the words), none (NULL).
-- is_known_page BOOLEAN: Whether a search before it lists the page; NULL for searches, and if unknown.
with
steps as (
    select
        c.conversation_id,
        c.item_id,
        c.position,
        c.turn_index,
        c.call_index,
        c.called_at,
        c.status,
        c.outcome,
        c.action,
        c.action is not distinct from 'search' as is_search,
        case when is_search then coalesce(w.action_query, array_to_string(w.action_queries, chr(10))) end as query,
        case when is_search then greatest(coalesce(len(w.action_queries), 0), (w.action_query is not null)::bigint) end
            as query_count,
        case when c.action in ('open_page', 'find_in_page') then page_url(w.action_url) end as page_url,
        case when c.action = 'find_in_page' then w.action_pattern end as pattern,
        case when is_search then w.source_count end as source_count
    from analytics.tool_calls as c
    inner join items.web_search_call as w using (conversation_id, item_id)
    where c.family = 'web_search'
),
in_turn as (
    select
        *,
        case when is_search then count(*) filter (where is_search) over before end as search_index,
        lag(case when query is not null then {'item_id': item_id, 'query': query} end ignore nulls) over before
            as previous
    from steps
    window before as (partition by conversation_id, turn_index order by position)
),

-- The pages of each step, and what the turn goes on to do with them.
step_pages as (
    select distinct s.conversation_id, s.item_id, s.position, s.turn_index, s.is_search, page_url(f.url) as page_url
    from steps as s
    inner join items.web_search_call__action_sources as f using (conversation_id, item_id)
    where s.is_search and page_url(f.url) is not null
    union all
    select conversation_id, item_id, position, turn_index, is_search, page_url
    from steps
    where page_url is not null
),
last_opened as (
    select conversation_id, turn_index, page_url, max(position) as last_position
    from steps
    where action = 'open_page'
    group by all
),
cited as (
    select m.conversation_id, m.turn_index, m.position, page_url(a.url) as page_url, count(*) as citation_count
    from items.message__content__annotations as a
    inner join analytics.messages as m using (conversation_id, item_id)
    where a.type = 'url_citation' and m.url_citation_count > 0
    group by all
),
pages_cited as (
    select s.conversation_id, s.item_id, s.page_url, sum(c.citation_count) as citation_count
    from step_pages as s
    inner join cited as c using (conversation_id, turn_index, page_url)
    where c.position > s.position
    group by all
),
counted as (
    select
        s.conversation_id,
        s.item_id,
        count(*) as page_count,
        count(*) filter (where o.last_position > s.position) as opened_count,
        count(c.citation_count) as cited_count,
        coalesce(sum(c.citation_count), 0)::bigint as citation_count
    from step_pages as s
    left join last_opened as o using (conversation_id, turn_index, page_url)
    left join pages_cited as c using (conversation_id, item_id, page_url)
    group by all
),

-- Since when a search of the conversation lists a page, and since when one does not tell what it lists.
first_listed as (
    select conversation_id, page_url, min(position) as listed_from
    from step_pages
    where is_search
    group by all
),
first_untold as (
    select conversation_id, min(position) as untold_from
    from steps
    where is_search and source_count is null
    group by all
),
told as (
    select
        s.*,
        case
            when not is_search and s.page_url is null or is_search and s.source_count is null then null
            else {
                'page_count': coalesce(c.page_count, 0),
                'opened_count': case when is_search then coalesce(c.opened_count, 0) end,
                'cited_count': coalesce(c.cited_count, 0),
                'citation_count': coalesce(c.citation_count, 0)
            }
        end as pages,
        case
            when s.page_url is null then null
            when l.listed_from < s.position then true
            when u.untold_from < s.position then null
            else false
        end as is_known_page
    from in_turn as s
    left join counted as c using (conversation_id, item_id)
    left join first_listed as l on s.conversation_id = l.conversation_id and s.page_url = l.page_url
    left join first_untold as u on s.conversation_id = u.conversation_id
)
select
    conversation_id,
    item_id,
    position,
    turn_index,
    call_index,
    search_index,
    called_at,
    status,
    outcome,
    action,
    query,
    query_count,
    page_url,
    page_domain(page_url) as domain,
    pattern,
    source_count,
    pages.page_count as page_count,
    pages.opened_count as opened_count,
    pages.opened_count / nullif(pages.page_count, 0) as opened_rate,
    pages.cited_count as cited_count,
    pages.cited_count / nullif(pages.page_count, 0) as cited_rate,
    pages.citation_count as citation_count,
    case when outcome = 'ok' then source_count = 0 end as is_zero_results,
    case when query is not null then previous.item_id end as previous_item_id,
    query_overlap(query, previous.query) as query_overlap,
    query_relation(query, previous.query) as relation,
    case when relation is null then 'none' else 'heuristic' end as relation_method,
    is_known_page
from told
