"""Held orders that overfill a store: what brings goods there is cut, the latest first, until all fits.

What may be handed over at the site meanwhile, and what free trips may still take away, is given room for: only what
cannot go anywhere is in the way.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from abasto.planner.problem import Floats, Problem
from abasto.planner.residual import stored_t
from abasto.planner.settle import settle
from abasto.planner.solution import Flows

__all__ = ["within_stores"]

ROUNDS = 200
"""Most cuts; each deals with one store on one day."""
FULL = 1e-6
"""A store may be over its limit by this share, and by so many tonnes, of rounding."""


def within_stores(problem: Problem, held: Flows, *, today: int, open_day: int) -> Flows:
    """Return held flows of which no more stays in any store than fits, as far as cutting orders can do that."""
    limit = problem.storage_t[:, None] * (1 + FULL) + FULL
    relief = _relief(problem, today, open_day)
    stuck: set[tuple[int, int]] = set()
    for _ in range(ROUNDS):
        over = stored_t(problem, held) - relief - limit
        places = [(day, site) for site, day in zip(*np.nonzero(over > 0), strict=True) if (day, site) not in stuck]
        if not places:
            break
        day, site = min(places)
        before = held
        held = settle(problem, _with_less(problem, held, int(site), int(day), float(over[site, day] + 2 * FULL)))
        if all(
            (getattr(held, name) >= getattr(before, name)).all() for name in ("ship_quantity", "made_batches", "taken")
        ):
            stuck.add((day, site))
    return held


def _relief(problem: Problem, today: int, open_day: int) -> Floats:
    """Return the tonnes that may have left each store by the close of each day [sites, days]: all that is needed there
    from today on, and all that a free trip could take.
    """
    needs = problem.needs
    relief = np.zeros((len(problem.sites), problem.days))
    goods = np.flatnonzero((needs.target < len(problem.goods)) & (needs.day >= today))
    tonnes = needs.amount[goods] * problem.good_tonnes[needs.target[goods]]
    np.add.at(relief, (needs.site[goods], needs.day[goods]), tonnes)
    options = problem.options
    runs = (problem.lane_tonnes[options.lane] > 0) & (problem.fleet_hours[options.fleet] > 0)
    option, day = np.nonzero(runs)
    free = day >= open_day
    relief[options.start[option[free]], day[free]] = np.inf
    return np.cumsum(relief, axis=1)


def _with_less(problem: Problem, held: Flows, site: int, day: int, tonnes: float) -> Flows:
    """Return the flows with so many tonnes less that come to a site by a day, the latest orders first."""
    options, good_of = problem.options, problem.items.good
    ship, made = held.ship_quantity.copy(), held.made_batches.copy()
    arrives = held.ship_day + options.lead[held.ship_option]
    weight = problem.good_tonnes[good_of[held.ship_item]]
    coming = (options.end[held.ship_option] == site) & (arrives <= day) & (ship * weight > 0)
    batch = np.array([_gain(problem, recipe) for recipe in problem.plant_recipe])[held.made_plant]
    making = (problem.plant_site[held.made_plant] == site) & (held.made_day <= day) & (made * batch > 0)
    orders = [(int(held.ship_day[k]), 0, k) for k in np.flatnonzero(coming).tolist()]
    orders += [(int(held.made_day[k]), 1, k) for k in np.flatnonzero(making).tolist()]
    sources, taken = problem.sources, held.taken.copy()
    heavy = problem.good_tonnes[good_of[sources.item]]
    bringing = ~sources.is_stock & (sources.site == site) & (sources.day <= day) & (taken * heavy > 0)
    orders += [(int(sources.day[k]), 2, k) for k in np.flatnonzero(bringing).tolist()]
    for _, kind, k in sorted(orders, reverse=True):
        amount, per_unit = ((ship, weight), (made, batch), (taken, heavy))[kind]
        less = min(float(amount[k]), tonnes / float(per_unit[k]))
        amount[k] -= less
        tonnes -= less * float(per_unit[k])
        if tonnes <= 0:
            break
    return replace(held, taken=taken, ship_quantity=ship, made_batches=made)


def _gain(problem: Problem, recipe: int) -> float:
    """Return how many tonnes more lie at a site after a batch than before; 0 where it is less."""
    inputs, outputs = problem.recipes[recipe]
    made = sum(problem.good_tonnes[good] * quantity for good, quantity in outputs)
    used = sum(problem.good_tonnes[good] * quantity for good, quantity in inputs)
    return max(0.0, float(made - used))
