"""What must hold of the tables, asked of the snapshot after a run."""

import os

import dagster as dg

from pipelines.assets import SNAPSHOT
from pipelines.ingest.reading import drift
from pipelines.resources import Files

_SEVERITY_VARIABLE = "CONVERSATIONS_DRIFT_SEVERITY"
_SHOWN = 20


@dg.asset_check(
    asset=SNAPSHOT,
    name="as_declared",
    description=f"Items are as declared: no new types, fields, values. {_SEVERITY_VARIABLE}: WARN (default) or ERROR.",
)
def as_declared(files: Files) -> dg.AssetCheckResult:
    """Pass if no item differs from its declaration; otherwise say where, and in how many items."""
    found = drift(files.places().serving)
    lines = [
        f"| {one['type']} | {one['path']} | {one['kind']} | {one['seen']} | {one['occurrences']} |" for one in found
    ]
    table = "\n".join(("| type | path | kind | seen | items |", "|---|---|---|---|---|", *lines[:_SHOWN]))
    return dg.AssetCheckResult(
        passed=not found,
        severity=_severity(),
        metadata={"differences": len(found), "where": dg.MetadataValue.md(table)},
    )


def _severity() -> dg.AssetCheckSeverity:
    word = os.environ.get(_SEVERITY_VARIABLE, "WARN").upper()
    if word not in dg.AssetCheckSeverity.__members__:
        raise dg.Failure(f"{_SEVERITY_VARIABLE} is WARN or ERROR, not {word}", allow_retries=False)
    return dg.AssetCheckSeverity[word]
