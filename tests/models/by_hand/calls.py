"""The rows of `analytics.tool_calls`."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import cast

from tests.models.by_hand import families
from tests.models.by_hand.families import REQUEST, family_of, tool_of
from tests.models.by_hand.outcomes import Outcome, outcome_of, outcome_of_request
from tests.models.by_hand.pairing import Paired, pair
from tests.models.by_hand.reading import digest, flag, is_lenient_json, text
from tests.models.by_hand.spine import ANSWERED_BY, Item, Row, milliseconds

_MADE_AT_ONCE = {
    "function_call",
    "custom_tool_call",
    "computer_call",
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
}
_RETRIED_WITH_OTHER_ARGUMENTS = {
    "function",
    "custom",
    "mcp",
    "web_search",
    "file_search",
    "image_generation",
    "tool_search",
    "apply_patch",
}


def tool_calls(conversation: Sequence[Item]) -> list[Row]:
    """The rows of one conversation, by position."""
    named = {text(item.body, "approval_request_id") for item in conversation if item.type == "mcp_call"}
    paired = pair(conversation)
    found: list[Row] = []
    calls = [it for it in conversation if it.kind == "call" or (it.type == REQUEST and it.id not in named)]
    for _, turn in groupby(calls, key=lambda item: item.turn_index):
        made = list(turn)
        rows = [_row(conversation, call, paired.get(call.id, Paired())) for call in made]
        _number(rows, list(_steps(conversation, made)))
        _mark_retries(rows, made)
        found += rows
    return found


def _row(conversation: Sequence[Item], call: Item, paired: Paired) -> Row:
    family, tool = family_of(call), tool_of(call)
    is_made = call.type != REQUEST
    if is_made and family not in ANSWERED_BY:
        paired = Paired("explicit", [call])
    output = paired.outputs[0] if paired.outputs else None
    response = _response(conversation, call)
    approval = _approval(call, response)
    told = outcome_of(family, call, output) if is_made else outcome_of_request(approval, response)
    execution, arguments, caller = families.execution(call), families.arguments(call), families.caller(call)
    says_json = family in {"function", "mcp"} and arguments is not None
    latency_ms, latency_method = _latency(conversation, call, paired)
    return {
        "conversation_id": call.conversation_id,
        "item_id": call.id,
        "position": call.position,
        "type": call.type,
        "family": family,
        "tool": tool.word,
        "tool_name": tool.name,
        "namespace": tool.namespace,
        "server_label": tool.server_label,
        "action": families.action(call),
        "execution": execution,
        "execution_method": "none" if execution is None else "explicit",
        "caller_type": text(caller, "type"),
        "caller_call_id": text(caller, "caller_id"),
        "call_id": families.call_id(call),
        "status": call.status,
        "turn_index": call.turn_index,
        "is_made": is_made,
        "approval": approval,
        "called_at": call.time,
        "argument_chars": None if arguments is None else len(arguments),
        "arguments_hash": None if arguments is None else digest(arguments),
        "is_json_arguments": is_lenient_json(cast("str", arguments)) if says_json else None,
        "output_item_id": None if output is None else output.id,
        "output_position": None if output is None else output.position,
        "output_method": paired.method,
        "output_count": len(paired.outputs),
        "output_chars": None if output is None else families.output_chars(family, output),
        "output_payload_bytes": None if output is None else families.output_payload_bytes(family, output),
        **_outcome_columns(conversation, call, told),
        "latency_ms": latency_ms,
        "latency_method": latency_method,
        "retry_of": None,
        "retry_method": "none",
    }


def _outcome_columns(conversation: Sequence[Item], call: Item, told: Outcome) -> Row:
    spoke_again = any(item.role == "user" and item.position > call.position for item in conversation)
    return {
        "outcome": told.outcome,
        "outcome_method": told.method,
        "is_failed": told.outcome in {"error", "timeout"},
        "is_decided": told.outcome in {"ok", "error", "timeout"},
        "is_abandoned": told.outcome == "pending" and spoke_again,
        "error_type": told.error_type,
        "error_code": told.error_code,
        "error_message": told.error_message,
    }


def _response(conversation: Sequence[Item], call: Item) -> Item | None:
    """The last response to the request that the call names, or is."""
    request_id = call.id if call.type == REQUEST else text(call.body, "approval_request_id")
    if family_of(call) != "mcp" or request_id is None:
        return None
    answers = [it for it in conversation if it.type == "mcp_approval_response"]
    return next((it for it in reversed(answers) if text(it.body, "approval_request_id") == request_id), None)


def _approval(call: Item, response: Item | None) -> str | None:
    is_request = call.type == REQUEST
    if not is_request and (call.type != "mcp_call" or text(call.body, "approval_request_id") is None):
        return None
    if response is None:
        return "awaiting" if is_request else "approved"
    return {True: "approved", False: "denied", None: "awaiting"}[flag(response.body, "approve")]


def _latency(conversation: Sequence[Item], call: Item, paired: Paired) -> tuple[float | None, str]:
    """How long it took, and how that is known."""
    is_next = False
    end: Item | None = None
    if family_of(call) in ANSWERED_BY:
        end = paired.outputs[0] if paired.outputs else None
    elif call.type != REQUEST:
        follows = next((it for it in conversation if it.position > call.position), None)
        is_next = follows is not None and follows.turn_index == call.turn_index and follows.is_reaction
        end = follows if is_next else None
    took = None if end is None else milliseconds(call.time, end.time)
    if took is None:
        return None, "none"
    return took, "heuristic" if is_next else paired.method


def _steps(conversation: Sequence[Item], turn: Sequence[Item]) -> Iterator[int]:
    """The round of each call of a turn."""
    place = {item.id: n for n, item in enumerate(conversation)}
    step = 0
    for before, call in zip([None, *turn], turn, strict=False):
        is_with = (
            before is not None and {before.type, call.type} <= _MADE_AT_ONCE and place[call.id] == place[before.id] + 1
        )
        step += not is_with
        yield step


def _number(rows: Sequence[Row], steps: Sequence[int]) -> None:
    for index, (row, step) in enumerate(zip(rows, steps, strict=True), 1):
        row |= {"step_index": step, "step_call_count": steps.count(step), "call_index": index}


def _mark_retries(rows: Sequence[Row], calls: Sequence[Item]) -> None:
    """Which failed call of the turn each call repeats."""
    latest: dict[object, Row] = {}
    for row, call in zip(rows, calls, strict=True):
        if not row["is_made"]:
            continue
        same = ("arguments", row["tool"], row["arguments_hash"])
        alike = ("tool", row["tool"], families.retry_key(call))
        if row["arguments_hash"] is not None and _is_repeated(latest.get(same), row):
            row |= {"retry_of": latest[same]["item_id"], "retry_method": "explicit"}
        elif row["family"] in _RETRIED_WITH_OTHER_ARGUMENTS and _is_repeated(latest.get(alike), row):
            row |= {"retry_of": latest[alike]["item_id"], "retry_method": "heuristic"}
        latest |= {same: row, alike: row}


def _is_repeated(earlier: Mapping[str, object] | None, row: Row) -> bool:
    return earlier is not None and bool(earlier["is_failed"]) and earlier["step_index"] != row["step_index"]
