"""The rows of `analytics.context_pressure`."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.models.by_hand.reading import Object, as_json, elements, free_form, nested, rows, share, text
from tests.models.by_hand.spine import Item, Row

Call = Mapping[str, Any]
_ROLES = {"developer": "instructions", "system": "instructions", "user": "user", "assistant": "assistant"}
_ATTACHED = {"input_image", "computer_screenshot", "input_file"}
_PART_OUTPUTS = {"function_call_output", "custom_tool_call_output"}


@dataclass(frozen=True)
class Piece:
    """What an item brings into the context."""

    item: Item
    source: str
    sameness: object
    """Pieces of a source that are equal in this are the same text."""
    chars: int = 0
    attachment_count: int = 0
    attachment_bytes: int = 0


def context_pressure(conversation: Sequence[Item], calls: Sequence[Call]) -> Iterator[Row]:
    """The rows of one conversation."""
    by_id = {call["item_id"]: call for call in calls}
    groups: dict[tuple[int, str], list[Piece]] = defaultdict(list)
    window_chars: dict[int, int] = defaultdict(int)
    window_index = 0
    for item in conversation:
        window_index += item.type == "compaction"
        for piece in _pieces(item, by_id):
            groups[window_index, piece.source].append(piece)
            window_chars[window_index] += piece.chars
    for (index, source), pieces in groups.items():
        yield {
            "conversation_id": conversation[0].conversation_id,
            "window_index": index,
            "is_current": index == window_index,
            "source": source,
            "window_chars": window_chars[index],
            "chars_share": share(sum(piece.chars for piece in pieces), window_chars[index]),
            **_sums(pieces),
            **_duplicates(pieces),
        }


def _sums(pieces: Sequence[Piece]) -> Row:
    chars = sum(piece.chars for piece in pieces)
    largest = max(pieces, key=lambda piece: piece.chars)
    return {
        "last_item_at": max((piece.item.time for piece in pieces if piece.item.time is not None), default=None),
        "piece_count": len(pieces),
        "chars": chars,
        "estimated_tokens": -(-chars // 4),
        "textless_count": sum(piece.chars == 0 for piece in pieces),
        "attachment_count": sum(piece.attachment_count for piece in pieces),
        "attachment_bytes": sum(piece.attachment_bytes for piece in pieces),
        "largest_item_id": largest.item.id if largest.chars else None,
        "largest_item_chars": largest.chars,
    }


def _duplicates(pieces: Sequence[Piece]) -> Row:
    known: set[object] = set()
    again: list[int] = []
    for piece in pieces:
        if piece.chars and piece.sameness in known:
            again.append(piece.chars)
        known.add(piece.sameness)
    return {
        "duplicate_count": len(again),
        "duplicate_chars": sum(again),
        "duplicate_share": share(sum(again), sum(piece.chars for piece in pieces)),
    }


def _pieces(item: Item, calls: Mapping[str, Call]) -> Iterator[Piece]:
    if item.kind == "message":
        yield _of_message(item)
    elif item.kind == "call":
        call = calls[item.id]
        yield Piece(item, "arguments", (call["tool"], call["arguments_hash"]), call["argument_chars"] or 0)
        yield from _output_of_call(item)
    elif item.kind == "output" and item.type != "tool_search_output":
        yield _output(item)
    elif item.kind in {"output", "definition"}:
        yield _textual(item, "definitions", _defined(item))
    else:
        yield _textual(item, item.kind, _words(item))


def _textual(item: Item, source: str, said: Sequence[str | None], attachments: Sequence[int] = ()) -> Piece:
    """A piece with some texts and the bytes of each attachment."""
    joined = "".join(one for one in said if one is not None)
    return Piece(item, source, joined, len(joined), len(attachments), sum(attachments))


def _of_message(item: Item) -> Piece:
    parts = rows(item.body, "content")
    return Piece(
        item,
        _ROLES.get(item.role or "", "other_role"),
        item.text,
        item.text_chars,
        sum(text(part, "type") in _ATTACHED for part in parts),
        sum(map(_bytes_of_part, parts)),
    )


def _words(item: Item) -> list[str | None]:
    match item.type:
        case "reasoning":
            return [text(part, "text") for name in ("summary", "content") for part in rows(item.body, name)]
        case "mcp_approval_request":
            return [text(item.body, "arguments")]
        case "mcp_approval_response":
            return [text(item.body, "reason")]
        case _:
            return []


def _defined(item: Item) -> list[str | None]:
    if item.type == "mcp_list_tools":
        tools = rows(item.body, "tools")
        return [
            words
            for one in tools
            for words in (text(one, "name"), text(one, "description"), free_form(one, "input_schema"))
        ]
    return [None if one is None else as_json(one) for one in elements(item.body, "tools")]


def _output(item: Item) -> Piece:
    """What an item of kind output brings."""
    match item.type:
        case "shell_call_output":
            said = rows(item.body, "output")
            return _textual(item, "output", [text(one, name) for one in said for name in ("stdout", "stderr")])
        case "computer_call_output":
            shown = nested(item.body, "output")
            url = text(shown, "image_url")
            is_there = bool(url) or text(shown, "file_id") is not None
            return _textual(item, "output", [], [_bytes(url)] if is_there else [])
        case "program_output":
            return _textual(item, "output", [text(item.body, "result")])
        case kind if kind in _PART_OUTPUTS and text(item.body, "output") is None:
            parts = rows(item.body, "output")
            attached = sum(text(part, "type") in _ATTACHED for part in parts)
            joined = "".join(text(part, "text") or "" for part in parts)
            return Piece(item, "output", joined, len(joined), attached, sum(map(_bytes_of_part, parts)))
        case _:
            return _textual(item, "output", [text(item.body, "output")])


def _output_of_call(call: Item) -> Iterator[Piece]:
    """What came back within a call."""
    match call.type:
        case "file_search_call":
            if results := rows(call.body, "results"):
                yield _textual(call, "output", [text(one, "text") for one in results])
        case "image_generation_call":
            if result := text(call.body, "result"):
                yield _textual(call, "output", [], [_bytes(result)])
        case "code_interpreter_call":
            if outputs := rows(call.body, "outputs"):
                logs = "".join(text(one, "logs") or "" for one in outputs)
                images = sum(text(one, "type") == "image" for one in outputs)
                yield Piece(call, "output", logs, len(logs), images, sum(_bytes(text(one, "url")) for one in outputs))
        case "mcp_call":
            words = (text(call.body, "output"), text(nested(call.body, "error"), "message"), text(call.body, "error"))
            said = next((one for one in words if one is not None), None)
            if said is not None:
                yield _textual(call, "output", [said])


def _bytes_of_part(part: Object) -> int:
    return _bytes(text(part, "image_url")) + _bytes(text(part, "file_data"))


def _bytes(data: str | None) -> int:
    """Bytes of what is there, and not at an address."""
    return 0 if data is None or data.startswith("http") else len(data.encode())
