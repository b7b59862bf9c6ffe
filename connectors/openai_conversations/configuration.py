"""Which key, base URL and limits are used, and whether they can be: checked before any request.

What belongs here: settings of the client, from arguments and the environment variables of the official SDKs.
What does not: which server is meant (`access.py`), and what the API thinks of a key (`refusals.py`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn
from urllib.parse import SplitResult, urlsplit

from connectors.openai_conversations.access import KEY, URL, Access, find_access
from connectors.openai_conversations.errors import ConfigurationError
from connectors.openai_conversations.protocol import DEFAULT_BASE_URL

_RANGES: Final[dict[str, tuple[int, int] | tuple[float, float]]] = {
    "max_retries": (0, 100),
    "timeout": (0.001, 86_400.0),
    "read_timeout": (0.001, 86_400.0),
    "connect_timeout": (0.001, 86_400.0),
    "requests_per_second": (0.001, 10_000.0),
    "max_in_flight": (1, 10_000),
    "network_patience": (0.0, 86_400.0),
}
"""The least and the most that each of the client's numbers may be; whole numbers where these are."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Whom to ask, and as whom. The key is in no repr."""

    access: Access
    base_url: str
    """Without a trailing slash."""
    host: str
    """The host to name in messages, with its port if the base URL has one."""
    is_openai: bool
    """Whether the host is OpenAI's own, global or regional."""
    api_key: str = field(repr=False)
    organization: str | None = None
    project: str | None = None


def read_settings(
    environment: Mapping[str, str],
    *,
    api_key: str | None,
    base_url: str | None,
    organization: str | None,
    project: str | None,
    allow_http: bool,
) -> Settings:
    """Return the settings, each from its argument or else the environment; raise ConfigurationError.

    An empty variable counts as unset. `allow_http` lets plain http go to hosts other than this machine.
    """
    access = find_access(environment, api_key=api_key, base_url=base_url)
    try:
        return _read_settings(environment, access, organization, project, allow_http=allow_http)
    except ConfigurationError as error:
        message = access.named(str(error))
    raise ConfigurationError(message)


def _read_settings(
    environment: Mapping[str, str], access: Access, organization: str | None, project: str | None, *, allow_http: bool
) -> Settings:
    if access.base_url is None:
        _refuse("There is no address of an Azure resource", f"Set {URL} to one like {DEFAULT_BASE_URL}.")
    parts = _split(access.base_url)
    _check_scheme(parts, allow_http=allow_http)
    hostname = parts.hostname or ""
    return Settings(
        access=access,
        base_url=access.base_url.rstrip("/"),
        host=hostname if parts.port is None else f"{hostname}:{parts.port}",
        is_openai=hostname == "api.openai.com" or hostname.endswith(".api.openai.com"),
        api_key=_read_key(access.key),
        organization=_read_id("OPENAI_ORG_ID", organization or environment.get("OPENAI_ORG_ID")),
        project=_read_id("OPENAI_PROJECT_ID", project or environment.get("OPENAI_PROJECT_ID")),
    )


def check_numbers(**numbers: float | None) -> None:
    """Raise ConfigurationError for a number out of its range; only `requests_per_second` may be None: no cap."""
    for name, number in numbers.items():
        least, most = _RANGES[name]
        kinds = int if isinstance(least, int) else (int, float)
        if number is None and name == "requests_per_second":
            continue
        if isinstance(number, bool) or not isinstance(number, kinds) or not least <= number <= most:
            what = "a whole number" if kinds is int else "a number"
            _refuse(f"{name} cannot be used as it is", f"Set it to {what} from {least:,} to {most:,}.")


def _read_key(key: str | None) -> str:
    if not key:
        _refuse("There is no API key", f"Set {KEY}.")
    if not _is_header_word(key):
        _refuse(
            "The API key holds a space, a control character or a non-ASCII character",
            f"Set {KEY} to the key alone, without quotes or a line break.",
        )
    return key


def _read_id(name: str, value: str | None) -> str | None:
    if value and not _is_header_word(value):
        _refuse(f"{name} holds a space, a control character or a non-ASCII character", f"Correct {name}.")
    return value or None


def _is_header_word(text: str) -> bool:
    """Say whether the text may stand in a header as it is: visible ASCII only."""
    return re.fullmatch(r"[\x21-\x7e]+", text) is not None


def _split(url: str) -> SplitResult:
    """Return the parts of a base URL; it is never quoted in an error, since it may hold a password."""
    advice = f"Set {URL} to an address like {DEFAULT_BASE_URL}."
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        _refuse("The base URL cannot be read", advice)
    if any(character.isspace() or not character.isprintable() for character in url):
        _refuse("The base URL holds a space or a control character", advice)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        _refuse("The base URL does not begin with https:// and a host", advice)
    if parts.username is not None or parts.password is not None:
        # It would be sent instead of the key.
        _refuse("The base URL holds a user name or password", advice)
    if "?" in url or "#" in url:
        _refuse("The base URL holds a query or fragment", advice)
    return parts


def _check_scheme(parts: SplitResult, *, allow_http: bool) -> None:
    hostname = parts.hostname or ""
    if parts.scheme == "http" and not allow_http and not _is_loopback(hostname):
        _refuse(
            f"Plain http to {hostname} would send the API key and all conversations unencrypted",
            "Use https, or allow plain http explicitly.",
        )


def _is_loopback(hostname: str) -> bool:
    if hostname == "localhost" or hostname.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return False


def _refuse(what: str, advice: str) -> NoReturn:
    message = f"{what}. {advice}"
    # Without the cause: `urlsplit` quotes what it could not read.
    raise ConfigurationError(message) from None
