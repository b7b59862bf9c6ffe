"""What must hold of the tables: each check passes on what a sync makes, and finds what is broken."""

from collections.abc import Callable

import dagster as dg
import duckdb
import pytest

from connectors.emulator import Store, running_emulator
from connectors.emulator.samples import sample_store
from connectors.openai_conversations import ConversationsClient
from pipelines.ingest.checking import CHECKS, Finding
from pipelines.ingest.places import Places
from pipelines.ingest.registry import candidates
from pipelines.ingest.sync import sync
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import SyncResult
from tests.pipelines.orchestrating import checks, failure, run_job

CALL = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "seen"}
MESSAGE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
PROMISES = {check.name for check in CHECKS if check.is_promise}


def look(name: str, where: Places) -> Finding:
    return next(check for check in CHECKS if check.name == name).look(where)


@pytest.fixture
def filled(where: Places, store: Store, register: Callable[..., int], pull: Callable[..., SyncResult]) -> Places:
    """A warehouse with a message, a call and its output, and its snapshot."""
    register(store.create_conversation([MESSAGE, CALL, OUTPUT]).id)
    pull()
    return where


def test_the_sample_conversations_break_no_promise(where: Places) -> None:
    store = sample_store()
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.register(candidates("test", store.conversation_ids()))
    with running_emulator(store) as base_url:
        sync(where, ConversationsClient("any", base_url=base_url))
    assert {name: look(name, where).wrong for name in PROMISES} == dict.fromkeys(PROMISES, 0)


@pytest.mark.parametrize(
    ("statement", "name", "place"),
    [
        ("insert into items.message from items.message", "keys_are_unique", "items.message"),
        ("insert into raw.conversations from raw.conversations", "keys_are_unique", "raw.conversations"),
        ("delete from items.message", "children_have_parents", "items.message__content"),
        ("delete from items.function_call", "items_are_in_their_tables", "function_call"),
        ("update items.message__content set content_index = 7", "nothing", ""),
    ],
)
def test_what_is_broken_is_found_and_named(statement: str, name: str, place: str, filled: Places) -> None:
    with duckdb.connect(filled.serving) as con:
        con.execute(statement)
    found = {check.name: check.look(filled) for check in CHECKS if check.is_promise}
    assert {one for one, finding in found.items() if finding.wrong} >= ({name} - {"nothing"})
    if name == "nothing":
        assert not any(finding.wrong for finding in found.values())
    else:
        assert (place, 1) in [tuple(row) for row in found[name].where]


def test_a_snapshot_that_is_behind_the_warehouse_is_found(filled: Places) -> None:
    assert look("snapshot_is_current", filled).wrong == 0
    with Warehouse.open(filled.warehouse) as warehouse:
        warehouse.register(candidates("test", ["conv_2"]))
    assert look("snapshot_is_current", filled).wrong == 1


def test_a_conversation_that_fails_is_found_with_the_reason(filled: Places) -> None:
    assert look("conversations_can_be_pulled", filled) == Finding(
        0, {"active": 1}, ("conversation", "what happened"), []
    )
    with duckdb.connect(filled.serving) as con:
        con.execute("update raw.conversations set status = 'failing', last_error = 'it lists nothing'")
        conversation = con.execute("select conversation_id from raw.conversations").fetchall()[0][0]
    found = look("conversations_can_be_pulled", filled)
    assert (found.wrong, found.where) == (1, [(conversation, "it lists nothing")])


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("severity", ["WARN", "ERROR"])
def test_drift_is_a_check_whose_severity_can_be_chosen(
    severity: str, instance: dg.DagsterInstance, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = store.create_conversation().id
    store.put_items(one, [{"type": "hologram_call", "id": "holo_1"}])
    monkeypatch.setenv("CONVERSATIONS_SOURCE", f"select '{one}' as id")
    monkeypatch.setenv("CONVERSATIONS_DRIFT_SEVERITY", severity)
    result = run_job(instance)
    check = checks(result)["as_declared"]
    assert (check.passed, check.severity.name, check.metadata["differences"].value) == (False, severity, 1)
    assert "hologram_call" in str(check.metadata["where"].value)
    assert result.success == (severity == "WARN")
    if severity == "ERROR":
        assert "as_declared found 1. Raw.items has all of it" in failure(result)
    assert len(checks(result)) == len(CHECKS)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("has_call", [True, False])
def test_outputs_without_their_call_are_counted_by_a_check(
    has_call: bool, instance: dg.DagsterInstance, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = store.create_conversation([*[CALL] * has_call, OUTPUT]).id
    monkeypatch.setenv("CONVERSATIONS_SOURCE", f"select '{one}' as id")
    check = checks(run_job(instance))["outputs_have_calls"]
    assert check.passed == has_call
    assert check.metadata["outputs"].value == check.metadata["conversations"].value == int(not has_call)
