"""The `conversations` command: options in, words and exit codes out. Not here: anything a test would call logic.

Modules that take long to load are imported by the command that needs them; none imports Dagster.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from pipelines.ingest.places import DEFAULT_WAREHOUSE, Places, places

PARTIAL_EXIT = 3
LISTED = 10
FilePath = click.Path(dir_okay=False, path_type=Path)


class Command(click.Group):
    """Turns the errors that have words for the user into one sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        with _told():
            return super().invoke(ctx)


@contextmanager
def _told() -> Iterator[None]:
    from pipelines.ingest.errors import IngestError, SelectionError, SourceError

    try:
        yield
    except (SelectionError, SourceError) as error:
        raise click.UsageError(str(error)) from error
    except IngestError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        words = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise click.ClickException(words) from error


def _places_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option(
        "--serving",
        type=FilePath,
        help="Serving snapshot that everybody may open.  [env: CONVERSATIONS_SERVING; default: serving.duckdb beside "
        "the warehouse]",
    )(command)
    return click.option(
        "--warehouse",
        type=FilePath,
        help=f"Warehouse file, written by this command only.  [env: CONVERSATIONS_WAREHOUSE; default: "
        f"{DEFAULT_WAREHOUSE}]",
    )(command)


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="conversations-to-duckdb")
def main() -> None:
    r"""Every item of your OpenAI conversations as DuckDB tables.

    \b
    First time:
      conversations register --file ids.csv     which conversations there are
      conversations sync                        pull what is new
      conversations query "from items.message"  read it with SQL

    The API is asked with OPENAI_API_KEY (and OPENAI_BASE_URL, OPENAI_ORG_ID, OPENAI_PROJECT_ID, if set), as the
    official SDKs do.

    Exit codes: 0 done; 1 stopped; 2 wrong arguments; 3 finished, but some conversations failed and are listed.
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
@_places_options
def register(
    ids: tuple[str, ...],
    file: Path | None,
    sql: str | None,
    database: Path | None,
    warehouse: Path | None,
    serving: Path | None,
) -> None:
    r"""Add conversations to the registry.

    The API has no way to list conversations: the IDs come from where you stored them when you created them.
    Registering one again changes nothing. What is no conversation ID is counted and listed, and left out.

    \b
    Examples:
      conversations register conv_0a1b... conv_2c3d...
      conversations register --file exported_ids.csv
      conversations register --sql "select conv_id from chats" --database app.sqlite
    """
    from pipelines.ingest.registry import candidates, from_file, from_sql

    if database and not sql:
        raise click.UsageError("--database goes with --sql")
    found = [
        *([candidates("command line", ids)] if ids else []),
        *([from_file(file)] if file else []),
        *([from_sql(sql, database)] if sql else []),
    ]
    if not found:
        raise click.UsageError("give conversation IDs, --file or --sql")
    new, known, malformed = _register(places(warehouse, serving), found)
    click.echo(f"{new} new, {known} known, {len(malformed)} malformed.")
    for word in malformed[:LISTED]:
        click.echo(f"  not a conversation ID (conv_...): {word[:80]!r}", err=True)
    if len(malformed) > LISTED:
        click.echo(f"  ... and {len(malformed) - LISTED} more", err=True)


def _register(where: Places, found: list[Any]) -> tuple[int, int, list[str]]:
    from pipelines.ingest.publishing import publish
    from pipelines.ingest.warehouse import Warehouse

    with Warehouse.open(where.warehouse) as store:
        new = sum(store.register(source.ids, source.source) for source in found)
        publish(store, where.serving)
    named = sum(len(source.ids) for source in found)
    return new, named - new, [word for source in found for word in source.malformed]


@main.command()
@click.option("--conversation", "chosen", multiple=True, metavar="ID", help="Ask only this one; may be given often.")
@click.option("--due", "only_due", is_flag=True, help="Ask only those that are due, as the schedule does.")
@click.option("--all", "include_inactive", is_flag=True, help="Ask missing and forbidden ones too.")
@click.option(
    "--include",
    multiple=True,
    metavar="VALUE",
    help="What to ask for with include[]; may be given often.  [default: all the API knows]",
)
@click.option("--no-include", is_flag=True, help="Ask for nothing with include[].")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 500),
    default=16,
    show_default=True,
    help="How many conversations are asked at once.",
)
@click.option(
    "--max-retries",
    type=click.IntRange(0, 20),
    default=2,
    show_default=True,
    help="How often a failed request is repeated.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 3600),
    default=600.0,
    show_default=True,
    help="Seconds that a request may take.",
)
@click.option(
    "--cut-from",
    type=click.IntRange(0),
    default=65_536,
    show_default=True,
    metavar="BYTES",
    help="Keep payloads (images, files) from this length on in files beside the warehouse; 0: all in raw.items.",
)
@click.option(
    "--base-url",
    metavar="URL",
    help="Address of the API.  [env: OPENAI_BASE_URL; default: https://api.openai.com/v1]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
@_places_options
@click.pass_context
def sync(
    ctx: click.Context,
    chosen: tuple[str, ...],
    only_due: bool,
    include_inactive: bool,
    include: tuple[str, ...],
    no_include: bool,
    concurrency: int,
    max_retries: int,
    timeout: float,
    cut_from: int,
    base_url: str | None,
    as_json: bool,
    warehouse: Path | None,
    serving: Path | None,
) -> None:
    """Pull what is new in the registered conversations.

    Asks every active conversation for the items after its cursor, commits them with the cursor, and puts a new serving
    snapshot in place. Safe to stop at any time, and to run again.
    """
    if include and no_include:
        raise click.UsageError("--include and --no-include exclude each other")
    if sum((bool(chosen), only_due, include_inactive)) > 1:
        raise click.UsageError("--conversation, --due and --all exclude each other")
    from connectors.openai_conversations import INCLUDE, ConfigurationError, ConversationsClient
    from pipelines.console import print_run
    from pipelines.ingest.sync import SyncOptions
    from pipelines.ingest.sync import sync as run

    options = SyncOptions(
        chosen=chosen,
        only_due=only_due,
        include_inactive=include_inactive,
        include=() if no_include else include or INCLUDE,
        concurrency=concurrency,
        cut_from_bytes=cut_from,
    )
    try:
        client = ConversationsClient(
            base_url=base_url, max_retries=max_retries, timeout=timeout, max_connections=concurrency
        )
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    where = places(warehouse, serving)
    with _progress() as on_progress:
        result = run(where, client, options, on_progress)
    print_run(result, where, as_json)
    if result.report.error:
        raise click.ClickException(result.report.error)
    if result.failures:
        ctx.exit(PARTIAL_EXIT)


@contextmanager
def _progress() -> Iterator[Callable[[Any], None] | None]:
    """A progress bar on a terminal, nothing otherwise."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("conversations"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[items]:,} items"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, items=0)
        yield lambda said: bar.update(task, completed=said.conversations, total=said.of_conversations, items=said.items)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@_places_options
def status(as_json: bool, warehouse: Path | None, serving: Path | None) -> None:
    """Show the registry, what is stored, the last run and open problems.

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
@_places_options
def query(sql: str, form: str, output: Path | None, warehouse: Path | None, serving: Path | None) -> None:
    r"""Read the serving snapshot with SQL.

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
@_places_options
def rebuild(types: tuple[str, ...], warehouse: Path | None, serving: Path | None) -> None:
    """Make the typed tables anew from the raw items, without the network.

    For items of a type that has become known since they were received, and whenever in doubt: raw is the fact, the
    typed tables follow from it.
    """
    from pipelines.ingest.publishing import publish
    from pipelines.ingest.warehouse import Warehouse

    where = places(warehouse, serving)
    with Warehouse.open(where.warehouse) as store:
        count = store.rebuild(types)
        publish(store, where.serving)
    click.echo(f"Read {count:,} items of {len(types) or 'all'} types anew. Snapshot: {where.serving}")


@main.command()
@click.argument("conversation_id")
@click.argument("item_id")
@click.option("--output", type=FilePath, help="Write to this file instead of standard output.")
@_places_options
def item(conversation_id: str, item_id: str, output: Path | None, warehouse: Path | None, serving: Path | None) -> None:
    """Give an item back byte for byte as the API sent it, whatever was cut out of raw."""
    from pipelines.ingest.reading import original

    received = original(places(warehouse, serving), conversation_id, item_id)
    if output is None:
        sys.stdout.buffer.write(received)
    else:
        output.write_bytes(received)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def schema(as_json: bool) -> None:
    """Print the data dictionary: every table and column, what it means, what belongs to what."""
    from models.dictionary import as_dict, as_markdown

    click.echo(json.dumps(as_dict(), indent=1) if as_json else as_markdown(), nl=as_json)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any free one.")
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
def emulate(host: str, port: int, seed: int, more: int, write_ids: Path | None) -> None:
    r"""Run a local API with sample conversations, to try things without a key.

    Speaks like https://api.openai.com/v1/conversations and takes new items and conversations while it runs; all is kept
    in memory. Any key will do. Ctrl-C ends it.

    \b
    With --write-ids ids.txt, in another terminal:
      export OPENAI_BASE_URL=http://127.0.0.1:8765/v1 OPENAI_API_KEY=local
      conversations register --file ids.txt && conversations sync
    """
    from connectors.emulator.samples import sample_store
    from connectors.emulator.server import serve

    store = sample_store(seed, more=more)
    if write_ids:
        write_ids.parent.mkdir(parents=True, exist_ok=True)
        write_ids.write_text("\n".join(store.conversation_ids()) + "\n", encoding="utf-8")

    def say(base_url: str) -> None:
        count = len(store.conversation_ids())
        click.echo(f"{count} conversations with {store.count_items()} items at {base_url} (Ctrl-C ends it)")

    try:
        serve(store, host=host, port=port, api_key=None, on_started=say)
    except OSError as error:
        raise click.ClickException(f"{error}; choose another --port") from error
