"""An operations bot: alerts come in as JSON, runbooks and dashboards are consulted, services restarted."""

from connectors.emulator.samples.scenario import Scenario
from connectors.emulator.samples.scribe import to_json
from connectors.emulator.samples.shapes import builtin, functions, mcp, messages, shells

SERVICES = ("checkout", "search", "images", "login", "reports")
ALERTS = ("high latency", "disk almost full", "error rate above 2 %", "certificate expires soon")


class Operations(Scenario):
    """A monitoring system and a bot on call."""

    topic = "operations"
    team = "platform"

    def opening(self) -> None:
        """Tells the bot its duty."""
        messages.developer(self.scribe, "You are on call. Look before you act; never restart twice in an hour.")

    def turn(self) -> None:
        """Writes one alert and what the bot did about it."""
        scribe, service, alert = self.scribe, self.scribe.pick(SERVICES), self.scribe.pick(ALERTS)
        messages.user(scribe, to_json({"service": service, "alert": alert, "severity": scribe.number(1, 4)}))
        functions.parallel(
            scribe,
            [
                ("get_metrics", {"service": service, "minutes": 15}, {"p95_ms": scribe.number(80, 4000)}),
                ("get_deploys", {"service": service}, []),
                ("get_log_tail", {"service": service, "lines": 3}, "ok\nok\nWARN slow query"),
            ],
        )
        if scribe.chance(0.35):
            self._read_runbook(alert)
        if scribe.chance(0.5):
            self._restart(service)
        if scribe.chance(0.3):
            self._open_ticket(service, alert)
        result = scribe.pick(["it has settled", "a restart helped", "a ticket is open"])
        messages.assistant(scribe, f"{service}: I looked at {alert}; {result}.")

    def _read_runbook(self, alert: str) -> None:
        """Looks the alert up in the runbooks."""
        builtin.file_search(self.scribe, [alert], ["runbook.md"], f"On {alert}: look at the last deploy first.")

    def _restart(self, service: str) -> None:
        """Restarts a service, at times against a permission that is not there."""
        scribe, command = self.scribe, f"systemctl restart {service}"
        if scribe.chance(0.25):
            shells.shell(scribe, [command], [(126, "", "permission denied")], hosted=False)
            command = f"sudo {command}"
        shells.shell(scribe, [command], [(0, "", "")], hosted=False)

    def _open_ticket(self, service: str, alert: str) -> None:
        """Opens a ticket, a call that may have to be repeated."""
        scribe, arguments = self.scribe, {"title": f"{service}: {alert}", "priority": "medium"}
        if scribe.chance(0.3):
            error = mcp.some_error(scribe, "upstream timed out")
            mcp.call_failed(scribe, "tickets", "create_ticket", arguments, error)
        mcp.call(scribe, "tickets", "create_ticket", arguments, f"OPS-{scribe.number(100, 999)}")
