"""What can go wrong between a client and the API: one function per fault. Which requests it hits: ``injection``.

A fault stands between a request and its handler. Its third parameter, if it has one, is the value that it is given
after its name. A refused connection is not among them: that takes a server that is not running.
"""

import asyncio
import inspect
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from connectors.emulator import asking, errors
from connectors.emulator.errors import ApiError
from connectors.emulator.includes import INCLUDABLE
from connectors.emulator.rendering import StoredItem
from connectors.emulator.store import Store

Handler = Callable[[Request], Awaitable[Response]]
Inject = Callable[..., Awaitable[Response]]
Applies = Callable[[Request], bool]
Event = Callable[[Store, str, Sequence[StoredItem]], object]
Seconds = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]

_BODY_PIECES: Final = 10
_NO_LINGER: Final = struct.pack("ii", 1, 0)
_TAIL: Final = b',"first_id":'
_BAD_GATEWAY: Final = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong: at random, or always."""

    name: str
    inject: Inject
    applies: Applies
    is_lasting: bool

    @property
    def summary(self) -> str:
        """What it does, in one line."""
        return inspect.getdoc(self.inject) or ""

    @property
    def parameter(self) -> inspect.Parameter | None:
        """The value that it takes, if it takes one."""
        return next(iter([*inspect.signature(self.inject).parameters.values()][2:]), None)

    @property
    def usage(self) -> str:
        """How it is asked for."""
        if self.parameter is None:
            return self.name
        value = f"={self.parameter.name.upper()}"
        return self.name + (value if self.parameter.default is inspect.Parameter.empty else f"[{value}]")


FAULTS: Final[dict[str, Fault]] = {}


def _is_any(_: Request) -> bool:
    return True


def _is_list(request: Request) -> bool:
    return request.method == "GET" and request.url.path.endswith("/items")


def _goes_on(request: Request) -> bool:
    return _is_list(request) and "after" in request.query_params


def _fault(applies: Applies = _is_any, *, is_lasting: bool = False) -> Callable[[Inject], Inject]:
    """Makes a function a fault under its own name."""

    def register(inject: Inject) -> Inject:
        FAULTS[inject.__name__] = Fault(inject.__name__, inject, applies, is_lasting)
        return inject

    return register


@_fault()
async def rate_limit(request: Request, handle: Handler, seconds: Seconds | None = None) -> Response:
    """429, with retry-after if SECONDS are given."""
    raise errors.rate_limited(_retry_after(seconds))


@_fault()
async def rate_limit_ms(request: Request, handle: Handler, milliseconds: Seconds = 5) -> Response:
    """429 with retry-after-ms (default 5)."""
    raise errors.rate_limited({"retry-after-ms": f"{milliseconds:g}"})


@_fault()
async def rate_limit_date(request: Request, handle: Handler, seconds: Seconds = 1) -> Response:
    """429 whose retry-after is a date, SECONDS (default 1) from now and cut to a whole second."""
    raise errors.rate_limited({"retry-after": formatdate(time.time() + seconds, usegmt=True)})


@_fault()
async def insufficient_quota(request: Request, handle: Handler) -> Response:
    """429 that no waiting helps: the account has no credit left."""
    raise errors.quota_exceeded()


@_fault()
async def server_error(request: Request, handle: Handler) -> Response:
    """500."""
    raise errors.server_failed()


@_fault()
async def bad_gateway(request: Request, handle: Handler) -> Response:
    """502 with a page of HTML, as from a proxy."""
    return Response(_BAD_GATEWAY, 502, media_type="text/html")


@_fault()
async def service_unavailable(request: Request, handle: Handler, seconds: Seconds | None = None) -> Response:
    """503, with retry-after if SECONDS are given."""
    raise errors.overloaded(_retry_after(seconds))


@_fault()
async def connection_reset(request: Request, handle: Handler) -> Response:
    """Resets the connection instead of answering."""
    connection = request.state.transport
    connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    connection.abort()
    return await _hung_up(request)


@_fault()
async def cut_body(request: Request, handle: Handler) -> Response:
    """Closes the connection in the middle of the body."""
    response = await handle(request)

    async def half() -> AsyncIterator[bytes]:
        yield bytes(response.body)[: len(response.body) // 2]
        request.state.transport.close()
        await _hung_up(request)

    return StreamingResponse(half(), response.status_code, response.headers)


@_fault()
async def slow_body(request: Request, handle: Handler, interval_s: Seconds = 1) -> Response:
    """Sends the body in ten pieces, with a pause of INTERVAL_S (default 1) before each."""
    response = await handle(request)

    async def pieces() -> AsyncIterator[bytes]:
        body = bytes(response.body)
        length = -(-len(body) // _BODY_PIECES)
        for start in range(0, len(body), length):
            await asyncio.sleep(interval_s)
            yield body[start : start + length]

    return StreamingResponse(pieces(), response.status_code, response.headers)


@_fault()
async def stall(request: Request, handle: Handler) -> Response:
    """Never answers, until the client gives up or the server stops."""
    return await _hung_up(request)


@_fault()
async def truncated_json(request: Request, handle: Handler) -> Response:
    """A whole response, by its length, that holds half of the JSON."""
    response = await handle(request)
    return _json(bytes(response.body)[: len(response.body) // 2])


@_fault()
async def invalid_json(request: Request, handle: Handler) -> Response:
    """The JSON with one comma too many."""
    return _json(bytes((await handle(request)).body)[:-1] + b",}")


@_fault()
async def error_in_200(request: Request, handle: Handler) -> Response:
    """200 with the body of an error."""
    return _json(msgspec.json.encode(errors.server_failed().body()))


@_fault(_is_list)
async def bare_list(request: Request, handle: Handler) -> Response:
    """The items of a page as a JSON array, without the page around them."""
    head, _ = _split(await handle(request))
    return _json(head.partition(b'"data":')[2])


@_fault(_is_list)
async def missing_data(request: Request, handle: Handler) -> Response:
    """A page without its key data."""
    _, tail = _split(await handle(request))
    return _json(msgspec.json.encode({"object": "list", **tail}))


@_fault(_goes_on)
async def repeated_page(request: Request, handle: Handler) -> Response:
    """Serves the page that ends with the item after once more."""
    asked = asking.read_list_query(request.query_params)
    store: Store = request.app.state.store
    ids = list(store.retrieve_conversation(request.path_params["id"]).timeline.ids)
    if asked.after not in ids:
        return await handle(request)
    ordered = ids if asked.order == "asc" else ids[::-1]
    before = ordered.index(asked.after) - asked.limit
    return await handle(_going_on_after(request, ordered[before] if before >= 0 else None))


@_fault(_goes_on)
async def stuck_last_id(request: Request, handle: Handler) -> Response:
    """A page whose last_id is the after that was asked for."""
    return _with_tail(await handle(request), last_id=request.query_params["after"])


@_fault(_is_list, is_lasting=True)
async def has_more_always(request: Request, handle: Handler) -> Response:
    """Every page says has_more: true, even an empty one."""
    return _with_tail(await handle(request), has_more=True)


@_fault(_is_list, is_lasting=True)
async def has_more_never(request: Request, handle: Handler) -> Response:
    """Every page says has_more: false, even a full one."""
    return _with_tail(await handle(request), has_more=False)


@_fault(_goes_on, is_lasting=True)
async def unknown_after(
    request: Request, handle: Handler, answer: Literal["404", "first_page", "empty_page"]
) -> Response:
    """An after that is not in the conversation gets 404, first_page or empty_page instead of 400."""
    try:
        return await handle(request)
    except ApiError as error:
        if (error.param, error.code) != ("after", None):
            raise
    if answer == "404":
        raise errors.no_such_item(request.query_params["after"])
    if answer == "first_page":
        return await handle(_going_on_after(request, None))
    return _json(b'{"object":"list","data":[],"first_id":null,"has_more":false,"last_id":null}')


@_fault(is_lasting=True)
async def unknown_include(request: Request, handle: Handler, include: str) -> Response:
    """400 for the value INCLUDE of include[]."""
    asked = request.query_params.getlist("include[]")
    if include in asked:
        known = [value for value in INCLUDABLE if value != include]
        raise errors.wrong_value(f"include[{asked.index(include)}]", include, known)
    return await handle(request)


@_fault(is_lasting=True)
async def unauthorized_from(request: Request, handle: Handler, nth: Count) -> Response:
    """401 from the NTH request on, as when a key is revoked."""
    if request.state.number < nth:
        return await handle(request)
    raise errors.wrong_key(request.headers["authorization"].partition(" ")[2])


@_fault(is_lasting=True)
async def failing(request: Request, handle: Handler, conversation_id: str) -> Response:
    """500 for this one conversation."""
    if request.path_params.get("id") == conversation_id:
        raise errors.server_failed()
    return await handle(request)


@_fault(is_lasting=True)
async def forbidden(request: Request, handle: Handler, conversation_id: str) -> Response:
    """403 for this one conversation."""
    if request.path_params.get("id") == conversation_id:
        raise errors.no_access(conversation_id)
    return await handle(request)


@_fault(is_lasting=True)
async def conversation_deleted(request: Request, handle: Handler, nth: Count) -> Response:
    """Before the NTH request is answered, the conversation that it asks for is deleted."""
    return await _after(request, handle, nth, lambda store, one, _: store.delete_conversation(one))


@_fault(is_lasting=True)
async def last_item_deleted(request: Request, handle: Handler, nth: Count) -> Response:
    """Before the NTH request is answered, its conversation's last item is deleted."""
    return await _after(request, handle, nth, lambda store, one, items: store.delete_item(one, items[-1].id))


@_fault(is_lasting=True)
async def first_item_deleted(request: Request, handle: Handler, nth: Count) -> Response:
    """Before the NTH request is answered, its conversation's first item vanishes."""
    return await _after(request, handle, nth, lambda store, one, items: store.delete_item(one, items[0].id))


@_fault(is_lasting=True)
async def first_item_changed(request: Request, handle: Handler, nth: Count) -> Response:
    """Before the NTH request is answered, its conversation's first item becomes incomplete."""
    changed = {"status": "incomplete"}
    return await _after(
        request, handle, nth, lambda store, one, items: store.replace_item(one, {**items[0].item, **changed})
    )


@_fault(is_lasting=True)
async def first_item_shared(request: Request, handle: Handler, nth: Count) -> Response:
    """Before the NTH request is answered, its conversation's first item is added to every other one, too."""

    def share(store: Store, one: str, items: Sequence[StoredItem]) -> None:
        for other in store.conversation_ids():
            if other != one:
                store.create_items(other, [{"type": "item_reference", "id": items[0].id}])

    return await _after(request, handle, nth, share)


async def _after(request: Request, handle: Handler, nth: int, event: Event) -> Response:
    """Answers a request, the NTH one after something happened to its conversation."""
    store: Store = request.app.state.store
    if request.state.number == nth and (one := request.path_params.get("id")):
        timeline = store.retrieve_conversation(one).timeline
        event(store, one, [timeline.items[item_id] for item_id in timeline.ids])
    return await handle(request)


def _retry_after(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"retry-after": f"{seconds:g}"}


async def _hung_up(request: Request) -> Response:
    """Waits until the connection is gone; the response is for nobody."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _split(page: Response) -> tuple[bytes, dict[str, Any]]:
    """A page's bytes up to the end of its items, and what it says after them."""
    head, _, tail = bytes(page.body).rpartition(_TAIL)
    return head, msgspec.json.decode(b"{" + _TAIL[1:] + tail)


def _with_tail(page: Response, **changes: Any) -> Response:
    """The page with the same bytes of items, and other words after them."""
    head, tail = _split(page)
    return _json(head + b"," + msgspec.json.encode({**tail, **changes})[1:])


def _going_on_after(request: Request, after: str | None) -> Request:
    """The same list request with another ``after``, or none."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    query += [("after", after)] if after is not None else []
    return Request({**request.scope, "query_string": urlencode(query).encode()}, request.receive)
