"""Health of the ingest: whether the figures below may be trusted."""

from dashboards import charts
from dashboards.figures import Column, Data, Figure, Section, parts

HEALTH = Data(
    "health",
    """with health as (from analytics.ingest_health),
drift as (select count(*) as differences, coalesce(sum(occurrences), 0) as occurrences from analytics.drift)
select state, subject, figure, meaning from (
    select 1 as place, 'Last run' as subject,
        case last_run_status when 'done' then 'good' when 'running' then 'good' when 'partial' then 'warning'
            else 'bad' end as state,
        coalesce(last_run_status || ', ' || strftime(last_run_started_at, '%d %b %Y %H:%M') || ' UTC', 'none')
            as figure,
        'done: all was asked; partial: some conversations failed; stopped: it could not go on' as meaning
    from health
    union all
    select 2, 'Last success',
        case when last_success_age_ms < 86400000 then 'good' when last_success_age_ms < 259200000 then 'warning'
            else 'bad' end,
        coalesce(strftime(last_success_at, '%d %b %Y %H:%M') || ' UTC', 'never'),
        'good within a day, bad after three, against the latest time that the warehouse knows'
    from health
    union all
    select 3, 'Conversations that cannot be pulled',
        case when failing_count + forbidden_count = 0 then 'good' else 'bad' end,
        format('{:,} of {:,}', failing_count + forbidden_count, conversation_count),
        format('{:,} failing, {:,} forbidden; {:,} more are unknown to the API (missing)', failing_count,
            forbidden_count, missing_count)
    from health
    union all
    select 4, 'Troubles that are not over', case when open_problem_count = 0 then 'good' else 'warning' end,
        format('{:,} in {:,} conversations', open_problem_count, problem_conversation_count),
        '`conversations status` lists them and says what to do'
    from health
    union all
    select 5, 'Verified whole',
        case when coalesce(verified_share, 1) >= 0.9 then 'good' else 'warning' end,
        format('{:,} of {:,} active', verified_count, active_count),
        'conversations whose whole list was compared with what is stored, at least once'
    from health
    union all
    select 6, 'Still changing', 'good', format('{:,} conversations', open_tail_count),
        'their last items are not final; they are pulled again'
    from health
    union all
    select 7, 'Answers 429 in 7 days',
        case when coalesce(rate_limited_share, 0) < 0.01 then 'good' when rate_limited_share < 0.1 then 'warning'
            else 'bad' end,
        format('{:,} of {:,} requests', rate_limited_7d_count, request_7d_count),
        'the API said: too many requests; they were repeated'
    from health
    union all
    select 8, 'Items of unknown type', case when unknown_item_count = 0 then 'good' else 'warning' end,
        format('{:,} of {:,}', unknown_item_count, item_count),
        'kept raw; their types are not declared yet'
    from health
    union all
    select 9, 'Differences from what is declared', case when differences = 0 then 'good' else 'warning' end,
        format('{:,} kinds, {:,} times', differences, occurrences::bigint),
        'fields, values or types that the API has added or changed: analytics.drift lists them'
    from drift
    union all
    select 10, 'Items with a usable time',
        case when coalesce(timed_item_share, 1) >= 0.95 then 'good' else 'warning' end,
        format('{:,} of {:,}', timed_item_count, item_count),
        'only these are in any figure over time; the time is read from the ID'
    from health
)
order by place""",
    keys=("state", "subject", "figure", "meaning"),
)
RECEIVED = Data(
    "received",
    """select first_seen_at::date as day, count(*) as item_count,
    count(*) filter (kind = 'message') as message_count,
    count(*) filter (kind in ('call', 'output', 'approval', 'definition')) as tool_count,
    count(*) filter (kind in ('reasoning', 'compaction', 'configuration')) as thinking_count,
    count(*) filter (kind = 'unknown') as unknown_count
from analytics.items
group by all""",
    keys=("day",),
)
_KINDS = {
    "message_count": ("messages", "main"),
    "tool_count": ("tools", "time"),
    "thinking_count": ("reasoning, compaction", "refused"),
    "unknown_count": ("unknown type", "bad"),
}
SECTION = Section(
    "health",
    "Health of the ingest",
    "May these figures be trusted: how fresh, how complete, is anything unknown?",
    (
        Figure(
            "health-checks",
            "Checks",
            "What is in the way?",
            HEALTH,
            (
                Column("state", "State", "state"),
                Column("subject", "Check", "text"),
                Column("figure", "Figure", "text"),
                Column("meaning", "What it means", "text"),
            ),
            "As of the snapshot's latest time; neither range nor tool change it.",
            "Nothing was pulled yet.",
            is_wide=True,
        ),
        Figure(
            "received",
            "Items received",
            "When did the ingest take them in?",
            RECEIVED,
            (Column("period", "Received", "text"), Column("item_count", "Items"), *parts(_KINDS)),
            "{item_count} live items by the day on which they were first received, which is not the day of the "
            "conversation.",
            "No item was received yet.",
            charts.over_time(_KINDS, "items"),
            is_wide=True,
        ),
    ),
)
