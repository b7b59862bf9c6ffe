"""When runs start by the clock. Not here: what they do (`jobs`), and what else starts them (`sensors`)."""

import dagster as dg
from dagster import DagsterInstance

from pipelines.assets import Ask, SyncConfig, sync
from pipelines.ingest.places import Places
from pipelines.ingest.planning import is_going_on
from pipelines.jobs import KEPT_DAYS, UNFINISHED, WRITING, is_ours, purge_old_runs, sync_conversations
from pipelines.resources import Files

_DEADLINE_SECONDS = 3600
_LONGEST_SECONDS = 2 * _DEADLINE_SECONDS
"""When Dagster gives up a scheduled run, should its process have died unseen."""
DUE = dg.RunConfig(ops={sync.op.name: SyncConfig(ask=Ask.due, run_deadline_seconds=_DEADLINE_SECONDS)})
TAGS = {"dagster/max_runtime": str(_LONGEST_SECONDS)}


@dg.schedule(
    job=sync_conversations,
    cron_schedule="*/15 * * * *",
    description="Asks the conversations that are due: those that grew lately often, quiet ones once a day. No run is "
    "started while one is waiting or going on, whoever started it.",
)
def every_15_minutes(context: dg.ScheduleEvaluationContext, files: Files) -> dg.RunRequest | dg.SkipReason:
    """A run, unless there is one."""
    busy = busy_with(context.instance, files.places())
    return dg.SkipReason(busy) if busy else dg.RunRequest(run_config=DUE, tags=TAGS)


purge_every_night = dg.ScheduleDefinition(
    name="purge_every_night",
    job=purge_old_runs,
    cron_schedule="17 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=f"Deletes what Dagster stored of this project's runs of more than {KEPT_DAYS} days ago; on by default.",
)


def busy_with(instance: DagsterInstance, places: Places) -> str | None:
    """Why no run should be started now: one is waiting or going on, in Dagster or elsewhere."""
    unfinished = instance.get_run_records(dg.RunsFilter(statuses=list(UNFINISHED)))
    for run in (record.dagster_run for record in unfinished):
        if is_ours(run) and (run.job_name in WRITING or run.asset_selection):
            return f"{run.job_name} is {run.status.value.lower()} (run {run.run_id[:8]}); the next tick looks again"
    if is_going_on(places):
        return "a sync that was started outside of Dagster is going on; the next tick looks again"
    return None
