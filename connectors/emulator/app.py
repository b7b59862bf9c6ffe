"""The API's routes over a store: reads requests, writes responses. Rules are in the store and ``asking``."""

import time
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.emulator import asking, errors
from connectors.emulator.dialects import OPENAI, Dialect
from connectors.emulator.errors import ApiError
from connectors.emulator.faults import Handler
from connectors.emulator.injection import Faults
from connectors.emulator.rendering import StoredItem
from connectors.emulator.store import Store

_NOT_FOUND: Final = 404


def create_app(
    store: Store, *, api_key: str | None = None, faults: Faults | None = None, dialect: Dialect = OPENAI
) -> Starlette:
    """An application that serves the store; without an ``api_key`` any key will do, but there must be one.

    Those of the ``faults`` that are about the connection need a real one, as of ``running_emulator``.
    """
    api = _Api(store)
    to_list: dict[str, Handler] = {"GET": api.list_conversations} if dialect.lists_conversations else {}
    handlers: dict[str, dict[str, Handler]] = {
        "/conversations": {"POST": api.create_conversation, **to_list},
        "/conversations/{id}": {
            "GET": api.retrieve_conversation,
            "POST": api.update_conversation,
            "DELETE": api.delete_conversation,
        },
        "/conversations/{id}/items": {"GET": api.list_items, "POST": api.create_items},
        "/conversations/{id}/items/{item}": {"GET": api.retrieve_item, "DELETE": api.delete_item},
    }
    app = Starlette(
        routes=[
            _by_method(prefix + path, _in_version(dialect, prefix, of_path), faults)
            for prefix in dialect.prefixes
            for path, of_path in handlers.items()
        ],
        middleware=[Middleware(_Headers), Middleware(_Authorization, api_key=api_key, dialect=dialect)],
        exception_handlers={ApiError: _refuse, HTTPException: partial(_refuse_route, dialect)},
    )
    app.state.store = store
    return app


class _Api:
    """One method per endpoint."""

    def __init__(self, store: Store) -> None:
        """Keeps the store that all endpoints share."""
        self._store = store

    async def create_conversation(self, request: Request) -> Response:
        """POST /conversations."""
        body = asking.read_body(await request.body())
        conversation = self._store.create_conversation(
            asking.read_items(body.get("items")), asking.read_metadata(body.get("metadata"))
        )
        return _json(conversation.body())

    async def list_conversations(self, request: Request) -> Response:
        """GET /conversations, which only some servers have."""
        asked = asking.read_list_query(request.query_params)
        chosen, has_more = self._store.list_conversations(after=asked.after, order=asked.order, limit=asked.limit)
        first, last = (chosen[0].id, chosen[-1].id) if chosen else (None, None)
        data = [conversation.body() for conversation in chosen]
        return _json({"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more})

    async def retrieve_conversation(self, request: Request) -> Response:
        """GET /conversations/{id}."""
        return _json(self._store.retrieve_conversation(request.path_params["id"]).body())

    async def update_conversation(self, request: Request) -> Response:
        """POST /conversations/{id}: replaces the metadata."""
        body = asking.read_body(await request.body())
        if "metadata" not in body:
            raise errors.missing("metadata")
        metadata = asking.read_metadata(body["metadata"])
        return _json(self._store.update_conversation(request.path_params["id"], metadata).body())

    async def delete_conversation(self, request: Request) -> Response:
        """DELETE /conversations/{id}."""
        conversation_id = request.path_params["id"]
        self._store.delete_conversation(conversation_id)
        return _json({"id": conversation_id, "object": "conversation.deleted", "deleted": True})

    async def list_items(self, request: Request) -> Response:
        """GET /conversations/{id}/items."""
        asked = asking.read_list_query(request.query_params)
        page = self._store.list_items(
            request.path_params["id"], after=asked.after, order=asked.order, limit=asked.limit
        )
        return self._list(page.items, page.has_more, asked.include)

    async def create_items(self, request: Request) -> Response:
        """POST /conversations/{id}/items: answers with the new items in the order sent."""
        include = asking.read_include(request.query_params)
        body = asking.read_body(await request.body())
        if "items" not in body:
            raise errors.missing("items")
        created = self._store.create_items(request.path_params["id"], asking.read_items(body["items"]))
        return self._list(created, has_more=False, include=include)

    async def retrieve_item(self, request: Request) -> Response:
        """GET /conversations/{id}/items/{item_id}."""
        include = asking.read_include(request.query_params)
        item = self._store.retrieve_item(request.path_params["id"], request.path_params["item"])
        return Response(self._store.render(item, include), media_type="application/json")

    async def delete_item(self, request: Request) -> Response:
        """DELETE /conversations/{id}/items/{item_id}: as recorded, not as the reference says."""
        item_id = request.path_params["item"]
        self._store.delete_item(request.path_params["id"], item_id)
        return _json({"id": item_id, "object": "conversation.item.deleted", "deleted": True})

    def _list(self, items: list[StoredItem], has_more: bool, include: frozenset[str]) -> Response:
        """A list response, put together from the items' bytes."""
        data = b",".join([self._store.render(item, include) for item in items])
        first, last = (items[0].id, items[-1].id) if items else (None, None)
        tail = msgspec.json.encode({"first_id": first, "has_more": has_more, "last_id": last})
        return Response(b'{"object":"list","data":[' + data + b"]," + tail[1:], media_type="application/json")


def _in_version(dialect: Dialect, prefix: str, handlers: dict[str, Handler]) -> dict[str, Handler]:
    """The same handlers, for requests that name the version that is wanted under this prefix."""

    def checked(handle: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            if refusal := dialect.refuse_version(prefix, request.query_params):
                raise refusal
            return await handle(request)

        return answer

    return {method: checked(handle) for method, handle in handlers.items()}


def _by_method(path: str, handlers: dict[str, Handler], faults: Faults | None) -> Route:
    """One route whose method picks the handler, so that a wrong method is told from a wrong path."""

    async def handle(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await handlers[method](request)

    return Route(path, faults.around(handle) if faults else handle, methods=list(handlers))


def _json(body: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response with the keys in the order given."""
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def _refusal(error: ApiError) -> Response:
    """An error response."""
    return _json(error.body(), error.status, error.headers)


def _refuse(request: Request, error: Exception) -> Response:
    """Answers what an endpoint refused."""
    assert isinstance(error, ApiError)  # noqa: S101  # registered for this class only
    return _refusal(error)


def _refuse_route(dialect: Dialect, request: Request, error: Exception) -> Response:
    """Answers a request for which there is no endpoint."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class only
    refusal = dialect.no_such_url if error.status_code == _NOT_FOUND else errors.not_allowed
    return _refusal(refusal(request.method, request.url.path))


class _Authorization:
    """Lets only requests with a key through."""

    def __init__(self, app: ASGIApp, api_key: str | None, dialect: Dialect) -> None:
        """Wraps an application; without an ``api_key`` every key is right."""
        self._app = app
        self._api_key = api_key
        self._dialect = dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on or answers 401."""
        error = self._dialect.refuse_key(scope["headers"], self._api_key) if scope["type"] == "http" else None
        await (self._app if error is None else _refusal(error))(scope, receive, send)


class _Headers:
    """Adds the headers that the API's responses carry; no rate limits are among them."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on and completes its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["openai-version"] = "2020-10-01"
                headers["openai-organization"] = "org-emulator"
                headers["openai-project"] = "proj_emulator"
                headers["openai-processing-ms"] = str(int((time.perf_counter() - started) * 1000))
                headers["X-Request-ID"] = f"req_{uuid.uuid4().hex}"
                headers["x-openai-proxy-wasm"] = "v0.1"
            await send(message)

        await self._app(scope, receive, complete)
