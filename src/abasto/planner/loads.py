"""How full a plan makes every capacity, day by day: what a claim that something is taken must be true of."""

from __future__ import annotations

import numpy as np

from abasto.planner.lots import LotFlows
from abasto.planner.problem import Floats, Ints, Problem

__all__ = ["Loads"]


class Loads:
    """Shares of capacities that a plan uses: `fleet`, `lane`, `plant`, `labour` [what, days]; 0 where there is none."""

    def __init__(self, problem: Problem, lots: LotFlows) -> None:
        self._problem, options = problem, problem.options
        shipped = lots.shipped
        tonnes = shipped.quantity * problem.good_tonnes[lots.lot_good[shipped.lot]]
        hours = tonnes * options.hours[shipped.what]
        self.lane = _share(options.lane[shipped.what], shipped.day, tonnes, problem.lane_tonnes)
        self.fleet = _share(options.fleet[shipped.what], shipped.day, hours, problem.fleet_hours)
        work = lots.made_batches * problem.plant_hours[lots.made_plant]
        self.plant = _share(lots.made_plant, lots.made_day, lots.made_batches, problem.plant_batches)
        self.labour = _share(problem.plant_site[lots.made_plant], lots.made_day, work, problem.labour_hours)
        self._taken = np.zeros(len(problem.sources.site))
        np.add.at(self._taken, lots.intake.what, lots.intake.quantity)
        self._left, self._stock = _left(problem, lots)
        self._offers: dict[tuple[int, int], Ints] = {}

    def stock_used(self, good: int, site: int) -> float:
        """Return the share of a stock on hand that is gone in the end, other than spoiled."""
        stock = float(self._stock[good, site])
        return max(0.0, 1.0 - float(self._left[good, site]) / stock) if stock > 0 else 1.0

    def offers(self, good: int, site: int) -> Ints:
        """Return the sources that are offers of a good at a site."""
        if not self._offers:
            sources = self._problem.sources
            offers = np.flatnonzero(~sources.is_stock)
            key = self._problem.items.good[sources.item[offers]] * len(self._problem.sites) + sources.site[offers]
            order = np.argsort(key, kind="stable")
            places, first = np.unique(key[order], return_index=True)
            for place, part in zip(places.tolist(), np.split(offers[order], first[1:]), strict=True):
                self._offers[divmod(place, len(self._problem.sites))] = part
        return self._offers.get((good, site), np.zeros(0, dtype=np.int64))

    def supply(self, good: int, site: int) -> Floats:
        """Return the share that is taken of what a site can take in of a good [days]."""
        offers, sources = self.offers(good, site), self._problem.sources
        row = np.zeros(len(offers), dtype=np.int64)
        offered = np.zeros((1, self._problem.days))
        np.add.at(offered, (row, sources.day[offers]), sources.amount[offers])
        return np.asarray(_share(row, sources.day[offers], self._taken[offers], offered)[0])


def _left(problem: Problem, lots: LotFlows) -> tuple[Floats, Floats]:
    """Return [goods, sites] what is left of each good in the end, spoiled or not, and what was on hand at the start."""
    left = np.zeros((len(problem.goods), len(problem.sites)))
    sources, options, shipped = problem.sources, problem.options, lots.shipped
    np.add.at(left, (lots.lot_good[lots.stock.lot], sources.site[lots.stock.what]), lots.stock.quantity)
    stock = left.copy()
    np.add.at(left, (lots.lot_good[lots.intake.lot], sources.site[lots.intake.what]), lots.intake.quantity)
    site, lot, _, made = lots.lots_made(problem)
    np.add.at(left, (lots.lot_good[lot], site), made)
    in_time = shipped.day + options.lead[shipped.what] < problem.days
    arrived = lots.lot_good[shipped.lot[in_time]], options.end[shipped.what[in_time]]
    np.add.at(left, arrived, shipped.quantity[in_time])
    np.add.at(left, (lots.lot_good[shipped.lot], options.start[shipped.what]), -shipped.quantity)
    for moved in (lots.handed, lots.used):
        np.add.at(left, (lots.lot_good[moved.lot], moved.what), -moved.quantity)
    return left, stock


def _share(what: Ints, day: Ints, used: Floats, capacity: Floats) -> Floats:
    total = np.zeros(capacity.shape)
    np.add.at(total, (what, day), used)
    limited = np.isfinite(capacity) & (capacity > 0)
    return np.divide(total, capacity, out=np.zeros(capacity.shape), where=limited)
