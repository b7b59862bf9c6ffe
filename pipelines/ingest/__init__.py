"""Registry, sync, warehouse and snapshot: all of the flow that needs no Dagster, importable without it."""
