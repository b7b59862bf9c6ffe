"""Which server is meant, and with which credential: OpenAI's API or Azure's, by the variables of the official SDK.

Azure OpenAI and Microsoft Foundry have the same API under other addresses
(https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle).

What belongs here: choosing. What does not: whether what was chosen can be used (`configuration.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from connectors.openai_conversations.errors import ConfigurationError
from connectors.openai_conversations.protocol import DEFAULT_BASE_URL

KEY: Final = "OPENAI_API_KEY"
URL: Final = "OPENAI_BASE_URL"
_AZURE_KEY: Final = "AZURE_OPENAI_API_KEY"
_AZURE_TOKEN: Final = "AZURE_OPENAI_AD_TOKEN"  # noqa: S105 (the name of a variable)
_AZURE_ENDPOINT: Final = "AZURE_OPENAI_ENDPOINT"
_API_VERSION: Final = "OPENAI_API_VERSION"
_API_TYPE: Final = "OPENAI_API_TYPE"
_EXAMPLE: Final = "https://NAME.openai.azure.com"
_UNDATED: Final = frozenset({"", "v1", "preview", "latest"})
"""The versions of the API under /openai/v1; all others are dates, and belong to the one under /openai."""


@dataclass(frozen=True, slots=True)
class Access:
    """An address and a credential, not yet checked; None or empty where there is none."""

    base_url: str | None
    key: str | None = field(repr=False)
    key_name: str = KEY
    """The variable that the credential comes from, or should."""
    url_name: str = URL
    api_version: str | None = None
    """What every request says in its query, on Azure."""
    has_bearer: bool = True
    """Whether the credential is sent as a bearer token; if not, in Azure's header `api-key`."""

    def named(self, words: str) -> str:
        """Return words that name the usual variables with the names of those that are used."""
        if self.key_name == KEY:
            return words
        return words.replace(KEY, self.key_name).replace(URL, self.url_name).replace(DEFAULT_BASE_URL, _EXAMPLE)


def find_access(environment: Mapping[str, str], *, api_key: str | None, base_url: str | None) -> Access:
    """Return what arguments and environment name, an argument before a variable; an empty variable counts as unset.

    Raises ConfigurationError where it cannot be told whether OpenAI or Azure is meant.
    """
    if not _is_azure(environment, api_key):
        return Access(base_url or environment.get(URL) or DEFAULT_BASE_URL, api_key or environment.get(KEY))
    token = None if api_key else environment.get(_AZURE_TOKEN)
    return Access(
        base_url or _address(environment) or environment.get(URL),
        api_key or token or environment.get(_AZURE_KEY),
        _AZURE_TOKEN if token else _AZURE_KEY,
        _AZURE_ENDPOINT,
        environment.get(_API_VERSION) or None,
        has_bearer=bool(token),
    )


def _is_azure(environment: Mapping[str, str], api_key: str | None) -> bool:
    said = environment.get(_API_TYPE)
    if said and said not in {"openai", "azure"}:
        message = f"{_API_TYPE} names no API that is known here. Set it to openai or azure."
        raise ConfigurationError(message)
    if said or api_key:
        return said == "azure"
    has_azure = any(environment.get(name) for name in (_AZURE_KEY, _AZURE_TOKEN, _AZURE_ENDPOINT))
    if has_azure and environment.get(KEY):
        message = (
            f"There are settings for OpenAI ({KEY}) and for Azure ({_AZURE_KEY}, {_AZURE_TOKEN} or {_AZURE_ENDPOINT}). "
            f"Unset those that are not meant, or set {_API_TYPE} to openai or azure."
        )
        raise ConfigurationError(message)
    return has_azure


def _address(environment: Mapping[str, str]) -> str | None:
    """Return where the API begins at the endpoint: a resource, a project of Foundry, or the API's own address."""
    endpoint = environment.get(_AZURE_ENDPOINT, "").rstrip("/")
    if not endpoint or endpoint.endswith(("/openai", "/openai/v1")):
        return endpoint or None
    return f"{endpoint}/openai/v1" if environment.get(_API_VERSION, "") in _UNDATED else f"{endpoint}/openai"
