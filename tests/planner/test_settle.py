"""Flows are cut to what holds strictly, whatever a solver's rounding made of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import CASES

from abasto.planner import exact
from abasto.planner.problem import build_problem
from abasto.planner.settle import settle


@pytest.mark.parametrize("excess", [1 + 1e-6, 1.5])
def test_what_a_reserve_keeps_is_not_shipped(excess: float) -> None:
    problem = build_problem(CASES["reserve"]().network)
    flows = exact.solve(problem).flows
    too_much = replace(flows, ship_quantity=flows.ship_quantity * excess, hand_quantity=flows.hand_quantity * excess)
    (free,) = problem.shippable.values()
    assert too_much.ship_quantity.sum() > free
    assert settle(problem, too_much).ship_quantity.sum() == pytest.approx(free, rel=1e-9)


@pytest.mark.parametrize("name", ["reserve", "reserve_lets_through_what_comes_in", "lead_time", "two_level_recipe"])
def test_flows_that_hold_stay_as_they_are(name: str) -> None:
    problem = build_problem(CASES[name]().network)
    flows = exact.solve(problem).flows
    settled = settle(problem, flows)
    for part in ("ship_quantity", "hand_quantity", "draw_quantity", "made_batches", "taken"):
        np.testing.assert_allclose(getattr(settled, part), getattr(flows, part), rtol=1e-9)


def test_nothing_goes_without_a_vehicle_however_light() -> None:
    case = CASES["weightless_goods_need_a_vehicle"]()
    problem = build_problem(case.network)
    flows = exact.solve(problem).flows
    one, first = np.array([1.0]), np.array([0])
    sent = replace(flows, ship_option=first, ship_item=first, ship_day=first, ship_quantity=one)
    assert settle(problem, sent).ship_quantity.tolist() == [0.0]
    there = replace(sent, ship_day=np.array([1]))
    assert settle(problem, there).ship_quantity.tolist() == [1.0]
