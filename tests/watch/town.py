"""A town that lives steadily: people fetch what they need, trucks come every few days, and everybody reports.

The world is simulated; what is written of it are real facts in a real journal. A trouble can be planted: trucks that no
longer go to a site, a site to which twice as many come, a lane that gets slow, a site that no longer reports.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from abasto.facts.kinds import Fact, GoodsHandedOut, Line, OrderIssued, OrderLoaded, OrderReceived, RowSet, StockCounted
from abasto.journal.home import Home
from abasto.situation import situation
from abasto.state.fold import fold
from abasto.state.known import known
from abasto.state.state import State
from abasto.watch import Watched, watch

__all__ = ["BEGIN", "Town", "Trouble", "look_at", "streets"]

BEGIN = date(2027, 3, 1)
DEPOT = "Depot"
WEEK = (1.0, 0.9, 1.0, 1.1, 1.4, 0.8, 0.4)
GOODS = {"flour": 1.0, "milk": 2.0, "beans": 2.0}
"""Goods and their priorities."""
EVERY_DAYS = 4
COVERS_DAYS = 8


@dataclass(frozen=True)
class Trouble:
    """What goes wrong at a site from a day on: "cut off", "twice as many", "slow" or "silent"."""

    kind: str
    site: str
    from_day: int


def streets(number: int) -> list[str]:
    """Return the names of so many sites."""
    return [f"Street {letter}" for letter in range(1, number + 1)]


@dataclass(frozen=True)
class Truck:
    """What is on its way to a site, in thousandths by good, and the day on which it gets there."""

    arrives: int
    order: str
    site: str
    load: Mapping[str, int]


@dataclass
class Town:
    """The sites, what truly lies there, what people need a day, and the trucks on their way."""

    home: Home
    random: Random
    sites: Sequence[str]
    troubles: Sequence[Trouble] = ()
    share_reported: float = 0.95
    noise: float = 0.25
    stock: dict[tuple[str, str], int] = field(default_factory=dict)
    rate: dict[tuple[str, str], float] = field(default_factory=dict)
    trucks: list[Truck] = field(default_factory=list)
    empty_on: dict[tuple[str, str], int] = field(default_factory=dict)
    """The first day on which people went without, of each site and good."""

    @classmethod
    def founded(cls, folder: Path, seed: int, sites: int, troubles: Sequence[Trouble] = (), **options: float) -> Town:
        """Found the town in a home without a passphrase; it has a full week's stock everywhere."""
        home = Home.create(folder, passphrase=None)
        home.journal.found("Town", date=BEGIN.isoformat(), time=0)
        town = cls(home, Random(seed), streets(sites), troubles, **options)
        day = BEGIN.isoformat()
        facts: list[Fact] = [
            RowSet("network", {"name": "Town", "start": day, "days": "30"}, day),
            RowSet("sites", {"site": DEPOT}, day),
            RowSet("fleets", {"fleet": "vans", "vehicles": "9", "payload_t": "5"}, day),
        ]
        facts += [RowSet("goods", {"good": good, "priority": f"{first:g}"}, day) for good, first in GOODS.items()]
        for site in town.sites:
            facts.append(RowSet("sites", {"site": site, "people": "400"}, day))
            facts.append(RowSet("lanes", {"from": DEPOT, "to": site, "km": "20", "lead_days": "1"}, day))
            for good in GOODS:
                town.rate[site, good] = math.exp(town.random.uniform(3.0, 5.5))
                town.stock[site, good] = round(1000 * COVERS_DAYS * town.rate[site, good])
                facts.append(StockCounted(site, good, town.stock[site, good], day))
        facts += [StockCounted(DEPOT, good, 10**10, day) for good in GOODS]
        home.journal.append(facts, time=0)
        return town

    def is_in(self, kind: str, site: str, day: int) -> bool:
        """Return whether a trouble has begun at a site."""
        return any(one.kind == kind and one.site == site and day >= one.from_day for one in self.troubles)

    def live(self, day: int) -> None:
        """Do all that happens on a day, counted from 1, and report it."""
        today = _date(day)
        facts: list[Fact] = list(self.unload(day))
        for site in self.sites:
            is_heard = self.random.random() < self.share_reported and not self.is_in("silent", site, day)
            for good in GOODS:
                fact = self.hand_out(site, good, day)
                if fact is not None and is_heard:
                    facts.append(fact)
                if is_heard and self.random.random() < 0.2:
                    facts.append(StockCounted(site, good, self.stock[site, good], today))
        self.home.journal.append(facts, time=day)
        self.send(day)

    def hand_out(self, site: str, good: str, day: int) -> Fact | None:
        """Let people fetch what they need, as far as it is there."""
        mean = self.rate[site, good] * WEEK[(BEGIN + timedelta(days=day - 1)).weekday()]
        mean *= 2.0 if self.is_in("twice as many", site, day) else 1.0
        wanted = round(1000 * mean * self.random.gammavariate(1 / self.noise**2, self.noise**2))
        handed = min(wanted, self.stock[site, good])
        self.stock[site, good] -= handed
        if handed < wanted:
            self.empty_on.setdefault((site, good), day)
        return GoodsHandedOut(site, good, handed, _date(day)) if handed else None

    def send(self, day: int) -> None:
        """Every few days a van goes to each site with what fills it up, as far as anybody at the depot knows."""
        for number, site in enumerate(self.sites):
            if (day + number) % EVERY_DAYS or self.is_in("cut off", site, day):
                continue
            load = {}
            for good in GOODS:
                coming = sum(one.load.get(good, 0) for one in self.trucks if one.site == site)
                load[good] = round(1000 * COVERS_DAYS * self.rate[site, good]) - self.stock[site, good] - coming
            lines = tuple(Line(good, quantity) for good, quantity in load.items() if quantity > 0)
            issued = OrderIssued(DEPOT, site, "vans", 1, _date(day), _date(day + 1), lines, _date(day))
            (entry,) = self.home.journal.append([issued], time=day)
            self.home.journal.append([OrderLoaded(entry.id, lines, _date(day))], time=day)
            takes = 4 if self.is_in("slow", site, day) else 1
            self.trucks.append(Truck(day + takes, entry.id, site, {line.good: line.quantity for line in lines}))

    def unload(self, day: int) -> Iterator[Fact]:
        """Take in what arrives; whoever is silent does not say so."""
        here = [one for one in self.trucks if one.arrives == day]
        self.trucks = [one for one in self.trucks if one.arrives != day]
        for truck in here:
            for good, quantity in truck.load.items():
                self.stock[truck.site, good] += quantity
            if not self.is_in("silent", truck.site, day):
                lines = tuple(Line(good, quantity) for good, quantity in truck.load.items())
                yield OrderReceived(truck.order, truck.site, lines, _date(day))

    def state(self) -> State:
        """Return what the journal comes to."""
        return fold(self.home.journal.read())


def look_at(state: State, day: int, *, hour: int = 8) -> Watched:
    """Return what is watched at an hour of a day, counted from 1; reports up to the day before are in."""
    today = BEGIN + timedelta(days=day - 1)
    seen = known(state, today)
    return watch(state, seen, situation(state, today, seen=seen), datetime.combine(today, time(hour)))


def _date(day: int) -> str:
    return (BEGIN + timedelta(days=day - 1)).isoformat()
