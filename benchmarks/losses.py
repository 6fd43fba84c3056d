"""Measure what a loss costs to plan: cold, from the plan there was, and by a quick look; on losses drawn at random."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from abasto.network import Network
from abasto.planner import equilibrium
from abasto.planner.lose import lose
from abasto.planner.problem import Problem, build_problem
from abasto.planner.solution import Look
from abasto.planner.warm import Warm
from abasto.tables.target import Targets
from benchmarks.case import Case
from benchmarks.generate import generate
from benchmarks.memory import peak_mib

__all__ = ["measure"]

LOSSES = {"TINY": 5, "SMALL": 50, "MEDIUM": 50}
SURE = 1e-9


def measure(case: Case) -> dict[str, Any]:
    """Lose sites, fleets and plants one at a time; each is planned cold and warm, in turn, to the same gap."""
    network = generate(case.size, seed=case.seed, chain=case.chain, scarcity=case.scarcity)
    problem, targets = build_problem(network, fairness=case.fairness), Targets(network)
    equilibrium.prepare()
    begin = time.perf_counter()
    base = equilibrium.reckon(problem, gap=case.gap, deadline=time.monotonic() + case.limit, resumable=True)
    base_seconds = time.perf_counter() - begin
    assert base.warm is not None
    rows = [
        _measure_loss(case, lose(problem, kind, target, targets), base.warm) | {"loss": f"{kind} {target}"}
        for kind, target in draw_losses(network, LOSSES[case.size], case.seed)
    ]
    return {
        "seconds": base_seconds,
        "gap": base.gap,
        "losses": len(rows),
        "rows": rows,
        "cold_seconds": float(np.mean([row["cold"] for row in rows])),
        "warm_seconds": float(np.mean([row["warm"] for row in rows])),
        "look_seconds": float(np.mean([row["look"] for row in rows])),
        "not_reached": sum(row["warm_gap"] > case.gap for row in rows),
        "cold_not_reached": sum(row["cold_gap"] > case.gap for row in rows),
        "contradictions": sum(row["contradicts"] for row in rows),
        "memory_mib": peak_mib(),
    }


def draw_losses(network: Network, count: int, seed: int) -> list[tuple[str, str]]:
    """Return losses drawn from all sites, fleets and plants alike."""
    every = [("site", site.site) for site in network.sites]
    every += [("fleet", fleet.fleet) for fleet in network.fleets]
    every += [("plant", f"{plant.site}/{plant.recipe}") for plant in network.plants]
    chosen = np.random.default_rng(seed).choice(len(every), size=min(count, len(every)), replace=False)
    return [every[which] for which in chosen.tolist()]


def _measure_loss(case: Case, lost: Problem, warm: Warm) -> dict[str, Any]:
    look, look_seconds = _timed(lambda: equilibrium.look(lost, warm))
    resumed, warm_seconds = _timed(
        lambda: equilibrium.reckon(lost, gap=case.gap, deadline=time.monotonic() + case.limit, warm=warm)
    )
    cold, cold_seconds = _timed(lambda: equilibrium.reckon(lost, gap=case.gap, deadline=time.monotonic() + case.limit))
    brackets = (look, resumed, cold)
    highest, lowest = max(one.value for one in brackets), min(one.bound for one in brackets)
    return {
        "look": look_seconds,
        "warm": warm_seconds,
        "cold": cold_seconds,
        "look_gap": look.gap,
        "warm_gap": resumed.gap,
        "cold_gap": cold.gap,
        "contradicts": bool(highest > lowest * (1 + SURE)),
    }


def _timed(work: Callable[[], Look]) -> tuple[Look, float]:
    begin = time.perf_counter()
    found = work()
    return found, time.perf_counter() - begin
