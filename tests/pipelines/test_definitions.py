"""What Dagster is told, and what it does with it."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from connectors.emulator import Store
from models.items import ITEM_TYPES
from pipelines import demo
from pipelines.definitions import defs
from pipelines.ingest.places import Places

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance as `dagster.yaml` describes it, its state in a temporary directory."""
    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
    monkeypatch.setenv("CONVERSATIONS_DAGSTER_STATE", str(tmp_path / "dagster"))
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.get() as found:
        yield found


@pytest.fixture
def environment(where: Places, api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-zebra-of-a-key")
    monkeypatch.setenv("OPENAI_BASE_URL", api)
    monkeypatch.setenv("CONVERSATIONS_WAREHOUSE", str(where.warehouse))
    monkeypatch.setenv("CONVERSATIONS_SERVING", str(where.serving))


def run_job(instance: dg.DagsterInstance, resources: object = None, **config: object) -> dg.ExecuteInProcessResult:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    given = {**quiet, "ops": {"items": {"config": config}}, "resources": resources or {}}
    return defs.resolve_job_def("sync_conversations").execute_in_process(
        instance=instance, run_config=given, raise_on_error=False
    )


def materialized(result: dg.ExecuteInProcessResult) -> list[str]:
    keys = [event.asset_key for event in result.get_asset_materialization_events()]
    return sorted(key.to_user_string() for key in keys if key)


def test_every_declared_type_is_an_asset_with_its_columns() -> None:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    assert set(specs) == {"conversations", "serving_snapshot", *(f"items/{name}" for name in ITEM_TYPES)}
    for name, item_type in ITEM_TYPES.items():
        schema = specs[f"items/{name}"].metadata["dagster/column_schema"]
        assert tuple(column.name for column in schema.columns) == item_type.tables[0].table.column_names


@pytest.mark.usefixtures("environment")
def test_a_run_gives_an_event_for_each_type_that_got_rows_and_publishes(
    instance: dg.DagsterInstance, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = store.create_conversation([{"type": "message", "role": "user", "content": "hello"}]).id
    (tmp_path / "ids.txt").write_text(one)
    monkeypatch.setenv("CONVERSATIONS_SOURCE", str(tmp_path / "*.txt"))
    result = run_job(instance)
    assert result.success
    assert materialized(result) == ["conversations", "items/message", "serving_snapshot"]
    again = run_job(instance)
    assert again.success
    assert materialized(again) == ["conversations"]
    (observed,) = again.get_asset_observation_events()
    numbers = observed.asset_observation_data.asset_observation.metadata
    assert (numbers["requests"].value, numbers["items_new"].value) == (1, 0)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("severity", ["WARN", "ERROR"])
def test_drift_is_a_check_whose_severity_can_be_chosen(
    severity: str, instance: dg.DagsterInstance, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = store.create_conversation().id
    store.put_items(one, [{"type": "hologram_call", "id": "holo_1"}])
    monkeypatch.setenv("CONVERSATIONS_SOURCE", f"select '{one}' as id")
    monkeypatch.setenv("CONVERSATIONS_DRIFT_SEVERITY", severity)
    check = checks(run_job(instance))["as_declared"]
    assert (check.passed, check.severity.name, check.metadata["differences"].value) == (False, severity, 1)
    assert "hologram_call" in str(check.metadata["where"].value)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("has_call", [True, False])
def test_outputs_without_their_call_are_counted_by_a_check(
    has_call: bool, instance: dg.DagsterInstance, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "seen"}
    one = store.create_conversation([*[call] * has_call, output]).id
    monkeypatch.setenv("CONVERSATIONS_SOURCE", f"select '{one}' as id")
    check = checks(run_job(instance))["outputs_have_calls"]
    assert check.passed == has_call
    assert check.metadata["outputs"].value == check.metadata["conversations"].value == int(not has_call)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """What the checks of a run found, by name."""
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


@pytest.mark.usefixtures("environment")
def test_a_run_that_stops_says_what_to_do_and_shows_no_key(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERSATIONS_SOURCE", "select 'conv_1' as id")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    result = run_job(instance)
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "OPENAI_BASE_URL" in str(failure.step_failure_data.error)
    assert not any("zebra" in str(record) for record in instance.all_logs(result.run_id))


@pytest.mark.usefixtures("environment")
def test_an_unregistered_conversation_in_the_run_config_is_refused_by_name(instance: dg.DagsterInstance) -> None:
    result = run_job(instance, conversations=["conv_other"])
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "conv_other" in str(failure.step_failure_data.error)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("config", "resources", "said"),
    [
        ({"conversations": ["resp_1"]}, {}, "conversations.0"),
        ({"run_deadline_seconds": 0}, {}, "run_deadline_seconds"),
        ({}, {"api": {"config": {"concurrency": 0}}}, "concurrency"),
        ({}, {"api": {"config": {"requests_per_second": -1}}}, "requests_per_second"),
        ({}, {"files": {"config": {"warehouse": "same.duckdb", "serving": "same.duckdb"}}}, "one file"),
    ],
)
def test_impossible_run_config_is_refused_by_name_before_any_request(
    config: dict[str, object],
    resources: dict[str, object],
    said: str,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("connectors.openai_conversations.client.ConversationsClient.call", asked.append)
    monkeypatch.setenv("CONVERSATIONS_SOURCE", "select 'conv_1' as id")
    result = run_job(instance, resources, **config)
    assert not result.success
    failures = [event.event_specific_data.error for event in result.all_events if event.is_failure]  # type: ignore[union-attr]  # a failure has an error
    assert any(said in error.to_string() for error in failures if error)
    assert asked == []


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("source", ["select nothing", "nowhere/*.csv", "ids.csv"])
def test_a_source_that_cannot_be_read_stops_the_run_before_any_request(
    source: str, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ids.csv").write_text("a,b\n1,2\n")
    monkeypatch.setenv("CONVERSATIONS_SOURCE", source)
    result = run_job(instance)
    failure = next(event for event in result.all_events if event.is_step_failure)
    said = str(failure.step_failure_data.error)
    assert any(words in said for words in ("query failed", "CONVERSATIONS_SOURCE: no file matches", "no column"))
    assert result.get_asset_observation_events() == []


def test_the_schedule_asks_only_what_is_due() -> None:
    schedule = defs.resolve_schedule_def("every_15_minutes")
    request = schedule.evaluate_tick(dg.build_schedule_context()).run_requests[0]  # type: ignore[index]  # never None
    assert request.run_config["ops"]["items"]["config"]["only_due"] is True
    assert request.run_config["ops"]["items"]["config"]["run_deadline_seconds"] == 3600


@pytest.mark.usefixtures("instance")
def test_the_demonstration_finds_first_all_then_nothing_then_only_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second, third = (CliRunner().invoke(demo.main, words) for words in ([], [], ["--more", "3"]))
    assert "new items." in first.stdout
    assert "web search" in first.stdout
    assert "no new items." in second.stdout
    assert "Registered 0 new conversations" in third.stdout
    assert "with 120 requests" in third.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"data", "dagster"}
