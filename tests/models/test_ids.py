"""What IDs tell, and when they tell nothing; in Python and, by the same rule, in SQL."""

import gzip
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ids import MACROS, birth_key, item_time

CORPUS = Path(os.environ.get("CONVERSATIONS_CORPUS", Path(__file__).parents[3] / "shared/corpus/items.jsonl.gz"))
MACRO_READER = duckdb.connect()
for macro in MACROS:
    for statement in macro.statements():
        MACRO_READER.execute(statement)
LATER = datetime(2026, 11, 1)
UUID = "67ccd3a9da748190baa7f1570fe91ac6"
KEY = "04becb25c45c1d41"


def test_layout_a_tells_time_and_birth_conversation() -> None:
    assert item_time(f"resp_{UUID}{KEY}", LATER) == datetime(2025, 3, 8, 23, 32, 57, 853332)
    assert birth_key(f"resp_{UUID}{KEY}") == KEY


@pytest.mark.parametrize("flag", ["00", "01"])
def test_layout_b_tells_the_same(flag: str) -> None:
    assert item_time(f"msg_{KEY}{flag}{UUID}", LATER) == item_time(f"msg_{UUID}{KEY}", LATER)
    assert birth_key(f"msg_{KEY}{flag}{UUID}") == KEY


@pytest.mark.parametrize(
    "odd",
    [
        "msg_abc",
        "conv_123",
        f"msg_{UUID}{KEY}0",
        f"msg_{KEY}02{UUID}",
        f"msg_{UUID[:16]}7{UUID[17:]}{KEY}",
        f"msg_{UUID[:12]}4{UUID[13:]}{KEY}",
        f"msg_{UUID}1{KEY[1:]}",
        f"MSG_{UUID}{KEY}",
        f"{UUID}{KEY}",
        "",
    ],
)
def test_an_id_of_another_make_tells_nothing(odd: str) -> None:
    assert item_time(odd, LATER) is None
    assert birth_key(odd) is None


def test_a_time_outside_the_possible_is_a_chance_hit() -> None:
    begun = datetime(2025, 3, 8, 23, 32, 57, 853332)
    an_id = f"resp_{UUID}{KEY}"
    assert item_time(an_id, begun - timedelta(seconds=299)) == begun
    assert item_time(an_id, begun - timedelta(seconds=302)) is None
    before_2025 = f"msg_6774857f{UUID[8:]}{KEY}"
    assert item_time(before_2025, LATER) is None


def test_a_copied_item_keeps_the_key_of_the_conversation_it_was_born_in() -> None:
    """The conversation's key is the item's: in layout B for what the API made, in layout A for what a client sent."""
    conversation = "conv_68fb96fe1a4881908a1b2c3d4e5f607104cbf45151194822"
    made = "msg_04cbf451511948220068fb976a9fc481908a1b2c3d4e5f6071"
    sent = "msg_68fb9abf14a081908a1b2c3d4e5f607104cbf45151194822"
    assert birth_key(made) == birth_key(sent) == birth_key(conversation) == "04cbf45151194822"
    assert item_time(conversation, LATER) == datetime(2025, 10, 24, 15, 10, 54, 102661)


@given(st.sampled_from(["A", "B", "odd"]), st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1), st.text(max_size=3))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_sql_and_python_read_the_same(layout: str, seconds: int, fraction: int, tail: str) -> None:
    uuid = f"{seconds:08x}{fraction:04x}8190ba7f1570fe91ac6a"
    one = {"A": f"msg_{uuid}{KEY}", "B": f"msg_{KEY}00{uuid}", "odd": f"msg_{uuid}{KEY}{tail}"}[layout]
    read = "select id_time($id, $at), id_birth_key($id)"
    assert MACRO_READER.execute(read, {"id": one, "at": LATER}).fetchall() == [(item_time(one, LATER), birth_key(one))]


def test_without_a_time_of_receipt_the_macro_takes_the_present() -> None:
    ((told,),) = MACRO_READER.execute("select id_time(?)", [f"resp_{UUID}{KEY}"]).fetchall()
    assert told == datetime(2025, 3, 8, 23, 32, 57, 853332)


def test_ids_of_real_recordings_are_read_without_a_contradiction() -> None:
    """Items of one conversation or response share a key, and all times lie in the years of the API."""
    if not CORPUS.is_file():
        pytest.skip(f"no recordings of the real API at {CORPUS}; CONVERSATIONS_CORPUS names another place")
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        ids = {str(json.loads(line)["item"].get("id")) for line in lines}
    times = [time for one in ids if (time := item_time(one, LATER + timedelta(days=60)))]
    assert len(times) > 500
    assert min(times) > datetime(2025, 1, 1)
    assert all((birth_key(one) is None) or birth_key(one)[0] == "0" for one in ids)  # type: ignore[index]  # see left
