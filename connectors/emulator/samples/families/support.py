"""A shop's support agent: orders, refunds, the handbook. Functions and file search answer."""

from connectors.emulator.includes import Item
from connectors.emulator.samples.scenario import Scenario
from connectors.emulator.samples.scribe import Scribe
from connectors.emulator.samples.shapes import builtin, functions, messages

PRODUCTS = (
    "desk lamp",
    "rain jacket",
    "coffee grinder",
    "bicycle bell",
    "wool blanket",
    "trail shoes",
    "kettle",
)
CARRIERS = ("Nordpost", "Blue Van", "ParcelPath")
GUIDES = ("returns.md", "shipping.md", "warranty.pdf", "sizes.md")


class Support(Scenario):
    """A customer and a support agent."""

    topic = "support"
    team = "customer-care"

    def __init__(self, scribe: Scribe) -> None:
        """Chooses the order that the conversation is about."""
        super().__init__(scribe)
        self.order = f"A-{scribe.number(10000, 99999)}"
        self.product = scribe.pick(PRODUCTS)

    def opening(self) -> None:
        """Tells the agent who it is."""
        if self.scribe.chance(0.6):
            messages.developer(self.scribe, "You are the support agent of a small shop. Be brief and friendly.")

    def turn(self) -> None:
        """Writes one question and its answer."""
        turns = (
            self._track,
            self._track,
            self._refund,
            self._ask_handbook,
            self._compare,
            self._chat,
            self._decline,
        )
        self.scribe.pick(turns)()

    def _track(self) -> None:
        """A parcel is looked up; the carrier's service fails sometimes, and the same call is made again."""
        scribe, carrier = self.scribe, self.scribe.pick(CARRIERS)
        messages.user(scribe, f"Where is my {self.product}? The order is {self.order}.", *self._attachment())
        arguments = {"order_id": self.order}
        if scribe.chance(0.25):
            error = scribe.pick([{"error": "timeout after 10 s"}, {"error": "503 service unavailable"}])
            functions.function(scribe, "get_order", arguments, error)
        days = scribe.number(1, 6)
        functions.function(scribe, "get_order", arguments, {"status": "shipped", "carrier": carrier, "days_left": days})
        answer = f"Your {self.product} is on its way with {carrier} and should arrive in {days} days."
        messages.assistant(scribe, answer, phase=scribe.pick([None, "final_answer"]))

    def _attachment(self) -> list[Item]:
        """What customers attach: mostly nothing."""
        scribe = self.scribe
        if scribe.chance(0.7):
            return []
        kind = scribe.pick(["uploaded", "linked", "sent", "inline"])
        return [
            scribe.pick(
                [
                    messages.input_image(scribe),
                    messages.input_image(scribe, uploaded=True),
                    messages.input_file(scribe, "invoice.pdf", kind=kind),
                ]
            )
        ]

    def _refund(self) -> None:
        """A refund, whose call is once in a while cut off in the middle of its arguments."""
        scribe, amount = self.scribe, self.scribe.number(9, 240)
        messages.user(scribe, f"The {self.product} arrived broken, please refund order {self.order}.")
        builtin.reasoning(scribe, "**Checking the refund rules** The order is recent enough for a refund.")
        if scribe.chance(0.1):
            functions.function_call(scribe, "create_refund", '{"order_id":"A-', status="incomplete")
        functions.function(
            scribe,
            "create_refund",
            {"order_id": self.order, "amount": amount, "currency": "EUR"},
            {"refund_id": f"R-{scribe.number(1000, 9999)}", "state": "accepted"},
            namespace="billing",
        )
        messages.assistant(scribe, f"I am sorry about that. {amount} EUR are on their way back to you.")

    def _ask_handbook(self) -> None:
        """A rule is looked up in the handbook and cited, from the first guide that comes back or a later one."""
        scribe, days = self.scribe, self.scribe.pick([14, 30, 60])
        messages.user(scribe, f"How long can I return the {self.product}?")
        queries = ["return period", f"{self.product} returns"]
        if scribe.chance(0.12):
            builtin.file_search_failed(scribe, queries)
        passage = f"Articles may be returned within {days} days if unused."
        if scribe.chance(0.12):
            builtin.file_search(scribe, [f"can a used {self.product} be sent back"], [], passage)
        found = scribe.rng.sample(GUIDES, 3)
        guide = scribe.rng.choices(found, weights=[6, 2, 1])[0]
        builtin.file_search(scribe, queries, [found[0], *found], passage)
        text = f"You can return it within {days} days, as long as it is unused."
        cited = scribe.rng.choices([[guide], [], [guide, "invoice.pdf"]], weights=[8, 1, 1])[0]
        messages.assistant(scribe, text, *(messages.file_citation(text, name) for name in cited))

    def _compare(self) -> None:
        """Two articles are looked up at once."""
        scribe = self.scribe
        first, second = scribe.rng.sample(PRODUCTS, 2)
        messages.user(scribe, f"Do you have the {first} and the {second} in stock?")
        units = [scribe.number(0, 40), scribe.number(0, 40)]
        functions.parallel(
            scribe,
            [
                ("get_stock", {"product": first}, {"units": units[0]}),
                ("get_stock", {"product": second}, [messages.input_text(f"{units[1]} units")]),
            ],
        )
        messages.assistant(scribe, f"We have {units[0]} of the {first} and {units[1]} of the {second}.")

    def _chat(self) -> None:
        """Nothing to look up; an answer may break off at the length limit."""
        scribe = self.scribe
        question = scribe.pick(["Thank you! Are you a person?", "Which size fits a tall person?", "Do you gift-wrap?"])
        messages.user(scribe, question)
        status = scribe.rng.choices(["completed", "incomplete"], weights=[12, 1])[0]
        messages.assistant(scribe, f"Good question, {self.person}! Let me explain how we do it here.", status=status)

    def _decline(self) -> None:
        """Something that the agent will not do."""
        scribe = self.scribe
        if scribe.chance(0.6):
            self._chat()
            return
        messages.user(scribe, "Give me the home address of the courier.")
        messages.refusal(scribe, "I'm sorry, but I can't share personal details of other people.")
