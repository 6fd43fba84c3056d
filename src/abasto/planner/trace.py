"""Who is served through a resource, and where what is handed over comes from, followed through a plan's own flows.

At every site, on every day, what is there of a lot mixes: whatever leaves takes the same share of everything that came.
Forward from what passes a resource, each part of it goes on by those shares, through stores, lanes and recipes, to
handing over, and nothing is lost: what was not handed over is left, spoiled or under way at the end. Two things are
followed at once. *Amounts* of the resource (vehicle-hours, tonnes, batches) stick to the goods and add up to what was
used; a recipe passes on to its products, by weight, what sticks to its inputs. *Goods* that passed the resource turn
into what is made of them; they say how much a need would lack without it.

A *node* is a lot at a site on a day, what recipes and trips use of a good there, a plant on a day, or a trip's fuel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from abasto.planner.lots import LotFlows
from abasto.planner.problem import Floats, Ints, Problem

__all__ = ["Reached", "Sources", "Trace"]

DUST = 1e-12
"""Of what comes to a day's nodes, so little may still be on its way between them when the next day begins."""
WEIGHTLESS = 1e-9
"""Tonnes a unit: what weighs less counts as this much where a batch's amounts are divided by weight."""
MOST_HOPS = 400
"""Within a day nothing goes on further than so many steps."""


@dataclass(frozen=True)
class Reached:
    """What came of what passed a resource: `amount` and `goods` [handed over], in the resource's and the good's unit,
    and `ended`, the amount that was not handed over.
    """

    amount: Floats
    goods: Floats
    ended: float


@dataclass(frozen=True)
class Sources:
    """Where what was handed over came from: `stock`, `intake` (their movements), `shipped`, in the goods' units, and
    `batches` [made].
    """

    stock: Floats
    intake: Floats
    shipped: Floats
    batches: Floats


class _Edges(NamedTuple):
    """Flows from node to node: `quantity` leaves the tail, and `passed` of goods arrives at the head for each unit.

    Looking back, all that is at the head draws `drawn` from the tail; fuel is not looked back for.
    """

    tail: Ints
    head: Ints
    quantity: Floats
    passed: Floats
    drawn: Floats


class _Kept(NamedTuple):
    """What is kept overnight: row of the place, day, the nodes of this day and the next, and how much."""

    row: Ints
    day: Ints
    tail: Ints
    head: Ints
    quantity: Floats


class Trace:
    """Follows parts of a plan's flows; what can be built once is built once."""

    def __init__(self, problem: Problem, lots: LotFlows) -> None:
        self.problem, self.lots = problem, lots
        self._number_nodes()
        self._edges = self._all_edges()
        self._leaving = self._total_leaving()

    @property
    def n_flows(self) -> int:
        """How many flows between nodes there are: what it takes to follow something."""
        return len(self._edges.tail)

    def fleet(self, fleet: int, days: Ints) -> Reached:
        """Follow the vehicle-hours that a fleet spends on some days (from 0)."""
        return self._shipped(self._shipments(self.problem.options.fleet == fleet, days), hours=True)

    def lane(self, lane: int, days: Ints) -> Reached:
        """Follow the tonnes that leave along a lane on some days."""
        return self._shipped(self._shipments(self.problem.options.lane == lane, days), hours=False)

    def plant(self, plant: int, days: Ints) -> Reached:
        """Follow the batches of a plant."""
        mine = (self.lots.made_plant == plant) & np.isin(self.lots.made_day, days)
        return self._made(mine, np.ones(len(self.lots.made_plant)))

    def labour(self, site: int, days: Ints) -> Reached:
        """Follow the working hours of a site."""
        made = self.lots.made_plant
        mine = (self.problem.plant_site[made] == site) & np.isin(self.lots.made_day, days)
        return self._made(mine, self.problem.plant_hours[made])

    def stock(self, good: int, site: int) -> Reached:
        """Follow the stock on hand of a good at a site."""
        lots, given = self.lots, self.lots.stock
        mine = (self.problem.sources.site[given.what] == site) & (lots.lot_good[given.lot] == good)
        return self._given(self._at_stock[mine], given.quantity[mine])

    def supply(self, good: int, site: int, days: Ints) -> Reached:
        """Follow what is taken in of a good at a site on some days."""
        lots, given = self.lots, self.lots.intake
        mine = (self.problem.sources.site[given.what] == site) & (lots.lot_good[given.lot] == good)
        mine &= np.isin(given.day, days)
        return self._given(self._at_intake[mine], given.quantity[mine])

    def storage(self, site: int, days: Ints) -> Reached:
        """Follow the tonnes that are kept overnight at a site."""
        kept = self._kept
        mine = (self._place_site[kept.row] == site) & np.isin(kept.day, days)
        tonnes = self.problem.good_tonnes[self.lots.lot_good[self._place_lot[kept.row[mine]]]]
        return self._follow(kept.head[mine], kept.quantity[mine] * tonnes, kept.quantity[mine])

    def before(self, handed: Floats) -> Sources:
        """Return where what was handed over came from: `handed` [movements handed over] in the goods' units."""
        start = np.zeros((self.n_nodes, 1))
        np.add.at(start[:, 0], self._at_handed, handed)
        visits = self._backward.run(start)[:, 0]
        arriving = self._total_arriving
        share = np.divide(visits, arriving, out=np.zeros(self.n_nodes), where=arriving > 0)
        lots = self.lots
        shipped = np.where(self._head_shipped >= 0, share[self._head_shipped] * lots.shipped.quantity, 0.0)
        return Sources(
            stock=share[self._at_stock] * lots.stock.quantity,
            intake=share[self._at_intake] * lots.intake.quantity,
            shipped=shipped,
            batches=visits[self._batch] if len(self._batch) else np.zeros(0),
        )

    def _shipments(self, of_option: np.ndarray, days: Ints) -> Ints:
        shipped = self.lots.shipped
        return np.flatnonzero(of_option[shipped.what] & np.isin(shipped.day, days))

    def _shipped(self, which: Ints, *, hours: bool) -> Reached:
        shipped = self.lots.shipped
        amount = shipped.quantity[which] * self.problem.good_tonnes[self.lots.lot_good[shipped.lot[which]]]
        if hours:
            amount = amount * self.problem.options.hours[shipped.what[which]]
        return self._follow(self._head_shipped[which], amount, shipped.quantity[which])

    def _made(self, mine: np.ndarray, amount: Floats) -> Reached:
        batches = self.lots.made_batches[mine]
        return self._follow(self._batch[mine], batches * amount[mine], batches)

    def _given(self, node: Ints, quantity: Floats) -> Reached:
        return self._follow(node, quantity, quantity)

    def _follow(self, node: Ints, amount: Floats, goods: Floats) -> Reached:
        """Follow what starts at nodes (−1: it is under way when the plan ends)."""
        starts = node >= 0
        start = np.zeros((2, self.n_nodes))
        np.add.at(start[0], node[starts], amount[starts])
        np.add.at(start[1], node[starts], goods[starts])
        at = [mixing.run(one[:, None])[self._at_handed, 0] for mixing, one in zip(self._forward, start, strict=True)]
        leaving = self._leaving[self._at_handed]
        share = np.divide(self.lots.handed.quantity, leaving, out=np.zeros(len(leaving)), where=leaving > 0)
        handed = self.lots.handed.quantity
        reached = at[0] * share
        return Reached(reached, np.minimum(at[1] * share, handed), max(0.0, float(amount.sum() - reached.sum())))

    # Nodes and the flows between them.

    def _number_nodes(self) -> None:
        """Number places (a lot at a site), their days, and the nodes of use, plants and fuel, sorted by day."""
        problem, lots, options = self.problem, self.lots, self.problem.options
        n_lots, days = len(lots.lot_good), problem.days
        sent = lots.shipped
        self._arrives = sent.day + options.lead[sent.what]
        self._made_site, self._made_lot, self._made_day, self._made_quantity = lots.lots_made(problem)
        ends = [
            problem.sources.site[lots.stock.what] * n_lots + lots.stock.lot,
            problem.sources.site[lots.intake.what] * n_lots + lots.intake.lot,
            self._made_site * n_lots + self._made_lot,
            options.end[sent.what] * n_lots + sent.lot,
            options.start[sent.what] * n_lots + sent.lot,
            lots.handed.what * n_lots + lots.handed.lot,
            lots.used.what * n_lots + lots.used.lot,
        ]
        when = [
            lots.stock.day,
            lots.intake.day,
            self._made_day,
            self._arrives,
            sent.day,
            lots.handed.day,
            lots.used.day,
        ]
        sign = [1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0]
        moved = [lots.stock.quantity, lots.intake.quantity, self._made_quantity, sent.quantity, sent.quantity]
        moved += [lots.handed.quantity, lots.used.quantity]
        places, row = np.unique(np.concatenate(ends), return_inverse=True)
        self._place_site, self._place_lot = np.divmod(places, max(1, n_lots))
        parts = np.split(row, np.cumsum([len(part) for part in ends])[:-1])
        net = np.zeros((len(places), days + 1))
        for part, day, quantity, side in zip(parts, when, moved, sign, strict=True):
            np.add.at(net, (part, np.minimum(day, days)), side * quantity)
        there = np.maximum(0.0, np.cumsum(net[:, :days], axis=1))
        there = np.where(np.arange(days) < lots.lot_expires[self._place_lot][:, None], there, 0.0)
        self._there = there
        touched = [part * (days + 1) + np.minimum(day, days) for part, day in zip(parts, when, strict=True)]
        kept_row, kept_day = np.nonzero(there[:, : days - 1] > 0)
        lasts = lots.lot_expires[self._place_lot[kept_row]] > kept_day + 1
        kept_row, kept_day = kept_row[lasts], kept_day[lasts]
        touched += [kept_row * (days + 1) + kept_day, kept_row * (days + 1) + kept_day + 1]
        used_key = lots.used.what * len(problem.goods) + lots.lot_good[lots.used.lot]
        batch_key = lots.made_plant * days + lots.made_day
        fuelled = (options.fuel_good[sent.what] >= 0) & (problem.good_tonnes[lots.lot_good[sent.lot]] > 0)
        fuel_key = sent.what[fuelled] * days + sent.day[fuelled]
        kinds = [np.unique(np.concatenate(touched)), *(np.unique(key) for key in (used_key * days + lots.used.day,))]
        kinds += [np.unique(batch_key), np.unique(fuel_key)]
        day_of = [kinds[0] % (days + 1), *(keys % days for keys in kinds[1:])]
        first = np.concatenate([[0], np.cumsum([len(keys) for keys in kinds])])
        all_days = np.concatenate(day_of)
        order = np.argsort(all_days, kind="stable")
        number = np.empty(len(order), dtype=np.int64)
        number[order] = np.arange(len(order))
        self.n_nodes = int(np.count_nonzero(all_days < days))
        self._day_starts = np.searchsorted(all_days[order], np.arange(days + 1))

        def find(kind: int, keys: Ints) -> Ints:
            found = number[first[kind] + np.searchsorted(kinds[kind], keys)] if len(keys) else keys
            return np.where(found < self.n_nodes, found, -1)  # after the last day nothing goes on

        self._at_stock, self._at_intake, self._at_made, self._head_shipped, self._tail_shipped = (
            find(0, touched[k]) for k in range(5)
        )
        self._at_handed, self._at_used = find(0, touched[5]), find(0, touched[6])
        self._pool_used = find(1, used_key * days + lots.used.day)
        self._batch = find(2, batch_key)
        self._fuelled, self._trip = np.flatnonzero(fuelled), find(3, fuel_key)
        self._kept = _Kept(kept_row, kept_day, find(0, touched[7]), find(0, touched[8]), there[kept_row, kept_day])
        self._place_keys, self._pools, self._pool_first, self._number = kinds[0], kinds[1], first[1], number

    def _pool(self, site: Ints, good: Ints, day: Ints) -> Ints:
        """Return the nodes of what is used of goods at sites; −1 where nothing is."""
        if not len(self._pools):
            return np.full(len(site), -1)
        key = (site * len(self.problem.goods) + good) * self.problem.days + day
        place = np.minimum(np.searchsorted(self._pools, key), len(self._pools) - 1)
        return np.where(self._pools[place] == key, self._number[self._pool_first + place], -1)

    def _all_edges(self) -> _Edges:
        """Return every flow from node to node."""
        lots, sent = self.lots, self.lots.shipped
        one = np.ones
        parts = [
            (self._tail_shipped, self._head_shipped, sent.quantity, one(len(sent.what)), sent.quantity),
            (self._kept.tail, self._kept.head, self._kept.quantity, one(len(self._kept.row)), self._kept.quantity),
            (self._at_used, self._pool_used, lots.used.quantity, one(len(lots.used.what)), lots.used.quantity),
            *self._recipe_edges(),
            *self._fuel_edges(),
        ]
        joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
        return _Edges(*joined)

    def _recipe_edges(self) -> list[tuple[Ints, Ints, Floats, Floats, Floats]]:
        """Return pool → plant, passing batches, and plant → lots; what a batch makes leaves by weight."""
        problem, lots, edges = self.problem, self.lots, []
        recipe = problem.plant_recipe[lots.made_plant]
        place = 0
        for r, (inputs, outputs) in enumerate(problem.recipes):
            mine = np.flatnonzero(recipe == r)
            site, day, batches = problem.plant_site[lots.made_plant[mine]], lots.made_day[mine], lots.made_batches[mine]
            for good, quantity in inputs:
                pool = self._pool(site, np.full(len(mine), good), day)
                used = batches * quantity
                edges.append((pool, self._batch[mine], used, np.full(len(mine), 1.0 / quantity), used))
            weight = np.array([quantity * max(WEIGHTLESS, problem.good_tonnes[good]) for good, quantity in outputs])
            weight = weight / weight.sum()
            for (_, quantity), part in zip(outputs, weight.tolist(), strict=True):
                at = self._at_made[place : place + len(mine)]
                edges.append((self._batch[mine], at, batches * part, np.full(len(mine), quantity / part), batches))
                place += len(mine)
        return edges

    def _fuel_edges(self) -> list[tuple[Ints, Ints, Floats, Floats, Floats]]:
        """Return pool → trip, passing tonnes, and trip → what it brings."""
        problem, options, sent = self.problem, self.problem.options, self.lots.shipped
        which = self._fuelled
        option, day = sent.what[which], sent.day[which]
        quantity = sent.quantity[which]
        weight = problem.good_tonnes[self.lots.lot_good[sent.lot[which]]]
        pool = self._pool(options.fuel_site[option], options.fuel_good[option], day)
        return [
            (
                pool,
                self._trip,
                quantity * weight * options.fuel[option],
                1.0 / options.fuel[option],
                np.zeros(len(which)),
            ),
            (self._trip, self._head_shipped[which], quantity * weight, 1.0 / weight, np.zeros(len(which))),
        ]

    def _total_leaving(self) -> Floats:
        """Return what leaves each node: to others, handed over, left or spoiled."""
        edges = self._edges
        leaving = np.zeros(self.n_nodes + 1)
        np.add.at(leaving, edges.tail, edges.quantity)
        np.add.at(leaving, self._at_handed, self.lots.handed.quantity)
        stays = self._there.copy()
        stays[self._kept.row, self._kept.day] = 0.0
        row, day = np.nonzero(stays > 0)
        key = row * (self.problem.days + 1) + day
        node = self._node_of_place(key)
        np.add.at(leaving, node[node >= 0], stays[row, day][node >= 0])
        return leaving[:-1]

    @cached_property
    def _total_arriving(self) -> Floats:
        """Return what comes to each node, in its own unit: a plant's batches, else goods."""
        arriving = np.zeros(self.n_nodes + 1)
        for node, quantity in (
            (self._at_stock, self.lots.stock.quantity),
            (self._at_intake, self.lots.intake.quantity),
            (self._at_made, self._made_quantity),
            (self._head_shipped, self.lots.shipped.quantity),
            (self._kept.head, self._kept.quantity),
            (self._pool_used, self.lots.used.quantity),
            (self._batch, self.lots.made_batches),
        ):
            np.add.at(arriving, node, quantity)
        return arriving[:-1]

    def _node_of_place(self, key: Ints) -> Ints:
        known = self._place_keys
        place = np.minimum(np.searchsorted(known, key), max(0, len(known) - 1))
        found = np.where(known[place] == key, self._number[place], -1) if len(known) else np.full(len(key), -1)
        return np.where(found < self.n_nodes, found, -1)

    @cached_property
    def _forward(self) -> tuple[_Mixing, _Mixing]:
        """How amounts go on, and how goods do."""
        edges = self._edges
        here = (edges.tail >= 0) & (edges.head >= 0)
        tail, head = edges.tail[here], edges.head[here]
        leaving = self._leaving[tail]
        share = np.divide(edges.quantity[here], leaving, out=np.zeros(len(tail)), where=leaving > 0)
        return (
            _Mixing(self._day_starts, tail, head, share, forward=True),
            _Mixing(self._day_starts, tail, head, share * edges.passed[here], forward=True),
        )

    @cached_property
    def _backward(self) -> _Mixing:
        """What each node's goods were drawn from."""
        edges = self._edges
        here = (edges.tail >= 0) & (edges.head >= 0)
        tail, head = edges.tail[here], edges.head[here]
        arriving = self._total_arriving[head]
        share = np.divide(edges.drawn[here], arriving, out=np.zeros(len(head)), where=arriving > 0)
        return _Mixing(self._day_starts, head, tail, share, forward=False)


class _Mixing:
    """Shares of what is at a node that go on to others, day by day; within a day until nothing goes on any more."""

    def __init__(self, day_starts: Ints, tail: Ints, head: Ints, share: Floats, *, forward: bool) -> None:
        from scipy import sparse

        n = int(day_starts[-1])
        matrix = sparse.csr_array((share, (head, tail)), shape=(n, n)).tocsc()
        self._starts = day_starts
        days = range(len(day_starts) - 1)
        self._order = days if forward else days[::-1]
        self._within, self._onward = [], []
        for day in days:
            first, end = int(day_starts[day]), int(day_starts[day + 1])
            columns = matrix[:, first:end]
            self._within.append(columns[first:end].tocsr())
            later = columns[end:] if forward else columns[:first]
            self._onward.append(later.tocsr())
        self._forward = forward

    def run(self, start: Floats) -> Floats:
        """Return all that comes to each node [nodes, k] when `start` sets out."""
        visits = start.copy()
        for day in self._order:
            first, end = int(self._starts[day]), int(self._starts[day + 1])
            moving = visits[first:end].copy()
            if not moving.any():
                continue
            least = DUST * moving.sum()
            for _ in range(MOST_HOPS):
                moving = np.asarray(self._within[day] @ moving)
                if moving.sum() <= least:
                    break
                visits[first:end] += moving
            later = np.asarray(self._onward[day] @ visits[first:end])
            if self._forward:
                visits[end:] += later
            else:
                visits[:first] += later
        return visits
