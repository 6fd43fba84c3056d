"""What a network allows on each day of a scenario, as plain dicts: the part of the check that knows no plan."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from abasto.network import Fleet, Lane, Network, Plant

__all__ = ["Limits", "Lot", "NeedDay", "age_order"]

Lot = int | None
"""A lot is known by the number of the last day it can be used; None never spoils."""

Span = tuple[int, int, float]
"""First day, last day, share of the capacity that is left."""


@dataclass(frozen=True, slots=True)
class NeedDay:
    """What a site needs of a good or nutrient on a day, how urgently, and for how many people."""

    needed: float
    priority: float
    people: float


class Limits:
    """The network's rows, merged and cut to a scenario: what may be taken in, made, moved, kept and handed over."""

    def __init__(self, network: Network, scenario: str | None) -> None:
        self.network = network
        self.days = network.days
        self.sites = {row.site: row for row in network.sites}
        self.goods = {row.good: row for row in network.goods}
        self.fleets: dict[str, Fleet] = {row.fleet: row for row in network.fleets}
        self.left = _Left(network, scenario)
        self.lanes = _lanes(network)
        self.needs = _needs(network, self)
        self.recipes: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for line in network.recipes:
            self.recipes[line.recipe].append((line.good, line.quantity))
        self.plants: dict[tuple[str, str], list[Plant]] = defaultdict(list)
        for plant in network.plants:
            self.plants[plant.site, plant.recipe].append(plant)
        self.stocks: dict[tuple[str, str], list[tuple[Lot, float]]] = defaultdict(list)
        for stock in network.stocks:
            lot = self.lot_of(0, stock.good) if stock.expires is None else network.day_of(stock.expires)
            if lot is None or lot >= 1:  # what spoiled before day 1 is not on hand any more
                self.stocks[stock.site, stock.good].append((lot, stock.quantity))
        self.reserves = {(row.site, row.good): row.quantity for row in network.reserves}
        self.substitutes = {(row.good, row.substitute): row.quantity for row in network.substitutes}
        self.contents: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for content in network.nutrients:
            self.contents[content.good].append((content.nutrient, content.quantity))
        self._prices: dict[tuple[str, str], tuple[int, float]] = {
            (row.kind, _plain(row.target)): (number, row.quantity) for number, row in enumerate(network.costs)
        }
        self.supply = self._supply()
        self.labour = self._labour()

    def span(self, first: int | None, last: int | None) -> range:
        """Return the days of the horizon between two day numbers; blank ends are the horizon's."""
        start = 1 if first is None else max(1, first)
        end = self.days if last is None else min(self.days, last)
        return range(start, end + 1)

    def lot_of(self, day: int, good: str) -> Lot:
        """Return the lot of a good that is made or taken in on `day`; a date that no calendar holds is no date."""
        life = self.goods[good].shelf_life_days if good in self.goods else None
        if life is None or day + life > date.max.toordinal() - self.network.start.toordinal() + 1:
            return None
        return int(day + life)

    def tonnes(self, good: str) -> float:
        """Return the tonnes of one unit."""
        return self.goods[good].kg_per_unit / 1000.0

    def lane_left(self, from_site: str, to_site: str, day: int) -> float:
        """Return the share of a lane that is left on a day; a two-way lane is hit in both directions at once."""
        share = min(self.left.of("site", from_site, day), self.left.of("site", to_site, day))
        share = min(share, self.left.of_pair("lane", from_site, ">", to_site, day))
        if self.lanes[from_site, to_site].two_way:
            share = min(share, self.left.of_pair("lane", to_site, ">", from_site, day))
        return share

    def fleet_hours(self, fleet: Fleet, day: int) -> float:
        """Return the vehicle-hours a fleet has on a day."""
        if day not in self.span(fleet.from_day, fleet.to_day):
            return 0.0
        share = self.left.of("fleet", fleet.fleet, day)
        if fleet.site:
            share = min(share, self.left.of("site", fleet.site, day))
        return fleet.vehicles * fleet.hours_per_day * share

    def batches(self, site: str, recipe: str, day: int) -> list[tuple[float, float]]:
        """Return (batches, hours per batch) of the plant rows of a day, the one that takes least labour first."""
        share = min(self.left.of_pair("plant", site, "/", recipe, day), self.left.of("site", site, day))
        rows = [row for row in self.plants.get((site, recipe), ()) if day in self.span(row.from_day, row.to_day)]
        return sorted(((row.batches * share, row.hours_per_batch) for row in rows), key=lambda pair: pair[1])

    def buy_price(self, site: str, good: str) -> float:
        """Return the money that one unit taken in costs."""
        return self._price("buy", [(f"{site}/{good}",), (f"{site}/*", f"*/{good}"), ("*/*", "*")])

    def lane_price(self, from_site: str, to_site: str) -> float:
        """Return the money that one tonne on a lane costs; a two-way lane may be priced from either side."""
        ends = [(from_site, to_site)]
        if self.lanes[from_site, to_site].two_way:
            ends.append((to_site, from_site))
        named = [f"{a}>{b}" for a, b in ends]
        half_named = [name for a, b in ends for name in (f"{a}>*", f"*>{b}")]
        return self._price("lane", [named, half_named, ("*>*", "*")])

    def _price(self, kind: str, targets: Sequence[Sequence[str]]) -> float:
        """Return the price at the most specific targets that have one, the last row's among equals; else 0."""
        for equals in targets:
            rows = [self._prices[kind, target] for target in equals if (kind, target) in self._prices]
            if rows:
                return max(rows)[1]
        return 0.0

    def _supply(self) -> dict[tuple[str, str, int], float]:
        supply: dict[tuple[str, str, int], float] = defaultdict(float)
        for row in self.network.supplies:
            for day in self.span(row.from_day, row.to_day):
                share = min(
                    self.left.of_pair("supply", row.site, "/", row.good, day), self.left.of("site", row.site, day)
                )
                supply[row.site, row.good, day] += row.quantity * share
        return supply

    def _labour(self) -> dict[str, list[float]]:
        labour: dict[str, list[float]] = {}
        for row in self.network.labour:
            hours = labour.setdefault(row.site, [0.0] * (self.days + 1))
            for day in self.span(row.from_day, row.to_day):
                hours[day] += row.hours
        return labour


class _Left:
    """The share of each thing's capacity that the disruptions of a scenario leave; the smallest counts."""

    def __init__(self, network: Network, scenario: str | None) -> None:
        self._spans: dict[tuple[str, str], list[Span]] = defaultdict(list)
        for row in network.disruptions:
            if scenario is not None and row.scenario == scenario:
                first = 1 if row.from_day is None else row.from_day
                last = network.days if row.to_day is None else row.to_day
                self._spans[row.kind, _plain(row.target)].append((first, last, row.left))
        self._kinds = {kind for kind, _ in self._spans}
        self._known: dict[tuple[str, str, str], list[Span]] = {}

    def of(self, kind: str, target: str, day: int) -> float:
        """Return what is left of a site or fleet on a day."""
        return self._smallest(kind, target, "", (target, "*"), day) if kind in self._kinds else 1.0

    def of_pair(self, kind: str, first: str, mark: str, second: str, day: int) -> float:
        """Return what is left of a lane (in this direction), plant or supply on a day."""
        if kind not in self._kinds:
            return 1.0
        names = (f"{first}{mark}{second}", f"{first}{mark}*", f"*{mark}{second}", f"*{mark}*", "*")
        return self._smallest(kind, first, second, names, day)

    def _smallest(self, kind: str, first: str, second: str, names: tuple[str, ...], day: int) -> float:
        key = (kind, first, second)
        if key not in self._known:
            self._known[key] = [span for name in names for span in self._spans.get((kind, name), ())]
        return min((left for start, end, left in self._known[key] if start <= day <= end), default=1.0)


def _plain(target: str) -> str:
    """Return a target without the blanks that people put around its mark."""
    return re.sub(r"\s*([>/])\s*", r"\1", target.strip())


def _lanes(network: Network) -> dict[tuple[str, str], Lane]:
    """Return the lane of each direction that can be driven; a row of its own goes before the way back of another."""
    lanes = {(row.to_site, row.from_site): row for row in network.lanes if row.two_way}
    lanes.update({(row.from_site, row.to_site): row for row in network.lanes})
    return lanes


def _needs(network: Network, limits: Limits) -> dict[tuple[str, str], dict[int, NeedDay]]:
    """Merge needs, rations and requirements: quantities add, the most urgent priority and the most people count."""
    needs: dict[tuple[str, str], dict[int, NeedDay]] = defaultdict(dict)

    def add(site: str, need: str, days: range, quantity: float, priority: float, people: float) -> None:
        if quantity <= 0:
            return
        whole = NeedDay(quantity, priority, people)
        by_day = needs[site, need]
        for day in days:
            old = by_day.get(day)
            by_day[day] = (
                whole
                if old is None
                else NeedDay(old.needed + quantity, min(old.priority, priority), max(old.people, people))
            )

    everyone = [site for site in network.sites if site.people > 0]
    always = range(1, network.days + 1)
    for need in network.needs:
        priority = limits.goods[need.good].priority if need.priority is None else need.priority
        people = max(1.0, limits.sites[need.site].people) if need.people is None else need.people
        add(need.site, need.good, limits.span(need.from_day, need.to_day), need.quantity, priority, people)
    for ration in network.rations:
        for site in everyone:
            quantity = ration.quantity * site.people
            add(site.site, ration.good, always, quantity, limits.goods[ration.good].priority, site.people)
    for requirement in network.requirements:
        for site in everyone:
            quantity = requirement.quantity * site.people
            add(site.site, requirement.nutrient, always, quantity, requirement.priority, site.people)
    return {key: by_day for key, by_day in needs.items() if by_day}


def age_order(lot: Lot) -> float:
    """Return the day a lot sorts by, oldest first: what never spoils comes last."""
    return math.inf if lot is None else lot
