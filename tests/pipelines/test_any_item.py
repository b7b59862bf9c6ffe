"""Any item built from the declarations, valid or with anything in place of a value, goes through and is told truly."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.conform import conform
from models.items import ITEM_TYPES
from models.shape import (
    DISCRIMINATOR,
    FREE_FORM,
    Definitions,
    Field,
    Member,
    Nested,
    Payload,
    Rows,
    Scalar,
    Scalars,
    Structs,
    TextOr,
)
from pipelines.ingest.places import Places
from pipelines.ingest.reading import original
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import SyncResult
from tests.tracing import DRIFT, FREE, TYPED, Leaf, same, trace

Values = st.SearchStrategy[object]

TEXT = st.text(st.characters(), max_size=12)  # lone surrogates and NUL included
WHOLE = st.integers(-(2**63), 2**63 - 1)
NUMBER = st.floats(allow_nan=False, allow_infinity=False) | WHOLE
SCALAR = st.none() | st.booleans() | TEXT | NUMBER | st.integers(2**63, 2**80)
ANYTHING = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)


def scalar(kind: str) -> Values:
    return {"VARCHAR": TEXT, "BIGINT": WHOLE, "DOUBLE": NUMBER, "BOOLEAN": st.booleans(), FREE_FORM: ANYTHING}[kind]


def valid(field: Field) -> Values:
    match field:
        case Scalar(type=kind, enum=enum):
            return st.sampled_from(enum) if enum else scalar(kind)
        case Payload():
            return TEXT | st.just("iVBORw0KGgo" + "A" * 70_000)
        case Scalars(type=kind):
            return st.lists(st.none() | scalar(kind), max_size=3)
        case Definitions():
            return st.lists(objects((Member(None, field.fields),)) | ANYTHING, max_size=3)
        case Nested():
            return objects(field.members)
        case Rows() | Structs():
            return st.lists(st.none() | objects(field.members), max_size=3)
        case TextOr():
            return TEXT | valid(field.other)


def objects(members: tuple[Member, ...]) -> Values:
    return st.one_of([_object(form) for form in members])


def _object(form: Member) -> Values:
    said: Mapping[str, Values] = {} if form.value is None else {DISCRIMINATOR: st.just(form.value)}
    fields = {
        field.name: st.one_of(valid(field), valid(field), valid(field), st.none(), ANYTHING) for field in form.fields
    }
    known = st.fixed_dictionaries(dict(said), optional=fields)
    return st.tuples(known, st.dictionaries(TEXT, SCALAR, max_size=1)).map(lambda parts: {**parts[1], **parts[0]})


@cache
def items(name: str) -> Values:
    known = objects(ITEM_TYPES[name].members)
    return known.map(lambda fields: {**dict(fields), "type": name})  # type: ignore[call-overload]  # a dict


TWICE = [b"", b'"status":7,', b'"call_id":{"a":1},', b'"type":"other",', b'"id":[],']
"""What an item may begin with, so that a name stands twice in it: the last counts."""
ITEM = st.sampled_from(sorted(ITEM_TYPES)).flatmap(items)
Cells = dict[tuple[str, tuple[object, ...], str], object]


def stored(con: duckdb.DuckDBPyConnection, conversation_id: str) -> dict[str, Cells]:
    """The cells of each of the conversation's items, its keys and derived columns apart."""
    found: dict[str, Cells] = {}
    for item_type in ITEM_TYPES.values():
        apart = {"conversation_id", "item_id", "position", "item_at", *(one.column.name for one in item_type.derived)}
        for part in item_type.tables:
            ask = f"select * from {part.table.full_name} where conversation_id = ?"
            for row in con.sql(ask, params=[conversation_id]).pl().iter_rows(named=True):
                at = tuple(row[name] for name in part.index_columns)
                cells = found.setdefault(row["item_id"], {})
                skipped = apart if part.parent is None else {"conversation_id", "item_id"}
                cells |= {
                    (part.table.name, at, name): row[name]
                    for name in row
                    if name not in {*skipped, *part.index_columns}
                }
    return found


def differences(cells: Cells, leaves: list[Leaf]) -> list[str]:
    """Leaves that are not in their cell, and cells that hold what no leaf says."""
    told = {(leaf.table, leaf.indexes, leaf.column): leaf for leaf in leaves if leaf.kind in {TYPED, FREE}}
    wrong = [
        leaf.path for place, leaf in told.items() if not same(cells.get(place), leaf.value, free=leaf.kind == FREE)
    ]
    companions = ("_bytes", "_media_type", "_sha256")
    unsaid = [
        str(place)
        for place, value in cells.items()
        if value is not None and place not in told and not place[2].endswith(companions)
    ]
    return wrong + unsaid


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(ITEM, st.booleans(), st.sampled_from(TWICE)), min_size=1, max_size=16))
def check_any_items(run: Callable[[list[bytes]], None], drawn: list[tuple[dict[str, object], bool, bytes]]) -> None:
    run(
        [
            b"{" + first + _encoded({**item, "id": f"item_{n}"}, is_ascii)[1:]
            for n, (item, is_ascii, first) in enumerate(drawn)
        ]
    )


def _encoded(item: object, is_ascii: bool) -> bytes:
    try:
        return json.dumps(item, ensure_ascii=is_ascii).encode()
    except UnicodeEncodeError:
        return json.dumps(item).encode()


def test_any_item_is_kept_as_sent_and_no_typed_value_differs(
    land: Callable[..., SyncResult], where: Places, tmp_path: Path
) -> None:
    seen = 0

    def run(raw: list[bytes]) -> None:
        nonlocal seen
        seen += 1
        conversation_id = f"conv_{seen}"
        assert land(*raw, conversation_id=conversation_id).report.status == "done"
        assert [original(where, conversation_id, f"item_{n}") for n in range(len(raw))] == raw
        with Warehouse.open(where.warehouse) as warehouse:
            synced = stored(warehouse.con, conversation_id)
            warehouse.rebuild()
            assert stored(warehouse.con, conversation_id) == synced
        for n, text in enumerate(raw):
            item = json.loads(text)
            item_type = ITEM_TYPES[item["type"]]
            leaves = list(trace(item_type, item))
            assert differences(synced[f"item_{n}"], leaves) == []
            if any(leaf.kind == DRIFT for leaf in leaves):
                assert conform(item_type, text).drift

    check_any_items(run)
    assert seen >= 20


def test_the_check_itself_sees_a_wrong_and_an_unsaid_value() -> None:
    leaves = [Leaf("a", TYPED, "t", (), "a", 1)]
    assert differences({("t", (), "a"): 1, ("t", (), "b"): None}, leaves) == []
    assert differences({("t", (), "a"): 2}, leaves) == ["a"]
    assert differences({("t", (), "a"): 1, ("t", (), "b"): 5}, leaves) == ["('t', (), 'b')"]


pytestmark = pytest.mark.filterwarnings("default")
