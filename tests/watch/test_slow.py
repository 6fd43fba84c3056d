"""Slow lanes: the binomial tail by counting all outcomes, and orders that really came late in a journal."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest
from tests.state.living import Living

from abasto.facts.kinds import Line, OrderIssued, OrderLoaded, OrderReceived, RowSet, StockCounted
from abasto.watch.slow import LEAST_LATE, RARE, USUAL, Slow, _tail, slow

FIRST = date(2026, 11, 2)


def on(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def by_counting(orders: int, late: int) -> float:
    """Add up the chances of all outcomes in which so many or more come late."""
    return sum(
        USUAL ** sum(outcome) * (1 - USUAL) ** (orders - sum(outcome))
        for outcome in product((0, 1), repeat=orders)
        if sum(outcome) >= late
    )


def test_the_tail_is_that_of_all_outcomes() -> None:
    for orders in range(1, 11):
        for late in range(orders + 2):
            assert _tail(orders, late) == pytest.approx(by_counting(orders, late))


def found(trips: list[tuple[int, int]], *, day: int = 27, fleets: tuple[str, ...] = ("van",)) -> list[Slow]:
    """Issue an order a day that should take one; each leaves and arrives so many days late. Return what is slow."""
    town = Living(on=FIRST)
    rows = [RowSet("sites", {"site": site}, on(0)) for site in ("Store", "School")]
    town.say(*rows, RowSet("goods", {"good": "flour"}, on(0)), StockCounted("Store", "flour", 10**9, on(0)))
    lines = (Line("flour", 1000),)
    for number, (left_late, late) in enumerate(trips, start=1):
        issued = OrderIssued(
            "Store", "School", fleets[number % len(fleets)], 1, on(number), on(number + 1), lines, on(number)
        )
        (order,) = town.say(issued)
        town.say(OrderLoaded(order.id, lines, on(number + left_late)))
        town.say(OrderReceived(order.id, "School", lines, on(number + 1 + late)))
    return list(slow(town.state, FIRST + timedelta(days=day)))


@pytest.mark.parametrize("late", [0, 2, 3, 4, 10])
@pytest.mark.parametrize("orders", [3, 10, 14])
def test_a_lane_is_slow_when_chance_does_not_explain_it(orders: int, late: int) -> None:
    late = min(late, orders)
    told = found([(0, 2)] * late + [(0, 0)] * (orders - late))
    is_slow = late >= LEAST_LATE and by_counting(orders, late) <= RARE
    assert [one.what for one in told] == (["lane", "fleet"] if is_slow else [])
    for one in told:
        assert (one.orders, one.late, one.days, one.site) == (orders, late, 2.0, "School")
    if is_slow:
        assert [one.id for one in told] == ["Store>School", "van"]


def test_it_is_slow_since_the_day_after_enough_had_come_late() -> None:
    told = found([(0, 0), (0, 0), (0, 1), (0, 1), (0, 1), (0, 1)])
    # Of 3, 4, 5 and 6 orders 1, 2, 3 and 4 were late: the fifth, which came on day 7, was the third late one.
    assert by_counting(5, 3) <= RARE
    assert [one.since.isoformat() for one in told] == [on(8), on(8)]


def test_what_left_late_is_not_the_roads_doing() -> None:
    assert found([(2, 2)] * 8) == []
    assert [one.days for one in found([(1, 3)] * 8)] == [2.0, 2.0]


def test_a_lane_can_be_slow_though_none_of_its_fleets_is_known_to_be() -> None:
    told = found([(0, 1)] * 4, fleets=("van", "truck"))
    assert [one.id for one in told] == ["Store>School"]


def test_old_orders_and_those_to_come_do_not_count() -> None:
    trips = [(0, 2)] * 5
    assert found(trips, day=34) != []
    assert found(trips, day=45) == []
    assert found(trips, day=5) == []
