"""The sample data: seven invented weeks of conversations between people and agents."""

from connectors.emulator.samples.build import sample_store

__all__ = ["sample_store"]
