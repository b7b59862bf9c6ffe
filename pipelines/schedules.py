"""When runs start by themselves."""

import dagster as dg

from pipelines.assets import CONVERSATIONS, ITEM_SPECS, SNAPSHOT, SyncConfig, items

sync_conversations = dg.define_asset_job(
    "sync_conversations",
    selection=dg.AssetSelection.assets(CONVERSATIONS, SNAPSHOT, *(spec.key for spec in ITEM_SPECS)),
    description="Register what the source names, pull what is new, publish the snapshot.",
)

every_15_minutes = dg.ScheduleDefinition(
    name="every_15_minutes",
    job=sync_conversations,
    cron_schedule="*/15 * * * *",
    run_config=dg.RunConfig(ops={items.op.name: SyncConfig(only_due=True, run_deadline_seconds=3600)}),
    description="Asks the conversations that are due: those that grew lately often, quiet ones once a day.",
)
