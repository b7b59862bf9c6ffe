"""The asset graph: registry -> items as received -> one table per type -> views, snapshot, report. Thin shells.

Not here: the work itself (`ingest`, `dashboards`), what must hold of it (`checks`), when it is done (`schedules`).
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Annotated

import dagster as dg
from pydantic import Field

from connectors.openai_conversations.errors import StopError
from connectors.openai_conversations.protocol import CONVERSATION_ID
from dashboards import write_report
from models import analytics, ops
from models import raw as facts
from models.analytics import VIEWS, View
from models.item_type import SCHEMA as ITEMS_SCHEMA
from models.item_type import ItemType
from models.items import ITEM_TYPES
from models.table import Column, Table
from pipelines.ingest import source
from pipelines.ingest.asking import Limits
from pipelines.ingest.planning import plan
from pipelines.ingest.publishing import publish
from pipelines.ingest.reading import row_counts
from pipelines.ingest.sync import SyncOptions
from pipelines.ingest.sync import sync as pull
from pipelines.ingest.warehouse import Warehouse
from pipelines.ingest.writing import SyncResult
from pipelines.resources import Api, Files

WRITER_POOL = "duckdb_writer"
CONVERSATIONS = dg.AssetKey("conversations")
RAW_ITEMS = dg.AssetKey([facts.ITEMS.schema, facts.ITEMS.name])
RUNS = dg.AssetKey([ops.RUNS.schema, ops.RUNS.name])
SNAPSHOT = dg.AssetKey("serving_snapshot")
LIVE = dg.DataVersion("live")
"""What a view reads is read when it is asked: new rows do not make it stale."""
FRESHNESS = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=1), fail_window=timedelta(hours=3))
_SERVING = "serving"

ConversationId = Annotated[str, Field(pattern=CONVERSATION_ID)]


class Ask(enum.Enum):
    """Which registered conversations are asked; the names are the words of the run config."""

    due = "due"
    active = "active"
    all = "all"


class SyncConfig(dg.Config):
    """Which conversations a run asks: every active one, unless said otherwise; and how long it may take."""

    conversations: list[ConversationId] = Field(default=[], description="Ask only these, whether they are due or not.")
    ask: Ask = Field(
        default=Ask.active,
        description="due: those whose time has come, as the schedule does; active: all of them now; all: missing and "
        "forbidden ones too. Does not matter where conversations are given.",
    )
    reconcile: bool = Field(default=False, description="List them whole, and make what is stored agree.")
    dry_run: bool = Field(default=False, description="Say in the run's log what would be asked; change nothing.")
    run_deadline_seconds: float = Field(default=86_400.0, ge=1, description="Seconds that the asking may take.")

    def options(self, api: Api) -> SyncOptions:
        """The same for the sync."""
        return SyncOptions(
            chosen=tuple(self.conversations),
            only_due=self.ask is Ask.due and not self.conversations,
            include_inactive=self.ask is Ask.all,
            reconcile=self.reconcile,
            limits=Limits(api.concurrency, api.conversation_deadline_seconds, self.run_deadline_seconds),
        )


def _described(columns: Iterable[Column], table: str) -> Mapping[str, object]:
    """The definition metadata of a table."""
    schema = [dg.TableColumn(column.name, column.type, description=column.doc) for column in columns]
    return {"dagster/column_schema": dg.TableSchema(columns=schema), "dagster/table_name": table}


def _table_spec(key: dg.AssetKey, table: Table, description: str, deps: Iterable[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=list(deps),
        description=description,
        group_name=table.schema,
        kinds={"duckdb", "table"},
        skippable=True,
        metadata=_described(table.columns, f"{table.schema}.{table.name}"),
    )


def _item_spec(item_type: ItemType) -> dg.AssetSpec:
    top, *children = (part.table for part in item_type.tables)
    tables = "\n".join(f"* `{table.schema}.{table.name}`: {table.doc}" for table in (top, *children))
    return _table_spec(item_key(item_type.name), top, f"{item_type.doc}\n\n{tables}", [RAW_ITEMS])


def item_key(type_name: str) -> dg.AssetKey:
    """The asset of an item type's tables."""
    return dg.AssetKey([ITEMS_SCHEMA, type_name])


ITEM_SPECS = tuple(_item_spec(item_type) for item_type in ITEM_TYPES.values())
SYNC_SPECS = (
    _table_spec(
        CONVERSATIONS,
        facts.CONVERSATIONS,
        "The registry: which conversations there are, and how far each has been pulled. The API cannot list them: they "
        f"come from `conversations register`, and from {source.VARIABLE} (a file, a glob or SQL).",
        [],
    ),
    _table_spec(
        RAW_ITEMS,
        facts.ITEMS,
        "Every item as the API sent it, whatever its type. All other tables are made from it, without the network: "
        "`rebuild_tables`.",
        [CONVERSATIONS],
    ),
    *ITEM_SPECS,
    _table_spec(
        RUNS,
        ops.RUNS,
        "One row per run of the sync. Its figures (requests, retries, answers 429, new items, seconds) are plotted "
        "here. Late: no run has ended well for an hour (warning), or three.",
        [CONVERSATIONS],
    ).replace_attributes(freshness_policy=FRESHNESS),
    dg.AssetSpec(
        SNAPSHOT,
        deps=[spec.key for spec in ITEM_SPECS],
        description="A consistent copy of the warehouse, put in place in one step. **Everything that reads reads this**"
        "; nobody but the sync opens the warehouse. Only made when data changed.",
        group_name=_SERVING,
        kinds={"duckdb", "file"},
        skippable=True,
    ),
)


# One step: Dagster skips a step after any skipped output, and a type without new rows gives none. So a run that brought
# rows of some types only would publish nothing, were the snapshot a step of its own.
@dg.multi_asset(
    name="sync",
    specs=SYNC_SPECS,
    pool=WRITER_POOL,
    description="Registers what the source names, pulls what is new, commits it, publishes the snapshot.",
)
def sync(
    context: dg.AssetExecutionContext, config: SyncConfig, files: Files, api: Api
) -> Iterator[dg.MaterializeResult[None] | dg.AssetObservation]:
    """Pull what is new, and publish it; an event for what got rows, and one for the run."""
    where, options = files.places(), config.options(api)
    with told():
        if config.dry_run:
            _say(context, str(planned := plan(where, options)), planned.conversations)
            return
        taken_in = source.take_in(where)
        result = pull(where, api.client(), options)
    for problem in result.failures:
        context.log.warning(f"{problem.conversation_id}: {problem.message}")
    context.log.info(str(result.report))
    yield dg.MaterializeResult(
        asset_key=CONVERSATIONS,
        data_version=LIVE,
        metadata={
            "dagster/row_count": taken_in.conversations,
            "new": taken_in.registered.new,
            "malformed": taken_in.malformed,
        },
    )
    yield from _materialized(result, files)
    if result.report.error:
        yield dg.AssetObservation(RUNS, metadata=_figures(result))
        raise dg.Failure(result.report.error, allow_retries=False)
    yield dg.MaterializeResult(asset_key=RUNS, metadata=_figures(result), data_version=LIVE)


def _materialized(result: SyncResult, files: Files) -> Iterator[dg.MaterializeResult[None]]:
    """What got rows, and the snapshot; how many rows there are now is counted in it, where there is a new one."""
    tables = {name: ITEM_TYPES[name].tables[0].table for name in result.rows_by_type if name in ITEM_TYPES}
    counts = row_counts(files.places().serving, (facts.ITEMS, *tables.values())) if result.is_published else {}
    changes = {f"items_{word}": getattr(result.report, f"items_{word}") for word in ("new", "changed", "deleted")}
    if any(changes.values()):
        figures = {**changes, **_counted(counts.get(facts.ITEMS))}
        yield dg.MaterializeResult(asset_key=RAW_ITEMS, metadata=figures, data_version=LIVE)
    for name, table in tables.items():
        figures = {"rows_written": result.rows_by_type[name], **_counted(counts.get(table))}
        yield dg.MaterializeResult(asset_key=item_key(name), metadata=figures, data_version=LIVE)
    if result.is_published:
        size = files.places().serving.stat().st_size
        yield dg.MaterializeResult(asset_key=SNAPSHOT, metadata={"size_bytes": size})


def _counted(rows: int | None) -> Mapping[str, int]:
    return {} if rows is None else {"dagster/row_count": rows}


def _figures(result: SyncResult) -> dict[str, str | int | float]:
    """The run in a sentence, and its figures, which Dagster plots."""
    report = result.report
    counts = {name: value for name, value in report.to_dict().items() if isinstance(value, int)}
    return {"summary": str(report), "seconds": report.seconds, **counts}


def _say(context: dg.AssetExecutionContext, sentence: str, ids: Iterable[str]) -> None:
    context.log.info("\n  ".join((sentence, *ids)))


def _view_spec(view: View) -> dg.AssetSpec:
    changed = dg.AutomationCondition.missing().newly_true() | dg.AutomationCondition.code_version_changed()
    handled = dg.AutomationCondition.newly_requested() | dg.AutomationCondition.newly_updated()
    sources = {
        *(_view_key(name) for name in view.reads),
        *(item_key(name.partition("__")[0]) for name in view.reads_of(ITEMS_SCHEMA)),
        *(
            CONVERSATIONS if name == facts.CONVERSATIONS.name else RAW_ITEMS
            for name in view.reads_of(facts.ITEMS.schema)
        ),
        *(RUNS for _ in view.reads_of(ops.RUNS.schema)),
    }
    return dg.AssetSpec(
        _view_key(view.name),
        deps=sorted(sources & _KNOWN),
        description=f"{view.doc}\n\n{view.definitions}",
        group_name=analytics.SCHEMA,
        kinds={"duckdb", "view"},
        code_version=sha256("\n".join(view.statements()).encode()).hexdigest()[:12],
        automation_condition=changed.since(handled) & ~dg.AutomationCondition.in_progress(),
        metadata={
            **_described(view.columns, f"{analytics.SCHEMA}.{view.name}"),
            "sql": dg.MetadataValue.md(f"```sql\n{view.query}\n```"),
        },
    )


def _view_key(name: str) -> dg.AssetKey:
    return dg.AssetKey([analytics.SCHEMA, name])


_KNOWN = {spec.key for spec in SYNC_SPECS} | {_view_key(view.name) for view in VIEWS}
VIEW_SPECS = tuple(_view_spec(view) for view in VIEWS)


@dg.multi_asset(
    name="views",
    specs=VIEW_SPECS,
    pool=WRITER_POOL,
    can_subset=True,
    description="Makes the views anew whose SQL changed, and publishes them. New rows need no run: a view has them.",
)
def views(context: dg.AssetExecutionContext, files: Files) -> Iterator[dg.MaterializeResult[None]]:
    """Have the warehouse opened, which brings its views up to date, and publish; an event for each view asked for."""
    where = files.places()
    with told(), Warehouse.open(where.warehouse) as warehouse:
        publish(warehouse, where.serving)
    chosen = [view for view in VIEWS if _view_key(view.name) in context.selected_asset_keys]
    for view, rows in row_counts(where.serving, chosen).items():
        yield dg.MaterializeResult(asset_key=_view_key(view.name), metadata=_counted(rows))


@dg.asset(
    deps=[SNAPSHOT, *(spec.key for spec in VIEW_SPECS)],
    group_name=_SERVING,
    kinds={"html"},
    description="One HTML file with the figures of all views, beside the snapshot. Holds no text of conversations.",
)
def report(files: Files) -> dg.MaterializeResult[None]:
    """Write the report of the snapshot."""
    where = files.places()
    with told():
        write_report(where.serving, where.report)
    size = where.report.stat().st_size
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(where.report), "size_bytes": size})


@contextmanager
def told() -> Iterator[None]:
    """Turn errors that have words for the user into a failure that shows these words, without a traceback."""
    try:
        yield
    except StopError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
