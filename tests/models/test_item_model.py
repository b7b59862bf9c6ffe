"""The declarations against the API's documented model: no documented field without a column.

`samples/item_model.json` is the model, taken from the official SDK and the published OpenAPI document.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.items import ITEM_TYPES
from models.shape import (
    DISCRIMINATOR,
    FREE_FORM,
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
)

MODEL = json.loads((Path(__file__).parent.parent / "samples/item_model.json").read_text(encoding="utf-8"))
SCALARS = {
    "string": "VARCHAR",
    "string (open set)": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
}


def alternatives(expression: str) -> list[str]:
    """The members of a type expression, its named unions resolved; brackets hold together."""
    parts, depth = [""], 0
    for character in expression:
        depth += {"<": 1, ">": -1}.get(character, 0)
        if character == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [inner for part in parts for inner in (MODEL["unions"].get(part, [part]))]


def missing(fields: dict[str, dict[str, object]], declared: tuple[Field, ...], path: str) -> Iterator[str]:
    """What the model has and the declaration has not, or has otherwise."""
    known = {field.name: field for field in declared}
    for name, fact in fields.items():
        if name not in known:
            yield f"{path}.{name}: no column"
        else:
            yield from differs(fact, known[name], f"{path}.{name}")


def differs(fact: dict[str, object], field: Field, path: str) -> Iterator[str]:
    expression = str(fact["type"])
    kinds = alternatives(expression)
    match field:
        case Scalar(type=declared) if declared == FREE_FORM:
            if not all(kind == "any" or kind.startswith("map<") for kind in kinds):
                yield f"{path}: JSON, but the API declares {expression}"
        case Scalar(type=declared, enum=enum):
            words = set(kinds) - {"null"} if expression in MODEL["unions"] else documented(fact)
            if expression not in MODEL["unions"] and [SCALARS.get(kind) for kind in kinds] != [declared]:
                yield f"{path}: {declared}, but the API declares {expression}"
            if expression != "string (open set)" and not words <= set(enum):
                yield f"{path}: values {words - set(enum)} are documented, not declared"
        case Payload():
            if kinds != ["string"]:
                yield f"{path}: a payload, but the API declares {expression}"
        case Scalars(type=declared):
            if [SCALARS.get(kind.removeprefix("array<").removesuffix(">")) for kind in kinds] != [declared]:
                yield f"{path}: a list of {declared}, but the API declares {expression}"
        case Definitions():
            if expression != "array<Tool>":
                yield f"{path}: definitions, but the API declares {expression}"
        case Rows() | Structs():
            if not expression.startswith("array<"):
                yield f"{path}: a list of objects, but the API declares {expression}"
            yield from members(expression.removeprefix("array<").removesuffix(">"), field.members, f"{path}[]")
        case Nested():
            yield from members(expression, field.members, path)
        case TextOr(other=other):
            yield from differs({"type": expression.removeprefix("string|")}, other, path)


def documented(fact: dict[str, object]) -> set[object]:
    """The values of an enum that are documented."""
    values = fact.get("enum", [])
    return set(values) if isinstance(values, list) else set()


def members(expression: str, declared: tuple[Member, ...], path: str) -> Iterator[str]:
    """Compare the forms of an object, by what their `type` says."""
    for struct in alternatives(expression):
        fields = MODEL["structs"][struct]["fields"]
        words = fields.get(DISCRIMINATOR, {}).get("enum", [None])
        by_value = {form.value: form for form in declared}
        for word in words:
            form = by_value.get(word) or by_value.get(None)
            if form is None:
                yield f"{path}({word}): not declared"
                continue
            is_union = form.value is not None
            rest = {name: fact for name, fact in fields.items() if not (is_union and name == DISCRIMINATOR)}
            yield from missing(rest, form.fields, f"{path}({word})" if word else path)


@pytest.mark.parametrize("name", MODEL["items"])
def test_every_documented_field_has_a_column(name: str) -> None:
    fields = {key: fact for key, fact in MODEL["items"][name]["fields"].items() if key not in {"id", DISCRIMINATOR}}
    (form,) = ITEM_TYPES[name].members
    assert list(missing(fields, form.fields, name)) == []


def test_every_documented_type_is_declared() -> None:
    assert len(MODEL["items"]) == 29
    assert set(MODEL["items"]) <= set(ITEM_TYPES)


def test_every_documented_kind_of_tool_is_declared() -> None:
    words = {word for tool in MODEL["unions"]["Tool"] for word in MODEL["structs"][tool]["fields"]["type"]["enum"]}
    (tools,) = (field for field in ITEM_TYPES["additional_tools"].fields if isinstance(field, Definitions))
    assert {word for field in tools.fields if isinstance(field, Scalar) for word in field.enum} == words


def test_the_share_of_json_columns_is_small(record_property: Callable[[str, object], None]) -> None:
    columns = [
        (part.table.name, column)
        for item_type in ITEM_TYPES.values()
        for part in item_type.tables
        for column in part.table.columns
    ]
    free = [f"{table}.{column.name}" for table, column in columns if column.type == FREE_FORM]
    tables = {table for table, _ in columns}
    record_property("JSON columns", f"{len(free)} of {len(columns)} in {len(tables)} typed tables: {', '.join(free)}")
    assert len(free) / len(columns) < 0.03
