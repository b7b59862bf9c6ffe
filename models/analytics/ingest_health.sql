-- Grain: one row, always.
-- Question: how fresh and how complete is the warehouse, and what is in its way?
--
-- From `ops` and `raw`. as_of is the latest time that the warehouse knows: the greatest of started_at and finished_at
-- in `ops.runs` and last_polled_at and registered_at in `raw.conversations`; NULL if there is none. Ages are measured
-- against it and not against the reader's clock, so that a snapshot tells the same whenever it is read. The last run is
-- the one with the greatest started_at, then run_id; last_success_at is the greatest finished_at of runs with status
-- done or partial. "7 days": runs whose started_at is later than as_of less 7 days.
--
-- Conversation counts are of `raw.conversations` by status. due: status is not unregistered, and next_poll_at is NULL
-- or not after as_of. Open tails: tail_position is not NULL and status is not unregistered; oldest_open_item_at is the
-- least first_seen_at of live items of these conversations at or after tail_position that is_open (see
-- `analytics.items`). verified_share is verified_count / active_count, where verified_count is active conversations
-- with last_verified_at. Problems: rows of `ops.problems` with closed_at NULL. rate_limited_share is
-- rate_limited_7d_count / request_7d_count. timed_item_share is timed_item_count / item_count. Sums over no run are 0;
-- shares are NULL if their denominator is 0.
--
-- Columns
-- as_of TIMESTAMP: The latest time that the warehouse knows, UTC: ages are measured against it.
-- last_run_id VARCHAR: The run begun last; NULL if there was none.
-- last_run_status VARCHAR: Its status: running, done, partial, stopped.
-- last_run_started_at TIMESTAMP: When it began, UTC.
-- last_run_finished_at TIMESTAMP: When it ended, UTC; NULL while it goes on, or if it was killed.
-- last_success_at TIMESTAMP: When a run last ended done or partial, UTC.
-- last_success_age_ms DOUBLE: Milliseconds from then to as_of.
-- last_first_seen_at TIMESTAMP: When an item was last received for the first time, UTC.
-- conversation_count BIGINT: Conversations of the registry.
-- active_count BIGINT: Conversations that are active.
-- missing_count BIGINT: Conversations that the API does not know.
-- forbidden_count BIGINT: Conversations that our key may not read.
-- failing_count BIGINT: Conversations that could not be pulled.
-- unregistered_count BIGINT: Conversations that are no longer pulled.
-- never_polled_count BIGINT: Conversations that were never asked, unregistered ones left out.
-- due_count BIGINT: Conversations that are due at as_of.
-- open_tail_count BIGINT: Conversations whose last items may still change.
-- oldest_open_item_at TIMESTAMP: When the oldest item that is still being made was first received, UTC; NULL if none
--   is.
-- verified_count BIGINT: Active conversations whose whole list was compared with what is stored, at least once.
-- verified_share DOUBLE: verified_count / active_count.
-- oldest_verified_at TIMESTAMP: The least last_verified_at of active conversations, UTC.
-- open_problem_count BIGINT: Troubles that are not over.
-- problem_conversation_count BIGINT: Conversations with such a trouble.
-- run_7d_count BIGINT: Runs of the last 7 days.
-- stopped_run_7d_count BIGINT: Of these, those that stopped.
-- request_7d_count BIGINT: Their HTTP requests, retries included.
-- retry_7d_count BIGINT: Of these, repetitions of a failed one.
-- rate_limited_7d_count BIGINT: Answers 429 among them.
-- rate_limited_share DOUBLE: rate_limited_7d_count / request_7d_count.
-- item_count BIGINT: Live items.
-- deleted_item_count BIGINT: Items that were found gone from their list.
-- unknown_item_count BIGINT: Live items of a type that is not declared.
-- timed_item_count BIGINT: Live items with a usable time.
-- timed_item_share DOUBLE: timed_item_count / item_count.
with
clock as (
    select max(known_at) as as_of
    from (
        select unnest([started_at, finished_at]) as known_at from ops.runs
        union all
        select unnest([last_polled_at, registered_at]) as known_at from raw.conversations
    ) as times
),
runs as (
    select
        max({'started_at': r.started_at, 'run_id': r.run_id, 'status': r.status, 'finished_at': r.finished_at})
            as last,
        max(r.finished_at) filter (where r.status in ('done', 'partial')) as last_success_at,
        count(*) filter (where is_recent) as run_7d_count,
        count(*) filter (where is_recent and r.status = 'stopped') as stopped_run_7d_count,
        coalesce(sum(r.requests) filter (where is_recent), 0)::bigint as request_7d_count,
        coalesce(sum(r.retries) filter (where is_recent), 0)::bigint as retry_7d_count,
        coalesce(sum(r.rate_limited) filter (where is_recent), 0)::bigint as rate_limited_7d_count
    from (select r.*, r.started_at > c.as_of - interval 7 days as is_recent from ops.runs as r, clock as c) as r
),
conversations as (
    select
        count(*) as conversation_count,
        count(*) filter (where status = 'active') as active_count,
        count(*) filter (where status = 'missing') as missing_count,
        count(*) filter (where status = 'forbidden') as forbidden_count,
        count(*) filter (where status = 'failing') as failing_count,
        count(*) filter (where status = 'unregistered') as unregistered_count,
        count(*) filter (where status <> 'unregistered' and last_polled_at is null) as never_polled_count,
        count(*) filter (where status <> 'unregistered' and coalesce(next_poll_at <= as_of, true)) as due_count,
        count(*) filter (where status <> 'unregistered' and tail_position is not null) as open_tail_count,
        count(last_verified_at) filter (where status = 'active') as verified_count,
        min(last_verified_at) filter (where status = 'active') as oldest_verified_at
    from raw.conversations, clock
),
problems as (
    select count(*) as open_problem_count, count(distinct conversation_id) as problem_conversation_count
    from ops.problems
    where closed_at is null
),
items as (
    select
        max(first_seen_at) as last_first_seen_at,
        count(*) as item_count,
        count(*) filter (where kind = 'unknown') as unknown_item_count,
        count(*) filter (where is_time_usable) as timed_item_count
    from analytics.items
),
gone as (
    select count(*) as deleted_item_count from raw.items where deleted_at is not null
),
open_tails as (
    select min(i.first_seen_at) as oldest_open_item_at
    from raw.conversations as c
    inner join analytics.items as i on c.conversation_id = i.conversation_id and i.position >= c.tail_position
    where c.status <> 'unregistered' and i.is_open
)
select
    as_of,
    last.run_id as last_run_id,
    last.status as last_run_status,
    last.started_at as last_run_started_at,
    last.finished_at as last_run_finished_at,
    last_success_at,
    (epoch_us(as_of) - epoch_us(last_success_at)) / 1000.0 as last_success_age_ms,
    last_first_seen_at,
    conversation_count,
    active_count,
    missing_count,
    forbidden_count,
    failing_count,
    unregistered_count,
    never_polled_count,
    due_count,
    open_tail_count,
    oldest_open_item_at,
    verified_count,
    verified_count / nullif(active_count, 0) as verified_share,
    oldest_verified_at,
    open_problem_count,
    problem_conversation_count,
    run_7d_count,
    stopped_run_7d_count,
    request_7d_count,
    retry_7d_count,
    rate_limited_7d_count,
    rate_limited_7d_count / nullif(request_7d_count, 0) as rate_limited_share,
    item_count,
    deleted_item_count,
    unknown_item_count,
    timed_item_count,
    timed_item_count / nullif(item_count, 0) as timed_item_share
from clock, runs, conversations, problems, items, gone, open_tails
