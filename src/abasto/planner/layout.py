"""Problem → Layout: the same problem with every capacity as one numbered resource, ready for the compiled kernels.

A *resource* is anything a way uses up: stock, an offer, what may leave a reserve, a fleet's hours on a day, a lane's
tonnes, a plant's batches, a site's labour, its room overnight. Index tables hold the resource's number, OPEN where
nothing limits, and SHUT where nothing may pass.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from abasto.planner.problem import Floats, Problem

__all__ = ["OPEN", "SHUT", "Layout", "Resources", "lay_out", "unsupported"]

OPEN = -1
SHUT = -2

Index = npt.NDArray[np.int32]


class Layout(NamedTuple):
    """Arrays for the kernels. A *row* is an item on a day it can exist; `row[item] + day` is its index in price tables.

    Index tables: `stock` [items, sites], `offer` [rows, sites], `gate` [goods, sites] (what may leave a reserve),
    `fleet` [fleets, days], `lane` [lanes, days], `plant` [plants, days], `labour` [sites, days], `room` [sites, days].
    `late` lists lanes that take at least a day; `quick_start` [sites + 1] and `quick` those that arrive the same day.
    `nothing` is the number of the resource that never ends and costs nothing, the last one.
    """

    n_sites: int
    n_days: int
    item_good: Index
    item_first: Index
    item_last: Index
    row: Index
    fresh: Index
    tonnes: Floats
    stock: Index
    offer: Index
    gate: Index
    fleet: Index
    lane: Index
    plant: Index
    labour: Index
    room: Index
    lane_start: Index
    lane_end: Index
    lane_lead: Index
    late: Index
    quick_start: Index
    quick: Index
    option_start: Index
    option_fleet: Index
    option_hours: Floats
    option_cost: Floats
    option_fuel_good: Index
    option_fuel_site: Index
    option_fuel: Floats
    maker_start: Index
    maker: Index
    plant_site: Index
    plant_hours: Floats
    plant_output: Floats
    input_start: Index
    input_good: Index
    input_quantity: Floats
    item_start: Index
    item_list: Index
    nothing: int


class Resources(NamedTuple):
    """What each resource holds: `capacity` for plans, `ceiling` ≥ capacity for the bound.

    Opening stock fills room from the start. Plans leave that room to it (`capacity`); the bound supposes that it takes
    none (`ceiling`), so it stays a bound however early the stock leaves. `of_source` [sources] numbers the sources.
    """

    capacity: Floats
    ceiling: Floats
    of_source: Index
    is_fleet: npt.NDArray[np.bool_]


def unsupported(problem: Problem) -> list[str]:
    """Return the names of what the problem has and the equilibrium solver does not do; empty if it does it all."""
    found = []
    if (problem.needs.target >= len(problem.goods)).any():
        found.append("nutrients (table requirements)")
    used = {int(recipe) for recipe in problem.plant_recipe}
    if any(len(problem.recipes[recipe][1]) > 1 for recipe in used):
        found.append("byproducts (recipes that make more than one good)")
    if len(problem.needs.weight) and not problem.needs.weight.any():
        found.append("needs that serve nobody (people 0 everywhere)")
    if good_levels(problem) is None:
        found.append("recipe cycles (a good that is made, through others, of itself)")
    return found


def good_levels(problem: Problem) -> list[list[int]] | None:
    """Order goods so that every input stands on an earlier level than what is made of it; None where they circle."""
    used = {int(recipe) for recipe in problem.plant_recipe}
    made_of: dict[int, set[int]] = {}
    for recipe in used:
        inputs, outputs = problem.recipes[recipe]
        for good, _ in outputs:
            made_of.setdefault(good, set()).update(part for part, _ in inputs)
    levels: list[list[int]] = []
    placed: set[int] = set()
    while len(placed) < len(problem.goods):
        level = [g for g in range(len(problem.goods)) if g not in placed and made_of.get(g, set()) <= placed]
        if not level:
            return None
        levels.append(level)
        placed.update(level)
    return levels


class _Numbering:
    """Hands out resource numbers with their capacities."""

    def __init__(self) -> None:
        self.capacity: list[Floats] = []
        self.ceiling: list[Floats] = []
        self.count = 0

    def add(self, capacity: Floats, ceiling: Floats | None = None) -> Index:
        """Number a table of capacities: SHUT where there is none, OPEN where it has no end."""
        ceiling = capacity if ceiling is None else ceiling
        number = np.full(capacity.shape, SHUT, dtype=np.int32)
        number[np.isinf(capacity)] = OPEN
        limited = (capacity > 0) & np.isfinite(capacity)
        number[limited] = self.count + np.arange(limited.sum(), dtype=np.int32)
        self.count += int(limited.sum())
        self.capacity.append(capacity[limited])
        self.ceiling.append(ceiling[limited])
        return number


def lay_out(problem: Problem) -> tuple[Layout, Resources, list[Index]]:
    """Return the layout, its resources, and the items of each level of goods."""
    levels = good_levels(problem)
    assert levels is not None, "refused by `unsupported`"
    n_sites, days, n_items = len(problem.sites), problem.days, len(problem.items.good)
    window = problem.items.last_day - problem.items.first_day + 1
    row = np.concatenate(([0], np.cumsum(window)[:-1])) - problem.items.first_day
    n_rows = int(window.sum())
    numbering = _Numbering()
    source = problem.sources
    lot = (source.item[source.is_stock], source.site[source.is_stock])
    is_offer = ~source.is_stock
    offered = (row[source.item[is_offer]] + source.day[is_offer], source.site[is_offer])
    on_hand = _table((n_items, n_sites), lot, source.amount[source.is_stock])
    stock = numbering.add(on_hand)
    offer = numbering.add(_table((n_rows, n_sites), offered, source.amount[is_offer]))
    of_source = np.empty(len(source.site), dtype=np.int32)
    of_source[source.is_stock], of_source[is_offer] = stock[lot], offer[offered]
    shippable = np.full((len(problem.goods), n_sites), np.inf)
    for (site, good), quantity in problem.shippable.items():
        shippable[good, site] = quantity
    gate = numbering.add(shippable)
    first_fleet = numbering.count
    fleet = numbering.add(problem.fleet_hours)
    last_fleet = numbering.count
    lane = numbering.add(problem.lane_tonnes)
    plant = numbering.add(problem.plant_batches)
    labour = numbering.add(problem.labour_hours)
    free, total = _room(problem, on_hand)
    room = numbering.add(free, total)
    quick_start, quick, late = _lanes_by_lead(problem)
    makers = _makers(problem)
    inputs = [problem.recipes[recipe][0] for recipe in problem.plant_recipe]
    item_start, item_list = _group(problem.items.good, len(problem.goods))
    lane_ends = np.array(problem.lanes, dtype=np.int32).reshape(-1, 2)
    layout = Layout(
        n_sites=n_sites,
        n_days=days,
        item_good=_int(problem.items.good),
        item_first=_int(problem.items.first_day),
        item_last=_int(problem.items.last_day),
        row=_int(row),
        fresh=_int(problem.items.fresh),
        tonnes=_real(problem.good_tonnes),
        stock=stock,
        offer=offer,
        gate=gate,
        fleet=fleet,
        lane=lane,
        plant=plant,
        labour=labour,
        room=room,
        lane_start=lane_ends[:, 0].copy(),
        lane_end=lane_ends[:, 1].copy(),
        lane_lead=_lane_leads(problem),
        late=late,
        quick_start=quick_start,
        quick=quick,
        option_start=_int(np.searchsorted(problem.options.lane, np.arange(len(problem.lanes) + 1))),
        option_fleet=_int(problem.options.fleet),
        option_hours=_real(problem.options.hours),
        option_cost=_real(problem.options.cost),
        option_fuel_good=_int(problem.options.fuel_good),
        option_fuel_site=_int(problem.options.fuel_site),
        option_fuel=_real(problem.options.fuel),
        maker_start=makers[0],
        maker=makers[1],
        plant_site=_int(problem.plant_site),
        plant_hours=_real(problem.plant_hours),
        plant_output=makers[2],
        input_start=_int(np.concatenate(([0], np.cumsum([len(parts) for parts in inputs])))),
        input_good=_int(np.array([good for parts in inputs for good, _ in parts])),
        input_quantity=np.array([quantity for parts in inputs for _, quantity in parts], dtype=np.float64),
        item_start=item_start,
        item_list=item_list,
        nothing=numbering.count,
    )
    is_fleet = np.zeros(numbering.count, dtype=np.bool_)
    is_fleet[first_fleet:last_fleet] = True
    resources = Resources(np.concatenate(numbering.capacity), np.concatenate(numbering.ceiling), of_source, is_fleet)
    return layout, resources, [_int(np.flatnonzero(np.isin(problem.items.good, level))) for level in levels]


def _table(shape: tuple[int, int], place: tuple[npt.NDArray[np.int64], ...], amount: Floats) -> Floats:
    """Return a table of zeros with the amounts added at their places."""
    table = np.zeros(shape)
    np.add.at(table, place, amount)
    return table


def _int(values: npt.NDArray[np.generic]) -> Index:
    return np.ascontiguousarray(values, dtype=np.int32)


def _real(values: Floats) -> Floats:
    """Return the values side by side in memory: kernels are compiled once, for that case."""
    return np.ascontiguousarray(values, dtype=np.float64)


def _group(keys: npt.NDArray[np.int64], count: int) -> tuple[Index, Index]:
    """Return (starts, members): the positions of each key, as compressed lists."""
    order = np.argsort(keys, kind="stable")
    return _int(np.searchsorted(keys[order], np.arange(count + 1))), _int(order)


def _room(problem: Problem, on_hand: Floats) -> tuple[Floats, Floats]:
    """Return the tonnes free at each closing beside the opening stock that may still lie there, and in all.

    A full store keeps a sliver, so that it is not shut to the bound; `settle` cuts what little a plan puts there.
    """
    total = problem.room_t
    free = total.copy()
    for item, good in enumerate(problem.items.good):
        free[:, : problem.items.last_day[item] + 1] -= (on_hand[item] * problem.good_tonnes[good])[:, None]
    sliver = 1e-7 * np.where(np.isfinite(total), total, 0.0)
    return np.maximum(free, sliver), total


def _lane_leads(problem: Problem) -> Index:
    leads = np.zeros(len(problem.lanes), dtype=np.int32)
    leads[problem.options.lane] = problem.options.lead
    return leads


def _lanes_by_lead(problem: Problem) -> tuple[Index, Index, Index]:
    leads = _lane_leads(problem)
    start = np.array([pair[0] for pair in problem.lanes], dtype=np.int64)
    served = np.zeros(len(problem.lanes), dtype=np.bool_)
    served[problem.options.lane] = True
    same_day = np.flatnonzero(served & (leads == 0))
    starts, members = _group(start[same_day], len(problem.sites))
    return starts, _int(same_day[members]), _int(np.flatnonzero(served & (leads > 0)))


def _makers(problem: Problem) -> tuple[Index, Index, Floats]:
    """Return the plants that make each good, as compressed lists, and each plant's output per batch."""
    outputs = [problem.recipes[recipe][1] for recipe in problem.plant_recipe]
    makes = np.array([made[0][0] if made else len(problem.goods) for made in outputs], dtype=np.int64)
    starts, members = _group(makes, len(problem.goods))
    return starts, members, np.array([made[0][1] if made else 1.0 for made in outputs], dtype=np.float64)
