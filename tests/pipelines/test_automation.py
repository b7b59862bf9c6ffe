"""What starts runs, what keeps them from piling up, and what is forgotten of them."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from connectors.emulator import Store
from pipelines.definitions import defs
from pipelines.ingest.places import Places
from pipelines.ingest.sync import _only_run
from pipelines.ingest.warehouse import Warehouse
from pipelines.resources import Files
from tests.pipelines.orchestrating import QUIET, failure, materialized, run_job

MESSAGE = {"type": "message", "role": "user", "content": "hello"}
NOON = datetime(2026, 1, 1, 12)
pytestmark = pytest.mark.usefixtures("environment")


def tick(instance: dg.DagsterInstance) -> Any:
    """What the schedule does now."""
    context = dg.build_schedule_context(instance, resources={"files": Files()})
    return defs.resolve_schedule_def("every_15_minutes").evaluate_tick(context)


def look(instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    """What the sensor does now."""
    context = dg.build_sensor_context(instance, cursor=cursor, resources={"files": Files()})
    return defs.get_repository_def().get_sensor_def("new_conversations").evaluate_tick(context)


def test_the_schedule_asks_only_what_is_due_and_is_given_up_after_a_time(instance: dg.DagsterInstance) -> None:
    (request,) = tick(instance).run_requests
    config = request.run_config["ops"]["sync"]["config"]
    assert (config["ask"], config["run_deadline_seconds"]) == ("due", 3600)
    assert int(request.tags["dagster/max_runtime"]) > config["run_deadline_seconds"]
    result = defs.resolve_job_def("sync_conversations").execute_in_process(
        run_config={**request.run_config, **QUIET}, instance=instance
    )
    assert result.success


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTED"])
@pytest.mark.parametrize("job", ["sync_conversations", "rebuild_tables"])
def test_no_run_is_started_while_one_waits_or_goes_on(status: str, job: str, instance: dg.DagsterInstance) -> None:
    create_run_for_test(instance, job_name="somebody_elses", status=dg.DagsterRunStatus[status])
    create_run_for_test(instance, job_name="purge_old_runs", status=dg.DagsterRunStatus[status])
    create_run_for_test(instance, job_name=job, status=dg.DagsterRunStatus.SUCCESS)
    assert tick(instance).run_requests
    create_run_for_test(instance, job_name=job, status=dg.DagsterRunStatus[status])
    assert f"{job} is {status.lower()}" in tick(instance).skip_message


def test_no_run_is_started_while_a_sync_goes_on_elsewhere(instance: dg.DagsterInstance, where: Places) -> None:
    with _only_run(where):
        assert "outside of Dagster" in tick(instance).skip_message
    assert tick(instance).run_requests


def test_a_run_beside_another_says_who_is_at_it(
    instance: dg.DagsterInstance, where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.ingest.sync.RUN_WAIT_SECONDS", 0.01)
    with _only_run(where):
        assert "another run is going on" in failure(run_job(instance))


def test_new_conversations_are_asked_for_once(
    instance: dg.DagsterInstance, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.sensors.utc_now", lambda: NOON)
    assert "CONVERSATIONS_SOURCE is not set" in look(instance).skip_message
    monkeypatch.setenv("CONVERSATIONS_SOURCE", str(tmp_path / "ids.txt"))
    (tmp_path / "ids.txt").write_text(store.create_conversation([MESSAGE]).id)
    first = look(instance)
    (request,) = first.run_requests
    assert look(instance, first.cursor).run_requests == []
    with monkeypatch.context() as later:
        later.setattr("pipelines.sensors.utc_now", lambda: NOON + timedelta(hours=1))
        assert len(look(instance, first.cursor).run_requests) == 1
    run_job(instance, **request.run_config["ops"]["sync"]["config"])
    after = look(instance, first.cursor)
    assert after.run_requests == []
    with (tmp_path / "ids.txt").open("a") as ids:
        ids.write(f"\n{store.create_conversation([MESSAGE]).id}\n")
    (again,) = look(instance, after.cursor).run_requests
    assert again.run_key != request.run_key
    assert materialized(run_job(instance, ask="due"))["conversations"]["dagster/row_count"] == 2


def test_a_conversation_that_was_touched_is_asked_for(
    instance: dg.DagsterInstance, register: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    register("conv_1")
    run_job(instance)
    monkeypatch.setenv("CONVERSATIONS_SOURCE", "select 'conv_1' as id, '2026-01-01' as touched_at")
    first = look(instance)
    monkeypatch.setenv("CONVERSATIONS_SOURCE", "select 'conv_1' as id, '2026-01-02' as touched_at")
    touched = look(instance, first.cursor)
    assert len(touched.run_requests) == 1
    assert look(instance, touched.cursor).run_requests == []


def test_a_look_while_a_run_goes_on_is_taken_up_later(
    instance: dg.DagsterInstance, where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERSATIONS_SOURCE", "select 'conv_1' as id")
    with _only_run(where):
        busy = look(instance, cursor=json.dumps({"new": "other", "touched_at": ""}))
    assert busy.run_requests == []
    assert len(look(instance, busy.cursor).run_requests) == 1


def test_a_forgotten_conversation_is_not_new(
    instance: dg.DagsterInstance, register: Callable[..., int], where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("conv_1")
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.forget(["conv_1"])
    run_job(instance)
    monkeypatch.setenv("CONVERSATIONS_SOURCE", "select 'conv_1' as id")
    assert look(instance).run_requests == []


def test_old_runs_are_deleted_but_for_what_assets_show(
    instance: dg.DagsterInstance, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERSATIONS_SOURCE", f"select '{store.create_conversation([MESSAGE]).id}' as id")
    first, second, third = (run_job(instance).run_id for _ in range(3))
    other = create_run_for_test(instance, job_name="somebody_elses", status=dg.DagsterRunStatus.SUCCESS).run_id
    going_on = create_run_for_test(instance, job_name="sync_conversations", status=dg.DagsterRunStatus.STARTED).run_id
    state = tmp_path / "dagster"
    with closing(sqlite3.connect(state / "history" / "runs.db")) as con:
        con.execute("update runs set create_timestamp = ?", [str(datetime(2026, 1, 1))])
        con.commit()
    last = run_job(instance).run_id
    purge = defs.resolve_job_def("purge_old_runs").execute_in_process(instance=instance, run_config=QUIET)
    left = {run.run_id for run in instance.get_runs()}
    assert left == {first, other, going_on, last, purge.run_id}
    assert {second, third} & {path.stem for path in state.rglob("*")} == set()
    assert first in {path.stem for path in state.rglob("*")}
