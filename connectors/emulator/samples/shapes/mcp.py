"""Writes what happens on MCP servers: tools listed, calls, errors, approvals. Knows no server."""

from typing import Any

from connectors.emulator.includes import Item
from connectors.emulator.samples.scribe import Scribe, to_json


def list_tools(scribe: Scribe, server: str, tools: list[Item]) -> Item:
    """Writes the tools of a server."""
    optional = {"error": None} if scribe.chance(0.2) else {}
    return scribe.emit("mcp_list_tools", server_label=server, tools=tools, **optional)


def list_tools_failed(scribe: Scribe, server: str, error: str) -> Item:
    """Writes that a server did not tell its tools."""
    return scribe.emit("mcp_list_tools", server_label=server, tools=[], error=error)


def tool(name: str, description: str | None, *, read_only: bool, **properties: str) -> Item:
    """One tool of a server; properties are its arguments with their JSON types."""
    schema = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
        "required": sorted(properties),
    }
    annotations = {"read_only": read_only, "title": description}
    return {"annotations": annotations, "description": description, "input_schema": schema, "name": name}


def call(scribe: Scribe, server: str, name: str, arguments: dict[str, Any], output: Any, **optional: Any) -> Item:
    """Writes a call and what it returned; older ones tell no status."""
    scribe.wait(0.5, 6)
    return scribe.emit(
        "mcp_call",
        **{} if scribe.chance(0.3) else {"status": "completed"},
        approval_request_id=optional.pop("approval_request_id", None),
        arguments=to_json(arguments),
        error=None,
        name=name,
        output=output if isinstance(output, str) else to_json(output),
        server_label=server,
        **optional,
    )


def call_failed(scribe: Scribe, server: str, name: str, arguments: dict[str, Any], error: str | Item) -> Item:
    """Writes a call that failed."""
    scribe.wait(0.5, 9)
    return scribe.emit(
        "mcp_call",
        status="failed",
        approval_request_id=None,
        arguments=to_json(arguments),
        error=error,
        name=name,
        output=None,
        server_label=server,
    )


def some_error(scribe: Scribe, text: str) -> str | Item:
    """An error of one of the three kinds, or as the plain text of older calls."""
    errors: list[str | Item] = [
        {"type": "mcp_protocol_error", "code": -32602, "message": text},
        {"type": "mcp_tool_execution_error", "content": [{"type": "text", "text": text}]},
        {"type": "http_error", "code": scribe.pick([429, 500, 502, 504]), "message": text},
        text,
    ]
    return scribe.pick(errors)


def ask_approval(scribe: Scribe, server: str, name: str, arguments: dict[str, Any]) -> Item:
    """Writes that the model wants to call something it may not call unasked."""
    return scribe.emit("mcp_approval_request", arguments=to_json(arguments), name=name, server_label=server)


def answer_approval(scribe: Scribe, request: Item, *, approve: bool, reason: str | None = None) -> Item:
    """Writes the answer of a person, some time later."""
    scribe.wait(5, 240)
    optional = {} if reason is None and scribe.chance(0.5) else {"reason": reason}
    return scribe.send("mcp_approval_response", approval_request_id=request["id"], approve=approve, **optional)
