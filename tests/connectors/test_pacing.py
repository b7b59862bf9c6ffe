"""When requests go out, how many at once, and how long each may take: in a loop whose clock jumps, never waiting."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import httpx
import pytest
import stamina

from connectors.emulator import Faults, Store, running_emulator
from connectors.openai_conversations import (
    ConfigurationError,
    ConversationsClient,
    ConversationsError,
    RateLimitedError,
    RequestTimeoutError,
    transport,
)
from connectors.openai_conversations.pacing import Pace

T = TypeVar("T")
Answer = httpx.Response | Awaitable[httpx.Response]


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop in which the next timer is always due at once; time begins at 0."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(JumpingSelector(self))

    def time(self) -> float:
        return self.now


class JumpingSelector(selectors.DefaultSelector):
    """Waits for no timer: the loop's clock moves on instead."""

    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(None if timeout is None else 0)
        if self._loop.now > 1e6:
            self._loop.now = 0.0
            pytest.fail("this would never end")
        self._loop.now += 0 if ready else timeout or 0
        return ready


def jump(main: Coroutine[Any, Any, T]) -> T:
    """Run this to its end, without waiting."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)


def now() -> float:
    """Return the seconds since the loop began."""
    return round(asyncio.get_running_loop().time(), 6)


def run(
    handler: Callable[[httpx.Request], Answer], act: Callable[[ConversationsClient], Awaitable[T]], **options: Any
) -> tuple[T, list[tuple[float, str]]]:
    """Return what this does with a client of a fake API, and when that was asked for which conversation."""
    asked: list[tuple[float, str]] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        asked.append((now(), request.url.path.split("/")[3]))
        answer = handler(request)
        return answer if isinstance(answer, httpx.Response) else await answer

    async def main() -> T:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
            return await act(ConversationsClient("sk-1", http_client=http, **options))

    return jump(main()), asked


def page() -> httpx.Response:
    return httpx.Response(200, json={"object": "list", "data": []})


def refusal(status: int, seconds: float) -> httpx.Response:
    return httpx.Response(status, json={"error": {}}, headers={"retry-after": str(seconds)})


async def ask(client: ConversationsClient, name: str, at: float = 0.0) -> float:
    """Ask for this conversation at this time, and return when the answer was there."""
    await asyncio.sleep(at - now())
    await client.items.list(name)
    return now()


async def ask_all(client: ConversationsClient, *names: str) -> list[float]:
    return await asyncio.gather(*(ask(client, name) for name in names))


def test_pace_each_request_takes_the_next_free_slot() -> None:
    """Evenly, in order, and without a burst at the start or after an idle time."""

    async def act(client: ConversationsClient) -> None:
        await ask_all(client, *"abcdefgh")
        await asyncio.sleep(100)
        await ask_all(client, "i", "j")

    _, asked = run(lambda _: page(), act, requests_per_second=4)
    assert asked == [*((n / 4, name) for n, name in enumerate("abcdefgh")), (101.75, "i"), (102, "j")]


def test_pace_counts_retries_too() -> None:
    """A retry takes a slot as the others do, behind those that came before it."""
    answers = iter([refusal(500, 1)])
    _, asked = run(
        lambda _: next(answers, page()), lambda client: ask_all(client, "a", "b", "c"), requests_per_second=0.5
    )
    assert asked == [(0, "a"), (2, "b"), (4, "c"), (6, "a")]


def test_pace_holds_while_requests_wait_for_one_in_flight() -> None:
    """A slow answer lets none through together when it ends."""

    async def slow() -> httpx.Response:
        await asyncio.sleep(10)
        return page()

    answers = iter([slow()])
    _, asked = run(
        lambda _: next(answers, page()),
        lambda client: ask_all(client, "a", "b", "c"),
        requests_per_second=1,
        max_in_flight=1,
    )
    assert asked == [(0, "a"), (10, "b"), (11, "c")]


def test_without_a_pace_requests_go_out_at_once() -> None:
    """No cap is the default."""
    _, asked = run(lambda _: page(), lambda client: ask_all(client, "a", "b", "c"))
    assert [time for time, _ in asked] == [0, 0, 0]


@pytest.mark.parametrize(("requests_per_second", "times"), [(None, [30, 30, 30]), (1, [30, 31, 32])])
def test_pause_holds_back_every_request_of_the_client(requests_per_second: float | None, times: list[float]) -> None:
    """One 429 pauses the other conversations too; with a pace they do not all fire when it ends."""
    answers = iter([refusal(429, 30)])

    async def act(client: ConversationsClient) -> None:
        await asyncio.gather(ask(client, "a"), ask(client, "b", at=5), ask(client, "c", at=6))

    _, asked = run(lambda _: next(answers, page()), act, requests_per_second=requests_per_second)
    assert asked[0] == (0, "a")
    assert [time for time, _ in asked[1:]] == times
    assert {name for _, name in asked[1:]} == {"a", "b", "c"}


def test_pause_also_holds_back_who_waits_for_one_in_flight() -> None:
    """The place that the 429 frees is not taken before the pause is known."""
    answers = iter([refusal(429, 30)])
    _, asked = run(lambda _: next(answers, page()), lambda client: ask_all(client, "a", "b"), max_in_flight=1)
    assert [time for time, _ in asked] == [0, 30, 30]


@pytest.mark.parametrize(("second", "third_at", "resumed_at"), [(90, 2, 100), (5, 12, 61)])
def test_pause_is_lengthened_and_never_shortened(second: float, third_at: float, resumed_at: float) -> None:
    """Two requests in flight are both refused: the later of the two ends counts, also for who waits already."""

    async def refused_at(time: float, seconds: float) -> httpx.Response:
        await asyncio.sleep(time)
        return refusal(429, seconds)

    answers = iter([refused_at(1, 60), refused_at(10, second)])

    async def act(client: ConversationsClient) -> None:
        await asyncio.gather(ask(client, "a"), ask(client, "b"), ask(client, "c", at=third_at))

    _, asked = run(lambda _: next(answers, None) or page(), act)
    assert [time for time, _ in asked] == [0, 0, resumed_at, resumed_at, resumed_at]


def test_patience_a_pause_that_never_ends_is_waited_for_two_minutes() -> None:
    """Others' 429s may lengthen it for ever: then each request asks for itself."""

    async def main() -> list[float]:
        pace = Pace(None)

        async def lengthen() -> None:
            while True:
                pace.pause(100)
                await asyncio.sleep(30)

        async def wait_from(time: float) -> float:
            await asyncio.sleep(time)
            await pace.wait()
            return now()

        others = asyncio.create_task(lengthen())
        times = await asyncio.gather(wait_from(1), wait_from(2), wait_from(60))
        others.cancel()
        return list(times)

    assert jump(main()) == [121, 122, 180]


def test_a_call_is_bounded_whatever_the_server_does() -> None:
    """(max_retries + 1) * (timeout + 240) seconds, though bodies never end and every pause is lengthened."""
    answers = 0

    def handle(_: httpx.Request) -> httpx.Response:
        nonlocal answers
        answers += 1
        return refusal(429, 120) if answers % 3 else dripping()

    async def act(client: ConversationsClient) -> list[float]:
        async def ask_at(time: float) -> float:
            with pytest.raises((RateLimitedError, RequestTimeoutError)):
                await ask(client, "a", at=time)
            return now() - time

        return await asyncio.gather(*(ask_at(7.0 * number) for number in range(100)))

    times, _ = run(handle, act, timeout=20)
    assert max(times) <= 3 * (20 + 240)


def dripping() -> httpx.Response:
    """Return a response whose body never ends."""

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(1)

    return httpx.Response(200, content=drip())


def test_deadline_a_body_that_drips_for_ever_ends() -> None:
    """`timeout` is for the whole attempt, so that silence is not the only end; the message says what to raise."""

    async def act(client: ConversationsClient) -> tuple[str, float]:
        with pytest.raises(RequestTimeoutError) as caught:
            await ask(client, "a")
        assert caught.value.__context__ is None
        return str(caught.value), now()

    (message, ended_at), asked = run(lambda _: dripping(), act, timeout=7.5, max_retries=0)
    assert ended_at == 7.5
    assert len(asked) == 1
    assert "conversations/a/items on api.openai.com was not answered whole within 7.5 s. Raise timeout" in message


def test_deadline_of_the_callers_own_stays_the_callers() -> None:
    """A time limit around the client is a cancellation: no retry, and no error of ours."""

    async def act(client: ConversationsClient) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await ask(client, "a")
        return now()

    ended_at, asked = run(lambda _: dripping(), act)
    assert (ended_at, len(asked)) == (3, 1)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            httpx.ReadTimeout("m"),
            "was silent for 9 s, or gave no connection within 5 s (ReadTimeout). Check the network",
        ),
        (httpx.ConnectTimeout("m"), "gave no connection within 5 s (ConnectTimeout). Check the network"),
    ],
)
def test_deadlines_that_httpx_keeps_are_named(error: Exception, words: str) -> None:
    """What the transport finds too slow comes with the setting to raise."""

    def handle(_: httpx.Request) -> httpx.Response:
        raise error

    async def act(client: ConversationsClient) -> str:
        with pytest.raises(RequestTimeoutError) as caught:
            await ask(client, "a")
        return str(caught.value)

    message, _ = run(handle, act, read_timeout=9, max_retries=0)
    assert words in message


def test_in_flight_is_capped() -> None:
    """The third request goes out when one of two is answered."""

    async def slow() -> httpx.Response:
        await asyncio.sleep(10)
        return page()

    times, asked = run(lambda _: slow(), lambda client: ask_all(client, "a", "b", "c"), max_in_flight=2)
    assert asked == [(0, "a"), (0, "b"), (10, "c")]
    assert times == [10, 10, 20]


def test_in_flight_is_not_what_waits_for_its_next_attempt() -> None:
    """A refused request gives its place to others until its retry."""
    answers = iter([refusal(503, 60)])
    _, asked = run(lambda _: next(answers, page()), lambda client: ask_all(client, "a", "b"), max_in_flight=1)
    assert asked == [(0, "a"), (0, "b"), (60, "a")]


def test_a_request_that_is_cancelled_while_it_waits_gives_its_place_back() -> None:
    """Neither the one that waits for its slot nor the one that waits behind it blocks the rest."""

    async def act(client: ConversationsClient) -> None:
        tasks = [asyncio.create_task(ask(client, name)) for name in "abc"]
        await asyncio.sleep(1)
        for task in tasks[1:]:
            task.cancel()
        await asyncio.wait(tasks)
        await ask_all(client, "d", "e")

    _, asked = run(lambda _: page(), act, requests_per_second=0.1, max_in_flight=2)
    assert asked == [(0, "a"), (10, "d"), (20, "e")]


def test_without_a_faster_transport_httpx_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps the time of silence and connection, and has as many connections as requests may be in flight."""
    monkeypatch.setattr(transport, "HAS_PYREQWEST", False)
    own = vars(ConversationsClient("sk-1", max_in_flight=7, read_timeout=9))["_http"]
    pool = own._transport._pool
    assert (pool._max_connections, pool._max_keepalive_connections) == (7, 7)
    assert own.timeout.as_dict() == {"connect": 5.0, "read": 9, "write": 9, "pool": None}


@pytest.mark.parametrize("is_fast", [False, True], ids=["httpx", "pyreqwest"])
def test_silence_ends_a_request_over_a_real_connection(is_fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever transport there is keeps the time; and it connects nowhere without telling so."""
    monkeypatch.setattr(transport, "HAS_PYREQWEST", is_fast and transport.HAS_PYREQWEST)

    async def main(base_url: str) -> ConversationsError:
        async with ConversationsClient("sk-1", base_url=base_url, read_timeout=0.05, max_retries=0) as client:
            with pytest.raises(ConversationsError) as caught:
                await client.retrieve("conv_1")
            return caught.value

    with running_emulator(Store(), faults=Faults("stall")) as base_url:
        assert "was silent for 0.05 s" in str(asyncio.run(main(base_url)))
    assert "gave no answer (ConnectError)" in str(asyncio.run(main(base_url)))


def test_staminas_test_mode_turns_every_wait_off() -> None:
    """Tests of those who use the client need no clock."""
    answers = iter([refusal(429, 100)])
    with stamina.set_testing(True, attempts=3, cap=True):
        times, asked = run(
            lambda _: next(answers, page()), lambda client: ask_all(client, "a", "b"), requests_per_second=0.1
        )
    assert (times, len(asked)) == ([0, 0], 3)


@pytest.mark.parametrize(
    ("name", "lowest", "highest", "kind"),
    [
        ("max_retries", 0, 100, "a whole number from 0 to 100"),
        ("timeout", 0.001, 86_400, "a number from 0.001 to 86,400"),
        ("read_timeout", 0.001, 86_400, "a number from 0.001 to 86,400"),
        ("connect_timeout", 0.001, 86_400, "a number from 0.001 to 86,400"),
        ("requests_per_second", 0.001, 10_000, "a number from 0.001 to 10,000"),
        ("max_in_flight", 1, 10_000, "a whole number from 1 to 10,000"),
    ],
)
def test_numbers_out_of_range_stop_before_any_request(name: str, lowest: float, highest: float, kind: str) -> None:
    """The error names the argument and its range; the range's ends themselves are fine."""
    wrong: list[object] = [lowest - 0.001, highest + 1, -1, float("nan"), float("inf"), True, False, "3"]
    wrong += [None] if name != "requests_per_second" else []
    wrong += [2.0] if "whole" in kind else [0]
    for value in wrong:
        with pytest.raises(ConfigurationError) as caught:
            ConversationsClient("sk-1", **{name: value})  # type: ignore[arg-type]
        assert str(caught.value).startswith(f"{name} cannot be used")
        assert kind in str(caught.value)
    for value in (lowest, highest):
        assert ConversationsClient("sk-1", **{name: value})  # type: ignore[arg-type]


def test_the_former_name_of_max_in_flight_is_gone() -> None:
    """Two names for one thing would be one too many."""
    with pytest.raises(TypeError):
        ConversationsClient("sk-1", max_connections=3)  # type: ignore[call-arg]
