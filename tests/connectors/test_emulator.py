"""The emulator's rules, asked in process: what is served, what is left out, what is refused, and how IDs look."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from connectors.emulator import Store, create_app, running_emulator
from connectors.emulator.identifiers import PREFIXES
from connectors.emulator.includes import INCLUDABLE, Item
from connectors.emulator.samples import sample_store
from connectors.emulator.server import serve

UUID8 = r"[0-9a-f]{12}819[0-9a-f][89ab][0-9a-f]{15}"
SENT = re.compile(rf"^[a-z]+_{UUID8}0[0-9a-f]{{15}}$")
BORN = re.compile(rf"^[a-z]+_0[0-9a-f]{{15}}00{UUID8}$")
NOON = 1_790_000_000.5
KEY = "sk-test-0123456789abcdef"
HELLO = {"type": "message", "role": "user", "content": "hello"}


@pytest.fixture
def store() -> Store:
    """An empty store whose clock stands still."""
    return Store(seed=1, now=lambda: NOON)


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    """A client of that store, with a key."""
    with TestClient(create_app(store), headers={"Authorization": f"Bearer {KEY}"}) as client:
        yield client


@pytest.fixture(scope="module")
def samples() -> Store:
    """The sample data; tests only read it."""
    return sample_store()


def path_of(conversation_id: str) -> str:
    """Where the items of a conversation are."""
    return f"/v1/conversations/{conversation_id}/items"


def filled(store: Store, count: int) -> str:
    """A conversation with that many messages."""
    conversation_id = store.create_conversation().id
    for _ in range(count):
        store.create_items(conversation_id, [HELLO])
    return conversation_id


def items_of(store: Store) -> Iterator[tuple[str, Item]]:
    """Every item in full, with the conversation that it is in."""
    for conversation_id in store.conversation_ids():
        for stored in store.retrieve_conversation(conversation_id).timeline.items.values():
            yield conversation_id, stored.item


def served(store: Store, *include: str) -> dict[str, list[bytes]]:
    """The bytes of every item of every conversation, as a reader with these includes gets them."""
    asked = frozenset(include)
    return {
        conversation_id: [
            store.render(item, asked) for item in store.retrieve_conversation(conversation_id).timeline.items.values()
        ]
        for conversation_id in store.conversation_ids()
    }


def without_secrets(served_items: list[bytes]) -> list[Item]:
    """Served items, without the two fields that differ on each read."""
    return [
        {key: value for key, value in json.loads(item).items() if key not in ("encrypted_content", "fingerprint")}
        for item in served_items
    ]


# Lists


def test_a_list_is_newest_first_and_twenty_long_unless_asked_otherwise(client: TestClient, store: Store) -> None:
    """Default order and limit are desc and 20."""
    conversation_id = filled(store, 25)
    ids = store.retrieve_conversation(conversation_id).timeline.ids
    page = client.get(path_of(conversation_id)).json()
    assert [item["id"] for item in page["data"]] == ids[:4:-1]
    assert page["has_more"] is True


def test_a_page_has_its_keys_in_the_recorded_order(client: TestClient, store: Store) -> None:
    """The envelope is object, data, first_id, has_more, last_id; an empty list has null IDs."""
    page = client.get(path_of(filled(store, 2))).json()
    assert list(page) == ["object", "data", "first_id", "has_more", "last_id"]
    assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][1]["id"])
    empty = client.get(path_of(filled(store, 0))).json()
    assert empty == {"object": "list", "data": [], "first_id": None, "has_more": False, "last_id": None}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_pages_joined_by_their_cursor_are_the_whole_list(
    client: TestClient, store: Store, order: str, limit: int
) -> None:
    """Going on after last_id until has_more is false gives each item once, in order."""
    conversation_id = filled(store, 7)
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        query = {"order": order, "limit": str(limit), **after}
        page = client.get(path_of(conversation_id), params=query).json()
        assert page["data"]
        seen += [item["id"] for item in page["data"]]
        if not page["has_more"]:
            break
        after = {"after": page["last_id"]}
    ids = store.retrieve_conversation(conversation_id).timeline.ids
    assert seen == (ids if order == "asc" else ids[::-1])


def test_after_the_last_item_there_is_an_empty_page(client: TestClient, store: Store) -> None:
    """A cursor on the newest item gives nothing, without an error."""
    conversation_id = filled(store, 2)
    last = store.retrieve_conversation(conversation_id).timeline.ids[-1]
    page = client.get(path_of(conversation_id), params={"order": "asc", "after": last}).json()
    assert (page["data"], page["has_more"]) == ([], False)


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ("limit=1000", "limit", "integer_above_max_value"),
        ("limit=0", "limit", "integer_below_min_value"),
        ("limit=-3", "limit", "integer_below_min_value"),
        ("limit=ten", "limit", "invalid_type"),
        ("limit=5&limit=6", "limit", "duplicate_parameter"),
        ("order=newest", "order", "invalid_value"),
        ("after=msg_unknown", "after", None),
        ("include=reasoning.encrypted_content", "include", "invalid_type"),
        ("include[]=reasoning", "include[0]", "invalid_value"),
    ],
)
def test_a_bad_query_is_refused(client: TestClient, store: Store, query: str, param: str, code: str | None) -> None:
    """Each is a 400 with all four keys of an error."""
    response = client.get(f"{path_of(filled(store, 1))}?{query}")
    error = response.json()["error"]
    assert response.status_code == 400
    assert list(error) == ["message", "type", "param", "code"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)


def test_the_recorded_messages_are_given_word_for_word(client: TestClient, store: Store) -> None:
    """The texts that were recorded from the API are repeated exactly."""
    path = path_of(filled(store, 1))
    assert client.get(f"{path}?limit=1000").json()["error"]["message"] == (
        "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 1000 instead."
    )
    bare = client.get(f"{path}?include=x").json()["error"]["message"]
    assert bare.startswith("Invalid type for 'include': expected an array of one of 'fil...lts', ")
    assert bare.endswith(", but got a string instead.")


# Conversations


def test_a_conversation_is_created_read_changed_and_deleted(client: TestClient) -> None:
    """Each answer has the recorded keys; metadata is replaced, not merged."""
    created = client.post("/v1/conversations", json={"metadata": {"topic": "test"}}).json()
    assert list(created) == ["id", "object", "created_at", "metadata"]
    assert (created["object"], created["created_at"]) == ("conversation", int(NOON))
    path = f"/v1/conversations/{created['id']}"
    assert client.get(path).json() == created
    assert client.post(path, json={"metadata": {"a": "b"}}).json() == {**created, "metadata": {"a": "b"}}
    gone = {"id": created["id"], "object": "conversation.deleted", "deleted": True}
    assert client.delete(path).json() == gone


def test_a_deleted_conversation_is_unknown_in_every_way(client: TestClient, store: Store) -> None:
    """Reading, listing, changing and deleting it again give the same 404."""
    conversation_id = filled(store, 1)
    path = f"/v1/conversations/{conversation_id}"
    client.delete(path)
    answers = [
        client.get(path),
        client.post(path, json={"metadata": {}}),
        client.delete(path),
        client.get(f"{path}/items"),
        client.post(f"{path}/items", json={"items": [HELLO]}),
    ]
    assert {answer.status_code for answer in answers} == {404}
    message = f"Conversation with id '{conversation_id}' not found."
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    assert [answer.json()["error"] for answer in answers] == [error] * len(answers)
    assert store.conversation_ids() == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        (b'{"metadata": {"a": 1}}', "invalid_type"),
        (b'{"metadata": []}', "invalid_type"),
        (b'{"items": {}}', "invalid_type"),
        (b'{"items": [{"content": "x"}]}', "missing_required_parameter"),
        (b'{"items": [{"role": "user"}]}', "missing_required_parameter"),
        (b'{"items": [{"type": "reasoning", "summary": []}]}', "missing_required_parameter"),
        (b'{"items": [7]}', "invalid_type"),
    ],
)
def test_a_bad_body_is_refused(client: TestClient, store: Store, body: bytes, code: str) -> None:
    """Each is a 400, and no conversation comes of it."""
    response = client.post("/v1/conversations", content=body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
    assert store.conversation_ids() == []


# Items


def test_created_items_are_returned_in_the_order_sent_and_completed(client: TestClient, store: Store) -> None:
    """A message sent as a string comes back with an ID, a status and parts, in the API's key order."""
    path = path_of(store.create_conversation().id)
    answer = client.post(path, json={"items": [HELLO, {"role": "assistant", "content": "hi"}]}).json()
    first, second = answer["data"]
    assert list(first) == ["id", "type", "status", "content", "role"]
    assert first["status"] == second["status"] == "completed"
    assert first["content"] == [{"type": "input_text", "text": "hello"}]
    assert second["content"] == [{"type": "output_text", "annotations": [], "logprobs": [], "text": "hi"}]
    assert client.get(path, params={"order": "asc"}).json()["data"] == [first, second]


def test_more_than_twenty_items_at_once_are_refused(client: TestClient, store: Store) -> None:
    """Twenty are taken; of twenty-one, none is."""
    conversation_id = store.create_conversation().id
    twenty_one = client.post(path_of(conversation_id), json={"items": [HELLO] * 21})
    assert twenty_one.status_code == 400
    assert twenty_one.json()["error"]["param"] == "items"
    assert client.post("/v1/conversations", json={"items": [HELLO] * 21}).status_code == 400
    assert store.count_items() == 0
    assert client.post(path_of(conversation_id), json={"items": [HELLO] * 20}).status_code == 200
    assert store.count_items() == 20


def test_an_item_is_read_and_deleted_singly(client: TestClient, store: Store) -> None:
    """The second time it is not found, with the recorded message."""
    conversation_id = filled(store, 3)
    first, middle, last = store.retrieve_conversation(conversation_id).timeline.ids
    path = f"{path_of(conversation_id)}/{middle}"
    assert client.get(path).json()["id"] == middle
    gone = {"id": middle, "object": "conversation.item.deleted", "deleted": True}
    assert client.delete(path).json() == gone
    for answer in (client.get(path), client.delete(path)):
        assert answer.status_code == 404
        message = f"Item with id '{middle}' not found in conversation."
        assert answer.json()["error"] == {
            "message": message,
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
    page = client.get(path_of(conversation_id), params={"order": "asc", "after": first}).json()
    assert [item["id"] for item in page["data"]] == [last]
    page = client.get(path_of(conversation_id), params={"after": last}).json()
    assert [item["id"] for item in page["data"]] == [first]


def test_a_referenced_item_keeps_its_id_in_both_conversations(client: TestClient, store: Store) -> None:
    """It is in each conversation once, outlives deletion in the first, and adding it twice is refused."""
    source, target = filled(store, 1), store.create_conversation().id
    [item_id] = store.retrieve_conversation(source).timeline.ids
    reference = {"items": [{"type": "item_reference", "id": item_id}]}
    [copied] = client.post(path_of(target), json=reference).json()["data"]
    assert copied == client.get(f"{path_of(source)}/{item_id}").json()
    again = client.post(path_of(target), json=reference)
    assert (again.status_code, again.json()["error"]["param"]) == (400, "items")
    client.delete(f"{path_of(source)}/{item_id}")
    assert client.get(f"{path_of(target)}/{item_id}").json() == copied
    assert store.count_items() == 1


def test_an_unknown_type_and_half_a_surrogate_pair_are_served_as_they_are(client: TestClient, store: Store) -> None:
    """Sample data of tests may hold what no real item held so far."""
    conversation_id = store.create_conversation().id
    item = {"id": "x_1", "type": "agent_message", "text": "half \ud83d", "more": [{"deep": None}]}
    store.put_items(conversation_id, [item])
    assert client.get(path_of(conversation_id)).json()["data"] == [item]


def test_a_reference_to_nothing_is_refused(client: TestClient, store: Store) -> None:
    """An unknown ID is a 404."""
    reference = {"items": [{"type": "item_reference", "id": "msg_unknown"}]}
    assert client.post(path_of(store.create_conversation().id), json=reference).status_code == 404


# Keys, headers, paths


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc"])
def test_without_a_key_nothing_is_told(store: Store, header: str | None) -> None:
    """Any endpoint answers 401 and how to authenticate."""
    headers = {} if header is None else {"Authorization": header}
    with TestClient(create_app(store)) as client:
        response = client.get("/v1/conversations/conv_x", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="OpenAI API"'
    assert response.json()["error"]["code"] == "invalid_api_key"


def test_a_wrong_key_is_not_repeated_whole(store: Store) -> None:
    """Only the ends of the key are in the message; the right key is let through."""
    with TestClient(create_app(store, api_key=KEY)) as client:
        wrong = client.get("/v1/conversations/conv_x", headers={"Authorization": "Bearer sk-wrong-0123456789"})
        right = client.get("/v1/conversations/conv_x", headers={"Authorization": f"Bearer {KEY}"})
    assert (wrong.status_code, right.status_code) == (401, 404)
    message = wrong.json()["error"]["message"]
    assert message.startswith("Incorrect API key provided: sk-************6789.")
    assert "wrong" not in message


def test_responses_carry_the_recorded_headers_and_no_rate_limits(client: TestClient) -> None:
    """Also errors do; every response has a request ID of its own."""
    responses = [client.post("/v1/conversations"), client.get("/v1/conversations/conv_x")]
    for response in responses:
        assert response.headers["content-type"] == "application/json"
        assert response.headers["openai-version"] == "2020-10-01"
        assert response.headers["openai-processing-ms"].isdecimal()
        assert not [name for name in response.headers if name.startswith("x-ratelimit")]
    assert len({response.headers["x-request-id"] for response in responses}) == 2


def test_unknown_paths_and_methods_are_errors_of_the_same_form(client: TestClient) -> None:
    """There is no way to list all conversations."""
    answers = [client.get("/v1/files"), client.get("/v1/conversations"), client.put("/v1/conversations/conv_x")]
    assert [answer.status_code for answer in answers] == [404, 405, 405]
    assert {tuple(answer.json()["error"]) for answer in answers} == {("message", "type", "param", "code")}


# What is left out


def test_each_include_brings_back_what_only_it_asks_for(samples: Store) -> None:
    """Without includes nothing gated is served; one of them brings back its own field and nothing else."""
    gated = {
        "file_search_call.results": b'"score":',
        "web_search_call.action.sources": b'"sources":',
        "message.input_image.image_url": b'"type":"input_image","detail":"low","file_id":null,"image_url":"data:',
        "computer_call_output.output.image_url": b'"type":"computer_screenshot","image_url":"data:',
        "code_interpreter_call.outputs": b'"type":"logs"',
        "reasoning.encrypted_content": b'"encrypted_content":"',
        "message.output_text.logprobs": b'"top_logprobs":',
    }
    types = {include: include.partition(".")[0] for include in gated}
    for asked in [None, *gated]:
        items = [item for part in served(samples, *filter(None, [asked])).values() for item in part]
        for include, marker in gated.items():
            of_type = [item for item in items if f'"type":"{types[include]}"'.encode() in item]
            # Compaction items always carry their encrypted content; they are of another type.
            assert any(marker in item for item in of_type) is (include == asked), (asked, include)


@pytest.mark.parametrize("odd", [None, True, 7, "text", {}, {"type": "output_text"}, [], ["text", None, 7, [{}]]])
def test_fields_of_another_json_type_than_expected_are_served_as_they_are(
    client: TestClient, store: Store, odd: object
) -> None:
    """What an include asks for is looked for where it may be, and nothing around it is taken for granted."""
    conversation_id = store.create_conversation().id
    types = [*(include.partition(".")[0] for include in INCLUDABLE), odd]
    items: list[Item] = [{"id": "x_no_type", "content": odd}]
    items += [
        {"id": f"x_{number}", "type": item_type, "content": odd, "action": odd, "output": odd}
        for number, item_type in enumerate(types)
    ]
    store.put_items(conversation_id, items)
    assert client.get(path_of(conversation_id), params={"order": "asc"}).json()["data"] == items


def test_what_is_left_out_leaves_the_documented_empty_value(samples: Store) -> None:
    """Results, outputs and image URLs are null, logprobs empty; sources and encrypted content are absent."""
    for _, items in served(samples).items():
        for item in map(json.loads, items):
            if item["type"] in ("file_search_call", "code_interpreter_call"):
                assert item["results" if item["type"] == "file_search_call" else "outputs"] is None
            if item["type"] == "web_search_call" and item.get("action"):
                assert "sources" not in item["action"]
            if item["type"] == "reasoning":
                assert "encrypted_content" not in item
            if item["type"] == "message":
                assert all(part.get("image_url") is None for part in item["content"] if part["type"] == "input_image")
                assert all(part["logprobs"] == [] for part in item["content"] if part["type"] == "output_text")


def test_only_secrets_differ_between_two_reads(samples: Store) -> None:
    """Encrypted content and fingerprints are new text of the same length each time, all else the same bytes."""
    first, second = served(samples, *INCLUDABLE), served(samples, *INCLUDABLE)
    changed = 0
    for conversation_id, items in first.items():
        assert without_secrets(items) == without_secrets(second[conversation_id])
        for one, other in zip(items, second[conversation_id], strict=True):
            has_secret = b'"encrypted_content":"' in one or b'"fingerprint":"' in one
            assert (one != other) is has_secret
            assert len(one) == len(other)
            stored = samples.retrieve_item(conversation_id, json.loads(one)["id"]).item
            assert len(one.decode()) == len(json.dumps(stored, separators=(",", ":"), ensure_ascii=False))
            changed += has_secret
    assert changed > 100


# Sample data


def test_all_types_occur_in_the_samples(samples: Store) -> None:
    """Each of the 29 item types is there, and nothing else."""
    assert {item["type"] for _, item in items_of(samples)} == set(PREFIXES)
    assert len(PREFIXES) == 29


def test_all_content_parts_and_citations_occur_in_the_samples(samples: Store) -> None:
    """The nine content parts of a message and the four kinds of citation."""
    parts = [part for _, item in items_of(samples) if item["type"] == "message" for part in item["content"]]
    assert {part["type"] for part in parts} == {
        "input_text", "output_text", "text", "summary_text", "reasoning_text", "refusal", "input_image",
        "computer_screenshot", "input_file",
    }  # fmt: skip
    citations = [citation for part in parts for citation in part.get("annotations", [])]
    kinds = {"url_citation", "file_citation", "container_file_citation", "file_path"}
    assert {citation["type"] for citation in citations} == kinds


def test_citations_point_at_the_words_that_they_cite(samples: Store) -> None:
    """Start and end lie within the text, in this order."""
    for _, item in items_of(samples):
        for part in item.get("content", []) if item["type"] == "message" else []:
            for citation in part.get("annotations", []):
                if "start_index" in citation:
                    assert 0 <= citation["start_index"] < citation["end_index"] <= len(part["text"])


def test_samples_show_what_real_items_show(samples: Store) -> None:
    """Errors of all four forms, outputs of both forms, denied approvals, sources without URL, missing actions."""
    items = [item for _, item in items_of(samples)]
    errors = [item["error"] for item in items if item["type"] == "mcp_call" and item["error"] is not None]
    assert {error if isinstance(error, str) else error["type"] for error in errors} >= {
        "mcp_protocol_error",
        "mcp_tool_execution_error",
        "http_error",
    }
    assert any(isinstance(error, str) for error in errors)
    assert {type(item["output"]) for item in items if item["type"] == "function_call_output"} == {str, list}
    answers = [item for item in items if item["type"] == "mcp_approval_response"]
    assert {item["approve"] for item in answers} == {True, False}
    assert any(item.get("reason") for item in answers)
    searches = [item for item in items if item["type"] == "web_search_call"]
    assert any("action" not in item for item in searches)
    actions: list[Any] = [item["action"] for item in searches if item.get("action")]
    assert any("queries" in action and "query" not in action for action in actions)
    sources = [source for action in actions for source in action.get("sources", [])]
    assert {source["type"] for source in sources} == {"url", "api"}


def test_calls_are_answered_by_outputs_behind_them(samples: Store) -> None:
    """An output's call_id is that of an earlier call in the same conversation; one output has lost its call."""
    calls: dict[str, set[str]] = {}
    lost = 0
    for conversation_id, item in items_of(samples):
        known = calls.setdefault(conversation_id, set())
        if item["type"].endswith("_output") and item.get("call_id"):
            lost += item["call_id"] not in known
        elif item.get("call_id"):
            known.add(item["call_id"])
    assert lost == 1


def test_some_conversations_are_empty_tiny_or_long_and_two_are_open(samples: Store) -> None:
    """Sizes from 0 and 1 to beyond 500; only the last items of two conversations are still open."""
    sizes = {key: len(samples.retrieve_conversation(key).timeline.ids) for key in samples.conversation_ids()}
    assert len(sizes) == 120
    assert {0, 1} <= set(sizes.values())
    assert sum(size > 250 for size in sizes.values()) >= 2
    assert max(sizes.values()) > 500
    assert 3500 <= samples.count_items() <= 5000
    open_statuses = {"in_progress", "searching", "generating", "interpreting", "calling", "queued"}
    is_open = {key: item["status"] in open_statuses for key, item in items_of(samples) if "status" in item}
    assert sum(is_open.values()) == 2


def test_ids_have_the_layout_of_where_they_were_born(samples: Store) -> None:
    """Conversations and sent items are UUID + key, others key + 00 + UUID; all share the conversation's key.

    Only outputs that a client sent under the call_id of their call have another.
    """
    copied = 0
    for conversation_id, item in items_of(samples):
        if item["type"] == "local_shell_call_output" and item["id"].startswith("call_"):
            continue
        assert SENT.match(conversation_id)
        prefix, _, digits = item["id"].partition("_")
        assert prefix == PREFIXES[item["type"]]
        sent, born = SENT.match(item["id"]), BORN.match(item["id"])
        assert bool(sent) is not bool(born)
        copied += (digits[-16:] if sent else digits[:16]) != conversation_id[-16:]
        if item["type"] in ("function_call", "reasoning", "mcp_call"):
            assert born
        if item["type"] in ("function_call_output", "mcp_approval_response") or item.get("role") == "user":
            assert sent
    assert copied == 1


def test_times_in_ids_go_up_within_seven_weeks(samples: Store) -> None:
    """Within a conversation each item is later than the one before; the copied one is older than its place."""
    first, last = 1_790_553_600, 1_794_787_200
    copied = 0
    for conversation_id in samples.conversation_ids():
        conversation = samples.retrieve_conversation(conversation_id)
        assert first <= conversation.created_at < last
        assert int(conversation_id[5:13], 16) == conversation.created_at
        times = [time_of(item_id) for item_id in conversation.timeline.ids if not item_id.startswith("call_")]
        if times and times[0] < conversation.created_at:
            copied += 1
            times = times[1:]
        assert times == sorted(times)
        assert len(set(times)) == len(times)
        assert all(conversation.created_at <= time < last for time in times)
    assert copied == 1


def time_of(item_id: str) -> float:
    """The time in an item's ID."""
    digits = item_id.partition("_")[2]
    uuid = digits[:32] if SENT.match(item_id) else digits[18:]
    return int(uuid[:12], 16) / 65536


def test_the_api_mints_ids_from_its_clock_and_the_conversations_key(store: Store) -> None:
    """An item created through the API has the layout of sent items."""
    conversation_id = filled(store, 1)
    [item_id] = store.retrieve_conversation(conversation_id).timeline.ids
    assert SENT.match(conversation_id)
    assert SENT.match(item_id)
    assert item_id[-16:] == conversation_id[-16:]
    assert time_of(item_id) == NOON


def test_the_same_seed_gives_the_same_conversations(samples: Store) -> None:
    """All served bytes are the same, secrets apart; another seed gives others."""
    again, other = sample_store(), sample_store(8)
    assert {key: without_secrets(items) for key, items in served(again).items()} == {
        key: without_secrets(items) for key, items in served(samples).items()
    }
    assert not set(other.conversation_ids()) & set(samples.conversation_ids())


@pytest.mark.parametrize(("fewer", "more"), [(0, 1), (2, 3), (3, 60)])
def test_more_only_appends_to_what_was_there(fewer: int, more: int) -> None:
    """Each item without it is there with it, in place; a larger number begins with what a smaller one adds."""
    small, large = sample_store(more=fewer), sample_store(more=more)
    assert small.conversation_ids() == large.conversation_ids()
    for conversation_id in small.conversation_ids():
        before, after = small.retrieve_conversation(conversation_id), large.retrieve_conversation(conversation_id)
        assert before.body() == after.body()
        old, new = list(before.timeline.items.values()), list(after.timeline.items.values())
        assert [item.item for item in new[: len(old)]] == [item.item for item in old]
    assert large.count_items() > small.count_items()


def test_each_of_more_is_a_later_turn_of_another_conversation(samples: Store) -> None:
    """Three more turns make three conversations longer, each by several items after the seven weeks."""
    grown = sample_store(more=3)
    added = []
    for conversation_id in samples.conversation_ids():
        old = samples.retrieve_conversation(conversation_id).timeline.ids
        new = grown.retrieve_conversation(conversation_id).timeline.ids[len(old) :]
        if new:
            added.append(len(new))
            assert time_of(new[0]) > 1_794_787_200
    assert len(added) == 3
    assert min(added) >= 2


# Running


def test_a_port_that_is_taken_is_named_in_the_error(store: Store) -> None:
    """Nothing is served then; the error tells the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}"):
            serve(store, host="127.0.0.1", port=port, api_key=None, on_started=pytest.fail)


def test_nothing_is_left_running_afterwards(store: Store) -> None:
    """The thread has ended and the port is free again."""
    before = threading.active_count()
    with running_emulator(store) as url:
        port = int(url.removesuffix("/v1").rpartition(":")[2])
        assert threading.active_count() > before
    assert threading.active_count() == before
    with socket.create_server(("127.0.0.1", port)):
        pass


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_serving_in_the_foreground_ends_quietly_on_a_signal(stop: signal.Signals) -> None:
    """The base URL is told once it answers; Ctrl-C and SIGTERM end it with code 0 and no words."""
    program = (
        "from connectors.emulator import Store\n"
        "from connectors.emulator.server import serve\n"
        "serve(Store(), host='127.0.0.1', port=0, api_key=None,"
        " on_started=lambda url: print(url, flush=True))\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*/v1\n", process.stdout.readline())
        process.send_signal(stop)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")
