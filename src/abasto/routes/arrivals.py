"""Goods that a vehicle is to load and that only come to the site that day: with which order, when, and who waits.

What lies at a site in the morning is loaded first, in the order in which vehicles come, and then what other orders
bring there, in the order in which they do; also when some of it has been reported since, so that a day's sheet stays
the same. A vehicle that would come too early for them starts later, where all it does
can be done so much later; else the stop only says so. What is made or taken in that day is not known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from abasto.facts.kinds import Line
from abasto.routes.route import Coming, Load, Route
from abasto.state.cells import Lots
from abasto.state.holding import by_expiry
from abasto.state.types import OrderRecord

__all__ = ["after_arrivals"]

ROUNDS = 10
"""A vehicle that starts later may bring something later, for which another waits: looked at so often at most."""

Place = tuple[str, str]
"""A site and a good."""


@dataclass
class _Arrival:
    """What an order brings of a lot: when it is unloaded and by which route, both None if no route is known."""

    order: str
    lot: str | None
    left: int
    at: datetime | None
    route: int | None


def after_arrivals(
    routes: Sequence[Route],
    orders: Iterable[OrderRecord],
    day: date,
    *,
    on_hand: Lots,
    is_fine: Callable[[Route, Route], bool],
) -> tuple[Route, ...]:
    """Return the routes with what their stops wait for, begun later where that is all it takes.

    `on_hand` is what lies at the sites now, `orders` are all; `is_fine` says of a route, and of
    it begun later, whether the later one can be driven too.
    """
    records = {record.id: record for record in orders if record.status != "cancelled"}
    on_hand = _in_the_morning(on_hand, records.values(), day)
    found, stuck = list(routes), set[int]()
    for _ in range(ROUNDS):
        waits = _waits(found, _comings(found, records, day, on_hand))
        if waits.keys() <= stuck:
            break
        for number, wait in waits.items():
            later = _later(found[number], wait)
            if number not in stuck and later.back.date() == day and is_fine(found[number], later):
                found[number] = later
            else:
                stuck.add(number)
    comings = _comings(found, records, day, on_hand)
    return tuple(_noted(route, number, comings) for number, route in enumerate(found))


def _in_the_morning(on_hand: Lots, records: Iterable[OrderRecord], day: date) -> Lots:
    """Return what lay at the sites before this day's orders were loaded and received."""
    there: defaultdict[Place, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for place, lots in on_hand.items():
        there[place].update(lots)
    for record in records:
        if record.issued is None:
            continue
        for line in record.loaded if record.loaded_on == day.isoformat() else ():
            there[record.issued.from_site, line.good][line.lot or ""] += line.quantity
        for line in record.received if record.received_on == day.isoformat() else ():
            there[record.issued.to_site, line.good][line.lot or ""] -= line.quantity
    return {place: {lot: held for lot, held in lots.items() if held > 0} for place, lots in there.items()}


_Comings = Mapping[tuple[int, int], Sequence[tuple[Coming, int | None]]]
"""By route and stop: what comes, and the route that brings it."""


def _comings(routes: Sequence[Route], records: Mapping[str, OrderRecord], day: date, on_hand: Lots) -> _Comings:
    """Return what every stop loads that is not there in the morning and comes with another order."""
    there = {place: dict(lots) for place, lots in on_hand.items()}
    arrivals = _arrivals(routes, records, day)
    found: defaultdict[tuple[int, int], list[tuple[Coming, int | None]]] = defaultdict(list)
    for number, place, load in _loadings(routes, records, day):
        site = routes[number].stops[place].site
        missing = load.quantity - _taken(there.get((site, load.good), {}), load)
        for arrival in arrivals.get((site, load.good), ()):
            part = min(missing, arrival.left) if load.lot in (None, arrival.lot) or arrival.lot is None else 0
            if part <= 0:
                continue
            missing -= part
            arrival.left -= part
            coming = Coming(load.order, load.good, arrival.order, arrival.at)
            if (coming, arrival.route) not in found[number, place]:
                found[number, place].append((coming, arrival.route))
    return found


def _loadings(
    routes: Sequence[Route], records: Mapping[str, OrderRecord], day: date
) -> Iterator[tuple[int, int, Load]]:
    """Yield route, stop and load of what was not loaded on days before, in the order in which vehicles come for it."""
    stops = [(stop.arrives, n, place) for n, route in enumerate(routes) for place, stop in enumerate(route.stops)]
    for _, number, place in sorted(stops):
        for load in routes[number].stops[place].pickups:
            if load.order in records and (records[load.order].loaded_on or day.isoformat()) >= day.isoformat():
                yield number, place, load


def _taken(lots: dict[str, int], load: Load) -> int:
    """Take a load off the lot that it names, or off all if it names none, and return how much was there."""
    taken = 0
    for lot in sorted(lots, key=by_expiry) if load.lot is None else [load.lot]:
        part = max(0, min(lots.get(lot, 0), load.quantity - taken))
        lots[lot] = lots.get(lot, 0) - part
        taken += part
    return taken


def _arrivals(
    routes: Sequence[Route], records: Mapping[str, OrderRecord], day: date
) -> Mapping[Place, Sequence[_Arrival]]:
    """Return what comes on the day by site and good, first what is routed, in the order of time."""
    found: defaultdict[Place, list[_Arrival]] = defaultdict(list)
    routed = set[str]()
    for number, route in enumerate(routes):
        for stop in route.stops:
            for load in stop.deliveries:
                routed.add(load.order)
                if load.order in records and _is_coming(records[load.order], day):
                    at = stop.leaves if stop.leaves.date() == day else None
                    found[stop.site, load.good].append(_Arrival(load.order, load.lot, load.quantity, at, number))
    for record in records.values():
        if record.id in routed or not _is_coming(record, day):
            continue
        assert record.issued is not None
        for line in _due(record):
            found[record.issued.to_site, line.good].append(_Arrival(record.id, line.lot, line.quantity, None, None))
    for mine in found.values():
        mine.sort(key=lambda one: (one.at is None, one.at or datetime.max, one.order))
    return found


def _is_coming(record: OrderRecord, day: date) -> bool:
    """Whether an order is to arrive on the day, and has not on another."""
    today = day.isoformat()
    return record.issued is not None and record.issued.arrives == today == (record.received_on or today)


def _due(record: OrderRecord) -> Sequence[Line]:
    assert record.issued is not None
    return record.loaded or record.issued.lines


def _waits(routes: Sequence[Route], comings: _Comings) -> Mapping[int, timedelta]:
    """Return how much later each route would have to begin; what a vehicle brings itself it does not wait for."""
    waits: dict[int, timedelta] = {}
    for (number, place), mine in comings.items():
        for coming, brings in mine:
            if coming.at is not None and brings != number and not routes[number].is_long:
                wait = coming.at - routes[number].stops[place].arrives
                if wait > timedelta():
                    waits[number] = max(wait, waits.get(number, wait))
    return waits


def _later(route: Route, wait: timedelta) -> Route:
    stops = (replace(stop, arrives=stop.arrives + wait, leaves=stop.leaves + wait) for stop in route.stops)
    return replace(route, stops=tuple(stops))


def _noted(route: Route, number: int, comings: _Comings) -> Route:
    stops = (
        replace(stop, comings=tuple(coming for coming, _ in comings.get((number, place), ())))
        for place, stop in enumerate(route.stops)
    )
    return replace(route, stops=tuple(stops))
