"""What IDs tell, and when they tell nothing."""

from datetime import datetime, timedelta

import pytest

from models.ids import birth_key, item_time

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
