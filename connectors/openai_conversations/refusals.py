"""What any other status than 2xx means, and whether and when to ask again.

What belongs here: from a status, headers and a body to a typed error, and from that to seconds. The cases
are those of the API's error guide (https://platform.openai.com/docs/guides/error-codes), the rules for
retries those of the official SDK. What does not: waiting.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from typing import Final

from connectors.openai_conversations.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConversationsError,
    ForbiddenError,
    MalformedResponseError,
    NotFoundError,
    QuotaError,
    RateLimitedError,
    ServerError,
    StopError,
    WrongHostError,
)

MAX_RETRY_AFTER_S: Final = 120.0
INITIAL_RETRY_DELAY_S: Final = 0.5
MAX_RETRY_DELAY_S: Final = 8.0
RETRY_JITTER: Final = 0.25


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What an error response says: its status, and the structured part of its body."""

    status: int
    code: str | None
    type: str | None
    param: str | None
    has_body: bool
    """Whether the body is a JSON object, as an API's is, and not a page of some proxy or other server."""
    message: str
    """The server's own words, only ever looked at to tell cases apart: they may quote a key or a person."""

    @property
    def names(self) -> set[str | None]:
        return {self.code, self.type}

    def says(self, words: str) -> bool:
        return words in self.message.lower()


@dataclass(frozen=True, slots=True)
class _Verdict:
    error: type[ConversationsError]
    what: str
    advice: str


_SCOPES = _Verdict(
    AuthenticationError,
    "The API key lacks a permission",
    "Give the key read access to conversations (scope api.conversations.read or all), or use another key.",
)
_COUNTRY = _Verdict(
    AuthenticationError,
    "The API refuses requests from this country or region",
    "Run this where the API is offered.",
)
_KEY = _Verdict(
    AuthenticationError,
    "The API key was refused",
    "Check OPENAI_API_KEY, OPENAI_ORG_ID and OPENAI_PROJECT_ID, and that the key was not revoked.",
)
_QUOTA = _Verdict(
    QuotaError,
    "The account has no credit or quota left",
    "Add credit or raise the limit in the account's billing settings, then run again.",
)
_RATE = _Verdict(RateLimitedError, "The API asked to slow down", "Wait a little, or use less concurrency.")
_BASE_URL = _Verdict(
    ConfigurationError,
    "The server has no such address",
    "Check OPENAI_BASE_URL: the API's address normally ends in /v1.",
)
_MISSING = _Verdict(
    NotFoundError,
    "Not found",
    "It was deleted, or the key belongs to another project: check the ID and OPENAI_PROJECT_ID.",
)
_FORBIDDEN = _Verdict(ForbiddenError, "Access denied", "Check that the key's project may read this conversation.")
_LOCKED = _Verdict(ServerError, "The conversation is busy", "Another process works on it: try again in a few seconds.")
_SERVER = _Verdict(ServerError, "The server failed or was busy", "Try again later; see https://status.openai.com.")
_BAD = _Verdict(
    BadRequestError,
    "The server does not accept this request",
    "Check the ID, and that the server supports these parameters.",
)
_INCLUDE = _Verdict(
    ConfigurationError,
    "The server does not know a value of include[]",
    "Ask only for values that it knows, or for none.",
)
_REDIRECT = _Verdict(
    MalformedResponseError, "The answer is neither a list nor an error", "Check OPENAI_BASE_URL and proxies."
)


def decide(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    where: str,
    secret: str = "",
    now: float | None = None,
    named: Callable[[str], str] = str,
) -> None:
    """Return for a 2xx; otherwise raise the error that says what to do.

    `where` names what was asked and on which host, for the message. A code or ID that holds `secret`, the key,
    is left out. `now` is in Unix seconds, for a `retry-after` date. `named` puts the variables into the advice that
    are used. Status, codes and headers as in the API's error guide and the official SDK.
    """
    if 200 <= status < 300:  # noqa: PLR2004 - the 2xx range
        return
    refusal = _read_refusal(status, body)
    verdict = _judge(refusal)
    code, kind, param, request_id = (
        None if word is None or (secret and secret in word) else word
        for word in (refusal.code, refusal.type, refusal.param, _token(_header(headers, "x-request-id")))
    )
    details = (code or kind, param and f"param {param}", request_id and f"request {request_id}")
    known = ", ".join(detail for detail in details if detail)
    told = f" ({known})" if known else ""
    message = f"{verdict.what}: {where} answered {status}{told}. {named(verdict.advice)}"
    raise verdict.error(
        message,
        status=status,
        code=code,
        request_id=request_id,
        retry_after=retry_after(headers, now=now),
        should_retry=_should_retry(verdict, headers, status),
    )


def _judge(refusal: _Refusal) -> _Verdict:
    status = refusal.status
    if status in _JUDGES:
        return _JUDGES[status](refusal)
    if status >= 500 or status in {408, 409}:  # noqa: PLR2004 - the 5xx range; what the official SDK retries
        return _SERVER
    return _BAD if status >= 400 else _REDIRECT  # noqa: PLR2004 - the 4xx range


def _judge_400(refusal: _Refusal) -> _Verdict:
    if refusal.param is not None and refusal.param.startswith("include"):
        return _INCLUDE
    return _LOCKED if refusal.code == "conversation_locked" else _BAD


def _judge_401(refusal: _Refusal) -> _Verdict:
    if refusal.code == "incorrect_hostname" or refusal.says("incorrect regional hostname"):
        return _wrong_host(refusal)
    return _SCOPES if refusal.says("missing scopes") else _KEY


def _wrong_host(refusal: _Refusal) -> _Verdict:
    # The one word taken from a message: a host name of the API's own domain cannot quote anybody.
    host = re.search(r"\b[a-z]{2}\.api\.openai\.com\b", refusal.message)
    address = f"https://{host[0]}/v1" if host else "the address of the project's region"
    return _Verdict(
        WrongHostError,
        "The key's project lives on another regional host",
        f"Set OPENAI_BASE_URL to {address}.",
    )


def _judge_403(refusal: _Refusal) -> _Verdict:
    if refusal.code == "unsupported_country_region_territory":
        return _COUNTRY
    return _SCOPES if refusal.says("missing scopes") else _FORBIDDEN


def _judge_404(refusal: _Refusal) -> _Verdict:
    # api.openai.com answers the first to a path it does not know, Azure the second, so no conversation is meant.
    # A page that is no JSON comes from a proxy, or from another server than meant.
    is_path = refusal.message.startswith("Invalid URL (") or refusal.code == "404"
    return _BASE_URL if is_path or not refusal.has_body else _MISSING


def _judge_429(refusal: _Refusal) -> _Verdict:
    return _QUOTA if refusal.names & {"insufficient_quota", "credit_balance_exhausted"} else _RATE


_JUDGES: Final[dict[int, Callable[[_Refusal], _Verdict]]] = {
    400: _judge_400,
    401: _judge_401,
    403: _judge_403,
    404: _judge_404,
    429: _judge_429,
}


def _read_refusal(status: int, body: bytes) -> _Refusal:
    """Read an error body of any shape; some servers leave out the `error` object or send plain text."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    error = value.get("error", value) if isinstance(value, dict) else None
    fields = error if isinstance(error, dict) else {}
    message = fields.get("message")
    return _Refusal(
        status=status,
        code=_word(fields.get("code")),
        type=_word(fields.get("type")),
        param=_word(fields.get("param")),
        has_body=isinstance(value, dict),
        message=message if isinstance(message, str) else "",
    )


def _word(value: object) -> str | None:
    """Return a code, type or param: a snake_case word or path. Nothing else passes, no key (`sk-`) either."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.\[\]]{1,80}", value) else None


def _token(value: str | None) -> str | None:
    return value if value and re.fullmatch(r"[A-Za-z0-9_-]{1,80}", value) else None


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _should_retry(verdict: _Verdict, headers: Mapping[str, str], status: int) -> bool | None:
    """Return what the server says about retrying; None leaves it to the error's class."""
    if issubclass(verdict.error, StopError):
        return False
    said = {"true": True, "false": False}.get(_header(headers, "x-should-retry") or "")
    # A redirect that leads nowhere will lead nowhere again.
    return False if said is None and status < 400 else said  # noqa: PLR2004 - below the 4xx range


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Return the seconds that the server asks to wait, or None where it does not say.

    `retry-after-ms` wins over `retry-after`, which is seconds or an HTTP date, taken relative to `now` in
    Unix seconds (default: this machine's clock). A date in the past gives a negative number.
    """
    for name, per_second in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        seconds = _number(_header(headers, name))
        if seconds is not None:
            return seconds / per_second
    date = parsedate_tz(_header(headers, "retry-after") or "")
    try:
        return None if date is None else mktime_tz(date) - (time.time() if now is None else now)
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return None if math.isnan(number) else number


def retry_delay(error: ConversationsError, attempt: int, random: Callable[[], float]) -> float | None:
    """Return the seconds to wait before the same request is sent again, or None if it must not be.

    `attempt` counts the retries already made, from 0; `random` returns a number from 0 to 1. A wait that
    the server asked for is kept up to 120 s, and a longer one is a refusal; otherwise 0.5 s, doubled each
    time up to 8 s, less up to a quarter at random.
    """
    if isinstance(error, StopError) or not error.should_retry:
        return None
    asked = error.retry_after
    if asked is not None and asked > MAX_RETRY_AFTER_S:
        return None
    if asked is not None and asked > 0:
        return asked
    backoff = min(INITIAL_RETRY_DELAY_S * 2.0 ** min(attempt, 10), MAX_RETRY_DELAY_S)
    return backoff * (1 - RETRY_JITTER * random())
