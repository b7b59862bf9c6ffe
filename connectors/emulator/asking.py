"""Reads query strings and request bodies, and refuses what the API refuses. Pure: no store, no responses."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.datastructures import QueryParams

from connectors.emulator import errors
from connectors.emulator.includes import INCLUDABLE
from connectors.emulator.incoming import json_type

MAX_LIMIT: Final = 100
DEFAULT_LIMIT: Final = 20
ORDERS: Final = ("asc", "desc")
MAX_METADATA_PAIRS: Final = 16


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list request asks for."""

    after: str | None
    order: str
    limit: int
    include: frozenset[str]


def read_list_query(query: QueryParams) -> ListQuery:
    """The parameters of a list request, with their defaults."""
    return ListQuery(
        after=_read_scalar(query, "after"),
        order=_read_order(query),
        limit=_read_limit(query),
        include=read_include(query),
    )


def read_include(query: QueryParams) -> frozenset[str]:
    """The include values, which only count when sent as an array."""
    if "include" in query:
        values = ", ".join(f"'{value[:3]}...{value[-3:]}'" for value in INCLUDABLE)
        raise errors.wrong_type("include", f"an array of one of {values}", "a string")
    asked = query.getlist("include[]")
    for index, value in enumerate(asked):
        if value not in INCLUDABLE:
            raise errors.wrong_value(f"include[{index}]", value, INCLUDABLE)
    return frozenset(asked)


def read_body(raw: bytes) -> dict[str, Any]:
    """A request's JSON object; no body at all is an empty one."""
    if not raw:
        return {}
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise errors.not_json() from None
    if not isinstance(body, dict):
        raise errors.not_json()
    return body


def read_items(items: Any) -> list[Any]:
    """The list of items in a body; what is in them, the store checks."""
    if items is None:
        return []
    if not isinstance(items, list):
        raise errors.wrong_type("items", "an array of objects", json_type(items))
    return items


def read_metadata(metadata: Any) -> dict[str, str]:
    """The metadata in a body: up to 16 pairs of strings."""
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise errors.wrong_type("metadata", "an object", json_type(metadata))
    if len(metadata) > MAX_METADATA_PAIRS:
        raise errors.too_many("metadata", len(metadata), MAX_METADATA_PAIRS)
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise errors.wrong_type(f"metadata.{key}", "a string", json_type(value))
    return metadata


def _read_scalar(query: QueryParams, name: str) -> str | None:
    """A parameter that may come once."""
    values = query.getlist(name)
    if len(values) > 1:
        raise errors.sent_twice(name)
    return values[0] if values else None


def _read_order(query: QueryParams) -> str:
    """The order asked for, newest first unless told otherwise."""
    order = _read_scalar(query, "order")
    if order is not None and order not in ORDERS:
        raise errors.wrong_value("order", order, ORDERS)
    return order or "desc"


def _read_limit(query: QueryParams) -> int:
    """The page size asked for, within its bounds."""
    text = _read_scalar(query, "limit")
    if text is None:
        return DEFAULT_LIMIT
    if not text.removeprefix("-").isdecimal():
        raise errors.wrong_type("limit", "an integer", "a string")
    limit = int(text)
    if limit > MAX_LIMIT:
        raise errors.too_large("limit", limit, MAX_LIMIT)
    if limit < 1:
        raise errors.too_small("limit", limit, 1)
    return limit
