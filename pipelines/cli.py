"""The `conversations` command: options in, words and exit codes out. Not here: anything a test would call logic.

Modules that take long to load are imported by the command that needs them; none imports Dagster.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from pipelines.ingest.places import Places, places
from pipelines.ingest.progress import tell
from pipelines.ingest.stopping import this_stop
from pipelines.options import (
    CONVERSATION_ID,
    CUT_OPTION,
    JSON_OPTION,
    Asking,
    FilePath,
    asking_options,
    places_options,
    server_options,
)
from pipelines.terminal import STOPPED_EXIT, progress, stoppable

PARTIAL_EXIT = 3
GOES_ON = "What has arrived is in the warehouse; the next run goes on, and publishes it."
LISTED = 10


class Command(click.Group):
    """Turns the errors that have words for the user into one sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        with _told(), stoppable(), progress():
            return super().invoke(ctx)


@contextmanager
def _told() -> Iterator[None]:
    from connectors.openai_conversations.errors import StopError
    from pipelines.ingest.errors import SelectionError, SourceError

    try:
        yield
    except (SelectionError, SourceError) as error:
        raise click.UsageError(str(error)) from error
    except StopError as error:
        raise click.ClickException(str(error)) from error
    except BrokenPipeError:
        raise  # click ends quietly: who reads has seen enough
    except OSError as error:
        words = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise click.ClickException(words) from error


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="conversations-to-duckdb")
def main() -> None:
    """Every item of your OpenAI conversations as DuckDB tables.

    \b
    First time:
      conversations register --file ids.csv     which conversations there are
      conversations sync                        pull what is new
      conversations query "from items.message"  read it with SQL

    The API is asked with OPENAI_API_KEY (and OPENAI_BASE_URL, OPENAI_ORG_ID, OPENAI_PROJECT_ID, if set), as the
    official SDKs do; Azure with AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_API_KEY or AZURE_OPENAI_AD_TOKEN.

    Exit codes: 0 done; 1 stopped; 2 wrong arguments; 3 finished, but some conversations failed and are listed;
    130 stopped by Ctrl-C or SIGTERM, after a commit.
    """


@main.command()
@click.argument("ids", nargs=-1, metavar="[CONVERSATION_ID]...")
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read IDs from a "
    "file: txt (one a line), csv, jsonl or parquet (column conversation_id or id, or the only one).",
)
@click.option("--sql", help="Read IDs from a query's result, on the file that --database names.")
@click.option(
    "--database",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="DuckDB or SQLite file for --sql; it is only read.",
)
@click.option("--from-server", is_flag=True, help="Take all that the server lists; Microsoft Foundry does, not OpenAI.")
@server_options
@click.option("--touch", is_flag=True, help="Make them due at once, known ones too: they have something new.")
@click.option("--again", is_flag=True, help="Take back those that were unregistered or forgotten.")
@places_options
def register(
    ids: tuple[str, ...],
    file: Path | None,
    sql: str | None,
    database: Path | None,
    from_server: bool,
    base_url: str | None,
    allow_http: bool,
    touch: bool,
    again: bool,
    warehouse: Path | None,
    serving: Path | None,
) -> None:
    """Add conversations to the registry.

    OpenAI's API has no way to list conversations: the IDs come from where you stored them when you created them.
    Registering one again changes nothing. What is no conversation ID is counted and listed, and left out. Where a file
    or a query has a column touched_at, a conversation touched since it was last asked is due at once.

    \b
    Examples:
      conversations register conv_0a1b... conv_2c3d...
      conversations register --file exported_ids.csv
      conversations register --sql "select conv_id, touched_at from chats" --database app.sqlite
    """
    if database and not sql:
        raise click.UsageError("--database goes with --sql")
    if (base_url or allow_http) and not from_server:
        raise click.UsageError("--base-url and --allow-http go with --from-server")
    from pipelines.ingest.registry import candidates, from_file, from_sql

    found = [
        *([candidates("command line", ids)] if ids else []),
        *([from_file(file)] if file else []),
        *([from_sql(sql, database)] if sql else []),
        *([_from_server(base_url, allow_http=allow_http)] if from_server else []),
    ]
    if not found:
        raise click.UsageError("give conversation IDs, --file, --sql or --from-server")
    registered = _register(places(warehouse, serving), found, touch=touch, again=again)
    malformed = [word for source in found for word in source.malformed]
    click.echo(f"{registered.new} new, {registered.known} known, {len(malformed)} malformed.")
    if registered.left_out:
        click.echo(f"{registered.left_out} left out: unregistered or forgotten before; --again takes them back.")
    for word in malformed[:LISTED]:
        click.echo(f"  not a conversation ID (conv_...): {word[:80]!r}", err=True)
    if len(malformed) > LISTED:
        click.echo(f"  ... and {len(malformed) - LISTED} more", err=True)


def _from_server(base_url: str | None, *, allow_http: bool) -> Any:
    from connectors.openai_conversations import ConversationsClient
    from pipelines.ingest.registry import from_server

    return from_server(ConversationsClient(base_url=base_url, allow_http=allow_http))


def _register(where: Places, found: list[Any], *, touch: bool, again: bool) -> Any:
    from pipelines.ingest.membership import Registered
    from pipelines.ingest.publishing import publish
    from pipelines.ingest.warehouse import Warehouse

    with Warehouse.open(where.warehouse) as store:
        registered = [store.register(source.touched() if touch else source, again=again) for source in found]
        publish(store, where.serving)
    return sum(registered, Registered())


@main.command()
@click.argument("ids", nargs=-1, required=True, type=CONVERSATION_ID, metavar="CONVERSATION_ID...")
@places_options
def unregister(ids: tuple[str, ...], warehouse: Path | None, serving: Path | None) -> None:
    """Stop pulling conversations, and keep what is stored.

    They stay so even if a source names them again; `register --again` takes them back.
    """
    from pipelines.ingest.publishing import publish
    from pipelines.ingest.warehouse import Warehouse

    where = places(warehouse, serving)
    with Warehouse.open(where.warehouse, create=False) as store:
        store.unregister(ids)
        publish(store, where.serving)
    click.echo(f"{len(set(ids))} unregistered; their items stay.")


@main.command()
@click.argument("ids", nargs=-1, required=True, type=CONVERSATION_ID, metavar="CONVERSATION_ID...")
@places_options
def forget(ids: tuple[str, ...], warehouse: Path | None, serving: Path | None) -> None:
    """Erase conversations from all files here, for good.

    Their rows, payload files and problems go, and the serving snapshot is replaced at once. They stay forgotten
    even if a source names them again; `register --again` takes them back. At the API nothing is deleted. A reader
    that holds the old snapshot open has it until it closes it; backups, query results and Dagster's event log
    (which may name a conversation's ID) are yours to see to. The warehouse is written anew, which takes time and
    space.
    """
    from pipelines.ingest.forgetting import forget as erase

    where = places(warehouse, serving)
    conversations, items = erase(where, ids)
    click.echo(f"Forgot {conversations} conversations with {items:,} items. Snapshot: {where.serving}")
    if unknown := len(set(ids)) - conversations:
        click.echo(f"{unknown} were not in the registry; they will not be taken in.")


@main.command()
@click.option(
    "--conversation",
    "chosen",
    multiple=True,
    type=CONVERSATION_ID,
    metavar="ID",
    help="Ask only this one; may be given often.",
)
@click.option(
    "--due",
    "only_due",
    is_flag=True,
    help="Ask only those that are due, as the schedule does: it also lists some whole, with up to a tenth of its "
    "requests, and publishes at most every 5 minutes.",
)
@click.option("--all", "include_inactive", is_flag=True, help="Ask missing and forbidden ones too.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked, and end: nothing is asked or changed.")
@asking_options
@CUT_OPTION
@JSON_OPTION
@places_options
@click.pass_context
def sync(
    ctx: click.Context,
    /,
    chosen: tuple[str, ...],
    only_due: bool,
    include_inactive: bool,
    dry_run: bool,
    cut_from: int,
    as_json: bool,
    warehouse: Path | None,
    serving: Path | None,
    **asking: Any,
) -> None:
    """Pull what is new in the registered conversations.

    Registers what CONVERSATIONS_SOURCE names (a file, a glob or SQL), if it is set. Asks every active conversation for
    the items after its cursor, commits them with the cursor, and puts a new serving snapshot in place. Safe to stop at
    any time, and to run again.
    """
    if sum((bool(chosen), only_due, include_inactive)) > 1:
        raise click.UsageError("--conversation, --due and --all exclude each other")
    choice: dict[str, Any] = {"chosen": chosen, "only_due": only_due, "include_inactive": include_inactive}
    if dry_run:
        from pipelines.console import print_plan
        from pipelines.ingest.planning import plan
        from pipelines.ingest.sync import SyncOptions

        print_plan(plan(places(warehouse, serving), SyncOptions(**choice)), as_json)
        return
    _sync(ctx, places(warehouse, serving), Asking.of(**asking), as_json, cut_from_bytes=cut_from, **choice)


@main.command()
@click.argument("ids", nargs=-1, type=CONVERSATION_ID, metavar="[CONVERSATION_ID]...")
@click.option("--all", "include_inactive", is_flag=True, help="List missing and forbidden ones too.")
@asking_options
@CUT_OPTION
@JSON_OPTION
@places_options
@click.pass_context
def reconcile(
    ctx: click.Context,
    /,
    ids: tuple[str, ...],
    include_inactive: bool,
    cut_from: int,
    as_json: bool,
    warehouse: Path | None,
    serving: Path | None,
    **asking: Any,
) -> None:
    """List conversations whole, and make what is stored agree.

    All active ones, or those named. Items that are no longer listed get deleted_at and leave the typed tables;
    changed ones are replaced; those that came back lose deleted_at. A conversation that the API no longer knows is
    marked missing, and its items stay.
    """
    if ids and include_inactive:
        raise click.UsageError("CONVERSATION_ID and --all exclude each other")
    choice = {"chosen": ids, "include_inactive": include_inactive, "reconcile": True}
    _sync(ctx, places(warehouse, serving), Asking.of(**asking), as_json, cut_from_bytes=cut_from, **choice)


def _sync(ctx: click.Context, where: Places, asking: Asking, as_json: bool, **options: Any) -> None:
    from pipelines.console import print_run
    from pipelines.ingest import source
    from pipelines.ingest.sync import SyncOptions
    from pipelines.ingest.sync import sync as run

    if source.is_named() and (new := source.take_in(where).registered.new) and not as_json:
        click.echo(f"{new} new conversations in {source.VARIABLE}.")
    choice = SyncOptions(include=asking.include, limits=asking.limits, **options)
    with progress():
        result = run(where, asking.client, choice, tell)
    print_run(result, where, as_json)
    if this_stop().is_asked:
        click.echo(f"{result.report.error or 'Stopped as asked.'} {GOES_ON}", err=True)
        ctx.exit(STOPPED_EXIT)
    if result.report.error:
        raise click.ClickException(result.report.error)
    if result.failures:
        ctx.exit(PARTIAL_EXIT)


@main.command()
@click.argument("ids", nargs=-1, type=CONVERSATION_ID, metavar="[CONVERSATION_ID]...")
@asking_options
@JSON_OPTION
@places_options
@click.pass_context
def verify(
    ctx: click.Context,
    /,
    ids: tuple[str, ...],
    as_json: bool,
    warehouse: Path | None,
    serving: Path | None,
    **asking: Any,
) -> None:
    """Prove that what is stored is what the API serves.

    Lists all active conversations, or those named, whole and compares IDs, order and content with the serving
    snapshot; changes nothing. Exit code 3 if anything differs, or a conversation cannot be listed.
    """
    from pipelines.console import print_verification
    from pipelines.ingest.verifying import VerifyOptions
    from pipelines.ingest.verifying import verify as compare

    given = Asking.of(**asking)
    where = places(warehouse, serving)
    with progress():
        found = compare(where, given.client, VerifyOptions(ids, given.include, given.limits), tell)
    print_verification(found, where, as_json)
    if this_stop().is_asked:
        click.echo(found.error or "Stopped as asked.", err=True)
        ctx.exit(STOPPED_EXIT)
    if found.error:
        raise click.ClickException(found.error)
    if not found.agrees:
        ctx.exit(PARTIAL_EXIT)


@main.command()
@places_options
def publish(warehouse: Path | None, serving: Path | None) -> None:
    """Put a new serving snapshot in place, if data changed."""
    from pipelines.ingest.publishing import publish as copy
    from pipelines.ingest.warehouse import Warehouse

    where = places(warehouse, serving)
    with Warehouse.open(where.warehouse, create=False) as store:
        seconds = copy(store, where.serving)
    click.echo(f"Snapshot: {where.serving}" + (", nothing changed" if seconds is None else f", in {seconds:.2f} s"))


@main.command()
@JSON_OPTION
@places_options
def status(as_json: bool, warehouse: Path | None, serving: Path | None) -> None:
    """Show registry, items, last run, drift and problems.

    Reads the serving snapshot and the note that a run leaves beside the warehouse; never disturbs a run.
    """
    from pipelines.console import print_status
    from pipelines.ingest.clock import utc_now
    from pipelines.ingest.reading import status as read_status

    where = places(warehouse, serving)
    found = read_status(where, utc_now())
    if as_json:
        click.echo(json.dumps(found.to_dict(), default=str))
    else:
        print_status(found, where)


@main.command()
@click.argument("sql")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="json: one object a line; parquet needs --output.",
)
@click.option("--output", type=FilePath, help="Write to this file instead of the terminal.")
@places_options
def query(sql: str, form: str, output: Path | None, warehouse: Path | None, serving: Path | None) -> None:
    """Read the serving snapshot with SQL.

    \b
    Examples:
      conversations query "from items.message limit 5"
      conversations query --format csv "select name, count(*) as calls from items.function_call group by all"
    """
    if form == "parquet" and output is None:
        raise click.UsageError("--format parquet writes a file: give --output")
    from pipelines.console import print_rows
    from pipelines.ingest.reading import query as ask

    print_rows(ask(places(warehouse, serving).serving, sql), form, output)


@main.command()
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only this item type; may be given often.")
@places_options
def rebuild(types: tuple[str, ...], warehouse: Path | None, serving: Path | None) -> None:
    """Make the typed tables anew from raw, without the network.

    For items of a type that has become known since they were received, and whenever in doubt: raw is the fact, the
    typed tables follow from it.
    """
    from pipelines.ingest.publishing import publish
    from pipelines.ingest.warehouse import Warehouse

    where = places(warehouse, serving)
    with Warehouse.open(where.warehouse, create=False) as store:
        count = store.rebuild(types)
        publish(store, where.serving)
    click.echo(f"Read {count:,} items of {len(types) or 'all'} types anew. Snapshot: {where.serving}")


@main.command()
@click.argument("conversation_id")
@click.argument("item_id")
@click.option("--output", type=FilePath, help="Write to this file instead of standard output.")
@places_options
def item(conversation_id: str, item_id: str, output: Path | None, warehouse: Path | None, serving: Path | None) -> None:
    """Give an item back byte for byte as the API sent it."""
    from pipelines.ingest.reading import original

    received = original(places(warehouse, serving), conversation_id, item_id)
    if output is None:
        sys.stdout.buffer.write(received)
    else:
        output.write_bytes(received)


@main.command()
@JSON_OPTION
def schema(as_json: bool) -> None:
    """Print the data dictionary: every table and column."""
    from models.dictionary import as_dict, as_markdown

    click.echo(json.dumps(as_dict(), indent=1) if as_json else as_markdown(), nl=as_json)


@main.command()
@click.option("--output", type=FilePath, help="Write to this file.  [default: report.html beside the serving snapshot]")
@click.option(
    "--with-examples",
    is_flag=True,
    help="Show words of conversations too, such as error messages and searches; without it, the report holds none.",
)
@places_options
def report(output: Path | None, with_examples: bool, warehouse: Path | None, serving: Path | None) -> None:
    """Write a report on the serving snapshot: one HTML file.

    Health of the ingest, conversations, tools, errors, searches and more, by day and tool. The file is complete in
    itself: open it with a browser, no network is needed. It holds no text of conversations unless asked for; it does
    hold names of tools, servers, sites, programs and libraries, and IDs.
    """
    from dashboards import write_report

    where = places(warehouse, serving)
    target = output or where.report
    write_report(where.serving, target, with_examples=with_examples)
    click.echo(f"Report: {target}")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any free one.")
@click.option(
    "--as",
    "provider",
    type=click.Choice(["openai", "azure", "foundry"]),
    default="openai",
    show_default=True,
    help="Whose API it is: addresses, credentials, and whether it lists its conversations.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Which sample data.")
@click.option(
    "--more",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="How many of the conversations have gone on by one turn.",
)
@click.option(
    "--write-ids", type=FilePath, help="Write the conversations' IDs to this file, ready for register --file."
)
@click.option("--fault", multiple=True, metavar="NAME[=VALUE]", help="What goes wrong; may be given often.")
@click.option("--list-faults", is_flag=True, help="List what can go wrong, and end.")
@click.option(
    "--fault-rate",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="The share of requests hit by one of the faults that are not lasting.",
)
@click.option("--fault-seed", type=int, default=0, show_default=True, help="Which requests these are.")
@click.option(
    "--fault-in-a-row",
    type=click.IntRange(0),
    default=2,
    show_default=True,
    help="How often in a row the same request is hit at most; 0: for ever.",
)
def emulate(
    host: str,
    port: int,
    provider: str,
    seed: int,
    more: int,
    write_ids: Path | None,
    fault: tuple[str, ...],
    list_faults: bool,
    fault_rate: float,
    fault_seed: int,
    fault_in_a_row: int,
) -> None:
    """Run a local API with sample conversations.

    To try things without a key. Speaks like https://api.openai.com/v1/conversations and takes new items and
    conversations while it runs; all is kept in memory. Any key will do. Ctrl-C ends it.

    \b
    With --write-ids ids.txt, in another terminal:
      export OPENAI_BASE_URL=http://127.0.0.1:8765/v1 OPENAI_API_KEY=any
      conversations register --file ids.txt && conversations sync
    """
    from connectors.emulator import DIALECTS, Faults
    from connectors.emulator.faults import FAULTS
    from connectors.emulator.samples import sample_store
    from connectors.emulator.server import serve

    if list_faults:
        for known in FAULTS.values():
            click.echo(f"{known.usage:32} {'lasting' if known.is_lasting else 'at random':9}  {known.summary}")
        return
    try:
        faults = Faults(*fault, rate=fault_rate, seed=fault_seed, in_a_row=fault_in_a_row) if fault else None
    except ValueError as error:
        raise click.UsageError(f"--fault: {error}") from error
    store = sample_store(seed, more=more)
    if write_ids:
        write_ids.parent.mkdir(parents=True, exist_ok=True)
        write_ids.write_text("\n".join(store.conversation_ids()) + "\n", encoding="utf-8")

    dialect = DIALECTS[provider]

    def say(address: str) -> None:
        count = len(store.conversation_ids())
        click.echo(f"{count} conversations with {store.count_items()} items at {address} (Ctrl-C ends it)")
        settings = " ".join(f"{name}={value}" for name, value in dialect.environment(address).items())
        click.echo(f"export {settings}")

    try:
        serve(store, host=host, port=port, api_key=None, on_started=say, faults=faults, dialect=dialect)
    except OSError as error:
        raise click.ClickException(f"{error}; choose another --port") from error
