"""What holds for the plan of every network, drawn at random, against a second, obvious computation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from networks import CASES, START
from plans import changed, numbers_of
from random_networks import networks
from scipy.optimize import linprog

from abasto.network import Fleet, Good, Lane, Need, Network, Row, Site, Stock
from abasto.planner.check import check_plan
from abasto.planner.make import make_plan
from abasto.planner.plan import Plan
from abasto.tables import check_network

FEW = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
Drawn = tuple[Network, str | None]
ROUNDING = 1e-6


def exact(network: Network, scenario: str | None = None, fairness: float = 4.0) -> Plan:
    return make_plan(network, scenario, fairness=fairness, solver="exact", gap=1e-6)


def no_better(plan: Plan, other: Plan) -> None:
    """Fail if `plan` is better than the best that the other network's plan could be."""
    assert plan.objective <= other.bound * (1 + ROUNDING) + ROUNDING


def same_worth(plan: Plan, other: Plan) -> None:
    no_better(plan, other)
    no_better(other, plan)


@given(networks())
@settings(FEW, max_examples=100)
def test_random_networks_have_no_faults(drawn: Drawn) -> None:
    assert [str(finding) for finding in check_network(drawn[0]) if finding.severity == "error"] == []


@given(networks(), st.sampled_from([0.0, 1.0, 4.0, 10.0]))
@settings(FEW, max_examples=50)
def test_the_exact_plan_passes_the_check_and_is_as_good_as_its_bound(drawn: Drawn, fairness: float) -> None:
    network, scenario = drawn
    plan = exact(network, scenario, fairness)
    assert check_plan(network, plan, scenario) == []
    assert 0 <= plan.objective <= plan.full_value * (1 + ROUNDING)
    assert plan.gap <= 1e-5


@given(networks(equilibrium_only=True), st.sampled_from([0.0, 4.0]))
@settings(FEW, max_examples=50)
def test_both_solvers_agree_within_their_gaps(drawn: Drawn, fairness: float) -> None:
    network, scenario = drawn
    plan = make_plan(network, scenario, fairness=fairness, solver="equilibrium", gap=0.01, time_limit=2)
    assert check_plan(network, plan, scenario) == []
    same_worth(plan, exact(network, scenario, fairness))


@given(networks(), st.data())
@settings(FEW, max_examples=50)
def test_a_plan_with_one_number_changed_fails_the_check(drawn: Drawn, data: st.DataObject) -> None:
    network, scenario = drawn
    plan = exact(network, scenario)
    places = [place for place in numbers_of(plan) if _carries_something(plan, place)]
    assume(places)
    name, column, row = data.draw(st.sampled_from(places))
    value = plan.table(name)[column][row].item()
    scale = 1 + abs(value)
    other = value + data.draw(st.sampled_from([-1.0, 1.0])) * scale * data.draw(st.sampled_from([0.1, 0.5, 2.0]))
    assert check_plan(network, changed(plan, name, column, row, other), scenario) != []


def _carries_something(plan: Plan, place: tuple[str, str, int]) -> bool:
    """Return whether the number means anything: the day of a row that moves nothing does not, nor an infinite gap."""
    name, column, row = place
    if not np.isfinite(plan.table(name)[column][row]):
        return False
    amounts = {"intake": "quantity", "shipments": "quantity", "deliveries": "quantity", "trips": "trips"}
    amount = amounts.get(name, "batches" if name == "production" else column)
    return column == amount or bool(plan.table(name)[amount][row] > 0.01)


@given(networks(), st.sampled_from([0.1, 20.0]))
@FEW
def test_the_unit_of_a_good_changes_nothing(drawn: Drawn, factor: float) -> None:
    """The first good counted in another unit: `factor` times as many units, each so much lighter."""
    network, scenario = drawn
    rescaled = _in_another_unit(network, network.goods[0].good, factor)
    same_worth(exact(network, scenario), exact(rescaled, scenario))


def _in_another_unit(network: Network, good: str, factor: float) -> Network:
    """Return the network with every amount of a good in units of which `factor` make one old unit."""

    def scale(row: Row, **factors: float) -> Row:
        return row.model_copy(update={name: getattr(row, name) * by for name, by in factors.items()})

    tables: dict[str, Any] = defaultdict(list)
    for name in (
        "stocks",
        "supplies",
        "rations",
        "needs",
        "reserves",
        "recipes",
        "nutrients",
        "goods",
        "substitutes",
        "fleets",
    ):
        for row in network.rows(name):
            by = 1 / factor if name == "nutrients" else factor
            if name == "goods":
                row = scale(row, kg_per_unit=1 / factor) if row.good == good else row  # type: ignore[attr-defined]
            elif name == "substitutes":
                row = scale(row, quantity=1 / factor) if row.good == good else row  # type: ignore[attr-defined]
                row = scale(row, quantity=factor) if row.substitute == good else row  # type: ignore[attr-defined]
            elif name == "fleets":
                row = scale(row, fuel_per_km=factor) if row.fuel == good else row  # type: ignore[attr-defined]
            else:
                row = scale(row, quantity=by) if row.good == good else row  # type: ignore[attr-defined]
            tables[name].append(row)
    return replace(network, **{name: tuple(rows) for name, rows in tables.items()})


@given(networks(), st.randoms(use_true_random=False))
@FEW
def test_names_and_order_of_sites_change_nothing(drawn: Drawn, random: Any) -> None:
    network, scenario = drawn
    old = [site.site for site in network.sites]
    new = random.sample([f"place {number}" for number in range(len(old))], len(old))
    same_worth(exact(network, scenario), exact(_renamed(network, dict(zip(old, new, strict=True)), random), scenario))


def _renamed(network: Network, names: dict[str, str], random: Any) -> Network:
    """Return the network with other ids for its sites, and its rows in another order."""
    tables = {}
    for table in (
        "sites",
        "stocks",
        "supplies",
        "needs",
        "reserves",
        "plants",
        "labour",
        "lanes",
        "fleets",
        "disruptions",
    ):
        rows = []
        for row in network.rows(table):
            ids = {
                key: names[row_id] for key in ("site", "from_site", "to_site") if (row_id := getattr(row, key, None))
            }
            if table == "disruptions" and row.kind not in ("fleet",):  # type: ignore[attr-defined]
                target = row.target  # type: ignore[attr-defined]
                mark = ">" if ">" in target else "/"
                first, found, second = target.partition(mark)
                ids["target"] = names.get(first, first) + found + (names.get(second, second) if mark == ">" else second)
            rows.append(row.model_copy(update=ids))
        random.shuffle(rows)
        tables[table] = tuple(rows)
    return replace(network, **tables)


@given(networks(), st.data())
@settings(FEW, max_examples=50)
def test_taking_something_away_never_helps(drawn: Drawn, data: st.DataObject) -> None:
    network, _ = drawn
    losses = [
        (table, row) for table in ("fleets", "lanes", "supplies", "stocks", "plants") for row in network.rows(table)
    ]
    table, lost = data.draw(st.sampled_from(losses))
    rows = list(network.rows(table))
    rows.remove(lost)
    poorer = replace(network, **{table: tuple(rows)}, costs=(), disruptions=(), reserves=())
    no_better(exact(poorer), exact(replace(network, costs=(), disruptions=(), reserves=())))


@given(networks())
@FEW
def test_a_disruption_never_helps(drawn: Drawn) -> None:
    network, _ = drawn
    assume(network.scenarios)
    no_better(exact(network, network.scenarios[0]), exact(network))


@given(networks(), st.data())
@FEW
def test_the_loss_of_a_site_with_its_lanes_plants_and_supplies_never_helps(drawn: Drawn, data: st.DataObject) -> None:
    network, _ = drawn
    lost = data.draw(st.sampled_from(network.sites)).site
    poorer = replace(
        network,
        lanes=tuple(row for row in network.lanes if lost not in (row.from_site, row.to_site)),
        plants=tuple(row for row in network.plants if row.site != lost),
        supplies=tuple(row for row in network.supplies if row.site != lost),
        fleets=tuple(row for row in network.fleets if row.site != lost),
        costs=(),
        disruptions=(),
    )
    no_better(exact(poorer), exact(network))


@given(networks(), st.sampled_from([0.0, 4.0]))
@FEW
def test_where_nothing_is_on_hand_or_taken_in_doing_nothing_is_the_plan(drawn: Drawn, fairness: float) -> None:
    network = replace(drawn[0], stocks=(), supplies=(), costs=(), disruptions=(), reserves=())
    plan = exact(network, None, fairness)
    assert check_plan(network, plan) == []
    assert plan.objective == pytest.approx(0.0, abs=1e-6)
    assert plan.deliveries.n_rows == plan.shipments.n_rows == 0


@given(networks(), st.sampled_from([(0.0, 4.0), (4.0, 10.0), (1.0, 2.0)]))
@FEW
def test_each_plan_is_the_best_by_its_own_fairness(drawn: Drawn, pair: tuple[float, float]) -> None:
    """Measured by one fairness, the plan made for another is no better."""
    network, scenario = drawn
    low, high = (exact(network, scenario, fairness) for fairness in pair)
    assert _worth(low, pair[1]) <= high.bound * (1 + ROUNDING) + ROUNDING
    assert _worth(high, pair[0]) <= low.bound * (1 + ROUNDING) + ROUNDING


def _worth(plan: Plan, fairness: float) -> float:
    """Return what a plan's coverage is worth at a fairness; people are counted anew from the tables."""
    total = 0.0
    for row in plan.coverage.rows():
        weight = _people(plan.network, row["site"], row["need"], row["day"]) * 10 ** (1 - row["priority"])
        for tier in range(10):
            share = min(1.0, max(0.0, row["coverage"] * 10 - tier))
            total += weight * share * max(0.2, (tier + 0.5) / 10) ** -fairness
    return total


def _people(network: Network, site: str, need: str, day: int) -> float:
    """Return how many people a need serves on a day."""
    there = next(row.people for row in network.sites if row.site == site)
    counted = [there for row in network.rations if row.good == need and there > 0]
    counted += [there for row in network.requirements if row.nutrient == need and there > 0]
    counted += [
        max(1.0, there) if row.people is None else row.people
        for row in network.needs
        if (row.site, row.good) == (site, need) and (row.from_day or 1) <= day <= (row.to_day or network.days)
    ]
    return max(counted)


@pytest.mark.parametrize("stock", [40.0, 80.0, 180.0, 250.0])
def test_rising_fairness_never_lowers_the_worst_served(stock: float) -> None:
    base = CASES["no_fairness"]().network
    rice = base.stocks[0].model_copy(update={"quantity": stock})
    network = replace(base, stocks=(rice,))
    worst = [exact(network, None, fairness).coverage["coverage"].min() for fairness in (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)]
    assert all(later >= earlier - 1e-5 for earlier, later in pairwise(worst))


@given(st.data())
@settings(FEW, max_examples=30)
def test_without_fairness_the_plan_is_the_greatest_total_of_a_small_linear_program(data: st.DataObject) -> None:
    """One good on hand in some depots, one day, one fleet: what goes along each lane is all there is to decide."""
    towns = data.draw(st.integers(1, 4))
    stock = data.draw(st.lists(st.sampled_from([0.0, 100.0, 500.0, 2000.0]), min_size=1, max_size=2))
    needs = data.draw(st.lists(st.sampled_from([50.0, 300.0, 1000.0]), min_size=towns, max_size=towns))
    people = data.draw(st.lists(st.sampled_from([10.0, 100.0, 250.0]), min_size=towns, max_size=towns))
    hours = data.draw(
        st.lists(st.sampled_from([1.0, 2.0, 4.0]), min_size=towns * len(stock), max_size=towns * len(stock))
    )
    vehicles = data.draw(st.sampled_from([1.0, 3.0]))
    network = _depots_and_towns(stock, needs, people, hours, vehicles)

    lanes = [(depot, town) for depot in range(len(stock)) for town in range(towns)]
    worth = [-people[town] * 10 / needs[town] for _, town in lanes]
    rows = [[float(lane[0] == depot) for lane in lanes] for depot in range(len(stock))]
    rows += [[float(lane[1] == town) for lane in lanes] for town in range(towns)]
    rows.append([(2 * hour + 2) / 500.0 for hour in hours])
    best = linprog(worth, A_ub=rows, b_ub=[*stock, *needs, vehicles * 10])
    plan = exact(network, None, 0.0)
    assert plan.objective == pytest.approx(-best.fun, rel=1e-5, abs=1e-6)


def _depots_and_towns(
    stock: list[float], needs: list[float], people: list[float], hours: list[float], vehicles: float
) -> Network:
    """Return depots with rice, a lane from each to each town, and vehicles of 500 kg."""
    depots = [f"depot {number}" for number in range(len(stock))]
    towns = [f"town {number}" for number in range(len(needs))]
    ways = [(depot, town) for depot in depots for town in towns]
    return Network(
        "Depots and towns",
        START,
        1,
        sites=(
            *(Site(site=name) for name in depots),
            *(Site(site=t, people=p) for t, p in zip(towns, people, strict=True)),
        ),
        goods=(Good(good="rice"),),
        stocks=tuple(Stock(site=name, good="rice", quantity=q) for name, q in zip(depots, stock, strict=True)),
        needs=tuple(Need(site=name, good="rice", quantity=q) for name, q in zip(towns, needs, strict=True)),
        lanes=tuple(
            Lane(from_site=a, to_site=b, hours=h, lead_days=0, two_way=False)
            for (a, b), h in zip(ways, hours, strict=True)
        ),
        fleets=(Fleet(fleet="truck", vehicles=vehicles, payload_t=0.5),),
    )
