"""Writing the report: what is in the file, who may read it, and what goes wrong."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connectors.emulator import Store
from dashboards import write_report
from dashboards.sections import SECTIONS, TILES
from models.analytics import VIEWS
from pipelines.cli import main
from pipelines.ingest.errors import WarehouseError

SAMPLES = Path(__file__).parents[1] / "samples/items"
MARKER = "zebrafish"
FIGURES = [figure for section in SECTIONS for figure in section.figures]
DATA = list(dict.fromkeys([*(figure.data for figure in FIGURES), *(tile.data for tile in TILES)]))
WORDS = {  # fields that hold what people, models or tools wrote
    *("text", "arguments", "input", "query", "queries", "pattern", "command", "commands", "stdout", "stderr", "diff"),
    *("path", "code", "logs", "reason", "refusal", "message", "filename", "title", "summary", "description", "result"),
    *("results", "output", "content", "error", "attributes", "revised_prompt", "quote"),
}
OURS = {"type", "id", "status", "call_id", "role", "file_id", "container_id", "encrypted_content", "code_interpreter"}


def test_it_reads_nothing_but_views_of_analytics() -> None:
    views = {view.name for view in VIEWS}
    for data in DATA:
        read = set(re.findall(r"\b(?:from|join)\s+([a-z_]+\.[a-z_]+)", data.sql))
        assert read, data.name
        assert {name.split(".")[0] for name in read} == {"analytics"}, data.name
        assert not re.search(r"\b(?:items|raw|ops)\.[a-z]", data.sql.replace("analytics.items", "")), data.name
        assert {name.split(".")[1] for name in read} <= views, data.name


def test_names_are_there_once_and_columns_are_of_their_data(sample_serving: Path, tmp_path: Path) -> None:
    write_report(sample_serving, tmp_path / "report.html", with_examples=True)
    contents = _contents(tmp_path / "report.html")
    assert len({figure.id for figure in FIGURES}) == len(FIGURES)
    assert len({data.name for data in DATA}) == len(DATA)
    for figure in FIGURES:
        held = contents["data"][figure.data.name]
        assert not held["is_missing"], figure.data.name
        known = {*held["columns"], *figure.rates, *figure.quantiles, "period"}
        assert {column.name for column in figure.columns} <= known, figure.id
        assert {part for rate in figure.rates.values() for part in rate} <= known, figure.id
        assert set(re.findall(r"[{/:](\w+)(?=[}/:])", figure.note)) <= known, figure.id
        assert figure.order.lstrip("-").removesuffix("_low") in known | {""}, figure.id


def test_it_holds_no_text_of_conversations_unless_asked(serving_of: Callable[[Store], Path], tmp_path: Path) -> None:
    store = Store(seed=3)
    items = [_marked(json.loads(file.read_text())) for file in sorted(SAMPLES.glob("*.json"))]
    assert json.dumps(items).count(MARKER) > 80
    store.put_conversation("conv_1", 1_790_000_000, {"topic": MARKER})
    store.put_items("conv_1", items)
    serving = serving_of(store)
    write_report(serving, tmp_path / "without.html")
    write_report(serving, tmp_path / "with.html", with_examples=True)
    assert MARKER not in (tmp_path / "without.html").read_text(encoding="utf-8")
    assert MARKER in (tmp_path / "with.html").read_text(encoding="utf-8")


def _marked(value: Any, field: str = "") -> Any:
    """The same item, with a marker in whatever somebody wrote."""
    if isinstance(value, dict):
        return {key: _marked(inner, field if key in {"text", "value"} else key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner, field) for inner in value]
    if isinstance(value, str) and field in WORDS and field not in OURS:
        return f"{MARKER} {value}"
    if isinstance(value, str) and field == "url" and value.startswith("http"):
        return f"{value}/{MARKER}"
    return value


def test_only_its_owner_may_read_it_and_it_takes_the_old_ones_place(sample_serving: Path, tmp_path: Path) -> None:
    output = tmp_path / "folder" / "report.html"
    output.parent.mkdir()
    output.write_text("the one of last week")
    output.chmod(0o644)
    result = CliRunner().invoke(main, ["report", "--serving", str(sample_serving), "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert result.output == f"Report: {output}\n"
    assert output.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert output.stat().st_mode & 0o777 == 0o600
    assert list(output.parent.iterdir()) == [output]


def test_without_a_snapshot_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="no snapshot yet"):
        write_report(tmp_path / "none.duckdb", tmp_path / "report.html")
    result = CliRunner().invoke(main, ["report", "--serving", str(tmp_path / "none.duckdb")])
    assert result.exit_code == 1
    assert "run `conversations sync` first" in result.output
    assert not list(tmp_path.iterdir())


def test_where_it_cannot_write_it_says_so(sample_serving: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WarehouseError, match="cannot write the report"):
        write_report(sample_serving, tmp_path / "file" / "report.html")


def test_it_stands_beside_the_snapshot_by_default(serving_of: Callable[[Store], Path]) -> None:
    serving = serving_of(Store())
    assert CliRunner().invoke(main, ["report", "--serving", str(serving)]).exit_code == 0
    assert serving.with_name("report.html").stat().st_size < 1_500_000


def test_altair_is_loaded_only_to_write_a_report() -> None:
    loaded = "import sys, dashboards, pipelines.cli; print({'altair', 'vl_convert'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_the_file_asks_for_nothing_from_anywhere(sample_serving: Path, tmp_path: Path) -> None:
    write_report(sample_serving, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert "<main" in markup
    assert not re.findall(r"\b(?:src|srcset|action|href)=(?!\"#)", markup)


def _contents(path: Path) -> dict[str, Any]:
    held = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', path.read_text(encoding="utf-8"), re.S
    )
    assert held
    contents: dict[str, Any] = json.loads(held[1])
    return contents
