"""What may go wrong on our side of the network. Every message says what happened, where, and what to do."""


class IngestError(Exception):
    """The command cannot go on.

    IngestError
     ├─ SourceError     the list of conversation IDs cannot be read
     ├─ WarehouseError  the warehouse or its snapshot cannot be used
     └─ SelectionError  the chosen conversations are not in the registry
    """


class SourceError(IngestError):
    """The list of conversation IDs cannot be read."""


class WarehouseError(IngestError):
    """The warehouse or its snapshot cannot be used."""


class SelectionError(IngestError):
    """The chosen conversations are not in the registry."""
