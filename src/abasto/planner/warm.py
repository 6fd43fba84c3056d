"""Warm starts: the ways, flows and prices with which a search ended, carried over to a problem that has changed.

The problems must have the same sites, goods, items, lanes, fleets and plants; capacities, sources and needs may differ.
Ways through what is shut now are dropped; a price belongs to what it prices, under whatever number that goes by now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from abasto.planner.layout import OPEN, SHUT, Index, Layout
from abasto.planner.problem import Floats, Ints, Problem
from abasto.planner.ways import Actions, Pool, Wants, empty_pool

__all__ = ["Warm", "adopt_pool", "adopt_prices", "changes", "fits", "keep", "needs_before", "still_open"]

TABLES = ("stock", "offer", "gate", "fleet", "lane", "plant", "labour", "room")
"""The index tables of a layout; together they name every resource."""
SHAPE = ("item_good", "item_first", "item_last", "fresh", "lane_start", "lane_end", "lane_lead", "option_fleet")
SHAPE_OF_PLANTS = ("plant_site", "maker", "input_good", "input_start")


@dataclass(frozen=True)
class Warm:
    """What a search knew when it ended: its layout and needs, its prices [resources] in the objective's units, and its
    ways with the flows of a plan that keeps all capacities. It can be pickled.
    """

    layout: Layout
    actions: Actions
    need: Ints
    price: Floats
    pool: Pool


def keep(problem: Problem, layout: Layout, actions: Actions, price: Floats, pool: Pool) -> Warm:
    """Return what a later search may start from; of the ways, those in use."""
    need = np.repeat(np.arange(len(pool.first) - 1), np.diff(pool.first))
    used = np.flatnonzero((pool.flow > 0) & (pool.length > 0))
    length = pool.length[used]
    start = np.concatenate(([0], np.cumsum(length, dtype=np.int64)))
    entry = np.arange(start[-1]) + np.repeat(pool.start[used] - start[:-1], length)
    by_slot = ("length", "mark", "flow", "cost", "idle", "item", "units")
    by_entry = ("resource", "load", "action", "quantity")
    small = pool._replace(
        first=np.searchsorted(need[used], np.arange(len(pool.first))),
        cramped=np.zeros(0, dtype=np.bool_),
        start=start[:-1],
        used=np.zeros(0, dtype=np.int64),
        limit=np.zeros(0, dtype=np.int64),
        **{name: getattr(pool, name)[used] for name in by_slot},
        **{name: getattr(pool, name)[entry] for name in by_entry},
    )
    return Warm(layout, actions, _need_keys(problem), price, small)


def fits(warm: Warm, layout: Layout) -> bool:
    """Return whether the sites, goods, items, lanes, fleets and plants are those of the earlier search."""
    old = warm.layout
    return (
        (old.n_sites, old.n_days) == (layout.n_sites, layout.n_days)
        and all(getattr(old, name).shape == getattr(layout, name).shape for name in TABLES)
        and all(np.array_equal(getattr(old, name), getattr(layout, name)) for name in SHAPE + SHAPE_OF_PLANTS)
        and not any(_newly_limited(old, layout, name).any() for name in TABLES)
    )


def _newly_limited(old: Layout, new: Layout, name: str) -> npt.NDArray[np.bool_]:
    """Return where a table had no limit and has one now, which earlier ways do not know; a closed lane they do."""
    before, after = getattr(old, name), getattr(new, name)
    limited = after != OPEN if name != "lane" else after >= 0
    return np.asarray((before == OPEN) & limited)


def _need_keys(problem: Problem) -> Ints:
    """Return a number for each need that tells its site, target and day."""
    needs, targets = problem.needs, len(problem.goods) + len(problem.nutrients)
    return (needs.site * targets + needs.target) * problem.days + needs.day


def adopt_prices(warm: Warm, layout: Layout, otherwise: Floats) -> Floats:
    """Return the earlier price of every resource of the new layout, or what stands in `otherwise` [resources]."""
    price = otherwise.copy()
    for name in TABLES:
        old, new = getattr(warm.layout, name), getattr(layout, name)
        both = (old >= 0) & (new >= 0)
        price[new[both]] = warm.price[old[both]]
    return price


def adopt_pool(
    warm: Warm,
    problem: Problem,
    layout: Layout,
    wants: Wants,
    actions: Actions,
    *,
    only: npt.NDArray[np.bool_] | None = None,
) -> Pool:
    """Return a pool with the earlier ways and flows of every need that is still there, as far as they are still open.

    Flows are as they were: where capacities fell they overload them until they are trimmed. `only` [needs] leaves the
    other needs without ways and without room for any.
    """
    before = needs_before(warm, problem)
    size = np.where(before >= 0, warm.pool.first[before + 1] - warm.pool.first[before], 0)
    slots = np.maximum(4, size + 2)
    if only is not None:
        before, slots = np.where(only, before, -1), np.where(only, slots, 0)
    ends = np.append(warm.pool.start, len(warm.pool.resource))[warm.pool.first]
    entries = int((ends[before + 1] - ends[before])[before >= 0].sum())
    pool = _with_slots(empty_pool(wants, actions), slots, entries)
    _copy_ways(warm.pool, pool, before, changes(warm, layout), warm.actions.taken, actions.taken)
    return pool


class Now(NamedTuple):
    """What has become of the earlier resources and lanes: `number` [earlier resources] is the new number, SHUT where it
    is gone; `closed` [options, days] says where nothing can be shipped, which lanes without limit and goods without
    weight have no resource to tell by; `day` [rows] tells a row's day.
    """

    number: Index
    closed: npt.NDArray[np.bool_]
    day: Index
    batches: int


def changes(warm: Warm, layout: Layout) -> Now:
    """Return what has become of everything that the earlier ways go through."""
    number = np.full(warm.layout.nothing + 1, SHUT, dtype=np.int32)
    number[warm.layout.nothing] = layout.nothing
    for name in TABLES:
        old, new = getattr(warm.layout, name), getattr(layout, name)
        there = old >= 0
        number[old[there]] = np.where(new[there] == OPEN, layout.nothing, new[there])
    lane = np.repeat(np.arange(len(layout.lane_start)), np.diff(layout.option_start))
    closed = (layout.lane[lane] == SHUT) | (layout.fleet[layout.option_fleet] == SHUT)
    window = layout.item_last - layout.item_first + 1
    day = np.arange(len(layout.offer)) - np.repeat(layout.row, window)
    return Now(number, closed, day.astype(np.int32), warm.actions.batches)


@njit(cache=True, nogil=True)
def _is_open(pool, slot, now):  # type: ignore[no-untyped-def]
    """Return whether a way can still be gone."""
    rows = len(now.day)
    for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
        if now.number[pool.resource[entry]] < 0:
            return False
        action = pool.action[entry]
        if 0 <= action < now.batches and now.closed[action // rows, now.day[action % rows]]:
            return False
    return True


def needs_before(warm: Warm, problem: Problem) -> Ints:
    """Return for every need which of the earlier search's it is; -1 for a new one."""
    keys = _need_keys(problem)
    place = np.minimum(np.searchsorted(warm.need, keys), len(warm.need) - 1)
    return np.where(warm.need[place] == keys, place, -1)


@njit(cache=True, nogil=True)
def still_open(pool, before, now, filled, load, hit):  # type: ignore[no-untyped-def]
    """Add up in `filled` [needs] and `load` [resources] what flows on ways that are still open; `hit` [needs] says who
    loses some flow.
    """
    filled[:] = 0.0
    load[:] = 0.0
    for need in range(len(before)):
        hit[need] = False
        if before[need] < 0:
            continue
        for slot in range(pool.first[before[need]], pool.first[before[need] + 1]):
            if not _is_open(pool, slot, now):
                hit[need] = True
                continue
            filled[need] += pool.flow[slot]
            for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
                load[now.number[pool.resource[entry]]] += pool.load[entry] * pool.flow[slot]


def _with_slots(pool: Pool, slots: Ints, entries: int) -> Pool:
    """Return an empty pool with so many slots for each need, and room for twice so many entries."""
    first = np.concatenate(([0], np.cumsum(slots)))
    total = int(first[-1])
    by_slot = ("start", "length", "mark", "flow", "cost", "idle", "item")
    empty: dict[str, Any] = {name: np.zeros(total, dtype=getattr(pool, name).dtype) for name in by_slot}
    pool = pool._replace(first=first, units=np.ones(total), **empty)
    size = max(len(pool.resource), 2 * entries)
    for store in (pool.resource, pool.load, pool.action, pool.quantity):
        store.resize(size, refcheck=False)
    pool.used[:] = entries + (size - entries) * np.arange(len(pool.used)) // len(pool.used)
    pool.limit[:] = entries + (size - entries) * np.arange(1, len(pool.used) + 1) // len(pool.used)
    return pool


@njit(cache=True, nogil=True)
def _copy_ways(old, pool, before, now, taken_before, taken):  # type: ignore[no-untyped-def]
    """Copy each need's ways with their entries renumbered; a way through what is shut now stays behind."""
    used = 0
    for need in range(len(before)):
        if before[need] < 0:
            continue
        slot = pool.first[need]
        for was in range(old.first[before[need]], old.first[before[need] + 1]):
            if not _is_open(old, was, now):
                continue
            pool.start[slot] = used
            pool.length[slot] = old.length[was]
            pool.mark[slot] = old.mark[was]
            pool.flow[slot] = old.flow[was]
            pool.cost[slot] = old.cost[was]
            pool.idle[slot] = 0
            pool.item[slot] = old.item[was]
            pool.units[slot] = old.units[was]
            for entry in range(old.start[was], old.start[was] + old.length[was]):
                resource = now.number[old.resource[entry]]
                action = old.action[entry]
                if action >= taken_before:
                    action = taken + resource
                pool.resource[used] = resource
                pool.load[used] = old.load[entry]
                pool.action[used] = action
                pool.quantity[used] = old.quantity[entry]
                used += 1
            slot += 1
