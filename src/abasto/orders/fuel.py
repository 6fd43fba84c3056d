"""Fuel of whole trips: a vehicle that is half empty burns as much as a full one.

The planner burns fuel by the tonne. What whole trips burn beyond that is drawn from what lies at the base and nobody
uses later; trips for which nothing is left are named, so that they are planned without.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from abasto.orders.trips import Trips
from abasto.planner.problem import Floats, Ints
from abasto.planner.residual import balances
from abasto.planner.solution import Flows
from abasto.planner.untabulate import uses

__all__ = ["burn_whole"]

ENOUGH = 1e-9
"""Fuel that lacks by this share, and as much in its unit, is rounding."""

Place = tuple[int, int, int]
"""A good, a site and a day."""


def burn_whole(trips: Trips, flows: Flows, count: Floats) -> tuple[Flows, list[tuple[int, int]]]:
    """Return flows that draw the fuel of whole trips, and the trips (option, day) at places where it does not suffice.

    `count` [options, days] are all trips, whole or not. Draws for recipes stay as they are.
    """
    options = trips.problem.options
    burning = np.flatnonzero((options.fuel_good >= 0) & (trips.fuel > 0))
    if not len(burning):
        return flows, []
    needed: dict[Place, float] = defaultdict(float)
    for option in burning.tolist():
        for day in np.flatnonzero(count[option] > 0).tolist():
            place = int(options.fuel_good[option]), int(options.fuel_site[option]), day
            needed[place] += float(count[option, day] * trips.fuel[option])
    for place, quantity in _by_recipes(trips, flows).items():
        needed[place] += quantity
    drawn = _drawn(trips, flows)
    fuels = {(int(options.fuel_good[one]), int(options.fuel_site[one])) for one in burning.tolist()}
    touched = sorted((place for place in {*needed, *drawn} if place[:2] in fuels), key=lambda place: place[2])
    flows = _with_less(trips, flows, {place: max(0.0, drawn[place] - needed[place]) for place in touched})
    flows, short = _with_more(trips, flows, {place: max(0.0, needed[place] - drawn[place]) for place in touched})
    lacking = [
        (option, day)
        for good, site, day in short
        for option in burning.tolist()
        if count[option, day] > 0 and (options.fuel_good[option], options.fuel_site[option]) == (good, site)
    ]
    return flows, lacking


def _by_recipes(trips: Trips, flows: Flows) -> dict[Place, float]:
    """Return what recipes use up."""
    no, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
    unsent = replace(flows, ship_option=no, ship_item=no, ship_day=no, ship_quantity=nothing)
    (good, site, day), quantity = uses(trips.problem, unsent)
    found: dict[Place, float] = defaultdict(float)
    for place, used in zip(
        zip(good.tolist(), site.tolist(), day.tolist(), strict=True), quantity.tolist(), strict=True
    ):
        found[place] += used
    return found


def _drawn(trips: Trips, flows: Flows) -> dict[Place, float]:
    """Return what is drawn, all lots together."""
    good = trips.problem.items.good[flows.draw_item]
    found: dict[Place, float] = defaultdict(float)
    places = zip(good.tolist(), flows.draw_site.tolist(), flows.draw_day.tolist(), strict=True)
    for place, quantity in zip(places, flows.draw_quantity.tolist(), strict=True):
        found[place] += quantity
    return found


def _with_less(trips: Trips, flows: Flows, less: dict[Place, float]) -> Flows:
    """Take back draws that no trip burns, of the newest lots first."""
    good, last = trips.problem.items.good[flows.draw_item], trips.problem.items.last_day[flows.draw_item]
    quantity = flows.draw_quantity.copy()
    for draw in np.argsort(-last, kind="stable").tolist():
        place = int(good[draw]), int(flows.draw_site[draw]), int(flows.draw_day[draw])
        back = min(less.get(place, 0.0), float(quantity[draw]))
        if back > 0:
            quantity[draw] -= back
            less[place] -= back
    return replace(flows, draw_quantity=quantity)


def _with_more(trips: Trips, flows: Flows, more: dict[Place, float]) -> tuple[Flows, list[Place]]:
    """Draw more from what is left over from that day on, oldest lots first; return where it does not suffice."""
    wanted = {place: quantity for place, quantity in more.items() if quantity > ENOUGH}
    if not wanted:
        return flows, []
    goods = {good for good, _, _ in wanted}
    items = trips.problem.items
    there = {item: stock.copy() for item, stock in balances(trips.problem, flows) if int(items.good[item]) in goods}
    added: list[tuple[int, int, int, float]] = []
    short = []
    for (good, site, day), quantity in sorted(wanted.items(), key=lambda pair: pair[0][2]):
        left = quantity
        lots = sorted((item for item in there if items.good[item] == good), key=lambda item: int(items.last_day[item]))
        for item in lots:
            last = int(items.last_day[item])
            if last < day:
                continue
            part = min(left, float(there[item][site, day + 1 : last + 2].min()))
            if part > 0:
                there[item][site, day + 1 :] -= part
                added.append((site, item, day, part))
                left -= part
        if left > ENOUGH * (1 + quantity):
            short.append((good, site, day))
    columns: list[Ints | Floats] = [np.array(column) for column in zip(*added, strict=True)] if added else []
    if columns:
        flows = replace(
            flows,
            draw_site=np.concatenate([flows.draw_site, columns[0]]).astype(np.int64),
            draw_item=np.concatenate([flows.draw_item, columns[1]]).astype(np.int64),
            draw_day=np.concatenate([flows.draw_day, columns[2]]).astype(np.int64),
            draw_quantity=np.concatenate([flows.draw_quantity, columns[3]]),
        )
    return flows, short
