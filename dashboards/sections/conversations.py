"""Conversations and turns over time: how much there is, how it ends, how long people wait."""

from dashboards import charts
from dashboards.figures import Column, Data, Figure, Section, Tile, parts

TURNS = Data(
    "turns",
    """select started_at::date as day, count(*) as turn_count,
    count(*) filter (ended_state = 'answered') as answered_count,
    count(*) filter (ended_state = 'awaiting_user') as awaiting_user_count,
    count(*) filter (ended_state = 'awaiting_approval') as awaiting_approval_count,
    count(*) filter (ended_state = 'open_call') as open_call_count,
    count(*) filter (ended_state = 'error') as error_count,
    count(*) filter (ended_state = 'incomplete') as incomplete_count,
    answered_count + awaiting_user_count as replied_count,
    count(*) filter (ended_state_method = 'heuristic') as heuristic_count,
    count(answer_ms) as timed_count
from analytics.turns
group by all""",
    keys=("day",),
)
CONVERSATIONS = Data(
    "conversations",
    """select first_item_at::date as day, coalesce(ended_state, 'empty') as state, count(*) as conversation_count,
    sum(turn_count)::bigint as turn_count, sum(turn_step_count)::bigint as step_count,
    sum(call_count)::bigint as call_count, sum(failed_call_count)::bigint as failed_count,
    sum(decided_call_count)::bigint as decided_count,
    count(*) filter (ended_state_method = 'heuristic') as heuristic_count
from analytics.conversation_summary
group by all""",
    keys=("day", "state"),
)
ANSWERS = Data(
    "answers",
    "select started_at::date as day, answer_ms from analytics.turns where answer_ms is not null",
    keys=("day",),
    value="answer_ms",
)
STEPS = Data(
    "steps",
    """select started_at::date as day, case when step_count < 10 then step_count::varchar else '10+' end as steps,
    count(*) as turn_count, count(*) filter (ended_state in ('answered', 'awaiting_user')) as replied_count
from analytics.turns
group by all""",
    keys=("day", "steps"),
)
FUNNEL = Data(
    "funnel",
    """with days as (from analytics.engagement_funnel where metadata_key is null),
counted as (
    select day, unnest([
        {'place': 1, 'step': 'begun', 'conversation_count': conversation_count},
        {'place': 2, 'step': 'with a turn', 'conversation_count': with_turn_count},
        {'place': 3, 'step': 'used a tool', 'conversation_count': used_tool_count},
        {'place': 4, 'step': 'a tool succeeded', 'conversation_count': tool_ok_count},
        {'place': 5, 'step': 'answered', 'conversation_count': answered_count},
        {'place': 6, 'step': 'followed up', 'conversation_count': followed_up_count},
        {'place': 7, 'step': 'left after an error', 'conversation_count': abandoned_count}
    ], recursive := true)
    from days
)
select day, step, case when place < 7 then conversation_count else 0 end as there_count,
    case when place = 7 then conversation_count else 0 end as left_count
from counted
order by place, day""",
    keys=("day", "step"),
)
HOURS = Data(
    "hours",
    """select ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][weekday] as weekday, hour::varchar as hour, turn_count,
    answered_count
from analytics.hour_of_week
where hour_of_week is not null
order by hour_of_week""",
    keys=("weekday", "hour"),
)
_FUNNEL = {"there_count": ("came so far", "main"), "left_count": ("left", "bad")}
_STATES = {
    "answered_count": ("answered", "good"),
    "awaiting_user_count": ("asks back", "main"),
    "awaiting_approval_count": ("awaits approval", "refused"),
    "open_call_count": ("open call", "open"),
    "error_count": ("error", "bad"),
    "incomplete_count": ("incomplete", "late"),
}
_NO_TURNS = "No user has written anything yet."

TILES = (
    Tile("Conversations begun", CONVERSATIONS, "conversation_count", "{call_count} calls in them"),
    Tile("Turns", TURNS, "turn_count", "one per user message"),
    Tile(
        "Turns with an answer",
        TURNS,
        "answered_rate",
        "{replied_count} of {turn_count}; {heuristic_count/turn_count} of the ends told by a heuristic",
        form="share",
        rate=("replied_count", "turn_count"),
        is_better="up",
    ),
    Tile("Time to answer, median", ANSWERS, "p50_ms", "of {count} timed turns", "ms", quantile=0.5, is_better="down"),
)

SECTION = Section(
    "conversations",
    "Conversations and turns",
    "How much people ask, whether they get an answer, and how long it takes. A turn is a user message and what follows "
    "it.",
    (
        Figure(
            "turns-over-time",
            "Turns over time, by how they ended",
            "How much is asked, and do turns end with an answer?",
            TURNS,
            (Column("period", "When", "text"), Column("turn_count", "Turns"), *parts(_STATES)),
            "{turn_count} turns; answered or asked back: {replied_count/turn_count}. How it ended is told by a "
            "heuristic for {heuristic_count} of them, by fields of the API for the others.",
            _NO_TURNS,
            charts.over_time(_STATES, "turns"),
            is_wide=True,
        ),
        Figure(
            "conversations-over-time",
            "Conversations begun",
            "Do more people, or more jobs, begin to talk to it?",
            CONVERSATIONS,
            (
                Column("period", "Begun", "text"),
                Column("conversation_count", "Conversations"),
                Column("turn_count", "Their turns"),
                Column("step_count", "Their rounds of calls"),
            ),
            "{conversation_count} conversations by the day of their first item, with {turn_count} turns in all.",
            "No conversation is registered yet.",
            charts.over_time({"conversation_count": ("conversations", "main")}, "conversations"),
        ),
        Figure(
            "answer-time",
            "Time to answer",
            "How long do people wait for the answer's first word?",
            ANSWERS,
            (
                Column("period", "When", "text"),
                Column("count", "Timed turns"),
                Column("p50_ms", "Median", "ms"),
                Column("p95_ms", "95th percentile", "ms"),
            ),
            "{count} turns with an answer and usable times, from the user's message to when the answer was begun. "
            "Right within 6 %; the SQL gives it exactly.",
            "No turn has an answer and usable times.",
            charts.times_over_time((("p50_ms", "median"), ("p95_ms", "95 %")), "count", "time to answer"),
            quantiles={"p50_ms": 0.5, "p95_ms": 0.95},
        ),
        Figure(
            "states",
            "How conversations stand",
            "Which wait for somebody, and which broke off?",
            CONVERSATIONS,
            (
                Column("state", "Stands", "text"),
                Column("conversation_count", "Conversations"),
                Column("turn_count", "Turns"),
                Column("failed_count", "Failed calls"),
                Column("decided_count", "Decided calls"),
            ),
            "{conversation_count} conversations by the end of their last turn, told by a heuristic for "
            "{heuristic_count}.",
            "No conversation is registered yet.",
            charts.by_key("state", {"conversation_count": ("conversations", "main")}, "conversations"),
            order="-conversation_count",
        ),
        Figure(
            "steps",
            "Rounds of calls per turn",
            "How far does it go by itself before it answers?",
            STEPS,
            (
                Column("steps", "Rounds", "text"),
                Column("turn_count", "Turns"),
                Column("replied_count", "With an answer"),
                Column("answered_rate", "Share with an answer (95 % bounds)", "share"),
            ),
            "{turn_count} turns; calls made at once are one round. {replied_count/turn_count} ended with an answer.",
            _NO_TURNS,
            charts.steps("steps", "turn_count", "turns", "rounds of calls"),
            rates={"answered_rate": ("replied_count", "turn_count")},
            order="steps",
        ),
        Figure(
            "funnel",
            "How far conversations get",
            "Where do people stop?",
            FUNNEL,
            (Column("step", "Conversations", "text"), *parts(_FUNNEL)),
            "Conversations by the day on which they began. Followed up: the user spoke again after an answer. Left "
            "after an error: the last turn has a call that failed, and no answer.",
            "No conversation is registered yet.",
            charts.by_key("step", _FUNNEL, "conversations"),
        ),
        Figure(
            "hours",
            "Hours of the week",
            "When do people ask?",
            HOURS,
            (Column("weekday", "Day", "text"), Column("hour", "Hour (UTC)", "text"), Column("turn_count", "Turns")),
            "{turn_count} turns by the hour (UTC) in which they began; the stronger the colour, the more.",
            _NO_TURNS,
            charts.week("turn_count", "turns"),
        ),
    ),
)
