"""From the orders of a day to the routes of real vehicles, base by base; what fits no route is told, with why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time

from abasto.errors import CheckError, SettingError
from abasto.network import Network
from abasto.routes.alone import alone
from abasto.routes.arrivals import after_arrivals
from abasto.routes.check import check_routes
from abasto.routes.long import long_route, pack, vehicles_away
from abasto.routes.parts import Part, capacity_of, loads_of, parts_of
from abasto.routes.route import DayRoutes, Load, Route, Unrouted, Why
from abasto.routes.setting import Setting
from abasto.routes.solver import solve
from abasto.routes.tours import Yard, problem_of, routes_of, served
from abasto.state.cells import Lots
from abasto.state.openings import Opening
from abasto.state.types import OrderRecord

__all__ = ["BEGINS", "orders_of_day", "plan_routes"]

BEGINS = time(7)
"""No vehicle starts earlier, unless its hours would not fit in the day."""
PATIENCE, PATIENCE_PER_PART = 500, 10
"""So many iterations without anything better end a search: so many, and more for each part."""
MOST_ITERATIONS = 100_000


@dataclass
class _Day:
    """A day whose orders are being routed: what is free still, what is routed, and what is not."""

    setting: Setting
    away: Mapping[str, int]
    free: dict[str, int]
    routes: list[Route] = field(default_factory=list)
    unrouted: list[tuple[Part, Why]] = field(default_factory=list)


def plan_routes(
    orders: Iterable[OrderRecord],
    tables: Network,
    day: date,
    *,
    openings: Mapping[str, Opening] | None = None,
    on_hand: Lots | None = None,
    seed: int = 0,
    time_limit: float | None = 60.0,
    begins: time = BEGINS,
    mixed: bool = False,
    stop: Callable[[], bool] | None = None,
) -> DayRoutes:
    """Return routes for the orders that leave on a day; `orders` may be all, as earlier ones keep vehicles away.

    `tables` are the network's as known on the day. An order stays with its fleet, unless the fleets of a base are
    `mixed`: then every vehicle of one base and mode may carry any order of its. A base is searched for until nothing
    better is found for long, and for `time_limit` seconds at most; if that is not reached, the same orders and seed
    give the same routes. `on_hand` is what lies at the sites: stops then say which of their goods only come that day,
    and vehicles wait for them where they can. Every result is checked before it is returned.
    """
    if time_limit is not None and not time_limit > 0:
        raise SettingError(f"time limit is {time_limit:g} seconds; routes need some, such as 60.")
    records = list(orders)
    seconds = 3600 * begins.hour + 60 * begins.minute
    setting = Setting(tables, day, openings or {}, seconds)
    away = vehicles_away(setting, records)
    free = {fleet: max(0, setting.vehicles(fleet) - away.get(fleet, 0)) for fleet in setting.fleets}
    routing = _Day(setting, away, free)
    todays = orders_of_day(records, day)
    whole = list(_not_even_parted(setting, todays))
    _route_long(routing, parts := _parts(setting, todays))
    search = _Search(seed, time_limit, stop)
    for yard in _yards(routing, parts, mixed=mixed):
        _route_yard(routing, yard, search)
    found = DayRoutes(
        day=day,
        routes=_numbered(routing.routes),
        unrouted=(*whole, *_unrouted(routing.unrouted)),
        away=away,
    )

    def check(those: DayRoutes) -> list[str]:
        return check_routes(todays, tables, those, openings=openings or {}, mixed=mixed)

    if on_hand is not None:
        found = _waiting(found, records, on_hand, check)
    if violations := check(found):
        raise CheckError(violations)
    return found


def _waiting(
    found: DayRoutes, records: Sequence[OrderRecord], on_hand: Lots, check: Callable[[DayRoutes], list[str]]
) -> DayRoutes:
    """Return the routes with what comes the same day, begun later where they can be."""

    def is_fine(route: Route, later: Route) -> bool:
        """Whether a route alone breaks no more rules than before: the other orders are missing either way."""
        return set(check(replace(found, routes=(later,)))) <= set(check(replace(found, routes=(route,))))

    waiting = after_arrivals(found.routes, records, found.day, on_hand=on_hand, is_fine=is_fine)
    return replace(found, routes=_numbered(waiting))


def orders_of_day(orders: Iterable[OrderRecord], day: date) -> list[OrderRecord]:
    """Return the orders that leave on a day and are not cancelled, also those that have left or arrived meanwhile.

    So a sheet that is printed again on the same day says the same.
    """
    todays = [
        record
        for record in orders
        if record.issued is not None and record.status != "cancelled" and record.issued.departs == day.isoformat()
    ]
    return sorted(todays, key=_way)


def _way(record: OrderRecord) -> tuple[str, str, str, str]:
    assert record.issued is not None
    return record.issued.fleet, record.issued.from_site, record.issued.to_site, record.id


def _parts(setting: Setting, records: Sequence[OrderRecord]) -> list[Part]:
    """Return the orders in parts that a vehicle of their fleet carries."""
    return [part for record in records for part in _parts_of(setting, record) or ()]


def _parts_of(setting: Setting, record: OrderRecord) -> tuple[Part, ...] | None:
    assert record.issued is not None
    fleet = setting.fleets.get(record.issued.fleet)
    capacity = 0 if fleet is None else capacity_of(fleet.payload_t)
    return None if fleet is None else parts_of(record.id, record.issued, setting.goods, capacity)


def _not_even_parted(setting: Setting, records: Sequence[OrderRecord]) -> Iterator[Unrouted]:
    """Yield the orders of which no vehicle can take anything: no fleet, a piece that is too heavy, nothing to carry."""
    for record in records:
        issued = record.issued
        assert issued is not None
        if _parts_of(setting, record):
            continue
        loads = loads_of(record.id, issued.lines, setting.goods)
        why = Why("no fleet")
        if issued.fleet in setting.fleets:
            heaviest = max((1000 * load.kg / load.quantity for load in loads if load.quantity), default=0.0)
            payload_kg = 1000 * setting.fleets[issued.fleet].payload_t
            why = Why("too heavy", needed=heaviest, available=payload_kg) if heaviest else Why("nothing")
        yield Unrouted(record.id, issued.from_site, issued.to_site, issued.fleet, loads, why)


def _route_long(routing: _Day, parts: list[Part]) -> None:
    """Take out of `parts` what nothing can drive and what takes more than a day, and route the latter."""
    setting = routing.setting
    long: defaultdict[str, list[Part]] = defaultdict(list)
    short = []
    for part in parts:
        way = alone(setting, part)
        if way.obstacle is not None:
            routing.unrouted.append((part, way.obstacle))
        elif way.is_long:
            long[part.fleet].append(part)
        else:
            short.append(part)
    parts[:] = short
    for fleet, mine in long.items():
        for trip in pack(mine, capacity_of(setting.fleets[fleet].payload_t)):
            route = long_route(setting, trip)
            if isinstance(route, Route) and routing.free[fleet]:
                routing.free[fleet] -= 1
                routing.routes.append(route)
                continue
            why = route if isinstance(route, Why) else _no_vehicle(routing, [fleet])
            routing.unrouted += [(part, why) for part in trip.parts]


def _no_vehicle(routing: _Day, fleets: Sequence[str]) -> Why:
    """Return why no vehicle of these fleets can take another part."""
    there = sum(routing.setting.vehicles(fleet) for fleet in fleets)
    if not there:
        return Why("no vehicle", available=sum(routing.setting.fleets[fleet].vehicles for fleet in fleets))
    away = sum(routing.away.get(fleet, 0) for fleet in fleets)
    return Why("vehicles away" if away >= there else "taken", needed=away, available=there)


@dataclass(frozen=True)
class _Search:
    seed: int
    seconds: float | None
    stop: Callable[[], bool] | None


def _yards(routing: _Day, parts: Sequence[Part], *, mixed: bool) -> Iterator[Yard]:
    """Yield every base with its free vehicles and the parts they are to drive; fleets without a base are one each."""
    setting = routing.setting
    groups: defaultdict[tuple[str, ...], list[Part]] = defaultdict(list)
    for part in parts:
        groups[_together(setting, part, mixed=mixed)].append(part)
    for fleets, mine in sorted(groups.items()):
        free = {fleet: routing.free[fleet] for fleet in fleets}
        base = setting.fleets[fleets[0]].site
        yield Yard(setting, base, free, tuple(mine), tuple(alone(setting, part) for part in mine))


def _together(setting: Setting, part: Part, *, mixed: bool) -> tuple[str, ...]:
    """Return the fleets whose vehicles may carry a part."""
    own = setting.fleets[part.fleet]
    if not mixed:
        return (own.fleet,)
    return tuple(sorted(one.fleet for one in setting.fleets.values() if (one.site, one.mode) == (own.site, own.mode)))


def _route_yard(routing: _Day, yard: Yard, search: _Search) -> None:
    """Solve one base's day; what is left out is tried again as long as a vehicle stands free."""
    left = yard
    while left.parts and left.fleets:
        solved = solve(
            problem_of(left),
            seed=search.seed,
            iterations=MOST_ITERATIONS,
            patience=PATIENCE + PATIENCE_PER_PART * len(left.parts),
            seconds=search.seconds,
            stop=search.stop,
        )
        done = served(left, solved)
        if not done:
            break
        for route in routes_of(left, solved):
            routing.free[route.fleet] -= 1
            routing.routes.append(route)
        left = left.without(done, {fleet: routing.free[fleet] for fleet in left.free})
    why = _no_vehicle(routing, list(yard.free))
    routing.unrouted += [(part, why) for part in left.parts]


def _numbered(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return routes fleet by fleet, the earliest first, with the number of the vehicle within its fleet."""
    numbers: defaultdict[str, int] = defaultdict(int)
    found = []
    for route in sorted(routes, key=lambda route: (route.fleet, route.begins, route.base, -route.km, route.orders)):
        numbers[route.fleet] += 1
        found.append(replace(route, number=numbers[route.fleet]))
    return tuple(found)


def _unrouted(parts: Iterable[tuple[Part, Why]]) -> Iterator[Unrouted]:
    """Yield what is not routed by order and reason, what is left of an order in one."""
    found: defaultdict[tuple[str, Why], list[Load]] = defaultdict(list)
    ways: dict[str, Part] = {}
    for part, why in parts:
        found[part.order, why] += part.loads
        ways[part.order] = part
    for (order, why), loads in found.items():
        part = ways[order]
        yield Unrouted(order, part.from_site, part.to_site, part.fleet, _added(loads), why)


def _added(loads: Iterable[Load]) -> tuple[Load, ...]:
    sums: dict[tuple[str, str | None], Load] = {}
    for load in loads:
        old = sums.get((load.good, load.lot))
        if old is not None:
            load = replace(load, quantity=old.quantity + load.quantity, kg=old.kg + load.kg)
        sums[load.good, load.lot] = load
    return tuple(sums.values())
