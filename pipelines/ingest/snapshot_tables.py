"""The tables that the snapshot has in the place of views that would be slow to read (`View.sorted_by`).

A row of such a view is made of one conversation's items, and of nothing else. So the rows of a conversation that has
not changed are taken over from the last snapshot, and the views are asked for the others, some conversations at a time:
in a database in memory, which has the same views, on nothing but these conversations' rows. Not here: the copy of the
warehouse itself (`publishing`).
"""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import duckdb

from models import ops
from models import raw as facts
from models.analytics import SCHEMA, VIEWS, View
from models.item_type import SCHEMA as ITEMS_SCHEMA
from models.macros import MACROS
from models.table import literal, quoted
from pipelines.ingest.database import OURS, one, transaction

KEPT = tuple(view for view in VIEWS if view.sorted_by)
ITEMS_AT_A_TIME = 200_000
"""About as many as fit into 400 MB; a conversation is never divided."""
_LAST, _PART = "last_snapshot", "part"
_READ = (facts.ITEMS.schema, ITEMS_SCHEMA)
_MADE_BY = f"select declarations, rebuilt_at from {{}}.{ops.WAREHOUSE.full_name}"
_FACTS = ", ".join(quoted(name) for name in facts.ITEMS.column_names if name != "raw")
_STATES = (
    f"select conversation_id, count(*) as items, sum(hash({_FACTS})) as state "
    f"from {{}}.{facts.ITEMS.full_name} group by all"
)


def make_tables(con: duckdb.DuckDBPyConnection, last: Path) -> None:
    """Put the tables in the place of their views; `last` is the snapshot before this one, if there is one.

    With nothing to take over, and no more than is asked at a time, the views are asked where they are: a second less.
    OutOfMemoryException where it takes more than is allowed; then it may be tried again.
    """
    has_last = _is_of_use(con, last)
    if has_last or one(con, f"select count(*) from {facts.ITEMS.full_name}") > ITEMS_AT_A_TIME:
        _make_in_parts(con, has_last)
    with transaction(con):
        for view in KEPT:
            con.execute(f"create table if not exists {view.being_made} as {_sorted(view, f'from {view.full_name}')}")
            for statement in view.as_table():
                con.execute(statement)


def leave_views(con: duckdb.DuckDBPyConnection) -> None:
    """Take away what a vain attempt to make the tables has left: the views stay."""
    for view in KEPT:
        con.execute(f"drop table if exists {view.being_made}")


def read_by(views: Iterable[View]) -> tuple[View, ...]:
    """These views and those that they select from, each after what it reads."""
    names = {view.name for view in views}
    for view in reversed(VIEWS):
        names |= view.reads if view.name in names else set()
    return tuple(view for view in VIEWS if view.name in names)


def _make_in_parts(con: duckdb.DuckDBPyConnection, has_last: bool) -> None:
    _compare(con, _STATES.format(_LAST) if has_last else f"{_STATES.format(OURS)} limit 0")
    _attach_part(con)
    for view in KEPT:
        like = f"{_LAST}.{view.full_name}" if has_last else view.full_name  # the view has to be read to be asked
        con.execute(f"create or replace table {view.being_made} as from {like} limit 0")
    parts = con.execute(
        "select part, min(conversation_id) as first from conversations group by part, share order by first"
    ).fetchall()
    asked = None
    for (part, first), (_, following) in pairwise([*parts, (None, None)]):
        if part != asked:
            _ask_views(con, part)
            asked = part
        _take(con, has_last, first, following)


def _is_of_use(con: duckdb.DuckDBPyConnection, last: Path) -> bool:
    """Whether there is a snapshot made by the same declarations, with all tables; it is attached as _LAST."""
    try:
        con.execute(f"attach {literal(str(last))} as {_LAST} (read_only)")
        made_by = [con.execute(_MADE_BY.format(name)).fetchall() for name in (_LAST, OURS)]
        found = con.execute(
            "select table_name from duckdb_tables() where database_name = ? and schema_name = ?", [_LAST, SCHEMA]
        ).fetchall()
    except duckdb.Error:  # there is none, or it cannot be read
        return False
    return made_by[0] == made_by[1] and {name for (name,) in found} >= {view.name for view in KEPT}


def _compare(con: duckdb.DuckDBPyConnection, before: str) -> None:
    """List the conversations: which differ from `before`, and how they are shared out.

    A share is what is written at a time, a part what the views are asked at a time; they have about as many items.
    """
    con.execute(
        f"create or replace temp table conversations as with now as ({_STATES.format(OURS)}), before as ({before}) "
        f"select *, (sum(size) over in_order - size) // {ITEMS_AT_A_TIME} as share, "
        f"(sum(asked) over in_order - asked) // {ITEMS_AT_A_TIME} as part "
        "from (select conversation_id, coalesce(now.items, 0) as size, "
        "now.state is distinct from before.state as is_changed, case when is_changed then size else 0 end as asked "
        "from now full join before using (conversation_id)) window in_order as (order by conversation_id)"
    )


def _attach_part(con: duckdb.DuckDBPyConnection) -> None:
    """Attach the database in memory that has what the views read, of the conversations in its table `changed`."""
    con.execute(f"attach ':memory:' as {_PART}")
    con.execute(f"use {_PART}")
    con.execute("create table changed (conversation_id varchar)")
    for schema in _READ:
        con.execute(f"create schema {schema}")
        for name in sorted({name for view in read_by(KEPT) for name in view.reads_of(schema)}):
            table = f"{schema}.{quoted(name)}"
            con.execute(f"create view {table} as from {OURS}.{table} semi join {_PART}.changed using (conversation_id)")
    for macro in MACROS:
        for statement in macro.statements():
            con.execute(statement)
    con.execute(f"create schema {SCHEMA}")
    con.execute(f"use {OURS}")


def _ask_views(con: duckdb.DuckDBPyConnection, part: int) -> None:
    """Have the views' rows of the changed conversations of a part in tables of their names."""
    con.execute(f"use {_PART}")
    con.execute(
        "create or replace table changed as "
        f"select conversation_id from temp.conversations where is_changed and part = {part}"
    )
    for view in read_by(KEPT):
        kind = "table" if view.sorted_by else "view"
        con.execute(f"create or replace {kind} {view.full_name} as {view.query}")
    con.execute(f"use {OURS}")


def _take(con: duckdb.DuckDBPyConnection, has_last: bool, first: str, following: str | None) -> None:
    """Write the rows of the conversations from the first to the one before the following, in their order."""
    here = f"conversation_id >= {literal(first)}"
    if following is not None:
        here += f" and conversation_id < {literal(following)}"
    for view in KEPT:
        rows = f"from {_PART}.{view.full_name} where {here}"
        if has_last:
            changed = "(select conversation_id from conversations where is_changed)"
            unchanged = f"from {_LAST}.{view.full_name} anti join {changed} using (conversation_id) where {here}"
            rows = f"({rows}) union all by name ({unchanged})"
        con.execute(f"insert into {view.being_made} by name {_sorted(view, rows)}")


def _sorted(view: View, rows: str) -> str:
    return f"from ({rows}) order by {', '.join(view.sorted_by)}"
