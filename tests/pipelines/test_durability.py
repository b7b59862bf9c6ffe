"""Nothing lost, nothing twice: whatever kills a process, whoever reads or waits, and however full the disk is."""

import os
import random
import sqlite3
import stat
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from models.items import ITEM_TYPES
from pipelines.ingest.database import is_awaited
from pipelines.ingest.originals import Originals, read_original
from pipelines.ingest.report import read_run_file
from tests.pipelines import killing
from tests.pipelines.comparing import contents, differences
from tests.pipelines.killing import FORGOTTEN, JOBS, Gate, Kill, Process, Step

Base = Callable[[str | None], Path]

KILLS = int(os.environ.get("CONVERSATIONS_KILLS", "24"))
SHARES = {"create": 3, "first": 9, "later": 9, "reconcile": 7, "rebuild": 3, "forget": 5, "publish": 2, "migrate": 2}
GRAVE = {"commit", "checkpoint", "close", "copy from", "copy_file_range", "fsync", "replace", "unlink", "detach"}
"""The steps that change files."""


@pytest.fixture(autouse=True)
def _sizes_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a job made small in this process is as large as before for other tests."""
    for module, name in killing.MADE_SMALL:
        monkeypatch.setattr(module, name, getattr(module, name))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """The directory of a warehouse as a job leaves it that nobody disturbed; it is not to be changed."""
    made = tmp_path_factory.mktemp("undisturbed")

    def after(job: str | None) -> Path:
        directory = made / (job or "none")
        if job is None:
            directory.mkdir(exist_ok=True)
        elif not directory.exists():
            killing.copy(after(JOBS[job].after), directory)
            killing.steps_of(job, directory)
        return directory

    return after


def originals(directory: Path) -> dict[tuple[str, str], bytes]:
    """Every item's bytes, put together from the warehouse and the files beside it, which are all there and whole."""
    where = killing.files(directory)
    kept = Originals(where.warehouse)
    with duckdb.connect(where.warehouse, read_only=True) as con:
        for (digest,) in con.execute("select distinct sha256 from raw.blobs").fetchall():
            assert sha256((kept.directory / digest[:2] / digest).read_bytes()).hexdigest() == digest
        keys = con.execute("select conversation_id, item_id from raw.items").fetchall()
        return {key: read_original(con, kept, *key) for key in keys}


def assert_same(directory: Path, undisturbed: Path) -> None:
    """The warehouse and the snapshot in a directory are those of a job that nobody disturbed."""
    where, expected = killing.files(directory), killing.files(undisturbed)
    assert differences(contents(where.warehouse), contents(expected.warehouse)) == {}
    assert originals(directory) == originals(undisturbed)
    assert differences(contents(where.serving), contents(expected.serving)) == {}
    left = {str(path.relative_to(directory)) for path in directory.rglob("*") if {".new", ".wal"} & set(path.suffixes)}
    assert {name for name in left if ".blobs" not in name} == set()


def assert_whole(warehouse: Path) -> None:
    """Whatever is committed belongs together: an item's rows, and how far its conversation was pulled."""
    with duckdb.connect(warehouse, read_only=True) as con:
        live = "select conversation_id, item_id, type, position from raw.items where deleted_at is null"
        live += f" and type in {tuple(ITEM_TYPES)}"
        typed = " union all ".join(
            f"select conversation_id, item_id, '{name}', position from items.{name}" for name in ITEM_TYPES
        )
        assert con.execute(f"({live} except all ({typed})) union all (({typed}) except all {live})").fetchall() == []
        assert (
            con.execute(
                "select conversation_id from raw.conversations as c where cursor_item_id is not null and not exists "
                "(from raw.items as i where i.conversation_id = c.conversation_id and i.item_id = c.cursor_item_id) "
                "union all select c.conversation_id from raw.conversations as c join raw.items as i "
                "on i.conversation_id = c.conversation_id where i.position >= c.next_position"
            ).fetchall()
            == []
        )


def chosen(steps: list[Step], chance: random.Random) -> Kill:
    """A kill: at a step of some kind, or where the time went."""
    names = sorted({step.name for step in steps})
    name = chance.choice([one for one in names if one in GRAVE] if chance.random() < 0.6 else names)
    number = chance.choice([n for n, step in enumerate(steps) if step.name == name])
    when = chance.choices(["before", "during", "after"], [1, 6, 1])[0]
    longest = chance.choice([steps[number].seconds, steps[number].seconds, 0.02])
    return Kill(number + 1, when, chance.uniform(0, longest))


@pytest.mark.parametrize("job", SHARES)
def test_whenever_it_is_killed_doing_it_again_gives_what_one_undisturbed_run_gives(
    job: str, base: Base, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    began, undisturbed = base(JOBS[job].after), base(job)
    steps = killing.steps_of(job, killing.copy(began, tmp_path / "dry"))
    snapshots = (killing.files(one).serving for one in (began, undisturbed))
    served = [contents(snapshot) for snapshot in snapshots if snapshot.exists()]
    inside: Counter[str] = Counter()
    killed = 0
    for n in range(max(1, round(KILLS * SHARES[job] / sum(SHARES.values())))):
        chance = random.Random(f"{job} {n}")
        directory = killing.copy(began, tmp_path / "killed")
        where = killing.files(directory)
        kills = [chosen(steps, chance) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
        for kill in kills:
            ended = killing.do(job, directory, kill)
            assert ended.error == "", (n, kills)
            killed += ended.is_killed
            inside[steps[kill.step - 1].name] += ended.is_inside
            if where.warehouse.exists() and job != "migrate":
                assert_whole(where.warehouse)
            if where.serving.exists():
                assert contents(where.serving) in served, (n, kills)
        assert killing.do(job, directory).error == "", (n, kills)
        try:
            assert_same(directory, undisturbed)
        except Exception as error:
            error.add_note(f"{job} {n}: {kills}")
            raise
    assert killed
    record_property(f"killed while it did {job!r}: {killed} times, inside", dict(inside.most_common()))


def test_a_conversation_that_was_pulled_again_after_a_kill_knows_when_it_grew(base: Base, tmp_path: Path) -> None:
    """What grew lately is asked often: `last_grown_at` is never before the last of its items was first seen."""
    directory = killing.copy(base("create"), tmp_path / "killed")
    steps = killing.steps_of("first", killing.copy(base("create"), tmp_path / "dry"))
    second_commit = [n for n, step in enumerate(steps, 1) if step.name == "commit"][2]
    assert killing.do("first", directory, Kill(second_commit, "after")).is_killed
    assert killing.do("first", directory).error == ""
    with duckdb.connect(killing.files(directory).warehouse, read_only=True) as con:
        assert (
            con.execute(
                "select c.conversation_id, c.last_grown_at, max(i.first_seen_at) from raw.conversations as c "
                "join raw.items as i on i.conversation_id = c.conversation_id group by all "
                "having c.last_grown_at is null or c.last_grown_at < max(i.first_seen_at)"
            ).fetchall()
            == []
        )


WORDS = (b"words of pictures", b"conv_pictures", b"words of shared", b"conv_shared", b"B" * 300, b"D" * 300)


def holding(directory: Path) -> dict[bytes, list[str]]:
    """The files in which these words can be read, by word."""
    read = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    found = {word: [str(path.relative_to(directory)) for path, text in read.items() if word in text] for word in WORDS}
    return {word: names for word, names in found.items() if names}


@pytest.mark.parametrize("finish", ["forget", "register"])
def test_whenever_forgetting_is_killed_nothing_is_left_once_it_is_finished(
    finish: str, base: Base, tmp_path: Path
) -> None:
    """By the command itself, or by the next one that opens the warehouse; the snapshot follows when it is published."""
    began = base("later")
    assert set(holding(began)) >= {b"words of pictures", b"conv_pictures", b"words of shared", b"D" * 300}
    steps = killing.steps_of("forget", killing.copy(began, tmp_path / "dry"))
    committed = next(n for n, step in enumerate(steps, 1) if step.name == "commit")
    for n in range(max(1, KILLS // 6)):
        chance = random.Random(f"{finish} {n}")
        directory = killing.copy(began, tmp_path / "killed")
        grave = [number for number, step in enumerate(steps, 1) if step.name in GRAVE and number > committed]
        number = chance.choice(grave)
        kill = Kill(number, chance.choice(["before", "during", "after"]), chance.uniform(0, steps[number - 1].seconds))
        killing.do("forget", directory, kill)
        assert killing.do(finish, directory).error == ""
        if finish != "forget":
            assert killing.do("publish", directory).error == ""
        assert holding(directory) == {}, kill
        assert not set(FORGOTTEN) & {key[0] for key in originals(directory)}


def files_of(directory: Path) -> dict[str, bytes]:
    """Every file but the note of the last run."""
    paths = (path for path in directory.rglob("*") if path.is_file() and not path.name.endswith(".run.json"))
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


def test_a_run_that_finds_nothing_new_changes_no_row_and_no_snapshot(base: Base, tmp_path: Path) -> None:
    directory = killing.copy(base("later"), tmp_path / "again")
    where = killing.files(directory)
    served, before = where.serving.stat(), contents(where.warehouse)
    assert killing.do("later", directory).error == ""
    assert contents(where.warehouse) == before
    after = where.serving.stat()
    assert (after.st_ino, after.st_mtime_ns) == (served.st_ino, served.st_mtime_ns)
    versions = []
    for one in (base("later"), directory):
        with duckdb.connect(killing.files(one).warehouse, read_only=True) as con:
            versions += con.execute("select data_version from ops.warehouse").fetchall()
    assert versions[0] == versions[1]


def test_readers_see_whole_runs_only_and_hold_up_nobody(tmp_path: Path) -> None:
    directory = tmp_path / "read"
    killing.register(directory, "conv_one", "conv_two", "conv_three")
    killing.pull_so_many(directory, 1)
    serving = killing.files(directory).serving
    with duckdb.connect(serving, read_only=True) as held:
        looker = killing.Looker(directory)
        for turns in range(2, 8):
            assert Process(killing.pull_so_many, directory, turns).end() == ""
        looks, seen = looker.end()
        assert held.execute("select count(*) from items.message").fetchall() == [(6,)]
    assert looks >= len(seen) > 1
    for counted in seen:
        assert len({number for _, *numbers in counted for number in numbers}) == 1, counted


def test_a_second_run_waits_and_then_says_which_process_is_at_it(base: Base, tmp_path: Path) -> None:
    directory = killing.copy(base("create"), tmp_path / "two")
    gate = Gate("conv_popped/items")
    first = Process(killing.pull_once, directory, gate)
    assert gate.has_come.wait(30)
    said = Process(killing.pull_once, directory, wait_seconds=0.1).end()
    gate.is_open.set()
    assert said.startswith("WarehouseError")
    assert f"another run is going on (process {first.pid}," in said
    assert first.end() == ""
    assert_same(directory, base("first"))


def test_two_runs_that_begin_at_once_both_end_well(base: Base, tmp_path: Path) -> None:
    directory = killing.copy(base("create"), tmp_path / "two")
    both = [Process(killing.pull_once, directory) for _ in range(2)]
    assert [one.end() for one in both] == ["", ""]
    assert_same(directory, base("first"))


def meanwhile(directory: Path, what: Callable[..., None], *given: object) -> None:
    """Have something done with the warehouse while a long run is in the middle of pulling `conv_popped`."""
    gate = Gate("conv_popped/items?after=")
    run = Process(killing.pull_once, directory, gate, alone_seconds=0.0)
    assert gate.has_come.wait(30)
    while int(str((read_run_file(killing.files(directory).run_file) or {"items_new": 0})["items_new"])) < 30:
        time.sleep(0.01)  # the first page of it is stored then
    other = Process(what, directory, *given)
    while not is_awaited(killing.files(directory).warehouse):
        time.sleep(0.01)
    gate.is_open.set()
    assert (other.end(), run.end()) == ("", "")


def popped(directory: Path) -> list[tuple[object, ...]]:
    """What the warehouse says of `conv_popped`: its status and how many items it has."""
    with duckdb.connect(killing.files(directory).warehouse, read_only=True) as con:
        return con.execute(
            "select status, (select count(*) from items.message where conversation_id = 'conv_popped') "
            "from raw.conversations where conversation_id = 'conv_popped'"
        ).fetchall()


def test_a_long_run_lets_a_conversation_be_registered(base: Base, tmp_path: Path) -> None:
    directory = killing.copy(base("create"), tmp_path / "long")
    meanwhile(directory, killing.register, "conv_new")
    with duckdb.connect(killing.files(directory).warehouse, read_only=True) as con:
        assert con.execute(
            "select status, last_polled_at from raw.conversations where conversation_id = 'conv_new'"
        ).fetchall() == [("active", None)]
    assert popped(directory) == [("active", 6)]
    assert originals(directory) == originals(base("first"))


def test_what_is_forgotten_during_a_long_run_stays_so(base: Base, tmp_path: Path) -> None:
    directory = killing.copy(base("create"), tmp_path / "long")
    meanwhile(directory, killing.forget_some, "conv_popped")
    assert popped(directory) == []
    expected = {key for key in originals(base("first")) if key[0] != "conv_popped"}
    assert set(originals(directory)) == expected
    places = (path for path in directory.rglob("*") if path.is_file())
    assert [path.name for path in places if b"words of popped" in path.read_bytes()] == []


def test_what_is_unregistered_during_a_long_run_stays_so(base: Base, tmp_path: Path) -> None:
    directory = killing.copy(base("create"), tmp_path / "long")
    meanwhile(directory, killing.unregister, "conv_popped")
    ((status, _),) = popped(directory)
    assert status == "unregistered"
    expected = {key for key in originals(base("first")) if key[0] != "conv_popped"}
    assert {key for key in originals(directory) if key[0] != "conv_popped"} == expected


def test_what_is_forgotten_and_taken_in_again_during_a_long_run_is_pulled_whole(base: Base, tmp_path: Path) -> None:
    directory = killing.copy(base("create"), tmp_path / "long")
    meanwhile(directory, killing.forget_and_register_again, "conv_popped")
    killing.pull_once(directory)
    assert popped(directory) == [("active", 6)]


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """The umask that most systems have."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_whatever_a_run_makes_is_its_owners_only(tmp_path: Path) -> None:
    directory = tmp_path / "made" / "anew"
    assert Process(killing.register, directory, *killing.IDS).end() == ""
    gate = Gate("conv_vanishing/items")
    run = Process(killing.pull_once, directory, gate)
    assert gate.has_come.wait(30)
    during = modes(directory)
    gate.is_open.set()
    assert run.end() == ""
    after = modes(directory)
    assert {"warehouse.duckdb.wal", "warehouse.duckdb.run.lock", "warehouse.duckdb.door"} <= set(during)
    assert {"warehouse.duckdb", "serving.duckdb", "warehouse.duckdb.blobs", "warehouse.duckdb.run.json"} <= set(after)
    assert {name: oct(mode) for name, mode in [*during.items(), *after.items()] if mode & 0o077} == {}


def modes(directory: Path) -> dict[str, int]:
    """The permissions of a directory and all that is in it."""
    paths = [directory, *directory.rglob("*")]
    return {str(path.relative_to(directory)): stat.S_IMODE(path.stat().st_mode) for path in paths}


@pytest.mark.usefixtures("usual_umask")
def test_a_first_run_without_any_registration_makes_private_files_too(tmp_path: Path) -> None:
    directory = tmp_path / "made" / "anew"
    assert Process(killing.pull_once, directory).end() == ""
    assert {name: oct(mode) for name, mode in modes(directory).items() if mode & 0o077} == {}


@pytest.mark.parametrize(
    ("job", "room"), [("first", 100), ("first", 0.7), ("later", 300_000), ("reconcile", 0.7), ("publish", 0.7)]
)
def test_where_the_disk_is_full_a_run_says_so_and_the_next_one_heals(
    job: str, room: float, base: Base, tmp_path: Path
) -> None:
    """A file that may not become longer stands for a disk that is full."""
    directory = killing.copy(base(JOBS[job].after), tmp_path / "full")
    where = killing.files(directory)
    served = where.serving.read_bytes()
    limit = int(room * where.warehouse.stat().st_size) if isinstance(room, float) else room
    said = Process(killing.do_in_little_room, job, directory, limit).end()
    assert said.startswith("WarehouseError: "), said
    assert str(directory) in said
    assert where.serving.read_bytes() == served
    assert killing.do(job, directory).error == ""
    assert_same(directory, base(job))


def test_where_the_disk_is_full_the_reason_is_told(base: Base, tmp_path: Path) -> None:
    directory = killing.copy(base("create"), tmp_path / "full")
    assert "File too large" in Process(killing.do_in_little_room, "first", directory, 300_000).end()


@pytest.mark.parametrize("words", [("register", "conv_new"), ("rebuild",), ("forget", "conv_long"), ("publish",)])
def test_where_the_disk_is_full_no_command_shows_a_traceback(
    words: tuple[str, ...], base: Base, tmp_path: Path
) -> None:
    directory = killing.copy(base("downgrade" if words == ("publish",) else "later"), tmp_path / "full")
    said = Process(killing.run_command, directory, *words, file_size=100).end()
    assert said.startswith("1: Error: ")
    assert "warehouse.duckdb" in said
    assert "Traceback" not in said


def _sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as con:
        con.execute("create table theirs (a)")


def _foreign(path: Path) -> None:
    with duckdb.connect(path) as con:
        con.execute("create table theirs (a int)")


def _newer_schema(path: Path) -> None:
    with duckdb.connect(path) as con:
        con.execute("update ops.warehouse set schema_version = 1000")


def _without_version(path: Path) -> None:
    with duckdb.connect(path) as con:
        con.execute("delete from ops.warehouse")


def _newer_storage(path: Path) -> None:
    """Another version number in the file's header, with the checksum that belongs to it."""
    header = bytearray(path.read_bytes())
    struct.pack_into("<Q", header, 12, 999)
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", header[8:4096]):
        checksum ^= word * 0xBF58476D1CE4E5B9 % 2**64
    struct.pack_into("<Q", header, 0, checksum)
    path.write_bytes(header)


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _not_ours(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """In the place of the warehouse, something else."""

    def anew(path: Path) -> None:
        path.unlink()
        make(path)

    return anew


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a directory": (_not_ours(lambda path: path.mkdir()), "directory"),
    "a text": (_not_ours(lambda path: path.write_text("words\n" * 2000)), "not a valid DuckDB database file"),
    "nothing": (_not_ours(lambda path: path.touch()), "not a valid DuckDB database file"),
    "an SQLite file": (_not_ours(_sqlite), "cannot be opened as a DuckDB file"),
    "somebody's DuckDB file": (_not_ours(_foreign), "choose another path with --warehouse"),
    "a newer schema": (_newer_schema, "update this installation"),
    "a newer storage": (_newer_storage, "A newer DuckDB wrote it: update this installation"),
    "half a file": (_half, "warehouse.duckdb: "),
    "no version": (_without_version, "is not ours, or damaged"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_file_that_is_no_usable_warehouse_is_left_as_it_is(kind: str, base: Base, tmp_path: Path) -> None:
    directory = killing.copy(base("first"), tmp_path / "unusable")
    path = killing.files(directory).warehouse
    spoil, words = UNUSABLE[kind]
    spoil(path)
    before = path.is_file() and path.read_bytes()
    said = Process(killing.run_command, directory, "register", "conv_new").end()
    assert said[:2] in {"1:", "2:"}
    assert "warehouse.duckdb" in said
    assert words in said
    assert "Traceback" not in said
    assert (path.is_file() and path.read_bytes()) == before


@pytest.mark.parametrize("words", [("register", "conv_new"), ("sync",), ("publish",), ("forget", "conv_long")])
def test_a_directory_that_may_not_be_written_is_one_sentence(words: tuple[str, ...], base: Base) -> None:
    """The directory is not in `tmp_path`, into which only its owner may look; and that may be root."""
    with tempfile.TemporaryDirectory() as outer:
        Path(outer).chmod(0o755)
        assert_refused(killing.copy(base("first"), Path(outer) / "closed"), words)


def assert_refused(directory: Path, words: tuple[str, ...]) -> None:
    """The command says in one sentence that it may not write here."""
    before = files_of(directory)
    nobody = 65534 if os.getuid() == 0 else None
    for path in (*directory.rglob("*"), directory):
        path.chmod(0o555 if path.is_dir() else 0o444)
    said = Process(killing.run_command, directory, *words, user=nobody).end()
    directory.chmod(0o755)
    assert said.startswith("1: Error: ")
    assert said.count("\n") == 1
    assert "Permission denied" in said
    assert "warehouse.duckdb" in said
    assert files_of(directory) == before
