"""Orders from plans with whole trips: nothing is promised twice, and they are what the plan ships."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from abasto.errors import FactError, SettingError, SolverError
from abasto.examples import example_path
from abasto.facts.kinds import MOST_LINES, Line, OrderIssued, body_of, fact_of
from abasto.network import Fleet, Good, Lane, Need, Network, Site, Stock
from abasto.orders import digest_of, orders_from, round_trips
from abasto.orders.issue import _in_parts
from abasto.orders.proposal import proposal_text, read_proposal
from abasto.planner.make import make_plan
from abasto.tables import read_network

sys.path.insert(0, str(Path(__file__).parents[1] / "planner"))
from networks import START, depot_and_town, network, truck
from random_networks import networks

SETTINGS = {
    "deadline": None,
    "database": None,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
}
Way = tuple[str, str, str, str, str]


def by_way(orders: tuple[OrderIssued, ...]) -> dict[Way, int]:
    """Return the thousandths ordered of each good, of all lots, by fleet, lane and day."""
    total: dict[Way, int] = defaultdict(int)
    for order in orders:
        for line in order.lines:
            total[order.fleet, order.from_site, order.to_site, order.departs, line.good] += line.quantity
    return total


def orders_hold(drawn: tuple[Network, str | None], days: int) -> None:
    """Compare the orders with the plan's tables, added up once more, and with the lots on hand."""
    net, scenario = drawn
    try:
        rounded = round_trips(net, make_plan(net, scenario), days=days)
    except SolverError:  # stores that only fractions of trips can empty in time
        return
    days = rounded.days
    orders = orders_from(rounded, net, days=days)
    shipped: dict[Way, list[float]] = defaultdict(list)
    for row in rounded.plan.shipments.rows():
        if row["departs"] <= days:
            departs = (net.start + timedelta(days=row["departs"] - 1)).isoformat()
            shipped[row["fleet"], row["from"], row["to"], departs, row["good"]].append(row["quantity"])
    ordered = by_way(orders)
    for way in {*shipped, *ordered}:
        parts = shipped.get(way, [])
        exact = sum(parts) * 1000
        assert ordered.get(way, 0) <= exact + 1e-3, way
        assert ordered.get(way, 0) >= exact - 2 * len(parts) - 1e-3, way  # rounded down, lot by lot
    leaves: dict[tuple[str, str], int] = defaultdict(int)
    for order in orders:
        assert fact_of(order.KIND, body_of(order)) == order
        assert order.trips >= 1
        assert order.departs <= order.arrives
        for line in order.lines:
            assert line.quantity > 0
            leaves[order.from_site, line.good] += line.quantity
    for (site, good), quantity in leaves.items():
        assert quantity <= 1000 * there_in_all(net, rounded.plan, site, good, days) + 1e-3


def there_in_all(net: Network, plan: object, site: str, good: str, days: int) -> float:
    """Return all of a good that is at a site at any time of the first days: on hand, taken in, made, and arriving."""
    there = sum(row.quantity for row in net.stocks if (row.site, row.good) == (site, good))
    for row in plan.intake.rows():  # type: ignore[attr-defined]
        there += row["quantity"] if (row["site"], row["good"]) == (site, good) and row["day"] <= days else 0
    for row in plan.shipments.rows():  # type: ignore[attr-defined]
        there += row["quantity"] if (row["to"], row["good"]) == (site, good) and row["arrives"] <= days else 0
    for row in plan.production.rows():  # type: ignore[attr-defined]
        for part in net.recipes:
            if row["site"] == site and row["day"] <= days and (part.recipe, part.good) == (row["recipe"], good):
                there += max(0.0, part.quantity) * row["batches"]
    return there


@given(networks(), st.integers(1, 3))
@settings(max_examples=40, derandomize=True, **SETTINGS)
def test_orders_are_what_the_plan_ships(drawn: tuple[Network, str | None], days: int) -> None:
    orders_hold(drawn, days)


@pytest.mark.soak
@seed(1972)
@given(networks(), st.integers(1, 5))
@settings(max_examples=200, **SETTINGS)
def test_orders_are_what_many_plans_ship(drawn: tuple[Network, str | None], days: int) -> None:
    orders_hold(drawn, days)


def two_towns(stock: float) -> Network:
    """Return a depot with less rice than two towns need, in quantities that no thousandth divides."""
    return network(
        1,
        sites=[Site(site="depot"), Site(site="east", people=100), Site(site="west", people=200)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="depot", good="rice", quantity=stock)],
        needs=[Need(site="east", good="rice", quantity=70), Need(site="west", good="rice", quantity=130)],
        lanes=[Lane(from_site="depot", to_site=town, hours=1, lead_days=0) for town in ("east", "west")],
        fleets=[truck()],
    )


@pytest.mark.parametrize("stock", [10.0, 10.001, 0.001, 99.9999, 1 / 3 + 50])
def test_never_more_is_ordered_than_lies_there(stock: float) -> None:
    net = two_towns(stock)
    orders = orders_from(round_trips(net, make_plan(net)), net)
    total = sum(line.quantity for order in orders for line in order.lines)
    assert int(stock * 1000 + 1e-6) - 2 <= total <= stock * 1000 + 1e-6


def test_an_order_names_dates_trips_and_lots() -> None:
    van = Fleet(fleet="van", vehicles=1, payload_t=0.05)
    net = depot_and_town(2, stock=0, need=40, fleet=van)
    lots = (
        Stock(site="depot", good="rice", quantity=30, expires=START),
        Stock(site="depot", good="rice", quantity=60, expires=START + timedelta(days=9)),
    )
    lanes = tuple(row.model_copy(update={"lead_days": 1}) for row in net.lanes)
    net = replace(net, stocks=lots, lanes=lanes)
    [order] = orders_from(round_trips(net, make_plan(net)), net, plan_digest="abc", fleet_of={"van": "the red van"})
    assert order == OrderIssued(
        from_site="depot",
        to_site="town",
        fleet="the red van",
        trips=1,
        departs=START.isoformat(),
        arrives=(START + timedelta(days=1)).isoformat(),
        lines=(Line("rice", 40_000, (START + timedelta(days=9)).isoformat()),),
        date=START.isoformat(),
        plan="abc",
    )


def test_a_lot_without_a_date_keeps_none_although_the_plan_counts_its_days() -> None:
    net = depot_and_town(2, stock=50, need=20, fleet=truck())
    net = replace(net, goods=(Good(good="rice", shelf_life_days=3),))
    orders = orders_from(round_trips(net, make_plan(net)), net)
    assert {line.lot for order in orders for line in order.lines} == {""}


def test_goods_on_their_way_give_no_order() -> None:
    # As `known` puts an order on its way: a site of its own, a lane of that mode, a fleet that takes no hours.
    code = "order K7Q2-M4XP"
    net = depot_and_town(3, stock=0, need=20, fleet=truck())
    net = replace(
        net,
        sites=(*net.sites, Site(site=code)),
        stocks=(Stock(site=code, good="rice", quantity=60),),
        lanes=(*net.lanes, Lane(from_site=code, to_site="town", hours=0, lead_days=1, mode=code, two_way=False)),
        fleets=(*net.fleets, Fleet(fleet=code, site=code, vehicles=1, payload_t=0.06, handling_hours=0, mode=code)),
    )
    rounded = round_trips(net, make_plan(net))
    assert rounded.loss == pytest.approx(0.0, abs=1e-9)
    assert rounded.plan.objective > 0
    assert orders_from(rounded, net, days=3) == ()


def test_no_more_days_are_ordered_than_are_whole() -> None:
    net = depot_and_town(3, stock=60, need=20, fleet=truck())
    with pytest.raises(SettingError, match="orders for 2 days, but only the trips of the first 1 are whole"):
        orders_from(round_trips(net, make_plan(net), days=1), net, days=2)


def test_many_lines_are_several_orders_and_no_trip_is_lost() -> None:
    lines = [Line(f"good {number}", 1) for number in range(2 * MOST_LINES + 5)]
    parts = _in_parts(lines, 7)
    assert [len(part) for part, _ in parts] == [MOST_LINES, MOST_LINES, 5]
    assert [trips for _, trips in parts] == [1, 1, 5]
    assert [line for part, _ in parts for line in part] == lines
    assert [trips for _, trips in _in_parts(lines, 1)] == [1, 1, 1]


def test_the_digest_tells_plans_apart_and_only_these() -> None:
    net = depot_and_town(3, stock=60, need=20, fleet=truck())
    plan, other = make_plan(net), make_plan(replace(net, stocks=(Stock(site="depot", good="rice", quantity=59),)))
    assert digest_of(plan) == digest_of(make_plan(net))
    assert digest_of(plan) != digest_of(other)


def test_a_proposal_comes_back_as_it_was() -> None:
    net = read_network(example_path("neighbourhood"))
    orders = orders_from(round_trips(net, make_plan(net), days=1), net)
    saved = read_proposal(proposal_text("N" * 43, "2027-03-01", 61, orders))
    assert (saved.network, saved.day, saved.entries, saved.orders) == ("N" * 43, "2027-03-01", 61, orders)
    assert date.fromisoformat(orders[0].departs) == net.start


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"version": 1', '"version": 2', "of version 2, this program reads 1"),
        ('"kind": "abasto', '"kind": "other', "no proposal of orders"),
        ('"entries": 61', '"entries": "61"', "entries is '61', which cannot be"),
        ('"trips": 1', '"trips": 0', "trips: 0"),
        ("{", "", "it is not JSON"),
    ],
)
def test_a_proposal_that_cannot_be_issued_says_why(before: str, after: str, message: str) -> None:
    net = depot_and_town(1, stock=60, need=20, fleet=truck())
    text = proposal_text("N" * 43, "2027-03-01", 61, orders_from(round_trips(net, make_plan(net)), net))
    assert before in text
    with pytest.raises(FactError, match=message):
        read_proposal(text.replace(before, after, 1))
