"""Which tools there are, and how the model is set up, as it changes within a conversation."""

from models.item_type import ItemType
from models.parts import CALL_ID, CREATED_BY, ROLES, USUAL_STATUSES
from models.shape import boolean, definitions, free_form, member, nested, text, texts

_EXECUTION = text("execution", "Who searched for tools.", "server", "client")
_TOOLS = definitions(
    "tools",
    "Tools as they were defined.",
    text(
        "type",
        "Kind of tool.",
        "function",
        "file_search",
        "computer",
        "computer_use_preview",
        "web_search",
        "web_search_2025_08_26",
        "mcp",
        "code_interpreter",
        "programmatic_tool_calling",
        "image_generation",
        "local_shell",
        "shell",
        "custom",
        "namespace",
        "tool_search",
        "web_search_preview",
        "web_search_preview_2025_03_11",
        "apply_patch",
    ),
    text("name", "Name of the function, custom tool or namespace."),
    text("description", "What the tool is for, as the model is told."),
    text("server_label", "Name of the MCP server."),
    boolean("strict", "Whether arguments must follow the schema."),
    boolean("async", "Whether the model goes on without waiting for the output."),
    boolean("defer_loading", "Whether the tool is loaded only when a tool search finds it."),
    texts("allowed_callers", "What may call the tool: direct, programmatic."),
)

TOOL_SEARCH_CALL = ItemType(
    "tool_search_call",
    "A search for tools.",
    (CALL_ID, _EXECUTION, free_form("arguments", "What was searched for: anything."), CREATED_BY),
    USUAL_STATUSES,
)
TOOL_SEARCH_OUTPUT = ItemType(
    "tool_search_output",
    "The tools that a search found.",
    (CALL_ID, _EXECUTION, _TOOLS, CREATED_BY),
    USUAL_STATUSES,
)
ADDITIONAL_TOOLS = ItemType(
    "additional_tools",
    "Tools that are available from here on.",
    (text("role", "Who added the tools.", *ROLES), _TOOLS),
)
CONFIGURATION_UPDATE = ItemType(
    "configuration_update",
    "Settings of the model that hold from here on.",
    (
        nested(
            "reasoning",
            "Settings of reasoning.",
            text("effort", "How much to reason.", "none", "minimal", "low", "medium", "high", "xhigh", "max"),
        ),
        nested(
            "text",
            "Settings of the answer.",
            nested(
                "format",
                "Form of the answer.",
                member("text"),
                member(
                    "json_schema",
                    text("name", "Name of the schema."),
                    free_form("schema", "The JSON schema that the answer follows."),
                    text("description", "What the answer's form is for."),
                    boolean("strict", "Whether the answer must follow the schema."),
                ),
            ),
        ),
    ),
)
