"""Items that are not as declared: kept raw, read as far as known, reported, and read fully once they are known."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from models import items
from models.dictionary import as_markdown
from models.item_type import ItemType
from models.shape import integer, rows, text
from pipelines.ingest.places import Places
from pipelines.ingest.reading import original
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import SyncResult

Rows = Callable[..., list[tuple[object, ...]]]

PART = {"type": "output_text", "text": "hi", "annotations": [], "logprobs": []}
MESSAGE = {"id": "msg_1", "type": "message", "status": "completed", "role": "user", "content": [PART]}
SHELL_OUTPUT = {
    "id": "sho_1",
    "type": "shell_call_output",
    "status": "completed",
    "call_id": "call_1",
    "max_output_length": 7,
    "output": [{"stdout": "", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
}


def as_json(item: object) -> bytes:
    return json.dumps(item).encode()


@pytest.mark.parametrize(
    ("item", "expected", "columns", "values"),
    [
        (
            {"type": "hologram_call", "id": "holo_1", "n": 1},
            ("hologram_call", "type", "unknown_type", "hologram_call"),
            "",
            (),
        ),
        ({"id": "x_1", "n": 1}, ("(none)", "type", "unknown_type", "(none)"), "", ()),
        ({**MESSAGE, "mood": "fine"}, ("message", "mood", "unknown_field", "string"), "text, role", ("hi", "user")),
        (
            {**MESSAGE, "content": [{**PART, "glow": {"deep": 1}}]},
            ("message", "content[](output_text).glow", "unknown_field", "object"),
            "text",
            ("hi",),
        ),
        (
            {**MESSAGE, "content": [PART, {**PART, "annotations": [{"type": "url_citation", "url": "u", "rank": 1}]}]},
            ("message", "content[](output_text).annotations[](url_citation).rank", "unknown_field", "integer"),
            "text",
            ("hi\nhi",),
        ),
        (
            {**MESSAGE, "content": [{"type": "smell", "text": "rose"}]},
            ("message", "content[]", "unknown_form", "smell"),
            "text",
            ("rose",),
        ),
        ({**MESSAGE, "content": ["bare", PART]}, ("message", "content[]", "wrong_type", "string"), "text", ("hi",)),
        ({**MESSAGE, "content": {"type": "x"}}, ("message", "content", "wrong_type", "object"), "text", (None,)),
        ({**MESSAGE, "role": {"name": "x"}}, ("message", "role", "wrong_type", "object"), "text, role", ("hi", None)),
        ({**MESSAGE, "role": "oracle"}, ("message", "role", "unknown_value", "oracle"), "role", ("oracle",)),
        ({**MESSAGE, "status": "paused"}, ("message", "status", "unknown_value", "paused"), "status", ("paused",)),
        *(
            (
                {**SHELL_OUTPUT, "max_output_length": value},
                ("shell_call_output", "max_output_length", "wrong_type", seen),
                "max_output_length, call_id",
                (None, "call_1"),
            )
            for value, seen in (("42", "string"), (1.7, "number"), (True, "boolean"), (2**70, "integer"), ([], "array"))
        ),
        (
            {**MESSAGE, "Dear Ann, I write to you": "secret words"},
            ("message", "(not shown)", "unknown_field", "string"),
            "text",
            ("hi",),
        ),
        (
            {**MESSAGE, "role": "a secret sentence"},
            ("message", "role", "unknown_value", "(not shown)"),
            "role",
            ("a secret sentence",),
        ),
    ],
)
def test_what_is_not_as_declared_is_kept_reported_and_read_as_far_as_known(
    item: dict[str, object],
    expected: tuple[str, ...],
    columns: str,
    values: tuple[object, ...],
    land: Callable[..., SyncResult],
    rows: Rows,
) -> None:
    land(as_json(item))
    found = rows("select type, path, kind, seen, occurrences, example_item_id from ops.drift")
    assert found == [(*expected, 1, item["id"])]
    assert [json.loads(str(raw)) for (raw,) in rows("select raw from raw.items")] == [item]
    if columns:
        assert rows(f"select {columns} from items.{item['type']}") == [values]
    assert "secret" not in str(rows("from ops.drift"))


def test_drift_counts_items_and_knows_the_first_and_the_last(land: Callable[..., SyncResult], rows: Rows) -> None:
    land(as_json({**MESSAGE, "mood": "fine"}), as_json({**MESSAGE, "id": "msg_2", "mood": "sad"}))
    land(as_json({**MESSAGE, "id": "msg_3", "mood": "glad"}), conversation_id="conv_2")
    assert rows("select occurrences, first_seen_at < last_seen_at, example_item_id from ops.drift") == [
        (3, True, "msg_1")
    ]


HOSTILE = [
    as_json({**MESSAGE, "content": [{**PART, "text": "nul \x00 end"}]}),
    as_json({**MESSAGE, "content": [{**PART, "text": "lone \ud83d surrogate"}]}),
    json.dumps({**MESSAGE, "content": [{**PART, "text": "four bytes \U0001f701"}]}, ensure_ascii=False).encode(),
    as_json({**MESSAGE, "content": [], "phase": None}),
    as_json({**MESSAGE, "content": None, "role": None}),
    as_json({**MESSAGE, "content": [None, PART, None]}),
    as_json({**MESSAGE, "content": [{**PART, "annotations": None, "logprobs": None}]}),
    as_json({"type": "tool_search_call", "arguments": {"n": 2**80, "deep": [[[[{}]]]], "s": "\ud800"}}),
    as_json({"type": "tool_search_output", "tools": [{"name": 5}, "text", None, {"type": "function", "name": "f"}]}),
    b'{"type":"tool_search_call","arguments":' + b"[" * 3000 + b"]" * 3000 + b"}",
    *(
        b'{"type":"tool_search_call","new":1,"arguments":' + b"[" * depth + b"]" * depth + b"}"
        for depth in (400, 500, 600, 800, 900, 990, 1100)
    ),
    b'{"type":"tool_search_call","arguments":' + b"9" * 5000 + b',"execution":1e999}',
    b'{"type":"message","role":"user","content":[{"type":"input_text","text":"not UTF-8 \xff"}]}',
    b'{"type":"message","role":"first","role":"user","content":[]}',
    b' {"type" : "message" , "role":\t"user"}\n',
    b'"a string"',
    b"[]",
    b"7",
    b"{}",
    b'{"type":7,"id":[]}',
]


def _with_id(raw: bytes, n: int) -> bytes:
    """The item with its number as ID, if it is an object that says what it is."""
    if b"message" not in raw and b"tool_search" not in raw:
        return raw
    return raw.replace(b'"id": "msg_1", ', b"").replace(b"{", b'{"id":"%d",' % n, 1)


def test_hostile_values_harm_neither_their_item_nor_the_others(
    land: Callable[..., SyncResult], rows: Rows, where: Places
) -> None:
    odd = [_with_id(raw, n) for n, raw in enumerate(HOSTILE)]
    given = [*odd, as_json(MESSAGE)]
    assert land(*given).report.status == "done"
    assert land(*given).report.items_changed == 0
    stored = [str(item_id) for (item_id,) in rows("select item_id from raw.items order by position")]
    assert [original(where, "conv_1", item_id) for item_id in stored] == [raw.strip() for raw in given]
    texts = {str(item_id): text for item_id, text in rows("select item_id, text from items.message")}
    assert (texts["0"], texts["1"], texts["2"]) == ("nul \x00 end", "lone \ufffd surrogate", "four bytes \U0001f701")
    assert (texts["18"], texts["msg_1"]) == ("not UTF-8 \ufffd", "hi")
    assert rows("select item_id from raw.items where is_raw_base64") == [("18",)]
    assert rows("select content_index, text from items.message__content where item_id = '5' order by 1") == [
        (0, None),
        (1, "hi"),
        (2, None),
    ]
    assert rows("select tools_index, type, name, definition from items.tool_search_output__tools order by 1") == [
        (0, None, None, '{"name":5}'),
        (1, None, None, '"text"'),
        (2, None, None, None),
        (3, "function", "f", '{"type":"function","name":"f"}'),
    ]


def test_of_a_name_that_stands_twice_the_last_counts(land: Callable[..., SyncResult], rows: Rows) -> None:
    """As for everybody who reads JSON with Python or JavaScript; the first must not be misread on the way."""
    land(
        b'{"id":"sho_1","type":"shell_call_output","max_output_length":"42","max_output_length":7,"call_id":{"a":1},'
        b'"call_id":"c","caller":{"type":"direct"},"caller":{"type":"program","caller_id":"x"}}',
        b'{"id":"sho_2","type":"shell_call_output","max_output_length":7,"max_output_length":"42","odd_field":1}',
        b'{"id":"sho_3","type":"shell_call_output","max_output_length":1,"max_output_length":2,"call_id":"a","call_id":"b"}',
    )
    assert rows("select max_output_length, call_id, caller_type from items.shell_call_output order by item_id") == [
        (7, "c", "program"),
        (None, None, None),
        (2, "b", None),
    ]


def test_an_id_of_another_json_type_is_reported(land: Callable[..., SyncResult], rows: Rows) -> None:
    land(b'{"id":5,"type":"message","content":[]}')
    assert rows("select path, kind, seen, example_item_id from ops.drift") == [("id", "wrong_type", "integer", "~0")]


def test_a_word_that_could_be_a_key_or_a_name_is_not_shown(land: Callable[..., SyncResult], rows: Rows) -> None:
    land(as_json({**MESSAGE, "role": "sk-proj-abcDEF123456", "alice.smith-0171": 1, "n01712345678": 2}))
    assert rows("select distinct path, seen from ops.drift order by all") == [
        ("(not shown)", "integer"),
        ("role", "(not shown)"),
    ]


def test_words_without_end_do_not_fill_the_drift_table(land: Callable[..., SyncResult], rows: Rows) -> None:
    words = [f"word_{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(300)]
    land(*(as_json({**MESSAGE, "id": f"m_{word}", word: 1}) for word in words))
    assert rows("select count(*), sum(occurrences) from ops.drift") == [(101, 300)]
    assert rows("select occurrences from ops.drift where path = '(others)'") == [(200,)]


def test_wrong_elements_of_a_list_are_null(land: Callable[..., SyncResult], rows: Rows) -> None:
    tool = {"type": "function", "allowed_callers": ["direct", 5, {"a": 1}, True]}
    land(as_json({"id": "tso_1", "type": "tool_search_output", "tools": [tool]}))
    assert rows("select allowed_callers from items.tool_search_output__tools") == [(["direct", None, None, None],)]


@pytest.mark.parametrize(
    "value",
    [
        '"' + "A" * 70_000 + '"',
        json.dumps(json.dumps({"image": "A" * 70_000})),
        "1" * 70_000 + ',"c":1',
        '"\\/9j\\/' + "A" * 70_000 + '"',
        '"data:image/svg+xml,%3Csvg' + "A" * 70_000 + '","c":"' + "B" * 70_000 + '"',
    ],
)
def test_what_is_left_of_an_item_after_a_cut_is_json(
    value: str, land: Callable[..., SyncResult], rows: Rows, where: Places
) -> None:
    raw = f'{{"id":"x_1","type":"hologram_call","n":{value}}}'.encode()
    land(raw)
    assert rows("select json_valid(raw), raw ->> '$.type' from raw.items") == [(True, "hologram_call")]
    assert original(where, "conv_1", "x_1") == raw


def test_rebuild_counts_unknown_types_and_forgets_what_is_gone(land: Callable[..., SyncResult], where: Places) -> None:
    land(as_json(HOLOGRAM), as_json({**MESSAGE, "mood": "fine"}))
    with Warehouse.open(where.warehouse) as warehouse:
        before = warehouse.con.execute("select * from ops.drift order by all").fetchall()
        warehouse.con.execute("delete from ops.drift")
        warehouse.rebuild()
        assert warehouse.con.execute("select * from ops.drift order by all").fetchall() == before
        warehouse.con.execute("update raw.items set deleted_at = now()::timestamp")
        warehouse.rebuild()
        assert warehouse.con.execute("select count(*) from ops.drift").fetchall() == [(0,)]


def test_an_id_twice_on_a_page_is_stored_once_and_recorded(land: Callable[..., SyncResult], rows: Rows) -> None:
    land(as_json(MESSAGE), as_json({**MESSAGE, "role": "assistant"}))
    assert rows("select role from items.message") == [("user",)]
    assert rows("select kind, closed_at is not null from ops.problems") == [("duplicate_id", True)]


IMAGE = b"iVBORw0KGgo" + b"A" * 5_000_000


def test_a_long_payload_is_kept_once_in_a_file_and_given_back_byte_for_byte(
    land: Callable[..., SyncResult], rows: Rows, where: Places
) -> None:
    given = [
        b'{"id":"ig_%d","type":"image_generation_call","status":"completed","result":"%b","size":"1x1"}' % (n, IMAGE)
        for n in (1, 2)
    ]
    url = b"data:image/png;base64," + IMAGE[:70_000]
    part = b'{"type":"input_image","detail":"low","image_url":"%b"}' % url
    given.append(b'{"id":"msg_1","type":"message","role":"user","content":[%b,%b]}' % (part, part))
    land(*given)
    digest = sha256(IMAGE).hexdigest()
    assert rows("select max(length(raw)) < 300 from raw.items") == [(True,)]
    assert rows(
        "select item_id, byte_length, media_type, sha256 from raw.blobs where item_id like 'ig%' order by 1"
    ) == [
        ("ig_1", len(IMAGE), "image/png", digest),
        ("ig_2", len(IMAGE), "image/png", digest),
    ]
    assert (
        rows("select result, result_bytes, result_media_type, result_sha256, size from items.image_generation_call")
        == [(None, len(IMAGE), "image/png", digest, "1x1")] * 2
    )
    assert (
        rows("select image_url, image_url_bytes, image_url_media_type from items.message__content")
        == [(None, len(url), "image/png")] * 2
    )
    assert len([path for path in where.warehouse.parent.rglob("*") if len(path.name) == 64]) == 2
    assert [original(where, "conv_1", name) for name in ("ig_1", "ig_2", "msg_1")] == given
    before = rows("from items.image_generation_call")
    with Warehouse.open(where.warehouse) as warehouse:
        warehouse.rebuild()
        assert warehouse.con.execute("from items.image_generation_call").fetchall() == before
    assert land(*given).report.items_changed == 0


def test_payloads_stay_in_raw_where_that_is_wanted(land: Callable[..., SyncResult], rows: Rows) -> None:
    land(b'{"id":"ig_1","type":"image_generation_call","result":"%b"}' % IMAGE, cut_from_bytes=0)
    assert rows("select length(raw) > 5000000, (select count(*) from raw.blobs) from raw.items") == [(True, 0)]
    assert rows("select result, result_bytes from items.image_generation_call") == [(None, len(IMAGE))]


def test_a_payload_that_changes_leaves_no_trace_in_blobs(land: Callable[..., SyncResult], rows: Rows) -> None:
    open_item = b'{"id":"ig_1","type":"image_generation_call","status":"generating","result":"%b"}'
    land(open_item % IMAGE)
    land(open_item % b"short")
    assert rows("select result, (select count(*) from raw.blobs) from items.image_generation_call") == [("short", 0)]


NEW_TYPE = ItemType(
    "hologram_call",
    "An invented thirtieth type.",
    (text("colour", "Its colour."), rows("layers", "Its layers.", integer("depth", "How deep."))),
    ("completed",),
)
HOLOGRAM = {
    "id": "holo_1",
    "type": "hologram_call",
    "status": "completed",
    "colour": "blue",
    "layers": [{"depth": 1}, {"depth": 2}],
}


def test_a_thirtieth_type_is_one_declaration_and_old_items_get_their_rows(
    where: Places, land: Callable[..., SyncResult], rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items received while the type was unknown are typed from raw alone, when the warehouse is next opened."""
    land(as_json(HOLOGRAM), as_json(MESSAGE))
    assert rows("select kind from ops.drift") == [("unknown_type",)]
    monkeypatch.setitem(items.ITEM_TYPES, "hologram_call", NEW_TYPE)
    with Warehouse.open(where.warehouse) as warehouse:
        ask = warehouse.con.execute
        assert ask("select status, colour from items.hologram_call").fetchall() == [("completed", "blue")]
        assert ask("select layers_index, depth from items.hologram_call__layers").fetchall() == [(0, 1), (1, 2)]
        assert ask("select count(*) from ops.drift").fetchall() == [(0,)]
        assert ask("select comment from duckdb_tables() where table_name = 'hologram_call'").fetchall() == [
            ("An invented thirtieth type.",)
        ]
    assert "### items.hologram_call__layers" in as_markdown()


def test_a_declaration_that_learns_a_field_rereads_its_items(
    where: Places, land: Callable[..., SyncResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    land(as_json({**MESSAGE, "mood": "fine"}))
    known = items.ITEM_TYPES["message"]
    learned = replace(known, fields=(*known.fields, text("mood", "The mood.")))
    monkeypatch.setitem(items.ITEM_TYPES, "message", learned)
    with Warehouse.open(where.warehouse) as warehouse:
        assert warehouse.con.execute("select mood, text from items.message").fetchall() == [("fine", "hi")]
        assert warehouse.con.execute("select count(*) from ops.drift").fetchall() == [(0,)]
