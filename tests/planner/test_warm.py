"""Warm starts and quick looks: what an earlier plan tells of a changed problem is true of it."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.generate import generate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_networks import networks

from abasto.examples import example_path
from abasto.network import Disruption, Network
from abasto.planner import equilibrium, exact
from abasto.planner.check import check_plan
from abasto.planner.layout import unsupported
from abasto.planner.lose import lose
from abasto.planner.make import finish_plan, plan_in_full
from abasto.planner.problem import Problem, build_problem
from abasto.tables import read_network
from abasto.tables.target import Targets

FEW = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
KINDS = ("site", "lane", "fleet", "plant", "supply")
ROUNDING = 1e-6


def without(network: Network, scenario: str | None, kind: str, target: str) -> tuple[Network, str]:
    """Return the network with a scenario in which a thing is lost too."""
    rows = [replaced(row) for row in network.disruptions if row.scenario == scenario]
    rows.append(Disruption(scenario="loss", kind=kind, target=target))  # type: ignore[arg-type]
    return replace(network, disruptions=(*network.disruptions, *rows)), "loss"


def replaced(row: Disruption) -> Disruption:
    return row.model_copy(update={"scenario": "loss"})


def capacities(problem: Problem) -> dict[str, object]:
    sources, some = problem.sources, problem.sources.amount > 0
    listed = zip(
        sources.site[some].tolist(),
        sources.item[some].tolist(),
        sources.day[some].tolist(),
        sources.amount[some].tolist(),
        sources.is_stock[some].tolist(),
        strict=True,
    )
    return {
        "lanes": problem.lane_tonnes.tolist(),
        "fleets": problem.fleet_hours.tolist(),
        "plants": problem.plant_batches.tolist(),
        "sources": sorted(listed),
    }


@given(networks(), st.sampled_from(KINDS), st.integers(0, 100))
@settings(FEW, max_examples=100)
def test_a_thing_taken_away_is_the_disruption_that_leaves_nothing_of_it(
    drawn: tuple[Network, str | None], kind: str, which: int
) -> None:
    network, scenario = drawn
    targets = Targets(network)
    names = targets.names(kind)
    assume(names)
    target = names[which % len(names)]
    lost = lose(build_problem(network, scenario), kind, target, targets)
    built = build_problem(*without(network, scenario, kind, target))
    assert capacities(lost) == capacities(built)


@given(networks(equilibrium_only=True), st.sampled_from(KINDS), st.integers(0, 100))
@settings(FEW, max_examples=60)
def test_a_look_holds_the_exact_worth_of_what_is_left(drawn: tuple[Network, str | None], kind: str, which: int) -> None:
    network, scenario = drawn
    problem = build_problem(network, scenario)
    assume(len(problem.needs.amount) and not unsupported(problem))
    targets = Targets(network)
    names = targets.names(kind)
    assume(names)
    warm = equilibrium.solve(problem, gap=0.001).warm
    assert warm is not None
    lost = lose(problem, kind, names[which % len(names)], targets)
    look = equilibrium.look(lost, warm)
    best = exact_worth(*without(network, scenario, kind, names[which % len(names)]))
    assert look.value <= best * (1 + ROUNDING) + ROUNDING
    assert look.bound >= best * (1 - ROUNDING) - ROUNDING
    reckoning = equilibrium.reckon(lost, gap=0.001, warm=warm)
    assert reckoning.value <= best * (1 + ROUNDING) + ROUNDING
    assert reckoning.bound >= best * (1 - ROUNDING) - ROUNDING


def exact_worth(network: Network, scenario: str) -> float:
    solved = plan_in_full(network, scenario, solver="exact")
    assert solved.plan.bound <= solved.plan.objective * (1 + ROUNDING) + ROUNDING
    return solved.plan.objective


@pytest.mark.soak
@pytest.mark.parametrize("chain", [False, True])
def test_looks_and_reckonings_on_a_network_of_fifty_places(chain: bool) -> None:
    network = generate("SMALL", seed=3, chain=chain)
    problem = build_problem(network)
    targets = Targets(network)
    warm = equilibrium.solve(problem, gap=0.001).warm
    assert warm is not None
    losses = [("fleet", fleet.fleet) for fleet in network.fleets[:2]] + [("site", network.sites[5].site)]
    for kind, target in losses:
        lost = lose(problem, kind, target, targets)
        look = equilibrium.look(lost, warm)
        reckoning = equilibrium.reckon(lost, gap=0.002, warm=warm)
        assert reckoning.gap <= 0.002
        cold = exact.solve(lost)
        assert max(look.value, reckoning.value) <= cold.bound * (1 + ROUNDING)
        best = finish_plan(lost, cold, solver="exact", begin=0.0).plan.objective
        assert min(look.bound, reckoning.bound) >= best * (1 - ROUNDING)


def test_no_look_at_the_loss_of_a_place_contradicts_a_search() -> None:
    network = generate("SMALL", seed=1)
    problem, targets = build_problem(network), Targets(network)
    base = equilibrium.reckon(problem, gap=0.01, resumable=True)
    assert base.warm is not None
    gaps = []
    for site in network.sites[10:35]:
        lost = lose(problem, "site", site.site, targets)
        look, cold = equilibrium.look(lost, base.warm), equilibrium.reckon(lost, gap=0.002)
        assert look.value <= cold.bound * (1 + ROUNDING), site.site
        assert look.bound >= cold.value * (1 - ROUNDING), site.site
        gaps.append(look.gap)
    assert np.median(gaps) < 0.05


def test_with_nothing_changed_a_warm_start_needs_a_single_round() -> None:
    problem = build_problem(generate("SMALL", seed=1, chain=True))
    cold = equilibrium.reckon(problem, gap=0.005, resumable=True)
    again = equilibrium.reckon(problem, gap=0.005, warm=cold.warm)
    assert again.rounds <= 2 < cold.rounds
    assert again.gap <= 0.005


def test_what_a_search_knew_survives_being_sent_elsewhere() -> None:
    problem = build_problem(generate("SMALL", seed=2))
    warm = equilibrium.solve(problem, gap=0.01).warm
    sent = pickle.loads(pickle.dumps(warm))
    first, second = (equilibrium.reckon(problem, gap=0.004, warm=one) for one in (warm, sent))
    assert (first.value, first.bound) == (second.value, second.bound)


def test_a_start_from_another_network_is_a_cold_start() -> None:
    elsewhere = equilibrium.solve(build_problem(generate("TINY", seed=0)), gap=0.01).warm
    problem = build_problem(generate("SMALL", seed=2))
    with_it = equilibrium.reckon(problem, gap=0.01, warm=elsewhere)
    without_it = equilibrium.reckon(problem, gap=0.01)
    assert (with_it.value, with_it.bound) == (without_it.value, without_it.bound)


@pytest.mark.soak
def test_a_warm_plan_of_a_lockout_passes_the_check() -> None:
    network = read_network(example_path("national"))
    usual = plan_in_full(network, solver="equilibrium", gap=0.02)
    lockout = plan_in_full(network, "lockout", solver="equilibrium", gap=0.02, warm=usual.warm)
    assert check_plan(network, lockout.plan, "lockout") == []
    cold = plan_in_full(network, "lockout", solver="equilibrium", gap=0.02)
    assert lockout.plan.objective <= cold.plan.bound
    assert cold.plan.objective <= lockout.plan.bound


def test_fewer_goods_in_stock_trim_the_earlier_flows() -> None:
    problem = build_problem(generate("SMALL", seed=4))
    warm = equilibrium.solve(problem, gap=0.005).warm
    assert warm is not None
    less = replace(problem, sources=replace(problem.sources, amount=problem.sources.amount * 0.8))
    look = equilibrium.look(less, warm)
    reckoning = equilibrium.reckon(less, gap=0.005, warm=warm)
    cold = equilibrium.reckon(less, gap=0.005)
    assert look.value <= cold.bound
    assert look.bound >= cold.value
    assert reckoning.value <= cold.bound
    assert np.isclose(reckoning.value, cold.value, rtol=0.01)
