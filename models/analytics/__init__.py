"""The views that analysts read: one `.sql` file each, whose first comment says all that there is to say about it.

Here: how such a file is read, and the statements that make the view. Not here: what a view answers (its own file).
A file begins with a comment of fixed form, and goes on with the query:

    -- Grain: one row per ...
    -- Question: what it answers?
    -- Snapshot: a table, sorted by its_column, another_column.
    --
    -- What its words mean, exactly; as many paragraphs as it takes.
    --
    -- Columns
    -- name TYPE: What it is; goes on in lines that
    --   are indented.
    select ...

These lines are the only place where the view is described: comments and data dictionary are made from them. The third
is for views that would be slow to read: in the snapshot they are tables.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib.resources import files

from models.table import Column, literal, quoted

SCHEMA = "analytics"
_COLUMN = re.compile(r"([a-z][a-z0-9_]*) ([A-Z]+(?:\[\])?): (.+)")
_SNAPSHOT = re.compile(r"Snapshot: a table, sorted by ([a-z_]+(?:, [a-z_]+)*)\.")
_LINE_COMMENT = re.compile(r"--.*")


@dataclass(frozen=True)
class View:
    """A view: what a row is, what it answers, what its words mean, its columns, and the query."""

    name: str
    grain: str
    question: str
    definitions: str
    columns: tuple[Column, ...]
    query: str
    sorted_by: tuple[str, ...] = ()
    """How its rows are sorted in the snapshot, where it is a table; empty if it is a view there, too."""

    @property
    def full_name(self) -> str:
        """Name with schema, as SQL wants it."""
        return f"{SCHEMA}.{quoted(self.name)}"

    @property
    def doc(self) -> str:
        """Grain and question, in two sentences."""
        return f"{self.grain} {self.question}"

    @property
    def reads(self) -> frozenset[str]:
        """The views that it selects from."""
        return self.reads_of(SCHEMA)

    def reads_of(self, schema: str) -> frozenset[str]:
        """What it selects from in this schema, by name."""
        return frozenset(re.findall(rf"\b{schema}\.([a-z_0-9]+)", _LINE_COMMENT.sub("", self.query)))

    def statements(self) -> Iterator[str]:
        """What creates the view, or replaces it, and says what it and its columns are."""
        yield f"create or replace view {self.full_name} as {self.query}"
        yield from self._comments("view")

    @property
    def being_made(self) -> str:
        """Name with schema of the table that will take its place."""
        return f"{SCHEMA}.{quoted(f'{self.name} being made')}"

    def as_table(self) -> Iterator[str]:
        """What puts the table `being_made` in the view's place; the views that read it go on to do so."""
        yield f"drop view {self.full_name}"
        yield f"alter table {self.being_made} rename to {quoted(self.name)}"
        yield from self._comments("table")

    def _comments(self, kind: str) -> Iterator[str]:
        yield f"comment on {kind} {self.full_name} is {literal(self.doc)}"
        for column in self.columns:
            yield f"comment on column {self.full_name}.{quoted(column.name)} is {literal(column.doc)}"


def read_view(name: str, text: str) -> View:
    """The view that a file's text declares. ValueError if it is not of the form that this module describes."""
    lines = text.splitlines()
    length = next((n for n, line in enumerate(lines) if not line.startswith("--")), len(lines))
    header = [line[2:].removeprefix(" ").rstrip() for line in lines[:length]]
    query = "\n".join(lines[length:]).strip().removesuffix(";")
    try:
        grain, question, *rest = _unfolded(header)
        begin = header.index("Columns")
        columns = tuple(_column(line) for line in _unfolded(header[begin + 1 :]))
    except ValueError as error:
        raise ValueError(
            f"{name}.sql: {error}; the comment it begins with has the form that {__name__} gives"
        ) from None
    for word, line in (("Grain: ", grain), ("Question: ", question)):
        if not line.startswith(word):
            raise ValueError(f"{name}.sql: begins without a line '{word}...'")
    definitions = "\n".join(header[header.index("") : begin]).strip()
    if not (rest and columns and definitions and query):
        raise ValueError(f"{name}.sql: lacks definitions, columns or a query")
    kept = _SNAPSHOT.fullmatch(rest[0])
    sorted_by = tuple(kept[1].split(", ")) if kept else ()
    if set(sorted_by) - {column.name for column in columns}:
        raise ValueError(f"{name}.sql: is sorted by what is no column of it")
    return View(
        name, _sentence(grain, "Grain: "), _sentence(question, "Question: "), definitions, columns, query, sorted_by
    )


def in_order(views: Iterable[View]) -> tuple[View, ...]:
    """The views, each after those that it selects from. ValueError if it selects from one that there is not."""
    by_name = {view.name: view for view in sorted(views, key=lambda view: view.name)}
    for view in by_name.values():
        if unknown := view.reads - by_name.keys():
            raise ValueError(f"{view.name}.sql: there is no view {', '.join(sorted(unknown))}")
    order = TopologicalSorter({name: sorted(view.reads) for name, view in by_name.items()}).static_order()
    return tuple(by_name[name] for name in order)


def _unfolded(lines: Iterable[str]) -> list[str]:
    """The lines, each joined with the indented ones that follow it; empty lines are left out."""
    unfolded: list[str] = []
    for line in lines:
        if line.startswith(" ") and unfolded:
            unfolded[-1] += f" {line.strip()}"
        elif line:
            unfolded.append(line)
    return unfolded


def _column(line: str) -> Column:
    found = _COLUMN.fullmatch(line)
    if found is None:
        raise ValueError(f"no column and its meaning: {line!r}")
    return Column(found[1], found[2], found[3])


def _sentence(line: str, word: str) -> str:
    """What follows the word, with a capital letter."""
    text = line.removeprefix(word)
    return text[:1].upper() + text[1:]


VIEWS = in_order(
    read_view(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
    for file in files(__name__).iterdir()
    if file.name.endswith(".sql")
)
"""All views, each after those that it selects from."""
