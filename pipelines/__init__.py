"""How it flows: joins `connectors` (how to ask) and `models` (what it looks like)."""
