"""What a run did, in numbers: the row of `ops.runs`, and the file in which the run in progress says how it stands."""

import json
import os
from dataclasses import asdict, astuple, dataclass, fields
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from models import ops
from pipelines.ingest.clock import utc_now

RUNNING, DONE, PARTIAL, STOPPED = "running", "done", "partial", "stopped"
ACTIVE, ALL, DUE, CHOSEN, RECONCILE = "active", "all", "due", "chosen", "reconcile"
"""What a run asks: `ops.runs.scope`."""


@dataclass
class RunReport:
    """One run; the fields are the columns of `ops.runs`, in order."""

    run_id: str
    started_at: datetime
    finished_at: datetime | None = None
    status: str = RUNNING
    error: str | None = None
    conversations_asked: int = 0
    conversations_grown: int = 0
    conversations_failed: int = 0
    items_new: int = 0
    items_changed: int = 0
    items_deleted: int = 0
    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    received_bytes: int = 0
    scope: str = ACTIVE
    conversations_verified: int = 0
    reconcile_requests: int = 0
    publish_ms: int | None = None

    @classmethod
    def begin(cls, scope: str) -> "RunReport":
        """A run that begins now."""
        return cls(uuid4().hex, utc_now(), scope=scope)

    def end(self, error: str | None = None) -> None:
        """Note how the run ended: stopped by an error, with some conversations failed, or with all done."""
        self.finished_at = utc_now()
        self.error = error
        self.status = STOPPED if error else PARTIAL if self.conversations_failed else DONE

    @property
    def seconds(self) -> float:
        """How long the run took, the snapshot not counted; 0 while it goes on."""
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else 0.0

    def __str__(self) -> str:
        """What was asked, and what was found, in a sentence."""
        whole = f", {self.conversations_verified} of them whole" if self.reconcile_requests else ""
        changes = [
            f"{self.items_new:,} new items in {self.conversations_grown:,} conversations" if self.items_new else "",
            f"{self.items_changed:,} changed" if self.items_changed else "",
            f"{self.items_deleted:,} no longer listed" if self.items_deleted else "",
        ]
        found = ", ".join(change for change in changes if change) or "no new items"
        return f"Asked {self.conversations_asked:,} conversations{whole}, with {self.requests:,} requests: {found}."

    def values(self) -> list[object]:
        """The row of `ops.runs`."""
        return list(astuple(self))

    def to_dict(self) -> dict[str, object]:
        """The run as plain JSON values."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def write_run_file(path: Path, report: RunReport) -> None:
    """Say how the run stands, so that `status` can tell without touching the warehouse."""
    temporary = path.with_name(path.name + ".new")
    try:
        temporary.write_text(json.dumps({"pid": os.getpid(), **report.to_dict()}), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def read_run_file(path: Path) -> dict[str, object] | None:
    """What the run in progress, or the last one, said; None if there was none."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def _plain(value: object) -> object:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value


assert tuple(field.name for field in fields(RunReport)) == ops.RUNS.column_names  # noqa: S101 (declared twice, on purpose typed)
