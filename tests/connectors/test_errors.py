"""What other statuses than 2xx mean, when to ask again, and what an error never says."""

from __future__ import annotations

import json
import pickle

import pytest

from connectors.openai_conversations import errors
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
    RetryError,
    ServerError,
    SkipError,
    StopError,
    TransportError,
    WalkError,
    WrongHostError,
)
from connectors.openai_conversations.protocol import decide, retry_after, retry_delay

KEY = "sk-proj-abcdef1234567890"
WORDS = "somebody's words"
NOW = 1_761_318_654.0


def error_body(message: str = "", kind: str | None = None, code: str | None = None, param: str | None = None) -> bytes:
    """Return an error body of the API's shape."""
    return json.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}}).encode()


def refusal(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> ConversationsError:
    """Return the error that this response raises."""
    with pytest.raises(ConversationsError) as caught:
        decide(status, headers or {}, body, where="conversations/conv_1/items on api.openai.com", now=NOW)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (300, b"", MalformedResponseError),
        (304, b"", MalformedResponseError),
        (400, error_body(code="integer_above_max_value", param="limit"), BadRequestError),
        (400, b"plain text of a server that is not OpenAI's", BadRequestError),
        (400, error_body(code="conversation_locked", param="conversation"), ServerError),
        (401, error_body(code="invalid_api_key"), AuthenticationError),
        (
            401,
            error_body("You have insufficient permissions. Missing scopes: api.x.read"),
            AuthenticationError,
        ),
        (401, error_body(code="incorrect_hostname"), WrongHostError),
        (401, error_body("Attempted to access resource with incorrect regional hostname."), WrongHostError),
        (401, b"", AuthenticationError),
        (403, error_body(code="unsupported_country_region_territory"), AuthenticationError),
        (403, b'{"code":"unsupported_country_region_territory"}', AuthenticationError),
        (403, error_body("Missing scopes: api.conversations.read"), AuthenticationError),
        (403, error_body("You may not read this."), ForbiddenError),
        (403, b'{"detail":"no"}', ForbiddenError),
        (404, error_body("Conversation with id 'conv_1' not found.", "invalid_request_error"), NotFoundError),
        (404, b'{"detail":"Conversation not found"}', NotFoundError),
        (404, error_body("Invalid URL (GET /conversations/conv_1/items)"), ConfigurationError),
        (404, b"<html>Not Found</html>", ConfigurationError),
        (404, b"", ConfigurationError),
        (400, error_body("Invalid value", param="include[0]"), ConfigurationError),
        (405, b"", BadRequestError),
        (408, b"", ServerError),
        (409, b"", ServerError),
        (422, b"", BadRequestError),
        (429, error_body(code="rate_limit_exceeded"), RateLimitedError),
        (429, error_body(kind="rate_limit_error", code="slow_down"), RateLimitedError),
        (429, b"", RateLimitedError),
        (429, error_body(code="insufficient_quota"), QuotaError),
        (429, error_body(kind="insufficient_quota"), QuotaError),
        (429, error_body(code="credit_balance_exhausted"), QuotaError),
        (500, b"<html>", ServerError),
        (503, b"[1]", ServerError),
        (599, b'{"error":"text"}', ServerError),
    ],
)
def test_each_refusal_says_what_to_do(status: int, body: bytes, kind: type[ConversationsError]) -> None:
    """The class is the caller's next step, and the message names the place and the status."""
    error = refusal(status, body)
    assert type(error) is kind
    assert error.status == status
    assert f"conversations/conv_1/items on api.openai.com answered {status}" in str(error)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_2xx_raises_nothing(status: int) -> None:
    """An answer is an answer, whatever else its headers say."""
    decide(status, {"x-should-retry": "true"}, b"", where="here")


def test_an_error_carries_the_structured_facts() -> None:
    """Status, code, param and request ID are there for logs; the headers may be in any case."""
    body = error_body("Invalid 'limit'", "invalid_request_error", "integer_above_max_value", "limit")
    error = refusal(400, body, {"X-Request-ID": "req_1"})
    assert (error.status, error.code, error.request_id) == (400, "integer_above_max_value", "req_1")
    assert "(integer_above_max_value, param limit, request req_1)" in str(error)


def test_the_right_regional_host_is_named() -> None:
    """The one thing worth reading out of a message is the host to use instead, and only OpenAI's."""
    told = error_body("Please make your request to us.api.openai.com", code="incorrect_hostname")
    assert "OPENAI_BASE_URL to https://us.api.openai.com/v1." in str(refusal(401, told))
    lure = error_body("Please make your request to evil.example", code="incorrect_hostname")
    assert "evil" not in str(refusal(401, lure))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 429, 500])
@pytest.mark.parametrize(
    "body",
    [
        error_body(f"Incorrect API key provided: {KEY}. {WORDS}", WORDS, KEY, WORDS),
        json.dumps({"detail": f"{KEY} {WORDS}"}).encode(),
        json.dumps({"error": f"{KEY} {WORDS}"}).encode(),
        json.dumps({"error": {"message": {"a": WORDS}, "code": {"b": KEY}}}).encode(),
        f"{KEY} {WORDS}".encode(),
        b"\xff" + WORDS.encode(),
    ],
)
def test_an_error_repeats_neither_key_nor_words(status: int, body: bytes) -> None:
    """Whatever the server echoes, even in its codes and headers, stays out of ours."""
    error = refusal(status, body, {"x-request-id": WORDS, "retry-after": WORDS})
    shown = f"{error} {error!r} {error.__dict__}"
    assert KEY not in shown
    assert WORDS not in shown


@pytest.mark.parametrize("place", ["code", "type", "param", "x-request-id"])
def test_a_key_that_looks_like_a_code_is_left_out(place: str) -> None:
    """Other servers' keys are of any form, so ours is looked for; what else was told stays."""
    told = {"code": "some_code", "type": "some_type", "param": "limit", "x-request-id": "req_1", place: "x.token_1"}
    body = json.dumps({"error": told}).encode()
    with pytest.raises(ConversationsError) as caught:
        decide(400, {"x-request-id": told["x-request-id"]}, body, where="here", secret="token_1")
    assert "token_1" not in f"{caught.value} {caught.value.__dict__}"
    told.pop("type" if place != "code" else "code")
    assert all(word in str(caught.value) for name, word in told.items() if name != place)


@pytest.mark.parametrize(
    ("kind", "branch"),
    [
        (RateLimitedError, RetryError),
        (ServerError, RetryError),
        (TransportError, RetryError),
        (errors.RequestTimeoutError, TransportError),
        (MalformedResponseError, RetryError),
        (NotFoundError, SkipError),
        (ForbiddenError, SkipError),
        (BadRequestError, SkipError),
        (WalkError, SkipError),
        (AuthenticationError, StopError),
        (WrongHostError, StopError),
        (QuotaError, StopError),
        (ConfigurationError, StopError),
    ],
)
def test_the_tree_is_as_drawn(kind: type[ConversationsError], branch: type[ConversationsError]) -> None:
    """Every class stands under the one branch that says what to do, and in the module's drawing."""
    assert branch in kind.__mro__
    assert sum(root in kind.__mro__ for root in (RetryError, SkipError, StopError)) == 1
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind("m").should_retry is issubclass(kind, RetryError)


class LeafOfOthers(SkipError):
    """A leaf that a user of the package adds."""


@pytest.mark.parametrize("kind", [getattr(errors, name) for name in errors.__all__] + [LeafOfOthers])
def test_an_error_survives_pickling(kind: type[ConversationsError]) -> None:
    """Facts are kept when an error crosses a process boundary, whoever added its class; causes stay behind."""
    original = kind("m", status=429, code="c", request_id="r", retry_after=2.0, should_retry=True)
    original.__context__ = ValueError(WORDS)
    pickled = pickle.dumps(original)
    error = pickle.loads(pickled)  # noqa: S301 - our own bytes
    assert type(error) is kind
    assert (str(error), error.__dict__) == ("m", original.__dict__)
    assert WORDS.encode() not in pickled


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_the_official_sdk_never_retries_these(status: int) -> None:
    """A request that is wrong stays wrong."""
    assert retry_delay(refusal(status), 0, lambda: 0.0) is None


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 599])
def test_the_official_sdk_retries_these(status: int) -> None:
    """Busy, limited or broken servers are asked again, after half a second at first."""
    assert retry_delay(refusal(status), 0, lambda: 0.0) == 0.5


@pytest.mark.parametrize(
    ("status", "said", "is_retried"), [(422, "true", True), (500, "false", False), (304, "true", True)]
)
def test_x_should_retry_overrides_the_status(status: int, said: str, is_retried: bool) -> None:
    """The server knows better than the table."""
    error = refusal(status, headers={"X-Should-Retry": said})
    assert error.should_retry is is_retried
    assert (retry_delay(error, 0, lambda: 0.0) is not None) is is_retried


def test_nothing_makes_a_stop_retryable() -> None:
    """A refused key or an empty account is not asked again, even if the server says so."""
    headers = {"x-should-retry": "true", "retry-after": "1"}
    for error in (
        refusal(401, headers=headers),
        refusal(429, error_body(code="insufficient_quota"), headers),
    ):
        assert not error.should_retry
        assert retry_delay(error, 0, lambda: 0.0) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "50", "retry-after": "9"}, 0.05),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Fri, 24 Oct 2025 15:10:59 GMT"}, 5.0),
        ({"retry-after": "Fri, 24 Oct 2025 15:10:44 GMT"}, -10.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Fri, 99 Oct 99999 99:99:99 GMT"}, None),
    ],
)
def test_the_servers_wait_is_read(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds win over seconds, which may be fractions or a date; nonsense is no wait."""
    assert retry_after(headers, now=NOW) == seconds


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (0.05, 0.05),
        (120.0, 120.0),
        (120.1, None),
        (float("inf"), None),
        (0.0, 0.5),
        (-10.0, 0.5),
        (None, 0.5),
    ],
)
def test_a_wait_is_kept_up_to_two_minutes(asked: float | None, seconds: float | None) -> None:
    """A longer wait is a refusal, and none at all leaves it to the backoff."""
    assert retry_delay(ServerError("m", retry_after=asked), 0, lambda: 0.0) == seconds


def test_the_backoff_doubles_up_to_eight_seconds_less_a_quarter() -> None:
    """0.5 s, 1, 2, 4, 8, 8 and so on, each up to 25 % shorter at random."""
    error = ServerError("m")
    assert [retry_delay(error, n, lambda: 0.0) for n in range(6)] == [0.5, 1, 2, 4, 8, 8]
    assert retry_delay(error, 10_000, lambda: 1.0) == 6.0


def test_a_malformed_answer_is_retried_like_a_server_error() -> None:
    """A truncated body is as passing as a 500."""
    assert retry_delay(MalformedResponseError("m"), 0, lambda: 0.0) == 0.5
