"""The rows of `analytics.shell_commands`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from models.commands import command_program, output_exit_code, output_truncated
from tests.models.by_hand.families import exit_code
from tests.models.by_hand.reading import Object, joined_texts, nested, rows, text, texts, whole
from tests.models.by_hand.spine import Item, Row
from tests.models.by_hand.tools import Call

_MESSAGE_CHARS = 200
_OF_CALL = ("turn_index", "family", "execution", "called_at", "output_item_id", "retry_of")


class Command(NamedTuple):
    """A command, and the first word of the list that it is given as, if it is one."""

    line: str | None
    first_word: str | None = None


def shell_commands(conversation: Sequence[Item], calls: Sequence[Call]) -> list[Row]:
    """The rows of one conversation."""
    items = {item.id: item for item in conversation}
    shells = [call for call in calls if call["family"] in {"shell", "local_shell"}]
    retried_by = {call["retry_of"]: call["item_id"] for call in shells if call["retry_of"] is not None}
    found = [row for call in shells for row in _rows(call, items)]
    ended = {(row["item_id"], row["command_index"]): row["outcome"] for row in found}
    for row in found:
        again = list(_followed(row["item_id"], retried_by))
        row["retried_by"] = again[0] if again else None
        row["is_recovered"] = bool(row["is_failed"]) and "ok" in [ended[one, row["command_index"]] for one in again]
    return found


def _followed(item_id: object, retried_by: Mapping[object, object]) -> Iterator[object]:
    """The call that repeats this one, the one that repeats that, and so on."""
    while item_id in retried_by:
        item_id = retried_by[item_id]
        yield item_id


def _rows(call: Call, items: Mapping[str, Item]) -> Iterator[Row]:
    item = items[call["item_id"]]
    output = items[call["output_item_id"]] if call["output_item_id"] else None
    action = nested(item.body, "action")
    commands = _commands(call, action)
    for index, command in enumerate(commands):
        program = command_program(command.line)
        is_first = program is not None and program == (command.first_word or "").rsplit("/", 1)[-1]
        told = _of_local(call, output) if call["family"] == "local_shell" else _of_shell(call, output, index, commands)
        yield {
            "conversation_id": call["conversation_id"],
            "item_id": call["item_id"],
            "command_index": index,
            "command_count": len(commands),
            "position": call["position"],
            **{name: call[name] for name in _OF_CALL},
            "command": command.line,
            "command_chars": None if command.line is None else len(command.line),
            "program": program,
            "program_method": "none" if program is None else "explicit" if is_first else "heuristic",
            "timeout_ms": whole(action, "timeout_ms"),
            **_finished(told, _limit(call, action, output)),
            "latency_ms": call["latency_ms"],
            "latency_method": call["latency_method"],
        }


def _commands(call: Call, action: Object) -> list[Command]:
    if call["family"] == "shell":
        return [Command(line) for line in texts(action, "commands")]
    return [Command(joined_texts(action, "command", by=" "), next(iter(texts(action, "command")), None))]


def _limit(call: Call, action: Object, output: Item | None) -> int | None:
    if call["family"] == "local_shell":
        return None
    own = whole(output.body, "max_output_length") if output else None
    return whole(action, "max_output_length") if own is None else own


def _of_local(call: Call, output: Item | None) -> Row:
    words = text(output.body, "output") if output else None
    code = output_exit_code(words)
    return {
        "output_method": call["output_method"],
        "result_count": None,
        "exit_code": code,
        "exit_code_method": "none" if code is None else "heuristic",
        "outcome": call["outcome"],
        "outcome_method": call["outcome_method"],
        "error_message": call["error_message"],
        "stdout_chars": None,
        "stderr_chars": None,
        "output_chars": None if words is None else len(words),
        "is_truncated": words is not None and output_truncated(words),
    }


def _of_shell(call: Call, output: Item | None, index: int, commands: Sequence[Command]) -> Row:
    results = rows(output.body, "output") if output else []
    is_only = len(commands) == 1
    own = results if is_only else results[index : index + 1]
    method = "none" if not own else call["output_method"] if is_only else "heuristic"
    outcome = _outcome(own)
    if outcome is None and not any(_outcome([one]) for one in results):
        outcome, outcome_method = call["outcome"], call["outcome_method"]
    else:
        outcome_method = "none" if outcome is None else method
    code = None if outcome == "timeout" else _code(own)
    said = [[text(one, name) or "" for one in own] for name in ("stdout", "stderr")]
    chars = [sum(map(len, one)) for one in said] if own else [None, None]
    errors = "\n".join(words for one in own if (words := text(one, "stderr")) is not None)
    return {
        "output_method": method,
        "result_count": len(results) or None,
        "exit_code": code,
        "exit_code_method": "none" if code is None else method,
        "outcome": outcome,
        "outcome_method": outcome_method,
        "error_message": errors[:_MESSAGE_CHARS] or None,
        "stdout_chars": chars[0],
        "stderr_chars": chars[1],
        "output_chars": sum(map(len, said[0] + said[1])) if own else None,
        "is_truncated": any(map(output_truncated, said[0] + said[1])),
    }


def _outcome(own: Sequence[Object]) -> str | None:
    """What results tell."""
    if any(text(nested(one, "outcome"), "type") == "timeout" for one in own):
        return "timeout"
    code = _code(own)
    return None if code is None else "error" if code else "ok"


def _code(own: Sequence[Object]) -> int | None:
    codes = [code for one in own if (code := exit_code(one)) is not None]
    return next((code for code in codes if code), 0) if codes else None


def _finished(told: Row, limit: int | None) -> Row:
    """What came of the command, with what follows from it."""
    chars: Any = told["output_chars"]
    is_reached = chars is not None and limit is not None and 0 < limit <= chars
    is_failed = told["outcome"] in {"error", "timeout"}
    return {
        **told,
        "max_output_length": limit,
        "is_failed": is_failed,
        "is_decided": is_failed or told["outcome"] == "ok",
        "error_message": told["error_message"] if is_failed else None,
        "is_truncated": None if chars is None else is_reached or told["is_truncated"],
        "truncated_method": "none" if chars is None else "explicit" if is_reached else "heuristic",
    }
