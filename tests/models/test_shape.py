"""The declaration engine: which tables follow from which fields, and which declarations are refused."""

import duckdb
import pytest

from models import flatten
from models.item_type import SPINE, ItemTable, ItemType
from models.items import ITEM_TYPES
from models.shape import (
    boolean,
    free_form,
    integer,
    member,
    nested,
    rows,
    structs,
    superset,
    text,
    text_or_nested,
    text_or_rows,
    texts,
)
from models.table import Column, Table, quoted

INVENTED = ItemType(
    "invented_call",
    "An invented type.",
    (
        nested(
            "action",
            "What was done.",
            member("go", text("to", "Where to.")),
            member("stop", boolean("now", "At once.")),
        ),
        texts("words", "Some words."),
        free_form("extra", "Anything."),
        structs("pairs", "Pairs.", text("left", "Left."), integer("right", "Right.")),
        text_or_rows("output", "What came back.", member("a", text("x", "X.")), member("b", integer("y", "Y."))),
        text_or_nested("error", "What went wrong.", integer("code", "Code."), text("message", "Words.")),
        rows(
            "steps", "Steps.", nested("by", "By whom.", text("name", "Name.")), rows("parts", "Parts.", text("p", "P."))
        ),
    ),
    ("completed", "failed"),
)


def flattened(raw: str) -> dict[str, list[tuple[object, ...]]]:
    """All rows that one item of the invented type gives, by table, without the spine's position and time."""
    with duckdb.connect() as con:
        con.execute("create schema items")
        for part in INVENTED.tables:
            con.execute(part.table.create())
            for statement in part.table.comments():
                con.execute(statement)
        con.execute(
            "create temp table batch as select 'conv_1' as conversation_id, 'i_1' as item_id, 0 as position, "
            "null::timestamp as item_at, 'invented_call' as type, ? as raw",
            [raw],
        )
        con.register("parsed", con.sql(flatten.parse(INVENTED, "batch")).to_arrow_table())
        for statement in flatten.insert(INVENTED, "parsed"):
            con.execute(statement)
        return {
            part.table.name: con.execute(f"select {_told(part)} from {part.table.full_name}").fetchall()
            for part in INVENTED.tables
        }


def _told(part: ItemTable) -> str:
    spine = {column.name for column in SPINE}
    return ", ".join(quoted(name) for name in part.table.column_names if name not in spine)


def test_each_kind_of_field_becomes_the_columns_and_tables_that_the_rules_say() -> None:
    names = {part.table.name: part.table.column_names for part in INVENTED.tables}
    spine, key = ("conversation_id", "item_id", "position", "item_at", "status"), ("conversation_id", "item_id")
    assert names == {
        "invented_call": (
            *spine,
            *("action_type", "action_to", "action_now", "words", "extra", "pairs", "output"),
            *("error", "error_code", "error_message"),
        ),
        "invented_call__output": (*key, "output_index", "type", "x", "y"),
        "invented_call__steps": (*key, "steps_index", "by_name"),
        "invented_call__steps__parts": (*key, "steps_index", "parts_index", "p"),
    }


def test_values_arrive_in_their_columns() -> None:
    raw = """{"type":"invented_call","id":"i_1","status":"failed","action":{"type":"stop","now":true},
        "words":["a",null,"b"],"extra":{"k":[1]},"pairs":[{"left":"l","right":2}],
        "output":[{"type":"a","x":"one"},{"type":"b","y":2}],"error":{"code":7,"message":"oh"},
        "steps":[{"by":{"name":"n"},"parts":[{"p":"1"},{"p":"2"}]},{"by":null,"parts":[]}]}"""
    assert flattened(raw) == {
        "invented_call": [
            (
                "failed",
                "stop",
                None,
                True,
                ["a", None, "b"],
                '{"k":[1]}',
                [{"left": "l", "right": 2}],
                None,
                None,
                7,
                "oh",
            )
        ],
        "invented_call__output": [(0, "a", "one", None), (1, "b", None, 2)],
        "invented_call__steps": [(0, "n"), (1, None)],
        "invented_call__steps__parts": [(0, 0, "1"), (0, 1, "2")],
    }


def test_a_string_where_a_list_or_an_object_may_stand_is_the_scalar_column() -> None:
    found = flattened('{"type":"invented_call","output":"said \\"x\\"\\n","error":"no"}')
    assert found["invented_call"][0][-4:] == ('said "x"\n', "no", None, None)
    assert found["invented_call__output"] == []


def test_nothing_but_the_type_gives_one_row_of_nulls() -> None:
    found = flattened('{"type":"invented_call"}')
    assert found["invented_call"] == [(None,) * 11]
    assert sum(map(len, found.values())) == 1


def test_a_union_whose_members_disagree_about_a_field_is_refused() -> None:
    with pytest.raises(ValueError, match="x: declared in two ways"):
        superset((member("a", text("x", "X.")), member("b", integer("x", "X."))))


def test_a_table_that_contradicts_itself_is_refused() -> None:
    column = Column("a", "VARCHAR", "A.")
    with pytest.raises(ValueError, match="declared twice"):
        Table("s", "t", "T.", (column, column), key=("a",))
    with pytest.raises(ValueError, match="not columns"):
        Table("s", "t", "T.", (column,), key=("b",))


@pytest.mark.parametrize("name", ITEM_TYPES)
def test_every_declared_table_and_column_says_what_it_is(name: str) -> None:
    for part in ITEM_TYPES[name].tables:
        assert part.table.doc.endswith(".")
        for column in part.table.columns:
            assert column.doc.endswith("."), f"{part.table.full_name}.{column.name}"
