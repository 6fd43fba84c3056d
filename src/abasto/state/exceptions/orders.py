"""What is wrong with orders: nobody knows them, they are late, or other goods arrived than were loaded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from abasto.facts.amounts import amount
from abasto.state.exceptions.wrong import Wrong
from abasto.state.orders import never_loaded
from abasto.state.state import State
from abasto.state.types import OrderRecord
from abasto.state.words import measured, order_named

__all__ = ["order_exceptions"]


def order_exceptions(state: State, day: date | None) -> Iterator[Wrong]:
    """Yield what is wrong with every order; what is overdue only if a day is given."""
    for id in sorted(state.orders.odd()):
        order = state.orders[id]
        if order.status == "unknown":
            yield _unknown(state, order)
        elif order.difference:
            yield _difference(state, order)
        elif order.received_on and not order.loaded_on:
            yield _not_loaded(order)
        elif order.status == "cancelled":
            yield _cancelled_with_more(state, order)
    for order in state.orders.open() if day is not None else ():
        overdue = _overdue(order, day.isoformat()) if day is not None else None
        if overdue is not None:
            yield overdue


def _unknown(state: State, order: OrderRecord) -> Wrong:
    came = ", ".join(measured(state.rows, line.good, line.quantity) for line in order.received[:3])
    return Wrong(
        kind="unknown order",
        about=order.id,
        date=order.received_on or order.loaded_on,
        message=f"reports name {order_named(order.id)}, which nobody here has issued"
        + (f"; of it came {came}" if came else ""),
        remedy="fetch the order from whoever issued it, and this goes by itself; if its code was mistyped, undo the "
        "report and write it again",
        who="whoever reported",
        matter=tuple(order.history),
        entries=order.history[-3:],
    )


def _difference(state: State, order: OrderRecord) -> Wrong:
    less = [line for line in order.difference if line.quantity > 0]
    more = [line for line in order.difference if line.quantity < 0]
    words = [f"{measured(state.rows, line.good, line.quantity)} less" for line in less]
    words += [f"{measured(state.rows, line.good, -line.quantity)} more" for line in more]
    receiver = order.issued.to_site if order.issued is not None else "the receiver"
    return Wrong(
        kind="order difference",
        about=order.id,
        date=order.received_on,
        message=f"{order_named(order.id)}: {', '.join(words)} received than loaded",
        remedy="ask who loaded, drove and received; report what is found since as received, or settle it with a note",
        who=receiver,
        matter=tuple(f"{line.good} {line.quantity}" for line in order.difference),
        entries=order.history[-1:],
    )


def _not_loaded(order: OrderRecord) -> Wrong:
    return Wrong(
        kind="not loaded",
        about=order.id,
        date=order.received_on,
        message=f"{order_named(order.id)} was received on {order.received_on}, but nobody has reported what was loaded",
        remedy="report what was loaded; until then the books still have it at the site it came from",
        who="whoever loaded" if order.issued is None else order.issued.from_site,
        matter=(order.received_on,),
        entries=order.history[-1:],
    )


def _cancelled_with_more(state: State, order: OrderRecord) -> Wrong:
    loaded, received = (
        {(one.good, one.lot or ""): one.quantity for one in lines} for lines in (order.loaded, order.received)
    )
    more = never_loaded(loaded, received)
    words = [
        f"{measured(state.rows, good, quantity)}{f' (the lot of {lot})' if lot else ''}"
        for (good, lot), quantity in more.items()
    ]
    sites = "the sites" if order.issued is None else f"{order.issued.from_site} and {order.issued.to_site}"
    return Wrong(
        kind="order difference",
        about=order.id,
        date=order.received_on,
        message=f"{order_named(order.id)} was cancelled, and of it were received {', '.join(words)} that were never "
        "loaded; the books have that twice",
        remedy=f"count the goods at {sites}; or undo the cancelling and receive the order",
        who="whoever received" if order.issued is None else order.issued.to_site,
        matter=tuple(f"{good} {lot} {quantity}" for (good, lot), quantity in more.items()),
        entries=order.history[-1:],
    )


def _overdue(order: OrderRecord, day: str) -> Wrong | None:
    issued = order.issued
    if issued is None:
        return None
    if order.status in ("issued", "accepted") and issued.departs < day:
        what, when, who = "should have left", issued.departs, issued.from_site
        remedy = "report what was loaded, or cancel it: what it promises cannot be planned with"
    elif issued.arrives < day:
        what, when, who = "should have arrived", issued.arrives, issued.to_site
        remedy = "report what was received, or ask the driver"
    else:
        return None
    goods = ", ".join(f"{amount(line.quantity)} {line.good}" for line in issued.lines[:3])
    return Wrong(
        kind="order overdue",
        about=order.id,
        date=when,
        message=f"{order_named(order.id)} ({goods}, {issued.from_site} to {issued.to_site}) {what} on {when}",
        remedy=remedy,
        who=who,
        matter=(order.status,),
        entries=order.history[-1:],
    )
