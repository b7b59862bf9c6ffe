"""The benchmarks by name: what is served, and which processes are compared. Not here: how they are measured."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from zlib import crc32

import duckdb
import polars as pl

from benchmarks import polling, questions, soaking
from benchmarks.data import CACHE, Dataset
from benchmarks.measure import PEERS, Contender, Figures, Measured, Result, circumstances, compare, run, scratch
from benchmarks.server import GROWN_CONVERSATIONS, GROWN_ITEMS, Server, World, serving
from connectors.emulator.identifiers import mint_key, mint_sent
from pipelines.ingest.database import connect

CONVERSATIONS = Path(sys.executable).with_name("conversations")
DAGSTER = Path(sys.executable).with_name("dagster")
SCRIPTS = Path(__file__).parent / "contenders"
DEFAULT_ITEMS = 200_000
CONCURRENCY = 16
_LATENCY_SECONDS = 0.05


@dataclass(frozen=True)
class Size:
    """How much is measured: everything grows with the number of items."""

    items: int
    rounds: int | None

    @property
    def data(self) -> Dataset:
        """Conversations of a hundred items on average."""
        return Dataset(self.items, max(self.items // 100, 1))

    def of(self, usual: int) -> int:
        """A number that is usual with the default items, in proportion."""
        return max(usual * self.items // DEFAULT_ITEMS, 1)

    def times(self, usual: int) -> int:
        """How many rounds."""
        return self.rounds or usual


BENCHMARKS: dict[str, Callable[[Size], Result]] = {}


def benchmark(measure: Callable[[Size], tuple[list[Measured], dict[str, object]]]) -> Callable[[Size], Result]:
    """A function that measures, under its name; its docstring tells readers what is measured."""

    def taken(size: Size) -> Result:
        measured, facts = measure(size)
        return Result(measure.__name__, " ".join((measure.__doc__ or "").split()), measured, facts, circumstances())

    BENCHMARKS[measure.__name__] = taken
    return taken


@dataclass(frozen=True)
class Prepared:
    """A server, and a directory with a warehouse that knows its conversations."""

    server: Server
    directory: Path

    def environment(self, place: Path) -> dict[str, str]:
        """What our command is told of the server, and of its files in a place."""
        return _environment(place, self.server.base_url)

    def sync(self, name: str = "conversations sync", *options: str, items: int | None = None) -> Contender:
        """Our command, from a copy of the prepared warehouse; afterwards it has to hold so many items."""
        return Contender(
            name,
            "our command, publishing included" if name == "conversations sync" else "",
            lambda _: [CONVERSATIONS, "sync", *options],
            lambda place: shutil.copytree(self.directory, place, dirs_exist_ok=True),
            self.environment,
            lambda place: _left(place, self.server.items if items is None else items),
        )

    def fetch(self, client: str, does: str, *details: str) -> Contender:
        """The same requests with nothing but a client; what to ask is in the file targets.txt."""
        targets = self.directory / "targets.txt"
        command: list[str | Path] = [
            PEERS,
            SCRIPTS / "fetch.py",
            client,
            self.server.base_url,
            targets,
            str(CONCURRENCY),
            *details,
        ]
        return Contender(f"fetch only: {client}", does, lambda _: command)


@contextmanager
def prepared(world: World, latency_seconds: float = 0.0, *, is_pulled: bool = False) -> Iterator[Prepared]:
    """Serve a world, and register its conversations; pull them, too, if that is not what is measured."""
    with serving(world, latency_seconds) as server, scratch() as directory:
        ready = Prepared(server, directory)
        (directory / "targets.txt").write_text("\n".join(server.ids))
        _conversations(ready.environment(directory), directory, "register", "--file", directory / "targets.txt")
        if is_pulled:
            _conversations(ready.environment(directory), directory, "sync")
        yield ready


def _environment(place: Path, base_url: str = "http://127.0.0.1:9/v1") -> dict[str, str]:
    return {
        "OPENAI_API_KEY": "any",
        "OPENAI_BASE_URL": base_url,
        "CONVERSATIONS_WAREHOUSE": str(place / "warehouse.duckdb"),
        "CONVERSATIONS_SERVING": str(place / "serving.duckdb"),
    }


def _conversations(environment: dict[str, str], place: Path, *arguments: str | Path) -> None:
    run([CONVERSATIONS, *arguments], environment, place / "output.txt")


def _left(place: Path, items: int) -> Figures:
    """What a sync left: the snapshot holds all items, the warehouse tells of the run."""
    _count(place / "serving.duckdb", "raw.items", items)
    with duckdb.connect(place / "warehouse.duckdb", read_only=True) as con:
        requests, publish_ms = con.execute(
            "select requests, coalesce(publish_ms, 0) from ops.runs order by started_at desc limit 1"
        ).fetchall()[0]
    return {"publish s": publish_ms / 1000, "requests": requests, **_size(place / "warehouse.duckdb")}


def _count(path: Path, table: str, items: int) -> Figures:
    with duckdb.connect(path, read_only=True) as con:
        found = con.execute(f"select count(*) from {table}").fetchall()[0][0]
    if found != items:
        raise RuntimeError(f"{path}: {table} has {found:,} rows and should have {items:,}")
    return _size(path)


def _size(path: Path) -> Figures:
    return {"file MB": path.stat().st_size / 1e6}


def _loaders(ready: Prepared, data: Dataset) -> list[Contender]:
    """Those that leave a database with all items in it."""
    server, ids = ready.server, ready.directory / "targets.txt"
    return [
        ready.sync(),
        Contender(
            "dlt",
            "a transformer with a cursor per conversation in its state, 16 threads, merge on (conversation_id, id), "
            "nested tables, Parquet into DuckDB",
            lambda place: [PEERS, SCRIPTS / "with_dlt.py", server.base_url, ids, place],
            left=lambda place: _count(place / "dlt.duckdb", "openai.items", server.items),
        ),
        Contender(
            "script by hand",
            "aiohttp, 16 at once, all pages in memory, then SQL: raw items, and messages and calls with ten columns; "
            "no cursor, no retries, no check, no snapshot",
            lambda place: [PEERS, SCRIPTS / "by_hand.py", server.base_url, ids, place / "hand.duckdb"],
            left=lambda place: _count(place / "hand.duckdb", "items", server.items),
        ),
        Contender(
            "DuckDB from a file",
            "no network: read_json and from_json with the declared structures, one table per type, lists not unnested",
            lambda place: [
                sys.executable, "-m", "benchmarks.contenders.read_json", data.lines, place / "read.duckdb"
            ],
            left=lambda place: _count(place / "read.duckdb", "items", server.items),
        ),
    ]  # fmt: skip


@benchmark
def full_load(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """Everything for the first time, into typed tables. The rows after the peers are lower bounds."""
    with prepared(World(size.data)) as ready:
        bounds = [
            ready.fetch("aiohttp", "the same requests, answers thrown away, JSON not parsed", "details"),
            ready.fetch("httpx-aiohttp", "the same, httpx over aiohttp's connections", "details"),
            ready.fetch("httpx", "the same, httpx with its own transport", "details"),
            ready.fetch("socket", "the same by four threads and nothing but sockets: the server alone", "details"),
        ]
        facts = size.data.describe() | {"items by type": size.data.items_by_type}
        return compare([*_loaders(ready, size.data), *bounds], size.times(3), ready.server), facts


@benchmark
def bytes_stored(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """How large the files are that a full load leaves. Ours is there twice, the snapshot being a copy."""
    with prepared(World(size.data)) as ready:
        measured = compare(_loaders(ready, size.data), 1)
    json_bytes = size.data.text.stat().st_size
    for one in measured:
        megabytes = one.rounds[0]["file MB"]
        per_item, times = megabytes * 1e6 / size.items, megabytes * 1e6 / json_bytes
        one.rounds = [{"file MB": megabytes, "bytes an item": round(per_item), "times the JSON": round(times, 2)}]
    return measured, size.data.describe()


@contextmanager
def _many_short(size: Size) -> Iterator[Prepared]:
    """Many conversations of five items, all pulled."""
    data = size.data
    with prepared(World(data, copies=10, items_each=5), is_pulled=True) as ready:
        with duckdb.connect(ready.directory / "serving.duckdb", read_only=True) as con:
            asked = con.execute("select conversation_id, previous_item_id from raw.conversations").fetchall()
        (ready.directory / "targets.txt").write_text("\n".join(f"{one} {after or ''}" for one, after in asked))
        yield ready


@benchmark
def nothing_new(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """All of many short conversations are asked, and none has anything new: one request each."""
    with _many_short(size) as ready:
        bounds = [
            ready.fetch("aiohttp", "the same requests, answers thrown away"),
            ready.fetch("httpx", "the same, httpx with its own transport"),
        ]
        facts: dict[str, object] = {"conversations": len(ready.server.ids)}
        return compare([ready.sync(), *bounds], size.times(3), ready.server), facts


@benchmark
def nothing_due(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """What a scheduled run costs when none of many conversations is due."""
    with _many_short(size) as ready:
        facts: dict[str, object] = {"conversations": len(ready.server.ids)}
        return compare([ready.sync("conversations sync --due", "--due")], size.times(5), ready.server), facts


@benchmark
def memory(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """Peak memory, which should not grow with the amount of data."""
    data = size.data
    large = Dataset(size.of(200), size.of(20), large_every=3, large_bytes=(2_000_000, 6_000_000))
    images = large.items_by_type.get("image_generation_call", 0)
    worlds = {
        f"{size.items:,} items": World(data),
        f"{10 * size.items:,} items": World(data, copies=10),
        f"one conversation of {size.of(500_000):,} items": World(data, single_items=size.of(500_000)),
        f"{large.items:,} items, {images:,} of them images of 2 to 6 MB": World(large),
    }
    measured = []
    for name, world in worlds.items():
        with prepared(world) as ready:
            measured += compare([ready.sync(name)], size.times(1))
    return measured, size.data.describe()


@benchmark
def latency(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """A full load where each answer takes 50 ms. The least is requests x 50 ms / concurrency."""
    with prepared(World(size.data), _LATENCY_SECONDS) as ready:
        contenders = [
            _with_least(ready.sync(f"{at_once} at once", "--concurrency", str(at_once)), at_once)
            for at_once in (16, 64, 256)
        ]
        return compare(contenders, size.times(3), ready.server), size.data.describe()


def _with_least(contender: Contender, at_once: int) -> Contender:
    def left(place: Path) -> Figures:
        figures = contender.left(place)
        return figures | {"least s": figures["requests"] * _LATENCY_SECONDS / at_once}

    return replace(contender, left=left)


@benchmark
def incremental(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """New items in conversations that are named to the sync, into a small and a large warehouse.

    Both were built by a sync, are kept, and go on growing from one measurement to the next.
    """
    data = Dataset(size.of(100_000), size.of(1_000))
    measured: list[list[Measured]] = []
    for copies in (1, 50):
        world, place = _kept(World(data, copies=copies))
        with serving(world) as server:
            contender = _grown(server, place, f"{copies * data.items:,} items stored")
            measured.append(compare([contender], size.times(5)))
    facts = {"new items": GROWN_CONVERSATIONS * GROWN_ITEMS, "conversations with new items": GROWN_CONVERSATIONS}
    return [one for each in measured for one in each], {**facts}


def _kept(world: World) -> tuple[World, Path]:
    """The world with the growth that its warehouse has seen, and the directory of that warehouse; made if need be."""
    sources = sorted(Path("models").rglob("*.py"))
    version = crc32(b"".join(path.read_bytes() for path in sources))
    place = CACHE.resolve() / "warehouses" / f"{world.data.directory.name}-{world.copies}-{version:08x}"
    if not (place / "growths").exists():
        shutil.rmtree(place, ignore_errors=True)
        with prepared(world, is_pulled=True) as ready:
            shutil.copytree(ready.directory, place)
        (place / "growths").write_text("0")
    return replace(world, growths=int((place / "growths").read_text())), place


def _grown(server: Server, kept: Path, name: str) -> Contender:
    """A sync of conversations that have just grown, in a warehouse that stays."""
    grown: list[str] = []

    def prepare(_: Path) -> None:
        grown[:] = server.grow()
        count = kept / "growths"
        count.write_text(str(int(count.read_text()) + 1))

    def left(_: Path) -> Figures:
        with duckdb.connect(kept / "serving.duckdb", read_only=True) as con:
            new = con.execute("select items_new from ops.runs order by started_at desc limit 1").fetchall()[0][0]
        if new < len(grown) * GROWN_ITEMS:  # more, if the round before was stopped
            raise RuntimeError(f"{new:,} new items instead of {len(grown) * GROWN_ITEMS:,}")
        with duckdb.connect(kept / "warehouse.duckdb", read_only=True) as con:
            items = con.execute("select count(*) from raw.items").fetchall()[0][0]
            milliseconds = con.execute("select arg_max(publish_ms, started_at) from ops.runs").fetchall()[0][0]
        return {"publish s": milliseconds / 1000, "items": items, **_size(kept / "warehouse.duckdb")}

    def command(_: Path) -> list[str | Path]:
        return [CONVERSATIONS, "sync", *(word for one in grown for word in ("--conversation", one))]

    environment = _environment(kept, server.base_url)
    return Contender(name, "", command, prepare, lambda _: environment, left)


@benchmark
def commands(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """Whole commands, cold. The sync asks all conversations, and some have new items.

    The Dagster job is the same sync as `dagster job execute`; its floor is a job with one asset that does nothing.
    """
    data = Dataset(size.of(20_000), size.of(200))
    with prepared(World(data), is_pulled=True) as ready:
        home = ready.directory / "dagster"
        home.mkdir()
        shutil.copy("dagster.yaml", home)
        grown = len(ready.server.grow()) * GROWN_ITEMS
        sync = ready.sync(items=data.items + grown)

        def in_dagster(place: Path) -> dict[str, str]:
            state = {"DAGSTER_HOME": str(place / "dagster"), "CONVERSATIONS_DAGSTER_STATE": str(place / "state")}
            return {**os.environ, **state, "CONVERSATIONS_SOURCE": "", **ready.environment(place)}

        def job(name: str, module: str) -> list[str | Path]:
            return [DAGSTER, "job", "execute", "-m", module, "-j", name]

        nothing = job("do_nothing", "benchmarks.contenders.empty_asset")
        run(nothing, in_dagster(ready.directory), ready.directory / "output.txt")  # makes Dagster's own databases
        contenders = [
            sync,
            replace(sync, name="the same as a Dagster job", does="`dagster job execute` of sync_conversations",
                    command=lambda _: job("sync_conversations", "pipelines.definitions"), environment=in_dagster),
            replace(sync, name="a Dagster job that does nothing", does="Dagster's own floor",
                    command=lambda _: nothing, environment=in_dagster, left=lambda _: {}),
            replace(sync, name="conversations status", does="reads the snapshot",
                    command=lambda _: [CONVERSATIONS, "status"], left=lambda _: {}),
            replace(sync, name="conversations --help", does="loads as little as it can",
                    command=lambda _: [CONVERSATIONS, "--help"], left=lambda _: {}),
        ]  # fmt: skip
        return compare(contenders, size.times(5)), data.describe() | {"new items": grown}


@benchmark
def analytics(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """Questions to the views, asked of the snapshot: medians, and the slowest question to each view."""
    with prepared(World(size.data, copies=5), is_pulled=True) as ready:
        with duckdb.connect(ready.directory / "warehouse.duckdb", read_only=True) as con:
            (publish_ms,) = con.execute("select max(publish_ms) from ops.runs").fetchall()[0]
        measured = list(questions.measure(ready.directory / "serving.duckdb", size.times(5)))
        sizes = {name: round(_size(ready.directory / f"{name}.duckdb")["file MB"]) for name in ("warehouse", "serving")}
        return measured, {"items": ready.server.items, "publish ms": publish_ms, "MB": sizes}


@benchmark
def registry(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """Many conversations: taking them in, choosing those due (none is), and the status."""
    count = size.of(1_000_000)
    rng = Random(7)
    ids = pl.DataFrame(
        {"conversation_id": [mint_sent("conv", rng, 1_756_684_800, mint_key(rng)) for _ in range(count)]}
    )
    with scratch() as directory:
        ids.write_parquet(directory / "ids.parquet")
        ids.write_csv(directory / "ids.csv")
        _conversations(_environment(directory), directory, "register", "--file", directory / "ids.parquet")
        with connect(directory / "warehouse.duckdb", 0) as con:
            con.execute(
                "update raw.conversations set last_polled_at = registered_at, last_grown_at = registered_at, "
                "next_poll_at = registered_at + interval 1 day"
            )

        def registered(place: Path) -> Figures:
            return _count(place / "serving.duckdb", "raw.conversations", count)

        def our(name: str, *arguments: str | Path, is_new: bool = False) -> Contender:
            def prepare(place: Path) -> None:
                if not is_new:
                    shutil.copytree(directory, place, dirs_exist_ok=True)

            return Contender(name, "", lambda _: [CONVERSATIONS, *arguments], prepare, _environment, registered)

        contenders = [
            our("register --file ids.parquet", "register", "--file", directory / "ids.parquet", is_new=True),
            our("register --file ids.csv", "register", "--file", directory / "ids.csv", is_new=True),
            our("the same again, all known", "register", "--file", directory / "ids.parquet"),
            our("sync --due, none due", "sync", "--due"),
            our("status", "status"),
        ]
        return compare(contenders, size.times(3)), {"conversations": count}


@benchmark
def soak(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """Small syncs in a row, in one process, against a server that changes and fails: all stays flat.

    40 conversations, of which five grow between two runs; an item is deleted, one is changed; 3 % of the requests fail.
    Every 25th run compares whole lists; after every tenth, the Dagster job runs, too. Memory is what the process holds
    after a run. The warehouse grows with its items, Dagster's files with its events.
    """
    return soaking.measure(size.of(soaking.RUNS))


@benchmark
def polling_rule(size: Size) -> tuple[list[Measured], dict[str, object]]:
    """What the polling rule asks of an API, and how late it sees what is new: simulated, no network.

    A turn is a moment at which a conversation grows; it is active if growth of the day before it had been seen.
    """
    counts = (size.of(10_000), size.of(1_000_000))
    return [one for count in counts for one in polling.measure(count)], {"model": json.loads(polling.described())}
