"""Fractions of trips → whole trips: what a lane is owed adds up over the days until a vehicle drives.

Every day each option is owed what the plan drives there and what it was owed before. Whole trips come first, then those
owed the largest part of one, while the fleet's hours last: so a lane with 0.3 trips a day sees a vehicle about every
third day, with a load for three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from abasto.orders.trips import Trips
from abasto.planner.problem import Floats, Ints

__all__ = ["Move", "moved", "moves", "spread"]

LEAST_OWED = 0.02
"""Nobody drives for less than this part of a trip: so little is what a search leaves lying about."""
MOST_OWED = 2.0
"""What a lane is owed at most, or was given too much: later days must not pay for it."""
WORTH_MORE = 1.2
"""A trip takes the place of another if it promises this many times its worth: promises shrink when they are kept."""


def spread(trips: Trips, planned: Floats, *, head_start: float = 0.0) -> Floats:
    """Return whole trips [options, days] that follow the `planned` ones and fit in every fleet's hours.

    With a `head_start`, the part of a trip that every option in use is owed at first, the first trips leave earlier.
    """
    whole = np.zeros(planned.shape)
    owed = np.where(planned.sum(axis=1) > LEAST_OWED, head_start, 0.0)
    hours = trips.problem.fleet_hours
    mine = [np.flatnonzero((trips.fleet == fleet) & trips.limited) for fleet in range(len(hours))]
    for day in range(min(trips.days, planned.shape[1])):
        owed = owed + planned[:, day]
        for fleet, options in enumerate(mine):
            whole[options, day] = _one_day(owed[options], trips.hours[options], float(hours[fleet, day]))
        owed = np.clip(owed - whole[:, day], -MOST_OWED, MOST_OWED)
    return whole


def _one_day(owed: Floats, hours: Floats, most_hours: float) -> Floats:
    """Return the trips of one fleet on one day: the whole parts of what is owed, then the largest rests."""
    left = most_hours * (1 + 1e-9)
    count = np.maximum(0.0, np.floor(owed + 1e-6))
    used = float(count @ hours)
    if used > left:  # what is owed from before has to wait
        count = np.floor(count * (left / used))
        used = float(count @ hours)
    left -= used
    rest = owed - count
    for option in np.argsort(-rest, kind="stable").tolist():
        if rest[option] <= LEAST_OWED:
            break
        if hours[option] <= left:
            count[option] += 1
            left -= hours[option]
    return count


@dataclass(frozen=True)
class Move:
    """A trip more of one option on a day, in free hours or instead of other trips of its fleet, and the gain."""

    day: int
    option: int
    instead: tuple[int, ...]
    gain: float


def moves(trips: Trips, whole: Floats, loads: Floats, worth: Floats) -> list[Move]:
    """Return what promises more than `whole`, best first; trips that carry nothing have left their hours free.

    `worth` [options, days] is what one more trip is worth, from the prices of the plan that loads these.
    """
    hours = trips.problem.fleet_hours
    carried = np.clip(loads - (whole - 1), 0.0, 1.0) * worth
    found: list[Move] = []
    for fleet in range(len(hours)):
        options = np.flatnonzero((trips.fleet == fleet) & trips.limited)
        for day in range(min(trips.days, whole.shape[1])):
            left = float(hours[fleet, day]) * (1 + 1e-9) - float(whole[options, day] @ trips.hours[options])
            found += _moves_of_a_day(whole[:, day], options, day, trips.hours, left, worth[:, day], carried[:, day])
    return sorted(found, key=lambda move: (-move.gain, move.day, move.option))


def _moves_of_a_day(
    count: Floats, options: Ints, day: int, hours: Floats, left: float, worth: Floats, carried: Floats
) -> list[Move]:
    """Return the moves of one fleet on one day, of which any can be made with or without the others."""
    spare = [one for one in options[np.argsort(carried[options] / hours[options])].tolist() if count[one] > 0]
    found = []
    for option in options[np.argsort(-worth[options] / hours[options])].tolist():
        if worth[option] <= 0:
            break
        free, instead = left, []
        for victim in spare:
            if free >= hours[option]:
                break
            if victim != option:
                instead.append(victim)
                free += hours[victim]
        lost = float(carried[instead].sum())
        if free < hours[option] or worth[option] <= WORTH_MORE * lost:
            continue
        spare = [one for one in spare if one not in instead and one != option]
        left -= max(0.0, hours[option] - float(hours[instead].sum()))  # what victims leave over stays free
        found.append(Move(day, option, tuple(instead), float(worth[option]) - lost))
    return found


def moved(whole: Floats, chosen: Sequence[Move]) -> Floats:
    """Return the trips after some moves."""
    changed = whole.copy()
    for move in chosen:
        changed[move.option, move.day] += 1
        for victim in move.instead:
            changed[victim, move.day] -= 1
    return changed
