-- Grain: one row per domain of the web, over all conversations.
-- Question: from which sites does the model retrieve, which does it open and cite, and which without retrieving them?
--
-- Rows of `analytics.web_pages`, grouped by domain. A **use** is such a row: a page of a conversation, so that a page
-- in two conversations is two uses, and two pages of the domain in one conversation are two as well. All counts but
-- page_count, conversation_count and citation_count are of uses; words and rates as in `analytics.citation_funnel`.
-- Pages whose address has no domain are in the row whose domain is NULL.
--
-- is_few_retrievals: retrieved_count is less than 20. Such rows are flagged, not ranked: their rates tell little.
--
-- Columns
-- domain VARCHAR: The domain, without a leading `www.`; NULL for addresses without one.
-- page_count BIGINT: Different pages of it.
-- conversation_count BIGINT: Different conversations in which anything names one of them.
-- use_count BIGINT: Pages of conversations: rows of analytics.web_pages.
-- retrieved_count BIGINT: Of use_count, those that a search lists.
-- opened_count BIGINT: Of use_count, those that were opened.
-- find_in_page_count BIGINT: Of use_count, those in which a pattern was looked for.
-- cited_count BIGINT: Of use_count, those that are cited.
-- retrieved_opened_count BIGINT: Those both retrieved and opened.
-- opened_rate DOUBLE: retrieved_opened_count / retrieved_count; NULL if nothing was retrieved.
-- retrieved_cited_count BIGINT: Those both retrieved and cited.
-- cited_rate DOUBLE: retrieved_cited_count / retrieved_count; NULL if nothing was retrieved.
-- opened_cited_count BIGINT: Those both opened and cited.
-- opened_cited_rate DOUBLE: opened_cited_count / opened_count; NULL if nothing was opened.
-- origin_known_count BIGINT: Of cited_count, those whose origin is known.
-- origin_known_share DOUBLE: origin_known_count / cited_count: the coverage of unretrieved_rate; NULL if never cited.
-- unretrieved_count BIGINT: Of origin_known_count, those whose origin is unretrieved.
-- unretrieved_rate DOUBLE: unretrieved_count / origin_known_count; NULL if no origin is known.
-- citation_count BIGINT: Citations in all.
-- is_few_retrievals BOOLEAN: Whether retrieved_count is less than 20, so that rates tell little.
with counted as (
    select
        domain,
        count(distinct page_url) as page_count,
        count(distinct conversation_id) as conversation_count,
        count(*) as use_count,
        count(*) filter (where is_retrieved) as retrieved_count,
        count(*) filter (where is_opened) as opened_count,
        count(*) filter (where has_find_in_page) as find_in_page_count,
        count(*) filter (where is_cited) as cited_count,
        count(*) filter (where is_retrieved and is_opened) as retrieved_opened_count,
        count(*) filter (where is_retrieved and is_cited) as retrieved_cited_count,
        count(*) filter (where is_opened and is_cited) as opened_cited_count,
        count(origin) as origin_known_count,
        count(*) filter (where origin = 'unretrieved') as unretrieved_count,
        sum(citation_count)::bigint as citation_count
    from analytics.web_pages
    group by all
)
select
    domain,
    page_count,
    conversation_count,
    use_count,
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
    retrieved_count < 20 as is_few_retrievals
from counted
