"""The report's sections, in their order. Not here: what one asks (its own module)."""

from dashboards.sections import (
    conversations,
    health,
    safety,
    searches,
    servers,
    thinking,
    tools,
    trajectories,
    work,
)

SECTIONS = tuple(
    module.SECTION for module in (health, conversations, tools, trajectories, searches, servers, work, thinking, safety)
)
TILES = (*conversations.TILES, *tools.TILES, *trajectories.TILES)
