"""The exact solver: the whole model in HiGHS, best value first, least movement or money second, with a proven bound."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from abasto.errors import SolverError
from abasto.planner.blocks import Entries, Model, model
from abasto.planner.linear import Answer, LinearProgram, Search
from abasto.planner.local import local_flows
from abasto.planner.problem import Floats, Ints, Problem
from abasto.planner.solution import Flows, Prices, Solution
from abasto.planner.sums import summed

__all__ = ["build", "solve"]

Progress = Callable[[str, float | None], None]

VERTEX_DUST, INNER_DUST = 1e-9, 1e-7
"""Flows below this share of a typical quantity are rounding: of simplex, and of interior point."""
FEASIBLE = 1e-5
"""The largest violation, in scaled units, of a point that is still used; `settle` repairs it."""


def build(problem: Problem) -> LinearProgram:
    """Return the whole model of the format as one linear program."""
    return model(problem).program


def solve(
    problem: Problem,
    *,
    gap: float = 0.0,
    deadline: float | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    near: Flows | None = None,
) -> Solution:
    """Return the best plan's flows with a proven bound; `gap` is not used to stop early, the search goes to its end.

    Of the best plans it is the one of least movement, or with `near` the one whose movement and production differ least
    from those flows.
    At the `deadline` (time.monotonic) or when `stop()` turns true, the best flows at hand: at worst those in which
    every site hands over its own stock and intake.
    """
    tell = progress or (lambda stage, gap: None)
    tell("building", None)
    full = model(problem, near)
    if not len(full.program.value):  # nothing can move, be made or be handed over
        return Solution(local_flows(problem), 0.0, _prices(full, None), "planned")
    search = Search(full.program, deadline=deadline, stop=stop)
    tell("solving", None)
    answer = search.most_value()
    bound = problem.full_value
    if answer.duals is not None:
        bound = min(bound, full.program.bound(answer.duals))
    if not _usable(full.program, answer):
        if search.infeasible:
            raise SolverError(_overfull(problem))
        return Solution(local_flows(problem), bound, _prices(full, answer.duals), "stopped")
    assert answer.x is not None
    x = answer.x
    tell("least movement" if near is None else "least change", full.program.gap(x, bound))
    if answer.ended:
        x = _polished(search, x)
    status = "planned" if answer.ended else "stopped"
    x = np.where(x < (VERTEX_DUST if search.simplex else INNER_DUST), 0.0, x)
    return Solution(_flows(full, x), bound, _prices(full, answer.duals), status)  # type: ignore[arg-type]


def _polished(search: Search, x: Floats) -> Floats:
    """Return a point of the same value, best in what is worth too little to be seen beside the rest, then leanest."""
    steps: list[Callable[[Floats], Answer]] = [
        *(partial(search.most_of_the_rest, level=level) for level in range(1, search.levels)),
        search.least_effort,
    ]
    for step in steps:
        if search.time_is_up():
            return x
        answer = step(x)
        if not _usable(search.program, answer) or answer.x is None or not answer.ended:
            return x
        x = answer.x
    return x


def _usable(program: LinearProgram, answer: Answer) -> bool:
    return answer.x is not None and program.violation(answer.x) <= FEASIBLE


def _overfull(problem: Problem) -> str:
    """Say why no plan exists: the only rows that doing nothing can break are those of storage."""
    held = np.zeros(len(problem.sites))
    stock = problem.sources.is_stock
    tonnes = problem.sources.amount * problem.good_tonnes[problem.items.good[problem.sources.item]]
    np.add.at(held, problem.sources.site[stock], tonnes[stock])
    full = [
        f"{problem.sites[site]} ({held[site]:,.1f} t on hand, room for {problem.storage_t[site]:,.1f} t)"
        for site in np.flatnonzero(held > problem.storage_t).tolist()
    ]
    return (
        f"no plan exists: more lies at {', '.join(full) or 'some sites'} than may be stored and it cannot all be used "
        "or moved away on day 1; raise storage_t in table sites or correct the stock"
    )


def _flows(full: Model, x: Floats) -> Flows:
    """Read the flows back, in natural units; kept twins count as their item, stock counts as taken whole."""
    program, nodes, problem = full.program, full.nodes, full.problem
    taken = np.where(problem.sources.is_stock, problem.sources.amount, 0.0)
    taken[program.columns["taken"].labels["source"]] = program.natural(x, "taken")
    amount = x * program.column_scale

    def per_node(entries: Entries) -> tuple[list[Ints], Floats]:
        node = entries.node
        keys = [nodes.site[node], nodes.item[node], nodes.day[node], entries.need]
        return summed(keys, amount[entries.column] * entries.quantity)

    (hand_site, hand_item, hand_day, hand_need), handed = per_node(full.handed)
    (draw_site, draw_item, draw_day, _), drawn = per_node(full.drawn)
    shipped, batches = program.natural(x, "ship"), program.natural(x, "batches")
    ship, made = program.columns["ship"].labels, program.columns["batches"].labels
    return Flows(
        taken=taken,
        ship_option=ship["option"][shipped > 0],
        ship_item=ship["item"][shipped > 0],
        ship_day=ship["day"][shipped > 0],
        ship_quantity=shipped[shipped > 0],
        made_plant=made["plant"][batches > 0],
        made_day=made["day"][batches > 0],
        made_batches=batches[batches > 0],
        hand_site=hand_site,
        hand_item=hand_item,
        hand_day=hand_day,
        hand_need=hand_need,
        hand_quantity=handed,
        draw_site=draw_site,
        draw_item=draw_item,
        draw_day=draw_day,
        draw_quantity=drawn,
    )


def _prices(full: Model, duals: Floats | None) -> Prices:
    """Return the duals as prices per natural unit, zero where a capacity has no row or nothing is known."""
    problem, program, nodes = full.problem, full.program, full.nodes
    days, sites = problem.days, len(problem.sites)
    if duals is None:
        duals = np.zeros(len(program.row_upper))
    gain = np.maximum(0.0, program.value - program.matrix.T @ duals) * program.value_scale / program.column_scale

    def by_day(name: str, count: int) -> Floats:
        prices = np.zeros((count, days))
        if name in program.rows:
            labels = program.rows[name].labels
            prices[labels[name], labels["day"]] = program.price(duals, name)
        return prices

    balance = program.price(duals, "balance")
    good = np.full((len(problem.items.good), days, sites), np.inf)
    for twins in (nodes.kept, ~nodes.kept):  # where both exist, what may be shipped gives the price
        good[nodes.item[twins], nodes.day[twins], nodes.site[twins]] = balance[twins]
    sources = problem.sources
    source = good[sources.item, sources.day, sources.site]
    source = np.where(np.isfinite(source), source, 0.0)
    taken = program.columns["taken"]
    source[taken.labels["source"]] = gain[taken.slice]
    plant = np.zeros((len(problem.plant_site), days))
    batches = program.columns["batches"]
    plant[batches.labels["plant"], batches.labels["day"]] = gain[batches.slice]
    reserve = program.rows["shippable"].labels
    places = zip(reserve["site"].tolist(), reserve["good"].tolist(), strict=True)
    return Prices(
        source=source,
        lane=by_day("lane", len(problem.lanes)),
        fleet=by_day("fleet", len(problem.fleets)),
        plant=plant,
        labour=by_day("labour", sites),
        storage=by_day("storage", sites),
        shippable=dict(zip(places, program.price(duals, "shippable").tolist(), strict=True)),
        good=good,
    )
