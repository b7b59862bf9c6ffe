"""The views of tools that act (servers, approvals, commands, patches), on a handful of rows: see `given.py`."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.models.given import (
    EXIT_0,
    EXIT_2,
    HTTP_504,
    LOCAL,
    PATCH,
    SHELL,
    TIMED_OUT,
    TOOL_ERROR,
    Given,
    Item,
    Place,
    Row,
    asked,
    ended,
    listed,
    mcp,
    of,
    responded,
    shell_output,
    user,
)


def test_servers_tell_listings_tools_and_kinds_of_errors(given: Given) -> None:
    """A refusal told by words is no failure, but an error of some kind; what names no server has a row."""
    given.conversation(
        listed() | {"error": "401 Unauthorized"},
        listed() | {"error": "502 Bad Gateway" + 300 * "."},
        listed({"name": "t"}, {"name": "u"}),
        listed({"name": "t"}) | {"error": ""},
        listed(),
        asked(),
        mcp(error="no"),
        mcp(error=HTTP_504),
        mcp("v", error=TOOL_ERROR),
        mcp(error={"type": "mcp_protocol_error", "code": 1, "message": "no"}),
        mcp(status="failed"),
        mcp(output="1"),
        mcp(status=None),
    )
    given.conversation(
        mcp("", server_label="", status="calling"),
        listed({"name": ""}, {}) | {"server_label": ""},
        listed() | {"error": "no", "deleted": True},
    )
    columns = (
        "server_label, conversation_count, listing_count, failed_listing_count, failed_listing_rate, "
        "empty_listing_count, last_listing_error = '502 Bad Gateway' || repeat('.', 185), timed_listing_count, "
        "offered_tool_count, called_tool_count, "
        "unused_tool_count, unlisted_tool_count, request_count, call_count"
    )
    assert given.rows("mcp_servers", columns) == [
        ("s", 1, 5, 2, 2 / 5, 1, True, 5, 2, 2, 1, 1, 1, 7),
        (None, 1, 1, 0, 0.0, 0, None, 1, 1, 1, 0, 0, 0, 1),
    ]
    kinds = (
        "ok_count, error_count, timeout_count, denied_count, pending_count, unknown_count, protocol_error_count, "
        "http_error_count, execution_error_count, text_error_count, other_error_count, failed_count, decided_count, "
        "error_rate, explicit_share, is_few_calls"
    )
    assert given.rows("mcp_servers", kinds, "server_label") == [
        (1, 3, 1, 1, 0, 1, 1, 1, 1, 1, 1, 4, 5, 0.8, 1.0, True),
        (0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, None, None, True),
    ]


ASKED = {"type": "mcp_approval_request", "server_label": "s", "name": "t", "arguments": "{}"}
DONE = mcp(approval_request_id=Place(1))
UNANSWERED = (None, None, 0, None)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], ("awaiting", "heuristic", *UNANSWERED, False, None, False)),
        ([user()], ("awaiting", "heuristic", *UNANSWERED, False, None, True)),
        ([responded(None, Place(1)), user()], ("awaiting", "explicit", None, 2, 1, 1000, False, None, True)),
        ([responded(True, Place(1), reason="")], ("approved", "explicit", None, 2, 1, 1000, False, None, False)),
        (
            [responded(True, Place(1)), responded(False, Place(1), reason="Too dear.", at=9), user()],
            ("denied", "explicit", "Too dear.", 3, 2, 8000, False, None, False),
        ),
        (
            [responded(True, Place(1), reason="Yes."), responded(False, Place(1), at=1)],
            ("denied", "explicit", None, 3, 2, 0, False, None, False),
        ),
        (
            [responded(True, Place(1), id="mcpa_1"), DONE | {"error": "no"}],
            ("approved", "explicit", None, 2, 1, None, True, "error", False),
        ),
        ([DONE, DONE | {"error": "no"}], ("approved", "heuristic", *UNANSWERED, True, "ok", False)),
        (
            [responded(False, Place(1)), DONE | {"status": "calling"}],
            ("denied", "explicit", None, 2, 1, 1000, True, "pending", False),
        ),
        ([responded(True, at=0, reason="Other.")], ("awaiting", "heuristic", *UNANSWERED, False, None, False)),
        ([responded(True, Place(1), at=0)], ("approved", "explicit", None, 2, 1, None, False, None, False)),
    ],
)
def test_requests_tell_decision_wait_and_call(given: Given, items: Sequence[Item], expected: Row) -> None:
    given.conversation(user(), ASKED, *items)
    columns = (
        "decision, decision_method, reason, response_item_id, response_count, wait_ms::int, is_executed, call_outcome, "
        "is_abandoned"
    )
    assert given.rows("approvals", columns) == [expected]


def test_a_request_that_names_nothing_is_one_of_no_tool(given: Given) -> None:
    given.conversation(asked(server_label="", name="", arguments="{}"))
    assert given.rows("approvals", "tool, server_label, tool_name, argument_chars") == [
        ("mcp:(none).(none)", None, None, 2)
    ]


def test_friction_is_denials_again_and_again_or_never(given: Given) -> None:
    given.conversation(
        asked("mcpr_1"), responded(False, "mcpr_1", reason="No."),
        asked("mcpr_2"), responded(False, "mcpr_2"),
        asked("mcpr_3"), responded(True, "mcpr_3"),
        asked("mcpr_4", name="u"), mcp("u", approval_request_id="mcpr_4"),
        mcp(), mcp("u"),
        asked("mcpr_5", name="w"),
        asked("mcpr_6", name="x"), responded(False, "mcpr_6"), mcp("x", approval_request_id="mcpr_6"),
        user(),
    )  # fmt: skip
    given.conversation(asked("mcpr_7", name="x"), responded(False, "mcpr_7"))
    columns = (
        "tool_name, request_count, conversation_count, approved_count, denied_count, awaiting_count, abandoned_count, "
        "denial_rate, explicit_share, is_few_requests, repeated_denial_count, is_repeatedly_denied, "
        "is_always_approved, reason_count, last_reason, executed_count, executed_denied_count, unasked_call_count"
    )
    assert given.rows("approval_friction", columns) == [
        ("t", 3, 1, 1, 2, 0, 0, 2 / 3, 1.0, True, 1, True, False, 1, "No.", 0, 0, 1),
        ("u", 1, 1, 1, 0, 0, 0, 0.0, 0.0, True, 0, False, True, 0, None, 1, 0, 1),
        ("w", 1, 1, 0, 0, 1, 1, None, None, True, 0, False, False, 0, None, 0, 0, 0),
        ("x", 2, 2, 0, 2, 0, 0, 1.0, 1.0, True, 0, False, False, 0, None, 1, 1, 0),
    ]


def commands(*lines: str | None, **more: Any) -> Item:
    return SHELL | {"action": {"commands": list(lines), **more}}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        # one command has all results; of several each has the one at its place
        ([commands("ls"), shell_output(EXIT_0)], [("ls", "explicit", 0, "explicit", "ok", "explicit", 5)]),
        (
            [commands("ls"), shell_output(EXIT_0, EXIT_2)],
            [("ls", "explicit", 2, "explicit", "error", "explicit", 10)],
        ),
        (
            [commands("ls"), shell_output(EXIT_0, EXIT_2, {"type": "exit", "exit_code": 3})],
            [("ls", "explicit", 2, "explicit", "error", "explicit", 15)],
        ),
        (
            [commands("ls"), shell_output(EXIT_2, TIMED_OUT)],
            [("ls", "explicit", None, "none", "timeout", "explicit", 10)],
        ),
        (
            [commands("a", "b"), shell_output(EXIT_0, EXIT_2, EXIT_0)],
            [
                ("a", "heuristic", 0, "heuristic", "ok", "heuristic", 5),
                ("b", "heuristic", 2, "heuristic", "error", "heuristic", 5),
            ],
        ),
        (
            [commands("a", "b"), shell_output(TIMED_OUT)],
            [
                ("a", "heuristic", None, "none", "timeout", "heuristic", 5),
                ("b", "none", None, "none", None, "none", None),
            ],
        ),
        # where no result tells, the call does
        (
            [commands("a", "b"), shell_output(status="incomplete")],
            [(program, "none", None, "none", "error", "explicit", None) for program in "ab"],
        ),
        ([commands("a")], [("a", "none", None, "none", "pending", "heuristic", None)]),
        ([commands(None)], [(None, "none", None, "none", "pending", "heuristic", None)]),
        ([commands()], []),
        # a list of words
        (
            [LOCAL, {"type": "local_shell_call_output", "id": "c", "output": '{"exit_code":2}'}],
            [("ls", "explicit", 2, "heuristic", "error", "heuristic", 15)],
        ),
        (
            [LOCAL, {"type": "local_shell_call_output", "output": "total 0"}],
            [("ls", "heuristic", None, "none", "ok", "heuristic", 7)],
        ),
    ],
)  # fmt: skip
def test_each_command_has_its_results(given: Given, items: Sequence[Item], expected: list[Row]) -> None:
    given.conversation(user(), *items)
    columns = "program, output_method, exit_code, exit_code_method, outcome, outcome_method, output_chars"
    assert given.rows("shell_commands", columns, "command_index") == expected
    assert given.rows("shell_commands", "is_failed, is_decided", "command_index") == [
        (row[4] in {"error", "timeout"}, row[4] in {"ok", "error", "timeout"}) for row in expected
    ]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([commands("a"), shell_output(EXIT_0)], (None, False, "heuristic")),
        ([commands("a", max_output_length=5), shell_output(EXIT_0)], (5, True, "explicit")),
        ([commands("a", max_output_length=6), shell_output(EXIT_0)], (6, False, "heuristic")),
        ([commands("a", max_output_length=5), shell_output(EXIT_0, max_output_length=9)], (9, False, "heuristic")),
        ([commands("a", max_output_length=0), shell_output(EXIT_0)], (0, False, "heuristic")),
        (
            [commands("a"), of(SHELL, "shell_call_output", output=[ended(EXIT_0, stderr="[truncated]")])],
            (None, True, "heuristic"),
        ),
        ([LOCAL, {"type": "local_shell_call_output", "output": "... truncated"}], (None, True, "heuristic")),
        ([commands("a", max_output_length=5)], (5, None, "none")),
    ],
)
def test_output_is_cut_where_the_limit_or_its_words_say_so(given: Given, items: Sequence[Item], expected: Row) -> None:
    given.conversation(user(), *items)
    assert given.rows("shell_commands", "max_output_length, is_truncated, truncated_method") == [expected]


def test_commands_that_are_run_again_recover_or_do_not(given: Given) -> None:
    """Of a call with two commands, each recovers by itself; another command, or another turn, is no second try."""
    pair = commands("make", "sudo make")
    given.conversation(
        user(), pair, shell_output(EXIT_2, EXIT_2), pair, shell_output(EXIT_2, EXIT_0), pair, shell_output(EXIT_0),
        user(), commands("ls"), shell_output(EXIT_2), commands("ls -l"), shell_output(EXIT_0),
        user(), commands("ls"), shell_output(EXIT_0),
        user(), commands("x", "y"), shell_output(EXIT_2, EXIT_2), commands("x", "y"), shell_output(EXIT_2, EXIT_0),
    )  # fmt: skip
    columns = "item_id, command, retry_of, retried_by, is_recovered, stdout_chars, stderr_chars, error_message"
    assert given.rows("shell_commands", columns, "position, command_index") == [
        (1, "make", None, 3, True, 2, 3, "345"),
        (1, "sudo make", None, 3, True, 2, 3, "345"),
        (3, "make", 1, 5, True, 2, 3, "345"),
        (3, "sudo make", 1, 5, False, 2, 3, None),
        (5, "make", 3, None, False, 2, 3, None),
        (5, "sudo make", 3, None, False, None, None, None),
        (8, "ls", None, None, False, 2, 3, "345"),
        (10, "ls -l", None, None, False, 2, 3, None),
        (13, "ls", None, None, False, 2, 3, None),
        (16, "x", None, 18, False, 2, 3, "345"),
        (16, "y", None, 18, True, 2, 3, "345"),
        (18, "x", 16, None, False, 2, 3, "345"),
        (18, "y", 16, None, False, 2, 3, None),
    ]


def test_what_a_failed_command_wrote_is_cut(given: Given) -> None:
    given.conversation(SHELL, of(SHELL, "shell_call_output", output=[ended(EXIT_2, stderr="é" * 201)]))
    assert given.rows("shell_commands", "error_message", "command_index limit 1") == [("é" * 200,)]


def patch(path: str | None, diff: str | None = None, status: str | None = "completed", **more: Any) -> list[Item]:
    operation = {"type": "update_file", "path": path, "diff": diff, **more}
    call = PATCH | {"operation": {name: value for name, value in operation.items() if value is not None}}
    return [call, of(PATCH, "apply_patch_call_output", status=status, output=f"{path}?")] if status else [call]


def test_operations_tell_lines_and_whether_they_stay(given: Given) -> None:
    given.conversation(
        user(), *patch("a", "@@\n-x\n+y\n+z", "failed"), *patch("a", "@@\n+y"), *patch("b", type="delete_file"),
        *patch("a", ""), *patch("", "+1"), *patch("", "+2"),
        user(), *patch("a", "+1", None), *patch("b", "-1", "failed"),
    )  # fmt: skip
    columns = (
        "item_id, operation, path, added_line_count, removed_line_count, churn, churn_method, outcome, path_index, "
        "patched_again_by, is_patched_again, is_recovered, is_reworked, error_message, retry_of, retry_method"
    )
    assert given.rows("patch_operations", columns, "position") == [
        (1, "update_file", "a", 2, 1, 3, "explicit", "error", 1, 3, True, True, False, "a?", None, "none"),
        (3, "update_file", "a", 1, 0, 1, "explicit", "ok", 2, 7, True, False, True, None, 1, "heuristic"),
        (5, "delete_file", "b", None, None, None, "none", "ok", 1, None, False, False, False, None, None, "none"),
        (7, "update_file", "a", 0, 0, 0, "explicit", "ok", 3, None, False, False, False, None, None, "none"),
        (9, "update_file", None, 1, 0, 1, "explicit", "ok", None, None, False, False, False, None, None, "none"),
        (11, "update_file", None, 1, 0, 1, "explicit", "ok", None, None, False, False, False, None, None, "none"),
        (14, "update_file", "a", 1, 0, 1, "explicit", "pending", 1, None, False, False, False, None, None, "none"),
        (15, "update_file", "b", 0, 1, 1, "explicit", "error", 1, None, False, False, False, "b?", None, "none"),
    ]
    columns = (
        "path, operation_count, conversation_count, turn_count, update_count, delete_count, ok_count, failed_count, "
        "pending_count, error_rate, added_line_count, removed_line_count, net_line_count, churn, counted_count, "
        "patched_again_rate, recovered_count, reworked_rate"
    )
    assert given.rows("patch_paths", columns) == [
        ("a", 4, 1, 2, 4, 0, 2, 1, 1, 1 / 3, 1, 0, 1, 1, 2, 0.5, 1, 0.5),
        ("b", 2, 1, 2, 1, 1, 1, 1, 0, 0.5, None, None, None, None, 0, 0.0, 0, 0.0),
        (None, 2, 1, 1, 2, 0, 2, 0, 0, 0.0, 2, 0, 2, 2, 2, 0.0, 0, 0.0),
    ]


def test_twenty_are_not_few(given: Given) -> None:
    for n in range(20):
        given.conversation(
            asked(f"mcpr_{n}"), responded(True, f"mcpr_{n}"), mcp(approval_request_id=f"mcpr_{n}"), *patch("a")
        )
    given.conversation(mcp("u", server_label="u"), asked(name="u"), responded(True), *patch("u"))
    assert given.rows("mcp_servers", "server_label, is_few_calls") == [("s", False), ("u", True)]
    assert given.rows("approval_friction", "tool_name, is_few_requests") == [("t", False), ("u", True)]
    assert given.rows("patch_paths", "path, is_few_operations") == [("a", False), ("u", True)]
