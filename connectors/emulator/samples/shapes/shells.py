"""Writes commands run in shells, hosted and local, and patches applied to files."""

from collections.abc import Sequence
from typing import Any

from connectors.emulator.includes import Item
from connectors.emulator.samples.scribe import Scribe

Outcome = tuple[int | None, str, str]


def shell(
    scribe: Scribe,
    commands: list[str],
    outcomes: Sequence[Outcome],
    *,
    hosted: bool = False,
    limit: int | None = None,
) -> Item:
    """Writes commands and their outcomes, each an exit code (none after a timeout), stdout and stderr.

    Without a limit to the characters that are kept, some have one.
    """
    call_id = scribe.call_id()
    timeout_ms = scribe.pick([None, 30000, 120000])
    limit = scribe.pick([None, 4096]) if limit is None else limit
    environment: Item = {"type": "local"}
    if hosted:
        environment = {"type": "container_reference", "container_id": scribe.container_id()}
    call = scribe.emit(
        "shell_call",
        status="completed",
        action={"commands": commands, "max_output_length": limit, "timeout_ms": timeout_ms},
        call_id=call_id,
        environment=scribe.pick([environment, environment, None]),
        **_provenance(scribe),
    )
    scribe.wait(0.5, 20)
    timed_out = any(exit_code is None for exit_code, _, _ in outcomes)
    write = scribe.emit if hosted else scribe.send
    write(
        "shell_call_output",
        status="incomplete" if timed_out else "completed",
        call_id=call_id,
        max_output_length=limit,
        output=[_outcome(scribe, *outcome) for outcome in outcomes],
        **_provenance(scribe),
    )
    return call


def _outcome(scribe: Scribe, exit_code: int | None, stdout: str, stderr: str) -> Item:
    """How one command ended."""
    outcome: Item = {"type": "timeout"} if exit_code is None else {"type": "exit", "exit_code": exit_code}
    optional = {"created_by": "runner"} if scribe.chance(0.1) else {}
    return {**optional, "outcome": outcome, "stderr": stderr, "stdout": stdout}


def local_shell(scribe: Scribe, command: list[str], output: str, *, status: str = "completed") -> Item:
    """Writes one command of the older local shell tool, whose output is a text."""
    action: Item = {
        "type": "exec",
        "command": command,
        "env": scribe.pick([{}, {"CI": "1"}, {"LANG": "C.UTF-8", "TERM": "dumb"}]),
        **scribe.pick([{}, {"timeout_ms": 60000, "user": None, "working_directory": "/srv/app"}]),
    }
    if scribe.chance(0.2):
        action |= {"timeout_ms": None, "user": "deploy", "working_directory": None}
    call = scribe.emit("local_shell_call", status="completed", action=action, call_id=scribe.call_id())
    scribe.wait(0.2, 8)
    optional = scribe.pick(
        [{"status": status}, {"status": status}, {} if status == "completed" else {"status": status}]
    )
    scribe.send("local_shell_call_output", output=output, **optional)
    return call


def patch(scribe: Scribe, operation: Item, output: str | None = None, *, status: str = "completed") -> Item:
    """Writes a change to one file and how applying it went."""
    call_id = scribe.call_id()
    call = scribe.emit(
        "apply_patch_call", status="completed", call_id=call_id, operation=operation, **_provenance(scribe)
    )
    scribe.wait(0.1, 1)
    optional: dict[str, Any] = {} if output is None and scribe.chance(0.5) else {"output": output}
    scribe.send("apply_patch_call_output", status=status, call_id=call_id, **optional, **_provenance(scribe))
    return call


def create_file(path: str, diff: str) -> Item:
    """The operation that makes a file."""
    return {"type": "create_file", "diff": diff, "path": path}


def update_file(path: str, diff: str) -> Item:
    """The operation that changes a file."""
    return {"type": "update_file", "diff": diff, "path": path}


def delete_file(path: str) -> Item:
    """The operation that removes a file."""
    return {"type": "delete_file", "path": path}


def _provenance(scribe: Scribe) -> dict[str, Any]:
    """The rarely sent fields that tell who made an item."""
    if scribe.chance(0.9):
        return {}
    return scribe.pick([{"created_by": "user_7f3a"}, {"caller": {"type": "direct"}}, {"caller": None}])
