"""Which reports are certainly not doubtful, told without foreseeing what they come to.

`foresee.doubts` copies the whole state for each report, which takes longer the more is known. When many phones report
at once most of what they say is plain: known names, a date like all others, no more taken than is there. Whatever is
not plain here need not be doubtful; then `doubts` has the word.
"""

from __future__ import annotations

from abasto.facts.kinds import GoodsHandedOut, GoodsLost, GoodsTakenIn, StockCounted
from abasto.state.foresee import FAR, brought_by, far_above_need, usual
from abasto.state.state import State

__all__ = ["is_beyond_doubt", "promised_places"]

Plain = StockCounted | GoodsTakenIn | GoodsHandedOut | GoodsLost


def promised_places(state: State) -> frozenset[tuple[str, str]]:
    """Return the sites and goods of which open orders promise something that is not loaded yet."""
    return frozenset(
        (order.issued.from_site, line.good)
        for order in state.orders.open()
        if order.issued is not None and order.status in ("issued", "accepted")
        for line in order.issued.lines
    )


def is_beyond_doubt(state: State, fact: Plain, *, promised: frozenset[tuple[str, str]]) -> bool:
    """Return whether `doubts` certainly has nothing to say of a report; `promised` is of `promised_places`."""
    place = fact.site, fact.good
    rows, books = state.rows, state.books
    if rows.standing("sites", fact.site) != "stands" or rows.standing("goods", fact.good) != "stands":
        return False
    newest = books.last_report(*place)
    if state.dates.believed(fact.date) != fact.date or (newest is not None and fact.date < newest.isoformat()):
        return False
    most = usual(state, *place)
    if (most and fact.quantity > FAR * most) or far_above_need(state, *place, fact.quantity):
        return False
    if isinstance(fact, GoodsTakenIn):
        return not brought_by(state, fact)
    if place in promised:
        return False
    if isinstance(fact, StockCounted):
        return True
    lots = books.balance(*place)
    there = sum(lots.values()) if fact.lot is None else lots.get(fact.lot, 0)
    return there >= fact.quantity
