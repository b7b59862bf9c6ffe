"""A back office assistant that uses a computer: old programs without an API, forms, warnings."""

from connectors.emulator.includes import Item
from connectors.emulator.samples.scenario import Scenario
from connectors.emulator.samples.shapes import builtin, messages
from connectors.emulator.samples.shapes.computer import (
    SCREENSHOT,
    WAIT,
    click,
    double_click,
    drag,
    keypress,
    move,
    safety_check,
    scroll,
    step,
    typing,
)

FORMS = ("travel expenses", "stock list", "address change", "holiday request")
WARNINGS = (
    ("malicious_instructions", "The page contains instructions for the model."),
    ("irrelevant_domain", "The site has nothing to do with the task."),
    (None, None),
)


class Backoffice(Scenario):
    """A clerk and an assistant at a remote desktop."""

    topic = "backoffice"
    team = "finance"

    def turn(self) -> None:
        """Writes one form that is filled in on the screen."""
        scribe, form = self.scribe, self.scribe.pick(FORMS)
        messages.user(scribe, f"Please fill in the form for {form}, number {scribe.number(100, 999)}.")
        step(scribe, SCREENSHOT)
        for _ in range(scribe.number(2, 6)):
            self._act(form)
        if scribe.chance(0.3):
            step(scribe, WAIT, status="failed")
            builtin.reasoning(scribe)
            step(scribe, WAIT)
        messages.assistant(scribe, f"The form for {form} is filled in.")

    def _act(self, form: str) -> None:
        """Writes one step, or several at once; the system may ask a person to look first."""
        scribe = self.scribe
        checks = [safety_check(scribe, *scribe.pick(WARNINGS))] if scribe.chance(0.12) else None
        if scribe.chance(0.15):
            step(scribe, click(*self._point()), typing(form), keypress("ENTER"), checks=checks)
        else:
            step(scribe, self._action(form), checks=checks)

    def _action(self, form: str) -> Item:
        """One of the things that can be done on a screen."""
        scribe = self.scribe
        held = scribe.pick([None, None, ["SHIFT"], ["CTRL", "ALT"]])
        return scribe.pick(
            [
                click(*self._point(), scribe.pick(["left", "right", "wheel", "back", "forward"]), held),
                double_click(*self._point(), held),
                drag(self._point(), self._point(), keys=held),
                keypress("CTRL", "S"),
                move(*self._point(), held),
                scroll(*self._point(), scribe.pick([-400, 400]), held),
                typing(f"{form} {scribe.number(1, 99)}"),
            ]
        )

    def _point(self) -> tuple[int, int]:
        """A place on the screen."""
        return self.scribe.number(0, 1023), self.scribe.number(0, 767)
