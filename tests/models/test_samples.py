"""Each sample item gives exactly its golden rows: whole rows, in all tables.

`samples/items/<type>.<which>.json` holds an item, `samples/rows/<type>.<which>.json` its rows by table. A sample
without golden rows fails; `pytest --write-golden` writes them, and a person reads them before they are committed.
"""

import json
from pathlib import Path

import duckdb
import pytest

from models import flatten
from models.items import ITEM_TYPES

SAMPLES = Path(__file__).parent.parent / "samples"
ITEMS = sorted((SAMPLES / "items").glob("*.json"))


@pytest.mark.parametrize("path", ITEMS, ids=lambda path: path.stem)
def test_a_sample_gives_exactly_its_golden_rows(path: Path, pytestconfig: pytest.Config) -> None:
    golden = SAMPLES / "rows" / path.name
    rows = rows_of(path.read_text(encoding="utf-8"))
    if pytestconfig.getoption("--write-golden"):
        golden.write_text(json.dumps(rows, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    assert json.dumps(rows, indent=1, ensure_ascii=False, default=str) + "\n" == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("which", ["full", "required"])
def test_every_declared_type_has_a_sample(which: str) -> None:
    assert {path.stem for path in ITEMS if path.stem.endswith(which)} == {f"{name}.{which}" for name in ITEM_TYPES}


def test_every_column_of_a_full_sample_has_a_value_somewhere() -> None:
    """A full sample that leaves a column empty would not notice if the column were never filled."""
    empty = []
    for name, item_type in ITEM_TYPES.items():
        paths = [path for path in ITEMS if path.stem.startswith(f"{name}.")]
        rows = [rows_of(path.read_text(encoding="utf-8")) for path in paths]
        for part in item_type.tables:
            found = [row for sample in rows for row in sample.get(part.table.name, [])]
            empty += [
                f"{part.table.name}.{column}"
                for column in part.table.column_names
                if column != "item_at" and all(row[column] is None for row in found)
            ]
    assert not empty


def rows_of(raw: str) -> dict[str, list[dict[str, object]]]:
    """The rows that one item gives, by table; tables without rows are left out."""
    item = json.loads(raw)
    item_type = ITEM_TYPES[item["type"]]
    with duckdb.connect() as con:
        con.execute("create schema items")
        for part in item_type.tables:
            con.execute(part.table.create())
        con.execute(
            "create temp table batch as select 'conv_1' as conversation_id, ? as item_id, 3 as position, "
            "null::timestamp as item_at, ? as type, ? as raw",
            [item["id"], item["type"], raw],
        )
        con.register("parsed", con.sql(flatten.parse(item_type, "batch")).to_arrow_table())
        for statement in flatten.insert(item_type, "parsed"):
            con.execute(statement)
        tables = {
            part.table.name: con.sql(f"select * from {part.table.full_name}").pl().to_dicts()
            for part in item_type.tables
        }
        return {name: rows for name, rows in tables.items() if rows}
