-- Grain: one row per page of the web, over all conversations.
-- Question: how far does each page come: retrieved, opened, looked into, cited, or cited without being retrieved?
--
-- Rows of `analytics.web_pages`, grouped by page_url; all counts of pages are of conversations here, since a page has
-- one row in each. Its words have the same meaning; which step came first does not matter, but to origin. For one
-- month, one topic or one conversation, group the rows of `analytics.web_pages`. For domains:
-- `analytics.citation_domains`.
--
-- **Rates.** Of the conversations that retrieved the page, in how many was it opened (opened_rate), cited (cited_rate);
-- of those that opened it, in how many was it cited (opened_cited_rate). Each NULL if its denominator is 0.
-- **unretrieved_rate**: of the conversations that cite it and whose origin is known, in how many the citation comes
-- from no search and no page that was opened; origin_known_share is its coverage.
--
-- is_few_retrievals: retrieved_count is less than 20. Such rows are flagged, not ranked: their rates tell little.
--
-- Columns
-- page_url VARCHAR: The page, as in analytics.web_pages.
-- domain VARCHAR: Domain of the page.
-- conversation_count BIGINT: Conversations in which anything names it.
-- retrieved_count BIGINT: Of these, those in which a search lists it.
-- opened_count BIGINT: Of conversation_count, those in which it was opened.
-- find_in_page_count BIGINT: Of conversation_count, those in which a pattern was looked for in it.
-- cited_count BIGINT: Of conversation_count, those in which it is cited.
-- retrieved_opened_count BIGINT: Those in which it was both retrieved and opened.
-- opened_rate DOUBLE: retrieved_opened_count / retrieved_count; NULL if it was never retrieved.
-- retrieved_cited_count BIGINT: Those in which it was both retrieved and cited.
-- cited_rate DOUBLE: retrieved_cited_count / retrieved_count; NULL if it was never retrieved.
-- opened_cited_count BIGINT: Those in which it was both opened and cited.
-- opened_cited_rate DOUBLE: opened_cited_count / opened_count; NULL if it was never opened.
-- origin_known_count BIGINT: Of cited_count, those whose origin is known.
-- origin_known_share DOUBLE: origin_known_count / cited_count: the coverage of unretrieved_rate; NULL if never cited.
-- unretrieved_count BIGINT: Of origin_known_count, those whose origin is unretrieved.
-- unretrieved_rate DOUBLE: unretrieved_count / origin_known_count; NULL if no origin is known.
-- citation_count BIGINT: Citations in all.
-- timed_count BIGINT: Of conversation_count, those with a first_at: the coverage of the two times.
-- first_at TIMESTAMP: Least first_at, UTC; NULL if there is none.
-- last_at TIMESTAMP: Greatest first_at, UTC; NULL if there is none.
-- is_few_retrievals BOOLEAN: Whether retrieved_count is less than 20, so that rates tell little.
with counted as (
    select
        page_url,
        domain,
        count(*) as conversation_count,
        count(*) filter (where is_retrieved) as retrieved_count,
        count(*) filter (where is_opened) as opened_count,
        count(*) filter (where has_find_in_page) as find_in_page_count,
        count(*) filter (where is_cited) as cited_count,
        count(*) filter (where is_retrieved and is_opened) as retrieved_opened_count,
        count(*) filter (where is_retrieved and is_cited) as retrieved_cited_count,
        count(*) filter (where is_opened and is_cited) as opened_cited_count,
        count(origin) as origin_known_count,
        count(*) filter (where origin = 'unretrieved') as unretrieved_count,
        sum(citation_count)::bigint as citation_count,
        count(first_at) as timed_count,
        min(first_at) as first_at,
        max(first_at) as last_at
    from analytics.web_pages
    group by all
)
select
    page_url,
    domain,
    conversation_count,
    retrieved_count,
    opened_count,
    find_in_page_count,
    cited_count,
    retrieved_opened_count,
    retrieved_opened_count / nullif(retrieved_count, 0) as opened_rate,
    retrieved_cited_count,
    retrieved_cited_count / nullif(retrieved_count, 0) as cited_rate,
    opened_cited_count,
    opened_cited_count / nullif(opened_count, 0) as opened_cited_rate,
    origin_known_count,
    origin_known_count / nullif(cited_count, 0) as origin_known_share,
    unretrieved_count,
    unretrieved_count / nullif(origin_known_count, 0) as unretrieved_rate,
    citation_count,
    timed_count,
    first_at,
    last_at,
    retrieved_count < 20 as is_few_retrievals
from counted
