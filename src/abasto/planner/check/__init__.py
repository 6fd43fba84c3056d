"""The check of a plan: plain loops over both sets of tables, sharing nothing with the solvers.

Every rule of the format is computed a second time, lot by lot: what may be taken in, made, moved, kept and handed
over; every balance; coverage, shortages, the summary and the objective. Amounts may differ by 1e-6 of what has moved
through the balance or capacity in question, plus 1e-6 in its own unit; shares (coverage) by 1e-6; a need covered to
1 − 1e-4 is met.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from datetime import date
from typing import Any

from abasto.network import Network
from abasto.planner.check.amounts import NOISE, Report, SoundRows
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


def _sound_rows(rows_of: Table, table: str, limits: Limits, report: Report) -> SoundRows:
    """Return the rows that can be judged; report the rest: unknown ids, days off the horizon, NaN, negative numbers."""
    columns = next(schema.columns for schema in PLAN_TABLES if schema.name == table)
    missing = [column.name for column in columns if column.name not in rows_of]
    if missing:
        report(f"{table}: column {', '.join(missing)} is missing")
        return SoundRows({})
    known = _known_ids(limits)
    cells = {column.name: rows_of[column.name].tolist() for column in columns}
    faulty: set[int] = set()
    for column in columns:
        for row, fault in _faults(column, cells[column.name], known, limits.days):
            report(f"{table} row {row + 1}: {column.name} is {fault}")
            faulty.add(row)
    if faulty:
        cells = {name: [v for row, v in enumerate(values) if row not in faulty] for name, values in cells.items()}
    for column in columns:
        if column.kind == "day":
            cells[column.name] = [int(value) for value in cells[column.name]]
        elif column.kind == "date":
            day_of = {
                value: None if value is None else limits.network.day_of(value) for value in set(cells[column.name])
            }
            cells[column.name] = [day_of[value] for value in cells[column.name]]
    return SoundRows(cells)


def _faults(
    column: PlanColumn, values: list[Any], known: dict[str, Container[str]], days: int
) -> Iterator[tuple[int, str]]:
    """Yield the cells of a column that are wrong in themselves: row, value, and what it should be."""
    number = (int, float)
    if column.kind == "number":
        for row, value in enumerate(values):
            if not isinstance(value, number) or not -NOISE <= value < math.inf:
                yield row, f"{value}; only finite numbers from 0 up are amounts"
    elif column.kind == "day":
        last = LAST_DAY if column.name == "arrives" else days
        for row, value in enumerate(values):
            if not isinstance(value, number) or not 1 <= value <= last or value != int(value):
                yield row, f"{value}; the horizon is days 1 to {days}"
    elif column.kind == "date":
        for row, value in enumerate(values):
            if value is not None and not isinstance(value, date):
                yield row, f"{value}, not a date"
    elif column.name in known:
        ids = known[column.name]
        for row, value in enumerate(values):
            if value not in ids:
                yield row, f'"{value}", which the network does not know'


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
