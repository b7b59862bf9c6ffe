"""What every scenario family has in common. The families themselves are one module each."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from connectors.emulator.samples.scribe import Scribe

PEOPLE = (
    "ana",
    "bjorn",
    "chidi",
    "dilnoza",
    "emeka",
    "farah",
    "greta",
    "hiro",
    "ines",
    "jonas",
    "kavya",
    "lucia",
)
REGIONS = ("emea", "amer", "apac")


class Scenario(ABC):
    """One conversation of a family: an opening, then turns for as long as it goes on."""

    topic: ClassVar[str]
    team: ClassVar[str]

    def __init__(self, scribe: Scribe) -> None:
        """Takes the pen; what stays the same over the conversation is chosen here."""
        self.scribe = scribe
        self.person = scribe.pick(PEOPLE)

    def opening(self) -> None:  # noqa: B027  # most conversations begin with the first turn
        """Writes what comes before the first turn."""

    @abstractmethod
    def turn(self) -> None:
        """Writes what a person asked and all that followed, down to the answer."""

    def metadata(self) -> Mapping[str, str]:
        """None to five pairs that an application keeps with the conversation."""
        pairs = {
            "topic": self.topic,
            "team": self.team,
            "user_id": f"user_{self.person}",
            "region": self.scribe.pick(REGIONS),
            "app_version": f"4.{self.scribe.number(0, 9)}.{self.scribe.number(0, 20)}",
        }
        return dict(list(pairs.items())[: self.scribe.number(0, len(pairs))])
