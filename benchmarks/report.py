"""How results look: on a terminal, and as docs/benchmarks.md, written anew from the kept results."""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Result

RESULTS = Path("benchmarks/results")
DOCUMENT = Path("docs/benchmarks.md")
_INTRODUCTION = """# Benchmarks

Written by `python -m benchmarks report` from `benchmarks/results/`; do not edit.

```sh
make benchmark                          # all of them: hours, and 60 GB of disk under .cache/benchmarks
make benchmark BENCHMARKS=full_load     # one
make benchmark BENCHMARKS="full_load --items 20000 --rounds 1 --results /tmp/results"   # a small one, kept elsewhere
```

A local server answers from memory, in a process of its own that takes next to no CPU time, so that what is measured is
the client. The data is invented, the same on every machine: all item types in the proportions of agents'
conversations, about 1.3 kB an item. Every contender is a whole process, started cold, until it has ended; what it left
is counted and has to be complete. Contenders take turns in rounds, each round beginning with another one. Figures are
medians; `times` is the median over the rounds of each one's seconds divided by the first one's. Peak memory is that of
the process and its children. MB are 1,000,000 bytes. Peers run in an environment of their own (the dependency group
`benchmark`), with the same versions of DuckDB and httpx as ours.
"""


def to_text(result: Result) -> str:
    """The table, aligned."""
    rows = result.table()
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join((f"{result.name}: {result.about}", *lines))


def write_document(order: Sequence[str]) -> None:
    """Write the page from the results that are there, in this order."""
    results = [Result.read(path) for name in order if (path := RESULTS / f"{name}.json").exists()]
    DOCUMENT.write_text("\n".join((_INTRODUCTION, *(_section(result) for result in results))), encoding="utf-8")


def _section(result: Result) -> str:
    head, *rows = result.table()
    ruler = ["---", *("---:" for _ in head[1:])]
    table = "\n".join(f"| {' | '.join(row)} |" for row in (head, ruler, *rows))
    doing = "\n".join(f"* **{one.name}**: {one.does}." for one in result.contenders if one.does)
    taken = result.taken
    versions = ", ".join(f"{name} {version}" for name, version in dict(taken["versions"]).items())  # type: ignore[call-overload]
    rounds = len(result.contenders[0].rounds)
    told = f"{rounds} rounds. " if rounds > 1 else ""
    on = f"{told}{taken['at']}, commit {taken['commit']}; {taken['machine']}; Python {taken['python']}, {versions}."
    facts = "; ".join(f"{name}: {_said(value)}" for name, value in result.facts.items())
    return "\n\n".join(part for part in (f"## {result.name}", result.about, table, doing, facts, on) if part) + "\n"


def _said(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else f"`{json.dumps(value)}`"
