"""All ways to run it fill the warehouse alike, and the pages that tell how to deploy it tell what works."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from connectors.emulator import Store
from pipelines import alerts
from pipelines.cli import main
from pipelines.ingest.checking import CHECKS
from pipelines.ingest.places import Places
from tests.pipelines.comparing import contents, differences
from tests.pipelines.conftest import ROOT
from tests.pipelines.orchestrating import run_job

BIN = Path(sys.executable).parent
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
MESSAGE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
CALL = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}


def block(language: str, word: str) -> str:
    """The code of the page that is in this language and holds this word."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return next(code for code in blocks if word in code)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another working directory, with a Dagster instance of its own in it, which has nothing of ours."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    monkeypatch.chdir(home)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.delenv("CONVERSATIONS_DAGSTER_STATE", raising=False)
    return home


def run(*words: str) -> str:
    """What a command says, which does not fail."""
    done = subprocess.run([str(BIN / words[0]), *words[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def in_this_process() -> None:
    """Run the job here."""
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_job(instance).success


@pytest.fixture
def filled(environment: None, store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An API with two conversations, which the source names."""
    ids = [store.create_conversation([MESSAGE, CALL]).id for _ in range(2)]
    monkeypatch.setenv("CONVERSATIONS_SOURCE", f"from (values {', '.join(f'({name!r})' for name in ids)}) as t(id)")
    return store


def test_command_cron_dagster_in_process_and_dagster_elsewhere_fill_the_warehouse_alike(
    filled: Store, elsewhere: Path, where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / "run.yaml").write_text(block("yaml", "ask: due"))
    ways: dict[str, Callable[[], object]] = {
        "command": lambda: CliRunner().invoke(main, ["sync"], catch_exceptions=False),
        "cron": lambda: CliRunner().invoke(main, ["sync", "--due"], catch_exceptions=False),
        "job": in_this_process,
        "elsewhere": lambda: run(
            "dagster", "job", "execute", "-m", "pipelines.definitions", "-j", "sync_conversations", "-c", "run.yaml"
        ),
    }
    found = {}
    for name, go in ways.items():
        there = Places(where.warehouse.parent / name / "warehouse.duckdb", where.warehouse.parent / name / "s.duckdb")
        monkeypatch.setenv("CONVERSATIONS_WAREHOUSE", str(there.warehouse))
        monkeypatch.setenv("CONVERSATIONS_SERVING", str(there.serving))
        go()
        found[name] = (contents(there.warehouse), contents(there.serving))
    assert sum(found["command"][0].values()) > len(filled.conversation_ids())
    for name, (warehouse, serving) in found.items():
        assert differences(warehouse, found["command"][0]) == {}, name
        assert differences(serving, found["command"][1]) == {}, name


def test_the_workspace_of_the_page_loads_as_a_code_location_elsewhere(elsewhere: Path) -> None:
    workspace = block("yaml", "load_from").replace("/srv/conversations-to-duckdb", str(ROOT))
    (elsewhere / "workspace.yaml").write_text(workspace.replace(str(ROOT / ".venv/bin/python"), sys.executable))
    assert "Validation successful for code location conversations" in run(
        "dagster", "definitions", "validate", "-w", "workspace.yaml"
    )
    assert not (elsewhere / "data").exists()


@pytest.mark.parametrize("line", re.findall(r"^(?:ExecStart=|\*/\d+).*$", PAGE, re.MULTILINE))
def test_the_command_of_unit_and_crontab_is_one(line: str) -> None:
    command, *words = shlex.split(line.partition("bin/conversations ")[2].partition(" >")[0])
    assert command == "sync"
    taken = CliRunner().invoke(main, ["sync", "--help"]).output
    assert [word for word in words if word.startswith("--") and word not in taken] == []


def test_every_variable_and_every_check_is_on_the_page() -> None:
    names = (
        *alerts.VARIABLES,
        "CONVERSATIONS_SOURCE",
        "CONVERSATIONS_DRIFT_SEVERITY",
        *(check.name for check in CHECKS),
    )
    assert [name for name in names if name not in PAGE] == []
