"""Coverage as a heat table: one row per place and need, one cell per day, the worst rows first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from abasto.planner.plan import MET_TOLERANCE, Plan
from abasto.summary import need_name, people_at

__all__ = ["HeatRow", "HeatTable", "heat_table", "level"]

LEVELS = (0.25, 0.5, 0.75, 0.95)
"""Coverage below the first is level 0, the worst; at or above the last it is level 4, well served."""
MOST_CELLS = 240_000
"""More would make the page slow to open; the rows that are left out are the best served ones."""


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A need of a place: its mean coverage, what is missing, and coverage by day in permille (-1: not needed)."""

    site: str
    name: str
    people: float
    need: str
    need_name: str
    unit: str
    coverage: float
    unmet: float
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HeatTable:
    """Rows, worst first, and how many well-served rows were left out for size."""

    rows: tuple[HeatRow, ...]
    left_out: int


def level(coverage: float) -> int:
    """Return the level of coverage from 0 (worst) to 4 (well served).

    >>> [level(share) for share in (0.0, 0.25, 0.6, 0.94, 1.0)]
    [0, 1, 2, 3, 4]
    """
    return sum(coverage >= limit - 1e-9 for limit in LEVELS)


def heat_table(plan: Plan, *, most_cells: int = MOST_CELLS) -> HeatTable:
    """Return the plan's coverage by place, need and day, the least covered rows first, then the most populous."""
    table, days = plan.coverage, plan.network.days
    if not table.n_rows:
        return HeatTable((), 0)
    sites, site_of = _indexed(table["site"])
    needs, need_of = _indexed(table["need"])
    pairs, row_of = np.unique(site_of * len(needs) + need_of, return_inverse=True)
    coverage = np.asarray(table["coverage"], dtype=np.float64)
    missing = np.asarray(table["needed"], dtype=np.float64) - np.asarray(table["met"], dtype=np.float64)
    permille = np.full((len(pairs), days), -1, dtype=np.int64)
    # Rounded down, so that only what is met reads 100 %, but for the solvers' rounding.
    permille[row_of, np.asarray(table["day"], dtype=np.int64) - 1] = np.floor((coverage + MET_TOLERANCE) * 1000)
    mean = np.bincount(row_of, coverage) / np.bincount(row_of)
    unmet = np.bincount(row_of, np.maximum(missing, 0.0))

    known = {site.site: site for site in plan.network.sites}
    people = people_at(plan.network)
    units = {good.good: good.unit for good in plan.network.goods}
    names = {need: need_name(plan.network, need) for need in needs.tolist()}
    rows = []
    for index, pair in enumerate(pairs.tolist()):
        site, need = known[str(sites[pair // len(needs)])], str(needs[pair % len(needs)])
        rows.append(
            HeatRow(
                site=site.site,
                name=site.name or site.site,
                people=people[site.site],
                need=need,
                need_name=names[need],
                unit=units.get(need, ""),
                coverage=float(mean[index]),
                unmet=float(unmet[index]),
                days=tuple(permille[index].tolist()),
            )
        )
    rows.sort(key=lambda row: (round(row.coverage, 6), -row.people, row.site, row.need))
    kept = max(1, most_cells // days)
    return HeatTable(tuple(rows[:kept]), max(0, len(rows) - kept))


def _indexed(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.int64]]:
    names, index = np.unique(np.asarray(values, dtype=np.str_), return_inverse=True)
    return names, index.astype(np.int64)
