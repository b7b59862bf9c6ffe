"""The rows of the views about searches in files: results, searches, days, files."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.models.by_hand.reading import as_number, length, missing_if_empty, rows, share, text, texts_if_listed
from tests.models.by_hand.searches import Step, files_cited, steps
from tests.models.by_hand.spine import Item, Row
from tests.models.by_hand.tools import FEW, Call, quantile

Hit = Mapping[str, Any]
Search = Mapping[str, Any]


def file_search_hits(conversation: Sequence[Item], calls: Sequence[Call]) -> Iterator[Row]:
    """The rows of one conversation."""
    citations = list(files_cited(conversation))
    for step in steps(conversation, calls, "file_search"):
        files: list[str] = []
        for rank, result in enumerate(rows(step.item.body, "results"), 1):
            file = missing_if_empty(text(result, "file_id"))
            is_first = file is not None and file not in files
            if file is not None and is_first:
                files.append(file)
            cited = sum(one.of == file and one.follows(step.item) for one in citations)
            yield {
                **{name: step.place[name] for name in ("conversation_id", "item_id", "position", "turn_index")},
                "rank": rank,
                "called_at": step.call["called_at"],
                "file_id": file,
                "filename": text(result, "filename"),
                "vector_store_id": text(result, "vector_store_id"),
                "file_rank": None if file is None else files.index(file) + 1,
                "is_first_of_file": is_first,
                "score": as_number(result, "score"),
                "text_chars": len(text(result, "text") or ""),
                "is_cited": None if file is None else cited > 0,
                "citation_count": None if file is None else cited,
            }


def file_searches(conversation: Sequence[Item], calls: Sequence[Call], hits: Iterable[Hit]) -> Iterator[Row]:
    """The rows of one conversation."""
    citations = list(files_cited(conversation))
    results: dict[object, list[Hit]] = defaultdict(list)
    for hit in hits:
        results[hit["item_id"]].append(hit)
    for step in steps(conversation, calls, "file_search"):
        yield _search(step, results[step.item.id], sum(one.follows(step.item) for one in citations))


def _search(step: Step, hits: Sequence[Hit], citation_count: int) -> Row:
    count, is_ok = length(step.item.body, "results"), step.call["outcome"] == "ok"
    is_told, is_judged = count is not None, is_ok and count is not None and citation_count > 0
    cited = [hit for hit in hits if hit["is_cited"]]
    first = cited[0]["rank"] if is_judged and cited else None
    return {
        **step.place,
        "queries": texts_if_listed(step.item.body, "queries"),
        "result_count": count,
        "file_count": len({hit["file_id"] for hit in hits} - {None}) if is_told else None,
        "vector_store_ids": sorted({hit["vector_store_id"] for hit in hits} - {None}),
        "max_score": max((hit["score"] for hit in hits if hit["score"] is not None), default=None),
        "is_zero_hit": count == 0 if is_ok and is_told else None,
        "turn_citation_count": citation_count,
        "is_judged": is_judged,
        "cited_result_count": len(cited) if is_told else None,
        "cited_file_count": len({hit["file_id"] for hit in cited}) if is_told else None,
        "first_cited_rank": first,
        "reciprocal_rank": (1 / first if first else 0.0) if is_judged else None,
    }


def file_search_daily(searches: Iterable[Search]) -> Iterator[Row]:
    """The rows of all conversations together."""
    days: dict[object, list[Search]] = defaultdict(list)
    for search in searches:
        days[search["called_at"] and search["called_at"].date()].append(search)
    for day, own in days.items():
        ok = [one for one in own if one["outcome"] == "ok"]
        told = [one for one in ok if one["result_count"] is not None]
        judged = [one for one in told if one["is_judged"]]
        zero, ranks = sum(one["result_count"] == 0 for one in told), [one["first_cited_rank"] for one in judged]
        total = sum((one["reciprocal_rank"] for one in judged), 0.0)
        first = {k: sum(rank is not None and rank <= k for rank in ranks) for k in (1, 3, 5)}
        yield {
            "day": day,
            "search_count": len(own),
            "conversation_count": len({one["conversation_id"] for one in own}),
            "ok_count": len(ok),
            "failed_count": sum(one["outcome"] == "error" for one in own),
            "told_count": len(told),
            "told_share": share(len(told), len(ok)),
            "zero_hit_count": zero,
            "zero_hit_rate": share(zero, len(told)),
            "result_count": sum(one["result_count"] or 0 for one in own),
            "judged_count": len(judged),
            "judged_share": share(len(judged), len(told)),
            **{f"hit_at_{k}_count": count for k, count in first.items()},
            **{f"hit_at_{k}_rate": share(count, len(judged)) for k, count in first.items()},
            "missed_count": ranks.count(None),
            "reciprocal_rank_sum": total,
            "mean_reciprocal_rank": total / len(judged) if judged else None,
            "is_few_told": len(told) < FEW,
            "is_few_judged": len(judged) < FEW,
        }


def file_search_files(conversations: Iterable[Sequence[Item]], hits: Iterable[Hit]) -> Iterator[Row]:
    """The rows of all conversations together."""
    found: dict[str, list[Hit]] = defaultdict(list)
    cited: dict[str, list[tuple[str | None, str | None]]] = defaultdict(list)
    for hit in hits:
        if hit["file_id"] is not None:
            found[hit["file_id"]].append(hit)
    for conversation in conversations:
        for one in files_cited(conversation):
            cited[one.of].append((one.filename, _origin(conversation, one.message, one.of)))
    for file in found.keys() | cited.keys():
        own, searches = found[file], [hit for hit in found[file] if hit["is_first_of_file"]]
        origins = [origin for _, origin in cited[file]]
        known = len(origins) - origins.count(None)
        names = [hit["filename"] for hit in own] + [None] if own else []
        scores = [hit["score"] for hit in own if hit["score"] is not None]
        times = [hit["called_at"] for hit in searches if hit["called_at"] is not None]
        cited_searches = sum(hit["is_cited"] for hit in searches)
        yield {
            "file_id": file,
            "filename": _greatest(names) or _greatest([name for name, _ in cited[file]]),
            "vector_store_ids": sorted({hit["vector_store_id"] for hit in own} - {None}),
            "search_count": len(searches),
            "conversation_count": len({hit["conversation_id"] for hit in own}),
            "result_count": len(own),
            "best_rank": min((hit["rank"] for hit in own), default=None),
            "max_score": max(scores, default=None),
            "score_count": len(scores),
            "score_p50": quantile(scores, 0.5),
            "cited_search_count": cited_searches,
            "cited_rate": share(cited_searches, len(searches)),
            "citation_count": len(origins),
            "origin_known_citation_count": known,
            "unretrieved_citation_count": origins.count("unretrieved"),
            "unretrieved_rate": share(origins.count("unretrieved"), known),
            "is_never_cited": not origins,
            "is_never_found": not own,
            "timed_search_count": len(times),
            "first_found_at": min(times, default=None),
            "last_found_at": max(times, default=None),
            "is_few_searches": len(searches) < FEW,
        }


def _greatest(names: Sequence[str | None]) -> str | None:
    return max((name for name in names if name is not None), default=None)


def _origin(conversation: Sequence[Item], message: Item, file: str) -> str | None:
    """Whether a search before the message found the file; None if one of them does not tell."""
    before = [it for it in conversation if it.type == "file_search_call" and it.position < message.position]
    if any(text(one, "file_id") == file for it in before for one in rows(it.body, "results")):
        return "search"
    return None if any(length(it.body, "results") is None for it in before) else "unretrieved"
