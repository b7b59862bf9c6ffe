"""What a table is: name, key, columns, and the words that explain them; DDL and comments follow from it.

Here: the table itself, whatever it is made of. Not here: how an item's JSON becomes rows (`shape`, `flatten`).
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column: its name, its DuckDB type, and one sentence on what it holds."""

    name: str
    type: str
    doc: str


@dataclass(frozen=True)
class Table:
    """A table of the warehouse; `key` names the columns that tell its rows apart (kept by the writer, no index)."""

    schema: str
    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a table that contradicts itself."""
        names = self.column_names
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"{self.full_name}: columns declared twice: {sorted(twice)}")
        if missing := set(self.key) - set(names):
            raise ValueError(f"{self.full_name}: key columns that are not columns: {sorted(missing)}")

    @property
    def full_name(self) -> str:
        """Name with schema, as SQL wants it."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def create(self) -> str:
        """`CREATE TABLE` for this table; an existing one stays as it is."""
        columns = ", ".join(f"{quoted(column.name)} {column.type}" for column in self.columns)
        return f"create table if not exists {self.full_name} ({columns})"

    def comments(self) -> Iterator[str]:
        """One `COMMENT ON` statement for the table and for each column."""
        yield f"comment on table {self.full_name} is {literal(self.doc)}"
        for column in self.columns:
            yield f"comment on column {self.full_name}.{quoted(column.name)} is {literal(column.doc)}"


@dataclass(frozen=True)
class Macro:
    """A scalar SQL function that comes with the warehouse."""

    name: str
    parameters: tuple[str, ...]
    body: str
    doc: str

    def statements(self) -> Iterator[str]:
        """What creates the macro, or replaces it, and says what it is."""
        yield f"create or replace macro {quoted(self.name)}({', '.join(self.parameters)}) as {self.body}"
        yield f"comment on macro {quoted(self.name)} is {literal(self.doc)}"


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
