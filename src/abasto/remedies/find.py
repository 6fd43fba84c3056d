"""A plan's prices → what would help: for every kind of remedy the dearest places, each with what prices promise of it.

Amounts are the smallest that make sense: one vehicle, eight working hours a day, a tenth of a reserve or ration, and of
whatever can be divided a round quantity between a hundredth and a tenth of what there is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from abasto.network import Disruption, Network
from abasto.planner.disruption import Disrupted
from abasto.planner.make import Solved
from abasto.planner.plan import MET_TOLERANCE
from abasto.planner.problem import Floats, build_problem, days_of, weighted_people_days
from abasto.remedies.change import batches_instead, hours_at, largest_share, with_remedy
from abasto.remedies.promise import Bools, Promises
from abasto.remedies.remedy import Remedy, shortlist
from abasto.tables.target import Target, Targets

__all__ = ["find_remedies"]

SHIFT_HOURS = 8.0
"""A day's work of one more person."""
LOAD_KG, LOAD_UNITS = 10_000.0, 1000.0
"""Most of a good that a remedy brings at once, by weight and where it weighs nothing: about a lorry's load."""
TENTH = 0.1
"""The part of a reserve or ration by which it is lowered."""
PRICED = 0.01
"""A day counts if its price is at least this share of the dearest day's."""
EXAMINED = 8
"""So many places of a kind, those whose prices are highest, are asked what they promise."""
TRIFLE = 1e-5
"""Promises below this share of what is missing are not worth a line,"""
UNSEEN = 1e-3
"""nor those below this share of how far the plan may be from the best: no search would tell them apart."""

Rough = tuple[float, Remedy]
"""A first guess of the worth, to choose by, and the remedy."""


def find_remedies(solved: Solved, *, most: int | None = 8) -> tuple[Remedy, ...]:
    """Return what would help most, the greatest promise first; nothing where every need is met.

    `most` additions at most, of each kind at most three, and the rations worth lowering; all that were found with None.
    """
    if not (solved.served.coverage < 1 - MET_TOLERANCE).any():
        return ()
    finder = _Finder(solved)
    found = [remedy for kind in finder.by_kind() for remedy in finder.promised(kind)]
    found.sort(key=lambda remedy: -remedy.promise)  # among equals the order of the first guess stays
    return tuple(found) if most is None else shortlist(found, most)


def step(there: float) -> float:
    """Return a round quantity between a hundredth and a tenth of what there is: a power of ten.

    >>> step(300.0), step(2_900_000.0), step(3.0)
    (10.0, 100000.0, 0.1)
    """
    return 10.0 ** math.floor(math.log10(there / 10) + 1e-9) if there > 0 else 1.0


@dataclass(frozen=True)
class _Span:
    """The days (from 1) from the first to the last that has a price, and which of all days these are."""

    first: int
    last: int

    @property
    def days(self) -> slice:
        return slice(self.first - 1, self.last)


def _span(price: Floats) -> _Span | None:
    """Return the span of days that have a price worth speaking of; None if none has."""
    priced = np.flatnonzero((price > 0) & (price >= PRICED * price.max(initial=0.0)))
    return _Span(int(priced[0]) + 1, int(priced[-1]) + 1) if len(priced) else None


class _Finder:
    """Goes through a plan's network, kind by kind."""

    def __init__(self, solved: Solved) -> None:
        self.problem, self.prices = solved.problem, solved.prices
        self.network: Network = solved.problem.network
        self.scenario = solved.problem.scenario
        self.targets = Targets(self.network)
        self.left = Disrupted(self.network, self.scenario, self.targets)
        self.promises = Promises(solved)
        self.solved = solved
        missing = max(0.0, self.problem.full_value - solved.plan.objective)
        unproven = max(0.0, solved.plan.bound - solved.plan.objective)
        self.least = max(TRIFLE * missing, UNSEEN * unproven)
        self.site_of = {site: i for i, site in enumerate(self.problem.sites)}
        self.good_of = {good: g for g, good in enumerate(self.problem.goods)}
        self.days = self.problem.days

    def by_kind(self) -> Iterator[list[Rough]]:
        """Yield the candidates of each kind."""
        for kind in (
            self.vehicles, self.labour, self.stocks, self.supplies, self.batches, self.lanes, self.storage,
            self.reserves, self.switches, self.restored, self.rations,
        ):  # fmt: skip
            yield list(kind())

    def promised(self, candidates: list[Rough]) -> list[Remedy]:
        """Return the best candidates with what prices promise of them, without those that promise nothing."""
        candidates = sorted(candidates, key=lambda rough: -rough[0])[:EXAMINED]
        found = []
        for _, remedy in candidates:
            changed = with_remedy(self.network, self.scenario, remedy)
            worth = self.promises.of(build_problem(changed, self.scenario, fairness=self.problem.fairness))
            if worth > self.least:
                found.append(replace(remedy, promise=weighted_people_days(worth, self.problem.fairness)))
        return found

    def share(self, kind: str, *target: str) -> float:
        return largest_share(self.network, self.left, kind, target)

    def vehicles(self) -> Iterator[Rough]:
        for f, fleet in enumerate(self.network.fleets):
            price = self.prices.fleet[f]
            span = _span(price)
            if span is not None and self.share("fleet", fleet.fleet) > 0:
                remedy = Remedy("vehicle", (fleet.fleet,), 1.0, "vehicle", span.first, span.last)
                yield float(price.sum()) * fleet.hours_per_day, remedy

    def labour(self) -> Iterator[Rough]:
        for i, site in enumerate(self.problem.sites):
            price = self.prices.labour[i]
            span = _span(price)
            if span is not None:
                remedy = Remedy("labour", (site,), SHIFT_HOURS, "hours a day", span.first, span.last)
                yield float(price[span.days].sum()) * SHIFT_HOURS, remedy

    def stocks(self) -> Iterator[Rough]:
        """A quantity of a good brought once, before day 1, to where it is worth most.

        Where a price is above those of all places that use the good, it is what it would cost to bring some there,
        which nobody would.
        """
        on_hand: dict[str, float] = {}
        for supply in self.network.supplies:
            on_hand[supply.good] = on_hand.get(supply.good, 0.0) + supply.quantity
        held = np.zeros(len(self.problem.sites))
        for stock in self.network.stocks:
            on_hand[stock.good] = on_hand.get(stock.good, 0.0) + stock.quantity
            held[self.site_of[stock.site]] += stock.quantity * self.problem.good_tonnes[self.good_of[stock.good]]
        for g, good in enumerate(self.network.goods):
            life = self.problem.lifetime(g)
            if life == 0:  # what was taken in the day before day 1 is spoiled
                continue
            last = self.days - 1 if life is None else min(life, self.days) - 1
            load = LOAD_KG / good.kg_per_unit if good.kg_per_unit else LOAD_UNITS
            known = [there for there in (on_hand.get(good.good, 0.0), self._needed_a_day(g)) if there > 0]
            quantity = step(min([10 * load, *known] if known else [load]))
            most = self._missing_of(g)
            prices = [self.promises.item_price(g, last, 0, site) for site in range(len(self.problem.sites))]
            worth = np.minimum(np.array(prices) * quantity, most)
            room = held + quantity * self.problem.good_tonnes[g] <= self.problem.storage_t
            highest = worth[room & self._used_at(g)].max(initial=0.0)
            sound = room & (worth <= highest) if highest > 0 else room
            best = int(np.where(sound, worth, 0.0).argmax())
            if room[best] and worth[best] > 0:
                target = (self.problem.sites[best], good.good)
                yield float(worth[best]), Remedy("stock", target, quantity, good.unit, 1, last + 1)

    def _used_at(self, good: int) -> Bools:
        """Return [sites] whether people need the good there, or what it serves as, or a plant or a fleet uses it up."""
        problem = self.problem
        used = np.zeros(len(problem.sites), dtype=np.bool_)
        used[problem.needs.site[self._serves(good)[problem.needs.target]]] = True
        takes = [any(one == good for one, _ in inputs) for inputs, _ in problem.recipes]
        used[problem.plant_site[np.array(takes, dtype=np.bool_)[problem.plant_recipe]]] = True
        options = problem.options
        used[options.fuel_site[options.fuel_good == good]] = True
        return used

    def _serves(self, good: int) -> Bools:
        """Return [goods and nutrients] whether the good serves a need of it."""
        serves = [any(option == good for option, _ in options) for options in self.problem.serves]
        return np.append(np.array(serves, dtype=np.bool_), self.problem.content[:, good] > 0)

    def _needed_a_day(self, good: int) -> float:
        needs = self.problem.needs
        return float(needs.amount[needs.target == good].sum()) / self.days

    def _missing_of(self, good: int) -> Floats:
        """Return [sites] what is missing to full coverage there of all that the good serves or is made into; where it
        has a price, anything.
        """
        needs, served = self.problem.needs, self.solved.served.coverage
        most = np.where(np.isfinite(self.prices.good[self.problem.items.good == good, 0]).any(axis=0), np.inf, 0.0)
        left = needs.weight * self.problem.tier_value.sum() * (1 - served)
        mine = self._serves(good)[needs.target]
        np.add.at(most, needs.site[mine], left[mine])
        return most

    def supplies(self) -> Iterator[Rough]:
        for site, good in dict.fromkeys((row.site, row.good) for row in self.network.supplies):
            price, offered = self._offers(site, good)
            span, share = _span(price), self.share("supply", site, good)
            if span is None or share == 0:
                continue
            quantity = step(float(offered.max()) / share)
            unit = f"{self.network.goods[self.good_of[good]].unit} a day"
            remedy = Remedy("supply", (site, good), quantity, unit, span.first, span.last)
            yield float(price[span.days].sum()) * quantity, remedy

    def _offers(self, site: str, good: str) -> tuple[Floats, Floats]:
        """Return the price and the amount of what a site can take in of a good [days]."""
        sources, items = self.problem.sources, self.problem.items
        mine = ~sources.is_stock & (sources.site == self.site_of[site])
        mine &= items.good[sources.item] == self.good_of[good]
        price, offered = np.zeros(self.days), np.zeros(self.days)
        price[sources.day[mine]] = self.prices.source[mine]
        offered[sources.day[mine]] = sources.amount[mine]
        return price, offered

    def batches(self) -> Iterator[Rough]:
        for plant, (site, recipe) in enumerate(self._plants()):
            price = self.prices.plant[plant]
            span, share = _span(price), self.share("plant", site, recipe)
            hours = hours_at(self.network, site, recipe)
            if span is None or share == 0 or hours != self.problem.plant_hours[plant]:
                continue
            quantity = max(1.0, step(float(self.problem.plant_batches[plant].max()) / share))
            remedy = Remedy("batches", (site, recipe), quantity, "batches a day", span.first, span.last)
            yield float(price[span.days].sum()) * quantity, remedy

    def _plants(self) -> list[tuple[str, str]]:
        """Return site and recipe of each plant."""
        problem = self.problem
        sites, recipes = problem.plant_site.tolist(), problem.plant_recipe.tolist()
        return [(problem.sites[i], problem.recipe_ids[r]) for i, r in zip(sites, recipes, strict=True)]

    def lanes(self) -> Iterator[Rough]:
        price: dict[tuple[str, str], Floats] = {}
        for lane, (start, end) in enumerate(self.problem.lanes):
            price[self.problem.sites[start], self.problem.sites[end]] = self.prices.lane[lane]
        for row in self.network.lanes:
            if not row.tonnes:
                continue
            ends = (row.from_site, row.to_site)
            both = price[ends] + (price[ends[::-1]] if row.two_way else 0.0)
            span, share = _span(both), self.share("lane", *ends)
            if span is not None and share > 0:
                remedy = Remedy("lane", ends, step(row.tonnes), "t a day", span.first, span.last)
                yield float(both.sum()) * remedy.amount, remedy

    def storage(self) -> Iterator[Rough]:
        for i, site in enumerate(self.network.sites):
            span = _span(self.prices.storage[i])
            if site.storage_t and span is not None:
                remedy = Remedy("storage", (site.site,), step(site.storage_t), "t", span.first, span.last)
                yield float(self.prices.storage[i].sum()) * remedy.amount, remedy

    def reserves(self) -> Iterator[Rough]:
        for row in self.network.reserves:
            place = self.site_of[row.site], self.good_of[row.good]
            if row.quantity > 0 and place in self.problem.shippable:
                unit = self.network.goods[place[1]].unit
                remedy = Remedy("reserve", (row.site, row.good), TENTH * row.quantity, unit, 1, self.days)
                yield self.promises.release_gain(*place) * remedy.amount, remedy

    def switches(self) -> Iterator[Rough]:
        """Batches of one recipe given up for those of another that is run somewhere, on the same days."""
        known = dict.fromkeys(row.recipe for row in self.network.plants)
        recipe_of = {recipe: r for r, recipe in enumerate(self.problem.recipe_ids)}
        plants = {place: plant for plant, place in enumerate(self._plants())}
        for row in self.network.plants:
            site, days = self.site_of[row.site], list(days_of(row, self.days))
            if row.batches <= 0 or not days:
                continue
            quantity = min(row.batches, max(1.0, step(row.batches)))
            given_up = self.prices.plant[plants[row.site, row.recipe]]
            for recipe in known:
                if recipe == row.recipe:
                    continue
                there = plants.get((row.site, recipe))
                hours = hours_at(self.network, row.site, recipe) or 0.0
                gain = self.promises.batch_gain(site, recipe_of[recipe], hours)
                if there is not None:
                    gain = np.where(self.problem.plant_batches[there] > 0, self.prices.plant[there], gain)
                rate = batches_instead(self.network, row.site, row.recipe, recipe)
                worth = float((rate * gain - given_up)[days].sum()) * quantity
                if worth > 0:
                    target = (row.site, row.recipe, recipe)
                    yield worth, Remedy("switch", target, quantity, "batches a day", days[0] + 1, days[-1] + 1)

    def restored(self) -> Iterator[Rough]:
        """Each thing that the scenario takes something away from, as if nothing had happened to it."""
        rows = {(row.from_site, row.to_site) for row in self.network.lanes}
        found: dict[tuple[str, ...], _Span] = {}
        for row in self.network.disruptions:
            if row.scenario != self.scenario or row.left >= 1:
                continue
            days = days_of(row, self.days)
            for one in self._one_by_one(row):
                ids = (one,) if isinstance(one, str) else one
                if (row.kind == "lane" and ids not in rows) or not len(days):
                    continue
                key, span = (row.kind, *ids), _Span(days[0] + 1, days[-1] + 1)
                if key in found:
                    span = _Span(min(span.first, found[key].first), max(span.last, found[key].last))
                found[key] = span
        for key, span in found.items():
            remedy = Remedy("restored", key, 0.0, "", span.first, span.last)
            changed = with_remedy(self.network, self.scenario, remedy)
            yield self.promises.of(build_problem(changed, self.scenario, fairness=self.problem.fairness)), remedy

    def _one_by_one(self, row: Disruption) -> tuple[Target, ...]:
        """Return all that a disruption hits, if each can be named alone; ids that hold a sign may not let it."""
        meant = self.targets.resolve(row.kind, row.target)
        sign = ">" if row.kind == "lane" else "/"
        pairs = [one for one in meant if not isinstance(one, str)]
        plain = all(len(self.targets.readings(row.kind, sign.join(pair))) == 1 for pair in pairs)
        return meant if plain else ()

    def rations(self) -> Iterator[Rough]:
        for row in self.network.rations:
            if row.quantity > 0:
                unit = f"{self.network.goods[self.good_of[row.good]].unit} per person and day"
                yield np.inf, Remedy("ration", (row.good,), TENTH * row.quantity, unit, 1, self.days)
