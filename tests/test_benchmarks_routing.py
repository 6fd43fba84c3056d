"""The routing benchmark: an instance in VRPLIB's form is solved by our own call, and its cost added up once more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import pyvrp
from benchmarks.routing import cost_of, measure, problem_of

from abasto.routes.solver import solve

# Two stops a side of the depot, each pair a full load: there and back along both arms, 2 × (30 + 40) = 140.
INSTANCE = """NAME : cross
TYPE : CVRP
DIMENSION : 5
CAPACITY : 10
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 20 0
3 30 0
4 0 25
5 0 40
DEMAND_SECTION
1 0
2 5
3 5
4 5
5 5
DEPOT_SECTION
1
-1
EOF
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cross.vrp").write_text(INSTANCE, encoding="utf-8")
    (tmp_path / "cross.sol").write_text("Route #1: 1 2\nRoute #2: 3 4\nCost 140\n", encoding="utf-8")
    return tmp_path


def test_an_instance_is_solved_and_compared_with_the_best_known_cost(folder: Path) -> None:
    record = measure(folder, "cross", seconds=0.5)
    assert (record["cost"], record["best_known"], record["above_percent"], record["stops"]) == (140.0, 140.0, 0.0, 4)
    assert (record["windows"], record["vehicles"]) == (False, 1)


def test_tours_that_break_a_limit_have_no_cost(folder: Path) -> None:
    problem = problem_of(pyvrp.read(folder / "cross.vrp", round_func="round"))
    solved = solve(problem, iterations=200)
    assert cost_of(problem, solved) == solved.cost
    with pytest.raises(AssertionError):
        cost_of(problem, replace(solved, tours=solved.tours[:1]))
    narrow = replace(problem, vehicles=(replace(problem.vehicles[0], capacity=9),))
    with pytest.raises(AssertionError):
        cost_of(narrow, solved)
