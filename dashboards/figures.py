"""The words in which the report is declared: data sets, figures, sections. Not here: what any of them asks.

A data set is a query whose measures add up, for each day and tool where it has such columns. So the page can sum them
over any range of days and any tool, and make shares and percentiles from the sums: the same figures that SQL gives,
without SQL in the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PER_DECADE = 20
"""Buckets of a data set's values, for each factor of ten."""


@dataclass(frozen=True)
class Data:
    """A query on the snapshot, and which of its columns tell rows apart; all the others are measures.

    Measures add up; of those that are text the greatest stands for all. The keys `day` and `tool` are what the page
    filters by. Where `value` names a column, the query gives single values (milliseconds) instead of sums: the page
    gets how many there are in each bucket, and makes percentiles of that.
    """

    name: str
    sql: str
    keys: tuple[str, ...] = ()
    value: str = ""
    is_example: bool = False
    """Whether it holds words of conversations: it is left out unless they are asked for."""


@dataclass(frozen=True)
class Column:
    """A column of a table: what it shows, and how."""

    name: str
    label: str
    form: str = "number"
    """number, share (of `Figure.rates`, with its bounds), part (the same without), ms, bytes, text, id, path (of
    tools), state, bar (a number, and its length), line (a number's, or a share's, way over time)."""


def parts(words: Mapping[str, tuple[str, str]]) -> tuple[Column, ...]:
    """The columns of what a chart shows in parts: measure, and its word and colour."""
    return tuple(Column(measure, word.capitalize()) for measure, (word, _) in words.items())


@dataclass(frozen=True)
class Figure:
    """One question and its answer: a chart with its table behind it, or a table alone."""

    id: str
    title: str
    question: str
    data: Data
    columns: tuple[Column, ...]
    """What its table shows. The keys among them are what it is grouped by; `period` is the day, or its week."""
    note: str
    """Denominator and coverage, of what is shown: {measure} is its sum, {measure/measure} a share, {measure:measure}
    the same as a number."""
    empty: str
    """What is said if there is nothing at all."""
    spec: Mapping[str, Any] | None = None
    """The chart, in Vega-Lite; its data has the name `rows`. None for a table alone."""
    rates: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Shares: name, numerator, denominator. The page adds `<name>_low` and `<name>_high`, Wilson's bounds."""
    quantiles: Mapping[str, float] = field(default_factory=dict)
    """Percentiles of the data set's values, by name."""
    order: str = ""
    """A column to sort by, with a minus for descending; the keys decide between equals."""
    limit: int = 0
    """How many rows are shown, at most; 0: all."""
    least: tuple[str, int] | None = None
    """Rows in which this measure is less are not ranked: they are left out, and counted."""
    is_wide: bool = False
    """Whether it takes the page's whole width."""


@dataclass(frozen=True)
class Section:
    """Figures that belong together."""

    id: str
    title: str
    lead: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Tile:
    """One number above all charts, with its way over time."""

    label: str
    data: Data
    figure: str
    """A measure, or the name of `rate` or `quantile`."""
    note: str
    form: str = "number"
    rate: tuple[str, str] | None = None
    quantile: float | None = None
    is_better: str = ""
    """up or down, where a change is good or bad; empty where it is neither."""
