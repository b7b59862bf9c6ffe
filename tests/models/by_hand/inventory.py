"""The rows of `analytics.tool_inventory`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.models.by_hand.families import Tool
from tests.models.by_hand.reading import as_json, digest, elements, free_form, missing_if_empty, rows, text
from tests.models.by_hand.spine import Item, Row

_OF_THE_API = {
    "file_search",
    "image_generation",
    "code_interpreter",
    "local_shell",
    "shell",
    "apply_patch",
    "tool_search",
    "web_search",
}
_OTHER_WORDS = {"computer": "computer", "computer_use_preview": "computer", "programmatic_tool_calling": "program"}


@dataclass(frozen=True)
class Definition:
    """A definition of a tool, and where it stands."""

    item: Item
    index: tuple[int, int]
    """Place in the item's list, and within a namespace."""
    tool: Tool
    hash: str
    description: str | None
    whole: object
    """The definition; None for tools of MCP servers."""

    @property
    def first_order(self) -> tuple[Any, ...]:
        return (self.item.listed.first_seen_at, self.item.conversation_id, self.item.position, self.index)


def definitions(conversation: Iterable[Item]) -> Iterator[Definition]:
    """All definitions of a conversation, in order."""
    for item in conversation:
        if item.type == "mcp_list_tools":
            yield from _of_server(item)
        elif item.type in {"tool_search_output", "additional_tools"}:
            for n, element in enumerate(elements(item.body, "tools")):
                yield from _of_element(item, n, element)


def _of_server(item: Item) -> Iterator[Definition]:
    for n, one in enumerate(rows(item.body, "tools")):
        name, server = missing_if_empty(text(one, "name")), missing_if_empty(text(item.body, "server_label"))
        said = (
            text(one, "name"),
            text(one, "description"),
            *(free_form(one, it) for it in ("input_schema", "annotations")),
        )
        words = "\n".join(part or "" for part in said)
        yield Definition(item, (n, 0), Tool("mcp", name, server_label=server), digest(words), said[1], None)


def _of_element(item: Item, n: int, element: object) -> Iterator[Definition]:
    kind = text(element, "type")
    if kind == "namespace":
        namespace = missing_if_empty(text(element, "name"))
        for inner_n, inner in enumerate(elements(element, "tools")):
            if (inner_kind := text(inner, "type")) in {"function", "custom"}:
                tool = Tool(str(inner_kind), missing_if_empty(text(inner, "name")), namespace)
                yield _whole(item, (n, inner_n), tool, inner)
    elif kind in {"function", "custom"}:
        yield _whole(item, (n, 0), Tool(str(kind), missing_if_empty(text(element, "name"))), element)
    elif kind is not None and (family := _family(kind)):
        yield _whole(item, (n, 0), Tool(family), element)


def _family(kind: str) -> str | None:
    if kind.startswith("web_search_"):
        return "web_search"
    return kind if kind in _OF_THE_API else _OTHER_WORDS.get(kind)


def _whole(item: Item, index: tuple[int, int], tool: Tool, element: object) -> Definition:
    return Definition(item, index, tool, digest(as_json(element)), text(element, "description"), element)


def tool_inventory(conversations: Iterable[Sequence[Item]], calls: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """The rows of all conversations together."""
    found: dict[str, dict[str, list[Definition]]] = defaultdict(lambda: defaultdict(list))
    given: dict[tuple[str, str], list[Definition]] = defaultdict(list)
    for conversation in conversations:
        for one in definitions(conversation):
            found[one.tool.word][one.hash].append(one)
            given[one.item.conversation_id, one.tool.word].append(one)
    called: dict[tuple[str, str | None], list[Mapping[str, Any]]] = defaultdict(list)
    for call in calls:
        before = [
            one.hash for one in given[call["conversation_id"], call["tool"]] if one.item.position < call["position"]
        ]
        called[call["tool"], before[-1] if before else None].append(call)
    often = {call["tool"]: 0 for call in calls} | dict.fromkeys(found, 0)
    for call in calls:
        often[call["tool"]] += 1
    for word, count in often.items():
        versions = sorted(found[word].items(), key=lambda pair: (_order(pair[1]), pair[0]))
        of_tool = {
            "tool": word,
            "version_count": len(versions),
            "is_changed": len(versions) > 1,
            "is_unused": count == 0,
            "tool_call_count": count,
        }
        for n, (hashed, own) in enumerate(versions, 1):
            yield of_tool | _version(own, n) | {"is_latest": n == len(versions)} | _calls(called[word, hashed])
        if undefined := called[word, None]:
            yield of_tool | _without(undefined[0]) | _calls(undefined)


def _order(own: Sequence[Definition]) -> list[datetime | bool]:
    """What versions are in order of: when they were first given, those without a time last."""
    times = [one.item.time for one in own if one.item.time is not None]
    return [False, min(times)] if times else [True]


def _version(own: Sequence[Definition], index: int) -> Row:
    first = min(own, key=lambda one: one.first_order)
    times = [one.item.time for one in own if one.item.time is not None]
    return {
        "family": first.tool.family,
        "tool_name": first.tool.name,
        "namespace": first.tool.namespace,
        "server_label": first.tool.server_label,
        "definition_hash": first.hash,
        "version_index": index,
        "is_undefined": False,
        "definition_count": len(own),
        "defining_conversation_count": len({one.item.conversation_id for one in own}),
        "first_defined_at": min(times, default=None),
        "last_defined_at": max(times, default=None),
        "timed_definition_count": len(times),
        "sources": sorted({str(one.item.type) for one in own}),
        "description": first.description,
        "definition": None if first.whole is None else as_json(first.whole),
    }


def _without(call: Mapping[str, Any]) -> Row:
    return {
        **{name: call[name] for name in ("family", "tool_name", "namespace", "server_label")},
        "definition_hash": None,
        "version_index": None,
        "is_latest": False,
        "is_undefined": True,
        "definition_count": 0,
        "defining_conversation_count": 0,
        "first_defined_at": None,
        "last_defined_at": None,
        "timed_definition_count": 0,
        "sources": [],
        "description": None,
        "definition": None,
    }


def _calls(own: Sequence[Mapping[str, Any]]) -> Row:
    return {"call_count": len(own), "calling_conversation_count": len({call["conversation_id"] for call in own})}
