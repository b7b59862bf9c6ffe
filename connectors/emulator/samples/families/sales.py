"""A sales assistant on MCP servers: reading is free, writing needs a person's approval."""

from connectors.emulator.samples.scenario import Scenario
from connectors.emulator.samples.shapes import builtin, mcp, messages

COMPANIES = ("Fjordlight", "Casa Verde", "Kite & Co", "Mistral Foods", "Northgate", "Papaya Labs", "Quill")
TOOLS = [
    mcp.tool("find_contact", "Finds a contact by company.", read_only=True, company="string"),
    mcp.tool("update_deal", "Changes a deal.", read_only=False, deal_id="string", amount="number"),
    mcp.tool("send_mail", None, read_only=False, to="string", body="string"),
]
REASONS = ("The amount is wrong.", "Ask me again after the call.", "Not without the contract.", None)


class Sales(Scenario):
    """A salesperson and an assistant with the customer database."""

    topic = "sales"
    team = "sales"

    def opening(self) -> None:
        """Lists the tools of the customer database; at first the server may not answer."""
        if self.scribe.chance(0.15):
            mcp.list_tools_failed(self.scribe, "crm", "Error retrieving tool list: 502 Bad Gateway")
        mcp.list_tools(self.scribe, "crm", TOOLS)

    def turn(self) -> None:
        """Writes one wish: a look at the data, or a change that is approved or not."""
        scribe, company = self.scribe, self.scribe.pick(COMPANIES)
        if scribe.chance(0.4):
            self._look_up(company)
        else:
            self._change(company)

    def _look_up(self, company: str) -> None:
        """Reads from the database; a failed call is made again."""
        scribe = self.scribe
        messages.user(scribe, f"Who do we know at {company}?")
        arguments = {"company": company}
        for _ in range(scribe.rng.choices([0, 1, 2], weights=[6, 3, 1])[0]):
            text = scribe.pick(["connection reset by peer", "rate limit of the server reached", "unknown field"])
            mcp.call_failed(scribe, "crm", "find_contact", arguments, mcp.some_error(scribe, text))
        mcp.call(scribe, "crm", "find_contact", arguments, [{"name": "R. Example", "role": "buyer"}])
        messages.assistant(scribe, f"Our contact at {company} is R. Example, who is a buyer.")

    def _change(self, company: str) -> None:
        """Asks a person before a deal is changed."""
        scribe = self.scribe
        name = scribe.pick(["update_deal", "update_deal", "send_mail"])
        amount = scribe.number(2, 90) * 1000
        messages.user(scribe, f"Set the deal with {company} to {amount} EUR and tell them.")
        builtin.reasoning(scribe)
        arguments = {"deal_id": f"D-{scribe.number(100, 999)}", "amount": amount}
        request = mcp.ask_approval(scribe, "crm", name, arguments)
        approve = scribe.chance(0.7)
        reason = None if approve else scribe.pick(REASONS)
        mcp.answer_approval(scribe, request, approve=approve, reason=reason)
        if not approve:
            messages.assistant(scribe, "All right, I have not changed anything.")
            return
        mcp.call(scribe, "crm", name, arguments, {"ok": True}, approval_request_id=request["id"])
        messages.assistant(scribe, f"The deal with {company} now stands at {amount} EUR.")
