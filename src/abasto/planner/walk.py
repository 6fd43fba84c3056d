"""The cheapest way back from a need, at a plan's final prices: its steps, and what each of them pays for.

From a node (an item, on a day, at a site) steps lead back through stores, lanes and recipes to the stock or supply that
a unit would come from. Where a recipe or a trip's fuel uses several goods the way branches, and each branch is walked.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from abasto.planner.problem import Floats, Problem
from abasto.planner.solution import Prices

__all__ = ["Key", "Node", "Server", "Step", "Walker"]

MOST_NODES = 5000
"""A walk that has looked at so many nodes takes the best source it has seen."""
STOCK_LAST = 1e-3
"""A way that ends at stock on hand counts as dearer by this share of the price there."""
SPARE_FIRST = 1e-6
"""A way that ends where nothing is left counts as dearer by this share of the price at its other end."""
MOST_STEPS = 2000
"""A way with its branches is read this far."""
MOST_FUEL_DEPTH = 2
"""Of the fuel that brings fuel, no more than so many rounds are walked."""

Node = tuple[int, int, int]
"""Item, day, site."""
Key = tuple[str, int, int]
"""A resource: its kind, what, and at which site or of which good."""
StepKind = Literal["source", "kept", "ship", "made"]
Way = tuple[float, "Node | None", float, StepKind, int]
"""A way into a node: its price per unit, where it comes from (None: a source), how much of it, its kind, and which."""

Paid = tuple[Key, bool, int, float]
"""What is paid for: a resource, whether as fuel, on which day, and how much."""


class Server(NamedTuple):
    """What serves a need at the lowest price: a node, units of it per unit of need, and the price per unit of need."""

    node: Node
    ratio: float
    price: float


class Step(NamedTuple):
    """A step of a way: the node it leads to, how it comes there and which option, plant, site or source that is.

    `units` of the good arrive by it for each unit at the way's end. `pays` lists resource, day and price for these
    units, also where that is nothing. `fuel` says that the step only brings the fuel of a later one, `main` that it is
    on the branch that costs most.
    """

    node: Node
    kind: StepKind
    which: int
    units: float
    pays: tuple[tuple[Key, int, float], ...]
    fuel: bool
    main: bool


class Walker:
    """Finds the cheapest way back from a need; ways found once are kept.

    `spare` [sources] says of which stock and supply the plan leaves some: of equal ways, those.
    """

    def __init__(self, problem: Problem, prices: Prices, spare: npt.NDArray[np.bool_]) -> None:
        self.problem, self.prices = problem, prices
        self._spare = spare.tolist()
        self._next: dict[Node, Way] = {}
        options, sources = problem.options, problem.sources
        self._into: dict[int, list[int]] = defaultdict(list)
        for option, end in enumerate(options.end.tolist()):
            self._into[end].append(option)
        self._sources: dict[Node, list[int]] = defaultdict(list)
        nodes = zip(sources.item.tolist(), sources.day.tolist(), sources.site.tolist(), strict=True)
        for source, node in enumerate(nodes):
            self._sources[node].append(source)
        self._plants: dict[int, list[int]] = defaultdict(list)
        for plant, site in enumerate(problem.plant_site.tolist()):
            self._plants[site].append(plant)
        self._items = [np.flatnonzero(problem.items.good == good) for good in range(len(problem.goods))]
        self._good = problem.items.good.tolist()
        self._tonnes = problem.good_tonnes.tolist()
        self._start, self._lead = options.start.tolist(), options.lead.tolist()
        self._open = ((problem.lane_tonnes[options.lane] > 0) & (problem.fleet_hours[options.fleet] > 0)).tolist()
        self._fleet, self._lane, self._hours = options.fleet.tolist(), options.lane.tolist(), options.hours.tolist()
        self._work = problem.plant_hours.tolist()
        self._burns = (options.fuel_good >= 0).tolist()
        self._arriving: dict[tuple[int, int], list[tuple[int, int, float, int]]] = {}
        self._bills: dict[tuple[Node, bool, int], tuple[Paid, ...]] = {}
        self._reserved = self._stock_under_reserve()
        self._fuel = self._fuel_paid()
        paid = options.hours[:, None] * prices.fleet[options.fleet] + prices.lane[options.lane] + self._fuel
        self._paid = paid.tolist()

    def _stock_under_reserve(self) -> dict[tuple[int, int], list[int]]:
        """Return the lots on hand of each (good, site) with a reserve: they may be used there at any rate."""
        lots: dict[tuple[int, int], list[int]] = defaultdict(list)
        sources = self.problem.sources
        for source in np.flatnonzero(sources.is_stock).tolist():
            good, site = self._good[sources.item[source]], int(sources.site[source])
            if (site, good) in self.problem.shippable:
                lots[good, site].append(source)
        return lots

    def _fuel_paid(self) -> Floats:
        """Return what each option pays for fuel per tonne and day; inf where there is none."""
        options, problem = self.problem.options, self.problem
        paid = np.zeros((len(options.lane), problem.days))
        known: dict[tuple[int, int], Floats] = {}
        for option in np.flatnonzero(options.fuel_good >= 0).tolist():
            good, site = int(options.fuel_good[option]), int(options.fuel_site[option])
            if (good, site) not in known:
                known[good, site] = np.array([self._cheapest(good, day, site)[1] for day in range(problem.days)])
            paid[option] = known[good, site] * options.fuel[option]
        return paid

    def cheapest_server(self, target: int, day: int, site: int) -> Server | None:
        """Return what serves the need at the lowest price; None if nothing reaches it."""
        best: Server | None = None
        for good, ratio in self.servers(target):
            node, price = self._cheapest(good, day, site)
            if node is not None and (best is None or price * ratio < best.price):
                best = Server(node, ratio, price * ratio)
        return best

    def _cheapest(self, good: int, day: int, site: int) -> tuple[Node | None, float]:
        """Return the cheapest item of a good that still lasts, and its price; None if there is none."""
        items = self._items[good]
        if len(items) == 1 and (only := self.prices.good.item((good, day, site))) < np.inf:
            return (good, day, site), only
        price = np.where(self.problem.items.last_day[items] >= day, self.prices.good[items, day, site], np.inf)
        least = int(price.argmin())
        if price[least] < np.inf:
            return (int(items[least]), day, site), float(price[least])
        for source in self._reserved.get((good, site), ()):
            item = int(self.problem.sources.item[source])
            if self.problem.items.last_day[item] >= day:
                return (item, 0, site), float(self.prices.source[source])
        return None, np.inf

    def reaches(self, node: Node) -> bool:
        """Return whether a way leads back from a node to some source."""
        return node in self._next or self._search(node)

    def servers(self, target: int) -> list[tuple[int, float]]:
        """Return the goods that serve a need, and how many units one unit of it takes."""
        goods = len(self.problem.goods)
        if target < goods:
            return list(self.problem.serves[target])
        content = self.problem.content[target - goods]
        return [(int(good), 1.0 / float(content[good])) for good in np.flatnonzero(content > 0)]

    def bill(self, node: Node, sent: bool = False, depth: int = 0) -> tuple[Paid, ...]:
        """Return what all steps of `walk` pay per unit that arrives; bills found once are kept."""
        path: list[tuple[tuple[Node, bool, int], Way]] = []
        tail: tuple[Paid, ...] = ()
        at: Node | None = node if self.reaches(node) else None
        while at is not None:
            place = at, sent, depth
            if place in self._bills:
                tail = self._bills[place]
                break
            self._bills[place] = ()  # what is made of itself is not followed round
            way = self._next[at]
            path.append((place, way))
            sent = way[3] == "ship" or (sent and way[3] != "made")
            at = way[1]
        for place, way in reversed(path):
            if way[2] != 1.0:
                tail = _times(tail, way[2])
            pays = self._pays(place[0], way, place[1])
            tail = tuple((key, depth > 0, day, part) for key, day, part in pays if part > 0) + tail
            for branch, units, deeper in self._branches(place[0], way, 1.0, depth):
                tail += _times(self.bill(branch, False, deeper), units)
            self._bills[place] = tail
        return tail

    def walk(self, node: Node, units: float = 1.0) -> Iterator[Step]:
        """Yield the steps of the cheapest way back from a node with its branches; nothing if no source is found.

        `units` arrive at the node.
        """
        waiting: list[tuple[Node, float, int, bool, bool]] = [(node, units, 0, False, True)]
        steps = 0
        while waiting and steps < MOST_STEPS:
            start, amount, depth, sent, main = waiting.pop()
            at: Node | None = start if self.reaches(start) else None
            while at is not None and steps < MOST_STEPS:
                steps += 1
                way = self._next[at]
                kind, which = way[3], way[4]
                pays = tuple((key, day, part * amount) for key, day, part in self._pays(at, way, sent))
                yield Step(at, kind, which, amount, pays, depth > 0, main)
                waiting += [(*branch, False, False) for branch in self._branches(at, way, amount, depth)]
                sent = kind == "ship" or (sent and kind != "made")
                amount *= way[2]
                at = way[1]

    def _branches(self, at: Node, way: Way, amount: float, depth: int) -> Iterator[tuple[Node, float, int]]:
        """Yield what a way into a node needs beside what it goes on with: node, units, and how deep in fuel it is."""
        if way[3] == "ship" and self._burns[way[4]] and depth < MOST_FUEL_DEPTH:
            options, tonnes, leaves = self.problem.options, self._tonnes[self._good[at[0]]], at[1] - self._lead[way[4]]
            fuel, _ = self._cheapest(int(options.fuel_good[way[4]]), leaves, int(options.fuel_site[way[4]]))
            if fuel is not None and tonnes:
                yield fuel, amount * tonnes * float(options.fuel[way[4]]), depth + 1
        if way[3] == "made":
            _, day, site = at
            made = self.output(way[4], self._good[at[0]])
            main_good = None if way[1] is None else self._good[way[1][0]]
            for good, quantity in self.problem.recipes[int(self.problem.plant_recipe[way[4]])][0]:
                if good != main_good:
                    node, _ = self._cheapest(good, day, site)
                    if node is not None:
                        yield node, amount * quantity / made, depth

    def _search(self, root: Node) -> bool:
        """Search back from a node for the nearest source, least excess over the nodes' prices first, and keep the way.

        A step that is paid in full by the price of the node it leads to has no excess. Prices alone do not lead back to
        a source: vehicles with time to spare carry goods in circles for nothing. Stock on hand is always worth what
        is paid where it lies, so any way from further off that is as cheap says more: stock comes last among equals.
        """
        count = itertools.count()
        heap: list[tuple[float, int, Node | None, Node, Way | None]] = [(0.0, next(count), root, root, None)]
        links: dict[Node, tuple[Node, Way | None]] = {}
        worth = self.prices.good.item(root)
        worth = worth if worth < np.inf else 0.0
        while heap:
            excess, _, at, nearer, way = heapq.heappop(heap)
            if at in links:
                continue
            if at is None or at in self._next:
                while way is not None:
                    self._next[nearer] = way
                    nearer, way = links[nearer]
                return True
            links[at] = nearer, way
            if len(links) > MOST_NODES:
                heap = [entry for entry in heap if entry[2] is None or entry[2] in self._next]
                heapq.heapify(heap)
                continue
            price = self.prices.good.item(at)
            for step in itertools.chain(self._from_sources(at), self._kept(at), self._made(at), self._shipped(at)):
                more = excess + max(0.0, step[0] - price)
                if step[3] == "source" and self.problem.sources.is_stock[step[4]]:
                    more += STOCK_LAST * min(price, step[0])
                if step[3] == "source" and not self._spare[step[4]]:
                    more += SPARE_FIRST * worth
                heapq.heappush(heap, (more, next(count), step[1], at, step))
        return False

    def _from_sources(self, node: Node) -> Iterator[Way]:
        for source in self._sources.get(node, ()):
            yield float(self.prices.source[source]), None, 1.0, "source", source

    def _kept(self, node: Node) -> Iterator[Way]:
        item, day, site = node
        if day:
            before = self.prices.good.item((item, day - 1, site))
            if before < np.inf:
                room = self._tonnes[self._good[item]] * self.prices.storage.item((site, day - 1))
                yield before + room, (item, day - 1, site), 1.0, "kept", site

    def _shipped(self, node: Node) -> Iterator[Way]:
        item, day, site = node
        tonnes, price = self._tonnes[self._good[item]], self.prices.good.item
        if (day, site) not in self._arriving:
            self._arriving[day, site] = list(self._open_into(day, site))
        for leaves, start, paid, option in self._arriving[day, site]:
            total = price((item, leaves, start))
            if tonnes:
                total += tonnes * paid
            if total < np.inf:
                yield total, (item, leaves, start), 1.0, "ship", option

    def _open_into(self, day: int, site: int) -> Iterator[tuple[int, int, float, int]]:
        """Yield each option by which something can arrive: the day it leaves, from where, and its price per tonne."""
        for option in self._into.get(site, ()):
            leaves = day - self._lead[option]
            if leaves >= 0 and self._open[option][leaves]:
                yield leaves, self._start[option], self._paid[option][leaves], option

    def _made(self, node: Node) -> Iterator[Way]:
        item, day, site = node
        problem, prices = self.problem, self.prices
        good = self._good[item]
        for plant in self._plants.get(site, ()):
            made = self.output(plant, good)
            if not made or problem.items.fresh[good, day] != item or problem.plant_batches[plant, day] <= 0:
                continue
            inputs = problem.recipes[int(problem.plant_recipe[plant])][0]
            paid = [(*self._cheapest(used, day, site), quantity) for used, quantity in inputs]
            if any(at is None for at, _, _ in paid):
                continue
            work = prices.plant.item(plant, day) + self._work[plant] * prices.labour.item(site, day)
            price = (work + sum(each * quantity for _, each, quantity in paid)) / made
            dearest = max(paid, key=lambda line: line[1] * line[2], default=(None, 0.0, 0.0))
            yield price, dearest[0], dearest[2] / made, "made", plant

    def output(self, plant: int, good: int) -> float:
        """Return how much of a good a batch makes."""
        outputs = self.problem.recipes[int(self.problem.plant_recipe[plant])][1]
        return sum(quantity for output, quantity in outputs if output == good)

    def _pays(self, node: Node, way: Way, sent: bool) -> list[tuple[Key, int, float]]:
        """Return what a way into a node pays for, beside what its branches pay: resource, day, price per unit.

        `sent` says that a unit leaves the site on its further way; what is used where it lies need not spare a reserve.
        """
        item, day, site = node
        problem, prices = self.problem, self.prices
        good = self._good[item]
        price, before, _, kind, which = way
        if kind == "source":
            if not problem.sources.is_stock[which]:
                return [(("supply", good, site), day, price)]
            gate = prices.shippable.get((site, good), 0.0)
            here = float(prices.good[item, day, site])
            stock = min(price, max(0.0, here - gate)) if gate and here < np.inf else price
            paid: list[tuple[Key, int, float]] = [(("stock", good, site), day, stock)]
            return [*paid, (("reserve", good, site), day, gate)] if gate and sent else paid
        if kind == "kept":
            room = self._tonnes[good] * prices.storage.item(site, day - 1)
            return [(("storage", site, site), day - 1, room)]
        if kind == "ship":
            assert before is not None
            leaves, tonnes = before[1], self._tonnes[good]
            if not tonnes:
                return []
            fleet, lane = self._fleet[which], self._lane[which]
            driving = tonnes * self._hours[which] * prices.fleet.item(fleet, leaves)
            crowding = tonnes * prices.lane.item(lane, leaves)
            return [(("fleet", fleet, fleet), leaves, driving), (("lane", lane, lane), leaves, crowding)]
        made = self.output(which, good)
        batch = prices.plant.item(which, day) / made
        work = self._work[which] * prices.labour.item(site, day) / made
        paid = [(("plant", which, site), day, batch)]
        return [*paid, (("labour", site, site), day, work)] if self._work[which] > 0 else paid


def _times(paid: tuple[Paid, ...], units: float) -> tuple[Paid, ...]:
    return tuple((key, fuel, day, part * units) for key, fuel, day, part in paid)
