"""The views on a handful of rows: given these items, these rows (see `tests/models/given.py`)."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models.analytics import VIEWS
from tests.models.by_hand import sources
from tests.models.by_hand.everything import KEYS
from tests.models.by_hand.warehouse import build
from tests.models.given import (
    ERROR,
    REASONING,
    SEEN,
    Given,
    Item,
    Row,
    answer,
    asked,
    call,
    listed,
    mcp,
    output,
    responded,
    user,
)


def test_every_type_has_a_kind_and_only_live_items_count(given: Given) -> None:
    given.conversation(
        user(),
        {"type": "reasoning", "summary": [], "deleted": True},
        call(status="in_progress"),
        {"type": "brand_new"},
        {"type": "mcp_approval_response", "approve": True, "approval_request_id": "x"},
        answer(id="msg_of_somebody"),
        {
            "type": "message",
            "role": "user",
            "content": [],
            "id": "msg_" + "6ac40132c32b8190a1b2c3d4e5f60718" + "0" * 16,
        },
    )
    assert given.rows(
        "items", "item_id, kind, role, turn_index, is_open, item_at_method, is_copied, is_time_usable", "position"
    ) == [
        (0, "message", "user", 1, False, "heuristic", False, True),
        (2, "call", None, 1, True, "heuristic", False, True),
        (3, "unknown", None, 1, False, "heuristic", False, True),
        (4, "approval", None, 1, False, "heuristic", False, True),
        (5, "message", "assistant", 1, False, "none", None, False),
        (6, "message", "user", 2, False, "heuristic", True, False),
    ]


def test_messages_tell_turns_sizes_refusals_and_citations(given: Given) -> None:
    cited = {"type": "url_citation", "start_index": 0, "end_index": 1, "title": "t", "url": "https://x.example"}
    parts = [{"type": "output_text", "text": "Größe?\n ", "annotations": [cited, {"type": "file_citation"}]}]
    given.conversation(
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
        user(
            "12345",
            content=[{"type": "input_text", "text": "12345"}, {"type": "input_image", "image_url": "https://x"}],
        ),
        answer(content=parts),
        answer("Looking?", phase="commentary"),
        answer(content=[{"type": "refusal", "refusal": "No."}]),
    )
    columns = (
        "message_index, turn_index, role, is_answer, is_asking_back, text_chars, estimated_tokens, refusal, "
        "part_count, image_count, citation_count, url_citation_count, file_citation_count"
    )
    assert given.rows("messages", columns) == [
        (1, 0, "developer", False, False, 9, 3, None, 1, 0, 0, 0, 0),
        (2, 1, "user", False, False, 5, 2, None, 2, 1, 0, 0, 0),
        (3, 1, "assistant", True, True, 8, 2, None, 1, 0, 2, 1, 1),
        (4, 1, "assistant", False, False, 8, 2, None, 1, 0, 0, 0, 0),
        (5, 1, "assistant", True, False, 0, 0, "No.", 1, 0, 0, 0, 0),
    ]


SHELL = {"type": "shell_call", "call_id": "c", "action": {"commands": ["a", "b"]}, "environment": {"type": "local"}}
PATCH = {"type": "apply_patch_call", "call_id": "c", "operation": {"type": "delete_file", "path": "x"}}
LOCAL = {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls", "-l"]}}
COMPUTER = {"type": "computer_call", "call_id": "c", "actions": [{"type": "wait"}, {"type": "screenshot"}]}
SEARCH = {"type": "tool_search_call", "call_id": None, "execution": "server", "arguments": {"q": "Ü", "n": 1}}


def ended(outcome: dict[str, Any], **more: Any) -> Item:
    return {"stdout": "12", "stderr": "345", "outcome": outcome, **more}


def shell_output(*outcomes: dict[str, Any], **more: Any) -> Item:
    return {"type": "shell_call_output", "call_id": "c", "output": [ended(one) for one in outcomes], **more}


def of(item: Item, item_type: str, **more: Any) -> Item:
    return {"type": item_type, "call_id": item["call_id"], **more}


EXIT_0, EXIT_2, TIMED_OUT = {"type": "exit", "exit_code": 0}, {"type": "exit", "exit_code": 2}, {"type": "timeout"}
IMAGE = {"type": "image_generation_call", "action": "generate", "revised_prompt": "a cat"}
BLOCKED = {"type": "user_error", "code": "moderation_blocked", "message": "No."}
CODE = {"type": "code_interpreter_call", "code": "1/0", "container_id": "c"}
HTTP_504 = {"type": "http_error", "code": 504, "message": "Gateway"}
TOOL_ERROR = {"type": "mcp_tool_execution_error", "content": [{"type": "text", "text": "the user denied it"}]}
PROGRAM = {"type": "program", "call_id": "c", "code": "x", "fingerprint": ""}
CUSTOM = {"type": "custom_tool_call", "name": "sql", "namespace": "db", "call_id": "c", "input": "select"}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([call()], ("function:f", "client", "pending", "heuristic", None, None, None)),
        ([call(status="in_progress")], ("function:f", "client", "pending", "explicit", None, None, None)),
        ([call(status="incomplete")], ("function:f", "client", "error", "explicit", "incomplete", None, None)),
        ([call(), output()], ("function:f", "client", "ok", "heuristic", None, None, None)),
        ([call(), output(text="")], ("function:f", "client", "ok", "heuristic", None, None, None)),
        ([call(), output(text=[])], ("function:f", "client", None, "none", None, None, None)),
        ([call(), output(text=ERROR)], ("function:f", "client", "error", "heuristic", "output", None, ERROR)),
        ([call(), output(status="in_progress")], ("function:f", "client", "pending", "explicit", None, None, None)),
        (
            [call(), output(status="incomplete")],
            ("function:f", "client", "error", "explicit", "incomplete", None, "42"),
        ),
        (
            [CUSTOM, of(CUSTOM, "custom_tool_call_output", output="Error: the user denied the request")],
            ("custom:db.sql", "client", "denied", "heuristic", "output", None, "Error: the user denied the request"),
        ),
        (
            [LOCAL, {"type": "local_shell_call_output", "id": "c", "output": "timed out after 9 s"}],
            ("local_shell", "client", "timeout", "heuristic", "output", None, "timed out after 9 s"),
        ),
        ([COMPUTER, of(COMPUTER, "computer_call_output")], ("computer", "client", "ok", "heuristic", None, None, None)),
        (
            [COMPUTER, of(COMPUTER, "computer_call_output", status="failed")],
            ("computer", "client", "error", "explicit", "failed", None, None),
        ),
        (
            [SEARCH, of(SEARCH, "tool_search_output", status="completed", tools=[])],
            ("tool_search", "hosted", "ok", "explicit", None, None, None),
        ),
        ([SHELL, shell_output(EXIT_0)], ("shell", "client", "ok", "explicit", None, None, None)),
        ([SHELL, shell_output(EXIT_0, EXIT_2)], ("shell", "client", "error", "explicit", "exit_code", "2", "345")),
        ([SHELL, shell_output(EXIT_2, TIMED_OUT)], ("shell", "client", "timeout", "explicit", "timeout", None, "345")),
        (
            [SHELL, shell_output(status="incomplete")],
            ("shell", "client", "error", "explicit", "incomplete", None, None),
        ),
        ([SHELL, shell_output(status="completed")], ("shell", "client", None, "none", None, None, None)),
        (
            [PATCH, of(PATCH, "apply_patch_call_output", status="failed", output="no such file")],
            ("apply_patch", "client", "error", "explicit", "failed", None, "no such file"),
        ),
        ([PATCH, of(PATCH, "apply_patch_call_output")], ("apply_patch", "client", None, "none", None, None, None)),
        (
            [PROGRAM, of(PROGRAM, "program_output", status="incomplete", result="timed out")],
            ("program", "hosted", "timeout", "heuristic", "incomplete", None, "timed out"),
        ),
        (
            [PROGRAM, of(PROGRAM, "program_output", status="incomplete", result="no")],
            ("program", "hosted", "error", "explicit", "incomplete", None, "no"),
        ),
        (
            [PROGRAM, of(PROGRAM, "program_output", result="")],
            ("program", "hosted", "ok", "heuristic", None, None, None),
        ),
        (
            [{"type": "web_search_call", "status": "failed"}],
            ("web_search", "hosted", "error", "explicit", "failed", None, None),
        ),
        ([{"type": "file_search_call", "queries": []}], ("file_search", "hosted", None, "none", None, None, None)),
        (
            [IMAGE | {"status": "failed", "error": BLOCKED}],
            ("image_generation", "hosted", "denied", "explicit", "user_error", "moderation_blocked", "No."),
        ),
        (
            [IMAGE | {"status": "generating", "result": "aGk="}],
            ("image_generation", "hosted", "ok", "explicit", None, None, None),
        ),
        (
            [IMAGE | {"status": "generating"}],
            ("image_generation", "hosted", "pending", "explicit", None, None, None),
        ),
        (
            [CODE | {"status": "completed", "outputs": [{"type": "logs", "logs": "Timeout: 9 s"}]}],
            ("code_interpreter", "hosted", "error", "heuristic", "output", None, "Timeout: 9 s"),
        ),
        ([CODE | {"status": "completed"}], ("code_interpreter", "hosted", "ok", "heuristic", None, None, None)),
        ([CODE], ("code_interpreter", "hosted", None, "none", None, None, None)),
        ([mcp(output="1")], ("mcp:s.t", "hosted", "ok", "explicit", None, None, None)),
        ([mcp(error=HTTP_504)], ("mcp:s.t", "hosted", "timeout", "explicit", "http_error", "504", "Gateway")),
        (
            [mcp(error=TOOL_ERROR)],
            ("mcp:s.t", "hosted", "denied", "heuristic", "mcp_tool_execution_error", None, "the user denied it"),
        ),
        ([mcp(error="no")], ("mcp:s.t", "hosted", "error", "explicit", "text", None, "no")),
        ([mcp(status="calling")], ("mcp:s.t", "hosted", "pending", "explicit", None, None, None)),
        ([mcp(status=None, name="")], ("mcp:s.(none)", "hosted", None, "none", None, None, None)),
    ],
)
def test_each_family_tells_tool_place_and_outcome(given: Given, items: Sequence[Item], expected: Row) -> None:
    given.conversation(user(), *items)
    columns = "tool, execution, outcome, outcome_method, error_type, error_code, error_message"
    assert given.calls(columns) == [expected]
    assert given.calls("is_failed, is_decided") == [
        (expected[2] in {"error", "timeout"}, expected[2] in {"ok", "error", "timeout"})
    ]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([call(arguments='{"a":"é"}')], (None, '{"a":"é"}', True, None, None)),
        ([call(arguments="{")], (None, "{", False, None, None)),
        ([call(), output(text="äö")], (None, "{}", True, 2, 0)),
        (
            [
                call(),
                output(text=[{"type": "input_text", "text": "ab"}, {"type": "input_image", "image_url": "data:,x"}]),
            ],
            (None, "{}", True, 2, 7),
        ),
        ([SHELL, shell_output(EXIT_0, EXIT_0)], (None, "a\nb", None, 10, None)),
        ([PATCH], ("delete_file", "delete_file\nx\n", None, None, None)),
        ([LOCAL], (None, "ls\n-l", None, None, None)),
        ([COMPUTER], ("several", None, None, None, None)),
        ([SEARCH], (None, '{"q":"Ü","n":1}', None, None, None)),
        ([IMAGE | {"result": "aGk="}], ("generate", "a cat", None, None, 4)),
        ([CODE | {"outputs": [{"type": "image", "url": "https://x"}]}], (None, "1/0", None, 0, 0)),
        ([{"type": "file_search_call", "queries": []}], (None, "", None, None, None)),
        (
            [{"type": "file_search_call", "queries": ["a", "b"], "results": [{"text": "xyz"}, {"text": None}]}],
            (None, "a\nb", None, 3, None),
        ),
        (
            [{"type": "web_search_call", "action": {"type": "search", "queries": ["a", "b"]}}],
            ("search", "a\nb", None, None, None),
        ),
        (
            [{"type": "web_search_call", "action": {"type": "find_in_page", "url": None, "pattern": "p"}}],
            ("find_in_page", "\np", None, None, None),
        ),
    ],
)
def test_what_went_in_and_what_came_back(given: Given, items: Sequence[Item], expected: Row) -> None:
    given.conversation(user(), *items)
    action, arguments, is_json, chars, payload_bytes = expected
    told = "action, argument_chars, arguments_hash, is_json_arguments, output_chars, output_payload_bytes"
    ((digest,),) = given.con.execute("select sha256(?::varchar)", [arguments]).fetchall()
    length = None if arguments is None else len(str(arguments))
    assert given.calls(told) == [(action, length, digest, is_json, chars, payload_bytes)]


LOCAL_OUTPUT = {"type": "local_shell_call_output", "output": "x"}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        # by call_id: the last call before the output; further outputs count; one that comes first belongs to none
        ([call(), call("g"), output("g"), output("f")], [(4, "explicit", 1), (3, "explicit", 1)]),
        ([call(), call(), output()], [(None, "none", 0), (3, "explicit", 1)]),
        ([call(), output(), output()], [(2, "explicit", 2)]),
        ([output(), call()], [(None, "none", 0)]),
        ([call(), of(CUSTOM, "custom_tool_call_output", call_id="f", output="x")], [(None, "none", 0)]),
        # by place: the n-th output of a block belongs to its n-th call, only within a turn
        ([SEARCH, of(SEARCH, "tool_search_output")], [(2, "heuristic", 1)]),
        (
            [LOCAL, LOCAL, LOCAL_OUTPUT, LOCAL_OUTPUT, LOCAL, LOCAL_OUTPUT, LOCAL_OUTPUT],
            [(3, "heuristic", 1), (4, "heuristic", 1), (6, "heuristic", 1)],
        ),
        ([LOCAL, LOCAL_OUTPUT | {"id": "c"}], [(2, "explicit", 1)]),
        (
            [LOCAL | {"call_id": "d"}, LOCAL, LOCAL_OUTPUT | {"id": "c"}, LOCAL_OUTPUT],
            [(4, "heuristic", 1), (3, "explicit", 1)],
        ),
        ([LOCAL, user(), LOCAL_OUTPUT], [(None, "none", 0)]),
        ([call(call_id=" "), output("")], [(None, "none", 0)]),
        # in the call itself
        ([mcp(), IMAGE], [(1, "explicit", 1), (2, "explicit", 1)]),
    ],
)
def test_outputs_are_joined_to_their_calls(given: Given, items: Sequence[Item], expected: list[Row]) -> None:
    given.conversation(user(), *items)
    assert given.calls("output_item_id, output_method, output_count") == expected


def test_outputs_are_never_joined_across_conversations(given: Given) -> None:
    given.conversation(call())
    given.conversation(call("g"), output())
    assert given.calls("output_item_id") == [(None,), (None,)]
    assert given.rows("conversation_summary", "output_without_call_count", "conversation_id") in (
        [(0,), (1,)],
        [(1,), (0,)],
    )


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([call(), output(at=3.5)], (2500.0, "explicit")),
        ([call(), output(at=0)], (None, "none")),
        ([call(), output(id="fco_other")], (None, "none")),
        ([SEARCH, of(SEARCH, "tool_search_output", at=2)], (1000.0, "heuristic")),
        ([mcp(), answer(at=3)], (2000.0, "heuristic")),
        ([mcp(), REASONING], (1000.0, "heuristic")),
        ([mcp(), user()], (None, "none")),
        ([{"type": "mcp_approval_request", "server_label": "s", "name": "t"}, answer()], (None, "none")),
        ([mcp(), output()], (None, "none")),
    ],
)
def test_latency_is_to_the_output_or_to_what_the_model_did_next(
    given: Given, items: Sequence[Item], expected: Row
) -> None:
    given.conversation(user(), *items)
    ((found, method),) = given.calls("latency_ms, latency_method")
    assert (found if found is None else round(float(str(found))), method) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([asked()], [(False, "awaiting", "pending", "explicit", None, None, "none")]),
        ([asked(), responded(None)], [(False, "awaiting", "pending", "explicit", None, None, "none")]),
        ([asked(), responded(True)], [(False, "approved", "pending", "explicit", None, None, "none")]),
        (
            [asked(), responded(True), responded(False, reason="Too dear.")],
            [(False, "denied", "denied", "explicit", "approval", "Too dear.", "none")],
        ),
        (
            [asked(), responded(True), mcp(approval_request_id="mcpr_1")],
            [(True, "approved", "ok", "explicit", None, None, "explicit")],
        ),
        ([asked(), mcp(approval_request_id="mcpr_1")], [(True, "approved", "ok", "explicit", None, None, "explicit")]),
        ([mcp()], [(True, None, "ok", "explicit", None, None, "explicit")]),
    ],
)
def test_calls_that_somebody_was_asked_about(given: Given, items: Sequence[Item], expected: list[Row]) -> None:
    given.conversation(user(), *items)
    columns = "is_made, approval, outcome, outcome_method, error_type, error_message, output_method"
    assert given.calls(columns) == expected


def test_turns_steps_and_calls_are_counted(given: Given) -> None:
    """Calls that follow one another directly were made at once; anything between them, or a hosted tool, is a step."""
    given.conversation(
        call(),
        user(),
        call("g"),
        call("h"),
        output("g"),
        call("i"),
        mcp(),
        mcp(),
        user(),
        call("j"),
    )
    assert given.calls("item_id, turn_index, step_index, step_call_count, call_index, is_abandoned") == [
        (0, 0, 1, 1, 1, True),
        (2, 1, 1, 2, 1, False),
        (3, 1, 1, 2, 2, True),
        (5, 1, 2, 1, 3, True),
        (6, 1, 3, 1, 4, False),
        (7, 1, 4, 1, 5, False),
        (9, 2, 1, 1, 1, False),
    ]


FAILED = [call(arguments='{"a":1}'), output(text=ERROR)]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([*FAILED, *FAILED], (1, "explicit")),
        ([*FAILED, call(arguments='{"a":2}')], (1, "heuristic")),
        ([*FAILED, call("g", arguments='{"a":1}')], (None, "none")),
        ([*FAILED, user(), call("g"), output("g"), *FAILED], (None, "none")),
        ([call(arguments='{"a":1}'), output(), *FAILED], (None, "none")),
        ([call(arguments="1"), call(arguments="1", call_id="g"), output(text=ERROR)], (None, "none")),
        ([*FAILED, call(), output(), call(arguments='{"a":1}')], (1, "explicit")),
        ([*FAILED, call(), output(), call(arguments='{"a":3}')], (None, "none")),
        ([SHELL, shell_output(EXIT_2), SHELL | {"action": {"commands": ["c"]}}], (None, "none")),
        ([SHELL, shell_output(EXIT_2), SHELL], (1, "explicit")),
        (
            [PATCH, of(PATCH, "apply_patch_call_output", status="failed"), PATCH | {"operation": {"path": "x"}}],
            (1, "heuristic"),
        ),
        (
            [PATCH, of(PATCH, "apply_patch_call_output", status="failed"), PATCH | {"operation": {"path": "y"}}],
            (None, "none"),
        ),
        ([mcp(error="no"), asked(), mcp(approval_request_id="mcpr_1")], (1, "explicit")),
        ([mcp(error="no"), asked()], (None, "none")),
    ],
)
def test_a_failed_call_that_is_repeated_is_a_retry(given: Given, items: Sequence[Item], expected: Row) -> None:
    given.conversation(user(), *items)
    assert given.calls("retry_of, retry_method")[-1] == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([user(), answer()], ("answered", "explicit", 1)),
        ([user(), answer("Which one? ")], ("awaiting_user", "heuristic", 1)),
        ([user(), answer("Which one? "), answer()], ("answered", "explicit", 2)),
        ([user(), answer(status="incomplete")], ("incomplete", "explicit", 1)),
        ([user(), answer(status="in_progress")], ("open_call", "explicit", 1)),
        ([user()], ("incomplete", "heuristic", None)),
        ([user(), answer("On it.", phase="commentary")], ("incomplete", "heuristic", None)),
        ([user(), answer(), call(), output()], ("incomplete", "heuristic", 1)),
        ([user(), answer(), call()], ("open_call", "heuristic", 1)),
        ([user(), call(status="in_progress")], ("open_call", "explicit", None)),
        ([user(), call(), answer()], ("answered", "explicit", 2)),
        ([user(), *FAILED], ("error", "heuristic", None)),
        ([user(), mcp(status="failed")], ("error", "explicit", None)),
        ([user(), *FAILED, call("g"), output("g", [])], ("incomplete", "heuristic", None)),
        ([user(), asked()], ("awaiting_approval", "explicit", None)),
        ([user(), asked(), responded(False)], ("error", "explicit", None)),
        ([user(), asked(), answer()], ("answered", "explicit", 2)),
    ],
)
def test_turns_tell_how_they_ended(given: Given, items: Sequence[Item], expected: Row) -> None:
    given.conversation(*items)
    assert given.rows("turns", "ended_state, ended_state_method, answer_item_id") == [expected]
    assert given.rows("conversation_summary", "ended_state, ended_state_method") == [expected[:2]]


def test_a_turn_goes_from_a_user_message_to_the_next(given: Given) -> None:
    given.conversation(
        REASONING,
        user("abc"),
        REASONING,
        *FAILED,
        call(arguments='{"a":1}'),
        output(),
        answer("Done", at=20),
        user("x", at=30),
        user("y", id="msg_other"),
        answer(at=40, content=[{"type": "refusal", "refusal": "No."}]),
    )
    figures = (
        "turn_index, user_item_id, answer_item_id, is_last, first_reaction_ms::int, answer_ms::int, duration_ms::int, "
        "item_count, timed_item_count, user_text_chars, answer_text_chars, step_count, call_count, tools, "
        "ok_call_count, failed_call_count, explicit_call_count, retry_count, is_refused, ended_state"
    )
    assert given.rows("turns", figures) == [
        (1, 1, 7, False, 1000, 19000, 19000, 7, 7, 3, 4, 2, 2, ["function:f"], 1, 1, 0, 1, False, "answered"),
        (2, 8, None, False, None, None, 0, 1, 1, 1, 0, 0, 0, [], 0, 0, 0, 0, False, "incomplete"),
        (3, 9, 10, True, None, None, None, 2, 1, 1, 0, 0, 0, [], 0, 0, 0, 0, True, "answered"),
    ]


def test_the_last_turn_is_that_of_its_conversation_and_no_time_goes_backwards(given: Given) -> None:
    given.conversation(user(at=9), REASONING | {"at": 5}, answer(at=3), user(at=10))
    given.conversation(user(), answer())
    columns = "turn_index, is_last, first_reaction_ms::int, answer_ms::int, duration_ms::int"
    assert given.rows("turns", columns) == [
        (1, False, None, None, None),
        (1, True, 1000, 1000, 1000),
        (2, True, None, None, 0),
    ]


def test_a_conversation_is_summed_up_with_or_without_turns_and_items(given: Given) -> None:
    given.conversation()
    given.conversation(call("g"), output("g"), answer())
    given.conversation(
        user("abc"),
        *FAILED,
        mcp(),
        {"type": "brand_new"},
        answer(at=9),
        {"type": "compaction", "encrypted_content": "", "deleted": True},
        user("d", at=100),
        answer("ok", at=101),
        output("nobody", at=102),
    )
    columns = (
        "conversation_id, ended_state, ended_state_method, span_ms::int, active_ms::int, active_turn_count, "
        "item_count, deleted_item_count, unknown_item_count, user_message_count, user_text_chars, turn_count, "
        "turn_step_count, autonomy, max_turn_steps, call_count, tool_count, decided_call_count, error_rate, "
        "explicit_decided_count, output_without_call_count"
    )
    assert given.rows("conversation_summary", columns, "item_count") == [
        ("conversation 1", None, "none", None, None, 0, 0, 0, 0, 0, 0, 0, 0, None, None, 0, 0, 0, None, 0, 0),
        ("conversation 2", "answered", "explicit", 2000, None, 0, 3, 0, 0, 0, 0, 0, 0, None, None, 1, 1, 1, 0, 0, 0),
        (
            *("conversation 3", "answered", "explicit", 102000, 11000, 2, 9, 1, 1, 2, 4, 2, 2),
            *(1.0, 2, 2, 2, 2, 0.5, 1, 1),
        ),
    ]


def test_days_are_those_of_utc_and_calls_without_a_time_have_a_row(given: Given) -> None:
    """The second call is begun after midnight; the third has an ID that tells no time."""
    given.con.execute("set TimeZone = 'Pacific/Auckland'")
    given.conversation(user(), call(at=5), output(at=6), call(at=12), output(text=ERROR, at=16), call(id="fc_x"))
    columns = (
        "day, tool, call_count, ok_count, failed_count, decided_count, error_rate, latency_p50_ms::int, is_few_calls"
    )
    assert given.rows("tool_daily", columns) == [
        (date(2026, 10, 1), "function:f", 1, 1, 0, 1, 0.0, 1000, True),
        (date(2026, 10, 2), "function:f", 1, 0, 1, 1, 1.0, 4000, True),
        (None, "function:f", 1, 0, 0, 0, None, None, True),
    ]


def test_a_rate_has_wilsons_bounds_and_percentiles_interpolate(given: Given) -> None:
    for n in range(20):
        given.conversation(user(at=0), call(at=1), output(text=ERROR if n < 5 else "ok", at=2 + n))
    columns = (
        "error_rate, round(error_rate_low, 4), round(error_rate_high, 4), explicit_share, is_few_calls, "
        "latency_p50_ms::int, latency_p95_ms::int, latency_p99_ms::int, is_few_latencies, conversation_count"
    )
    assert given.rows("tool_daily", columns, "day limit 1") == [
        (0.25, 0.1119, 0.4687, 0.0, False, 10500, 19050, 19810, False, 20)
    ]


def test_the_inventory_tells_versions_and_which_calls_they_were_in_force_for(given: Given) -> None:
    one: Item = {"name": "t", "description": "One.", "input_schema": {}, "annotations": None}
    inner = {"type": "function", "name": "find", "description": "Finds."}
    space = {"type": "namespace", "name": "b", "description": "", "tools": [inner, {"type": "mcp"}, 7]}
    given.conversation(
        user(),
        mcp(),
        listed(one),
        mcp(),
        mcp(),
        listed(one | {"description": "Two."}, one | {"name": "u"}),
        mcp(),
        {
            "type": "additional_tools",
            "role": "developer",
            "tools": [space, {"type": "web_search_preview"}, {"type": "mcp"}],
        },
        call("find", namespace="b"),
        call("other"),
    )
    given.conversation(listed(one))
    columns = (
        "tool, version_index, version_count, is_latest, is_changed, is_unused, is_undefined, definition_count, "
        "defining_conversation_count, sources, call_count, tool_call_count, description"
    )
    assert given.rows("tool_inventory", columns) == [
        ("function:b.find", 1, 1, True, False, False, False, 1, 1, ["additional_tools"], 1, 1, "Finds."),
        ("function:other", None, 0, False, False, False, True, 0, 0, [], 1, 1, None),
        ("mcp:s.t", 1, 2, False, True, False, False, 2, 2, ["mcp_list_tools"], 2, 4, "One."),
        ("mcp:s.t", 2, 2, True, True, False, False, 1, 1, ["mcp_list_tools"], 1, 4, "Two."),
        ("mcp:s.t", None, 2, False, True, False, True, 0, 0, [], 1, 4, None),
        ("mcp:s.u", 1, 1, True, False, True, False, 1, 1, ["mcp_list_tools"], 0, 0, "One."),
        ("web_search", 1, 1, True, False, True, False, 1, 1, ["additional_tools"], 0, 0, None),
    ]
    definition = "select definition from analytics.tool_inventory where tool = 'function:b.find'"
    assert given.con.execute(definition).fetchall() == [('{"type":"function","name":"find","description":"Finds."}',)]


def test_transitions_begin_with_start_and_end_with_end(given: Given) -> None:
    given.conversation(mcp(), user(), *FAILED, mcp(), mcp(), user(), answer(), user(), call())
    columns = "from_tool, to_tool, transition_count, from_count, probability, failed_count, is_few_transitions"
    assert given.rows("tool_transitions", columns) == [
        ("START", "END", 1, 4, 0.25, 0, True),
        ("START", "function:f", 2, 4, 0.5, 0, True),
        ("START", "mcp:s.t", 1, 4, 0.25, 0, True),
        ("function:f", "END", 1, 2, 0.5, 0, True),
        ("function:f", "mcp:s.t", 1, 2, 0.5, 1, True),
        ("mcp:s.t", "END", 2, 3, 2 / 3, 0, True),
        ("mcp:s.t", "mcp:s.t", 1, 3, 1 / 3, 0, True),
    ]


def test_trajectories_make_one_of_runs(given: Given) -> None:
    given.conversation(
        user(), mcp(), mcp(), call(), output(), answer(),
        user(), mcp(), mcp(), mcp(), *FAILED,
        user(), mcp(),
        user(),
    )  # fmt: skip
    columns = (
        "path, run_count, turn_count, all_turn_count, turn_share, call_count, call_count_p50, failed_call_count, "
        "answered_rate, error_count, incomplete_count, example_turn_index"
    )
    assert given.rows("trajectories", columns) == [
        ("(none)", 0, 1, 4, 0.25, 0, 0.0, 0, 0.0, 0, 1, 4),
        ("mcp:s.t", 1, 1, 4, 0.25, 1, 1.0, 0, 0.0, 0, 1, 3),
        ("mcp:s.t+ > function:f", 2, 2, 4, 0.5, 7, 3.5, 1, 0.5, 1, 0, 1),
    ]


def test_loops_are_calls_of_one_tool_because_the_last_failed_or_again_the_same(given: Given) -> None:
    given.conversation(
        user(), *FAILED, *FAILED, call(arguments='{"a":2}'), output(),
        user(), *FAILED, mcp(error="no"), *FAILED,
        user(), mcp(arguments="1"), mcp(arguments="1"), mcp(arguments="2"),
        user(), call(), call(),
    )  # fmt: skip
    columns = (
        "turn_index, loop_index, tool, first_item_id, last_item_id, call_count, failed_count, heuristic_outcome_count, "
        "distinct_argument_count, last_outcome, is_recovered, is_stuck, duration_ms::int"
    )
    assert given.rows("retry_loops", columns) == [
        (1, 1, "function:f", 1, 5, 3, 2, 3, 2, "ok", True, True, 4000),
        (3, 1, "mcp:s.t", 14, 15, 2, 0, 0, 1, "ok", True, False, 1000),
    ]


def test_health_is_measured_against_the_latest_time_the_warehouse_knows(given: Given) -> None:
    one = given.conversation(user(), call(status="in_progress"))
    given.conversation(user(), {"type": "brand_new", "deleted": True}, {"type": "brand_new"})
    given.con.execute(
        "update raw.conversations set tail_position = 10, next_poll_at = '2026-12-01' where conversation_id = ?", [one]
    )
    given.con.execute(
        "insert into ops.runs (run_id, started_at, finished_at, status, requests, retries, rate_limited) values "
        "('a', '2026-10-01', '2026-10-01 01:00:00', 'done', 5, 0, 5), "
        "('b', '2026-10-21', '2026-10-21 01:00:00', 'partial', 10, 2, 1), "
        "('c', '2026-10-22', null, 'stopped', null, 0, 0)"
    )
    given.con.execute(
        "insert into ops.problems (conversation_id, kind, closed_at) values (?, 'a', null), (?, 'b', '2026-10-02')",
        [one, one],
    )
    columns = (
        "as_of, last_run_id, last_run_status, last_success_at, last_success_age_ms, conversation_count, active_count, "
        "never_polled_count, due_count, open_tail_count, oldest_open_item_at, verified_share, open_problem_count, "
        "run_7d_count, stopped_run_7d_count, request_7d_count, rate_limited_share, item_count, deleted_item_count, "
        "unknown_item_count, timed_item_share"
    )
    assert given.rows("ingest_health", columns) == [
        (
            *(datetime(2026, 10, 22), "c", "stopped", datetime(2026, 10, 21, 1), 82_800_000.0, 2, 2, 2, 1, 1, SEEN),
            *(0.0, 1, 2, 1, 10, 0.1, 4, 1, 1, 1.0),
        )
    ]


def test_drift_stands_beside_what_is_there(given: Given) -> None:
    given.conversation(user(colour="red"), user(), {"type": "brand_new"}, {"type": "Somebody's"})
    assert given.rows("drift", "type, path, kind, seen, is_known_type, occurrences, live_item_count") == [
        ("(not shown)", "type", "unknown_type", "(not shown)", False, 1, 1),
        ("brand_new", "type", "unknown_type", "brand_new", False, 1, 1),
        ("message", "colour", "unknown_field", "string", True, 1, 2),
    ]


GRAINS = {
    **KEYS,
    "stretches": ("conversation_id", "turn_index"),
    "drift": ("type", "path", "kind", "seen"),
    "ingest_health": ("1",),
}


@pytest.mark.parametrize("source", [sources.sample, sources.recorded])
def test_every_view_answers_and_keeps_its_grain(source: Callable[[], sources.Lists], tmp_path: Path) -> None:
    """With the sample data, and with recordings of the real API."""
    if source is sources.recorded and not sources.CORPUS.is_file():
        pytest.skip(f"no recordings of the real API at {sources.CORPUS}; CONVERSATIONS_CORPUS names another place")
    lists = source()
    where = build(tmp_path, lists, lists)
    assert GRAINS.keys() == {view.name for view in VIEWS}
    with duckdb.connect(where.serving, read_only=True) as con:
        for view, grain in GRAINS.items():
            columns = ", ".join(grain)
            con.execute(f"create temp table answer as from analytics.{view}")
            twice = f"select {columns} from answer group by {columns} having count(*) > 1"
            assert con.execute(twice).fetchall() == [], view
            con.execute("drop table answer")
