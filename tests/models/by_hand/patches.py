"""The rows of the views about changes to files: `analytics.patch_operations` and `analytics.patch_paths`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.models.by_hand.reading import missing_if_empty, nested, share, text
from tests.models.by_hand.spine import Item, Row
from tests.models.by_hand.tools import Call, outcomes, span

_OF_CALL = (
    "conversation_id",
    "item_id",
    "position",
    "turn_index",
    "called_at",
    "outcome",
    "outcome_method",
    "is_failed",
    "is_decided",
    "error_message",
    "retry_of",
    "retry_method",
    "latency_ms",
    "latency_method",
)
_NOT_OF_PATHS = {"error_count", "timeout_count", "denied_count", "is_few_calls"}


def patch_operations(conversation: Sequence[Item], calls: Iterable[Call]) -> list[Row]:
    """The rows of one conversation, by position."""
    items = {item.id: item for item in conversation}
    found = [_operation(call, items[call["item_id"]]) for call in calls if call["family"] == "apply_patch"]
    on_path: dict[object, list[Row]] = defaultdict(list)
    for row in found:
        if row["path"] is not None:
            on_path[row["turn_index"], row["path"]].append(row)
    for own in on_path.values():
        for n, row in enumerate(own, 1):
            is_applied_later = any(later["outcome"] == "ok" for later in own[n:])
            row["path_index"] = n
            row["patched_again_by"] = own[n]["item_id"] if own[n:] else None
            row["is_patched_again"] = bool(own[n:])
            row["is_recovered"] = bool(row["is_failed"]) and is_applied_later
            row["is_reworked"] = row["outcome"] == "ok" and is_applied_later
    return found


def _operation(call: Call, item: Item) -> Row:
    operation = nested(item.body, "operation")
    diff = text(operation, "diff")
    marks = Counter(line[:1] for line in diff.split("\n")) if diff is not None else None
    return {
        **{name: call[name] for name in _OF_CALL},
        "operation": text(operation, "type"),
        "path": missing_if_empty(text(operation, "path")),
        "diff_chars": None if diff is None else len(diff),
        "added_line_count": None if marks is None else marks["+"],
        "removed_line_count": None if marks is None else marks["-"],
        "churn": None if marks is None else marks["+"] + marks["-"],
        "churn_method": "none" if marks is None else "explicit",
        "path_index": None,
        "patched_again_by": None,
        "is_patched_again": False,
        "is_recovered": False,
        "is_reworked": False,
    }


def patch_paths(operations: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """The rows of all conversations together."""
    by_path: dict[str | None, list[Mapping[str, Any]]] = defaultdict(list)
    for one in operations:
        by_path[one["path"]].append(one)
    for path, own in by_path.items():
        words = Counter(one["operation"] for one in own)
        counted = [one for one in own if one["outcome"] == "ok" and one["churn"] is not None]
        added, removed = (sum(one[f"{word}_line_count"] for one in counted) for word in ("added", "removed"))
        again, reworked = (sum(one[name] for one in own) for name in ("is_patched_again", "is_reworked"))
        ended: dict[str, Any] = outcomes(own)
        yield {
            "path": path,
            "operation_count": len(own),
            "conversation_count": len({one["conversation_id"] for one in own}),
            "turn_count": len({(one["conversation_id"], one["turn_index"]) for one in own}),
            **{f"{word}_count": words[f"{word}_file"] for word in ("create", "update", "delete")},
            **{name: value for name, value in ended.items() if name not in _NOT_OF_PATHS},
            "is_few_operations": ended["is_few_calls"],
            "added_line_count": added if counted else None,
            "removed_line_count": removed if counted else None,
            "net_line_count": added - removed if counted else None,
            "churn": added + removed if counted else None,
            "counted_count": len(counted),
            "patched_again_count": again,
            "patched_again_rate": again / len(own),
            "recovered_count": sum(one["is_recovered"] for one in own),
            "reworked_count": reworked,
            "reworked_rate": share(reworked, ended["ok_count"]),
            **span("patched", "operation", [one["called_at"] for one in own]),
        }
