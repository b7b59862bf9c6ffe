"""The checked cursor: each rule by name, and that no list is read wrongly whatever happens to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.openai_conversations.errors import BadRequestError, NotFoundError, WalkError
from connectors.openai_conversations.protocol import INCLUDE, Item, Page
from connectors.openai_conversations.walk import Cursor, Step, Walk


def item(identifier: str | None) -> Item:
    """Return an item with this ID."""
    return Item(identifier, "message", "completed", b"{}")


def page(*ids: str | None, more: bool = False, last_id: str | None = "") -> Page:
    """Return a page of these IDs; `last_id` is the last one's unless given."""
    last = last_id if last_id != "" else (ids[-1] if ids else None)
    return Page("list", tuple(item(identifier) for identifier in ids), None, more, last)


def after(walk: Walk) -> str | None:
    """Return the `after` of the next request."""
    assert walk.request is not None
    return dict(walk.request.params).get("after")


def ids(step: Step) -> list[str | None]:
    """Return the IDs of a step's items."""
    return [item.id for item in step.items]


def walk_from_b() -> Walk:
    """Return a walk whose cursor is item b, after item a."""
    return Walk("conv_1", cursor=Cursor("b", "a"))


def test_every_request_is_ascending_a_hundred_items_with_everything_included() -> None:
    """The API's own default is descending, on which a cursor never sees anything new."""
    request = Walk("conv_1").request
    assert request is not None
    assert request.params == (
        *(("include[]", value) for value in INCLUDE),
        ("limit", "100"),
        ("order", "asc"),
    )
    narrow = Walk("conv_1", include=(), limit=2).request
    assert narrow is not None
    assert narrow.params == (("limit", "2"), ("order", "asc"))


def test_a_first_walk_reads_page_after_page() -> None:
    """Without a cursor everything is new, and nothing is a re-list."""
    walk = Walk("conv_1")
    assert after(walk) is None
    assert walk.receive(page("a", "b", more=True)) == Step((item("a"), item("b")), False, False)
    assert after(walk) == "b"
    assert walk.receive(page("c")) == Step((item("c"),), False, True)
    assert walk.request is None


def test_check_a_healthy_answer_begins_with_the_cursor_item() -> None:
    """The item before the cursor is what is asked after; what follows the cursor is new."""
    walk = walk_from_b()
    assert after(walk) == "a"
    step = walk.receive(page("b", "c", "d", more=True))
    assert (ids(step), step.is_relist, step.is_last) == (["c", "d"], False, False)
    assert after(walk) == "d"


def test_check_nothing_new_costs_one_request() -> None:
    """A conversation that did not grow answers with the cursor item alone."""
    walk = walk_from_b()
    assert walk.receive(page("b")) == Step((), False, True)
    assert walk.request is None


def test_check_of_the_first_item_asks_without_after() -> None:
    """There is no item before it, so the list has to begin with it."""
    walk = Walk("conv_1", cursor=Cursor("a", None))
    assert after(walk) is None
    assert ids(walk.receive(page("a", "b"))) == ["b"]


def test_check_items_without_an_id_before_the_cursor_are_not_new() -> None:
    """They were stored with the cursor; those behind it are new."""
    step = walk_from_b().receive(page(None, "b", None, "c"))
    assert ids(step) == [None, "c"]


@pytest.mark.parametrize("answer", [page(), page("c"), page("a", "b"), page(None), page("c", "b")])
def test_check_anything_else_starts_a_relist(answer: Page) -> None:
    """An empty page too: the cursor item is gone, and its place with it."""
    walk = walk_from_b()
    assert walk.receive(answer) == Step((), True, False)
    assert after(walk) is None
    step = walk.receive(page("a", "c"))
    assert (ids(step), step.is_relist, step.is_last) == (["a", "c"], True, True)


def test_check_an_unhealthy_page_without_after_is_the_relists_first_page() -> None:
    """What was asked from the start need not be asked again."""
    walk = Walk("conv_1", cursor=Cursor("a", None))
    step = walk.receive(page("b", "c", more=True))
    assert (ids(step), step.is_relist, step.is_last) == (["b", "c"], True, False)
    assert after(walk) == "c"


def test_check_the_cursor_item_further_down_is_not_healthy() -> None:
    """Something stands before it that was not there: the page is the re-list's first."""
    step = Walk("conv_1", cursor=Cursor("b", None)).receive(page("c", "b"))
    assert (ids(step), step.is_relist) == (["c", "b"], True)


def test_check_an_emptied_conversation_is_an_empty_relist() -> None:
    """clear_session() leaves nothing, and the walk says so at once."""
    assert Walk("conv_1", cursor=Cursor("a", None)).receive(page()) == Step((), True, True)


@pytest.mark.parametrize("error", [BadRequestError("m"), NotFoundError("m")])
def test_refusal_of_after_is_asked_once_without_it(error: BadRequestError | NotFoundError) -> None:
    """Success means that the item in `after` is gone, and is page 1 of the re-list."""
    walk = walk_from_b()
    walk.refused(error)
    assert after(walk) is None
    step = walk.receive(page("a", "c"))
    assert (ids(step), step.is_relist) == (["a", "c"], True)


def test_refusal_without_after_is_about_the_conversation() -> None:
    """The same error again is raised as it is."""
    walk = walk_from_b()
    walk.refused(NotFoundError("first"))
    again = NotFoundError("second")
    with pytest.raises(NotFoundError) as caught:
        walk.refused(again)
    assert caught.value is again


@pytest.mark.parametrize("walk", [Walk("conv_1"), walk_from_b()])
def test_refusal_in_the_middle_starts_the_relist_too(walk: Walk) -> None:
    """The item that a page ended with can vanish before the next page is asked for."""
    walk.receive(page("b", "c", more=True))
    assert after(walk) == "c"
    walk.refused(NotFoundError("m"))
    step = walk.receive(page("a", "b", "d"))
    assert (ids(step), step.is_relist) == (["a", "b", "d"], True)


def test_refusal_in_the_middle_of_a_relist_is_a_contradiction_not_a_missing_conversation() -> None:
    """A second re-list could go on for ever; and the conversation gave a page a moment ago."""
    walk = Walk("conv_1", relist=True)
    walk.receive(page("a", more=True))
    with pytest.raises(WalkError):
        walk.refused(NotFoundError("m"))


def test_next_is_the_envelopes_last_id_else_the_last_items() -> None:
    """Some servers leave last_id out."""
    walk = Walk("conv_1")
    walk.receive(page("a", more=True, last_id="z"))
    assert after(walk) == "z"
    walk.receive(page("b", more=True, last_id=None))
    assert after(walk) == "b"


@pytest.mark.parametrize("answer", [page("a"), page(), page(None)])
def test_next_ends_without_more(answer: Page) -> None:
    """Each of them is an end, as with the official SDK."""
    walk = Walk("conv_1")
    assert walk.receive(answer).is_last
    assert walk.request is None


@pytest.mark.parametrize("relist", [False, True])
def test_more_without_a_first_item_is_a_contradiction(relist: bool) -> None:
    """A whole list must not look empty because its items did not come along."""
    with pytest.raises(WalkError, match="no item to begin with"):
        Walk("conv_1", relist=relist).receive(page(more=True))


def test_more_without_an_id_to_go_on_from_is_a_contradiction() -> None:
    """Ending there would lose the rest without a word."""
    with pytest.raises(WalkError, match="gives no ID"):
        Walk("conv_1").receive(page(None, more=True))


@pytest.mark.parametrize("relist", [False, True])
@pytest.mark.parametrize("more", [False, True])
def test_checked_end_asks_once_for_the_last_item_received(relist: bool, more: bool) -> None:
    """It is still there and nothing follows it: the end is real, at the cost of one request.

    Some servers always say that there is more.
    """
    walk = Walk("conv_1", relist=relist)
    walk.receive(page("a", "b", "c", more=True))
    assert walk.receive(page()) == Step((), relist, False)
    assert after(walk) == "b"
    assert walk.receive(page("c", more=more)) == Step((), relist, True)
    assert walk.request is None


def test_checked_end_goes_on_with_what_follows() -> None:
    """Items that came meanwhile are new; and their end may be doubted once more."""
    walk = Walk("conv_1")
    walk.receive(page("a", "b", more=True))
    walk.receive(page())
    assert ids(walk.receive(page("b", "c", "d", more=True))) == ["c", "d"]
    assert after(walk) == "d"
    walk.receive(page())
    assert after(walk) == "c"
    assert walk.receive(page("d", "e")) == Step((item("e"),), False, True)


def test_checked_end_behind_a_cursor_that_nothing_followed() -> None:
    """The cursor item is the last one received then, and is checked as it was before."""
    walk = walk_from_b()
    walk.receive(page("b", more=True))
    assert not walk.receive(page()).is_last
    assert after(walk) == "a"
    assert walk.receive(page("b")) == Step((), False, True)


def test_checked_end_of_the_very_first_item_asks_without_after() -> None:
    """There is no item before it: it has to be the list's first."""
    walk = Walk("conv_1")
    walk.receive(page("a", more=True))
    walk.receive(page())
    assert after(walk) is None
    assert walk.receive(page("a", "b")) == Step((item("b"),), False, True)


@pytest.mark.parametrize("answer", [page(), page("d"), page("b", "c"), page(None)])
def test_checked_end_an_item_that_is_gone_starts_the_relist(answer: Page) -> None:
    """Its place is lost, and all that followed it would be."""
    walk = walk_from_b()
    walk.receive(page("b", "c", more=True))
    walk.receive(page())
    assert walk.receive(answer) == Step((), True, False)
    assert after(walk) is None
    assert walk.receive(page("a", "b", "d")).is_last


def test_checked_end_a_gone_item_that_was_asked_without_after_is_the_relists_first_page() -> None:
    """An empty one too: everything is gone, and the walk says so at once."""
    walk = Walk("conv_1", cursor=Cursor("a", None))
    walk.receive(page("a", more=True))
    walk.receive(page())
    assert after(walk) is None
    assert walk.receive(page()) == Step((), True, True)


@pytest.mark.parametrize("relist", [False, True])
@pytest.mark.parametrize("answer", [page(), page("d"), page("b", "c")])
def test_checked_end_a_gone_item_ends_a_walk_from_the_start(relist: bool, answer: Page) -> None:
    """What was not listed would be taken for deleted."""
    walk = Walk("conv_1", relist=relist)
    walk.receive(page("a", "b", "c", more=True))
    walk.receive(page())
    with pytest.raises(WalkError, match="sent an empty page"):
        walk.receive(answer)
    assert not walk.is_whole


def test_checked_end_that_is_refused_starts_the_relist() -> None:
    """The item before the last one is gone, too."""
    walk = walk_from_b()
    walk.receive(page("b", "c", more=True))
    walk.receive(page())
    walk.refused(NotFoundError("m"))
    assert walk.receive(page("a")) == Step((item("a"),), True, True)


def test_checked_end_uses_the_last_two_items_that_have_an_id() -> None:
    """Items without one that were received are not new, and those behind them are."""
    walk = Walk("conv_1")
    walk.receive(page("a", None, "b", None, None, more=True, last_id="token"))
    walk.receive(page())
    assert after(walk) == "a"
    assert ids(walk.receive(page(None, "b", None, None, None, "c"))) == [None, "c"]


def test_checked_end_knows_all_that_was_received() -> None:
    """What comes again behind the last item is no news: the server lost its place."""
    walk = walk_from_b()
    walk.receive(page("b", "c", "d", "e", more=True))
    walk.receive(page())
    assert walk.receive(page("e", "c")) == Step((), True, False)


def test_checked_end_without_any_id_is_a_contradiction() -> None:
    """An end that cannot be checked is not believed."""
    walk = Walk("conv_1")
    walk.receive(page(None, more=True, last_id="token"))
    with pytest.raises(WalkError, match="sent an empty page"):
        walk.receive(page())


def test_checked_end_of_a_page_that_is_full_is_not_doubted_again() -> None:
    """What follows it was just asked for."""
    walk = Walk("conv_1", limit=1, trusts_has_more=False)
    walk.receive(page("a", more=True))
    walk.receive(page())
    assert walk.receive(page("a")).is_last


def test_checked_end_costs_nothing_where_the_page_before_agrees() -> None:
    """A full page of a server that is not OpenAI's said has_more: false, as the empty one does."""
    walk = Walk("conv_1", limit=2, trusts_has_more=False)
    walk.receive(page("a", "b", more=True))
    walk.receive(page("c", "d"))
    assert walk.receive(page()).is_last


def test_no_trust_a_full_page_is_followed_by_one_more_request() -> None:
    """A server that is not OpenAI's may say has_more: false on every page."""
    walk = Walk("conv_1", limit=2, trusts_has_more=False)
    assert not walk.receive(page("a", "b")).is_last
    assert after(walk) == "b"
    assert walk.receive(page()) == Step((), False, True)


@pytest.mark.parametrize(("answer", "trusts"), [(page("a", "b"), True), (page("a"), False)])
def test_no_trust_costs_nothing_where_there_is_no_doubt(answer: Page, trusts: bool) -> None:
    """OpenAI's has_more is believed, and a page that is not full is the last."""
    assert Walk("conv_1", limit=2, trusts_has_more=trusts).receive(answer).is_last


def test_no_repeats_a_server_that_lost_the_cursor_starts_the_relist() -> None:
    """An unknown `after` is silently answered with the first page by some servers."""
    walk = walk_from_b()
    walk.receive(page("b", "c", more=True))
    assert walk.receive(page("a", "b", more=True)) == Step((), True, False)
    assert after(walk) is None
    assert walk.receive(page("a", "b", "c")).is_last


@pytest.mark.parametrize("is_relist", [True, False])
def test_no_repeats_from_the_start_is_a_contradiction(is_relist: bool) -> None:
    """There is nothing left to fall back to: a server that ignores `after` cannot be paged."""
    walk = Walk("conv_1", relist=is_relist)
    walk.receive(page("a", "b", more=True))
    with pytest.raises(WalkError, match="conv_1"):
        walk.receive(page("a", "b", more=True))


def test_no_repeats_one_item_again_is_enough() -> None:
    """Even where the rest of the page is new and its last_id moves on."""
    walk = Walk("conv_1")
    walk.receive(page("a", "b", more=True))
    with pytest.raises(WalkError, match="an item again"):
        walk.receive(page("b", "c", more=True))


def test_no_repeats_in_the_relist_of_a_checked_walk_is_a_contradiction() -> None:
    """A re-list happens once; a server that loses its place again would otherwise be asked for ever."""
    walk = walk_from_b()
    walk.receive(page())
    walk.receive(page("a", "c", more=True))
    with pytest.raises(WalkError, match="an item again"):
        walk.receive(page("c", "d", more=True))


def test_no_repeats_within_a_page_the_first_wins() -> None:
    """The other is left out and named; items without an ID are never repeats."""
    step = Walk("conv_1").receive(page("a", None, "b", "a", None, "a"))
    assert ids(step) == ["a", None, "b", None]
    assert step.repeated_ids == ("a",)


def test_no_repeats_the_cursor_item_twice_on_the_checked_page() -> None:
    """It is healthy, and the second one is named."""
    step = walk_from_b().receive(page("b", "c", "b"))
    assert (ids(step), step.repeated_ids, step.is_relist) == (["c"], ("b",), False)


@pytest.mark.parametrize("last_ids", [["x", "x"], ["x", "y", "x"]])
def test_no_standing_still(last_ids: list[str]) -> None:
    """A last_id that was already asked for would turn the walk into a circle."""
    walk = Walk("conv_1")
    with pytest.raises(WalkError):
        for number, last_id in enumerate(last_ids):
            walk.receive(page(f"new_{number}", more=True, last_id=last_id))


def test_a_full_relist_says_so_from_the_first_step_and_ignores_the_cursor() -> None:
    """Reconciling lists everything."""
    walk = Walk("conv_1", cursor=Cursor("b", "a"), relist=True)
    assert after(walk) is None
    assert walk.receive(page("a", "b")) == Step((item("a"), item("b")), True, True)


def test_a_full_relist_says_so_in_every_step() -> None:
    """Those that bring nothing, too."""
    walk = Walk("conv_1", cursor=Cursor("b", "a"), relist=True, limit=2, trusts_has_more=False)
    answers = [page("a", "b", more=True), page("c", "d"), page("e", more=True), page(), page("e")]
    steps = [walk.receive(answer) for answer in answers]
    assert [step.is_relist for step in steps] == [True] * 5
    assert [step.is_last for step in steps] == [False] * 4 + [True]


def test_a_full_relist_of_an_emptied_conversation_is_one_step() -> None:
    """The caller learns that everything is gone."""
    walk = Walk("conv_1", cursor=Cursor("b", "a"), relist=True)
    assert walk.receive(page()) == Step((), True, True)
    assert walk.request is None
    assert walk.is_whole


@pytest.mark.parametrize(
    ("cursor", "relist", "answers", "is_whole"),
    [
        (None, False, [page("a")], True),
        (None, False, [page("a", more=True)], False),
        (Cursor("b", "a"), True, [page("a")], True),
        (Cursor("b", "a"), False, [page("b", "c")], False),
        (Cursor("b", "a"), False, [page()], False),
        (Cursor("b", "a"), False, [page(), page("a")], True),
    ],
)
def test_a_walk_is_whole_when_it_ended_and_listed_from_the_start(
    cursor: Cursor | None, relist: bool, answers: list[Page], is_whole: bool
) -> None:
    """Without a cursor or by a re-list: only then everything that exists was seen."""
    walk = Walk("conv_1", cursor=cursor, relist=relist)
    for answer in answers:
        walk.receive(answer)
    assert walk.is_whole is is_whole


# A simulated server: a list that changes between any two requests.


@dataclass
class Server:
    """A list of IDs, how it answers an `after` that it does not know, and what it leaves out."""

    items: list[str]
    unknown_after: str
    has_last_id: bool
    says_more: bool
    limit: int
    changes: Iterator[Callable[[list[str]], None]]
    requests: int = 0
    deleted: set[str] = field(default_factory=set)

    def answer(self, walk: Walk) -> Page:
        """Answer the walk's request, then let the list change."""
        asked = after(walk)
        self.requests += 1
        try:
            return self.page_after(asked)
        finally:
            before = set(self.items)
            next(self.changes, lambda _: None)(self.items)
            self.deleted |= before - set(self.items)

    def page_after(self, asked: str | None) -> Page:
        """Return what follows this ID."""
        start = 0
        if asked is not None and asked not in self.items:
            if self.unknown_after == "error":
                raise NotFoundError("m")
            start = 0 if self.unknown_after == "first page" else len(self.items)
        elif asked is not None:
            start = self.items.index(asked) + 1
        part = self.items[start : start + self.limit]
        more = self.says_more and start + self.limit < len(self.items)
        return page(*part, more=more, last_id=part[-1] if part and self.has_last_id else None)


def drive(server: Server, walk: Walk) -> list[Step]:
    """Run a walk to its end, as the client does."""
    steps = []
    while walk.request is not None:
        try:
            answer = server.answer(walk)
        except NotFoundError as error:
            walk.refused(error)
            continue
        steps.append(walk.receive(answer))
    return steps


def stored_after(stored: list[str], steps: list[Step]) -> list[str]:
    """Return what a reader holds who appends new items, and replaces all by a re-list."""
    relisted = [step for step in steps if step.is_relist]
    new = [item.id or "" for step in relisted or steps for item in step.items]
    return new if relisted else stored + new


def cursor_of(held: list[str]) -> Cursor | None:
    """Return the cursor of a reader who holds these items."""
    return Cursor(held[-1], held[-2] if len(held) > 1 else None) if held else None


def append(*names: str) -> Callable[[list[str]], None]:
    """Return the change that adds these at the end."""
    return lambda items: items.extend(names)


def delete(place: float) -> Callable[[list[str]], None]:
    """Return the change that deletes the item at this place, from 0 for the first to 1 for the last."""

    def change(items: list[str]) -> None:
        if items:
            del items[round(place * (len(items) - 1))]

    return change


places = st.sampled_from([0.0, 0.5, 1.0, 1.0]) | st.floats(0, 1)
servers = st.fixed_dictionaries(
    {
        "unknown_after": st.sampled_from(["error", "first page", "nothing"]),
        "has_last_id": st.booleans(),
        "says_more": st.booleans(),
        "limit": st.integers(1, 4),
    }
)


@settings(max_examples=200, deadline=None)
@given(servers, st.integers(0, 9), st.lists(places, max_size=5), st.integers(0, 9))
def test_a_list_that_changed_between_two_walks_is_read_exactly(
    options: dict[str, object], count: int, deleted: list[float], added: int
) -> None:
    """Items deleted, the cursor's among them, and others added: the reader ends with the right list."""
    server = Server([f"i{n}" for n in range(count)], changes=iter(()), **options)  # type: ignore[arg-type]
    stored = stored_after([], drive(server, Walk("conv_1", limit=server.limit, trusts_has_more=False)))
    assert stored == server.items
    for place in deleted:
        delete(place)(server.items)
    append(*(f"new{n}" for n in range(added)))(server.items)
    cursor = cursor_of(stored)
    server.requests = 0
    steps = drive(server, Walk("conv_1", cursor=cursor, limit=server.limit, trusts_has_more=False))
    relisted = any(step.is_relist for step in steps)
    kept = [name for name in server.items if name.startswith("new")]
    assert stored_after(stored, steps) == (server.items if relisted else stored + kept)
    assert relisted or cursor is None or cursor.item_id in server.items
    assert server.requests <= 2 * (len(server.items) // server.limit + 2)
    assert steps[-1].is_last


@settings(max_examples=200, deadline=None)
@given(servers, st.integers(1, 12), st.integers(1, 12), st.lists(places | st.none(), max_size=8), st.booleans())
def test_a_list_that_changes_during_a_walk_loses_nothing(
    options: dict[str, object], count: int, known: int, changes: list[float | None], is_relist: bool
) -> None:
    """Whatever is deleted or added between two pages: what stayed is read once, or the walk says it failed.

    Two servers need a second walk. One answers a vanished `after` with an empty page, and never says that more
    follows: that hides the rest until then. One answers it with the first page, whose items the walk may not
    know: the reader, who has them already, re-lists.
    """
    names = [f"i{n}" for n in range(count)]
    stored = names[: min(known, count)]
    events = iter([append(f"new{n}") if place is None else delete(place) for n, place in enumerate(changes)])
    server = Server(list(names), changes=events, **options)  # type: ignore[arg-type]

    def walk_from(held: list[str], *, relist: bool) -> list[str]:
        walk = Walk("conv_1", cursor=cursor_of(held), limit=server.limit, trusts_has_more=False, relist=relist)
        return stored_after([] if relist else held, drive(server, walk))

    try:
        held = walk_from(stored, relist=is_relist)
    except WalkError:
        assert server.deleted, "only a deletion under way may make a walk give up"
        return
    finally:
        assert server.requests <= 2 * (count + len(changes) + 4)
    server.changes = iter(())
    if server.unknown_after == "nothing" and not server.says_more:
        held = walk_from(held, relist=False)
    if server.unknown_after == "first page" and len(held) > len(set(held)):
        held = walk_from(held, relist=True)
    assert len(held) == len(set(held))
    assert [name for name in held if name in names] == [name for name in names if name in held]
    assert set(names) - server.deleted <= set(held)


names = st.sampled_from(["a", "b", "c", "d", "e", None])
hostile_pages = st.builds(
    lambda ids, more, last_id: page(*ids, more=more, last_id=last_id),
    st.lists(names, max_size=3),
    st.booleans() | st.just(True),
    names | st.just(""),
)


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(hostile_pages | st.just(page()) | st.none(), max_size=60),
    st.sampled_from([None, Cursor("a", None), Cursor("b", "a")]),
    st.booleans(),
    st.booleans(),
)
def test_a_hostile_server_is_asked_a_bounded_number_of_times(
    answers: list[Page | None], cursor: Cursor | None, is_relist: bool, trusts: bool
) -> None:
    """Whatever it answers, None for a refusal: every `after` is used once in each of two listings, and checked once."""
    walk = Walk("conv_1", cursor=cursor, limit=2, trusts_has_more=trusts, relist=is_relist)
    steps: list[Step] = []
    requests = 0
    try:
        for answer in answers:
            if walk.request is None:
                break
            requests += 1
            if answer is None:
                walk.refused(NotFoundError("m"))
            else:
                steps.append(walk.receive(answer))
    except (WalkError, NotFoundError):
        assert not walk.is_whole
    assert requests <= 2 * (1 + 2 * 5)
    assert not any(step.is_last for step in steps[:-1])
    relisted = [step.is_relist for step in steps]
    assert relisted == sorted(relisted)
    listed = [item.id for step in steps if step.is_relist == relisted[-1] for item in step.items if item.id]
    assert len(listed) == len(set(listed))
