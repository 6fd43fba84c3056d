"""Check the objective, full value and bound of a plan, and that its summary sums up the other tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from abasto.planner.check.amounts import Report, Rows, differ, rounding, shown
from abasto.planner.check.coverage import Served
from abasto.planner.check.limits import Limits
from abasto.planner.plan import Plan

__all__ = ["check_objective", "check_summary"]

TIERS = 10
LOWEST_TIER = 0.2
"""Tiers below this coverage are worth the same: value = max(0.2, (k − ½) / 10) ^ −α."""


def _tier_values(fairness: float) -> list[float]:
    """Return what each tier of a need is worth to one person."""
    return [float(max(LOWEST_TIER, (tier - 0.5) / TIERS) ** -fairness) for tier in range(1, TIERS + 1)]


def _value_of(coverage: float, values: list[float]) -> float:
    """Return what a need's coverage is worth to one person: Σ over tiers of value × share of the tier that is met."""
    whole = min(TIERS, int(coverage * TIERS))
    part = values[whole] * (coverage * TIERS - whole) if whole < TIERS else 0.0
    return sum(values[:whole]) + part


def check_objective(plan: Plan, served: Served, report: Report) -> None:
    """The objective is that of the deliveries, full value that of full coverage, and the bound is not below it."""
    reached = full = 0.0
    values = _tier_values(plan.fairness)
    for coverage, people, priority in served:
        weight = people * 10.0 ** (1.0 - priority)
        reached += weight * _value_of(coverage, values)
        full += weight * sum(values)
    if differ(plan.objective, reached):
        report(f"objective: {shown(plan.objective)}, deliveries give {shown(reached)}")
    if differ(plan.full_value, full):
        report(f"full_value: {shown(plan.full_value)}, full coverage gives {shown(full)}")
    if not plan.bound >= plan.objective - rounding(plan.objective):
        report(f"bound: {shown(plan.bound)} is below the objective {shown(plan.objective)}")


def check_summary(plan: Plan, rows: Rows, served: Served, limits: Limits, report: Report) -> None:
    """The summary is one row of sums over the tables above."""
    told = list(plan.summary.rows())
    if len(told) != 1:
        report(f"summary: {len(told)} rows instead of one")
        return
    right = _summary(plan, rows, served, limits)
    for name in dict.fromkeys([*right, *told[0]]):
        if name not in told[0]:
            report(f"summary: column {name} is missing")
        elif name not in right:
            report(f"summary: column {name} is not in the format")
        elif isinstance(right[name], str):
            if told[0][name] != right[name]:
                report(f"summary: {name} says {told[0][name]}, it is {right[name]}")
        elif not isinstance(told[0][name], (int, float)) or differ(told[0][name], right[name]):
            report(f"summary: {name} says {told[0][name]}, it is {shown(right[name])}")


def _summary(plan: Plan, rows: Rows, served: Served, limits: Limits) -> dict[str, Any]:
    """Return what the summary must say."""
    row: dict[str, Any] = {"sites": len(limits.sites), "people": sum(site.people for site in limits.sites.values())}
    for priority in sorted({urgency for _, _, urgency in served}):
        row[f"needed_p{priority:g}"] = sum(people for _, people, urgency in served if urgency == priority)
        row[f"met_p{priority:g}"] = sum(share * people for share, people, urgency in served if urgency == priority)
    weight = sum(people for _, people, _ in served)
    shares = [(share, people) for share, people, _ in served]
    row["mean_coverage"] = sum(share * people for share, people in shares) / weight if weight else 1.0
    row["worst_5_percent_coverage"] = _worst_off(shares, 0.05 * weight)
    row["lowest_coverage"] = min((share for share, _ in shares), default=1.0)
    row["vehicle_hours"] = sum(line["vehicle_hours"] for line in rows["trips"])
    row["cost"] = _cost(rows, limits)
    row |= {"seconds": plan.seconds, "objective": plan.objective, "gap": plan.gap}
    row |= {"gap_of_unmet": plan.gap_of_unmet, "solver": plan.solver}
    return row


def _worst_off(shares: Iterable[tuple[float, float]], weight: float) -> float:
    """Return the mean coverage of the worst-off `weight` person-days; the last need counts with the part that fits."""
    total = left = weight
    worst = 0.0
    for share, people in sorted(shares):
        worst += share * min(people, left)
        left -= min(people, left)
    return worst / total if total else 1.0


def _cost(rows: Rows, limits: Limits) -> float:
    """Return the money the plan takes: what is taken in, and tonnes on lanes."""
    bought = sum(row["quantity"] * limits.buy_price(row["site"], row["good"]) for row in rows["intake"])
    moved = sum(
        row["quantity"] * limits.tonnes(row["good"]) * limits.lane_price(row["from"], row["to"])
        for row in rows["shipments"]
        if (row["from"], row["to"]) in limits.lanes
    )
    return float(bought + moved)
