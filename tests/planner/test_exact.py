"""The exact solver against the same model written a second time, cell by cell, for scipy's own solver interface."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import date

import numpy as np
import pytest
from networks import CASES
from scipy.optimize import linprog

from abasto.errors import SolverError
from abasto.examples import example_path
from abasto.network import Fleet, Good, Lane, Need, Network, Plant, Ration, RecipeLine, Site, Stock, Supply
from abasto.planner import exact
from abasto.planner.linear import SIMPLEX_NONZEROS, LinearProgram, Search
from abasto.planner.make import make_plan
from abasto.planner.problem import build_problem
from abasto.tables import read_network

SITES, GOODS = ("a", "b", "c"), ("grain", "bread")


def random_network(seed: int) -> Network:
    """Three sites in a row, grain that is baked into bread at the second, too little of everything."""
    draw = np.random.default_rng(seed)
    days = int(draw.integers(2, 5))
    return Network(
        "Row",
        date(2026, 11, 22),
        days,
        sites=tuple(Site(site=site, people=float(draw.integers(1, 200))) for site in SITES),
        goods=(Good(good="grain", kg_per_unit=2.0), Good(good="bread", priority=float(draw.integers(1, 3)))),
        stocks=tuple(Stock(site=s, good=g, quantity=float(draw.integers(0, 60))) for s in SITES for g in GOODS),
        supplies=(Supply(site="a", good="grain", quantity=float(draw.integers(0, 90))),),
        rations=(Ration(good="bread", quantity=0.5),),
        needs=(Need(site="c", good="grain", quantity=30.0, priority=2.0),),
        recipes=(
            RecipeLine(recipe="bake", good="grain", quantity=-2),
            RecipeLine(recipe="bake", good="bread", quantity=3),
        ),
        plants=(Plant(site="b", recipe="bake", batches=float(draw.integers(1, 20))),),
        lanes=(
            Lane(from_site="a", to_site="b", hours=1.5, lead_days=int(draw.integers(0, 2))),
            Lane(from_site="b", to_site="c", hours=0.5, tonnes=float(draw.uniform(0.02, 0.2))),
        ),
        fleets=(Fleet(fleet="vans", vehicles=float(draw.uniform(0.2, 2)), payload_t=0.05),),
    )


def naive_optimum(network: Network, fairness: float) -> float:
    """Return the best objective of a network of `random_network`: one dict per equation, no matrix in sight."""
    days, columns = range(network.days), {}
    rows: dict[tuple, dict[int, float]] = defaultdict(dict)
    limit: dict[tuple, float] = defaultdict(float)
    value: list[float] = []
    most: list[float | None] = []

    def column(*name: object, worth: float = 0.0, upper: float | None = None) -> int:
        columns[name] = len(value)
        value.append(worth)
        most.append(upper)
        return len(value) - 1

    def put(row: tuple, index: int, coefficient: float) -> None:
        rows[row][index] = rows[row].get(index, 0.0) + coefficient

    for stock in network.stocks:
        limit[stock.site, stock.good, 0] += stock.quantity
    for day in days:
        for site in SITES:
            for good in GOODS:
                kept = column("keep", site, good, day)
                put((site, good, day), kept, 1.0)
                if day + 1 < network.days:
                    put((site, good, day + 1), kept, -1.0)
        put(("a", "grain", day), column("take", day, upper=network.supplies[0].quantity), -1.0)
        bake = column("bake", day, upper=network.plants[0].batches)
        put(("b", "grain", day), bake, 2.0)
        put(("b", "bread", day), bake, -3.0)
        limit["hours", day] = network.fleets[0].vehicles * 10
        for lane in network.lanes:
            for start, end in ((lane.from_site, lane.to_site), (lane.to_site, lane.from_site)):
                if lane.tonnes is not None:
                    limit[start, end, day] = lane.tonnes
                for good, tonnes in (("grain", 0.002), ("bread", 0.001)):
                    ship = column("ship", start, end, good, day)
                    put((start, good, day), ship, 1.0)
                    if day + lane.travel_days < network.days:
                        put((end, good, day + lane.travel_days), ship, -1.0)
                    put(("hours", day), ship, tonnes / 0.05 * (2 * lane.travel_hours + 2))
                    if lane.tonnes is not None:
                        put((start, end, day), ship, tonnes)
        needs = [
            (site.site, "bread", site.people * 0.5, site.people, network.goods[1].priority) for site in network.sites
        ]
        needs.append(("c", "grain", 30.0, max(1.0, network.sites[2].people), 2.0))
        for site_id, good, amount, people, priority in needs:
            for tier in range(10):
                worth = people * 10 ** (1 - priority) * max(0.2, (tier + 0.5) / 10) ** -fairness
                met = column("met", site_id, good, day, tier, worth=worth, upper=1.0)
                put((site_id, good, day), met, amount / 10)
    matrix = np.zeros((len(rows), len(value)))
    for position, row in enumerate(rows.values()):
        matrix[position, list(row)] = list(row.values())
    best = linprog(
        -np.array(value), A_ub=matrix, b_ub=[limit[row] for row in rows], bounds=[(0, upper) for upper in most]
    )
    return -float(best.fun)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("fairness", [0.0, 1.0, 4.0])
def test_the_objective_is_that_of_the_model_written_a_second_time(seed: int, fairness: float) -> None:
    network = random_network(seed)
    plan = make_plan(network, fairness=fairness, solver="exact")
    best = naive_optimum(network, fairness)
    assert plan.objective == pytest.approx(best, rel=1e-6)
    assert plan.bound == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_any_duals_prove_a_bound(seed: int) -> None:
    network = random_network(seed)
    program = exact.build(build_problem(network))
    duals = np.random.default_rng(seed).normal(0.0, 5.0, len(program.row_upper))
    assert program.bound(duals) >= naive_optimum(network, 4.0) * (1 - 1e-9)


def test_interior_point_and_simplex_agree() -> None:
    program = exact.build(build_problem(random_network(3)))
    assert program.matrix.nnz <= SIMPLEX_NONZEROS
    simplex = Search(program, deadline=None, stop=None).most_value()
    inner = Search(program, deadline=None, stop=None, simplex=False).most_value()
    assert simplex.x is not None
    assert inner.x is not None
    assert program.value @ inner.x == pytest.approx(program.value @ simplex.x, rel=1e-6)


def values(program: LinearProgram) -> np.ndarray:
    return program.value[program.value > 0]


def test_the_objective_is_scaled_to_what_the_solver_can_hold() -> None:
    program = exact.build(build_problem(random_network(1)))
    assert 1e-4 <= values(program).min() <= values(program).max() <= 1e3


def test_a_search_that_is_stopped_at_once_hands_over_what_is_there() -> None:
    network = random_network(0)
    plan = make_plan(network, solver="exact", stop=lambda: True)
    best = make_plan(network, solver="exact")
    assert plan.status == "stopped"
    assert 0 < plan.objective <= best.objective <= plan.bound
    assert plan.shipments.n_rows == 0


@pytest.mark.parametrize("name", [name for name, make in CASES.items() if not make().exact_fault])
@pytest.mark.parametrize("polls", [0, 1, 4])
def test_a_search_stopped_at_any_moment_hands_over_a_plan_and_a_bound_that_hold(name: str, polls: int) -> None:
    case = CASES[name]()
    best = make_plan(case.network, case.scenario, fairness=case.fairness, solver="exact")
    asked = itertools.count()
    plan = make_plan(
        case.network, case.scenario, fairness=case.fairness, solver="exact", stop=lambda: next(asked) >= polls
    )
    assert plan.objective <= best.objective * (1 + 1e-9) + 1e-9
    assert best.objective * (1 - 1e-9) <= plan.bound <= plan.full_value * (1 + 1e-9)
    assert plan.gap >= 0
    assert plan.gap_of_unmet >= 0


def test_stock_that_fits_no_store_is_named() -> None:
    network = Network(
        "Full",
        date(2026, 11, 22),
        2,
        sites=(Site(site="shed", storage_t=1.0), Site(site="school", people=10)),
        goods=(Good(good="rice"),),
        stocks=(Stock(site="shed", good="rice", quantity=5000),),
        rations=(Ration(good="rice", quantity=1),),
    )
    with pytest.raises(SolverError, match=r"shed \(5\.0 t on hand, room for 1\.0 t\)"):
        exact.solve(build_problem(network))


@pytest.mark.parametrize("fairness", [12.0, 16.0, 30.0])
def test_upper_tenths_are_filled_though_they_are_worth_next_to_nothing(fairness: float) -> None:
    network = read_network(example_path("neighbourhood"))
    plan = make_plan(network, fairness=fairness, solver="exact")
    at_four = make_plan(network, solver="exact")
    met, met_at_four = (float(one.coverage["met"].sum()) for one in (plan, at_four))
    assert met >= 0.99 * met_at_four
