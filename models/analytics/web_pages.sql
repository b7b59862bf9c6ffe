-- Grain: one row per page of a conversation that a web search found, opened or looked into, or a message cites.
-- Question: what became of each page: found, opened, looked into, cited, or cited out of nowhere?
-- Snapshot: a table, sorted by conversation_id, first_position, page_url.
--
-- Pages are told apart by the macro `page_url`, see `analytics.web_search_queries`; addresses without any are left out.
-- What names a page, in live items of the conversation: a source of a search (`items.web_search_call__action_sources`),
-- the address of an `open_page` step and of a `find_in_page` step, a url_citation of a message
-- (`items.message__content__annotations`). Nothing else does: what a client's own tools read from the web is not known.
--
-- retrieved_count counts the searches that list the page (each once), opened_count and find_in_page_count the steps,
-- whether they went well or not, citation_count the citations, citing_message_count the messages that they are in. The
-- API does not say whether a pattern was found in a page, only that it was looked for.
--
-- The first item that names the page gives first_item_id, first_position, first_turn_index, and first_at, its time (see
-- `analytics.items`).
--
-- **origin** of a page that is cited: what stands before the message of its first citation, in the conversation:
-- `search` if a search lists the page; else `page` if a step opened it or looked into it; else `unretrieved`, if all
-- searches tell their sources. NULL if it is not cited, or if nothing is found and one of the searches before does not
-- tell (untold_search_count). A page that the person gave, or a client's tool read, is unretrieved, too. A heuristic as
-- far as addresses are compared.
--
-- untold_search_count: searches (action `search`) before that message, or all of the conversation if the page is not
-- cited, whose source_count in `analytics.web_search_queries` is NULL.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- page_url VARCHAR: The page: its address without fragment and without what only says who sent the reader.
-- domain VARCHAR: Domain of the page, without a leading `www.`.
-- first_item_id VARCHAR: The first item that names the page.
-- first_position BIGINT: Position of that item.
-- first_turn_index BIGINT: Turn of that item; 0 before the first user message.
-- first_at TIMESTAMP: Time of that item, UTC; NULL if its ID tells none, or it is copied.
-- retrieved_count BIGINT: Searches that list it among their sources.
-- opened_count BIGINT: Steps that opened it.
-- find_in_page_count BIGINT: Steps that looked for a pattern in it.
-- citation_count BIGINT: Citations of it.
-- citing_message_count BIGINT: Messages that cite it.
-- is_retrieved BOOLEAN: Whether a search lists it.
-- is_opened BOOLEAN: Whether a step opened it.
-- has_find_in_page BOOLEAN: Whether a step looked for a pattern in it.
-- is_cited BOOLEAN: Whether a message cites it.
-- untold_search_count BIGINT: Searches before its first citation that do not tell their sources.
-- origin VARCHAR: Where its first citation can come from: search, page, unretrieved; NULL if not cited, or unknown.
-- origin_method VARCHAR: How origin was obtained: heuristic (addresses are compared), none (NULL).
with
steps as (
    select conversation_id, item_id, position, action_type, action_url, source_count
    from items.web_search_call
),
namings as (
    select distinct
        s.conversation_id, s.item_id, s.position, 'search' as by_what, page_url(f.url) as page_url, 1 as times
    from steps as s
    inner join items.web_search_call__action_sources as f using (conversation_id, item_id)
    where s.action_type = 'search'
    union all
    select conversation_id, item_id, position, action_type as by_what, page_url(action_url) as page_url, 1 as times
    from steps
    where action_type in ('open_page', 'find_in_page')
    union all
    select
        m.conversation_id, m.item_id, m.position, 'citation' as by_what, page_url(a.url) as page_url, count(*) as times
    from items.message__content__annotations as a
    inner join items.message as m using (conversation_id, item_id)
    where a.type = 'url_citation'
    group by all
),
pages as (
    select
        conversation_id,
        page_url,
        arg_min(item_id, position) as first_item_id,
        min(position) as first_position,
        count(*) filter (where by_what = 'search') as retrieved_count,
        count(*) filter (where by_what = 'open_page') as opened_count,
        count(*) filter (where by_what = 'find_in_page') as find_in_page_count,
        coalesce(sum(times) filter (where by_what = 'citation'), 0)::bigint as citation_count,
        count(*) filter (where by_what = 'citation') as citing_message_count,
        min(position) filter (where by_what = 'search') as retrieved_from,
        min(position) filter (where by_what in ('open_page', 'find_in_page')) as visited_from,
        min(position) filter (where by_what = 'citation') as cited_from,
        coalesce(cited_from, 9223372036854775807) as searched_until
    from namings
    where page_url is not null
    group by all
),
untold as (
    select
        conversation_id,
        position,
        row_number() over (partition by conversation_id order by position) as untold_search_count
    from steps
    where action_type = 'search' and source_count is null
),
placed as (
    select
        p.*,
        coalesce(u.untold_search_count, 0) as untold_search_count,
        i.turn_index as first_turn_index,
        case when i.is_time_usable then i.item_at end as first_at,
        case
            when p.cited_from is null then null
            when p.retrieved_from < p.cited_from then 'search'
            when p.visited_from < p.cited_from then 'page'
            when u.untold_search_count is null then 'unretrieved'
        end as origin
    from pages as p
    asof left join untold as u on p.conversation_id = u.conversation_id and p.searched_until > u.position
    inner join analytics.items as i on p.conversation_id = i.conversation_id and p.first_item_id = i.item_id
)
select
    conversation_id,
    page_url,
    page_domain(page_url) as domain,
    first_item_id,
    first_position,
    first_turn_index,
    first_at,
    retrieved_count,
    opened_count,
    find_in_page_count,
    citation_count,
    citing_message_count,
    retrieved_count > 0 as is_retrieved,
    opened_count > 0 as is_opened,
    find_in_page_count > 0 as has_find_in_page,
    citation_count > 0 as is_cited,
    untold_search_count,
    origin,
    case when origin is null then 'none' else 'heuristic' end as origin_method
from placed
