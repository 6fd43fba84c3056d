"""Measure the equilibrium solver: time to each certified gap, peak memory, and the check of the plan it found."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

from abasto.planner import equilibrium
from abasto.planner.check import check_plan
from abasto.planner.make import finish_plan
from abasto.planner.problem import build_problem
from benchmarks.case import GAPS, Case
from benchmarks.generate import generate
from benchmarks.memory import peak_mib

__all__ = ["measure", "measure_compilation", "measure_first"]

CLOCK = (10, 30, 60, 120, 180)
"""Seconds at which the gap so far is recorded."""


def measure(case: Case) -> dict[str, Any]:
    """Plan the network and check the plan; compiled code is loaded by a solve of TINY that is not counted."""
    network = generate(case.size, seed=case.seed, chain=case.chain, scarcity=case.scarcity)
    problem = build_problem(network, fairness=case.fairness)
    _solve(replace(case, size="TINY", seed=0, limit=2.0))
    course: list[tuple[float, float]] = []
    begin = time.perf_counter()

    def note(stage: str, gap: float | None) -> None:
        if gap is not None:
            course.append((time.perf_counter() - begin, gap))

    solution = equilibrium.solve(
        problem, gap=case.gap, deadline=time.monotonic() + case.limit, progress=note, stop=None
    )
    seconds = time.perf_counter() - begin
    memory = peak_mib()
    plan = finish_plan(problem, solution, solver="equilibrium", begin=begin).plan
    tables = time.perf_counter() - begin - seconds
    violations = check_plan(network, plan)
    return {
        "status": solution.status,
        "seconds": seconds,
        "reached": {f"{gap:g}": next((at for at, so_far in course if so_far <= gap), None) for gap in GAPS},
        "gap_at": {f"{mark}": _gap_at(course, mark) for mark in CLOCK if mark < seconds},
        "gap": plan.gap,
        "gap_of_unmet": plan.gap_of_unmet,
        "objective": plan.objective,
        "bound": plan.bound,
        "needs": len(problem.needs.amount),
        "lanes": len(problem.lanes),
        "memory_mib": memory,
        "tables_seconds": tables,
        "check_seconds": time.perf_counter() - begin - seconds - tables,
        "memory_with_tables_mib": peak_mib(),
        "violations": len(violations),
        "first_violations": violations[:3],
    }


def _gap_at(course: list[tuple[float, float]], seconds: float) -> float | None:
    return min((gap for at, gap in course if at <= seconds), default=None)


def _solve(case: Case) -> float:
    """Return the seconds that a solve takes, without its network."""
    problem = build_problem(
        generate(case.size, seed=case.seed, chain=case.chain, scarcity=case.scarcity), fairness=case.fairness
    )
    begin = time.perf_counter()
    equilibrium.solve(problem, gap=case.gap, deadline=time.monotonic() + case.limit)
    return time.perf_counter() - begin


def measure_compilation(case: Case) -> dict[str, Any]:
    """Return the seconds of the first solve ever, of a process's first with compiled code at hand, and of its next."""
    with TemporaryDirectory() as cache:
        first, _ = _in_new_process(case, cache)
        loaded, next_one = _in_new_process(case, cache)
    return {"compiling_seconds": first, "loading_seconds": loaded, "seconds": next_one}


def _in_new_process(case: Case, cache: str) -> tuple[float, float]:
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.ours", case.size, str(case.seed)],
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = answer.stdout.split()
    return float(first), float(second)


def measure_first(size: str, seed: int) -> tuple[float, float]:
    """Return the seconds of this process's first and second solve."""
    case = Case("equilibrium", size, seed)
    return _solve(case), _solve(case)


if __name__ == "__main__":
    print(*measure_first(sys.argv[1], int(sys.argv[2])))
