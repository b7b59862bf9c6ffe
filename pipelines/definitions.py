"""All that Dagster is to know. Wiring only."""

import dagster as dg

from pipelines.assets import report, sync, views
from pipelines.checks import checks
from pipelines.jobs import JOBS
from pipelines.resources import Api, Files
from pipelines.schedules import every_15_minutes, purge_every_night
from pipelines.sensors import alert_on_failure, new_conversations, views_when_their_sql_changes

defs = dg.Definitions(
    assets=[sync, views, report],
    asset_checks=[checks],
    jobs=JOBS,
    schedules=[every_15_minutes, purge_every_night],
    sensors=[new_conversations, views_when_their_sql_changes, alert_on_failure],
    resources={"files": Files(), "api": Api()},
    # One process: the steps are few, and a process per step would fight for the one writable file.
    executor=dg.in_process_executor,
)
