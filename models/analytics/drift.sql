-- Grain: one row per difference between items and their declaration: type, place, kind and word.
-- Question: what does the API send that we do not know yet?
--
-- The rows of `ops.drift`, with what is there now beside them. live_item_count counts the live items of the type
-- (`analytics.items`; where type is `(none)`: items without a type; where it is `(not shown)`: items of kind unknown
-- with a type that has no row of its own here). occurrences counts every reception, so it may be greater, and no rate
-- is made of the two. is_known_type: an item type of that name is declared, which means that there is a table of that
-- name in the schema items. Nothing is lost by drift: it is only not typed yet, raw keeps it.
--
-- Columns
-- type VARCHAR: The item's type; (none) if it has none, (not shown) if the word could be somebody's.
-- path VARCHAR: Where in the item; [] is each element of a list, () the form of a union.
-- kind VARCHAR: unknown_type, unknown_field, unknown_form (union), unknown_value (enum), wrong_type, unreadable.
-- seen VARCHAR: The JSON type or the API's word that was not expected; never an item's content.
-- is_known_type BOOLEAN: Whether items of this type have a table.
-- occurrences BIGINT: In how many items, counted whenever one is received; a rebuild counts those that are there.
-- live_item_count BIGINT: Live items of the type, whether they differ or not.
-- first_seen_at TIMESTAMP: When the first such item was first received, UTC.
-- last_seen_at TIMESTAMP: When the latest such item was received, UTC.
-- example_conversation_id VARCHAR: The conversation of one such item; NULL if it was forgotten.
-- example_item_id VARCHAR: One such item; NULL if its conversation was forgotten.
with
live as (
    select
        case
            when i.type is null then '(none)'
            when i.kind = 'unknown' and d.type is null then '(not shown)'
            else i.type
        end as type,
        count(*) as live_item_count
    from analytics.items as i
    left join (select distinct type from ops.drift) as d on i.type = d.type
    group by all
),
declared as (
    select distinct table_name as type
    from duckdb_tables()
    where schema_name = 'items' and not contains(table_name, '__')
)
select
    d.type,
    d.path,
    d.kind,
    d.seen,
    k.type is not null as is_known_type,
    d.occurrences,
    coalesce(l.live_item_count, 0) as live_item_count,
    d.first_seen_at,
    d.last_seen_at,
    d.example_conversation_id,
    d.example_item_id
from ops.drift as d
left join live as l on d.type = l.type
left join declared as k on d.type = k.type
