"""What an item's ID tells: when the item was begun, and in which conversation it was born.

IDs of api.openai.com carry a UUIDv8 (32 hex digits, time first) and a key (16 hex digits, the first always 0):
layout A is UUID + key; layout B is key + flag byte 00 or 01 + UUID. The layouts are observed, not documented (4,034
public IDs, none that contradicts), so all that is read here may be None, and nothing but measuring rests on it:
the order of items is their position in the list.
"""

import re
from datetime import UTC, datetime, timedelta

from models.table import Macro, literal

_UUID = "([0-9a-f]{8})([0-9a-f]{4})8[0-9a-f]{3}[89ab][0-9a-f]{15}"
_KEY = "(0[0-9a-f]{15})"
_LAYOUT_A = re.compile(f"[a-z]+_{_UUID}{_KEY}")
_LAYOUT_B = re.compile(f"[a-z]+_{_KEY}0[01]{_UUID}")
_DIGITS_A = 48
_EARLIEST = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
_CLOCK_SKEW_SECONDS = 300
_EPOCH = datetime(1970, 1, 1)


def item_time(item_id: str, fetched_at: datetime) -> datetime | None:
    """When the item was begun: UTC, without a zone; None if the ID tells no time.

    It is the time at which the item was started, not when it became visible, and a copied item keeps it.
    A time before 2025 or more than 300 s after `fetched_at` (UTC, without a zone) is a chance hit, hence None.
    """
    found = _digits(item_id)
    if found is None:
        return None
    seconds = int(found[0], 16)
    if not _EARLIEST <= seconds <= (fetched_at - _EPOCH).total_seconds() + _CLOCK_SKEW_SECONDS:
        return None
    return _EPOCH + timedelta(seconds=seconds, microseconds=int(found[1], 16) * 15625 // 1024)  # a fraction of 65536


def birth_key(any_id: str) -> str | None:
    """The 16 digits that an item shares with the conversation it was born in; None if the ID has none."""
    found = _digits(any_id)
    return found and found[2]


def _digits(any_id: str) -> tuple[str, str, str] | None:
    """Seconds, fraction and key of an ID as hex digits."""
    is_layout_b = len(any_id) - any_id.find("_") > _DIGITS_A + 1
    if is_layout_b and (match := _LAYOUT_B.fullmatch(any_id)):
        return match[2], match[3], match[1]
    if not is_layout_b and (match := _LAYOUT_A.fullmatch(any_id)):
        return match[1], match[2], match[3]
    return None


def _parts(group_a: int, group_b: int) -> str:
    """SQL for one part of an ID: hex digits of the group in layout A or else in layout B, NULL if it has neither."""
    layouts = ((_LAYOUT_A, group_a), (_LAYOUT_B, group_b))
    found = (f"nullif(regexp_extract(id, {literal(f'^{one.pattern}$')}, {group}), '')" for one, group in layouts)
    return f"coalesce({', '.join(found)})"


_SECONDS = f"('0x' || {_parts(1, 2)})::bigint"
MACROS = (
    Macro(
        "id_time",
        ("id", "fetched_at := make_timestamp(epoch_us(now()))"),
        f"case when {_SECONDS} between {_EARLIEST} and epoch(fetched_at) + {_CLOCK_SKEW_SECONDS} then "
        f"make_timestamp({_SECONDS} * 1000000 + ('0x' || {_parts(2, 3)})::bigint * 15625 // 1024) end",
        "When the item or conversation with this ID was begun, UTC; NULL if the ID tells no time.",
    ),
    Macro(
        "id_birth_key",
        ("id",),
        _parts(3, 1),
        "The 16 digits that an item's ID shares with the ID of the conversation it was born in; NULL if it has none.",
    ),
)
"""The same rules for analysts, as SQL."""
