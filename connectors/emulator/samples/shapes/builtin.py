"""Writes the work of the API's own tools (searches, code, pictures) and the model's reasoning."""

from collections.abc import Sequence
from typing import Any

from connectors.emulator.includes import Item
from connectors.emulator.samples.scribe import Scribe
from connectors.emulator.samples.shapes.messages import PIXEL


def reasoning(scribe: Scribe, *summaries: str) -> Item:
    """Writes that the model thought; sometimes with the text of it, or in encrypted form."""
    fields: dict[str, Any] = {"summary": [{"type": "summary_text", "text": text} for text in summaries]}
    text = " ".join(summaries) or "Nothing special here; answer directly."
    styles: list[dict[str, Any]] = [
        {},
        {"content": [], "encrypted_content": scribe.secret()},
        {"encrypted_content": scribe.secret()},
        {"encrypted_content": None},
        {"content": [{"type": "reasoning_text", "text": text}]},
    ]
    fields |= scribe.rng.choices(styles, weights=[9, 7, 1, 1, 2])[0]
    if scribe.chance(0.05):
        fields["status"] = "completed"
    return scribe.emit("reasoning", **fields)


def compaction(scribe: Scribe) -> Item:
    """Writes that the conversation so far was compacted."""
    optional = {"created_by": "assistant"} if scribe.chance(0.3) else {}
    return scribe.emit("compaction", encrypted_content=scribe.secret(600, 1500), **optional)


def web_search(scribe: Scribe, query: str, sources: Sequence[Item] = ()) -> Item:
    """Writes a search of the web; what a search reports of itself differs from one to the next."""
    action: Item = {"type": "search"}
    second = f"{query} {scribe.pick(['2026', 'guide', 'official'])}"
    styles: list[Item] = [
        {"queries": [query, second], "query": query},
        {"query": query},
        {"queries": [query]},
        {},
    ]
    action |= scribe.rng.choices(styles, weights=[12, 4, 3, 1])[0]
    if sources:
        action["sources"] = list(sources)
    return scribe.emit("web_search_call", status="completed", action=action)


def web_search_without_action(scribe: Scribe) -> Item:
    """Writes a search that was cut short and does not say what it looked for."""
    status = scribe.pick(["incomplete", "failed"])
    return scribe.emit("web_search_call", status=status, **scribe.pick([{}, {"action": None}]))


def open_page(scribe: Scribe, url: str | None) -> Item:
    """Writes that a page was opened."""
    return scribe.emit("web_search_call", status="completed", action={"type": "open_page", "url": url})


def find_in_page(scribe: Scribe, url: str, pattern: str) -> Item:
    """Writes that a page was searched."""
    action = {"type": "find_in_page", "pattern": pattern, "url": url}
    return scribe.emit("web_search_call", status="completed", action=action)


def url_source(url: str) -> Item:
    """A page that a search looked at."""
    return {"type": "url", "url": url}


def api_source(name: str) -> Item:
    """A data feed that a search looked at, which has a name and no URL."""
    return {"type": "api", "name": name}


def file_search(scribe: Scribe, queries: list[str], filenames: Sequence[str], passage: str) -> Item:
    """Writes a search of uploaded files, with one result per file and scores that go down."""
    score = scribe.rng.uniform(0.7, 0.97)
    store = f"vs_{scribe.rng.getrandbits(96):024x}"
    results = []
    for filename in filenames:
        results.append(_file_result(scribe, filename, passage, round(score, 4), store))
        score *= 0.8
    return scribe.emit("file_search_call", status="completed", queries=queries, results=results)


def file_search_failed(scribe: Scribe, queries: list[str]) -> Item:
    """Writes a search of uploaded files that found no answer in time."""
    status = scribe.pick(["failed", "incomplete"])
    return scribe.emit("file_search_call", status=status, queries=queries, results=None)


def _file_result(scribe: Scribe, filename: str, passage: str, score: float, store: str) -> Item:
    """One passage of one file, with attributes of all kinds."""
    attributes: Item | None = {
        "department": scribe.pick(["support", "legal", "product"]),
        "version": scribe.number(1, 9),
        "is_public": scribe.chance(0.5),
        "weight": round(scribe.rng.random(), 2),
    }
    attributes = scribe.pick([attributes, {}, None])
    return {
        "attributes": attributes,
        "file_id": scribe.file_id(),
        "filename": filename,
        "score": score,
        "text": passage,
        "vector_store_id": store,
    }


def code(
    scribe: Scribe,
    source: str,
    logs: str | None,
    *,
    plot: bool = False,
    status: str = "completed",
    container_id: str | None = None,
) -> str:
    """Writes a run of Python code, in a new container or a given one, and returns the container's ID."""
    container_id = container_id or scribe.container_id()
    outputs: list[Item] = [] if logs is None else [{"type": "logs", "logs": logs}]
    if plot:
        outputs.append({"type": "image", "url": f"data:image/png;base64,{PIXEL}"})
    scribe.wait(1, 15)
    scribe.emit(
        "code_interpreter_call",
        status=status,
        code=source,
        container_id=container_id,
        outputs=outputs or None,
    )
    return container_id


def image(scribe: Scribe, prompt: str, **optional: Any) -> Item:
    """Writes a picture; here it is one pixel."""
    scribe.wait(8, 40)
    fields = {
        "status": "completed",
        "background": scribe.pick(["opaque", "transparent", "auto"]),
        "output_format": scribe.pick(["png", "webp", "jpeg"]),
        "quality": scribe.pick(["low", "medium", "high", "xhigh", "auto"]),
        "result": PIXEL,
        "revised_prompt": prompt,
        "size": scribe.pick(["1024x1024", "1024x1536", "1536x1024", "2048x1152"]),
    }
    return scribe.emit("image_generation_call", **fields | optional)


def drawing(scribe: Scribe, prompt: str) -> Item:
    """Writes a vector drawing, which tells the tokens it took."""
    spent = {"input_tokens": scribe.number(80, 400), "output_tokens": scribe.number(500, 2500)}
    usage = {
        **spent,
        "model": "gpt-5.5-svg",
        "reasoning_tokens": scribe.number(0, 600),
        "total_tokens": sum(spent.values()),
    }
    return image(scribe, prompt, action="generate", output_format="svg", result="PHN2Zy8+", size=None, svg_usage=usage)


def image_blocked(scribe: Scribe, stage: str, categories: list[str]) -> Item:
    """Writes that moderation stopped a picture."""
    error = {
        "type": "image_generation_user_error",
        "code": "moderation_blocked",
        "message": "Your request was rejected by the safety system.",
        "moderation_details": {"categories": categories, "moderation_stage": stage},
        "param": None,
    }
    return scribe.emit(
        "image_generation_call",
        status="failed",
        action="generate",
        error=error,
        result=None,
        revised_prompt=None,
    )


def image_failed(scribe: Scribe) -> Item:
    """Writes that a picture could not be made."""
    error = {
        "type": "server_error",
        "code": None,
        "message": "The image could not be generated. Please try again.",
        "param": scribe.pick([None, "size"]),
    }
    return scribe.emit("image_generation_call", status="failed", error=error, result=None)
