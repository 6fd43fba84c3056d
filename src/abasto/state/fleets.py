"""Fleets whose hours are promised on some days: one part of a fleet for each such day, and the rest of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from abasto.network import Disruption, Fleet, Network

__all__ = ["Parted", "part_fleets", "unused"]

Span = tuple[int, int]
"""First and last day, counted from 1."""


@dataclass(frozen=True)
class Parted:
    """A network whose fleets are parted by days, and the whole fleet that stands behind each part."""

    network: Network
    fleet_of: Mapping[str, str]


def part_fleets(network: Network, hours: Mapping[tuple[str, int], float]) -> Parted:
    """Take vehicle-hours, by fleet and day, off the fleets on those days.

    A fleet is parted by days into parts of which one keeps its name, that of the longest time without promises; the
    others are called `NAME on DATE` after their first day. Fewer vehicles are left on a promised day, of whole hours,
    so that a trip which fits a vehicle's day still does. Disruptions of a fleet hit all its parts.
    """
    fleets: list[Fleet] = []
    fleet_of: dict[str, str] = {}
    taken = {fleet.fleet for fleet in network.fleets}
    for fleet in network.fleets:
        promised = {day: much for (name, day), much in hours.items() if name == fleet.fleet and much > 0}
        spans = list(_spans(fleet, promised, network.days))
        if not any(first in promised for first, _ in spans):
            fleets.append(fleet)
            continue
        main = max(spans, key=lambda span: (span[0] not in promised, span[1] - span[0], span[0]))
        for span in spans:
            name = fleet.fleet
            if span != main:
                name = unused(f"{fleet.fleet} on {network.date_of(span[0])}", taken)
                taken.add(name)
                fleet_of[name] = fleet.fleet
            fleets.append(_part(fleet, name, span, promised.get(span[0], 0.0), network.days))
    disruptions = tuple(_of_parts(network.disruptions, fleet_of))
    return Parted(replace(network, fleets=tuple(fleets), disruptions=disruptions), fleet_of)


def unused(name: str, taken: Collection[str]) -> str:
    """Return a name that is not taken yet: itself, or with a number after it."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _spans(fleet: Fleet, promised: Mapping[int, float], days: int) -> Iterator[Span]:
    """Yield a fleet's days in the horizon: each promised day, and the runs of other days between them."""
    first = 1 if fleet.from_day is None else max(1, fleet.from_day)
    last = days if fleet.to_day is None else min(days, fleet.to_day)
    begin = first
    for day in range(first, last + 1):
        if day in promised:
            if begin < day:
                yield begin, day - 1
            yield day, day
            begin = day + 1
    if begin <= last:
        yield begin, last


def _part(fleet: Fleet, name: str, span: Span, promised: float, days: int) -> Fleet:
    first, last = span
    vehicles = fleet.vehicles
    if promised and fleet.hours_per_day:
        vehicles = max(0.0, fleet.vehicles - promised / fleet.hours_per_day)
    return fleet.model_copy(
        update={
            "fleet": name,
            "vehicles": vehicles,
            "from_day": fleet.from_day if first == 1 else first,
            "to_day": fleet.to_day if last == days else last,
        }
    )


def _of_parts(disruptions: tuple[Disruption, ...], fleet_of: Mapping[str, str]) -> Iterator[Disruption]:
    """Yield disruptions, those of a fleet once for each of its parts."""
    for row in disruptions:
        yield row
        if row.kind == "fleet":
            for part, whole in fleet_of.items():
                if row.target == whole:
                    yield row.model_copy(update={"target": part})
