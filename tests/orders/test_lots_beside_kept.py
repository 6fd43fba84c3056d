"""Lots that orders name beside orders that stand: by hand, and by what the ledger finds once all are issued."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from tests.room.served import DAY, neighbourhood

from abasto import cycle
from abasto.facts.kinds import MOST_LINES, Line, OrderIssued
from abasto.journal.home import Home
from abasto.network import Network, Stock
from abasto.orders import name_free_lots
from abasto.planner.plan import Plan, Table
from abasto.state.exceptions import exceptions
from abasto.state.foresee import foresee
from abasto.state.state import State

TODAY = date.fromisoformat(DAY)
OLD, NEW = "2027-03-03", "2027-03-04"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    with Home.open(neighbourhood(tmp_path_factory.mktemp("lots")), passphrase=None) as home:
        return cycle.read_state(home.journal)


@pytest.fixture(scope="module")
def first(state: State) -> cycle.Proposal:
    """Return the plan of the first day: of Market's milk 100 litre lie there, and 290 of a later lot come that day."""
    return cycle.propose(state, TODAY)


def overcommitted(state: State, *orders: OrderIssued) -> list[str]:
    return [one.message for one in exceptions(foresee(state, orders), TODAY) if one.kind == "overcommitted"]


@pytest.mark.parametrize("places", [*((place,) for place in range(16)), (0, 2), (1, 2), (2, 5), (1, 13), (5, 13)])
def test_orders_planned_around_kept_ones_promise_no_lot_twice(
    state: State, first: cycle.Proposal, places: tuple[int, ...]
) -> None:
    assert len(first.orders) == 16
    kept = [first.orders[place] for place in places]
    again = cycle.propose(foresee(state, kept), TODAY)
    assert overcommitted(state, *kept, *again.orders) == []
    for order in again.orders:
        assert all(not line.lot or line.lot >= order.arrives for line in order.lines)
    # A second, obvious count: of what lies there now no lot is promised beyond what comes of just that lot.
    wanted: Counter[str] = Counter()
    for order in (*kept, *again.orders):
        for line in order.lines:
            if (order.from_site, line.good) == ("Market", "milk"):
                wanted[str(line.lot)] += line.quantity
    assert wanted[OLD] <= 100_000
    assert wanted[NEW] <= 290_000


def test_a_plan_of_its_own_keeps_its_lots(first: cycle.Proposal) -> None:
    assert name_free_lots(first.orders, (), first.known.tables, first.rounded.plan) == first.orders


def order(to: str, *lines: Line, arrives: str = DAY) -> OrderIssued:
    return OrderIssued("Market", to, "bicycles", 1, DAY, arrives, lines, DAY)


def named(first: cycle.Proposal, proposed: OrderIssued, *standing: OrderIssued, old: str = OLD) -> tuple[Line, ...]:
    """Return the lines that an order is given where 100 litre of `old` lie, 60 of a later lot, and nothing comes."""
    rows = [(old, 100.0), (NEW, 60.0)]
    stocks = tuple(
        Stock(site="Market", good="milk", quantity=many, expires=date.fromisoformat(lot)) for lot, many in rows
    )
    tables: Network = replace(first.known.tables, stocks=stocks)
    return name_free_lots([proposed], standing, tables, without_flows(first.rounded.plan))[0].lines


def without_flows(plan: Plan) -> Plan:
    """Return a plan by which nothing is taken in, made or brought."""
    empty = {
        name: Table({column: cells[:0].copy() for column, cells in plan.table(name).items()})
        for name in ("intake", "shipments", "production")
    }
    return replace(plan, **empty)


def test_only_what_is_too_much_changes_its_lot(first: cycle.Proposal) -> None:
    mine, stands = order("Hill", Line("milk", 50_000, NEW)), order("Park", Line("milk", 40_000, NEW))
    assert named(first, mine, stands) == (Line("milk", 30_000, OLD), Line("milk", 20_000, NEW))
    small = replace(stands, lines=(Line("milk", 10_000, NEW),))
    assert named(first, mine, small) == mine.lines
    both = order("Hill", Line("milk", 5_000, OLD), Line("milk", 50_000, NEW))
    assert named(first, both, stands) == (Line("milk", 35_000, OLD), Line("milk", 20_000, NEW))


def test_what_is_promised_of_the_other_lot_is_not_free_either(first: cycle.Proposal) -> None:
    mine, stands = (
        order("Hill", Line("milk", 50_000, NEW)),
        order("Park", Line("milk", 90_000, OLD), Line("milk", 40_000, NEW)),
    )
    assert named(first, mine, stands) == (Line("milk", 10_000, OLD), Line("milk", 40_000, NEW))


def test_no_lot_is_named_that_is_over_on_arrival(first: cycle.Proposal) -> None:
    mine = order("Hill", Line("milk", 50_000, NEW), arrives="2027-03-04")
    assert named(first, mine, order("Park", Line("milk", 40_000, NEW))) == mine.lines
    assert named(first, replace(mine, arrives=OLD), order("Park", Line("milk", 40_000, NEW)))[0].lot == OLD


def test_an_order_with_as_many_lines_as_can_be_gets_no_other(first: cycle.Proposal) -> None:
    others = [Line(f"good {place:03}", 1) for place in range(MOST_LINES - 1)]
    mine = order("Hill", *others, Line("milk", 50_000, NEW))
    stands = order("Park", Line("milk", 40_000, NEW))
    assert Line("milk", 50_000, NEW) in named(first, mine, stands)
