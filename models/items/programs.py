"""Programs that the model writes to call tools by itself, and code that it runs."""

from models.item_type import ItemType
from models.parts import CALL_ID, COMPLETED, FAILED, IN_PROGRESS, INCOMPLETE
from models.shape import member, payload, rows, text

PROGRAM = ItemType(
    "program",
    "A program that calls tools; the calls name it as their caller.",
    (
        CALL_ID,
        text("code", "The program."),
        text("fingerprint", "The program's fingerprint, encrypted anew on every read."),
    ),
)
PROGRAM_OUTPUT = ItemType(
    "program_output",
    "What a program gave back.",
    (CALL_ID, text("result", "What the program gave back.")),
    (COMPLETED, INCOMPLETE),
)
CODE_INTERPRETER_CALL = ItemType(
    "code_interpreter_call",
    "Code that the API ran in a container.",
    (
        text("code", "The code."),
        text("container_id", "The container that it ran in."),
        rows(
            "outputs",
            "What the code gave; there only if include[] asked for it.",
            member("logs", text("logs", "What the code printed.")),
            member("image", payload("url", "Address of an image that the code made.")),
        ),
    ),
    (IN_PROGRESS, COMPLETED, INCOMPLETE, "interpreting", FAILED),
)
