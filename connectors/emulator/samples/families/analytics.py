"""A data analyst's assistant: questions in words, queries, Python in a container, charts and files back."""

from connectors.emulator.samples.scenario import Scenario
from connectors.emulator.samples.shapes import builtin, functions, messages

TABLES = ("orders", "signups", "page_views", "refunds", "tickets")
CHARTS = ("trend.png", "by_region.png", "cohorts.csv")


class Analytics(Scenario):
    """An analyst and an assistant with a database and a Python container."""

    topic = "analytics"
    team = "data"

    def turn(self) -> None:
        """Writes one question, the query, the computation and the answer."""
        scribe, table = self.scribe, self.scribe.pick(TABLES)
        question = f"How did {table} develop over the last {scribe.number(4, 26)} weeks?"
        messages.user(scribe, question, *scribe.pick([[], [], [messages.input_file(scribe, f"{table}.csv")]]))
        builtin.reasoning(scribe, *scribe.pick([[], [f"**Finding the table** {table} has one row per event."]]))
        self._query(table)
        if scribe.chance(0.75):
            self._compute(table)
        else:
            messages.assistant(scribe, f"{table} grew by {scribe.number(1, 30)} % in that time.")

    def _query(self, table: str) -> None:
        """Queries the database, sometimes first with a mistake in the query."""
        scribe = self.scribe
        wrong = {"sql": f"select week, coun(*) from {table} group by week"}  # never run
        right = {"sql": f"select week, count(*) from {table} group by week"}  # never run
        if scribe.chance(0.2):
            functions.function(scribe, "query", wrong, "Error: no function named coun", caller={"type": "direct"})
        rows = [{"week": f"2026-W{week}", "count": scribe.number(50, 900)} for week in range(36, 41)]
        functions.function(scribe, "query", right, {"rows": rows})

    def _compute(self, table: str) -> None:
        """Computes in a container; code that fails is corrected and run again."""
        scribe, chart = self.scribe, self.scribe.pick(CHARTS)
        source = f"import polars as pl\ndf = pl.read_csv('{table}.csv')\nprint(df.describe())"
        if scribe.chance(0.2):
            status = scribe.pick(["failed", "incomplete", "completed"])
            builtin.code(scribe, source, "FileNotFoundError: no such file", status=status)
        logs = scribe.pick([f"shape: (9, 3)\nmean {scribe.number(50, 900)}", "", None])
        container_id = builtin.code(scribe, source, logs, plot=chart.endswith("png"))
        text = f"{table} grew by {scribe.number(1, 30)} %. I saved {chart} for you."
        citation = messages.container_citation(scribe, text, chart, container_id)
        if scribe.chance(0.25):
            citation = messages.file_path(scribe, text)
        messages.assistant(scribe, text, citation)
