"""The views about searches, on the web and in files, on a handful of items: given these, these rows."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.models.given import Given, Item, answer, user

A, B, C = "https://a.example/page", "https://www.b.example/page", "https://c.example/page"


def search(query: str | None, *urls: str, **more: Any) -> Item:
    """A search that lists these pages."""
    sources = [{"type": "url", "url": url} for url in urls]
    said = {} if query is None else {"query": query}
    return {
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", **said, "sources": sources},
        **more,
    }


def untold(query: str, **more: Any) -> Item:
    """A search that does not tell what it found."""
    return {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": query}, **more}


def visit(url: str | None, pattern: str | None = None) -> Item:
    """A page opened, or looked into."""
    action = {"type": "open_page"} if pattern is None else {"type": "find_in_page", "pattern": pattern}
    return {"type": "web_search_call", "status": "completed", "action": {**action, "url": url}}


def citing(*cited: dict[str, Any], **more: Any) -> Item:
    """An answer with citations."""
    return answer(content=[{"type": "output_text", "text": "So it is.", "annotations": list(cited)}], **more)


def page(url: str) -> dict[str, Any]:
    """A citation of a page."""
    return {"type": "url_citation", "start_index": 0, "end_index": 1, "title": "t", "url": url}


def file(file_id: str | None, filename: str = "f.md") -> dict[str, Any]:
    """A citation of a file."""
    return {"type": "file_citation", "file_id": file_id, "filename": filename, "index": 0}


def hit(file_id: str | None, score: float = 0.5, **more: Any) -> dict[str, Any]:
    """A result of a file search."""
    return {"file_id": file_id, "filename": "f.md", "vector_store_id": "vs_1", "score": score, "text": "abc", **more}


def in_files(*hits: dict[str, Any] | None, **more: Any) -> Item:
    """A file search with these results; with None, one that does not tell them."""
    results = None if hits == (None,) else list(hits)
    return {"type": "file_search_call", "status": "completed", "queries": ["q"], "results": results, **more}


def test_a_search_is_followed_by_what_the_turn_opens_and_cites(given: Given) -> None:
    given.conversation(
        user(),
        visit(C),
        citing(page(C), phase="commentary"),
        search("ferries", A, f"{A}#top", B, C),
        visit(f"{A}?utm_source=openai"),
        search("boats", A),
        citing(page(f"{A}?utm_source=openai"), page(A), page(B)),
        user(),
        citing(page(C)),
    )
    columns = (
        "item_id, search_index, source_count, page_count, opened_count, opened_rate, cited_count, cited_rate, "
        "citation_count, page_url"
    )
    assert given.rows("web_search_queries", columns, "position") == [
        (1, None, None, 1, None, None, 1, 1.0, 1, C),
        (3, 1, 4, 3, 1, 1 / 3, 2, 2 / 3, 3, None),
        (4, None, None, 1, None, None, 1, 1.0, 2, A),
        (5, 2, 1, 1, 0, 0.0, 1, 1.0, 2, None),
    ]


def test_what_a_search_does_not_tell_is_not_taken_for_zero_results(given: Given) -> None:
    given.conversation(
        user(),
        search("a"),
        search("a", A),
        untold("a"),
        search("a", status="failed"),
        search("a", action={"type": "search", "query": "a", "sources": None}),
        search("a", action={"type": "search", "query": "a", "sources": [{"type": "api", "name": "oai-weather"}]}),
        search("a", action=None),
        visit(A),
        citing(page(A)),
    )
    columns = "item_id, action, is_zero_results, source_count, page_count, cited_count"
    assert given.rows("web_search_queries", columns, "position") == [
        (1, "search", True, 0, 0, 0),
        (2, "search", False, 1, 1, 1),
        (3, "search", None, None, None, None),
        (4, "search", None, 0, 0, 0),
        (5, "search", None, None, None, None),
        (6, "search", False, 1, 0, 0),
        (7, None, None, None, None, None),
        (8, "open_page", None, None, 1, 1),
    ]


def test_a_query_is_compared_with_the_one_before_it_in_the_turn(given: Given) -> None:
    given.conversation(
        user(),
        untold("tidal power"),
        untold("Tidal power, report"),
        visit(A),
        search("", action={"type": "search", "queries": ["power tidal", "report"]}),
        search(None),
        untold("something else"),
        untold("?"),
        untold("!"),
        user(),
        untold("tidal power"),
    )
    columns = "item_id, query, query_count, previous_item_id, round(query_overlap, 2), relation, relation_method"
    assert given.rows("web_search_queries", columns, "position") == [
        (1, "tidal power", 1, None, None, None, "none"),
        (2, "Tidal power, report", 1, 1, 0.67, "reformulated", "heuristic"),
        (3, None, None, None, None, None, "none"),
        (4, "power tidal\nreport", 2, 2, 1.0, "repeated", "heuristic"),
        (5, None, 0, None, None, None, "none"),
        (6, "something else", 1, 4, 0.0, "new", "heuristic"),
        (7, "?", 1, 6, 0.0, "new", "heuristic"),
        (8, "!", 1, 7, None, None, "none"),
        (10, "tidal power", 1, None, None, None, "none"),
    ]


def test_a_page_is_known_if_an_earlier_search_of_the_conversation_lists_it(given: Given) -> None:
    given.conversation(
        user(),
        visit(A),
        search("a", A),
        user(),
        visit(f"{A}#x"),
        visit(B, "word"),
        untold("b"),
        visit(B),
        visit(A),
        visit(None),
        search("b", B),
    )
    columns = "item_id, domain, pattern, is_known_page"
    assert [row for row in given.rows("web_search_queries", columns, "position") if row[0] not in {2, 6, 10}] == [
        (1, "a.example", None, False),
        (4, "a.example", None, True),
        (5, "b.example", "word", False),
        (7, "b.example", None, None),
        (8, "a.example", None, True),
        (9, None, None, None),
    ]


def test_a_page_has_one_row_in_a_conversation_with_all_that_became_of_it(given: Given) -> None:
    given.conversation(
        user(),
        search("a", A, A, f"{A}#top"),
        search("a again", A),
        visit(A),
        visit(A),
        visit(A, "word"),
        citing(page(A), page(f"{A}?utm_source=openai")),
        user(),
        citing(page(A), page(C), page("")),
    )
    given.conversation(citing(page(A)))
    columns = (
        "conversation_id, page_url, domain, first_item_id, first_turn_index, first_at is not null, retrieved_count, "
        "opened_count, find_in_page_count, citation_count, citing_message_count, is_cited, origin"
    )
    assert given.rows("web_pages", columns, "conversation_id, page_url") == [
        ("conversation 1", A, "a.example", 1, 1, True, 2, 2, 1, 3, 2, True, "search"),
        ("conversation 1", C, "c.example", 8, 2, True, 0, 0, 0, 1, 1, True, "unretrieved"),
        ("conversation 2", A, "a.example", 0, 0, True, 0, 0, 0, 1, 1, True, "unretrieved"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([search("a", A)], [], (0, "search", "heuristic")),
        ([visit(A)], [search("a", A)], (0, "page", "heuristic")),
        ([visit(A, "word")], [], (0, "page", "heuristic")),
        ([untold("a"), visit(A)], [], (1, "page", "heuristic")),
        ([untold("a"), search("a", B)], [], (1, None, "none")),
        ([search("a", B)], [untold("a")], (0, "unretrieved", "heuristic")),
        ([], [search("a", A)], (0, "unretrieved", "heuristic")),
        ([], [visit(A)], (0, "unretrieved", "heuristic")),
    ],
)
def test_where_a_citation_comes_from_is_what_stands_before_it(
    given: Given, before: list[Item], after: list[Item], expected: tuple[object, ...]
) -> None:
    given.conversation(user(), *before, user(), citing(page(A)), *after, citing(page(A)))
    found = given.rows("web_pages where is_cited", "untold_search_count, origin, origin_method")
    assert found == [expected]


def test_pages_and_domains_tell_how_far_they_come(given: Given) -> None:
    given.conversation(user(), search("a", A, B), visit(A), citing(page(A), page(A)))
    given.conversation(user(), search("a", A), citing(page(B)))
    given.conversation(user(), untold("a"), visit(f"{A}/2"), citing(page(A), page("nowhere")))
    columns = (
        "conversation_count, retrieved_count, opened_count, cited_count, retrieved_opened_count, opened_rate, "
        "retrieved_cited_count, cited_rate, opened_cited_count, opened_cited_rate, origin_known_count, "
        "origin_known_share, unretrieved_count, unretrieved_rate, citation_count, is_few_retrievals"
    )
    assert given.rows("citation_funnel", f"page_url, {columns}", "page_url") == [
        (A, 3, 2, 1, 2, 1, 0.5, 1, 0.5, 1, 1.0, 1, 0.5, 0, 0.0, 3, True),
        (f"{A}/2", 1, 0, 1, 0, 0, None, 0, None, 0, 0.0, 0, None, 0, None, 0, True),
        (B, 2, 1, 0, 1, 0, 0.0, 0, 0.0, 0, None, 1, 1.0, 1, 1.0, 1, True),
        ("nowhere", 1, 0, 0, 1, 0, None, 0, None, 0, None, 0, 0.0, 0, None, 1, True),
    ]
    assert given.rows("citation_domains", f"domain, page_count, use_count, {columns}", "domain") == [
        ("a.example", 2, 4, 3, 2, 2, 2, 1, 0.5, 1, 0.5, 1, 0.5, 1, 0.5, 0, 0.0, 3, True),
        ("b.example", 1, 2, 2, 1, 0, 1, 0, 0.0, 0, 0.0, 0, None, 1, 1.0, 1, 1.0, 1, True),
        (None, 1, 1, 1, 0, 0, 1, 0, None, 0, None, 0, None, 0, 0.0, 0, None, 1, True),
    ]


def test_hits_have_their_place_and_are_cited_by_file_later_in_the_turn(given: Given) -> None:
    given.conversation(
        user(),
        citing(file("a")),
        in_files(hit("b", 0.6), hit("a", 0.9), hit("b"), hit(None), hit("", text=None), hit("c")),
        citing(file("a"), file("a"), file("d"), file(None)),
        user(),
        citing(file("c")),
    )
    columns = "item_id, rank, file_id, file_rank, is_first_of_file, score, text_chars, is_cited, citation_count"
    assert given.rows("file_search_hits", columns, "rank") == [
        (2, 1, "b", 1, True, 0.6, 3, False, 0),
        (2, 2, "a", 2, True, 0.9, 3, True, 2),
        (2, 3, "b", 1, False, 0.5, 3, False, 0),
        (2, 4, None, None, False, 0.5, 3, None, None),
        (2, 5, None, None, False, 0.5, 0, None, None),
        (2, 6, "c", 3, True, 0.5, 3, False, 0),
    ]


def test_a_search_is_judged_by_what_the_turn_cites_after_it(given: Given) -> None:
    given.conversation(
        user(),
        in_files(hit("a", 0.2), hit("b", 0.7, vector_store_id="vs_0"), hit("b")),
        in_files(hit("c")),
        in_files(),
        in_files(None),
        in_files(status="failed"),
        citing(file("b"), file("x")),
        in_files(hit("b")),
    )
    columns = (
        "item_id, result_count, file_count, vector_store_ids, max_score, is_zero_hit, turn_citation_count, is_judged, "
        "cited_result_count, cited_file_count, first_cited_rank, reciprocal_rank"
    )
    assert given.rows("file_searches", columns, "position") == [
        (1, 3, 2, ["vs_0", "vs_1"], 0.7, False, 2, True, 2, 1, 2, 0.5),
        (2, 1, 1, ["vs_1"], 0.5, False, 2, True, 0, 0, None, 0.0),
        (3, 0, 0, [], None, True, 2, True, 0, 0, None, 0.0),
        (4, None, None, [], None, None, 2, False, None, None, None, None),
        (5, 0, 0, [], None, None, 2, False, 0, 0, None, None),
        (7, 1, 1, ["vs_1"], 0.5, False, 0, False, 0, 0, None, None),
    ]


def test_days_put_searches_together_and_none_is_dropped(given: Given) -> None:
    others = [hit(name) for name in "vwxyz"]
    given.conversation(
        user(),
        in_files(hit("a")),
        in_files(*others[:2], hit("a")),
        in_files(*others[:4], hit("a")),
        in_files(*others, hit("a")),
        in_files(),
        in_files(None),
        in_files(status="failed"),
        citing(file("a")),
        begin=datetime(2026, 10, 2, 9, tzinfo=UTC),
    )
    given.conversation(in_files(hit("a"), id="fs_of_somebody"))
    columns = (
        "day, search_count, conversation_count, ok_count, failed_count, told_count, told_share, zero_hit_count, "
        "zero_hit_rate, result_count, judged_count, judged_share, hit_at_1_count, hit_at_1_rate, hit_at_3_count, "
        "hit_at_5_count, missed_count, round(reciprocal_rank_sum, 3), round(mean_reciprocal_rank, 3), is_few_judged"
    )
    assert given.rows("file_search_daily", columns, "day") == [
        (date(2026, 10, 2), 7, 1, 6, 1, 5, 5 / 6, 1, 0.2, 15, 5, 1.0, 1, 0.2, 2, 3, 1, 1.7, 0.34, True),
        (None, 1, 1, 1, 0, 1, 1.0, 0, 0.0, 1, 0, 0.0, 0, None, 0, 0, 0, 0.0, None, True),
    ]


def test_files_are_found_cited_both_or_neither(given: Given) -> None:
    given.conversation(
        user(),
        in_files(hit("a", 0.4), hit("never", 0.3), hit("a", 0.8, filename="g.md")),
        citing(file("a"), file("attached", "other.pdf")),
        user(),
        in_files(hit("a", 0.6)),
        answer(),
    )
    given.conversation(in_files(None), citing(file("a"), file("attached")))
    given.conversation(citing(file("attached")), in_files(None))
    columns = (
        "file_id, filename, search_count, conversation_count, result_count, best_rank, max_score, score_p50, "
        "cited_search_count, cited_rate, citation_count, origin_known_citation_count, unretrieved_citation_count, "
        "unretrieved_rate, is_never_cited, is_never_found, timed_search_count"
    )
    assert given.rows("file_search_files", columns, "file_id") == [
        ("a", "g.md", 2, 1, 3, 1, 0.8, 0.6, 1, 0.5, 2, 1, 0, 0.0, False, False, 2),
        ("attached", "other.pdf", 0, 0, 0, None, None, None, 0, None, 3, 2, 2, 1.0, False, True, 0),
        ("never", "f.md", 1, 1, 1, 2, 0.3, 0.3, 0, 0.0, 0, 0, 0, None, True, False, 1),
    ]
