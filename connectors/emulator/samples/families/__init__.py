"""The scenario families, one module each, and how often each occurs."""

from typing import Final

from connectors.emulator.samples.families.analytics import Analytics
from connectors.emulator.samples.families.backoffice import Backoffice
from connectors.emulator.samples.families.coding import Coding
from connectors.emulator.samples.families.design import Design
from connectors.emulator.samples.families.operations import Operations
from connectors.emulator.samples.families.platform import Platform
from connectors.emulator.samples.families.research import Research
from connectors.emulator.samples.families.sales import Sales
from connectors.emulator.samples.families.support import Support
from connectors.emulator.samples.scenario import Scenario

# The order in which families take their turn: the common ones come more often.
ROTATION: Final[tuple[type[Scenario], ...]] = (
    Support,
    Coding,
    Research,
    Sales,
    Analytics,
    Support,
    Operations,
    Platform,
    Coding,
    Backoffice,
    Support,
    Design,
    Research,
    Analytics,
    Coding,
)
