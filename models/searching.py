"""What searches are compared by: which addresses are one page, and what a query is to the one before. Heuristics all.

The API tells the pages that a search found, that were opened and that are cited by their addresses only, and adds
`utm_source=openai` to what it cites; and it never says that a query is another try. Meant to miss rather than to mix
up: what differs in more than the rules here say stays different.
"""

from models.table import Macro, literal

_SITE = r"^[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*"
_PATH = r"^[^?#]*"
_QUERY = r"^[^#]*"
_CAMPAIGN = r"([?&])(?:utm_[^&]*(?:&|$))+"
"""Parameters that say who sent the reader; what is left in their place is the sign before them."""
_NOTHING_AFTER = r"^/[?&]?$|[?&]$"
_HOST = r"^[a-z][a-z0-9+.\-]*://(?:[^/?#@]*@)?(?:www\.)?([^/?#:]+)"
_WORD = r"[\p{L}\p{N}]+"
REFORMULATED_FROM = 0.5
"""The share of words in common from which a query counts as the other one in other words."""


def _after(text: str, pattern: str) -> str:
    """What follows the pattern, with which the text begins."""
    return f"substr({text}, length(regexp_extract({text}, {literal(pattern)})) + 1)"


def _words(text: str) -> str:
    return f"list_distinct(regexp_extract_all(lower({text}), {literal(_WORD)}))"


_BEHIND_SITE = _after("url", _SITE)
_PARAMETERS = f"regexp_extract({_after(_BEHIND_SITE, _PATH)}, {literal(_QUERY)})"
_BEHIND = (
    f"regexp_extract({_BEHIND_SITE}, {literal(_PATH)}) "
    f"|| regexp_replace({_PARAMETERS}, {literal(_CAMPAIGN)}, '\\1', 'g')"
)
_SHARED = f"len(list_intersect({_words('query')}, {_words('other')}))"
_ALL = f"(len({_words('query')}) + len({_words('other')}) - {_SHARED})"
MACROS = (
    Macro(
        "page_url",
        ("url",),
        f"nullif(lower(regexp_extract(url, {literal(_SITE)})) "
        f"|| regexp_replace({_BEHIND}, {literal(_NOTHING_AFTER)}, ''), '')",
        "The address of a page as it can be compared: scheme and host in lower case, without fragment, without "
        "parameters whose name begins with utm_, without a ? or & at the end, and without the path / if nothing else "
        "follows the host. Addresses that differ in more are taken for different pages. NULL if nothing is left.",
    ),
    Macro(
        "page_domain",
        ("url",),
        f"nullif(regexp_extract(lower(url), {literal(_HOST)}, 1), '')",
        "The host of an address in lower case, without port and leading www.; NULL if it has none.",
    ),
    Macro(
        "query_overlap",
        ("query", "other"),
        f"case when query is not null and other is not null then {_SHARED} / nullif({_ALL}, 0) end",
        "The share of the different words of two queries that are in both, from 0 to 1: words are runs of letters and "
        "digits, in lower case. NULL if one is NULL, or neither has a word.",
    ),
    Macro(
        "query_relation",
        ("query", "other"),
        f"case when query_overlap(query, other) = 1 then 'repeated' "
        f"when query_overlap(query, other) >= {REFORMULATED_FROM} then 'reformulated' "
        f"when query_overlap(query, other) is not null then 'new' end",
        "What a query is to another one: repeated (the same words), reformulated (at least half of the different words "
        "of both are in both), or new; NULL where query_overlap is. A heuristic.",
    ),
)
"""Of addresses and queries, as SQL."""
