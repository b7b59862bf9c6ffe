"""Writes calls of the application's own functions and custom tools, with their outputs."""

from collections.abc import Sequence
from typing import Any

from connectors.emulator.includes import Item
from connectors.emulator.samples.scribe import Scribe, to_json

Call = tuple[str, dict[str, Any], Any]


def function(scribe: Scribe, name: str, arguments: dict[str, Any], output: Any, **optional: Any) -> Item:
    """Writes a call of a function and what it returned; optional fields go to the call."""
    call = function_call(scribe, name, to_json(arguments), **optional)
    scribe.wait(0.2, 6)
    function_output(scribe, call, output)
    return call


def parallel(scribe: Scribe, calls: Sequence[Call]) -> None:
    """Writes several calls made at once, then their outputs in the order in which they came back."""
    pending = [(function_call(scribe, name, to_json(arguments)), output) for name, arguments, output in calls]
    scribe.rng.shuffle(pending)
    for call, output in pending:
        scribe.wait(0.1, 2)
        function_output(scribe, call, output)


def function_call(scribe: Scribe, name: str, arguments: str, **optional: Any) -> Item:
    """Writes that the model calls a function; arguments are text, which may be no valid JSON."""
    fields = {"status": "completed", "arguments": arguments, "call_id": scribe.call_id(), "name": name}
    return scribe.emit("function_call", **fields | optional)


def function_output(scribe: Scribe, call: Item, output: Any, **optional: Any) -> Item:
    """Writes what a function returned: a text, a list of parts, or a value sent as JSON text."""
    caller = {"caller": call["caller"]} if "caller" in call else {}
    return scribe.send(
        "function_call_output",
        status=optional.pop("status", "completed"),
        call_id=call["call_id"],
        output=output if isinstance(output, str | list) else to_json(output),
        **caller,
        **optional,
    )


def custom_tool(scribe: Scribe, name: str, text: str, output: str | list[Item], **optional: Any) -> Item:
    """Writes a call of a custom tool, whose input is free text, and what it returned."""
    call_id = scribe.call_id()
    call = scribe.emit("custom_tool_call", status="completed", call_id=call_id, input=text, name=name, **optional)
    scribe.wait(0.2, 5)
    caller = {"caller": call["caller"]} if "caller" in call else {}
    scribe.send("custom_tool_call_output", call_id=call_id, output=output, **caller)
    return call
