"""Compiles declarations into the statements that turn raw items into rows.

Here: SQL text, nothing run. A source is any relation with the columns conversation_id, item_id, position, item_at,
type and raw (the item's JSON text): a batch that has just arrived, or `raw.items` itself. Not here: who runs it.

Typed rows come out of DuckDB's own `from_json`, once per item, then `unnest` per child table. What they are given has
passed `conform`; `try()` is the belt to that: should one item be unreadable all the same, its row is empty,
`unreadable` tells, and the others are not harmed.
"""

from collections.abc import Iterator

from models.item_type import ITEM_KEY, SPINE, ItemTable, ItemType, structure_literal
from models.table import literal, quoted


def parse(item_type: ItemType, source: str) -> str:
    """Select the source's items of this type, typed, as column `e`."""
    spine = ", ".join(column.name for column in SPINE)
    return (
        f"select {spine}, try(from_json(raw, {structure_literal(item_type.structure)})) as e "
        f"from {source} where type = {literal(item_type.name)}"
    )


def unreadable(parsed: str) -> str:
    """Select conversation_id and item_id of the parsed items that `from_json` could not read."""
    return f"select {', '.join(column.name for column in ITEM_KEY)} from {parsed} where e is null"


def insert(item_type: ItemType, parsed: str) -> Iterator[str]:
    """One `INSERT` per table of the type, parents first, from a relation that is what `parse` selects."""
    for item_table in item_type.tables:
        names = ", ".join(quoted(name) for name in item_table.table.column_names)
        keys = SPINE if item_table.parent is None else ITEM_KEY
        given = (*(column.name for column in keys), *(quoted(name) for name in item_table.index_columns))
        yield (
            f"insert into {item_table.table.full_name} ({names}) "
            f"select {', '.join((*given, *item_table.expressions))} from {_elements(item_table, parsed)}"
        )


def delete(item_type: ItemType, keys: str) -> Iterator[str]:
    """One `DELETE` per table of the type, for the items named in the relation `keys`."""
    for item_table in item_type.tables:
        name = item_table.table.full_name
        yield f"delete from {name} using {keys} as gone where {same_item(name, 'gone')}"


def same_item(left: str, right: str) -> str:
    """The condition that two relations speak of the same item."""
    return " and ".join(f"{left}.{column.name} = {right}.{column.name}" for column in ITEM_KEY)


def _elements(item_table: ItemTable, parsed: str) -> str:
    """The relation whose rows become the table's rows: keys, indexes and the element `e`."""
    if item_table.parent is None:
        return parsed
    keys = ", ".join(column.name for column in ITEM_KEY)
    *outer, index = (quoted(name) for name in item_table.index_columns)
    carried = ", ".join((keys, *outer))
    return (
        f"(select {carried}, generate_subscripts(elements, 1) - 1 as {index}, unnest(elements) as e "
        f"from (select {carried}, {item_table.list_expression} as elements "
        f"from {_elements(item_table.parent, parsed)}))"
    )
