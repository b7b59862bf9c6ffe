"""Warehouses that older programs wrote, kept in `tests/samples/warehouses`, one for each version of the schema.

Here: what they hold, how one is opened, and how one is made: when a schema version is new, by
`python -m tests.pipelines.older VERSION COMMAND`, with the `conversations` command of the first commit that has it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_LZMA, ZipFile

from connectors.emulator import Store, running_emulator
from pipelines.ingest.places import Places

SAMPLES = Path(__file__).parents[1] / "samples"
WAREHOUSES = SAMPLES / "warehouses"
_CREATED_AT = 1_790_000_000
_MISSING = "conv_missing"


def first_state() -> Store:
    """What the API served first: every sample item, and what not every program can read."""
    store = Store(seed=1)
    for variant in ("full", "required"):
        _put(
            store, variant, [json.loads(path.read_bytes()) for path in sorted(SAMPLES.glob(f"items/*.{variant}.json"))]
        )
    long = "iVBORw0KGgo" + "A" * 70_000
    _put(
        store,
        "odd",
        [
            {"type": "hologram_call", "id": "holo_1", "status": "completed", "depth": 3},
            {"type": "image_generation_call", "id": "ig_long", "status": "completed", "result": long},
            *(_message(number) for number in range(3)),
        ],
    )
    _put(store, "missing", [_message(9)])
    return store


def change(store: Store) -> None:
    """What it served later: items are gone, changed and new, and one conversation is unknown."""
    store.delete_item("conv_odd", "msg_2")
    store.put_items("conv_odd", [_message(3)])
    store.delete_conversation(_MISSING)


def open_older(version: int, directory: Path) -> Places:
    """The files that a program with this version of the schema left, to be changed as one likes."""
    with ZipFile(WAREHOUSES / f"schema_{version}.zip") as kept:
        kept.extractall(directory)
    return Places(directory / "warehouse.duckdb", directory / "serving.duckdb")


def _put(store: Store, word: str, items: list[dict[str, object]]) -> None:
    store.put_conversation(f"conv_{word}", _CREATED_AT, {"topic": word})
    distinct = {str(item.setdefault("id", f"item_{n}")): item for n, item in enumerate(items)}
    store.put_items(f"conv_{word}", distinct.values())


def _message(number: int) -> dict[str, object]:
    content = [{"type": "input_text", "text": f"words {number}"}]
    return {"type": "message", "id": f"msg_{number}", "status": "completed", "role": "user", "content": content}


def _make(version: int, command: Path) -> None:
    store = first_state()
    with TemporaryDirectory() as made, running_emulator(store) as base_url:
        environment = {**os.environ, "OPENAI_API_KEY": "any", "OPENAI_BASE_URL": base_url}

        def run(*words: str) -> None:
            files = ("--warehouse", f"{made}/warehouse.duckdb", "--serving", f"{made}/serving.duckdb")
            subprocess.run([command, *words, *files], env=environment, check=False)

        run("register", *store.conversation_ids())
        run("sync")
        change(store)
        run("sync")
        WAREHOUSES.mkdir(exist_ok=True)
        with ZipFile(WAREHOUSES / f"schema_{version}.zip", "w", ZIP_LZMA) as kept:
            for path in sorted((Path(made) / "warehouse.duckdb", *Path(made).glob("*.blobs/*/*"))):
                kept.write(path, path.relative_to(made))


if __name__ == "__main__":
    _make(int(sys.argv[1]), Path(sys.argv[2]))
