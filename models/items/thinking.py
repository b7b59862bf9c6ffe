"""What the model keeps to itself: reasoning, and conversations made shorter."""

from models.item_type import ItemType
from models.parts import CREATED_BY, USUAL_STATUSES, joined_text
from models.shape import member, rows, text

_ENCRYPTED = text(
    "encrypted_content", "The content, encrypted anew on every read; there only if include[] asked for it."
)

REASONING = ItemType(
    "reasoning",
    "The model thinking.",
    (
        rows("summary", "Summaries of what the model thought.", member("summary_text", text("text", "The summary."))),
        rows("content", "What the model thought.", member("reasoning_text", text("text", "The thought."))),
        _ENCRYPTED,
    ),
    USUAL_STATUSES,
    (joined_text('e."summary"', "The summaries of the thought."),),
)
COMPACTION = ItemType(
    "compaction",
    "Everything before this item, made shorter and encrypted.",
    (text("encrypted_content", "The content, encrypted anew on every read."), CREATED_BY),
)
