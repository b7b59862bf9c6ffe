"""Searches and citations: what searches find, and whether answers rest on it."""

from dashboards import charts
from dashboards.figures import Column, Data, Figure, Section, parts

STEPS = Data(
    "search_steps",
    """select called_at::date as day, count(*) filter (action = 'search') as search_count,
    count(*) filter (action = 'open_page') as open_count, count(*) filter (action = 'find_in_page') as find_count,
    count(*) filter (action is null) as untold_count, count(*) as step_count
from analytics.web_search_queries
group by all""",
    keys=("day",),
)
QUALITY = Data(
    "search_quality",
    """select called_at::date as day, 'web search' as kind, count(*) as search_count,
    count(*) filter (outcome = 'error') as failed_count, count(is_zero_results) as told_count,
    count(*) filter (is_zero_results) as zero_count, count(relation) as compared_count,
    count(*) filter (relation in ('repeated', 'reformulated')) as again_count
from analytics.web_search_queries
where action = 'search'
group by all
union all
select called_at::date as day, 'file search' as kind, count(*) as search_count,
    count(*) filter (outcome = 'error') as failed_count, count(is_zero_hit) as told_count,
    count(*) filter (is_zero_hit) as zero_count, 0 as compared_count, 0 as again_count
from analytics.file_searches
group by all""",
    keys=("day", "kind"),
)
PAGES = Data(
    "pages",
    """with pages as (
    select first_at::date as day, is_retrieved, is_opened, has_find_in_page, is_cited, origin,
        is_retrieved and is_cited as is_used
    from analytics.web_pages
),
counted as (
    select day, unnest([
        {'place': 1, 'step': 'found by a search', 'page_count': count(*) filter (is_retrieved)},
        {'place': 2, 'step': 'found and opened', 'page_count': count(*) filter (is_retrieved and is_opened)},
        {'place': 3, 'step': 'found and cited', 'page_count': count(*) filter (is_used)},
        {'place': 4, 'step': 'cited', 'page_count': count(*) filter (is_cited)},
        {'place': 5, 'step': 'cited, origin unknown', 'page_count': count(*) filter (is_cited and origin is null)},
        {'place': 6, 'step': 'cited, never retrieved', 'page_count': count(*) filter (origin = 'unretrieved')}
    ], recursive := true)
    from pages
    group by day
)
select day, step, page_count, case when place <= 3 then page_count else 0 end as found_count,
    case when place > 3 then page_count else 0 end as cited_count
from counted
order by place, day""",
    keys=("day", "step"),
)
DOMAINS = Data(
    "domains",
    """select coalesce(domain, '(none)') as domain, page_count, use_count, retrieved_count, retrieved_opened_count,
    retrieved_cited_count, cited_count, citation_count, origin_known_count, unretrieved_count
from analytics.citation_domains
order by citation_count desc, retrieved_count desc, domain
limit 200""",
    keys=("domain",),
)
RANKS = Data(
    "ranks",
    """select called_at::date as day,
    case when first_cited_rank is null then 'none' when first_cited_rank < 5 then first_cited_rank::varchar
        else '5+' end as rank,
    count(*) as search_count, sum(reciprocal_rank) as reciprocal_rank_sum
from analytics.file_searches
where is_judged
group by day, 2
order by rank = 'none', rank""",
    keys=("day", "rank"),
)
FILES = Data(
    "files",
    """select file_id, search_count, cited_search_count, result_count, citation_count, origin_known_citation_count,
    unretrieved_citation_count
from analytics.file_search_files
order by search_count desc, file_id
limit 200""",
    keys=("file_id",),
)
QUERIES = Data(
    "queries",
    """select called_at::date as day, query, coalesce(relation, 'first') as relation, source_count, cited_count,
    conversation_id
from analytics.web_search_queries
where action = 'search' and (is_zero_results or relation in ('repeated', 'reformulated'))
order by called_at desc nulls last
limit 200""",
    keys=("day", "query", "relation", "conversation_id"),
    is_example=True,
)
_STEPS = {
    "search_count": ("searches", "main"),
    "open_count": ("pages opened", "time"),
    "find_count": ("looked for in a page", "refused"),
    "untold_count": ("not told", "unknown"),
}
_FOUND = {"found_count": ("found", "main"), "cited_count": ("cited", "good")}
_NO_SEARCH = "Neither the web nor files were searched."

SECTION = Section(
    "searches",
    "Searches and citations",
    "Whether searches find something, whether answers rest on what they find, and on which sites and files.",
    (
        Figure(
            "search-quality",
            "How searches go",
            "Which searches fail, find nothing, or are asked again in other words?",
            QUALITY,
            (
                Column("kind", "Kind", "text"),
                Column("search_count", "Searches", "bar"),
                Column("search_count", "Over time", "line"),
                Column("failed", "Failed (95 % bounds)", "share"),
                Column("told_count", "Tell their results"),
                Column("zero", "Of these, found nothing", "share"),
                Column("compared_count", "With one before in the turn"),
                Column("again", "Of these, the same again", "share"),
            ),
            "{search_count} searches; {told_count/search_count} of them tell what they found, the others are in no "
            "share of it. The same again: repeated or reformulated, a heuristic on the words of the queries; of web "
            "searches only.",
            _NO_SEARCH,
            rates={
                "failed": ("failed_count", "search_count"),
                "zero": ("zero_count", "told_count"),
                "again": ("again_count", "compared_count"),
            },
            order="-search_count",
            is_wide=True,
        ),
        Figure(
            "search-steps",
            "Steps of web searches",
            "Does it only search, or read what it finds?",
            STEPS,
            (Column("period", "When", "text"), Column("step_count", "Steps"), *parts(_STEPS)),
            "{step_count} steps; {search_count} of them searches.",
            "The web was not searched.",
            charts.over_time(_STEPS, "steps"),
        ),
        Figure(
            "citation-funnel",
            "From result to citation",
            "How much of what is found is opened and cited, and what is cited without being found?",
            PAGES,
            (
                Column("step", "Pages", "text"),
                Column("page_count", "Pages of conversations"),
            ),
            "Pages by the conversation that they are in, by the day on which they are first named; addresses are "
            "compared, a heuristic. Never retrieved: no search lists it and no step opened it.",
            "No page was found or cited.",
            charts.by_key("step", _FOUND, "pages"),
        ),
        Figure(
            "domains",
            "Sites",
            "On which sites do answers rest, and which are found in vain?",
            DOMAINS,
            (
                Column("domain", "Domain", "text"),
                Column("citation_count", "Citations", "bar"),
                Column("retrieved_count", "Pages found"),
                Column("opened", "Of these, opened", "share"),
                Column("cited", "Of these, cited", "share"),
                Column("cited_count", "Pages cited"),
                Column("unretrieved", "Of known origin, never retrieved", "share"),
            ),
            "Pages by conversation. {citation_count} citations; the origin of {origin_known_count/cited_count} of "
            "cited pages is known. The 200 sites cited most are kept.",
            "No page was found or cited.",
            rates={
                "opened": ("retrieved_opened_count", "retrieved_count"),
                "cited": ("retrieved_cited_count", "retrieved_count"),
                "unretrieved": ("unretrieved_count", "origin_known_count"),
            },
            order="-citation_count",
            limit=20,
            is_wide=True,
        ),
        Figure(
            "ranks",
            "File search: where the answer's file stood",
            "At which rank is the first file that the answer cites?",
            RANKS,
            (Column("rank", "Rank", "text"), Column("search_count", "Searches")),
            "{search_count} searches whose turn cites files, by which alone they can be judged. Mean reciprocal rank: "
            "{reciprocal_rank_sum:search_count}; 1 is the best.",
            "No file search can be judged by citations.",
            charts.steps("rank", "search_count", "searches", "rank of the first file that is cited"),
        ),
        Figure(
            "files",
            "Files",
            "Which files are found again and again and never cited?",
            FILES,
            (
                Column("file_id", "File", "id"),
                Column("search_count", "Searches that found it", "bar"),
                Column("cited", "In whose turn it is cited", "share"),
                Column("citation_count", "Citations"),
            ),
            "The 200 files found most are kept; {citation_count} citations of them.",
            "No file was found or cited.",
            rates={"cited": ("cited_search_count", "search_count")},
            order="-search_count",
            limit=20,
        ),
        Figure(
            "queries",
            "Queries that found nothing, or were asked again",
            "What do people ask that searches do not answer?",
            QUERIES,
            (
                Column("query", "Query", "text"),
                Column("relation", "To the query before", "text"),
                Column("source_count", "Sources"),
                Column("cited_count", "Cited"),
                Column("conversation_id", "Conversation", "id"),
            ),
            "The latest 200, in the words of the model. Sources are not always told.",
            "No query found nothing or was asked again.",
            limit=50,
            is_wide=True,
        ),
    ),
)
