"""What an item leaves out unless ``include[]`` asks for it. Pure: a full item in, a cut copy out."""

from collections.abc import Callable
from typing import Any, Final

Item = dict[str, Any]
Cut = Callable[[Item], Item]


def _without(item: Item, key: str) -> Item:
    """A copy without one key; the item itself if it has no such key."""
    return {name: value for name, value in item.items() if name != key} if key in item else item


def _emptied(item: Item, key: str, value: Any) -> Item:
    """A copy with one key set to its empty value; the item itself if there is nothing to empty."""
    return {**item, key: value} if item.get(key, value) != value else item


def _cut_parts(item: Item, part_type: str, cut: Cut) -> Item:
    """A message with a cut applied to its content parts of one type; content that has no parts stays."""
    content = item.get("content")
    if not isinstance(content, list):
        return item
    parts = [cut(part) if isinstance(part, dict) and part.get("type") == part_type else part for part in content]
    return {**item, "content": parts} if parts != content else item


def _cut_nested(item: Item, field: str, key: str) -> Item:
    """An item without one key of the object in one of its fields."""
    nested = item.get(field)
    if not isinstance(nested, dict) or key not in nested:
        return item
    return {**item, field: _without(nested, key)}


CUTS: Final[dict[str, tuple[str, Cut]]] = {
    "file_search_call.results": ("file_search_call", lambda item: _emptied(item, "results", None)),
    # Accepted by the API, and no item that we know of holds such a field.
    "web_search_call.results": ("web_search_call", lambda item: _without(item, "results")),
    "web_search_call.action.sources": (
        "web_search_call",
        lambda item: _cut_nested(item, "action", "sources"),
    ),
    "message.input_image.image_url": (
        "message",
        lambda item: _cut_parts(item, "input_image", lambda part: _emptied(part, "image_url", None)),
    ),
    "computer_call_output.output.image_url": (
        "computer_call_output",
        lambda item: _cut_nested(item, "output", "image_url"),
    ),
    "code_interpreter_call.outputs": ("code_interpreter_call", lambda item: _emptied(item, "outputs", None)),
    "reasoning.encrypted_content": ("reasoning", lambda item: _without(item, "encrypted_content")),
    "message.output_text.logprobs": (
        "message",
        lambda item: _cut_parts(item, "output_text", lambda part: _emptied(part, "logprobs", [])),
    ),
}

INCLUDABLE: Final = tuple(CUTS)


def gates_of(item: Item) -> frozenset[str]:
    """The include values that make a difference to this item."""
    return frozenset(
        value for value, (item_type, cut) in CUTS.items() if item.get("type") == item_type and cut(item) is not item
    )


def serve(item: Item, cut_out: frozenset[str]) -> Item:
    """The item as served when these include values were not asked for."""
    for value in CUTS:
        if value in cut_out:
            item = CUTS[value][1](item)
    return item
