"""The demonstration behind `make demo`: sample conversations, a local API, and the Dagster job over real HTTP."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import dagster as dg

from connectors.emulator import running_emulator
from connectors.emulator.samples import sample_store
from pipelines.assets import RUNS, VIEW_SPECS
from pipelines.console import print_rows
from pipelines.definitions import defs
from pipelines.ingest.places import Places, places
from pipelines.ingest.publishing import publish
from pipelines.ingest.reading import query
from pipelines.ingest.registry import candidates
from pipelines.ingest.warehouse import Warehouse

DIRECTORY = Path("data/demo")
_QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
TOOL_USAGE = """
with calls as (
    select 'function ' || name as tool, conversation_id, status from items.function_call
    union all
    select 'web search', conversation_id, status from items.web_search_call
)
select tool, count(*) as calls, count(distinct conversation_id) as conversations,
       count(*) filter (status <> 'completed') as not_completed
from calls group by tool order by calls desc limit 8
"""


@click.command()
@click.option("--more", type=click.IntRange(0), default=0, help="How many conversations have gone on by one turn.")
def main(more: int) -> None:
    """Sync sample conversations from a local API through Dagster, and show what came of it."""
    store = sample_store(more=_remembered(more))
    where = places(DIRECTORY / "warehouse.duckdb")
    with running_emulator(store) as base_url, _environment(where, base_url):
        click.echo(f"A local API serves {len(store.conversation_ids())} sample conversations at {base_url}.")
        with Warehouse.open(where.warehouse) as warehouse:
            new = warehouse.register(candidates("demo", store.conversation_ids())).new
            publish(warehouse, where.serving)
        click.echo(f"Registered {new} new conversations. Running the Dagster job sync_conversations ...")
        summary = _run_jobs()
    click.echo(summary)
    click.echo("\nTool usage, by SQL on the serving snapshot:\n")
    print_rows(query(where.serving, TOOL_USAGE), "table", None)
    click.echo(_closing(where))


def _remembered(more: int) -> int:
    """As many as ever were: the local API forgets when it ends, and items that it lost would look deleted."""
    file = DIRECTORY / "more"
    most = max(more, int(file.read_text()) if file.exists() else 0)
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    file.write_text(str(most))
    return most


@contextmanager
def _environment(where: Places, base_url: str) -> Iterator[None]:
    """Point the job at the demonstration's files and at the local API; whatever key is set stays unused."""
    given = {
        "OPENAI_API_KEY": "any-key-will-do",
        "OPENAI_BASE_URL": base_url,
        "CONVERSATIONS_WAREHOUSE": str(where.warehouse),
        "CONVERSATIONS_SERVING": str(where.serving),
    }
    before = dict(os.environ)
    for name in before:
        if name.startswith(("OPENAI_", "AZURE_OPENAI_", "CONVERSATIONS_SOURCE")):
            del os.environ[name]
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _run_jobs() -> str:
    """What the job said of its run; views that are new, or whose SQL changed, are materialized after it."""
    Path(os.environ["CONVERSATIONS_DAGSTER_STATE"]).mkdir(parents=True, exist_ok=True)
    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_job_def("sync_conversations").execute_in_process(instance=instance, run_config=_QUIET)
        known = instance.get_latest_materialization_code_versions([spec.key for spec in VIEW_SPECS])
        if changed := [spec.key for spec in VIEW_SPECS if known.get(spec.key) != spec.code_version]:
            everything = defs.resolve_implicit_global_asset_job_def()
            everything.execute_in_process(instance=instance, run_config=_QUIET, asset_selection=changed)
    materialized = (
        event.step_materialization_data.materialization for event in result.get_asset_materialization_events()
    )
    return next(str(one.metadata["summary"].value) for one in materialized if one.asset_key == RUNS)


def _closing(where: Places) -> str:
    return f"""
Files
  {where.warehouse}   the warehouse, written by the sync only
  {where.serving}     the serving snapshot, open to everybody
  {where.report}        the report, to be opened in a browser

Next
  make demo MORE=3    three conversations have gone on: only their items are pulled
  make dev            the same job in the Dagster UI
  .venv/bin/conversations query --serving {where.serving} "select role, text from items.message limit 5"
"""


if __name__ == "__main__":
    main()
