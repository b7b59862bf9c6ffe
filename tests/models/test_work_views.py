"""The views of the model's own work and of how far people get with it, on a handful of rows: see `given.py`."""

from datetime import UTC, date, datetime
from typing import Any

from tests.models.given import BEGIN, REASONING, Given, Item, answer, call, listed, mcp, output, user

RAISED = "Traceback (most recent call last):\n  File 'x'\nKeyError: 'a'"


def run(code: str | None = "import re", logs: str | None = None, container_id: str = "c", **more: Any) -> Item:
    outputs = None if logs is None else [{"type": "logs", "logs": logs}]
    told = {"code": code, "container_id": container_id, "status": "completed", "outputs": outputs}
    return {"type": "code_interpreter_call", **told, **more}


def citing(*files: str, container_id: str = "c") -> Item:
    cited = {"type": "container_file_citation", "container_id": container_id, "start_index": 0, "end_index": 1}
    notes = [{**cited, "file_id": file, "filename": file} for file in files]
    return answer(content=[{"type": "output_text", "text": "Here.", "annotations": notes}])


def effort(word: str | None) -> Item:
    return {"type": "configuration_update", "reasoning": {"effort": word}}


def thought(*summaries: str, **more: Any) -> Item:
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": one} for one in summaries], **more}


def drawn(**more: Any) -> Item:
    return {"type": "image_generation_call", "status": "completed", "result": "iVBOR", **more}


def clicked(*checks: dict[str, Any], **more: Any) -> Item:
    action = {"type": "click", "x": 1, "y": 2, "button": "left"}
    return {"type": "computer_call", "call_id": "k", "action": action, "pending_safety_checks": list(checks), **more}


def shown(*checks: dict[str, Any]) -> Item:
    screen = {"type": "computer_screenshot", "image_url": "data:image/png;base64,AA"}
    return {"type": "computer_call_output", "call_id": "k", "output": screen, "acknowledged_safety_checks": checks}


BLOCKED = {"type": "user_error", "code": "moderation_blocked", "message": "No."}
FAILED = (call(), output(text="Error: no"))


def test_a_run_repeats_one_with_the_same_code_or_the_failed_one_before_it(given: Given) -> None:
    given.conversation(
        user(), run("a", RAISED), run("a", RAISED), run("b", "1\n2"), run("c", "x"),
        user(), run("a", "1", status="failed"), run(None), run(None),
    )  # fmt: skip
    columns = "item_id, attempt_index, error_class, rerun_of, rerun_of_method, is_retry, is_failed, is_mended"
    assert given.rows("code_interpreter_runs", columns, "position") == [
        (1, 1, "KeyError", None, "none", False, True, True),
        (2, 2, "KeyError", 1, "explicit", True, True, True),
        (3, 3, None, 2, "heuristic", True, False, False),
        (4, 4, None, None, "none", False, False, False),
        (6, 1, None, 2, "explicit", True, True, True),
        (7, 2, None, 6, "heuristic", True, False, False),
        (8, 3, None, None, "none", False, False, False),
    ]


def test_an_exception_behind_long_logs_is_an_error(given: Given) -> None:
    """The first 1,000 characters, which are read for words of failure, do not tell."""
    given.conversation(run(logs="row\n" * 1000 + RAISED), run(logs="row\n" * 1000))
    assert given.rows("code_interpreter_runs", "outcome, outcome_method, error_class", "position") == [
        ("error", "heuristic", "KeyError"),
        ("ok", "heuristic", None),
    ]


def test_a_run_tells_its_code_its_outputs_and_the_files_that_are_cited_before_the_next(given: Given) -> None:
    given.conversation(
        run("import re\nprint(1)\n", "12", outputs=[{"type": "logs", "logs": "12"}, {"type": "image", "url": "data:"}]),
        citing("f", "g", "f"), run("", container_id="d"), citing("g", "h"), citing("i", container_id="d"),
        run(None), citing("i"),
    )  # fmt: skip
    given.con.execute("update raw.items set include_set = 'code_interpreter_call.outputs' where position = 0")
    columns = (
        "item_id, code_chars, code_line_count, imports, imports_method, is_output_asked, log_count, log_chars, "
        "image_count, image_bytes, cited_file_count"
    )
    assert given.rows("code_interpreter_runs", columns, "position") == [
        (0, 19, 3, ["re"], "heuristic", True, 1, 2, 1, 5, 3),
        (2, 0, 0, [], "heuristic", False, 0, 0, 0, 0, 1),
        (5, None, None, None, "none", False, 0, 0, 0, 0, 1),
    ]


def test_the_effort_in_force_is_the_last_one_said_before_the_model_began(given: Given) -> None:
    given.conversation(
        user(), answer(), effort("low"),
        user(), effort("high"), REASONING, effort(None), answer(),
        user(), call(), effort("low"), output(), answer(), effort("max"),
        user(), effort("none"),
    )  # fmt: skip
    columns = "turn_index, effort, effort_method, effort_item_id, is_effort_changed, is_effort_mixed"
    assert given.rows("reasoning_effort", columns, "turn_index") == [
        (1, None, "none", None, False, False),
        (2, "high", "explicit", 4, True, False),
        (3, "high", "explicit", 4, False, True),
        (4, "none", "explicit", 15, True, False),
    ]


def test_a_thought_lasts_until_what_the_model_does_next(given: Given) -> None:
    written = {"content": [{"type": "reasoning_text", "text": "Hm."}], "encrypted_content": "gAAAA"}
    given.conversation(
        user(), thought("One.", "Two."), REASONING, call(at=5), output(at=6), thought(at=7, **written), answer(at=10),
        user(), thought("?"), effort("low"), answer(),
        user(), REASONING,
    )  # fmt: skip
    columns = (
        "reasoning_count, summarised_count, readable_count, encrypted_count, silent_count, orphan_count, "
        "summary_count, summary_chars, content_chars, gap_count, reasoning_ms::int, longest_gap_ms::int, "
        "reasoning_ms_method, round(time_share, 2), item_share::decimal(4, 3)::varchar"
    )
    assert given.rows("reasoning_effort", columns, "turn_index") == [
        (3, 1, 1, 1, 1, 0, 2, 8, 3, 3, 7000, 3000, "heuristic", 0.7, "0.429"),
        (1, 1, 0, 0, 0, 0, 1, 1, 0, 0, None, None, "none", None, "0.250"),
        (1, 0, 0, 0, 1, 1, 0, 0, 0, 0, None, None, "none", None, "0.500"),
    ]


def test_what_fills_the_context_is_told_by_window_and_source(given: Given) -> None:
    given.conversation(
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
        user("12345", content=[{"type": "input_text", "text": "12345"}, {"type": "input_image", "image_url": "data:"}]),
        thought("One.", "Two."), call(arguments='{"a":1}'), output(text="same"),
        call("g", arguments='{"a":1}'), output("g", "same"), call("g", arguments='{"a":1}'), output("g", "other"),
        {"type": "compaction", "encrypted_content": "x"},
        call(), output(text="same"), mcp(output="same"), answer(""),
    )  # fmt: skip
    columns = (
        "window_index, is_current, source, piece_count, chars, estimated_tokens, window_chars, textless_count, "
        "attachment_count, attachment_bytes, duplicate_count, duplicate_chars, largest_item_id"
    )
    assert given.rows("context_pressure", columns, "window_index, source") == [
        (0, False, "arguments", 3, 21, 6, 56, 0, 0, 0, 1, 7, 3),
        (0, False, "instructions", 1, 9, 3, 56, 0, 0, 0, 0, 0, 0),
        (0, False, "output", 3, 13, 4, 56, 0, 0, 0, 1, 4, 8),
        (0, False, "reasoning", 1, 8, 2, 56, 0, 0, 0, 0, 0, 2),
        (0, False, "user", 1, 5, 2, 56, 0, 1, 5, 0, 0, 1),
        (1, True, "arguments", 2, 4, 1, 12, 0, 0, 0, 0, 0, 10),
        (1, True, "assistant", 1, 0, 0, 12, 1, 0, 0, 0, 0, None),
        (1, True, "compaction", 1, 0, 0, 12, 1, 0, 0, 0, 0, None),
        (1, True, "output", 2, 8, 2, 12, 0, 0, 0, 1, 4, 11),
    ]


def test_each_item_is_a_piece_and_a_call_that_carries_its_output_two(given: Given) -> None:
    given.conversation(
        run("ab", "c"), run("ab"), drawn(), mcp(error="no"), clicked(), shown(),
        {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}},
        listed({"name": "t", "description": None, "input_schema": {"a": [1]}}),
        {"type": "brand_new"}, effort("low"), {"type": "message", "role": "critic", "content": []},
        {"type": "mcp_approval_request", "server_label": "s", "name": "t", "arguments": "{}"},
    )  # fmt: skip
    columns = "source, piece_count, chars, attachment_count, attachment_bytes, textless_count, duplicate_count"
    assert given.rows("context_pressure", columns) == [
        ("approval", 1, 2, 0, 0, 0, 0),
        ("arguments", 6, 7, 0, 0, 2, 1),
        ("configuration", 1, 0, 0, 0, 1, 0),
        ("definitions", 1, 10, 0, 0, 0, 0),
        ("other_role", 1, 0, 0, 0, 1, 0),
        ("output", 4, 3, 2, 29, 2, 0),
        ("unknown", 1, 0, 0, 0, 1, 0),
    ]


def test_events_tell_what_was_said_no_to_and_what_followed(given: Given) -> None:
    refused = answer(content=[{"type": "refusal", "refusal": "x" * 300}])
    given.conversation(
        user(), refused,
        user(), drawn(result=None, error=BLOCKED), drawn(), drawn(error={"moderation_details": {"categories": ["a"]}}),
        answer("Wait.", phase="commentary"), answer(),
        user(), refused,
    )  # fmt: skip
    columns = "item_id, turn_index, kind, role, tool, code, categories, length(message)"
    assert given.rows("safety_events", columns, "position") == [
        (1, 1, "refusal", "assistant", None, None, None, 200),
        (3, 2, "moderation", None, "image_generation", "moderation_blocked", None, 3),
        (5, 2, "moderation", None, "image_generation", None, ["a"], None),
        (9, 3, "refusal", "assistant", None, None, None, 200),
    ]
    columns = "item_id, followed_by, next_item_id, is_user_back, is_answered_later, ended_state, acknowledged_method"
    assert given.rows("safety_events", columns, "position") == [
        (1, "user", 2, True, True, "answered", "none"),
        (3, "same_tool", 4, True, True, "answered", "none"),
        (5, "commentary", 6, True, True, "answered", "none"),
        (9, "nothing", None, False, False, "answered", "none"),
    ]


def test_a_safety_check_is_acknowledged_by_its_id_or_without_one_by_its_code(given: Given) -> None:
    one, other, nameless = {"id": "1", "code": "a"}, {"id": "2", "code": "a"}, {"id": None, "code": "a"}
    given.conversation(user(), clicked(one, other, nameless), shown(one), clicked(one, call_id="m"), call())
    columns = "item_id, event_index, is_acknowledged, acknowledged_method, followed_by, ended_state"
    assert given.rows("safety_events", columns) == [
        (1, 1, True, "explicit", "same_tool", "open_call"),
        (1, 2, False, "explicit", "same_tool", "open_call"),
        (1, 3, True, "heuristic", "same_tool", "open_call"),
        (3, 1, False, "explicit", "other_tool", "open_call"),
    ]


def test_conversations_are_counted_by_how_far_they_got(given: Given) -> None:
    asked = [
        given.conversation(user(), answer(), user(), answer()),
        given.conversation(user(), *FAILED, answer()),
        given.conversation(user(), answer(), user(), mcp(), *FAILED),
        given.conversation(user(), mcp(status="failed")),
        given.conversation(user(), mcp(status="failed"), user()),
        given.conversation(),
    ]
    for conversation_id, metadata in zip(asked, ['{"a":"x","b":null}', '{"a":"x"}', '{"a":1}', "{}"], strict=False):
        given.con.execute(
            "update raw.conversations set metadata = ?, created_at = '2026-10-03' where conversation_id = ?",
            [metadata, conversation_id],
        )
    columns = (
        "day, metadata_key, metadata_value, conversation_count, explicit_day_count, with_turn_count, two_turn_count, "
        "used_tool_count, decided_tool_count, tool_ok_count, answered_count, followed_up_count, failed_count, "
        "abandoned_count, heuristic_abandoned_count, abandoned_share"
    )
    assert given.rows("engagement_funnel", columns, "1, 2 nulls first, 3") == [
        (date(2026, 10, 1), None, None, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0.0),
        (date(2026, 10, 3), None, None, 4, 4, 4, 2, 3, 3, 1, 3, 2, 3, 2, 1, 2 / 3),
        (date(2026, 10, 3), "a", "1", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.0),
        (date(2026, 10, 3), "a", "x", 2, 2, 2, 1, 1, 1, 0, 2, 1, 1, 0, 0, 0.0),
        (date(2026, 10, 3), "b", None, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, None),
        (None, None, None, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, None),
    ]


def test_every_hour_of_the_week_has_a_row_and_turns_of_unknown_time_one_more(given: Given) -> None:
    given.conversation(user(), *FAILED, answer(), user(at=20), mcp())
    given.conversation(user(id="msg_of_somebody"), begin=datetime(2026, 10, 5, tzinfo=UTC))
    given.conversation(user(), begin=datetime(2026, 10, 8, 23, 1, tzinfo=UTC))
    columns = (
        "hour_of_week, weekday, hour, day_count, turn_count, conversation_count, answered_count, "
        "heuristic_ended_count, call_count, failed_call_count, decided_call_count, error_rate, answer_count, "
        "answer_p50_ms::int"
    )
    found = given.rows("hour_of_week", columns, "hour_of_week nulls last")
    assert len(found) == 169
    assert [row for row in found if row[4]] == [
        (95, 4, 23, 2, 2, 2, 1, 1, 1, 1, 1, 1.0, 1, 3000),
        (96, 5, 0, 1, 1, 1, 0, 1, 1, 0, 1, 0.0, 0, None),
        (None, None, None, 0, 1, 1, 0, 1, 0, 0, 0, None, 0, None),
    ]
    assert found[167][:6] == (167, 7, 23, 0, 0, 0)
    assert BEGIN.hour == 23
