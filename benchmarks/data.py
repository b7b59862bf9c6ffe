"""Invented conversations to measure with: seeded, all item types, about 1.3 kB an item, kept as files.

Here: what is in them, and where it is kept. Not here: serving them (`server`). Shapes and IDs are those of the local
API's sample data (`connectors.emulator`); words are made of syllables, secrets and images are noise, so that they
compress about as well as real ones.
"""

import base64
import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from zlib import crc32

import msgspec
import polars as pl

from connectors.emulator import identifiers
from connectors.emulator.includes import Item
from connectors.emulator.samples.scribe import Scribe, to_json
from connectors.emulator.samples.shapes import builtin, computer, functions, mcp, messages, shells, tools

CACHE = Path(".cache/benchmarks")
SEPARATOR = b",\n"
_BEGIN, _SECONDS = 1_756_684_800, 60 * 86_400  # September and October 2025
_TOOLS = ("search_orders", "get_invoice", "list_tickets", "run_query", "read_file", "send_message", "plan_route")
_PNG = "iVBORw0KGgo"


@dataclass(frozen=True)
class Dataset:
    """Conversations in one file: their items' JSON one after the other, and an index of them."""

    items: int = 200_000
    conversations: int = 2_000
    seed: int = 7
    large_every: int = 20_000
    """One item in so many is an image of `large_bytes` characters."""
    large_bytes: tuple[int, int] = (100_000, 3_000_000)

    @cached_property
    def directory(self) -> Path:
        """Where the files are; made if they are not there."""
        version = crc32(Path(__file__).read_bytes())
        large = "-".join(map(str, self.large_bytes))
        name = f"{self.items}x{self.conversations}-{self.seed}-{self.large_every}-{large}-{version:08x}"
        path = CACHE / "data" / name
        if not path.exists():
            temporary = path.with_name(f"{name}.new")
            temporary.mkdir(parents=True, exist_ok=True)
            _write(self, temporary)
            temporary.rename(path)
        return path

    @property
    def text(self) -> Path:
        """The items' JSON, SEPARATOR between them."""
        return self.directory / "items.json"

    @property
    def index(self) -> pl.DataFrame:
        """One row per item: conversation_id, created_at, item_id, offset in the text."""
        return pl.read_parquet(self.directory / "index.parquet")

    @property
    def lines(self) -> Path:
        """The same items, one a line."""
        path = self.directory / "items.ndjson"
        if not path.exists():
            path.write_bytes(self.text.read_bytes().replace(SEPARATOR, b"\n"))
        return path

    @property
    def items_by_type(self) -> dict[str, int]:
        """How many items there are of each type, the most frequent first."""
        return dict(json.loads((self.directory / "types.json").read_text(encoding="utf-8")))

    def describe(self) -> dict[str, object]:
        """What is measured with, in figures."""
        size = self.text.stat().st_size
        return {"items": self.items, "conversations": self.conversations, "MB of JSON": round(size / 1e6, 1)}


class _Pen(Scribe):
    """Writes prose of any length, and secrets that do not compress."""

    def chars(self, median: float) -> int:
        return int(self.rng.lognormvariate(math.log(median), 0.9))

    def prose(self, median: float) -> str:
        return " ".join(self.rng.choices(_WORDS, cum_weights=_WEIGHTS, k=1 + self.chars(median) // 7))

    def noise(self, chars: int) -> str:
        return base64.b64encode(self.rng.randbytes(chars * 3 // 4)).decode()

    def secret(self, low: int = 300, high: int = 900) -> str:
        return "gAAAAABq" + self.noise(2 * self.number(low, high))

    def record(self, median: float) -> dict[str, object]:
        """A row as functions return it."""
        return {
            "id": self.number(1, 10**9),
            "name": self.prose(20),
            "amount": round(self.rng.expovariate(0.01), 2),
            "is_open": self.chance(0.5),
            "updated_at": f"2025-10-{self.number(1, 31):02}T{self.number(0, 23):02}:{self.number(0, 59):02}:00Z",
            "notes": self.prose(median),
        }

    def records(self) -> str:
        return to_json([self.record(130) for _ in range(self.number(1, 12))])

    def url(self) -> str:
        return f"https://docs.example.com/{self.pick(_WORDS).strip()}/{self.number(1, 10**6)}"

    def filename(self) -> str:
        return f"{self.number(1, 2_000)}.md"


def _words(rng: random.Random) -> list[str]:
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "ei", "ou", "en", "ar")]
    words = ["".join(rng.choices(syllables, k=rng.choice((1, 2, 2, 3, 4)))) for _ in range(12_000)]
    words[9::10] = [f"{word}." for word in words[9::10]]
    words[7::40] = [f"{word}:\n\n" for word in words[7::40]]
    words[5::60] = [f'"{word}"' for word in words[5::60]]
    words[3::80] = [f"{word}é" for word in words[3::80]]
    words[1::400] = [f"{word}漢字" for word in words[1::400]]
    return words


_WORDS = _words(random.Random(1))
_WEIGHTS = list(accumulate(1 / (rank + 8) for rank in range(len(_WORDS))))


def _function(pen: _Pen) -> None:
    functions.function(pen, pen.pick(_TOOLS), pen.record(40), pen.records())


def _parallel(pen: _Pen) -> None:
    functions.parallel(pen, [(pen.pick(_TOOLS), pen.record(30), pen.records()) for _ in range(pen.number(2, 4))])


def _web_search(pen: _Pen) -> None:
    pages = [pen.url() for _ in range(pen.number(0, 12))]
    builtin.web_search(pen, pen.prose(50), [builtin.url_source(page) for page in pages])
    if pen.chance(0.4):
        builtin.open_page(pen, pen.pick(pages or [pen.url()]))
    if pen.chance(0.1):
        builtin.find_in_page(pen, pen.pick(pages or [pen.url()]), pen.prose(10))


def _file_search(pen: _Pen) -> None:
    builtin.file_search(pen, [pen.prose(40)], [pen.filename() for _ in range(pen.number(0, 3))], pen.prose(600))


def _shell(pen: _Pen) -> None:
    shells.shell(pen, [pen.prose(40)], [(pen.pick([0, 0, 0, 1, None]), pen.prose(500), "")], hosted=pen.chance(0.5))


def _patch(pen: _Pen) -> None:
    shells.patch(pen, shells.update_file("src/app.py", pen.prose(700)), pen.prose(30))


def _mcp_call(pen: _Pen) -> None:
    if pen.chance(0.06):
        mcp.call_failed(pen, "crm", pen.pick(_TOOLS), pen.record(30), mcp.some_error(pen, pen.prose(60)))
    else:
        mcp.call(pen, "crm", pen.pick(_TOOLS), pen.record(30), pen.records())


def _approval(pen: _Pen) -> None:
    asked = mcp.ask_approval(pen, "crm", "update_deal", pen.record(30))
    mcp.answer_approval(pen, asked, approve=pen.chance(0.8), reason=pen.prose(40))


def _tool_search(pen: _Pen) -> None:
    found = [tools.function_tool(name, pen.prose(80), query="string", limit="integer") for name in _TOOLS[:3]]
    tools.search_tools(pen, {"goal": pen.prose(40)}, [*found])


def _program(pen: _Pen) -> None:
    started = tools.program(pen, pen.prose(400))
    functions.function(pen, pen.pick(_TOOLS), pen.record(30), pen.records(), caller=tools.called_by(started))
    tools.program_output(pen, started, pen.prose(200))


def _computer(pen: _Pen) -> None:
    act = pen.pick([computer.click(pen.number(0, 1023), 9), computer.typing(pen.prose(20)), computer.scroll(1, 2, 300)])
    computer.step(pen, act)


_ACTS: dict[Callable[[_Pen], object], float] = {
    _function: 60,
    _parallel: 6,
    _web_search: 12,
    _mcp_call: 4,
    _file_search: 3,
    _shell: 3,
    _patch: 2.5,
    _computer: 2,
    lambda pen: functions.custom_tool(pen, "run_sql", pen.prose(200), pen.prose(300)): 2.5,
    lambda pen: builtin.code(pen, pen.prose(300), pen.prose(200), plot=pen.chance(0.1)): 2,
    lambda pen: shells.local_shell(pen, ["ls", "-la"], pen.prose(300)): 0.6,
    lambda pen: builtin.image(pen, pen.prose(100)): 0.3,
    lambda pen: mcp.list_tools(
        pen, "crm", [mcp.tool(name, pen.prose(60), read_only=True, q="string") for name in _TOOLS]
    ): 0.4,
    builtin.compaction: 0.4,
    lambda pen: tools.add_tools(pen, [tools.function_tool("ping", pen.prose(40))]): 0.1,
    lambda pen: tools.configure(pen, reasoning={"effort": "low"}): 0.1,
    _approval: 0.5,
    _tool_search: 0.3,
    _program: 0.3,
}


def _turn(pen: _Pen) -> None:
    """What a person asked, all that the model did, and its answer."""
    begin = len(pen.items)
    messages.user(pen, pen.prose(260))
    for _ in range(min(int(pen.rng.expovariate(0.4)), 30)):
        if pen.chance(0.45):
            builtin.reasoning(pen, pen.prose(180))
        pen.rng.choices(list(_ACTS), weights=list(_ACTS.values()))[0](pen)
    text = pen.prose(1_100)
    messages.assistant(pen, text, *_citations(pen, text, pen.items[begin:]))
    pen.wait(20, 3_000)


def _citations(pen: _Pen, text: str, turn: list[Item]) -> list[Item]:
    """Some of the pages and files that a turn found; now and then another page."""
    actions = [item.get("action") or {} for item in turn if item["type"] == "web_search_call"]
    pages = [source["url"] for action in actions for source in action.get("sources", [])]
    results = [result for item in turn if item["type"] == "file_search_call" for result in item["results"]]
    files = [messages.file_citation(text, result["filename"]) for result in results if pen.chance(0.3)]
    cited = [pen.pick(pages or [pen.url()]) for _ in range(pen.number(1, 4))] if pages or pen.chance(0.05) else []
    return [*files, *(messages.url_citation(text, text[:20], pen.prose(30), url) for url in cited)]


def _write(wanted: Dataset, directory: Path) -> None:
    rng = random.Random(wanted.seed)
    rows: list[tuple[str, int, str, int]] = []
    types: dict[str, int] = {}
    offset = 0
    with (directory / "items.json").open("wb") as file:
        for size in _sizes(wanted, rng):
            at, key = rng.uniform(_BEGIN, _BEGIN + _SECONDS), identifiers.mint_key(rng)
            conversation_id = identifiers.mint_sent("conv", rng, at, key)
            for item in _items(wanted, _Pen(rng, key, at), size):
                text = msgspec.json.encode(item)
                rows.append((conversation_id, int(at), item["id"], offset))
                types[item["type"]] = types.get(item["type"], 0) + 1
                offset += file.write(text + SEPARATOR)
        file.truncate(offset - len(SEPARATOR))
    frame = pl.DataFrame(rows, ["conversation_id", "created_at", "item_id", "offset"], orient="row")
    frame.write_parquet(directory / "index.parquet")
    by_count = dict(sorted(types.items(), key=lambda pair: -pair[1]))
    (directory / "types.json").write_text(json.dumps(by_count))


def _sizes(wanted: Dataset, rng: random.Random) -> list[int]:
    """How many items each conversation has: a few long ones, many short ones."""
    drawn = [rng.lognormvariate(0, 1) for _ in range(wanted.conversations)]
    spare = wanted.items - wanted.conversations
    ends = [round(spare * part / sum(drawn)) for part in accumulate(drawn)]
    return [1 + end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def _items(wanted: Dataset, pen: _Pen, size: int) -> list[Item]:
    while len(pen.items) < size:
        before = len(pen.items)
        _turn(pen)
        if pen.chance((len(pen.items) - before) / wanted.large_every):
            low, high = map(math.log, wanted.large_bytes)
            builtin.image(pen, pen.prose(100), result=_PNG + pen.noise(int(math.exp(pen.rng.uniform(low, high)))))
    return pen.items[:size]
