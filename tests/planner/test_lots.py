"""Lots get their names: the oldest go first, and what is planned as long-lasting stays so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from abasto.network import Fleet, Good, Lane, Need, Network, Plant, RecipeLine, Site, Stock
from abasto.planner import exact
from abasto.planner.lots import name_lots
from abasto.planner.problem import Problem, build_problem
from abasto.planner.settle import settle
from abasto.planner.solution import Flows

START = date(2026, 11, 22)


def bakery() -> Problem:
    """Milk that lasts one day and milk that lasts four; puddings on day 1, and children on day 3."""
    network = Network(
        "Dairy",
        START,
        4,
        sites=(Site(site="dairy"), Site(site="school", people=10)),
        goods=(Good(good="milk", shelf_life_days=9), Good(good="pudding")),
        stocks=(
            Stock(site="dairy", good="milk", quantity=10, expires=date(2026, 11, 23)),
            Stock(site="dairy", good="milk", quantity=10, expires=date(2026, 11, 24)),
            Stock(site="dairy", good="milk", quantity=10, expires=date(2026, 11, 29)),
        ),
        needs=(
            Need(site="dairy", good="milk", quantity=10, from_day=3, to_day=3),
            Need(site="dairy", good="pudding", quantity=10, from_day=1, to_day=1),
        ),
        recipes=(
            RecipeLine(recipe="cook", good="milk", quantity=-1),
            RecipeLine(recipe="cook", good="pudding", quantity=1),
        ),
        plants=(Plant(site="dairy", recipe="cook", batches=10),),
        lanes=(Lane(from_site="dairy", to_site="school", hours=1),),
        fleets=(Fleet(fleet="van", vehicles=1, payload_t=1),),
    )
    return build_problem(network)


def cooked_from(problem: Problem, item: int, *, handed: int) -> Flows:
    """Return flows that cook ten litres of one item on day 1 and hand over ten of another on day 3."""
    flows = exact.solve(problem).flows
    milk_need = int(np.flatnonzero(problem.needs.target == 0)[0])
    pudding_need = int(np.flatnonzero(problem.needs.target == 1)[0])
    one = np.array
    return replace(
        flows,
        hand_site=one([0, 0]),
        hand_item=one([handed, 1]),
        hand_day=one([2, 0]),
        hand_need=one([milk_need, pudding_need]),
        hand_quantity=one([10.0, 10.0]),
        draw_site=one([0]),
        draw_item=one([item]),
        draw_day=one([0]),
        draw_quantity=one([10.0]),
    )


def test_recipes_take_the_oldest_lot_whatever_was_planned() -> None:
    problem = bakery()
    lasting = 0  # the lot of day 8 outlasts the horizon, so its item is the good itself
    middle = problem.items.index[0, 2]
    lots = name_lots(problem, cooked_from(problem, lasting, handed=middle))
    assert lots.lot_expires[lots.used.lot].tolist() == [2]
    milk = lots.lot_good[lots.handed.lot] == 0
    assert lots.handed.quantity[milk].tolist() == [10.0]
    assert (lots.lot_expires[lots.handed.lot[milk]] >= 3).all()


def test_what_is_handed_over_keeps_a_lot_that_lasts() -> None:
    problem = bakery()
    middle = problem.items.index[0, 2]
    lots = name_lots(problem, cooked_from(problem, middle, handed=0))
    milk = lots.lot_good[lots.handed.lot] == 0
    assert lots.lot_expires[lots.used.lot].tolist() == [2]
    assert lots.lot_expires[lots.handed.lot[milk]].tolist() == [8]


def shipping(pairs: list[tuple[int, int, float]], problem: Problem, flows: Flows) -> Flows:
    """Return flows that ship pudding between sites on day 2."""
    options = problem.options
    ways = [int(np.flatnonzero((options.start == a) & (options.end == b))[0]) for a, b, _ in pairs]
    return replace(
        flows,
        ship_option=np.array(ways),
        ship_item=np.ones(len(pairs), dtype=np.int64),
        ship_day=np.ones(len(pairs), dtype=np.int64),
        ship_quantity=np.array([quantity for _, _, quantity in pairs]),
    )


def test_goods_that_drive_in_a_circle_do_not_feed_themselves() -> None:
    problem = bakery()
    circle = shipping([(0, 1, 5.0), (1, 0, 5.0)], problem, cooked_from(problem, 0, handed=0))
    assert settle(problem, circle).ship_quantity.tolist() == [0.0, 0.0]


def test_what_leaves_is_cut_to_what_is_there() -> None:
    problem = bakery()
    flows = cooked_from(problem, 0, handed=0)
    settled = settle(problem, replace(flows, draw_quantity=np.array([4.0])))
    assert settled.made_batches.sum() == pytest.approx(4.0)
    pudding = problem.items.good[settled.hand_item] == 1
    assert settled.hand_quantity[pudding].sum() == pytest.approx(4.0)


def test_flows_that_hold_are_left_as_they_are() -> None:
    problem = bakery()
    flows = exact.solve(problem).flows
    settled = settle(problem, flows)
    assert settled.hand_quantity == pytest.approx(flows.hand_quantity, rel=1e-9)
    assert settled.made_batches == pytest.approx(flows.made_batches, rel=1e-9)
