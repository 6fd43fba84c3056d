"""What the routes of a day start from: tables, the day, opening hours, and how long vehicles work, load and unload."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property

from abasto.network import Fleet, Good, Network
from abasto.routes.parts import Part, capacity_of
from abasto.routes.problem import Window
from abasto.routes.ways import Lanes, Way
from abasto.state.openings import Opening

__all__ = ["DAY", "GRACE", "Setting"]

DAY = 24 * 3600
GRACE = 60
"""A vehicle may work this many seconds longer: driving times are rounded to seconds, and nobody counts those."""
SHORT_STOP = 600
"""Seconds that a stop takes at least, however little is loaded, unless half of the fleet's handling is less."""
WHOLE = 1e-9


@dataclass(frozen=True)
class Setting:
    """Tables with the day in their horizon, the opening hours by site, and the earliest second a vehicle sets out."""

    tables: Network
    day: date
    openings: Mapping[str, Opening]
    begins: int
    _lanes: dict[tuple[str, bool], Lanes] = field(default_factory=dict, repr=False)

    @cached_property
    def goods(self) -> Mapping[str, Good]:
        """The goods by id."""
        return {good.good: good for good in self.tables.goods}

    @cached_property
    def fleets(self) -> Mapping[str, Fleet]:
        """The fleets that drive on the day, by id."""
        day = self.tables.day_of(self.day)
        return {
            fleet.fleet: fleet
            for fleet in self.tables.fleets
            if (fleet.from_day is None or fleet.from_day <= day) and (fleet.to_day is None or day <= fleet.to_day)
        }

    def vehicles(self, fleet: str) -> int:
        """Return how many whole vehicles a fleet has: routes are driven by real ones."""
        return math.floor(self.fleets[fleet].vehicles + WHOLE)

    def lanes(self, mode: str, *, within_a_day: bool = True) -> Lanes:
        """Return the lanes of a mode, to find ways along them."""
        key = mode, within_a_day
        if key not in self._lanes:
            self._lanes[key] = Lanes(self.tables.lanes, mode, within_a_day=within_a_day)
        return self._lanes[key]

    def hours(self, site: str) -> Window:
        """Return when a site is open, in seconds after midnight."""
        opening = self.openings.get(site)
        return Window(0, DAY) if opening is None else Window(60 * opening.first_minute, 60 * opening.last_minute)

    def is_closed(self, site: str) -> bool:
        """Whether a site is closed all day."""
        return site in self.openings and self.openings[site].is_closed

    def starts(self, fleet: Fleet) -> int:
        """Return the earliest second at which the fleet's vehicles start, so early that their hours fit in the day."""
        return max(0, min(self.begins, DAY - work_seconds(fleet)))

    def part_seconds(self, part: Part) -> int:
        """Return how long it takes to load or unload a part at a site that is not the base."""
        fleet = self.fleets[part.fleet]
        return stop_seconds(fleet, part.grams)

    def moment(self, seconds: int) -> datetime:
        """Return the moment that is so many seconds after the day's midnight."""
        return datetime.combine(self.day, time()) + timedelta(seconds=seconds)

    def trip(self, base: str | None, part: Part, *, within_a_day: bool) -> tuple[Way, Way, Way] | None:
        """Return the ways from the base to where a part is, from there to where it goes, and back; None: no way.

        Without a base there is no way to or back.
        """
        lanes = self.lanes(self.fleets[part.fleet].mode, within_a_day=within_a_day)
        there = Way(0, 0) if base is None else lanes.way(base, part.from_site)
        along = lanes.way(part.from_site, part.to_site)
        back = Way(0, 0) if base is None else lanes.way(part.to_site, base)
        return None if there is None or along is None or back is None else (there, along, back)


def work_seconds(fleet: Fleet) -> int:
    """Return how long a vehicle works in a day."""
    return math.ceil(min(24.0, fleet.hours_per_day) * 3600)


def set_out_seconds(fleet: Fleet) -> int:
    """Return how long a vehicle is at its base before each trip: half of what handling a trip takes."""
    return math.ceil(fleet.handling_hours * 1800)


def stop_seconds(fleet: Fleet, grams: int) -> int:
    """Return how long loading or unloading takes at a stop: of the other half of a trip's handling the load's share."""
    half = fleet.handling_hours * 1800
    return math.ceil(max(half * min(1.0, grams / max(1, capacity_of(fleet.payload_t))), min(half, SHORT_STOP)))
