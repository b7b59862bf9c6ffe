"""What the assets are given: the files and the API. Configuration only; the work is done in `ingest`."""

import dagster as dg

from connectors.openai_conversations import ConversationsClient
from pipelines.ingest.places import Places, places


class Files(dg.ConfigurableResource[None]):
    """The warehouse and its snapshot; empty: CONVERSATIONS_WAREHOUSE and CONVERSATIONS_SERVING, else the defaults."""

    warehouse: str = ""
    serving: str = ""

    def places(self) -> Places:
        """Where the files are."""
        return places(self.warehouse, self.serving)


class Api(dg.ConfigurableResource[None]):
    """The Conversations API; key and address come from the environment, as with the official SDKs."""

    concurrency: int = 16
    max_retries: int = 2
    timeout_seconds: float = 600.0

    def client(self) -> ConversationsClient:
        """A client, not yet connected. ConfigurationError if the environment has no usable key or address."""
        return ConversationsClient(
            max_connections=self.concurrency, max_retries=self.max_retries, timeout=self.timeout_seconds
        )
