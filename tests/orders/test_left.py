"""What is left of a good for one more order: by hand, and by what the ledger finds once the order is issued."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.room.served import DAY, neighbourhood

from abasto import cycle
from abasto.errors import SettingError
from abasto.facts.kinds import Line, OrderIssued, OrderLoaded, RowSet
from abasto.journal.home import Home
from abasto.orders import refuse_more_than_left
from abasto.orders.left import Left, left_for
from abasto.state.exceptions import exceptions
from abasto.state.foresee import foresee
from abasto.state.known import known
from abasto.state.state import State

TODAY = date.fromisoformat(DAY)
TOMORROW = "2027-03-02"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    with Home.open(neighbourhood(tmp_path_factory.mktemp("left")), passphrase=None) as home:
        return cycle.read_state(home.journal)


def order(
    start: str, end: str, good: str, quantity: int, *, lot: str | None = None, fleet: str = "bicycles", day: str = DAY
) -> OrderIssued:
    return OrderIssued(start, end, fleet, 3, day, day, (Line(good, quantity * 1000, lot),), day)


def left(state: State, one: OrderIssued, *others: OrderIssued) -> Left:
    return left_for(state, known(state, TODAY), order=one, good=one.lines[0].good, others=others, day=TODAY)


def test_what_lies_there_and_is_neither_promised_nor_kept_for_others_is_left(state: State) -> None:
    mine = order("Market", "Hill", "milk", 60)
    assert left(state, mine) == Left(held=100_000, to_come=0, promised=0, reserve=0)
    after = foresee(state, [order("Market", "Park", "milk", 30)])
    assert left(after, mine) == Left(100_000, 0, 30_000, 0)
    others = (order("Market", "River", "milk", 15), order("North bakery", "River", "milk", 7))
    assert left(after, mine, *others) == Left(100_000, 0, 45_000, 0)
    assert left(after, mine, *others).left == 55_000
    assert left(foresee(state, [order("Market", "Park", "milk", 130)]), mine).left == 0


def test_what_has_been_loaded_is_gone_and_promised_no_more(state: State) -> None:
    issued = order("Market", "Park", "milk", 30)
    [record] = foresee(state, [issued]).orders.open()
    loaded = foresee(state, [issued, OrderLoaded(record.id, (Line("milk", 25_000),), DAY)])
    assert left(loaded, order("Market", "Hill", "milk", 60)) == Left(75_000, 0, 0, 0)


def test_what_is_taken_in_made_or_brought_until_it_leaves_counts_as_the_most_it_can_be(state: State) -> None:
    flour = order("Mill", "North bakery", "flour", 10, fleet="mill van")
    assert left(state, flour) == Left(1_400_000, 300_000, 0, 0)
    assert left(state, replace(flour, departs=TOMORROW)) == Left(1_400_000, 600_000, 0, 0)
    assert left(state, order("North bakery", "Hill", "bread", 10)).to_come == 6 * 100_000
    milk, brought = order("Market", "Hill", "milk", 60), order("Dairy", "Market", "milk", 40, fleet="milk lorry")
    assert left(state, milk, brought).to_come == 40_000
    assert left(state, milk, replace(brought, arrives=TOMORROW)).to_come == 0
    assert left(foresee(state, [brought]), milk).to_come == 40_000


def test_reserve_is_kept_back_from_what_lies_there_alone(state: State) -> None:
    powder = order("Clinic", "Hill", "milk powder", 1)
    assert left(state, powder) == Left(5_000, 0, 0, 5_000)
    assert left(state, powder).left == 0
    reserved = foresee(state, [RowSet("reserves", {"site": "Mill", "good": "flour", "quantity": "2000"}, DAY)])
    assert left(reserved, order("Mill", "North bakery", "flour", 10)).left == 300_000


def test_fuel_that_vehicles_will_burn_is_promised(state: State) -> None:
    rows = [
        RowSet("goods", {"good": "diesel", "unit": "litre"}, DAY),
        RowSet("stocks", {"site": "Mill", "good": "diesel", "quantity": "50"}, DAY),
        RowSet("fleets", {"fleet": "mill van", "site": "Mill", "vehicles": "1", "payload_t": "0.3",
                          "hours_per_day": "4", "handling_hours": "0.5", "fuel": "diesel", "fuel_per_km": "0.1"}, DAY),
    ]  # fmt: skip
    flour = replace(order("Mill", "North bakery", "flour", 10, fleet="mill van"), trips=2)
    after = foresee(state, [*rows, flour])
    # Two trips of 10 km there and 10 back, a tenth of a litre each.
    assert left(after, order("Mill", "South bakery", "diesel", 1)) == Left(50_000, 0, 4_000, 0)


@pytest.mark.parametrize(
    ("start", "end", "good"),
    [("Market", "Hill", "milk"), ("Mill", "North bakery", "flour"), ("Dairy", "Market", "milk")],
)
def test_whatever_is_left_may_be_ordered_and_no_thousandth_more(state: State, start: str, end: str, good: str) -> None:
    promised = order(start, end, good, 33)
    most = left(foresee(state, [promised]), order(start, end, good, 1)).left
    for much, too_much in ((most, False), (most + 1, True)):
        one = replace(order(start, end, good, 1), lines=(Line(good, much),))
        found = [wrong for wrong in exceptions(foresee(state, [promised, one])) if wrong.kind == "overcommitted"]
        assert bool(found) is too_much, found


def refused(state: State, proposed: OrderIssued, changed: OrderIssued, *others: OrderIssued) -> str:
    """Return what a change is refused with, nothing if it is not."""
    try:
        refuse_more_than_left(state, known(state, TODAY), order=changed, proposed=proposed, others=others, day=TODAY)
    except SettingError as error:
        return str(error)
    return ""


def test_order_is_raised_to_what_is_left_and_told_what_that_is(state: State) -> None:
    after = foresee(state, [order("Market", "Park", "milk", 30)])
    proposed = order("Market", "Hill", "milk", 20)
    assert refused(after, proposed, order("Market", "Hill", "milk", 70)) == ""
    assert refused(after, proposed, order("Market", "Hill", "milk", 71)) == (
        "71 litre of milk ordered from Market, which has 70 left for it: 100 there, at most 0 to come, 30 for other "
        "orders, 0 in reserve; order less, or count milk at Market."
    )
    other = order("Market", "River", "milk", 25)
    assert "which has 45 left for it" in refused(after, proposed, order("Market", "Hill", "milk", 46), other)


def test_order_that_takes_no_more_than_was_proposed_is_let_be(state: State) -> None:
    proposed = order("Market", "Hill", "milk", 500)
    assert refused(state, proposed, order("Market", "Hill", "milk", 500)) == ""
    assert refused(state, proposed, order("Market", "Hill", "milk", 400)) == ""
    assert "501 litre" in refused(state, proposed, order("Market", "Hill", "milk", 501))


def test_lot_is_not_raised_above_what_there_is_of_it(state: State) -> None:
    rows = [
        RowSet("stocks", {"site": "Market", "good": "milk", "quantity": much, "expires": f"2027-03-0{day}"}, DAY)
        for much, day in (("40", 5), ("60", 6))
    ]
    two = foresee(state, rows)
    proposed = order("Market", "Hill", "milk", 10, lot="2027-03-05")
    assert refused(two, proposed, order("Market", "Hill", "milk", 40, lot="2027-03-05")) == ""
    told = refused(two, proposed, order("Market", "Hill", "milk", 41, lot="2027-03-05"))
    assert told.startswith("41 litre of milk (lot 2027-03-05) ordered from Market, which has 40 left for it: 40 there")
    beside = order("Market", "River", "milk", 15, lot="2027-03-05")
    assert "which has 25 left" in refused(two, proposed, order("Market", "Hill", "milk", 41, lot="2027-03-05"), beside)
