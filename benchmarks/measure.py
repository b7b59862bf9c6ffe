"""Measuring whole processes, interleaved, and what comes of it as figures. Not here: what is measured (`suite`)."""

import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread

from benchmarks.data import CACHE
from benchmarks.server import Server

PEERS = CACHE / "venv/bin/python"
"""The environment of the peers, which `make benchmark` fills."""
_COMPILED = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(CACHE.resolve() / "pycache")}
"""Python keeps what it compiled, as it does on most machines: programs are started cold, but not for the first time."""
_POLL_SECONDS = 0.02
_WHOLE_FROM = 100
_PACKAGES = ("duckdb", "polars", "httpx", "aiohttp", "httpx-aiohttp", "dlt", "dagster")
Figures = dict[str, float]


@dataclass(frozen=True)
class Contender:
    """A process to measure; it gets an empty directory for each round, in which `prepare` may put something first."""

    name: str
    does: str
    command: Callable[[Path], Sequence[str | Path]]
    prepare: Callable[[Path], object] = lambda _: None
    environment: Callable[[Path], Mapping[str, str]] = lambda _: {}
    left: Callable[[Path], Figures] = lambda _: {}
    """Looks at what a run left: raises where it is not what it should be, returns more figures."""


@dataclass
class Measured:
    """What one contender took in each round: figures by name, in seconds and MB."""

    name: str
    does: str
    rounds: list[Figures] = field(default_factory=list)


@dataclass
class Result:
    """One benchmark, taken once; the first contender is what the others are compared with."""

    name: str
    about: str
    contenders: list[Measured]
    facts: dict[str, object]
    taken: dict[str, object]

    def write(self, directory: Path) -> None:
        """Keep it as a file."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{self.name}.json").write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Result":
        """What `write` kept."""
        kept = json.loads(path.read_text(encoding="utf-8"))
        return cls(**kept | {"contenders": [Measured(**one) for one in kept["contenders"]]})

    def table(self) -> list[list[str]]:
        """Head and rows: medians, the least and the most seconds, and how many times the first one's seconds."""
        measured = list(dict.fromkeys(name for one in self.contenders for taken in one.rounds for name in taken))
        names = [name for name in measured if name != "s"]
        is_timed = "s" in measured
        timed = ["s", "least to most", "times"] * is_timed
        rows = [["", *timed, *names]]
        for one in self.contenders:
            middle = {name: median(taken[name] for taken in one.rounds) for name in one.rounds[0]}
            cells = [one.name]
            if is_timed:
                seconds = [taken["s"] for taken in one.rounds]
                first = [taken["s"] for taken in self.contenders[0].rounds]
                times = median(mine / its for mine, its in zip(seconds, first, strict=False))
                spread = f"{shown(min(seconds))} to {shown(max(seconds))}" if len(seconds) > 1 else ""
                cells += [shown(middle["s"]), spread, f"{times:.2f}"]
            rows.append([*cells, *(shown(middle[name]) if name in middle else "" for name in names)])
        return rows


def shown(number: float) -> str:
    """Three digits that count, or all of a whole number."""
    return f"{number:,.0f}" if abs(number) >= _WHOLE_FROM or number == int(number) else f"{number:.3g}"


def compare(contenders: Sequence[Contender], rounds: int, server: Server | None = None) -> list[Measured]:
    """Measure each contender in each round, beginning with another one every time."""
    with scratch() as places:
        return _compare(contenders, rounds, server, places)


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory that goes away again."""
    (CACHE / "work").mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=CACHE.resolve() / "work") as directory:
        yield Path(directory)


def _compare(contenders: Sequence[Contender], rounds: int, server: Server | None, places: Path) -> list[Measured]:
    measured = [Measured(one.name, one.does) for one in contenders]
    for number in range(rounds):
        first = number % len(contenders)
        for at in (*range(first, len(contenders)), *range(first)):
            one, place = contenders[at], places / str(at)
            place.mkdir()
            one.prepare(place)
            before = server.cpu_seconds() if server else 0.0
            figures = run(one.command(place), {**one.environment(place)}, place / "output.txt")
            if server:
                figures["server CPU s"] = server.cpu_seconds() - before
            measured[at].rounds.append({name: round(value, 4) for name, value in (figures | one.left(place)).items()})
            shutil.rmtree(place)
    return measured


def run(command: Sequence[str | Path], environment: Mapping[str, str], output: Path) -> Figures:
    """Run a process to its end: its seconds, CPU seconds and peak memory, its children's included.

    RuntimeError with the end of its output if it fails. Peak memory is the sum of resident sizes, looked at 50 times a
    second, or the kernel's record of the largest single process if that is more (not `ru_maxrss`, which begins with
    what we held ourselves when we started the process).
    """
    with output.open("wb") as file:
        started = time.perf_counter()
        environment = {**os.environ, **_COMPILED, **environment}
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
        with _Watch(process.pid) as watch:
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        end = output.read_text(errors="replace")[-2_000:]
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{end}")
    return {"s": seconds, "CPU s": used.ru_utime + used.ru_stime, "peak MB": watch.peak_kb * 1024 / 1e6}


class _Watch(Thread):
    """Looks at the memory of a process and its children while the block runs."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_kb = 0
        self._pid = pid
        self._is_over = Event()

    def run(self) -> None:
        while not self._is_over.wait(_POLL_SECONDS):
            told = [_memory_kb(pid) for pid in _tree(self._pid)]
            self.peak_kb = max(0, self.peak_kb, sum(one["VmRSS"] for one in told), *(one["VmHWM"] for one in told))

    def __enter__(self) -> "_Watch":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()


def _tree(pid: int) -> list[int]:
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [pid, *(below for found in lists for child in found.split() for below in _tree(int(child)))]


def _memory_kb(pid: int) -> dict[str, int]:
    """What a process holds and has held at most; zeros once it has ended."""
    try:
        lines = _lines(f"/proc/{pid}/status")
    except OSError:
        lines = []
    told = (line.split() for line in lines if line.startswith(("VmHWM", "VmRSS")))
    return {"VmHWM": 0, "VmRSS": 0} | {name[:-1]: int(size) for name, size, *_ in told}


def circumstances() -> dict[str, object]:
    """When and on what this is taken."""
    memory = int(_lines("/proc/meminfo")[0].split()[1]) / 1e6
    cpus = {line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")}
    mounts = [line.split() for line in _lines("/proc/mounts")]
    here = Path.cwd().resolve()
    _, _, kind = max((len(at), at, kind) for _, at, kind, *_ in mounts if here.is_relative_to(at))
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": _said(["git", "describe", "--always", "--dirty"]),
        "machine": f"{os.cpu_count()} cores ({', '.join(cpus)}), {memory:.0f} GB, Linux {platform.release()}, {kind}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        asked = f"from importlib.metadata import version; print(version({package!r}))"
        return _said([PEERS, "-c", asked])


def _said(command: Sequence[str | Path]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
