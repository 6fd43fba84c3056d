"""The check of routes: plain loops over orders, tables and routes, sharing nothing with what makes them.

Every order is delivered once or told as unrouted; what is unloaded was loaded, where the order says; no vehicle carries
more than its payload or works more than its hours; nobody drives faster than the lanes let them, or loads and unloads
in no time or behind closed doors; no fleet has more vehicles out than it has. Times may differ by a minute or two,
loads by a millionth.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta

from abasto.network import Fleet, Network
from abasto.routes.route import DayRoutes, Route, Stop
from abasto.state.openings import Opening
from abasto.state.types import OrderRecord

__all__ = ["check_routes"]

MINUTES = 2.0
"""What times may be off, in minutes: a minute's grace, and seconds that were rounded."""
SHARE = 2e-6
LEAST_MINUTES = 10.0
"""A stop takes at least this long, or half of the fleet's handling if that is less."""

Place = tuple[str, str, str | None]
"""An order, a good and a lot."""


def check_routes(
    orders: Sequence[OrderRecord],
    tables: Network,
    found: DayRoutes,
    *,
    openings: Mapping[str, Opening],
    mixed: bool = False,
) -> list[str]:
    """Return every rule that the routes of a day break, in words; an empty list if they keep them all."""
    fleets = {fleet.fleet: fleet for fleet in tables.fleets}
    issued = {record.id: record.issued for record in orders if record.issued is not None}
    roads = _Roads(tables)
    wrong = list(_delivered_once(orders, found))
    wrong += _vehicles(found, fleets)
    for route in found.routes:
        name = f"{route.label} on {route.day}"
        fleet = fleets.get(route.fleet)
        if fleet is None:
            wrong.append(f"{name}: there is no such fleet")
            continue
        strange = [order for order in route.orders if order not in issued]
        if strange:
            wrong.append(f"{name}: it carries {strange[0]}, which is no order of the day")
            continue
        wrong += [f"{name}: {one}" for one in _ends(route, fleet)]
        wrong += [f"{name}: {one}" for one in _loads(route, orders, fleets, mixed=mixed)]
        wrong += [f"{name}: {one}" for one in _times(route, fleet, fleets, orders, roads, openings)]
    return wrong


def _delivered_once(orders: Sequence[OrderRecord], found: DayRoutes) -> Iterator[str]:
    """Yield the lines of orders of which not exactly what was ordered is delivered or told as unrouted."""
    due: Counter[Place] = Counter()
    for record in orders:
        assert record.issued is not None
        for line in record.issued.lines:
            due[record.id, line.good, line.lot] += line.quantity
    got: Counter[Place] = Counter()
    for route in found.routes:
        for stop in route.stops:
            for load in stop.deliveries:
                got[load.order, load.good, load.lot] += load.quantity
    for one in found.unrouted:
        for load in one.loads:
            got[load.order, load.good, load.lot] += load.quantity
    for place in sorted({*due, *got}, key=str):
        if due[place] != got[place]:
            yield f"of {place[1]} of order {place[0]} {got[place]} are delivered or unrouted, and {due[place]} ordered"


def _vehicles(found: DayRoutes, fleets: Mapping[str, Fleet]) -> Iterator[str]:
    """Yield the fleets of which more vehicles are out than there are, or whose numbers say so."""
    out: defaultdict[str, list[int]] = defaultdict(list)
    for route in found.routes:
        out[route.fleet].append(route.number)
    for name, numbers in out.items():
        there = math.floor(fleets[name].vehicles + 1e-6) if name in fleets else 0
        if len(numbers) + found.away.get(name, 0) > there:
            yield f"{name}: {len(numbers)} vehicles are out and {found.away.get(name, 0)} away, of {there}"
        if len(set(numbers)) < len(numbers):
            yield f"{name}: a vehicle has two routes"


def _ends(route: Route, fleet: Fleet) -> Iterator[str]:
    if fleet.site is not None and route.base != fleet.site:
        yield f"its base is {route.base}, and its fleet's {fleet.site}"
    if route.base and (route.stops[0].site != route.base or route.stops[-1].site != route.base):
        yield "it does not begin and end at its base"
    begins, back = route.stops[0].arrives, route.stops[-1].leaves
    hours = (back - begins).total_seconds() / 3600
    if not route.is_long and (hours > fleet.hours_per_day + MINUTES / 60 or begins.date() != route.day):
        yield f"it works {hours:.3f} hours from {begins}, and its fleet {fleet.hours_per_day:g} in a day"
    if not route.is_long and abs(hours - route.hours) > MINUTES / 60:
        yield f"it says {route.hours:.3f} hours and takes {hours:.3f}"


def _loads(route: Route, orders: Sequence[OrderRecord], fleets: Mapping[str, Fleet], *, mixed: bool) -> Iterator[str]:
    """Yield what is wrong with what is on board, from stop to stop."""
    issued = {record.id: record.issued for record in orders if record.issued is not None}
    own = fleets[route.fleet]
    board: Counter[Place] = Counter()
    kg = 0.0
    for stop in route.stops:
        for load in stop.deliveries:
            board[load.order, load.good, load.lot] -= load.quantity
            kg -= load.kg
            if stop.site != issued[load.order].to_site:
                yield f"order {load.order} is unloaded at {stop.site} and goes to {issued[load.order].to_site}"
        if min(board.values(), default=0) < 0:
            yield f"at {stop.site} something is unloaded that is not on board"
        for load in stop.pickups:
            board[load.order, load.good, load.lot] += load.quantity
            kg += load.kg
            if stop.site != issued[load.order].from_site:
                yield f"order {load.order} is loaded at {stop.site} and lies at {issued[load.order].from_site}"
        if kg > 1000 * route.payload_t * (1 + SHARE) or route.payload_t != own.payload_t:
            yield f"it carries {kg:.6f} kg from {stop.site}, and a vehicle of its fleet {1000 * own.payload_t:g}"
        if abs(kg - stop.kg_after) > 1e-3 + SHARE * abs(kg):
            yield f"it says {stop.kg_after:g} kg after {stop.site}, and has {kg:g}"
    if any(board.values()):
        yield "it comes home with goods that belong elsewhere"
    for order in route.orders:
        named = fleets.get(issued[order].fleet)
        like = named is not None and (named.site, named.mode) == (own.site, own.mode)
        if issued[order].fleet != route.fleet and not (mixed and like):
            yield f"order {order} names the fleet {issued[order].fleet}"


def _times(
    route: Route,
    fleet: Fleet,
    fleets: Mapping[str, Fleet],
    orders: Sequence[OrderRecord],
    roads: _Roads,
    openings: Mapping[str, Opening],
) -> Iterator[str]:
    """Yield where a vehicle drives or works too fast, or when a site is closed."""
    names = {record.id: record.issued.fleet for record in orders if record.issued is not None}
    km = 0.0
    for start, end in itertools.pairwise(route.stops):
        way = roads.fastest(fleet.mode, start.site, end.site, within_a_day=not route.is_long)
        if way is None:
            yield f"no way leads from {start.site} to {end.site}"
            return
        km += way[1] / 1000
        taken = (end.arrives - start.leaves).total_seconds() / 60
        if taken < way[0] / 60 - MINUTES:
            needed = way[0] / 60
            yield f"it drives from {start.site} to {end.site} in {taken:.1f} minutes, and the way takes {needed:.1f}"
    if abs(km - route.km) > 0.1 + 1e-3 * km:
        yield f"it says {route.km:g} km and drives {km:g}"
    for place, stop in enumerate(route.stops):
        is_base = stop.site == route.base
        last = place == len(route.stops) - 1
        needed = 0.0
        if is_base and not last:
            needed = 30 * fleet.handling_hours
        elif not is_base:
            needed = _handling(stop, fleets, names, fleet)
        yield from _open(stop, needed, openings, route)


def _handling(stop: Stop, fleets: Mapping[str, Fleet], names: Mapping[str, str], own: Fleet) -> float:
    """Return how many minutes a stop takes at least: the share of a load that each order is, or all in one."""
    kg: defaultdict[str, float] = defaultdict(float)
    for load in (*stop.pickups, *stop.deliveries):
        kg[load.order] += load.kg
    minutes = 0.0
    for order, weight in kg.items():
        fleet = fleets.get(names[order], own)
        half = 30 * fleet.handling_hours
        minutes += max(min(half, LEAST_MINUTES), half * min(1.0, weight / 1000 / fleet.payload_t))
    return minutes


def _open(stop: Stop, needed: float, openings: Mapping[str, Opening], route: Route) -> Iterator[str]:
    """Yield whether a site is closed while a vehicle works there, or it works there for too short a time."""
    begins = stop.arrives
    if stop.site in openings:
        midnight = datetime.combine(stop.arrives.date(), time())
        opens, closes = (_minutes_of(text) for text in (openings[stop.site].opens, openings[stop.site].closes))
        begins = max(stop.arrives, midnight + timedelta(minutes=opens))
        if opens == closes:
            yield f"{stop.site} is closed all day"
        elif (stop.leaves - midnight).total_seconds() / 60 > closes + MINUTES and not route.is_long:
            yield f"it leaves {stop.site} at {stop.leaves}, which closes at {openings[stop.site].closes}"
    worked = (stop.leaves - begins).total_seconds() / 60
    if worked < needed - MINUTES:
        yield f"it works {worked:.1f} minutes at {stop.site}, and handling takes {needed:.1f}"


def _minutes_of(text: str) -> int:
    return 60 * int(text[:2]) + int(text[3:])


class _Roads:
    """Seconds and metres of the fastest ways, from each site where one was asked for."""

    def __init__(self, tables: Network) -> None:
        self._lanes = tables.lanes
        self._known: dict[tuple[str, str, bool], dict[str, tuple[int, int]]] = {}

    def fastest(self, mode: str, start: str, end: str, *, within_a_day: bool) -> tuple[int, int] | None:
        """Return the fastest way: lanes are gone through again and again until no way gets shorter (Bellman, Ford)."""
        key = mode, start, within_a_day
        if key in self._known:
            return self._known[key].get(end)
        best: dict[str, tuple[int, int]] = {start: (0, 0)}
        changed = True
        while changed:
            changed = False
            for lane in self._lanes:
                if lane.mode != mode or (within_a_day and lane.travel_days > 0):
                    continue
                hours = lane.km / 40 if lane.hours is None else lane.hours
                ends = [(lane.from_site, lane.to_site), (lane.to_site, lane.from_site)]
                for one, other in ends if lane.two_way else ends[:1]:
                    if one in best:
                        there = best[one][0] + round(3600 * hours), best[one][1] + round(1000 * lane.km)
                        if other not in best or there < best[other]:
                            best[other] = there
                            changed = True
        self._known[key] = best
        return best.get(end)
