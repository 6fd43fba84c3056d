"""read_plan: the folder that a plan was written in → Plan, so that an earlier plan can be compared or carried on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from abasto.errors import Finding, InputError
from abasto.network import Network
from abasto.planner.plan import PLAN_TABLES, Plan, PlanColumn, PlanTable, Table
from abasto.planner.problem import TIERS, Floats, Problem, build_problem, tier_values
from abasto.tables.raw import RawTable
from abasto.tables.read_plan import PlanColumns, placed, raw_plan, read_plan_table

__all__ = ["SUMMARY_COLUMNS", "fairness_told", "read_plan"]

SUMMARY_COLUMNS = (
    PlanColumn("sites", "number", "how many sites the network has", "sites"),
    PlanColumn("people", "number", "how many people they serve", "people"),
    PlanColumn("mean_coverage", "number", "coverage of all needs, weighted by people"),
    PlanColumn("worst_5_percent_coverage", "number", "mean coverage of the worst-off 5 % of person-days"),
    PlanColumn("lowest_coverage", "number", "the lowest coverage of a need on a day"),
    PlanColumn("vehicle_hours", "number", "hours that all trips take", "hours"),
    PlanColumn("cost", "number", "money, where table costs is given"),
    PlanColumn("seconds", "number", "how long planning took", "seconds"),
    PlanColumn("objective", "number", "what the plan is worth"),
    PlanColumn("gap", "number", "how far it is at most below the best possible, as a share of the objective"),
    PlanColumn("gap_of_unmet", "number", "the same difference as a share of what is still missing"),
    PlanColumn("solver", "text", "which solver planned"),
)
"""The columns of table `summary` that every plan has; `needed_p…` and `met_p…` of each priority stand among them."""

BY_PRIORITY = re.compile(r"(needed|met)_p\d+(\.\d+)?(e[+-]?\d+)?")
MOST_FAIRNESS = 50.0
"""The largest that is planned with."""
AGREEMENT = 1e-6
"""An objective counts as told by the coverage if they differ by at most this share: files carry 15 digits, and what is
recomputed from them rounds."""
KEY = ("site", "need", "day")
"""The columns that tell one need of table `coverage` from another."""


def read_plan(folder: str | PathLike[str], network: Network, *, fairness: float | None = 4.0) -> Plan:
    """Return the plan that was written to `folder` for `network`; an InputError lists everything that is wrong.

    The folder does not say with which fairness and for which scenario it was planned: `fairness` None finds the one
    with which the coverage is worth the objective in the summary, and `scenario` is None. The bound is that of the
    gap in the summary. Whether the plan keeps the network's capacities is not asked; `check_plan` tells.
    """
    folder = Path(folder)
    names = [schema.name for schema in PLAN_TABLES] + ["summary"]
    raw = raw_plan(folder, names)
    read = {name: read_plan_table(_known_gaps(table), _schema(table), network) for name, table in raw.tables.items()}
    findings = [*raw.findings, *(finding for table in read.values() for finding in table.findings)]
    if not findings:
        findings = [*_not_one_row(read["summary"]), *_doubled(read["coverage"])]
    if findings:
        raise InputError(placed(findings, folder))
    tables = {name: Table(read[name].columns) for name in names}
    tables["summary"] = _typed_summary(raw.tables["summary"], read["summary"].columns)
    return _plan(folder, network, tables, fairness)


def _schema(raw: RawTable) -> PlanTable:
    """Return the schema of a table of a plan; of the summary with the priorities that its header names."""
    if raw.table != "summary":
        return next(schema for schema in PLAN_TABLES if schema.name == raw.table)
    found = [str(cell).strip() for cell in raw.header if BY_PRIORITY.fullmatch(str(cell).strip())]
    by_priority = (PlanColumn(name, "number", "people-days of need", "people-days") for name in dict.fromkeys(found))
    return PlanTable("summary", "What the plan comes to.", (*SUMMARY_COLUMNS, *by_priority))


def _known_gaps(raw: RawTable) -> RawTable:
    """Return the summary with blanks for gaps that are infinite: they are not known, and no number of a table."""
    if raw.table != "summary":
        return raw
    return replace(raw, rows=[(line, ["" if cell == "inf" else cell for cell in cells]) for line, cells in raw.rows])


def _not_one_row(summary: PlanColumns) -> list[Finding]:
    number = len(summary.lines)
    message, remedy = f"the summary has {number} rows instead of one", "write the plan again"
    return [] if number == 1 else [Finding("summary", 0, "", "", message, remedy, file="summary.csv")]


def _doubled(coverage: PlanColumns) -> list[Finding]:
    """Return a finding for each need that has a row already: it would count twice."""
    first: dict[tuple[Any, ...], int] = {}
    found = []
    keys = zip(*(coverage.columns[name].tolist() for name in KEY), strict=True)
    for key, line in zip(keys, coverage.lines, strict=True):
        if first.setdefault(key, line) != line:
            where, message = " / ".join(map(str, key)), f"row {first[key]} is the same site, need and day"
            found.append(Finding("coverage", line, "", where, message, "keep one of the two rows", file="coverage.csv"))
    return found


def _typed_summary(raw: RawTable, columns: Mapping[str, Any]) -> Table:
    """Return the summary in the order of its file, sites counted in whole numbers and unknown gaps as inf."""
    order = [name for cell in raw.header if (name := str(cell).strip()) in columns]
    typed = {name: columns[name] for name in order}
    typed["sites"] = typed["sites"].astype(np.int64)
    for name in ("gap", "gap_of_unmet"):
        typed[name] = np.where(np.isnan(typed[name]), np.inf, typed[name])
    return Table(typed)


def _plan(folder: Path, network: Network, tables: Mapping[str, Table], fairness: float | None) -> Plan:
    row = next(tables["summary"].rows())
    problem = build_problem(network)
    if fairness is None:
        told = fairness_told(problem, tables["coverage"], row["objective"])
        if isinstance(told, Finding):
            raise InputError(placed([told], folder))
        fairness = told
    full_value = float(problem.needs.weight.sum() * tier_values(fairness).sum())
    if np.isfinite(row["gap"]):
        bound = row["objective"] * (1 + row["gap"])
    elif np.isfinite(row["gap_of_unmet"]):
        bound = row["objective"] + row["gap_of_unmet"] * (full_value - row["objective"])
    else:
        bound = full_value
    return Plan(
        network=network,
        scenario=None,
        fairness=fairness,
        solver=row["solver"],
        status="planned",
        objective=row["objective"],
        bound=bound,
        full_value=full_value,
        seconds=row["seconds"],
        **tables,
    )


def fairness_told(problem: Problem, coverage: Table, objective: float) -> float | Finding:
    """Return the fairness with which `coverage` is worth `objective`, to a thousandth; 4 where any would do.

    Where there is none, or the network needs something else than the plan covers, the finding says so.
    """
    share = _share_of_needs(problem, coverage)
    if share is None:
        message = "the needs are not those of the network"
        remedy = "give the network that was planned, as it was then, or name the fairness"
        return Finding("coverage", 0, "", "", message, remedy, file="coverage.csv")
    tiers = np.clip(share[:, None] * TIERS - np.arange(TIERS), 0.0, 1.0)
    by_tier = problem.needs.weight @ tiers  # what is met of every tier, in people × urgency

    def worth(fairness: float) -> float:
        return float((by_tier * tier_values(fairness)).sum())

    # Every tier is worth more with a larger fairness, so halving finds it.
    least, most = 0.0, MOST_FAIRNESS
    if by_tier.sum() == 0 and objective == 0:
        return 4.0
    for _ in range(60):
        middle = (least + most) / 2
        least, most = (middle, most) if worth(middle) < objective else (least, middle)
    found: float = round(most, 3)
    if abs(worth(found) - objective) <= AGREEMENT * objective:
        return found
    message = "the coverage in this folder is worth this with no fairness from 0 to 50, to a thousandth"
    remedy = "give the network that was planned, as it was then, or name the fairness"
    return Finding("summary", 0, "objective", f"{objective:.12g}", message, remedy, file="summary.csv")


def _share_of_needs(problem: Problem, coverage: Table) -> Floats | None:
    """Return the coverage of each need of the problem; None where the table has other needs or amounts."""
    needs, targets = problem.needs, (*problem.goods, *problem.nutrients)
    row_of = {key: row for row, key in enumerate(zip(*(coverage[name].tolist() for name in KEY), strict=True))}
    keys = [
        (problem.sites[site], targets[target], day + 1)
        for site, target, day in zip(needs.site.tolist(), needs.target.tolist(), needs.day.tolist(), strict=True)
    ]
    if set(keys) != set(row_of):
        return None
    rows = np.array([row_of[key] for key in keys], dtype=np.int64)
    if not np.allclose(coverage["needed"][rows], needs.amount, rtol=AGREEMENT, atol=0.0):
        return None
    return np.asarray(coverage["coverage"][rows], dtype=np.float64)
