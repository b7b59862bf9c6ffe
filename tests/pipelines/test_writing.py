"""Batches and transactions: what is committed together, and what is left when a run breaks off."""

from collections.abc import Callable

import duckdb
import pytest

from connectors.emulator import Store
from models.conform import Conformed
from pipelines.ingest.errors import WarehouseError
from pipelines.ingest.landing import Landing
from pipelines.ingest.places import Places
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import SyncResult
from tests.pipelines.test_sync import Pull, Register, Rows, conversation

CONVERSATIONS, MESSAGES = 4, 7


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is a conversation, and one asks after the other."""
    monkeypatch.setattr("pipelines.ingest.writing.BATCH_ITEMS", MESSAGES)


@pytest.fixture
def registered(store: Store, register: Register) -> None:
    """Conversations of the same length."""
    register(*(conversation(store, *(f"message {n}" for n in range(MESSAGES))) for _ in range(CONVERSATIONS)))


def _stored(where: Places) -> tuple[int, int, int]:
    """Items, their typed rows, and items according to the conversations' cursors."""
    with duckdb.connect(where.warehouse, read_only=True) as con:
        (found,) = con.execute(
            "select (select count(*) from raw.items), (select count(*) from items.message), "
            "(select sum(next_position)::int from raw.conversations)"
        ).fetchall()
    return found


def _failing_at(call: int, work: Callable[..., object]) -> Callable[..., object]:
    calls = 0

    def fail(*given: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call:
            raise RuntimeError
        return work(*given, **named)

    return fail


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("commit_items", [1, MESSAGES, 2 * MESSAGES, 1_000])
def test_however_many_batches_a_transaction_has_everything_arrives(
    commit_items: int, pull: Pull, where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.ingest.writing.COMMIT_ITEMS", commit_items)
    assert pull().report.items_new == CONVERSATIONS * MESSAGES
    assert _stored(where) == (CONVERSATIONS * MESSAGES,) * 3


@pytest.mark.usefixtures("registered")
def test_what_was_written_before_a_run_breaks_off_is_committed(
    pull: Pull, where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Landing, "land", _failing_at(3, Landing.land))
    with pytest.raises(WarehouseError, match="what was committed before is kept"):
        pull()
    assert _stored(where) == (2 * MESSAGES,) * 3


@pytest.mark.usefixtures("registered")
def test_of_a_transaction_in_which_writing_fails_nothing_is_kept(
    pull: Pull, where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batches after it are not written either: their cursors would leave out what is missing."""
    with monkeypatch.context() as patched:
        patched.setattr(Warehouse, "_write_rows", _failing_at(2, Warehouse._write_rows))
        with pytest.raises(WarehouseError):
            pull()
    assert _stored(where) == (0, 0, 0)
    assert pull().report.items_new == CONVERSATIONS * MESSAGES


def test_an_item_that_duckdb_refuses_is_drift_and_harms_no_other(
    land: Callable[..., SyncResult], rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What conforms is readable; should it not be, the statement must not fail."""
    monkeypatch.setattr(
        "pipelines.ingest.typed.conform",
        lambda _, raw: Conformed(b"no JSON" if b"msg_2" in raw else raw, frozenset()),
    )
    land(*(b'{"id":"msg_%d","type":"message","role":"user","status":"completed","content":[]}' % n for n in range(4)))
    assert rows("select item_id, role from items.message order by position") == [
        ("msg_0", "user"),
        ("msg_1", "user"),
        ("msg_2", None),
        ("msg_3", "user"),
    ]
    assert rows("select kind, seen, example_item_id from ops.drift") == [("unreadable", "refused by DuckDB", "msg_2")]
