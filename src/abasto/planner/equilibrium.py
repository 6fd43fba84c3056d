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
from datetime import date
from functools import cache
from typing import Literal

import numpy as np

from abasto.network import Fleet, Good, Lane, Need, Network, Site, Stock
from abasto.planner.equilibrate import worth_of
from abasto.planner.layout import Index, unsupported
from abasto.planner.look import look
from abasto.planner.problem import Floats, Problem, build_problem, tier_values
from abasto.planner.search import Search, advance, neglects, polish, repair, resume, scale_of, start_search, tighten
from abasto.planner.solution import Flows, Prices, Reckoning, Solution
from abasto.planner.sweep import sweep
from abasto.planner.warm import Warm, fits, keep
from abasto.planner.ways import grow_pool

__all__ = ["look", "prepare", "reckon", "solve", "unsupported"]

REPAIR_EVERY = 4
"""Rounds between two repairs."""
EARLY_REPAIRS = (1, 2)
"""Rounds that end with a repair where a search starts warm: often little has changed."""
WARM_UP = (0.0, 1.0, 2.0)
WARM_ROUNDS = 4
"""Rounds spent on each smaller fairness first: flat values settle sooner and give the steep ones good prices."""
LONGER = 3
"""A search that is to prove more than its gap lasts at most so many times as long as to reach it."""
PATIENCE = 100
"""Rounds without the gap shrinking by a twentieth after which the search ends."""


def solve(
    problem: Problem,
    *,
    gap: float = 0.01,
    deadline: float | None = None,
    progress: Callable[[str, float | None], None] | None = None,
    stop: Callable[[], bool] | None = None,
    warm: Warm | None = None,
) -> Solution:
    """Plan `problem` until the proven gap is at most `gap`, the clock passes `deadline`, `stop()` is true, or the gap
    no longer shrinks; from `warm`, what an earlier search knew, where that fits.
    """
    search, ended, _ = _find(
        problem, gap=gap, deadline=deadline, progress=progress, stop=stop, warm=warm, go_on=neglects, longer=2
    )
    polish(search)
    return _solution(problem, search, "planned" if ended else "stopped")


def reckon(
    problem: Problem,
    *,
    gap: float = 0.01,
    deadline: float | None = None,
    stop: Callable[[], bool] | None = None,
    warm: Warm | None = None,
    resumable: bool = False,
    finer: float = 1.0,
    enough: float = np.inf,
) -> Reckoning:
    """Return what `solve` would prove of a plan's worth, without the plan; `warm` only if it is to be `resumable`.

    The search also ends when a plan is found whose objective is `enough`, whatever its gap.
    When the gap is reached the search may go on, at most LONGER times as long in all, for one `finer` times smaller.
    """

    def coarse(search: Search) -> bool:
        return search.bound - search.best > gap / finer * search.best

    enough /= scale_of(problem)
    search, _, rounds = _find(
        problem, gap=gap, deadline=deadline, stop=stop, warm=warm, go_on=coarse, longer=LONGER, enough=enough
    )
    scale, y = scale_of(problem), _prices_of(search)
    kept = None
    if resumable:
        search.pool.flow[:] = repair(search)
        kept = keep(problem, search.layout, search.actions, y[:-1] * scale, search.pool)
    return Reckoning(
        value=float(worth_of(search.wants, search.best_filled, search.tier)) * scale,
        bound=search.bound * scale,
        coverage=np.minimum(1.0, search.best_filled / search.wants.amount),
        prices=_named_prices(problem, search, y, scale),
        warm=kept,
        rounds=rounds,
    )


def _find(
    problem: Problem,
    *,
    gap: float,
    deadline: float | None,
    progress: Callable[[str, float | None], None] | None = None,
    stop: Callable[[], bool] | None,
    warm: Warm | None,
    go_on: Callable[[Search], bool],
    longer: int,
    enough: float = np.inf,
) -> tuple[Search, bool, int]:
    """Search until the gap is reached, the time is up, or nothing gets better; return whether it was reached, and after
    how many rounds the search ended. When it is reached and `go_on`, the search lasts up to `longer` times as long.
    """
    search = start_search(problem)
    warm_up = [tier_values(fairness) for fairness in WARM_UP if fairness < problem.fairness for _ in range(WARM_ROUNDS)]
    early: tuple[int, ...] = ()
    if warm is not None and fits(warm, search.layout):
        resume(search, problem, warm)
        warm_up, early = [], EARLY_REPAIRS
    rounds, since, reached, least = 0, 0, sys.maxsize, np.inf
    while True:
        advance(search, warm_up[rounds] if rounds < len(warm_up) else search.tier, first=rounds == 0)
        rounds += 1
        ends = (deadline is not None and time.monotonic() > deadline) or (stop is not None and stop())
        if rounds % REPAIR_EVERY == 0 or rounds in early or ends:
            tighten(search)
            repair(search)
            left = search.bound - search.best
            share = left / search.best if search.best > 0 else float(left > 0)
            if progress is not None:
                progress("equilibrium", share)
            if search.best >= enough:
                break
            if share <= gap:
                reached = min(reached, rounds)
                if rounds >= longer * reached or not go_on(search):
                    break
            elif share < 0.95 * least:
                least, since = share, rounds
            elif rounds - since >= PATIENCE:
                break
            search.pool = grow_pool(search.pool)
        if ends:
            break
    return search, reached < sys.maxsize, rounds


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
    problem = build_problem(trial)
    warm = solve(problem, gap=0.1).warm
    assert warm is not None
    look(problem, warm)
    solve(problem, gap=0.1, warm=warm)


def _prices_of(search: Search) -> Floats:
    """Return the prices [resources, and 0 for the one that never ends] of the best bound."""
    assert search.average is not None
    return np.append(search.average, 0.0) if search.bound_prices is None else search.bound_prices


def _solution(problem: Problem, search: Search, status: Literal["planned", "stopped"]) -> Solution:
    scale, y = scale_of(problem), _prices_of(search)
    return Solution(
        _flows(problem, search),
        search.bound * scale,
        _named_prices(problem, search, y, scale),
        status,
        keep(problem, search.layout, search.actions, y[:-1] * scale, search.pool),
    )


def _flows(problem: Problem, search: Search) -> Flows:
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


def _named_prices(problem: Problem, search: Search, y: Floats, scale: float) -> Prices:
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
