"""What routing gives: the routes of a day's vehicles, stop by stop, and the orders that fit none, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal

from abasto.facts.codes import code_of

__all__ = ["Coming", "DayRoutes", "Load", "Obstacle", "Route", "Stop", "Unrouted", "Why"]


@dataclass(frozen=True, slots=True)
class Load:
    """So much of a lot of a good for an order: thousandths of the good's unit, and what that weighs."""

    order: str
    good: str
    lot: str | None
    quantity: int
    unit: str
    kg: float

    @property
    def code(self) -> str:
        """The short code of the order."""
        return code_of(self.order)


@dataclass(frozen=True, slots=True)
class Coming:
    """A good that is to be loaded for an order and only comes that day, with the order `brought_by`, which is unloaded
    `at` that time as planned; None if it has no route this day.
    """

    order: str
    good: str
    brought_by: str
    at: datetime | None

    @property
    def code(self) -> str:
        """The short code of the order that brings it."""
        return code_of(self.brought_by)


@dataclass(frozen=True, slots=True)
class Stop:
    """A vehicle at a site: when it comes and leaves, what it loads and unloads, and what it carries afterwards (kg).

    `comings` are the goods that it loads and that are not there in the morning.
    """

    site: str
    arrives: datetime
    leaves: datetime
    pickups: tuple[Load, ...] = ()
    deliveries: tuple[Load, ...] = ()
    kg_after: float = 0.0
    comings: tuple[Coming, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """What one vehicle of a fleet does on a day: from its base and back, `number` of the `vehicles` that there are.

    The first stop is the base, where it loads and sets out; so is the last. Without a base (blank) it begins where it
    first loads and ends where it last unloads. `hours` are those it works; a route of several days has some on each.
    """

    fleet: str
    number: int
    vehicles: int
    base: str
    day: date
    payload_t: float
    km: float
    hours: float
    stops: tuple[Stop, ...]

    @property
    def label(self) -> str:
        """What the vehicle is called, as `mill van 1 of 3`."""
        return f"{self.fleet} {self.number} of {self.vehicles}"

    @property
    def begins(self) -> datetime:
        """When loading begins."""
        return self.stops[0].arrives

    @property
    def leaves(self) -> datetime:
        """When it sets out."""
        return self.stops[0].leaves

    @property
    def back(self) -> datetime:
        """When it is back at its base, or done if it has none."""
        return self.stops[-1].leaves

    @property
    def is_long(self) -> bool:
        """Whether it takes more than this day."""
        return any(stop.leaves.date() > self.day for stop in self.stops)

    @property
    def orders(self) -> tuple[str, ...]:
        """The ids of the orders of which it carries something, in the order of their stops."""
        loads = (load for stop in self.stops for load in (*stop.pickups, *stop.deliveries))
        return tuple(dict.fromkeys(load.order for load in loads))


Obstacle = Literal[
    "no fleet",
    "no vehicle",
    "nothing",
    "too heavy",
    "no way",
    "closed",
    "opening hours",
    "no time",
    "vehicles away",
    "taken",
]
"""Why an order fits no route.

no fleet: the tables have no such fleet, or it does not drive on that day; no vehicle: it has no whole one; nothing:
the order has no goods; too heavy: one piece weighs more than a vehicle carries; no way: no lanes of the fleet's mode
lead there and back; closed: a site is closed all day; opening hours: a site closes before any vehicle could be done
there, or the base before it is back; no time: its vehicles work no hours; vehicles away: all are still away with
earlier orders; taken: all vehicles that there are have no time left beside what they do.
"""


@dataclass(frozen=True, slots=True)
class Why:
    """An obstacle with its figures: the `site` that is closed, how much is `needed` and there (kg or vehicles)."""

    obstacle: Obstacle
    site: str = ""
    needed: float = 0.0
    available: float = 0.0


@dataclass(frozen=True, slots=True)
class Unrouted:
    """An order, or the part of it in `loads`, that no route takes, and why."""

    order: str
    from_site: str
    to_site: str
    fleet: str
    loads: tuple[Load, ...]
    why: Why

    @property
    def code(self) -> str:
        """The short code of the order."""
        return code_of(self.order)


@dataclass(frozen=True)
class DayRoutes:
    """The routes of a day, fleet by fleet, and what none takes. `away` are vehicles not back from earlier days."""

    day: date
    routes: tuple[Route, ...]
    unrouted: tuple[Unrouted, ...]
    away: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def km(self) -> float:
        """How far all of them drive."""
        return sum(route.km for route in self.routes)
