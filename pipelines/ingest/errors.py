"""What may go wrong on our side of the network: leaves of the connector's tree, by what is to be done.

* ConversationsError              (connectors.openai_conversations.errors has the rest)
  x RetryError
  x SkipError                     this conversation only; the others go on
    + DeadlineError               it took longer than a conversation may
  x StopError                     the command cannot go on
    + IngestError                 something on this machine
      - SourceError               the list of conversation IDs cannot be read
      - SelectionError            the chosen conversations are not in the registry
      - QueryError                the query cannot be answered
      - WarehouseError            the warehouse or its snapshot cannot be used
      - StoppedError              a person, or the system, asked for it

Every message says what happened, where, and what to do, and holds no key and no item's text.
"""

from connectors.openai_conversations.errors import SkipError, StopError


class DeadlineError(SkipError):
    """One conversation took longer than a conversation may; what arrived of it is kept."""


class IngestError(StopError):
    """Something on this machine keeps the command from going on."""


class SourceError(IngestError):
    """The list of conversation IDs cannot be read."""


class WarehouseError(IngestError):
    """The warehouse or its snapshot cannot be used."""


class SelectionError(IngestError):
    """The chosen conversations are not in the registry."""


class QueryError(IngestError):
    """The query cannot be answered."""


class StoppedError(IngestError):
    """Who started the command asked it to stop."""
