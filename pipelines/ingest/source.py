"""The source that CONVERSATIONS_SOURCE names: what it says, what of that is new, and taking it in.

Not here: how files and queries are read (`registry`), and the registry's rows (`membership`).
"""

import os
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from hashlib import sha256
from operator import add
from pathlib import Path

from pipelines.ingest import membership
from pipelines.ingest.membership import Registered
from pipelines.ingest.places import Places
from pipelines.ingest.reading import open_snapshot
from pipelines.ingest.registry import Candidates, from_setting
from pipelines.ingest.warehouse import Warehouse

VARIABLE = "CONVERSATIONS_SOURCE"


@dataclass(frozen=True)
class TakenIn:
    """What became of the source's IDs, and how many conversations are registered now."""

    registered: Registered
    malformed: int
    conversations: int


@dataclass(frozen=True)
class News:
    """What the source has that the snapshot has not: new IDs, and when a known one was last touched (UTC)."""

    new: tuple[str, ...]
    touched_at: datetime | None

    @property
    def digest(self) -> str:
        """The new IDs in a few characters."""
        return sha256("\n".join(sorted(self.new)).encode()).hexdigest()[:16]


def is_named() -> bool:
    """Whether there is a source at all."""
    return bool(os.environ.get(VARIABLE))


def named() -> tuple[Candidates, ...]:
    """What the source says now; nothing if none is named. SourceError if it cannot be read."""
    setting = os.environ.get(VARIABLE, "")
    return from_setting(setting) if setting else ()


def take_in(places: Places) -> TakenIn:
    """Register what the source names; without one the registry stays as it is."""
    found = named()
    with Warehouse.open(places.warehouse) as warehouse:
        registered = reduce(add, (warehouse.register(one) for one in found), Registered())
        return TakenIn(registered, sum(len(one.malformed) for one in found), warehouse.count_conversations())


def news(serving: Path) -> News:
    """What the source has that the snapshot has not; all of it, if there is no snapshot yet.

    SourceError if the source cannot be read, WarehouseError if the snapshot cannot.
    """
    found = named()
    ids = tuple(dict.fromkeys(name for one in found for name in one.ids))
    times = [time for one in found for time in one.touched_at.values()]
    if serving.exists() and ids:
        with open_snapshot(serving) as con:
            ids = tuple(membership.unknown(con, ids))
    return News(ids, max(times, default=None))
