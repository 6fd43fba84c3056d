"""Many random networks through both solvers: each plan passes the check, and neither beats the other's bound."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from random_networks import networks

from abasto.network import Network
from abasto.planner.check import check_plan
from abasto.planner.layout import unsupported
from abasto.planner.make import make_plan
from abasto.planner.problem import build_problem

ROUNDING = 1e-6


@pytest.mark.soak
@seed(1972)
@given(networks(), st.sampled_from([0.0, 1.0, 4.0, 20.0]))
@settings(
    max_examples=300,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_both_solvers_hold_on_many_networks(drawn: tuple[Network, str | None], fairness: float) -> None:
    network, scenario = drawn
    best = make_plan(network, scenario, fairness=fairness, solver="exact")
    assert check_plan(network, best, scenario) == []
    assert best.gap <= 1e-5
    if unsupported(build_problem(network, scenario)):
        return
    plan = make_plan(network, scenario, fairness=fairness, solver="equilibrium", gap=0.001, time_limit=2)
    assert check_plan(network, plan, scenario) == []
    assert best.objective <= plan.bound * (1 + ROUNDING) + ROUNDING
    assert plan.objective <= best.bound * (1 + ROUNDING) + ROUNDING
