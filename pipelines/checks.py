"""The checks of `ingest.checking` as asset checks of the snapshot. Not here: what they look at."""

import os
from collections.abc import Iterator

import dagster as dg

from pipelines.assets import SNAPSHOT, told
from pipelines.ingest.checking import CHECKS, Check, Finding
from pipelines.resources import Files

_SEVERITY_VARIABLE = "CONVERSATIONS_DRIFT_SEVERITY"
_DRIFT = "as_declared"
_SHOWN = 20


def _spec(check: Check) -> dg.AssetCheckSpec:
    doc = f"{check.doc} If not: {check.remedy}."
    if check.name == _DRIFT:
        doc += f" {_SEVERITY_VARIABLE}: WARN (default), or ERROR, which fails the run."
    return dg.AssetCheckSpec(check.name, asset=SNAPSHOT, description=doc)


# In one step: a step of its own for each would cost more than what it looks at.
@dg.multi_asset_check(name="checks", specs=[_spec(check) for check in CHECKS], can_subset=True)
def checks(context: dg.AssetCheckExecutionContext, files: Files) -> Iterator[dg.AssetCheckResult]:
    """Look, and say what is wrong, how much and where; an error fails the run, and with that comes the alert."""
    broken = []
    for check in CHECKS:
        if dg.AssetCheckKey(SNAPSHOT, check.name) not in context.selected_asset_check_keys:
            continue
        with told():
            found, severity = check.look(files.places()), _severity(check)
        remedy = f"{check.remedy[:1].upper()}{check.remedy[1:]}."
        if found.wrong and severity is dg.AssetCheckSeverity.ERROR:
            broken.append(f"{check.name} found {found.wrong}. {remedy}")
        yield dg.AssetCheckResult(
            asset_key=SNAPSHOT,
            check_name=check.name,
            passed=not found.wrong,
            severity=severity,
            description=remedy if found.wrong else None,
            metadata={**found.figures, **_where(found)},
        )
    if broken:
        raise dg.Failure("\n".join(broken), allow_retries=False)


def _where(found: Finding) -> dict[str, dg.MarkdownMetadataValue]:
    if not found.where:
        return {}
    rows = [found.heading, ["---"] * len(found.heading), *found.where[:_SHOWN]]
    lines = (f"| {' | '.join(str(value) for value in row)} |" for row in rows)
    return {"where": dg.MetadataValue.md("\n".join(lines))}


def _severity(check: Check) -> dg.AssetCheckSeverity:
    if check.is_promise:
        return dg.AssetCheckSeverity.ERROR
    word = os.environ.get(_SEVERITY_VARIABLE, "WARN").upper() if check.name == _DRIFT else "WARN"
    if word not in dg.AssetCheckSeverity.__members__:
        raise dg.Failure(f"{_SEVERITY_VARIABLE} is WARN or ERROR, not {word}", allow_retries=False)
    return dg.AssetCheckSeverity[word]
