"""The search behind path equilibration: its state, a round, the repair into a plan that holds, and the bound.

A round prices every way in one sweep, takes up the cheapest, lets flow settle on the ways (`equilibrate`), and moves
the prices towards the loads: an exponential method of multipliers. `repair` makes of the flows a plan that keeps every
capacity. `equilibrium.py` says how many rounds, and from where.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from abasto.planner.equilibrate import (
    add_loads,
    equilibrate,
    slack,
    top_up,
    total_cost,
    trim_by_share,
    trim_by_value,
    worth_of,
)
from abasto.planner.layout import Index, Layout, Resources, lay_out
from abasto.planner.problem import Floats, Ints, Problem
from abasto.planner.sweep import Labels, empty_labels, sweep
from abasto.planner.threads import THREADS, WORTH_THREADS, side_by_side
from abasto.planner.warm import Warm, adopt_pool, adopt_prices
from abasto.planner.ways import (
    Actions,
    Pool,
    Wants,
    add_actions,
    add_ways,
    empty_pool,
    grow_pool,
    number_actions,
    wants_of,
)

__all__ = [
    "CUT_STEPS",
    "FILL_STEPS",
    "Done",
    "Search",
    "advance",
    "finite",
    "keep_bound",
    "need_price",
    "neglects",
    "polish",
    "repair",
    "resume",
    "resume_prices",
    "scale_of",
    "start_search",
    "tighten",
]

STEEPNESS = 10.0
"""β: how many e-folds a price rises when its resource is loaded twice over."""
PASSES = 2
"""Gauss-Seidel passes a round."""
DAMPING = 0.8
WHISPER = 1e-5
"""All vehicle-hours together cost this share of the last tiers: enough to break ties, too little to matter."""
MOST_RISE, MOST_FALL = 3.0, 10.0
"""Limits of a round's step in the logarithm of a price."""
RUN = 16
"""Needs that are worked through one after the other before the next run, drawn at random."""
BATCHES = 16
"""Batches of a pass between which the threads agree on loads and prices."""
MOST_PRESSURE = 30.0
"""Limit of what an overload adds to the logarithm of a price at the start of a round."""
START, FLOOR = 1.0, 1e-9
"""All resources together start at START of the total weight of needs, and each keeps FLOOR of it."""
POLISH = 6
"""Most rounds that fill up what is spare when the search has ended."""
CUT_STEPS = np.array([0.25, 0.5, 0.8, 0.93, 0.98, 1.0, 1.02, 1.05, 1.1, 1.2, 1.5, 2.0, 4.0, 16.0, np.inf])
FILL_STEPS = np.array(
    [1e3, 30, 8, 4, 2, 1.5, 1.25, 1.12, 1.06, 1.03, 1.01, 1, 0.99, 0.97, 0.93, 0.87, 0.8, 0.7, 0.5, 0.25, 0.1, 0.0]
)


class Done(NamedTuple):
    """What a plan does, free of the pool: how much of each action, and what each need is handed of which item."""

    action: Ints
    quantity: Floats
    need: Ints
    item: Ints
    handed: Floats


@dataclass
class Search:
    """Everything that changes during a search."""

    layout: Layout
    resources: Resources
    levels: list[Index]
    wants: Wants
    actions: Actions
    tier: Floats
    toll: Floats
    whisper: float
    labels: Labels
    pool: Pool
    log_price: Floats
    floor: Floats
    load: Floats
    filled: Floats
    average: Floats | None = None
    bound: float = np.inf
    bound_prices: Floats | None = None
    best: float = -np.inf
    best_flows: Done | None = None
    best_filled: Floats = field(default_factory=lambda: np.zeros(0))
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))


def start_search(problem: Problem) -> Search:
    layout, resources, levels = lay_out(problem)
    wants = wants_of(problem)
    tier = problem.tier_value
    n_resources = layout.nothing
    toll, option_cost, whisper = _tolls(problem, layout, resources, float(tier[-1]) * 10 * len(problem.sites) * WHISPER)
    actions = number_actions(layout, n_resources)
    floor = np.log(FLOOR * layout.n_sites / resources.capacity)
    return Search(
        layout=layout._replace(option_cost=option_cost),
        resources=resources,
        levels=levels,
        wants=wants,
        actions=actions,
        tier=tier,
        toll=toll,
        whisper=whisper,
        labels=empty_labels(layout),
        pool=empty_pool(wants, actions),
        log_price=np.log(START * layout.n_sites / max(1, n_resources) / resources.capacity),
        floor=floor,
        load=np.zeros(n_resources + 1),
        filled=np.zeros(len(wants.site)),
    )


def _tolls(problem: Problem, layout: Layout, resources: Resources, budget: float) -> tuple[Floats, Floats, float]:
    """Return the toll of each resource, the cost per tonne of each option, and the most that any plan can pay of them.

    Without `costs` the toll is on vehicle-hours; with them it is on money, and a tenth on vehicle-hours.
    """
    hours = float(resources.capacity[resources.is_fleet].sum())
    toll = np.zeros(layout.nothing + 1)
    options = problem.options
    busy = options.hours > 0
    dearest = np.zeros(len(problem.fleets))
    np.maximum.at(dearest, options.fleet[busy], options.cost[busy] / options.hours[busy])
    money = float(problem.fleet_hours.sum(axis=1) @ dearest + problem.sources.unit_cost @ problem.sources.amount)
    for_money = 0.9 * budget / money if money > 0 else 0.0
    for_hours = (budget - for_money * money) / max(hours, 1e-300)
    toll[:-1][resources.is_fleet] = for_hours
    toll[resources.of_source] += for_money * problem.sources.unit_cost
    return toll, np.where(busy, options.cost, 0.0) * for_money, budget


def scale_of(problem: Problem) -> float:
    """Return how many of the objective's units make one of the search's, in which sites weigh 1 on average."""
    return float(problem.needs.weight.sum()) / len(problem.sites)


def resume_prices(search: Search, problem: Problem, warm: Warm) -> None:
    """Start from an earlier search's prices, where a resource had one."""
    scale = scale_of(problem)
    prices = adopt_prices(warm, search.layout, np.exp(search.log_price) * scale) / scale
    search.log_price = np.clip(np.log(np.maximum(prices, 1e-300)), search.floor, 250.0)


def resume(search: Search, problem: Problem, warm: Warm) -> None:
    """Start from an earlier search's ways, flows and prices, trimmed to what holds now.

    Overloads must go first: prices that rise by e^β for each of them would end out of range.
    """
    resume_prices(search, problem, warm)
    search.pool = adopt_pool(warm, problem, search.layout, search.wants, search.actions)
    pool, wants = search.pool, search.wants
    add_loads(pool, pool.flow, search.filled, search.load)
    over = np.minimum(1.0, wants.amount / np.maximum(search.filled, wants.amount * 1e-12))
    pool.flow[:] *= np.repeat(over, np.diff(pool.first))
    add_loads(pool, pool.flow, search.filled, search.load)
    capacity = np.append(search.resources.capacity, np.inf)
    if (search.load > capacity * (1 + 1e-9)).any():
        trim_by_share(pool, pool.flow, search.load, capacity)
        add_loads(pool, pool.flow, search.filled, search.load)


def advance(search: Search, tier: Floats, *, first: bool) -> None:
    """Price all ways, take up the cheapest, let flow settle at the tiers' values, and move prices towards the loads."""
    capacity, wants = search.resources.capacity, search.wants
    pressure = STEEPNESS * (search.load[:-1] / capacity - 1)
    log_y = np.clip(search.log_price + np.clip(pressure, -72, MOST_PRESSURE), search.floor, 250.0)
    y = _prices(search, search.log_price if first else log_y)
    sweep(search.layout, search.levels, y + search.toll, search.labels)
    tier_now = np.clip((search.filled / wants.amount * 10 - 1e-7).astype(np.int64), 0, 9)
    worth = wants.density * tier[tier_now]
    if first:  # what no way leads to can never be met
        reached = np.isfinite(need_price(search))
        search.bound = worth_of(wants, np.where(reached, wants.amount, 0.0), search.tier)
    search.pool, price = add_ways(
        search.layout, wants, search.labels, search.pool, search.actions, y=y, worth=worth, toll=search.toll
    )
    keep_bound(search, y, price)
    rate = np.append(STEEPNESS / capacity, 0.0)
    y = _prices(search, log_y)
    log_tier = np.log(tier)
    for _ in range(PASSES):
        _pass(search, log_tier, y, rate)
    add_loads(search.pool, search.pool.flow, search.filled, search.load)
    step = np.clip(STEEPNESS * (search.load[:-1] / capacity - 1), -MOST_FALL, MOST_RISE)
    search.log_price = np.clip(search.log_price + step, search.floor, 250.0)
    settled = np.exp(search.log_price)
    if search.average is None:
        search.average = settled
    else:  # a price may dip for one round and ruin the bound: the average does not
        search.average = 0.7 * search.average + 0.3 * np.minimum(settled, search.average * np.exp(2.0))


def _prices(search: Search, log_price: Floats) -> Floats:
    """Return prices with a 0 for the resource that never ends."""
    return np.append(np.exp(log_price), 0.0)


def keep_bound(search: Search, y: Floats, price: Floats) -> None:
    """Keep the bound that prices `y` prove if it is the least; `price` [needs] is of the cheapest ways, with tolls."""
    bound = (
        float((search.resources.ceiling * y[:-1]).sum())
        + float(slack(search.wants, price, search.tier))
        + search.whisper
    )
    if bound < search.bound:
        search.bound, search.bound_prices = bound, y


def _pass(search: Search, log_tier: Floats, y: Floats, rate: Floats) -> None:
    """Let every need settle once; threads take halves of a batch, each with its own prices, and then agree."""
    order = _shuffled(search.random, len(search.filled))
    same = (search.wants, search.pool, search.filled, log_tier)
    if len(order) < WORTH_THREADS:
        equilibrate(order, *same, y, search.load, rate, DAMPING)
        return
    for batch in np.array_split(order, BATCHES):
        own = [(part, y.copy(), search.load.copy()) for part in np.array_split(batch, THREADS)]
        side_by_side(lambda one: equilibrate(one[0], *same, one[1], one[2], rate, DAMPING), own)
        before = search.load.copy()
        for _, _, load in own:
            search.load += load - before
        y *= np.exp(rate * (search.load - before))


def _shuffled(random: np.random.Generator, count: int) -> Ints:
    """Return 0 … count − 1 in shuffled runs: neighbours stay together, since their ways lie together in memory."""
    runs = -(-count // RUN)
    order = (random.permutation(runs)[:, None] * RUN + np.arange(RUN)).ravel()
    return order[order < count]


def tighten(search: Search) -> None:
    """Try the bound at the current and at the averaged prices."""
    assert search.average is not None
    for prices in (np.exp(search.log_price), search.average):
        y = np.append(prices, 0.0)
        sweep(search.layout, search.levels, y + search.toll, search.labels)
        keep_bound(search, y, need_price(search))


def need_price(search: Search) -> Floats:
    """Return the price of each need's cheapest way at the labels."""
    wants, use = search.wants, search.labels.use_price
    price = np.full(len(wants.site), np.inf)
    most = int(np.diff(wants.serve_start).max())
    for k in range(most):
        place = wants.serve_start[wants.good] + k
        has = place < wants.serve_start[wants.good + 1]
        at = place[has]
        offered = wants.serve_units[at] * use[wants.serve_good[at], wants.day[has], wants.site[has]]
        price[has] = np.minimum(price[has], offered)
    return price


def repair(search: Search) -> Floats:
    """Turn the flows into a plan that keeps every capacity, keep it if it is the best so far, and return its flows."""
    capacity = np.append(search.resources.capacity, np.inf)
    flow, load, filled = search.pool.flow.copy(), search.load.copy(), search.filled.copy()
    price = finite(need_price(search))
    order = _shuffled(search.random, len(filled))
    wants, pool, tier = search.wants, search.pool, search.tier
    trim_by_value(order, CUT_STEPS, wants, pool, flow, filled, price, tier, load, capacity)
    np.maximum(flow, 0.0, out=flow)
    add_loads(pool, flow, filled, load)
    if (load > capacity * (1 + 1e-9)).any():
        trim_by_share(pool, flow, load, capacity)
        add_loads(pool, flow, filled, load)
    top_up(order, FILL_STEPS, wants, pool, flow, filled, price, tier, load, capacity)
    _keep_if_best(search, flow, filled)
    return flow


def finite(price: Floats) -> Floats:
    """Return prices that values can be compared with: very large where no way leads."""
    return np.asarray(np.maximum(np.nan_to_num(price, posinf=1e300), 1e-300))


def _keep_if_best(search: Search, flow: Floats, filled: Floats) -> None:
    worth = worth_of(search.wants, filled, search.tier) - total_cost(search.pool, flow)
    if worth > search.best:
        search.best = worth
        search.best_flows, search.best_filled = _collect(search, flow), filled.copy()


def _collect(search: Search, flow: Floats) -> Done:
    """Return what the flows [slots] do, added up by action."""
    amount = np.zeros(search.actions.end)
    add_actions(search.pool, flow, amount)
    action, slots = np.flatnonzero(amount), np.flatnonzero(flow > 0)
    return Done(
        action=action,
        quantity=amount[action],
        need=np.searchsorted(search.pool.first, slots, side="right") - 1,
        item=search.pool.item[slots].astype(np.int64),
        handed=flow[slots] * search.pool.units[slots],
    )


def neglects(search: Search) -> bool:
    """Whether the best plan leaves a need in its first tier though its way costs far less than that is worth.

    A gap that is small for a country can hide a village; the search goes on for it up to twice as long.
    """
    wants = search.wants
    starved = search.best_filled < wants.amount / len(search.tier)
    return bool((starved & (2 * need_price(search) < wants.density * search.tier[0])).any())


def polish(search: Search) -> None:
    """Serve whoever can still be served with what the last plan leaves spare, on ways that need nothing else."""
    capacity, wants = np.append(search.resources.capacity, np.inf), search.wants
    price = finite(need_price(search))
    search.pool.flow[:] = repair(search)
    add_loads(search.pool, search.pool.flow, search.filled, search.load)
    for _ in range(POLISH):
        open_needs = search.filled < wants.amount * (1 - 1e-6)
        if not open_needs.any():
            break
        spare = search.load < capacity * (1 - 1e-6)
        y = np.where(spare, 0.0, 1e100)
        sweep(search.layout, search.levels, y + search.toll, search.labels)
        worth = np.where(open_needs, np.inf, 0.0)
        search.pool, _ = add_ways(
            search.layout, wants, search.labels, search.pool, search.actions, y=y, worth=worth, toll=search.toll
        )
        before = search.filled.sum()
        order = _shuffled(search.random, len(search.filled))
        pool, tier = search.pool, search.tier
        top_up(order, FILL_STEPS, wants, pool, pool.flow, search.filled, price, tier, search.load, capacity)
        search.pool = grow_pool(search.pool)
        if search.filled.sum() <= before * (1 + 1e-9):
            break
    _keep_if_best(search, search.pool.flow, search.filled)
