"""`python -m benchmarks NAME...`: takes benchmarks by name, prints and keeps what comes of them."""

from pathlib import Path

import click

from benchmarks.report import RESULTS, to_text, write_document
from benchmarks.suite import BENCHMARKS, DEFAULT_ITEMS, Size


@click.command(epilog=f"Benchmarks: {', '.join(BENCHMARKS)}.")
@click.argument("names", nargs=-1, metavar="[NAME]... | report")
@click.option("--rounds", type=click.IntRange(1), help="How often each contender runs.  [default: depends]")
@click.option(
    "--items",
    type=click.IntRange(100),
    default=DEFAULT_ITEMS,
    show_default=True,
    help="Items of a full load; all else grows with it.",
)
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    default=RESULTS,
    show_default=True,
    help="Where results are kept.",
)
def main(names: tuple[str, ...], rounds: int | None, items: int, results: Path) -> None:
    """Take benchmarks by name, or all; `report` writes docs/benchmarks.md from the results that are kept."""
    if unknown := set(names) - {*BENCHMARKS, "report"}:
        raise click.UsageError(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    for name in names or (*BENCHMARKS, "report"):
        if name == "report":
            write_document(list(BENCHMARKS))
            continue
        result = BENCHMARKS[name](Size(items, rounds))
        result.write(results)
        click.echo(f"{to_text(result)}\n")


if __name__ == "__main__":
    main()
