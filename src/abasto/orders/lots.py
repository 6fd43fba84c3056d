"""Which lots proposed orders name beside orders that stand already: of no lot more than is there or comes.

An open order may name a lot that comes the same day, and what it binds is then taken off another one, since a plan must
have it from somewhere. The totals are right, but the plan gives the coming lot to others as well. Here its orders give
it back, and name what lies there unpromised instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from abasto.facts.kinds import MOST_LINES, Line, OrderIssued
from abasto.network import Network
from abasto.orders.issue import ROUNDING, inflow
from abasto.planner.plan import Plan
from abasto.state.holding import by_expiry

__all__ = ["name_free_lots"]

Place = tuple[str, str]
"""A site and a good."""
Lots = dict[str, int]
"""Thousandths by the lot's name in the books."""


def name_free_lots(
    proposed: Sequence[OrderIssued], open_orders: Sequence[OrderIssued], tables: Network, plan: Plan
) -> tuple[OrderIssued, ...]:
    """Return the proposed orders with other lots where, with the open ones, more of a lot is promised than there is.

    `open_orders` have not left, `tables` have all that is on hand, promised or not, and `plan` what comes. Quantities
    stay, and no lot is named that is over when the order arrives. Instead of a lot that is promised twice that one is
    named which lies there, is promised to nobody and expires first.
    """
    if not open_orders:
        return tuple(proposed)  # Alone, a plan's orders never name more of a lot than there is.
    there = _on_hand(tables)
    last = max((tables.day_of(date.fromisoformat(one.departs)) for one in (*proposed, *open_orders)), default=0)
    comes: dict[Place, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for site, good, lot, quantity in inflow(tables, plan, last):
        comes[site, good][lot] += quantity
    fixed = _promised(open_orders)
    orders = list(proposed)
    for place in sorted(_promised(orders)):
        coming = {lot: int(1000 * quantity + ROUNDING) for lot, quantity in comes[place].items()}
        _rename(orders, place, held=there.get(place, {}), coming=coming, fixed=fixed.get(place, {}))
    return tuple(orders)


def _on_hand(tables: Network) -> Mapping[Place, Lots]:
    there: dict[Place, Lots] = defaultdict(lambda: defaultdict(int))
    for stock in tables.stocks:
        lot = "" if stock.expires is None else stock.expires.isoformat()
        there[stock.site, stock.good][lot] += round(1000 * stock.quantity)
    return there


def _promised(orders: Iterable[OrderIssued]) -> Mapping[Place, Lots]:
    """Return what orders promise by site, good and the lot that they name; of no lot in particular is left out."""
    promised: dict[Place, Lots] = defaultdict(lambda: defaultdict(int))
    for order in orders:
        for line in order.lines:
            if line.lot is not None:
                promised[order.from_site, line.good][line.lot] += line.quantity
    return promised


def _rename(orders: list[OrderIssued], place: Place, *, held: Lots, coming: Lots, fixed: Lots) -> None:
    """Take off each lot what is promised too much of it, and put it on those that lie there free, in `orders`."""
    mine = _promised(orders)[place]
    free = {lot: held[lot] - fixed.get(lot, 0) - mine.get(lot, 0) for lot in sorted(held, key=by_expiry)}
    for lot in sorted(mine, key=by_expiry):
        too_much = fixed.get(lot, 0) + mine[lot] - held.get(lot, 0) - coming.get(lot, 0)
        for other in free:
            for number, order in enumerate(orders):
                if order.from_site != place[0] or min(too_much, free[other]) <= 0 or _is_over(other, order):
                    continue
                orders[number], moved = _moved(order, place[1], lot, other, min(too_much, free[other]))
                too_much -= moved
                free[other] -= moved


def _is_over(lot: str, order: OrderIssued) -> bool:
    return bool(lot) and lot < order.arrives


def _moved(order: OrderIssued, good: str, lot: str, other: str, most: int) -> tuple[OrderIssued, int]:
    """Return an order with up to `most` thousandths of a good from another lot, and how much that is."""
    lines = {(line.good, line.lot): line.quantity for line in order.lines}
    has = lines.get((good, lot), 0)
    moved = min(has, most)
    if not moved or (moved < has and (good, other) not in lines and len(lines) >= MOST_LINES):
        return order, 0
    lines[good, lot] -= moved
    lines[good, other] = lines.get((good, other), 0) + moved
    named = sorted(lines, key=lambda key: (key[0], key[1] or ""))
    return replace(
        order, lines=tuple(Line(good, lines[good, lot], lot) for good, lot in named if lines[good, lot])
    ), moved
