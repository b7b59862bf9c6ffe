"""Tools on MCP servers: which there are, whether they may be called, and the calls."""

from models.item_type import ItemType
from models.parts import COMPLETED, FAILED, IN_PROGRESS, INCOMPLETE
from models.shape import boolean, free_form, integer, member, rows, text, text_or_nested

_SERVER = text("server_label", "Name of the MCP server.")
_NAME = text("name", "Name of the tool.")
_ARGUMENTS = text("arguments", "Arguments as the model wrote them: mostly JSON, but nobody promises that it is valid.")
_REQUEST_ID = text("approval_request_id", "The mcp_approval_request item that asked for approval.")
_CODE = integer("code", "Code of the error.")
_WORDS = text("message", "The error in words.")

MCP_LIST_TOOLS = ItemType(
    "mcp_list_tools",
    "The tools that an MCP server offers.",
    (
        _SERVER,
        rows(
            "tools",
            "The tools that an MCP server offers.",
            _NAME,
            text("description", "What the tool is for, as the model is told."),
            free_form("input_schema", "JSON schema of the tool's arguments."),
            free_form("annotations", "What the server says about the tool beside that: anything."),
        ),
        text("error", "Why the tools could not be listed."),
    ),
)
MCP_APPROVAL_REQUEST = ItemType(
    "mcp_approval_request",
    "The question whether a tool may be called.",
    (_SERVER, _NAME, _ARGUMENTS),
)
MCP_APPROVAL_RESPONSE = ItemType(
    "mcp_approval_response",
    "The answer whether a tool may be called.",
    (
        _REQUEST_ID,
        boolean("approve", "Whether it may."),
        text("reason", "Why, if a reason was given."),
    ),
)
MCP_CALL = ItemType(
    "mcp_call",
    "A call of a tool on an MCP server.",
    (
        _SERVER,
        _NAME,
        _ARGUMENTS,
        _REQUEST_ID,
        text("output", "What the tool gave back."),
        text_or_nested(
            "error",
            "Why the call failed.",
            member("mcp_protocol_error", _CODE, _WORDS),
            member("mcp_tool_execution_error", free_form("content", "What the tool said: anything.")),
            member("http_error", _CODE, _WORDS),
        ),
    ),
    (IN_PROGRESS, COMPLETED, INCOMPLETE, "calling", FAILED),
)
