"""The rows of `analytics.code_interpreter_runs`, and what Python code and its logs tell."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.models.by_hand.families import output_text
from tests.models.by_hand.reading import rows, text
from tests.models.by_hand.spine import Item, Row

Call = Mapping[str, Any]
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.\w+)*", re.ASCII)
_COLOUR = re.compile("\x1b\\[[0-9;]*m", re.ASCII)
_TRACEBACK = "Traceback (most recent call last)"
_ENDS = ("Error", "Exception", "Exit", "Interrupt", "Iteration")
_BLANK = " \t\n\r\f"


def imports_of(code: str) -> list[str]:
    """The top-level names of the modules that some lines of code import, each once, sorted."""
    return sorted({name for line in code.split("\n") for name in _imported(line)})


def _imported(line: str) -> Iterator[str]:
    words = re.split("[ \t]+", line.strip(" \t\r"), maxsplit=2)
    if words[0] == "from" and len(words) == len(("from", "module", "import")):
        if _DOTTED.fullmatch(words[1]) and re.match(r"import\b", words[2], re.ASCII):
            yield words[1].split(".")[0]
    elif words[0] == "import" and len(words) > 1:
        said = [re.split("[ \t]+", one.strip(" \t\r")) for one in re.split("[#;]", " ".join(words[1:]))[0].split(",")]
        if all(_is_import(one) for one in said):
            yield from (one[0].split(".")[0] for one in said)


def _is_import(words: Sequence[str]) -> bool:
    """Whether it is a module, or a module as a name."""
    is_named = len(words) == len(("module", "as", "name")) and words[1] == "as" and re.fullmatch(r"\w+", words[2], re.A)
    return bool(_DOTTED.fullmatch(words[0]) and (len(words) == 1 or is_named))


def error_class(logs: str | None) -> str | None:
    """The class of the exception that ended a run."""
    found = _error_class(_COLOUR.sub("", logs or ""))
    return found and found.rpartition(".")[2]


def _error_class(logs: str) -> str | None:
    lines = logs.split("\n")
    for line in reversed(lines):
        name, _, rest = line.replace("\t", " ").partition(" ")
        if rest.lstrip().startswith(_TRACEBACK) and _DOTTED.fullmatch(name):
            return name
    if f"{_TRACEBACK}:" in logs:
        after = logs.split(f"{_TRACEBACK}:", 1)[1].split("\n")[1:]
        for line in reversed(after):
            name, colon, _ = line.partition(":")
            if _is_exception(name.rstrip(" \t\r")):
                return name.rstrip(" \t\r")
    for line in (logs.rstrip(_BLANK).rpartition("\n")[2], logs.lstrip(_BLANK).partition("\n")[0]):
        name, colon, _ = line.partition(":")
        if colon and _is_exception(name):
            return name
    return None


def _is_exception(name: str) -> bool:
    """Whether it begins as the name of an exception does."""
    last = name.rpartition(".")[2]
    is_usual = "A" <= last[:1] <= "Z" and last[1:].endswith(_ENDS)
    is_named = is_usual or last == "Exception" or (last == "Error" and "." in name)
    return is_named and all(re.fullmatch(r"[A-Za-z_]\w*", part, re.ASCII) for part in name.split("."))


def code_interpreter_runs(conversation: Sequence[Item], calls: Sequence[Call]) -> Iterator[Row]:
    """The rows of one conversation."""
    items = {item.id: item for item in conversation}
    runs = [call for call in calls if call["family"] == "code_interpreter"]
    for n, run in enumerate(runs):
        own_turn = [other for other in runs if other["turn_index"] == run["turn_index"]]
        before = [other for other in own_turn if other["position"] < run["position"]]
        later = [other for other in own_turn if other["position"] > run["position"]]
        repeated, method = _repeated(run, runs[:n], before)
        yield {
            **{name: run[name] for name in ("conversation_id", "item_id", "position", "turn_index", "status")},
            **{name: run[name] for name in ("called_at", "outcome", "outcome_method", "is_failed", "error_message")},
            **{name: run[name] for name in ("latency_ms", "latency_method")},
            **_of_code(items[run["item_id"]]),
            **_of_outputs(items[run["item_id"]], run),
            **_of_files(items[run["item_id"]], conversation),
            "attempt_index": len(before) + 1,
            "code_hash": run["arguments_hash"],
            "rerun_of": repeated and repeated["item_id"],
            "rerun_of_method": method,
            "is_retry": bool(repeated and repeated["is_failed"]),
            "is_mended": run["is_failed"] and any(other["outcome"] == "ok" for other in later),
        }


def _of_code(item: Item) -> Row:
    code = text(item.body, "code")
    return {
        "code_chars": None if code is None else len(code),
        "code_line_count": None if code is None else len(code.split("\n")) if code else 0,
        "imports": None if code is None else imports_of(code),
        "imports_method": "none" if code is None else "heuristic",
    }


def _of_outputs(item: Item, run: Call) -> Row:
    outputs = rows(item.body, "outputs")
    types = [text(one, "type") for one in outputs]
    named = error_class(output_text("code_interpreter", item)) if run["is_failed"] else None
    return {
        "is_output_asked": "code_interpreter_call.outputs" in item.listed.include_set,
        "log_count": types.count("logs"),
        "log_chars": sum(len(text(one, "logs") or "") for one in outputs),
        "image_count": types.count("image"),
        "image_bytes": run["output_payload_bytes"] or 0,
        "error_class": named,
        "error_class_method": "none" if named is None else "heuristic",
    }


def _of_files(item: Item, conversation: Sequence[Item]) -> Row:
    container_id = text(item.body, "container_id")
    files: set[str | None] = set()
    for other in conversation:
        if container_id is None or other.position <= item.position:
            continue
        if other.type == "code_interpreter_call" and text(other.body, "container_id") == container_id:
            break
        cited = [one for one in other.citations if text(one, "type") == "container_file_citation"]
        if other.kind == "message":
            files |= {text(one, "file_id") for one in cited if text(one, "container_id") == container_id}
    return {
        "container_id": container_id,
        "cited_file_count": len(files - {None}),
        "cited_file_count_method": "none" if container_id is None else "heuristic",
    }


def _repeated(run: Call, earlier: Sequence[Call], before: Sequence[Call]) -> tuple[Call | None, str]:
    """The earlier run that a run repeats, and how that is known."""
    same = [other for other in earlier if other["arguments_hash"] == run["arguments_hash"] is not None]
    if same:
        return same[-1], "explicit"
    if before and before[-1]["is_failed"]:
        return before[-1], "heuristic"
    return None, "none"
