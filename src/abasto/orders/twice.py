"""The same order is not issued twice: then every sack would be promised twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from abasto.errors import SettingError
from abasto.facts.kinds import OrderIssued

if TYPE_CHECKING:
    from abasto.state.state import State

__all__ = ["issued_already", "refuse_issued"]


def issued_already(state: State, chosen: Sequence[OrderIssued]) -> tuple[OrderIssued, ...]:
    """Return those of the orders that the same plan has issued before: same lane, fleet and day of departure."""
    issued = {(record.issued.plan, *_way(record.issued)) for record in state.orders.values() if record.issued}
    return tuple(order for order in chosen if order.plan and (order.plan, *_way(order)) in issued)


def refuse_issued(state: State, chosen: Sequence[OrderIssued]) -> None:
    """Raise `SettingError` if the same plan has issued one of these orders before."""
    again = issued_already(state, chosen)
    if again:
        raise SettingError(
            f"{len(again)} of these orders are issued already, by the same plan ({again[0].from_site} > "
            f"{again[0].to_site}, {again[0].fleet}, {again[0].departs}); see them with: abasto orders show"
        )


def _way(order: OrderIssued) -> tuple[str, str, str, str]:
    return order.from_site, order.to_site, order.fleet, order.departs
