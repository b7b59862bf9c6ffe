"""What happened: the warehouse's own version, its runs, and the problems they met. Never the content of an item."""

from models.table import Column, Table

SCHEMA_VERSION = 4
"""Version of the schemas `raw` and `ops`; a change of theirs is a migration, and a new number."""
_LAST = "UTC; NULL while it goes on."

WAREHOUSE = Table(
    "ops",
    "warehouse",
    "The warehouse itself. One row.",
    (
        Column("schema_version", "INTEGER", "Version of the schemas raw and ops."),
        Column("declarations", "VARCHAR", "Which declarations built it: SHA-256 by item type, as JSON."),
        Column(
            "data_version",
            "BIGINT",
            "Grows with every commit that changed data; a snapshot has the same or less.",
        ),
        Column("created_at", "TIMESTAMP", "When the warehouse was created, UTC."),
        Column("rebuilt_at", "TIMESTAMP", "When typed tables were last made anew from raw, UTC; NULL if never."),
    ),
    key=("schema_version",),
)
RUNS = Table(
    "ops",
    "runs",
    "Executions of the sync. One row per run.",
    (
        Column("run_id", "VARCHAR", "The run."),
        Column("started_at", "TIMESTAMP", "When it began, UTC."),
        Column("finished_at", "TIMESTAMP", f"When it ended, {_LAST}"),
        Column("status", "VARCHAR", "running, done, partial (some conversations failed), or stopped (see error)."),
        Column("error", "VARCHAR", "Why the run stopped; NULL if it did not."),
        Column("conversations_asked", "BIGINT", "Conversations that were asked for items."),
        Column("conversations_grown", "BIGINT", "Conversations that had new items."),
        Column("conversations_failed", "BIGINT", "Conversations that could not be pulled."),
        Column("items_new", "BIGINT", "Items stored for the first time, or again after a deletion."),
        Column("items_changed", "BIGINT", "Items replaced because their content had changed."),
        Column("items_deleted", "BIGINT", "Items found gone from the list."),
        Column("requests", "BIGINT", "HTTP requests, retries included."),
        Column("retries", "BIGINT", "Requests that were repetitions of a failed one."),
        Column("rate_limited", "BIGINT", "Answers 429."),
        Column("received_bytes", "BIGINT", "Bytes of the answers' bodies."),
        Column(
            "scope",
            "VARCHAR",
            "What was asked: active conversations; all, missing and forbidden ones too; due; chosen; reconcile: whole "
            "lists.",
        ),
        Column("conversations_verified", "BIGINT", "Conversations whose whole list was compared with what is stored."),
        Column(
            "reconcile_requests", "BIGINT", "Of the requests, those that listed conversations anew to compare them."
        ),
        Column("publish_ms", "BIGINT", "Milliseconds that copying the snapshot took; NULL if none was published."),
    ),
    key=("run_id",),
)
PROBLEMS = Table(
    "ops",
    "problems",
    "Troubles of single conversations. One row per conversation and kind; closed by a later success.",
    (
        Column("conversation_id", "VARCHAR", "The conversation."),
        Column("kind", "VARCHAR", "Kind of trouble: the error's name, duplicate_id or order_changed."),
        Column("message", "VARCHAR", "What happened and what to do; never an item's content."),
        Column("first_seen_at", "TIMESTAMP", "When it was first met, UTC."),
        Column("last_seen_at", "TIMESTAMP", "When it was last met, UTC."),
        Column("occurrences", "BIGINT", "How often it was met."),
        Column("closed_at", "TIMESTAMP", "When it was over, UTC; NULL while it is open."),
        Column("run_id", "VARCHAR", "The run that met it last."),
    ),
    key=("conversation_id", "kind"),
)
DRIFT = Table(
    "ops",
    "drift",
    "Where items differ from what is declared: new types, fields, values. One row per type, path, kind and word.",
    (
        Column("type", "VARCHAR", "The item's type; (none) if it has none."),
        Column("path", "VARCHAR", "Where in the item; [] is each element of a list, () the form of a union."),
        Column(
            "kind",
            "VARCHAR",
            "unknown_type, unknown_field, unknown_form (union), unknown_value (enum), wrong_type, unreadable.",
        ),
        Column("seen", "VARCHAR", "The JSON type or the API's word that was not expected; never an item's content."),
        Column(
            "occurrences",
            "BIGINT",
            "In how many items, counted whenever one is received; a rebuild counts those that are there.",
        ),
        Column("first_seen_at", "TIMESTAMP", "When the first such item was first received, UTC."),
        Column("last_seen_at", "TIMESTAMP", "When the latest such item was received, UTC."),
        Column("example_conversation_id", "VARCHAR", "The conversation of one such item; NULL if it was forgotten."),
        Column("example_item_id", "VARCHAR", "One such item; NULL if its conversation was forgotten."),
    ),
    key=("type", "path", "kind", "seen"),
)
FORGOTTEN = Table(
    "ops",
    "forgotten",
    "Conversations that were erased and are not taken in again. One row per conversation, without its ID.",
    (
        Column("conversation_sha256", "VARCHAR", "SHA-256 of the conversation's ID, hex."),
        Column("forgotten_at", "TIMESTAMP", "When it was forgotten, UTC."),
        Column("erased_at", "TIMESTAMP", "When it was gone from the warehouse's files, UTC; NULL until then."),
    ),
    key=("conversation_sha256",),
)
TABLES = (WAREHOUSE, RUNS, PROBLEMS, DRIFT, FORGOTTEN)
