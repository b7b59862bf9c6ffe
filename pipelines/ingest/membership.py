"""The registry's rows: taking conversations in, letting them go, erasing them, choosing whom to ask. Statements only.

Not here: where IDs come from (`registry`), and getting what was erased out of the files themselves (`warehouse`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb

from models import ops
from models import raw as facts
from pipelines.ingest import typed
from pipelines.ingest.clock import utc_now
from pipelines.ingest.database import one
from pipelines.ingest.errors import SelectionError
from pipelines.ingest.frames import relation
from pipelines.ingest.landing import ConversationState

UNREGISTERED = "unregistered"
VERIFIED_AT_MOST_EVERY = timedelta(days=1)
"""A scheduled run does not list a conversation whole again sooner."""
STATE_COLUMNS = ConversationState._fields
_CONVERSATIONS, _FORGOTTEN = facts.CONVERSATIONS.full_name, ops.FORGOTTEN.full_name
_HASH = "sha256(conversation_id)"
_IS_FORGOTTEN = f"{_HASH} in (select conversation_sha256 from {_FORGOTTEN})"
_IS_NOT_REGISTERED = f"conversation_id not in (select conversation_id from {_CONVERSATIONS})"
_IS_NAMED = "conversation_id in (select conversation_id from named)"


@dataclass(frozen=True)
class Registered:
    """What became of the conversations that were named."""

    new: int = 0
    known: int = 0
    left_out: int = 0
    """Unregistered or forgotten, and not taken back."""

    def __add__(self, other: "Registered") -> "Registered":
        """Both together."""
        return Registered(self.new + other.new, self.known + other.known, self.left_out + other.left_out)


class Forgotten(NamedTuple):
    """What there was to forget."""

    conversations: int
    items: int


def register(
    con: duckdb.DuckDBPyConnection,
    ids: Sequence[str],
    source: str,
    *,
    touched: Mapping[str, datetime],
    again: bool,
) -> Registered:
    """Take conversations in; known ones stay as they are.

    One that was `touched` since it was last asked is due at once. Unregistered and forgotten ones are left out, unless
    they are to be taken in `again`.
    """
    with _named(con, ids, touched):
        if again:
            con.execute(f"delete from {_FORGOTTEN} where conversation_sha256 in (select {_HASH} from named)")
            con.execute(
                f"update {_CONVERSATIONS} set status = 'active', next_poll_at = null where status = ? and {_IS_NAMED}",
                [UNREGISTERED],
            )
        known = one(con, f"select count(*) from {_CONVERSATIONS} where status <> '{UNREGISTERED}' and {_IS_NAMED}")
        before = one(con, f"select count(*) from {_CONVERSATIONS}")
        con.execute(
            f"insert into {_CONVERSATIONS} (conversation_id, source, registered_at, next_position, status) "
            "select conversation_id, ?, ?, 0, 'active' from named "
            f"where {_IS_NOT_REGISTERED} and not {_IS_FORGOTTEN}",
            [source, utc_now()],
        )
        new = one(con, f"select count(*) from {_CONVERSATIONS}") - before
        con.execute(
            f"update {_CONVERSATIONS} as c set next_poll_at = null from named as n "
            "where c.conversation_id = n.conversation_id and n.touched_at > c.last_polled_at"
        )
    return Registered(new, known, len(ids) - new - known)


def unregister(con: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> list[str]:
    """Stop pulling conversations, and keep all that is stored of them; returns those that are not in the registry."""
    with _named(con, ids):
        missing = con.execute(f"select conversation_id from named where {_IS_NOT_REGISTERED}").fetchall()
        con.execute(
            f"update {_CONVERSATIONS} set status = ?, next_poll_at = null where {_IS_NAMED}",
            [UNREGISTERED],
        )
        close_problems(con, "select conversation_id from named")
    return [conversation_id for (conversation_id,) in missing]


def unknown(con: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> list[str]:
    """Those that `register` would take in as new, in their order."""
    with _named(con, ids):
        found = con.execute(
            f"select conversation_id from named where {_IS_NOT_REGISTERED} and not {_IS_FORGOTTEN}"
        ).fetchall()
    wanted = {conversation_id for (conversation_id,) in found}
    return [conversation_id for conversation_id in ids if conversation_id in wanted]


def close_problems(con: duckdb.DuckDBPyConnection, conversations: str) -> int:
    """Note that the open problems of the conversations that a query gives are over; returns how many."""
    table, are_meant = ops.PROBLEMS.full_name, f"closed_at is null and conversation_id in ({conversations})"
    if count := one(con, f"select count(*) from {table} where {are_meant}"):
        con.execute(f"update {table} set closed_at = ? where {are_meant}", [utc_now()])
    return count


def forget(con: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> Forgotten:
    """Delete every row of these conversations, and note that they are not to be taken in again.

    Of a conversation, its ID's SHA-256 stays.
    """
    with _named(con, list(dict.fromkeys(ids))):
        registered = one(con, f"select count(*) from {_CONVERSATIONS} where {_IS_NAMED}")
        con.execute(
            "create or replace temp table known as "
            f"select conversation_id, item_id, type from {facts.ITEMS.full_name} where {_IS_NAMED}"
        )
        typed.Filling(con).remove("known")
        for table in (facts.ITEMS, facts.BLOBS, facts.CONVERSATIONS, ops.PROBLEMS):
            con.execute(f"delete from {table.full_name} where {_IS_NAMED}")
        con.execute(
            f"update {ops.DRIFT.full_name} set example_conversation_id = null, example_item_id = null "
            "where example_conversation_id in (select conversation_id from named)"
        )
        for conversation_id in ids:
            con.execute(
                f"update {ops.RUNS.full_name} set error = replace(error, $id, '(forgotten)') "
                "where contains(error, $id)",
                {"id": conversation_id},
            )
        con.execute(
            f"insert into {_FORGOTTEN} select {_HASH}, ?, null from named where not {_IS_FORGOTTEN}", [utc_now()]
        )
    return Forgotten(registered, one(con, "select count(*) from known"))


def select(
    con: duckdb.DuckDBPyConnection,
    *,
    chosen: Sequence[str] = (),
    only_due: bool = False,
    include_inactive: bool = False,
) -> list[ConversationState]:
    """The conversations to ask, those waiting longest first: the chosen ones, those due, or all that are active.

    One that is missing or forbidden counts if chosen, if due, or with `include_inactive`; an unregistered one never.
    SelectionError if a chosen one is not registered.
    """
    given: dict[str, object] = {"inactive": include_inactive}
    condition = "$inactive or status in ('active', 'failing')"
    if chosen:
        given, condition = {"chosen": list(chosen)}, "list_contains($chosen, conversation_id)"
    elif only_due:
        given, condition = {"now": utc_now()}, "next_poll_at is null or next_poll_at <= $now"
    states = _states(con, condition, "last_polled_at", given)
    if missing := set(chosen) - {state.conversation_id for state in states}:
        raise not_registered(missing)
    return states


def not_registered(ids: Collection[str]) -> SelectionError:
    """The error that says that these are not in the registry, and what to do."""
    return SelectionError(
        f"not in the registry: {', '.join(sorted(ids))}; `conversations register` adds them, with --again if they were "
        "unregistered or forgotten"
    )


def longest_unverified(con: duckdb.DuckDBPyConnection, at_most: int) -> list[ConversationState]:
    """The active conversations whose whole list was not compared for a day, those waiting longest first."""
    condition = "status = 'active' and (last_verified_at is null or last_verified_at <= $before)"
    before = utc_now() - VERIFIED_AT_MOST_EVERY
    return _states(con, condition, "last_verified_at", {"before": before}, f" limit {max(at_most, 0)}")


def pulled(con: duckdb.DuckDBPyConnection) -> Set[tuple[str, datetime]]:
    """The conversations that are registered and not unregistered, and since when."""
    statement = f"select conversation_id, registered_at from {_CONVERSATIONS} where status <> ?"
    return set(con.execute(statement, [UNREGISTERED]).fetchall())


def _states(
    con: duckdb.DuckDBPyConnection, condition: str, order: str, given: Mapping[str, object], limit: str = ""
) -> list[ConversationState]:
    found = con.execute(
        f"select {', '.join(STATE_COLUMNS)} from {_CONVERSATIONS} "
        f"where status <> '{UNREGISTERED}' and ({condition}) order by {order} nulls first, conversation_id{limit}",
        dict(given),
    ).fetchall()
    return [ConversationState(*values) for values in found]


@contextmanager
def _named(
    con: duckdb.DuckDBPyConnection, ids: Sequence[str], touched: Mapping[str, datetime] | None = None
) -> Iterator[None]:
    columns = {"conversation_id": "VARCHAR", "touched_at": "TIMESTAMP"}
    rows = ((conversation_id, (touched or {}).get(conversation_id)) for conversation_id in ids)
    with relation(con, "named", columns, rows):
        yield
