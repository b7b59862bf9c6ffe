"""Every leaf of every item is found again: in its typed column, in a declared free-form one, or reported as drift.

Walked over the samples, the sample data of the local API, and recordings of the real API where they are at hand.
"""

import gzip
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from connectors.emulator.samples import sample_store
from connectors.openai_conversations import INCLUDE
from models.conform import conform
from models.items import ITEM_TYPES
from pipelines.ingest.landing import Row
from pipelines.ingest.originals import Originals
from pipelines.ingest.schema import prepare
from pipelines.ingest.typed import Findings, fill, readable
from tests.tracing import DRIFT, FREE, TYPED, same, trace

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("CONVERSATIONS_CORPUS", ROOT.parent.parent / "shared/corpus/items.jsonl.gz"))
_FORM = re.compile(r"\([a-z_]+\)")
NOW = datetime(2026, 11, 1)
Cells = dict[tuple[str, tuple[object, ...], str], object]


def samples() -> Iterator[str]:
    for path in sorted((ROOT / "samples/items").glob("*.json")):
        yield path.read_text(encoding="utf-8")


def emulated() -> Iterator[str]:
    store = sample_store()
    for one in store.conversation_ids():
        page = store.list_items(one, limit=100_000, order="asc", after=None)
        yield from (store.render(item, frozenset(INCLUDE)).decode() for item in page.items)


def recorded() -> Iterator[str]:
    if not CORPUS.is_file():
        pytest.skip(f"no recordings of the real API at {CORPUS}; CONVERSATIONS_CORPUS names another place")
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.dumps(json.loads(line)["item"])


def stored(texts: Sequence[str]) -> tuple[list[Cells], int]:
    """The cells of each item's rows, and how many drift findings there are in all."""
    with duckdb.connect() as con:
        prepare(con, Path("memory"), Originals(Path("memory")))
        findings = Findings()
        fill(con, readable((stored_row(n, text) for n, text in enumerate(texts)), findings))
        findings.write(con)
        found: list[Cells] = [{} for _ in texts]
        for item_type in ITEM_TYPES.values():
            for part in item_type.tables:
                for row in con.sql(f"select * from {part.table.full_name}").pl().iter_rows(named=True):
                    at = tuple(row[name] for name in part.index_columns)
                    cells = found[int(row["item_id"])]
                    cells |= {(part.table.name, at, name): value for name, value in row.items()}
        return found, con.execute("select count(*) from ops.drift").fetchall()[0][0]


def stored_row(n: int, text: str) -> Row:
    kind = json.loads(text).get("type")
    return Row("conv_1", n, str(n), False, kind, None, None, "unknown", "", "", NOW, NOW, None, "", text.encode())


@pytest.mark.parametrize("source", [samples, emulated, recorded])
def test_every_leaf_is_found_again(
    source: Callable[[], Iterator[str]], record_property: Callable[[str, object], None]
) -> None:
    texts = list(source())
    kinds, wrong = Counter[str](), list[str]()
    for text, cells in zip(texts, stored(texts)[0], strict=True):
        item = json.loads(text)
        item_type = ITEM_TYPES.get(item.get("type"))
        if item_type is None:
            kinds["item of an unknown type"] += 1
            continue
        reported = {_FORM.sub("", found.path) for found in conform(item_type, text.encode()).drift}
        for leaf in trace(item_type, item):
            kinds[leaf.kind] += 1
            if leaf.kind in {TYPED, FREE}:
                cell = cells.get((leaf.table, leaf.indexes, leaf.column), "no such cell")
                if not same(cell, leaf.value, free=leaf.kind == FREE):
                    wrong.append(f"{item['type']}: {leaf.path}")
            elif leaf.kind == DRIFT and leaf.path not in reported:
                wrong.append(f"{item['type']}: {leaf.path} is not reported")
    record_property(f"leaves of {len(texts)} items, {source.__name__}", dict(kinds))
    assert wrong == []


def test_no_item_of_the_local_api_drifts() -> None:
    texts = list(emulated())
    different = [conform(ITEM_TYPES[json.loads(text)["type"]], text.encode()).drift for text in texts]
    assert [drift for drift in different if drift] == []
