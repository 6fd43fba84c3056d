"""Path equilibration: the planner for networks of national size, with a bound from any prices.

Each round prices every way in one sweep, takes up the cheapest, lets flow settle on the ways (`equilibrate`), and moves
the prices towards the loads: an exponential method of multipliers. Every few rounds the flows are repaired into a plan
that keeps every capacity. For any prices y ≥ 0 no plan is worth more than

    Σ capacity · y  +  Σ over needs and tiers (value − price of the cheapest way)⁺ · amount of the tier,

so the best bound and the best plan found bracket the answer. docs/algorithm.md tells it with its sources.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from abasto.network import Fleet, Good, Lane, Need, Network, Site, Stock
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
from abasto.planner.layout import Index, Layout, Resources, lay_out, unsupported
from abasto.planner.problem import Floats, Ints, Problem, build_problem, tier_values
from abasto.planner.solution import Flows, Prices, Solution
from abasto.planner.sweep import Labels, empty_labels, sweep
from abasto.planner.threads import THREADS, WORTH_THREADS, side_by_side
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

__all__ = ["prepare", "solve", "unsupported"]

STEEPNESS = 10.0
"""β: how many e-folds a price rises when its resource is loaded twice over."""
PASSES = 2
"""Gauss-Seidel passes a round."""
DAMPING = 0.8
REPAIR_EVERY = 4
"""Rounds between two repairs."""
WHISPER = 1e-5
"""All vehicle-hours together cost this share of the last tiers: enough to break ties, too little to matter."""
WARM_UP = (0.0, 1.0, 2.0)
WARM_ROUNDS = 4
"""Rounds spent on each smaller fairness first: flat values settle sooner and give the steep ones good prices."""
MOST_RISE, MOST_FALL = 3.0, 10.0
"""Limits of a round's step in the logarithm of a price."""
RUN = 16
"""Needs that are worked through one after the other before the next run, drawn at random."""
PATIENCE = 100
"""Rounds without the gap shrinking by a twentieth after which the search ends."""
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


class _Done(NamedTuple):
    """What a plan does, free of the pool: how much of each action, and what each need is handed of which item."""

    action: Ints
    quantity: Floats
    need: Ints
    item: Ints
    handed: Floats


@dataclass
class _Search:
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
    best_flows: _Done | None = None
    best_filled: Floats = field(default_factory=lambda: np.zeros(0))
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))


def solve(
    problem: Problem,
    *,
    gap: float = 0.01,
    deadline: float | None = None,
    progress: Callable[[str, float | None], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Solution:
    """Plan `problem` until the proven gap is at most `gap`, the clock passes `deadline`, `stop()` is true, or the gap
    no longer shrinks.
    """
    search = _start(problem)
    warm_up = [tier_values(fairness) for fairness in WARM_UP if fairness < problem.fairness for _ in range(WARM_ROUNDS)]
    status: Literal["planned", "stopped"] = "stopped"
    rounds, since, reached, least = 0, 0, sys.maxsize, np.inf
    while True:
        _round(search, warm_up[rounds] if rounds < len(warm_up) else search.tier, first=rounds == 0)
        rounds += 1
        ends = (deadline is not None and time.monotonic() > deadline) or (stop is not None and stop())
        if rounds % REPAIR_EVERY == 0 or ends:
            _tighten(search)
            _repair(search)
            left = search.bound - search.best
            share = left / search.best if search.best > 0 else float(left > 0)
            if progress is not None:
                progress("equilibrium", share)
            if share <= gap:
                status = "planned"
                reached = min(reached, rounds)
                if rounds >= 2 * reached or not _neglects(search):
                    break
            elif share < 0.95 * least:
                least, since = share, rounds
            elif rounds - since >= PATIENCE:
                break
            search.pool = grow_pool(search.pool)
        if ends:
            break
    _polish(search)
    return _solution(problem, search, status)


@cache
def prepare() -> None:
    """Compile the kernels, or load them where they were compiled before: some twenty seconds the first time."""
    ends = [Site(site="depot"), Site(site="town", people=1)]
    trial = Network(
        name="trial",
        start=date(2026, 1, 1),
        days=1,
        sites=tuple(ends),
        goods=(Good(good="rice"),),
        stocks=(Stock(site="depot", good="rice", quantity=1),),
        needs=(Need(site="town", good="rice", quantity=2),),
        lanes=(Lane(from_site="depot", to_site="town", km=1),),
        fleets=(Fleet(fleet="cart", vehicles=1, payload_t=1),),
    )
    solve(build_problem(trial), gap=0.1)


def _start(problem: Problem) -> _Search:
    layout, resources, levels = lay_out(problem)
    wants = wants_of(problem)
    tier = problem.tier_value
    n_resources = layout.nothing
    toll, option_cost, whisper = _tolls(problem, layout, resources, float(tier[-1]) * 10 * len(problem.sites) * WHISPER)
    actions = number_actions(layout, n_resources)
    floor = np.log(FLOOR * layout.n_sites / resources.capacity)
    return _Search(
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


def _prices(search: _Search, log_price: Floats) -> Floats:
    """Return prices with a 0 for the resource that never ends."""
    return np.append(np.exp(log_price), 0.0)


def _keep_bound(search: _Search, y: Floats, price: Floats) -> None:
    """Keep the bound that prices `y` prove if it is the least; `price` [needs] is of the cheapest ways, with tolls."""
    bound = (
        float((search.resources.ceiling * y[:-1]).sum())
        + float(slack(search.wants, price, search.tier))
        + search.whisper
    )
    if bound < search.bound:
        search.bound, search.bound_prices = bound, y


def _round(search: _Search, tier: Floats, *, first: bool) -> None:
    """Price all ways, take up the cheapest, let flow settle at the tiers' values, and move prices towards the loads."""
    capacity, wants = search.resources.capacity, search.wants
    pressure = STEEPNESS * (search.load[:-1] / capacity - 1)
    log_y = np.clip(search.log_price + np.clip(pressure, -72, MOST_PRESSURE), search.floor, 250.0)
    y = _prices(search, search.log_price if first else log_y)
    sweep(search.layout, search.levels, y + search.toll, search.labels)
    tier_now = np.clip((search.filled / wants.amount * 10 - 1e-7).astype(np.int64), 0, 9)
    worth = wants.density * tier[tier_now]
    if first:  # what no way leads to can never be met
        reached = np.isfinite(_need_price(search))
        search.bound = worth_of(wants, np.where(reached, wants.amount, 0.0), search.tier)
    search.pool, price = add_ways(
        search.layout, wants, search.labels, search.pool, search.actions, y=y, worth=worth, toll=search.toll
    )
    _keep_bound(search, y, price)
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


def _pass(search: _Search, log_tier: Floats, y: Floats, rate: Floats) -> None:
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


def _tighten(search: _Search) -> None:
    """Try the bound at the current and at the averaged prices."""
    assert search.average is not None
    for prices in (np.exp(search.log_price), search.average):
        y = np.append(prices, 0.0)
        sweep(search.layout, search.levels, y + search.toll, search.labels)
        _keep_bound(search, y, _need_price(search))


def _need_price(search: _Search) -> Floats:
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


def _repair(search: _Search) -> Floats:
    """Turn the flows into a plan that keeps every capacity, keep it if it is the best so far, and return its flows."""
    capacity = np.append(search.resources.capacity, np.inf)
    flow, load, filled = search.pool.flow.copy(), search.load.copy(), search.filled.copy()
    price = _finite(_need_price(search))
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


def _finite(price: Floats) -> Floats:
    """Return prices that values can be compared with: very large where no way leads."""
    return np.asarray(np.maximum(np.nan_to_num(price, posinf=1e300), 1e-300))


def _keep_if_best(search: _Search, flow: Floats, filled: Floats) -> None:
    worth = worth_of(search.wants, filled, search.tier) - total_cost(search.pool, flow)
    if worth > search.best:
        search.best = worth
        search.best_flows, search.best_filled = _collect(search, flow), filled.copy()


def _neglects(search: _Search) -> bool:
    """Whether the best plan leaves a need in its first tier though its way costs far less than that is worth.

    A gap that is small for a country can hide a village; the search goes on for it up to twice as long.
    """
    wants = search.wants
    starved = search.best_filled < wants.amount / len(search.tier)
    return bool((starved & (2 * _need_price(search) < wants.density * search.tier[0])).any())


def _polish(search: _Search) -> None:
    """Serve whoever can still be served with what the last plan leaves spare, on ways that need nothing else."""
    capacity, wants = np.append(search.resources.capacity, np.inf), search.wants
    price = _finite(_need_price(search))
    search.pool.flow[:] = _repair(search)
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


def _collect(search: _Search, flow: Floats) -> _Done:
    """Return what the flows [slots] do, added up by action."""
    amount = np.zeros(search.actions.end)
    add_actions(search.pool, flow, amount)
    action, slots = np.flatnonzero(amount), np.flatnonzero(flow > 0)
    return _Done(
        action=action,
        quantity=amount[action],
        need=np.searchsorted(search.pool.first, slots, side="right") - 1,
        item=search.pool.item[slots].astype(np.int64),
        handed=flow[slots] * search.pool.units[slots],
    )


def _solution(problem: Problem, search: _Search, status: Literal["planned", "stopped"]) -> Solution:
    assert search.best_flows is not None
    scale = problem.needs.weight.sum() / len(problem.sites)
    assert search.average is not None
    y = np.append(search.average, 0.0) if search.bound_prices is None else search.bound_prices
    return Solution(_flows(problem, search), search.bound * scale, _named_prices(problem, search, y, scale), status)


def _flows(problem: Problem, search: _Search) -> Flows:
    """Sort the actions by kind and split resources back into sources: stock first, oldest lot first."""
    assert search.best_flows is not None
    action, quantity, need, item, handed = search.best_flows
    layout, actions = search.layout, search.actions
    days, sites, rows = layout.n_days, layout.n_sites, len(layout.offer)
    window = layout.item_last - layout.item_first + 1
    row_item = np.repeat(np.arange(len(window)), window)
    row_day = np.arange(rows) - layout.row[row_item]
    kind = np.searchsorted([actions.batches, actions.draws, actions.taken], action, side="right")
    ship, make, draw, take = (action[kind == k] for k in range(4))
    make, draw = make - actions.batches, draw - actions.draws
    by_resource = np.zeros(layout.nothing)
    by_resource[take - actions.taken] = quantity[kind == 3]
    taken = np.zeros(len(problem.sources.site))
    for source in np.argsort(problem.sources.expires, kind="stable"):
        resource = search.resources.of_source[source]
        taken[source] = min(problem.sources.amount[source], by_resource[resource])
        by_resource[resource] -= taken[source]
    return Flows(
        taken=taken,
        ship_option=ship // rows,
        ship_item=row_item[ship % rows],
        ship_day=row_day[ship % rows],
        ship_quantity=quantity[kind == 0],
        made_plant=make // days,
        made_day=make % days,
        made_batches=quantity[kind == 1],
        hand_site=problem.needs.site[need],
        hand_item=item,
        hand_day=problem.needs.day[need],
        hand_need=need,
        hand_quantity=handed,
        draw_site=draw % sites,
        draw_item=row_item[draw // sites],
        draw_day=row_day[draw // sites],
        draw_quantity=quantity[kind == 2],
    )


def _named_prices(problem: Problem, search: _Search, y: Floats, scale: float) -> Prices:
    """Return the bound's prices under the problem's own names and in its units."""
    layout = search.layout
    sweep(layout, search.levels, y + search.toll, search.labels)

    def of(numbers: Index) -> Floats:
        return np.where(numbers >= 0, y[np.maximum(numbers, 0)], 0.0) * scale

    good = np.full((len(layout.item_good), layout.n_days, layout.n_sites), np.inf)
    for item in range(len(layout.item_good)):
        first, last = layout.item_first[item], layout.item_last[item]
        good[item, first : last + 1] = search.labels.price[layout.row[item] + first : layout.row[item] + last + 1]
    gates = {(site, g): float(of(layout.gate)[g, site]) for site, g in problem.shippable}
    return Prices(
        source=y[search.resources.of_source] * scale,
        lane=of(layout.lane),
        fleet=of(layout.fleet),
        plant=of(layout.plant),
        labour=of(layout.labour),
        storage=of(layout.room),
        shippable=gates,
        good=good * scale,
    )
