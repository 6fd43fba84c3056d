"""Check that coverage is what was handed over, and that every shortage has its row."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TypeAlias

from abasto.planner.check.amounts import ROUNDING, Report, Rows, differ, shown
from abasto.planner.check.limits import Limits

__all__ = ["Met", "Served", "check_coverage", "check_shortages", "met_by_goods", "met_by_need", "served_needs"]

Met: TypeAlias = dict[tuple[str, str, int], float]
"""What was met of a need (site, good or nutrient, day), in its own unit."""

Served: TypeAlias = list[tuple[float, float, float]]
"""Coverage, people and priority of every need and day."""


def met_by_goods(rows: Rows, limits: Limits) -> Met:
    """Return how much of each need for a good was handed over, a substitute counted in units of the good."""
    met: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in rows["deliveries"]:
        need, good = row["meets"], row["good"]
        if need:
            rate = 1.0 if need == good else limits.substitutes.get((need, good), math.inf)
            met[row["site"], need, row["day"]] += row["quantity"] / rate
    return met


def met_by_need(rows: Rows, limits: Limits) -> Met:
    """Return how much of each need was met: goods as handed over for it, nutrients from all that was handed over."""
    met = met_by_goods(rows, limits)
    for row in rows["deliveries"]:
        for nutrient, content in limits.contents.get(row["good"], ()):
            met[row["site"], nutrient, row["day"]] += row["quantity"] * content
    return met


def check_coverage(rows: Rows, met: Met, limits: Limits, report: Report) -> None:
    """One row per need and day, with what was needed, what was met, its urgency, and met ÷ needed."""
    missing = {(site, need, day) for (site, need), by_day in limits.needs.items() for day in by_day}
    for row in rows["coverage"]:
        site, need, day = key = row["site"], row["need"], row["day"]
        where = f"coverage {site}, {need}, day {day}"
        wanted = limits.needs.get((site, need), {}).get(day)
        if wanted is None:
            report(f"{where}: nothing is needed")
            continue
        if key not in missing:
            report(f"{where}: stands there twice")
        missing.discard(key)
        share = min(1.0, met.get(key, 0.0) / wanted.needed)
        for told, found, what in (
            (row["needed"], wanted.needed, "needed"),
            (row["met"], met.get(key, 0.0), "met"),
            (row["priority"], wanted.priority, "priority"),
        ):
            if differ(told, found):
                report(f"{where}: {what} says {shown(told)}, it is {shown(found)}")
        if abs(row["coverage"] - share) > ROUNDING:
            report(f"{where}: coverage says {shown(row['coverage'])}, deliveries give {shown(share)}")
    for site, need, day in sorted(missing):
        report(f"coverage {site}, {need}, day {day}: the row is missing")


def check_shortages(rows: Rows, met: Met, limits: Limits, report: Report) -> None:
    """Each run of days on which a need is not fully met stands in one row, with all that is missing in it."""
    short: set[tuple[str, str, int]] = set()
    told = {(row["site"], row["need"], row["day"]): row["coverage"] for row in rows["coverage"]}
    for (site, need), by_day in limits.needs.items():
        for day, wanted in by_day.items():
            share = told.get((site, need, day), met.get((site, need, day), 0.0) / wanted.needed)
            if share < 1 - ROUNDING:
                short.add((site, need, day))
    left = set(short)
    for row in rows["shortages"]:
        site, need, start, end = row["site"], row["need"], row["from"], row["to"]
        where = f"shortages {site}, {need}, day {start} to {end}"
        run = [(site, need, day) for day in range(start, end + 1)]
        if not run or not short.issuperset(run):
            report(f"{where}: not all of these days are short")
            continue
        if not left.issuperset(run) or {(site, need, start - 1), (site, need, end + 1)} & short:
            report(f"{where}: its days are those of another row, or the run goes on")
        left.difference_update(run)
        missing = sum(max(0.0, limits.needs[site, need][key[2]].needed - met.get(key, 0.0)) for key in run)
        if differ(row["unmet"], missing):
            report(f"{where}: unmet says {shown(row['unmet'])}, {shown(missing)} is missing")
    for site, need, day in sorted(left):
        report(f"shortages {site}, {need}, day {day}: it is short and has no row")


def served_needs(met: Met, limits: Limits) -> Served:
    """Return (coverage, people, priority) of every need and day."""
    return [
        (min(1.0, met.get((site, need, day), 0.0) / wanted.needed), wanted.people, wanted.priority)
        for (site, need), by_day in limits.needs.items()
        for day, wanted in by_day.items()
    ]
