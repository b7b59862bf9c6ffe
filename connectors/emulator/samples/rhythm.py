"""When conversations begin: seven weeks with a daily rhythm. Knows nothing of what is said."""

import random
from datetime import UTC, datetime, timedelta
from typing import Final

FIRST_DAY: Final = datetime(2026, 9, 28, tzinfo=UTC)
DAYS: Final = 49
# A weekend day sees about a quarter of the conversations of a weekday; Monday comes first.
_DAY_WEIGHTS: Final = (10, 11, 11, 10, 8, 3, 2)
# From midnight on: quiet nights, busy mornings, a dip at noon, a long afternoon.
_HOUR_WEIGHTS: Final = (1, 1, 1, 1, 1, 2, 4, 8, 12, 14, 14, 12, 8, 11, 13, 12, 10, 8, 5, 4, 3, 3, 2, 1)
_ROOM_AT_THE_END: Final = timedelta(hours=14)


def some_start(rng: random.Random) -> float:
    """A moment at which a conversation begins, early enough to be over when the seven weeks are."""
    days = range(DAYS)
    day = rng.choices(days, weights=[_DAY_WEIGHTS[day % 7] for day in days])[0]
    hour = rng.choices(range(24), weights=_HOUR_WEIGHTS)[0]
    start = FIRST_DAY + timedelta(days=day, hours=hour, seconds=rng.uniform(0, 3600))
    return min(start, last_moment() - _ROOM_AT_THE_END).timestamp()


def last_moment() -> datetime:
    """The end of the seven weeks."""
    return FIRST_DAY + timedelta(days=DAYS)
