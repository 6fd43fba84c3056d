"""How many vehicles whole trips take: trips of one fleet and day packed into the hours of single vehicles.

The format bounds the sum of a fleet's hours only. Packing is first fit, the longest trip first (Johnson 1973): never
more than 11/9 of the fewest vehicles, and a vehicle. A trip longer than a vehicle's day has one for itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from abasto.network import Network
from abasto.planner.plan import Plan

__all__ = ["FleetDay", "fleet_days", "vehicles_for"]

FITS = 1e-9
"""Hours over a vehicle's day by this share are rounding."""


@dataclass(frozen=True)
class FleetDay:
    """The trips of a fleet on a day (from 1), the hours they take, and how many vehicles that needs and there are."""

    fleet: str
    day: int
    trips: int
    hours: float
    needed: int
    vehicles: float

    @property
    def suffices(self) -> bool:
        """Whether every trip has a vehicle with enough of its day left."""
        return self.needed <= self.vehicles + FITS


def vehicles_for(trips: Sequence[float], hours_per_day: float) -> int:
    """Return how many vehicles do trips of these lengths (hours) in a day of so many hours.

    >>> vehicles_for([3.0, 3.0, 2.0, 2.0], 5.0)
    2
    >>> vehicles_for([14.0, 1.0], 10.0)
    2
    """
    left: list[float] = []
    most = hours_per_day * (1 + FITS)
    for hours in sorted(trips, reverse=True):
        place = next((at for at, free in enumerate(left) if hours <= free), None)
        if place is None:
            left.append(max(0.0, most - hours))
        else:
            left[place] -= hours
    return len(left)


def fleet_days(network: Network, plan: Plan, *, days: int) -> tuple[FleetDay, ...]:
    """Return what every fleet drives on each of the first days; the plan's trips of these days are whole."""
    lengths: dict[tuple[str, int], list[float]] = defaultdict(list)
    for row in plan.trips.rows():
        if row["day"] <= days and row["trips"] >= 1 and row["vehicle_hours"] > 0:
            count = round(row["trips"])
            lengths[row["fleet"], row["day"]] += [row["vehicle_hours"] / count] * count
    fleets = {fleet.fleet: fleet for fleet in network.fleets}
    return tuple(
        FleetDay(name, day, len(hours), sum(hours), _needed(hours, fleets[name].hours_per_day), fleets[name].vehicles)
        for (name, day), hours in sorted(lengths.items())
    )


def _needed(hours: list[float], hours_per_day: float) -> int:
    return vehicles_for(hours, hours_per_day)
