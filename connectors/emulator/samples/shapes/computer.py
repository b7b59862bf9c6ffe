"""Writes the steps of a model that uses a computer: actions and the screenshots that answer them."""

from connectors.emulator.includes import Item
from connectors.emulator.samples.scribe import Scribe
from connectors.emulator.samples.shapes.messages import PIXEL


def step(
    scribe: Scribe,
    *actions: Item,
    checks: list[Item] | None = None,
    acknowledged: list[Item] | None = None,
    status: str = "completed",
) -> Item:
    """Writes one action, or several at once, and the screen afterwards; all checks are acknowledged, or some."""
    call_id = scribe.call_id()
    done = {"action": actions[0]} if len(actions) == 1 else {"actions": list(actions)}
    call = scribe.emit("computer_call", status="completed", **done, call_id=call_id, pending_safety_checks=checks or [])
    scribe.wait(0.5, 3)
    seen = checks if acknowledged is None else acknowledged
    checked = {"acknowledged_safety_checks": seen} if seen else {}
    optional = {"created_by": "desktop-runner"} if scribe.chance(0.1) else {}
    output = _screenshot(scribe) if status == "completed" else {"type": "computer_screenshot"}
    scribe.send("computer_call_output", status=status, **checked, call_id=call_id, output=output, **optional)
    return call


def _screenshot(scribe: Scribe) -> Item:
    """A screenshot as data or as an uploaded file."""
    if scribe.chance(0.25):
        return {"type": "computer_screenshot", "file_id": scribe.file_id()}
    return {"type": "computer_screenshot", "image_url": f"data:image/png;base64,{PIXEL}"}


def safety_check(scribe: Scribe, code: str | None, message: str | None) -> Item:
    """Something that a person should look at first."""
    check_id = f"cu_sc_{scribe.rng.getrandbits(64):016x}"
    return {"id": check_id, "code": code, "message": message}


def click(x: int, y: int, button: str = "left", keys: list[str] | None = None) -> Item:
    """A click, perhaps with keys held."""
    held = {} if keys is None else {"keys": keys}
    return {"type": "click", "button": button, **held, "x": x, "y": y}


def double_click(x: int, y: int, keys: list[str] | None = None) -> Item:
    """Two clicks."""
    return {"type": "double_click", "keys": keys, "x": x, "y": y}


def drag(*points: tuple[int, int], keys: list[str] | None = None) -> Item:
    """A drag along a path, perhaps with keys held."""
    held = {} if keys is None else {"keys": keys}
    return {"type": "drag", **held, "path": [{"x": x, "y": y} for x, y in points]}


def keypress(*keys: str) -> Item:
    """Keys pressed together."""
    return {"type": "keypress", "keys": list(keys)}


def move(x: int, y: int, keys: list[str] | None = None) -> Item:
    """The pointer moved, perhaps with keys held."""
    held = {} if keys is None else {"keys": keys}
    return {"type": "move", **held, "x": x, "y": y}


def scroll(x: int, y: int, by_y: int, keys: list[str] | None = None) -> Item:
    """The wheel turned, perhaps with keys held."""
    held = {} if keys is None else {"keys": keys}
    return {"type": "scroll", **held, "scroll_x": 0, "scroll_y": by_y, "x": x, "y": y}


def typing(text: str) -> Item:
    """Text typed."""
    return {"type": "type", "text": text}


SCREENSHOT: Item = {"type": "screenshot"}
WAIT: Item = {"type": "wait"}
