"""Which output belongs to which call, by call_id or by adjacency."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.models.by_hand.families import call_id, family_of
from tests.models.by_hand.spine import ANSWERED_BY, Item


@dataclass
class Paired:
    """The outputs of a call, in order, and how they were found."""

    method: str = "none"
    outputs: list[Item] = field(default_factory=list)


def pair(conversation: Sequence[Item]) -> dict[str, Paired]:
    """The outputs of each call of one conversation, by the call's item_id; calls without any are left out."""
    found: dict[str, Paired] = defaultdict(Paired)
    for family, answer in ANSWERED_BY.items():
        is_local_shell = family == "local_shell"
        both = [it for it in conversation if it.type == answer or (it.kind == "call" and family_of(it) == family)]
        paired = _by_call_id(both)
        done = {item.id for one in paired for item in one}
        left = [it for it in both if it.id not in done and (is_local_shell or call_id(it) is None)]
        for call, output in paired:
            found[call.id].method = "explicit"
            found[call.id].outputs.append(output)
        for call, output in _by_adjacency(left):
            found[call.id].method = "heuristic"
            found[call.id].outputs.append(output)
    return found


def _by_call_id(both: Iterable[Item]) -> list[tuple[Item, Item]]:
    """Each output with the last call before it that has its call_id."""
    latest: dict[str, Item] = {}
    pairs = []
    for item in both:
        word = call_id(item)
        if word is None:
            continue
        if item.kind == "call":
            latest[word] = item
        elif word in latest:
            pairs.append((latest[word], item))
    return pairs


def _by_adjacency(left: Sequence[Item]) -> list[tuple[Item, Item]]:
    """The n-th output of a block with its n-th call, within a turn."""
    pairs: list[tuple[Item, Item]] = []
    calls: list[Item] = []
    outputs: list[Item] = []
    for before, item in zip([None, *left], left, strict=False):
        if before is None or before.turn_index != item.turn_index or (item.kind == "call" and before.kind == "output"):
            pairs += zip(calls, outputs, strict=False)
            calls, outputs = [], []
        (calls if item.kind == "call" else outputs).append(item)
    return pairs + list(zip(calls, outputs, strict=False))
