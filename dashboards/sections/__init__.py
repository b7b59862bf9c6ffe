"""The report's sections, in their order. Not here: what one asks (its own module)."""

from dashboards.sections import health, tools

SECTIONS = (health.SECTION, tools.SECTION)
TILES = tools.TILES
