"""A local server that speaks the Conversations API, with sample conversations. Knows no table, no Dagster."""

from connectors.emulator.app import create_app
from connectors.emulator.dialects import DIALECTS, Dialect
from connectors.emulator.injection import Faults
from connectors.emulator.server import running_emulator
from connectors.emulator.store import Store

__all__ = ["DIALECTS", "Dialect", "Faults", "Store", "create_app", "running_emulator"]
