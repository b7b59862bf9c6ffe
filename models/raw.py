"""The facts: the registry of conversations, and every item as it was received. All else is derived from these."""

from models.item_type import ITEM_KEY
from models.table import Column, Table

CONVERSATIONS = Table(
    "raw",
    "conversations",
    "The registry: every conversation we know, and how far it has been pulled. One row per conversation.",
    (
        Column("conversation_id", "VARCHAR", "The conversation."),
        Column("created_at", "TIMESTAMP", "When it was created, UTC, as the API says; NULL until first asked."),
        Column("metadata", "JSON", "Its metadata, as the API says; NULL until first asked."),
        Column("source", "VARCHAR", "Where its ID came from."),
        Column("registered_at", "TIMESTAMP", "When its ID was registered, UTC."),
        Column("cursor_item_id", "VARCHAR", "The last item that is stored and will not change."),
        Column("previous_item_id", "VARCHAR", "The item before the cursor: the next pull begins after it."),
        Column("next_position", "BIGINT", "The position that the next new item gets."),
        Column(
            "tail_position",
            "BIGINT",
            "Position of the first stored item past the cursor, which is pulled again; NULL if there is none.",
        ),
        Column("last_polled_at", "TIMESTAMP", "When it was last asked, UTC."),
        Column("last_grown_at", "TIMESTAMP", "When it last had new items, UTC."),
        Column("next_poll_at", "TIMESTAMP", "When it is due again, UTC; NULL: at once."),
        Column(
            "status",
            "VARCHAR",
            "active; missing (unknown to the API); forbidden (our key may not read it); failing (see last_error); "
            "unregistered (no longer pulled).",
        ),
        Column("last_error", "VARCHAR", "Why the last pull of it failed; NULL if it did not."),
        Column(
            "last_verified_at",
            "TIMESTAMP",
            "When its whole list was last compared with what is stored, UTC; NULL if it never was.",
        ),
        Column(
            "missing_since",
            "TIMESTAMP",
            "When the API was first found not to know it, UTC; NULL while it does. Its items stay as they were.",
        ),
    ),
    key=("conversation_id",),
)
ITEMS = Table(
    "raw",
    "items",
    "Every item as received, deleted ones included. One row per item of a conversation.",
    (
        ITEM_KEY[0],
        Column("position", "BIGINT", "Ordinal of the item in its conversation; gaps mean nothing, order does."),
        Column("item_id", "VARCHAR", "The item's ID; ~ and its position where the item has none."),
        Column("is_id_synthetic", "BOOLEAN", "Whether item_id is ours, because the item came without one."),
        Column("type", "VARCHAR", "The item's type, in the API's word; unknown ones too."),
        Column("status", "VARCHAR", "The item's status, if it has one."),
        Column(
            "item_at",
            "TIMESTAMP",
            "When the item was begun, UTC, read from its ID; NULL if it tells no time.",
        ),
        Column("item_at_source", "VARCHAR", "Where item_at comes from: id, or unknown."),
        Column(
            "content_hash",
            "VARCHAR",
            "SHA-256 of the text after emptying encrypted_content and fingerprint, which change on every read.",
        ),
        Column("include_set", "VARCHAR", "What include[] asked for, sorted: it changes what an item holds."),
        Column("first_seen_at", "TIMESTAMP", "When the item was first received, UTC."),
        Column(
            "last_seen_at",
            "TIMESTAMP",
            "When this text of the item was received, UTC; when the whole list last agreed with what is stored, "
            "raw.conversations.last_verified_at tells.",
        ),
        Column(
            "deleted_at",
            "TIMESTAMP",
            "When the item was found gone from the list, UTC; NULL while it is there.",
        ),
        Column("run_id", "VARCHAR", "The run that last wrote the row."),
        Column("raw", "VARCHAR", "The item's JSON, the text as received, without the strings listed in raw.blobs."),
        Column("is_raw_base64", "BOOLEAN", "Whether raw is base64 of the bytes received, which are no UTF-8 text."),
    ),
    key=("conversation_id", "item_id"),
)
BLOBS = Table(
    "raw",
    "blobs",
    "Long payload strings (images, files) cut out of raw.items. One row per string; its bytes are in a file named by "
    "the digest, beside the warehouse.",
    (
        *ITEM_KEY,
        Column("byte_offset", "BIGINT", "Where the string began in the item's text as received, in bytes."),
        Column("byte_length", "BIGINT", "Length of the string as received, in bytes."),
        Column("media_type", "VARCHAR", "Media type, where the string tells it."),
        Column("sha256", "VARCHAR", "SHA-256 of the string as received, hex: the name of its file."),
    ),
    key=("conversation_id", "item_id", "byte_offset"),
)
TABLES = (CONVERSATIONS, ITEMS, BLOBS)
