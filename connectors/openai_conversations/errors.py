"""The error tree, by what the caller should do: retry, skip, stop.

* ConversationsError
  x RetryError                  the same request may succeed later
    + RateLimitedError          429: too many requests just now
    + ServerError               408, 409, 5xx
    + TransportError            no answer: refused, reset, DNS
      - RequestTimeoutError     no answer in time
    + MalformedResponseError    an answer that is not JSON, or not what this endpoint returns
  x SkipError                   this conversation only; the others go on
    + NotFoundError             404
    + ForbiddenError            403 for this conversation
    + BadRequestError           400, 422 and every other 4xx
    + WalkError                 the pages of one list contradict each other
  x StopError                   no further request can succeed: the run stops
    + AuthenticationError       401, or a 403 that is about the key or the country
    + WrongHostError            401: the project lives on a regional host
    + QuotaError                429: no credit left
    + ConfigurationError        unusable key, base URL or limit

A message says what happened, where, and what to do, in our own words. The server's message is never
repeated: a 401 echoes part of the key, and a 400 may quote somebody's words.

Who uses this package adds leaves of their own under the branch that says what to do, so that one tree serves the
whole project.

What belongs here: classes. Which response becomes which error is decided in `refusals.py`.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConversationsError",
    "ForbiddenError",
    "MalformedResponseError",
    "NotFoundError",
    "QuotaError",
    "RateLimitedError",
    "RequestTimeoutError",
    "RetryError",
    "ServerError",
    "SkipError",
    "StopError",
    "TransportError",
    "WalkError",
    "WrongHostError",
]


class ConversationsError(Exception):
    """Base of every error that this package raises about the API, and of those that its users add.

    `status` is the HTTP status, `code` the API's `error.code`, `request_id` its `x-request-id`: each None
    where there was none. `retry_after` is what the server asked to wait, in seconds. `should_retry` says
    whether the same request may be sent again: the class's default, unless the server said otherwise in
    its `x-should-retry` header.
    """

    retries_by_default: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        should_retry: bool | None = None,
    ) -> None:
        """Keep the message and the facts; one that is not given is None."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.should_retry = self.retries_by_default if should_retry is None else should_retry


class RetryError(ConversationsError):
    """The same request may succeed later."""

    retries_by_default = True


class RateLimitedError(RetryError):
    """The API asked to slow down (429)."""


class ServerError(RetryError):
    """The server failed, or was busy with this conversation (408, 409, 5xx)."""


class TransportError(RetryError):
    """No answer came: the connection was refused or lost, or the host has no address."""


class RequestTimeoutError(TransportError):
    """No answer came in time: no connection, silence, or a body that never ended."""


class MalformedResponseError(RetryError):
    """The answer is not JSON, or not what this endpoint returns."""


class SkipError(ConversationsError):
    """One conversation cannot be read; the others can."""


class NotFoundError(SkipError):
    """The project of this key has no such conversation or item (404)."""


class ForbiddenError(SkipError):
    """The conversation is not open to this key (403)."""


class BadRequestError(SkipError):
    """The API does not accept this request (400, 422 and every other 4xx)."""


class WalkError(SkipError):
    """The pages of one list contradict each other, so that reading on could lose or repeat items."""


class StopError(ConversationsError):
    """No further request can succeed; never retried, whatever the server says."""


class AuthenticationError(StopError):
    """The key is refused: invalid (401), without the needed scopes (401, 403), or from a refused country."""


class WrongHostError(StopError):
    """The key's project lives on a regional host, and another one was asked (401)."""


class QuotaError(StopError):
    """The account has no credit or quota left (429)."""


class ConfigurationError(StopError):
    """The key, the base URL or a limit cannot be used."""
