"""A platform team's agent with many tools: it looks for them, is given more, and programs with them."""

from connectors.emulator.includes import Item
from connectors.emulator.samples.scenario import Scenario
from connectors.emulator.samples.shapes import builtin, functions, messages, tools

KITS = (tools.SEARCHING, tools.WORKING, tools.CONNECTED, tools.WRITTEN)
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", None)
SKUS = ("sku_104", "sku_233", "sku_871", "sku_920")
SOURCE = "const found = await Promise.all(skus.map(sku => tools.get_stock({sku})));\ntext(JSON.stringify(found));"


class Platform(Scenario):
    """An engineer and an agent that finds its own tools."""

    topic = "platform"
    team = "platform"

    def opening(self) -> None:
        """Gives the agent two kits of tools, one after the other."""
        for kit in self.scribe.rng.sample(KITS, 2):
            tools.add_tools(self.scribe, kit)

    def turn(self) -> None:
        """Writes one task: found tools, a program, or a change of configuration."""
        turns = (self._search_tools, self._search_tools, self._program, self._program, self._configure)
        self.scribe.pick(turns)()

    def _search_tools(self) -> None:
        """Looks for a tool and calls what was found."""
        scribe, by_client = self.scribe, self.scribe.chance(0.3)
        messages.user(scribe, "Which invoices are still open?")
        found = [
            tools.function_tool("find_invoice", "Finds invoices.", customer="string", open="boolean"),
            *scribe.pick([[], tools.WRITTEN[-1:]]),
        ]
        arguments = scribe.pick([{"query": "open invoices"}, {"paths": ["billing"]}, "open invoices"])
        tools.search_tools(scribe, arguments, found, by_client=by_client)
        output = {"open": scribe.number(0, 30)}
        functions.function(scribe, "find_invoice", {"open": True}, output, namespace="billing")
        messages.assistant(scribe, f"{output['open']} invoices are open.")

    def _program(self) -> None:
        """Runs a program that calls tools itself; it may run out of time."""
        scribe, skus = self.scribe, self.scribe.rng.sample(SKUS, 2)
        messages.user(scribe, f"How many of {' and '.join(skus)} are left?")
        builtin.reasoning(scribe)
        started = tools.program(scribe, f"const skus = {skus!r};\n{SOURCE}")
        caller = tools.called_by(started)
        units = [scribe.number(0, 50) for _ in skus]
        for sku, count in zip(skus, units, strict=True):
            functions.function(scribe, "get_stock", {"sku": sku}, {"units": count}, caller=caller)
        if scribe.chance(0.3):
            functions.custom_tool(scribe, "write_note", "counted", "ok", caller=caller, namespace="notes")
        if scribe.chance(0.2):
            tools.program_output(scribe, started, "Execution timed out", status="incomplete")
            messages.assistant(scribe, "The count did not finish; please ask again later.")
            return
        tools.program_output(scribe, started, str(units))
        messages.assistant(scribe, f"There are {units[0]} and {units[1]} left.")

    def _configure(self) -> None:
        """Changes how much the model thinks or in which form it answers."""
        scribe = self.scribe
        changes: list[dict[str, Item]] = [
            {"reasoning": {"effort": scribe.pick(EFFORTS)}},
            {"text": {"format": tools.JSON_FORMAT}},
            {"reasoning": {"effort": "low"}, "text": {"format": {"type": "text"}}},
            {"text": {"format": {"type": "text"}}},
        ]
        tools.configure(scribe, **scribe.pick(changes))
        messages.user(scribe, "Give me last week as one row.")
        total = scribe.number(100, 999)
        call = functions.function_call(scribe, "weekly_total", "{}", **scribe.pick([{}, {"async": True}]))
        functions.function_output(scribe, call, str(total), name="weekly_total", namespace="reports")
        messages.assistant(scribe, f'{{"week":"2026-W44","total":{total}}}')
