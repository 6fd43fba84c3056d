"""What a plan is worth to a network's own people, whatever else stands in its tables."""

from __future__ import annotations

from collections.abc import Container

from abasto.network import Network
from abasto.planner.check.limits import Limits
from abasto.planner.plan import Plan
from abasto.planner.problem import TIERS, tier_values

__all__ = ["dearest", "value_at"]


def dearest(network: Network, fairness: float) -> dict[str, float]:
    """Return what the first tenth of the dearest need of each good is worth by unit, at least 1; of substitutes, food
    and inputs, what that is worth for which they are used.
    """
    limits = Limits(network, None)
    first = TIERS * float(tier_values(fairness)[0])
    worth: dict[str, float] = {}
    for (_, target), by_day in limits.needs.items():
        most = max(need.people * 10.0 ** (1.0 - need.priority) * first / need.needed for need in by_day.values())
        worth[target] = max(worth.get(target, 1.0), most)
    for good, contents in limits.contents.items():
        for nutrient, quantity in contents:
            worth[good] = max(worth.get(good, 1.0), worth.get(nutrient, 1.0) * quantity)
    for (good, substitute), quantity in limits.substitutes.items():
        worth[substitute] = max(worth.get(substitute, 1.0), worth.get(good, 1.0) / quantity)
    for _ in limits.recipes:  # as often as recipes can follow on each other
        for lines in limits.recipes.values():
            made = sum(quantity * worth.get(good, 1.0) for good, quantity in lines if quantity > 0)
            for good, quantity in lines:
                if quantity < 0:
                    worth[good] = max(worth.get(good, 1.0), made / -quantity)
    return {row.good: worth.get(row.good, 1.0) for row in network.goods}


def value_at(network: Network, plan: Plan, sites: Container[str], fairness: float) -> float:
    """Return the format's objective of a plan, summed over the needs at some of the sites only."""
    needs = Limits(network, None).needs
    values = tier_values(fairness).tolist()
    total = 0.0
    for row in plan.coverage.rows():
        if row["site"] in sites:
            need = needs[row["site"], row["need"]][row["day"]]
            total += need.people * 10.0 ** (1.0 - need.priority) * _value_of(row["coverage"], values)
    return total


def _value_of(coverage: float, values: list[float]) -> float:
    whole = min(TIERS, int(coverage * TIERS))
    part = values[whole] * (coverage * TIERS - whole) if whole < TIERS else 0.0
    return float(sum(values[:whole]) + part)
