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
select null::TIMESTAMP as as_of, null::VARCHAR as last_run_id, null::VARCHAR as last_run_status, null::TIMESTAMP as
last_run_started_at, null::TIMESTAMP as last_run_finished_at, null::TIMESTAMP as last_success_at, null::DOUBLE as
last_success_age_ms, null::TIMESTAMP as last_first_seen_at, null::BIGINT as conversation_count, null::BIGINT as
active_count, null::BIGINT as missing_count, null::BIGINT as forbidden_count, null::BIGINT as failing_count,
null::BIGINT as unregistered_count, null::BIGINT as never_polled_count, null::BIGINT as due_count, null::BIGINT as
open_tail_count, null::TIMESTAMP as oldest_open_item_at, null::BIGINT as verified_count, null::DOUBLE as
verified_share, null::TIMESTAMP as oldest_verified_at, null::BIGINT as open_problem_count, null::BIGINT as
problem_conversation_count, null::BIGINT as run_7d_count, null::BIGINT as stopped_run_7d_count, null::BIGINT as
request_7d_count, null::BIGINT as retry_7d_count, null::BIGINT as rate_limited_7d_count, null::DOUBLE as
rate_limited_share, null::BIGINT as item_count, null::BIGINT as deleted_item_count, null::BIGINT as
unknown_item_count, null::BIGINT as timed_item_count, null::DOUBLE as timed_item_share where false
