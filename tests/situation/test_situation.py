"""What a coordinator sees, compared with plain loops over the tables, the books and the plan it comes from."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hand_built import NETWORK, SHORT, hand_built_plan
from tests.state.living import Living

from abasto.examples import example_path
from abasto.facts.kinds import GoodsHandedOut, Line, OrderIssued, OrderLoaded, StockCounted
from abasto.network import Good, Lane, Need, Network, Nutrient, Ration, Requirement, Reserve, Site, Stock
from abasto.planner.make import make_plan
from abasto.planner.problem import build_problem
from abasto.situation import Situation, Stand, days_of_supply, situation
from abasto.situation.wants import wants
from abasto.state.known import known
from abasto.tables import read_network

DAY = date(2026, 11, 22)


def after(days: int) -> date:
    return DAY + timedelta(days=days)


VILLAGE = Network(
    "Village", DAY, 7,
    sites=(Site(site="depot", name="The depot"), Site(site="shop", people=10), Site(site="far", people=5)),
    goods=(Good(good="rice", name="Rice"), Good(good="milk", unit="litre", shelf_life_days=3, priority=2)),
    stocks=(
        Stock(site="depot", good="rice", quantity=500),
        Stock(site="shop", good="rice", quantity=50),
        Stock(site="shop", good="milk", quantity=12, expires=after(1)),
        Stock(site="shop", good="milk", quantity=30, expires=after(4)),
    ),
    rations=(Ration(good="rice", quantity=2), Ration(good="milk", quantity=0.5)),
    needs=(Need(site="shop", good="rice", quantity=14, from_day=3, to_day=4, people=30, priority=0),),
    reserves=(Reserve(site="depot", good="rice", quantity=600),),
    lanes=(Lane(from_site="depot", to_site="shop", km=10),),
)  # fmt: skip


def stand_of(seen: Situation, site: str, good: str) -> Stand:
    return next(stand for stand in seen.stands if (stand.site, stand.good) == (site, good))


@pytest.mark.parametrize("example", ["neighbourhood", "national"])
def test_needs_are_those_that_are_planned_with(example: str) -> None:
    network = read_network(example_path(example))
    network = replace(network, nutrients=(Nutrient(good=network.goods[0].good, nutrient="kcal", quantity=3),),
                      requirements=(Requirement(nutrient="kcal", quantity=2000, priority=3),))  # fmt: skip
    problem = build_problem(network)
    targets = (*problem.goods, *problem.nutrients)
    sums: dict[tuple[str, str], float] = defaultdict(float)
    urgent: dict[tuple[str, str], float] = {}
    people: dict[tuple[str, str], float] = defaultdict(float)
    found = wants(network)
    names = ("site", "target", "day", "amount", "priority", "people")
    rows = zip(*(getattr(problem.needs, name).tolist() for name in names), strict=True)
    for site, target, day, amount, priority, served in rows:
        place = problem.sites[site], targets[target]
        sums[place] += amount
        urgent[place] = min(priority, urgent.get(place, math.inf))
        people[place] = max(people[place], served)
        assert found[place].on(day + 1) == pytest.approx(amount)
    assert set(found) == set(sums)
    for place, want in found.items():
        assert want.per_day == pytest.approx(sums[place] / network.days)
        assert (want.priority, want.people) == (urgent[place], people[place])


@given(
    st.lists(st.tuples(st.none() | st.integers(0, 9), st.floats(0, 500)), max_size=6),
    st.floats(0.5, 200),
)
def test_days_of_supply_are_those_of_eating_day_by_day(lots: list[tuple[int | None, float]], rate: float) -> None:
    left = sorted([[math.inf if last is None else last, quantity] for last, quantity in lots])
    lasts, day = 0.0, 0
    while True:
        rest = rate
        for lot in left:
            taken = min(rest, lot[1]) if lot[0] >= day else 0.0
            lot[1] -= taken
            rest -= taken
        lasts += (rate - rest) / rate
        if rest > 0:
            break
        day += 1
    dated = [(None if last == math.inf else after(int(last)), 0.0) for last, _ in left]
    quantities = sorted(((math.inf if last is None else last), quantity) for last, quantity in lots)
    given_lots = [(last, quantity) for (last, _), (_, quantity) in zip(dated, quantities, strict=True)]
    assert days_of_supply(given_lots, rate, DAY) == pytest.approx(lasts, abs=1e-6)


def test_nothing_needed_lasts_for_ever() -> None:
    assert days_of_supply([(None, 5.0)], 0.0, DAY) == math.inf


def test_a_stand_says_how_much_how_old_how_known_and_how_long_it_lasts() -> None:
    living = Living(VILLAGE, on=after(-1))
    living.say(GoodsHandedOut("shop", "rice", 10_000, after(1).isoformat()))
    seen = situation(living.state, after(2))
    shop = stand_of(seen, "shop", "rice")
    assert (shop.quantity, shop.unit, shop.known) == (40.0, "kg", "computed")
    assert (shop.as_of, shop.counted_on, shop.age_days) == (after(1), after(-1), 1)
    # From day 3 on, for seven days: twenty a day of ration, and fourteen more on the two days of the need.
    assert shop.need_per_day == pytest.approx((7 * 20 + 2 * 14) / 7)
    assert shop.days_of_supply == pytest.approx(40 / shop.need_per_day)
    assert (shop.people, shop.priority) == (30, 0)
    milk = stand_of(seen, "shop", "milk")
    assert (milk.quantity, milk.expires) == (30, after(4)), "what has spoiled is none"
    assert milk.days_of_supply == pytest.approx(3.0), "thirty litres would last six days and spoil after three"
    far = stand_of(seen, "far", "rice")
    assert (far.known, far.as_of, far.age_days, far.days_of_supply) == ("unreported", None, None, 0.0)
    depot = stand_of(seen, "depot", "rice")
    assert (depot.days_of_supply, depot.reserve, depot.below_reserve) == (math.inf, 600, True)
    assert seen.stands.index(depot) == len(seen.stands) - 1, "what lasts least stands first"


def test_what_orders_promise_and_bring_stands_beside_what_lies_there() -> None:
    living = Living(VILLAGE, on=after(-1))
    order = OrderIssued("depot", "shop", "vans", 1, after(0).isoformat(), after(2).isoformat(),
                        (Line("rice", 120_000),), DAY.isoformat())  # fmt: skip
    [entry] = living.say(order)
    seen = situation(living.state, DAY)
    depot, shop = stand_of(seen, "depot", "rice"), stand_of(seen, "shop", "rice")
    assert (depot.quantity, depot.promised, depot.free) == (500, 120, 380)
    assert (shop.free, shop.coming, shop.coming_on) == (50, 120, after(2))
    # A day late on its way, it comes a day later.
    living.say(OrderLoaded(entry.id, (Line("rice", 100_000),), after(1).isoformat()))
    seen = situation(living.state, after(2))
    shop = stand_of(seen, "shop", "rice")
    assert (shop.coming, shop.coming_on) == (100, after(3))
    assert stand_of(seen, "depot", "rice").promised == 0
    assert seen.headline.orders == {"loaded": 1}


def test_coverage_rows_add_up_the_plans_own_table() -> None:
    plan = hand_built_plan()
    seen = situation(Living(NETWORK).state, NETWORK.start, plan=plan)
    assert [row.coverage for row in seen.coverage] == sorted(row.coverage for row in seen.coverage)
    for row in seen.coverage:
        shares = SHORT[row.site, row.need]
        mine = [one for one in plan.coverage.rows() if (one["site"], one["need"]) == (row.site, row.need)]
        assert row.needed == pytest.approx(sum(one["needed"] for one in mine))
        assert row.met == pytest.approx(sum(one["met"] for one in mine))
        assert row.coverage == pytest.approx(sum(shares) / 3)
        assert row.permille == tuple(round(share * 1000) for share in shares)
    assert {(row.site, row.need) for row in seen.coverage} == set(SHORT)
    assert seen.headline.mean_coverage == next(plan.summary.rows())["mean_coverage"]
    assert seen.headline.worst_site == "vale"


def test_of_an_earlier_plan_only_the_days_that_are_left_count() -> None:
    plan = hand_built_plan()
    seen = situation(Living(NETWORK).state, NETWORK.start + timedelta(days=1), plan=plan)
    assert seen.days == (date(2026, 11, 23), date(2026, 11, 24))
    row = next(row for row in seen.coverage if (row.site, row.need) == ("hill", "bread"))
    assert (row.permille, row.coverage, row.needed) == ((500, 600), pytest.approx(0.55), 20.0)
    assert min(alarm.starts for alarm in seen.alarms if alarm.kind == "short" and alarm.starts) == seen.days[0]
    over = situation(Living(NETWORK).state, NETWORK.start + timedelta(days=9), plan=plan)
    assert (over.days, over.coverage, [one for one in over.alarms if one.kind == "short"]) == ((), (), [])


def test_a_plan_whose_days_are_over_silences_nothing() -> None:
    living = Living(VILLAGE)
    plan, last = make_plan(VILLAGE), after(VILLAGE.days - 1)
    assert situation(living.state, last, plan=plan) != situation(living.state, last)
    over = after(VILLAGE.days)
    without = situation(living.state, over)
    assert any(alarm.kind == "runs out" for alarm in without.alarms)
    assert situation(living.state, over, plan=plan) == without


def test_the_map_shows_the_worst_of_each_site_and_what_moves() -> None:
    network = replace(NETWORK, rations=(Ration(good="bread", quantity=0.1),),
                      stocks=(Stock(site="hill", good="bread", quantity=60),))  # fmt: skip
    seen = situation(Living(network).state, NETWORK.start, plan=hand_built_plan())
    hill = next(site for site in seen.sites if site.site == "hill")
    assert (hill.worst_need_name, hill.coverage) == ("Bread", pytest.approx(0.7))
    assert (hill.scarcest_good, hill.days_of_supply) == ("bread", pytest.approx(2.0))
    assert hill.alarms == len([alarm for alarm in seen.alarms if alarm.site == "hill"])
    port = next(site for site in seen.sites if site.site == "port")
    assert (port.coverage, port.days_of_supply, port.lat) == (None, math.inf, -33.0)
    moved = {(lane.from_site, lane.to_site): lane.tonnes for lane in seen.lanes}
    assert moved == {("port", "hill"): 2.5, ("hill", "vale"): 0.5, ("port", "isle"): 0.25}


def test_the_headline_adds_up_goods_over_the_network() -> None:
    network = read_network(example_path("national"))
    seen = situation(Living(network).state, network.start)
    assert (seen.headline.people, seen.headline.sites) == (sum(site.people for site in network.sites), 131)
    for supply in seen.headline.supply:
        held = sum(stock.quantity for stock in network.stocks if stock.good == supply.good)
        ration = sum(row.quantity for row in network.rations if row.good == supply.good)
        needed = sum(site.people for site in network.sites) * ration
        needed += sum(need.quantity for need in network.needs if need.good == supply.good)
        assert supply.on_hand == pytest.approx(held)
        assert supply.need_per_day == pytest.approx(needed)
        assert supply.days_of_supply == (pytest.approx(held / needed) if needed else math.inf)
    assert seen.headline.figures == len({(stock.site, stock.good) for stock in network.stocks})


def test_the_oldest_figure_and_estimates_are_told() -> None:
    living = Living(VILLAGE, on=after(-9))
    living.say(StockCounted("shop", "rice", 44_000, after(-1).isoformat()))
    headline = situation(living.state, DAY).headline
    assert headline.oldest is not None
    assert (headline.oldest.as_of, headline.estimated) == (after(-9), 2)


def test_a_plan_made_from_the_journal_shows_orders_where_they_go() -> None:
    network = read_network(example_path("neighbourhood"))
    living = Living(network)
    living.say(OrderIssued("Mill", "North bakery", "mill van", 1, network.start.isoformat(), network.start.isoformat(),
                           (Line("flour", 200_000),), network.start.isoformat()))  # fmt: skip
    state = living.state
    seen_known = known(state, network.start)
    plan = make_plan(seen_known.network)
    seen = situation(state, network.start, seen=seen_known, plan=plan)
    assert {site.site for site in seen.sites} == {site.site for site in network.sites}
    tonnes: dict[str, Any] = defaultdict(float)
    for row in plan.trips.rows():
        if row["to"] == "North bakery":
            tonnes["into the bakery"] += row["tonnes"]
    lane = next(lane for lane in seen.lanes if (lane.from_site, lane.to_site) == ("Mill", "North bakery"))
    assert lane.tonnes_there == pytest.approx(tonnes["into the bakery"])
    assert tonnes["into the bakery"] >= 0.2
