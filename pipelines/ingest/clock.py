"""The time as the warehouse keeps it, and when a conversation is asked again."""

from datetime import UTC, datetime, timedelta
from zlib import crc32

SHORTEST_POLL = timedelta(minutes=15)
LONGEST_POLL = timedelta(hours=24)
ACTIVE_FOR = timedelta(days=1)
INACTIVE_POLL = timedelta(days=7)
_JITTER = 0.1


def utc_now() -> datetime:
    """Now, in UTC, without a zone: the form of every timestamp in the warehouse."""
    return datetime.now(UTC).replace(tzinfo=None)


def utc(seconds: float) -> datetime:
    """Unix seconds as a timestamp of the warehouse."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def next_poll_at(conversation_id: str, now: datetime, grown_at: datetime) -> datetime:
    """When a conversation is due again: 15 minutes later for a day after it grew, then a tenth of the time since.

    At most 24 hours. A hash of the ID shortens the wait by up to 10 %, so that conversations registered together drift
    apart.
    """
    since = now - grown_at
    wait = SHORTEST_POLL if since <= ACTIVE_FOR else min(since / 10, LONGEST_POLL)
    return now + _jittered(conversation_id, wait)


def inactive_poll_at(conversation_id: str, now: datetime) -> datetime:
    """When a missing or forbidden conversation is due again: after a week, less as much by a hash of its ID."""
    return now + _jittered(conversation_id, INACTIVE_POLL)


def _jittered(conversation_id: str, wait: timedelta) -> timedelta:
    return wait * (1 - _JITTER * crc32(conversation_id.encode()) / 2**32)
