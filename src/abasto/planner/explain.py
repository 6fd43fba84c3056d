"""Prices → what binds and what would help, in words, for every shortage.

From a short need the cheapest way is walked back, node by node, to the stock or supply it would come from. Of what the
way pays for, the dearest that the plan does use up is what binds; one unit more of it would help most.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from abasto.planner.loads import Loads
from abasto.planner.lots import LotFlows
from abasto.planner.problem import TIERS, Floats, Problem
from abasto.planner.reasons import days_in_words, in_words
from abasto.planner.solution import Prices
from abasto.planner.tabulate import Service, Shortage

__all__ = ["explain"]

MOST_DAYS = 7
"""Of a longer run, so many days are walked back from."""
WALKS = 60_000
"""About so many walks in all: where there are very many shortages, fewer days of each."""
MOST_NODES = 5000
"""A walk that has looked at so many nodes takes the best source it has seen."""
STOCK_LAST = 1e-3
"""A way that ends at stock on hand counts as dearer by this share of the price there."""
FULL, NEARLY_FULL = 0.99, 0.9
"""From these shares on, what a plan uses of a capacity counts as all and as nearly all."""
PRICED = 0.01
"""A day counts if its price is at least this share of the dearest day's."""

Node = tuple[int, int, int]
"""Item, day, site."""
Resource = tuple[str, int, int]
"""Kind, what, at which site or of which good."""
Way = tuple[float, "Node | None", float, str, int]
"""A way into a node: its price per unit, where it comes from (None: a source), how much of it, its kind, and which."""


def explain(
    problem: Problem,
    prices: Prices,
    lots: LotFlows,
    served: Service,
    runs: Sequence[Shortage],
    *,
    stopped: bool = False,
) -> list[tuple[str, str]]:
    """Return the cause and the remedy of each shortage, in words."""
    walker = _Walker(problem, prices)
    judge = _Judge(problem, prices, Loads(problem, lots))
    most_days = max(1, min(MOST_DAYS, WALKS // max(1, len(runs))))
    return [_explain_run(walker, judge, served, run, most_days, stopped=stopped) for run in runs]


def _explain_run(
    walker: _Walker, judge: _Judge, served: Service, run: Shortage, most_days: int, *, stopped: bool
) -> tuple[str, str]:
    """Return what binds most over the run, each day counted by what is missing on it, and what would help."""
    problem, needs = walker.problem, walker.problem.needs
    target, site = int(needs.target[run.first]), int(needs.site[run.first])
    total: dict[Resource, float] = defaultdict(float)
    days: dict[Resource, set[int]] = defaultdict(set)
    reached = others_first = 0
    chosen = _some_of(run, most_days)
    for need in chosen:
        start, price = walker.cheapest_server(target, int(needs.day[need]), site)
        if start is None:
            continue
        reached += 1
        amount, coverage = float(needs.amount[need]), float(served.coverage[need])
        tier = min(int(coverage * TIERS), TIERS - 1)
        others_first += price > 1.01 * float(needs.weight[need]) * problem.tier_value[tier] * TIERS / amount
        for resource, when, part in walker.walk(start):
            total[resource] += part * amount * (1 - coverage)
            days[resource].add(when)
    if 2 * reached < len(chosen):
        return walker.no_way(target, site, int(needs.day[run.first]))
    span = range(int(needs.day[run.first]), int(needs.day[run.last]) + 1)
    for resource in sorted(total, key=lambda resource: -total[resource]):
        verdict = judge.binds(resource, days[resource], span)
        if verdict is not None:
            binding, all_of_it = verdict
            cause, remedy = in_words(problem, resource, days_in_words(binding), all_of_it=all_of_it)
            if 2 * others_first > reached:
                cause += "; what there is does more elsewhere: at places worse off, more urgent or nearer"
            return cause, remedy
    if stopped:
        return "the search was stopped before it was clear what binds", "plan again with more time"
    return "nothing is known to force it: the search ended within its gap", "plan again with a smaller gap"


def _some_of(run: Shortage, most: int) -> list[int]:
    """Return at most so many needs of a run, evenly spread; a single one lies in the middle."""
    length = run.last - run.first + 1
    if length <= most:
        return list(range(run.first, run.last + 1))
    if most == 1:
        return [run.first + length // 2]
    return sorted({run.first + round(k * (length - 1) / (most - 1)) for k in range(most)})


class _Judge:
    """Says whether what a way pays for most is used up by the plan, and on which days."""

    def __init__(self, problem: Problem, prices: Prices, loads: Loads) -> None:
        self.problem, self.prices, self.loads = problem, prices, loads
        self._known: dict[Resource, tuple[Floats, Floats] | None] = {}

    def binds(self, resource: Resource, walked: set[int], span: range) -> tuple[list[int], bool] | None:
        """Return the days on which a resource binds, and whether all of it is taken; None if it does not.

        Asked are the days of the run and those that were walked through: what leaves before the run counts.
        """
        if resource not in self._known:
            self._known[resource] = self._price_and_load(*resource)
        known = self._known[resource]
        if resource[0] == "stock" and self.loads.stock_used(*resource[1:]) < NEARLY_FULL:
            return None
        if known is None:  # how full it is, is not known: its price says that it is
            return sorted(walked), True
        price, load = known
        asked = np.arange(min(*walked, span[0]), max(*walked, span[-1]) + 1)
        binding = asked[(load[asked] >= NEARLY_FULL) & (price[asked] >= PRICED * price[asked].max())]
        return (binding.tolist(), bool(load[binding].min() >= FULL)) if len(binding) else None

    def _price_and_load(self, kind: str, what: int, where: int) -> tuple[Floats, Floats] | None:
        """Return the price and the load of each day."""
        prices, loads = self.prices, self.loads
        if kind == "fleet":
            return prices.fleet[what], loads.fleet[what]
        if kind == "lane":
            return prices.lane[what], loads.lane[what]
        if kind == "plant":
            return prices.plant[what], loads.plant[what]
        if kind == "labour":
            return prices.labour[where], loads.labour[where]
        if kind == "supply":
            offers = loads.offers(what, where)
            price = np.zeros(self.problem.days)
            price[self.problem.sources.day[offers]] = prices.source[offers]
            return price, loads.supply(what, where)
        return None


class _Walker:
    """Finds the cheapest way back from a need; ways found once are kept."""

    def __init__(self, problem: Problem, prices: Prices) -> None:
        self.problem, self.prices = problem, prices
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
        self._open = (problem.lane_tonnes[options.lane] > 0) & (problem.fleet_hours[options.fleet] > 0)
        self._fuel = self._fuel_paid()
        paid = options.hours[:, None] * prices.fleet[options.fleet] + prices.lane[options.lane] + self._fuel
        self._paid, self._free = paid.tolist(), self._open.tolist()

    def _fuel_paid(self) -> Floats:
        """Return what each option pays for fuel per tonne and day; inf where there is none."""
        options, price = self.problem.options, self.prices.good
        paid = np.zeros((len(options.lane), self.problem.days))
        known: dict[tuple[int, int], Floats] = {}
        for option in np.flatnonzero(options.fuel_good >= 0).tolist():
            place = int(options.fuel_good[option]), int(options.fuel_site[option])
            if place not in known:
                known[place] = price[self._items[place[0]], :, place[1]].min(axis=0)
            paid[option] = known[place] * options.fuel[option]
        return paid

    def cheapest_server(self, target: int, day: int, site: int) -> tuple[Node | None, float]:
        """Return the node that serves the need at the lowest price per unit of need; None if nothing reaches it."""
        best, least = None, np.inf
        for good, ratio in self._servers(target):
            node, price = self._cheapest(good, day, site)
            if price * ratio < least:
                best, least = node, price * ratio
        return best, least

    def _cheapest(self, good: int, day: int, site: int) -> tuple[Node | None, float]:
        """Return the cheapest item of a good that still lasts, and its price; None if there is none."""
        items = self._items[good]
        price = np.where(self.problem.items.last_day[items] >= day, self.prices.good[items, day, site], np.inf)
        least = int(price.argmin())
        return ((int(items[least]), day, site), float(price[least])) if price[least] < np.inf else (None, np.inf)

    def _servers(self, target: int) -> list[tuple[int, float]]:
        """Return the goods that serve a need, and how many units one unit of it takes."""
        goods = len(self.problem.goods)
        if target < goods:
            return list(self.problem.serves[target])
        content = self.problem.content[target - goods]
        return [(int(good), 1.0 / float(content[good])) for good in np.flatnonzero(content > 0)]

    def walk(self, node: Node) -> Iterator[tuple[Resource, int, float]]:
        """Yield what is paid along the cheapest way back from a node, per unit that arrives; nothing if none is."""
        units = 1.0
        at: Node | None = node if node in self._next or self._search(node) else None
        while at is not None:
            way = self._next[at]
            for resource, day, part in self._shares(at, way):
                if part > 0:
                    yield resource, day, part * units
            units *= way[2]
            at = way[1]

    def _search(self, root: Node) -> bool:
        """Search back from a node for the nearest source, least excess over the nodes' prices first, and keep the way.

        A step that is paid in full by the price of the node it leads to has no excess. Prices alone do not lead back to
        a source: vehicles with time to spare carry goods in circles for nothing. Stock on hand is always worth what
        is paid where it lies, so any way from further off that is as cheap says more: stock comes last among equals.
        """
        count = itertools.count()
        heap: list[tuple[float, int, Node | None, Node, Way | None]] = [(0.0, next(count), root, root, None)]
        links: dict[Node, tuple[Node, Way | None]] = {}
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
                    more += STOCK_LAST * price
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
        tonnes, price = self._tonnes[self._good[item]], self.prices.good
        for option in self._into.get(site, ()):
            leaves = day - self._lead[option]
            if leaves < 0 or not self._free[option][leaves]:
                continue
            start = self._start[option]
            there = price.item((item, leaves, start))
            total = there + tonnes * self._paid[option][leaves] if tonnes else there
            if total < np.inf:
                yield total, (item, leaves, start), 1.0, "ship", option

    def _made(self, node: Node) -> Iterator[Way]:
        item, day, site = node
        problem, prices = self.problem, self.prices
        good = self._good[item]
        for plant in self._plants.get(site, ()):
            made = self._output(plant, good)
            if not made or problem.items.fresh[good, day] != item or problem.plant_batches[plant, day] <= 0:
                continue
            inputs = problem.recipes[int(problem.plant_recipe[plant])][0]
            paid = [(*self._cheapest(used, day, site), quantity) for used, quantity in inputs]
            if any(at is None for at, _, _ in paid):
                continue
            work = float(prices.plant[plant, day] + problem.plant_hours[plant] * prices.labour[site, day])
            price = (work + sum(each * quantity for _, each, quantity in paid)) / made
            dearest = max(paid, key=lambda line: line[1] * line[2], default=(None, 0.0, 0.0))
            yield price, dearest[0], dearest[2] / made, "made", plant

    def _output(self, plant: int, good: int) -> float:
        """Return how much of a good a batch makes."""
        outputs = self.problem.recipes[int(self.problem.plant_recipe[plant])][1]
        return sum(quantity for output, quantity in outputs if output == good)

    def _shares(self, node: Node, way: Way) -> list[tuple[Resource, int, float]]:
        """Return what a way into a node pays for: resource, day, price per unit."""
        item, day, site = node
        problem, prices, options = self.problem, self.prices, self.problem.options
        good = self._good[item]
        price, before, _, kind, which = way
        if kind == "source":
            if not problem.sources.is_stock[which]:
                return [(("supply", good, site), day, price)]
            reserve = min(price, prices.shippable.get((site, good), 0.0))
            return [(("stock", good, site), day, price - reserve), (("reserve", good, site), day, reserve)]
        if kind == "kept":
            room = self._tonnes[good] * float(prices.storage[site, day - 1])
            return [(("storage", site, site), day - 1, room)]
        if kind == "ship":
            assert before is not None
            leaves, tonnes = before[1], self._tonnes[good]
            fleet, lane = int(options.fleet[which]), int(options.lane[which])
            driving = tonnes * float(options.hours[which] * prices.fleet[fleet, leaves])
            crowding = tonnes * float(prices.lane[lane, leaves])
            shares = [(("fleet", fleet, fleet), leaves, driving), (("lane", lane, lane), leaves, crowding)]
            if options.fuel_good[which] >= 0 and tonnes:
                place = int(options.fuel_good[which]), int(options.fuel_site[which])
                shares.append((("fuel", *place), leaves, tonnes * float(self._fuel[which, leaves])))
            return shares
        made = self._output(which, good)
        batch = float(prices.plant[which, day]) / made
        work = float(problem.plant_hours[which] * prices.labour[site, day]) / made
        return [(("plant", which, site), day, batch), (("labour", site, site), day, work)]

    def no_way(self, target: int, site: int, day: int) -> tuple[str, str]:
        """Say why nothing that serves the need can be there on a day and soon after."""
        problem, price = self.problem, self.prices.good
        goods = [good for good, _ in self._servers(target)]
        here, what = problem.sites[site], (*problem.goods, *problem.nutrients)[target]
        items = np.concatenate([self._items[good] for good in goods]) if goods else np.zeros(0, dtype=np.int64)
        if not np.isfinite(price[items]).any():
            return f"there is no {what} anywhere: no stock, supply or plant that can run", f"a supply of {what}"
        near = f"stock or a supply of {what} at or near {here}"
        there = np.flatnonzero(np.isfinite(price[items, :, site]).any(axis=0))
        if len(there) and there[-1] > day:
            return f"no {what} can be at {here} before day {there[there > day][0] + 1}", near
        if not any((self._open[option]).any() for option in self._into.get(site, ())):
            return f"no open lane with vehicles leads to {here}", f"a lane to {here} that a fleet serves, or {near}"
        spoils = any(problem.lifetime(good) is not None for good in goods)
        before = ", before it spoils" if spoils else ""
        return f"no {what} can be at {here} in time by open lanes with vehicles{before}", near
