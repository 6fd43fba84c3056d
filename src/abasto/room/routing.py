"""Routes of a day sought in a thread of their own, so that a page can say that they are, and show them afterwards."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import date, time
from weakref import WeakKeyDictionary

from abasto.errors import AbastoError
from abasto.room.operations import Room
from abasto.routes import DayRoutes, plan_routes
from abasto.state.figures import figures, usable
from abasto.state.openings import openings_of
from abasto.state.tables import tables_known

__all__ = ["RoutesAsked", "Sought", "routing_of"]

SECONDS = 20.0
"""For each base at most; small ones end long before."""
MOST_KEPT = 8


@dataclass(frozen=True, slots=True)
class RoutesAsked:
    """What routes are asked for: the day, when vehicles start, whether fleets may mix, and the orders known then."""

    day: date
    begins: time
    mixed: bool
    entries: int = 0


@dataclass(frozen=True, slots=True)
class Sought:
    """Routes that are sought, were found, or cannot be: `error` says why."""

    asked: RoutesAsked
    found: DayRoutes | None = None
    error: str = ""

    @property
    def is_running(self) -> bool:
        """Whether they are still sought."""
        return self.found is None and not self.error


@dataclass
class Routing:
    """The routes that were asked for lately; one search runs at a time, since it takes a processor."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    turn: threading.Lock = field(default_factory=threading.Lock)
    sought: OrderedDict[RoutesAsked, Sought] = field(default_factory=OrderedDict)

    def ask(self, room: Room, asked: RoutesAsked) -> Sought:
        """Return the routes for what is known now, and begin to seek them where nobody has."""
        with room.lock:
            state = room.state
            asked = replace(asked, entries=state.count)
            with self.lock:
                known = self.sought.get(asked)
                if known is not None:
                    return known
                self.sought[asked] = begun = Sought(asked)
                while len(self.sought) > MOST_KEPT:
                    self.sought.popitem(last=False)
            try:
                tables = tables_known(state.rows, asked.day).network
                orders, openings = list(state.orders.values()), dict(openings_of(state.rows)[0])
                on_hand = usable(figures(state, asked.day))
            except AbastoError as error:
                return self._keep(replace(begun, error=str(error)))

        def seek() -> None:
            with self.turn:
                try:
                    found = plan_routes(
                        orders,
                        tables,
                        asked.day,
                        openings=openings,
                        on_hand=on_hand,
                        time_limit=SECONDS,
                        begins=asked.begins,
                        mixed=asked.mixed,
                    )
                except AbastoError as error:
                    self._keep(replace(begun, error=str(error)))
                except BaseException:  # Whoever waits for them is told; the terminal says what went wrong.
                    self._keep(replace(begun, error="the planning process ended by itself."))
                    raise
                else:
                    self._keep(replace(begun, found=found))
            room.events.tell("routes", day=asked.day.isoformat())

        threading.Thread(target=seek, name="routes", daemon=True).start()
        return begun

    def _keep(self, sought: Sought) -> Sought:
        with self.lock:
            self.sought[sought.asked] = sought
        return sought


_ROUTINGS: WeakKeyDictionary[Room, Routing] = WeakKeyDictionary()


def routing_of(room: Room) -> Routing:
    """Return the routing of a room; there is one for each."""
    with room.lock:
        return _ROUTINGS.setdefault(room, Routing())
