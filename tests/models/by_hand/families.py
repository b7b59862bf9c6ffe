"""What a call says of itself, family by family: which tool, who runs it, with which arguments, with what inside."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.models.by_hand import reading
from tests.models.by_hand.reading import Object, joined_texts, missing_if_empty, nested, rows, text, whole
from tests.models.by_hand.spine import ANSWERED_BY, Item

REQUEST = "mcp_approval_request"
NO_NAME = "(none)"
_CLIENT = {"function", "custom", "computer", "local_shell", "apply_patch"}
_HOSTED = {"web_search", "file_search", "image_generation", "code_interpreter", "mcp", "program"}
_LONGEST_ADDRESS = 65_536


@dataclass(frozen=True)
class Tool:
    """A tool: its family, and what tells it from others of the family."""

    family: str
    name: str | None = None
    namespace: str | None = None
    server_label: str | None = None

    @property
    def word(self) -> str:
        """The tool as one word."""
        name = self.name or NO_NAME
        match self.family:
            case "function" | "custom":
                return f"{self.family}:{self.namespace}.{name}" if self.namespace else f"{self.family}:{name}"
            case "mcp":
                return f"mcp:{self.server_label or NO_NAME}.{name}"
            case _:
                return self.family


def family_of(item: Item) -> str:
    """The family of a call, or of a request for one."""
    kind = item.type or ""
    if kind == REQUEST:
        return "mcp"
    return kind.removesuffix("_tool_call") if kind.endswith("_tool_call") else kind.removesuffix("_call")


def tool_of(item: Item) -> Tool:
    """The tool that a call is of."""
    family = family_of(item)
    name = missing_if_empty(text(item.body, "name"))
    if family == "mcp":
        return Tool(family, name, server_label=missing_if_empty(text(item.body, "server_label")))
    if family in {"function", "custom"}:
        return Tool(family, name, missing_if_empty(text(item.body, "namespace")))
    return Tool(family)


def action(item: Item) -> str | None:
    """What kind of step it was."""
    match family_of(item):
        case "web_search":
            return text(nested(item.body, "action"), "type")
        case "computer":
            one = text(nested(item.body, "action"), "type")
            return "several" if one is None and rows(item.body, "actions") else one
        case "apply_patch":
            return text(nested(item.body, "operation"), "type")
        case "image_generation":
            return text(item.body, "action")
        case _:
            return None


def execution(item: Item) -> str | None:
    """Who runs the tool."""
    match family_of(item):
        case family if family in _CLIENT:
            return "client"
        case family if family in _HOSTED:
            return "hosted"
        case "tool_search":
            return {"server": "hosted", "client": "client"}.get(text(item.body, "execution") or "")
        case _:
            where = text(nested(item.body, "environment"), "type")
            return {"local": "client", "container_reference": "hosted"}.get(where or "")


def caller(item: Item) -> Object:
    """What made the call, for the types that say so."""
    says_so = {"function_call", "custom_tool_call", "shell_call", "apply_patch_call"}
    return nested(item.body, "caller") if item.type in says_so else reading.NOTHING


def call_id(item: Item) -> str | None:
    """What pairs a call with its output, or the output with its call; None if it is missing."""
    if item.type == "local_shell_call_output":
        return item.id
    has_one = item.type in ANSWERED_BY.values() or family_of(item) in ANSWERED_BY
    return missing_if_empty(text(item.body, "call_id")) if has_one else None


def arguments(item: Item) -> str | None:
    """The arguments as one text."""
    body = item.body
    match family_of(item):
        case "function" | "mcp":
            return text(body, "arguments")
        case "custom":
            return text(body, "input")
        case "program" | "code_interpreter":
            return text(body, "code")
        case "web_search":
            return _searched(nested(body, "action"))
        case "file_search":
            return joined_texts(body, "queries")
        case "image_generation":
            return text(body, "revised_prompt")
        case "tool_search":
            return reading.free_form(body, "arguments")
        case "local_shell":
            return joined_texts(nested(body, "action"), "command")
        case "shell":
            return joined_texts(nested(body, "action"), "commands")
        case "apply_patch":
            operation = nested(body, "operation")
            return "\n".join(text(operation, name) or "" for name in ("type", "path", "diff"))
        case _:
            return None


def _searched(step: Object) -> str | None:
    match text(step, "type"):
        case "search":
            query = text(step, "query")
            return joined_texts(step, "queries") if query is None else query
        case "open_page":
            return text(step, "url")
        case "find_in_page":
            return f"{text(step, 'url') or ''}\n{text(step, 'pattern') or ''}"
        case _:
            return None


def retry_key(item: Item) -> object:
    """What a call with other arguments must agree in, beside the tool, to count as a retry."""
    return text(nested(item.body, "operation"), "path") if family_of(item) == "apply_patch" else None


def output_text(family: str, output: Item) -> str | None:
    """What came back, as one text to be read for words."""
    match family:
        case "function" | "custom":
            given = text(output.body, "output")
            return _joined_or_none(rows(output.body, "output"), "text") if given is None else given
        case "local_shell" | "apply_patch" | "mcp":
            return text(output.body, "output")
        case "program":
            return text(output.body, "result")
        case "code_interpreter":
            return _joined_or_none(rows(output.body, "outputs"), "logs")
        case _:
            return None


def output_chars(family: str, output: Item) -> int | None:
    """Characters of what came back as text."""
    match family:
        case "function" | "custom" if text(output.body, "output") is None:
            return _chars(rows(output.body, "output"), "text")
        case "shell":
            return _chars(rows(output.body, "output"), "stdout", "stderr")
        case "code_interpreter":
            return _chars(rows(output.body, "outputs"), "logs")
        case "file_search":
            return _chars(rows(output.body, "results"), "text")
        case _:
            words = output_text(family, output)
            return None if words is None else len(words)


def output_payload_bytes(family: str, output: Item) -> int | None:
    """Bytes of images and files that came back within the item."""
    body = output.body
    match family:
        case "image_generation":
            found = [text(body, "result")]
        case "computer":
            found = [text(nested(body, "output"), "image_url")]
        case "function" | "custom":
            found = [text(part, name) for part in rows(body, "output") for name in ("image_url", "file_data")]
        case "code_interpreter":
            found = [text(part, "url") for part in rows(body, "outputs")]
        case _:
            return None
    sizes = ((one, len(one.encode())) for one in found if one is not None)
    return sum(size for one, size in sizes if size >= _LONGEST_ADDRESS or not one.startswith("http"))


def exit_code(element: Object) -> int | None:
    """With which code a shell's command ended."""
    return whole(nested(element, "outcome"), "exit_code")


def _joined_or_none(parts: Sequence[Object], name: str) -> str | None:
    return "\n".join(_said(parts, name)) if _said(parts, name) else None


def _chars(parts: Sequence[Object], *names: str) -> int | None:
    return sum(len(said) for name in names for said in _said(parts, name)) if parts else None


def _said(parts: Sequence[Object], name: str) -> list[str]:
    return [said for said in (text(part, name) for part in parts) if said is not None]
