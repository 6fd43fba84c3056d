"""What is wrong with the goods at a site: more promised than there is, less than nothing, other than counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from abasto.facts.amounts import amount
from abasto.facts.kinds import Line
from abasto.state.exceptions.gets import gets
from abasto.state.exceptions.wrong import Wrong
from abasto.state.holding import WHOLE, Holding
from abasto.state.state import State
from abasto.state.types import OrderRecord
from abasto.state.words import measured, order_named, times_more

__all__ = ["VISIBLE_SHARE", "goods_exceptions"]

VISIBLE_SHARE = 0.05
"""A count that differs from the books by more than this share of the larger of both is an exception; the ledger shows
smaller differences too.
"""
_NAMED = 5


def goods_exceptions(state: State) -> Iterator[Wrong]:
    """Yield what is wrong with the goods at every site."""
    for site, good in state.books.places():
        holding = state.books.holding(site, good)
        assert holding is not None  # The books named it.
        if any(here < 0 for here in holding.lots.values()):
            yield _below_zero(state, site, good, holding)
        wrong = _discrepancy(state, site, good, holding)
        if wrong is not None:
            yield wrong
    yield from _overcommitted(state)


def _below_zero(state: State, site: str, good: str, holding: Holding) -> Wrong:
    lots = ", ".join(
        f"{amount(here)} of {f'the lot of {lot}' if lot else 'the lot without a date'}"
        for lot, here in sorted(holding.lots.items())
        if here < 0
    )
    return Wrong(
        kind="below zero",
        about=f"{site}/{good}",
        date=holding.newest,
        message=f"the books have {measured(state.rows, good, sum(holding.lots.values()))} at {site} ({lots}): "
        "more left it than was ever reported there",
        remedy=f"count {good} at {site}, or report what came in and is not in the books",
        who=site,
        matter=(lots,),
    )


def _discrepancy(state: State, site: str, good: str, holding: Holding) -> Wrong | None:
    """Return the last count that differs visibly from the books, with how many more there are."""
    large = []
    for key in holding.marks:
        found, difference = holding.found(key)
        if abs(difference) > VISIBLE_SHARE * max(found, found - difference):
            large.append(key)
    if not large:
        return None
    key = max(large)
    day, lot = key[:10], key[10:]
    found, difference = holding.found(key)
    more = f"; {times_more(len(large) - 1, 'earlier count')} differed too" if len(large) > 1 else ""
    of_lot = "" if lot == WHOLE else f" (the lot of {lot})" if lot else " (the lot without a date)"
    kind = "more" if difference > 0 else "less"
    return Wrong(
        kind="discrepancy",
        about=f"{site}/{good}",
        date=day,
        message=f"on {day} {site} counted {measured(state.rows, good, found)}{of_lot}, "
        f"{amount(abs(difference))} {kind} than the books had ({amount(found - difference)}){more}",
        remedy=f"report what {'came in' if kind == 'more' else 'went out or was lost'} before that day with its own "
        "date, and the difference shrinks; or settle it with a note",
        who=site,
        matter=(key, str(found), str(difference)),
        entries=(holding.counted_by,) if day == holding.counted and holding.counted_by else (),
    )


def _overcommitted(state: State) -> Iterator[Wrong]:
    """Yield where open orders that nobody has loaded promise more of a good, or of a lot, than the site has or gets."""
    promised: dict[tuple[str, str], list[tuple[OrderRecord, Line]]] = defaultdict(list)
    for order in state.orders.open():
        if order.issued is not None and order.status in ("issued", "accepted"):
            for line in order.issued.lines:
                promised[order.issued.from_site, line.good].append((order, line))
    for (site, good), lines in sorted(promised.items()):
        lots = state.books.balance(site, good)
        total = sum(line.quantity for _, line in lines)
        held = sum(lots.values())
        missing = max(total - held, _missing_in_lots(lots, [line for _, line in lines]))
        to_come = gets(state, site, good, [order for order, _ in lines]) if missing > 0 else 0
        missing -= to_come
        of_lots = " of the lots that they name" if missing > total - held - to_come else ""
        getting = f" and gets at most {amount(to_come)} by then" if to_come else ""
        if missing > 0:
            orders = sorted({order.id for order, _ in lines})
            named = ", ".join(order_named(order) for order in orders[:_NAMED])
            more = f" and {len(orders) - _NAMED} more" if len(orders) > _NAMED else ""
            yield Wrong(
                kind="overcommitted",
                about=f"{site}/{good}",
                date=max(order.issued.date for order, _ in lines if order.issued is not None),
                message=f"{measured(state.rows, good, total)} promised from {site} ({named}{more}), which has "
                f"{amount(held)}{getting}: {amount(missing)} too much{of_lots}",
                remedy=f"cancel one of the orders or issue it anew with less, or count {good} at {site}",
                who=site,
                matter=(*orders, str(total), str(missing)),
                entries=tuple(orders[:_NAMED]),
            )


def _missing_in_lots(lots: Mapping[str, int], lines: list[Line]) -> int:
    wanted: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.lot is not None:
            wanted[line.lot] += line.quantity
    return sum(max(quantity - lots.get(lot, 0), 0) for lot, quantity in wanted.items())
