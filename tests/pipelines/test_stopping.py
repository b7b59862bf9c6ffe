"""People stop runs, close laptops and look at output in many ways: processes that are sent signals, and fake clocks."""

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

from connectors.emulator import Faults, Store, running_emulator
from connectors.openai_conversations import ConversationsClient
from pipelines.ingest import membership
from pipelines.ingest.asking import Answered, Asking, Limits
from pipelines.ingest.deadlines import Deadlines
from pipelines.ingest.errors import StoppedError
from pipelines.ingest.landing import ConversationState
from pipelines.ingest.places import Places
from pipelines.ingest.stopping import listening
from pipelines.ingest.sync import SyncOptions, sync
from pipelines.ingest.verifying import VerifyOptions, verify
from pipelines.ingest.warehouse import Warehouse
from tests.pipelines.conftest import KEY
from tests.pipelines.older import open_older

CONVERSATIONS = 12
COMMAND = Path(sys.executable).with_name("conversations")
HOUR = 3600.0
Register = Callable[..., int]


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def api(store: Store, faults: Faults) -> Iterator[str]:
    said = {"type": "message", "role": "user", "content": "hello"}
    for _ in range(CONVERSATIONS):
        store.create_conversation([said] * 3)
    with running_emulator(store, faults=faults) as base_url:
        yield base_url


def environment(where: Places, base_url: str, **more: str) -> dict[str, str]:
    files = {"CONVERSATIONS_WAREHOUSE": str(where.warehouse), "CONVERSATIONS_SERVING": str(where.serving)}
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "PYTHONPYCACHEPREFIX") if name in os.environ}
    return kept | files | {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": base_url, "TERM": "xterm"} | more


def start(where: Places, base_url: str, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [COMMAND, *words],
        env=environment(where, base_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_commits_what_arrived_and_the_next_goes_on(
    where: Places, register: Register, store: Store, api: str, faults: Faults, number: signal.Signals
) -> None:
    register(*store.conversation_ids())
    process = start(where, api, "sync", "--concurrency", "1")
    faults.before(8, lambda _: process.send_signal(number))
    told, said = process.communicate()
    assert process.returncode == 130
    counted = re.search(r"Stopped as asked, after (\d+) of 12 conversations", said)
    assert counted
    assert 0 < int(counted[1]) < CONVERSATIONS
    assert re.match(rf"Asked {counted[1]} conversations, with \d+ requests: \d+ new items in", told)
    assert "once more ends at once" in said
    with duckdb.connect(where.warehouse, read_only=True) as con:
        (arrived,) = con.execute("select count(*) from raw.items").fetchall()
        assert con.execute("select status, error from ops.runs").fetchall() == [
            ("stopped", f"Stopped as asked, after {counted[1]} of 12 conversations.")
        ]
    assert arrived[0] >= 3 * int(counted[1])
    report = sync(where, ConversationsClient(KEY, base_url=api)).report
    assert (report.status, report.items_new) == ("done", 3 * CONVERSATIONS - arrived[0])
    assert verify(where, ConversationsClient(KEY, base_url=api), VerifyOptions()).agrees


def test_nobody_is_asked_after_a_stop_even_if_its_cancellation_never_comes(where: Places, register: Register) -> None:
    register("conv_1", "conv_2")
    asked = []

    async def ask(state: ConversationState) -> None:
        asked.append(state)
        stop.is_asked = True

    async def tell(_: Answered[None]) -> None:
        pass

    with Warehouse.open(where.warehouse) as warehouse:
        states = membership.select(warehouse.con)
    with listening() as stop:
        asking = Asking(ConversationsClient(KEY), Limits(concurrency=1), ask, tell)
        with pytest.raises(StoppedError, match="after 1 of 2"):
            asyncio.run(asking.ask(states))
    assert asked == states[:1]


def test_a_verification_that_is_stopped_tells_how_far_it_came(
    where: Places, register: Register, store: Store, api: str, faults: Faults
) -> None:
    register(*store.conversation_ids())
    sync(where, ConversationsClient(KEY, base_url=api))
    process = start(where, api, "verify", "--concurrency", "1")
    faults.before(5, lambda _: process.send_signal(signal.SIGINT))
    told, said = process.communicate()
    assert (process.returncode, told) == (130, "")
    assert re.search(r"Stopped as asked, after \d of 12 conversations.\n$", said)


def test_a_stop_between_asking_and_the_end_skips_the_copy(where: Places, register: Register, api: str) -> None:
    register("conv_none")
    with listening() as stop:
        stop.is_asked = True
        result = sync(where, ConversationsClient(KEY, base_url=api))
    assert (result.report.status, result.is_published, result.report.requests) == ("stopped", False, 0)
    assert not where.serving.exists()


SIGNALLED = """
import signal
from pipelines.ingest.stopping import this_stop
from pipelines.terminal import stoppable
with stoppable():
    with this_stop().minded(lambda: print("told", flush=True)):
        for number in ({numbers}):
            signal.raise_signal(number)
            print("goes on", flush=True)
    print("ended", flush=True)
"""


@pytest.mark.parametrize(
    ("numbers", "code", "told", "said"),
    [
        ("signal.SIGINT,", 0, "told\ngoes on\nended\n", "Stopping"),
        ("signal.SIGTERM, signal.SIGINT", 130, "told\ngoes on\n", "Stopping"),
        ("signal.SIGINT, signal.SIGINT", 130, "told\ngoes on\n", "Stopping"),
    ],
)
def test_a_second_signal_ends_at_once(numbers: str, code: int, told: str, said: str) -> None:
    script = SIGNALLED.format(numbers=numbers)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (code, told)
    assert ended.stderr.startswith(said)
    assert ended.stderr.endswith("Stopped.\n") == (code == 130)


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_work_that_minds_no_stop_is_ended_by_the_first_signal(number: str) -> None:
    script = "import signal; from pipelines.terminal import stoppable\nwith stoppable(): signal.raise_signal(signal.{})"
    command = [sys.executable, "-c", script.format(number)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "Stopped.\n")


def on_a_terminal(command: list[str], **variables: str) -> tuple[int, str]:
    """Exit code and everything that a command writes on a terminal."""
    here, there = pty.openpty()
    process = subprocess.Popen(command, env=variables, stdin=there, stdout=there, stderr=there)
    os.close(there)
    written = b""
    while True:
        try:
            if not (piece := os.read(here, 65_536)):
                break
        except OSError:  # how Linux tells that nobody writes any more
            break
        written += piece
    os.close(here)
    return process.wait(), written.decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9](;[0-9]+)*m")


@pytest.mark.parametrize(
    ("variables", "has_bar", "has_colour"),
    [({}, True, True), ({"NO_COLOR": "1"}, True, False), ({"TERM": "dumb"}, False, False)],
    ids=["usual", "NO_COLOR", "dumb"],
)
def test_a_terminal_gets_what_it_can_show(
    where: Places,
    register: Register,
    store: Store,
    api: str,
    variables: dict[str, str],
    has_bar: bool,
    has_colour: bool,
) -> None:
    register(*store.conversation_ids())
    code, written = on_a_terminal([str(COMMAND), "sync"], **environment(where, api, **variables))
    assert code == 0
    assert "Asked 12 conversations" in written
    assert ("\x1b[?25l" in written) == has_bar
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h"), "the cursor is left hidden"
    assert bool(COLOUR.search(written)) == has_colour
    assert ("\x1b" in written) == has_bar


def test_a_terminal_shows_how_far_an_older_warehouse_is_brought_up_to_date(tmp_path: Path) -> None:
    where = open_older(1, tmp_path)
    command = [str(COMMAND), "register", "conv_new"]
    code, written = on_a_terminal(command, **environment(where, "http://127.0.0.1:9/v1"))
    assert (code, written.splitlines()[-1].endswith("1 new, 0 known, 0 malformed.")) == (0, True)
    assert "items made anew" in written
    assert re.search(r"6\d/6\d", written)


def test_a_pipe_gets_words_only_whatever_the_environment_says(
    where: Places, register: Register, store: Store, api: str
) -> None:
    register(*store.conversation_ids())
    forced = environment(where, api, FORCE_COLOR="1", CLICOLOR_FORCE="1", COLUMNS="40")
    for words in (("sync",), ("status",), ("query", "from raw.conversations limit 2"), ("nonsense",)):
        ended = subprocess.run([COMMAND, *words], env=forced, capture_output=True, check=False)
        assert b"\x1b" not in ended.stdout + ended.stderr, words


class PausedLoop(asyncio.SelectorEventLoop):
    """A loop whose clock went on while the process did not run."""

    paused_seconds = 0.0

    def time(self) -> float:
        return super().time() + self.paused_seconds


def test_a_deadline_does_not_count_a_pause() -> None:
    async def main() -> list[bool]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, PausedLoop)
        deadlines, ended = Deadlines(), []
        with deadlines.watched():
            async with deadlines.within(HOUR) as long:
                loop.paused_seconds += 10 * HOUR
                await asyncio.sleep(0)  # what the pause made due is looked at
                await asyncio.sleep(0)
                ended.append(long.expired())
                loop.paused_seconds += 5  # a busy moment is no pause
                assert deadlines.paused_seconds > 9 * HOUR
                when = long.when()
                assert when is not None
                assert 0.99 * HOUR - 10 < when - loop.time() < HOUR + 10
            with pytest.raises(TimeoutError):
                async with deadlines.within(0.01):
                    await asyncio.Event().wait()
        return ended

    with asyncio.Runner(loop_factory=PausedLoop) as runner:
        assert runner.run(main()) == [False]


def test_a_run_goes_on_after_a_pause_of_hours(
    where: Places, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("conv_1", "conv_2")
    asked: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if len(asked) == 2:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, PausedLoop)
            loop.paused_seconds += 30 * HOUR
            await asyncio.sleep(0.01)
        if request.url.path.endswith("/items"):
            data = [{"type": "message", "id": "msg_1", "role": "user", "content": "hello"}]
            return httpx.Response(200, json={"object": "list", "data": data, "has_more": False})
        return httpx.Response(200, json={"id": "conv", "created_at": 1_790_000_000, "metadata": {}})

    monkeypatch.setattr("asyncio.events.new_event_loop", PausedLoop)
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    client = ConversationsClient(KEY, base_url="http://localhost/v1", http_client=http, timeout=80_000)
    report = sync(where, client, SyncOptions(limits=Limits(concurrency=1))).report
    assert (report.status, report.items_new, report.conversations_failed) == ("done", 2, 0)
