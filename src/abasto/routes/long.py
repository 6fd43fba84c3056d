"""Trips of more than a day: each takes a vehicle as a whole, straight there and back, until it has returned.

They are not searched over: a vehicle that sleeps on the road has no second trip to combine. Only what goes the same way
on the same day rides together, packed first fit, the heaviest first (Johnson 1973).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from abasto.network import Fleet
from abasto.routes.alone import Alone, Halt, alone, base_of
from abasto.routes.parts import Part, capacity_of, parts_of
from abasto.routes.route import Load, Route, Stop, Why
from abasto.routes.setting import DAY, Setting, set_out_seconds, work_seconds
from abasto.state.types import OrderRecord

__all__ = ["LongTrip", "long_route", "pack", "vehicles_away"]

LONGEST_AWAY = timedelta(days=120)
"""Who has not come back by then is not waited for."""


@dataclass(frozen=True)
class LongTrip:
    """Parts that go the same way on one vehicle."""

    parts: tuple[Part, ...]

    @property
    def loads(self) -> tuple[Load, ...]:
        """All that it carries."""
        return tuple(load for part in self.parts for load in part.loads)

    @property
    def whole(self) -> Part:
        """All of it as if it were one part."""
        return replace(self.parts[0], loads=self.loads)


def pack(parts: Iterable[Part], capacity: int) -> list[LongTrip]:
    """Return parts in as few vehicles as first fit finds, the fullest first."""
    ways: defaultdict[tuple[str, str, str], list[Part]] = defaultdict(list)
    for part in parts:
        ways[part.from_site, part.to_site, part.arrives].append(part)
    trips: list[list[Part]] = []
    for way in sorted(ways):
        mine: list[list[Part]] = []
        for part in sorted(ways[way], key=lambda part: (-part.grams, part.order)):
            place = next((one for one in mine if sum(p.grams for p in one) + part.grams <= capacity), None)
            if place is None:
                mine.append([part])
            else:
                place.append(part)
        trips += mine
    trips.sort(key=lambda trip: -sum(part.grams for part in trip))
    return [LongTrip(tuple(trip)) for trip in trips]


def long_route(setting: Setting, trip: LongTrip) -> Route | Why:
    """Return the route of a long trip, its vehicle not numbered yet; or why the order's days cannot be kept."""
    part = trip.whole
    fleet = setting.fleets[part.fleet]
    base = base_of(fleet, part)
    way = alone(setting, part)
    if way.obstacle is not None:
        return way.obstacle
    start = max(setting.starts(fleet), setting.hours(base).first)
    leaves = start + set_out_seconds(fleet)
    begins_loaded = part.from_site == base
    kg = sum(load.kg for load in trip.loads)
    stops = [
        Stop(
            base, setting.moment(start), setting.moment(leaves), trip.loads if begins_loaded else (),
            kg_after=kg if begins_loaded else 0.0,
        )
    ]  # fmt: skip
    arrives = date.fromisoformat(part.arrives)
    for halt in way.halts:
        came = _arrival(setting, fleet, halt, stops[-1].leaves, arrives if halt.site == part.to_site else None)
        done = came + timedelta(seconds=halt.seconds)
        if halt.site == part.to_site and done.date() > max(arrives, setting.day):
            return Why("opening hours", site=halt.site)
        loads, unloads = (trip.loads, ()) if halt.site == part.from_site else ((), trip.loads)
        stops.append(Stop(halt.site, came, done, loads, unloads, kg if loads else 0.0))
    back = _return(setting, fleet, part, way, stops[-1].leaves)
    stops.append(Stop(base, back, back, deliveries=() if part.to_site != base else trip.loads))
    return Route(
        fleet=fleet.fleet,
        number=0,
        vehicles=setting.vehicles(fleet.fleet),
        base=base,
        day=setting.day,
        payload_t=fleet.payload_t,
        km=way.metres / 1000,
        hours=way.seconds / 3600,
        stops=tuple(stops),
    )


def _arrival(setting: Setting, fleet: Fleet, halt: Halt, left: datetime, due: date | None) -> datetime:
    """Return when work at a stop begins: on the day that the order says, as early as the site is open then.

    The hour of a later day is no more than a guess, since nobody knows where the vehicle rests: when the site opens.
    """
    came = left + timedelta(seconds=halt.way)
    opens = max(halt.window.first, setting.starts(fleet))
    if due is not None and due > setting.day:
        return datetime.combine(due, time()) + timedelta(seconds=opens)
    closing = datetime.combine(came.date(), time()) + timedelta(seconds=halt.window.last)
    opening = datetime.combine(came.date(), time()) + timedelta(seconds=halt.window.first)
    return opening + timedelta(days=1) if came > closing else max(came, opening)


def _return(setting: Setting, fleet: Fleet, part: Part, way: Alone, left: datetime) -> datetime:
    """Return when a vehicle is back: its hours are shared out over days, and the way back takes as many as the way."""
    lead = max(0, (date.fromisoformat(part.arrives) - setting.day).days)
    daily = max(1, work_seconds(fleet))
    days = max(2 * lead, math.ceil(way.seconds / daily) - 1)
    last = max(0, way.seconds - daily * days) if days * daily < way.seconds else min(way.back, daily)
    back = datetime.combine(setting.day + timedelta(days=days), time())
    return max(left + timedelta(seconds=min(way.back, DAY)), back + timedelta(seconds=setting.starts(fleet) + last))


def vehicles_away(setting: Setting, orders: Iterable[OrderRecord]) -> Mapping[str, int]:
    """Return how many vehicles of each fleet are not back from trips that began on earlier days.

    A vehicle that comes back on the day itself is not counted on either: nobody knows when.
    """
    left: defaultdict[tuple[str, date], list[Part]] = defaultdict(list)
    for record, day in _on_earlier_days(setting, orders):
        assert record.issued is not None
        if record.issued.fleet in setting.fleets:
            capacity = capacity_of(setting.fleets[record.issued.fleet].payload_t)
            left[record.issued.fleet, day] += parts_of(record.id, record.issued, setting.goods, capacity) or ()
    away: Counter[str] = Counter()
    for (fleet, day), parts in left.items():
        then = replace(setting, day=day)
        # By the day they left, orders may have been due on it although they are on their way still.
        long = [part for part in parts if alone(then, part).is_long]
        routes = [long_route(then, trip) for trip in pack(long, capacity_of(setting.fleets[fleet].payload_t))]
        away[fleet] += sum(isinstance(route, Route) and route.back.date() >= setting.day for route in routes)
    return {fleet: number for fleet, number in away.items() if number}


def _on_earlier_days(setting: Setting, orders: Iterable[OrderRecord]) -> Iterator[tuple[OrderRecord, date]]:
    """Yield the orders that left before the day, not so long ago that nobody waits for them, and when they left."""
    first = date.fromordinal(max(1, setting.day.toordinal() - LONGEST_AWAY.days)).isoformat()
    today = setting.day.isoformat()
    for record in orders:
        if record.issued is not None and record.status in ("loaded", "received"):
            left = record.loaded_on or record.issued.departs
            if first <= left < today:
                yield record, date.fromisoformat(left)
