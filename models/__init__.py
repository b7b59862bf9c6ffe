"""What it looks like: pure declarations of the warehouse. Knows no HTTP and no Dagster, opens no database."""
