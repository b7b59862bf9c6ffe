"""A coding agent in a repository: it reads, runs tests, patches files, and runs them again."""

from connectors.emulator.includes import Item
from connectors.emulator.samples.scenario import Scenario
from connectors.emulator.samples.scribe import Scribe
from connectors.emulator.samples.shapes import builtin, functions, messages, shells

MODULES = ("parser", "billing", "calendar", "search", "mailer", "export", "session", "router")
WISHES = (
    "fix the failing test in {0}",
    "add type hints to {0}",
    "make {0} faster",
    "split {0} in two modules",
)
DIFF = "@@ -1,3 +1,3 @@\n-    return total\n+    return round(total, 2)\n"


class Coding(Scenario):
    """A developer and a coding agent."""

    topic = "coding"
    team = "engineering"

    def __init__(self, scribe: Scribe) -> None:
        """Chooses the part of the code that is worked on, and the shell that the agent has."""
        super().__init__(scribe)
        self.module = scribe.pick(MODULES)
        self.has_local_shell = scribe.chance(0.3)

    def opening(self) -> None:
        """Tells the agent the rules of the repository."""
        messages.developer(self.scribe, "You work in a Python repository. Run the tests before you answer.")
        if self.scribe.chance(0.2):
            messages.developer(self.scribe, "House style: short functions.", role="system")

    def turn(self) -> None:
        """Writes one wish and how it was carried out."""
        scribe = self.scribe
        messages.user(scribe, f"Please {scribe.pick(WISHES).format(f'src/{self.module}.py')}.")
        builtin.reasoning(scribe, *scribe.pick([[], ["**Reading the code** First I look at the tests."]]))
        messages.assistant(scribe, "I will run the tests first.", phase="commentary")
        self._run_tests(failed=scribe.chance(0.7))
        for _ in range(scribe.number(1, 3)):
            self._change()
        if scribe.chance(0.3):
            self._query()
        self._run_tests(failed=False)
        if scribe.chance(0.12):
            builtin.compaction(scribe)
        text = f"Done: {self.module} is changed and {scribe.number(8, 90)} tests pass."
        messages.assistant(scribe, text, phase=scribe.pick([None, "final_answer"]))

    def _run_tests(self, *, failed: bool) -> None:
        """Runs the tests in whichever shell there is; now and then they hang."""
        scribe = self.scribe
        passed = scribe.number(8, 90)
        line = f"1 failed, {passed} passed" if failed else f"{passed} passed"
        if self.has_local_shell:
            status = scribe.rng.choices(["completed", "incomplete"], weights=[9, 1])[0]
            shells.local_shell(scribe, ["pytest", "-q", f"tests/test_{self.module}.py"], line, status=status)
            return
        command = f"pytest -q tests/test_{self.module}.py"
        hosted = scribe.chance(0.4)
        if scribe.chance(0.1):
            shells.shell(scribe, [command], [(None, "", "")], hosted=hosted)
        outcome = (1, line, "FAILED test_total") if failed else (0, line, "")
        extra = scribe.pick([[], ["git status --short"]])
        outcomes = [outcome, *((0, " M src/x.py", "") for _ in extra)]
        shells.shell(scribe, [command, *extra], outcomes, hosted=hosted)

    def _change(self) -> None:
        """Changes a file; a patch that does not apply is sent again."""
        scribe = self.scribe
        path = f"src/{self.module}.py"
        operation = scribe.rng.choices(
            [
                shells.update_file(path, DIFF),
                shells.create_file(f"tests/test_{self.module}.py", "+def test_total():\n+    assert True\n"),
                shells.delete_file(f"src/{self.module}_old.py"),
            ],
            weights=[6, 2, 1],
        )[0]
        if scribe.chance(0.15):
            shells.patch(scribe, operation, "Invalid context: the lines to replace were not found", status="failed")
            builtin.reasoning(scribe)
        shells.patch(scribe, operation, scribe.pick([None, f"Updated {operation['path']}"]))

    def _query(self) -> None:
        """Asks the development database in its own language."""
        statement = f"select count(*) from {self.module}"  # never run
        outputs: list[str | list[Item]] = [
            "42",
            [messages.input_text("42 rows"), messages.input_text("0.1 s")],
        ]
        output = self.scribe.pick(outputs)
        functions.custom_tool(self.scribe, "run_sql", statement, output, **self.scribe.pick([{}, {"async": False}]))
