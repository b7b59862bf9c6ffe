"""The words in which an item type is declared: fields, nested objects, unions, child lists.

Here: the shape of the JSON and what each field means, nothing else. Not here: which tables (`items`), which SQL
(`flatten`). The rules, the same for every type:

* a scalar is a column; a list of scalars is a column of a DuckDB list;
* a nested object's fields become columns joined with `_` (`action` + `query` = `action_query`);
* a union is the superset of its members' fields plus its discriminator `type`;
* a list of objects is a child table; a small list that nobody queries alone may stay a list of structs;
* a field that is a string or a list, or a string or an object, is declared as just that;
* a payload (an image, a file) has its length, media type and digest beside it; a long one is not repeated in the table;
* definitions, which the API leaves free-form, are a child table of their common fields and the whole as JSON.
"""

from dataclasses import dataclass, replace
from functools import cache

TEXT, INTEGER, NUMBER, BOOLEAN, FREE_FORM = "VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "JSON"
DISCRIMINATOR = "type"


@dataclass(frozen=True)
class Scalar:
    """One value. `enum` lists the values documented so far; others are kept, and reported."""

    name: str
    doc: str
    type: str
    enum: tuple[str, ...] = ()


@dataclass(frozen=True)
class Payload:
    """A string that is, or may be, an image or a file."""

    name: str
    doc: str


@dataclass(frozen=True)
class Scalars:
    """A list of values of one type, kept as a DuckDB list."""

    name: str
    doc: str
    type: str


@dataclass(frozen=True, eq=False)
class Member:
    """One form that an object may take; `value` is what its `type` says (None: the object is not a union).

    Forms are told apart by identity, which makes them cheap as keys.
    """

    value: str | None
    fields: tuple["Field", ...]


@dataclass(frozen=True)
class Nested:
    """An object, or a union of objects: its fields become columns with this name as prefix."""

    name: str
    doc: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Rows:
    """A list of objects: a child table, one row per element."""

    name: str
    doc: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Definitions:
    """A list of objects of many forms, of which `fields` are common: a child table with the whole as JSON."""

    name: str
    doc: str
    fields: tuple[Scalar | Scalars, ...]

    @property
    def members(self) -> tuple[Member, ...]:
        """The common fields, as a shape."""
        return (Member(None, self.fields),)


@dataclass(frozen=True)
class Structs:
    """A list of small objects that stays in its row, as a DuckDB list of structs."""

    name: str
    doc: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class TextOr:
    """A field that is a plain string, or else `other` (a list of objects, or an object) under the same name."""

    text: Scalar
    other: Rows | Nested

    @property
    def name(self) -> str:
        """The field's name."""
        return self.text.name

    @property
    def doc(self) -> str:
        """The field's meaning, whatever its form."""
        return self.text.doc


Field = Scalar | Payload | Scalars | Nested | Rows | Definitions | Structs | TextOr


def text(name: str, doc: str, *enum: str) -> Scalar:
    """A string, kept as it came."""
    return Scalar(name, doc, TEXT, enum)


def integer(name: str, doc: str) -> Scalar:
    """A whole number."""
    return Scalar(name, doc, INTEGER)


def number(name: str, doc: str) -> Scalar:
    """A number."""
    return Scalar(name, doc, NUMBER)


def boolean(name: str, doc: str) -> Scalar:
    """True or false."""
    return Scalar(name, doc, BOOLEAN)


def free_form(name: str, doc: str) -> Scalar:
    """What the API itself declares free-form: kept as JSON."""
    return Scalar(name, doc, FREE_FORM)


def payload(name: str, doc: str) -> Payload:
    """An image or a file: base64, a data URL, or an address."""
    return Payload(name, doc)


def texts(name: str, doc: str) -> Scalars:
    """A list of strings."""
    return Scalars(name, doc, TEXT)


def integers(name: str, doc: str) -> Scalars:
    """A list of whole numbers."""
    return Scalars(name, doc, INTEGER)


def member(value: str, *fields: Field) -> Member:
    """The form of a union whose `type` is `value`."""
    return Member(value, fields)


def nested(name: str, doc: str, *content: "Field | Member") -> Nested:
    """An object (give its fields) or a union of objects (give its members)."""
    return Nested(name, doc, _members(content))


def rows(name: str, doc: str, *content: "Field | Member") -> Rows:
    """A list of objects (give the fields) or of a union's objects (give the members), as a child table."""
    return Rows(name, doc, _members(content))


def definitions(name: str, doc: str, *fields: Scalar | Scalars) -> Definitions:
    """A list of free-form objects with some common fields."""
    return Definitions(name, doc, fields)


def structs(name: str, doc: str, *fields: Field) -> Structs:
    """A list of objects that stays in its row."""
    return Structs(name, doc, _members(fields))


def text_or_rows(name: str, doc: str, *content: "Field | Member") -> TextOr:
    """A string, or a list of objects."""
    return TextOr(text(name, doc), rows(name, doc, *content))


def text_or_nested(name: str, doc: str, *content: "Field | Member") -> TextOr:
    """A string, or an object."""
    return TextOr(text(name, doc), nested(name, doc, *content))


@cache
def superset(members: tuple[Member, ...]) -> tuple[Field, ...]:
    """The fields of all members, each once, in order of first mention; a union's begin with its discriminator.

    A field that only some members have says so in its meaning. ValueError where two members give one name two types.
    """
    values = tuple(member.value for member in members if member.value is not None)
    found: dict[str, Field] = {}
    owners: dict[str, list[str]] = {}
    for form in members:
        for field in form.fields:
            known = found.setdefault(field.name, field)
            if _without_words(known) != _without_words(field):
                raise ValueError(f"{field.name}: declared in two ways among the members {values}")
            owners.setdefault(field.name, []).append(form.value or "")
    if not values:
        return tuple(found.values())
    merged = (_of(field, owners[name], values) for name, field in found.items())
    return (text(DISCRIMINATOR, "Which form this is.", *values), *merged)


def _members(content: "tuple[Field | Member, ...]") -> tuple[Member, ...]:
    members = tuple(part for part in content if isinstance(part, Member))
    fields = tuple(part for part in content if not isinstance(part, Member))
    if members and fields:
        raise ValueError("give either the fields of an object or the members of a union, not both")
    return members or (Member(None, fields),)


def _of(field: Field, owners: list[str], values: tuple[str, ...]) -> Field:
    """The field, its meaning saying which forms have it, if not all do."""
    if len(owners) == len(values) or not isinstance(field, Scalar | Scalars | Payload):
        return field
    return replace(field, doc=f"{field.doc} Only of: {', '.join(owners)}.")


def _without_words(field: Field) -> object:
    """What must agree where members share a field: all but meaning and documented values."""
    match field:
        case Scalar() | Scalars():
            return (type(field), field.name, field.type)
        case Payload():
            return (Payload, field.name)
        case TextOr():
            return (TextOr, _without_words(field.text), _without_words(field.other))
        case _:
            return (
                type(field),
                field.name,
                tuple((form.value, tuple(_without_words(inner) for inner in form.fields)) for form in field.members),
            )
