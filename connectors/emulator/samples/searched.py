"""Turns in which searches find nothing, what nobody uses, or what is cited without having been found."""

from connectors.emulator.samples.scribe import Scribe
from connectors.emulator.samples.shapes import builtin, messages

_FERRIES = [f"https://www.ferries.example/{page}" for page in ("bicycles", "fares", "timetable")]
_HARBOUR = "https://harbour.example.org/boarding"


def look_around(scribe: Scribe) -> None:
    """Writes searches put in other words until they find something, and citations of what they found and did not."""
    messages.user(scribe, "Which ferries take bicycles?")
    builtin.web_search(scribe, "ferries bicycles", [])
    builtin.web_search(scribe, "ferries bicycles North Sea", [])
    found = [builtin.url_source(page) for page in _FERRIES]
    builtin.web_search(scribe, "ferries bicycles North Sea crossings", [*found, builtin.api_source("oai-travel")])
    builtin.web_search(scribe, "ferries bicycles North Sea crossings", found[:1])
    builtin.web_search(scribe, "boarding with luggage", found[2:])
    builtin.open_page(scribe, _FERRIES[0])
    builtin.open_page(scribe, _HARBOUR)
    builtin.find_in_page(scribe, _HARBOUR, "bicycle")
    text = "All lines take bicycles; board with the cars. Tandems cost more."
    cited = {
        "All lines": f"{_FERRIES[0]}?utm_source=openai",
        "bicycles": f"{_FERRIES[0]}?lang=en&utm_source=openai#places",
        "board with the cars": f"{_HARBOUR}#:~:text=with%20the%20cars",
        "Tandems": "https://tandem.example.net/",
    }
    messages.assistant(scribe, text, *(messages.url_citation(text, words, words, url) for words, url in cited.items()))
    messages.user(scribe, "And the fares?")
    text = "A bicycle is 9 EUR each way, a hut at the harbour is free."
    urls = (f"{_FERRIES[1]}?utm_source=openai", "https://huts.example.net")
    messages.assistant(scribe, text, *(messages.url_citation(text, "EUR", "Fares", url) for url in urls))


def look_up(scribe: Scribe) -> None:
    """Writes searches of files without a hit, and answers that cite the first, a later, another or no file."""
    wash = "Wash it cold and let it dry in the shade."
    for product in ("wool blanket", "rain jacket", "trail shoes"):
        messages.user(scribe, f"How do I wash the {product}?")
        builtin.file_search(scribe, [f"washing the {product}", "laundry"], [], wash)
        if product == "wool blanket":
            messages.assistant(scribe, "The handbook does not say.")
            continue
        builtin.file_search(scribe, ["care"], ["sizes.md", "sizes.md", "care.md"], wash)
        messages.assistant(scribe, wash, messages.file_citation(wash, "care.md"))
    messages.user(scribe, "What does this invoice say of it?", messages.input_file(scribe, "invoice.pdf"))
    text = "The invoice has a leaflet on its back."
    messages.assistant(scribe, text, messages.file_citation(text, "invoice.pdf"))
    messages.user(scribe, "How long does the parcel take?")
    builtin.file_search(scribe, ["delivery times"], ["shipping.md", "returns.md"], "Parcels take 2 to 4 days.")
    text = "Two to four days."
    messages.assistant(scribe, text, messages.file_citation(text, "shipping.md"))
