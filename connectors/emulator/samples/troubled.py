"""Turns in which tools give trouble: refused, timed out, called again and again, never answered, changed meanwhile."""

from connectors.emulator.samples.scribe import Scribe
from connectors.emulator.samples.shapes import builtin, functions, mcp, messages, shells, tools

_TICKET = {"title": "Printer on floor 3", "priority": "low"}


def get_stuck(scribe: Scribe) -> None:
    """Writes a call that nobody answers before the person speaks again, and one that fails until the agent gives up."""
    messages.user(scribe, "Book the small room for Monday.")
    functions.function_call(scribe, "book_room", '{"room":"small","day":"monday"}')
    messages.user(scribe, "Hello? Then the large one, please.")
    for error in ("the calendar is locked", "request timed out", "the calendar is locked"):
        functions.function(scribe, "book_room", {"room": "large", "day": "monday"}, {"error": error})
    functions.function(scribe, "book_room", {"room": "large", "day": "Monday"}, "Error: no such day")


def ask_back(scribe: Scribe) -> None:
    """Writes calls that a person or a policy refused, one that worked at the second try, and a question at the end."""
    messages.user(scribe, "Delete last year's drafts.")
    refused = "Tool call rejected: the user denied the request."
    functions.parallel(
        scribe,
        [
            ("delete_files", {"folder": "drafts"}, refused),
            ("list_files", {"folder": "drafts"}, {"files": ["a.txt", "b.txt"]}),
        ],
    )
    functions.custom_tool(scribe, "run_sql", "delete from drafts", "Error: human operator denied this statement")
    builtin.web_search_without_action(scribe)
    builtin.web_search(scribe, "how to archive drafts")
    functions.function(scribe, "archive_files", {"folder": "draft"}, {"success": False, "reason": "no such folder"})
    functions.function(scribe, "archive_files", {"folder": "drafts"}, {"success": True, "moved": 2})
    messages.assistant(scribe, "I may not delete them, so I archived them.", phase="commentary")
    messages.assistant(scribe, "The drafts are archived now. Shall I make the archive read-only?")


def change_tools(scribe: Scribe) -> None:
    """Writes tools that are defined, called, defined otherwise and called again; the last call waits for approval."""
    ticket = mcp.tool("create_ticket", "Opens a ticket.", read_only=False, title="string")
    urgent = mcp.tool("create_ticket", "Opens a ticket.", read_only=False, title="string", priority="string")
    never = mcp.tool("close_queue", None, read_only=False)
    messages.user(scribe, "Open a ticket for the printer on floor 3.")
    mcp.list_tools(scribe, "helpdesk", [ticket])
    asked = mcp.ask_approval(scribe, "helpdesk", "create_ticket", _TICKET)
    mcp.answer_approval(scribe, asked, approve=False, reason="Priority is missing.")
    mcp.list_tools(scribe, "helpdesk", [urgent, never])
    mcp.call_failed(
        scribe, "helpdesk", "create_ticket", _TICKET, {"type": "http_error", "code": 504, "message": "Gateway Timeout"}
    )
    mcp.call(scribe, "helpdesk", "create_ticket", _TICKET, {"ticket": "HD-17"})
    tools.add_tools(scribe, [tools.function_tool("notify", "Sends a note.", to="string")])
    functions.function(scribe, "notify", {"to": "floor 3"}, "sent")
    tools.add_tools(scribe, [tools.function_tool("notify", "Sends a note.", to="string", urgent="boolean")])
    functions.function(scribe, "notify", {"to": "floor 3", "urgent": False}, "sent")
    messages.assistant(scribe, "The ticket is HD-17.")
    messages.user(scribe, "Make it urgent.")
    mcp.ask_approval(scribe, "helpdesk", "create_ticket", _TICKET | {"priority": "high"})


def lose_outputs(scribe: Scribe) -> None:
    """Writes outputs whose call is told by their own ID, or by nothing but their place, and one that has no call."""
    messages.user(scribe, "Is the build server still up?")
    call = functions.function_call(scribe, "ping", "{}")
    functions.function_output(scribe, call | {"call_id": scribe.call_id()}, "pong")
    for command, output in (("uptime", "up 3 days"), ("df", "Timed out after 60 s")):
        local = shells.local_shell(scribe, [command], output)
        scribe.items[-1]["id"] = local["call_id"]
    shells.local_shell(scribe, ["free", "-m"], "", status="incomplete")
    shells.shell(scribe, ["make"], [(0, "ok", ""), (None, "", "killed")])
    shells.shell(scribe, ["make -k"], [(2, "", "make: *** [all] Error 2")])
    shells.patch(scribe, shells.update_file("Makefile", "@@\n-all:\n+all: lib\n"), "no such context", status="failed")
    shells.patch(scribe, shells.update_file("Makefile", "@@\n-all\n+all: lib\n"), None)
    messages.assistant(scribe, "The server is up, the build is", status="incomplete")
