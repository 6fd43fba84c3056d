"""Flows → flows that hold strictly: solvers leave rounding, so flows are cut until no balance or capacity breaks.

Every flow is only ever reduced. Days in order; within a day until nothing changes any more: what leaves a node is cut
to what is there, and batches and trips to the inputs and fuel that were drawn for them. Flow in circles along lanes
without lead time, which would feed itself, is removed first.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from abasto.planner.problem import Floats, Ints, Problem
from abasto.planner.solution import Flows

__all__ = ["settle", "units_per_need", "within_capacities", "without_circles"]

CLOSE = 1e-12
"""A node that lacks less than this share of its outflow counts as settled."""
ROUNDS = 1000
"""Most rounds within a day; recipes that feed each other shrink by a factor each round, chains need one per link."""


def settle(problem: Problem, flows: Flows) -> Flows:
    """Return flows at most as large, with every balance and capacity kept up to the rounding of a few additions."""
    flows = within_capacities(problem, without_circles(problem, flows))
    return _Settling(problem, flows).run()


def units_per_need(problem: Problem, need: Ints, item: Ints) -> Floats:
    """Return how many units of an item's good meet one unit of a need; 1 where it is for no need or for nutrients."""
    ratio = np.ones((len(problem.goods) + len(problem.nutrients), len(problem.goods)))
    for target, servers in enumerate(problem.serves):
        for good, quantity in servers:
            ratio[target, good] = quantity
    if not len(problem.needs.target):
        return np.ones(len(need))
    return np.asarray(np.where(need >= 0, ratio[problem.needs.target[need], problem.items.good[item]], 1.0))


def _share(limit: Floats, load: Floats) -> Floats:
    """Return min(1, limit ÷ load); 1 where nothing is asked for."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(np.where(load > limit, np.maximum(limit, 0.0) / load, 1.0))


def _total(place: Ints, quantity: Floats, size: int) -> Floats:
    """Return the sum of quantities at each place; numpy's own yields integers where there are none."""
    return np.bincount(place, quantity, minlength=size).astype(np.float64)


def within_capacities(problem: Problem, flows: Flows) -> Flows:
    """Cut flows to lanes, fleets, plants, labour, offers and needs."""
    options, items = problem.options, problem.items

    def fit(quantity: Floats, weight: Floats, limit: Floats, *place: Ints) -> Floats:
        where = np.ravel_multi_index(place, limit.shape)
        load = _total(where, quantity * weight, limit.size)
        return quantity * _share(limit.ravel(), load)[where]

    day, lane, fleet = flows.ship_day, options.lane[flows.ship_option], options.fleet[flows.ship_option]
    tonnes = problem.good_tonnes[items.good[flows.ship_item]]
    runs = (problem.lane_tonnes[lane, day] > 0) & (problem.fleet_hours[fleet, day] > 0)
    ship = np.where(runs, flows.ship_quantity, 0.0)  # what weighs nothing takes no share, but needs a vehicle
    ship = fit(ship, tonnes, problem.lane_tonnes, lane, day)
    ship = fit(ship, tonnes * options.hours[flows.ship_option], problem.fleet_hours, fleet, day)
    made, plant = flows.made_batches, flows.made_plant
    made = fit(made, np.ones(len(made)), problem.plant_batches, plant, flows.made_day)
    made = fit(made, problem.plant_hours[plant], problem.labour_hours, problem.plant_site[plant], flows.made_day)
    hand = flows.hand_quantity
    per_need = np.append(problem.needs.amount, np.inf)
    per_need[:-1][problem.needs.target >= len(problem.goods)] = np.inf
    hand = fit(
        hand, 1.0 / units_per_need(problem, flows.hand_need, flows.hand_item), per_need, flows.hand_need % len(per_need)
    )
    taken = np.minimum(flows.taken, problem.sources.amount)
    return replace(flows, taken=taken, ship_quantity=ship, made_batches=made, hand_quantity=hand)


def without_circles(problem: Problem, flows: Flows) -> Flows:
    """Remove flow in circles along lanes without lead time, per item and day."""
    options = problem.options
    sites = len(problem.sites)
    edge = np.flatnonzero((options.lead[flows.ship_option] == 0) & (flows.ship_quantity > 0))
    group = (flows.ship_day * len(problem.items.good) + flows.ship_item) * sites
    tail = group + options.start[flows.ship_option]
    head = group + options.end[flows.ship_option]
    before = -1
    while before != len(edge):  # peel off what no circle can go through
        before = len(edge)
        edge = edge[np.isin(tail[edge], head[edge])]
        edge = edge[np.isin(head[edge], tail[edge])]
    if not len(edge):
        return flows
    quantity = flows.ship_quantity.copy()
    quantity[edge] = _cancel(tail[edge].tolist(), head[edge].tolist(), quantity[edge].tolist())
    return replace(flows, ship_quantity=quantity)


def _cancel(tail: list[int], head: list[int], quantity: list[float]) -> list[float]:
    """Walk along edges; each circle found loses its smallest flow, each dead end is never entered again."""
    out: dict[int, list[int]] = defaultdict(list)
    for edge, node in enumerate(tail):
        out[node].append(edge)
    for root in list(out):
        path: list[int] = []
        position = {root: 0}
        node = root
        while True:
            edges = out[node]
            while edges and quantity[edges[-1]] <= 0:
                edges.pop()
            if not edges:
                if not path:
                    break
                del position[node]
                node = tail[path.pop()]
                out[node].pop()
                continue
            path.append(edges[-1])
            node = head[edges[-1]]
            if node not in position:
                position[node] = len(path)
                continue
            circle = path[position[node] :]
            least = min(quantity[edge] for edge in circle)
            for edge in circle:
                quantity[edge] = 0.0 if quantity[edge] == least else quantity[edge] - least
                if tail[edge] != node:
                    del position[tail[edge]]
            del path[position[node] :]
    return quantity


class _Settling:
    """The sweep over days; `have` [items · sites] is what is on hand."""

    def __init__(self, problem: Problem, flows: Flows) -> None:
        self.problem, self.flows = problem, flows
        self.sites, self.n_items = len(problem.sites), len(problem.items.good)
        self.size = self.n_items * self.sites
        self.have = np.zeros((problem.days, self.size))
        options, items = problem.options, problem.items
        tonnes = problem.good_tonnes[items.good[flows.ship_item]]
        self.ship = flows.ship_quantity.copy()
        self.ship_from = flows.ship_item * self.sites + options.start[flows.ship_option]
        self.ship_to = flows.ship_item * self.sites + options.end[flows.ship_option]
        self.ship_lead = options.lead[flows.ship_option]
        self.ship_fuel = np.where(
            options.fuel_good[flows.ship_option] >= 0, options.fuel[flows.ship_option] * tonnes, 0.0
        )
        self.ship_pool = options.fuel_good[flows.ship_option] * self.sites + options.fuel_site[flows.ship_option]
        self.hand = flows.hand_quantity.copy()
        self.hand_at = flows.hand_item * self.sites + flows.hand_site
        self.draw = flows.draw_quantity.copy()
        self.draw_at = flows.draw_item * self.sites + flows.draw_site
        self.draw_pool = items.good[flows.draw_item] * self.sites + flows.draw_site
        self.made = flows.made_batches.copy()
        self.by_day = [
            _split(part, problem.days) for part in (flows.ship_day, flows.hand_day, flows.draw_day, flows.made_day)
        ]
        source_at = problem.sources.item * self.sites + problem.sources.site
        on_hand = np.where(problem.sources.is_stock, problem.sources.amount, flows.taken)
        np.add.at(self.have, (problem.sources.day, source_at), on_hand)
        self.free = _Reserves(problem, flows)

    def run(self) -> Flows:
        for day in range(self.problem.days):
            self.settle_day(day)
        settled = replace(self.flows, ship_quantity=self.ship, hand_quantity=self.hand)
        return replace(settled, draw_quantity=self.draw, made_batches=self.made)

    def settle_day(self, day: int) -> None:
        ship, hand, draw, made = (parts[day] for parts in self.by_day)
        alive = np.repeat(self.problem.items.last_day >= day, self.sites)
        self.have[day] = np.where(alive, self.have[day], 0.0)
        at_once = ship[self.ship_lead[ship] == 0]
        pools = len(self.problem.goods) * self.sites
        uses, outputs = self._recipe_lines(made, day)
        for _ in range(ROUNDS):
            there = self.have[day] + _total(self.ship_to[at_once], self.ship[at_once], self.size)
            for node, batch, quantity in outputs:
                there[node] += self.made[batch] * quantity
            out = _total(self.ship_from[ship], self.ship[ship], self.size)
            out += _total(self.hand_at[hand], self.hand[hand], self.size)
            out += _total(self.draw_at[draw], self.draw[draw], self.size)
            share = _share(there, out)
            let_go = self.free.share(day, self, ship, at_once, outputs)
            drawn = _total(self.draw_pool[draw], self.draw[draw] * share[self.draw_at[draw]], pools)
            fuelled = ship[self.ship_fuel[ship] > 0]
            used = _total(self.ship_pool[fuelled], self.ship[fuelled] * self.ship_fuel[fuelled], pools)
            for pool, batch, quantity in uses:
                used[pool] += self.made[batch] * quantity
            fed, needed = _share(drawn, used), _share(used, drawn)
            if min(share.min(), fed.min(), needed.min(), let_go.min(initial=1.0)) >= 1 - CLOSE:
                break
            self.ship[ship] *= np.minimum(share[self.ship_from[ship]], let_go)
            self.ship[fuelled] *= fed[self.ship_pool[fuelled]]
            self.hand[hand] *= share[self.hand_at[hand]]
            self.draw[draw] *= share[self.draw_at[draw]] * needed[self.draw_pool[draw]]
            cut = np.ones(len(self.made))
            for pool, batch, _ in uses:
                cut[batch] = min(cut[batch], fed[pool])
            self.made *= cut
        if day + 1 < self.problem.days:
            self.have[day + 1] += np.maximum(0.0, there - out)
        later = ship[self.ship_lead[ship] > 0]
        arrives = day + self.ship_lead[later]
        later, arrives = later[arrives < self.problem.days], arrives[arrives < self.problem.days]
        np.add.at(self.have, (arrives, self.ship_to[later]), self.ship[later])
        self.free.end_day(day, self, ship, later, arrives)

    def _recipe_lines(self, made: Ints, day: int) -> tuple[list[tuple[int, int, float]], list[tuple[int, int, float]]]:
        """Return the day's (pool, batch, quantity) of inputs and (node, batch, quantity) of outputs."""
        problem = self.problem
        uses, outputs = [], []
        for batch in made.tolist():
            plant = int(self.flows.made_plant[batch])
            site = int(problem.plant_site[plant])
            inputs, products = problem.recipes[int(problem.plant_recipe[plant])]
            uses += [(good * self.sites + site, batch, quantity) for good, quantity in inputs]
            outputs += [
                (int(problem.items.fresh[good, day]) * self.sites + site, batch, quantity)
                for good, quantity in products
            ]
        return uses, outputs


class _Reserves:
    """What may still leave each site with a reserve: stock beyond the reserve and all that came in, less what left.

    A *gate* is a good at a site with a reserve, and the last gate stands for all without one; `gained` [days, gates] is
    what each day adds, with what is carried over from the days before, and `today` what may leave on the day settled.
    """

    def __init__(self, problem: Problem, flows: Flows) -> None:
        sites, gates = len(problem.sites), sorted(problem.shippable)
        good_of = problem.items.good
        self.gate_of = np.full((len(problem.goods), sites), -1)
        for gate, (site, good) in enumerate(gates):
            self.gate_of[good, site] = gate
        by_node = self.gate_of[good_of].ravel()
        self.gate_of_node = np.where(by_node < 0, len(gates), by_node)
        self.count = len(gates)
        self.gained = np.zeros((problem.days, self.count + 1))
        self.gained[0, : self.count] = [problem.shippable[place] for place in gates]
        sources = problem.sources
        offers = np.flatnonzero(~sources.is_stock)
        at = self.gate_of_node[sources.item[offers] * sites + sources.site[offers]]
        np.add.at(self.gained, (sources.day[offers], at), flows.taken[offers])
        self.today = self.gained[0]

    def share(
        self, day: int, settling: _Settling, ship: Ints, at_once: Ints, outputs: list[tuple[int, int, float]]
    ) -> Floats:
        """Return what share of each of the day's shipments the reserves let go."""
        if not self.count:
            return np.ones(len(ship))
        self.today = self.gained[day] + _total(
            self.gate_of_node[settling.ship_to[at_once]], settling.ship[at_once], self.count + 1
        )
        for node, batch, quantity in outputs:
            self.today[self.gate_of_node[node]] += settling.made[batch] * quantity
        limit = self.today.copy()
        limit[self.count] = np.inf
        gate = self.gate_of_node[settling.ship_from[ship]]
        return np.asarray(_share(limit, _total(gate, settling.ship[ship], self.count + 1))[gate])

    def end_day(self, day: int, settling: _Settling, ship: Ints, later: Ints, arrives: Ints) -> None:
        """Carry over what was not let go, and note what will arrive."""
        if not self.count:
            return
        np.add.at(self.gained, (arrives, self.gate_of_node[settling.ship_to[later]]), settling.ship[later])
        if day + 1 < len(self.gained):
            gone = _total(self.gate_of_node[settling.ship_from[ship]], settling.ship[ship], self.count + 1)
            self.gained[day + 1] += np.maximum(0.0, self.today - gone)


def _split(day: Ints, days: int) -> list[Ints]:
    """Return for each day the positions at which it stands."""
    order = np.argsort(day, kind="stable")
    return np.split(order, np.searchsorted(day[order], np.arange(1, days)))
