"""Where each leaf of an item must be found again, told from the declaration in plain Python: the second opinion.

Nothing here uses the SQL under test. A leaf is a scalar, or a whole value that the API leaves free-form.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.item_type import ItemType
from models.payloads import PAYLOAD_KEPT_BYTES
from models.shape import (
    DISCRIMINATOR,
    Definitions,
    Field,
    Member,
    Nested,
    Payload,
    Rows,
    Scalar,
    Scalars,
    Structs,
    TextOr,
    superset,
)

TYPED, FREE, DRIFT, SPINE = "typed column", "free-form column", "drift", "spine"


@dataclass(frozen=True)
class Leaf:
    """A leaf of an item: how it is kept, and in which cell (table, indexes, column) with which value."""

    path: str
    kind: str
    table: str = ""
    indexes: tuple[int, ...] = ()
    column: str = ""
    value: object = None


def trace(item_type: ItemType, item: Mapping[str, object]) -> Iterator[Leaf]:
    """All leaves of an item."""
    for name in ("id", DISCRIMINATOR):
        if name in item:
            yield Leaf(name, SPINE)
    rest = {name: value for name, value in item.items() if name not in {"id", DISCRIMINATOR}}
    yield from _object(rest, item_type.members, item_type.name, (), "", "")


def same(left: object, right: object, *, free: bool) -> bool:
    """Whether a cell holds the value; numbers of free-form JSON are doubles."""
    if free:
        return _equal(json.loads(str(left)), right) if left is not None else right is None
    return type(left) is type(right) and left == right


def _object(
    value: Mapping[str, object], members: tuple[Member, ...], table: str, at: tuple[int, ...], prefix: str, path: str
) -> Iterator[Leaf]:
    known = {field.name: field for field in superset(members)}
    for name, inner in value.items():
        where = f"{path}.{name}" if path else name
        if name in known:
            yield from _value(inner, known[name], table, at, prefix + name, where)
        else:
            yield Leaf(where, DRIFT)


def _value(value: object, field: Field, table: str, at: tuple[int, ...], column: str, path: str) -> Iterator[Leaf]:
    match field:
        case _ if value is None:
            if not isinstance(field, Rows | Definitions | Nested) and not (
                isinstance(field, TextOr) and not isinstance(field.other, Rows)
            ):
                yield Leaf(path, TYPED, table, at, column)
        case Scalar(type="JSON"):
            yield Leaf(path, FREE, table, at, column, _text(value))
        case Scalar() if _is(value, field.type):
            yield Leaf(path, TYPED, table, at, column, _cell(value, field.type))
        case Payload() if isinstance(value, str):
            short = len(_text(value).encode()) < PAYLOAD_KEPT_BYTES  # type: ignore[attr-defined]  # a str stays one
            yield Leaf(path, TYPED, table, at, column, _text(value) if short else None)
        case Scalars() if isinstance(value, list):
            fits = [one is None or _is(one, field.type) for one in value]
            cells = [
                _cell(one, field.type) if fit and one is not None else None
                for one, fit in zip(value, fits, strict=True)
            ]
            yield Leaf(path, TYPED, table, at, column, cells)
            yield from (Leaf(f"{path}[]", DRIFT) for fit in fits if not fit)
        case Structs() if isinstance(value, list):
            cells = []
            for one in value:
                inner = list(_object(one, field.members, "", (), "", f"{path}[]")) if isinstance(one, dict) else []
                empty = {part.name: None for part in superset(field.members)}
                found = {leaf.column: leaf.value for leaf in inner if leaf.kind == TYPED}
                cells.append({**empty, **found} if isinstance(one, dict) else None)
                yield from (leaf for leaf in inner if leaf.kind == DRIFT)
                if one is not None and not isinstance(one, dict):
                    yield Leaf(f"{path}[]", DRIFT)
            yield Leaf(path, TYPED, table, at, column, cells)
        case Nested() if isinstance(value, dict):
            yield from _object(value, field.members, table, at, f"{column}_", path)
        case Rows() if isinstance(value, list):
            for n, one in enumerate(value):
                if isinstance(one, dict):
                    yield from _object(one, field.members, f"{table}__{column}", (*at, n), "", f"{path}[]")
                elif one is not None:
                    yield Leaf(f"{path}[]", DRIFT)
        case Definitions() if isinstance(value, list):
            for n, one in enumerate(value):
                yield Leaf(f"{path}[]", FREE, f"{table}__{column}", (*at, n), "definition", _text(one))
                yield from _common(one, field, f"{table}__{column}", (*at, n), f"{path}[]")
        case TextOr() if isinstance(value, str):
            yield Leaf(path, TYPED, table, at, column, _text(value))
        case TextOr() if isinstance(value, list if isinstance(field.other, Rows) else dict):
            yield from _value(value, field.other, table, at, column, path)
        case _:
            yield Leaf(path, DRIFT, table, at, column)


def _common(one: object, field: Definitions, table: str, at: tuple[int, ...], path: str) -> Iterator[Leaf]:
    found = one if isinstance(one, dict) else {}
    for part in field.fields:
        if found.get(part.name) is not None:
            yield from _value(found[part.name], part, table, at, part.name, f"{path}.{part.name}")


def _is(value: object, declared: str) -> bool:
    match declared:
        case "VARCHAR":
            return isinstance(value, str)
        case "BOOLEAN":
            return isinstance(value, bool)
        case "BIGINT":
            return type(value) is int and -(2**63) <= value < 2**63
        case _:
            return type(value) in (int, float) and abs(value) < 1.8e308  # type: ignore[arg-type]  # a number


def _cell(value: object, declared: str) -> object:
    return float(value) if declared == "DOUBLE" else _text(value)  # type: ignore[arg-type]  # a number


def _text(value: object) -> object:
    """Lone surrogates, which no UTF-8 text can hold, as U+FFFD."""
    match value:
        case str():
            return "".join("\ufffd" if 0xD800 <= ord(character) < 0xE000 else character for character in value)
        case list():
            return [_text(inner) for inner in value]
        case dict():
            return {_text(name): _text(inner) for name, inner in value.items()}
        case _:
            return value


def _equal(left: object, right: object) -> bool:
    match left, right:
        case (bool(), _) | (_, bool()):
            return left is right
        case (int() | float(), int() | float()):
            return math.isclose(float(left), float(right), rel_tol=1e-15)
        case (list(), list()):
            return len(left) == len(right) and all(map(_equal, left, right))
        case (dict(), dict()):
            return left.keys() == right.keys() and all(_equal(left[name], right[name]) for name in left)
        case _:
            return left == right
