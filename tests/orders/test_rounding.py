"""Whole trips: what holds on every random network, how far they are from the best, and cases worked out by hand."""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from abasto.errors import SettingError, SolverError
from abasto.examples import example_path
from abasto.network import Disruption, Fleet, Good, Need, Network, Site, Stock
from abasto.orders import Rounded, round_trips
from abasto.orders.trips import find_trips
from abasto.planner.check import check_plan
from abasto.planner.make import make_plan
from abasto.planner.problem import build_problem
from abasto.planner.whole import most_with_whole_trips
from abasto.tables import read_network

sys.path.insert(0, str(Path(__file__).parents[1] / "planner"))
from networks import depot_and_town, lane, network, truck
from random_networks import networks

ROUNDING = 1e-6
NEAR = 0.1
"""On tiny networks, where every trip counts, rounding alone loses on average at most this share beyond the best."""
SETTINGS = {
    "deadline": None,
    "database": None,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
}


def holds(drawn: tuple[Network, str | None], fairness: float, days: int) -> None:
    """What every rounded plan keeps: the check, whole trips, hours, and the bound of the fractional plan."""
    network, scenario = drawn
    plan = make_plan(network, scenario, fairness=fairness)
    try:
        rounded = round_trips(network, plan, days=days)
    except SolverError:  # stores that only fractions of trips can empty in time
        assert any(site.storage_t is not None for site in network.sites)
        return
    assert check_plan(network, rounded.plan, scenario) == []
    assert rounded.plan.objective <= plan.bound * (1 + ROUNDING) + ROUNDING
    assert rounded.loss == pytest.approx((plan.objective - rounded.plan.objective) / (plan.objective or 1.0), abs=1e-9)
    assert sum(loss.people_days for loss in rounded.losses) == pytest.approx(rounded.people_days, rel=1e-6, abs=1e-4)
    trips_are_whole_and_fit(network, rounded, scenario)


def trips_are_whole_and_fit(network: Network, rounded: Rounded, scenario: str | None) -> None:
    """Trips of the whole days are integers that carry their loads; their hours and fleets are added up once more."""
    fleets = {fleet.fleet: fleet for fleet in network.fleets}
    lanes = {(row.from_site, row.to_site): row for row in network.lanes}
    lanes |= {(row.to_site, row.from_site): row for row in network.lanes if row.two_way} | lanes
    problem = build_problem(network, scenario)
    hours: dict[tuple[str, int], float] = defaultdict(float)
    for row in rounded.plan.trips.rows():
        fleet, along = fleets[row["fleet"]], lanes[row["from"], row["to"]]
        long = 2 * along.travel_hours + fleet.handling_hours
        hours[row["fleet"], row["day"]] += row["trips"] * long
        if row["day"] <= rounded.days:
            assert row["trips"] == int(row["trips"])
            assert row["tonnes"] <= row["trips"] * fleet.payload_t * (1 + ROUNDING) + ROUNDING
            assert row["trips"] <= math.ceil(row["tonnes"] / fleet.payload_t - ROUNDING) or row["trips"] == 1
    for (name, day), used in hours.items():
        assert used <= problem.fleet_hours[problem.fleets.index(name), day - 1] * (1 + ROUNDING) + ROUNDING


@given(networks(), st.sampled_from([0.0, 4.0]), st.integers(1, 5))
@settings(max_examples=40, derandomize=True, **SETTINGS)
def test_rounded_plans_hold(drawn: tuple[Network, str | None], fairness: float, days: int) -> None:
    holds(drawn, fairness, days)


@pytest.mark.soak
@seed(1972)
@given(networks(), st.sampled_from([0.0, 1.0, 4.0, 20.0]), st.integers(1, 5))
@settings(max_examples=250, **SETTINGS)
def test_rounded_plans_hold_on_many_networks(drawn: tuple[Network, str | None], fairness: float, days: int) -> None:
    holds(drawn, fairness, days)


@st.composite
def towns(draw: st.DrawFn) -> Network:
    """Draw a depot and some towns with one or two goods, few vehicles, and needs that are parts of a payload."""
    count, days = draw(st.integers(1, 3)), draw(st.integers(2, 4))
    names = [f"t{number}" for number in range(count)]
    payload = draw(st.sampled_from([0.05, 0.1, 0.2]))
    needs = [
        Need(site=name, good=good, quantity=draw(st.sampled_from([10.0, 35.0, 60.0, 130.0])), people=100)
        for name in names
        for good in ("rice", "bread")
    ]
    return network(
        days,
        sites=[Site(site="depot"), *(Site(site=name) for name in names)],
        goods=[Good(good="rice"), Good(good="bread", shelf_life_days=2)],
        stocks=[Stock(site="depot", good="rice", quantity=800), Stock(site="depot", good="bread", quantity=300)],
        needs=needs,
        lanes=[lane("depot", name, km=draw(st.sampled_from([10.0, 30.0, 60.0]))) for name in names],
        fleets=[
            Fleet(fleet="van", vehicles=draw(st.integers(1, 2)), payload_t=payload, hours_per_day=6, handling_hours=1)
        ],
    )


def test_branch_and_bound_and_the_rounding_agree() -> None:
    """On tiny networks the oracle is never beaten, and the rounding comes near it on its own."""
    losses = []

    @seed(1972)
    @given(towns())
    @settings(max_examples=25, **SETTINGS)
    def compare(drawn: Network) -> None:
        plan = make_plan(drawn)
        problem = build_problem(drawn)
        best = most_with_whole_trips(
            problem, find_trips(problem, days=drawn.days).payload_t, days=drawn.days, seconds=20
        )
        assert best is not None
        ours = round_trips(drawn, plan, light=0.0)
        assert ours.plan.objective <= best.bound * (1 + 1e-4)
        assert ours.plan.objective >= best.value * (1 - 2e-3)
        alone = round_trips(drawn, plan, light=0.0, branch_seconds=0.0)
        assert alone.plan.objective <= best.bound * (1 + 1e-4)
        losses.append(max(0.0, best.value - alone.plan.objective) / plan.objective)

    compare()
    assert np.mean(losses) <= NEAR


def test_a_lane_with_a_part_of_a_trip_a_day_is_served_every_few_days() -> None:
    # 20 kg a day by a van that holds 100 kg: one trip brings five days' rice, and nothing is lost.
    van = truck(payload_t=0.1, vehicles=1, hours_per_day=10)
    one = depot_and_town(5, stock=100, need=20, fleet=van)
    rounded = round_trips(one, make_plan(one))
    assert rounded.loss == pytest.approx(0.0, abs=1e-9)
    assert [row["trips"] for row in rounded.plan.trips.rows()] == [1.0]
    assert (rounded.planned, rounded.driven) == (pytest.approx(1.0), 1)


def test_a_trip_longer_than_all_hours_is_never_driven_and_named() -> None:
    # Half the van's hours are left, less than a trip takes: fractions did it, whole trips cannot.
    van = truck(payload_t=0.1, vehicles=1, hours_per_day=4, handling_hours=2)
    one = depot_and_town(3, stock=100, need=20, fleet=van)
    halved = Disruption(scenario="lockout", kind="fleet", target=van.fleet, left=0.5)
    one = replace(one, disruptions=(halved,), lanes=tuple(replace_lane(row) for row in one.lanes))
    plan = make_plan(one, "lockout")
    assert plan.objective > 0
    rounded = round_trips(one, plan)
    assert rounded.plan.objective == 0
    assert rounded.loss == rounded.unavoidable == 1.0
    assert [fleet for fleet, _, _ in rounded.too_long] == [van.fleet]


def replace_lane(row: object) -> object:
    return row.model_copy(update={"km": 20.0}) if hasattr(row, "model_copy") else replace(row, km=20.0)  # type: ignore[type-var]


def test_fuel_is_burnt_by_the_trip_not_by_the_tonne() -> None:
    # 2 × 50 km × 0.2 litres = 20 litres a trip, full or not: 60 litres are three trips, of 100 kg each.
    van = truck(payload_t=0.1, vehicles=2, hours_per_day=10, fuel="diesel", fuel_per_km=0.2, site="depot")
    one = depot_and_town(6, stock=600, need=90, fleet=van)
    goods = (*one.goods, Good(good="diesel", unit="litre"))
    stocks = (*one.stocks, Stock(site="depot", good="diesel", quantity=60))
    one = replace(one, goods=goods, stocks=stocks, lanes=(lane("depot", "town", km=50),))
    plan = make_plan(one)
    rounded = round_trips(one, plan)
    assert check_plan(one, rounded.plan) == []
    assert rounded.driven == 3
    left = [row["quantity"] for row in rounded.plan.closing.rows() if row["good"] == "diesel" and row["day"] == 6]
    assert sum(left) == pytest.approx(0.0, abs=1e-6)


def test_a_trip_without_fuel_stays_at_home_and_that_is_told() -> None:
    # Half a trip to each of two towns would burn 20 litres, and there are 20; whole trips burn 20 each, so one drives.
    van = truck(payload_t=0.1, vehicles=2, hours_per_day=10, fuel="diesel", fuel_per_km=0.2, site="depot")
    one = depot_and_town(1, stock=100, need=50, fleet=van)
    one = replace(
        one,
        sites=(*one.sites, Site(site="village", people=100)),
        goods=(*one.goods, Good(good="diesel", unit="litre")),
        stocks=(*one.stocks, Stock(site="depot", good="diesel", quantity=20)),
        needs=(*one.needs, Need(site="village", good="rice", quantity=50)),
        lanes=tuple(lane("depot", town, km=50) for town in ("town", "village")),
    )
    plan = make_plan(one)
    assert sum(plan.trips["trips"]) == pytest.approx(1.0)
    rounded = round_trips(one, plan)
    assert rounded.driven == 1
    assert rounded.loss == pytest.approx(0.5)
    assert rounded.fuel_loss == pytest.approx(0.5)


def test_only_the_first_days_are_whole() -> None:
    van = truck(payload_t=0.1, vehicles=1, hours_per_day=10)
    one = depot_and_town(4, stock=400, need=70, fleet=van)
    rounded = round_trips(one, make_plan(one), days=1)
    first = [row["trips"] for row in rounded.plan.trips.rows() if row["day"] == 1]
    assert all(trips == int(trips) for trips in first)
    assert rounded.plan.objective == pytest.approx(rounded.fractional.objective, rel=1e-6)


def test_days_must_be_at_least_one() -> None:
    one = depot_and_town(2, stock=10, need=5, fleet=truck())
    with pytest.raises(SettingError, match="days is 0"):
        round_trips(one, make_plan(one), days=0)


@pytest.mark.parametrize(("scenario", "most"), [(None, 0.001), ("lockout", 0.63)])
def test_the_neighbourhood_loses_what_cannot_be_avoided(scenario: str | None, most: float) -> None:
    neighbourhood = read_network(example_path("neighbourhood"))
    plan = make_plan(neighbourhood, scenario)
    rounded = round_trips(neighbourhood, plan)
    assert check_plan(neighbourhood, rounded.plan, scenario) == []
    assert rounded.loss <= most
    assert rounded.loss == pytest.approx(rounded.unavoidable, abs=1e-3)


@pytest.mark.soak
@pytest.mark.parametrize("scenario", [None, "lockout"])
def test_the_nation_loses_at_most_three_percent(scenario: str | None) -> None:
    national = read_network(example_path("national"))
    plan = make_plan(national, scenario)
    rounded = round_trips(national, plan)
    assert check_plan(national, rounded.plan, scenario) == []
    assert rounded.loss <= 0.03
    trips_are_whole_and_fit(national, rounded, scenario)


def test_a_trip_with_nothing_but_goods_without_weight_burns_its_fuel_and_is_listed() -> None:
    """Letters fuel the truck that carries them: one trip of 2 × 40 km at 0.1 a km."""
    goods = (Good(good="letters", kg_per_unit=0.0), Good(good="diesel"))
    stocks = tuple(Stock(site="Depot", good=good, quantity=20.0) for good in ("letters", "diesel"))
    needs = (Need(site="Town", good="letters", quantity=5.0),)
    fleet = Fleet(fleet="truck", vehicles=1, payload_t=1, fuel="diesel", fuel_per_km=0.1)
    sites = (Site(site="Depot"), Site(site="Town", people=10))
    drawn = network(
        1, sites=sites, goods=goods, stocks=stocks, needs=needs, lanes=(lane("Depot", "Town", km=40),), fleets=(fleet,)
    )
    holds((drawn, None), 4.0, 1)
    rounded = round_trips(drawn, make_plan(drawn), days=1).plan
    assert [(row["trips"], row["tonnes"]) for row in rounded.trips.rows()] == [(1.0, 0.0)]
    assert {row["good"]: row["quantity"] for row in rounded.closing.rows() if row["site"] == "Depot"}["diesel"] == 12.0
