"""How full a plan makes every capacity, day by day: what a claim that something is taken must be true of."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from abasto.planner.lots import LotFlows
from abasto.planner.problem import Floats, Ints, Problem

__all__ = ["Loads"]


class Loads:
    """Shares of capacities that a plan uses: `fleet`, `lane`, `plant`, `labour` [what, days]; 0 where there is no end,
    and 1 where there is no capacity at all.
    """

    def __init__(self, problem: Problem, lots: LotFlows) -> None:
        self._problem, self._lots, options = problem, lots, problem.options
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
        self._offers: dict[tuple[int, int], Ints] = {}

    def stock_used(self, good: int, site: int) -> float:
        """Return the share of a stock on hand that is gone in the end, other than spoiled; 1 if there was none."""
        left, stock = self._left
        there = float(stock[good, site])
        return max(0.0, 1.0 - float(left[good, site]) / there) if there > 0 else 1.0

    def stock(self, good: int, site: int) -> float:
        """Return what is on hand at the start, in the good's unit."""
        return float(self._left[1][good, site])

    def spare(self, full: float) -> npt.NDArray[np.bool_]:
        """Return whether less than the share `full` of each source is used [sources]; of stock, of all of it there."""
        sources, (left, stock) = self._problem.sources, self._left
        good = self._problem.items.good[sources.item]
        rest = left[good, sources.site] / np.maximum(stock[good, sources.site], 1e-300)
        used = np.where(sources.is_stock, 1.0 - rest, self._taken / np.maximum(sources.amount, 1e-300))
        return np.asarray(used < full)

    def left(self, good: int) -> Floats:
        """Return what is left of a good in the end, spoiled or not [sites]."""
        return np.asarray(self._left[0][good])

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
        """Return the share that is taken of what a site can take in of a good [days]; 1 where that is nothing."""
        offers, sources = self.offers(good, site), self._problem.sources
        row = np.zeros(len(offers), dtype=np.int64)
        offered = np.zeros((1, self._problem.days))
        np.add.at(offered, (row, sources.day[offers]), sources.amount[offers])
        return np.asarray(_share(row, sources.day[offers], self._taken[offers], offered)[0])

    def storage(self, site: int) -> Floats:
        """Return the share of a site's store that is taken at the end of each day [days]; 0 where it has no end."""
        room = float(self._problem.storage_t[site])
        if not np.isfinite(room):
            return np.zeros(self._problem.days)
        return self._stored_t(site) / room if room > 0 else np.ones(self._problem.days)

    def reserve(self, good: int, site: int) -> Floats:
        """Return the share that has left, by each day, of what may have left by then beside the reserve [days]."""
        problem, lots, options = self._problem, self._lots, self._problem.options
        free = problem.shippable.get((site, good))
        if free is None:
            return np.zeros(problem.days)
        sent, came = np.zeros(problem.days), np.zeros(problem.days)
        came[0] = free
        shipped, intake = lots.shipped, lots.intake
        mine = lots.lot_good[shipped.lot] == good
        out = mine & (options.start[shipped.what] == site)
        np.add.at(sent, shipped.day[out], shipped.quantity[out])
        arrives = shipped.day + options.lead[shipped.what]
        into = mine & (options.end[shipped.what] == site) & (arrives < problem.days)
        np.add.at(came, arrives[into], shipped.quantity[into])
        taken = (lots.lot_good[intake.lot] == good) & (problem.sources.site[intake.what] == site)
        np.add.at(came, intake.day[taken], intake.quantity[taken])
        where, lot, day, quantity = self._made
        made = (where == site) & (lots.lot_good[lot] == good)
        np.add.at(came, day[made], quantity[made])
        may, did = np.cumsum(came), np.cumsum(sent)
        return np.asarray(np.divide(did, may, out=np.ones(problem.days), where=may > 0))

    @cached_property
    def _made(self) -> tuple[Ints, Ints, Ints, Floats]:
        return self._lots.lots_made(self._problem)

    @cached_property
    def _moves(self) -> tuple[Ints, Ints, Ints, Floats]:
        """Return (site, lot, day, quantity) of all that comes to a site or, below 0, leaves it within the horizon."""
        problem, lots, options, sent = self._problem, self._lots, self._problem.options, self._lots.shipped
        arrives = sent.day + options.lead[sent.what]
        here = arrives < problem.days
        parts = [
            (problem.sources.site[lots.stock.what], lots.stock.lot, lots.stock.day, lots.stock.quantity),
            (problem.sources.site[lots.intake.what], lots.intake.lot, lots.intake.day, lots.intake.quantity),
            self._made,
            (options.end[sent.what[here]], sent.lot[here], arrives[here], sent.quantity[here]),
            (options.start[sent.what], sent.lot, sent.day, -sent.quantity),
            (lots.handed.what, lots.handed.lot, lots.handed.day, -lots.handed.quantity),
            (lots.used.what, lots.used.lot, lots.used.day, -lots.used.quantity),
        ]
        site, lot, day, quantity = (np.concatenate(column) for column in zip(*parts, strict=True))
        return site, lot, day, quantity

    @cached_property
    def _left(self) -> tuple[Floats, Floats]:
        """Return [goods, sites] what is left of each good in the end, spoiled or not, and what was there at first."""
        lots, shape = self._lots, (len(self._problem.goods), len(self._problem.sites))
        left, stock = np.zeros(shape), np.zeros(shape)
        site, lot, _, quantity = self._moves
        np.add.at(left, (lots.lot_good[lot], site), quantity)
        np.add.at(
            stock, (lots.lot_good[lots.stock.lot], self._problem.sources.site[lots.stock.what]), lots.stock.quantity
        )
        return left, stock

    def _stored_t(self, place: int) -> Floats:
        """Return the tonnes at a site at the end of each day [days], without what spoiled."""
        problem, lots = self._problem, self._lots
        site, lot, day, quantity = self._moves
        mine = site == place
        stored = np.zeros(problem.days)
        for one in np.unique(lot[mine]).tolist():
            this = mine & (lot == one)
            closing = np.cumsum(np.bincount(day[this], quantity[this], minlength=problem.days)[: problem.days])
            closing[np.arange(problem.days) >= lots.lot_expires[one]] = 0.0
            stored += np.maximum(0.0, closing) * problem.good_tonnes[lots.lot_good[one]]
        return stored


def _share(what: Ints, day: Ints, used: Floats, capacity: Floats) -> Floats:
    """Return what is used ÷ capacity [what, days]; 0 where there is no end, 1 where there is nothing."""
    total = np.zeros(capacity.shape)
    np.add.at(total, (what, day), used)
    limited = np.isfinite(capacity) & (capacity > 0)
    return np.divide(total, capacity, out=np.where(capacity > 0, 0.0, 1.0), where=limited)
