"""Which requests are hit by which fault, and what happens before they are answered. What a fault does: ``faults``."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from connectors.emulator.faults import FAULTS, Fault, Handler
from connectors.emulator.store import Store

Action = Callable[[Store], object]


@dataclass(slots=True)
class _Event:
    containing: str
    action: Action
    requests_left: int


class Faults:
    """What goes wrong on a server. Chance depends on the seed and the request, not on the order of requests."""

    def __init__(self, *faults: str, rate: float = 1.0, seed: int = 0, in_a_row: int = 2) -> None:
        """Takes each fault as ``name`` or ``name=value``; raises ``ValueError`` for any other words.

        A share ``rate`` of the requests is hit by one of those faults that are not lasting, and the same request at
        most ``in_a_row`` times in a row; 0 takes this limit away.
        """
        read = [_read(fault) for fault in faults]
        self._lasting = [fault for fault in read if fault.is_lasting]
        self._random = [fault for fault in read if not fault.is_lasting]
        self._rate = rate
        self._seed = seed
        self._in_a_row = in_a_row
        self._requests = 0
        self._history: dict[str, tuple[int, int]] = {}
        self._events: list[_Event] = []
        self.hits: list[tuple[str, str]] = []
        """The faults that chance brought so far, each with the request that it hit: ``GET /v1/...?...``."""

    def before(self, nth: int, action: Action, *, containing: str = "") -> None:
        """Runs an action on the store before the nth request from now that contains this text is answered.

        The text is looked for in the method, path and query as sent, as in ``hits``.
        """
        self._events.append(_Event(containing, action, nth))

    def around(self, handle: Handler) -> Handler:
        """The handler with everything that may go wrong."""

        async def answer(request: Request) -> Response:
            path, query = request.url.path, request.url.query
            target = f"{request.method} {path}?{query}" if query else f"{request.method} {path}"
            self._requests += 1
            request.state.number = self._requests
            self._act(target, request.app.state.store)
            faulty = handle
            for fault in [*self._lasting, *self._draw(request, target)]:
                if fault.applies(request):
                    faulty = partial(fault.inject, handle=faulty)
            return await faulty(request)

        return answer

    def _act(self, target: str, store: Store) -> None:
        for event in self._events:
            if event.containing in target:
                event.requests_left -= 1
                if event.requests_left == 0:
                    event.action(store)

    def _draw(self, request: Request, target: str) -> list[Fault]:
        """The fault that hits this request, if one does."""
        faults = [fault for fault in self._random if fault.applies(request)]
        if not faults:
            return []
        seen, row = self._history.get(target, (0, 0))
        chance = random.Random(f"{self._seed} {target} {seen}")
        is_hit = chance.random() < self._rate and not 0 < self._in_a_row <= row
        self._history[target] = (seen + 1, row + 1 if is_hit else 0)
        if not is_hit:
            return []
        fault = chance.choice(faults)
        self.hits.append((fault.name, target))
        return [fault]


def _read(words: str) -> Fault:
    """The fault that these words name, with the value in place that they give."""
    name, equals, text = words.partition("=")
    if name not in FAULTS:
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
    fault, parameter = FAULTS[name], FAULTS[name].parameter
    if not equals and (parameter is None or parameter.default is not parameter.empty):
        return fault
    if parameter is None or not text:
        raise ValueError(f"write {fault.usage}, not {words}")
    try:
        value = msgspec.convert(text, parameter.annotation, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{fault.usage} was given {text!r}: {error}") from None
    return replace(fault, inject=partial(fault.inject, **{parameter.name: value}))
