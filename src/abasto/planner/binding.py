"""What binds where a need is short: of what its cheapest ways pay for most, whatever the plan does use up.

Prices say what would be worth more of; loads say whether there is any left. Only what both say counts: a resource that
carries a substantial part of the price and is taken on the days that count. Where no way leads at all, what stands in
the way is looked for instead.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from abasto.planner.loads import Loads
from abasto.planner.lots import LotFlows
from abasto.planner.obstacles import Obstacle, Obstacles
from abasto.planner.problem import TIERS, Floats, Problem
from abasto.planner.solution import Prices
from abasto.planner.tabulate import Service, Shortage
from abasto.planner.walk import Key, Server, Walker

__all__ = ["Binding", "Blocked", "Found", "Look", "Looker"]

FULL, NEARLY_FULL = 0.99, 0.9
"""From these shares on, what a plan uses of a capacity counts as all and as nearly all."""
PRICED = 0.01
"""A day counts if its price is at least this share of the dearest day's."""
SUBSTANTIAL = 0.2
"""A resource that carries at least this share of the price is a cause of its own; so is a part of the run that is
blocked."""
CHEAP = 0.1
"""Ways that cost less than this share of what they are worth force nothing: the search has not come to an end there."""
MOST_CAUSES = 3


@dataclass
class Look:
    """What the ways back from a run's needs pay for: in all and by day, and the needs that no way leads to.

    `servers` are the needs looked at with what would serve them. In `total` each day counts by what is missing on it,
    and so it does in `worth`, what that would be worth to the plan. Keys are resources, and whether they are paid for
    as fuel.
    """

    run: Shortage
    chosen: list[int]
    servers: dict[int, Server] = field(default_factory=dict)
    blocked: list[int] = field(default_factory=list)
    total: dict[tuple[Key, bool], float] = field(default_factory=dict)
    by_day: dict[tuple[Key, bool], dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    worth: float = 0.0
    missing: float = 0.0
    blocked_missing: float = 0.0


@dataclass(frozen=True)
class Binding:
    """A resource that binds on some days (from 0): its part of the price, its load on these days, all or nearly all.

    `fuel` says that the ways pay for it as fuel, `none` that it has no capacity at all on these days. `per_unit` is
    what a unit of the need would take of it.
    """

    key: Key
    fuel: bool
    days: list[int]
    share: float
    load: list[float]
    per_unit: float

    @property
    def all_of_it(self) -> bool:
        return min(self.load, default=1.0) >= FULL


@dataclass(frozen=True)
class Blocked:
    """Days (from 0) of a run on which no way leads to the need, what stands in the way, and when something can come.

    `obstacles` is None where no change would help: then the goods are at `places` that no lane leads from, or nowhere.
    """

    days: list[int]
    share: float
    obstacles: list[Obstacle] | None
    first_day: int | None
    places: list[int]


@dataclass(frozen=True)
class Found:
    """What is known of a shortage: bindings, worst first, and blocked days; neither where nothing is known.

    `cheap` says that at the prices all this costs next to nothing against what it is worth: it does not force anything.
    """

    bindings: list[Binding]
    blocked: Blocked | None
    cheap: bool = False


class Looker:
    """Looks back from short needs; what is found once is kept."""

    def __init__(self, problem: Problem, prices: Prices, lots: LotFlows, served: Service) -> None:
        self.problem, self.prices, self.served = problem, prices, served
        self.loads = Loads(problem, lots)
        self.walker = Walker(problem, prices, self.loads.spare(FULL))
        self._known: dict[Key, tuple[Floats, Floats]] = {}

    @cached_property
    def obstacles(self) -> Obstacles:
        return Obstacles(self.problem)

    def look(self, run: Shortage, most_days: int) -> Look:
        """Walk back from at most so many needs of a run."""
        look = Look(run, some_of(run, most_days))
        needs = self.problem.needs
        target, site = int(needs.target[run.first]), int(needs.site[run.first])
        by_day = look.by_day
        for need in look.chosen:
            missing = float(needs.amount[need]) * (1 - float(self.served.coverage[need]))
            look.missing += missing
            server = self.walker.cheapest_server(target, int(needs.day[need]), site)
            if server is None or not self.walker.reaches(server.node):
                look.blocked.append(need)
                look.blocked_missing += missing
                continue
            look.servers[need] = server
            weight = server.ratio * missing
            look.worth += self.worth(need) * missing
            for key, fuel, day, part in self.walker.bill(server.node):
                days = by_day[key, fuel]
                days[day] = days.get(day, 0.0) + part * weight
        look.total = {place: sum(days.values()) for place, days in by_day.items()}
        return look

    def worth(self, need: int) -> float:
        """Return what a unit of the need's next tier is worth."""
        needs = self.problem.needs
        tier = min(int(float(self.served.coverage[need]) * TIERS), TIERS - 1)
        return float(needs.weight[need] * self.problem.tier_value[tier] * TIERS / needs.amount[need])

    def find(self, look: Look, *, thorough: bool) -> Found:
        """Return what binds and what is blocked, whichever accounts for a substantial part of what is missing.

        `thorough` also names what is full on the way without a price of its own.
        """
        blocked = None
        if look.blocked_missing >= SUBSTANTIAL * look.missing > 0:
            blocked = self._blocked(look)
        if look.blocked_missing > (1 - SUBSTANTIAL) * look.missing:
            return Found([], blocked)
        bindings = self._bindings(look)
        cheap = sum(look.total.values()) < CHEAP * look.worth
        return Found(bindings + (self._full_as_well(look, bindings) if thorough else []), blocked, cheap)

    def _full_as_well(self, look: Look, bindings: list[Binding]) -> list[Binding]:
        """Return what has no price but is full wherever most of the ways pass: more of the rest alone would not help.

        Where two things run out at once, one of them may carry the whole price in a solution at a corner.
        """
        priced = {key for key, _ in look.total}
        ways: dict[tuple[Key, bool], int] = defaultdict(int)
        days: dict[tuple[Key, bool], set[int]] = defaultdict(set)
        for server in look.servers.values():
            steps = self.walker.walk(server.node)
            passed = {(key, step.fuel, day) for step in steps for key, day, _ in step.pays if key not in priced}
            for key, fuel, day in passed:
                days[key, fuel].add(day)
            for place in {(key, fuel) for key, fuel, _ in passed if key[0] not in ("storage", "reserve")}:
                ways[place] += 1
        full = []
        for (key, fuel), count in ways.items():
            when = sorted(days[key, fuel])
            load = self.load(key)[when].tolist()
            if 2 * count > len(look.servers) and min(load) >= FULL:
                full.append(Binding(key, fuel, when, 0.0, load, 0.0))
        return full[: MOST_CAUSES - len(bindings)] if bindings else []

    def _bindings(self, look: Look) -> list[Binding]:
        paid = sum(look.total.values())
        needs = self.problem.needs
        found: list[Binding] = []
        span = range(int(needs.day[look.run.first]), int(needs.day[look.run.last]) + 1)
        for key, fuel in sorted(look.total, key=lambda place: -look.total[place]):
            share = look.total[key, fuel] / paid
            if len(found) >= MOST_CAUSES or (found and share < SUBSTANTIAL):
                break
            by_day = look.by_day[key, fuel]
            days = self.binding_days(key, set(by_day), span)
            if days:
                load = self.load(key)[days].tolist()
                per_unit = self._per_unit(key, by_day) / max(look.missing - look.blocked_missing, 1e-300)
                found.append(Binding(key, fuel, days, share, load, per_unit))
        return found

    def _per_unit(self, key: Key, by_day: dict[int, float]) -> float:
        """Return how much of a resource was paid for, where its price says so."""
        price = self.price(key)
        return sum(part / float(price[day]) for day, part in by_day.items() if price[day] > 0)

    def binding_days(self, key: Key, walked: set[int], span: range) -> list[int]:
        """Return the days on which a resource binds; none if it does not.

        Asked are the days of the run and those that were walked through: what leaves before the run counts.
        """
        if key[0] == "stock":
            return list(span) if self.loads.stock_used(*key[1:]) >= NEARLY_FULL else []
        price, load = self.price(key), self.load(key)
        asked = np.arange(min(*walked, span[0]), max(*walked, span[-1]) + 1)
        if key[0] == "reserve":
            return list(span) if load[: span[-1] + 1].max() >= NEARLY_FULL else []
        dear = price[asked] >= PRICED * price[asked].max()
        return [int(day) for day in asked[(load[asked] >= NEARLY_FULL) & dear]]

    def price(self, key: Key) -> Floats:
        """Return the price of a resource on each day."""
        return self._price_and_load(key)[0]

    def load(self, key: Key) -> Floats:
        """Return the share of a resource that is used on each day; of stock the same every day."""
        return self._price_and_load(key)[1]

    def _price_and_load(self, key: Key) -> tuple[Floats, Floats]:
        if key not in self._known:
            self._known[key] = self._find_price_and_load(*key)
        return self._known[key]

    def _find_price_and_load(self, kind: str, what: int, where: int) -> tuple[Floats, Floats]:
        prices, loads, days = self.prices, self.loads, self.problem.days
        if kind == "fleet":
            return prices.fleet[what], loads.fleet[what]
        if kind == "lane":
            return prices.lane[what], loads.lane[what]
        if kind == "plant":
            return prices.plant[what], loads.plant[what]
        if kind == "labour":
            return prices.labour[where], loads.labour[where]
        if kind == "storage":
            return prices.storage[where], loads.storage(where)
        if kind == "reserve":
            price = prices.shippable.get((where, what), 0.0)
            return np.full(days, price), np.maximum.accumulate(loads.reserve(what, where))
        if kind == "supply":
            offers = loads.offers(what, where)
            price_of_day = np.zeros(days)
            price_of_day[self.problem.sources.day[offers]] = prices.source[offers]
            return price_of_day, loads.supply(what, where)
        sources = self.problem.sources
        mine = sources.is_stock & (sources.site == where) & (self.problem.items.good[sources.item] == what)
        price = float(prices.source[mine].max(initial=0.0))
        return np.full(days, price), np.full(days, loads.stock_used(what, where))

    def _blocked(self, look: Look) -> Blocked:
        """Return on which days of a run nothing can be there, and why not on the worst of them."""
        needs, run = self.problem.needs, look.run
        target, site = int(needs.target[run.first]), int(needs.site[run.first])
        goods = [good for good, _ in self.walker.servers(target)]
        days = [int(needs.day[need]) for need in range(run.first, run.last + 1)]
        days = [day for day in days if self._is_blocked(target, day, site)]
        worst = max(look.blocked, key=lambda need: needs.amount[need] * (1 - self.served.coverage[need]))
        day = int(needs.day[worst])
        places = [] if not goods else self.obstacles.places(goods, day)
        return Blocked(
            days=days,
            share=look.blocked_missing / look.missing,
            obstacles=self.obstacles.of(goods, day, site),
            first_day=self.obstacles.first_day(goods, days[-1], site) if goods else None,
            places=places,
        )

    def _is_blocked(self, target: int, day: int, site: int) -> bool:
        server = self.walker.cheapest_server(target, day, site)
        return server is None or not self.walker.reaches(server.node)


def some_of(run: Shortage, most: int) -> list[int]:
    """Return at most so many needs of a run, evenly spread; a single one lies in the middle."""
    length = run.last - run.first + 1
    if length <= most:
        return list(range(run.first, run.last + 1))
    if most == 1:
        return [run.first + length // 2]
    return sorted({run.first + round(k * (length - 1) / (most - 1)) for k in range(most)})
