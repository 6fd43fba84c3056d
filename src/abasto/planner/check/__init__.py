"""The check of a plan: plain loops over both sets of tables, sharing nothing with the solvers.

Every rule of the format is computed a second time, lot by lot: what may be taken in, made, moved, kept and handed
over; every balance; coverage, shortages, the summary and the objective. Amounts may differ by 1e-6 of what has moved
through the balance or capacity in question, plus 1e-6 in its own unit; shares (coverage) by 1e-6; a need covered to
1 − 1e-6 is met.
"""

from __future__ import annotations

import math
from collections.abc import Container
from datetime import date
from typing import Any

from abasto.network import Network
from abasto.planner.check.amounts import NOISE, Report
from abasto.planner.check.balances import check_balances
from abasto.planner.check.capacities import check_capacities
from abasto.planner.check.coverage import check_coverage, check_shortages, met_by_need, served_needs
from abasto.planner.check.limits import Limits
from abasto.planner.check.summary import check_objective, check_summary
from abasto.planner.plan import PLAN_TABLES, Plan, PlanColumn, Table

__all__ = ["check_plan"]

LAST_DAY = 10**6
"""Shipments may arrive after the horizon, but not after this day."""


def check_plan(network: Network, plan: Plan, scenario: str | None = None) -> list[str]:
    """Return every rule of the format that a plan breaks, in words; an empty list if it keeps them all.

    `scenario` is the one the plan was made for: the plan's own if it is not given.
    """
    scenario = plan.scenario if scenario is None else scenario
    violations: list[str] = []
    report = violations.append
    if scenario is not None and scenario not in network.scenarios:
        report(f"scenario {scenario}: table disruptions does not know it")
    limits = Limits(network, scenario)
    rows = {table.name: _sound_rows(plan.table(table.name), table.name, limits, report) for table in PLAN_TABLES}
    check_capacities(rows, limits, report)
    check_balances(rows, limits, report)
    met = met_by_need(rows, limits)
    check_coverage(rows, met, limits, report)
    check_shortages(rows, met, limits, report)
    served = served_needs(met, limits)
    check_objective(plan, served, report)
    check_summary(plan, rows, served, limits, report)
    return violations


def _sound_rows(rows_of: Table, table: str, limits: Limits, report: Report) -> list[dict[str, Any]]:
    """Return the rows that can be judged; report the rest: unknown ids, days off the horizon, NaN, negative numbers."""
    columns = next(schema.columns for schema in PLAN_TABLES if schema.name == table)
    missing = [column.name for column in columns if column.name not in rows_of]
    if missing:
        report(f"{table}: column {', '.join(missing)} is missing")
        return []
    days = [column.name for column in columns if column.kind == "day"]
    dates = [column.name for column in columns if column.kind == "date"]
    known = _known_ids(limits)
    rows = []
    for number, row in enumerate(rows_of.rows(), start=1):
        faults = [fault for column in columns if (fault := _fault(column, row[column.name], known, limits.days))]
        if faults:
            report(f"{table} row {number}: {'; '.join(faults)}")
            continue
        for name in days:
            row[name] = int(row[name])
        for name in dates:
            row[name] = None if row[name] is None else limits.network.day_of(row[name])
        rows.append(row)
    return rows


def _fault(column: PlanColumn, value: Any, known: dict[str, Container[str]], days: int) -> str:
    """Return what is wrong with a cell in itself, in words; empty if nothing is."""
    if column.kind == "number":
        if not isinstance(value, (int, float)) or not -NOISE <= value < math.inf:
            return f"{column.name} is {value}; only finite numbers from 0 up are amounts"
    elif column.kind == "day":
        last = LAST_DAY if column.name == "arrives" else days
        if not isinstance(value, (int, float)) or not 1 <= value <= last or value != int(value):
            return f"{column.name} is {value}; the horizon is days 1 to {days}"
    elif column.kind == "date":
        if value is not None and not isinstance(value, date):
            return f"{column.name} is {value}, not a date"
    elif column.name in known and value not in known[column.name]:
        return f'{column.name} is "{value}", which the network does not know'
    return ""


def _known_ids(limits: Limits) -> dict[str, Container[str]]:
    """Return the ids that each text column may hold."""
    nutrients = {row.nutrient for row in limits.network.requirements}
    return {
        "site": limits.sites,
        "from": limits.sites,
        "to": limits.sites,
        "good": limits.goods,
        "fleet": limits.fleets,
        "recipe": limits.recipes,
        "meets": limits.goods.keys() | {""},
        "need": limits.goods.keys() | nutrients,
    }
