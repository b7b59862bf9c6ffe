"""What must hold of the tables, looped from their declarations, and asked of the serving snapshot.

Not here: comparing with the API (`verifying`), and how an orchestrator shows it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from models import ops
from models import raw as facts
from models.items import ITEM_TYPES
from models.table import quoted
from pipelines.ingest.database import connect, one, telling
from pipelines.ingest.places import Places
from pipelines.ingest.reading import drift, open_snapshot

_WAIT_SECONDS = 30.0
_SHOWN = 20
_TYPED = tuple(part for item_type in ITEM_TYPES.values() for part in item_type.tables)


@dataclass(frozen=True)
class Finding:
    """What a check found: how much, and where, in rows with a heading; it passed if `wrong` is 0."""

    wrong: int
    figures: Mapping[str, int] = field(default_factory=dict)
    heading: tuple[str, ...] = ()
    where: Sequence[Sequence[object]] = ()


@dataclass(frozen=True)
class Check:
    """A rule, what to do where it is broken, and how to look; `is_promise` if only a fault of ours can break it."""

    name: str
    doc: str
    remedy: str
    look: Callable[[Places], Finding]
    is_promise: bool = False


def _keys_are_unique(places: Places) -> Finding:
    tables = (*facts.TABLES, *ops.TABLES, *(part.table for part in _TYPED))
    with open_snapshot(places.serving) as con:
        found = [
            (
                f"{table.schema}.{table.name}",
                one(
                    con,
                    f"select count(*) from (select 1 as found from {table.full_name} "
                    f"group by {_listed(table.key)} having count(*) > 1)",
                ),
            )
            for table in tables
        ]
    return _counted(found, "keys", tables=len(tables))


def _children_have_parents(places: Places) -> Finding:
    with open_snapshot(places.serving) as con:
        found = [
            (
                f"{child.table.schema}.{child.table.name}",
                one(
                    con,
                    f"select count(*) from {child.table.full_name} "
                    f"anti join {child.parent.table.full_name} using ({_listed(child.parent.table.key)})",
                ),
            )
            for child in _TYPED
            if child.parent
        ]
    return _counted(found, "rows", tables=len(found))


def _items_are_in_their_tables(places: Places) -> Finding:
    with open_snapshot(places.serving) as con:
        live = f"select type, count(*) from {facts.ITEMS.full_name} where deleted_at is null group by type"
        received = dict(con.execute(live).fetchall())
        found = [
            (name, abs(received.get(name, 0) - one(con, f"select count(*) from {item_type.tables[0].table.full_name}")))
            for name, item_type in ITEM_TYPES.items()
        ]
    return _counted(found, "items", items=sum(received.values()))


def _outputs_have_calls(places: Places) -> Finding:
    counted = "output_without_call_count"
    with open_snapshot(places.serving) as con:
        ((outputs, conversations),) = con.execute(
            f"select coalesce(sum({counted}), 0)::bigint, count(*) filter ({counted} > 0) "
            "from analytics.conversation_summary"
        ).fetchall()
        where = con.execute(
            f"select conversation_id, {counted} from analytics.conversation_summary where {counted} > 0 "
            f"order by {counted} desc, conversation_id limit {_SHOWN}"
        ).fetchall()
    return Finding(outputs, {"outputs": outputs, "conversations": conversations}, ("conversation", "outputs"), where)


def _as_declared(places: Places) -> Finding:
    found = drift(places.serving)
    heading = ("type", "path", "kind", "seen", "occurrences")
    where = [[row[name] for name in heading] for row in found]
    return Finding(len(found), {"differences": len(found)}, (*heading[:-1], "items"), where)


def _conversations_can_be_pulled(places: Places) -> Finding:
    with open_snapshot(places.serving) as con:
        by_status = dict(
            con.execute(f"select status, count(*) from {facts.CONVERSATIONS.full_name} group by status").fetchall()
        )
        where = con.execute(
            f"select conversation_id, last_error from {facts.CONVERSATIONS.full_name} where status = 'failing' "
            f"order by last_polled_at desc, conversation_id limit {_SHOWN}"
        ).fetchall()
    return Finding(by_status.get("failing", 0), by_status, ("conversation", "what happened"), where)


def _snapshot_is_current(places: Places) -> Finding:
    version = f"select data_version from {ops.WAREHOUSE.full_name}"
    with open_snapshot(places.serving) as con:
        copied = one(con, version)
    with (
        telling(places.warehouse, "nothing was changed"),
        connect(places.warehouse, _WAIT_SECONDS, read_only=True) as con,
    ):
        behind = one(con, version) - copied
    return Finding(max(behind, 0), {"commits_behind": behind})


CHECKS = (
    Check(
        "keys_are_unique",
        "Nothing twice: no two rows of a table have the same key.",
        "`conversations rebuild` makes the typed tables anew; if it stays, please report it",
        _keys_are_unique,
        is_promise=True,
    ),
    Check(
        "children_have_parents",
        "No row of a child table without the row that it belongs to.",
        "`conversations rebuild` makes the typed tables anew; if it stays, please report it",
        _children_have_parents,
        is_promise=True,
    ),
    Check(
        "items_are_in_their_tables",
        "Nothing lost: each item in the API's list, of a known type, has its row in the type's table.",
        "`conversations rebuild` makes the typed tables anew; if it stays, please report it",
        _items_are_in_their_tables,
        is_promise=True,
    ),
    Check(
        "as_declared",
        "Items are as declared: no new types, fields or values.",
        "raw.items has all of it; update this installation, or declare what is new (CONTRIBUTING.md)",
        _as_declared,
    ),
    Check(
        "outputs_have_calls",
        "Every output has its call in the same conversation: one without is in no analytics.tool_calls.",
        "see analytics.conversation_summary, output_without_call_count; the client may have deleted the calls",
        _outputs_have_calls,
    ),
    Check(
        "conversations_can_be_pulled",
        "No conversation fails for reasons of its own. Missing and forbidden ones do not count.",
        "what happened says what to do; each is asked again when it is due",
        _conversations_can_be_pulled,
    ),
    Check(
        "snapshot_is_current",
        "Readers see all that was committed.",
        "`conversations publish`, or wait for the next run; see that all processes have the same CONVERSATIONS_SERVING",
        _snapshot_is_current,
    ),
)


def _counted(found: Sequence[tuple[str, int]], what: str, **figures: int) -> Finding:
    """What is wrong by table; those where nothing is are left out."""
    where = [(name, count) for name, count in found if count]
    wrong = sum(count for _, count in where)
    return Finding(wrong, {what: wrong, **figures}, ("table", what), where)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)
