"""The rows of the views about MCP servers: `mcp_servers`, `approvals` and `approval_friction`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.models.by_hand.families import REQUEST, arguments, tool_of
from tests.models.by_hand.reading import digest, flag, missing_if_empty, rows, share, text
from tests.models.by_hand.spine import Item, Row, milliseconds
from tests.models.by_hand.tools import FEW, Call, outcomes, quantile, span, wilson

Rows = Sequence[Mapping[str, Any]]
_MESSAGE_CHARS = 200
_KINDS = {
    "mcp_protocol_error": "protocol",
    "http_error": "http",
    "mcp_tool_execution_error": "execution",
    "text": "text",
}


def approvals(conversation: Sequence[Item], calls: Iterable[Call]) -> Iterator[Row]:
    """The rows of one conversation."""
    made = {call["item_id"]: call for call in calls}
    denied: Counter[str] = Counter()
    for request in conversation:
        if request.type != REQUEST:
            continue
        responses = _naming(request, "mcp_approval_response", conversation)
        followed = _naming(request, "mcp_call", conversation)
        response, call = next(reversed(responses), None), next(iter(followed), None)
        decision, method = _decision(response, call)
        told, given, outcome = tool_of(request), arguments(request), made[call.id] if call else None
        yield {
            "conversation_id": request.conversation_id,
            "item_id": request.id,
            "position": request.position,
            "turn_index": request.turn_index,
            "tool": told.word,
            "server_label": told.server_label,
            "tool_name": told.name,
            "argument_chars": None if given is None else len(given),
            "arguments_hash": None if given is None else digest(given),
            "requested_at": request.time,
            "decision": decision,
            "decision_method": method,
            "reason": missing_if_empty(text(response.body, "reason")) if response else None,
            "response_item_id": response.id if response else None,
            "response_position": response.position if response else None,
            "response_count": len(responses),
            "responded_at": response.time if response else None,
            "wait_ms": milliseconds(request.time, response.time) if response else None,
            "is_executed": call is not None,
            "call_item_id": call.id if call else None,
            "call_position": call.position if call else None,
            "call_count": len(followed),
            "call_outcome": outcome["outcome"] if outcome else None,
            "call_outcome_method": outcome["outcome_method"] if outcome else "none",
            "is_abandoned": decision == "awaiting" and conversation[-1].turn_index > request.turn_index,
            "denied_before_count": denied[told.word],
        }
        denied[told.word] += decision == "denied"


def _naming(request: Item, kind: str, conversation: Iterable[Item]) -> list[Item]:
    """The items of a type that name the request."""
    return [it for it in conversation if it.type == kind and text(it.body, "approval_request_id") == request.id]


def _decision(response: Item | None, call: Item | None) -> tuple[str, str]:
    if response is None:
        return ("awaiting" if call is None else "approved"), "heuristic"
    return {True: "approved", False: "denied", None: "awaiting"}[flag(response.body, "approve")], "explicit"


def approval_friction(asked: Rows, calls: Iterable[Call]) -> Iterator[Row]:
    """The rows of all conversations together."""
    unasked = Counter(call["tool"] for call in calls if call["is_made"] and call["approval"] is None)
    by_tool: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in asked:
        by_tool[row["tool"]].append(row)
    for tool, own in by_tool.items():
        decisions = Counter(row["decision"] for row in own)
        denied = [row for row in own if row["decision"] == "denied"]
        decided = decisions["approved"] + len(denied)
        explicit = sum(row["decision"] != "awaiting" and row["decision_method"] == "explicit" for row in own)
        repeated = sum(row["denied_before_count"] > 0 for row in denied)
        reasons = [row for row in denied if row["reason"] is not None]
        waits = [row["wait_ms"] for row in own if row["wait_ms"] is not None]
        low, high = wilson(len(denied), decided)
        yield {
            "tool": tool,
            "server_label": own[0]["server_label"],
            "tool_name": own[0]["tool_name"],
            "request_count": len(own),
            "conversation_count": len({row["conversation_id"] for row in own}),
            **{f"{word}_count": decisions[word] for word in ("approved", "denied", "awaiting")},
            "abandoned_count": sum(row["is_abandoned"] for row in own),
            "decided_count": decided,
            "denial_rate": share(len(denied), decided),
            "denial_rate_low": low,
            "denial_rate_high": high,
            "explicit_decided_count": explicit,
            "explicit_share": share(explicit, decided),
            "is_few_requests": decided < FEW,
            "repeated_denial_count": repeated,
            "is_repeatedly_denied": repeated > 0,
            "is_always_approved": decided > 0 and not denied,
            "reason_count": len(reasons),
            "last_reason": max(reasons, key=_asked_in_order)["reason"] if reasons else None,
            "executed_count": sum(row["is_executed"] for row in own),
            "executed_denied_count": sum(row["is_executed"] for row in denied),
            "unasked_call_count": unasked[tool],
            "wait_count": len(waits),
            "wait_p50_ms": quantile(waits, 0.5),
            "wait_p95_ms": quantile(waits, 0.95),
            "wait_total_ms": sum(waits) if waits else None,
            **span("requested", "request", [row["requested_at"] for row in own]),
        }


def _asked_in_order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    at = row["requested_at"]
    return at is not None, at, row["conversation_id"], row["position"]


def mcp_servers(conversations: Iterable[Sequence[Item]], calls: Iterable[Call], asked: Rows) -> Iterator[Row]:
    """The rows of all conversations together."""
    listings: dict[str | None, list[Item]] = defaultdict(list)
    for item in (item for own in conversations for item in own if item.type == "mcp_list_tools"):
        listings[missing_if_empty(text(item.body, "server_label"))].append(item)
    called: dict[str | None, list[Call]] = defaultdict(list)
    for call in (call for call in calls if call["family"] == "mcp" and call["is_made"]):
        called[call["server_label"]].append(call)
    requested: dict[str | None, list[Mapping[str, Any]]] = defaultdict(list)
    for row in asked:
        requested[row["server_label"]].append(row)
    for label in {*listings, *called, *requested}:
        own = called[label]
        touched = {item.conversation_id for item in listings[label]} | {
            one["conversation_id"] for one in [*own, *requested[label]]
        }
        yield {
            "server_label": label,
            "conversation_count": len(touched),
            **_listed(listings[label], {call["tool_name"] for call in own}),
            "request_count": len(requested[label]),
            **_called(own),
        }


def _listed(own: Sequence[Item], called: set[str | None]) -> Row:
    failed = [item for item in own if text(item.body, "error")]
    offered = {missing_if_empty(text(one, "name")) for item in own for one in rows(item.body, "tools")}
    last = max(failed, key=lambda it: (it.listed.first_seen_at, it.conversation_id, it.position), default=None)
    return {
        "listing_count": len(own),
        "failed_listing_count": len(failed),
        "failed_listing_rate": share(len(failed), len(own)),
        "empty_listing_count": sum(not rows(item.body, "tools") for item in own if item not in failed),
        "last_listing_error": str(text(last.body, "error"))[:_MESSAGE_CHARS] if last else None,
        **span("listed", "listing", [item.time for item in own]),
        "offered_tool_count": len(offered),
        "called_tool_count": len(called),
        "unused_tool_count": len(offered - called),
        "unlisted_tool_count": len(called - offered),
    }


def _called(own: Sequence[Call]) -> Row:
    kinds = Counter(
        _KINDS.get(call["error_type"], "other") for call in own if call["outcome"] in {"error", "timeout", "denied"}
    )
    took = [call["latency_ms"] for call in own if call["latency_ms"] is not None]
    return {
        "call_count": len(own),
        "calling_conversation_count": len({call["conversation_id"] for call in own}),
        **outcomes(own),
        **{f"{word}_error_count": kinds[word] for word in (*_KINDS.values(), "other")},
        "retry_count": sum(call["retry_of"] is not None for call in own),
        "latency_count": len(took),
        "latency_p50_ms": quantile(took, 0.5),
        "latency_p95_ms": quantile(took, 0.95),
        **span("called", "call", [call["called_at"] for call in own]),
    }
