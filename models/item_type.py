"""What an item type is: its declared fields, and the tables that follow from them.

Here: the step from fields (`shape`) to tables (`table`), with the SQL expression each column is read from.
Not here: the statements themselves (`flatten`), and which types there are (`items`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from models.payloads import PAYLOAD_KEPT_BYTES, media_type_sql
from models.shape import (
    FREE_FORM,
    INTEGER,
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
    text,
)
from models.table import Column, Table, literal, quoted

SCHEMA = "items"
ITEM_KEY = (
    Column("conversation_id", "VARCHAR", "The conversation that the item is in."),
    Column("item_id", "VARCHAR", "The item; unique within its conversation, not across conversations."),
)
SPINE = (
    *ITEM_KEY,
    Column("position", "BIGINT", "Ordinal of the item in its conversation; gaps mean nothing, order does."),
    Column(
        "item_at",
        "TIMESTAMP",
        "When the item was begun, UTC, read from its ID; NULL where the ID tells no time.",
    ),
)

Structure = str | list["Structure"] | dict[str, "Structure"]


@dataclass(frozen=True)
class Derived:
    """A column that we add because every analyst would; `expression` reads it from the item `e`."""

    column: Column
    expression: str


@dataclass(frozen=True)
class ItemTable:
    """One table of an item type, and where its rows come from.

    `parent` is the table one level up (None: one row per item); `list_expression` gives, on the parent's element
    `e`, the list whose elements are this table's rows; `expressions` give the columns after key and index.
    """

    table: Table
    expressions: tuple[str, ...]
    parent: "ItemTable | None" = None
    list_expression: str = ""
    index_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemType:
    """An item type of the API: the word in `type`, what it is, and the fields beside `id` and `type`."""

    name: str
    doc: str
    fields: tuple[Field, ...]
    statuses: tuple[str, ...] = ()
    derived: tuple[Derived, ...] = field(default=())

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The item as a shape of its own, its `status` included."""
        status = (text("status", "How far the item has come.", *self.statuses),)
        return (Member(None, (*status, *self.fields)),)

    @cached_property
    def structure(self) -> Structure:
        """The structure that DuckDB's `from_json` reads such an item with."""
        return _object_structure(self.members)

    @cached_property
    def tables(self) -> tuple[ItemTable, ...]:
        """The type's tables, parents before children: one row per item, then one row per element of each list."""
        columns, lists = _read(self.members, "e", "")
        given = [pair for pair in columns if pair[0].name != "status"]
        derived = [(extra.column, extra.expression) for extra in self.derived]
        status = Column("status", "VARCHAR", _with_values("How far the item has come.", self.statuses))
        top = ItemTable(
            Table(
                SCHEMA,
                self.name,
                self.doc,
                (*SPINE, status, *(column for column, _ in (*derived, *given))),
                key=tuple(column.name for column in ITEM_KEY),
            ),
            ('e."status"', *(expression for _, expression in (*derived, *given))),
        )
        return (top, *_children(top, lists))


@dataclass(frozen=True)
class _List:
    """A list of objects met while reading a shape: the child table to be."""

    name: str
    doc: str
    expression: str
    members: tuple[Member, ...]
    is_free_form: bool = False


def _children(parent: ItemTable, lists: list[_List]) -> Iterator[ItemTable]:
    for found in lists:
        columns, inner = _read_definition(found.members) if found.is_free_form else _read(found.members, "e", "")
        index = Column(f"{found.name}_index", "INTEGER", f"Place in the list {found.name}, from 0.")
        indexes = (*_index_columns(parent), index)
        child = ItemTable(
            Table(
                SCHEMA,
                f"{parent.table.name}__{found.name}",
                f"{found.doc} One row per element; belongs to {SCHEMA}.{parent.table.name}.",
                (*ITEM_KEY, *indexes, *(column for column, _ in columns)),
                key=tuple(column.name for column in (*ITEM_KEY, *indexes)),
            ),
            tuple(expression for _, expression in columns),
            parent,
            found.expression,
            tuple(column.name for column in indexes),
        )
        yield child
        yield from _children(child, inner)


def _read_definition(members: tuple[Member, ...]) -> tuple[list[tuple[Column, str]], list[_List]]:
    """The columns of a definition: its common fields where they are of the declared type, and all of it."""
    columns = [
        (Column(part.name, _column_type(part), _doc(part)), _guarded(part))
        for part in superset(members)
        if isinstance(part, Scalar | Scalars)
    ]
    whole = Column("definition", FREE_FORM, "The whole definition as JSON: its fields depend on the type.")
    return [*columns, (whole, "e")], []


def _guarded(part: Scalar | Scalars) -> str:
    """A field of the JSON value `e`, NULL where it (or an element of it) has another JSON type than declared."""
    value = f"e -> {literal(f'$.{quoted(part.name)}')}"
    if isinstance(part, Scalar):
        return _of_type(value, part.type)
    elements = f"from_json(case when json_type({value}) = 'ARRAY' then {value} end, '[\"JSON\"]')"
    return f"list_transform({elements}, lambda x: {_of_type('x', part.type)})"


def _of_type(json: str, kind: str) -> str:
    return f"case when json_type({json}) = {literal(kind)} then ({json} ->> '$')::{kind} end"


def _payload_columns(name: str, doc: str, here: str) -> list[tuple[Column, str]]:
    """A payload's string, if it is short, and what it is in any case."""
    short = f"case when strlen({here}) < {PAYLOAD_KEPT_BYTES} then {here} end"
    return [
        (Column(name, TEXT, f"{doc} NULL from {PAYLOAD_KEPT_BYTES} bytes on: see raw."), short),
        (Column(f"{name}_bytes", INTEGER, f"Length of the string in {name}, in bytes."), f"strlen({here})"),
        (Column(f"{name}_media_type", TEXT, f"Media type of {name}, where the string tells it."), media_type_sql(here)),
        (
            Column(
                f"{name}_sha256",
                TEXT,
                f"SHA-256 of the string in {name}, hex (raw.blobs: as received, escapes included).",
            ),
            f"sha256({here})",
        ),
    ]


def _index_columns(parent: ItemTable) -> tuple[Column, ...]:
    return tuple(column for column in parent.table.columns if column.name in parent.index_columns)


def _read(members: tuple[Member, ...], path: str, prefix: str) -> tuple[list[tuple[Column, str]], list[_List]]:
    """The columns of a shape with the expression each is read from, and the lists that become child tables."""
    columns: list[tuple[Column, str]] = []
    lists: list[_List] = []
    for part in superset(members):
        name, here = prefix + part.name, f"{path}.{quoted(part.name)}"
        match part:
            case Scalar() | Scalars():
                columns.append((Column(name, _column_type(part), _doc(part)), here))
            case Payload():
                columns += _payload_columns(name, part.doc, here)
            case Definitions():
                lists.append(_List(name, part.doc, here, part.members, is_free_form=True))
            case Structs():
                columns.append((Column(name, _struct_type(part.members), part.doc), here))
            case Rows():
                lists.append(_List(name, part.doc, here, part.members))
            case Nested():
                _extend(columns, lists, _read(part.members, here, f"{name}_"))
            case TextOr(text=scalar, other=other):
                columns.append((Column(name, scalar.type, f"{scalar.doc} NULL where it is no string."), _string(here)))
                parsed = _parsed(here, other)
                if isinstance(other, Rows):
                    lists.append(_List(name, other.doc, parsed, other.members))
                else:
                    _extend(columns, lists, _read(other.members, parsed, f"{name}_"))
    return columns, lists


def _column_type(part: Scalar | Scalars) -> str:
    return part.type if isinstance(part, Scalar) else f"{part.type}[]"


def _doc(part: Scalar | Scalars) -> str:
    return _with_values(part.doc, part.enum) if isinstance(part, Scalar) else part.doc


def _extend(
    columns: list[tuple[Column, str]], lists: list[_List], more: tuple[list[tuple[Column, str]], list[_List]]
) -> None:
    columns.extend(more[0])
    lists.extend(more[1])


def _string(json: str) -> str:
    """The JSON value as text where it is a string, else NULL."""
    return f"case when json_type({json}) = 'VARCHAR' then {json} ->> '$' end"


def _parsed(json: str, other: Rows | Nested) -> str:
    """The JSON value read as what it may be beside a string, else NULL."""
    kind = "ARRAY" if isinstance(other, Rows) else "OBJECT"
    return f"from_json(case when json_type({json}) = '{kind}' then {json} end, {structure_literal(_structure(other))})"


def structure_literal(structure: Structure) -> str:
    """A structure as the SQL literal that `from_json` takes."""
    return literal(_as_json(structure))


def _as_json(structure: Structure) -> str:
    match structure:
        case str():
            return f'"{structure}"'
        case list():
            return f"[{','.join(_as_json(inner) for inner in structure)}]"
        case _:
            return "{" + ",".join(f'"{name}":{_as_json(inner)}' for name, inner in structure.items()) + "}"


def _structure(part: Field) -> Structure:
    match part:
        case Scalar():
            return part.type
        case Payload():
            return TEXT
        case Definitions():
            return [FREE_FORM]
        case Scalars():
            return [part.type]
        case Nested():
            return _object_structure(part.members)
        case Rows() | Structs():
            return [_object_structure(part.members)]
        case TextOr():
            return "JSON"


def _object_structure(members: tuple[Member, ...]) -> dict[str, Structure]:
    return {part.name: _structure(part) for part in superset(members)}


def _struct_type(members: tuple[Member, ...]) -> str:
    columns, lists = _read(members, "e", "")
    if lists:
        raise ValueError(f"a list of structs holds no further lists of objects: {[found.name for found in lists]}")
    return f"STRUCT({', '.join(f'{quoted(column.name)} {column.type}' for column, _ in columns)})[]"


def _with_values(doc: str, values: tuple[str, ...]) -> str:
    return f"{doc} Documented values: {', '.join(values)}." if values else doc
