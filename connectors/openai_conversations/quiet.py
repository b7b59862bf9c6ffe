"""What other libraries would print or log about our requests, and must not.

What belongs here: the loggers of stamina, httpx and httpcore. What does not: our own errors, which keep keys and
people's words out by themselves (`errors.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from stamina.instrumentation import RetryDetails, RetryHook, get_on_retry_hooks, set_on_retry_hooks

from connectors.openai_conversations.errors import ConversationsError

_HTTP_LOGGERS: Final = tuple(
    map(
        logging.getLogger,
        ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))),
    )
)
_is_ours: ContextVar[bool] = ContextVar("_is_ours", default=False)


@contextmanager
def no_words_in_logs() -> Iterator[None]:
    """Keep headers, URLs and the server's words out of the logs of requests that are sent in here.

    httpcore logs each response's headers (which may echo the key) and the texts of its errors, httpx the URL with
    its query and that of a redirect. Requests that others send with these libraries are left alone.
    """
    for logger in _HTTP_LOGGERS:
        logger.addFilter(_keep_event)  # a second time changes nothing
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)


def _keep_event(record: logging.LogRecord) -> bool:
    """Keep of our requests the name of httpcore's event, and nothing of httpx's one line."""
    if _is_ours.get():
        record.msg, record.args = record.getMessage().partition(" ")[0], ()
        return record.name != "httpx"
    return True


@dataclass(frozen=True, slots=True)
class _HookForOthers:
    """One of stamina's log hooks, which no longer hears of our errors."""

    hook: RetryHook

    def __call__(self, details: RetryDetails) -> Any:
        return None if isinstance(details.caused_by, ConversationsError) else self.hook(details)


def keep_stamina_quiet() -> None:
    """Take our retries out of stamina's default logging, which would print to standard output with structlog.

    The client counts them instead. Hooks that an application chose itself, and other people's retries, are left
    alone; and nothing is touched before the first retry.
    """
    hooks = get_on_retry_hooks()
    if any(_is_default_logging(hook) for hook in hooks):
        set_on_retry_hooks([_HookForOthers(hook) if _is_default_logging(hook) else hook for hook in hooks])


def _is_default_logging(hook: RetryHook) -> bool:
    module = getattr(hook, "__module__", "")
    return module in {"stamina.instrumentation._logging", "stamina.instrumentation._structlog"}
