"""A quick look at a loss: between what and what the best plan without some thing is worth, from an earlier plan.

At the prices of the earlier plan one sweep bounds every plan from above. From below: what the earlier plan does on ways
that are still open goes on, and whoever lost something takes up what is spare, on the ways that still have room.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from abasto.planner.equilibrate import top_up, worth_of
from abasto.planner.problem import Floats, Problem
from abasto.planner.search import (
    FILL_STEPS,
    Search,
    finite,
    keep_bound,
    need_price,
    repair,
    resume,
    resume_prices,
    scale_of,
    start_search,
)
from abasto.planner.solution import Look
from abasto.planner.sweep import sweep
from abasto.planner.warm import Warm, adopt_pool, changes, fits, needs_before, still_open
from abasto.planner.ways import add_ways

__all__ = ["look"]

SPARE = 1e-6
"""A resource with less than this share left counts as full."""
LOOKS_FOR_ROOM = 3
"""Sweeps in search of ways with room."""
BLOCKED = 1e100
"""The price of what is full: no way goes there."""


def look(problem: Problem, warm: Warm) -> Look:
    """Return bounds on the best objective of `problem`, a loss away from the problem that `warm` is of.

    ValueError where the two do not have the same sites, goods, lanes, fleets and plants.
    """
    search = start_search(problem)
    if not fits(warm, search.layout):
        raise ValueError("a look needs an earlier plan of the same sites, goods, lanes, fleets and plants")
    hit = np.zeros(len(search.filled), dtype=np.bool_)
    before, now = needs_before(warm, problem), changes(warm, search.layout)
    still_open(warm.pool, before, now, search.filled, search.load, hit)
    capacity = np.append(search.resources.capacity, np.inf)
    overloaded = bool((search.load > capacity * (1 + 1e-9)).any())
    overfilled = bool((search.filled > search.wants.amount * (1 + 1e-9)).any())
    if overloaded or overfilled:  # something shrank without being lost: all ways are needed to trim
        resume(search, problem, warm)
    else:
        resume_prices(search, problem, warm)
        search.pool = adopt_pool(warm, problem, search.layout, search.wants, search.actions, only=hit)
    price = _bound(search)
    if overloaded or overfilled:
        search.pool.flow[:] = repair(search)
    else:
        _serve(search, hit, capacity, price)
    scale = scale_of(problem)
    return Look(
        value=float(worth_of(search.wants, search.filled, search.tier)) * scale,
        bound=search.bound * scale,
        coverage=np.minimum(1.0, search.filled / search.wants.amount),
    )


def _bound(search: Search) -> Floats:
    """Bound every plan at the prices at hand; return the price of each need's cheapest way."""
    wants = search.wants
    y = np.append(np.exp(search.log_price), 0.0)
    sweep(search.layout, search.levels, y + search.toll, search.labels)
    price = need_price(search)
    search.bound = worth_of(wants, np.where(np.isfinite(price), wants.amount, 0.0), search.tier)
    keep_bound(search, y, price)
    return finite(price)


def _serve(search: Search, lost: npt.NDArray[np.bool_], capacity: Floats, price: Floats) -> None:
    """Serve whoever lost something with what is spare."""
    wants, pool = search.wants, search.pool
    for _ in range(LOOKS_FOR_ROOM):
        is_open = lost & (search.filled < wants.amount * (1 - SPARE))
        if not is_open.any():
            return
        y = np.where(search.load < capacity * (1 - SPARE), 0.0, BLOCKED)
        sweep(search.layout, search.levels, y + search.toll, search.labels)
        worth = np.where(is_open, np.inf, 0.0)
        pool, _ = add_ways(
            search.layout, wants, search.labels, pool, search.actions, y=y, worth=worth, toll=search.toll
        )
        before = search.filled.sum()
        order = np.flatnonzero(is_open)
        top_up(order, FILL_STEPS, wants, pool, pool.flow, search.filled, price, search.tier, search.load, capacity)
        if search.filled.sum() <= before * (1 + 1e-9):
            return
