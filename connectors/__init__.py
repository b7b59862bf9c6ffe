"""How to ask: HTTP and the rules of the Conversations API. Knows no table, no DuckDB, no Dagster."""
