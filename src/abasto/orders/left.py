"""What a site has left of a good for one more order, or a larger one: neither promised to others nor its reserve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from abasto.errors import SettingError
from abasto.facts.amounts import amount
from abasto.facts.kinds import Line, OrderIssued
from abasto.state.exceptions.gets import gets
from abasto.state.types import OrderRecord
from abasto.state.words import measured

if TYPE_CHECKING:
    from abasto.network import Stock
    from abasto.state.known import Known
    from abasto.state.state import State

__all__ = ["Left", "left_for", "refuse_more_than_left"]


@dataclass(frozen=True)
class Left:
    """What a site has of a good or of one lot, in thousandths: on hand, to come at most, promised to other orders, kept
    back from shipping (`reserve`, of what is on hand).
    """

    held: int
    to_come: int
    promised: int
    reserve: int

    @property
    def left(self) -> int:
        """How much another order may take."""
        return max(0, max(0, self.held - self.reserve) + self.to_come - self.promised)


def left_for(
    state: State,
    seen: Known,
    *,
    order: OrderIssued,
    good: str,
    lot: str | None = None,
    others: Sequence[OrderIssued] = (),
    day: date,
) -> Left:
    """Return what is left of a good (of one lot, if it is named) at the site from which an order is to leave.

    Open orders are as known on `day`; `others` will be issued together with this one. What comes counts until the last
    of those that leave there has left, as the most that the tables allow: so the ledger finds nothing overcommitted.
    """
    site = order.from_site
    beside = [other for other in others if other.from_site == site]
    open_orders = [one.issued for one in seen.orders if one.issued is not None and one.status != "loaded"]
    mine = [other for other in open_orders if other.from_site == site]
    held, free = (_thousandths(stocks, site, good, lot) for stocks in (seen.tables.stocks, seen.network.stocks))
    # More than its lines is taken off a lot that fills what an order's own lot lacks, or that vehicles burn as fuel.
    promised = max(_in_lines(mine, good, lot), held - free) + _in_lines(beside, good, lot)
    leaving = [OrderRecord("", replace(one, date=day.isoformat()), "issued", "") for one in (order, *beside, *mine)]
    kept_back = sum(row.quantity for row in seen.tables.reserves if (row.site, row.good) == (site, good))
    reserve = round(1000 * kept_back) if lot is None else 0
    last = max(one.departs for one in (order, *beside, *mine))
    brought = [other for other in others if other.to_site == site and other.arrives <= last]
    to_come = gets(state, site, good, leaving) + _in_lines(brought, good, None)
    return Left(held, to_come, promised, reserve)


def refuse_more_than_left(
    state: State,
    seen: Known,
    *,
    order: OrderIssued,
    proposed: OrderIssued,
    others: Sequence[OrderIssued],
    day: date,
) -> None:
    """Raise `SettingError` if an order takes more of a good than was proposed, and more than its site has left."""
    places: dict[tuple[str, str | None], None] = {}
    for line in order.lines:
        places |= {(line.good, None): None, (line.good, line.lot): None}
    for good, lot in places:
        wanted = _in_lines([order], good, lot)
        if wanted <= _in_lines([proposed], good, lot):
            continue
        found = left_for(state, seen, order=order, good=good, lot=lot, others=others, day=day)
        if wanted > found.left:
            of_lot = "" if lot is None else f" (lot {lot})" if lot else " (lot without date)"
            raise SettingError(
                f"{measured(state.rows, good, wanted)}{of_lot} ordered from {order.from_site}, which has "
                f"{amount(found.left)} left for it: {amount(found.held)} there, at most {amount(found.to_come)} to "
                f"come, {amount(found.promised)} for other orders, {amount(found.reserve)} in reserve; order less, or "
                f"count {good} at {order.from_site}."
            )


def _thousandths(stocks: Iterable[Stock], site: str, good: str, lot: str | None) -> int:
    """Return what rows of stocks come to, of all lots or of the one with this last usable date (blank: without one)."""
    rows = [row for row in stocks if (row.site, row.good) == (site, good)]
    of_lot = [row for row in rows if lot is None or lot == ("" if row.expires is None else row.expires.isoformat())]
    return sum(round(1000 * row.quantity) for row in of_lot)


def _in_lines(orders: Iterable[OrderIssued], good: str, lot: str | None) -> int:
    lines: list[Line] = [line for order in orders for line in order.lines]
    return sum(line.quantity for line in lines if line.good == good and lot in (None, line.lot))
