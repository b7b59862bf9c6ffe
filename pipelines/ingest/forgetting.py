"""Erasing conversations everywhere that is ours: warehouse, payload files, snapshot, the note of the last run."""

from collections.abc import Sequence

from pipelines.ingest.membership import Forgotten
from pipelines.ingest.places import Places
from pipelines.ingest.publishing import publish
from pipelines.ingest.warehouse import Warehouse


def forget(places: Places, ids: Sequence[str]) -> Forgotten:
    """Erase conversations, for good; returns what there was. They are not taken in again by themselves.

    Killed in the middle, the rest is done when the warehouse is next opened, and by the next sync. A reader that holds
    the old snapshot open keeps it until it closes it. WarehouseError if there is no warehouse.
    """
    with Warehouse.open(places.warehouse, create=False) as warehouse:
        forgotten = warehouse.forget(ids)
        if places.run_file.exists() and any(name in places.run_file.read_text(encoding="utf-8") for name in ids):
            places.run_file.unlink()
        publish(warehouse, places.serving)
    return forgotten
