"""Whether an item is as declared; if not, what is different, and its text with the conflicting values left out.

DuckDB's `from_json` misreads silently ("42" becomes 42, 1.7 becomes 2, true becomes 1, an object its text), so what it
is given must be as declared. Nearly every item is: msgspec, given the declaration as a type, says so in microseconds.
The others are walked value by value, and only what is of the declared type is read. Findings say what and where, never
a content.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Union

import msgspec

from models.item_type import ItemType
from models.shape import (
    BOOLEAN,
    DISCRIMINATOR,
    FREE_FORM,
    INTEGER,
    NUMBER,
    TEXT,
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

UNKNOWN_TYPE, UNKNOWN_FIELD, UNKNOWN_FORM = "unknown_type", "unknown_field", "unknown_form"
UNKNOWN_VALUE, WRONG_TYPE, UNREADABLE = "unknown_value", "wrong_type", "unreadable"
_API_WORD = re.compile(r"(?!.*[0-9]{5})[a-z][a-z0-9_]{0,47}")
"""How the API's own words look; a key, a name or a number does not."""
_NOT_SHOWN = "(not shown)"
_NONE = "(none)"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ENCODER = msgspec.json.Encoder()
_INT64 = range(-(2**63), 2**63)
_LONGEST_NUMBER = 400


class Drift(NamedTuple):
    """A difference between an item and its declaration."""

    path: str
    """Where: field names joined with dots, [] for each element of a list, the form of a union in parentheses."""
    kind: str
    seen: str
    """The JSON type, or the word, that was not expected; `(not shown)` where it could be somebody's words."""


class Conformed(NamedTuple):
    """What may be read of an item, as JSON in UTF-8, and how it differs from what is declared."""

    json: bytes
    drift: frozenset[Drift]


_NO_DRIFT: frozenset[Drift] = frozenset()
_NOTHING = b"{}"
_NOT_TEXT = Drift("", UNREADABLE, "not UTF-8")


def conform(item_type: ItemType, raw: bytes) -> Conformed:
    """Compare an item's bytes with its declaration, and write down what may be read of it.

    It is written anew even if all is well, so that a name that stands twice in one object, of which DuckDB reads the
    first and everybody else the last, cannot be read in two ways: the last counts.
    """
    decoder = _decoder(item_type.name, item_type.members)
    if decoder is not None:
        try:
            return Conformed(_ENCODER.encode(decoder.decode(raw)), _NO_DRIFT)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            pass
    try:
        return _walk(item_type, raw.decode())
    except UnicodeDecodeError:
        readable, drift = _walk(item_type, raw.decode(errors="replace"))
        return Conformed(readable, drift | {_NOT_TEXT})


def readable_json(text: str) -> str | None:
    """The JSON text as DuckDB can keep it: itself, or with lone surrogates replaced; None if it is no JSON."""
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        try:
            return msgspec.json.encode(_readable(_decode(text))).decode()
        except (ValueError, RecursionError):
            return None
    return text


def json_type(value: object) -> str:
    """The JSON type of a decoded value, in JSON's own words."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float() | msgspec.Raw():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def shown(word: object) -> str:
    """A word of the API's own, to be kept with a finding; anything that could be content is not shown."""
    if word is None:
        return _NONE
    return word if isinstance(word, str) and _API_WORD.fullmatch(word) else _NOT_SHOWN


def _walk(item_type: ItemType, raw: str) -> Conformed:
    walk = _Walk()
    try:
        value = _decode(raw)
        if not isinstance(value, dict):
            return Conformed(_NOTHING, frozenset({Drift("", UNREADABLE, json_type(value))}))
        if not isinstance(value.get("id"), str | None):
            walk.found("id", WRONG_TYPE, json_type(value["id"]))
        fields = {name: inner for name, inner in value.items() if name not in {"id", DISCRIMINATOR}}
        readable = _ENCODER.encode(walk.read_object(fields, item_type.members, ""))
    except (ValueError, RecursionError):
        return Conformed(_NOTHING, frozenset({Drift("", UNREADABLE, _NONE)}))
    return Conformed(readable, frozenset(walk.drift))


class _Walk:
    """One pass over a decoded item: collects the drift, and gives back what may be read."""

    def __init__(self) -> None:
        self.drift: set[Drift] = set()

    def read_object(self, value: Mapping[str, object], members: tuple[Member, ...], path: str) -> dict[str, object]:
        """What may be read of an object; a field of another form than its own is read, and reported."""
        form = self._form(value, members, path)
        here = path if form is None or form.value is None else f"{path}({form.value})"
        readable = _by_name(superset(members))
        own = _by_name(form.fields) if form else readable
        kept: dict[str, object] = {}
        for name, inner in value.items():
            where = f"{here}.{shown(name)}" if here else shown(name)
            if name == DISCRIMINATOR and members[0].value is not None:
                kept[name] = self._scalar(inner, Scalar(name, "", TEXT), where)
                continue
            if name not in own:
                self.found(where, UNKNOWN_FIELD, json_type(inner))
            if name in readable:
                kept[name] = self._value(inner, readable[name], where)
        return kept

    def _form(self, value: Mapping[str, object], members: tuple[Member, ...], path: str) -> Member | None:
        """The member of a union that the object says it is; None, and a finding, if there is no such member."""
        if members[0].value is None:
            return members[0]
        word = value.get(DISCRIMINATOR)
        form = next((form for form in members if form.value == word), None)
        if form is None and (word is None or isinstance(word, str)):
            self.found(path, UNKNOWN_FORM, shown(word))
        return form

    def _value(self, value: object, field: Field, path: str) -> object:
        if value is None:
            return None
        match field:
            case Scalar():
                return self._scalar(value, field, path)
            case Payload():
                return self._scalar(value, Scalar(field.name, "", TEXT), path)
            case Scalars():
                return self._list(value, path, lambda inner: self._scalar(inner, _element(field), f"{path}[]"))
            case Definitions():
                return self._list(value, path, lambda inner: self._definition(inner, field, f"{path}[]"))
            case Nested():
                return self._nested(value, field.members, path)
            case Rows() | Structs():
                return self._list(value, path, lambda inner: self._nested(inner, field.members, f"{path}[]"))
            case TextOr():
                return _readable(value) if isinstance(value, str) else self._other(value, field, path)

    def _other(self, value: object, field: TextOr, path: str) -> object:
        expected = list if isinstance(field.other, Rows) else dict
        return self._value(value, field.other, path) if isinstance(value, expected) else self._conflict(value, path)

    def _scalar(self, value: object, field: Scalar, path: str) -> object:
        if value is None or field.type == FREE_FORM:
            return _readable(value)
        if not _is_of_type(value, field.type):
            return self._conflict(value, path)
        if field.enum and value not in field.enum:
            self.found(path, UNKNOWN_VALUE, shown(value))
        return _readable(value)

    def _nested(self, value: object, members: tuple[Member, ...], path: str) -> object:
        if value is None:
            return None
        return self.read_object(value, members, path) if isinstance(value, dict) else self._conflict(value, path)

    def _list(self, value: object, path: str, read: Callable[[object], object]) -> object:
        return [read(inner) for inner in value] if isinstance(value, list) else self._conflict(value, path)

    def _definition(self, value: object, field: Definitions, path: str) -> object:
        """A definition is kept whole; its common fields are guarded where they are read."""
        if not isinstance(value, dict):
            if value is not None:
                self.found(path, WRONG_TYPE, json_type(value))
            return _readable(value)
        look = _Walk()
        declared = {common.name for common in field.fields}
        look.read_object({name: inner for name, inner in value.items() if name in declared}, field.members, path)
        self.drift |= look.drift
        return _readable(value)

    def _conflict(self, value: object, path: str) -> object:
        """Nothing may be read in place of a value of another type."""
        self.found(path, WRONG_TYPE, json_type(value))
        return None

    def found(self, path: str, kind: str, seen: str) -> None:
        """Note a difference."""
        self.drift.add(Drift(path, kind, seen))


def _by_name(fields: tuple[Field, ...]) -> dict[str, Field]:
    return {field.name: field for field in fields}


def _element(field: Scalars) -> Scalar:
    return Scalar(field.name, field.doc, field.type)


def _is_of_type(value: object, declared: str) -> bool:
    match declared:
        case "BOOLEAN":
            return isinstance(value, bool)
        case "BIGINT":
            return isinstance(value, int) and not isinstance(value, bool) and value in _INT64
        case "DOUBLE":
            return isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)
        case _:
            return isinstance(value, str)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _readable(value: object) -> object:
    """The value with lone surrogates, which no UTF-8 text can hold, replaced by U+FFFD."""
    match value:
        case str():
            return _LONE_SURROGATE.sub("\ufffd", value)
        case list():
            return [_readable(inner) for inner in value]
        case dict():
            return {str(_readable(name)): _readable(inner) for name, inner in value.items()}
        case _:
            return value


def _decode(raw: str) -> object:
    """The decoded JSON; numbers that Python cannot hold exactly stay text, so that they can be written again."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeError):
        return json.loads(raw, parse_int=_integer, parse_float=_float, parse_constant=_no_constant)


def _integer(text: str) -> object:
    return int(text) if len(text) < _LONGEST_NUMBER else msgspec.Raw(text.encode())


def _float(text: str) -> object:
    number = float(text)
    return number if math.isfinite(number) else msgspec.Raw(text.encode())


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


@cache
def _decoder(name: str, members: tuple[Member, ...]) -> "msgspec.json.Decoder[Any] | None":
    """A decoder that accepts just what is declared; None where definitions are kept whole, whatever their fields."""
    (form,) = members
    if any(isinstance(part, Definitions) for part in form.fields):
        return None
    fields = [("id", str | None), (DISCRIMINATOR, str | None), *((part.name, _type(part)) for part in form.fields)]
    return msgspec.json.Decoder(_struct(name, fields))


def _type(field: Field) -> Any:
    """The declared field as a Python type that msgspec understands; null is always allowed."""
    match field:
        case Scalar(type=kind, enum=enum):
            return _scalar_type(kind, enum)
        case Payload():
            return str | None
        case Scalars(type=kind):
            return list[_scalar_type(kind, ())] | None  # type: ignore[misc]  # a type made at run time
        case Definitions():
            raise NotImplementedError("definitions are always walked")
        case Nested():
            return Union[*_forms(field.members), None]
        case Rows() | Structs():
            return list[Union[*_forms(field.members), None]] | None  # type: ignore[misc]  # the same
        case TextOr(other=other):
            return Union[str, _type(other)]  # noqa: UP007


def _scalar_type(kind: str, enum: tuple[str, ...]) -> Any:
    if enum:
        return Literal[enum] | None
    return {
        TEXT: str | None,
        INTEGER: Annotated[int, msgspec.Meta(ge=_INT64.start, le=_INT64.stop - 1)] | None,
        NUMBER: float | None,
        BOOLEAN: bool | None,
        FREE_FORM: Any,
    }[kind]


def _forms(members: tuple[Member, ...]) -> Iterator[Any]:
    for form in members:
        fields = [(part.name, _type(part)) for part in form.fields]
        yield _struct(form.value or "object", fields, tag=form.value)


def _struct(name: str, fields: list[tuple[str, Any]], *, tag: str | None = None) -> Any:
    """A struct type of these fields, all optional, and no others."""
    return msgspec.defstruct(
        f"_{name}",
        [(f"f{n}", kind, None) for n, (_, kind) in enumerate(fields)],
        rename={f"f{n}": word for n, (word, _) in enumerate(fields)},
        forbid_unknown_fields=True,
        omit_defaults=True,
        tag_field=None if tag is None else DISCRIMINATOR,
        tag=tag,
        gc=False,
    )
