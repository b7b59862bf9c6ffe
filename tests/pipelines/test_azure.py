"""Azure OpenAI and Microsoft Foundry, as the local API speaks like them: the whole way through the command."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import click
import openai
import pytest
from click.testing import CliRunner, Result

from connectors.emulator import DIALECTS, Store, running_emulator
from pipelines.cli import main
from pipelines.ingest.errors import SourceError
from pipelines.ingest.registry import SERVER, from_setting

Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def serve(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Serves the store as a provider does, with the settings for it in the environment; an empty directory."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "AZURE_OPENAI_", "CONVERSATIONS_"))]:
        monkeypatch.delenv(name)

    @contextmanager
    def serving(provider: str, **more: str) -> Iterator[str]:
        dialect = DIALECTS[provider]
        with running_emulator(store, dialect=dialect) as address:
            for name, value in (dialect.environment(address) | more).items():
                monkeypatch.setenv(name, value)
            yield address

    return serving


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def conversations(store: Store, count: int) -> list[str]:
    said = {"type": "message", "role": "user", "content": "hello"}
    return [store.create_conversation([said], {"number": str(number)}).id for number in range(count)]


def test_the_command_offers_each_of_them() -> None:
    (option,) = (one for one in main.commands["emulate"].params if one.name == "provider")
    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == tuple(DIALECTS)


def test_foundry_lists_its_conversations_and_they_are_pulled(serve: Serve, store: Store) -> None:
    conversations(store, 3)
    with serve("foundry"):
        registered = run("register", "--from-server")
        assert (registered.exit_code, registered.stdout) == (0, "3 new, 0 known, 0 malformed.\n")
        conversations(store, 2)
        assert run("register", "--from-server").stdout == "2 new, 3 known, 0 malformed.\n"
        synced = json.loads(run("sync", "--json").stdout)
        assert (synced["status"], synced["items_new"]) == ("done", 5)
        assert run("verify").exit_code == 0
    asked = run("query", "--format", "csv", "select count(*), min(source) like '127.0.0.1:%' from raw.conversations")
    assert asked.stdout.splitlines()[1:] == ["5,true"]


@pytest.mark.parametrize(
    "version", [{}, {"OPENAI_API_VERSION": "preview"}, {"OPENAI_API_VERSION": "2025-11-15-preview"}]
)
def test_azure_is_asked_with_its_key_in_any_version(serve: Serve, store: Store, version: dict[str, str]) -> None:
    ids = conversations(store, 2)
    with serve("azure", **version):
        assert run("register", *ids).exit_code == 0
        assert json.loads(run("sync", "--json").stdout)["items_new"] == 2
        assert run("verify").exit_code == 0


@pytest.mark.parametrize("provider", ["openai", "azure"])
def test_a_server_without_a_list_says_what_to_do_instead(serve: Serve, provider: str) -> None:
    with serve(provider):
        result = run("register", "--from-server")
    assert result.exit_code == 1
    assert "--file or --sql" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_setting_of_the_schedule_may_be_the_server(serve: Serve, store: Store) -> None:
    ids = conversations(store, 2)
    with serve("foundry"):
        (found,) = from_setting(SERVER)
    assert found.ids == tuple(ids)
    with pytest.raises(SourceError, match="no file matches serve"):
        from_setting("serve")


def test_a_wrong_version_or_key_stops_the_run_and_names_the_variable(
    serve: Serve, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("register", *conversations(store, 1))
    with serve("azure", AZURE_OPENAI_ENDPOINT="") as address:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{address}/openai")  # where a version is wanted
        result = run("sync")
        assert (result.exit_code, "Check AZURE_OPENAI_ENDPOINT" in result.stderr) == (1, True)
    with serve("foundry", AZURE_OPENAI_API_KEY="any") as address:
        monkeypatch.delenv("AZURE_OPENAI_AD_TOKEN")
        result = run("sync")
        assert (result.exit_code, "Check AZURE_OPENAI_API_KEY" in result.stderr) == (1, True)
    assert "1 active" in run("status").stdout


def test_the_official_clients_read_the_local_api_as_azures(store: Store) -> None:
    """With the key in Azure's header, as a bearer token, and without a version where one is needed."""
    (one,) = conversations(store, 1)
    with running_emulator(store, api_key="right", dialect=DIALECTS["azure"]) as address:
        azure = openai.AzureOpenAI(azure_endpoint=address, api_key="right", api_version="2025-11-15-preview")
        usual = openai.OpenAI(base_url=f"{address}/openai/v1", api_key="right")
        for client in (azure, usual):
            with client:
                assert [item.type for item in client.conversations.items.list(one)] == ["message"]
        unversioned = openai.OpenAI(base_url=f"{address}/openai", api_key="right", max_retries=0)
        with unversioned as client, pytest.raises(openai.NotFoundError, match="Resource not found"):
            client.conversations.retrieve(one)
        wrong = openai.AzureOpenAI(azure_endpoint=address, api_key="wrong", api_version="2025-11-15-preview")
        with wrong as client, pytest.raises(openai.AuthenticationError, match="Access denied"):
            client.conversations.retrieve(one)
