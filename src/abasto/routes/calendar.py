"""Routes as a calendar: an event for each vehicle, which any calendar on a phone or computer takes in."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from abasto.inbox.names import Names
from abasto.language import Language
from abasto.routes.route import DayRoutes, Route
from abasto.routes.told import message, site_words, vehicle_words

if TYPE_CHECKING:
    from icalendar import Event

__all__ = ["calendar"]

LEAST = timedelta(minutes=15)
"""An event that takes no time is drawn nowhere."""


def calendar(found: DayRoutes, words: Language, *, names: Names, made: datetime) -> bytes:
    """Return the routes of a day as an iCalendar file (RFC 5545), `made` at a moment.

    Times are those of whoever reads it: a vehicle that starts at seven starts at seven. The same vehicle on the same
    day keeps its id, so that a file that is read in again changes the event and doubles nothing.
    """
    from icalendar import Calendar

    diary = Calendar()
    diary.add("prodid", "-//Abasto//routes//EN")
    diary.add("version", "2.0")
    diary.add("method", "PUBLISH")
    diary.add("x-wr-calname", words("Routes of {day}", day=words.day(found.day)))
    for route in found.routes:
        diary.add_component(_event(route, words, names, made))
    content: bytes = diary.to_ical()
    return content


def _event(route: Route, words: Language, names: Names, made: datetime) -> Event:
    from icalendar import Event

    event = Event()
    key = f"{route.day.isoformat()}\0{route.fleet}\0{route.number}"
    event.add("uid", f"{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}@abasto")
    event.add("dtstamp", made.astimezone(UTC))
    event.add("dtstart", route.begins)
    event.add("dtend", max(route.back, route.begins + LEAST))
    event.add("summary", vehicle_words(route, words))
    event.add("location", site_words(route.stops[0].site, names))
    event.add("description", message(route, words, names=names))
    return event
