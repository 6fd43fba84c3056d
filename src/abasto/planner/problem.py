"""Network → Problem: the same facts as named arrays, with days from 0, spoiling goods split by last usable day.

Legend: a *good* that spoils within the horizon becomes several *items*, one per last usable day; whatever lasts to the
end of the horizon is one item, which has the good's own index. A *source* is a lot on hand or what may be taken in on a
day. An *option* is a directed lane together with a fleet that serves it. A *plant* is a site with a recipe.
Quantities are in the good's unit, weights in tonnes, times in hours or days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from abasto.network import Fleet, Lane, Network
from abasto.planner.disruption import Disrupted
from abasto.tables.target import Target, Targets

__all__ = ["NEVER", "TIERS", "Problem", "build_problem", "tier_values", "weighted_people_days"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TIERS = 10
"""Each tenth of a need is a tier with a value of its own."""
NEVER = np.iinfo(np.int64).max
"""The expiry of what never spoils."""


def tier_values(fairness: float) -> Floats:
    """Return the ten tiers' values, max(0.2, (k − ½) / 10) ^ −fairness, largest first.

    >>> tier_values(0.0).sum()
    np.float64(10.0)
    """
    middle = (np.arange(TIERS) + 0.5) / TIERS
    return np.asarray(np.maximum(0.2, middle) ** -float(fairness), dtype=np.float64)


def weighted_people_days(value: float, fairness: float) -> float:
    """Return a difference of objectives in weighted people-days of need: one for each person and day on which a need
    of priority 1 goes from nothing to full, a tenth of that for priority 2, and most of it for the first tenths.

    >>> weighted_people_days(50.0, 0.0)
    5.0
    """
    return float(value / tier_values(fairness).sum())


@dataclass(frozen=True)
class Items:
    """Goods split by last usable day: `good`, `first_day` and `last_day` [items], and `fresh` [goods, days], the item
    that a good becomes when it is made or taken in on a day.
    """

    good: Ints
    first_day: Ints
    last_day: Ints
    fresh: Ints
    index: dict[tuple[int, int], int]

    def of(self, good: int, last_day: int, days: int) -> int:
        """Return the item of a good whose last usable day (from 0) is given."""
        return good if last_day >= days - 1 else self.index[good, last_day]


@dataclass(frozen=True)
class Sources:
    """Lots on hand and daily offers: `site`, `item`, `day`, `amount`, `unit_cost`, `is_stock` [sources]; `expires` is
    the day number (from 1) of the last use, NEVER if it does not spoil.
    """

    site: Ints
    item: Ints
    day: Ints
    amount: Floats
    unit_cost: Floats
    is_stock: npt.NDArray[np.bool_]
    expires: Ints


@dataclass(frozen=True)
class Options:
    """Directed lanes with a fleet that serves them [options]; hours and fuel are per tonne carried."""

    lane: Ints
    fleet: Ints
    start: Ints
    end: Ints
    lead: Ints
    hours: Floats
    cost: Floats
    fuel_good: Ints
    fuel_site: Ints
    fuel: Floats


@dataclass(frozen=True)
class Needs:
    """Needs by site and day [needs]; `target` is a good, or a nutrient's index plus the number of goods."""

    site: Ints
    target: Ints
    day: Ints
    amount: Floats
    weight: Floats
    priority: Floats
    people: Floats


@dataclass(frozen=True)
class Problem:
    """One network in one scenario with one fairness, as arrays; both solvers start from it.

    Capacities: `lane_tonnes` [lanes, days] (inf if unlimited, 0 if closed), `fleet_hours` [fleets, days],
    `plant_batches` [plants, days], `labour_hours` [sites, days] (inf if unlimited), `storage_t` [sites],
    `shippable` {(site, good): quantity} for goods under a reserve; of the storage, `spoken_for_t` [sites, days] is kept
    for what is not planned (None: nothing). `serves[good]` lists what may be handed over for a
    need of it, as (good, units per unit of need). `recipes` lists inputs and outputs as (good, quantity per batch).
    """

    network: Network
    scenario: str | None
    fairness: float
    days: int
    sites: tuple[str, ...]
    goods: tuple[str, ...]
    nutrients: tuple[str, ...]
    good_tonnes: Floats
    items: Items
    sources: Sources
    shippable: dict[tuple[int, int], float]
    lanes: tuple[tuple[int, int], ...]
    lane_tonnes: Floats
    fleets: tuple[str, ...]
    fleet_hours: Floats
    options: Options
    recipe_ids: tuple[str, ...]
    recipes: tuple[tuple[tuple[tuple[int, float], ...], tuple[tuple[int, float], ...]], ...]
    plant_site: Ints
    plant_recipe: Ints
    plant_hours: Floats
    plant_batches: Floats
    labour_hours: Floats
    storage_t: Floats
    needs: Needs
    serves: tuple[tuple[tuple[int, float], ...], ...]
    content: Floats
    tier_value: Floats
    has_costs: bool
    spoken_for_t: Floats | None = None

    @property
    def full_value(self) -> float:
        """The objective if every need were met."""
        return float(self.needs.weight.sum() * self.tier_value.sum())

    @property
    def room_t(self) -> Floats:
        """Tonnes that each site can keep overnight [sites, days]; inf where nobody has set a limit."""
        room = np.repeat(self.storage_t[:, None], self.days, axis=1)
        return room if self.spoken_for_t is None else np.maximum(0.0, room - self.spoken_for_t)

    def lifetime(self, good: int) -> int | None:
        """Return the whole days a fresh lot of the good can be used after its first; None if it never spoils."""
        life = self.network.goods[good].shelf_life_days
        return None if life is None else int(life)


def days_of(row: Any, days: int) -> range:
    """Return the days (from 0) that a row with `from_day` and `to_day` holds, within the horizon."""
    first = 1 if row.from_day is None else max(1, row.from_day)
    last = days if row.to_day is None else min(days, row.to_day)
    return range(first - 1, last)


def build_problem(network: Network, scenario: str | None = None, *, fairness: float = 4.0) -> Problem:
    """Return the arrays that the solvers work on; the network must have passed `check_network`."""
    targets = Targets(network)
    disrupted = Disrupted(network, scenario, targets)
    site_of = {site.site: i for i, site in enumerate(network.sites)}
    good_of = {good.good: g for g, good in enumerate(network.goods)}
    fleet_of = {fleet.fleet: f for f, fleet in enumerate(network.fleets)}
    recipe_ids, recipes = _recipes(network, good_of)
    recipe_of = {recipe: r for r, recipe in enumerate(recipe_ids)}
    items = _items(network, good_of, {good for _, outputs in recipes for good, _ in outputs})
    lanes, lane_rows = _lanes(network, site_of)
    plants = _plants(network, disrupted, site_of, recipe_of)
    nutrients = tuple(dict.fromkeys(row.nutrient for row in network.nutrients))
    content = np.zeros((len(nutrients), len(network.goods)))
    for row in network.nutrients:
        content[nutrients.index(row.nutrient), good_of[row.good]] = row.quantity
    return Problem(
        network=network,
        scenario=scenario,
        fairness=fairness,
        days=network.days,
        sites=tuple(site_of),
        goods=tuple(good_of),
        nutrients=nutrients,
        good_tonnes=np.array([good.kg_per_unit / 1000 for good in network.goods]),
        items=items,
        sources=_sources(network, disrupted, targets, items, site_of, good_of),
        shippable=_shippable(network, site_of, good_of),
        lanes=tuple(lanes),
        lane_tonnes=_lane_tonnes(network, disrupted, lanes, lane_rows),
        fleets=tuple(fleet_of),
        fleet_hours=_fleet_hours(network, disrupted),
        options=_options(network, targets, lanes, lane_rows, site_of, good_of),
        recipe_ids=recipe_ids,
        recipes=recipes,
        plant_site=np.array([site for site, _, _ in plants], dtype=np.int64),
        plant_recipe=np.array([recipe for _, recipe, _ in plants], dtype=np.int64),
        plant_hours=np.array([hours for _, _, hours in plants], dtype=np.float64),
        plant_batches=np.array(list(plants.values())).reshape(len(plants), network.days),
        labour_hours=_labour_hours(network, site_of),
        storage_t=np.array([np.inf if site.storage_t is None else site.storage_t for site in network.sites]),
        needs=_needs(network, site_of, good_of, nutrients),
        serves=_serves(network, good_of),
        content=content,
        tier_value=tier_values(fairness),
        has_costs=bool(network.costs),
    )


def _recipes(network: Network, good_of: dict[str, int]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    inputs: dict[str, list[tuple[int, float]]] = defaultdict(list)
    outputs: dict[str, list[tuple[int, float]]] = defaultdict(list)
    names = tuple(dict.fromkeys(row.recipe for row in network.recipes))
    for row in network.recipes:
        side = outputs if row.quantity > 0 else inputs
        if row.quantity != 0:
            side[row.recipe].append((good_of[row.good], abs(row.quantity)))
    return names, tuple((tuple(inputs[name]), tuple(outputs[name])) for name in names)


def _items(network: Network, good_of: dict[str, int], made: set[int]) -> Items:
    """Split goods by last usable day: stock lots first, then whatever can be taken in or made on each day."""
    days = network.days
    taken_in = {good_of[row.good] for row in network.supplies}
    last_days: dict[int, set[int]] = defaultdict(set)
    for row in network.stocks:
        last = _stock_expiry(network, row.good, row.expires, good_of) - 1
        if 0 <= last < days - 1:
            last_days[good_of[row.good]].add(last)
    for g, good in enumerate(network.goods):
        if good.shelf_life_days is not None and g in taken_in | made:
            last_days[g].update(range(int(good.shelf_life_days), days - 1))
    index: dict[tuple[int, int], int] = {}
    item_good, first_day, last_day = list(range(len(good_of))), [0] * len(good_of), [days - 1] * len(good_of)
    for g in sorted(last_days):
        life = network.goods[g].shelf_life_days
        from_stock = {
            _stock_expiry(network, row.good, row.expires, good_of) - 1
            for row in network.stocks
            if good_of[row.good] == g
        }
        for last in sorted(last_days[g]):
            index[g, last] = len(item_good)
            item_good.append(g)
            first_day.append(0 if life is None or last in from_stock else max(0, last - int(life)))
            last_day.append(last)
    fresh = np.empty((len(good_of), days), dtype=np.int64)
    for g, good in enumerate(network.goods):
        for day in range(days):
            last = days if good.shelf_life_days is None else day + int(good.shelf_life_days)
            fresh[g, day] = g if last >= days - 1 else index.get((g, last), g)
    of_good, opens, ends = (np.array(column, dtype=np.int64) for column in (item_good, first_day, last_day))
    return Items(of_good, opens, ends, fresh, index)


def _stock_expiry(network: Network, good: str, expires: Any, good_of: dict[str, int]) -> int:
    """Return the day number (from 1) on which a lot on hand can last be used."""
    if expires is not None:
        return network.day_of(expires)
    life = network.goods[good_of[good]].shelf_life_days
    return int(NEVER) if life is None else int(life)


def _sources(
    network: Network,
    disrupted: Disrupted,
    targets: Targets,
    items: Items,
    site_of: dict[str, int],
    good_of: dict[str, int],
) -> Sources:
    lots: dict[tuple[int, int, int], float] = defaultdict(float)
    for stock in network.stocks:
        expires = _stock_expiry(network, stock.good, stock.expires, good_of)
        if expires >= 1 and stock.quantity > 0:
            lots[site_of[stock.site], good_of[stock.good], expires] += stock.quantity
    offers: dict[tuple[str, str, int], float] = defaultdict(float)
    for supply in network.supplies:
        for day in days_of(supply, network.days):
            offers[supply.site, supply.good, day] += supply.quantity
    price = _unit_costs(network, targets, "buy")
    rows: list[tuple[int, int, int, float, float, bool, int]] = []
    for (site, good, expires), amount in lots.items():
        item = items.of(good, expires - 1, network.days)
        rows.append((site, item, 0, amount, 0.0, True, expires))
    for (site_id, good_id, day), amount in offers.items():
        left = amount * disrupted.supply(site_id, good_id, day)
        if left > 0:
            good = good_of[good_id]
            life = network.goods[good].shelf_life_days
            expires = int(NEVER) if life is None else day + 1 + int(life)
            cost = price.get((site_id, good_id), 0.0)
            rows.append((site_of[site_id], int(items.fresh[good, day]), day, left, cost, False, expires))
    columns = list(zip(*rows, strict=True)) or [()] * 7
    return Sources(
        site=np.array(columns[0], dtype=np.int64),
        item=np.array(columns[1], dtype=np.int64),
        day=np.array(columns[2], dtype=np.int64),
        amount=np.array(columns[3], dtype=np.float64),
        unit_cost=np.array(columns[4], dtype=np.float64),
        is_stock=np.array(columns[5], dtype=np.bool_),
        expires=np.array(columns[6], dtype=np.int64),
    )


def _unit_costs(network: Network, targets: Targets, kind: str) -> dict[Target, float]:
    """Return what each target of a cost kind costs: a target named outright beats one star, one star beats two."""
    prices: dict[Target, tuple[int, float]] = {}
    for row in network.costs:
        if row.kind == kind:
            stars = 2 if row.target == "*" else row.target.count("*")
            for target in targets.resolve(kind, row.target):
                known = prices.get(target)
                if known is None or stars <= known[0]:
                    prices[target] = (stars, row.quantity)
    return {target: price for target, (_, price) in prices.items()}


def _shippable(network: Network, site_of: dict[str, int], good_of: dict[str, int]) -> dict[tuple[int, int], float]:
    """Return how much of the stock on hand may leave its site, for each site and good with a reserve."""
    held: dict[tuple[str, str], float] = defaultdict(float)
    for row in network.stocks:
        if _stock_expiry(network, row.good, row.expires, good_of) >= 1:
            held[row.site, row.good] += row.quantity
    return {
        (site_of[row.site], good_of[row.good]): max(0.0, held[row.site, row.good] - row.quantity)
        for row in network.reserves
        if held[row.site, row.good] > 0
    }


def _lanes(network: Network, site_of: dict[str, int]) -> tuple[list[tuple[int, int]], list[Lane]]:
    """Return the directed lanes as pairs of sites, and the row each comes from."""
    lanes: list[tuple[int, int]] = []
    rows: list[Lane] = []
    for row in network.lanes:
        ends = (site_of[row.from_site], site_of[row.to_site])
        for pair in (ends, ends[::-1]) if row.two_way else (ends,):
            lanes.append(pair)
            rows.append(row)
    return lanes, rows


def _lane_tonnes(network: Network, disrupted: Disrupted, lanes: list[tuple[int, int]], rows: list[Lane]) -> Floats:
    tonnes = np.array([np.inf if row.tonnes is None else row.tonnes for row in rows])
    capacity = np.repeat(tonnes[:, None], network.days, axis=1).reshape(len(lanes), network.days)
    if disrupted.any:
        for lane, (start, end) in enumerate(lanes):
            for day in range(network.days):
                left = disrupted.lane(network.sites[start].site, network.sites[end].site, day)
                capacity[lane, day] = 0.0 if left == 0 else capacity[lane, day] * left
    return capacity


def _fleet_hours(network: Network, disrupted: Disrupted) -> Floats:
    hours = np.zeros((len(network.fleets), network.days))
    for f, fleet in enumerate(network.fleets):
        for day in days_of(fleet, network.days):
            hours[f, day] = fleet.vehicles * fleet.hours_per_day * disrupted.fleet(fleet.fleet, fleet.site, day)
    return hours


def _options(
    network: Network,
    targets: Targets,
    lanes: list[tuple[int, int]],
    rows: list[Lane],
    site_of: dict[str, int],
    good_of: dict[str, int],
) -> Options:
    """Pair every directed lane with the fleets of its mode that are based at one of its ends or have no base."""
    serving: dict[tuple[str, int], list[tuple[int, Fleet]]] = defaultdict(list)
    for f, fleet in enumerate(network.fleets):
        serving[fleet.mode, -1 if fleet.site is None else site_of[fleet.site]].append((f, fleet))
    price = _unit_costs(network, targets, "lane")
    columns: list[tuple[float, ...]] = []
    for lane, ((start, end), row) in enumerate(zip(lanes, rows, strict=True)):
        cost = price.get((network.sites[start].site, network.sites[end].site), 0.0)
        for base in (-1, start, end):
            for f, fleet in serving.get((row.mode, base), ()):
                hours = (2 * row.travel_hours + fleet.handling_hours) / fleet.payload_t
                fuel = 0.0 if fleet.fuel is None else 2 * row.km * fleet.fuel_per_km / fleet.payload_t
                fuel_good = -1 if fleet.fuel is None or fuel == 0 else good_of[fleet.fuel]
                fuel_site = start if base == -1 else base
                columns.append((lane, f, start, end, row.travel_days, hours, cost, fuel_good, fuel_site, fuel))
    table = np.array(columns, dtype=np.float64).reshape(len(columns), 10)
    whole = np.zeros(table.shape, dtype=np.int64)
    indices = [0, 1, 2, 3, 4, 7, 8]
    whole[:, indices] = table[:, indices]
    return Options(
        lane=whole[:, 0],
        fleet=whole[:, 1],
        start=whole[:, 2],
        end=whole[:, 3],
        lead=whole[:, 4],
        hours=table[:, 5],
        cost=table[:, 6],
        fuel_good=whole[:, 7],
        fuel_site=whole[:, 8],
        fuel=table[:, 9],
    )


def _plants(
    network: Network, disrupted: Disrupted, site_of: dict[str, int], recipe_of: dict[str, int]
) -> dict[tuple[int, int, float], Floats]:
    """Return the batches of each site, recipe and hours per batch; rows that differ in hours are two plants."""
    plants: dict[tuple[int, int, float], Floats] = {}
    for row in network.plants:
        place = (site_of[row.site], recipe_of[row.recipe], row.hours_per_batch)
        batches = plants.setdefault(place, np.zeros(network.days))
        for day in days_of(row, network.days):
            batches[day] += row.batches * disrupted.plant(row.site, row.recipe, day)
    return plants


def _labour_hours(network: Network, site_of: dict[str, int]) -> Floats:
    hours = np.full((len(network.sites), network.days), np.inf)
    for row in network.labour:
        hours[site_of[row.site]] = 0.0
    for row in network.labour:
        for day in days_of(row, network.days):
            hours[site_of[row.site], day] += row.hours
    return hours


def _needs(network: Network, site_of: dict[str, int], good_of: dict[str, int], nutrients: tuple[str, ...]) -> Needs:
    """Merge rations, needs and requirements: quantities add, the most urgent priority and the most people count."""
    rows = [row for row in _need_rows(network, site_of, good_of, nutrients) if row[4] > 0]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 7)
    first, end = table[:, 2].astype(np.int64), table[:, 3].astype(np.int64)
    length = np.maximum(0, end - first)
    row = np.repeat(np.arange(len(rows)), length)
    day = np.arange(len(row)) + np.repeat(first - np.cumsum(length) + length, length)
    place = table[:, 0].astype(np.int64) * (len(good_of) + len(nutrients)) + table[:, 1].astype(np.int64)
    key = place[row] * network.days + day
    order = np.argsort(key, kind="stable")
    distinct, start = np.unique(key[order], return_index=True)
    quantity, priority, people = (table[row[order], column] for column in (4, 5, 6))
    if len(distinct):
        quantity = np.add.reduceat(quantity, start)
        priority, people = np.minimum.reduceat(priority, start), np.maximum.reduceat(people, start)
    return Needs(
        site=distinct // network.days // (len(good_of) + len(nutrients)),
        target=distinct // network.days % (len(good_of) + len(nutrients)),
        day=distinct % network.days,
        amount=quantity,
        weight=people * 10.0 ** (1.0 - priority),
        priority=priority,
        people=people,
    )


def _need_rows(
    network: Network, site_of: dict[str, int], good_of: dict[str, int], nutrients: tuple[str, ...]
) -> Iterator[tuple[float, ...]]:
    """Yield site, target, first day, day after the last, quantity, priority and people of everything that is needed."""
    for need in network.needs:
        site, good = site_of[need.site], good_of[need.good]
        priority = network.goods[good].priority if need.priority is None else need.priority
        people = max(1.0, network.sites[site].people) if need.people is None else need.people
        when = days_of(need, network.days)
        yield site, good, when.start, when.stop, need.quantity, priority, people
    per_person: Iterable[tuple[int, float, float]] = [
        *((good_of[row.good], row.quantity, network.goods[good_of[row.good]].priority) for row in network.rations),
        *((len(good_of) + nutrients.index(row.nutrient), row.quantity, row.priority) for row in network.requirements),
    ]
    for target, quantity, priority in per_person:
        for i, site_row in enumerate(network.sites):
            if site_row.people > 0:
                yield i, target, 0, network.days, site_row.people * quantity, priority, site_row.people


def _serves(network: Network, good_of: dict[str, int]) -> tuple[tuple[tuple[int, float], ...], ...]:
    serves: list[list[tuple[int, float]]] = [[(g, 1.0)] for g in range(len(good_of))]
    for row in network.substitutes:
        serves[good_of[row.good]].append((good_of[row.substitute], row.quantity))
    return tuple(tuple(options) for options in serves)
