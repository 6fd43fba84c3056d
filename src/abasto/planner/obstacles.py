"""What stands in the way where nothing can reach a need: the fewest things that would have to be otherwise.

Everything that can be is swept forward, day by day, as if nothing were shut: a closed lane may be used, a fleet without
vehicles, a plant without batches, goods past their last day, a reserve, what the scenario cut off, a lane in no time
at all. Each such thing costs about 1, whatever is possible anyway costs nothing, and a need's cheapest way back names
those that it cannot do without. Capacities above nothing count as enough: how full they are is a matter of prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from abasto.planner.disruption import Disrupted
from abasto.planner.problem import Floats, Ints, Problem, days_of
from abasto.tables.target import Targets

__all__ = ["Obstacle", "Obstacles"]

SHUT, LATE, STALE = 1.0, 1.5, 1.25
"""What it costs to use what is shut, to be there at once, and to use what is spoiled."""
STEP = 1e-6
"""What each lane and each batch costs beside: of equal ways the shorter, and never one in a circle."""
CLOSE = 1e-9


class Obstacle(NamedTuple):
    """A thing in the way: its kind (`lane`, `fleet`, `unserved`, `late`, `plant`, `labour`, `storage`, `spoiled`,
    `reserve`, `supply`, `fuel`), which one, at which site, of which good, and on which day (from 0).
    """

    kind: str
    what: int
    site: int
    good: int
    day: int


@dataclass(frozen=True)
class _Moves:
    """Ways along lanes on a day: start, end, lead, cost (and that of fuel, for what weighs anything); sorted by end."""

    start: Ints
    end: Ints
    lead: Ints
    cost: Floats
    fuel: Floats
    option: Ints
    lane: Ints


class Obstacles:
    """Sweeps goods forward; `cost` [items, days, sites] is what has to be otherwise for an item to be there.

    `held` is the same for what lies under a reserve and may only be used where it lies.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        shape = (len(problem.items.good), problem.days, len(problem.sites))
        self.cost = np.full(shape, np.inf)
        self.held = np.full(shape, np.inf)
        self._cut = self._cut_supplies()
        self._known: dict[int, _Moves] = {}
        self._fuel = np.zeros((len(problem.goods), problem.days, len(problem.sites)))
        fuels = np.unique(problem.options.fuel_good[problem.options.fuel_good >= 0]).tolist()
        for _ in range(2 if fuels else 0):  # what brings fuel burns fuel
            self._sweep()
            for good in fuels:
                self._fuel[good] = self._use_cost(good)
            self.cost[:], self.held[:] = np.inf, np.inf
        self._sweep()

    def of(self, goods: list[int], day: int, site: int) -> list[Obstacle] | None:
        """Return what stands in the way of having one of the goods there; None if no change of that kind would help."""
        ends = [(float(self._use_cost(good)[day, site]), good) for good in goods]
        cost, good = min(ends, default=(np.inf, -1))
        if cost == np.inf:
            return None
        found: list[Obstacle] = []
        self._back(*self._at(good, day, site), found)
        return list(dict.fromkeys(found))

    def first_day(self, goods: list[int], day: int, site: int) -> int | None:
        """Return the first later day on which one of the goods can be there as things are; None if there is none."""
        there = np.min([self._use_cost(good)[:, site] for good in goods], axis=0) < LATE / 2
        later = np.flatnonzero(there[day + 1 :])
        return int(later[0]) + day + 1 if len(later) else None

    def places(self, goods: list[int], day: int) -> list[int]:
        """Return the sites where one of the goods can be by a day, as things are."""
        there = np.min([self._use_cost(good)[: day + 1] for good in goods], axis=0) < LATE / 2
        return np.flatnonzero(there.any(axis=0)).tolist()

    def _items(self, good: int) -> Ints:
        return np.flatnonzero(self.problem.items.good == good)

    def _use_cost(self, good: int) -> Floats:
        """Return the cost of having a good for use on the spot [days, sites]."""
        items = self._items(good)
        return np.asarray(np.minimum(self.cost[items], self.held[items]).min(axis=0))

    def _at(self, good: int, day: int, site: int) -> tuple[int, int, int, bool]:
        """Return the cheapest node for use on the spot: item, day, site, and whether it is held under a reserve."""
        items = self._items(good)
        free, held = self.cost[items, day, site], self.held[items, day, site]
        if held.min() < free.min():
            return int(items[held.argmin()]), day, site, True
        return int(items[free.argmin()]), day, site, False

    def _cut_supplies(self) -> Floats:
        """Return [goods, days, sites] SHUT where the scenario cut off what could be taken in, else inf."""
        problem, network = self.problem, self.problem.network
        cut = np.full((len(problem.goods), problem.days, len(problem.sites)), np.inf)
        if problem.scenario is not None:
            left = Disrupted(network, problem.scenario, Targets(network))
            for row in network.supplies:
                for day in days_of(row, network.days):
                    if row.quantity > 0 and left.supply(row.site, row.good, day) <= 0:
                        cut[problem.goods.index(row.good), day, problem.sites.index(row.site)] = SHUT
        return cut

    def _sweep(self) -> None:
        self._known.clear()
        problem, sources = self.problem, self.problem.sources
        good = problem.items.good[sources.item]
        for source in range(len(sources.site)):
            item, day, site = int(sources.item[source]), int(sources.day[source]), int(sources.site[source])
            gate = problem.shippable.get((site, int(good[source]))) if sources.is_stock[source] else None
            if gate is not None and gate <= 0:
                self.held[item, day, site] = 0.0
                self.cost[item, day, site] = min(self.cost[item, day, site], SHUT)
            elif sources.amount[source] > 0:
                self.cost[item, day, site] = 0.0
        for item in range(len(problem.items.good)):
            fresh = problem.items.fresh[problem.items.good[item]] == item
            cut = self._cut[problem.items.good[item]]
            self.cost[item, fresh] = np.minimum(self.cost[item, fresh], cut[fresh])
        for day in range(problem.days):
            if day:
                self._keep(day)
            before = np.inf
            while (now := float(np.where(np.isfinite(self.cost[:, day]), self.cost[:, day], 1e6).sum())) < before:
                before = now
                self._make(day)
                self._move_at_once(day)
            self._send(day)

    def _kept_cost(self, day: int) -> Floats:
        """Return [items, sites] what it costs to keep an item until a day (from the day before)."""
        problem, items = self.problem, self.problem.items
        stale = np.where(items.last_day == day - 1, STALE, 0.0)
        full = np.where(problem.storage_t <= 0, SHUT, 0.0)
        heavy = (problem.good_tonnes[items.good] > 0)[:, None]
        return np.asarray(stale[:, None] + np.where(heavy, full, 0.0))

    def _keep(self, day: int) -> None:
        more = self._kept_cost(day)
        self.cost[:, day] = np.minimum(self.cost[:, day], self.cost[:, day - 1] + more)
        self.held[:, day] = np.minimum(self.held[:, day], self.held[:, day - 1] + more)

    def _plant_cost(self, plant: int, day: int) -> float:
        problem = self.problem
        cost = STEP if problem.plant_batches[plant, day] > 0 else SHUT + STEP
        works = problem.plant_hours[plant] > 0
        return cost + (SHUT if works and problem.labour_hours[problem.plant_site[plant], day] <= 0 else 0.0)

    def _make(self, day: int) -> None:
        problem = self.problem
        for plant, site in enumerate(problem.plant_site.tolist()):
            inputs, outputs = problem.recipes[int(problem.plant_recipe[plant])]
            cost = self._plant_cost(plant, day) + sum(float(self._use_cost_at(good, day, site)) for good, _ in inputs)
            for good, _ in outputs:
                item = problem.items.fresh[good, day]
                self.cost[item, day, site] = min(self.cost[item, day, site], cost)

    def _use_cost_at(self, good: int, day: int, site: int) -> float:
        items = self._items(good)
        return float(min(self.cost[items, day, site].min(), self.held[items, day, site].min()))

    def _moves(self, day: int) -> _Moves:
        """Return every way along a lane on a day with what is in its way; lanes that no fleet serves have no option."""
        problem, options = self.problem, self.problem.options
        served = np.zeros(len(problem.lanes), dtype=np.bool_)
        served[options.lane] = True
        alone = np.flatnonzero(~served)
        ends = np.array(problem.lanes, dtype=np.int64).reshape(-1, 2)
        closed = np.where(problem.lane_tonnes[:, day] <= 0, SHUT, 0.0)
        cost = closed[options.lane] + np.where(problem.fleet_hours[options.fleet, day] <= 0, SHUT, 0.0)
        fuelled = options.fuel_good >= 0
        fuel = np.zeros(len(options.lane))
        there = self._fuel[options.fuel_good[fuelled], day, options.fuel_site[fuelled]]
        fuel[fuelled] = np.minimum(there, SHUT)
        rows = [row for row in problem.network.lanes for _ in range(2 if row.two_way else 1)]
        lead = np.array([rows[lane].travel_days for lane in alone.tolist()], dtype=np.int64)
        start = np.concatenate([options.start, ends[alone, 0]])
        end = np.concatenate([options.end, ends[alone, 1]])
        order = np.argsort(end, kind="stable")
        return _Moves(
            start[order],
            end[order],
            np.concatenate([options.lead, lead])[order],
            np.concatenate([cost, closed[alone] + SHUT])[order] + STEP,
            np.concatenate([fuel, np.zeros(len(alone))])[order],
            np.concatenate([np.arange(len(options.lane)), np.full(len(alone), -1)])[order],
            np.concatenate([options.lane, alone])[order],
        )

    def _move_cost(self, moves: _Moves) -> Floats:
        """Return what each move costs each item [items, moves]."""
        heavy = self.problem.good_tonnes[self.problem.items.good] > 0
        return np.asarray(moves.cost + np.where(heavy[:, None], moves.fuel, 0.0))

    def _move_at_once(self, day: int) -> None:
        """Spread along lanes within the day; those that take longer as if they took no time."""
        moves, now = self._moves_of(day), self.cost[:, day]
        if not len(moves.end):
            return
        cost = self._move_cost(moves) + np.where(moves.lead > 0, LATE, 0.0)
        ends, first = np.unique(moves.end, return_index=True)
        before = None
        while before is None or (now < before - CLOSE).any():
            before = now.copy()
            arriving = np.minimum.reduceat(now[:, moves.start] + cost, first, axis=1)
            now[:, ends] = np.minimum(now[:, ends], arriving)

    def _send(self, day: int) -> None:
        """Mark where and when shipments of the day arrive."""
        moves, last = self._moves_of(day), self.problem.items.last_day
        for lead in np.unique(moves.lead[moves.lead > 0]).tolist():
            arrives = day + lead
            if arrives >= self.problem.days:
                continue
            mine = moves.lead == lead
            stale = np.where((last >= day) & (last < arrives), STALE, 0.0)[:, None]
            coming = self.cost[:, day][:, moves.start[mine]] + self._move_cost(moves)[:, mine] + stale
            ends, first = np.unique(moves.end[mine], return_index=True)
            arriving = np.minimum.reduceat(coming, first, axis=1)
            self.cost[:, arrives, ends] = np.minimum(self.cost[:, arrives, ends], arriving)

    def _moves_of(self, day: int) -> _Moves:
        if day not in self._known:
            self._known = {day: self._moves(day)}
        return self._known[day]

    # The way back, found anew from the costs: asked for so seldom that keeping every choice would cost more.

    def _back(self, item: int, day: int, site: int, held: bool, found: list[Obstacle]) -> None:
        """Collect what stands in the way of an item at a node."""
        good = int(self.problem.items.good[item])
        while True:
            cost = float((self.held if held else self.cost)[item, day, site])
            if cost < SHUT / 2:
                return
            if not held and self._is_cut(item, day, site, cost):
                found.append(Obstacle("supply", good, site, good, day))
                return
            if self._is_source(item, day, site):
                if cost > SHUT / 2:
                    found.append(Obstacle("reserve", good, site, good, day))
                return
            before = self._kept_from(item, day, site, held, cost, found)
            if before is not None:
                day -= 1
                continue
            move = self._came_by(item, day, site, cost)
            if move is not None:
                day, site = self._name_move(item, move, day, found)
                continue
            self._made_from(item, day, site, cost, found)
            return

    def _is_cut(self, item: int, day: int, site: int, cost: float) -> bool:
        good = self.problem.items.good[item]
        return bool(self.problem.items.fresh[good, day] == item and abs(self._cut[good, day, site] - cost) < CLOSE)

    def _is_source(self, item: int, day: int, site: int) -> bool:
        sources = self.problem.sources
        return bool(((sources.item == item) & (sources.day == day) & (sources.site == site)).any())

    def _kept_from(self, item: int, day: int, site: int, held: bool, cost: float, found: list[Obstacle]) -> int | None:
        if day == 0:
            return None
        table = self.held if held else self.cost
        if abs(table[item, day - 1, site] + self._kept_cost(day)[item, site] - cost) > CLOSE:
            return None
        good, items = int(self.problem.items.good[item]), self.problem.items
        if items.last_day[item] == day - 1:
            found.append(Obstacle("spoiled", good, site, good, day))
        if self.problem.storage_t[site] <= 0 and self.problem.good_tonnes[good] > 0:
            found.append(Obstacle("storage", site, site, good, day - 1))
        return day - 1

    def _came_by(self, item: int, day: int, site: int, cost: float) -> tuple[int, int, int, bool] | None:
        """Return (move, day it left, start, at once) of the lane by which an item came."""
        last = int(self.problem.items.last_day[item])
        for leaves in range(day, -1, -1):
            moves = self._moves(leaves)
            late, costs = moves.lead > 0, self._move_cost(moves)[item]
            for move in np.flatnonzero((moves.end == site) & ((moves.lead == day - leaves) | (late & (leaves == day)))):
                at_once = leaves == day and bool(late[move])
                stale = STALE if not at_once and leaves <= last < day else 0.0
                price = costs[move] + (LATE if at_once else 0.0) + stale
                if abs(self.cost[item, leaves, moves.start[move]] + price - cost) < CLOSE:
                    return int(move), leaves, int(moves.start[move]), at_once
        return None

    def _name_move(
        self, item: int, move: tuple[int, int, int, bool], day: int, found: list[Obstacle]
    ) -> tuple[int, int]:
        """Add what stands in the way of a move; return where it came from."""
        which, leaves, start, at_once = move
        moves, problem = self._moves(leaves), self.problem
        good, lane, option = int(problem.items.good[item]), int(moves.lane[which]), int(moves.option[which])
        if problem.lane_tonnes[lane, leaves] <= 0:
            found.append(Obstacle("lane", lane, start, good, leaves))
        if option < 0:
            found.append(Obstacle("unserved", lane, start, good, leaves))
        else:
            fleet = int(problem.options.fleet[option])
            if problem.fleet_hours[fleet, leaves] <= 0:
                found.append(Obstacle("fleet", fleet, start, good, leaves))
            fuel, base = int(problem.options.fuel_good[option]), int(problem.options.fuel_site[option])
            if fuel >= 0 and problem.good_tonnes[good] > 0 and self._fuel[fuel, leaves, base] > SHUT / 2:
                found.append(Obstacle("fuel", fuel, base, fuel, leaves))
        if at_once:
            found.append(Obstacle("late", lane, start, good, leaves))
        elif leaves <= problem.items.last_day[item] < day:
            found.append(Obstacle("spoiled", good, start, good, day))
        return leaves, start

    def _made_from(self, item: int, day: int, site: int, cost: float, found: list[Obstacle]) -> None:
        problem, good = self.problem, int(self.problem.items.good[item])
        for plant in np.flatnonzero(problem.plant_site == site).tolist():
            inputs, outputs = problem.recipes[int(problem.plant_recipe[plant])]
            if good not in [output for output, _ in outputs] or problem.items.fresh[good, day] != item:
                continue
            price = self._plant_cost(plant, day) + sum(self._use_cost_at(used, day, site) for used, _ in inputs)
            if abs(price - cost) > CLOSE:
                continue
            if problem.plant_batches[plant, day] <= 0:
                found.append(Obstacle("plant", plant, site, good, day))
            if problem.plant_hours[plant] > 0 and problem.labour_hours[site, day] <= 0:
                found.append(Obstacle("labour", site, site, good, day))
            for used, _ in inputs:
                self._back(*self._at(used, day, site), found)
            return
