"""Which server is asked, and as whom: the same as the official SDK's Azure client with the same variables."""

import asyncio

import httpx
import httpx2
import openai
import pytest

from connectors.openai_conversations import (
    AuthenticationError,
    ConfigurationError,
    ConversationsClient,
    MalformedResponseError,
    TransportError,
)
from connectors.openai_conversations.access import find_access

ENDPOINT = "https://name.openai.azure.com"
AZURE = {"AZURE_OPENAI_ENDPOINT": ENDPOINT, "AZURE_OPENAI_API_KEY": "azure-key"}
Asked = tuple[str, str | None, str | None]


@pytest.mark.parametrize(
    ("environment", "url", "key", "has_bearer"),
    [
        ({}, "https://api.openai.com/v1", None, True),
        ({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://localhost/v1"}, "http://localhost/v1", "k", True),
        (AZURE, f"{ENDPOINT}/openai/v1", "azure-key", False),
        (AZURE | {"AZURE_OPENAI_ENDPOINT": f"{ENDPOINT}/"}, f"{ENDPOINT}/openai/v1", "azure-key", False),
        (AZURE | {"AZURE_OPENAI_ENDPOINT": f"{ENDPOINT}/openai/v1/"}, f"{ENDPOINT}/openai/v1", "azure-key", False),
        (AZURE | {"OPENAI_API_VERSION": "preview"}, f"{ENDPOINT}/openai/v1", "azure-key", False),
        (AZURE | {"OPENAI_API_VERSION": "2025-11-15-preview"}, f"{ENDPOINT}/openai", "azure-key", False),
        (AZURE | {"AZURE_OPENAI_AD_TOKEN": "token"}, f"{ENDPOINT}/openai/v1", "token", True),
        (AZURE | {"OPENAI_BASE_URL": "http://localhost/v1"}, f"{ENDPOINT}/openai/v1", "azure-key", False),
        ({"AZURE_OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"{ENDPOINT}/x"}, f"{ENDPOINT}/x", "k", False),
        (AZURE | {"OPENAI_API_KEY": "k", "OPENAI_API_TYPE": "azure"}, f"{ENDPOINT}/openai/v1", "azure-key", False),
        (AZURE | {"OPENAI_API_KEY": "k", "OPENAI_API_TYPE": "openai"}, "https://api.openai.com/v1", "k", True),
        (AZURE | {"OPENAI_API_KEY": ""}, f"{ENDPOINT}/openai/v1", "azure-key", False),
        ({"AZURE_OPENAI_ENDPOINT": "", "OPENAI_API_KEY": "k"}, "https://api.openai.com/v1", "k", True),
    ],
)
def test_variables_name_server_and_credential(
    environment: dict[str, str], url: str, key: str | None, has_bearer: bool
) -> None:
    found = find_access(environment, api_key=None, base_url=None)
    assert (found.base_url, found.key, found.has_bearer) == (url, key, has_bearer)


def test_arguments_come_before_variables() -> None:
    found = find_access(AZURE, api_key=None, base_url="https://other.example/openai/v1")
    assert (found.base_url, found.key) == ("https://other.example/openai/v1", "azure-key")
    assert find_access(AZURE, api_key="mine", base_url=None).base_url == "https://api.openai.com/v1"
    chosen = find_access(AZURE | {"OPENAI_API_TYPE": "azure"}, api_key="mine", base_url=None)
    assert (chosen.key, chosen.has_bearer) == ("mine", False)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (AZURE | {"OPENAI_API_KEY": "sk-key"}, "for OpenAI (OPENAI_API_KEY) and for Azure"),
        (AZURE | {"OPENAI_API_TYPE": "amazon-bedrock"}, "Set it to openai or azure"),
        ({"AZURE_OPENAI_ENDPOINT": ENDPOINT}, "There is no API key. Set AZURE_OPENAI_API_KEY."),
        ({"AZURE_OPENAI_API_KEY": "azure-key"}, "Set AZURE_OPENAI_ENDPOINT to one like https://NAME.openai.azure.com."),
        (AZURE | {"AZURE_OPENAI_ENDPOINT": "name"}, "Set AZURE_OPENAI_ENDPOINT to an address like https://NAME."),
        (AZURE | {"AZURE_OPENAI_AD_TOKEN": "two words"}, "Set AZURE_OPENAI_AD_TOKEN to the key alone"),
        (AZURE | {"AZURE_OPENAI_ENDPOINT": "http://name.example"}, "unencrypted"),
    ],
)
def test_what_cannot_be_used_is_named_and_no_secret_is(
    environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, environment)
    with pytest.raises(ConfigurationError) as caught:
        ConversationsClient()
    assert said in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("azure-key", "sk-key", "two words"))


@pytest.mark.parametrize(
    "more",
    [
        {"OPENAI_API_VERSION": "2025-11-15-preview"},
        {"OPENAI_API_VERSION": "2025-11-15-preview", "AZURE_OPENAI_AD_TOKEN": "token", "OPENAI_ORG_ID": "org_1"},
    ],
)
def test_our_request_is_that_of_the_official_azure_client(
    more: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, AZURE | more)
    recorded: list[tuple[str, dict[str, str]]] = []
    names = ("authorization", "api-key", "openai-organization")
    body = {"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None}

    def theirs(request: httpx2.Request) -> httpx2.Response:
        recorded.append((str(request.url), {name: request.headers.get(name, "") for name in names}))
        return httpx2.Response(200, json=body)

    def ours(request: httpx.Request) -> httpx.Response:
        recorded.append((str(request.url), {name: request.headers.get(name, "") for name in names}))
        return httpx.Response(200, json=body)

    async def ask() -> None:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(theirs)) as theirs_http:
            await openai.AsyncAzureOpenAI(http_client=theirs_http).conversations.items.list("conv_1", limit=100)
        async with httpx.AsyncClient(transport=httpx.MockTransport(ours)) as http:
            await ConversationsClient(http_client=http).items.list("conv_1", limit=100)

    asyncio.run(ask())
    assert recorded[0] == recorded[1]
    assert "api-version=2025-11-15-preview" in recorded[0][0]


def test_the_azure_key_follows_no_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, AZURE)
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(307, headers={"location": "https://elsewhere.example/"})

    with pytest.raises(MalformedResponseError, match="AZURE_OPENAI_ENDPOINT"):
        _list(answer)
    assert asked == ["name.openai.azure.com"]


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (httpx.Response(401, json={"error": {"code": "401"}}), AuthenticationError, "Check AZURE_OPENAI_API_KEY,"),
        (httpx.Response(404, json={"error": {"code": "404"}}), ConfigurationError, "Check AZURE_OPENAI_ENDPOINT"),
        (httpx.ConnectError(""), TransportError, "the proxy and AZURE_OPENAI_ENDPOINT"),
    ],
)
def test_advice_names_the_variables_that_are_used(
    answer: httpx.Response | Exception, kind: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, AZURE)

    def give(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(kind) as caught:
        _list(give)
    assert said in str(caught.value)
    assert "AZURE_AZURE" not in str(caught.value)


def _set(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in ("KEY", "TOKEN", "ENDPOINT"):
        monkeypatch.delenv(f"AZURE_OPENAI_{name}", raising=False)
    for name in ("API_KEY", "BASE_URL", "API_TYPE", "API_VERSION", "ORG_ID", "PROJECT_ID"):
        monkeypatch.delenv(f"OPENAI_{name}", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def _list(answer: object) -> None:
    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:  # type: ignore[arg-type]
            await ConversationsClient(http_client=http, max_retries=0).items.list("conv_1")

    asyncio.run(ask())
