"""The command as a person meets it: words, exit codes, and what it does not load."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from connectors.emulator import Store
from models.items import ITEM_TYPES
from pipelines.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, in an empty directory, without any setting."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "AZURE_OPENAI_", "CONVERSATIONS_"))]:
        monkeypatch.delenv(name)
    return lambda *words: CliRunner().invoke(main, words)


@pytest.fixture
def connected(run: Run, api: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, with a key and the address of the local API."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-marker")
    monkeypatch.setenv("OPENAI_BASE_URL", api)
    return run


def message(text: str) -> dict[str, object]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def test_the_whole_way_from_ids_to_answers(connected: Run, store: Store, tmp_path: Path) -> None:
    one = store.create_conversation([message("hello"), message("again")]).id
    Path("ids.txt").write_text(f"{one}\nnonsense\n")
    registered = connected("register", "--file", "ids.txt")
    assert (registered.exit_code, registered.stdout) == (0, "1 new, 0 known, 1 malformed.\n")
    assert "nonsense" in registered.stderr
    synced = connected("sync")
    assert synced.exit_code == 0
    assert "2 new items in 1 conversations" in synced.stdout
    asked = connected("query", "--format", "csv", "select text from items.message order by position")
    assert (asked.exit_code, asked.stdout) == (0, "text\nhello\nagain\n")
    told = connected("status")
    assert told.exit_code == 0
    assert "1 active" in told.stdout
    assert json.loads(connected("status", "--json").stdout)["items"] == {"message": 2}
    again = json.loads(connected("sync", "--json").stdout)
    assert (again["items_new"], again["status"], again["is_published"]) == (0, "done", False)
    assert {path.name for path in (tmp_path / "data").iterdir()} == {
        "warehouse.duckdb",
        "warehouse.duckdb.door",
        "warehouse.duckdb.run.json",
        "warehouse.duckdb.run.lock",
        "serving.duckdb",
    }


def test_a_failed_conversation_is_listed_and_gives_exit_code_3(connected: Run, store: Store) -> None:
    one = store.create_conversation([message("hello")]).id
    connected("register", one, "conv_unknown")
    result = connected("sync")
    assert result.exit_code == 3
    assert "1 new items in 1 conversations" in result.stdout
    assert "conv_unknown" in result.stderr
    assert "1 active, 1 missing" in connected("status").stdout


def test_without_a_key_nothing_is_asked(run: Run) -> None:
    run("register", "conv_1")
    result = run("sync")
    assert result.exit_code == 1
    assert "OPENAI_API_KEY" in result.stderr


def test_no_network_is_one_sentence_and_exit_code_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-marker")
    run("register", "conv_1")
    result = run("sync", "--base-url", "http://127.0.0.1:9/v1", "--max-retries", "0")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "127.0.0.1:9" in result.stderr
    assert "Traceback" not in result.output


def test_a_sync_registers_what_the_source_names(connected: Run, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVERSATIONS_SOURCE", f"select '{store.create_conversation([message('hello')]).id}' as id")
    assert "1 new items in 1 conversations" in connected("sync", "--due").stdout


def test_a_dry_run_lists_what_would_be_asked_and_makes_no_file(
    connected: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = store.create_conversation([message("hello")]).id
    monkeypatch.setenv("CONVERSATIONS_SOURCE", f"select '{new}' as id")
    monkeypatch.delenv("OPENAI_API_KEY")
    told = connected("sync", "--due", "--dry-run").stdout.splitlines()
    assert told == [
        "Would ask 1 conversations (due), 1 of them for the first time, 1 of them new in CONVERSATIONS_SOURCE. "
        "Nothing was asked or changed.",
        f"  {new}",
    ]
    assert list(tmp_path.iterdir()) == []
    assert json.loads(connected("sync", "--dry-run", "--json").stdout)["conversations"] == [new]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("register",), "give conversation IDs, --file, --sql or --from-server"),
        (("register", "conv_1", "--base-url", "http://127.0.0.1"), "go with --from-server"),
        (("register", "--file", "missing.txt"), "does not exist"),
        (("register", "--database", "."), "is a directory"),
        (("register", "--sql", "selec"), "the query failed"),
        (("sync", "--due", "--all"), "exclude each other"),
        (("sync", "--dry-run", "--conversation", "conv_1"), "not in the registry: conv_1"),
        (("sync", "--include", "x", "--no-include"), "exclude each other"),
        (("sync", "--concurrency", "0"), "--concurrency"),
        (("sync", "--requests-per-second", "0"), "--requests-per-second"),
        (("sync", "--run-deadline", "-1"), "--run-deadline"),
        (("sync", "--conversation", "resp_1"), "Invalid value for '--conversation': 'resp_1' is no conversation ID"),
        (("verify", "conv_1/items"), "no conversation ID"),
        (("reconcile", "--all", "conv_1"), "exclude each other"),
        (("forget",), "Missing argument"),
        (("query", "--format", "parquet", "select 1"), "--output"),
        (("nonsense",), "No such command"),
    ],
)
def test_wrong_arguments_give_exit_code_2_and_say_which(run: Run, words: tuple[str, ...], said: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_unregistered_conversation_is_refused_by_name(connected: Run) -> None:
    result = connected("sync", "--conversation", "conv_other")
    assert result.exit_code == 2
    assert "conv_other" in result.stderr


@pytest.mark.parametrize("words", [("status",), ("query", "select 1")])
def test_without_a_snapshot_the_reader_is_told_what_to_do(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert "conversations sync" in result.stderr


def test_a_query_that_cannot_be_answered_says_why(run: Run) -> None:
    run("register", "conv_1")
    assert "nonsense" in run("query", "select nonsense").stderr
    assert run("query", "select nonsense").exit_code == 1
    refused = run("query", "delete from raw.items")
    assert refused.exit_code == 1
    assert "read-only" in refused.stderr


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("csv", 'n,words,nothing\n1,"[""a"", ""ü""]",\n'),
        ("json", '{"n":1,"words":["a","ü"],"nothing":null}\n'),
        ("table", "n  words       nothing\n1  ['a', 'ü']\n"),
    ],
)
def test_rows_come_in_the_form_that_is_wanted(run: Run, form: str, expected: str) -> None:
    run("register", "conv_1")
    query = "select 1 as n, ['a', 'ü'] as words, null::varchar as nothing"
    assert run("query", "--format", form, query).stdout == expected


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_values_of_every_type_can_be_shown(run: Run, form: str) -> None:
    run("register", "conv_1")
    values = (
        "interval 90 second",
        "uuid()",
        "'x'::blob",
        "time '10:00'",
        "'101'::bit",
        "map {'a': 1}",
        "union_value(n := 1)",
        "[interval 1 day]",
        "now()",
    )
    query = f"select {', '.join(f'{value} as c{n}' for n, value in enumerate(values))}"
    result = run("query", "--format", form, query)
    assert result.exit_code == 0, result.output
    assert "00:01:30" in result.stdout


def test_a_sum_of_integers_is_a_number(run: Run) -> None:
    run("register", "conv_1")
    assert run("query", "--format", "json", "select sum(n) as n from range(4) as t(n)").stdout == '{"n":6}\n'
    assert run("query", "--format", "json", "select 1e30::hugeint as n").exit_code == 0


def test_query_writes_no_file_but_its_output_and_steers_no_terminal(run: Run, tmp_path: Path) -> None:
    run("register", "conv_1")
    assert run("query", "copy (select 1) to 'leak.csv'").exit_code == 1
    assert not (tmp_path / "leak.csv").exists()
    assert "\x1b" not in run("query", "select chr(27) || '[2J' as t").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("register", "conv_1", "--warehouse", "/dev/null/x/w.duckdb"),
        ("query", "select 1", "--format", "csv", "--output", "/dev/null/x/out.csv"),
        ("emulate", "--write-ids", "/dev/null/x/ids.txt"),
        ("status", "--serving", "other.duckdb"),
    ],
)
def test_places_that_cannot_be_used_are_one_sentence(run: Run, words: tuple[str, ...]) -> None:
    run("register", "conv_1")
    with duckdb.connect("other.duckdb") as con:
        con.execute("create table theirs (a int)")
    result = run(*words)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1


def test_rows_can_be_written_to_a_file(run: Run) -> None:
    run("register", "conv_1")
    assert run("query", "--format", "parquet", "--output", "x.parquet", "select 7 as n").exit_code == 0
    assert run("query", "--format", "csv", "select n from 'x.parquet'").stdout == "n\n7\n"


def test_every_command_and_option_explains_itself() -> None:
    for name, command in main.commands.items():
        assert command.help, name
        for option in command.params:
            record = option.to_info_dict()
            assert record["param_type_name"] == "argument" or record["help"], f"{name} {record['name']}"


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        ("pipelines.cli, pipelines.console, pipelines.ingest.source, pipelines.ingest.sync", {"dagster", "polars"}),
        ("pipelines.cli", {"duckdb", "httpx", "rich"}),
    ],
    ids=["the command loads no Dagster, and Polars for rows only", "its help loads nothing heavy"],
)
def test_what_is_not_needed_is_not_loaded(modules: str, unwanted: set[str]) -> None:
    loaded = f"import sys, {modules}; print({unwanted} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout
    assert said == "set()\n"


def test_a_difference_is_told_mended_and_gives_exit_code_3_until_then(connected: Run, store: Store) -> None:
    one = store.create_conversation([message("hello"), message("again")]).id
    connected("register", one)
    connected("sync")
    assert connected("verify").exit_code == 0
    gone = store.list_items(one, order="asc").items[0].id
    store.delete_item(one, gone)
    differs = connected("verify", one)
    assert differs.exit_code == 3
    assert f"{one}: 1 items are stored and not listed, e.g. {gone}" in differs.stdout
    assert json.loads(connected("verify", "--json").stdout)["agrees"] is False
    mended = connected("reconcile", one)
    assert (mended.exit_code, "1 no longer listed" in mended.stdout) == (0, True)
    assert "all agree" in connected("verify").stdout
    store.delete_conversation(one)
    assert connected("verify").exit_code == 3


def test_conversations_are_let_go_and_taken_back(connected: Run, store: Store) -> None:
    one, other = (store.create_conversation([message("hello")]).id for _ in range(2))
    connected("register", one, other)
    connected("sync")
    assert connected("unregister", "conv_other").exit_code == 2
    assert connected("unregister", one).stdout == "1 unregistered; their items stay.\n"
    assert "Forgot 1 conversations with 1 items" in connected("forget", other).stdout
    left_out = connected("register", one, other).stdout
    assert left_out.startswith("0 new, 0 known, 0 malformed.\n2 left out: ")
    assert "Asked 0 conversations" in connected("sync").stdout
    assert connected("register", "--again", one, other).stdout == "1 new, 1 known, 0 malformed.\n"
    assert "Asked 2 conversations" in connected("sync").stdout
    assert "Asked 0 conversations" in connected("sync", "--due").stdout
    connected("register", "--touch", one)
    assert "Asked 1 conversations" in connected("sync", "--due").stdout
    assert "nothing changed" in connected("publish").stdout


def test_plain_http_to_another_machine_is_refused(connected: Run) -> None:
    connected("register", "conv_1")
    result = connected("sync", "--base-url", "http://198.51.100.1/v1")
    assert (result.exit_code, "Plain http" in result.stderr) == (1, True)


def test_an_item_is_given_back_and_tables_are_rebuilt(connected: Run, store: Store, tmp_path: Path) -> None:
    one = store.create_conversation([message("hello")]).id
    connected("register", one)
    connected("sync")
    ((item_id,),) = [
        line.split(",")
        for line in connected("query", "--format", "csv", "select item_id from raw.items").stdout.splitlines()[1:]
    ]
    given = connected("item", one, item_id)
    assert given.exit_code == 0
    assert json.loads(given.stdout)["content"][0]["text"] == "hello"
    assert connected("item", one, item_id, "--output", "item.json").exit_code == 0
    assert Path("item.json").read_bytes() == given.stdout_bytes
    assert "not stored" in connected("item", one, "msg_other").stderr
    rebuilt = connected("rebuild", "--type", "message")
    assert (rebuilt.exit_code, "Read 1 items of 1 types" in rebuilt.stdout) == (0, True)
    assert "Read 1 items of all types" in connected("rebuild").stdout
    refused = connected("rebuild", "--type", "nonsense")
    assert (refused.exit_code, "nonsense: not declared" in refused.stderr) == (1, True)


def test_status_shows_what_is_not_as_declared(connected: Run, store: Store) -> None:
    one = store.create_conversation().id
    store.put_items(one, [{"type": "hologram_call", "id": "holo_1"}])
    connected("register", one)
    connected("sync")
    told = connected("status").stdout
    assert "hologram_call: type: unknown_type hologram_call, in 1 items, e.g. holo_1" in told
    assert json.loads(connected("status", "--json").stdout)["drift"][0]["kind"] == "unknown_type"


def test_the_data_dictionary_is_printed(run: Run) -> None:
    assert "### items.message__content\n" in run("schema").stdout
    assert [one["type"] for one in json.loads(run("schema", "--json").stdout)["item_types"]] == list(ITEM_TYPES)
