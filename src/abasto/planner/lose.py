"""A problem without some thing: a site, lane, fleet, plant or supply lost for the whole horizon, as array edits.

The same as building the problem anew with a disruption that leaves nothing, and much faster.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt

from abasto.planner.problem import Problem, Sources
from abasto.tables.target import Targets

__all__ = ["lose"]


def lose(problem: Problem, kind: str, target: str, targets: Targets) -> Problem:
    """Return the problem without everything that `target` of `kind` (as in table disruptions) means.

    Stock on hand stays where it is. `targets` is of the problem's network.
    """
    lost = set(targets.resolve(kind, target))
    site = _mask(kind == "site" and name in lost for name in problem.sites)
    ends = np.array(problem.lanes, dtype=np.int64).reshape(-1, 2)
    lane = site[ends[:, 0]] | site[ends[:, 1]]
    plant, source = site[problem.plant_site], site[problem.sources.site]
    fleet = _mask(kind == "fleet" and name in lost for name in problem.fleets)
    if kind == "site":
        fleet |= _mask(row.site in lost for row in problem.network.fleets)
    if kind == "lane":
        lane |= _mask((problem.sites[start], problem.sites[end]) in lost for start, end in problem.lanes)
    if kind == "plant":
        pairs = zip(problem.plant_site.tolist(), problem.plant_recipe.tolist(), strict=True)
        plant |= _mask((problem.sites[place], problem.recipe_ids[recipe]) in lost for place, recipe in pairs)
    if kind == "supply":
        good = problem.items.good[problem.sources.item]
        pairs = zip(problem.sources.site.tolist(), good.tolist(), strict=True)
        source |= _mask((problem.sites[place], problem.goods[what]) in lost for place, what in pairs)
    left = ~source | problem.sources.is_stock
    return replace(
        problem,
        sources=Sources(*(getattr(problem.sources, column.name)[left] for column in fields(Sources))),
        lane_tonnes=np.where(lane[:, None], 0.0, problem.lane_tonnes),
        fleet_hours=np.where(fleet[:, None], 0.0, problem.fleet_hours),
        plant_batches=np.where(plant[:, None], 0.0, problem.plant_batches),
    )


def _mask(holds: Iterable[bool]) -> npt.NDArray[np.bool_]:
    return np.fromiter(holds, dtype=np.bool_)
