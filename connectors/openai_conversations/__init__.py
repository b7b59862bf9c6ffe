"""Client for the Conversations API: pure protocol, one file of network I/O, one error tree."""

from importlib import import_module
from typing import TYPE_CHECKING

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
    RequestTimeoutError,
    RetryError,
    ServerError,
    SkipError,
    StopError,
    TransportError,
    WalkError,
    WrongHostError,
)
from connectors.openai_conversations.protocol import (
    DEFAULT_BASE_URL,
    INCLUDE,
    OPEN_STATUSES,
    PAGE_LIMIT,
    Conversation,
    Item,
    Page,
    Request,
    is_conversation_id,
)
from connectors.openai_conversations.walk import Cursor, Step, Walk

if TYPE_CHECKING:
    from connectors.openai_conversations.client import (
        ConversationsClient,
        Items,
        ItemsPage,
        ItemsPager,
        Stats,
    )

__all__ = [
    "DEFAULT_BASE_URL",
    "INCLUDE",
    "OPEN_STATUSES",
    "PAGE_LIMIT",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "Conversation",
    "ConversationsClient",
    "ConversationsError",
    "Cursor",
    "ForbiddenError",
    "Item",
    "Items",
    "ItemsPage",
    "ItemsPager",
    "MalformedResponseError",
    "NotFoundError",
    "Page",
    "QuotaError",
    "RateLimitedError",
    "Request",
    "RequestTimeoutError",
    "RetryError",
    "ServerError",
    "SkipError",
    "Stats",
    "Step",
    "StopError",
    "TransportError",
    "Walk",
    "WalkError",
    "WrongHostError",
    "is_conversation_id",
]


def __getattr__(name: str) -> object:
    """Load the client when it is first asked for: httpx takes a third of a second, and not every command asks."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.client"), name)
