"""Runs the statements that the declarations compile to: fills and empties the typed tables."""

from collections.abc import Iterable, Iterator

import duckdb

from models import flatten
from models.item_type import ItemType
from models.items import ITEM_TYPES


def fill(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """Add the rows of the source's items to the tables of their types; types not declared have none."""
    for item_type in declared_in(con, source):
        fill_type(con, item_type, source)


def fill_type(con: duckdb.DuckDBPyConnection, item_type: ItemType, source: str) -> None:
    """Add the rows of the source's items of one type to its tables."""
    con.execute(flatten.parse(item_type, source))
    for conversation_id, item_id, raw in con.execute(flatten.unreadable(item_type, source)).fetchall():
        con.execute(flatten.repair(item_type), [flatten.readable(raw) or "{}", conversation_id, item_id])
    for statement in flatten.insert(item_type):
        con.execute(statement)


def remove(con: duckdb.DuckDBPyConnection, items: str) -> None:
    """Delete the typed rows of the items (conversation_id, item_id, type) in a relation."""
    for item_type in declared_in(con, items):
        for statement in flatten.delete(item_type, items):
            con.execute(statement)


def declared_in(con: duckdb.DuckDBPyConnection, source: str) -> Iterator[ItemType]:
    """The declared types that occur in a relation with a column `type`."""
    found: Iterable[tuple[str]] = con.execute(f"select distinct type from {source} order by type").fetchall()
    return (ITEM_TYPES[name] for (name,) in found if name in ITEM_TYPES)
