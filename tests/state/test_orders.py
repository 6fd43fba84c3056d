"""Orders by their steps: what each moves, what differs on the way, and how reports out of turn heal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.state.devices import Crew

from abasto.errors import AbastoError
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    EntryReversed,
    Fact,
    GoodsTakenIn,
    Line,
    OrderAccepted,
    OrderCancelled,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    StockCounted,
)
from abasto.state.encode import encode
from abasto.state.exceptions import exceptions
from abasto.state.fold import fold
from abasto.state.holding import days_after
from abasto.state.state import State

D1, D2, D3, D4 = "2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"


def flour(state: State) -> tuple[int, int]:
    """Return how much flour is at the store and at the school."""
    return sum(state.books.balance("Store", "flour").values()), sum(state.books.balance("School", "flour").values())


def kinds(state: State) -> list[str]:
    return sorted(one.kind for one in exceptions(state))


def issued(crew: Crew, *lines: Line, by: int = 0) -> str:
    """Stock the store with flour and order some of it away; return the order's id."""
    if by == 0:
        crew.say(StockCounted("Store", "flour", 100_000, D1))
    order = OrderIssued("Store", "School", "truck", 1, D2, D2, lines or (Line("flour", 30_000),), D1)
    [entry] = crew.say(order, by=by)
    return entry.id


def load(order: str, quantity: int = 30_000, *, lot: str | None = None) -> OrderLoaded:
    return OrderLoaded(order, (Line("flour", quantity, lot),), D2)


def receive(order: str, quantity: int = 30_000, *, lot: str | None = None, more: bool = False) -> OrderReceived:
    return OrderReceived(order, "School", (Line("flour", quantity, lot),), D2, more_to_come=more)


def test_an_order_moves_nothing_before_it_is_loaded() -> None:
    crew = Crew()
    order = issued(crew)
    crew.say(OrderAccepted(order, D1))
    state = crew.state()
    assert flour(state) == (100_000, 0)
    assert state.orders[order].status == "accepted"
    assert [one.id for one in state.orders.open()] == [order]


def test_loaded_goods_are_on_the_way_until_they_are_received() -> None:
    crew = Crew()
    order = issued(crew)
    crew.say(load(order))
    state = crew.state()
    assert flour(state) == (70_000, 0)
    assert state.books.on_the_way(order) == {("flour", ""): 30_000}
    crew.say(receive(order))
    state = crew.state()
    assert flour(state) == (70_000, 30_000)
    assert state.books.on_the_way(order) == {}
    record = state.orders[order]
    assert (record.status, record.difference, record.loaded_on, record.received_on) == ("received", (), D2, D2)
    assert state.orders.open() == []
    assert kinds(state) == []


def test_what_does_not_arrive_is_lost_on_the_way() -> None:
    crew = Crew()
    order = issued(crew)
    crew.say(load(order), receive(order, 28_000))
    state = crew.state()
    assert flour(state) == (70_000, 28_000)
    assert state.books.elsewhere("lost") == {("flour", ""): 2_000}
    assert state.orders[order].difference == (Line("flour", 2_000),)
    assert kinds(state) == ["order difference"]


def test_what_arrives_in_parts_adds_up() -> None:
    crew = Crew()
    order = issued(crew)
    crew.say(load(order, 10_000), load(order, 20_000), receive(order, 12_000, more=True))
    assert crew.state().orders[order].status == "loaded"
    crew.say(receive(order, 17_000))
    state = crew.state()
    assert state.orders[order].loaded == (Line("flour", 30_000, ""),)
    assert state.orders[order].received == (Line("flour", 29_000, ""),)
    assert state.books.elsewhere("lost") == {("flour", ""): 1_000}
    crew.say(receive(order, 1_000))  # Found under the seat.
    state = crew.state()
    assert state.books.elsewhere("lost") == {}
    assert kinds(state) == []


def test_more_than_was_loaded_is_received_and_shown() -> None:
    crew = Crew()
    order = issued(crew)
    crew.say(load(order), receive(order, 31_000))
    state = crew.state()
    assert flour(state) == (70_000, 31_000)
    assert state.books.on_the_way(order) == {}
    assert state.orders[order].difference == (Line("flour", -1_000),)


def test_lots_keep_their_dates_on_the_way() -> None:
    crew = Crew()
    crew.say(GoodsTakenIn("Store", "flour", 5_000, D1, lot=D4), GoodsTakenIn("Store", "flour", 5_000, D1, lot=D3))
    [order] = crew.say(OrderIssued("Store", "School", "truck", 1, D2, D2, (Line("flour", 7_000),), D1))
    crew.say(load(order.id, 7_000), receive(order.id, 6_000))
    state = crew.state()
    assert state.books.balance("School", "flour") == {D3: 5_000, D4: 1_000}
    assert state.books.elsewhere("lost") == {("flour", D4): 1_000}


def test_a_receipt_that_comes_before_the_loading_waits_for_it() -> None:
    crew = Crew()
    order = issued(crew, Line("flour", 30_000, ""))
    crew.say(receive(order, 29_000))
    state = crew.state()
    assert flour(state) == (100_000, 29_000)
    assert kinds(state) == ["not loaded"]
    crew.say(load(order))
    state = crew.state()
    assert flour(state) == (70_000, 29_000)
    assert state.books.elsewhere("lost") == {("flour", ""): 1_000}
    assert kinds(state) == ["order difference"]


def test_reports_about_an_order_that_nobody_knows_heal_when_it_arrives() -> None:
    """Another device, which has not met this one, issued the order; its entries come later in the order of the fold."""
    crew = Crew(3)
    crew.say(StockCounted("Store", "flour", 100_000, D1))
    crew.say(*[GoodsTakenIn("School", "bread", 1, D1)] * 4, by=1)
    order = issued(crew, by=1)
    crew.say(load(order), receive(order, 29_000), by=2)
    crew.meet(0, 2)
    state = crew.state()
    assert flour(state) == (100_000, 29_000)
    assert state.orders[order].status == "unknown"
    assert kinds(state) == ["unknown order"]
    crew.meet()
    state = crew.state()
    place = {told.entry.id: number for number, told in enumerate(crew.told())}
    assert place[order] > max(place[id] for id in state.orders[order].history if id != order)
    assert flour(state) == (70_000, 29_000)
    assert state.orders[order].status == "received"
    assert state.orders[order].difference == (Line("flour", 1_000),)
    assert kinds(state) == ["order difference"]


def test_cancelled_after_loading_comes_back() -> None:
    crew = Crew()
    order = issued(crew)
    crew.say(load(order), receive(order, 10_000, more=True), OrderCancelled(order, D3, cause="road closed"))
    state = crew.state()
    assert flour(state) == (90_000, 10_000)
    assert state.orders[order].status == "cancelled"
    assert kinds(state) == []


@pytest.mark.parametrize("step", ["accepted", "loaded", "received", "cancelled"])
def test_a_step_after_the_end_is_booked_and_listed(step: str) -> None:
    crew = Crew()
    order = issued(crew)
    steps: dict[str, Fact] = {
        "accepted": OrderAccepted(order, D2),
        "loaded": load(order),
        "received": receive(order),
        "cancelled": OrderCancelled(order, D3),
    }
    crew.say(OrderCancelled(order, D2), steps[step])
    state = crew.state()
    assert "order step" in kinds(state)
    assert flour(state)[0] == (70_000 if step == "loaded" else 100_000)
    assert flour(state)[1] == (30_000 if step == "received" else 0)


def test_cancelling_what_was_received_changes_nothing() -> None:
    crew = Crew()
    order = issued(crew)
    crew.say(load(order), receive(order), OrderCancelled(order, D3))
    state = crew.state()
    assert state.orders[order].status == "received"
    assert flour(state) == (70_000, 30_000)


def test_the_last_step_can_be_undone_and_an_earlier_one_cannot() -> None:
    crew = Crew()
    order = issued(crew)
    [loaded] = crew.say(load(order))
    [arrived] = crew.say(receive(order, 28_000))
    crew.say(EntryReversed(loaded.id, D3))
    assert flour(crew.state()) == (70_000, 28_000)
    assert "not undone" in kinds(crew.state())
    crew.say(EntryReversed(arrived.id, D3))
    state = crew.state()
    assert flour(state) == (70_000, 0)
    assert state.orders[order].status == "loaded"
    assert state.books.on_the_way(order) == {("flour", ""): 30_000}
    crew.say(EntryReversed(loaded.id, D3))
    state = crew.state()
    assert flour(state) == (100_000, 0)
    assert state.orders[order].status == "issued"
    assert len(state.orders[order].history) == 5


def test_an_order_that_is_undone_is_cancelled() -> None:
    crew = Crew()
    order = issued(crew)
    crew.say(EntryReversed(order, D2))
    assert crew.state().orders[order].status == "cancelled"


def test_no_report_makes_the_code_of_an_order_ambiguous() -> None:
    crew = Crew()
    [entry] = crew.say(OrderIssued("Store", "School", "truck", 1, D1, D1, (Line("flour", 1_000),), D1))
    like_it, unknown = entry.id[:20] + "A" * 23, "-" * 42 + "A"
    crew.say(OrderAccepted(like_it, D1), OrderAccepted(unknown, D1))
    orders = crew.state().orders
    assert {like_it, unknown} <= orders.keys()
    assert orders.find(code_of(entry.id)) == entry.id
    assert orders.find(like_it) == like_it
    assert orders.find(code_of(unknown)) == unknown
    with pytest.raises(AbastoError, match="nothing here"):
        orders.find("0000-0000")


def test_every_step_of_an_order_is_undone_to_what_was_before_it() -> None:
    crew = Crew()
    order = issued(crew, Line("flour", 30_000), Line("bread", 2_000))
    steps: list[Fact] = [
        OrderAccepted(order, D1),
        load(order, 10_000),
        OrderLoaded(order, (Line("bread", 2_000), Line("flour", 0, "")), D2),
        load(order, 20_000),
        receive(order, 5_000, more=True),
        OrderReceived(order, "School", (Line("bread", 2_000),), D3, more_to_come=True),
        receive(order, 24_000),
    ]
    stages, said = [], []
    for step in steps:
        stages.append((crew.state().orders[order], flour(crew.state())))
        said += crew.say(step)
    for entry, (record, at) in zip(reversed(said), reversed(stages), strict=True):
        crew.say(EntryReversed(entry.id, D4))
        assert replace(crew.state().orders[order], history=record.history) == record
        assert flour(crew.state()) == at


def test_a_long_story_of_one_order_is_kept_once_and_not_with_every_step() -> None:
    """What undoing needs grew with all that was reported before: 400 reports made a state of 120 MB."""
    sizes = []
    for reports in (20, 40):
        crew = Crew()
        known = issued(crew)
        lines = tuple(Line(f"good {number}", 1) for number in range(100))
        for order in (known, "-" * 42 + "A"):
            crew.say(*[OrderLoaded(order, lines, D2)] * reports)
        sizes.append(len(encode(crew.state())))
    assert sizes[1] < 2.2 * sizes[0]


@pytest.mark.parametrize(("quantity", "lot", "twice"), [(35_000, None, "5 kg"), (30_000, "2026-12-01", "30 kg")])
def test_what_was_received_beyond_the_load_of_a_cancelled_order_is_listed(
    quantity: int, lot: str | None, twice: str
) -> None:
    crew = Crew()
    order = issued(crew)
    crew.say(load(order), receive(order, quantity, lot=lot, more=True), OrderCancelled(order, D3))
    state = crew.state()
    assert kinds(state) == ["order difference"]
    [one] = exceptions(state)
    assert f"received {twice}" in one.message
    last = state.orders[order].history[-1]
    crew.say(EntryReversed(last, D3), receive(order, 0))
    assert not any("cancelled" in one.message for one in exceptions(crew.state()))


FLOODS: dict[str, Callable[[str, int], Fact]] = {
    "accepted": lambda order, n: OrderAccepted(order, D1),
    "loaded": lambda order, n: load(order, n + 1),
    "loaded, a lot each": lambda order, n: load(order, n + 1, lot=days_after(D2, n)),
    "loaded, of nobody's order": lambda order, n: load("nobody's", n + 1),
    "received, a lot each": lambda order, n: receive(order, n + 1, lot=days_after(D2, n), more=True),
    "received in the end, a lot each": lambda order, n: receive(order, n + 1, lot=days_after(D2, n)),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_reports_without_end_of_one_order_fold_in_a_time_that_grows_with_their_number(flood: str) -> None:
    """Counted in calls of functions, which do not depend on the machine."""
    crew = Crew()
    order = issued(crew)
    crew.say(load(order))
    calls = [0]

    def count(*_: object) -> None:
        calls[-1] += 1

    for step in range(3):
        crew.say(*(FLOODS[flood](order, step * 300 + n) for n in range(300)))
        placed = crew.placed()
        sys.setprofile(count)
        try:
            fold(iter(placed))
        finally:
            sys.setprofile(None)
        calls.append(0)
    assert calls[2] - calls[1] < 1.1 * (calls[1] - calls[0])


def test_what_came_about_an_order_is_not_copied_for_every_report_about_it() -> None:
    crew = Crew()
    order = issued(crew)
    [entry] = crew.say(load(order))
    state = crew.state()
    kept = state.orders._get(order)
    state.orders.take(order, load(order), entry, day=D2)
    assert state.orders._get(order).history is kept.history
    assert state.orders._get(order).progress.loaded is kept.progress.loaded


def test_reversing_reports_one_after_the_other_comes_to_what_there_was() -> None:
    crew = Crew()
    order = issued(crew)
    before = crew.state()
    steps = [load(order, 10_000, lot=lot) for lot in ("", D3, D4, D3)] + [receive(order, 5_000, lot=D3, more=True)]
    made = crew.say(*steps)
    crew.say(*(EntryReversed(entry.id, D2) for entry in reversed(made)))
    after = crew.state()
    assert flour(after) == flour(before)
    one, other = before.orders[order], after.orders[order]
    assert replace(other, history=()) == replace(one, history=())
    assert len(other.history) == len(one.history) + 2 * len(steps)
