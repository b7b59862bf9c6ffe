"""Functions of the client: the model's call, and what the client sent back."""

from models.item_type import ItemType
from models.parts import CALL_ID, CALLER, CREATED_BY, NAMESPACE, OUTPUT_PARTS, USUAL_STATUSES
from models.shape import boolean, text, text_or_rows

FUNCTION_CALL = ItemType(
    "function_call",
    "A call of one of the client's functions.",
    (
        text("name", "Name of the function."),
        NAMESPACE,
        CALL_ID,
        text(
            "arguments",
            "Arguments as the model wrote them: mostly JSON, but nobody promises that it is valid.",
        ),
        boolean("async", "Whether the model goes on without waiting for the output."),
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
