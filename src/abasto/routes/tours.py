"""One base's day as a problem for the solver, and the solver's tours as routes with sites, times and loads.

What starts at the base is delivered, what ends there is picked up, both in one trip if it fits, and a vehicle reloads
as often as its hours allow. What neither starts nor ends there is a pair: loaded at one place and unloaded at another.
Vehicles without a base have pairs only: they start at a place that is no way from anywhere, which is left out again.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from abasto.network import Fleet
from abasto.routes.alone import Alone
from abasto.routes.parts import Part, capacity_of
from abasto.routes.problem import Job, Pair, Problem, Solved, Tour, Vehicles, Visit, Ways, Window
from abasto.routes.route import Load, Route, Stop
from abasto.routes.setting import DAY, GRACE, Setting, set_out_seconds, work_seconds

__all__ = ["Yard", "problem_of", "routes_of", "served"]

VEHICLE_COST = 3600
"""Costs are metres and seconds, added up: driving 40 km in an hour costs 43,600, and taking another vehicle 3,600."""
PRIZE = 10
"""Leaving out a part costs so many times the longest trip alone, and as much again for a full load: no detour pays."""


@dataclass(frozen=True)
class Yard:
    """A base, or none, with the vehicles that are free there, by fleet of one mode, and the parts they are to drive."""

    setting: Setting
    base: str | None
    free: Mapping[str, int]
    parts: tuple[Part, ...]
    alone: tuple[Alone, ...]

    def without(self, done: Collection[int], free: Mapping[str, int]) -> Yard:
        """Return what is left when some parts are routed, with the vehicles that are free then."""
        left = [place for place in range(len(self.parts)) if place not in done]
        parts = tuple(self.parts[place] for place in left)
        return replace(self, free=free, parts=parts, alone=tuple(self.alone[place] for place in left))

    @property
    def fleets(self) -> tuple[Fleet, ...]:
        """The fleets that have a free vehicle."""
        return tuple(self.setting.fleets[name] for name, number in self.free.items() if number)

    @property
    def sites(self) -> tuple[str, ...]:
        """Every site that matters, the base first if there is one."""
        own = [] if self.base is None else [self.base]
        return tuple(dict.fromkeys([*own, *(s for part in self.parts for s in (part.from_site, part.to_site))]))

    @property
    def jobs(self) -> tuple[int, ...]:
        """The parts, by their place among all, that start or end at the base."""
        return tuple(n for n, part in enumerate(self.parts) if self.base in (part.from_site, part.to_site))

    @property
    def pairs(self) -> tuple[int, ...]:
        """The parts that neither start nor end there."""
        return tuple(n for n, part in enumerate(self.parts) if self.base not in (part.from_site, part.to_site))


def problem_of(yard: Yard) -> Problem:
    """Return what the vehicles of a base have to drive, in metres, seconds and grams."""
    place = {site: number for number, site in enumerate(yard.sites)}
    longest = max(2 * VEHICLE_COST, *(one.seconds + one.metres for one in yard.alone))
    return Problem(
        ways=(_ways(yard),),
        vehicles=tuple(_vehicles(yard, fleet) for fleet in yard.fleets),
        jobs=tuple(_job(yard, yard.parts[n], place, longest) for n in yard.jobs),
        pairs=tuple(_pair(yard, yard.parts[n], place, longest) for n in yard.pairs),
    )


def _ways(yard: Yard) -> Ways:
    """Return how far all sites are from each other; behind them the place where vehicles without a base start."""
    ways = yard.setting.lanes(yard.fleets[0].mode).between(yard.sites)
    if yard.base is not None:
        return ways
    return Ways(np.pad(ways.metres, (0, 1)), np.pad(ways.seconds, (0, 1)))


def _vehicles(yard: Yard, fleet: Fleet) -> Vehicles:
    return Vehicles(
        base=len(yard.sites) if yard.base is None else 0,
        count=yard.free[fleet.fleet],
        capacity=capacity_of(fleet.payload_t),
        base_window=Window(0, DAY) if yard.base is None else yard.setting.hours(yard.base),
        window=Window(yard.setting.starts(fleet), DAY),
        work_seconds=work_seconds(fleet) + GRACE,
        set_out_seconds=0 if yard.base is None else set_out_seconds(fleet),
        reload=yard.base is not None,
        fixed_cost=VEHICLE_COST,
        metre_cost=1,
        second_cost=1,
    )


def _job(yard: Yard, part: Part, place: Mapping[str, int], longest: int) -> Job:
    starts_here = part.from_site == yard.base
    site = part.to_site if starts_here else part.from_site
    seconds, window = _stop(yard, part, site)
    return Job(
        place=place[site],
        delivery=part.grams if starts_here else 0,
        pickup=0 if starts_here else part.grams,
        seconds=seconds,
        window=window,
        prize=_prize(yard, part, longest),
    )


def _pair(yard: Yard, part: Part, place: Mapping[str, int], longest: int) -> Pair:
    start_seconds, start_window = _stop(yard, part, part.from_site)
    end_seconds, end_window = _stop(yard, part, part.to_site)
    return Pair(
        start=place[part.from_site],
        end=place[part.to_site],
        grams=part.grams,
        start_seconds=start_seconds,
        end_seconds=end_seconds,
        start_window=start_window,
        end_window=end_window,
        prize=_prize(yard, part, longest),
    )


def _stop(yard: Yard, part: Part, site: str) -> tuple[int, Window]:
    """Return how long a stop takes, and when it may begin so that it ends before the site closes."""
    seconds, hours = yard.setting.part_seconds(part), yard.setting.hours(site)
    return seconds, Window(hours.first, hours.last - seconds)


def _prize(yard: Yard, part: Part, longest: int) -> int:
    full = max(capacity_of(fleet.payload_t) for fleet in yard.fleets)
    return PRIZE * longest + PRIZE * longest * min(part.grams, full) // full


def served(yard: Yard, solved: Solved) -> set[int]:
    """Return which of a yard's parts the tours serve, by their place among them."""
    visits = [visit for tour in solved.tours for visit in tour.visits]
    jobs = {yard.jobs[visit.index] for visit in visits if visit.kind == "job"}
    return jobs | {yard.pairs[visit.index] for visit in visits if visit.kind == "end"}


def _part(yard: Yard, visit: Visit) -> Part:
    return yard.parts[yard.jobs[visit.index] if visit.kind == "job" else yard.pairs[visit.index]]


def routes_of(yard: Yard, solved: Solved) -> Iterator[Route]:
    """Yield the routes that the tours are, their vehicles not numbered yet."""
    for tour in solved.tours:
        fleet = yard.fleets[tour.kind]
        stops = _stops(yard, tour)
        lanes = yard.setting.lanes(fleet.mode)
        ways = [lanes.way(a.site, b.site) for a, b in itertools.pairwise(stops)]
        yield Route(
            fleet=fleet.fleet,
            number=0,
            vehicles=yard.setting.vehicles(fleet.fleet),
            base=yard.base or "",
            day=yard.setting.day,
            payload_t=fleet.payload_t,
            km=sum(way.metres for way in ways if way is not None) / 1000,
            hours=(tour.visits[-1].leaves - tour.visits[0].arrives) / 3600,
            stops=tuple(stops),
        )


def _stops(yard: Yard, tour: Tour) -> list[Stop]:
    """Return a tour's stops; visits to one site that follow each other are one stop."""
    stops: list[Stop] = []
    kg = 0.0
    for place, visit in enumerate(tour.visits):
        if visit.kind == "base" and yard.base is None:
            continue
        site, picked, dropped = _happens(yard, tour, place)
        kg += sum(load.kg for load in picked) - sum(load.kg for load in dropped)
        arrives, leaves = yard.setting.moment(visit.arrives), yard.setting.moment(visit.leaves)
        if stops and stops[-1].site == site:
            last = stops.pop()
            arrives, picked, dropped = last.arrives, (*last.pickups, *picked), (*last.deliveries, *dropped)
        stops.append(Stop(site, arrives, leaves, _merged(picked), _merged(dropped), max(0.0, round(kg, 6))))
    return stops


def _happens(yard: Yard, tour: Tour, place: int) -> tuple[str, tuple[Load, ...], tuple[Load, ...]]:
    """Return where a visit is, what is loaded there, and what is unloaded."""
    visit = tour.visits[place]
    if visit.kind == "base":
        return (
            yard.base or "",
            _loads(yard, _until_base(tour.visits[place + 1 :]), into=True),
            _loads(yard, _until_base(reversed(tour.visits[:place])), into=False),
        )
    part = _part(yard, visit)
    if visit.kind == "job" and part.from_site == yard.base:
        return part.to_site, (), part.loads
    if visit.kind == "end":
        return part.to_site, (), part.loads
    return part.from_site, part.loads, ()


def _until_base(visits: Sequence[Visit] | Iterator[Visit]) -> Iterator[Visit]:
    for visit in visits:
        if visit.kind == "base":
            return
        yield visit


def _loads(yard: Yard, visits: Iterator[Visit], *, into: bool) -> tuple[Load, ...]:
    """Return what is loaded at the base for the visits that follow, or unloaded there after those that went before."""
    loads: list[Load] = []
    for visit in visits:
        if visit.kind == "job":
            part = _part(yard, visit)
            if (part.from_site == yard.base) == into:
                loads += part.loads
    return tuple(loads)


def _merged(loads: Sequence[Load]) -> tuple[Load, ...]:
    """Return loads with those of one order, good and lot added up: parts of an order may ride together."""
    found: dict[tuple[str, str, str | None], Load] = {}
    for load in loads:
        key = load.order, load.good, load.lot
        old = found.get(key)
        found[key] = (
            load
            if old is None
            else Load(load.order, load.good, load.lot, old.quantity + load.quantity, load.unit, old.kg + load.kg)
        )
    return tuple(found.values())
