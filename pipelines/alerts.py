"""Sending a message to people: a webhook (Slack and whatever takes its form), or mail. Not here: what is worth one."""

import json
import os
import smtplib
import urllib.error
import urllib.request
from collections.abc import Sequence
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

WEBHOOK, MAIL = VARIABLES = ("CONVERSATIONS_ALERT_WEBHOOK", "CONVERSATIONS_ALERT_MAIL")
_SMTP = "CONVERSATIONS_ALERT_SMTP"
_UI = "CONVERSATIONS_DAGSTER_URL"
_TIMEOUT_SECONDS = 20.0
_SMTP_PORT, _SMTPS_PORT, _SUBMISSION_PORT = 25, 465, 587


class AlertError(Exception):
    """A message could not be sent; says through which channel and why, and not what its address is."""


def channels() -> Sequence[str]:
    """Which variables name somebody to tell."""
    return [name for name in VARIABLES if os.environ.get(name)]


def link(run_id: str) -> str:
    """Where the run is to be seen, if CONVERSATIONS_DAGSTER_URL says where the UI is; else nothing."""
    base = os.environ.get(_UI, "").rstrip("/")
    return f"{base}/runs/{run_id}" if base else ""


def send(subject: str, *lines: str) -> None:
    """Tell all that the environment names. AlertError if one cannot be told; the others are told all the same."""
    body = "\n".join(line for line in lines if line)
    troubles: list[str] = []
    for name in channels():
        try:
            _WAYS[name](os.environ[name], subject, body)
        except (OSError, ValueError, smtplib.SMTPException) as error:  # their words may hold the address, or a password
            troubles.append(f"{name}: {_reason(error)}")
    if troubles:
        raise AlertError("; ".join(troubles))


def _post(url: str, subject: str, body: str) -> None:
    if urlsplit(url).scheme not in ("https", "http"):
        raise ValueError("not an address")
    data = json.dumps({"text": f"{subject}\n{body}"}).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})  # noqa: S310 (checked above)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310 (checked above)
        pass


def _mail(recipients: str, subject: str, body: str) -> None:
    server = urlsplit(os.environ.get(_SMTP) or "smtp://localhost")
    user, message = unquote(server.username or ""), EmailMessage()
    message["To"], message["Subject"] = recipients, subject
    message["From"] = user if "@" in user else recipients.split(",", maxsplit=1)[0]
    message.set_content(body)
    is_tls = server.scheme == "smtps"
    connect = smtplib.SMTP_SSL if is_tls else smtplib.SMTP
    port = server.port or (_SMTPS_PORT if is_tls else _SUBMISSION_PORT if server.password else _SMTP_PORT)
    with connect(server.hostname or "localhost", port, timeout=_TIMEOUT_SECONDS) as smtp:
        if server.password:
            if not is_tls:
                smtp.starttls()
            smtp.login(user, unquote(server.password))
        smtp.send_message(message)


_WAYS = {WEBHOOK: _post, MAIL: _mail}


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the answer was {error.code}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code}"
    return f"could not be reached ({type(error).__name__}); check the address"
