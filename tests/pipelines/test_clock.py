"""When a conversation is asked again."""

from datetime import datetime, timedelta

import pytest

from pipelines.ingest.clock import inactive_poll_at, next_poll_at

NOW = datetime(2026, 11, 1, 12)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("since_growth", "wait"),
    [
        (timedelta(0), 15 * MINUTE),
        (HOUR, 15 * MINUTE),
        (DAY, 15 * MINUTE),
        (25 * HOUR, 2.5 * HOUR),
        (5 * DAY, 12 * HOUR),
        (10 * DAY, DAY),
        (900 * DAY, DAY),
    ],
)
def test_the_wait_follows_the_time_since_growth(since_growth: timedelta, wait: timedelta) -> None:
    """Every 15 minutes for a day, then after a tenth of the time, at most a day; a tenth less at most by the ID."""
    waits = {next_poll_at(f"conv_{n}", NOW, NOW - since_growth) - NOW for n in range(200)}
    assert len(waits) == 200
    assert 0.9 * wait < min(waits) < 0.91 * wait
    assert 0.99 * wait < max(waits) <= wait


def test_one_that_is_not_there_is_asked_weekly() -> None:
    """A conversation that is unknown or forbidden."""
    assert 6.3 * DAY < inactive_poll_at("conv_1", NOW) - NOW <= 7 * DAY
