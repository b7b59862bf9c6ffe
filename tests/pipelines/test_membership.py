"""Who is pulled: due at once when touched, no longer when unregistered, and nothing left when forgotten."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.emulator import Store
from pipelines.ingest.clock import utc_now
from pipelines.ingest.errors import SelectionError, SourceError, WarehouseError
from pipelines.ingest.forgetting import forget
from pipelines.ingest.membership import Registered
from pipelines.ingest.places import Places, places
from pipelines.ingest.publishing import LEAST_DISTANCE, is_long_ago
from pipelines.ingest.registry import Candidates, candidates, from_file, from_sql
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import SyncResult

Pull = Callable[..., SyncResult]
Register = Callable[..., int]
Rows = Callable[..., list[tuple[object, ...]]]


def message(text: str, **more: object) -> dict[str, object]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **more}


def take_in(where: Places, found: Candidates, *, again: bool = False) -> Registered:
    with Warehouse.open(where.warehouse) as warehouse:
        return warehouse.register(found, again=again)


def test_a_touched_conversation_is_due_at_once(where: Places, store: Store, register: Register, pull: Pull) -> None:
    one, other = (store.create_conversation([message("a")]).id for _ in range(2))
    register(one, other)
    pull()
    assert pull(only_due=True).report.conversations_asked == 0
    take_in(where, candidates("app", [one]).touched())
    assert pull(only_due=True).report.conversations_asked == 1
    assert pull(only_due=True).report.conversations_asked == 0


def test_a_time_before_the_last_poll_touches_nothing(where: Places, store: Store, pull: Pull) -> None:
    one = store.create_conversation([message("a")]).id
    take_in(where, candidates("app", [one]))
    pull()
    earlier, later = utc_now() - timedelta(hours=1), utc_now() + timedelta(seconds=1)
    take_in(where, candidates("app", [one], {one: earlier}))
    assert pull(only_due=True).report.conversations_asked == 0
    take_in(where, candidates("app", [one], {one: later}))
    assert pull(only_due=True).report.conversations_asked == 1


@pytest.mark.parametrize("written", ["2026-11-01T12:00:00+02:00", "2026-11-01 10:00:00", "1793527200", "1793527200.0"])
def test_a_source_may_say_when_a_conversation_was_touched(written: str, tmp_path: Path) -> None:
    file = tmp_path / "ids.csv"
    file.write_text(f"id,touched_at\nconv_1,{written}\nconv_2,\n")
    assert from_file(file).touched_at == {"conv_1": datetime(2026, 11, 1, 10)}


def test_touched_at_may_be_a_timestamp_with_a_zone_and_the_latest_counts() -> None:
    found = from_sql(
        "select 'conv_1' as id, unnest(['2026-11-01 12:00:00+02'::timestamptz, '2026-11-01 09:00:00+00']) as touched_at"
    )
    assert found.touched_at == {"conv_1": datetime(2026, 11, 1, 10)}


def test_a_touched_at_that_is_no_time_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "ids.csv"
    file.write_text("id,touched_at\nconv_1,yesterday\n")
    with pytest.raises(SourceError, match=r"ids\.csv: touched_at .* ISO 8601"):
        from_file(file)


def test_an_unregistered_conversation_keeps_its_items_and_is_asked_no_more(
    where: Places, store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    one, other = (store.create_conversation([message("a")]).id for _ in range(2))
    register(one, other)
    pull()
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.unregister([one])
        with pytest.raises(SelectionError, match="conv_other"):
            warehouse.unregister([other, "conv_other"])
    assert take_in(where, candidates("app", [one, other])) == Registered(known=1, left_out=1)
    for options in ({}, {"only_due": True}, {"include_inactive": True}, {"reconcile": True}):
        assert pull(**options).report.conversations_asked <= 1
    with pytest.raises(SelectionError, match=one):
        pull(chosen=(one,))
    assert rows("select count(*) from items.message") == [(2,)]
    assert take_in(where, candidates("app", [one]), again=True) == Registered(known=1)
    assert pull(only_due=True).report.conversations_asked == 1


def bytes_of(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_a_forgotten_conversation_leaves_no_byte_behind_and_stays_forgotten(
    where: Places, store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    picture = {"type": "input_image", "image_url": "data:image/png;base64," + "QUFB" * 400, "detail": "auto"}
    own = {"type": "input_image", "image_url": "data:image/png;base64," + "QkJC" * 400, "detail": "auto"}
    told = {"type": "input_text", "text": "zebra crossing"}
    one = store.create_conversation([message("", content=[told, picture, own])], {"topic": "zebra"}).id
    other = store.create_conversation([message("", content=[picture]), message("stays")]).id
    item = {"type": "message", "role": "wizard", "status": "completed", "content": [told]}
    store.put_items(one, [item | {"id": "msg_drift"}])
    register(one, other)
    pull(cut_from_bytes=1000)
    assert rows("select count(distinct sha256) from raw.blobs") == [(2,)]
    assert rows("select example_conversation_id from ops.drift") == [(one,)]
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.con.execute("update ops.runs set error = ? || ' failed'", [f"conversations/{one}"])
    assert one.encode() in bytes_of(where.warehouse.parent)
    assert forget(where, [one, one]) == (1, 2)
    left = bytes_of(where.warehouse.parent)
    for trace in (one, "zebra", "QkJC" * 20, "msg_drift"):
        assert trace.encode() not in left, trace
    assert rows("select conversation_id, count(*) from raw.items group by all") == [(other, 2)]
    assert rows("select count(*) from raw.blobs") == [(1,)]
    assert len([path for path in where.warehouse.with_name("warehouse.duckdb.blobs").rglob("*") if path.is_file()]) == 1
    assert rows("select text from items.message where text <> ''") == [("stays",)]
    assert rows("select error from ops.runs") == [("conversations/(forgotten) failed",)]
    assert rows("select erased_at is not null from ops.forgotten") == [(True,)]
    assert rows("select table_name from duckdb_tables() where comment is null") == []
    assert take_in(where, candidates("app", [one, other])) == Registered(known=1, left_out=1)
    assert pull(include_inactive=True).report.conversations_asked == 1
    assert take_in(where, candidates("app", [one]), again=True) == Registered(new=1)
    assert pull().report.items_new == 2


def test_one_that_was_never_registered_can_be_forgotten_beforehand(where: Places, register: Register) -> None:
    register("conv_1")
    assert forget(where, ["conv_2"]) == (0, 0)
    assert register("conv_2") == 0


def test_what_a_killed_forget_left_undone_is_done_when_the_warehouse_is_next_opened(
    where: Places, store: Store, register: Register, pull: Pull, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = store.create_conversation([message("zebra crossing")]).id
    register(one)
    pull()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("pipelines.ingest.warehouse.write_anew", killed)
        forget(where, [one])
    assert b"zebra" in where.warehouse.read_bytes()
    with Warehouse.open(where.warehouse):
        pass
    assert b"zebra" not in where.warehouse.read_bytes()


def test_scheduled_runs_publish_at_most_every_five_minutes_and_nothing_is_left_unpublished(
    where: Places, store: Store, register: Register, pull: Pull, rows: Rows
) -> None:
    one = store.create_conversation([message("a")]).id
    register(one)
    assert pull(only_due=True).is_published
    store.create_items(one, [message("b")])
    take_in(where, candidates("app", [one]).touched())
    result = pull(only_due=True)
    assert (result.report.items_new, result.is_published) == (1, False)
    assert rows("select count(*) from items.message") == [(1,)]
    assert pull().is_published
    assert rows("select count(*) from items.message") == [(2,)]
    assert rows("select count(*) from ops.runs where publish_ms is not null") == [(1,)]


def test_a_copy_that_takes_long_is_made_less_often() -> None:
    written = datetime(2026, 11, 1)
    assert not is_long_ago(written, 1, written + LEAST_DISTANCE - timedelta(seconds=1))
    assert is_long_ago(written, 1, written + LEAST_DISTANCE)
    assert not is_long_ago(written, 60, written + timedelta(minutes=19))
    assert is_long_ago(written, 60, written + timedelta(minutes=20))
    assert is_long_ago(written, 60, written - timedelta(minutes=1))  # a clock that was set back


def test_the_snapshot_is_never_the_warehouse_itself(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="--serving"):
        places(tmp_path / "a.duckdb", tmp_path / "x" / ".." / "a.duckdb")


def test_a_missing_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.db"):
        from_sql("select 1", tmp_path / "nowhere.db")
