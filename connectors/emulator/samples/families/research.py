"""A research assistant: it searches the web, opens pages, and cites what it found."""

from connectors.emulator.samples.scenario import Scenario
from connectors.emulator.samples.shapes import builtin, messages

SUBJECTS = (
    "heat pumps in old houses",
    "night trains in Europe",
    "salt-tolerant rice",
    "tidal power",
    "the history of the bicycle",
    "urban beekeeping",
    "recycling of batteries",
    "rammed earth walls",
)
SITES = ("https://journal.example.org", "https://stats.example.com", "https://news.example.net")
SENT_BY = "?utm_source=openai"
FEEDS = ("oai-weather", "oai-finance", "oai-sports")


class Research(Scenario):
    """A curious person and a research assistant."""

    topic = "research"
    team = "insights"

    def turn(self) -> None:
        """Writes one question, its searches, and an answer with citations."""
        scribe, subject = self.scribe, self.scribe.pick(SUBJECTS)
        messages.user(scribe, f"What is new about {subject}? Please cite your sources.")
        builtin.reasoning(scribe, f"**Planning the search** I look for recent reports on {subject}.")
        pages = [f"{site}/{subject.replace(' ', '-')}/{scribe.number(1, 4)}" for site in SITES]
        for _ in range(scribe.number(1, 4)):
            self._search(subject, pages)
        if scribe.chance(0.6):
            builtin.open_page(scribe, scribe.pick([pages[0], pages[0], None]))
        if scribe.chance(0.35):
            builtin.find_in_page(scribe, pages[0], subject.split(" ", maxsplit=1)[0])
        builtin.reasoning(scribe)
        self._answer(subject, pages)

    def _search(self, subject: str, pages: list[str]) -> None:
        """Searches once; a search that breaks off is tried again."""
        scribe = self.scribe
        scribe.wait(1, 12)
        if scribe.chance(0.1):
            builtin.web_search_without_action(scribe)
        sources = [builtin.url_source(page) for page in scribe.rng.sample(pages, scribe.number(0, 3))]
        if scribe.chance(0.2):
            sources.append(builtin.api_source(scribe.pick(FEEDS)))
        is_told = bool(sources) or scribe.pick([False, True])
        query = f"{subject} {scribe.pick(['report', 'study', 'figures', 'review'])}"
        builtin.web_search(scribe, query, sources if is_told else None)

    def _answer(self, subject: str, pages: list[str]) -> None:
        """Answers with one to three citations, some with the word that the API adds to addresses."""
        scribe = self.scribe
        claims = [f"reports grew by {scribe.number(2, 60)} % ({number})" for number in range(1, scribe.number(2, 4))]
        text = f"On {subject}: " + "; ".join(claims) + "."
        citations = [
            messages.url_citation(
                text, claim, f"{subject.capitalize()}, part {number}", page + scribe.pick(["", SENT_BY])
            )
            for number, (claim, page) in enumerate(zip(claims, pages, strict=False), start=1)
        ]
        messages.assistant(scribe, text, *citations)
