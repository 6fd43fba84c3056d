"""What a plan is worth to a network's own people, whatever else stands in its tables."""

from __future__ import annotations

from collections.abc import Container

from abasto.network import Network
from abasto.planner.check.limits import Limits
from abasto.planner.plan import Plan
from abasto.planner.problem import TIERS, tier_values

__all__ = ["value_at"]


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
