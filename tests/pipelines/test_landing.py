"""What pages mean for what is stored: positions, cursor, open tails, re-lists."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.openai_conversations import Cursor, Item, Step
from pipelines.ingest.landing import ConversationState, Landed, Landing, RunStamp, Stored, StoredItem

NOW = datetime(2026, 11, 1, 12)
NEW = ConversationState("conv_1", None, None, None, None, 0, None, None, None, None, "active", None, None, None)
STAMP = RunStamp("run", "include")


def item(item_id: str | None, status: str = "completed", text: str = "") -> Item:
    raw = json.dumps({"id": item_id, "type": "message", "status": status, "text": text})
    return Item(id=item_id, type="message", status=status, raw=raw.encode())


def step(*items: Item, is_relist: bool = False, is_last: bool = True) -> Step:
    return Step(items, is_relist, is_last)


class Memory:
    """What is stored of one conversation, kept as a warehouse would keep it."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[StoredItem, bytes]] = {}
        self.state = NEW

    def stored(self) -> Stored:
        def items(from_position: int) -> Mapping[str, StoredItem]:
            return {name: one for name, (one, _) in self.rows.items() if one.position >= from_position}

        return Stored(items, lambda item_id: self.rows[item_id][1])

    def pull(self, *steps: Step, now: datetime = NOW) -> list[Landed]:
        landing = Landing(self.state, STAMP, self.stored())
        done = []
        for one in steps:
            landed = landing.land(one, now)
            done.append(landed)
            for row in landed.rows:
                kept = StoredItem(row.position, row.content_hash, row.include_set, row.first_seen_at, False)
                self.rows[row.item_id] = (kept, row.original)
            for gone in landed.gone:
                self.rows[gone] = (self.rows[gone][0]._replace(is_deleted=True), self.rows[gone][1])
            for name, position in landed.renumbered.items():
                self.rows[name] = (self.rows[name][0]._replace(position=position), self.rows[name][1])
            self.state = landing.state
        return done

    def live(self) -> list[str]:
        """IDs of the items that are not deleted, by position."""
        found = sorted((one.position, name) for name, (one, _) in self.rows.items() if not one.is_deleted)
        return [name for _, name in found]


def test_the_cursor_is_the_last_item_and_knows_the_one_before() -> None:
    memory = Memory()
    memory.pull(step(item("a"), item("b"), is_last=False), step(item("c")))
    assert memory.state.cursor == Cursor("c", "b")
    assert (memory.state.next_position, memory.state.tail_position) == (3, None)


def test_a_single_item_has_none_before_it() -> None:
    memory = Memory()
    memory.pull(step(item("a")))
    assert memory.state.cursor == Cursor("a", None)


def test_the_cursor_stops_before_the_first_item_that_may_change() -> None:
    memory = Memory()
    memory.pull(step(item("a"), item("b", "in_progress"), item("c")))
    assert memory.state.cursor == Cursor("a", None)
    assert (memory.state.tail_position, memory.state.next_position) == (1, 3)


def test_an_open_item_is_settled_as_it_is_after_a_day() -> None:
    memory = Memory()
    memory.pull(step(item("a"), item("b", "in_progress")))
    before = NOW + timedelta(hours=23, minutes=59)
    memory.pull(step(item("b", "in_progress")), now=before)
    assert memory.state.cursor == Cursor("a", None)
    memory.pull(step(item("b", "in_progress")), now=NOW + timedelta(hours=24))
    assert memory.state.cursor == Cursor("b", "a")


def test_a_status_that_nobody_knows_is_final() -> None:
    memory = Memory()
    memory.pull(step(item("a", "mystified")))
    assert memory.state.cursor == Cursor("a", None)


def test_an_item_of_the_tail_keeps_its_position_and_first_sight() -> None:
    memory = Memory()
    memory.pull(step(item("a", "in_progress"), item("b")))
    later = NOW + timedelta(hours=1)
    (landed,) = memory.pull(step(item("a"), item("b"), item("c")), now=later)
    assert [(row.item_id, row.position, row.first_seen_at) for row in landed.rows] == [("a", 0, NOW), ("c", 2, later)]
    assert landed.new == 1


def test_while_items_are_compared_the_cursor_stays_so_that_a_killed_run_compares_again() -> None:
    memory = Memory()
    memory.pull(step(item("a"), item("b", "in_progress"), item("c")))
    landing = Landing(memory.state, STAMP, memory.stored())
    landing.land(step(item("b"), is_last=False), NOW)
    assert (landing.state.cursor, landing.state.tail_position) == (Cursor("a", None), 1)
    landing.land(step(item("c")), NOW)
    assert (landing.state.cursor, landing.state.tail_position) == (Cursor("c", "b"), None)


def test_a_relist_finds_what_is_gone_and_what_changed() -> None:
    memory = Memory()
    memory.pull(step(item("a"), item("b"), item("c", text="old"), item("d")))
    landed = memory.pull(
        step(is_relist=True, is_last=False),
        step(item("a"), item("c", text="new"), is_relist=True, is_last=False),
        step(item("e"), is_relist=True),
    )[-1]
    assert landed.gone == ["b", "d"]
    assert memory.live() == ["a", "c", "e"]
    assert memory.state.cursor == Cursor("e", "c")
    assert memory.rows["e"][0].position == 4


def test_an_item_that_reappears_is_new_again_in_its_old_place() -> None:
    memory = Memory()
    memory.pull(step(item("a"), item("b"), item("c")))
    memory.pull(step(item("a"), item("c"), is_relist=True))
    (landed,) = memory.pull(step(item("a"), item("b"), item("c"), is_relist=True))
    assert (landed.new, memory.live()) == (1, ["a", "b", "c"])


def test_a_relist_in_another_order_gives_new_positions() -> None:
    memory = Memory()
    memory.pull(step(item("a"), item("b"), item("c")))
    (landed,) = memory.pull(step(item("c"), item("new"), item("a"), item("b"), is_relist=True))
    assert landed.renumbered == {"c": 4, "new": 5, "a": 6, "b": 7}
    assert memory.live() == ["c", "new", "a", "b"]
    assert memory.state.cursor == Cursor("b", "a")


def test_a_tail_in_another_order_is_renumbered_from_where_the_tail_begins() -> None:
    memory = Memory()
    memory.pull(step(item("a"), item("b", "queued"), item("c", "queued")))
    memory.pull(step(item("c"), item("b", "queued")))
    assert memory.live() == ["a", "c", "b"]
    assert (memory.state.cursor, memory.state.tail_position) == (Cursor("c", "a"), 4)


def test_no_position_is_given_twice_so_that_a_deleted_item_may_come_back() -> None:
    """Positions of deleted items stay theirs when the others are renumbered."""
    memory = Memory()
    lists = ("a b c d", "a b c", "c a b e*", "c a e* d", "c a d")
    for number, words in enumerate(lists):
        items = [item(word.strip("*"), "in_progress" if "*" in word else "completed") for word in words.split()]
        memory.pull(step(*items, is_relist=number > 0))
        live = [one.position for one, _ in memory.rows.values() if not one.is_deleted]
        assert memory.live() == [one.id for one in items]
        assert len(set(live)) == len(live)


def test_what_the_api_encrypts_anew_is_no_change() -> None:
    def reasoning(secret: str) -> Item:
        raw = json.dumps({"id": "rs", "type": "reasoning", "encrypted_content": secret})
        return Item(id="rs", type="reasoning", status=None, raw=raw.encode())

    memory = Memory()
    memory.pull(step(reasoning("one")))
    (landed,) = memory.pull(step(reasoning("two"), is_relist=True))
    assert landed.rows == []


def test_another_spelling_is_no_change_but_another_include_set_is() -> None:
    memory = Memory()
    memory.pull(step(item("a")))
    spaced = Item(id="a", type="message", status="completed", raw=item("a").raw.replace(b", ", b",  "))
    (landed,) = memory.pull(step(spaced, is_relist=True))
    assert landed.rows == []
    other = Landing(memory.state, replace(STAMP, include_set="other"), memory.stored())
    assert [row.item_id for row in other.land(step(item("a"), is_relist=True), NOW).rows] == ["a"]


def test_items_without_an_id_get_their_position_and_never_hold_the_cursor() -> None:
    memory = Memory()
    memory.pull(step(item("a"), item(None, text="x"), item("b"), item(None, text="y")))
    assert memory.live() == ["a", "~1", "b", "~3"]
    assert (memory.state.cursor, memory.state.tail_position) == (Cursor("b", "a"), 3)
    (landed,) = memory.pull(step(item(None, text="y"), item("c")))
    assert [row.item_id for row in landed.rows] == ["c"]
    assert memory.live() == ["a", "~1", "b", "~3", "c"]
    assert memory.state.cursor == Cursor("c", "b")


def test_a_conversation_without_any_id_is_compared_as_a_whole() -> None:
    memory = Memory()
    memory.pull(step(item(None, text="x")))
    (landed,) = memory.pull(step(item(None, text="x"), item(None, text="y")))
    assert [(row.item_id, row.is_id_synthetic) for row in landed.rows] == [("~1", True)]
