"""The documentation prints what its queries give, and leaves no view out.

The queries run on the sample conversations, through the command that the pages tell readers to use. With
`pytest --write-golden tests/test_docs.py` their results are written into the pages; read the difference.
"""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.analytics import VIEWS
from pipelines.cli import main

ROOT = Path(__file__).parents[1]
QUESTIONS = ROOT / "docs/analytics.md"
PAGES = (ROOT / "README.md", QUESTIONS)
PARTS_OF_OTHERS = {"stretches"}
"""Views that are there for other views, and answer no question of their own."""
_WIDTH = 120
_QUERY = re.compile(r"^```sql\n(?P<sql>.*?)^```\n(?:\n```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)
_BEGIN, _END = "<!-- views: from the comments of models/analytics/*.sql -->\n", "<!-- end of views -->\n"
_LIST = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_prints_what_its_queries_give(page: Path, sample_serving: Path, pytestconfig: pytest.Config) -> None:
    listed = _LIST.sub(lambda _: _views(), page.read_text(encoding="utf-8"))
    renewed = _QUERY.sub(lambda found: _with_result(found["sql"], sample_serving), listed)
    if pytestconfig.getoption("--write-golden"):
        page.write_text(renewed, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == renewed


def test_every_view_is_listed_and_asked_something() -> None:
    page = QUESTIONS.read_text(encoding="utf-8")
    assert len(_LIST.findall(page)) == 1
    asked = set(re.findall(r"\banalytics\.(\w+)", " ".join(_QUERY.findall(page))))
    assert asked == {view.name for view in VIEWS} - PARTS_OF_OTHERS


def test_there_are_twenty_questions_each_with_its_query() -> None:
    page = QUESTIONS.read_text(encoding="utf-8").split("## Twenty questions\n")[1].split("\n## ")[0]
    questions = page.split("\n### ")[1:]
    assert [one.split(". ")[0] for one in questions] == [str(n) for n in range(1, 21)]
    assert [len(_QUERY.findall(one)) for one in questions] == [1] * 20


def _with_result(sql: str, serving: Path) -> str:
    """The query as it stands on the page, with what the command prints for it."""
    result = CliRunner().invoke(main, ["query", "--serving", str(serving), sql])
    assert result.exit_code == 0, f"{result.output}\n{sql}"
    assert all(len(line) <= _WIDTH for line in result.output.splitlines()), f"too wide to be read\n{result.output}"
    return f"```sql\n{sql}```\n\n```text\n{result.output}```\n"


def _views() -> str:
    """One line per view, by name, in the words of its file."""
    lines = (
        f"| [`{view.name}`](schema.md#analytics{view.name}) | {view.grain} | {view.question} |\n"
        for view in sorted(VIEWS, key=lambda view: view.name)
    )
    return f"{_BEGIN}\n| view | a row | answers |\n|---|---|---|\n{''.join(lines)}\n{_END}"
