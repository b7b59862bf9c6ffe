"""The data dictionary: complete, and the page in the documentation is up to date."""

from pathlib import Path

import pytest

from models import ops
from models import raw as facts
from models.dictionary import as_dict, as_markdown
from models.items import ITEM_TYPES

PAGE = Path(__file__).parents[2] / "docs/schema.md"


def test_the_page_in_the_documentation_is_what_the_declarations_say(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--write-golden"):
        PAGE.write_text(as_markdown(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == as_markdown()


def test_every_table_and_column_is_in_both_forms() -> None:
    page, told = as_markdown(), str(as_dict())
    typed = [part.table for item_type in ITEM_TYPES.values() for part in item_type.tables]
    for table in (*facts.TABLES, *ops.TABLES, *typed):
        assert f"### {table.schema}.{table.name}\n" in page
        section = page.split(f"### {table.schema}.{table.name}\n")[1].split("###")[0]
        assert all(f"| {column.name} |" in section for column in table.columns)
        assert f"'{table.schema}.{table.name}'" in told


def test_a_child_names_its_parent() -> None:
    types = as_dict()["item_types"]
    assert isinstance(types, list)
    message = next(one for one in types if one["type"] == "message")
    assert {table["name"]: table["parent"] for table in message["tables"]} == {
        "items.message": None,
        "items.message__content": "items.message",
        "items.message__content__annotations": "items.message__content",
        "items.message__content__logprobs": "items.message__content",
    }
