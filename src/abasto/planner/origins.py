"""From where a need is met: the stocks and supplies that its deliveries go back to, the plants and fleets between."""

from __future__ import annotations

import numpy as np

from abasto.planner.causes import Origin
from abasto.planner.lots import LotFlows
from abasto.planner.problem import Floats, Ints, Problem
from abasto.planner.reasons import named
from abasto.planner.trace import Trace
from abasto.planner.walk import Key

__all__ = ["origins"]

SMALL = 0.01
"""What gives less than this share of the most that any gives of the same good is left out."""


def origins(problem: Problem, lots: LotFlows, trace: Trace, needs: Ints) -> tuple[Origin, ...]:
    """Return where what was handed over for some needs came from, the greatest first of each kind."""
    handed, first = lots.handed, int(needs[0])
    mine = np.isin(handed.need, needs)
    if problem.needs.target[first] >= len(problem.goods):  # all that is eaten there feeds
        days = np.isin(handed.day, problem.needs.day[needs])
        mine = (handed.what == problem.needs.site[first]) & days
        content = problem.content[problem.needs.target[first] - len(problem.goods)]
        mine &= content[lots.lot_good[handed.lot]] > 0
    if not mine.any():
        return ()
    back = trace.before(np.where(mine, handed.quantity, 0.0))
    total: dict[tuple[Key, int], float] = {}

    def add(kind: str, what: Ints, where: Ints, good: Ints, quantity: Floats) -> None:
        some = np.flatnonzero(quantity > 0)
        columns = (column[some].tolist() for column in (what, where, good, quantity))
        for one, place, which, amount in zip(*columns, strict=True):
            key: Key = (kind, one, place)
            total[key, which] = total.get((key, which), 0.0) + amount

    sources, options = problem.sources, problem.options
    for kind, moved, quantity in (("stock", lots.stock, back.stock), ("supply", lots.intake, back.intake)):
        good = lots.lot_good[moved.lot]
        add(kind, good, sources.site[moved.what], good, quantity)
    fleet = options.fleet[lots.shipped.what]
    add("fleet", fleet, fleet, lots.lot_good[lots.shipped.lot], back.shipped)
    makes = np.array([outputs[0][0] if outputs else -1 for _, outputs in problem.recipes], dtype=np.int64)
    gives = np.array([outputs[0][1] if outputs else 0.0 for _, outputs in problem.recipes])
    recipe = problem.plant_recipe[lots.made_plant]
    if len(recipe):
        plant = lots.made_plant
        add("plant", plant, problem.plant_site[plant], makes[recipe], back.batches * gives[recipe])
    return _named(problem, total)


def _named(problem: Problem, total: dict[tuple[Key, int], float]) -> tuple[Origin, ...]:
    most: dict[tuple[str, int], float] = {}
    for (key, good), amount in total.items():
        most[key[0], good] = max(most.get((key[0], good), 0.0), amount)
    kinds = ["stock", "supply", "plant", "fleet"]
    some = [(key, good, amount) for (key, good), amount in total.items() if amount >= SMALL * most[key[0], good]]
    some.sort(key=lambda one: (kinds.index(one[0][0]), one[1], -one[2]))
    return tuple(
        Origin(named(problem, key), problem.goods[good], problem.network.goods[good].unit, amount)
        for key, good, amount in some
    )
