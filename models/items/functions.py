"""Tools that the client runs itself: the model's calls of functions and custom tools, and what was sent back."""

from models.item_type import ItemType
from models.parts import CALL_ID, CALLER, CREATED_BY, NAMESPACE, OUTPUT_PARTS, USUAL_STATUSES
from models.shape import boolean, text, text_or_rows

_ASYNC = boolean("async", "Whether the model goes on without waiting for the output.")

FUNCTION_CALL = ItemType(
    "function_call",
    "A call of one of the client's functions.",
    (
        text("name", "Name of the function."),
        NAMESPACE,
        CALL_ID,
        text("arguments", "Arguments as the model wrote them: mostly JSON, but nobody promises that it is valid."),
        _ASYNC,
        CALLER,
        CREATED_BY,
    ),
    USUAL_STATUSES,
)
FUNCTION_CALL_OUTPUT = ItemType(
    "function_call_output",
    "What a function of the client gave back.",
    (
        CALL_ID,
        text_or_rows("output", "What the function gave back.", *OUTPUT_PARTS),
        text("name", "Name of the function."),
        NAMESPACE,
        CALLER,
        CREATED_BY,
    ),
    USUAL_STATUSES,
)
CUSTOM_TOOL_CALL = ItemType(
    "custom_tool_call",
    "A call of one of the client's custom tools, whose input is free text.",
    (
        text("name", "Name of the custom tool."),
        NAMESPACE,
        CALL_ID,
        text("input", "Input as the model wrote it."),
        _ASYNC,
        CALLER,
    ),
    USUAL_STATUSES,
)
CUSTOM_TOOL_CALL_OUTPUT = ItemType(
    "custom_tool_call_output",
    "What a custom tool of the client gave back.",
    (CALL_ID, text_or_rows("output", "What the custom tool gave back.", *OUTPUT_PARTS), CALLER),
)
