"""The texts by which a route's stops are reported: each reads back, as a message, to what happens there as planned.

An order on one vehicle is reported as it was ordered, so that the text is short and says no more than it knows. Of an
order in several parts each text says what its part is; all but the last to arrive say that more is to come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from abasto.errors import AbastoError
from abasto.facts.kinds import Line, OrderLoaded, OrderReceived
from abasto.inbox.names import Names
from abasto.inbox.order_steps import still_on_the_way
from abasto.inbox.say import say
from abasto.inbox.words import Language as MessageLanguage
from abasto.routes.route import DayRoutes, Load
from abasto.state.types import OrderRecord

__all__ = ["Place", "receipts"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a day something happens to an order: which route, which of its stops, and loaded or received there."""

    route: int
    stop: int
    order: str
    step: Literal["loaded", "received"]


@dataclass(frozen=True, slots=True)
class _Event:
    place: Place
    site: str
    date: str
    loads: tuple[Load, ...]


_When = tuple[datetime, int, int, str]
"""What orders events: when the vehicle comes, then the number of the route, the stop and the step."""


def receipts(found: DayRoutes, *, names: Names, language: MessageLanguage) -> Mapping[Place, str]:
    """Return the text that reports each step of each order on its way; what is reported already has none.

    `names.orders` must have the orders. Where no line can say a step (names that are no words) there is no text either:
    it is reported by a command.
    """
    texts: dict[Place, str] = {}
    for order, events in _events(found).items():
        record = names.orders.get(order)
        if record is not None and record.issued is not None and record.status in ("issued", "accepted", "loaded"):
            texts |= _of_order(record, events, names, language)
    return texts


def _events(found: DayRoutes) -> dict[str, list[_Event]]:
    """Return what happens to each order, in the order of time."""
    timed: defaultdict[str, list[tuple[_When, _Event]]] = defaultdict(list)
    for number, route in enumerate(found.routes):
        for place, stop in enumerate(route.stops):
            for step, loads in (("received", stop.deliveries), ("loaded", stop.pickups)):
                for order in dict.fromkeys(load.order for load in loads):
                    mine = tuple(load for load in loads if load.order == order)
                    at = Place(number, place, order, "loaded" if step == "loaded" else "received")
                    event = _Event(at, stop.site, stop.arrives.date().isoformat(), mine)
                    timed[order].append(((stop.arrives, number, place, step), event))
    return {order: [event for _, event in sorted(mine, key=lambda one: one[0])] for order, mine in timed.items()}


def _of_order(
    record: OrderRecord, events: Sequence[_Event], names: Names, language: MessageLanguage
) -> dict[Place, str]:
    assert record.issued is not None
    loading = [event for event in events if event.place.step == "loaded"]
    receiving = [event for event in events if event.place.step == "received"]
    ordered = record.issued.lines
    is_whole = len(loading) == 1 and _lines(loading[0].loads) == _added(ordered)
    if record.status == "loaded":
        return _receiving(record, receiving, names, language, is_whole=is_whole)
    texts = _loading(record, loading, names, language, is_whole=is_whole)
    sent = ordered if is_whole else tuple(line for event in loading for line in _lines(event.loads))
    loaded = replace(record, status="loaded", loaded=_added(sent))
    return texts | _receiving(loaded, receiving, names, language, is_whole=is_whole)


def _loading(
    record: OrderRecord, events: Sequence[_Event], names: Names, language: MessageLanguage, *, is_whole: bool
) -> dict[Place, str]:
    """Return the text for every time that a vehicle loads of an order."""
    assert record.issued is not None
    ordered = record.issued.lines
    texts = {}
    for event in events:
        lines = ordered if is_whole else _without_lots(event.loads)
        said = _say(OrderLoaded(record.id, lines, event.date), record, names, language)
        if said:
            texts[event.place] = said
        record = replace(record, status="loaded", loaded=_added((*record.loaded, *_lines(event.loads))))
    return texts


def _receiving(
    record: OrderRecord, events: Sequence[_Event], names: Names, language: MessageLanguage, *, is_whole: bool
) -> dict[Place, str]:
    """Return the text for every time that a vehicle unloads of an order that is all on its way."""
    texts = {}
    for event in events:
        is_last = event is events[-1]
        lines = still_on_the_way(record) if is_whole else _without_lots(event.loads)
        fact = OrderReceived(record.id, event.site, lines, event.date, more_to_come=not is_last)
        said = _say(fact, record, names, language) if lines else ""
        if said:
            texts[event.place] = said
        record = replace(record, received=_added((*record.received, *_lines(event.loads))))
    return texts


def _say(fact: OrderLoaded | OrderReceived, record: OrderRecord, names: Names, language: MessageLanguage) -> str:
    """Return the line that says a fact once the order is as far as the record says, or nothing if none does."""
    orders = MappingProxyType({record.id: record})
    try:
        return say(fact, names=replace(names, orders=orders), language=language)
    except AbastoError:
        return ""


def _lines(loads: Sequence[Load]) -> tuple[Line, ...]:
    return _added([Line(load.good, load.quantity, load.lot) for load in loads])


def _without_lots(loads: Sequence[Load]) -> tuple[Line, ...]:
    return _added([Line(load.good, load.quantity) for load in loads])


def _added(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return lines with those of one good and lot added up, sorted as orders are."""
    sums: dict[tuple[str, str | None], int] = {}
    for line in lines:
        sums[line.good, line.lot] = sums.get((line.good, line.lot), 0) + line.quantity
    return tuple(Line(good, sums[good, lot], lot) for good, lot in sorted(sums, key=lambda key: (key[0], key[1] or "")))
