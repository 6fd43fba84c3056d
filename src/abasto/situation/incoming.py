"""What comes to each site: with open orders, and as a plan has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from abasto.situation.types import Relief
from abasto.state.types import OrderRecord

if TYPE_CHECKING:
    from abasto.planner.plan import Plan
    from abasto.state.state import State

__all__ = ["Incoming", "arrival", "is_overdue", "load_of", "ordered", "planned"]

Place = tuple[str, str]
"""A site and a good."""
Incoming = Mapping[Place, tuple[Relief, ...]]
"""What comes to a site of a good, the first to arrive first and what cannot be counted on last."""

LEAST_SHOWN = 0.0005
"""In a good's unit. `quantity_words` writes whole thousandths: less than this of a plan, which no order could carry
either, would be read as a relief of 0."""


def is_overdue(order: OrderRecord, day: date) -> bool:
    """Return whether an open order should have left, or arrived, before a day and was not reported so."""
    issued = order.issued
    if issued is None:
        return False
    return (issued.arrives if order.status == "loaded" else issued.departs) < day.isoformat()


def arrival(order: OrderRecord, day: date) -> date | None:
    """Return the day on which what an open order brings is counted on; None if it should have left before `day`.

    What was loaded late comes late by as much, at most on the last day of the calendar: other networks may promise
    whatever dates. What should be here already comes on `day`.
    """
    issued = order.issued
    if issued is None or (order.status != "loaded" and is_overdue(order, day)):
        return None
    departs, arrives = date.fromisoformat(issued.departs), date.fromisoformat(issued.arrives)
    left = date.fromisoformat(order.loaded_on) if order.loaded_on else departs
    return max(day, left + min(max(timedelta(), arrives - departs), date.max - left))


def load_of(state: State, order: OrderRecord) -> dict[str, float]:
    """Return what an open order still brings of each good: what is on its way, or, until it is loaded, its lines."""
    load: defaultdict[str, int] = defaultdict(int)
    if order.status == "loaded":
        for (good, _), thousandths in state.books.on_the_way(order.id).items():
            load[good] += max(0, thousandths)
    elif order.issued is not None:
        for line in order.issued.lines:
            load[line.good] += line.quantity
    return {good: thousandths / 1000 for good, thousandths in load.items() if thousandths}


def ordered(state: State, day: date) -> Incoming:
    """Return what open orders bring: what is on its way of those that were loaded, what the others promise."""
    found: defaultdict[Place, list[Relief]] = defaultdict(list)
    for order in state.orders.open():
        if order.issued is None:
            continue
        way, when = order.issued, arrival(order, day)
        name = state.rows.name("sites", way.from_site)
        for good, quantity in load_of(state, order).items():
            found[way.to_site, good].append(
                Relief(order.id, order.status, way.from_site, name, way.fleet, good, quantity, when)
            )
    return _sorted(found)


def planned(
    plan: Plan, day: date, *, to: Collection[Place], names: Mapping[str, str], fleet_of: Mapping[str, str]
) -> Incoming:
    """Return what a plan sends to places from `day` on, one for each origin, fleet and day of arrival; crumbs left out.

    Only what leaves one of the sites in `names`: what is on its way with orders stands at sites of their own in a plan.
    """
    table, start = plan.shipments, plan.network.start
    rows = table.where(np.isin(table["to"], sorted({site for site, _ in to})))
    sums: defaultdict[tuple[str, str, str, str, int], float] = defaultdict(float)
    columns = (rows[name].tolist() for name in ("to", "good", "from", "fleet", "arrives", "quantity"))
    for site, good, origin, fleet, arrives, quantity in zip(*columns, strict=True):
        if (site, good) in to and origin in names:
            sums[site, good, origin, fleet_of.get(fleet, fleet), arrives] += quantity
    found: defaultdict[Place, list[Relief]] = defaultdict(list)
    for (site, good, origin, fleet, arrives), quantity in sums.items():
        when = start + timedelta(days=arrives - 1)
        if when >= day and quantity >= LEAST_SHOWN:
            found[site, good].append(Relief("", "planned", origin, names[origin], fleet, good, quantity, when))
    return _sorted(found)


def _sorted(found: Mapping[Place, list[Relief]]) -> Incoming:
    return {
        place: tuple(sorted(some, key=lambda one: (one.arrives or date.max, one.order, one.from_site, one.fleet)))
        for place, some in found.items()
    }
