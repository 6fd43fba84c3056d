"""Ways: whole routes from source to need, read off the sweep's labels and kept in a pool, a few for each need.

A way lists *entries*: how much of a resource one unit of the need takes along it, and the *action* that takes it (a
shipment, batches, a draw on stock for a recipe or fuel, what is taken of a source), with its quantity. Entries stand in
one flat store that is compacted when it is full. Bigger needs have more slots, so that they can be split further.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from abasto.planner.layout import Index, Layout
from abasto.planner.problem import Floats, Problem
from abasto.planner.sweep import CARRY, LANE, NOWHERE, OFFER, STOCK, Labels
from abasto.planner.threads import THREADS, WORTH_THREADS, side_by_side

__all__ = [
    "Actions",
    "Pool",
    "Wants",
    "add_actions",
    "add_ways",
    "empty_pool",
    "grow_pool",
    "number_actions",
    "wants_of",
]

MOST_ENTRIES = 600
"""A way of more entries is not taken up; only trees of recipes and fuel grow that large."""
MOST_BRANCHES = 128
IDLE_ROUNDS = 3
"""An unused way that is dearer than the best is dropped after this many rounds."""
MOST_FUEL_DEPTH = 8
"""Fuel that is brought on fuel that is brought on fuel … is followed so far; what is left is far below rounding."""
MOST_SLOTS = 64
NO_SLOT = -1
NOT_BETTER = -2


class Actions(NamedTuple):
    """Where each kind of action starts in their common numbering.

    Shipments [options, rows] come first, then batches [plants, days], draws [rows, sites] and what is taken of each
    resource; a row is an item on a day, as in `Layout`.
    """

    batches: int
    draws: int
    taken: int
    end: int


class Wants(NamedTuple):
    """Needs as the kernels see them: `density` is the objective per unit in a tier of value 1; `serve_start`,
    `serve_good` and `serve_units` list, for each good, what may be handed over for it.
    """

    site: Index
    good: Index
    day: Index
    amount: Floats
    density: Floats
    serve_start: Index
    serve_good: Index
    serve_units: Floats


class Pool(NamedTuple):
    """Ways by slot [slots]: need n owns the slots from `first[n]` to `first[n + 1]`, empty where `length` is 0.

    `cramped` [needs] says that a better way found no slot. Entries stand from `start` on in the flat arrays `resource`,
    `load`, `action` and `quantity`; each thread adds its own from `used` up to `limit`.
    """

    first: npt.NDArray[np.int64]
    cramped: npt.NDArray[np.bool_]
    start: npt.NDArray[np.int64]
    length: Index
    mark: npt.NDArray[np.int64]
    flow: Floats
    cost: Floats
    idle: Index
    item: Index
    units: Floats
    resource: Index
    load: npt.NDArray[np.float32]
    action: npt.NDArray[np.signedinteger[Any]]
    quantity: npt.NDArray[np.float32]
    used: npt.NDArray[np.int64]
    limit: npt.NDArray[np.int64]


class _Page(NamedTuple):
    """Where a way is written down before it is taken up: its entries, and the branches that are still to be followed
    (good, day, site, depth of fuel).
    """

    resource: Index
    load: Floats
    action: npt.NDArray[np.int64]
    quantity: Floats
    stack: Index
    stack_units: Floats


def number_actions(layout: Layout, n_resources: int) -> Actions:
    """Return where each kind of action starts."""
    rows = len(layout.offer)
    batches = len(layout.option_fleet) * rows
    draws = batches + len(layout.plant_site) * layout.n_days
    taken = draws + rows * layout.n_sites
    return Actions(batches, draws, taken, taken + n_resources)


def wants_of(problem: Problem) -> Wants:
    """Return the needs in the kernels' form; weights are scaled so that they add up to the number of sites."""
    needs = problem.needs
    weight = needs.weight * len(problem.sites) / needs.weight.sum()
    serves = [option for options in problem.serves for option in options]
    starts = np.cumsum([0, *(len(options) for options in problem.serves)])
    return Wants(
        site=needs.site.astype(np.int32),
        good=needs.target.astype(np.int32),
        day=needs.day.astype(np.int32),
        amount=needs.amount.copy(),
        density=weight * len(problem.tier_value) / needs.amount,
        serve_start=starts.astype(np.int32),
        serve_good=np.array([good for good, _ in serves], dtype=np.int32),
        serve_units=np.array([units for _, units in serves]),
    )


def empty_pool(wants: Wants, actions: Actions, *, slots: int = 4) -> Pool:
    """Return a pool with `slots` empty slots for every need."""
    total = slots * len(wants.site)
    pool = Pool(
        first=np.arange(0, total + 1, slots, dtype=np.int64),
        cramped=np.zeros(len(wants.site), dtype=np.bool_),
        start=np.zeros(total, dtype=np.int64),
        length=np.zeros(total, dtype=np.int32),
        mark=np.zeros(total, dtype=np.int64),
        flow=np.zeros(total),
        cost=np.zeros(total),
        idle=np.zeros(total, dtype=np.int32),
        item=np.zeros(total, dtype=np.int32),
        units=np.ones(total),
        resource=np.empty(0, dtype=np.int32),
        load=np.empty(0, dtype=np.float32),
        action=np.empty(0, dtype=np.int32 if actions.end < np.iinfo(np.int32).max else np.int64),
        quantity=np.empty(0, dtype=np.float32),
        used=np.zeros(THREADS, dtype=np.int64),
        limit=np.zeros(THREADS, dtype=np.int64),
    )
    return _restock(pool, max(1 << 16, 24 * len(wants.site)))


def grow_pool(pool: Pool, *, most: int = MOST_SLOTS) -> Pool:
    """Return the pool with half as many slots again for needs whose slots all carried flow when a better way came."""
    if not pool.cramped.any():
        return pool
    count = np.diff(pool.first)
    more = np.where(pool.cramped, np.minimum(most, count + np.maximum(2, count // 2)), count)
    first = np.concatenate(([0], np.cumsum(more)))
    moved = np.arange(pool.first[-1]) + np.repeat(first[:-1] - pool.first[:-1], count)

    def spread(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        wider = np.zeros(first[-1], dtype=values.dtype)
        wider[moved] = values
        return wider

    by_slot = ("start", "length", "mark", "flow", "cost", "idle", "item", "units")
    wider = {name: spread(getattr(pool, name)) for name in by_slot}
    return pool._replace(first=first, cramped=np.zeros_like(pool.cramped), **wider)


def add_ways(
    layout: Layout,
    wants: Wants,
    labels: Labels,
    pool: Pool,
    actions: Actions,
    *,
    y: Floats,
    worth: Floats,
    toll: Floats,
) -> tuple[Pool, Floats]:
    """Give every need its cheapest way if that beats what it has and costs less than `worth`; return the pool, and the
    cheapest way's price for each need. The pool's store is made anew where it is full.
    """
    count = len(wants.site)
    price = np.empty(count)
    shares = [(0, count, 0)]
    if count >= WORTH_THREADS:
        shares = [(count * k // THREADS, count * (k + 1) // THREADS, k) for k in range(THREADS)]
    while shares:
        work = partial(_add_share, (layout, wants, labels, pool, actions, y, worth, toll, price))
        reached = side_by_side(work, shares)
        shares = [(need, end, k) for need, (_, end, k) in zip(reached, shares, strict=True) if need < end]
        if shares:
            live = int(pool.length.sum())
            pool = _restock(pool, max(len(pool.resource), int(1.35 * live)))
    return pool, price


def _add_share(fixed: tuple[Any, ...], share: tuple[int, int, int]) -> int:
    """Work through one thread's needs, as `_add_ways` does."""
    return int(_add_ways(*fixed, *share))  # type: ignore[call-arg]


def _restock(pool: Pool, size: int) -> Pool:
    """Move live entries to the front of the pool's store, which grows to `size`, and share out the rest to the threads.

    The store stays where it is, one array after the other: two of them at once would be half of all memory in use.
    """
    live = int(pool.length.sum())
    place = np.empty(live, dtype=np.int32 if len(pool.resource) < np.iinfo(np.int32).max else np.int64)
    _list_entries(pool, place)
    for store in (pool.resource, pool.load, pool.action, pool.quantity):
        kept = store[place]
        store.resize(size, refcheck=False)
        store[:live] = kept
    bounds = live + (size - live) * np.arange(THREADS + 1) // THREADS
    pool.used[:], pool.limit[:] = bounds[:-1], bounds[1:]
    return pool


@njit(cache=True, nogil=True)
def _list_entries(pool, place):  # type: ignore[no-untyped-def]
    """Write down where live entries stand, slot by slot, and point the slots at where they are going to stand."""
    used = 0
    for slot in range(len(pool.length)):
        start = pool.start[slot]
        pool.start[slot] = used
        for entry in range(pool.length[slot]):
            place[used] = start + entry
            used += 1


@njit(cache=True, nogil=True)
def _add_ways(layout, wants, labels, pool, actions, y, worth, toll, price, begin, end, thread):  # type: ignore[no-untyped-def]
    """Work through the needs from `begin` to `end`; return the need at which the thread's store was full, or `end`."""
    page = _Page(
        np.empty(MOST_ENTRIES, dtype=np.int32),
        np.empty(MOST_ENTRIES),
        np.empty(MOST_ENTRIES, dtype=np.int64),
        np.empty(MOST_ENTRIES),
        np.empty((MOST_BRANCHES, 4), dtype=np.int32),
        np.empty(MOST_BRANCHES),
    )
    n_items = len(layout.item_good)
    for need in range(begin, end):
        site = wants.site[need]
        day = wants.day[need]
        best = np.inf
        best_units = 1.0
        best_good = -1
        for place in range(wants.serve_start[wants.good[need]], wants.serve_start[wants.good[need] + 1]):
            cost = wants.serve_units[place] * labels.use_price[wants.serve_good[place], day, site]
            if cost < best:
                best = cost
                best_units = wants.serve_units[place]
                best_good = wants.serve_good[place]
        price[need] = best
        if best >= worth[need]:
            continue
        slot = _free_slot(pool, need, y, best)
        if slot == NO_SLOT:
            pool.cramped[need] = True
        if slot < 0:
            continue
        length, cost, mark = _read_way(layout, labels, actions, toll, best_good, day, site, best_units, page)
        if length < 0 or _known(pool, need, length, mark):
            continue
        start = pool.used[thread]
        if start + length > pool.limit[thread]:
            return need
        for entry in range(length):
            pool.resource[start + entry] = page.resource[entry]
            pool.load[start + entry] = page.load[entry]
            pool.action[start + entry] = page.action[entry]
            pool.quantity[start + entry] = page.quantity[entry]
        pool.start[slot] = start
        pool.length[slot] = length
        pool.mark[slot] = mark
        pool.flow[slot] = 0.0
        pool.cost[slot] = cost
        pool.idle[slot] = 0
        pool.item[slot] = labels.use_item[best_good, day, site] % n_items
        pool.units[slot] = best_units
        pool.used[thread] = start + length
    return end


@njit(cache=True, nogil=True)
def _free_slot(pool, need, y, price):  # type: ignore[no-untyped-def]
    """Return a slot for a way at `price`: an empty one, else the dearest unused one, or NO_SLOT; NOT_BETTER if the need
    has a way as cheap.
    """
    best = np.inf
    free = NO_SLOT
    dearest = -1.0
    for slot in range(pool.first[need], pool.first[need + 1]):
        if pool.length[slot] == 0:
            free = slot
            dearest = np.inf
            continue
        cost = pool.cost[slot]
        for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
            cost += pool.load[entry] * y[pool.resource[entry]]
        best = min(best, cost)
        if pool.flow[slot] <= 0:
            pool.idle[slot] += 1
            if cost > dearest:
                free = slot
                dearest = cost
        else:
            pool.idle[slot] = 0
    for slot in range(pool.first[need], pool.first[need + 1]):
        if pool.length[slot] > 0 and pool.flow[slot] <= 0 and pool.idle[slot] > IDLE_ROUNDS:
            cost = pool.cost[slot]
            for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
                cost += pool.load[entry] * y[pool.resource[entry]]
            if cost > 1.02 * best:
                pool.length[slot] = 0
                free = slot
    if best <= price * (1 + 1e-3):
        return NOT_BETTER
    return free


@njit(cache=True, nogil=True)
def add_actions(pool, flow, amount):  # type: ignore[no-untyped-def]
    """Add up in `amount` [actions] what the flows [slots] do."""
    for slot in range(len(flow)):
        if flow[slot] > 0:
            for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
                if pool.action[entry] >= 0:
                    amount[pool.action[entry]] += flow[slot] * pool.quantity[entry]


@njit(cache=True, nogil=True)
def _known(pool, need, length, mark):  # type: ignore[no-untyped-def]
    for slot in range(pool.first[need], pool.first[need + 1]):
        if pool.length[slot] == length and pool.mark[slot] == mark:
            return True
    return False


@njit(cache=True, nogil=True)
def _read_way(layout, labels, actions, toll, good, day, site, units, page):  # type: ignore[no-untyped-def]
    """Follow the labels back from the use of a good; return (entries, own cost, mark), -1 entries if it has no end."""
    resource, load, action, quantity = page.resource, page.load, page.action, page.quantity
    stack, stack_units = page.stack, page.stack_units
    n_items = len(layout.item_good)
    n_lanes = len(layout.lane_start)
    count = 0
    branches = 1
    stack[0, 0] = good
    stack[0, 1] = day
    stack[0, 2] = site
    stack[0, 3] = 0
    stack_units[0] = units
    own_cost = 0.0
    mark = np.int64(1469598103)
    first = True
    while branches > 0:
        branches -= 1
        good = stack[branches, 0]
        day = stack[branches, 1]
        site = stack[branches, 2]
        depth = stack[branches, 3]
        amount = stack_units[branches]
        item = labels.use_item[good, day, site]
        if item == NOWHERE or count + 8 >= MOST_ENTRIES:
            return -1, 0.0, mark
        kept = item >= n_items
        if kept:
            item -= n_items
        tonnes = layout.tonnes[good] * amount
        if not first:  # a recipe or a fleet draws it from the site's stock
            resource[count] = layout.nothing
            load[count] = 0.0
            action[count] = actions.draws + np.int64(layout.row[item] + day) * layout.n_sites + site
            quantity[count] = amount
            count += 1
        first = False
        while True:
            if count + 8 >= MOST_ENTRIES:
                return -1, 0.0, mark
            here = layout.row[item] + day
            step = STOCK if kept else labels.how[here, site]
            mark = (mark * np.int64(1000003)) ^ (((np.int64(step) * 4099 + site) * 367 + day) * 1031 + item)
            if step == NOWHERE:
                return -1, 0.0, mark
            if step in (STOCK, OFFER):
                lot = layout.stock[item, site] if step == STOCK else layout.offer[here, site]
                resource[count] = lot
                load[count] = amount
                action[count] = actions.taken + lot
                quantity[count] = amount
                count += 1
                if step == STOCK and not kept and layout.gate[good, site] >= 0:
                    resource[count] = layout.gate[good, site]
                    load[count] = amount
                    action[count] = -1
                    quantity[count] = 0.0
                    count += 1
                break
            if step == CARRY:
                day -= 1
                room = layout.room[site, day]
                if room >= 0 and tonnes > 0:
                    resource[count] = room
                    load[count] = tonnes
                    action[count] = -1
                    quantity[count] = 0.0
                    count += 1
            elif step < LANE + n_lanes:
                lane = step - LANE
                day -= layout.lane_lead[lane]
                site = layout.lane_start[lane]
                option = labels.lane_option[lane, day]
                resource[count] = layout.fleet[layout.option_fleet[option], day] if tonnes > 0 else layout.nothing
                load[count] = tonnes * layout.option_hours[option]
                action[count] = np.int64(option) * len(layout.offer) + layout.row[item] + day
                quantity[count] = amount
                count += 1
                own_cost += tonnes * layout.option_cost[option]
                if layout.lane[lane, day] >= 0 and tonnes > 0:
                    resource[count] = layout.lane[lane, day]
                    load[count] = tonnes
                    action[count] = -1
                    quantity[count] = 0.0
                    count += 1
                if layout.option_fuel_good[option] >= 0 and tonnes > 0 and depth < MOST_FUEL_DEPTH:
                    if branches >= MOST_BRANCHES:
                        return -1, 0.0, mark
                    stack[branches, 0] = layout.option_fuel_good[option]
                    stack[branches, 1] = day
                    stack[branches, 2] = layout.option_fuel_site[option]
                    stack[branches, 3] = depth + 1
                    stack_units[branches] = tonnes * layout.option_fuel[option]
                    branches += 1
            else:
                plant = step - LANE - n_lanes
                batches = amount / layout.plant_output[plant]
                resource[count] = layout.plant[plant, day]
                load[count] = batches
                action[count] = actions.batches + np.int64(plant) * layout.n_days + day
                quantity[count] = batches
                count += 1
                labour = layout.labour[site, day]
                if labour >= 0 and layout.plant_hours[plant] > 0:
                    resource[count] = labour
                    load[count] = batches * layout.plant_hours[plant]
                    action[count] = -1
                    quantity[count] = 0.0
                    count += 1
                for part in range(layout.input_start[plant], layout.input_start[plant + 1]):
                    if branches >= MOST_BRANCHES:
                        return -1, 0.0, mark
                    stack[branches, 0] = layout.input_good[part]
                    stack[branches, 1] = day
                    stack[branches, 2] = site
                    stack[branches, 3] = depth
                    stack_units[branches] = batches * layout.input_quantity[part]
                    branches += 1
                break
    for entry in range(count):
        own_cost += load[entry] * toll[resource[entry]]
    return count, own_cost, mark
