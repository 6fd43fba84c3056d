"""A plan around some of what an earlier one hands over: that is handed over the same, and the rest is worth no less."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import START, network, truck
from random_networks import networks

from abasto.errors import SettingError
from abasto.network import Good, Lane, Need, Network, Plant, RecipeLine, Reserve, Site, Stock, Supply
from abasto.planner.behind import behind
from abasto.planner.hold import as_planned
from abasto.planner.keep import plan_keeping
from abasto.planner.make import SolverName, make_plan
from abasto.planner.plan import Plan
from abasto.planner.problem import build_problem
from abasto.planner.residual import balances
from abasto.planner.settle import settle
from abasto.planner.untabulate import untabulate

QUANTITIES = ("taken", "ship_quantity", "made_batches", "hand_quantity", "draw_quantity")
slowly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def handed(plan: Plan, sites: set[str]) -> dict[tuple[str, str, str, int], float]:
    """Return what is handed over at some sites, by site, need that it meets, good and day."""
    total: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for row in plan.deliveries.rows():
        if row["site"] in sites:
            total[row["site"], row["meets"], row["good"], row["day"]] += row["quantity"]
    return total


@given(networks(), st.data())
@slowly
def test_what_is_kept_is_handed_over_and_the_rest_is_worth_no_less(
    drawn: tuple[Network, str | None], data: st.DataObject
) -> None:
    tables = replace(drawn[0], disruptions=())
    old = make_plan(tables, solver="exact")
    names = [site.site for site in tables.sites]
    kept = set(data.draw(st.lists(st.sampled_from(names), unique=True)))
    new = plan_keeping(tables, old, kept, solver="exact").plan
    before, after = handed(old, kept), handed(new, kept)
    for key, quantity in before.items():
        assert after.get(key, 0.0) >= quantity * (1 - 1e-6) - 1e-6
    assert new.bound >= old.objective * (1 - 1e-6) - 1e-6
    shares = [row["coverage"] for row in old.coverage.rows() if row["site"] in kept]
    if all(share in (pytest.approx(0.0), pytest.approx(1.0)) for share in shares):  # else the rest is worth another sum
        assert new.objective >= old.objective * (1 - 1e-6) - 1e-6
    assert new.bound >= new.objective * (1 - 1e-9)


@given(networks(), st.data())
@slowly
def test_what_stands_behind_can_be_done_by_itself(drawn: tuple[Network, str | None], data: st.DataObject) -> None:
    tables = replace(drawn[0], disruptions=())
    problem = build_problem(tables, None)
    flows = untabulate(problem, make_plan(tables, solver="exact")).flows
    flows = settle(problem, flows)
    share = np.array([data.draw(st.sampled_from([0.0, 0.3, 1.0])) for _ in flows.hand_quantity])
    part = behind(problem, flows, share)
    assert part.hand_quantity == pytest.approx(flows.hand_quantity * share)
    alone = settle(problem, part)
    for name in QUANTITIES:
        assert (getattr(part, name) <= getattr(flows, name) * (1 + 1e-9)).all()
        assert as_planned(getattr(part, name), getattr(alone, name)).all(), name
    for _, there in balances(problem, part):
        assert there.min() >= -1e-6


def test_nothing_stands_behind_nothing() -> None:
    tables = bakery()
    problem = build_problem(tables, None)
    flows = untabulate(problem, make_plan(tables)).flows
    part = behind(problem, flows, np.zeros(len(flows.hand_quantity)))
    stock = problem.sources.is_stock
    assert not part.ship_quantity.any()
    assert not part.made_batches.any()
    assert not part.draw_quantity.any()
    assert not part.taken[~stock].any()


def bakery(flour: float = 100.0) -> Network:
    """Flour at the mill on day 1 is baked one to one and driven to a gate and to a village, 50 kg wanted at each."""
    return network(
        2,
        sites=[Site(site="mill"), Site(site="gate"), Site(site="village", people=100)],
        goods=[Good(good="flour", priority=2), Good(good="bread")],
        stocks=[Stock(site="mill", good="flour", quantity=flour)],
        recipes=[
            RecipeLine(recipe="bake", good="flour", quantity=-1),
            RecipeLine(recipe="bake", good="bread", quantity=1),
        ],
        plants=[Plant(site="mill", recipe="bake", batches=1000)],
        lanes=[Lane(from_site="mill", to_site=end, hours=1, lead_days=0) for end in ("gate", "village")],
        fleets=[truck()],
        needs=[
            Need(site="gate", good="bread", quantity=50, people=1, from_day=1, to_day=1),
            Need(site="village", good="bread", quantity=50, from_day=1, to_day=1),
        ],
    )


def larder(**changes: Any) -> Network:
    """Flour at a mill that keeps a reserve of it, wanted at a gate, in a village, and at the mill."""
    tables: dict[str, Any] = {
        "sites": [Site(site="mill"), Site(site="gate"), Site(site="village")],
        "goods": [Good(good="flour")],
        "stocks": [Stock(site="mill", good="flour", quantity=100)],
        "reserves": [Reserve(site="mill", good="flour", quantity=60)],
        "needs": [
            Need(site="gate", good="flour", quantity=30, people=100, to_day=1),
            Need(site="village", good="flour", quantity=50),
        ],
        "lanes": [Lane(from_site="mill", to_site=end, hours=1, lead_days=0) for end in ("gate", "village")],
        "fleets": [truck(vehicles=10)],
    }
    return network(2, **tables | changes)


@pytest.mark.parametrize("solver", ["exact", "equilibrium"])
def test_what_is_kept_and_what_is_new_leave_the_reserve_together(solver: SolverName) -> None:
    tables = larder()
    old = make_plan(tables, solver="exact")
    new = plan_keeping(tables, old, {"gate"}, solver=solver).plan
    assert 0 < sum(handed(old, {"gate"}).values()) < 30
    assert handed(new, {"gate"}) == pytest.approx(handed(old, {"gate"}))
    assert sum(row["quantity"] for row in new.shipments.rows()) == pytest.approx(40)


def test_of_what_came_beside_a_reserve_as_much_is_kept_as_leaves() -> None:
    tables = larder(
        reserves=[Reserve(site="mill", good="flour", quantity=100)],
        supplies=[Supply(site="mill", good="flour", quantity=50, to_day=1)],
        needs=[
            Need(site="gate", good="flour", quantity=50, people=100, to_day=1),
            Need(site="mill", good="flour", quantity=50, people=100),
        ],
    )
    problem = build_problem(tables, None)
    flows = untabulate(problem, make_plan(tables, solver="exact")).flows
    part = behind(problem, flows, np.array([problem.sites[site] == "gate" for site in flows.hand_site], dtype=float))
    assert part.ship_quantity.sum() == pytest.approx(50)
    assert settle(problem, part).ship_quantity.sum() == pytest.approx(50)


def test_half_of_the_flour_stands_behind_half_of_the_bread() -> None:
    tables = bakery()
    problem = build_problem(tables, None)
    flows = untabulate(problem, make_plan(tables)).flows
    at_gate = np.array([problem.sites[site] == "gate" for site in flows.hand_site])
    part = behind(problem, flows, at_gate.astype(float))
    assert part.made_batches.sum() == pytest.approx(50)
    assert part.draw_quantity.sum() == pytest.approx(50)
    assert part.ship_quantity.sum() == pytest.approx(50)
    ends = {problem.sites[problem.options.end[option]] for option in part.ship_option[part.ship_quantity > 0]}
    assert ends == {"gate"}


def test_what_is_kept_stays_when_there_is_less_for_the_others_and_new_goods_go_to_them() -> None:
    old = make_plan(bakery())
    changed = bakery()
    later = replace(
        changed,
        needs=(
            *changed.needs,
            Need(site="village", good="bread", quantity=80, people=10_000, priority=0.5, from_day=2),
        ),
    )
    new = plan_keeping(later, old, {"gate"}).plan
    assert sum(handed(new, {"gate"}).values()) == pytest.approx(50)
    assert sum(handed(new, {"village"}).values()) == pytest.approx(50)
    richer = replace(later, supplies=(Supply(site="mill", good="flour", quantity=60, from_day=1, to_day=1),))
    more = plan_keeping(richer, old, {"gate"}).plan
    assert sum(handed(more, {"gate"}).values()) == pytest.approx(50)
    assert sum(handed(more, {"village"}).values()) == pytest.approx(110)


def test_the_equilibrium_solver_keeps_the_same() -> None:
    tables = bakery(flour=70.0)
    old = make_plan(tables, solver="exact")
    new = plan_keeping(tables, old, {"gate"}, solver="equilibrium").plan
    kept = sum(handed(old, {"gate"}).values())
    assert 0 < kept < 50
    assert sum(handed(new, {"gate"}).values()) >= kept * (1 - 1e-9)
    assert sum(handed(new, {"village"}).values()) == pytest.approx(70 - kept, rel=1e-3)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7])
def test_of_a_need_that_is_kept_in_part_the_rest_is_met_within_the_bound(share: float) -> None:
    def tables(quantity: float) -> Network:
        supplies = [Supply(site="gate", good="flour", quantity=quantity)]
        needs = [Need(site="gate", good="flour", quantity=100)]
        return network(1, sites=[Site(site="gate")], goods=[Good(good="flour")], supplies=supplies, needs=needs)

    new = plan_keeping(tables(100), make_plan(tables(100 * share)), {"gate"}).plan
    assert new.objective == pytest.approx(make_plan(tables(100)).objective)
    assert new.bound >= new.objective * (1 - 1e-9)


def test_a_plan_of_tables_that_lack_something_now_is_refused() -> None:
    tables = bakery()
    old = make_plan(tables)
    with pytest.raises(SettingError, match="cannot be kept"):
        plan_keeping(replace(tables, fleets=()), old, {"gate"})
    with pytest.raises(SettingError, match="days"):
        plan_keeping(replace(tables, start=START + timedelta(days=1)), old, {"gate"})
