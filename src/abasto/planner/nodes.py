"""Where and when each item can be at all: the nodes (label, day, site) of the exact model, and the moves between them.

A *label* is an item, or an item's *kept* twin: stock under a reserve that may be used at its site but never shipped.
Twins have the item's index plus the number of items. Only nodes that something can reach are built.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from abasto.planner.problem import Ints, Problem

__all__ = ["Nodes", "find_nodes"]

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Nodes:
    """`at` [labels, days, sites] is a node's index or −1; `label`, `day`, `site`, `item`, `good`, `kept` describe each.

    `ship_option`, `ship_item`, `ship_day` list the shipments that are possible, `made_plant`, `made_day` the batches.
    `reserved` {(site, good)} are those whose stock is split into a kept and a shippable part.
    """

    at: Ints
    label: Ints
    day: Ints
    site: Ints
    item: Ints
    good: Ints
    kept: Bools
    ship_option: Ints
    ship_item: Ints
    ship_day: Ints
    made_plant: Ints
    made_day: Ints
    reserved: Bools

    def __len__(self) -> int:
        return len(self.label)


def find_nodes(problem: Problem) -> Nodes:
    """Return every node that stock, intake, arrivals or production can reach within the horizon."""
    reach = _Reach(problem)
    ships, made = [], []
    for day in range(problem.days):
        reach.open_day(day)
        ships.append(reach.send(day))
        made.append(reach.made(day))
    label, day_, site = np.nonzero(reach.there)
    at = np.full(reach.there.shape, -1, dtype=np.int64)
    at[label, day_, site] = np.arange(len(label))
    item = label % reach.n_items
    ship_item, ship_option, ship_day = (np.concatenate(part) for part in zip(*ships, strict=True))
    made_plant, made_day = (np.concatenate(part) for part in zip(*made, strict=True))
    return Nodes(
        at=at,
        label=label,
        day=day_,
        site=site,
        item=item,
        good=problem.items.good[item],
        kept=label >= reach.n_items,
        ship_option=ship_option,
        ship_item=ship_item,
        ship_day=ship_day,
        made_plant=made_plant,
        made_day=made_day,
        reserved=reach.reserved,
    )


def _wanted(problem: Problem) -> Bools:
    """Return which goods can matter: all where storage is limited (they take room), else those somebody can use."""
    goods = len(problem.goods)
    wanted = np.zeros(goods, dtype=np.bool_)
    if np.isfinite(problem.storage_t).any():
        wanted[:] = True
    for target in np.unique(problem.needs.target).tolist():
        if target < goods:
            wanted[[good for good, _ in problem.serves[target]]] = True
        else:
            wanted |= problem.content[target - goods] > 0
    for inputs, _ in problem.recipes:
        wanted[[good for good, _ in inputs]] = True
    fuels = problem.options.fuel_good
    wanted[fuels[fuels >= 0]] = True
    return wanted


class _Reach:
    """Sweeps the days forward; `there` [labels, days, sites] grows as moves reach more nodes."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.items = problem.items
        self.n_items = len(problem.items.good)
        self.wanted = _wanted(problem)
        self.last_day = problem.items.last_day
        sources = problem.sources
        good = self.items.good[sources.item]
        held = np.zeros((len(problem.sites), len(problem.goods)))
        np.add.at(held, (sources.site[sources.is_stock], good[sources.is_stock]), sources.amount[sources.is_stock])
        left = np.full(held.shape, np.inf)
        for place, quantity in problem.shippable.items():
            left[place] = quantity
        self.reserved = left < held
        labels = self.n_items * (2 if self.reserved.any() else 1)
        self.there = np.zeros((labels, problem.days, len(problem.sites)), dtype=np.bool_)
        self.label_good = np.tile(self.items.good, labels // self.n_items)
        self._by_good = np.argsort(self.label_good, kind="stable")
        self._first_of_good = np.searchsorted(self.label_good[self._by_good], np.arange(len(problem.goods)))
        split = sources.is_stock & self.reserved[sources.site, good]
        free = self.wanted[good] & (~split | (left[sources.site, good] > 0))
        self.there[sources.item[free], sources.day[free], sources.site[free]] = True
        split &= self.wanted[good]
        self.there[self.n_items + sources.item[split], 0, sources.site[split]] = True
        options = problem.options
        hours = problem.fleet_hours[options.fleet]
        self.runs = (problem.lane_tonnes[options.lane] > 0) & (hours > 0)

    def goods_there(self, day: int) -> Bools:
        """Return [goods, sites]: whether any lot of a good can be there on the day."""
        return np.asarray(np.logical_or.reduceat(self.there[self._by_good, day], self._first_of_good, axis=0))

    def open_day(self, day: int) -> None:
        """Carry over from the day before, then repeat same-day moves and production until nothing new is reached."""
        if day:
            labels_last = np.resize(self.last_day, len(self.there))
            self.there[:, day] |= self.there[:, day - 1] & (labels_last >= day)[:, None]
        before = -1
        while before != (count := int(np.count_nonzero(self.there[:, day]))):
            before = count
            self.move_within(day)
            for plant in self.made(day)[0].tolist():
                site, recipe = self.problem.plant_site[plant], self.problem.plant_recipe[plant]
                outputs = [good for good, _ in self.problem.recipes[recipe][1] if self.wanted[good]]
                self.there[self.items.fresh[outputs, day], day, site] = True

    def usable(self, day: int) -> Ints:
        """Return the options that can run on the day: lane open and vehicles at work.

        Fuel is left to the balances: a trip may run on what it brings the same day.
        """
        return np.flatnonzero(self.runs[:, day])

    def move_within(self, day: int) -> None:
        """Spread along lanes without lead time until nothing new is reached."""
        options = self.problem.options
        usable = self.usable(day)
        usable = usable[options.lead[usable] == 0]
        usable = usable[np.argsort(options.end[usable], kind="stable")]
        if not len(usable):
            return
        ends, first = np.unique(options.end[usable], return_index=True)
        now = self.there[: self.n_items, day]
        before = -1
        while before != (count := int(np.count_nonzero(now))):
            before = count
            now[:, ends] |= np.logical_or.reduceat(now[:, options.start[usable]], first, axis=1)

    def send(self, day: int) -> tuple[Ints, Ints, Ints]:
        """Return the shipments (item, option, day) that can leave on the day, and mark where the later ones arrive."""
        options = self.problem.options
        usable = self.usable(day)
        arrives = day + options.lead[usable]
        usable, arrives = usable[arrives < self.problem.days], arrives[arrives < self.problem.days]
        can = self.there[: self.n_items, day][:, options.start[usable]] & (self.last_day[:, None] >= arrives)
        item, which = np.nonzero(can)
        option = usable[which]
        self.there[item, arrives[which], options.end[option]] = True
        return item, option, np.full(len(item), day)

    def made(self, day: int) -> tuple[Ints, Ints]:
        """Return the plants whose inputs can be there on the day, and the day."""
        goods = self.goods_there(day)
        can = [
            plant
            for plant in np.flatnonzero(self.problem.plant_batches[:, day] > 0).tolist()
            if all(
                goods[good, self.problem.plant_site[plant]]
                for good, _ in self.problem.recipes[self.problem.plant_recipe[plant]][0]
            )
        ]
        return np.array(can, dtype=np.int64), np.full(len(can), day)
