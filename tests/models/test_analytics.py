"""The declarations of the views: complete, of one form, in an order in which they can be made."""

import pytest

from models.analytics import VIEWS, View, in_order, read_view

GOOD = """-- Grain: one row per thing.
-- Question: which things are there,
--   and why?
--
-- A thing is a thing.
--
-- Columns
-- thing_id VARCHAR: The thing; said in
--   two lines.
-- names VARCHAR[]: Its names.
select thing_id, names from items.thing;
"""


def test_a_file_says_grain_question_definitions_and_columns() -> None:
    view = read_view("things", GOOD)
    assert view.doc == "One row per thing. Which things are there, and why?"
    assert view.definitions == "A thing is a thing."
    assert [(one.name, one.type, one.doc) for one in view.columns] == [
        ("thing_id", "VARCHAR", "The thing; said in two lines."),
        ("names", "VARCHAR[]", "Its names."),
    ]
    assert view.query == "select thing_id, names from items.thing"
    assert view.sorted_by == ()
    kept = GOOD.replace("--\n-- A", "-- Snapshot: a table, sorted by names, thing_id.\n--\n-- A")
    assert read_view("things", kept).sorted_by == ("names", "thing_id")
    assert list(view.statements())[1:] == [
        "comment on view analytics.\"things\" is 'One row per thing. Which things are there, and why?'",
        'comment on column analytics."things"."thing_id" is \'The thing; said in two lines.\'',
        'comment on column analytics."things"."names" is \'Its names.\'',
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("-- Grain: one", "-- One"),
        ("-- Question: which", "-- Which"),
        ("-- Columns\n", ""),
        ("-- A thing is a thing.\n", ""),
        ("thing_id VARCHAR: The", "thing_id: The"),
        ("names VARCHAR[]: Its names.", "names VARCHAR[]:"),
        ("select thing_id, names from items.thing;\n", ""),
        ("--\n-- A", "-- Snapshot: a table, sorted by thing_id, age.\n--\n-- A"),
    ],
)
def test_a_file_that_leaves_something_out_is_refused(before: str, after: str) -> None:
    assert before in GOOD
    with pytest.raises(ValueError, match=r"^things\.sql: "):
        read_view("things", GOOD.replace(before, after))


def test_views_come_after_those_they_select_from_whatever_they_are_called() -> None:
    chain = {
        "a": "from analytics.b join analytics.c using (x)",
        "b": "from analytics.c -- not analytics.a",
        "c": "from x",
    }
    views = [_view(name, query) for name, query in chain.items()]
    assert [view.name for view in in_order(views)] == ["c", "b", "a"]
    with pytest.raises(ValueError, match=r"a\.sql: there is no view b, c"):
        in_order(views[:1])


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_says_what_a_row_is_what_it_answers_and_what_each_column_means(view: View) -> None:
    assert view.grain.startswith("One row")
    assert view.question.endswith("?")
    names = [column.name for column in view.columns]
    assert len(set(names)) == len(names)
    assert all(column.doc[0].isalnum() and column.doc.endswith(".") for column in view.columns)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_names_follow_the_rules(view: View) -> None:
    """Booleans say so; a rate has its fraction in its words; times end in _at; what was obtained somehow says how."""
    names = {column.name for column in view.columns}
    for column in view.columns:
        assert (column.type == "BOOLEAN") == column.name.startswith(("is_", "has_")), column.name
        assert (column.type == "TIMESTAMP") == (column.name.endswith("_at") or column.name == "as_of"), column.name
        if column.name.endswith("_method") and column.name not in {"output_method", "retry_method"}:
            obtained = column.name.removesuffix("_method")
            assert {obtained, f"is_{obtained}"} & (names | {"latency"}), column.name
        if column.name.endswith(("_rate", "_share")) or column.name in {"probability", "autonomy"}:
            fraction = [word.strip(".,:;") for word in column.doc.split("/")]
            assert fraction[0].split()[-1] in names, column.name
            assert fraction[1].split()[0].strip(".,:;") in names, column.name


def _view(name: str, query: str) -> View:
    view = read_view(name, GOOD)
    return View(name, view.grain, view.question, view.definitions, view.columns, query)
