"""Turns in which tools act on the world: transfers that a person approves or not, commands that fail, files changed."""

from connectors.emulator.samples.scribe import Scribe, to_json
from connectors.emulator.samples.shapes import builtin, mcp, messages, shells

_LEDGER = "ledger"
_TOOLS = [
    mcp.tool("read_account", "Reads an account.", read_only=True, account="string"),
    mcp.tool("transfer", "Moves money.", read_only=False, account="string", amount="number"),
    mcp.tool("close_account", None, read_only=False, account="string"),
]
_CUT = "collected 412 items\n... 18230 chars truncated ...\n411 passed, 1 warning"


def ask_for_money(scribe: Scribe) -> None:
    """Writes a server that does not answer at first, and requests that are denied, granted, ignored and overruled."""
    messages.user(scribe, "Pay the printer's invoice of 900 EUR.")
    mcp.list_tools_failed(scribe, _LEDGER, "Error retrieving tool list: 401 Unauthorized")
    mcp.list_tools_failed(scribe, "archive", "Error retrieving tool list: timed out")
    mcp.list_tools(scribe, "calendar", [])
    mcp.list_tools(scribe, _LEDGER, _TOOLS)
    mcp.call_failed(
        scribe, _LEDGER, "read_account", {"account": "A-1"}, {"type": "http_error", "code": 503, "message": "busy"}
    )
    mcp.call(scribe, _LEDGER, "read_account", {"account": "A-1"}, {"balance": 4100})
    payment = {"account": "A-1", "amount": 900}
    for amount, reason in ((9000, "900, not 9000."), (90, "It is 900 EUR, as I wrote.")):
        asked = mcp.ask_approval(scribe, _LEDGER, "transfer", payment | {"amount": amount})
        mcp.answer_approval(scribe, asked, approve=False, reason=reason)
    asked = mcp.ask_approval(scribe, _LEDGER, "transfer", payment)
    mcp.answer_approval(scribe, asked, approve=True, reason="Now it is right.")
    mcp.call(scribe, _LEDGER, "transfer", payment, {"ok": True}, approval_request_id=asked["id"])
    messages.assistant(scribe, "The invoice is paid.")
    messages.user(scribe, "And the paper, 40 EUR.")
    mcp.ask_approval(scribe, _LEDGER, "transfer", {"account": "A-1", "amount": 40})
    messages.user(scribe, "Never mind the paper. Close the old account instead.")
    closing = {"account": "A-0"}
    asked = mcp.ask_approval(scribe, _LEDGER, "close_account", closing)
    mcp.call(scribe, _LEDGER, "close_account", closing, "not yet", approval_request_id=asked["id"])
    asked = mcp.ask_approval(scribe, _LEDGER, "close_account", closing)
    mcp.answer_approval(scribe, asked, approve=False, reason="Not before the year ends.")
    mcp.call(scribe, _LEDGER, "close_account", closing, "closed", approval_request_id=asked["id"])
    mcp.call_failed(
        scribe,
        _LEDGER,
        "reopen_account",
        closing,
        {"type": "mcp_protocol_error", "code": -32601, "message": "Tool not found: reopen_account"},
    )
    refusal = [{"type": "text", "text": "The operator denied this request."}]
    mcp.call_failed(scribe, _LEDGER, "transfer", payment, {"type": "mcp_tool_execution_error", "content": refusal})
    messages.assistant(scribe, "The old account is closed, and I cannot open it again.")


def run_commands(scribe: Scribe) -> None:
    """Writes commands that fail, hang, say too much, or are never run, and the same again when something is mended."""
    messages.user(scribe, "Build it, and tell me what is slow.")
    build = "cd /srv/app && CFLAGS='-O2 -g' make -k | tee build.log"
    shells.shell(scribe, [build], [(2, "", "make: *** No rule to make target 'lib'")])
    shells.patch(scribe, shells.create_file("lib.mk", "+lib:\n+\tcc -c lib.c\n"))
    shells.shell(scribe, [build], [(2, "", "lib.c:3: error: expected ';'")])
    shells.patch(scribe, shells.update_file("lib.c", "@@\n-int n\n+int n;\n"))
    shells.shell(scribe, [build], [(0, "lib built", "")])
    shells.shell(scribe, ["bash -lc 'source env.sh && pytest -q'"], [(0, _CUT, "")])
    shells.shell(scribe, ["find / -name '*.c'"], [(0, "/srv/app/lib.c\n" * 8, "")], limit=120)
    shells.shell(scribe, ["sudo -u app perf record ./run", "perf report"], [(None, "", "")])
    shells.shell(scribe, ["perf report --stdio", "uptime"], [(1, "", "cannot open perf.data"), (0, "up 3 days", "")])
    shells.shell(scribe, ["for n in 1 2; do ./run $n; done"], [(0, "1.2 s\n", ""), (0, "1.1 s\n", "")])
    scribe.emit("shell_call", status="completed", action={"commands": ["rm -rf build"]}, call_id=scribe.call_id())
    messages.user(scribe, "Leave the build directory where it is.")
    report = {"output": "lib.c\nrun.c\n", "metadata": {"exit_code": 0, "duration_seconds": 0.1}}
    shells.local_shell(scribe, ["bash", "-lc", "cd src && git ls-files"], to_json(report))
    shells.local_shell(scribe, ["/usr/bin/grep", "-c", "TODO", "run.c"], to_json({"exit_code": 1, "output": "0"}))
    shells.local_shell(scribe, ["cat", "build.log"], "cc -c lib.c\n[output truncated: 2210 lines]")
    messages.assistant(scribe, "The build works; most of the time goes into run.c.")


def patch_again(scribe: Scribe) -> None:
    """Writes patches that do not apply and are sent again, files patched twice, and a patch that nobody applies."""
    messages.user(scribe, "Round all totals, and drop the old exporter.")
    total = "@@ def total():\n-    return sum(items)\n+    known = filter(None, items)\n+    return round(sum(known))\n"
    shells.patch(scribe, shells.update_file("src/total.py", total), "Invalid context at line 12", status="failed")
    builtin.reasoning(scribe)
    shells.patch(scribe, shells.update_file("src/total.py", f"@@ class Order:\n{total}"), "Done")
    shells.patch(scribe, shells.update_file("src/total.py", "@@\n-    return round(sum(known))\n+    return money\n"))
    shells.patch(scribe, shells.create_file("src/money.py", "+import decimal\n+\n+money = decimal.Decimal(0)\n"))
    shells.patch(scribe, shells.delete_file("src/exporter.py"), "No such file", status="failed")
    shells.patch(scribe, shells.delete_file("src/export/exporter.py"))
    messages.assistant(scribe, "Totals are rounded, the old exporter is gone.")
    messages.user(scribe, "Please undo the second change.")
    change = shells.update_file("src/total.py", "@@\n-    return money\n+    return round(sum(known))\n")
    scribe.emit("apply_patch_call", status="completed", call_id=scribe.call_id(), operation=change)
    messages.assistant(scribe, "The change is ready for you to apply.")
