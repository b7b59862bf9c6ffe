"""All that Dagster is to know. Wiring only."""

import dagster as dg

from pipelines.assets import conversations, items
from pipelines.checks import as_declared, outputs_have_calls
from pipelines.resources import Api, Files
from pipelines.schedules import every_15_minutes, sync_conversations

defs = dg.Definitions(
    assets=[conversations, items],
    asset_checks=[as_declared, outputs_have_calls],
    jobs=[sync_conversations],
    schedules=[every_15_minutes],
    resources={"files": Files(), "api": Api()},
    # One process: the steps are few, and a process per step would fight for the one writable file.
    executor=dg.in_process_executor,
)
