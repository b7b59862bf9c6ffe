"""The data dictionary: every table and column of the warehouse in words, made from the declarations."""

from collections.abc import Iterator

from models import ops
from models import raw as facts
from models.ids import MACROS
from models.items import ITEM_TYPES
from models.table import Table

_INTRODUCTION = """# Data dictionary

Made from the declarations by `conversations schema`; do not edit. All times are UTC. The key of an item is
(conversation_id, item_id), everywhere. A table whose name has `__` is a child: it holds the elements of a list of the
table named before the last `__`, and joins it on the key columns that both have.
"""


def as_dict() -> dict[str, object]:
    """The dictionary as plain JSON values: item types with their tables, the other tables, and the macros."""
    return {
        "item_types": [
            {
                "type": name,
                "doc": item_type.doc,
                "tables": [
                    _table(part.table) | {"parent": part.parent and _name(part.parent.table)}
                    for part in item_type.tables
                ],
            }
            for name, item_type in ITEM_TYPES.items()
        ],
        "tables": [_table(table) for table in (*facts.TABLES, *ops.TABLES)],
        "macros": [{"name": macro.name, "parameters": list(macro.parameters), "doc": macro.doc} for macro in MACROS],
    }


def as_markdown() -> str:
    """The dictionary as a page to read."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    yield _INTRODUCTION
    yield "## Facts\n"
    for table in facts.TABLES:
        yield from _section(table)
    for item_type in ITEM_TYPES.values():
        yield f"## {item_type.name}\n\n{item_type.doc}\n"
        for part in item_type.tables:
            yield from _section(part.table)
    yield "## Operations\n"
    for table in ops.TABLES:
        yield from _section(table)
    yield "## Macros\n\n| macro | gives |\n|---|---|"
    for macro in MACROS:
        parameters = ", ".join(parameter.partition(" :=")[0] for parameter in macro.parameters)
        yield f"| `{macro.name}({parameters})` | {macro.doc} |"
    yield ""


def _section(table: Table) -> Iterator[str]:
    yield f"### {_name(table)}\n\n{table.doc} Key: {', '.join(table.key)}.\n"
    yield "| column | type | meaning |\n|---|---|---|"
    for column in table.columns:
        kind = column.type.replace('"', "")
        yield f"| {column.name} | {kind} | {column.doc} |"
    yield ""


def _name(table: Table) -> str:
    return f"{table.schema}.{table.name}"


def _table(table: Table) -> dict[str, object]:
    return {
        "name": _name(table),
        "doc": table.doc,
        "key": list(table.key),
        "columns": [{"name": column.name, "type": column.type, "doc": column.doc} for column in table.columns],
    }
