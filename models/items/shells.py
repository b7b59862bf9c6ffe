"""Commands in a shell, and changes to files: what the model wants run, and what came of it."""

from models.item_type import ItemType
from models.parts import CALL_ID, CALLER, COMPLETED, CREATED_BY, FAILED, IN_PROGRESS, USUAL_STATUSES
from models.shape import free_form, integer, member, nested, rows, text, texts

_TIMEOUT = integer("timeout_ms", "Milliseconds that it may take.")
_MAX_OUTPUT = integer("max_output_length", "Characters of output that are kept.")
_PATH = text("path", "The file.")
_DIFF = text("diff", "The change, as a diff.")

LOCAL_SHELL_CALL = ItemType(
    "local_shell_call",
    "A command that the client is to run.",
    (
        CALL_ID,
        nested(
            "action",
            "The command.",
            member(
                "exec",
                texts("command", "Program and arguments."),
                free_form("env", "Environment variables: any names."),
                _TIMEOUT,
                text("user", "User to run as."),
                text("working_directory", "Directory to run in."),
            ),
        ),
    ),
    USUAL_STATUSES,
)
LOCAL_SHELL_CALL_OUTPUT = ItemType(
    "local_shell_call_output",
    "What a command of the client gave back.",
    (text("output", "What the command gave back: JSON, as the client wrote it."),),
    USUAL_STATUSES,
)
SHELL_CALL = ItemType(
    "shell_call",
    "Commands to run in a shell, in a container of the API or at the client.",
    (
        CALL_ID,
        nested("action", "The commands.", texts("commands", "The commands."), _TIMEOUT, _MAX_OUTPUT),
        nested(
            "environment",
            "Where to run them; may be missing.",
            member("local"),
            member("container_reference", text("container_id", "The container to run in.")),
        ),
        CALLER,
        CREATED_BY,
    ),
    USUAL_STATUSES,
)
SHELL_CALL_OUTPUT = ItemType(
    "shell_call_output",
    "What the commands gave back.",
    (
        CALL_ID,
        _MAX_OUTPUT,
        rows(
            "output",
            "What each command gave back.",
            text("stdout", "Standard output."),
            text("stderr", "Standard error."),
            nested(
                "outcome",
                "How the command ended.",
                member("timeout"),
                member("exit", integer("exit_code", "Exit code; 0 is success.")),
            ),
            CREATED_BY,
        ),
        CALLER,
        CREATED_BY,
    ),
    USUAL_STATUSES,
)
APPLY_PATCH_CALL = ItemType(
    "apply_patch_call",
    "A change to a file that the client is to make.",
    (
        CALL_ID,
        nested(
            "operation",
            "The change.",
            member("create_file", _PATH, _DIFF),
            member("delete_file", _PATH),
            member("update_file", _PATH, _DIFF),
        ),
        CALLER,
        CREATED_BY,
    ),
    (IN_PROGRESS, COMPLETED),
)
APPLY_PATCH_CALL_OUTPUT = ItemType(
    "apply_patch_call_output",
    "What came of a change to a file.",
    (CALL_ID, text("output", "What the client said about it."), CALLER, CREATED_BY),
    (COMPLETED, FAILED),
)
