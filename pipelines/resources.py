"""What the assets are given: the files and the API. Configuration only; the work is done in `ingest`."""

import dagster as dg
from pydantic import Field

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

    concurrency: int = Field(default=16, ge=1, le=500)
    requests_per_second: float | None = Field(default=None, gt=0)
    max_retries: int = Field(default=2, ge=0, le=20)
    timeout_seconds: float = Field(default=600.0, gt=0)
    network_patience_seconds: float = Field(default=120.0, ge=0, description="How long a lost network is waited for.")
    conversation_deadline_seconds: float = Field(default=1800.0, ge=1)

    def client(self) -> ConversationsClient:
        """A client, not yet connected. ConfigurationError if the environment has no usable key or address."""
        return ConversationsClient(
            max_in_flight=self.concurrency,
            requests_per_second=self.requests_per_second,
            max_retries=self.max_retries,
            timeout=self.timeout_seconds,
            network_patience=self.network_patience_seconds,
        )
