"""What Dagster is told: the graph, and what a run leaves in it."""

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from connectors.emulator import Store
from models.analytics import VIEWS
from models.items import ITEM_TYPES
from pipelines import demo
from pipelines.assets import CONVERSATIONS, RAW_ITEMS, SNAPSHOT
from pipelines.definitions import defs
from tests.pipelines.orchestrating import QUIET, failure, logged, materialized, run_job

MESSAGE = {"type": "message", "role": "user", "content": "hello"}
SPECS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def test_every_declared_type_and_view_is_an_asset_with_its_columns() -> None:
    types = {f"items/{name}": item_type.tables[0].table.column_names for name, item_type in ITEM_TYPES.items()}
    views = {f"analytics/{view.name}": tuple(column.name for column in view.columns) for view in VIEWS}
    others = {"conversations", "raw/items", "ops/runs", "serving_snapshot", "report"}
    assert set(SPECS) == {*types, *views, *others}
    for name, columns in (types | views).items():
        schema = SPECS[name].metadata["dagster/column_schema"]
        assert tuple(column.name for column in schema.columns) == columns
        assert all(column.description for column in schema.columns)


def test_the_graph_leads_from_the_registry_over_items_and_views_to_the_report() -> None:
    graph = {key: {dep.asset_key for dep in spec.deps} for key, spec in SPECS.items()}
    assert graph["conversations"] == set()
    assert graph["raw/items"] == {CONVERSATIONS}
    assert all(graph[f"items/{name}"] == {RAW_ITEMS} for name in ITEM_TYPES)
    assert graph["serving_snapshot"] == {dg.AssetKey(["items", name]) for name in ITEM_TYPES}
    assert graph["report"] == {SNAPSHOT, *(dg.AssetKey(["analytics", view.name]) for view in VIEWS)}
    assert dg.AssetKey(["items", "shell_call_output"]) in graph["analytics/tool_calls"]
    assert dg.AssetKey(["analytics", "tool_calls"]) in graph["analytics/tool_daily"]
    assert not any(deps == set() for key, deps in graph.items() if key != "conversations")


def test_everything_says_what_it_is() -> None:
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    names = {"sync_conversations", "reconcile_conversations", "rebuild_tables", "purge_old_runs"}
    assert {job.name for job in jobs} == names
    described: list[Any] = [*SPECS.values(), *repository.schedule_defs, *repository.sensor_defs, *jobs]
    assert [one for one in described if len(one.description or "") < len("a few words that tell")] == []
    assert all(spec.group_name and spec.kinds for spec in SPECS.values())


@pytest.mark.usefixtures("environment")
def test_a_run_gives_an_event_for_each_type_that_got_rows_and_one_for_itself(
    instance: dg.DagsterInstance, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = store.create_conversation([MESSAGE]).id
    (tmp_path / "ids.txt").write_text(one)
    monkeypatch.setenv("CONVERSATIONS_SOURCE", str(tmp_path / "*.txt"))
    result = run_job(instance)
    assert result.success
    found = materialized(result)
    assert set(found) == {"conversations", "raw/items", "items/message", "ops/runs", "serving_snapshot", "report"}
    assert found["conversations"] == {"dagster/row_count": 1, "new": 1, "malformed": 0}
    assert found["raw/items"] == {"dagster/row_count": 1, "items_new": 1, "items_changed": 0, "items_deleted": 0}
    assert found["items/message"] == {"dagster/row_count": 1, "rows_written": 1}
    assert {name: found["ops/runs"][name] for name in ("requests", "retries", "rate_limited", "items_new")} == {
        **{"requests": 2, "retries": 0, "rate_limited": 0, "items_new": 1}
    }
    again = run_job(instance)
    assert again.success
    assert materialized(again).keys() == {"conversations", "ops/runs"}
    assert materialized(again)["ops/runs"]["requests"] == 1
    assert again.get_asset_check_evaluations() == []


@pytest.mark.usefixtures("environment")
def test_a_dry_run_says_what_would_be_asked_and_changes_nothing(
    instance: dg.DagsterInstance, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = store.create_conversation([MESSAGE]).id
    monkeypatch.setenv("CONVERSATIONS_SOURCE", f"select '{one}' as id")
    monkeypatch.delenv("OPENAI_API_KEY")
    result = run_job(instance, dry_run=True)
    assert result.success
    assert "Would ask 1 conversations" in logged(result, instance)
    assert one in logged(result, instance)
    assert result.get_asset_materialization_events() == []
    assert {path.name for path in tmp_path.iterdir()} == {"dagster"}


@pytest.mark.usefixtures("environment")
def test_a_run_that_stops_says_what_to_do_and_shows_no_key(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERSATIONS_SOURCE", "select 'conv_1' as id")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    result = run_job(instance)
    assert not result.success
    assert "OPENAI_BASE_URL" in failure(result)
    assert materialized(result).keys() == {"conversations", "serving_snapshot"}
    assert len(result.get_asset_observation_events()) == 1
    assert not any("zebra" in str(record) for record in instance.all_logs(result.run_id))


@pytest.mark.usefixtures("environment")
def test_an_unregistered_conversation_in_the_run_config_is_refused_by_name(instance: dg.DagsterInstance) -> None:
    assert "conv_other" in failure(run_job(instance, conversations=["conv_other"]))


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("config", "resources", "said"),
    [
        ({"conversations": ["resp_1"]}, {}, "conversations.0"),
        ({"run_deadline_seconds": 0}, {}, "run_deadline_seconds"),
        ({"ask": "some"}, {}, "ask"),
        ({}, {"api": {"config": {"concurrency": 0}}}, "concurrency"),
        ({}, {"api": {"config": {"requests_per_second": -1}}}, "requests_per_second"),
        ({}, {"files": {"config": {"warehouse": "same.duckdb", "serving": "same.duckdb"}}}, "one file"),
    ],
)
def test_impossible_run_config_is_refused_by_name_before_any_request(
    config: dict[str, Any],
    resources: dict[str, object],
    said: str,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("connectors.openai_conversations.client.ConversationsClient.call", asked.append)
    monkeypatch.setenv("CONVERSATIONS_SOURCE", "select 'conv_1' as id")
    try:
        result = run_job(instance, resources=resources, **config)
    except dg.DagsterInvalidConfigError as error:
        assert said in str(error)
    else:
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
    said = failure(result)
    assert any(words in said for words in ("query failed", "CONVERSATIONS_SOURCE: no file matches", "no column"))
    assert result.get_asset_observation_events() == []


@pytest.mark.usefixtures("environment")
def test_a_rebuild_makes_the_chosen_tables_anew_and_says_how_many_rows_they_have(
    instance: dg.DagsterInstance, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERSATIONS_SOURCE", f"select '{store.create_conversation([MESSAGE]).id}' as id")
    run_job(instance)
    found = materialized(run_job(instance, "rebuild_tables", types=["message"]))
    assert found["items/message"] == {"dagster/row_count": 1}
    assert found.keys() == {"items/message", "serving_snapshot"}
    assert "holograms: not declared" in failure(run_job(instance, "rebuild_tables", types=["holograms"]))


@pytest.mark.usefixtures("environment")
def test_views_are_materialized_by_themselves_with_their_rows(instance: dg.DagsterInstance) -> None:
    everything = defs.resolve_implicit_global_asset_job_def()
    chosen = [dg.AssetKey(["analytics", "ingest_health"])]
    result = everything.execute_in_process(instance=instance, run_config=QUIET, asset_selection=chosen)
    assert materialized(result) == {"analytics/ingest_health": {"dagster/row_count": 1}}


def test_a_view_has_another_version_when_its_sql_changes() -> None:
    versions = {SPECS[f"analytics/{view.name}"].code_version for view in VIEWS}
    assert len(versions) == len(VIEWS)
    assert all(SPECS[f"analytics/{view.name}"].automation_condition for view in VIEWS)


@pytest.mark.usefixtures("instance")
def test_the_demonstration_finds_first_all_then_nothing_then_only_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second, third = (CliRunner().invoke(demo.main, words) for words in ([], [], ["--more", "3"]))
    assert re.search(r"Asked 120 conversations, with \d+ requests: 4,\d+ new items", first.stdout)
    assert "web search" in first.stdout
    assert "no new items." in second.stdout
    assert "Registered 0 new conversations" in third.stdout
    assert "with 120 requests" in third.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"data", "dagster"}
