"""Flows of items → flows of real lots, each with its own last date.

An item that lasts to the end of the horizon may hold lots of several dates, and the format says that recipes and trips
use up the oldest lots left at the end of a day, which need not be those the solver drew. So lots are named in the order
of time: what is shipped or handed over takes its item's oldest lots, then recipes and trips take the oldest of all, and
what stays is labelled anew so that every later flow still finds a lot that lasts at least as long as planned.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

import numpy as np

from abasto.planner.problem import NEVER, Floats, Ints, Problem
from abasto.planner.solution import Flows

__all__ = ["LotFlows", "Movement", "name_lots"]

KNOWN = 1e-7
"""A lot that is known to be the one that moves holds all of it if it lacks no more than this share, and as much in its
unit: tables are written with rounding.
"""
DUST = 1e-9
"""Movements below this, in the good's unit and as a share of the largest of that good, are rounding."""


@dataclass(frozen=True)
class Movement:
    """Quantities of lots that move, as parallel arrays: `what` is an option, site or source, `need` a need or −1."""

    what: Ints
    lot: Ints
    day: Ints
    need: Ints
    quantity: Floats


@dataclass(frozen=True)
class LotFlows:
    """A plan's flows lot by lot. `lot_good`, `lot_expires` [lots]: the good and the last day (from 1; NEVER) of a lot.

    `stock` and `intake` are what is there at the start and taken in (`what` is the source), `shipped` (an option),
    `handed` and `used` (a site); `made` is batches: `made_plant`, `made_day`, `made_batches`.
    """

    lot_good: Ints
    lot_expires: Ints
    stock: Movement
    intake: Movement
    shipped: Movement
    handed: Movement
    used: Movement
    made_plant: Ints
    made_day: Ints
    made_batches: Floats

    def lots_made(self, problem: Problem) -> tuple[Ints, Ints, Ints, Floats]:
        """Return (site, lot, day, quantity) of everything the batches make."""
        no = np.zeros(0, dtype=np.int64)
        parts: list[tuple[Ints, Ints, Ints, Floats]] = [(no, no, no, np.zeros(0))]
        recipe = problem.plant_recipe[self.made_plant]
        for r, (_, outputs) in enumerate(problem.recipes):
            mine = recipe == r
            site, day = problem.plant_site[self.made_plant[mine]], self.made_day[mine]
            for good, quantity in outputs:
                lot = find_lots(
                    self.lot_good, self.lot_expires, np.full(len(day), good), fresh_until(problem, good, day)
                )
                parts.append((site, lot, day, self.made_batches[mine] * quantity))
        sites, lots, days, quantities = (np.concatenate(part) for part in zip(*parts, strict=True))
        return sites, lots, days, quantities.astype(np.float64)


def fresh_until(problem: Problem, good: int, day: Ints) -> Ints:
    """Return the last day (from 1) of what is made of a good on a day (from 0)."""
    life = problem.lifetime(good)
    return np.full(len(day), NEVER) if life is None else day + 1 + life


def find_lots(lot_good: Ints, lot_expires: Ints, good: Ints, expires: Ints) -> Ints:
    """Return the lots' indices; lots are sorted by good and then by last day."""
    found = np.empty(len(good), dtype=np.int64)
    for one in np.unique(good).tolist():
        first, last = np.searchsorted(lot_good, [one, one + 1])
        mine = good == one
        found[mine] = first + np.searchsorted(lot_expires[first:last], expires[mine])
    return found


def name_lots(problem: Problem, flows: Flows, *, dates: tuple[Ints, Ints] | None = None) -> LotFlows:
    """Return the flows with real lots; the flows must be settled (`settle`).

    `dates` are the last days (from 1) of the lots that shipments and deliveries are of already, 0 where that is open:
    these take such a lot before all others of their item.
    """
    lot_good, lot_expires = _all_lots(problem)
    items, sources = problem.items, problem.sources
    source_lot = find_lots(lot_good, lot_expires, items.good[sources.item], sources.expires)
    stock = np.flatnonzero(sources.is_stock)
    taken = np.flatnonzero(~sources.is_stock & (flows.taken > 0))
    lots_of = np.bincount(lot_good, minlength=len(problem.goods))
    only = np.searchsorted(lot_good, np.arange(len(problem.goods)))
    naming = _Naming(problem, flows, source_lot, lot_good, lot_expires)
    if dates is not None:
        naming.ship_lot, naming.hand_lot = (
            naming.lots_of(*pair) for pair in zip((flows.ship_item, flows.hand_item), dates, strict=True)
        )
    for good in np.flatnonzero(lots_of > 1).tolist():
        naming.name_good(good)

    def named(item: Ints, quantity: Floats, later: _Pieces, what: Ints, day: Ints, need: Ints | None) -> Movement:
        """Goods with a single lot need no loop; the pieces of the others follow them."""
        plain = (lots_of[items.good[item]] == 1) & (quantity > 0)
        flow, lot, pieces = later.arrays()
        where = np.concatenate([np.flatnonzero(plain), flow])
        return Movement(
            what=what[where],
            lot=np.concatenate([only[items.good[item[plain]]], lot]),
            day=day[where],
            need=np.full(len(where), -1) if need is None else need[where],
            quantity=np.concatenate([quantity[plain], pieces]),
        )

    ship, hand, draw = flows.ship_quantity, flows.hand_quantity, flows.draw_quantity
    shipped = named(flows.ship_item, ship, naming.shipped, flows.ship_option, flows.ship_day, None)
    handed = named(flows.hand_item, hand, naming.handed, flows.hand_site, flows.hand_day, flows.hand_need)
    used = named(flows.draw_item, draw, naming.used, flows.draw_site, flows.draw_day, None)
    intake = _given(taken, source_lot, sources.day, flows.taken)
    some = flows.made_batches > 0
    return LotFlows(
        lot_good=lot_good,
        lot_expires=lot_expires,
        stock=_given(stock, source_lot, sources.day, sources.amount),
        intake=_without_dust(intake, lot_good),
        shipped=_without_dust(shipped, lot_good),
        handed=_without_dust(handed, lot_good),
        used=_without_dust(used, lot_good),
        made_plant=flows.made_plant[some],
        made_day=flows.made_day[some],
        made_batches=flows.made_batches[some],
    )


def _given(source: Ints, lot: Ints, day: Ints, quantity: Floats) -> Movement:
    return Movement(source, lot[source], day[source], np.full(len(source), -1), quantity[source])


def _without_dust(moved: Movement, lot_good: Ints) -> Movement:
    """Leave out what splitting flows into lots leaves of rounding."""
    good = lot_good[moved.lot]
    largest = np.zeros(int(lot_good.max(initial=0)) + 1)
    np.maximum.at(largest, good, moved.quantity)
    some = moved.quantity > DUST * np.minimum(1.0, largest[good])
    return Movement(moved.what[some], moved.lot[some], moved.day[some], moved.need[some], moved.quantity[some])


def _all_lots(problem: Problem) -> tuple[Ints, Ints]:
    """Return the good and last day of every lot there can be, sorted."""
    sources = problem.sources
    good = [problem.items.good[sources.item]]
    expires = [sources.expires]
    days = np.arange(problem.days)
    made = {output for recipe in np.unique(problem.plant_recipe).tolist() for output, _ in problem.recipes[recipe][1]}
    for one in [*made, *range(len(problem.goods))]:
        good.append(np.full(problem.days, one))
        expires.append(fresh_until(problem, one, days) if one in made else np.full(problem.days, NEVER))
    seen = np.unique(np.stack([np.concatenate(good), np.concatenate(expires)]), axis=1)
    spoils = np.array([problem.lifetime(g) is not None for g in range(len(problem.goods))], dtype=np.bool_)
    useless = (seen[1] == NEVER) & spoils[seen[0]] & (np.bincount(seen[0])[seen[0]] > 1)
    return seen[0, ~useless], seen[1, ~useless]


@dataclass
class _Pieces:
    """Parts of flows with their lots, collected in lists."""

    flow: list[int] = field(default_factory=list)
    lot: list[int] = field(default_factory=list)
    quantity: list[float] = field(default_factory=list)

    def add(self, flow: int, taken: list[tuple[int, float]]) -> None:
        for lot, quantity in taken:
            self.flow.append(flow)
            self.lot.append(lot)
            self.quantity.append(quantity)

    def arrays(self) -> tuple[Ints, Ints, Floats]:
        return np.array(self.flow, dtype=np.int64), np.array(self.lot, dtype=np.int64), np.array(self.quantity)


Shelf = list[list[float]]
"""Lots of one label at a site, as [lot, quantity] with the oldest first."""
SURPLUS = -1
"""The label of lots that outlive the item they were planned as: still there, and used up if they are the oldest."""


def _take(shelf: Shelf, wanted: float, first: int = -1) -> list[tuple[int, float]]:
    """Take from lot `first` and then from the oldest lots; less than wanted only by rounding."""
    taken = []
    if first >= 0:
        place = next((at for at, (lot, _) in enumerate(shelf) if lot == first), -1)
        if place >= 0:
            quantity = shelf[place][1]
            part = wanted if quantity >= wanted * (1 - KNOWN) - KNOWN else quantity
            if quantity <= part:
                shelf.pop(place)
            else:
                shelf[place][1] = quantity - part
            taken.append((first, part))
            wanted -= part
    while wanted > 0 and shelf:
        lot, quantity = shelf[0]
        if quantity <= wanted:
            shelf.pop(0)
            taken.append((int(lot), quantity))
        else:
            shelf[0][1] = quantity - wanted
            taken.append((int(lot), wanted))
        wanted -= taken[-1][1]
    return taken


def _put(shelf: Shelf, lot: int, quantity: float) -> None:
    """Put a lot on a shelf in its place."""
    place = len(shelf)
    while place and shelf[place - 1][0] > lot:
        place -= 1
    if place and shelf[place - 1][0] == lot:
        shelf[place - 1][1] += quantity
    else:
        shelf.insert(place, [lot, quantity])


class _Naming:
    """Goes through the days of one good after the other; `shelves` [site] maps labels (items) to shelves."""

    def __init__(self, problem: Problem, flows: Flows, source_lot: Ints, lot_good: Ints, lot_expires: Ints) -> None:
        self.problem, self.flows = problem, flows
        self.source_lot, self.lot_good, self.lot_expires = source_lot, lot_good, lot_expires
        self.shipped, self.handed, self.used = _Pieces(), _Pieces(), _Pieces()
        self.good_of = problem.items.good
        self.ship_start = problem.options.start[flows.ship_option]
        self.ship_end = problem.options.end[flows.ship_option]
        self.ship_lead = problem.options.lead[flows.ship_option]
        self.ship_lot, self.hand_lot = np.full(len(flows.ship_item), -1), np.full(len(flows.hand_item), -1)

    def lots_of(self, item: Ints, expires: Ints) -> Ints:
        """Return the lots of items with these last days, −1 where there is none."""
        known = zip(self.lot_good.tolist(), self.lot_expires.tolist(), strict=True)
        number = {pair: lot for lot, pair in enumerate(known)}
        pairs = zip(self.good_of[item].tolist(), expires.tolist(), strict=True)
        return np.array([number.get(pair, -1) for pair in pairs], dtype=np.int64)

    def name_good(self, good: int) -> None:
        problem, flows = self.problem, self.flows
        self.shelves: dict[int, dict[int, Shelf]] = defaultdict(lambda: defaultdict(list))
        self.arriving: list[list[tuple[int, int, int, float]]] = [[] for _ in range(problem.days)]
        self._schedule_inflow(good)
        sends = self._by_day(flows.ship_day, self.good_of[flows.ship_item] == good, flows.ship_quantity)
        hands = self._by_day(flows.hand_day, self.good_of[flows.hand_item] == good, flows.hand_quantity)
        draws = self._by_day(flows.draw_day, self.good_of[flows.draw_item] == good, flows.draw_quantity)
        for day in range(problem.days):
            if day:
                self._spoil(day)
            for site, item, lot, quantity in self.arriving[day]:
                _put(self.shelves[site][item], lot, quantity)
            self._send_and_hand_over(day, sends[day], hands[day])
            self._use_oldest(draws[day])

    def _by_day(self, day: Ints, mine: np.ndarray, quantity: Floats) -> list[list[int]]:
        days: list[list[int]] = [[] for _ in range(self.problem.days)]
        chosen = np.flatnonzero(mine & (quantity > 0))
        for flow, when in zip(chosen.tolist(), day[chosen].tolist(), strict=True):
            days[when].append(flow)
        return days

    def _schedule_inflow(self, good: int) -> None:
        """Put stock, intake and production on the list of what arrives each day."""
        problem, flows, sources = self.problem, self.flows, self.problem.sources
        mine = np.flatnonzero(self.good_of[sources.item] == good)
        on_hand = np.where(sources.is_stock, sources.amount, flows.taken)
        for source in mine[on_hand[mine] > 0].tolist():
            entry = (
                int(sources.site[source]),
                int(sources.item[source]),
                int(self.source_lot[source]),
                on_hand[source],
            )
            self.arriving[int(sources.day[source])].append(entry)
        for recipe, (_, outputs) in enumerate(problem.recipes):
            for made, quantity in outputs:
                if made != good:
                    continue
                batch = np.flatnonzero((problem.plant_recipe[flows.made_plant] == recipe) & (flows.made_batches > 0))
                day = flows.made_day[batch]
                goods = np.full(len(day), good)
                lots = find_lots(self.lot_good, self.lot_expires, goods, fresh_until(problem, good, day))
                for one, when, lot in zip(batch.tolist(), day.tolist(), lots.tolist(), strict=True):
                    site, item = int(problem.plant_site[flows.made_plant[one]]), int(problem.items.fresh[good, when])
                    self.arriving[when].append((site, item, lot, float(flows.made_batches[one]) * quantity))

    def _spoil(self, day: int) -> None:
        """Lots past their date go; those that outlive their label stay as surplus."""
        last_day, expires = self.problem.items.last_day, self.lot_expires
        for labels in self.shelves.values():
            for item in [item for item in labels if item != SURPLUS and last_day[item] < day]:
                for lot, quantity in labels.pop(item):
                    _put(labels[SURPLUS], int(lot), quantity)
            if SURPLUS in labels:
                labels[SURPLUS] = [entry for entry in labels[SURPLUS] if expires[int(entry[0])] > day]

    def _send_and_hand_over(self, day: int, sends: list[int], hands: list[int]) -> None:
        """Take what is shipped and handed over, item by item, sites in the order in which same-day shipments pass."""
        flows = self.flows
        tasks: dict[tuple[int, int], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        before: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for flow in sends:
            item, start = int(flows.ship_item[flow]), int(self.ship_start[flow])
            tasks[item, start][0].append(flow)
            if self.ship_lead[flow] == 0:
                before.setdefault((item, int(self.ship_end[flow])), []).append((item, start))
        for flow in hands:
            tasks[int(flows.hand_item[flow]), int(flows.hand_site[flow])][1].append(flow)
        order = list(TopologicalSorter(before).static_order())
        for place in dict.fromkeys([*order, *tasks]):
            sent, handed = tasks.get(place, ((), ()))
            shelf = self.shelves[place[1]][place[0]]
            for flow in sent:
                taken = _take(shelf, float(flows.ship_quantity[flow]), int(self.ship_lot[flow]))
                self.shipped.add(flow, taken)
                self._arrive(flow, day, taken)
            for flow in handed:
                lot = int(self.hand_lot[flow])
                self.handed.add(flow, _take(shelf, float(flows.hand_quantity[flow]), lot))

    def _arrive(self, flow: int, day: int, taken: list[tuple[int, float]]) -> None:
        end, item, lead = int(self.ship_end[flow]), int(self.flows.ship_item[flow]), int(self.ship_lead[flow])
        for lot, quantity in taken:
            if lead == 0:
                _put(self.shelves[end][item], lot, quantity)
            elif day + lead < self.problem.days:
                self.arriving[day + lead].append((end, item, lot, quantity))

    def _use_oldest(self, draws: list[int]) -> None:
        """Recipes and trips take the oldest lots at their site, whatever they were planned for; relabel the rest."""
        flows = self.flows
        by_site: dict[int, list[int]] = defaultdict(list)
        for flow in draws:
            by_site[int(flows.draw_site[flow])].append(flow)
        for site, mine in by_site.items():
            labels = self.shelves[site]
            planned = {
                item: sum(quantity for _, quantity in shelf) for item, shelf in labels.items() if item != SURPLUS
            }
            everything: Shelf = []
            for shelf in labels.values():
                for lot, quantity in shelf:
                    _put(everything, int(lot), quantity)
            for flow in mine:
                quantity = float(flows.draw_quantity[flow])
                planned[int(flows.draw_item[flow])] = planned.get(int(flows.draw_item[flow]), 0.0) - quantity
                self.used.add(flow, _take(everything, quantity))
            self.shelves[site] = self._relabelled(planned, everything)

    def _relabelled(self, planned: dict[int, float], lots: Shelf) -> dict[int, Shelf]:
        """Give the longest-lasting lots to the longest-lasting labels; what is left over is surplus."""
        labels: dict[int, Shelf] = defaultdict(list)
        last_day = self.problem.items.last_day
        for item in sorted(planned, key=lambda item: -last_day[item]):
            wanted = planned[item]
            while wanted > 0 and lots:
                lot, quantity = lots[-1]
                part = min(quantity, wanted)
                labels[item].insert(0, [lot, part])
                wanted -= part
                if part < quantity:
                    lots[-1][1] = quantity - part
                else:
                    lots.pop()
        if lots:
            labels[SURPLUS] = lots
        return labels
