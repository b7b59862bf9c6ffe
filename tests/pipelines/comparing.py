"""Whether two warehouses hold the same, whatever runs filled them. Not here: what is done to them."""

from collections import Counter
from pathlib import Path

import duckdb

Contents = Counter[tuple[str, str]]
OF_A_RUN = {
    *("run_id", "registered_at", "last_polled_at", "last_grown_at", "next_poll_at", "last_verified_at"),
    *("example_conversation_id", "example_item_id"),
}
"""What a second run may tell otherwise."""
NAMING_A_REQUEST = {"message", "last_error"}
SEEN = {"first_seen_at", "last_seen_at", "deleted_at", "missing_since", "closed_at", "forgotten_at", "erased_at"}
"""Of these, a second run tells the same only as to whether there is one."""


def contents(warehouse: Path) -> Contents:
    """All rows of all tables of a warehouse or a snapshot, each with its table, but for what belongs to runs."""
    with duckdb.connect(warehouse, read_only=True) as con:
        columns: dict[str, list[str]] = {}
        for schema, table, column in con.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where not internal and schema_name <> 'analytics' order by column_index"
        ).fetchall():
            if column in NAMING_A_REQUEST:
                columns.setdefault(f"{schema}.{table}", []).append(f"regexp_replace({column}, 'req_[0-9a-f]+', '')")
            elif column not in OF_A_RUN:
                told = f'"{column}" is null' if column in SEEN else f'"{column}"'
                columns.setdefault(f"{schema}.{table}", []).append(told)
        del columns["ops.runs"], columns["ops.warehouse"]
        rows = (f"select '{table}', row({', '.join(told)})::varchar from {table}" for table, told in columns.items())
        return Counter(con.execute(" union all ".join(rows)).fetchall())


def differences(found: Contents, expected: Contents) -> dict[str, list[tuple[str, str]]]:
    """The rows that are in one only."""
    sides = {"found": found - expected, "expected": expected - found}
    return {side: sorted(rows.elements()) for side, rows in sides.items() if rows}
