"""The data dictionary: every table and column of the warehouse in words, made from the declarations."""

from collections.abc import Iterable, Iterator

from models import analytics, ops
from models import raw as facts
from models.analytics import View
from models.items import ITEM_TYPES
from models.macros import MACROS
from models.table import Column, Table

_INTRODUCTION = """# Data dictionary

Made from the declarations by `conversations schema`; do not edit. All times are UTC. The key of an item is
(conversation_id, item_id), everywhere. A table whose name has `__` is a child: it holds the elements of a list of the
table named before the last `__`, and joins it on the key columns that both have.
"""
_ANALYTICS = """Views for questions, the same in the warehouse and in its snapshot. A rate stands beside its numerator,
its denominator and its coverage; a column `..._method` says how a value was obtained: explicit (the API says so),
heuristic (told from words, neighbours or IDs), none (unknown). Position orders; times are read from IDs and only
measure. Days are UTC."""


def as_dict() -> dict[str, object]:
    """The dictionary as plain JSON values: item types with their tables, the other tables, views, macros."""
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
        "views": [_view(view) for view in analytics.VIEWS],
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
    yield f"## Analytics\n\n{_ANALYTICS}\n"
    for view in analytics.VIEWS:
        yield f"### {analytics.SCHEMA}.{view.name}\n\n{view.doc}\n\n{view.definitions}\n"
        yield from _column_lines(view.columns)
    yield "## Macros\n\n| macro | gives |\n|---|---|"
    for macro in MACROS:
        parameters = ", ".join(parameter.partition(" :=")[0] for parameter in macro.parameters)
        yield f"| `{macro.name}({parameters})` | {macro.doc} |"
    yield ""


def _section(table: Table) -> Iterator[str]:
    yield f"### {_name(table)}\n\n{table.doc} Key: {', '.join(table.key)}.\n"
    yield from _column_lines(table.columns)


def _column_lines(columns: Iterable[Column]) -> Iterator[str]:
    yield "| column | type | meaning |\n|---|---|---|"
    for column in columns:
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
        "columns": _columns(table.columns),
    }


def _view(view: View) -> dict[str, object]:
    return {
        "name": f"{analytics.SCHEMA}.{view.name}",
        "grain": view.grain,
        "question": view.question,
        "definitions": view.definitions,
        "columns": _columns(view.columns),
    }


def _columns(columns: Iterable[Column]) -> list[dict[str, str]]:
    return [{"name": column.name, "type": column.type, "doc": column.doc} for column in columns]
