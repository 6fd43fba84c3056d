"""Prices → what binds and what would help, in words, for every shortage.

From a short need the cheapest way is walked back, node by node, to the stock or supply it would come from. The resource
with the largest share of the way's price is what binds; one unit more of it would help most.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from abasto.planner.problem import TIERS, Problem
from abasto.planner.solution import Prices
from abasto.planner.tabulate import Service, Shortage

__all__ = ["MOST_WALKS", "explain"]

MOST_WALKS = 2000
"""So many of the worst shortages are explained; a plan with more has few readers for the rest."""
DAYS_WALKED = 7
"""Of a longer run, so many days are walked back from."""
MOST_NODES = 5000
"""A walk that has looked at so many nodes takes the best source it has seen."""
STOCK_LAST = 1e-3
"""A way that ends at stock on hand counts as dearer by this share of the price there."""

Node = tuple[int, int, int]
"""Item, day, site."""
Share = tuple[str, int, int, int, float]
"""A resource (kind, what, at which site or of which good, day) and its part of a way's price."""


@dataclass(frozen=True)
class _Step:
    """A way into a node: its price per unit, where it comes from (None: a source), how much of it, what is paid for."""

    price: float
    before: Node | None
    units: float
    shares: tuple[Share, ...]


def explain(
    problem: Problem, prices: Prices, served: Service, runs: Sequence[Shortage], *, stopped: bool = False
) -> list[tuple[str, str]]:
    """Return the cause and the remedy of each shortage, in words; the worst first while walks last."""
    walker = _Walker(problem, prices)
    missing = np.maximum(0.0, 1.0 - served.coverage) * problem.needs.weight
    weight = [float(missing[run.first : run.last + 1].sum()) for run in runs]
    words = [("not examined: many other shortages are worse", "see the causes of the worst shortages")] * len(runs)
    for index in sorted(range(len(runs)), key=lambda index: -weight[index])[:MOST_WALKS]:
        words[index] = walker.explain_run(runs[index], served, stopped=stopped)
    return words


class _Walker:
    """Finds the cheapest way back from a need; ways found once are kept."""

    def __init__(self, problem: Problem, prices: Prices) -> None:
        self.problem, self.prices = problem, prices
        self._next: dict[Node, _Step] = {}
        options, sources = problem.options, problem.sources
        self._into: dict[int, list[int]] = defaultdict(list)
        for option, end in enumerate(options.end.tolist()):
            self._into[end].append(option)
        self._sources: dict[Node, list[int]] = defaultdict(list)
        for source, node in enumerate(
            zip(sources.item.tolist(), sources.day.tolist(), sources.site.tolist(), strict=True)
        ):
            self._sources[node].append(source)
        self._plants: dict[int, list[int]] = defaultdict(list)
        for plant, site in enumerate(problem.plant_site.tolist()):
            self._plants[site].append(plant)
        self._items: dict[int, list[int]] = defaultdict(list)
        for item, good in enumerate(problem.items.good.tolist()):
            self._items[good].append(item)

    def explain_run(self, run: Shortage, served: Service, *, stopped: bool) -> tuple[str, str]:
        """Return what binds most over the run, each day counted by what is missing on it, and what would help."""
        problem, needs = self.problem, self.problem.needs
        total: dict[tuple[str, int, int], float] = defaultdict(float)
        days: dict[tuple[str, int, int], set[int]] = defaultdict(set)
        reached = others_first = 0
        chosen = np.unique(np.linspace(run.first, run.last, DAYS_WALKED).round().astype(int)).tolist()
        for need in chosen:
            start, price = self._cheapest_server(int(needs.target[need]), int(needs.day[need]), int(needs.site[need]))
            if start is None:
                continue
            reached += 1
            tier = min(int(served.coverage[need] * TIERS), TIERS - 1)
            worth = needs.weight[need] * problem.tier_value[tier] * TIERS / needs.amount[need]
            others_first += price > 1.01 * worth
            for kind, what, where, when, part in self._walk(start):
                total[kind, what, where] += part * (needs.amount[need] - served.met[need])
                days[kind, what, where].add(when)
        if 2 * reached < len(chosen):
            return self._no_way(int(needs.target[run.first]), int(needs.site[run.first]))
        if not total:
            if stopped:
                return "the search was stopped before it was clear what binds", "plan again with more time"
            return "nothing that the prices show; it lies within the plan's gap", "plan again with a smaller gap"
        worst = max(total, key=lambda resource: total[resource])
        cause, remedy = self._in_words(*worst, _days_in_words(days[worst]))
        if 2 * others_first > reached:
            cause += "; what there is goes to places that are worse off or more urgent"
        return cause, remedy

    def _cheapest_server(self, target: int, day: int, site: int) -> tuple[Node | None, float]:
        """Return the node that serves the need at the lowest price per unit of need; None if nothing reaches it."""
        goods = len(self.problem.goods)
        if target < goods:
            servers = list(self.problem.serves[target])
        else:
            content = self.problem.content[target - goods]
            servers = [(int(good), 1.0 / float(content[good])) for good in np.flatnonzero(content > 0)]
        best, least = None, np.inf
        for good, ratio in servers:
            for item in self._items[good]:
                price = float(self.prices.good[item, day, site]) * ratio
                if price < least and self.problem.items.last_day[item] >= day:
                    best, least = (item, day, site), price
        return best, least

    def _walk(self, node: Node) -> list[Share]:
        """Return what is paid along the cheapest way back from a node, per unit that arrives; nothing if none is."""
        shares: list[Share] = []
        units = 1.0
        at: Node | None = node if node in self._next or self._search(node) else None
        while at is not None:
            step = self._next[at]
            shares += [
                (kind, what, where, day, part * units) for kind, what, where, day, part in step.shares if part > 0
            ]
            units *= step.units
            at = step.before
        return shares

    def _search(self, root: Node) -> bool:
        """Search back from a node for the nearest source, least excess over the nodes' prices first, and keep the way.

        A step that is paid in full by the price of the node it leads to has no excess. Prices alone do not lead back to
        a source: vehicles with time to spare carry goods in circles for nothing. Stock on hand is always worth what
        is paid where it lies, so any way from further off that is as cheap says more: stock comes last among equals.
        """
        count = itertools.count()
        heap: list[tuple[float, int, Node | None, Node, _Step | None]] = [(0.0, next(count), root, root, None)]
        links: dict[Node, tuple[Node, _Step | None]] = {}
        while heap:
            excess, _, at, nearer, step = heapq.heappop(heap)
            if at in links:
                continue
            if at is None or at in self._next:
                while step is not None:
                    self._next[nearer] = step
                    nearer, step = links[nearer]
                return True
            links[at] = nearer, step
            if len(links) > MOST_NODES:
                heap = [entry for entry in heap if entry[2] is None or entry[2] in self._next]
                heapq.heapify(heap)
                continue
            price = float(self.prices.good[at])
            for way in (*self._from_sources(at), *self._kept(at), *self._made(at), *self._shipped(at)):
                more = excess + max(0.0, way.price - price)
                if way.before is None and way.shares[0][0] == "stock":
                    more += STOCK_LAST * price
                heapq.heappush(heap, (more, next(count), way.before, at, way))
        return False

    def _from_sources(self, node: Node) -> list[_Step]:
        item, day, site = node
        good = int(self.problem.items.good[item])
        steps = []
        for source in self._sources.get(node, ()):
            price = float(self.prices.source[source])
            stock = self.problem.sources.is_stock[source]
            reserve = min(price, self.prices.shippable.get((site, good), 0.0)) if stock else 0.0
            kind = "stock" if stock else "supply"
            shares = ((kind, good, site, day, price - reserve), ("reserve", good, site, day, reserve))
            steps.append(_Step(price, None, 1.0, shares))
        return steps

    def _kept(self, node: Node) -> list[_Step]:
        item, day, site = node
        if day == 0 or not np.isfinite(self.prices.good[item, day - 1, site]):
            return []
        tonnes = float(self.problem.good_tonnes[self.problem.items.good[item]])
        room = tonnes * float(self.prices.storage[site, day - 1])
        price = float(self.prices.good[item, day - 1, site]) + room
        return [_Step(price, (item, day - 1, site), 1.0, (("storage", site, site, day - 1, room),))]

    def _shipped(self, node: Node) -> list[_Step]:
        item, day, site = node
        problem, prices, options = self.problem, self.prices, self.problem.options
        tonnes = float(problem.good_tonnes[problem.items.good[item]])
        steps = []
        for option in self._into[site]:
            lane, fleet, start = int(options.lane[option]), int(options.fleet[option]), int(options.start[option])
            leaves = day - int(options.lead[option])
            if leaves < 0 or problem.lane_tonnes[lane, leaves] <= 0 or problem.fleet_hours[fleet, leaves] <= 0:
                continue
            there = float(prices.good[item, leaves, start])
            if not np.isfinite(there):
                continue
            driving = tonnes * float(options.hours[option] * prices.fleet[fleet, leaves])
            crowding = tonnes * float(prices.lane[lane, leaves])
            shares: tuple[Share, ...] = (
                ("fleet", fleet, fleet, leaves, driving),
                ("lane", lane, lane, leaves, crowding),
            )
            fuel_good = int(options.fuel_good[option])
            if fuel_good >= 0:
                at = prices.good[self._items[fuel_good], leaves, int(options.fuel_site[option])]
                burnt = tonnes * float(options.fuel[option]) * float(np.min(at))
                if not np.isfinite(burnt):
                    continue
                shares += (("fuel", fuel_good, int(options.fuel_site[option]), leaves, burnt),)
            price = there + sum(part for *_, part in shares)
            steps.append(_Step(price, (item, leaves, start), 1.0, shares))
        return steps

    def _made(self, node: Node) -> list[_Step]:
        item, day, site = node
        problem, prices = self.problem, self.prices
        good = int(problem.items.good[item])
        steps = []
        for plant in self._plants[site]:
            inputs, outputs = problem.recipes[int(problem.plant_recipe[plant])]
            made = sum(quantity for output, quantity in outputs if output == good)
            if not made or problem.items.fresh[good, day] != item or problem.plant_batches[plant, day] <= 0:
                continue
            paid = [(*self._cheapest_server(used, day, site), quantity) for used, quantity in inputs]
            if any(at is None for at, _, _ in paid):
                continue
            batch = float(prices.plant[plant, day]) / made
            work = float(problem.plant_hours[plant] * prices.labour[site, day]) / made
            price = batch + work + sum(each * quantity for _, each, quantity in paid) / made
            dearest = max(paid, key=lambda line: line[1] * line[2], default=(None, 0.0, 0.0))
            shares = (("plant", plant, site, day, batch), ("labour", site, site, day, work))
            steps.append(_Step(price, dearest[0], dearest[2] / made, shares))
        return steps

    def _in_words(self, kind: str, what: int, where: int, when: str) -> tuple[str, str]:
        problem = self.problem
        if kind == "lane":
            start, end = problem.lanes[what]
            name = f"lane {problem.sites[start]}>{problem.sites[end]}"
            return f"{name} is full {when}", f"more tonnes on {name} {when}"
        if kind == "fleet":
            fleet = problem.fleets[what]
            return f"all vehicles of {fleet} are taken {when}", f"more vehicle-hours for {fleet} {when}"
        site = problem.sites[where]
        if kind == "plant":
            recipe = problem.recipe_ids[int(problem.plant_recipe[what])]
            return f"{site} makes all the {recipe} it can {when}", f"more batches of {recipe} at {site} {when}"
        if kind == "labour":
            return f"all working hours at {site} are taken {when}", f"more working hours at {site} {when}"
        if kind == "storage":
            return f"the store of {site} is full {when}", f"more storage at {site} {when}"
        good = problem.goods[what]
        if kind == "reserve":
            return f"the rest of the {good} at {site} is its reserve", f"a smaller reserve of {good} at {site}"
        if kind == "fuel":
            return f"all {good} for vehicles at {site} is taken {when}", f"more {good} at {site} {when}"
        if kind == "stock":
            return f"all {good} on hand at {site} is taken", f"more {good} at {site} or a place nearer"
        return f"all {good} that {site} can take in is taken {when}", f"a larger supply of {good} at {site} {when}"

    def _no_way(self, target: int, site: int) -> tuple[str, str]:
        """Say why nothing that serves the need can be there within the horizon."""
        problem = self.problem
        names = (*problem.goods, *problem.nutrients)
        goods = len(problem.goods)
        serving = (
            [good for good, _ in problem.serves[target]]
            if target < goods
            else np.flatnonzero(problem.content[target - goods] > 0).tolist()
        )
        here, what = problem.sites[site], names[target]
        items = [item for good in serving for item in self._items[good]]
        if not np.isfinite(self.prices.good[items]).any():
            return f"there is no {what} anywhere: no stock, supply or plant that can run", f"a supply of {what}"
        options = problem.options
        mine = [option for option in self._into[site] if (problem.fleet_hours[options.fleet[option]] > 0).any()]
        if not any((problem.lane_tonnes[options.lane[option]] > 0).any() for option in mine):
            return (
                f"no open lane with vehicles leads to {here}",
                f"a lane to {here} that a fleet serves, or {what} of its own",
            )
        return (
            f"no {what} can be at {here} in time by open lanes with vehicles, before it spoils",
            f"stock or a supply of {what} at or near {here}",
        )


def _days_in_words(days: set[int]) -> str:
    first, last = min(days) + 1, max(days) + 1
    return f"on day {first}" if first == last else f"around days {first} to {last}"
