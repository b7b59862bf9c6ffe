"""What a sync would do, said without doing it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.emulator import Store
from pipelines.ingest.clock import utc_now
from pipelines.ingest.errors import SelectionError
from pipelines.ingest.places import Places
from pipelines.ingest.planning import is_going_on, plan
from pipelines.ingest.sync import SyncOptions, _only_run
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import SyncResult

MESSAGE = {"type": "message", "role": "user", "content": "hello"}
Pull = Callable[..., SyncResult]
Register = Callable[..., int]


def planned(where: Places, **options: object) -> tuple[str, ...]:
    return plan(where, SyncOptions(**options)).conversations  # type: ignore[arg-type]  # forwarded by name


@pytest.mark.parametrize("options", [{"only_due": True}, {}, {"include_inactive": True}, {"chosen": ("conv_unknown",)}])
def test_as_many_are_asked_as_were_planned(
    options: dict[str, object], where: Places, store: Store, register: Register, pull: Pull
) -> None:
    register(store.create_conversation([MESSAGE]).id, "conv_unknown")
    pull()
    register(store.create_conversation([MESSAGE]).id)
    expected = planned(where, **options)
    assert len(expected) == {"only_due": 1, "include_inactive": 3, "chosen": 1}.get(next(iter(options), ""), 2)
    assert pull(**options).report.conversations_asked == len(expected)


def test_a_plan_changes_no_byte_and_needs_no_snapshot(where: Places, register: Register) -> None:
    register("conv_1")
    before = where.warehouse.read_bytes()
    assert planned(where) == ("conv_1",)
    assert where.warehouse.read_bytes() == before
    assert not where.serving.exists()


def test_a_plan_reads_what_a_killed_run_left_in_the_log(where: Places, register: Register, tmp_path: Path) -> None:
    register("conv_1")
    copy = Places(tmp_path / "killed" / "warehouse.duckdb", tmp_path / "killed" / "serving.duckdb")
    copy.warehouse.parent.mkdir()
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.con.execute("update raw.conversations set next_poll_at = ?", [utc_now() + timedelta(days=1)])
        for name in ("warehouse.duckdb", "warehouse.duckdb.wal"):
            (copy.warehouse.parent / name).write_bytes((tmp_path / name).read_bytes())
    assert planned(copy, only_due=True) == ()
    assert planned(copy) == ("conv_1",)


def test_new_conversations_of_the_source_come_first_and_forgotten_ones_never(
    where: Places, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("conv_1", "conv_gone")
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.forget(["conv_gone"])
    monkeypatch.setenv("CONVERSATIONS_SOURCE", "from (values ('conv_2'), ('conv_gone'), ('conv_1')) as t(id)")
    found = plan(where, SyncOptions())
    assert (found.conversations, found.new, found.never_asked) == (("conv_2", "conv_1"), ("conv_2",), 2)
    assert planned(where, chosen=("conv_2",)) == ("conv_2",)
    assert planned(where, chosen=("conv_1",)) == ("conv_1",)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_chosen_conversation_that_nobody_named_is_refused(
    is_there: bool, where: Places, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERSATIONS_SOURCE", "select 'conv_2' as id")
    if is_there:
        register("conv_1")
    with pytest.raises(SelectionError, match="conv_3"):
        planned(where, chosen=("conv_2", "conv_3"))


def test_whether_a_sync_is_going_on_is_told_by_its_lock(where: Places) -> None:
    assert not is_going_on(where)
    with _only_run(where):
        assert is_going_on(where)
    assert not is_going_on(where)
