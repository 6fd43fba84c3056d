"""A part of an order on a vehicle of its own: what stands in the way, when it would be where, how long it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from abasto.network import Fleet
from abasto.routes.parts import Part
from abasto.routes.problem import Window
from abasto.routes.route import Why
from abasto.routes.setting import DAY, GRACE, Setting, set_out_seconds, work_seconds
from abasto.routes.ways import Way

__all__ = ["Alone", "Halt", "alone", "base_of"]


@dataclass(frozen=True, slots=True)
class Halt:
    """A stop of a trip: how long the way to it is, how long loading or unloading takes, and when it may begin."""

    site: str
    way: int
    seconds: int
    window: Window


@dataclass(frozen=True, slots=True)
class Alone:
    """How a vehicle would drive one part: the stops between setting out and coming back, and the seconds it takes.

    It is long if it takes more than a vehicle's day. `ready` is the time to set out, `back` that from the last stop to
    the base. With an obstacle nothing else is said.
    """

    obstacle: Why | None = None
    is_long: bool = False
    seconds: int = 0
    metres: int = 0
    ready: int = 0
    halts: tuple[Halt, ...] = ()
    back: int = 0


def base_of(fleet: Fleet, part: Part) -> str:
    """Return where the vehicle of a long trip starts: its base, or where the goods are if the fleet has none."""
    return fleet.site or part.from_site


def alone(setting: Setting, part: Part) -> Alone:
    """Return how a vehicle of the part's own fleet would drive it with nothing else to do.

    A vehicle without a base starts where the goods are and ends where they go; only from a long trip it comes back.
    """
    fleet = setting.fleets[part.fleet]
    if fleet.hours_per_day <= 0:
        return Alone(Why("no time"))
    sites = (fleet.site or part.from_site, part.from_site, part.to_site)
    closed = next((site for site in sites if setting.is_closed(site)), None)
    if closed is not None:
        return Alone(Why("closed", site=closed))
    if part.from_site == part.to_site:
        return Alone(Why("no way", site=part.to_site))
    is_due_later = part.arrives > setting.day.isoformat()
    ways = None if is_due_later else setting.trip(fleet.site, part, within_a_day=True)
    if ways is not None:
        found = _trip(setting, part, fleet.site, ways)
        if found.seconds <= work_seconds(fleet) + GRACE:
            obstacle = _late(setting, fleet, found)
            return found if obstacle is None else Alone(obstacle)
    base = base_of(fleet, part)
    ways = setting.trip(base, part, within_a_day=False)
    if ways is None:
        return Alone(Why("no way", site=part.to_site))
    return replace(_trip(setting, part, base, ways), is_long=True)


def _trip(setting: Setting, part: Part, base: str | None, ways: tuple[Way, Way, Way]) -> Alone:
    """Return the stops of a trip; those at the base itself are no halts, but part of setting out."""
    there, along, back = ways
    visits = [(part.from_site, there.seconds), (part.to_site, along.seconds)]
    halts = tuple(_halt(setting, part, site, way) for site, way in visits if site != base)
    home = along.seconds if part.to_site == base else back.seconds
    ready = 0 if base is None else set_out_seconds(setting.fleets[part.fleet])
    return Alone(
        seconds=ready + sum(halt.way + halt.seconds for halt in halts) + home,
        metres=there.metres + along.metres + back.metres,
        ready=ready,
        halts=halts,
        back=home,
    )


def _halt(setting: Setting, part: Part, site: str, way: int) -> Halt:
    seconds = setting.part_seconds(part)
    hours = setting.hours(site)
    return Halt(site, way, seconds, Window(hours.first, hours.last - seconds))


def _late(setting: Setting, fleet: Fleet, trip: Alone) -> Why | None:
    """Return where a vehicle comes too late, or waits so long for a site to open that its hours do not suffice."""
    hours = Window(0, DAY) if fleet.site is None else setting.hours(fleet.site)
    now = max(setting.starts(fleet), hours.first) + trip.ready
    for halt in trip.halts:
        now = max(now + halt.way, halt.window.first)
        if now > halt.window.last:
            return Why("opening hours", site=halt.site)
        now += halt.seconds
    if now + trip.back > hours.last:
        return Why("opening hours", site=fleet.site or trip.halts[-1].site)
    if _shortest(trip, hours.last) > work_seconds(fleet) + GRACE:
        return Why("opening hours", site=trip.halts[-1].site)
    return None


def _shortest(trip: Alone, end: int) -> int:
    """Return how long a vehicle works if it starts as late as it can, so that it waits as little as can be."""
    due = end - trip.back
    for halt in reversed(trip.halts):
        due = min(due - halt.seconds, halt.window.last) - halt.way
    now = due
    for halt in trip.halts:
        now = max(now + halt.way, halt.window.first) + halt.seconds
    return now + trip.back - (due - trip.ready)
