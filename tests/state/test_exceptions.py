"""Every kind of exception: that it is listed once, says who can settle it, and goes when it is mended or settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from tests.state.devices import DAY, Crew

from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    EntryReversed,
    GoodsHandedOut,
    GoodsTakenIn,
    Line,
    NetworkFounded,
    NoteWritten,
    OrderIssued,
    OrderLoaded,
    RowDropped,
    RowSet,
    StockCounted,
    body_of,
)
from abasto.journal.signing import NOTHING, Device, make_entry
from abasto.state.exceptions import exceptions
from abasto.state.state import State
from abasto.state.types import Problematic

D1, D2, D3 = "2026-11-23", "2026-11-24", "2026-11-25"


def found(state: State, kind: str, *, day: str = "", settled: bool = False) -> list[Problematic]:
    listed = exceptions(state, date.fromisoformat(day) if day else None, settled=settled)
    assert len({one.id for one in listed}) == len(listed)
    for one in listed:
        assert one.message
        assert one.remedy
        assert one.who
        assert len(one.id) == 43
    return [one for one in listed if one.kind == kind]


def only(listed: Sequence[Problematic]) -> Problematic:
    [one] = listed
    return one


def ordered(crew: Crew, *lines: Line, departs: str = D2, arrives: str = D2) -> str:
    [entry] = crew.say(OrderIssued("Store", "School", "truck", 1, departs, arrives, lines, D1))
    return entry.id


def test_a_network_without_trouble_has_no_exceptions() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1), GoodsHandedOut("Store", "flour", 10_000, D1))
    assert exceptions(crew.state(), date(2026, 12, 1)) == ()


def test_open_orders_that_promise_more_than_there_is() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 50_000, D1))
    first = ordered(crew, Line("flour", 30_000))
    assert not found(crew.state(), "overcommitted")
    second = ordered(crew, Line("flour", 30_000))
    one = only(found(crew.state(), "overcommitted"))
    assert one.about == "Store/flour"
    assert one.who == "Store"
    assert set(one.entries) == {first, second}
    assert "60 kg of flour promised" in one.message
    assert "10 too much" in one.message
    crew.say(GoodsTakenIn("Store", "flour", 10_000, D1))
    assert not found(crew.state(), "overcommitted")


@pytest.mark.parametrize("much", ["9e999999", "1e400000", "1e-999999", "9" * 4000])
def test_a_number_that_no_entry_could_say_of_a_good_keeps_nobody_from_the_list(much: str) -> None:
    crew = Crew()
    crew.say(
        RowSet("supplies", {"site": "Store", "good": "flour", "quantity": much}, D1),
        RowSet("recipes", {"recipe": "mill", "good": "flour", "quantity": much}, D1),
        RowSet("plants", {"site": "Store", "recipe": "mill", "batches": much}, D1),
    )
    ordered(crew, Line("flour", 60_000))
    assert len(found(crew.state(), "overcommitted")) == (much == "1e-999999")


@pytest.mark.parametrize("expires", ["abcdefghij", "2026-02-31", "2026-W47-7"])
def test_a_lot_that_is_no_date_is_a_row_that_was_not_booked(expires: str) -> None:
    crew = Crew()
    crew.say(RowSet("stocks", {"site": "Store", "good": "flour", "quantity": "5", "expires": expires}, D1))
    assert f"'{expires}' is no date" in only(found(crew.state(), "row")).message
    assert crew.state().books.balance("Store", "flour") == {}


def test_a_lot_that_is_promised_twice() -> None:
    crew = Crew()
    crew.say(GoodsTakenIn("Store", "flour", 5_000, D1, lot=D3), GoodsTakenIn("Store", "flour", 50_000, D1))
    ordered(crew, Line("flour", 5_000, D3))
    ordered(crew, Line("flour", 5_000, D3))
    assert "5 too much of the lots that they name" in only(found(crew.state(), "overcommitted")).message


def test_what_comes_before_the_orders_leave_may_be_promised() -> None:
    crew = Crew()
    crew.say(
        RowSet("supplies", {"site": "Store", "good": "flour", "quantity": "10"}, D1),
        RowSet("recipes", {"recipe": "baking", "good": "flour", "quantity": "-80"}, D1),
        RowSet("recipes", {"recipe": "baking", "good": "bread", "quantity": "100"}, D1),
        RowSet("plants", {"site": "Store", "recipe": "baking", "batches": "0.5"}, D1),
    )
    # On the two days until they leave 2 × 10 kg of flour may come, and 2 × 0.5 × 100 kg of bread be baked.
    ordered(crew, Line("flour", 20_000), Line("bread", 100_000, D3))
    assert not found(crew.state(), "overcommitted")
    ordered(crew, Line("flour", 1_000), Line("bread", 2_000, D3))
    flour, bread = sorted(found(crew.state(), "overcommitted"), key=lambda one: one.about, reverse=True)
    assert "which has 0 and gets at most 20 by then: 1 too much" in flour.message
    assert "which has 0 and gets at most 100 by then: 2 too much" in bread.message
    crew.say(OrderIssued("School", "Store", "truck", 1, D1, D2, (Line("flour", 1_000),), D1))
    assert [one.about for one in found(crew.state(), "overcommitted")] == ["School/flour", "Store/bread"]


def test_loaded_orders_promise_nothing_more() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 30_000, D1))
    order = ordered(crew, Line("flour", 30_000))
    crew.say(OrderLoaded(order, (Line("flour", 30_000),), D2))
    assert not found(crew.state(), "overcommitted")


def test_a_balance_below_zero_goes_with_a_count() -> None:
    crew = Crew()
    crew.say(GoodsHandedOut("Store", "flour", 3_000, D1))
    one = only(found(crew.state(), "below zero"))
    assert "-3 kg of flour" in one.message
    assert one.who == "Store"
    crew.say(StockCounted("Store", "flour", 0, D2))
    assert not found(crew.state(), "below zero")


@pytest.mark.parametrize(("counted", "is_listed"), [(96_000, False), (94_000, True), (105_000, False), (107_000, True)])
def test_a_count_is_listed_if_it_differs_by_more_than_a_twentieth(counted: int, is_listed: bool) -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1), StockCounted("Store", "flour", counted, D2))
    assert bool(found(crew.state(), "discrepancy")) is is_listed


def test_a_discrepancy_goes_when_a_late_report_explains_it() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1), StockCounted("Store", "flour", 80_000, D3))
    one = only(found(crew.state(), "discrepancy"))
    assert (one.date, one.about) == (D3, "Store/flour")
    assert "80 kg of flour, 20 less than the books had (100)" in one.message
    crew.say(GoodsHandedOut("Store", "flour", 18_000, D2))
    assert not found(crew.state(), "discrepancy")


def test_two_who_count_without_knowing_of_each_other() -> None:
    crew = Crew(3)
    crew.say(StockCounted("Store", "flour", 90_000, D1), by=1)
    crew.say(StockCounted("Store", "flour", 80_000, D1), by=2)
    crew.meet()
    one = only(found(crew.state(), "two counts"))
    assert one.about == "Store/flour"
    assert len({state.books.balance("Store", "flour")[""] for state in (crew.state(by=n) for n in range(3))}) == 1
    crew.say(StockCounted("Store", "flour", 85_000, D1), by=1)
    crew.meet()
    assert not found(crew.state(), "two counts")


def test_two_who_count_the_same_or_know_of_each_other_are_no_exception() -> None:
    crew = Crew(3)
    crew.say(StockCounted("Store", "flour", 90_000, D1), by=1)
    crew.say(StockCounted("Store", "flour", 90_000, D1), by=2)
    crew.meet()
    crew.say(StockCounted("Store", "flour", 70_000, D1), by=2)
    crew.meet()
    assert not found(crew.state(), "two counts")


def test_reports_about_what_no_row_tells_of_heal_when_the_row_comes() -> None:
    crew = Crew()
    crew.say(*[GoodsTakenIn("Shed", "rice", 1_000, D1)] * 3)
    state = crew.state()
    assert state.books.balance("Shed", "rice") == {"": 3_000}
    assert only(found(state, "unknown site")).about == "Shed"
    assert "3 reports about good rice" in only(found(state, "unknown good")).message
    crew.say(RowSet("sites", {"site": "Shed"}, D1), RowSet("goods", {"good": "rice"}, D1))
    assert exceptions(crew.state()) == ()


def test_a_report_about_a_removed_site() -> None:
    crew = Crew()
    crew.say(RowDropped("sites", {"site": "School"}, D1))
    assert exceptions(crew.state()) == ()
    crew.say(GoodsTakenIn("School", "flour", 1_000, D2))
    assert only(found(crew.state(), "removed site")).about == "School"


def test_a_wild_clock_cannot_bend_the_books() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1), GoodsHandedOut("Store", "flour", 1_000, "2031-01-01"))
    state = crew.state()
    one = only(found(state, "wild clock"))
    assert "2031-01-01" in one.message
    assert one.who.startswith("device ")
    assert state.books.last_report("Store", "flour") == date(2026, 11, 23)


def test_a_device_with_a_wild_clock_outvotes_nobody() -> None:
    crew = Crew(2)
    crew.say(*[GoodsTakenIn("Store", "flour", 1_000, D1)] * 40)
    crew.meet(0, 1)
    crew.say(*[GoodsHandedOut("Store", "flour", 1_000, "2031-01-01")] * 60, by=1)
    crew.meet(0, 1)
    crew.say(GoodsTakenIn("Store", "flour", 1_000, D2))
    state = crew.state()
    assert state.books.last_report("Store", "flour") == date.fromisoformat(D2)
    assert only(found(state, "wild clock")).who == f"device {code_of(crew.devices[1].key)}"
    assert sum(state.books.balance("Store", "flour").values()) == -19_000


def test_a_gap_heals_when_the_missing_entry_comes() -> None:
    crew = Crew(2)
    crew.say(*[GoodsTakenIn("Store", "flour", 1_000, D1)] * 4, by=1)
    entries = list(crew.journals[1].store.export())
    missing = crew.journals[1].store.get(crew.placed(by=1)[-3].entry.id)
    crew.journals[0].receive(signed for signed in entries if signed != missing)
    state = crew.state()
    assert sum(state.books.balance("Store", "flour").values()) == 1_000
    one = only(found(state, "gap"))
    assert "entry 2" in one.message
    assert "2 entries" in one.message
    crew.journals[0].receive(entries)
    assert sum(crew.state().books.balance("Store", "flour").values()) == 4_000
    assert exceptions(crew.state()) == ()


def test_a_fork_freezes_its_author_and_nobody_else() -> None:
    crew = Crew(3)
    crew.say(GoodsTakenIn("Store", "flour", 1_000, D1), by=1)
    store = crew.journals[1].store
    head = store.heads()[crew.devices[1].key]
    crew.say(*[GoodsTakenIn("Store", "flour", 10_000, D1)] * 2, by=1)
    body = {"site": "Store", "good": "flour", "quantity": 100_000, "date": D1}
    crew.forge(by=1, seq=head.seq + 1, prev=head.id, lc=head.lc + 1, kind="goods.taken_in", body=body)
    crew.say(GoodsTakenIn("Store", "flour", 5_000, D1), by=2)
    crew.meet()
    state = crew.state()
    assert sum(state.books.balance("Store", "flour").values()) == 6_000
    one = only(found(state, "fork"))
    assert one.about == crew.devices[1].key
    assert "3 entries" in one.message


def test_an_entry_that_does_not_follow_the_one_before() -> None:
    crew = Crew()
    crew.say(GoodsTakenIn("Store", "flour", 1_000, D1))
    body = {"site": "Store", "good": "flour", "quantity": 100_000, "date": D1}
    crew.forge(prev="B" * 42 + "A", kind="goods.taken_in", body=body)
    state = crew.state()
    assert sum(state.books.balance("Store", "flour").values()) == 1_000
    assert only(found(state, "out of order")).about == crew.devices[0].key


def test_bodies_that_cannot_be_read_are_kept_and_listed_as_one() -> None:
    crew = Crew()
    for quantity in (-1, 2.5, "7"):
        body = {"site": "Store", "good": "flour", "quantity": quantity if quantity != 2.5 else [], "date": D1}
        crew.forge(kind="goods.taken_in", body=body)
    crew.say(GoodsTakenIn("Store", "flour", 1_000, D1))
    state = crew.state()
    assert sum(state.books.balance("Store", "flour").values()) == 1_000
    assert "3 entries" in only(found(state, "malformed")).message


def test_kinds_of_later_versions_are_kept_and_listed() -> None:
    crew = Crew()
    crew.forge(kind="member.endorsed", body={"key": "x"})
    crew.say(GoodsTakenIn("Store", "flour", 1_000, D1))
    state = crew.state()
    assert "member.endorsed" in only(found(state, "later version")).message
    assert state.count == len(crew.placed())
    assert sum(state.books.balance("Store", "flour").values()) == 1_000


def test_a_network_is_founded_once() -> None:
    """No journal takes in a second founding; a store that holds one all the same is folded all the same."""
    crew = Crew()
    fields = {"network": NOTHING, "seq": 1, "prev": NOTHING, "deps": (), "lc": 1, "time": 0}
    body = body_of(NetworkFounded("Other", (), 1))
    crew.journals[0].store.add([make_entry(Device(bytes(32)), kind="network.founded", body=body, **fields)])
    assert only(found(crew.state(), "founded again"))


def test_what_cannot_be_undone_is_listed() -> None:
    crew = Crew()
    crew.say(EntryReversed("B" * 42 + "A", D1))
    assert only(found(crew.state(), "not undone"))


def test_a_row_that_is_undone_stands_as_before_it() -> None:
    crew = Crew()
    [renamed] = crew.say(RowSet("sites", {"site": "Store", "name": "Old store"}, D1))
    crew.say(EntryReversed(renamed.id, D2))
    assert crew.state().rows.cell("sites", "name", "Store") == ""
    [renamed] = crew.say(RowSet("sites", {"site": "Store", "name": "Old store"}, D1))
    crew.say(RowSet("sites", {"site": "Store", "name": "New store"}, D1), EntryReversed(renamed.id, D2))
    state = crew.state()
    assert state.rows.cell("sites", "name", "Store") == "New store"
    assert only(found(state, "not undone"))


def test_a_row_that_cannot_be_told_from_others_is_listed() -> None:
    crew = Crew()
    crew.say(RowSet("sites", {"name": "Store"}, D1), RowSet("stocks", {"site": "Store", "good": "flour"}, D1))
    listed = found(crew.state(), "row")
    assert {one.about for one in listed} == {"sites", "stocks"}


def test_orders_are_overdue_on_a_day_only() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 50_000, DAY))
    order = ordered(crew, Line("flour", 1_000), departs=D2, arrives=D3)
    assert not found(crew.state(), "order overdue")
    assert not found(crew.state(), "order overdue", day=D2)
    assert only(found(crew.state(), "order overdue", day=D3)).who == "Store"
    crew.say(OrderLoaded(order, (Line("flour", 1_000),), D2))
    assert not found(crew.state(), "order overdue", day=D3)
    assert only(found(crew.state(), "order overdue", day="2026-11-26")).who == "School"


def test_a_note_settles_an_exception_until_the_matter_changes() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1), StockCounted("Store", "flour", 80_000, D3))
    one = only(found(crew.state(), "discrepancy"))
    [note] = crew.say(NoteWritten("A sack burst.", D3, about="Store", settles=(one.id,)))
    state = crew.state()
    assert not found(state, "discrepancy")
    assert found(state, "discrepancy", settled=True) == [one]
    crew.say(GoodsHandedOut("Store", "flour", 5_000, D2))
    assert only(found(crew.state(), "discrepancy")).id != one.id
    crew.say(EntryReversed(note.id, D3))
    assert crew.state().settled == {}
