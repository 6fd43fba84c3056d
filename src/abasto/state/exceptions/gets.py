"""What a site may still get of a good before its orders leave: by other orders, by its recipes, from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from abasto.facts.kinds import MOST
from abasto.state.state import State
from abasto.state.types import OrderRecord

__all__ = ["gets"]


def gets(state: State, site: str, good: str, orders: Sequence[OrderRecord]) -> int:
    """Return the most of a good, in thousandths, that a site gets from the issue of its orders until the last leaves.

    Orders are issued in the morning, for what is baked, taken in or brought that day: promising that is no fault.
    """
    issued = [order.issued for order in orders if order.issued is not None]
    first, last = min(one.date for one in issued), max(one.departs for one in issued)
    days = max(1, (date.fromisoformat(last) - date.fromisoformat(first)).days + 1)
    return _brought(state, site, good, by=last) + int(days * 1000 * _per_day(state, site, good))


def _brought(state: State, site: str, good: str, *, by: str) -> int:
    """Return what open orders still bring to the site by a date."""
    brought = 0
    for order in state.orders.open():
        if order.issued is None or order.issued.to_site != site or order.issued.arrives > by:
            continue
        due = sum(line.quantity for line in order.loaded or order.issued.lines if line.good == good)
        brought += max(0, due - sum(line.quantity for line in order.received if line.good == good))
    return brought


def _per_day(state: State, site: str, good: str) -> Decimal:
    """Return the most that the tables let a site take in and make of a good in a day, in its unit."""
    made = {
        row.cells["recipe"]: _number(row.cells.get("quantity", ""))
        for row in state.rows.table("recipes")
        if row.cells["good"] == good
    }
    taken_in = [
        _number(row.cells.get("quantity", ""))
        for row in state.rows.table("supplies")
        if (row.cells["site"], row.cells["good"]) == (site, good)
    ]
    baked = [
        _number(row.cells.get("batches", "")) * max(made.get(row.cells["recipe"], Decimal(0)), Decimal(0))
        for row in state.rows.table("plants")
        if row.cells["site"] == site
    ]
    return sum(taken_in + baked, Decimal(0))


def _number(text: str) -> Decimal:
    """Return what a cell says, 0 where it says nothing that is a quantity; no more than an entry can say of one.

    Cells are whatever somebody signed: `9e999999` is a number too, and twice that is more than decimals hold.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Decimal(0)
    return min(number, Decimal(MOST)) if number.is_finite() and number > 0 else Decimal(0)
