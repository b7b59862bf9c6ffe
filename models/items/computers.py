"""Computers that the model uses: its actions, and the screenshots that came back."""

from models.item_type import ItemType
from models.parts import CALL_ID, COMPLETED, CREATED_BY, FAILED, IN_PROGRESS, INCOMPLETE, USUAL_STATUSES
from models.shape import integer, member, nested, payload, rows, text, texts

_KEYS = texts("keys", "Keys pressed, or held down during the action.")
_X = integer("x", "Horizontal place, in pixels from the left.")
_Y = integer("y", "Vertical place, in pixels from the top.")
_ACTIONS = (
    member(
        "click",
        text("button", "Mouse button that was clicked.", "left", "right", "wheel", "back", "forward"),
        _X,
        _Y,
        _KEYS,
    ),
    member("double_click", _X, _Y, _KEYS),
    member("drag", rows("path", "The way of a drag.", _X, _Y), _KEYS),
    member("keypress", _KEYS),
    member("move", _X, _Y, _KEYS),
    member("screenshot"),
    member(
        "scroll",
        _X,
        _Y,
        integer("scroll_x", "Pixels scrolled to the right."),
        integer("scroll_y", "Pixels scrolled down."),
        _KEYS,
    ),
    member("type", text("text", "Text that was typed.")),
    member("wait"),
)
_SAFETY_CHECK = (
    text("id", "The safety check."),
    text("code", "Kind of the safety check."),
    text("message", "The safety check in words."),
)

COMPUTER_CALL = ItemType(
    "computer_call",
    "What the model wants done on a computer: one action, or several.",
    (
        CALL_ID,
        nested("action", "The action.", *_ACTIONS),
        rows("actions", "The actions of a call with several.", *_ACTIONS),
        rows("pending_safety_checks", "Safety checks that wait for an acknowledgement.", *_SAFETY_CHECK),
    ),
    USUAL_STATUSES,
)
COMPUTER_CALL_OUTPUT = ItemType(
    "computer_call_output",
    "What the computer looked like afterwards.",
    (
        CALL_ID,
        nested(
            "output",
            "The screenshot.",
            member(
                "computer_screenshot",
                text("file_id", "Uploaded file that holds the screenshot."),
                payload("image_url", "Address of the screenshot, or the screenshot itself as a data URL."),
            ),
        ),
        rows("acknowledged_safety_checks", "Safety checks that the client acknowledged.", *_SAFETY_CHECK),
        CREATED_BY,
    ),
    (COMPLETED, INCOMPLETE, FAILED, IN_PROGRESS),
)
