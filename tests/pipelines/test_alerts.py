"""Who is told of a failure, and what: our own words, never a key, never a text."""

import http.server
import json
import os
import socketserver
import threading
from collections.abc import Callable, Iterator

import dagster as dg
import pytest

from connectors.emulator import Store
from pipelines import alerts
from pipelines.sensors import alert_on_failure
from tests.pipelines.orchestrating import run_job

MESSAGE = {"type": "message", "role": "user", "content": "a zebra of a text"}
Posts = list[tuple[str, str]]


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Posts]:
    """What a webhook on this machine gets; it refuses what is posted to /refused."""
    got: Posts = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["content-length"])).decode()))
            self.send_response(404 if self.path == "/refused" else 200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("CONVERSATIONS_ALERT_WEBHOOK", f"http://127.0.0.1:{server.server_port}/hook")
        yield got
        server.shutdown()


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a mail server on this machine gets."""
    got: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            in_data = False
            for line in map(bytes.decode, self.rfile):
                if in_data:
                    got.append(line.rstrip())
                    in_data = line != ".\r\n"
                    if in_data:
                        continue
                elif line.upper().startswith("DATA"):
                    in_data = True
                    self.wfile.write(b"354 go on\r\n")
                    continue
                self.wfile.write(b"221 bye\r\n" if line.upper().startswith("QUIT") else b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("CONVERSATIONS_ALERT_MAIL", "you@example.com")
        monkeypatch.setenv("CONVERSATIONS_ALERT_SMTP", f"smtp://127.0.0.1:{server.server_address[1]}")
        yield got
        server.shutdown()


def tell(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> None:
    """What the sensor does when a run has failed."""
    event = next(event for event in result.all_events if event.event_type is dg.DagsterEventType.RUN_FAILURE)
    context = dg.build_run_status_sensor_context(
        sensor_name="alert_on_failure",
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=instance.get_run_by_id(result.run_id),  # type: ignore[arg-type]  # it has just been there
    ).for_run_failure()
    alert_on_failure(context)


@pytest.mark.usefixtures("environment")
def test_a_failed_run_is_told_with_what_to_do(
    instance: dg.DagsterInstance, posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERSATIONS_DAGSTER_URL", "https://dagster.example.com/")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("CONVERSATIONS_SOURCE", "select 'conv_1' as id")
    result = run_job(instance)
    tell(instance, result)
    ((_, body),) = posts
    text = json.loads(body)["text"]
    assert text.startswith(f"sync_conversations failed (run {result.run_id[:8]})\n")
    assert "OPENAI_BASE_URL" in text
    assert text.endswith(f"\nhttps://dagster.example.com/runs/{result.run_id}")


@pytest.mark.usefixtures("environment")
def test_of_an_unforeseen_error_only_its_kind_is_told(
    instance: dg.DagsterInstance, posts: Posts, mails: list[str], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise ValueError("a zebra of a text, a zebra of a key")

    monkeypatch.setattr("pipelines.assets.pull", break_down)
    monkeypatch.setenv("CONVERSATIONS_SOURCE", f"select '{store.create_conversation([MESSAGE]).id}' as id")
    tell(instance, run_job(instance))
    assert "zebra" not in str(posts) + str(mails)
    assert "Step sync: ValueError; the run's log has the rest." in json.loads(posts[0][1])["text"]
    assert "To: you@example.com" in mails
    assert any(line.startswith("Subject: sync_conversations failed") for line in mails)
    assert "Step sync: ValueError; the run's log has the rest." in mails


@pytest.mark.parametrize(
    ("webhook", "said"),
    [
        (lambda url: url.replace("/hook", "/refused"), "CONVERSATIONS_ALERT_WEBHOOK: the answer was 404"),
        (lambda url: "http://127.0.0.1:9/secret", "could not be reached"),
        (lambda url: "secret", "check the address"),
    ],
)
def test_a_webhook_that_cannot_be_reached_is_named_without_its_address_and_mail_goes_out(
    webhook: Callable[[str], str], said: str, posts: Posts, mails: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERSATIONS_ALERT_WEBHOOK", webhook(os.environ["CONVERSATIONS_ALERT_WEBHOOK"]))
    with pytest.raises(alerts.AlertError, match=said) as caught:
        alerts.send("subject", "body")
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    assert "Subject: subject" in mails


def test_nobody_is_told_where_nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in alerts.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert alerts.channels() == []
    alerts.send("subject", "body")
