"""What a new plan changes in an old one, order by order: which stay, which differ, which are new, which are dropped.

An order is what leaves one site for another of one good on one day with one fleet, or what a site makes by one recipe
on one day.
"""

from __future__ import annotations

from dataclasses import dataclass

from abasto.planner.plan import Plan

__all__ = ["Change", "Changes", "compare_orders"]

SAME = 1e-6
"""Quantities that differ by at most this share are the same order: less than anybody weighs."""

Order = tuple[str, int, str, str, str, str]
"""Kind, day from 1, site, where to, good or recipe, fleet; what does not apply is blank."""


@dataclass(frozen=True)
class Change:
    """An order before and after, in the good's unit or in batches; 0 where it is not in one of the plans."""

    kind: str
    day: int
    site: str
    to: str
    what: str
    fleet: str
    before: float
    after: float


@dataclass(frozen=True)
class Changes:
    """The orders of some days in two plans; `kept` are the same in both.

    `tonnes_before`, `tonnes_after` are shipped in all, `tonnes_moved` is how much of that differs: Σ |after − before|.
    """

    kept: tuple[Change, ...]
    changed: tuple[Change, ...]
    new: tuple[Change, ...]
    dropped: tuple[Change, ...]
    tonnes_before: float
    tonnes_after: float
    tonnes_moved: float

    @property
    def before(self) -> int:
        """How many orders the old plan had."""
        return len(self.kept) + len(self.changed) + len(self.dropped)


def compare_orders(old: Plan, new: Plan, *, from_day: int) -> Changes:
    """Return what becomes of the orders that start on `from_day` (from 1) or later."""
    before, after = _orders(old, from_day), _orders(new, from_day)
    most: dict[str, float] = {}
    for order, quantity in (*before.items(), *after.items()):
        most[order[4]] = max(most.get(order[4], 0.0), quantity)
    found: dict[str, list[Change]] = {"kept": [], "changed": [], "new": [], "dropped": []}
    tonne = {good.good: good.kg_per_unit / 1000 for good in new.network.goods}
    weights = [0.0, 0.0, 0.0]
    for order in sorted({*before, *after}):
        was, will = before.get(order, 0.0), after.get(order, 0.0)
        dust = SAME * SAME * most[order[4]]
        if max(was, will) <= dust:
            continue
        was, will = (0.0 if quantity <= dust else quantity for quantity in (was, will))
        if abs(was - will) <= SAME * max(was, will):
            kind = "kept"
        elif was == 0:
            kind = "new"
        else:
            kind = "dropped" if will == 0 else "changed"
        found[kind].append(Change(*order, was, will))
        if order[0] == "shipment":
            sizes = (was, will, abs(will - was))
            weights = [sum_ + size * tonne[order[4]] for sum_, size in zip(weights, sizes, strict=True)]
    sorted_ = {kind: tuple(changes) for kind, changes in found.items()}
    return Changes(**sorted_, tonnes_before=weights[0], tonnes_after=weights[1], tonnes_moved=weights[2])


def _orders(plan: Plan, from_day: int) -> dict[Order, float]:
    """Return the quantity of every order, its lots together."""
    orders: dict[Order, float] = {}
    shipments, production = plan.shipments, plan.production
    cells = (shipments[name].tolist() for name in ("departs", "from", "to", "good", "fleet", "quantity"))
    for day, start, end, good, fleet, quantity in zip(*cells, strict=True):
        if day >= from_day:
            order = ("shipment", int(day), start, end, good, fleet)
            orders[order] = orders.get(order, 0.0) + quantity
    cells = (production[name].tolist() for name in ("day", "site", "recipe", "batches"))
    for day, site, recipe, batches in zip(*cells, strict=True):
        if day >= from_day:
            order = ("production", int(day), site, "", recipe, "")
            orders[order] = orders.get(order, 0.0) + batches
    return orders
