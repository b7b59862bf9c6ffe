"""Reasoning and context: how much the model thinks, what of it can be read, and what fills the context."""

from dashboards import charts
from dashboards.figures import Column, Data, Figure, Section, parts

REASONING = Data(
    "reasoning",
    """select started_at::date as day, coalesce(effort, '(not said)') as effort, count(*) as turn_count,
    count(*) filter (reasoning_count > 0) as thinking_turn_count, sum(reasoning_count)::bigint as reasoning_count,
    sum(summarised_count)::bigint as summarised_count, sum(silent_count)::bigint as silent_count,
    sum(reasoning_count - summarised_count - silent_count)::bigint as other_count,
    sum(encrypted_count)::bigint as encrypted_count, sum(orphan_count)::bigint as orphan_count,
    sum(reasoning_ms) filter (time_share is not null) as reasoning_ms,
    sum(duration_ms) filter (time_share is not null) as duration_ms, count(time_share) as timed_turn_count
from analytics.reasoning_effort
group by all""",
    keys=("day", "effort"),
)
CONTEXT = Data(
    "context",
    """select last_item_at::date as day, source, sum(chars - duplicate_chars)::bigint as fresh_chars,
    sum(duplicate_chars)::bigint as duplicate_chars, sum(chars)::bigint as chars,
    sum(piece_count)::bigint as piece_count, sum(textless_count)::bigint as textless_count,
    sum(attachment_count)::bigint as attachment_count,
    sum(attachment_bytes)::bigint as attachment_bytes
from analytics.context_pressure
where is_current
group by all""",
    keys=("day", "source"),
)
FULLEST = Data(
    "fullest",
    """select conversation_id, any_value(window_chars) as chars, max(window_index) as compaction_count,
    sum(duplicate_chars)::bigint as duplicate_chars, sum(attachment_bytes)::bigint as attachment_bytes,
    arg_max(source, chars) as largest_source, sum(estimated_tokens)::bigint as estimated_tokens
from analytics.context_pressure
where is_current
group by conversation_id
order by any_value(window_chars) desc, conversation_id
limit 50""",
    keys=("conversation_id",),
)
_READABLE = {
    "summarised_count": ("with a summary", "main"),
    "other_count": ("other", "open"),
    "silent_count": ("nothing to read", "unknown"),
}
_CONTEXT = {"fresh_chars": ("first time", "main"), "duplicate_chars": ("there before", "late")}

SECTION = Section(
    "thinking",
    "Reasoning and context",
    "How much the model thinks and what of it can be read; what fills the context, and what stands there twice.",
    (
        Figure(
            "reasoning-over-time",
            "Reasoning over time",
            "How much is thought, and can it be read?",
            REASONING,
            (Column("period", "When", "text"), Column("reasoning_count", "Items"), *parts(_READABLE)),
            "{reasoning_count} reasoning items in {thinking_turn_count} of {turn_count} turns; {encrypted_count} hold "
            "the thought in encrypted form, which only the API can read.",
            "Nothing was reasoned about.",
            charts.over_time(_READABLE, "items"),
        ),
        Figure(
            "effort",
            "By effort",
            "What does more effort change?",
            REASONING,
            (
                Column("effort", "Effort", "text"),
                Column("turn_count", "Turns", "bar"),
                Column("thinking", "With reasoning (95 % bounds)", "share"),
                Column("time", "Share of the turns' time", "part"),
                Column("timed_turn_count", "Timed turns"),
                Column("orphan_count", "Thoughts that led nowhere"),
            ),
            "The effort is known where a configuration_update says it; given with a request it leaves no item. The "
            "share of time is a heuristic: the next item stands for a thought's end; {timed_turn_count} turns are "
            "timed.",
            "There is no turn yet.",
            rates={"thinking": ("thinking_turn_count", "turn_count"), "time": ("reasoning_ms", "duration_ms")},
            order="-turn_count",
        ),
        Figure(
            "context",
            "What fills the context",
            "Who or what brings the text that is sent again and again?",
            CONTEXT,
            (
                Column("source", "Source", "text"),
                Column("chars", "Characters"),
                *parts(_CONTEXT),
                Column("piece_count", "Pieces"),
                Column("textless_count", "Without text"),
                Column("attachment_bytes", "Images, files", "bytes"),
            ),
            "{chars} characters since the last compaction of each conversation, {duplicate_chars/chars} of them in "
            "pieces whose text was there before. {textless_count} of {piece_count} pieces have no text and do not "
            "count; the API tells no tokens.",
            "There is no text yet.",
            charts.by_key("source", _CONTEXT, "characters"),
            order="-chars",
        ),
        Figure(
            "fullest",
            "Fullest contexts",
            "Which conversations come near the limit?",
            FULLEST,
            (
                Column("conversation_id", "Conversation", "id"),
                Column("chars", "Characters", "bar"),
                Column("estimated_tokens", "Estimated tokens"),
                Column("duplicate_chars", "There before"),
                Column("largest_source", "Most from", "text"),
                Column("compaction_count", "Compactions"),
            ),
            "The 50 fullest, since their last compaction. Estimated tokens: a quarter of the characters.",
            "There is no text yet.",
            order="-chars",
            limit=12,
        ),
    ),
)
