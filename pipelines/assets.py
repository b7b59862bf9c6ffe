"""The asset graph: registry -> one table per item type -> serving snapshot. Thin shells over `ingest`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import dagster as dg
from pydantic import Field

from connectors.openai_conversations.errors import StopError
from connectors.openai_conversations.protocol import CONVERSATION_ID
from models.item_type import SCHEMA as ITEMS_SCHEMA
from models.item_type import ItemType
from models.items import ITEM_TYPES
from pipelines.ingest.asking import Limits
from pipelines.ingest.reading import row_counts
from pipelines.ingest.registry import from_setting
from pipelines.ingest.sync import SyncOptions, sync
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import SyncResult
from pipelines.resources import Api, Files

WRITER_POOL = "duckdb_writer"
CONVERSATIONS = dg.AssetKey("conversations")
SNAPSHOT = dg.AssetKey("serving_snapshot")
_SOURCE_VARIABLE = "CONVERSATIONS_SOURCE"


ConversationId = Annotated[str, Field(pattern=CONVERSATION_ID)]


class SyncConfig(dg.Config):
    """Which conversations a run asks: every active one, unless said otherwise; and how long it may take."""

    conversations: list[ConversationId] = []
    only_due: bool = False
    include_inactive: bool = False
    reconcile: bool = Field(default=False, description="List them whole, and make what is stored agree.")
    run_deadline_seconds: float = Field(default=86_400.0, ge=1)


@dg.asset(
    key=CONVERSATIONS,
    group_name="registry",
    kinds={"duckdb"},
    pool=WRITER_POOL,
    description=f"The registry. Adds the conversation IDs that {_SOURCE_VARIABLE} names (a file, a glob or SQL).",
)
def conversations(context: dg.AssetExecutionContext, files: Files) -> dg.MaterializeResult[None]:
    """Register what the source names; without a source the registry stays as it is."""
    source = os.environ.get(_SOURCE_VARIABLE, "")
    with _told(), Warehouse.open(files.places().warehouse) as warehouse:
        found = from_setting(source) if source else ()
        new = sum(warehouse.register(one).new for one in found)
        malformed = sum(len(one.malformed) for one in found)
        registered = warehouse.count_conversations()
    context.log.info(f"{registered} conversations registered, {new} of them new; {malformed} malformed IDs left out")
    return dg.MaterializeResult(
        metadata={"dagster/row_count": registered, "new": new, "malformed": malformed},
    )


def _item_spec(item_type: ItemType) -> dg.AssetSpec:
    top, *children = (part.table for part in item_type.tables)
    tables = "\n".join(f"* `{table.schema}.{table.name}`: {table.doc}" for table in (top, *children))
    columns = [dg.TableColumn(column.name, column.type, description=column.doc) for column in top.columns]
    return dg.AssetSpec(
        _item_key(item_type.name),
        deps=[CONVERSATIONS],
        description=tables,
        group_name=ITEMS_SCHEMA,
        kinds={"duckdb"},
        skippable=True,
        metadata={
            "dagster/column_schema": dg.TableSchema(columns=columns),
            "dagster/table_name": f"{top.schema}.{top.name}",
        },
    )


def _item_key(type_name: str) -> dg.AssetKey:
    return dg.AssetKey([ITEMS_SCHEMA, type_name])


ITEM_SPECS = tuple(_item_spec(item_type) for item_type in ITEM_TYPES.values())
SNAPSHOT_SPEC = dg.AssetSpec(
    SNAPSHOT,
    deps=[spec.key for spec in ITEM_SPECS],
    description="A consistent copy of the warehouse, put in place in one step; everything that reads reads this.",
    group_name="serving",
    kinds={"duckdb"},
    skippable=True,
)


# Tables and snapshot are one step: a step after a skipped output would itself be skipped, and then a run that brought
# rows of some types only would publish nothing.
@dg.multi_asset(specs=[*ITEM_SPECS, SNAPSHOT_SPEC], pool=WRITER_POOL)
def items(
    context: dg.AssetExecutionContext, config: SyncConfig, files: Files, api: Api
) -> Iterator[dg.MaterializeResult[None] | dg.AssetObservation]:
    """Pull what is new, commit it, publish; an event for each type that got rows."""
    options = SyncOptions(
        chosen=tuple(config.conversations),
        only_due=config.only_due,
        include_inactive=config.include_inactive,
        reconcile=config.reconcile,
        limits=Limits(api.concurrency, api.conversation_deadline_seconds, config.run_deadline_seconds),
    )
    with _told():
        result = sync(files.places(), api.client(), options)
    for problem in result.failures:
        context.log.warning(f"{problem.conversation_id}: {problem.message}")
    yield dg.AssetObservation(CONVERSATIONS, metadata=_numbers(result))
    yield from _materialized(result, files)
    if result.report.error:
        raise dg.Failure(result.report.error, allow_retries=False)


def _materialized(result: SyncResult, files: Files) -> Iterator[dg.MaterializeResult[None]]:
    tables = {name: ITEM_TYPES[name].tables[0].table for name in result.rows_by_type if name in ITEM_TYPES}
    counts = row_counts(files.places().serving, tables.values()) if result.is_published else {}
    for name, table in tables.items():
        metadata = {"rows_written": result.rows_by_type[name]}
        if table in counts:
            metadata["dagster/row_count"] = counts[table]
        yield dg.MaterializeResult(asset_key=_item_key(name), metadata=metadata)
    if result.is_published:
        size = files.places().serving.stat().st_size
        yield dg.MaterializeResult(asset_key=SNAPSHOT, metadata={"size_bytes": size})


def _numbers(result: SyncResult) -> dict[str, int]:
    """The run's figures, as Dagster plots them."""
    return {name: value for name, value in result.report.to_dict().items() if isinstance(value, int)}


@contextmanager
def _told() -> Iterator[None]:
    """Turn errors that have words for the user into a failure that shows these words, without a traceback."""
    try:
        yield
    except StopError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
