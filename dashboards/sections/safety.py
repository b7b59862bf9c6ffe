"""Safety: refusals, moderation and safety checks, and what followed them."""

from dashboards import charts
from dashboards.figures import Column, Data, Figure, Section, parts

EVENTS = Data(
    "safety",
    """select happened_at::date as day, kind, coalesce(tool, '(message)') as about,
    case when code is null then '(none)' when regexp_full_match(code, '[a-z0-9_]{1,48}') then code else '(other)' end
        as code,
    count(*) as event_count, count(*) filter (kind = 'refusal') as refusal_count,
    count(*) filter (kind = 'moderation') as moderation_count, count(*) filter (kind = 'safety_check') as check_count,
    count(*) filter (is_acknowledged) as acknowledged_count, count(*) filter (is_user_back) as back_count,
    count(*) filter (is_answered_later) as answered_count, count(distinct conversation_id) as conversation_count
from analytics.safety_events
group by all""",
    keys=("day", "kind", "about", "code"),
)
FOLLOWED = Data(
    "followed",
    """select happened_at::date as day, kind, count(*) as event_count,
    count(*) filter (followed_by in ('answer', 'commentary')) as answer_count,
    count(*) filter (followed_by = 'refusal') as refusal_count,
    count(*) filter (followed_by in ('same_tool', 'other_tool')) as tool_count,
    count(*) filter (followed_by = 'user') as user_count, count(*) filter (followed_by = 'nothing') as nothing_count
from analytics.safety_events
group by all""",
    keys=("day", "kind"),
)
MESSAGES = Data(
    "safety_messages",
    """select happened_at::date as day, kind, left(message, 200) as message, count(*) as event_count,
    min(conversation_id) as example_conversation_id
from analytics.safety_events
where message is not null
group by all
order by event_count desc, kind, message
limit 100""",
    keys=("day", "kind", "message"),
    is_example=True,
)
_KINDS = {
    "refusal_count": ("refusals", "refused"),
    "moderation_count": ("moderation", "bad"),
    "check_count": ("safety checks", "late"),
}
_NEXT = {
    "answer_count": ("an answer", "good"),
    "tool_count": ("a tool", "main"),
    "user_count": ("the user", "time"),
    "refusal_count": ("a refusal", "refused"),
    "nothing_count": ("nothing", "unknown"),
}
_NONE = "No refusal, no moderation, no safety check."

SECTION = Section(
    "safety",
    "Safety",
    "Where the model or a policy said no or wait, over what, and what came of it.",
    (
        Figure(
            "safety-over-time",
            "Events over time",
            "How often, and is it more than before?",
            EVENTS,
            (Column("period", "When", "text"), Column("event_count", "Events"), *parts(_KINDS)),
            "{event_count} events.",
            _NONE,
            charts.over_time(_KINDS, "events"),
        ),
        Figure(
            "followed",
            "What came next",
            "Does the work go on?",
            FOLLOWED,
            (Column("kind", "Kind", "text"), Column("event_count", "Events"), *parts(_NEXT)),
            "{event_count} events, by what stands after them in the list: a heuristic.",
            _NONE,
            charts.by_key("kind", _NEXT, "events"),
            order="-event_count",
        ),
        Figure(
            "safety-codes",
            "By kind and code",
            "Over what?",
            EVENTS,
            (
                Column("kind", "Kind", "text"),
                Column("about", "About", "text"),
                Column("code", "Code", "text"),
                Column("event_count", "Events", "bar"),
                Column("acknowledged_count", "Acknowledged"),
                Column("back", "User came back (95 % bounds)", "share"),
                Column("answered", "Answered later (95 % bounds)", "share"),
            ),
            "{event_count} events; after {back_count} of them the user spoke again, after {answered_count} an answer "
            "came.",
            _NONE,
            rates={"back": ("back_count", "event_count"), "answered": ("answered_count", "event_count")},
            order="-event_count",
            limit=20,
            is_wide=True,
        ),
        Figure(
            "safety-messages",
            "In words",
            "What was said?",
            MESSAGES,
            (
                Column("kind", "Kind", "text"),
                Column("message", "Words", "text"),
                Column("event_count", "Events", "bar"),
                Column("example_conversation_id", "Conversation", "id"),
            ),
            "{event_count} events with words; the 100 most frequent are kept.",
            "No event has words.",
            order="-event_count",
            limit=30,
            is_wide=True,
        ),
    ),
)
