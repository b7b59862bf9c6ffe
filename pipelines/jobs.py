"""What can be run as a whole: the jobs. Not here: when they run by themselves (`schedules`, `sensors`)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.storage.event_log import SqliteEventLogStorage
from pydantic import Field

from models.items import ITEM_TYPES
from pipelines.assets import SNAPSHOT, SYNC_SPECS, VIEW_SPECS, WRITER_POOL, SyncConfig, item_key, report, sync, told
from pipelines.ingest.publishing import publish
from pipelines.ingest.reading import row_counts
from pipelines.ingest.warehouse import Warehouse
from pipelines.resources import Files

KEPT_DAYS = 30
UNFINISHED = (
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
)
_FINISHED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
_KEYS = frozenset((*(spec.key for spec in (*SYNC_SPECS, *VIEW_SPECS)), report.key))
_PAGE = 200

_SYNCED = dg.AssetSelection.assets(*(spec.key for spec in SYNC_SPECS), report.key)
sync_conversations = dg.define_asset_job(
    "sync_conversations",
    selection=_SYNCED,
    description="Registers what the source names, pulls what is new, publishes the snapshot, checks it, writes the "
    "report. Asks every active conversation, unless the run config says otherwise: `conversations`, `ask`, `dry_run`.",
)
reconcile_conversations = dg.define_asset_job(
    "reconcile_conversations",
    selection=_SYNCED,
    config=dg.RunConfig(ops={sync.op.name: SyncConfig(reconcile=True)}),
    description="Lists conversations whole and makes what is stored agree: finds deleted and changed items. Takes a "
    "request for every 100 items. The schedule does a part of it with every run.",
)


class RebuildConfig(dg.Config):
    """Which typed tables are made anew."""

    types: list[str] = Field(default=[], description="Item types, as message or function_call; all, if none is named.")


@dg.op(pool=WRITER_POOL)
def rebuild(context: dg.OpExecutionContext, config: RebuildConfig, files: Files) -> None:
    """Make the typed tables anew from raw, and publish."""
    where = files.places()
    with told(), Warehouse.open(where.warehouse, create=False) as warehouse:
        count = warehouse.rebuild(config.types)
        publish(warehouse, where.serving)
    context.log.info(f"Read {count:,} items anew")
    tables = {ITEM_TYPES[name].tables[0].table: name for name in config.types or ITEM_TYPES}
    for table, rows in row_counts(where.serving, tables).items():
        context.log_event(dg.AssetMaterialization(item_key(tables[table]), metadata={"dagster/row_count": rows}))
    size = where.serving.stat().st_size
    context.log_event(dg.AssetMaterialization(SNAPSHOT, metadata={"size_bytes": size}))


@dg.job(description="Makes the typed tables anew from the items as received, without the network; `types`: only some.")
def rebuild_tables() -> None:
    """Make the typed tables anew."""
    rebuild()


class PurgeConfig(dg.Config):
    """How long a run is remembered."""

    older_than_days: int = Field(default=KEPT_DAYS, ge=1, description="Runs that ended before are deleted.")


@dg.op
def purge(context: dg.OpExecutionContext, config: PurgeConfig) -> None:
    """Delete what Dagster stored of our old runs, its log files too."""
    instance, deleted = context.instance, 0
    before = datetime.now(UTC) - timedelta(days=config.older_than_days)
    latest = _latest_runs(instance)
    for run in list(_finished_runs(instance, before)):
        if run.run_id not in latest and is_ours(run, like=context.run):
            _delete(instance, run.run_id)
            deleted += 1
    context.log.info(f"Deleted {deleted} runs that ended before {before:%Y-%m-%d %H:%M} UTC")


@dg.job(description="Deletes what Dagster stored of this project's runs of more than 30 days ago. No data is touched.")
def purge_old_runs() -> None:
    """Delete old runs."""
    purge()


JOBS = (sync_conversations, reconcile_conversations, rebuild_tables, purge_old_runs)
WRITING = frozenset(job.name for job in (sync_conversations, reconcile_conversations, rebuild_tables))
"""The jobs that write the warehouse."""


def is_ours(run: DagsterRun, like: DagsterRun | None = None) -> bool:
    """Whether a run is of a job or an asset of this project, and of the code location that another run is `like`."""
    named = run.job_name in {job.name for job in JOBS} or bool(_KEYS & (run.asset_selection or frozenset()))
    return named and (like is None or None in (places := {_location(run), _location(like)}) or len(places) == 1)


def _location(run: DagsterRun) -> str | None:
    origin = run.remote_job_origin
    return origin.repository_origin.code_location_origin.location_name if origin else None


def _latest_runs(instance: DagsterInstance) -> set[str]:
    """The runs that last materialized one of our assets: what there is to be seen of an asset that seldom changes."""
    events = (record.asset_entry.last_materialization_record for record in instance.get_asset_records(list(_KEYS)))
    return {event.run_id for event in events if event}


def _delete(instance: DagsterInstance, run_id: str) -> None:
    """Delete a run, what it printed, and the file of its events, which Dagster only empties."""
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    instance.delete_run(run_id)
    if isinstance(storage := instance.event_log_storage, SqliteEventLogStorage):
        for ending in ("", "-wal", "-shm"):
            Path(storage.path_for_shard(run_id) + ending).unlink(missing_ok=True)


def _finished_runs(instance: DagsterInstance, before: datetime) -> Iterator[DagsterRun]:
    wanted = dg.RunsFilter(statuses=list(_FINISHED), created_before=before)
    cursor = None
    while records := instance.get_run_records(wanted, limit=_PAGE, cursor=cursor):
        yield from (record.dagster_run for record in records)
        cursor = records[-1].dagster_run.run_id
