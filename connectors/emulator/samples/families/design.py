"""A design studio's assistant: pictures, drawings, and what moderation stops."""

from connectors.emulator.samples.scenario import Scenario
from connectors.emulator.samples.shapes import builtin, messages

MOTIFS = (
    "a lighthouse in fog",
    "a fox reading",
    "a paper boat",
    "an orchard at dawn",
    "a tiny robot gardener",
)
STYLES = ("as a woodcut", "in watercolour", "as a poster", "in pencil")


class Design(Scenario):
    """A designer and an assistant that draws."""

    topic = "design"
    team = "brand"

    def turn(self) -> None:
        """Writes one wish, the picture or why there is none, and a remark."""
        scribe, prompt = self.scribe, f"{self.scribe.pick(MOTIFS)}, {self.scribe.pick(STYLES)}"
        attached = scribe.pick([[], [], [messages.input_image(scribe)]])
        messages.user(scribe, f"Draw {prompt}.", *attached)
        if scribe.chance(0.2):
            builtin.image_failed(scribe)
        if scribe.chance(0.15):
            builtin.image_blocked(scribe, scribe.pick(["input", "output"]), ["violence"])
            messages.refusal(scribe, "I can't draw this one. Shall we try something else?")
            return
        if scribe.chance(0.2):
            builtin.drawing(scribe, prompt)
        else:
            builtin.image(scribe, prompt, **scribe.pick([{}, {"action": "edit" if attached else "generate"}]))
        messages.assistant(scribe, f"Here is {prompt}.")
