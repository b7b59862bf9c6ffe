"""Shapes that several item types share: content parts, callers, cache breakpoints.

Source of every name and value: the Conversations API reference and the official Python SDK's `ConversationItem`.
"""

from models.item_type import Derived
from models.shape import member, nested, payload, text
from models.table import Column

IN_PROGRESS, COMPLETED, INCOMPLETE, FAILED = "in_progress", "completed", "incomplete", "failed"
USUAL_STATUSES = (IN_PROGRESS, COMPLETED, INCOMPLETE)
ROLES = ("unknown", "user", "assistant", "system", "critic", "discriminator", "developer", "tool")

CALL_ID = text("call_id", "Pairs a call with its output, within a conversation.")
CREATED_BY = text("created_by", "Who created the item, where the API says so.")
NAMESPACE = text("namespace", "The namespace of the tool that was called.")
CALLER = nested(
    "caller",
    "What made the call.",
    member("direct"),
    member("program", text("caller_id", "The call_id of the program item that made the call.")),
)

CACHE_BREAKPOINT = nested(
    "prompt_cache_breakpoint",
    "A point up to which the prompt is to be cached.",
    text("mode", "How the breakpoint came to be.", "explicit"),
    text("ttl", "How long the cache entry is to live.", "30m", "12h"),
)
_DETAIL = text("detail", "Level of detail at which the image or file is read.", "low", "high", "auto", "original")
_FILE_DETAIL = text("detail", _DETAIL.doc, "auto", "low", "high")
_FILE_ID = text("file_id", "Uploaded file that holds the content.")
_IMAGE_URL = payload("image_url", "Address of the image, or the image itself as a data URL.")

INPUT_TEXT = member("input_text", text("text", "The part's text."), CACHE_BREAKPOINT)
INPUT_IMAGE = member("input_image", _DETAIL, _FILE_ID, _IMAGE_URL, CACHE_BREAKPOINT)
INPUT_FILE = member(
    "input_file",
    _FILE_DETAIL,
    payload("file_data", "The file itself, base64; the list endpoint leaves it out."),
    _FILE_ID,
    text("file_url", "Address of the file."),
    text("filename", "Name of the file."),
    CACHE_BREAKPOINT,
)
COMPUTER_SCREENSHOT = member("computer_screenshot", _DETAIL, _FILE_ID, _IMAGE_URL, CACHE_BREAKPOINT)
OUTPUT_PARTS = (INPUT_TEXT, INPUT_IMAGE, INPUT_FILE)
"""What a client may send back as a tool's output."""


def joined_text(list_expression: str, doc: str) -> Derived:
    """A column `text`: the texts of a list of parts, joined by a newline; NULL where no part has text."""
    texts = f"list_filter(list_transform({list_expression}, lambda part: part.text), lambda t: t is not null)"
    return Derived(
        Column("text", "VARCHAR", f"{doc} The texts of the parts, joined by a newline; NULL if no part has text."),
        f"case when len({texts}) > 0 then array_to_string({texts}, chr(10)) end",
    )
