"""Coverage of each need of each site on the days of a plan that are not over, the least covered first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from abasto.report.heat import heat_table
from abasto.situation.types import CoverageRow
from abasto.situation.wants import Want

if TYPE_CHECKING:
    from abasto.planner.plan import Plan

__all__ = ["coverage_rows", "days_left", "from_today", "in_force"]


def days_left(plan: Plan, day: date) -> tuple[date, ...]:
    """Return the dates of a plan that are not over at the start of a day."""
    dates = (plan.network.date_of(number) for number in range(1, plan.network.days + 1))
    return tuple(one for one in dates if one >= day)


def in_force(plan: Plan | None, day: date) -> Plan | None:
    """Return a plan unless all its days are over: one that is says nothing of what falls short from now on."""
    return plan if plan is not None and days_left(plan, day) else None


def from_today(plan: Plan, day: date) -> Plan:
    """Return a plan with only the coverage of the days that are not over."""
    begun = (day - plan.network.start) // timedelta(days=1)
    return plan if begun <= 0 else replace(plan, coverage=plan.coverage.where(plan.coverage["day"] > begun))


def coverage_rows(plan: Plan, wanted: Mapping[tuple[str, str], Want], day: date) -> tuple[CoverageRow, ...]:
    """Return a row for each need of a site; `wanted` tells whom each is for."""
    left, days = from_today(plan, day), len(days_left(plan, day))
    if not days:
        return ()
    sums: dict[tuple[str, str], list[float]] = {}
    columns = (left.coverage[name].tolist() for name in ("site", "need", "priority", "needed", "met"))
    for site, need, priority, needed, met in zip(*columns, strict=True):
        row = sums.setdefault((site, need), [priority, 0.0, 0.0])
        row[0] = min(row[0], priority)
        row[1] += needed
        row[2] += met
    rows = []
    for one in heat_table(left, most_cells=len(sums) * plan.network.days).rows:
        priority, needed, met = sums[one.site, one.need]
        want = wanted.get((one.site, one.need))
        rows.append(
            CoverageRow(
                site=one.site,
                site_name=one.name,
                need=one.need,
                need_name=one.need_name,
                unit=one.unit,
                people=one.people if want is None else want.people,
                priority=priority,
                coverage=one.coverage,
                needed=needed,
                met=met,
                permille=one.days[-days:],
            )
        )
    return tuple(rows)
