"""The least that typing takes: DuckDB reads the items from a file, and each type with its declared structure.

    python -m benchmarks.contenders.read_json LINES DATABASE

One table of the items as text and one table per type, its lists not unnested. Runs in the project's own environment.
"""

import sys

import duckdb

from models.item_type import structure_literal
from models.items import ITEM_TYPES


def main(lines: str, database: str) -> None:
    """Read the file into tables."""
    with duckdb.connect(database) as con:
        con.execute(
            "create table items as select json ->> '$.id' as item_id, json ->> '$.type' as type, json::varchar as raw "
            "from read_ndjson_objects(?, maximum_object_size = 67108864)",
            [lines],
        )
        for item_type in ITEM_TYPES.values():
            con.execute(
                f"create table {item_type.name} as select item_id, unnest(from_json(raw, "
                f"{structure_literal(item_type.structure)})) from items where type = ?",
                [item_type.name],
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
