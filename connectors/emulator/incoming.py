"""Turns what a client sends into items as the API lists them. Pure: IDs and times come from the store."""

from typing import Any, Final

from connectors.emulator import errors
from connectors.emulator.includes import Item

REFERENCE: Final = "item_reference"

_WITHOUT_STATUS: Final = frozenset(
    {
        "additional_tools",
        "compaction",
        "configuration_update",
        "custom_tool_call_output",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_list_tools",
        "program",
        "reasoning",
    }
)


def read_item(sent: Any, param: str) -> Item:
    """A sent item with its type and, where its type has one, a status; it may have no ID yet."""
    if not isinstance(sent, dict):
        raise errors.wrong_type(param, "an object", json_type(sent))
    item_type = sent.get("type", "message" if "role" in sent else None)
    if item_type is None:
        raise errors.missing(f"{param}.type")
    if not isinstance(item_type, str):
        raise errors.wrong_type(f"{param}.type", "a string", json_type(item_type))
    if not isinstance(sent.get("id", ""), str | None):
        raise errors.wrong_type(f"{param}.id", "a string", json_type(sent["id"]))
    if item_type in (REFERENCE, "reasoning") and not sent.get("id"):
        raise errors.missing(f"{param}.id")
    item = {**sent, "type": item_type}
    if item_type not in _WITHOUT_STATUS and item_type != REFERENCE:
        item["status"] = sent.get("status") or "completed"
    if item_type == "message":
        item["content"] = _read_content(sent, param)
    return item


def in_wire_order(item: Item) -> Item:
    """The same item with its keys as the API writes them: id, type, status, then by name."""
    head = [key for key in ("id", "type", "status") if key in item]
    return {key: item[key] for key in [*head, *sorted(item.keys() - set(head))]}


def _read_content(sent: Item, param: str) -> list[Item]:
    """The content parts of a message, which a client may shorten to a string."""
    if "content" not in sent:
        raise errors.missing(f"{param}.content")
    content = sent["content"]
    if isinstance(content, str):
        kind = "output_text" if sent.get("role") == "assistant" else "input_text"
        content = [{"type": kind, "text": content}]
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise errors.wrong_type(f"{param}.content", "an array of objects or a string", json_type(content))
    return [_read_part(part) for part in content]


def _read_part(part: Item) -> Item:
    """A content part as listed: an output text always has its two lists."""
    if part.get("type") == "output_text":
        return {
            "type": "output_text",
            "annotations": part.get("annotations", []),
            "logprobs": part.get("logprobs", []),
            **part,
        }
    return {"type": part["type"], **part} if "type" in part else part


def json_type(value: Any) -> str:
    """How an error message calls the type of a JSON value."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "an integer"}
    return "null" if value is None else names.get(type(value), "a decimal")
