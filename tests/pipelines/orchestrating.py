"""Running the jobs in this process, and reading what Dagster noted. Not here: what must hold."""

from typing import Any

import dagster as dg

from pipelines.definitions import defs

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_job(
    instance: dg.DagsterInstance, job: str = "sync_conversations", resources: object = None, **config: object
) -> dg.ExecuteInProcessResult:
    """A run of a job that writes the warehouse; `config` is that of its op."""
    op = "rebuild" if job == "rebuild_tables" else "sync"
    given = {**QUIET, "ops": {op: {"config": config}}, "resources": resources or {}}
    return defs.resolve_job_def(job).execute_in_process(instance=instance, run_config=given, raise_on_error=False)


def materialized(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """The figures of each asset that a run materialized."""
    found = (event.step_materialization_data.materialization for event in result.get_asset_materialization_events())
    return {
        one.asset_key.to_user_string(): {name: value.value for name, value in one.metadata.items()} for one in found
    }


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """What the checks of a run found, by name."""
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    """What the step that failed said."""
    event = next(event for event in result.all_events if event.is_step_failure)
    return str(event.step_failure_data.error)


def logged(result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance) -> str:
    """What a run wrote into its log itself."""
    return "\n".join(record.user_message for record in instance.all_logs(result.run_id) if not record.dagster_event)
