"""What the API refuses, and in which words. No HTTP: status and headers are values that the app passes on."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

KEYS_PAGE: Final = "https://platform.openai.com/account/api-keys"
_MASK_FROM_CHARS: Final = 12
_AUTHENTICATE: Final = {"WWW-Authenticate": 'Bearer realm="OpenAI API"'}


class ApiError(Exception):
    """One refused request, with the four fields of an error body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keeps the fields, and the headers that go with them."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.param = param
        self.code = code
        self.headers = headers

    def body(self) -> dict[str, Any]:
        """The response body, always with all four keys."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }


def no_such_conversation(conversation_id: str) -> ApiError:
    """The conversation never was, or was deleted: the API does not tell which."""
    return ApiError(404, f"Conversation with id '{conversation_id}' not found.")


def no_such_item(item_id: str) -> ApiError:
    """The conversation does not hold this item."""
    return ApiError(404, f"Item with id '{item_id}' not found in conversation.")


def no_such_reference(item_id: str) -> ApiError:
    """Nothing is stored under the ID that an item_reference names."""
    return ApiError(404, f"Item with id '{item_id}' not found.", param="items")


def item_already_there(item_id: str) -> ApiError:
    """An item can be in a conversation only once."""
    return ApiError(400, f"Item with id '{item_id}' is already in the conversation.", param="items")


def unknown_cursor(item_id: str) -> ApiError:
    """The conversation holds no item to go on after."""
    return ApiError(400, f"Invalid 'after': item with id '{item_id}' not found in conversation.", param="after")


def wrong_key(key: str) -> ApiError:
    """The key is not the one expected; only its ends are repeated."""
    message = f"Incorrect API key provided: {mask_key(key)}. You can find your API key at {KEYS_PAGE}."
    return ApiError(401, message, code="invalid_api_key", headers=_AUTHENTICATE)


def no_key() -> ApiError:
    """No bearer key came with the request."""
    message = (
        "You didn't provide an API key. You need to provide your API key in an Authorization header using "
        f"Bearer auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from {KEYS_PAGE}."
    )
    return ApiError(401, message, code="invalid_api_key", headers=_AUTHENTICATE)


def azure_access_denied() -> ApiError:
    """No key, or a wrong one, in Azure's words."""
    message = (
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
        "active subscription and use a correct regional API endpoint for your resource."
    )
    return ApiError(401, message, code="401")


def azure_not_found() -> ApiError:
    """Nothing is at that path, or not in that version, in Azure's words."""
    return ApiError(404, "Resource not found", code="404")


def mask_key(key: str) -> str:
    """A key with its middle starred out; a short one is starred out whole."""
    if len(key) < _MASK_FROM_CHARS:
        return "*" * len(key)
    return f"{key[:3]}{'*' * (len(key) - 7)}{key[-4:]}"


def wrong_type(param: str, expected: str, got: str) -> ApiError:
    """A parameter has another JSON type than it must have."""
    message = f"Invalid type for '{param}': expected {expected}, but got {got} instead."
    return ApiError(400, message, param=param, code="invalid_type")


def wrong_value(param: str, value: str, supported: Sequence[str]) -> ApiError:
    """A parameter has a value that is not in its list."""
    *most, last = (f"'{word}'" for word in supported)
    comma = "," if len(most) > 1 else ""
    message = f"Invalid value: '{value}'. Supported values are: {', '.join(most)}{comma} and {last}."
    return ApiError(400, message, param=param, code="invalid_value")


def too_large(param: str, value: int, maximum: int) -> ApiError:
    """A number is above its maximum."""
    message = f"Invalid '{param}': integer above maximum value. Expected a value <= {maximum}, but got {value} instead."
    return ApiError(400, message, param=param, code="integer_above_max_value")


def too_small(param: str, value: int, minimum: int) -> ApiError:
    """A number is below its minimum."""
    message = f"Invalid '{param}': integer below minimum value. Expected a value >= {minimum}, but got {value} instead."
    return ApiError(400, message, param=param, code="integer_below_min_value")


def too_many(param: str, count: int, maximum: int) -> ApiError:
    """A list is longer than allowed."""
    message = (
        f"Invalid '{param}': array too long. Expected an array with maximum length {maximum}, "
        f"but got an array with length {count} instead."
    )
    return ApiError(400, message, param=param, code="array_above_max_length")


def sent_twice(param: str) -> ApiError:
    """A scalar query parameter came more than once."""
    message = (
        f"Duplicate parameter: '{param}'. You provided multiple values for this parameter, whereas only one "
        "is allowed. If you are trying to provide a list of values, use the array syntax instead "
        f"e.g. '{param}[]=<value>'."
    )
    return ApiError(400, message, param=param, code="duplicate_parameter")


def missing(param: str) -> ApiError:
    """A required parameter is not there."""
    return ApiError(400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def not_json() -> ApiError:
    """The request body cannot be parsed."""
    message = "We could not parse the JSON body of your request. The API expects a JSON object."
    return ApiError(400, message, code="invalid_json")


def no_such_url(method: str, path: str) -> ApiError:
    """Nothing is served under this path."""
    return ApiError(404, f"Invalid URL ({method} {path})")


def not_allowed(method: str, path: str) -> ApiError:
    """The path is served, but not by this method."""
    return ApiError(405, f"Not allowed to {method} on {path}.")


def no_access(conversation_id: str) -> ApiError:
    """The conversation is there, but not for this key."""
    return ApiError(403, f"You do not have access to the conversation with id '{conversation_id}'.")


def rate_limited(headers: Mapping[str, str]) -> ApiError:
    """Too many requests just now; the headers say how long to wait, if anything does."""
    message = "Rate limit reached for requests."
    return ApiError(429, message, type="requests", code="rate_limit_exceeded", headers=headers)


def quota_exceeded() -> ApiError:
    """The account has no credit left."""
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
    )
    return ApiError(429, message, type="insufficient_quota", code="insufficient_quota")


def server_failed() -> ApiError:
    """The server did not get on with the request."""
    message = "The server had an error while processing your request. Sorry about that!"
    return ApiError(500, message, type="server_error")


def overloaded(headers: Mapping[str, str]) -> ApiError:
    """The server has too much to do."""
    return ApiError(503, "The server is overloaded, please try again later.", type="server_error", headers=headers)
