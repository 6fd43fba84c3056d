"""Check that coverage is what was handed over, and that every shortage has its row."""

from __future__ import annotations

import math
from typing import TypeAlias

from abasto.planner.check.amounts import ROUNDING, Report, Rows, differ, shown
from abasto.planner.check.limits import Limits

__all__ = [
    "MET_TOLERANCE",
    "Met",
    "Served",
    "check_coverage",
    "check_shortages",
    "met_by_goods",
    "met_by_need",
    "served_needs",
]

MET_TOLERANCE = 1e-4
"""A need of which at most this share is missing is met; the planner's own figure, written a second time."""

Met: TypeAlias = dict[tuple[str, str], dict[int, float]]
"""What was met of a need (site, good or nutrient), by day, in its own unit."""

Served: TypeAlias = list[tuple[float, float, float]]
"""Coverage, people and priority of every need and day."""


def met_by_goods(rows: Rows, limits: Limits) -> Met:
    """Return how much of each need was handed over as goods, a substitute counted in units of the good."""
    met: Met = {}
    for row in rows["deliveries"]:
        need, good = row["meets"], row["good"]
        if need:
            rate = 1.0 if need == good else limits.substitutes.get((need, good), math.inf)
            _add(met, (row["site"], need), row["day"], row["quantity"] / rate)
    return met


def met_by_need(rows: Rows, limits: Limits) -> Met:
    """Return how much of each need was met: goods as handed over for it, nutrients from all that was handed over."""
    met = met_by_goods(rows, limits)
    for row in rows["deliveries"]:
        for nutrient, content in limits.contents.get(row["good"], ()):
            _add(met, (row["site"], nutrient), row["day"], row["quantity"] * content)
    return met


def _add(met: Met, need: tuple[str, str], day: int, quantity: float) -> None:
    by_day = met.setdefault(need, {})
    by_day[day] = by_day.get(day, 0.0) + quantity


def check_coverage(rows: Rows, met: Met, limits: Limits, report: Report) -> None:
    """One row per need and day, with what was needed, what was met, its urgency, and met ÷ needed."""
    missing = {key: set(by_day) for key, by_day in limits.needs.items()}
    for row in rows["coverage"]:
        site, need, day = row["site"], row["need"], row["day"]
        wanted = limits.needs.get((site, need), {}).get(day)
        if wanted is None:
            report(f"coverage {site}, {need}, day {day}: nothing is needed")
            continue
        if day not in missing[site, need]:
            report(f"coverage {site}, {need}, day {day}: stands there twice")
        missing[site, need].discard(day)
        reached = met.get((site, need), {}).get(day, 0.0)
        for told, found, what in (
            (row["needed"], wanted.needed, "needed"),
            (row["met"], reached, "met"),
            (row["priority"], wanted.priority, "priority"),
        ):
            if differ(told, found):
                report(f"coverage {site}, {need}, day {day}: {what} says {shown(told)}, it is {shown(found)}")
        share = min(1.0, reached / wanted.needed)
        if abs(row["coverage"] - share) > ROUNDING:
            says = f"coverage says {shown(row['coverage'])}, deliveries give {shown(share)}"
            report(f"coverage {site}, {need}, day {day}: {says}")
    for (site, need), days in missing.items():
        for day in sorted(days):
            report(f"coverage {site}, {need}, day {day}: the row is missing")


def check_shortages(rows: Rows, met: Met, limits: Limits, report: Report) -> None:
    """Each run of days on which a need is not fully met stands in one row, with all that is missing in it."""
    short = _short_days(rows, met, limits)
    left = {key: set(days) for key, days in short.items()}
    for row in rows["shortages"]:
        key, start, end = (row["site"], row["need"]), row["from"], row["to"]
        where = f"shortages {key[0]}, {key[1]}, day {start} to {end}"
        days, run = short.get(key, set()), range(start, end + 1)
        if not run or not days.issuperset(run):
            report(f"{where}: not all of these days are short")
            continue
        if not left[key].issuperset(run) or {start - 1, end + 1} & days:
            report(f"{where}: its days are those of another row, or the run goes on")
        left[key].difference_update(run)
        missing = sum(max(0.0, limits.needs[key][day].needed - met.get(key, {}).get(day, 0.0)) for day in run)
        if differ(row["unmet"], missing):
            report(f"{where}: unmet says {shown(row['unmet'])}, {shown(missing)} is missing")
    for (site, need), days in left.items():
        for day in sorted(days):
            report(f"shortages {site}, {need}, day {day}: it is short and has no row")


def _short_days(rows: Rows, met: Met, limits: Limits) -> dict[tuple[str, str], set[int]]:
    """Return the days on which each need is short: by table coverage (judged apart), else by what is met."""
    short = {
        key: {
            day for day, wanted in by_day.items() if met.get(key, {}).get(day, 0.0) / wanted.needed < 1 - MET_TOLERANCE
        }
        for key, by_day in limits.needs.items()
    }
    for row in rows["coverage"]:
        key, day = (row["site"], row["need"]), row["day"]
        if day in limits.needs.get(key, ()):
            (short[key].add if row["coverage"] < 1 - MET_TOLERANCE else short[key].discard)(day)
    return short


def served_needs(met: Met, limits: Limits) -> Served:
    """Return (coverage, people, priority) of every need and day."""
    return [
        (min(1.0, met.get(key, {}).get(day, 0.0) / wanted.needed), wanted.people, wanted.priority)
        for key, by_day in limits.needs.items()
        for day, wanted in by_day.items()
    ]
