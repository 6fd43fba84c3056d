"""Measure a whole rehearsal: every site, fleet and plant lost in turn, in as many cold plans as it takes."""

from __future__ import annotations

import time
from typing import Any

from abasto.planner import equilibrium
from abasto.planner.problem import build_problem
from abasto.rehearse import rehearse
from benchmarks.case import Case
from benchmarks.generate import generate
from benchmarks.memory import peak_mib

__all__ = ["measure"]

WHAT = ("sites", "fleets", "plants")
JOBS = 2


def measure(case: Case) -> dict[str, Any]:
    """Plan the network cold to the case's gap, then rehearse it."""
    network = generate(case.size, seed=case.seed, chain=case.chain, scarcity=case.scarcity)
    problem = build_problem(network, fairness=case.fairness)
    equilibrium.prepare()
    begin = time.perf_counter()
    cold = equilibrium.reckon(problem, gap=case.gap, deadline=time.monotonic() + case.limit)
    cold_seconds = time.perf_counter() - begin
    begin = time.perf_counter()
    rehearsal = rehearse(network, what=WHAT, fairness=case.fairness, solver="equilibrium", gap=case.gap, jobs=JOBS)
    seconds = time.perf_counter() - begin
    return {
        "seconds": seconds,
        "cold_seconds": cold_seconds,
        "cold_gap": cold.gap,
        "cold_plans": seconds / cold_seconds,
        "losses": len(rehearsal.harms),
        "searches": rehearsal.searches,
        "complete": rehearsal.is_complete,
        "base_gap": rehearsal.bound / rehearsal.value - 1,
        "memory_mib": peak_mib(),
    }
