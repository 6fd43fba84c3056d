"""The month of a town that lives steadily, told with all the errors that people and devices make.

People fetch what they need, a van fills each site up once a week, and what is written of it comes late, wrong or not at
all, as in any month (`Life`). A trouble can be planted: vans that no longer go to a site, a site to which twice as many
people come, a lane on which vans take a week.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from month_devices import Phone
from month_life import Life, Place
from month_run import Month
from month_world import World

from abasto.facts.kinds import Line, OrderIssued
from abasto.network import Fleet, Good, Lane, Network, Site, Stock
from abasto.state.network import rows_of

__all__ = ["BEGIN", "DEPOT", "GOODS", "Steady", "Trouble", "steady_month", "street"]

BEGIN = date(2027, 3, 1)
DEPOT = "Depot"
GOODS = {"flour": 1.0, "milk": 2.0, "beans": 2.0}
"""Goods and their priorities."""
WEEK = (1.0, 0.9, 1.0, 1.1, 1.4, 0.8, 0.4)
NOISE = 0.25
EVERY_DAYS, COVERS_DAYS = 7, 14
"""A van goes to each site once a week and fills it up for twelve usual days."""
SLOW_DAYS = 7
"""So many days a van takes on a lane that is slow, instead of one."""


@dataclass(frozen=True)
class Trouble:
    """What goes wrong at a site from a day on."""

    kind: Literal["cut off", "twice as many", "slow"]
    site: str
    from_day: int


def street(number: int) -> str:
    """Return the name of a site, counted from 1."""
    return f"Street {number}"


@dataclass
class Steady(Life):
    """The life of a town; `empty_on` is the first day on which people went without, of each site and good."""

    rates: dict[Place, float] = field(default_factory=dict)
    """What is needed on a usual day, in the good's unit."""
    troubles: Sequence[Trouble] = ()
    empty_on: dict[Place, int] = field(default_factory=dict)

    def is_in(self, kind: str, site: str) -> bool:
        """Return whether a trouble has begun at a site."""
        return any(one.kind == kind and one.site == site and self.day >= one.from_day for one in self.troubles)

    def wanted(self, place: Place) -> int:
        """Return what people want to fetch today, and remember if it is not there."""
        if place not in self.rates:
            return 0
        mean = self.rates[place] * WEEK[(self.world.network.start + timedelta(days=self.day - 1)).weekday()]
        mean *= 2.0 if self.is_in("twice as many", place[0]) else 1.0
        wanted = round(1000 * mean * self.rng.gammavariate(1 / NOISE**2, NOISE**2))
        if self.world.total(*place) < wanted:
            self.empty_on.setdefault(place, self.day)
        return wanted

    def accept_and_load(self, site: str) -> None:
        """Vans leave on their day; on a lane that is slow they are under way for a week."""
        for id in list(self.open):
            order = self.orders[id]
            if order.from_site == site and self.know_of(site, id):
                self.load(site, id, order)
                if id in self.world.trucks and self.is_in("slow", order.to_site):
                    self.world.trucks[id].arrives = self.day + SLOW_DAYS

    def cancel(self) -> None:
        """Nobody calls a van off."""

    def send(self) -> None:
        """Order what fills up the sites whose day it is, as the depot hears by telephone."""
        for number, site in enumerate(sorted({site for site, _ in self.rates})):
            if (self.day + number) % EVERY_DAYS or self.is_in("cut off", site):
                continue
            lines = []
            for good in GOODS:
                coming = sum(
                    sum(truck.load.get(good, {}).values())
                    for truck in self.world.trucks.values()
                    if truck.to_site == site
                )
                lacks = round(1000 * COVERS_DAYS * self.rates[site, good]) - self.world.total(site, good) - coming
                if lacks > 0:
                    lines.append(Line(good, lacks))
            if lines:
                tomorrow = self.date_of(self.day + 1)
                self.issue(DEPOT, [OrderIssued(DEPOT, site, "vans", 1, self.today, tomorrow, tuple(lines), self.today)])


def steady_month(sites: int, seed: int, troubles: Sequence[Trouble] = ()) -> Month:
    """Return the month of a town of so many sites that report from four devices."""
    rng = random.Random(seed)
    rates = {(street(number), good): math.exp(rng.uniform(3, 5.5)) for number in range(1, sites + 1) for good in GOODS}
    network = Network(
        "Town",
        BEGIN,
        30,
        sites=(Site(site=DEPOT), *(Site(site=street(number), people=400) for number in range(1, sites + 1))),
        goods=tuple(Good(good=good, priority=first) for good, first in GOODS.items()),
        stocks=(
            *(Stock(site=DEPOT, good=good, quantity=10**6) for good in GOODS),
            *(
                Stock(site=site, good=good, quantity=round(COVERS_DAYS * a_day))
                for (site, good), a_day in rates.items()
            ),
        ),
        lanes=tuple(
            Lane.model_validate({"from": DEPOT, "to": street(number), "km": 20, "lead_days": 1})
            for number in range(1, sites + 1)
        ),
        fleets=(Fleet(fleet="vans", vehicles=9, payload_t=5),),
    )

    def life(world: World, phones: Sequence[Phone], chance: random.Random) -> Life:
        return Steady(world, phones, chance, rates=rates, troubles=troubles)

    return Month(network, facts=rows_of(network, date=BEGIN), seed=seed, life=life, order=_send)


def _send(life: Life) -> None:
    assert isinstance(life, Steady)
    life.send()
