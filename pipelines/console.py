"""How results look on a terminal. Not here: what they are (`ingest`), and which command asks (`cli`)."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.ingest.places import Places

if TYPE_CHECKING:  # what is printed is given; to load it all would make `status` wait for HTTP and Polars
    import polars as pl

    from pipelines.ingest.planning import Plan
    from pipelines.ingest.reading import Status
    from pipelines.ingest.verifying import Verification
    from pipelines.ingest.writing import SyncResult

_LISTED = 10
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # what an item says must not steer the terminal


def print_run(result: "SyncResult", where: Places, as_json: bool) -> None:
    """What a run did: a few lines, the failures on standard error; or one line of JSON."""
    report = result.report
    if as_json:
        failures = [{"conversation_id": it.conversation_id, "message": it.message} for it in result.failures]
        said = report.to_dict() | {"rows_by_type": result.rows_by_type, "failures": failures}
        click.echo(json.dumps(said | {"is_published": result.is_published}))
        return
    if report.error and not (report.conversations_asked or report.items_new or report.items_changed):
        return
    click.echo(str(report))
    if result.is_published:
        click.echo(f"Snapshot: {where.serving}")
    for problem in result.failures[:_LISTED]:
        click.echo(f"  {problem.conversation_id}: {problem.message}", err=True)
    if len(result.failures) > _LISTED:
        click.echo(f"  ... and {len(result.failures) - _LISTED} more; see `conversations status`", err=True)
    if not report.conversations_asked and not report.error:
        click.echo(
            "Nothing to ask: none is registered, or none is due, or all are missing or forbidden (--all asks those "
            "too). See `conversations status`."
        )


def print_plan(found: "Plan", as_json: bool) -> None:
    """What a run would ask; the first few by their IDs, or all in one line of JSON."""
    if as_json:
        click.echo(json.dumps(found.to_dict()))
        return
    click.echo(str(found))
    for conversation_id in found.conversations[:_LISTED]:
        click.echo(f"  {conversation_id}")
    if len(found.conversations) > _LISTED:
        click.echo(f"  ... and {len(found.conversations) - _LISTED} more; --json lists them all")


def print_verification(found: "Verification", where: Places, as_json: bool) -> None:
    """What was compared, and every difference; or one line of JSON."""
    if as_json:
        click.echo(json.dumps(found.to_dict()))
        return
    for one in found.differences:
        meaning = _DIFFERENCES[one.kind].format(items=one.items)
        click.echo(f"  {one.conversation_id}: {meaning}, e.g. {one.example_item_id}")
    for conversation_id, message in found.failures.items():
        click.echo(f"  {conversation_id}: not compared. {message}", err=True)
    if found.error:
        return
    others = f" ({found.items_not_compared:,} by ID only: stored with other --include)" * bool(found.items_not_compared)
    click.echo(
        f"Compared {found.conversations:,} conversations with {found.items:,} items{others}, with {found.requests:,} "
        f"requests, with the snapshot {where.serving} of {found.snapshot_at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{('all agree' if found.conversations else 'nothing to compare') if found.agrees else 'not all agree'}."
    )
    if found.differences:
        click.echo("`conversations sync` pulls what is newer, `conversations reconcile` makes all agree.")


_DIFFERENCES = {
    "not_stored": "{items} items are listed and not stored",
    "not_served": "{items} items are stored and not listed",
    "other_order": "{items} items stand in another order",
    "other_content": "{items} items have other content",
    "stored_twice": "{items} items are stored twice",
}


def print_status(found: "Status", where: Places) -> None:
    """How the warehouse stands, in a screenful."""
    click.echo(f"Snapshot       {where.serving}, of {found.snapshot_at:%Y-%m-%d %H:%M:%S} UTC")
    by_status = ", ".join(f"{count:,} {word}" for word, count in found.conversations.items()) or "none registered"
    click.echo(
        f"Conversations  {by_status}; {found.never_asked:,} never asked, {found.due:,} due, "
        f"{found.open_tails:,} with an open tail"
    )
    click.echo(f"Verified       {_verified(found)}")
    click.echo(
        f"Items          {sum(found.items.values()) + sum(found.undeclared.values()):,} in the API's lists, "
        f"{found.deleted_items:,} no longer"
    )
    for title, counts in (("typed", found.items), ("raw only", found.undeclared)):
        for word, count in counts.items():
            click.echo(f"  {title:<12} {count:>10,}  {word}")
    if found.run:
        run = found.run
        click.echo(
            f"Last run       {run['status']}, began {run['started_at']} UTC: {run['conversations_asked']} asked, "
            f"{run['items_new']} new, {run['items_changed']} changed, {run['items_deleted']} gone, "
            f"{run['conversations_failed']} failed, {run['requests']} requests, {run['retries']} retries"
        )
        if run["error"]:
            click.echo(f"  stopped: {run['error']}")
    click.echo(f"Drift          {len(found.drift):,} differences from what is declared")
    for one in found.drift[:_LISTED]:
        place = f"{one['type']}: {one['path']}" if one["path"] else one["type"]
        click.echo(
            f"  {place}: {one['kind']} {one['seen']}, in {one['occurrences']} items, e.g. {one['example_item_id']} of "
            f"{one['example_conversation_id']}"
        )
    click.echo(f"Problems       {found.open_problems:,} open")
    for problem in found.problems[:_LISTED]:
        click.echo(f"  {problem['conversation_id']}: {problem['message']} ({problem['occurrences']} times)")


def _verified(found: "Status") -> str:
    """How long ago whole lists were compared with what is stored."""
    if found.never_verified:
        return f"{found.never_verified:,} conversations were never listed whole"
    oldest = found.longest_unverified
    return f"every conversation since {oldest:%Y-%m-%d %H:%M} UTC" if oldest else "none"


def print_rows(rows: "pl.DataFrame", form: str, output: Path | None) -> None:
    """The result of a query in one of FORMS, on standard output or in a file; parquet is for a file only."""
    if form == "parquet" and output is not None:
        rows.write_parquet(output)
        return
    text = FORMS[form](rows)
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
    else:
        output.write_text(text, encoding="utf-8")


def _csv(rows: "pl.DataFrame") -> str:
    import polars as pl

    nested = (name for name, kind in rows.schema.items() if kind.is_nested())
    as_json = (pl.Series(name, [_json(value) for value in rows[name].to_list()], pl.String) for name in nested)
    return rows.with_columns(*as_json).write_csv()


def _ndjson(rows: "pl.DataFrame") -> str:
    return rows.write_ndjson()


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, default=str, ensure_ascii=False)


def _table(rows: "pl.DataFrame") -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, kind in rows.schema.items():
        table.add_column(name, justify="right" if kind.is_numeric() else "left", overflow="fold")
    for row in rows.iter_rows():
        table.add_row(*("" if value is None else _CONTROL.sub(" ", str(value)) for value in row))
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False, markup=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


FORMS: "dict[str, Callable[[pl.DataFrame], str]]" = {"table": _table, "csv": _csv, "json": _ndjson}
