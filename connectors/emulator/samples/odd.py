"""Conversations that are unlike the others: empty, tiny, very long, still open, or with rare content."""

from collections.abc import Callable
from typing import Final

from connectors.emulator.includes import Item
from connectors.emulator.samples import troubled, working
from connectors.emulator.samples.scribe import Scribe
from connectors.emulator.samples.shapes import functions, messages
from connectors.emulator.samples.shapes.messages import PIXEL

CACHED: Final[Item] = {"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}
# The sizes that some conversations, told by their number, are given instead of a usual one.
SIZES: Final[dict[int, int]] = {3: 0, 8: 1, 16: 560, 31: 280}


def end_in_a_call(scribe: Scribe) -> None:
    """Writes a call that is still being made."""
    messages.user(scribe, "And the last one, please.")
    functions.function_call(scribe, "get_order", '{"order_id":"A-', status="in_progress")


def end_in_code(scribe: Scribe) -> None:
    """Writes a computation that is still running, behind a search that is still searching."""
    messages.user(scribe, "Now for the whole year, please.")
    scribe.emit("web_search_call", status="searching", action={"type": "search", "query": "yearly figures"})
    scribe.emit(
        "code_interpreter_call",
        status="interpreting",
        code="total = sum(range(10**9))",
        container_id=scribe.container_id(),
        outputs=None,
    )


def show_rare_content(scribe: Scribe) -> None:
    """Writes messages with the content parts and roles that few conversations have."""
    url = f"data:image/png;base64,{PIXEL}"
    screenshot = {"type": "computer_screenshot", "detail": "auto", "file_id": None, "image_url": url}
    rare = [
        ("tool", [{"type": "text", "text": "Plain text from a tool."}]),
        ("assistant", [{"type": "summary_text", "text": "What was said so far, in one line."}]),
        ("assistant", [{"type": "reasoning_text", "text": "First compare both offers."}]),
        ("user", [{**screenshot, "file_id": scribe.file_id(), "image_url": None}, {**screenshot, **CACHED}]),
        ("critic", [messages.input_text("The answer leaves out the second question.")]),
        ("discriminator", [messages.input_text("0.83")]),
        ("unknown", [messages.input_text("")]),
    ]
    for role, content in rare:
        scribe.send("message", status="completed", content=content, role=role)
    _show_cached_parts(scribe)


def _show_cached_parts(scribe: Scribe) -> None:
    """Writes parts that end a stretch of prompt to be cached, and outputs made of parts."""
    image, file = messages.input_image(scribe), messages.input_file(scribe, "contract.pdf")
    messages.user(scribe, "Compare these.", {**image, **CACHED}, {**file, "detail": "high", **CACHED})
    call = functions.function_call(scribe, "compare", "{}", created_by="user_7f3a")
    parts = [messages.input_text("Two differences."), image, file]
    functions.function_output(scribe, call, parts, created_by="user_7f3a", status="incomplete")
    functions.custom_tool(scribe, "compare_again", "both", parts)
    messages.assistant(scribe, "They differ in the price and in the date.")


EXTRAS: Final[dict[int, Callable[[Scribe], None]]] = {
    5: show_rare_content,
    20: end_in_a_call,
    43: end_in_code,
    50: troubled.get_stuck,
    61: troubled.ask_back,
    72: troubled.change_tools,
    77: troubled.lose_outputs,
    96: working.give_up,
    101: working.draw_again,
    103: working.run_again,
    104: working.fill_context,
    111: working.ask_for_care,
    112: working.think_harder,
}
OPEN: Final = frozenset({20, 43, 50, 72, 96, 111})
# The conversation into which an item of an older one is copied.
COPIES: Final = 12
