"""The rules of the books, one by one, on cases made by hand; quantities are thousandths."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.state.devices import DAY, Crew

from abasto.facts.kinds import (
    EntryReversed,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    Line,
    NoteWritten,
    RowDropped,
    RowSet,
    StockCounted,
)
from abasto.state.state import State

D1, D2, D3, D4, D5 = "2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"


def flour(state: State) -> int:
    return sum(state.books.balance("Store", "flour").values())


def end_of(state: State, day: str, *, good: str = "flour") -> int:
    return sum(state.books.at_end_of("Store", good, date.fromisoformat(day)).values())


def whys(crew: Crew) -> list[str]:
    return [move.why for told in crew.told() for move in told.movements]


def difference(state: State, day: str, *, lot: str = "*") -> int:
    holding = state.books.holding("Store", "flour")
    assert holding is not None
    return holding.found(day + lot)[1]


def test_first_figure_comes_from_outside() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1))
    state = crew.state()
    assert state.books.balance("Store", "flour") == {"": 100_000}
    assert state.books.elsewhere("outside") == {("flour", ""): -100_000}
    assert whys(crew) == ["opening"]
    assert state.books.last_count("Store", "flour") == date(2026, 11, 23)


def test_a_stock_row_is_an_opening_count_of_its_lot() -> None:
    crew = Crew()
    crew.say(
        RowSet("stocks", {"site": "Store", "good": "bread", "quantity": "30", "expires": D3}, DAY),
        RowSet("stocks", {"site": "Store", "good": "bread", "quantity": "12.5", "expires": D5}, DAY),
        RowSet("stocks", {"site": "Store", "good": "bread", "quantity": "1"}, DAY),
    )
    state = crew.state()
    # Without a date it is as if taken in the day before, and bread keeps ten days.
    assert state.books.balance("Store", "bread") == {D3: 30_000, D5: 12_500, "2026-12-01": 1_000}
    assert whys(crew) == ["opening"] * 3
    assert state.books.is_counted("Store", "bread")


def test_stock_rows_of_one_lot_add_up() -> None:
    crew = Crew()
    row = {"site": "Store", "good": "flour"}
    crew.say(
        RowSet("stocks", {**row, "quantity": "30"}, DAY),
        RowSet("stocks", {**row, "quantity": "12"}, DAY, copy=2),
        RowSet("stocks", {**row, "quantity": "8"}, DAY, copy=3),
    )
    assert flour(crew.state()) == 50_000
    assert whys(crew) == ["opening"] * 3


def test_a_dropped_stock_row_counts_nothing_of_its_lot() -> None:
    crew = Crew()
    row = {"site": "Store", "good": "flour"}
    crew.say(RowSet("stocks", {**row, "quantity": "30"}, DAY), RowDropped("stocks", row, D1))
    assert flour(crew.state()) == 0
    assert whys(crew) == ["opening", "counted less"]


@pytest.mark.parametrize(("found", "why"), [(90_000, "counted less"), (130_000, "counted more")])
def test_a_count_that_differs_goes_to_the_unexplained_account(found: int, why: str) -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1), StockCounted("Store", "flour", found, D2))
    state = crew.state()
    assert flour(state) == found
    assert state.books.elsewhere("unexplained") == {("flour", ""): 100_000 - found}
    assert whys(crew) == ["opening", why]
    assert difference(state, D2) == found - 100_000


def test_goods_without_a_lot_get_the_date_their_shelf_life_gives() -> None:
    crew = Crew()
    crew.say(GoodsTakenIn("Store", "bread", 5_000, D1), GoodsTakenIn("Store", "flour", 7_000, D1))
    state = crew.state()
    assert state.books.balance("Store", "bread") == {"2026-12-03": 5_000}
    assert state.books.balance("Store", "flour") == {"": 7_000}


def test_what_expires_first_leaves_first_and_the_undated_lot_last() -> None:
    crew = Crew()
    crew.say(
        GoodsTakenIn("Store", "flour", 5_000, D1, lot=""),
        GoodsTakenIn("Store", "flour", 4_000, D1, lot=D5),
        GoodsTakenIn("Store", "flour", 3_000, D1, lot=D3),
        GoodsHandedOut("Store", "flour", 5_000, D1),
    )
    assert crew.state().books.balance("Store", "flour") == {D5: 2_000, "": 5_000}
    crew.say(GoodsLost("Store", "flour", 3_000, D1))
    assert crew.state().books.balance("Store", "flour") == {"": 4_000}


def test_more_than_there_is_makes_the_last_lot_negative() -> None:
    crew = Crew()
    crew.say(
        GoodsTakenIn("Store", "flour", 4_000, D1, lot=D3),
        GoodsTakenIn("Store", "flour", 1_000, D1, lot=D5),
        GoodsHandedOut("Store", "flour", 9_000, D1),
    )
    assert crew.state().books.balance("Store", "flour") == {D5: -4_000}


def test_a_count_takes_what_is_missing_from_the_lots_that_expire_first() -> None:
    crew = Crew()
    crew.say(
        GoodsTakenIn("Store", "flour", 4_000, D1, lot=D3),
        GoodsTakenIn("Store", "flour", 4_000, D1, lot=D5),
        StockCounted("Store", "flour", 3_000, D1),
    )
    assert crew.state().books.balance("Store", "flour") == {D5: 3_000}
    crew.say(StockCounted("Store", "flour", 5_000, D1))
    assert crew.state().books.balance("Store", "flour") == {D5: 5_000}


def test_a_count_of_nothing_known_is_of_the_lot_fresh_goods_would_have() -> None:
    crew = Crew()
    crew.say(GoodsTakenIn("Store", "bread", 1_000, D1), GoodsHandedOut("Store", "bread", 1_000, D1))
    crew.say(StockCounted("Store", "bread", 2_000, D2))
    assert crew.state().books.balance("Store", "bread") == {"2026-12-04": 2_000}


def test_a_count_of_a_lot_leaves_the_others() -> None:
    crew = Crew()
    crew.say(
        GoodsTakenIn("Store", "flour", 4_000, D1, lot=D3),
        GoodsTakenIn("Store", "flour", 4_000, D1, lot=D5),
        StockCounted("Store", "flour", 1_000, D2, lot=D3),
        StockCounted("Store", "flour", 2_000, D2, lot=""),
    )
    state = crew.state()
    assert state.books.balance("Store", "flour") == {D3: 1_000, D5: 4_000, "": 2_000}
    assert not state.books.is_counted("Store", "flour")


def test_a_count_of_all_brings_lots_below_zero_back() -> None:
    crew = Crew()
    crew.say(
        GoodsHandedOut("Store", "flour", 3_000, D1, lot=D5),
        GoodsTakenIn("Store", "flour", 10_000, D1, lot=D3),
        StockCounted("Store", "flour", 7_000, D2),
    )
    assert crew.state().books.balance("Store", "flour") == {D3: 7_000}


def test_a_late_report_changes_the_count_it_explains_and_not_what_is_there() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1), StockCounted("Store", "flour", 80_000, D3))
    assert difference(crew.state(), D3) == -20_000
    crew.say(GoodsHandedOut("Store", "flour", 15_000, D2))
    state = crew.state()
    assert flour(state) == 80_000
    assert end_of(state, D2) == 85_000
    assert difference(state, D3) == -5_000
    assert whys(crew)[-2:] == ["handed out", "count explained"]
    assert state.books.elsewhere("unexplained") == {("flour", ""): 5_000}
    assert state.books.daily_use("Store", "flour") == {date(2026, 11, 24): 15_000}
    assert state.books.is_counted("Store", "flour")


def test_on_the_day_of_a_count_the_order_of_the_fold_decides() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1), GoodsHandedOut("Store", "flour", 15_000, D1))
    state = crew.state()
    assert flour(state) == 85_000
    assert not state.books.is_counted("Store", "flour")


def test_a_late_report_is_met_at_the_next_count_and_not_at_the_last() -> None:
    crew = Crew()
    crew.say(
        StockCounted("Store", "flour", 100_000, D1),
        StockCounted("Store", "flour", 80_000, D3),
        StockCounted("Store", "flour", 75_000, D5),
        GoodsHandedOut("Store", "flour", 20_000, D2),
    )
    state = crew.state()
    assert [difference(state, day) for day in (D3, D5)] == [0, -5_000]
    assert [end_of(state, day) for day in (D1, D2, D3, D5)] == [100_000, 80_000, 80_000, 75_000]


def test_a_late_report_about_a_lot_that_was_not_counted_changes_it() -> None:
    crew = Crew()
    crew.say(
        StockCounted("Store", "flour", 10_000, D1, lot=D4),
        StockCounted("Store", "flour", 10_000, D1, lot=D5),
        StockCounted("Store", "flour", 9_000, D3, lot=D4),
        GoodsHandedOut("Store", "flour", 1_000, D2, lot=D4),
        GoodsHandedOut("Store", "flour", 1_000, D2, lot=D5),
    )
    assert crew.state().books.balance("Store", "flour") == {D4: 9_000, D5: 9_000}


def test_a_late_count_is_compared_with_the_books_of_its_day() -> None:
    crew = Crew()
    crew.say(
        StockCounted("Store", "flour", 100_000, D1),
        GoodsHandedOut("Store", "flour", 30_000, D4),
        StockCounted("Store", "flour", 90_000, D2),
    )
    state = crew.state()
    assert [end_of(state, day) for day in (D1, D2, D3, D4)] == [100_000, 90_000, 90_000, 60_000]
    assert difference(state, D2) == -10_000


def test_a_late_count_before_another_moves_the_difference_to_its_day() -> None:
    crew = Crew()
    crew.say(
        StockCounted("Store", "flour", 100_000, D1),
        StockCounted("Store", "flour", 90_000, D4),
        StockCounted("Store", "flour", 92_000, D2),
    )
    state = crew.state()
    assert flour(state) == 90_000
    assert [difference(state, day) for day in (D2, D4)] == [-8_000, -2_000]


def test_what_is_late_by_more_than_the_window_is_booked_and_listed() -> None:
    crew = Crew()
    crew.say(
        StockCounted("Store", "flour", 100_000, "2026-07-01"),
        GoodsHandedOut("Store", "flour", 10_000, "2026-07-02"),
        GoodsHandedOut("Store", "flour", 10_000, D1),
        GoodsHandedOut("Store", "flour", 5_000, "2026-07-03"),
    )
    state = crew.state()
    assert flour(state) == 75_000
    assert end_of(state, "2026-11-01") == 85_000
    assert ("late", "Store", "flour") in state.noted


def test_making_uses_up_and_makes() -> None:
    crew = Crew()
    crew.say(GoodsTakenIn("Store", "flour", 10_000, D1))
    crew.say(GoodsMade("Store", "bake", 1_000, (Line("bread", 7_000), Line("flour", -5_000)), D1))
    state = crew.state()
    assert state.books.balance("Store", "flour") == {"": 5_000}
    assert state.books.balance("Store", "bread") == {"2026-12-03": 7_000}
    assert state.books.elsewhere("made") == {("bread", "2026-12-03"): -7_000, ("flour", ""): 5_000}
    assert state.books.daily_use("Store", "flour") == {date(2026, 11, 23): 5_000}


def test_a_lot_that_is_over_its_date_is_lost_as_spoiled() -> None:
    crew = Crew()
    crew.say(GoodsTakenIn("Store", "bread", 5_000, D1, lot=D2), GoodsLost("Store", "bread", 5_000, D3, lot=D2))
    assert whys(crew) == ["taken in", "spoiled"]


def test_reversing_books_the_opposite_on_the_day_of_the_reversal() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1))
    [wrong] = crew.say(GoodsHandedOut("Store", "flour", 10_000, D2))
    crew.say(EntryReversed(wrong.id, D3))
    state = crew.state()
    assert [end_of(state, day) for day in (D2, D3)] == [90_000, 100_000]
    assert state.books.daily_use("Store", "flour") == {}
    assert whys(crew) == ["opening", "handed out", "reversed"]


def test_reversing_what_a_count_has_seen_mends_the_count_and_not_what_is_there() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1))
    [wrong] = crew.say(GoodsHandedOut("Store", "flour", 10_000, D2))
    crew.say(StockCounted("Store", "flour", 100_000, D3))
    assert difference(crew.state(), D3) == 10_000
    crew.say(EntryReversed(wrong.id, D4))
    state = crew.state()
    assert flour(state) == 100_000
    assert difference(state, D3) == 0


def test_reversing_a_late_report_leaves_what_is_there() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1), StockCounted("Store", "flour", 80_000, D3))
    [late] = crew.say(GoodsHandedOut("Store", "flour", 15_000, D2))
    crew.say(EntryReversed(late.id, D4))
    state = crew.state()
    assert flour(state) == 80_000
    assert difference(state, D3) == -20_000


def test_reversing_a_count_brings_the_books_back() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1))
    [wrong] = crew.say(StockCounted("Store", "flour", 10_000, D2))
    crew.say(GoodsHandedOut("Store", "flour", 5_000, D3), EntryReversed(wrong.id, D3))
    state = crew.state()
    assert flour(state) == 95_000
    assert state.books.last_count("Store", "flour") == date(2026, 11, 23)


def test_what_a_count_met_holds_once_the_count_is_taken_back() -> None:
    """10 was counted in place of 100; a late report of that time was met by it, and counts when it is undone."""
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1))
    [slip] = crew.say(StockCounted("Store", "flour", 10_000, D3))
    [late] = crew.say(GoodsHandedOut("Store", "flour", 15_000, D2))
    assert flour(crew.state()) == 10_000
    crew.say(EntryReversed(slip.id, D4))
    state = crew.state()
    assert flour(state) == 85_000
    assert state.books.elsewhere("unexplained") == {}
    crew.say(EntryReversed(late.id, D4))
    assert flour(crew.state()) == 100_000


def test_a_count_taken_back_leaves_what_the_next_one_found() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1))
    [slip] = crew.say(StockCounted("Store", "flour", 10_000, D3))
    crew.say(StockCounted("Store", "flour", 80_000, D4), GoodsHandedOut("Store", "flour", 15_000, D2))
    crew.say(EntryReversed(slip.id, D5))
    state = crew.state()
    assert flour(state) == 80_000
    assert difference(state, D4) == -5_000


def test_two_who_undo_the_same_undo_it_once() -> None:
    crew = Crew(2)
    [wrong] = crew.say(GoodsTakenIn("Store", "flour", 10_000, D1))
    crew.meet()
    crew.say(EntryReversed(wrong.id, D2), by=0)
    crew.say(EntryReversed(wrong.id, D2), by=1)
    crew.meet()
    assert flour(crew.state()) == 0
    assert not crew.state().noted


def test_an_undo_can_be_undone() -> None:
    crew = Crew()
    [right] = crew.say(GoodsTakenIn("Store", "flour", 10_000, D1))
    [slip] = crew.say(EntryReversed(right.id, D2))
    crew.say(EntryReversed(slip.id, D3))
    assert flour(crew.state()) == 10_000


def test_a_fact_with_a_reference_counts_once() -> None:
    crew = Crew(2)
    crew.say(GoodsTakenIn("Store", "flour", 10_000, D1, ref="form 7"), by=0)
    crew.say(GoodsTakenIn("Store", "flour", 10_000, D1, ref="form 7"), by=1)
    crew.say(GoodsTakenIn("Store", "flour", 1_000, D1, ref="form 8"), by=1)
    crew.meet()
    state = crew.state()
    assert flour(state) == 11_000
    assert not state.noted


def test_a_row_or_note_with_a_reference_that_comes_again_changes_nothing() -> None:
    crew = Crew(2)
    old = RowSet("needs", {"site": "Store", "good": "flour", "quantity": "5"}, D1, ref="form 7")
    new = RowSet("needs", {"site": "Store", "good": "flour", "quantity": "8"}, D1, ref="form 8")
    crew.say(old, by=0)
    crew.meet()
    crew.say(new, by=1)
    note = NoteWritten("it rains in", D1, "Store", settles=("A" * 43,), ref="form 9")
    first, *_ = crew.say(note, by=1)
    crew.meet()
    crew.say(old, replace(note, text="it rains in again"), by=0)
    crew.meet()
    state = crew.state()
    assert state.rows.cell("needs", "quantity", "Store", "flour", "", "") == "8"
    assert state.settled == {"A" * 43: first.id}
    assert not state.noted
