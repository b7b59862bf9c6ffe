"""Processes that work on a warehouse, and die at a chosen instant: between two steps, or in the middle of one.

Here: a small API that grows from one state to the next, the jobs that are done with it, and the steps at which a
process can be killed. Not here: what must hold afterwards.
"""

import asyncio
import multiprocessing
import os
import resource
import shutil
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import duckdb
import httpx
from click.testing import CliRunner

from connectors.emulator import Store, create_app
from connectors.openai_conversations import ConversationsClient, Walk
from models import ops
from pipelines.cli import main
from pipelines.ingest import membership, publishing, writing
from pipelines.ingest import sync as syncing
from pipelines.ingest.asking import Limits
from pipelines.ingest.forgetting import forget
from pipelines.ingest.places import Places
from pipelines.ingest.publishing import publish
from pipelines.ingest.reading import open_snapshot
from pipelines.ingest.registry import candidates
from pipelines.ingest.sync import SyncOptions, sync
from pipelines.ingest.warehouse import Warehouse

Item = dict[str, Any]
CUT_FROM_BYTES = 200
FORGOTTEN = ("conv_pictures", "conv_shared")
IDS = ("conv_long", "conv_moved", "conv_open", "conv_pictures", "conv_popped", "conv_shared", "conv_vanishing")
CREATED_AT = 1_790_000_000
_FILE_STEPS = ("replace", "unlink", "fsync", "copy_file_range", "mkdir", "chmod")
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def message(item_id: str, text: str, **more: Any) -> Item:
    """A message that will not change any more."""
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "id": item_id, "status": "completed", "role": "user", "content": content, **more}


def _messages(word: str, numbers: range) -> list[Item]:
    return [message(f"msg_{word}_{number:02}", f"words of {word} {number}") for number in numbers]


def _call(status: str, arguments: str) -> Item:
    named: Item = {"type": "function_call", "id": "fc_open", "call_id": "call_1", "name": "look"}
    return {**named, "status": status, "arguments": arguments}


def _picture(number: int, letter: str) -> Item:
    payload = "iVBORw0KGgo" + letter * 300
    return {"type": "image_generation_call", "id": f"ig_{number}", "status": "completed", "result": payload}


def _hologram(number: int) -> Item:
    return {"type": "hologram_call", "id": f"holo_{number}", "status": "completed", "depth": number}


def _pictures(conversation: list[Item]) -> list[Item]:
    return [message("msg_pictures", "words of pictures", mood="calm"), *conversation]


def _at_first() -> dict[str, list[Item]]:
    return {
        "conv_long": _messages("long", range(9)),
        "conv_moved": _messages("moved", range(6)),
        "conv_open": [
            message("msg_open_0", "words of open 0"),
            _call("in_progress", ""),
            *_messages("open", range(1, 2)),
        ],
        "conv_pictures": _pictures([_picture(1, "A"), _picture(2, "B"), _picture(3, "A")]),
        "conv_popped": _messages("popped", range(6)),
        "conv_shared": [*_messages("long", range(2, 4)), *_messages("shared", range(5)), _hologram(1)],
        "conv_vanishing": _messages("vanishing", range(3)),
    }


def _later(first: dict[str, list[Item]]) -> dict[str, list[Item]]:
    """Conversations have grown and were reordered, items are gone, even those at a cursor; one is gone altogether."""
    moved, popped, shared = first["conv_moved"], first["conv_popped"], first["conv_shared"]
    return {
        "conv_long": _messages("long", range(14)),
        "conv_moved": [*moved[3:], *moved[:3], *_messages("moved", range(6, 8))],
        "conv_open": [message("msg_open_0", "other words"), _call("completed", "{}"), *_messages("open", range(1, 2))],
        "conv_pictures": _pictures([_picture(1, "A"), _picture(2, "C"), _picture(3, "A"), _picture(4, "D")]),
        "conv_popped": [popped[2], *popped[:2], *popped[3:5], *_messages("popped", range(6, 12))],
        "conv_shared": [*shared[:3], *shared[4:], *_messages("shared", range(5, 7)), _hologram(2)],
    }


def _at_last(first: dict[str, list[Item]], later: dict[str, list[Item]]) -> dict[str, list[Item]]:
    """Items before the cursors were changed, reordered and deleted, and one came back."""
    long = later["conv_long"]
    changed = message(long[5]["id"], "words that were changed", mood="calm")
    return {
        **later,
        "conv_long": [long[1], long[0], *long[2:4], changed, *long[6:], *_messages("long", range(14, 17))],
        "conv_shared": [*first["conv_shared"], *later["conv_shared"][-3:]],
    }


def api(stage: int) -> Store:
    """The local API: at first (0), later (1), at last (2)."""
    first = _at_first()
    later = _later(first)
    store = Store(seed=1, now=lambda: CREATED_AT)
    for conversation_id, items in (first, later, _at_last(first, later))[stage].items():
        store.put_conversation(conversation_id, CREATED_AT, {"stage": str(stage)})
        store.put_items(conversation_id, items)
    return store


def files(directory: Path) -> Places:
    """The files of the warehouse in a directory."""
    return Places(directory / "warehouse.duckdb", directory / "serving.duckdb")


class Gate:
    """Holds up one request of another process: tells when it has come, and lets it through when told."""

    def __init__(self, containing: str) -> None:
        self.containing = containing
        self.has_come = _PROCESSES.Event()
        self.is_open = _PROCESSES.Event()


class _Gated(httpx.ASGITransport):
    def __init__(self, store: Store, gate: Gate) -> None:
        super().__init__(create_app(store))
        self._gate = gate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._gate.containing in str(request.url):
            self._gate.has_come.set()
            await asyncio.to_thread(self._gate.is_open.wait)
        return await super().handle_async_request(request)


def pull(where: Places, store: Store, gate: Gate | None = None, **options: Any) -> None:
    """One sync, of few items a page and a batch, without a network; it must come to its end."""
    http = httpx.AsyncClient(transport=_Gated(store, gate) if gate else httpx.ASGITransport(create_app(store)))
    client = ConversationsClient("any", base_url="http://localhost/v1", http_client=http)
    limits = Limits(concurrency=2)
    result = sync(where, client, SyncOptions(cut_from_bytes=CUT_FROM_BYTES, limits=limits, **options))
    if result.report.error:
        raise RuntimeError(result.report.error)


def pull_once(
    directory: Path, gate: Gate | None = None, *, wait_seconds: float = 60.0, alone_seconds: float = 600.0
) -> None:
    """The first sync of all conversations, which waits so long for another one, and for so long lets nobody in."""
    make_small()
    syncing.RUN_WAIT_SECONDS = wait_seconds
    writing.ALONE_SECONDS = alone_seconds
    pull(files(directory), api(0), gate)


def pull_so_many(directory: Path, turns: int) -> None:
    """A sync of three conversations, each of them with two messages more each turn."""
    store = Store(seed=1, now=lambda: CREATED_AT)
    for word in ("one", "two", "three"):
        store.put_conversation(f"conv_{word}", CREATED_AT, {})
        store.put_items(f"conv_{word}", _messages(word, range(2 * turns)))
    make_small()
    pull(files(directory), store)


Counted = tuple[tuple[str, int, int, int], ...]


def _look(directory: Path, begun: Any, is_over: Any, told: Any) -> None:
    looks, seen = 0, set()
    while not is_over.is_set():
        with open_snapshot(files(directory).serving) as con:
            counted: list[Any] = con.execute(
                "select c.conversation_id, c.next_position, (select count(*) from raw.items as i "
                "where i.conversation_id = c.conversation_id), (select count(*) from items.message as m "
                "where m.conversation_id = c.conversation_id) from raw.conversations as c order by all"
            ).fetchall()
        looks += 1
        seen.add(tuple(counted))
        begun.set()
    told.send((looks, seen))


class Looker:
    """A process that opens the snapshot again and again, and counts what each conversation has."""

    def __init__(self, directory: Path) -> None:
        begun, self._is_over = _PROCESSES.Event(), _PROCESSES.Event()
        self._seen, telling = _PROCESSES.Pipe(duplex=False)
        self._process = Process(_look, directory, begun, self._is_over, telling)
        telling.close()
        begun.wait(30)

    def end(self) -> tuple[int, set[Counted]]:
        """How often it looked, and all that it saw."""
        self._is_over.set()
        if said := self._process.end():
            raise AssertionError(said)
        found: tuple[int, set[Counted]] = self._seen.recv()
        return found


MADE_SMALL: tuple[tuple[object, str], ...] = (
    (writing, "BATCH_ITEMS"),
    (writing, "COMMIT_ITEMS"),
    (writing, "ALONE_SECONDS"),
    (publishing, "_CHUNK_BYTES"),
    (syncing, "Walk"),
    (syncing, "RUN_WAIT_SECONDS"),
)


def make_small() -> None:
    """Have pages, batches and chunks be small in this process, so that a run has many of each."""
    writing.BATCH_ITEMS = 3
    writing.COMMIT_ITEMS = 6
    publishing._CHUNK_BYTES = 1 << 20
    syncing.Walk = partial(Walk, limit=4)  # type: ignore[assignment, attr-defined]  # in a process of its own


def _create(where: Places) -> None:
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.register(candidates("test", IDS))
        publish(warehouse, where.serving)


def _rebuild(where: Places) -> None:
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.rebuild()
        publish(warehouse, where.serving)


def _publish(where: Places) -> None:
    with Warehouse.open(where.warehouse) as warehouse:
        publish(warehouse, where.serving)


def _register_one_more(where: Places) -> None:
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.register(candidates("test", ["conv_later"]))


def _downgrade(where: Places) -> None:
    """Make the warehouse one of the first schema version, with a type declared otherwise."""
    with Warehouse.open(where.warehouse) as warehouse:
        for change in (
            "drop table ops.forgotten",
            "drop table ops.drift",
            "drop macro id_time",
            "alter table raw.items drop column is_raw_base64",
            *(f"alter table raw.conversations drop column {name}" for name in ("last_verified_at", "missing_since")),
            *(f"alter table ops.runs drop column {column.name}" for column in ops.RUNS.columns[-4:]),
            "alter table ops.warehouse drop column rebuilt_at",
            "drop table items.message__content",
            "update ops.warehouse set schema_version = 1, declarations = '{}', data_version = data_version + 1",
        ):
            warehouse.con.execute(change)


def _forget(where: Places) -> None:
    forget(where, FORGOTTEN)


def register(directory: Path, *ids: str, again: bool = False) -> None:
    """Take conversations in."""
    with Warehouse.open(files(directory).warehouse) as warehouse:
        warehouse.register(candidates("test", ids), again=again)


def unregister(directory: Path, *ids: str) -> None:
    """Stop pulling conversations."""
    with Warehouse.open(files(directory).warehouse) as warehouse:
        warehouse.unregister(ids)


def forget_some(directory: Path, *ids: str) -> None:
    """Erase conversations."""
    forget(files(directory), ids)


def forget_and_register_again(directory: Path, *ids: str) -> None:
    """Delete conversations and take them in again, as two commands do that come in before a long run goes on."""
    with Warehouse.open(files(directory).warehouse) as warehouse:
        membership.forget(warehouse.con, ids)
        warehouse.register(candidates("test", ids), again=True)


def _limit(file_size: int | None) -> None:
    """Let no file of this process become longer."""
    if file_size is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, resource.RLIM_INFINITY))


def do_in_little_room(job: str, directory: Path, file_size: int) -> None:
    """A job, while no file may become longer than that."""
    make_small()
    _limit(file_size)
    JOBS[job].do(files(directory))


def run_command(directory: Path, *words: str, file_size: int | None = None, user: int | None = None) -> str:
    """The command in this directory, as this user if one is given: its exit code, and what it said."""
    os.chdir(directory)
    os.environ["OPENAI_API_KEY"] = "any"
    options = ("--warehouse", "warehouse.duckdb", "--serving", "serving.duckdb")
    if user is not None:
        os.setuid(user)
    _limit(file_size)
    result = CliRunner().invoke(main, [*words, *options])
    crash = result.exception if result.exc_info and result.exc_info[0] is not SystemExit else None
    return f"{result.exit_code}: {result.output}" + "".join(traceback.format_exception(crash) if crash else ())


@dataclass(frozen=True)
class Job:
    """Something that is done with a warehouse, and the job whose warehouse it begins with."""

    do: Callable[[Places], None]
    after: str | None


JOBS: Mapping[str, Job] = {
    "create": Job(_create, None),
    "first": Job(lambda where: pull(where, api(0)), "create"),
    "later": Job(lambda where: pull(where, api(1)), "first"),
    "reconcile": Job(lambda where: pull(where, api(2), reconcile=True), "later"),
    "rebuild": Job(_rebuild, "later"),
    "forget": Job(_forget, "later"),
    "register": Job(_register_one_more, "later"),
    "publish": Job(_publish, "register"),
    "downgrade": Job(_downgrade, "later"),
    "migrate": Job(_publish, "downgrade"),
}


@dataclass(frozen=True)
class Kill:
    """Die at the nth step: before it, `seconds` after it began, or when it is done."""

    step: int
    when: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Step:
    """One step of a process, as it was when nobody disturbed it."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Ended:
    """How a process ended: whether it was killed, whether that was inside the step, and what it raised if not."""

    is_killed: bool
    is_inside: bool
    error: str


class Steps:
    """Counts the steps of this process, writes them down, and dies at one."""

    def __init__(self, directory: Path, kill: Kill | None) -> None:
        self._kill = kill
        self._count = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        self._log = os.open(directory.with_name(directory.name + ".steps"), flags)

    def take(self, name: str, step: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Take a step."""
        self._count += 1
        kill = self._kill if self._kill and self._kill.step == self._count else None
        if kill and kill.when == "before":
            die()
        if kill and kill.when == "during":
            has_begun = threading.Event()
            threading.Thread(target=self._die_in, args=(has_begun, kill.seconds), daemon=True).start()
            os.write(self._log, b"begun\n")
            has_begun.set()
        begun = time.perf_counter()
        try:
            return step(*given, **named)
        finally:
            if kill:
                os.write(self._log, b"ended\n")
            elif self._kill is None:
                os.write(self._log, f"{time.perf_counter() - begun:.6f} {name}\n".encode())
            if kill and kill.when == "after":
                die()

    @staticmethod
    def _die_in(has_begun: threading.Event, seconds: float) -> None:
        has_begun.wait()
        time.sleep(seconds)
        die()


class _Connection:
    """A DuckDB connection whose statements are steps."""

    def __init__(self, con: duckdb.DuckDBPyConnection, steps: Steps) -> None:
        self._con = con
        self._steps = steps
        con.execute("set python_scan_all_frames = true")  # what a statement is given is in a frame further up

    def execute(self, query: str, *values: Any) -> Any:
        return self._steps.take(_kind(query), self._con.execute, query, *values)

    def close(self) -> None:
        self._steps.take("close", self._con.close)

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)


def _kind(query: str) -> str:
    """The kind of step that a statement is."""
    words = query.split(maxsplit=3)
    return " ".join(words[:2]) if words[0] in {"copy", "create", "alter", "drop"} else words[0]


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def _work(job: str, directory: Path, kill: Kill | None) -> None:
    make_small()
    steps = Steps(directory, kill)
    connect: Any = duckdb.connect
    vars(duckdb)["connect"] = lambda *given, **named: _Connection(connect(*given, **named), steps)
    for name in _FILE_STEPS:
        setattr(os, name, partial(steps.take, name, getattr(os, name)))
    JOBS[job].do(files(directory))


def _tell(what: Callable[..., str | None], given: tuple[Any, ...], named: Mapping[str, Any], told: Any) -> None:
    try:
        told.send(what(*given, **named) or "")
    except BaseException as error:
        told.send(f"{type(error).__name__}: {error}")
        raise SystemExit(1) from None


class Process:
    """A process that does something, and tells how it ended."""

    def __init__(self, what: Callable[..., str | None], *given: Any, **named: Any) -> None:
        self._told, telling = _PROCESSES.Pipe(duplex=False)
        self._process: ForkServerProcess = _PROCESSES.Process(target=_tell, args=(what, given, named, telling))
        self._process.start()
        telling.close()

    @property
    def pid(self) -> int | None:
        """Its process ID."""
        return self._process.pid

    def end(self) -> str:
        """Wait for its end; what it returned or raised, or its exit code if it came to neither."""
        said = None
        with suppress(EOFError):
            said = str(self._told.recv())
        self._process.join()
        return f"exit code {self._process.exitcode}" if said is None else said


def do(job: str, directory: Path, kill: Kill | None = None) -> Ended:
    """Do a job in a process of its own."""
    said = Process(_work, job, directory, kill).end()
    is_killed = said == f"exit code {-signal.SIGKILL}"
    log = directory.with_name(directory.name + ".steps").read_text(encoding="utf-8")
    return Ended(is_killed, is_killed and log == "begun\n", "" if is_killed else said)


def steps_of(job: str, directory: Path) -> list[Step]:
    """The steps of a job, done once without disturbance."""
    if said := do(job, directory).error:
        raise AssertionError(f"{job}: {said}")
    lines = directory.with_name(directory.name + ".steps").read_text(encoding="utf-8").splitlines()
    return [Step(name, float(seconds)) for seconds, name in (line.split(" ", 1) for line in lines)]


def copy(directory: Path, target: Path) -> Path:
    """Put a copy of a warehouse's directory in place."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(directory, target)
    return target
