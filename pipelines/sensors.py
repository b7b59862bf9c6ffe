"""What starts a run, or tells people, when something happens. Not here: the clock (`schedules`), telling (`alerts`)."""

import json

import dagster as dg

from pipelines import alerts
from pipelines.assets import VIEW_SPECS, told
from pipelines.ingest import source
from pipelines.ingest.clock import utc_now
from pipelines.jobs import sync_conversations
from pipelines.resources import Files
from pipelines.schedules import DUE, TAGS, busy_with

_LOOK_EVERY_SECONDS = 60


@dg.sensor(
    job=sync_conversations,
    minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    description=f"Looks every minute for conversations that {source.VARIABLE} names and that are not registered, or "
    "were touched (column touched_at) since the last look, and starts a run that registers and pulls them.",
)
def new_conversations(context: dg.SensorEvaluationContext, files: Files) -> dg.SensorResult | dg.SkipReason:
    """A run, if the source has something new; the cursor holds what was seen."""
    if not source.is_named():
        return dg.SkipReason(f"{source.VARIABLE} is not set: a file, a glob or SQL that gives conversation IDs")
    if busy := busy_with(context.instance, files.places()):
        return dg.SkipReason(busy)
    with told():
        news = source.news(files.places().serving)
    seen = json.loads(context.cursor or "{}")
    # What is still new an hour later was not taken in: the run that was to do so failed.
    found = {
        "new": f"{news.digest} {utc_now():%Y-%m-%d %H}" if news.new else "",
        "touched_at": str(news.touched_at or ""),
    }
    is_touched = found["touched_at"] > seen.get("touched_at", found["touched_at"])
    if not is_touched and found["new"] in ("", seen.get("new")):
        return dg.SensorResult(skip_reason=dg.SkipReason("nothing new"), cursor=json.dumps(found))
    context.log.info(f"{len(news.new)} new conversations")
    request = dg.RunRequest(run_key=json.dumps(found), run_config=DUE, tags=TAGS)
    return dg.SensorResult([request], cursor=json.dumps(found))


views_when_their_sql_changes = dg.AutomationConditionSensorDefinition(
    "views_when_their_sql_changes",
    target=dg.AssetSelection.assets(*(spec.key for spec in VIEW_SPECS)),
    description="Makes the views anew, and publishes them, when their SQL has changed.",
)


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING if alerts.channels() else dg.DefaultSensorStatus.STOPPED,
    description=f"Says so when a run fails: to {' or '.join(alerts.VARIABLES)}. On by default where one is set.",
)
def alert_on_failure(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
    """Send what happened and what to do, in our own words; never what a traceback or an item says."""
    if not alerts.channels():
        return dg.SkipReason(f"none of {', '.join(alerts.VARIABLES)} is set")
    alerts.send(
        f"{context.dagster_run.job_name} failed (run {context.dagster_run.run_id[:8]})",
        *(_words(event) for event in context.get_step_failure_events()),
        "docs/operations.md says what each failure means.",
        alerts.link(context.dagster_run.run_id),
    )
    return None


def _words(event: dg.DagsterEvent) -> str:
    """The words of a failure of ours; of any other error, what kind it is."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    error = failure.error and (failure.error.cause or failure.error)
    kind = error.cls_name if error else "error"
    return f"Step {event.step_key}: {kind}; the run's log has the rest."
