"""Requests and 2xx bodies: what is asked for, and what is read from an answer."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from connectors.openai_conversations.errors import BadRequestError, MalformedResponseError
from connectors.openai_conversations.protocol import (
    INCLUDE,
    OPEN_STATUSES,
    Item,
    Page,
    is_conversation_id,
    list_items,
    read_conversation,
    read_item,
    read_page,
    retrieve_conversation,
    retrieve_item,
)

WORDS = "somebody's words"


def page_of(*raw: bytes, **envelope: object) -> bytes:
    """Return a list body with these elements as they are."""
    rest = json.dumps({"object": "list", **envelope})[1:].encode()
    return b'{"data":[' + b",".join(raw) + b"]," + rest


def test_a_list_request_is_the_line_measured_from_the_official_sdk() -> None:
    """`after`, repeated `include[]`, `limit` and `order` stand in this order, percent-encoded."""
    request = list_items(
        "conv_1",
        after="msg_9",
        include=("file_search_call.results", "reasoning.encrypted_content"),
        limit=100,
        order="asc",
    )
    assert request.method == "GET"
    assert request.target == (
        "/conversations/conv_1/items?after=msg_9&include%5B%5D=file_search_call.results"
        "&include%5B%5D=reasoning.encrypted_content&limit=100&order=asc"
    )


def test_what_is_not_given_is_not_sent() -> None:
    """A request without options has no query at all."""
    assert list_items("conv_1").target == "/conversations/conv_1/items"
    assert retrieve_conversation("conv_1").target == "/conversations/conv_1"
    assert retrieve_item("conv_1", "msg_1").target == "/conversations/conv_1/items/msg_1"
    assert retrieve_item("c", "m", include=("a.b",)).target == "/conversations/c/items/m?include%5B%5D=a.b"


def test_an_id_cannot_leave_its_path_segment() -> None:
    """Slashes, question marks and non-ASCII are quoted."""
    assert list_items("a/b?c#d é").path == "/conversations/a%2Fb%3Fc%23d%20%C3%A9/items"


@pytest.mark.parametrize("identifier", ["", ".", "..", "\ud800"])
def test_an_id_that_would_ask_for_something_else_is_refused(identifier: str) -> None:
    """An empty, dotted or malformed ID skips the conversation, and reaches no server."""
    with pytest.raises(BadRequestError):
        list_items(identifier)


def test_all_eight_include_values_are_known() -> None:
    """The API documents eight values, each once."""
    assert len(set(INCLUDE)) == len(INCLUDE) == 8


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("conv_1", True),
        ("conv_68fb96fe1a48_-Z", True),
        ("conv_" + "a" * 200, True),
        ("conv_" + "a" * 201, False),
        ("conv_", False),
        ("conv_a\n", False),
        ("conv_a b", False),
        ("conv_é", False),
        (" conv_a", False),
        ("resp_1", False),
        ("", False),
    ],
)
def test_a_conversation_id_is_conv_and_safe_characters(text: str, is_valid: bool) -> None:
    """What could break a path, a log line or a table is no conversation ID."""
    assert is_conversation_id(text) is is_valid


def test_an_items_bytes_are_kept_exactly() -> None:
    """Spaces, key order, escapes and unknown fields of an item survive as received."""
    raw = '{ "type":"new_thing", "id" : "x_1","text":"\\u00e9 é 😀", "n": 1.0e2 }'.encode()
    page = read_page(page_of(raw, first_id="x_1", has_more=True, last_id="x_1"))
    assert page == Page("list", (Item("x_1", "new_thing", None, raw),), "x_1", True, "x_1")


@pytest.mark.parametrize(
    "body",
    [
        b'{"object":"list","data":[],"first_id":"","has_more":false,"last_id":""}',
        b'{"object":"list","data":[],"first_id":null,"has_more":null,"last_id":null}',
        b'{"object":"list","data":null}',
        b'{"object":"list"}',
        b' {"object" : "list" , "data" : [ ] , "last_id" : 0} ',
    ],
)
def test_an_empty_list_may_come_in_every_form_seen(body: bytes) -> None:
    """Empty strings, nulls and absent keys all mean: no items, nothing more."""
    assert read_page(body) == Page("list", (), None, False, None)


def test_a_list_without_object_is_a_list() -> None:
    """`data` alone is enough to tell."""
    assert read_page(b'{"data":[{"id":"a"}]}').data[0].id == "a"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        b'{"data":null}',
        b'{"object":"conversation","id":"conv_1"}',
        b'{"object":"list","data":{}}',
        b'{"object":"list","data":"[]"}',
        b'{"object":"list","data":[]} trailing',
        b'{"object":"list","data":[{"id":"a"}',
        b'{"object":"list","data":[NaN]}',
        b'{"object":"list","data":[],"has_more":"true"}',
        b'{"object":"list","data":[' + b"[" * 5000 + b"]" * 4999 + b"]}",
        b'{"error":{"message":"m"}}',
    ],
)
def test_what_is_not_a_list_is_malformed(body: bytes) -> None:
    """Whatever a proxy or a broken server sends is one typed error, which is retried."""
    with pytest.raises(MalformedResponseError) as caught:
        read_page(body)
    assert caught.value.should_retry


@pytest.mark.parametrize(
    "odd",
    [
        b'{"id":"\xff"}',
        b'{"id":"a","text":"\xff, \\ud800 \\" ] }"}',
        b'{"id":"a","text":"\\ud800"}',
        b'{"id":"a","n":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"id":"a","n":' + b"9" * 5000 + b"}",
        b"[]",
        b"7",
    ],
)
def test_an_odd_item_keeps_its_bytes_and_does_not_cost_its_page(odd: bytes) -> None:
    body = b'{"object":"list","data":[{"id":"before"}, ' + odd + b' ,{"id":"after"}],"has_more":true,"last_id":"after"}'
    page = read_page(body)
    assert [item.raw for item in page.data] == [b'{"id":"before"}', odd, b'{"id":"after"}']
    assert (page.has_more, page.last_id) == (True, "after")


@pytest.mark.parametrize(
    ("raw", "heads"),
    [
        (b"7", (None, None, None)),
        (b"null", (None, None, None)),
        (b'"text"', (None, None, None)),
        (b"[1]", (None, None, None)),
        (b"{}", (None, None, None)),
        (b'{"id":"","type":"message"}', (None, "message", None)),
        (b'{"id":7,"type":"message","status":"completed"}', (None, "message", "completed")),
        (b'{"id":"a","type":null,"status":{}}', ("a", None, None)),
        (b'{"id":"\\ud800","type":"message"}', (None, "message", None)),
        (b'{"id":"a","type":"message","text":"\\udfff"}', ("a", "message", None)),
        (b'{"id":"a","\\ud800":1}', ("a", None, None)),
        (b'{"id":"a","status":1,"n":' + b"9" * 6000 + b"}", ("a", None, None)),
        (b'{"id":"a","emoji":"\\ud83d\\ude00"}', ("a", None, None)),
    ],
)
def test_one_odd_item_does_not_cost_the_page(raw: bytes, heads: tuple[str | None, str | None, str | None]) -> None:
    """It keeps its bytes and what it says properly; its neighbours are untouched."""
    good = b'{"id":"ok","type":"message","status":"completed"}'
    page = read_page(page_of(good, raw, good, has_more=True, last_id="ok"))
    neighbour = Item("ok", "message", "completed", good)
    assert page.data == (neighbour, Item(heads[0], heads[1], heads[2], raw), neighbour)
    assert (page.has_more, page.last_id) == (True, "ok")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
spaces = st.text(" \t\r\n", max_size=2)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(spaces, values, st.booleans(), spaces), max_size=4), st.booleans())
def test_every_element_is_cut_out_exactly(elements: list[tuple[str, object, bool, str]], is_odd: bool) -> None:
    """Any JSON, however spaced or escaped, comes back byte for byte, on the fast way and the slow one."""
    raws = [json.dumps(value, ensure_ascii=is_ascii) for _, value, is_ascii, _ in elements]
    spaced = [before + raw + after for (before, _, _, after), raw in zip(elements, raws, strict=True)]
    odd = '"last_id" : 7 ,' if is_odd else ""  # a number there sends the page the slow way
    body = f'{{ {odd} "x" : [ {{"data": [1]}} ] , "data" :[{",".join(spaced)}] , "has_more":true}}'
    page = read_page(body.encode())
    assert [item.raw for item in page.data] == [raw.encode() for raw in raws]
    assert page.has_more


@pytest.mark.parametrize("status", sorted(OPEN_STATUSES))
def test_an_item_in_progress_is_open(status: str) -> None:
    """Each of the documented unfinished statuses keeps the item open."""
    assert Item("a", "message", status, b"{}").is_open


@pytest.mark.parametrize("status", [None, "completed", "incomplete", "failed", "new_word"])
def test_any_other_status_is_terminal(status: str | None) -> None:
    """Null and unknown statuses never hold the cursor back."""
    assert not Item("a", "message", status, b"{}").is_open


def test_an_item_parses_to_its_dict() -> None:
    """to_dict keeps every field; an element that is no object is a typed error."""
    assert read_item(b'{"id":"a","new":[1,"\\ud800"]}').to_dict() == {"id": "a", "new": [1, "\ud800"]}
    with pytest.raises(MalformedResponseError):
        Item(None, None, None, b"7").to_dict()
    with pytest.raises(MalformedResponseError):
        read_item(b"7")


@pytest.mark.parametrize(
    ("body", "created_at", "metadata"),
    [
        (
            b'{"id":"conv_1","created_at":1761318654,"metadata":{ "a":"\\ud800" }}',
            1761318654,
            b'{ "a":"\\ud800" }',
        ),
        (b'{"id":"conv_1","created_at":1761318654.5,"metadata":null}', 1761318654, None),
        (b'{"id":"conv_1","created_at":"soon"}', None, None),
        (b'{"id":"conv_1"}', None, None),
    ],
)
def test_a_conversation_is_read(body: bytes, created_at: int | None, metadata: bytes | None) -> None:
    """Metadata is the received text; a time that is no number is unknown."""
    conversation = read_conversation(body)
    assert msgspec.structs.astuple(conversation) == ("conv_1", created_at, metadata)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id":7}', b'{"id":""}', b"\xff"])
def test_a_conversation_without_an_id_is_malformed(body: bytes) -> None:
    """It could not be stored under anything."""
    with pytest.raises(MalformedResponseError):
        read_conversation(body)


def test_no_repr_shows_what_people_wrote() -> None:
    """Items, pages and conversations name themselves, also to rich, without their content."""
    raw = json.dumps({"id": "msg_1", "content": WORDS, "metadata": {"a": WORDS}}).encode()
    things = [read_item(raw), read_page(page_of(raw)), read_conversation(raw)]
    for thing in things:
        for shown in (repr(thing), str(thing), pretty_repr(thing)):
            assert "msg_1" in shown
            assert WORDS not in shown
