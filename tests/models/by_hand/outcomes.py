"""How a call ended, and what is told of its error, family by family."""

from collections.abc import Sequence
from typing import NamedTuple

from models.failures import failure_kind, output_failure
from tests.models.by_hand import reading
from tests.models.by_hand.code import error_class
from tests.models.by_hand.families import exit_code, output_text
from tests.models.by_hand.reading import nested, rows, text, whole
from tests.models.by_hand.spine import OPEN, Item

FAILED_STATUSES = {"incomplete", "failed"}
_GATEWAY_TIMEOUTS = {408, 504}
_MESSAGE_CHARS = 200
_KIND_CHARS = 1000


class Outcome(NamedTuple):
    """How a call ended, how that is known, and what is said of its error."""

    outcome: str | None = None
    method: str = "none"
    error_type: str | None = None
    error_code: str | None = None
    error_message: str | None = None


NOTHING_TELLS = Outcome()


def outcome_of(family: str, call: Item, output: Item | None) -> Outcome:
    """How a call that was made ended."""
    if output is None:
        return _without_output(call)
    found = _told(family, call, output)
    if found.outcome not in {"error", "timeout", "denied"}:
        return found._replace(error_type=None, error_code=None, error_message=None)
    message = _words(family, output)
    return found._replace(error_code=_code(family, output, found), error_message=message or None)


def outcome_of_request(approval: str | None, response: Item | None) -> Outcome:
    """How it stands with a request that no call followed."""
    if approval == "denied" and response is not None:
        reason = (text(response.body, "reason") or "")[:_MESSAGE_CHARS]
        return Outcome("denied", "explicit", "approval", None, reason or None)
    return Outcome("pending", "explicit")


def _without_output(call: Item) -> Outcome:
    if call.status == "incomplete":
        return Outcome("error", "explicit", "incomplete")
    return Outcome("pending", "explicit" if call.is_open else "heuristic")


def _told(family: str, call: Item, output: Item) -> Outcome:
    match family:
        case "function" | "custom" | "local_shell":
            return _by_status(output) or _by_words(output_text(family, output))
        case "computer" | "tool_search":
            return _by_status(output, completed="explicit") or Outcome("ok", "heuristic")
        case "shell":
            return _of_shell(output)
        case "apply_patch" | "web_search" | "file_search":
            return _by_status(output, completed="explicit") or NOTHING_TELLS
        case "program":
            return _of_program(output)
        case "image_generation":
            return _of_image(call)
        case "code_interpreter":
            return _of_code(call)
        case _:
            return _of_mcp(call)


def _by_status(item: Item, completed: str | None = None) -> Outcome | None:
    """What a status tells; completed tells a success only where it is said how."""
    if item.status in FAILED_STATUSES:
        return Outcome("error", "explicit", item.status)
    if item.status in OPEN:
        return Outcome("pending", "explicit")
    return Outcome("ok", completed) if completed and item.status == "completed" else None


def _by_words(words: str | None) -> Outcome:
    if words is None:
        return NOTHING_TELLS
    failure = output_failure(words)
    return Outcome("ok", "heuristic") if failure is None else Outcome(failure, "heuristic", "output")


def _of_shell(output: Item) -> Outcome:
    commands = rows(output.body, "output")
    codes = [code for code in map(exit_code, commands) if code is not None]
    if any(text(nested(one, "outcome"), "type") == "timeout" for one in commands):
        return Outcome("timeout", "explicit", "timeout")
    if any(codes):
        return Outcome("error", "explicit", "exit_code")
    if codes:
        return Outcome("ok", "explicit")
    return _by_status(output) or NOTHING_TELLS


def _of_program(output: Item) -> Outcome:
    if output.status in FAILED_STATUSES:
        kind = _kind(text(output.body, "result"))
        return Outcome(kind, "explicit" if kind == "error" else "heuristic", output.status)
    return _by_status(output, completed="explicit") or Outcome("ok", "heuristic")


def _of_image(call: Item) -> Outcome:
    error = nested(call.body, "error")
    error_type = text(error, "type")
    if text(error, "code") == "moderation_blocked":
        return Outcome("denied", "explicit", call.status if error_type is None else error_type)
    if any(text(error, name) is not None for name in ("type", "code", "message")):
        return Outcome("error", "explicit", call.status if error_type is None else error_type)
    if text(call.body, "result"):
        return Outcome("ok", "explicit")
    return _by_status(call, completed="explicit") or NOTHING_TELLS


def _of_code(call: Item) -> Outcome:
    by_status = _by_status(call)
    if by_status:
        return by_status
    logs = output_text("code_interpreter", call)
    if output_failure(logs) is not None or error_class(logs) is not None:
        return Outcome("error", "heuristic", "output")
    return Outcome("ok", "heuristic") if call.status == "completed" else NOTHING_TELLS


def _of_mcp(call: Item) -> Outcome:
    error = nested(call.body, "error")
    error_type, plain = text(error, "type"), text(call.body, "error")
    if error_type is not None or plain is not None:
        told = "text" if error_type is None else error_type
        if error_type == "http_error" and whole(error, "code") in _GATEWAY_TIMEOUTS:
            return Outcome("timeout", "explicit", told)
        kind = _kind(_words_of_mcp(call))
        return Outcome(kind, "explicit" if kind == "error" else "heuristic", told)
    by_status = _by_status(call)
    if by_status:
        return by_status
    is_answered = text(call.body, "output") is not None or call.status == "completed"
    return Outcome("ok", "explicit") if is_answered else NOTHING_TELLS


def _kind(words: str | None) -> str:
    """What a failure is about; an error where there are no words."""
    return "error" if words is None else failure_kind(words[:_KIND_CHARS])


def _code(family: str, output: Item, found: Outcome) -> str | None:
    match family:
        case "image_generation":
            return text(nested(output.body, "error"), "code")
        case "mcp":
            code = whole(nested(output.body, "error"), "code")
            return None if code is None else str(code)
        case "shell" if found.error_type == "exit_code":
            return str(next(code for one in rows(output.body, "output") if (code := exit_code(one))))
        case _:
            return None


def _words(family: str, output: Item) -> str:
    """The family's words for an error, cut; the empty string if there are none."""
    match family:
        case "code_interpreter":
            return (output_text(family, output) or "")[-_MESSAGE_CHARS:]
        case "image_generation":
            words = text(nested(output.body, "error"), "message")
        case "shell":
            words = _words_of_shell(rows(output.body, "output"))
        case "mcp":
            words = _words_of_mcp(output)
        case _:
            words = output_text(family, output)
    return (words or "")[:_MESSAGE_CHARS]


def _words_of_shell(commands: Sequence[reading.Object]) -> str | None:
    late = [one for one in commands if text(nested(one, "outcome"), "type") == "timeout"]
    told = late or [one for one in commands if exit_code(one)]
    return text(told[0], "stderr") if told else None


def _words_of_mcp(call: Item) -> str | None:
    error = nested(call.body, "error")
    told = (text(error, "message"), text(call.body, "error"), reading.first_text(error, "content"))
    return next((words for words in told if words is not None), None)
