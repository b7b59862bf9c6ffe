"""Writes messages: their roles, content parts, citations and logprobs. Calls of tools are elsewhere."""

import math
import random
from collections.abc import Sequence
from typing import Any

from connectors.emulator import identifiers
from connectors.emulator.includes import Item
from connectors.emulator.samples.scribe import Scribe

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def user(scribe: Scribe, text: str, *parts: Item) -> Item:
    """Writes what a person said, with pictures and files if any."""
    content = [input_text(text), *parts]
    return scribe.send("message", status="completed", content=content, role="user")


def developer(scribe: Scribe, text: str, role: str = "developer") -> Item:
    """Writes the instructions that an application gives; they may be kept in the prompt cache."""
    part = input_text(text)
    if scribe.chance(0.3):
        part["prompt_cache_breakpoint"] = {
            "mode": "explicit",
            **scribe.pick([{}, {"ttl": "30m"}, {"ttl": "12h"}]),
        }
    return scribe.send("message", status="completed", content=[part], role=role)


def assistant(scribe: Scribe, text: str, *citations: Item, phase: str | None = None, status: str = "completed") -> Item:
    """Writes what the model said; now and then a reader asked for its logprobs."""
    logprobs = logprobs_of(scribe.rng, text) if scribe.chance(0.03) else []
    content = [output_text(text, citations, logprobs)]
    optional = {} if phase is None else {"phase": phase}
    return scribe.emit("message", status=status, content=content, role="assistant", **optional)


def refusal(scribe: Scribe, text: str) -> Item:
    """Writes that the model declines."""
    content = [{"type": "refusal", "refusal": text}]
    return scribe.emit("message", status="completed", content=content, role="assistant")


def input_text(text: str) -> Item:
    """A text that came in."""
    return {"type": "input_text", "text": text}


def input_image(scribe: Scribe, *, uploaded: bool = False) -> Item:
    """A picture that came in, by its file or as data."""
    detail = scribe.pick(["auto", "low", "high", "original"])
    if uploaded:
        return {"type": "input_image", "detail": detail, "file_id": scribe.file_id(), "image_url": None}
    url = f"data:image/png;base64,{PIXEL}"
    return {"type": "input_image", "detail": detail, "file_id": None, "image_url": url}


def input_file(scribe: Scribe, filename: str, *, kind: str = "uploaded") -> Item:
    """A file that came in: uploaded, linked, or sent as data that the API does not give back."""
    by_kind: dict[str, Item] = {
        "uploaded": {"file_id": scribe.file_id(), "filename": filename},
        "linked": {"detail": "low", "file_id": None, "file_url": f"https://files.example.com/{filename}"},
        "sent": {"file_id": None, "filename": filename},
        "inline": {"file_data": f"data:text/csv;base64,{PIXEL}", "file_id": None, "filename": filename},
    }
    return {"type": "input_file", **by_kind[kind]}


def output_text(text: str, citations: Sequence[Item] = (), logprobs: Sequence[Item] = ()) -> Item:
    """A text that the model wrote."""
    return {"type": "output_text", "annotations": list(citations), "logprobs": list(logprobs), "text": text}


def url_citation(text: str, cited: str, title: str, url: str) -> Item:
    """A web page that stands behind some words of a text."""
    start = max(text.find(cited), 0)
    return {
        "type": "url_citation",
        "end_index": start + len(cited),
        "start_index": start,
        "title": title,
        "url": url,
    }


def file_citation(text: str, filename: str) -> Item:
    """A searched file that stands behind the end of a text."""
    return {"type": "file_citation", "file_id": stored_file_id(filename), "filename": filename, "index": len(text)}


def stored_file_id(filename: str) -> str:
    """The ID of a file in the vector store, the same in all conversations."""
    return identifiers.mint_file_id(random.Random(filename))


def container_citation(scribe: Scribe, text: str, filename: str, container_id: str) -> Item:
    """A file that code made in its container."""
    start = max(text.find(filename), 0)
    return {
        "type": "container_file_citation",
        "container_id": container_id,
        "end_index": start + len(filename),
        "file_id": f"cfile_{scribe.rng.getrandbits(128):032x}",
        "filename": filename,
        "start_index": start,
    }


def file_path(scribe: Scribe, text: str) -> Item:
    """A file that the model made, to be downloaded."""
    return {"type": "file_path", "file_id": scribe.file_id(), "index": len(text)}


def logprobs_of(rng: random.Random, text: str) -> list[Item]:
    """How sure the model was of each of the first words, with one or two it might have chosen instead."""
    words = text.split(" ")[:12]
    return [_logprob(rng, word if index == 0 else f" {word}") for index, word in enumerate(words)]


def _logprob(rng: random.Random, token: str) -> Item:
    """One chosen token among its rivals; the three shares do not exceed one."""
    share = rng.uniform(0.6, 0.999)
    rivals = [(token, share), (token.upper(), (1 - share) * 0.6), (" the", (1 - share) * 0.3)]
    top = [_weighed(word, part) for word, part in rivals[: rng.randint(2, 3)]]
    return {**_weighed(token, share), "top_logprobs": top}


def _weighed(token: str, share: float) -> dict[str, Any]:
    """A token with its bytes and the logarithm of its share."""
    return {"token": token, "bytes": list(token.encode()), "logprob": round(math.log(share), 6)}
