"""Where the files are, by environment and option. Not here: what is in them."""

import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.ingest.errors import WarehouseError

DEFAULT_WAREHOUSE = "data/warehouse.duckdb"


@dataclass(frozen=True)
class Places:
    """The files of one warehouse."""

    warehouse: Path
    serving: Path

    @property
    def report(self) -> Path:
        """Where the report is written by itself: beside the snapshot."""
        return self.serving.with_name("report.html")

    @property
    def run_file(self) -> Path:
        """Where the run in progress (or the last one) says how it stands."""
        return self.warehouse.with_name(self.warehouse.name + ".run.json")

    @property
    def run_lock(self) -> Path:
        """The lock that a run holds as long as it goes on."""
        return self.warehouse.with_name(self.warehouse.name + ".run.lock")


def places(warehouse: str | Path | None = None, serving: str | Path | None = None) -> Places:
    """The files as given, else as CONVERSATIONS_WAREHOUSE and CONVERSATIONS_SERVING say, else the defaults.

    WarehouseError if the snapshot would take the warehouse's place.
    """
    primary = Path(warehouse or os.environ.get("CONVERSATIONS_WAREHOUSE") or DEFAULT_WAREHOUSE)
    snapshot = serving or os.environ.get("CONVERSATIONS_SERVING") or primary.with_name("serving.duckdb")
    if primary.resolve() == Path(snapshot).resolve():
        raise WarehouseError(f"{primary}: warehouse and snapshot are one file; choose another path with --serving")
    return Places(primary, Path(snapshot))
