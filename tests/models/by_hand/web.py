"""The rows of the views about searches of the web: steps, pages, and how far pages and domains come."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.models.by_hand.reading import elements, joined_texts, length, nested, rows, share, text
from tests.models.by_hand.searches import Citation, Step, page_domain, page_url, pages_cited, steps, words
from tests.models.by_hand.spine import Item, Row
from tests.models.by_hand.tools import FEW, Call

_HALF = 0.5
Page = Mapping[str, Any]


def _action(step: Step) -> str | None:
    return text(nested(step.item.body, "action"), "type")


def _is_visit(step: Step) -> bool:
    return _action(step) in {"open_page", "find_in_page"}


def _query(step: Step) -> str | None:
    if _action(step) != "search":
        return None
    action = nested(step.item.body, "action")
    query = text(action, "query")
    return joined_texts(action, "queries") if query is None else query


def _query_count(step: Step) -> int | None:
    if _action(step) != "search":
        return None
    action = nested(step.item.body, "action")
    return max(len(elements(action, "queries")), 0 if text(action, "query") is None else 1)


def _source_count(step: Step) -> int | None:
    return length(nested(step.item.body, "action"), "sources") if _action(step) == "search" else None


def _own_page(step: Step) -> str | None:
    return page_url(text(nested(step.item.body, "action"), "url")) if _is_visit(step) else None


def _listed(step: Step) -> set[str]:
    """The pages that a search lists."""
    if _action(step) != "search":
        return set()
    found = (page_url(text(one, "url")) for one in rows(nested(step.item.body, "action"), "sources"))
    return {page for page in found if page is not None}


def web_search_queries(conversation: Sequence[Item], calls: Sequence[Call]) -> Iterator[Row]:
    """The rows of one conversation."""
    all_steps, citations = steps(conversation, calls, "web_search"), list(pages_cited(conversation))
    searches: Counter[int] = Counter()
    latest: dict[int, Step] = {}
    for n, step in enumerate(all_steps):
        is_search, turn, page = _action(step) == "search", step.item.turn_index, _own_page(step)
        searches[turn] += is_search
        query, action = _query(step), nested(step.item.body, "action")
        previous = latest.get(turn) if query is not None else None
        overlap = _overlap(query, _query(previous)) if previous else None
        relation = None if overlap is None else "repeated" if overlap == 1 else _reworded(overlap)
        yield {
            **step.place,
            "action": _action(step),
            "search_index": searches[turn] if is_search else None,
            "query": query,
            "query_count": _query_count(step),
            "page_url": page,
            "domain": page_domain(page),
            "pattern": text(action, "pattern") if _action(step) == "find_in_page" else None,
            "source_count": _source_count(step),
            **_what_became_of(step, all_steps[n + 1 :], citations),
            "is_zero_results": _is_zero(step),
            "previous_item_id": previous.item.id if previous else None,
            "query_overlap": overlap,
            "relation": relation,
            "relation_method": "heuristic" if relation else "none",
            "is_known_page": _is_known(page, all_steps[:n]),
        }
        if query is not None:
            latest[turn] = step


def _reworded(overlap: float) -> str:
    return "reformulated" if overlap >= _HALF else "new"


def _overlap(query: str | None, other: str | None) -> float | None:
    return share(len(words(query) & words(other)), len(words(query) | words(other)))


def _is_zero(step: Step) -> bool | None:
    count = _source_count(step)
    return None if count is None or step.call["outcome"] != "ok" else count == 0


def _what_became_of(step: Step, later: Sequence[Step], citations: Sequence[Citation]) -> Row:
    names = ("page_count", "opened_count", "opened_rate", "cited_count", "cited_rate", "citation_count")
    is_search, page = _action(step) == "search", _own_page(step)
    pages = _listed(step) if is_search else {page} - {None}
    if _source_count(step) is None if is_search else page is None:
        return dict.fromkeys(names)
    opened = {
        _own_page(one) for one in later if _action(one) == "open_page" and one.item.turn_index == step.item.turn_index
    }
    cited = [one.of for one in citations if one.of in pages and one.follows(step.item)]
    return {
        "page_count": len(pages),
        "opened_count": len(pages & opened) if is_search else None,
        "opened_rate": share(len(pages & opened), len(pages)) if is_search else None,
        "cited_count": len(set(cited)),
        "cited_rate": share(len(set(cited)), len(pages)),
        "citation_count": len(cited),
    }


def _is_known(page: str | None, before: Sequence[Step]) -> bool | None:
    if page is None:
        return None
    if any(page in _listed(one) for one in before):
        return True
    return None if any(_is_untold(one) for one in before) else False


def _is_untold(step: Step) -> bool:
    return _action(step) == "search" and _source_count(step) is None


def web_pages(conversation: Sequence[Item], calls: Sequence[Call]) -> Iterator[Row]:
    """The rows of one conversation."""
    all_steps, citations = steps(conversation, calls, "web_search"), list(pages_cited(conversation))
    named: dict[str, list[Item]] = defaultdict(list)
    for step in all_steps:
        for page in _listed(step) | ({_own_page(step)} - {None}):
            named[str(page)].append(step.item)
    for citation in citations:
        named[citation.of].append(citation.message)
    for page, items in named.items():
        first = min(items, key=lambda item: item.position)
        citing = sorted({one.message.position for one in citations if one.of == page})
        listing = [one for one in all_steps if page in _listed(one)]
        visits = [one for one in all_steps if _own_page(one) == page]
        untold = [one for one in all_steps if _is_untold(one) and (not citing or one.item.position < citing[0])]
        origin = _origin(citing[0], listing, visits, untold) if citing else None
        done = Counter(_action(one) for one in visits)
        yield {
            "conversation_id": first.conversation_id,
            "page_url": page,
            "domain": page_domain(page),
            "first_item_id": first.id,
            "first_position": first.position,
            "first_turn_index": first.turn_index,
            "first_at": first.time,
            "retrieved_count": len(listing),
            "opened_count": done["open_page"],
            "find_in_page_count": done["find_in_page"],
            "citation_count": sum(one.of == page for one in citations),
            "citing_message_count": len(citing),
            "is_retrieved": bool(listing),
            "is_opened": done["open_page"] > 0,
            "has_find_in_page": done["find_in_page"] > 0,
            "is_cited": bool(citing),
            "untold_search_count": len(untold),
            "origin": origin,
            "origin_method": "heuristic" if origin else "none",
        }


def _origin(cited_at: int, listing: Sequence[Step], visits: Sequence[Step], untold: Sequence[Step]) -> str | None:
    if any(one.item.position < cited_at for one in listing):
        return "search"
    if any(one.item.position < cited_at for one in visits):
        return "page"
    return None if untold else "unretrieved"


def citation_funnel(pages: Iterable[Page]) -> Iterator[Row]:
    """The rows of all conversations together, by page."""
    for own in _grouped(pages, lambda page: page["page_url"]):
        times = [page["first_at"] for page in own if page["first_at"] is not None]
        yield {
            "page_url": own[0]["page_url"],
            "domain": own[0]["domain"],
            "conversation_count": len(own),
            **_funnel(own),
            "timed_count": len(times),
            "first_at": min(times, default=None),
            "last_at": max(times, default=None),
        }


def citation_domains(pages: Iterable[Page]) -> Iterator[Row]:
    """The rows of all conversations together, by domain."""
    for own in _grouped(pages, lambda page: page["domain"]):
        yield {
            "domain": own[0]["domain"],
            "page_count": len({page["page_url"] for page in own}),
            "conversation_count": len({page["conversation_id"] for page in own}),
            "use_count": len(own),
            **_funnel(own),
        }


def _grouped(pages: Iterable[Page], by: Callable[[Page], object]) -> Iterable[list[Page]]:
    groups: dict[object, list[Page]] = defaultdict(list)
    for page in pages:
        groups[by(page)].append(page)
    return groups.values()


def _funnel(pages: Sequence[Page]) -> Row:
    retrieved = [page for page in pages if page["is_retrieved"]]
    opened = [page for page in pages if page["is_opened"]]
    cited = [page for page in pages if page["is_cited"]]
    known = [page for page in cited if page["origin"] is not None]
    from_nowhere = [page for page in known if page["origin"] == "unretrieved"]
    both = sum(page["is_opened"] for page in retrieved)
    used = sum(page["is_cited"] for page in retrieved)
    read = sum(page["is_cited"] for page in opened)
    return {
        "retrieved_count": len(retrieved),
        "opened_count": len(opened),
        "find_in_page_count": sum(page["has_find_in_page"] for page in pages),
        "cited_count": len(cited),
        "retrieved_opened_count": both,
        "opened_rate": share(both, len(retrieved)),
        "retrieved_cited_count": used,
        "cited_rate": share(used, len(retrieved)),
        "opened_cited_count": read,
        "opened_cited_rate": share(read, len(opened)),
        "origin_known_count": len(known),
        "origin_known_share": share(len(known), len(cited)),
        "unretrieved_count": len(from_nowhere),
        "unretrieved_rate": share(len(from_nowhere), len(known)),
        "citation_count": sum(page["citation_count"] for page in pages),
        "is_few_retrievals": len(retrieved) < FEW,
    }
