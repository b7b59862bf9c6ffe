"""The key is nowhere, and people's words are only where items are kept, whatever goes wrong."""

import json
import logging
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import httpx
import polars as pl
import pytest
import stamina
from click.testing import CliRunner

from connectors.openai_conversations import ConversationsClient
from pipelines.cli import main
from pipelines.definitions import defs
from pipelines.ingest.places import Places
from pipelines.ingest.registry import candidates
from pipelines.ingest.sync import sync
from pipelines.ingest.warehouse import Warehouse
from tests.conftest import SAMPLES

Answer = Callable[[httpx.Request], httpx.Response]
KEY = "sk-zebra-quagga-okapi"
OF_THE_KEY = ("zebra", "quagga", "okapi")
WORD = "narwhal"
METADATA = "axolotl"
LONG = "iVBORw0KGgo" + WORD * 20_000
ROOT = Path(__file__).parent.parent.parent
IDS = ("conv_1", "conv_2")
KEPT_NAMES = {"id", "type", "conversation_id", "item_id"}


def spoken(value: object, name: str = "") -> object:
    """The same with people's words in every string, but for IDs and what tells the types apart."""
    match value:
        case str() if name not in KEPT_NAMES and not name.endswith("_id"):
            return f"Says {WORD}: {value}"
        case dict():
            return {key: spoken(inner, key) for key, inner in value.items()}
        case list():
            return [spoken(inner, name) for inner in value]
        case _:
            return value


def _said(text: object, item_id: str, **more: object) -> dict[str, object]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "id": item_id, "status": "completed", "role": "user", "content": content, **more}


def odd_items() -> list[dict[str, object]]:
    """Items that are not as declared, in every way that names a place or a word of theirs."""
    return [
        _said(f"Hello {WORD}", "msg_plain"),
        _said({f"The {WORD}": f"wrong {WORD}"}, "msg_wrong_type"),
        _said(f"lone \ud83d {WORD}", "msg_surrogate"),
        _said("x", "msg_unknown", **{f"Dear {WORD}": f"new {WORD}", "mood": {f"{WORD} Smith": WORD}}),
        _said("x", "msg_enum", role=f"Mrs. {WORD}", status=f"{WORD} is well, thank you"),
        {"type": f"Talk of {WORD}", "id": "talk_1", "words": WORD},
        {"type": {"a": WORD}, "id": "talk_2"},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": WORD, "arguments": f"{{{WORD}", "output": WORD},
        {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": LONG},
        {"type": "image_generation_call", "id": "ig_2", "status": "completed", "result": [WORD]},
    ]


def page() -> bytes:
    """A list of every type of item, and of odd ones."""
    samples = sorted((SAMPLES / "items").glob("*.full.json"))
    items = [spoken(json.loads(sample.read_text(encoding="utf-8"))) for sample in samples]
    named = [{**item, "id": f"item_{n}"} for n, item in enumerate(items) if isinstance(item, dict)]
    return json.dumps({"object": "list", "data": [*named, *odd_items()], "has_more": False}).encode()


def well(request: httpx.Request) -> httpx.Response:
    """A server without a fault, whose items are full of words."""
    if request.url.path.endswith("/items"):
        return httpx.Response(200, content=page())
    details = {"id": "conv_1", "created_at": 1_790_000_000, "metadata": {"topic": METADATA}}
    return httpx.Response(200, json=details)


def _refusing(status: int, **error: object) -> Answer:
    told = {"message": f"Your words {WORD}, your key {KEY}, {METADATA}", "type": "invalid_request_error"} | error
    headers = {"x-request-id": KEY, "x-echo": f"{KEY} {WORD}"}
    return lambda _: httpx.Response(status, json={"error": told}, headers=headers)


def _saying(body: str, status: int = 200, **headers: str) -> Answer:
    return lambda _: httpx.Response(status, content=body.encode(), headers=headers)


def _breaking(error: Exception) -> Answer:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


ANSWERS: dict[str, Answer] = {
    "no fault": well,
    "cut JSON": _saying(f'{{"object":"list","data":[{{"id":"msg_1","text":"{WORD} {KEY}'),
    "no JSON": _saying(f"<html>{WORD} {KEY}</html>"),
    "no list": _saying(json.dumps({"data": f"{WORD} {KEY}"})),
    "a list of other things": _saying(json.dumps({"data": [WORD, 1, None], "has_more": False})),
    "another last ID": _saying(json.dumps({"data": odd_items()[:1], "has_more": True, "last_id": None})),
    "400": _refusing(400, param=f"a {WORD}", code=KEY),
    "400 of include": _refusing(400, param=f"include[0] {WORD}"),
    "401": _refusing(401, code=KEY),
    "401 of another host": _refusing(401, message=f"incorrect regional hostname {KEY}", code="incorrect_hostname"),
    "403": _refusing(403),
    "404": _refusing(404),
    "429": _refusing(429),
    "429 for good": _refusing(429, code="insufficient_quota"),
    "500": _refusing(500),
    "502": _saying(f"<html>{WORD} {KEY}</html>", 502),
    "a redirect": _saying("", 302, location=f"http://localhost/{WORD}?{KEY}"),
    "no connection": _breaking(httpx.ConnectError(f"{WORD} {KEY}")),
    "no end": _breaking(httpx.ReadTimeout(f"{WORD} {KEY}")),
    "no HTTP": _breaking(httpx.RemoteProtocolError(f"illegal header {WORD} {KEY}")),
}


def _while_writing(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


BREAKS: dict[str, Exception] = {
    "DuckDB refuses an item": duckdb.ConversionException(f"Malformed JSON: {WORD}\nline two {WORD}"),
    "DuckDB refuses an item that speaks of space": duckdb.ConversionException(f"No space for {WORD}"),
    "DuckDB fails": duckdb.InternalException(f"INTERNAL Error: {WORD}"),
    "the disk is full": duckdb.IOException('Could not write file "x": No space left on device'),
    "the disk breaks": OSError(5, "Input/output error", "warehouse.duckdb"),
    "Polars refuses a value": pl.exceptions.ComputeError(f"cannot build a series of {WORD}"),
    "a value is of another type": TypeError(f"unexpected value: {WORD}"),
}


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that any logger passes on, at every level; of SQLAlchemy's statements, Dagster's own database tells."""
    told: list[str] = []
    emit = logging.Logger.callHandlers
    form = logging.Formatter("%(name)s %(message)s")

    def keep(logger: logging.Logger, record: logging.LogRecord) -> None:
        told.append(form.format(record) + str(record.args))
        emit(logger, record)

    monkeypatch.setattr(logging.Logger, "callHandlers", keep)
    monkeypatch.setattr(logging.root, "level", logging.DEBUG)
    for logger in logging.Logger.manager.loggerDict.values():
        if isinstance(logger, logging.Logger) and not logger.name.startswith("sqlalchemy"):
            monkeypatch.setattr(logger, "level", logging.DEBUG)
            logger.manager._clear_cache()  # type: ignore[attr-defined]  # what it remembers of levels
    return told


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Retries without waiting."""
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, where: Places) -> Callable[[Answer], None]:
    """Has every client be answered by a function, and names the files and the key in the environment."""
    build = ConversationsClient.__init__
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost/v1")
    monkeypatch.setenv("CONVERSATIONS_WAREHOUSE", str(where.warehouse))
    monkeypatch.setenv("CONVERSATIONS_SERVING", str(where.serving))
    monkeypatch.delenv("CONVERSATIONS_SOURCE", raising=False)

    def by(answer: Answer) -> None:
        def answered(client: ConversationsClient, *given: Any, **settings: Any) -> None:
            build(client, *given, **settings, http_client=httpx.AsyncClient(transport=httpx.MockTransport(answer)))

        monkeypatch.setattr(ConversationsClient, "__init__", answered)

    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.register(candidates("test", IDS))
    return by


def told_by(error: BaseException | None) -> str:
    """All that an error and those behind it say, even those that a traceback leaves out."""
    if error is None:
        return ""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    behind = (error.__cause__, error.__context__, *inner)
    return "".join((*traceback.format_exception(error), repr(vars(error)), *map(told_by, behind)))


def assert_silent(told: str) -> None:
    """No part of the key, and no word of an item."""
    for secret in (*OF_THE_KEY, WORD, METADATA):
        found = told.lower().find(secret)
        assert found < 0, f"{secret!r} in: {told[max(0, found - 200) : found + 60]}"


def rows(path: Path) -> Iterator[tuple[str, str]]:
    """Every row of a warehouse or snapshot, with its table; of conversations without their metadata."""
    with duckdb.connect(path, read_only=True) as con:
        for (table,) in con.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall():
            what = "* replace (null as metadata)" if table == "raw.conversations" else "*"
            for row in con.execute(f"select {what} from {table}").fetchall():
                yield table, str(row)


def assert_kept_where_it_belongs(where: Places, words_expected: bool) -> None:
    """Words are in `raw.items`, `items` and the snapshot's `analytics` only; beside these files, in payloads only.

    The report has names of tools and servers; that it has no texts is tested with it.
    """
    for path in where.warehouse.parent.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [part for part in OF_THE_KEY if part.encode() in content], path
        if path != where.report and path.suffix != ".duckdb" and ".blobs" not in path.parent.parent.suffixes:
            assert_silent(content.decode(errors="replace"))
    tables = set()
    for path in (where.warehouse, where.serving):
        for table, row in rows(path) if path.exists() else ():
            if table == "raw.items" or table.startswith(("items.", "analytics.")):
                tables.add(table)
                assert not any(part in row for part in OF_THE_KEY)
            else:
                assert_silent(row)
    assert bool(tables) == words_expected


def command(*words: str) -> str:
    """All that a command says, and all that is behind its end."""
    result = CliRunner().invoke(main, words)
    return f"{words} {result.exit_code} {result.output}" + told_by(result.exception)


@pytest.mark.parametrize("fault", ["no fault", "cut JSON", "400", "401", "403", "a redirect", "no connection"])
def test_no_command_says_a_secret(
    fault: str, serve: Callable[[Answer], None], where: Places, logged: list[str]
) -> None:
    serve(well)
    first = command("sync")
    serve(ANSWERS[fault])
    said = [
        first,
        *(command(*words) for words in (["sync"], ["reconcile", "--json"], ["verify"], ["verify", "--json"])),
    ]
    assert_silent("\n".join((*said, *logged)))
    assert_kept_where_it_belongs(where, words_expected=True)


@pytest.mark.parametrize("fault", ANSWERS)
def test_a_first_run_says_no_secret(
    fault: str, serve: Callable[[Answer], None], where: Places, logged: list[str]
) -> None:
    serve(ANSWERS[fault])
    try:
        said = str(sync(where, ConversationsClient()).report)
    except Exception as error:
        said = told_by(error)
    assert_silent("\n".join((said, *logged)))
    are_stored = fault in {"no fault", "a list of other things", "another last ID"}
    assert_kept_where_it_belongs(where, words_expected=are_stored)


@pytest.mark.parametrize("words", [("status",), ("status", "--json"), ("sync", "--json")], ids=" ".join)
def test_a_type_that_is_somebodys_words_is_not_said(words: tuple[str, ...], serve: Callable[[Answer], None]) -> None:
    serve(well)
    if words[0] == "status":
        command("sync")
    assert_silent(command(*words))


@pytest.mark.parametrize("reason", BREAKS)
def test_what_breaks_in_the_middle_of_writing_is_told_without_the_words_it_broke_at(
    reason: str,
    serve: Callable[[Answer], None],
    where: Places,
    logged: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve(well)
    monkeypatch.setattr("pipelines.ingest.warehouse.typed.Filling.add", _while_writing(BREAKS[reason]))
    said = command("sync")
    assert "Error" in said
    assert_silent("\n".join((said, *logged)))
    assert_kept_where_it_belongs(where, words_expected=False)


def _run_job(instance: dg.DagsterInstance) -> None:
    defs.resolve_job_def("sync_conversations").execute_in_process(instance=instance, raise_on_error=False)


@pytest.mark.parametrize("fault", ["no fault", "400", "401"])
def test_dagster_is_told_no_secret(
    fault: str,
    serve: Callable[[Answer], None],
    where: Places,
    instance: dg.DagsterInstance,
    logged: list[str],
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    serve(ANSWERS[fault])
    _run_job(instance)
    assert_silent("\n".join((*logged, *capfd.readouterr())))
    assert_state_is_silent(tmp_path / "dagster")
    assert_kept_where_it_belongs(where, words_expected=fault == "no fault")


@pytest.mark.parametrize("reason", BREAKS)
def test_dagster_is_told_no_secret_when_writing_breaks(
    reason: str,
    serve: Callable[[Answer], None],
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    serve(well)
    monkeypatch.setattr("pipelines.ingest.warehouse.typed.Filling.add", _while_writing(BREAKS[reason]))
    _run_job(instance)
    assert_silent("\n".join(capfd.readouterr()))
    assert_state_is_silent(tmp_path / "dagster")


def assert_state_is_silent(state: Path) -> None:
    """Neither Dagster's databases nor its logs hold a secret; that they hold events at all is looked at first."""
    read = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    with closing(sqlite3.connect(state / "history" / "runs" / "index.db")) as con:
        assert con.execute("select count(*) from event_logs").fetchone()[0] > 0
    for path, content in read.items():
        for secret in (*OF_THE_KEY, WORD, METADATA):
            found = content.find(secret.encode())
            assert found < 0, f"{secret} in {path.name}: {content[max(0, found - 200) : found + 60]!r}"


def test_the_search_itself_finds_what_is_said(serve: Callable[[Answer], None], logged: list[str]) -> None:
    serve(well)
    for words in ("Zebra", f"..{WORD}..", METADATA):
        with pytest.raises(AssertionError):
            assert_silent(words)
    hidden = RuntimeError("calm")
    hidden.__context__, hidden.__suppress_context__ = ValueError(WORD), True
    with pytest.raises(AssertionError):
        assert_silent(told_by(hidden))
    logging.getLogger("any.logger").debug("said %s", WORD)
    with pytest.raises(AssertionError):
        assert_silent("\n".join(logged))
