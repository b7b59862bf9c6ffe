"""Turns in which the model's own work shows: code that raises, thought that leads nowhere, a full context, checks."""

from typing import Final

from connectors.emulator.samples.scribe import Scribe
from connectors.emulator.samples.shapes import builtin, computer, functions, messages, shells, tools

_SUM: Final = "import pandas as pd\n\nframe = pd.read_csv('refunds.csv')\nprint(frame['amount'].sum())"
_RAISED: Final = (
    f"{'-' * 75}\n\x1b[0;31mKeyError\x1b[0m                                  Traceback (most recent call last)\n"
    "Cell In[1], line 4\n----> 4 print(frame['amount'].sum())\n\nKeyError: 'amount'\n"
)
_CHART: Final = (
    "import matplotlib.pyplot as plt\nfrom pandas import read_csv\n\n"
    "frame = read_csv('refunds.csv')\nframe.groupby('week')['total'].sum().plot()\nplt.savefig('refunds.png')"
)
_BROKEN: Final = "print(frame['total'].sum()"
_SYNTAX: Final = "  Cell In[2], line 1\n    print(frame['total'].sum()\n         ^\nSyntaxError: '(' was never closed\n"
_HANDBOOK: Final = "Section 4: parcels over 30 kg go by freight. " * 40


def run_again(scribe: Scribe) -> None:
    """Writes code that raises, is run again as it is, then otherwise, and at last gives a chart; and code given up."""
    messages.user(scribe, "Add up the refunds, and draw them by week.")
    container_id = builtin.code(scribe, _SUM, _RAISED)
    builtin.code(scribe, _SUM, _RAISED, container_id=container_id)
    builtin.code(scribe, _BROKEN, _SYNTAX, container_id=container_id)
    builtin.code(scribe, _CHART, "refunds.png saved", plot=True, container_id=container_id)
    text = "The column is called total. Here is refunds.png, with its data in refunds.csv."
    cited = [messages.container_citation(scribe, text, name, container_id) for name in ("refunds.png", "refunds.csv")]
    messages.assistant(scribe, text, *cited)
    messages.user(scribe, "And the sum, please.")
    builtin.code(scribe, _SUM, _RAISED, container_id=container_id)
    messages.assistant(scribe, "I could not add them up; the column amount is not there.")


def think_harder(scribe: Scribe) -> None:
    """Writes turns at different efforts, one that changes while the model works, and thought that comes to nothing."""
    tools.configure(scribe, reasoning={"effort": "low"})
    messages.user(scribe, "Which of the two migrations can we run first?")
    builtin.reasoning(scribe, "**Comparing** Neither depends on the other.")
    messages.assistant(scribe, "Either; they do not depend on one another.")
    tools.configure(scribe, reasoning={"effort": "high"})
    messages.user(scribe, "Are you sure? Look at the foreign keys.")
    for summaries in (["**Reading the schema**", "**Following the keys**"], []):
        builtin.reasoning(scribe, *summaries)
        scribe.wait(20, 60)
        functions.function(scribe, "describe_table", {"table": "orders"}, {"references": ["customers"]})
    tools.configure(scribe, reasoning={"effort": "xhigh"})
    builtin.reasoning(scribe, "**Checking once more** orders refers to customers.")
    messages.assistant(scribe, "The one on customers comes first: orders refers to it.")
    messages.user(scribe, "Then plan both, with a way back.")
    builtin.reasoning(scribe, "**Planning the way back**")
    messages.user(scribe, "Never mind, that can wait.")
    messages.assistant(scribe, "All right.")


def fill_context(scribe: Scribe) -> None:
    """Writes the same long page read again and again, before and after a compaction."""
    messages.developer(scribe, "Always look into the handbook before you answer.")
    for question in ("Who takes 40 kg?", "And 31 kg?", "And 29 kg?"):
        messages.user(scribe, question)
        functions.function(scribe, "read_page", {"page": "freight"}, _HANDBOOK)
        messages.assistant(scribe, "The handbook says: over 30 kg by freight.")
    builtin.compaction(scribe)
    messages.user(scribe, "And 30 kg exactly?")
    functions.function(scribe, "read_page", {"page": "freight"}, _HANDBOOK)
    messages.assistant(scribe, "By parcel; only what is over 30 kg goes by freight.")


def draw_again(scribe: Scribe) -> None:
    """Writes a picture that moderation stops, and one that is made after all."""
    messages.user(scribe, "Draw the knight at the end of the battle.")
    builtin.image_blocked(scribe, "output", ["violence"])
    builtin.image(scribe, "a knight resting under a tree")
    messages.assistant(scribe, "I drew the knight resting.")


def ask_for_care(scribe: Scribe) -> None:
    """Writes safety checks: one of two that is acknowledged, and one that still waits."""
    messages.user(scribe, "Log in to the provider and renew the certificate.")
    checks = [
        computer.safety_check(scribe, "malicious_instructions", "The page tells the model what to do."),
        computer.safety_check(scribe, "sensitive_domain", "The page is about accounts."),
    ]
    computer.step(scribe, computer.click(80, 120), checks=checks, acknowledged=checks[:1])
    waiting = computer.safety_check(scribe, "sensitive_domain", "The page asks for a payment.")
    scribe.emit(
        "computer_call",
        status="completed",
        action=computer.click(200, 310),
        call_id=scribe.call_id(),
        pending_safety_checks=[waiting],
    )


def give_up(scribe: Scribe) -> None:
    """Writes a command that fails for good, after which nobody comes back."""
    messages.user(scribe, "Roll the release back.")
    for command in ("deploy rollback", "deploy rollback --force"):
        shells.shell(scribe, [command], [(1, "", "no earlier release")], hosted=False)
