"""What must hold of the tables, asked of the snapshot after a run."""

import os

import dagster as dg

from pipelines.assets import SNAPSHOT
from pipelines.ingest.reading import drift, outputs_without_call
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


@dg.asset_check(
    asset=SNAPSHOT,
    name="outputs_have_calls",
    description="Every output has its call in the same conversation: one without is in no analytics.tool_calls.",
)
def outputs_have_calls(files: Files) -> dg.AssetCheckResult:
    """Pass if no output stands without its call; otherwise say how many do, and where to look."""
    outputs, conversations = outputs_without_call(files.places().serving)
    return dg.AssetCheckResult(
        passed=not outputs,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "outputs": outputs,
            "conversations": conversations,
            "where": "analytics.conversation_summary, output_without_call_count",
        },
    )


def _severity() -> dg.AssetCheckSeverity:
    word = os.environ.get(_SEVERITY_VARIABLE, "WARN").upper()
    if word not in dg.AssetCheckSeverity.__members__:
        raise dg.Failure(f"{_SEVERITY_VARIABLE} is WARN or ERROR, not {word}", allow_retries=False)
    return dg.AssetCheckSeverity[word]
