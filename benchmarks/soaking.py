"""Hundreds of small syncs in a row, by one long-lived process, against a server that changes and fails.

The process syncs again and again, and measures itself after each run; now and then it has the Dagster job do the same,
whose events are what grows in Dagster's own files (and take most of its time, so not every run is one).
The server lives with the measurements, in another process: between two runs conversations grow, items are changed and
deleted, and while a run goes on, some requests are refused, cut off or asked to wait. Now and then a run compares whole
lists, as does the last command but one; then `conversations verify` has to find everything stored as served.
"""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import Figures, Measured, run, scratch
from connectors.emulator import Faults, Store, running_emulator

RUNS = 500
_CONVERSATIONS = 40
_PARTS = 5
_ROUNDS = 10
_QUIET_EVERY = 10
_WHOLE_EVERY = 25
_JOB_EVERY = 10
_GROWING = 5
_RETRY_AT_ONCE = ("rate_limit_ms=2", "service_unavailable=0.01", "connection_reset", "cut_body")
_COMMAND = Path(sys.executable).with_name("conversations")
_JOB = "sync_conversations"


def measure(runs: int) -> tuple[list[Measured], dict[str, object]]:
    """The figures of so many runs in five parts, each figure the median of as many runs in a row as make ten a part.

    RuntimeError if a run fails, or the warehouse is not what is served in the end.
    """
    store, faults = _served(), Faults(*_RETRY_AT_ONCE, rate=0.03, seed=1)
    with scratch() as place, running_emulator(store, faults=faults) as base_url:
        environment = _environment(place, base_url)
        ids = place / "ids.txt"
        ids.write_text("\n".join(store.conversation_ids()))
        run([_COMMAND, "register", "--file", ids], environment, place / "output.txt")
        figures = list(_run_often(store, runs, place, environment))
        run([_COMMAND, "reconcile"], environment, place / "output.txt")
        run([_COMMAND, "verify"], environment, place / "output.txt")
    parts = list(_parts(figures))
    facts: dict[str, object] = {
        "runs": runs,
        "Dagster jobs": runs // _JOB_EVERY,
        "items at the end": store.count_items(),
        "faults": len(faults.hits),
        "more per run, from the second part to the last": _growth(parts, runs // _PARTS),
        "equal to the server at the end": True,
    }
    return parts, facts


def _served() -> Store:
    store = Store(seed=7)
    for number in range(_CONVERSATIONS):
        store.create_conversation([_message(number)] * 5, {"number": str(number)})
    return store


def _message(number: int) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": f"Words of turn {number}. " * 20}


def _change(store: Store, number: int) -> None:
    """What happens between two runs; every tenth time nothing."""
    if number % _QUIET_EVERY == 0:
        return
    rng = random.Random(number)
    for conversation_id in rng.sample(store.conversation_ids(), _GROWING):
        store.create_items(conversation_id, [_message(number)] * rng.randint(1, 3))
    shrinking, changing = rng.sample(store.conversation_ids(), 2)
    store.delete_item(shrinking, store.retrieve_conversation(shrinking).timeline.ids[-1])
    timeline = store.retrieve_conversation(changing).timeline
    store.replace_item(changing, timeline.items[timeline.ids[-1]].item | {"status": "incomplete"})


def _environment(place: Path, base_url: str) -> dict[str, str]:
    home = place / "dagster"
    (home / "state").mkdir(parents=True)
    shutil.copy("dagster.yaml", home)
    return {
        "OPENAI_API_KEY": "any",
        "OPENAI_BASE_URL": base_url,
        "CONVERSATIONS_SOURCE": "",
        "CONVERSATIONS_WAREHOUSE": str(place / "warehouse.duckdb"),
        "CONVERSATIONS_SERVING": str(place / "serving.duckdb"),
        "DAGSTER_HOME": str(home),
        "CONVERSATIONS_DAGSTER_STATE": str(home / "state"),
    }


def _run_often(store: Store, runs: int, place: Path, environment: dict[str, str]) -> Iterator[Figures]:
    """Have the job run, change the server, and so on."""
    command = [sys.executable, "-m", __name__, str(place)]
    with (
        (place / "errors.txt").open("w") as errors,
        subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdin  # noqa: S101 (for the type checker)
        assert process.stdout  # noqa: S101 (for the type checker)
        for number in range(runs):
            _change(store, number)
            process.stdin.write(f"{number + 1}\n")
            process.stdin.flush()
            if not (line := process.stdout.readline()):
                raise RuntimeError(f"run {number} failed:\n{(place / 'errors.txt').read_text()[-2_000:]}")
            yield json.loads(line)
        process.stdin.close()


def _parts(figures: list[Figures]) -> Iterator[Measured]:
    length = len(figures) // _PARTS
    for begin in range(0, length * _PARTS, length):
        part, step = figures[begin : begin + length], max(length // _ROUNDS, 1)
        rounds = [
            {name: round(median(one[name] for one in part[at : at + step]), 4) for name in part[0]}
            for at in range(0, length, step)
        ]
        yield Measured(f"runs {begin + 1} to {begin + length}", "", rounds)


def _growth(parts: list[Measured], runs: int) -> Figures:
    """How much more a figure's median becomes with each run, once the process has warmed up."""
    _, early, *_, late = ({name: median(one[name] for one in part.rounds) for name in part.rounds[0]} for part in parts)
    return {name: round((late[name] - early[name]) / ((_PARTS - 2) * runs), 5) for name in early}


def _work(place: Path) -> None:
    """Sync once for each number on standard input, and tell on standard output what it took."""
    import dagster as dg

    from connectors.openai_conversations import ConversationsClient
    from pipelines.definitions import defs
    from pipelines.ingest.places import places
    from pipelines.ingest.sync import SyncOptions, sync

    job, where = defs.resolve_job_def(_JOB), places()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance:
        for line in sys.stdin:
            number = int(line)
            started, used = time.perf_counter(), time.process_time()
            report = sync(where, ConversationsClient(), SyncOptions(reconcile=number % _WHOLE_EVERY == 0)).report
            figures = {"s": time.perf_counter() - started, "CPU s": time.process_time() - used}
            if report.status != "done":
                raise RuntimeError(f"{report.status}: {report.error or report.conversations_failed}")
            if number % _JOB_EVERY == 0:
                job.execute_in_process(instance=instance, run_config=quiet)
            figures |= {
                "memory MB": _resident_bytes() / 1e6,
                "warehouse MB": (place / "warehouse.duckdb").stat().st_size / 1e6,
                "Dagster MB": sum(path.stat().st_size for path in (place / "dagster").rglob("*.*")) / 1e6,
            }
            print(json.dumps(figures), flush=True)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    _work(Path(sys.argv[1]))
