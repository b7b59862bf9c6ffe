"""Whose API the local server speaks: where it begins, which credentials it takes, and what only some have.

Azure OpenAI and Microsoft Foundry as their references have them (https://learn.microsoft.com/rest/api/microsoft-foundry,
https://learn.microsoft.com/azure/foundry/reference). What a request means is the same everywhere, and elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connectors.emulator import errors
from connectors.emulator.errors import ApiError

BEARER: Final = "authorization"
API_KEY: Final = "api-key"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One provider's way to be asked."""

    name: str
    address: str
    """The path of the address that a client is given."""
    prefixes: tuple[str, ...]
    """Where the API begins; under the second one, every request names a dated `api-version`."""
    credentials: tuple[str, ...]
    """The headers that a key may come in."""
    url_variable: str
    key_variable: str
    lists_conversations: bool = False

    @property
    def is_azure(self) -> bool:
        """Whether errors about addresses and keys are in Azure's words."""
        return self.name != "openai"

    def environment(self, address: str) -> dict[str, str]:
        """The variables with which the official SDK, and ours, asks the server at this address."""
        return {self.url_variable: address, self.key_variable: "any"}

    def refuse_key(self, headers: Iterable[tuple[bytes, bytes]], expected: str | None) -> ApiError | None:
        """What is wrong with a request's credentials, if anything; without an expected key any will do."""
        sent = {name.decode("latin-1"): value.decode("latin-1").strip() for name, value in headers}
        scheme, _, token = sent.get(BEARER, "").partition(" ")
        keys = {BEARER: token.strip() if scheme.lower() == "bearer" else "", API_KEY: sent.get(API_KEY, "")}
        key = next((keys[name] for name in self.credentials if keys[name]), "")
        if key and expected in (None, key):
            return None
        if self.is_azure:
            return errors.azure_access_denied()
        return errors.wrong_key(key) if key else errors.no_key()

    def no_such_url(self, method: str, path: str) -> ApiError:
        """There is nothing at that path."""
        return errors.azure_not_found() if self.is_azure else errors.no_such_url(method, path)

    def refuse_version(self, prefix: str, query: Mapping[str, str]) -> ApiError | None:
        """What is wrong with the version that a request names, if anything."""
        is_right = prefix not in self.prefixes[1:] or query.get("api-version", "").startswith("20")
        return None if is_right else errors.azure_not_found()


OPENAI: Final = Dialect("openai", "/v1", ("/v1",), (BEARER,), "OPENAI_BASE_URL", "OPENAI_API_KEY")
AZURE: Final = Dialect(
    "azure",
    "",
    ("/openai/v1", "/openai"),
    (API_KEY, BEARER),
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_API_KEY",
)
FOUNDRY: Final = Dialect(
    "foundry",
    "/api/projects/local",
    ("/api/projects/local/openai/v1",),
    (BEARER,),
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_AD_TOKEN",
    lists_conversations=True,
)
DIALECTS: Final = {dialect.name: dialect for dialect in (OPENAI, AZURE, FOUNDRY)}
