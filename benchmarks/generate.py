"""Make seeded benchmark networks: a long, narrow, invented country with too few trucks and regions that are cut off.

    python -m benchmarks.generate SMALL --seed 0 --chain OUT_DIR

Everything is drawn from one numpy generator, so a size and a seed name one network.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from abasto.network import Fleet, Good, Labour, Lane, Need, Network, Plant, RecipeLine, Site, Stock, Supply
from benchmarks.geography import Geography, Regions, draw_geography, draw_regions
from benchmarks.transport import hours_of_transport

__all__ = ["SIZES", "Size", "generate"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a benchmark network is; `lanes_per_site` counts each direction, before regions are cut off."""

    sites: int
    goods: int
    days: int
    lanes_per_site: float


SIZES: Mapping[str, Size] = {
    "TINY": Size(20, 6, 7, 4.0),
    "SMALL": Size(50, 8, 14, 5.7),
    "MEDIUM": Size(350, 20, 28, 6.4),
    "LARGE": Size(3000, 20, 14, 7.0),
}

RAW_SHARE = 0.3
"""Share of the goods that nobody needs as such, only plants."""
TYPICAL_FLEET = -1.0
FLEET_SPREAD = 1.0
"""Of ln(vehicle-hours at hand ÷ those needed) where scarcity is 1: mean and standard deviation over fleets."""
HOURS_PER_DAY = 10.0
WHEAT_KG_PER_FLOUR_KG = 1.25
BATCH_UNITS = 1000.0


@dataclass(frozen=True)
class Economy:
    """What is needed, made and taken in, in units of the good a day; arrays over sites, goods and recipes."""

    need: Floats  # sites × goods
    used: Floats  # goods that the recipe uses per unit made: recipes × goods
    made: npt.NDArray[np.intp]  # the good each recipe makes
    labour_hours: Floats  # per 1000 units made, by recipe
    has_plant: npt.NDArray[np.bool_]  # sites × recipes
    labour: Floats  # hours a day, by site
    supply: Floats  # sites × goods
    stock: Floats  # sites × goods, on the first morning
    weight: Floats  # kg per unit, by good


def generate(size: str | Size, *, seed: int, chain: bool = False, scarcity: float = 0.8) -> Network:
    """Return the benchmark network of this size and seed.

    `chain` adds a first level to one raw good: flour is milled from wheat before it is baked. `scarcity` divides the
    vehicle-hours: at the default a typical fleet has a little less than half the hours it needs, at 1.6 a quarter.
    """
    shape = SIZES[size] if isinstance(size, str) else size
    if scarcity <= 0:
        raise ValueError(f"scarcity is {scarcity}; it divides the vehicle-hours, so it has to be greater than 0")
    rng = np.random.default_rng(seed)
    geography = draw_geography(shape.sites, shape.lanes_per_site, rng)
    regions = draw_regions(geography, rng)
    economy = draw_economy(geography, shape.goods, rng)
    hours = _scarce_hours(geography, regions, economy, rng) / scarcity
    storage = _storage_t(economy, rng)
    if chain:
        economy, storage = _with_chain(economy, storage, geography, np.random.default_rng([seed, 1]))
    open_lanes = regions.open_lanes(geography)
    return Network(
        name=f"{size if isinstance(size, str) else 'benchmark'} {seed}{' chain' if chain else ''}",
        start=date(2027, 3, 1),
        days=shape.days,
        sites=_sites(geography, storage),
        goods=_goods(economy),
        stocks=_stocks(economy),
        supplies=_supplies(economy, _Days(shape.days, np.random.default_rng([seed, 2]))),
        needs=_needs(economy, _Days(shape.days, np.random.default_rng([seed, 3]))),
        recipes=_recipes(economy),
        plants=_plants(economy),
        labour=tuple(
            Labour(site=_site(i), hours=_three_digits(hours)) for i, hours in enumerate(economy.labour) if hours > 0
        ),
        lanes=tuple(_lane(geography, regions, int(lane)) for lane in open_lanes),
        fleets=_fleets(regions, hours),
    )


def draw_economy(geography: Geography, goods: int, rng: np.random.Generator) -> Economy:
    """Draw needs, recipes, plants, supplies at ports and farms, and opening stocks.

    Raw goods come first. Half of the needed goods are made from one or two raw goods at plants near people; the rest
    come in at ports and farms, some of them too little.
    """
    sites, people = len(geography.people), geography.people
    raw = max(2, int(goods * RAW_SHARE))
    ration = np.where(np.arange(goods) >= raw, rng.uniform(0.2, 1.2, goods), 0.0)
    need = ration * people[:, None] * rng.uniform(0.8, 1.2, (sites, goods))
    total = need.sum(axis=0)
    made = np.arange(raw, goods)[::2]
    used = np.zeros((len(made), goods))
    for recipe in range(len(made)):
        inputs = rng.choice(raw, min(raw, int(rng.integers(1, 3))), replace=False)
        used[recipe, inputs] = rng.uniform(0.4, 0.9, len(inputs))
    labour_hours = rng.uniform(0.5, 1.5, len(made))
    has_plant = np.zeros((sites, len(made)), bool)
    labour = np.zeros(sites)
    for recipe, good in enumerate(made):
        at = np.sort(rng.choice(sites, max(2, sites // 20), replace=False, p=people / people.sum()))
        has_plant[at, recipe] = True
        share = people[at] ** 0.7
        wanted = 1.05 * labour_hours[recipe] * total[good] / BATCH_UNITS
        labour[at] += wanted * share / share.sum() * rng.uniform(0.5, 1.4, len(at))
    supply = _draw_supply(geography, made, used, total, rng)
    stock = need * rng.uniform(0, 1.5, (sites, goods))
    hubs = geography.hubs
    stock[hubs] += 2.0 * total * (people[hubs] / people[hubs].sum())[:, None]
    weight = rng.uniform(0.7, 1.5, goods).round(2)
    return Economy(need, used, made, labour_hours, has_plant, labour, supply, stock, weight)


def _draw_supply(
    geography: Geography, made: npt.NDArray[np.intp], used: Floats, total: Floats, rng: np.random.Generator
) -> Floats:
    """Return the supply a day at every site: what all recipes use, a tenth of made goods, most of the rest."""
    sites = len(geography.people)
    ports = rng.choice(sites, max(3, sites // 60), replace=False)
    raw_used = total[made] @ used
    supply = np.zeros((sites, len(total)))
    for good in range(len(total)):
        if raw_used[good] > 0 or total[good] == 0:
            a_day, farms = 1.05 * raw_used[good], max(3, sites // 8)
        elif good in made:
            a_day, farms = 0.1 * total[good], 0
        else:
            a_day, farms = rng.uniform(0.75, 1.15) * total[good], max(2, sites // 15)
        at = np.unique(np.concatenate([ports, rng.choice(sites, farms, replace=False)]))
        share = rng.pareto(1.5, len(at)) + 0.3
        supply[at, good] = a_day * share / share.sum()
    return supply


def _storage_t(economy: Economy, rng: np.random.Generator) -> Floats:
    """Return the storage of each site: some days of its need, what it takes in and makes, and room for its stock."""
    sites = len(economy.labour)
    tonnes = economy.weight / 1000
    return np.asarray(
        (economy.need @ tonnes) * rng.uniform(2, 5, sites)
        + 3 * (economy.supply @ tonnes)
        + 1.05 * (economy.stock @ tonnes)
        + 3 * economy.labour
    )


def _scarce_hours(geography: Geography, regions: Regions, economy: Economy, rng: np.random.Generator) -> Floats:
    """Return the vehicle-hours a day of each fleet: what shortest ways would take, spread unevenly and too few."""
    work = np.zeros(regions.count)
    for good in range(economy.need.shape[1]):
        recipes = np.flatnonzero(economy.made == good)
        sources = economy.has_plant[:, recipes[0]] if len(recipes) else economy.supply[:, good] > 0
        by_plants = economy.has_plant * (economy.labour / economy.has_plant.sum(axis=1).clip(1))[:, None]
        demand = economy.need[:, good] + by_plants @ (economy.used[:, good] * BATCH_UNITS / economy.labour_hours)
        tonnes = demand * economy.weight[good] / 1000
        work += hours_of_transport(geography, regions, np.flatnonzero(sources), tonnes)
    spread = np.exp(rng.normal(TYPICAL_FLEET, FLEET_SPREAD, regions.count))
    return np.asarray(work * spread + 0.005 * work.mean())


def _with_chain(
    economy: Economy, storage: Floats, geography: Geography, rng: np.random.Generator
) -> tuple[Economy, Floats]:
    """Return the economy with one more recipe: a raw good in use (flour) is made from another (wheat).

    Nine tenths of the flour that came in come in as wheat now, and have to pass a mill on their way.
    """
    sites, people = len(economy.labour), geography.people
    used_raw = np.flatnonzero(economy.used.any(axis=0))
    flour = int(used_raw[-1])
    wheat = 0 if flour > 0 else 1
    used, supply, stock = economy.used.copy(), economy.supply.copy(), economy.stock.copy()
    used[used[:, flour] > 0, wheat] = 0.0
    milled = 0.9 * float(supply[:, flour].sum())
    for amount in (supply, stock):
        moved = 0.9 * amount[:, flour]
        amount[:, flour] -= moved
        amount[:, wheat] += WHEAT_KG_PER_FLOUR_KG * moved
    mills = np.sort(rng.choice(sites, max(3, sites // 15), replace=False, p=people / people.sum()))
    share = people[mills] ** 0.7
    extra = np.zeros(sites)
    extra[mills] = 1.1 * milled / BATCH_UNITS * share / share.sum()
    milling = np.zeros(used.shape[1])
    milling[wheat] = WHEAT_KG_PER_FLOUR_KG
    has_mill = np.zeros(sites, bool)
    has_mill[mills] = True
    chained = Economy(
        need=economy.need,
        used=np.vstack([used, milling]),
        made=np.append(economy.made, flour),
        labour_hours=np.append(economy.labour_hours, 1.0),
        has_plant=np.column_stack([economy.has_plant, has_mill]),
        labour=economy.labour + extra,
        supply=supply,
        stock=stock,
        weight=economy.weight,
    )
    return chained, storage + np.where(has_mill, 3 * chained.labour, 0.0)


class _Days:
    """How rates change over the horizon: supplies by half, a third of the needs by a busy and a quiet time.

    One rate for each day would need a row for each day too: 588,000 of them for the needs of LARGE alone.
    """

    def __init__(self, days: int, rng: np.random.Generator) -> None:
        self.days = days
        self._rng = rng

    def halves(self, least: float, most: float) -> list[tuple[int, int, float]]:
        """Return first day, last day and factor of two halves."""
        middle = self.days // 2
        first, second = self._rng.uniform(least, most, 2)
        return [(1, middle, first), (middle + 1, self.days, second)]

    def sometimes(self) -> list[tuple[int, int, float]]:
        """Return the whole horizon at factor 1, or for a third of the calls two parts of unequal need."""
        if self._rng.random() > 1 / 3:
            return [(1, self.days, 1.0)]
        turn = int(self._rng.integers(2, self.days))
        return [(1, turn, 0.95), (turn + 1, self.days, 1.05)]


def _sites(geography: Geography, storage: Floats) -> tuple[Site, ...]:
    lat, lon = geography.degrees()
    return tuple(
        Site(site=_site(i), lat=lat[i], lon=lon[i], people=geography.people[i], storage_t=_three_digits(storage[i]) + 1)
        for i in range(len(storage))
    )


def _goods(economy: Economy) -> tuple[Good, ...]:
    """Raw goods are never needed, so their priority is idle; the needed ones take the priorities 1, 2, 3 in turn."""
    needed = np.asarray(economy.need.any(axis=0))
    first = int(np.argmax(needed))
    return tuple(
        Good(good=_good(g), kg_per_unit=weight, priority=1 + (g - first) % 3 if needed[g] else 1)
        for g, weight in enumerate(economy.weight)
    )


def _stocks(economy: Economy) -> tuple[Stock, ...]:
    return tuple(
        Stock(site=_site(i), good=_good(g), quantity=_three_digits(economy.stock[i, g]))
        for i, g in np.argwhere(economy.stock > 0)
    )


def _supplies(economy: Economy, days: _Days) -> tuple[Supply, ...]:
    return tuple(
        Supply(
            site=_site(i),
            good=_good(g),
            quantity=_three_digits(factor * economy.supply[i, g]),
            from_day=first,
            to_day=last,
        )
        for i, g in np.argwhere(economy.supply > 0)
        for first, last, factor in days.halves(0.7, 1.3)
    )


def _needs(economy: Economy, days: _Days) -> tuple[Need, ...]:
    return tuple(
        Need(
            site=_site(i),
            good=_good(g),
            quantity=_three_digits(factor * economy.need[i, g]),
            from_day=first,
            to_day=last,
        )
        for i, g in np.argwhere(economy.need > 0)
        for first, last, factor in days.sometimes()
    )


def _recipes(economy: Economy) -> tuple[RecipeLine, ...]:
    lines = []
    for recipe, good in enumerate(economy.made):
        name = f"make {_good(good)}"
        lines.append(RecipeLine(recipe=name, good=_good(good), quantity=BATCH_UNITS))
        lines += [
            RecipeLine(recipe=name, good=_good(g), quantity=-_three_digits(BATCH_UNITS * economy.used[recipe, g]))
            for g in np.flatnonzero(economy.used[recipe])
        ]
    return tuple(lines)


def _plants(economy: Economy) -> tuple[Plant, ...]:
    """The labour of the site is what binds: a plant alone could use all of it."""
    return tuple(
        Plant(
            site=_site(i),
            recipe=f"make {_good(economy.made[recipe])}",
            batches=_three_digits(1.1 * economy.labour[i] / economy.labour_hours[recipe]),
            hours_per_batch=_three_digits(economy.labour_hours[recipe]),
        )
        for i, recipe in np.argwhere(economy.has_plant)
    )


def _lane(geography: Geography, regions: Regions, lane: int) -> Lane:
    start, end = geography.lanes[lane]
    return Lane(
        from_site=_site(start),
        to_site=_site(end),
        km=geography.km[lane],
        hours=geography.hours[lane],
        lead_days=geography.lead_days[lane],
        mode=regions.mode(int(regions.of_lane[lane])),
        two_way=False,
    )


def _fleets(regions: Regions, hours: Floats) -> tuple[Fleet, ...]:
    """One fleet without a base for each mode, so that every lane has exactly one fleet."""
    return tuple(
        Fleet(
            fleet=f"{regions.mode(fleet)} trucks",
            vehicles=max(0.01, _three_digits(hours[fleet] / HOURS_PER_DAY)),
            payload_t=regions.payload_t[fleet],
            hours_per_day=HOURS_PER_DAY,
            handling_hours=regions.handling_hours,
            mode=regions.mode(fleet),
        )
        for fleet in range(regions.count)
    )


def _site(index: Any) -> str:
    return f"place {int(index)}"


def _good(index: Any) -> str:
    return f"good {int(index)}"


def _three_digits(amount: float) -> float:
    return float(f"{amount:.3g}")


def main(arguments: list[str] | None = None) -> int:
    """Write a benchmark network as a folder of tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate", description=main.__doc__)
    parser.add_argument("size", choices=list(SIZES))
    parser.add_argument("folder", type=Path, help="where to write the tables")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--chain", action="store_true", help="a recipe of two levels: wheat, flour, bread")
    parser.add_argument("--scarcity", type=float, default=0.8, help="divides the vehicle-hours (default 0.8)")
    given = parser.parse_args(arguments)
    from abasto.tables import write_network

    network = generate(given.size, seed=given.seed, chain=given.chain, scarcity=given.scarcity)
    write_network(network, given.folder)
    print(f"{network!r}\nwritten to {given.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
