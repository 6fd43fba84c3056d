"""What whole trips cost: who loses how much of which need, in weighted people-days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from abasto.planner.plan import Plan
from abasto.planner.problem import TIERS, Floats, Problem, weighted_people_days

__all__ = ["Loss", "losses"]

SEEN = 1e-6
"""Losses below this many weighted people-days are rounding."""


@dataclass(frozen=True)
class Loss:
    """What a site loses of a need over the horizon (gains, below 0): in its unit, and in weighted people-days."""

    site: str
    need: str
    quantity: float
    people_days: float


def losses(problem: Problem, before: Plan, after: Plan) -> tuple[Loss, ...]:
    """Return what each site loses or gains of each need from one plan to the other, the largest loss first."""
    needs, targets = problem.needs, (*problem.goods, *problem.nutrients)
    lost = needs.weight * ((_tiers(problem, before) - _tiers(problem, after)) @ problem.tier_value)
    missing = needs.amount * (_coverage(problem, before) - _coverage(problem, after))
    found: dict[tuple[int, int], list[float]] = {}
    for key, quantity, value in zip(
        zip(needs.site.tolist(), needs.target.tolist(), strict=True), missing.tolist(), lost.tolist(), strict=True
    ):
        total = found.setdefault(key, [0.0, 0.0])
        total[0] += quantity
        total[1] += weighted_people_days(value, problem.fairness)
    named = [Loss(problem.sites[site], targets[target], *total) for (site, target), total in found.items()]
    seen = [loss for loss in named if abs(loss.people_days) > SEEN]
    return tuple(sorted(seen, key=lambda loss: (-loss.people_days, loss.site, loss.need)))


def _coverage(problem: Problem, plan: Plan) -> Floats:
    """Return the coverage of each need of the problem."""
    needs, targets = problem.needs, (*problem.goods, *problem.nutrients)
    cells = (plan.coverage[name].tolist() for name in ("site", "need", "day", "coverage"))
    share = {(site, need, day): coverage for site, need, day, coverage in zip(*cells, strict=True)}
    keys = zip(needs.site.tolist(), needs.target.tolist(), needs.day.tolist(), strict=True)
    return np.array([share[problem.sites[site], targets[target], day + 1] for site, target, day in keys])


def _tiers(problem: Problem, plan: Plan) -> Floats:
    return np.clip(_coverage(problem, plan)[:, None] * TIERS - np.arange(TIERS), 0.0, 1.0)
