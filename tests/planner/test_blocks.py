"""Every planner finds the plan worked out by hand for each block of the model."""

from __future__ import annotations

import warnings
from collections import defaultdict

import numpy as np
import pytest
from networks import CASES, Case, depot_and_town, lane, truck

from abasto.errors import UnsupportedError
from abasto.planner.check import check_plan
from abasto.planner.make import make_plan
from abasto.planner.plan import Plan
from abasto.planner.problem import build_problem
from abasto.tables import check_network


def worth(case: Case) -> float:
    """Return the objective of the coverage worked out by hand, with the tiers counted out one by one."""
    total = 0.0
    for (site, need, _), coverage in case.coverage.items():
        for tier in range(10):
            share = min(1.0, max(0.0, coverage * 10 - tier))
            total += case.weight.get((site, need), 100.0) * share * max(0.2, (tier + 0.5) / 10) ** -case.fairness
    return total


def coverage_of(plan: Plan) -> dict[tuple[str, str, int], float]:
    return {(row["site"], row["need"], row["day"]): row["coverage"] for row in plan.coverage.rows()}


def batches_by_day(plan: Plan) -> dict[int, float]:
    batches: dict[int, float] = defaultdict(float)
    for row in plan.production.rows():
        batches[row["day"]] += row["batches"]
    return batches


@pytest.mark.parametrize("name", CASES)
def test_a_network_worked_out_by_hand_has_no_faults(name: str) -> None:
    assert [str(finding) for finding in check_network(CASES[name]().network) if finding.severity == "error"] == []


@pytest.mark.parametrize("name", CASES)
def test_the_exact_planner_finds_the_plan_worked_out_by_hand(name: str, request: pytest.FixtureRequest) -> None:
    case = CASES[name]()
    if case.exact_fault:
        request.applymarker(pytest.mark.xfail(reason=case.exact_fault))
    plan = make_plan(case.network, case.scenario, fairness=case.fairness, solver="exact", gap=1e-6)
    assert check_plan(case.network, plan, case.scenario) == []
    assert coverage_of(plan) == pytest.approx(case.coverage, abs=1e-5)
    assert plan.objective == pytest.approx(worth(case), rel=1e-5)
    assert plan.gap <= 1e-5
    if case.trips is not None:
        assert plan.trips["trips"].sum() == pytest.approx(case.trips, abs=1e-5)
    if case.batches is not None:
        assert sum(batches_by_day(plan).values()) == pytest.approx(case.batches, abs=1e-4)
    if case.vehicle_hours is not None:
        assert plan.summary["vehicle_hours"][0] == pytest.approx(case.vehicle_hours, abs=1e-4)
    if case.cost is not None:
        assert plan.summary["cost"][0] == pytest.approx(case.cost, abs=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_the_equilibrium_planner_comes_within_its_gap_of_the_plan_worked_out_by_hand(
    name: str, request: pytest.FixtureRequest
) -> None:
    case = CASES[name]()
    if case.equilibrium_fault:
        request.applymarker(pytest.mark.xfail(reason=case.equilibrium_fault))
    if case.nutrients or case.byproducts:
        what = "nutrient" if case.nutrients else "byproduct"
        with pytest.raises(UnsupportedError, match=what):
            make_plan(case.network, case.scenario, fairness=case.fairness, solver="equilibrium")
        return
    plan = make_plan(case.network, case.scenario, fairness=case.fairness, solver="equilibrium", gap=0.01, time_limit=20)
    assert check_plan(case.network, plan, case.scenario) == []
    best = worth(case)
    assert plan.objective <= best * (1 + 1e-6) + 1e-6
    assert plan.bound >= best * (1 - 1e-6) - 1e-6
    assert plan.gap <= 0.01


def test_lots_keep_their_date_on_the_road() -> None:
    case = CASES["perishable_on_the_road"]()
    plan = make_plan(case.network, solver="exact")
    day_two = np.datetime64(case.network.date_of(2))
    assert set(plan.shipments["expires"]) == set(plan.deliveries["expires"]) == {day_two}


def test_what_is_not_used_by_its_date_is_told_as_spoiled() -> None:
    case = CASES["perishable_stock"]()
    plan = make_plan(case.network, solver="exact")
    spoiled = {(row["day"], round(row["spoiled"], 3)) for row in plan.closing.rows() if row["spoiled"] > 0}
    assert spoiled == {(3, 100.0)}


def test_needs_and_rations_of_a_good_are_one_row_of_coverage() -> None:
    plan = make_plan(CASES["needs_and_rations_merge"]().network, solver="exact")
    (row,) = plan.coverage.rows()
    assert (row["needed"], row["priority"]) == (100.0, 1.0)
    assert plan.summary["needed_p1"][0] == 200.0


def test_a_need_counts_only_on_its_days() -> None:
    plan = make_plan(CASES["need_by_days"]().network, solver="exact")
    assert plan.coverage["day"].tolist() == [2, 3]
    (row,) = plan.shortages.rows()
    assert (row["from"], row["to"], row["unmet"]) == (2, 3, pytest.approx(7.0))


def test_hours_beyond_all_whole_numbers_are_no_whole_numbers() -> None:
    far = lane("depot", "town", hours=1e22, two_way=False)
    endless = depot_and_town(1, stock=10, need=10, fleet=truck(), lanes=[far])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        options = build_problem(endless).options
    assert list(options.hours) == [2e21]
    assert (list(options.start), list(options.end), list(options.fuel_good)) == ([0], [1], [-1])
