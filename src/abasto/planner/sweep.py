"""The pricing sweep: for given resource prices, the cheapest way to have one unit of every item at every site and day.

    price[item, t, i] = min( stock or offer there,
                             price[item, t−1, i] + tonnes · price of room on day t−1,
                             price[item, t−lead, j] + tonnes · price of lane j→i on day t−lead,
                             (Σ inputs · price of use + labour + plant) ÷ output )

Goods go in the order of their recipes, items of a level in parallel, days in order, and lanes that arrive the same day
by label correction. Units: objective per unit of the good; lanes per tonne; fleets per vehicle-hour.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numba import njit

from abasto.planner.layout import OPEN, SHUT, Index, Layout
from abasto.planner.problem import Floats
from abasto.planner.threads import THREADS, WORTH_THREADS, side_by_side

__all__ = ["CARRY", "LANE", "NOWHERE", "OFFER", "STOCK", "Labels", "empty_labels", "sweep"]

NOWHERE = -1
STOCK = 0
OFFER = 1
CARRY = 2
LANE = 3
"""How a label was reached; LANE + lane, then LANE + number of lanes + plant."""


class Labels(NamedTuple):
    """The sweep's answer: `price` and `how` [rows, sites]; `lane_price` and `lane_option` [lanes, days].

    `use_price` and `use_item` [goods, days, sites] are the cheapest item for use on the spot; number of items + item
    means from stock under reserve.
    """

    price: Floats
    how: Index
    use_price: Floats
    use_item: Index
    lane_price: Floats
    lane_option: Index


def empty_labels(layout: Layout) -> Labels:
    """Return labels of the right shapes with nothing reached."""
    rows = int((layout.item_last - layout.item_first + 1).sum())
    goods, days, sites, lanes = len(layout.tonnes), layout.n_days, layout.n_sites, len(layout.lane_start)
    return Labels(
        np.full((rows, sites), np.inf),
        np.full((rows, sites), NOWHERE, dtype=np.int32),
        np.full((goods, days, sites), np.inf),
        np.full((goods, days, sites), NOWHERE, dtype=np.int32),
        np.full((lanes, days), np.inf),
        np.full((lanes, days), NOWHERE, dtype=np.int32),
    )


def sweep(layout: Layout, levels: list[Index], charge: Floats, labels: Labels) -> Labels:
    """Fill `labels` for what a unit of each resource is charged (its price and its toll); return them.

    Fuel is priced from below: lanes first run on free fuel, then on fuel at the price that this gives, twice. Prices
    only rise from one pass to the next, so a bound that is computed from them is valid.
    """
    fuels = set(layout.option_fuel_good[layout.option_fuel_good >= 0].tolist())
    labels.use_price[sorted(fuels)] = 0.0
    for _ in range(2 if fuels else 0):
        _price_lanes(layout, charge, labels.use_price, labels.lane_price, labels.lane_option)
        _sweep_levels(layout, levels, charge, labels)
    _price_lanes(layout, charge, labels.use_price, labels.lane_price, labels.lane_option)
    _sweep_levels(layout, levels, charge, labels)
    return labels


def _sweep_levels(layout: Layout, levels: list[Index], y: Floats, labels: Labels) -> None:
    for items in levels:
        parts = [items]
        if len(items) * layout.n_days * layout.n_sites >= WORTH_THREADS:
            parts = [items[k::THREADS].copy() for k in range(THREADS)]
        side_by_side(partial(_sweep_items, layout, y=y, labels=labels), parts)
        goods = np.unique(layout.item_good[items])
        _price_use(layout, goods, y, labels.price, labels.use_price, labels.use_item)


@njit(cache=True, nogil=True)
def _price_lanes(layout, y, use_price, lane_price, lane_option):  # type: ignore[no-untyped-def]
    """Price a tonne on every lane and day: the cheapest fleet's hours and fuel, and the lane's own limit."""
    for lane in range(lane_price.shape[0]):
        for day in range(layout.n_days):
            lane_price[lane, day] = np.inf
            lane_option[lane, day] = -1
            own = layout.lane[lane, day]
            if own == SHUT:
                continue
            for option in range(layout.option_start[lane], layout.option_start[lane + 1]):
                hours = layout.fleet[layout.option_fleet[option], day]
                if hours == SHUT:
                    continue
                if lane_option[lane, day] < 0:  # what weighs nothing needs a vehicle, but no hours and no fuel
                    lane_option[lane, day] = option
                cost = layout.option_cost[option] + layout.option_hours[option] * y[hours]
                fuel = layout.option_fuel_good[option]
                if fuel >= 0:
                    cost += layout.option_fuel[option] * use_price[fuel, day, layout.option_fuel_site[option]]
                if cost < lane_price[lane, day]:
                    lane_price[lane, day] = cost
                    lane_option[lane, day] = option
            if own >= 0:
                lane_price[lane, day] += y[own]


@njit(cache=True, inline="always")
def _haul_price(tonnes, lane_price, lane_option, lane, day):  # type: ignore[no-untyped-def]
    """Return the price of moving one unit along a lane."""
    if tonnes > 0:
        return tonnes * lane_price[lane, day]
    return 0.0 if lane_option[lane, day] >= 0 else np.inf


@njit(cache=True, inline="always")
def _make_price(layout, y, plant, day, use_price):  # type: ignore[no-untyped-def]
    """Return the price of one unit made at a plant on a day, inf if it cannot be."""
    limit = layout.plant[plant, day]
    if limit == SHUT:
        return np.inf
    site = layout.plant_site[plant]
    cost = y[limit]
    if layout.plant_hours[plant] > 0:
        labour = layout.labour[site, day]
        if labour == SHUT:
            return np.inf
        if labour != OPEN:
            cost += layout.plant_hours[plant] * y[labour]
    for part in range(layout.input_start[plant], layout.input_start[plant + 1]):
        cost += layout.input_quantity[part] * use_price[layout.input_good[part], day, site]
    return cost / layout.plant_output[plant]


@njit(cache=True, nogil=True)
def _sweep_items(layout, items, y, labels):  # type: ignore[no-untyped-def]
    """Price items at every site and day; their goods' inputs are priced already."""
    price, how, use_price = labels.price, labels.how, labels.use_price
    lane_price, lane_option = labels.lane_price, labels.lane_option
    n_lanes = lane_price.shape[0]
    for item in items:
        good = layout.item_good[item]
        tonnes = layout.tonnes[good]
        waiting = np.zeros(layout.n_sites, dtype=np.bool_)
        queue = np.empty(layout.n_sites + 1, dtype=np.int32)
        for day in range(layout.item_first[item], layout.item_last[item] + 1):
            here = layout.row[item] + day
            for site in range(layout.n_sites):
                best = np.inf
                reached = NOWHERE
                lot = layout.stock[item, site]
                if lot >= 0 and layout.gate[good, site] != SHUT:
                    best = y[lot]
                    if layout.gate[good, site] >= 0:
                        best += y[layout.gate[good, site]]
                    reached = STOCK
                offer = layout.offer[here, site]
                if offer >= 0 and y[offer] < best:
                    best = y[offer]
                    reached = OFFER
                if day > layout.item_first[item]:
                    cost = price[here - 1, site]
                    if tonnes > 0:
                        room = layout.room[site, day - 1]
                        if room >= 0:
                            cost += tonnes * y[room]
                        elif room == SHUT:
                            cost = np.inf
                    if cost < best:
                        best = cost
                        reached = CARRY
                price[here, site] = best
                how[here, site] = reached
            if layout.fresh[good, day] == item:
                for place in range(layout.maker_start[good], layout.maker_start[good + 1]):
                    plant = layout.maker[place]
                    cost = _make_price(layout, y, plant, day, use_price)
                    site = layout.plant_site[plant]
                    if cost < price[here, site]:
                        price[here, site] = cost
                        how[here, site] = LANE + n_lanes + plant
            for place in range(len(layout.late)):
                lane = layout.late[place]
                left = day - layout.lane_lead[lane]
                if left >= layout.item_first[item]:
                    cost = price[layout.row[item] + left, layout.lane_start[lane]]
                    cost += _haul_price(tonnes, lane_price, lane_option, lane, left)
                    if cost < price[here, layout.lane_end[lane]]:
                        price[here, layout.lane_end[lane]] = cost
                        how[here, layout.lane_end[lane]] = LANE + lane
            head = 0
            tail = 0
            count = 0
            for site in range(layout.n_sites):
                if price[here, site] < np.inf:
                    queue[tail] = site
                    tail += 1
                    count += 1
                    waiting[site] = True
            while count > 0:
                site = queue[head]
                head += 1
                if head == layout.n_sites + 1:
                    head = 0
                count -= 1
                waiting[site] = False
                cost_here = price[here, site]
                for place in range(layout.quick_start[site], layout.quick_start[site + 1]):
                    lane = layout.quick[place]
                    end = layout.lane_end[lane]
                    cost = cost_here + _haul_price(tonnes, lane_price, lane_option, lane, day)
                    if cost < price[here, end] * (1 - 1e-14):
                        price[here, end] = cost
                        how[here, end] = LANE + lane
                        if not waiting[end]:
                            waiting[end] = True
                            if tail == layout.n_sites + 1:
                                tail = 0
                            queue[tail] = end
                            tail += 1
                            count += 1


@njit(cache=True, nogil=True)
def _price_use(layout, goods, y, price, use_price, use_item):  # type: ignore[no-untyped-def]
    """Find the cheapest item of each good for use on the spot, stock under reserve included."""
    n_items = len(layout.item_good)
    for good in goods:
        use_price[good] = np.inf
        use_item[good] = NOWHERE
        for place in range(layout.item_start[good], layout.item_start[good + 1]):
            item = layout.item_list[place]
            for day in range(layout.item_first[item], layout.item_last[item] + 1):
                here = layout.row[item] + day
                for site in range(layout.n_sites):
                    if price[here, site] < use_price[good, day, site]:
                        use_price[good, day, site] = price[here, site]
                        use_item[good, day, site] = item
                    lot = layout.stock[item, site]
                    if lot >= 0 and layout.gate[good, site] != OPEN and y[lot] < use_price[good, day, site]:
                        use_price[good, day, site] = y[lot]
                        use_item[good, day, site] = n_items + item
