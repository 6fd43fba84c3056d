"""What is followed through a plan agrees with plain loops over the plan's tables, and nothing is lost on the way."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from networks import CASES, network, truck
from random_networks import networks

from abasto.examples import example_path
from abasto.network import Good, Lane, Need, Network, Plant, RecipeLine, Site, Stock
from abasto.planner.make import Solved, plan_in_full
from abasto.planner.plan import Plan
from abasto.planner.trace import Trace
from abasto.planner.users import find_users
from abasto.tables import read_network

Lot = tuple[str, str, Any]
"""Site, good and last date."""
HOPS = 60
"""No way in these networks has so many steps within a day."""


def fleet_hours_by_loops(plan: Plan, fleet: str, days: set[int]) -> dict[tuple[str, str], float]:
    """Follow a fleet's hours through the tables: each lot at a site mixes, whatever leaves takes its share.

    For plans without fuel and byproducts. Returns hours by site and need.
    """
    per_tonne = {(row["fleet"], row["from"], row["to"]): 0.0 for row in plan.trips.rows()}
    for row in plan.trips.rows():
        per_tonne[row["fleet"], row["from"], row["to"]] = row["vehicle_hours"] / row["tonnes"]
    tonnes = {good.good: good.kg_per_unit / 1000 for good in plan.network.goods}
    there: dict[int, dict[Lot, float]] = defaultdict(lambda: defaultdict(float))
    for row in plan.shipments.rows():
        if row["fleet"] == fleet and row["departs"] in days:
            hours = row["quantity"] * tonnes[row["good"]] * per_tonne[fleet, row["from"], row["to"]]
            there[row["arrives"]][row["to"], row["good"], row["expires"]] += hours
    handed: dict[tuple[str, str], float] = defaultdict(float)
    for day in range(1, plan.network.days + 1):
        goes = leaving(plan, day)
        moving = there[day]
        for _ in range(HOPS):
            now, moving = moving, defaultdict(float)
            for lot, amount in now.items():
                total = sum(quantity for _, _, quantity in goes[lot])
                for when, where, quantity in goes[lot]:
                    if when is None:
                        handed[where] += amount * quantity / total
                    elif when == day:
                        moving[where] += amount * quantity / total
                    else:
                        there[when][where] += amount * quantity / total
    return handed


def leaving(plan: Plan, day: int) -> dict[Lot, list[tuple[int | None, Any, float]]]:
    """Return where each lot goes on a day: to which lot on which day, or (None) to which site and need."""
    goes: dict[Lot, list[tuple[int | None, Any, float]]] = defaultdict(list)
    for row in plan.shipments.rows():
        if row["departs"] == day:
            to = row["to"], row["good"], row["expires"]
            goes[row["from"], row["good"], row["expires"]].append((row["arrives"], to, row["quantity"]))
    for row in plan.deliveries.rows():
        if row["day"] == day:
            served = row["site"], row["meets"]
            goes[row["site"], row["good"], row["expires"]].append((None, served, row["quantity"]))
    for row in plan.closing.rows():
        if row["day"] == day:
            lot = row["site"], row["good"], row["expires"]
            goes[lot].append((day + 1, lot, row["quantity"]))
    for (site, good, expires), quantity in lots_used(plan, day).items():
        for product, part in products(plan, day, site, good).items():
            goes[site, good, expires].append((day, (site, product, None), quantity * part))
    return goes


def lots_used(plan: Plan, day: int) -> dict[Lot, float]:
    """Return what recipes use of each lot on a day: what the balance of the lot leaves unexplained."""
    net = plan.network
    rest: dict[Lot, float] = defaultdict(float)
    for row in plan.closing.rows():
        if row["day"] == day - 1:
            rest[row["site"], row["good"], row["expires"]] += row["quantity"]
        if row["day"] == day:
            rest[row["site"], row["good"], row["expires"]] -= row["quantity"] + row["spoiled"]
    if day == 1:
        for stock in net.stocks:
            rest[stock.site, stock.good, stock.expires] += stock.quantity
    for row in plan.intake.rows():
        if row["day"] == day:
            rest[row["site"], row["good"], row["expires"]] += row["quantity"]
    for row in plan.production.rows():
        if row["day"] == day:
            for line in net.recipes:
                if line.recipe == row["recipe"] and line.quantity > 0:
                    rest[row["site"], line.good, None] += row["batches"] * line.quantity
    for row in plan.shipments.rows():
        if row["departs"] == day:
            rest[row["from"], row["good"], row["expires"]] -= row["quantity"]
        if row["arrives"] == day:
            rest[row["to"], row["good"], row["expires"]] += row["quantity"]
    for row in plan.deliveries.rows():
        if row["day"] == day:
            rest[row["site"], row["good"], row["expires"]] -= row["quantity"]
    return {lot: quantity for lot, quantity in rest.items() if quantity > 1e-7}


def products(plan: Plan, day: int, site: str, good: str) -> dict[str, float]:
    """Return what a good becomes at a site on a day, and the part of it that each product takes; one per recipe."""
    uses: dict[str, float] = defaultdict(float)
    for row in plan.production.rows():
        lines = [line for line in plan.network.recipes if line.recipe == row["recipe"]]
        (product,) = [line.good for line in lines if line.quantity > 0]
        if (row["site"], row["day"]) == (site, day):
            uses[product] -= sum(row["batches"] * line.quantity for line in lines if line.good == good)
    total = sum(max(0.0, used) for used in uses.values())
    return {product: used / total for product, used in uses.items() if used > 0}


def followed(solved: Solved, fleet: str, days: list[int]) -> tuple[dict[tuple[str, str], float], float]:
    """Return the hours by site and need that the trace finds, and what it says ended otherwise."""
    problem = solved.problem
    reached = Trace(problem, solved.lots).fleet(problem.fleets.index(fleet), np.array(days))
    users = find_users(problem, solved.lots, solved.served, reached)
    names = (*problem.goods, *problem.nutrients)
    places = zip(users.site.tolist(), users.target.tolist(), strict=True)
    found = {(problem.sites[site], names[target]): float(users.amount[k]) for k, (site, target) in enumerate(places)}
    return found, reached.ended


def hours_driven(plan: Plan, fleet: str, days: list[int]) -> float:
    rows = plan.trips.rows()
    return math.fsum(row["vehicle_hours"] for row in rows if row["fleet"] == fleet and row["day"] - 1 in days)


@pytest.fixture(scope="module")
def neighbourhood() -> Solved:
    """Nothing spoils, so that what is made has no date and the loops stay plain."""
    net = read_network(example_path("neighbourhood"))
    goods = tuple(good.model_copy(update={"shelf_life_days": None}) for good in net.goods)
    return plan_in_full(replace(net, goods=goods), "lockout", solver="exact")


@pytest.mark.parametrize("fleet", ["mill van", "milk lorry", "bicycles"])
@pytest.mark.parametrize("days", [[0, 1, 2, 3, 4, 5, 6], [1, 2]])
def test_hours_are_followed_as_plain_loops_follow_them(neighbourhood: Solved, fleet: str, days: list[int]) -> None:
    by_loops = fleet_hours_by_loops(neighbourhood.plan, fleet, {day + 1 for day in days})
    found, ended = followed(neighbourhood, fleet, days)
    assert found == pytest.approx({place: hours for place, hours in by_loops.items() if hours > 0}, rel=1e-6, abs=1e-6)
    assert sum(found.values()) + ended == pytest.approx(hours_driven(neighbourhood.plan, fleet, days))


@pytest.mark.parametrize("name", sorted(CASES))
def test_nothing_that_a_fleet_drives_is_lost(name: str) -> None:
    case = CASES[name]()
    if case.exact_fault:
        pytest.skip(case.exact_fault)
    solved = plan_in_full(case.network, case.scenario, fairness=case.fairness, solver="exact")
    days = list(range(solved.problem.days))
    for fleet in solved.problem.fleets:
        found, ended = followed(solved, fleet, days)
        assert sum(found.values()) + ended == pytest.approx(hours_driven(solved.plan, fleet, days), abs=1e-6)


@given(networks())
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_what_arrives_never_exceeds_what_sets_out(drawn: tuple[Network, str | None]) -> None:
    solved = plan_in_full(*drawn, solver="exact")
    trace, days = Trace(solved.problem, solved.lots), np.arange(solved.problem.days)
    for fleet, name in enumerate(solved.problem.fleets):
        reached = trace.fleet(fleet, days)
        assert (reached.amount >= 0).all()
        driven = hours_driven(solved.plan, name, days.tolist())
        assert reached.amount.sum() <= driven * (1 + 1e-9) + 1e-9
        assert (reached.goods <= solved.lots.handed.quantity + 1e-9).all()
    back = trace.before(solved.lots.handed.quantity)
    assert (back.stock <= solved.lots.stock.quantity * (1 + 1e-6) + 1e-6).all()
    assert (back.intake <= solved.lots.intake.quantity * (1 + 1e-6) + 1e-6).all()


def test_a_recipe_passes_on_by_weight_and_turns_goods_into_what_is_made() -> None:
    """2 t of seed on a lorry become 500 l of oil (500 kg) and 1.5 t of cake: a quarter of the hours are the oil's."""
    net = network(
        1,
        sites=[Site(site="farm"), Site(site="press", people=100)],
        goods=[Good(good="seed"), Good(good="oil", unit="l"), Good(good="cake")],
        stocks=[Stock(site="farm", good="seed", quantity=2000)],
        needs=[Need(site="press", good="oil", quantity=900), Need(site="press", good="cake", quantity=1500)],
        recipes=[
            RecipeLine(recipe="press", good="seed", quantity=-4),
            RecipeLine(recipe="press", good="oil", quantity=1),
            RecipeLine(recipe="press", good="cake", quantity=3),
        ],
        plants=[Plant(site="press", recipe="press", batches=1000)],
        lanes=[Lane(from_site="farm", to_site="press", hours=1, lead_days=0)],
        fleets=[truck()],
    )
    solved = plan_in_full(net, solver="exact")
    found, _ = followed(solved, "truck", [0])
    driven = hours_driven(solved.plan, "truck", [0])
    assert found[("press", "oil")] == pytest.approx(driven / 4)
    assert found[("press", "cake")] == pytest.approx(driven * 3 / 4)
