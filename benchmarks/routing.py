"""Published routing instances solved through the call that plans our own routes, beside their best-known costs.

    uv run python -m benchmarks.routing FOLDER [--seconds 60]

FOLDER has instances in VRPLIB's form with a solution file beside each, as PyVRP's collection has them; they are no part
of this repository. PyVRP reads the files; `abasto.routes.solver.solve` finds the tours, and what they cost is added up
here once more, visit by visit. Prints JSON; `docs/benchmarks.md` has a run of it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyvrp

from abasto.routes.problem import ANY_TIME, Job, Problem, Solved, Vehicles, Ways, Window
from abasto.routes.solver import solve

ROUNDING = {"C1_10_1": "dimacs", "X115-HVRP": "exact", "PR01": "exact"}
"""How distances of an instance are rounded, where it is not to whole numbers."""
SCALE = {"C1_10_1": 10, "X115-HVRP": 100_000, "PR01": 1}
"""How many of our units are one of the best-known cost's; the fleet's own costs are in hundredths besides."""
INSTANCES = ("X-n110-k13", "X-n200-k36", "C1_10_1", "X115-HVRP", "PR01")


def problem_of(data: pyvrp.ProblemData) -> Problem:
    """Return one of PyVRP's problems with one depot as one of ours."""
    ways = tuple(
        Ways(np.asarray(data.distance_matrix(n)), np.asarray(data.duration_matrix(n))) for n in range(data.num_profiles)
    )
    depot = data.depots()[0]
    jobs = tuple(
        Job(
            place=client.location,
            delivery=client.delivery[0] if client.delivery else 0,
            pickup=client.pickup[0] if client.pickup else 0,
            seconds=client.service_duration,
            window=_window(client.tw_early, client.tw_late),
        )
        for client in data.clients()
    )
    vehicles = tuple(
        Vehicles(
            base=depot.location,
            count=kind.num_available,
            capacity=kind.capacity[0],
            window=_window(kind.tw_early, kind.tw_late),
            work_seconds=min(kind.shift_duration, ANY_TIME.last),
            fixed_cost=kind.fixed_cost,
            metre_cost=kind.unit_distance_cost,
            ways=kind.profile,
        )
        for kind in data.vehicle_types()
    )
    return Problem(ways, vehicles, jobs)


def _window(first: int, last: int) -> Window:
    return Window(first, min(last, ANY_TIME.last))


def cost_of(problem: Problem, solved: Solved) -> int:
    """Return what tours cost, added up from the matrices; raises `AssertionError` if they are not allowed."""
    total, served = 0, []
    for tour in solved.tours:
        kind = problem.vehicles[tour.kind]
        ways = problem.ways[kind.ways]
        jobs = [problem.jobs[visit.index] for visit in tour.visits if visit.kind == "job"]
        served += [visit.index for visit in tour.visits if visit.kind == "job"]
        assert sum(job.delivery for job in jobs) <= kind.capacity
        now, at = max(kind.window.first, 0), kind.base
        for job in jobs:
            now = max(now + int(ways.seconds[at, job.place]), job.window.first)
            assert now <= job.window.last
            now += job.seconds
            total += int(ways.metres[at, job.place]) * kind.metre_cost
            at = job.place
        total += int(ways.metres[at, kind.base]) * kind.metre_cost + kind.fixed_cost
        assert now + int(ways.seconds[at, kind.base]) <= kind.window.last
    assert sorted(served) == list(range(len(problem.jobs)))
    return total


def measure(folder: Path, name: str, *, seconds: float) -> dict[str, Any]:
    """Solve an instance and return how far its tours are above the best that is known."""
    rounding = ROUNDING.get(name, "round")
    problem = problem_of(pyvrp.read(folder / f"{name}.vrp", round_func=rounding))
    found = re.search(r"Cost\s*:?\s*([\d.]+)", (folder / f"{name}.sol").read_text(encoding="utf-8"))
    assert found is not None
    solved = solve(problem, seconds=seconds)
    cost = cost_of(problem, solved) / SCALE.get(name, 1)
    best = float(found[1])
    return {
        "instance": name,
        "stops": len(problem.jobs),
        "windows": any(job.window != problem.jobs[0].window for job in problem.jobs),
        "vehicles": len({(kind.capacity, kind.ways) for kind in problem.vehicles}),
        "seconds": seconds,
        "iterations": solved.iterations,
        "cost": cost,
        "best_known": best,
        "above_percent": round(100 * (cost / best - 1), 2),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--instances", nargs="*", default=INSTANCES)
    given = parser.parse_args()
    records = [measure(given.folder, name, seconds=given.seconds) for name in given.instances]
    print(json.dumps(records, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
