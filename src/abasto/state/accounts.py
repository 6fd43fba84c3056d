"""Where goods can be, and a movement from one such account to another: all that the ledger consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = ["CONSUMED", "LOST", "MADE", "OUTSIDE", "UNEXPLAINED", "Account", "Movement", "order_account", "site_account"]

AccountKind = Literal["outside", "site", "order", "consumed", "made", "lost", "unexplained"]


class Account(NamedTuple):
    """A place where goods are booked: a site, an order on its way, or one of the places without a name."""

    kind: AccountKind
    id: str = ""


OUTSIDE = Account("outside")
CONSUMED = Account("consumed")
MADE = Account("made")
"""What recipes use up goes here and what they make comes from here."""
LOST = Account("lost")
UNEXPLAINED = Account("unexplained")
"""The other side of every difference between a count and the books."""


def site_account(site: str) -> Account:
    """Return the account of a site."""
    return Account("site", site)


def order_account(order: str) -> Account:
    """Return the account of what was loaded for an order and has not been received."""
    return Account("order", order)


@dataclass(frozen=True, slots=True)
class Movement:
    """`quantity` thousandths (above 0) of a lot of a good went from one account to another on a date.

    `lot` is the last usable date, or nothing; `entry` is the id of the entry that says so, and `why` the kind of
    movement: `opening`, `taken in`, `handed out`, `made`, `used`, `lost`, `spoiled`, `loaded`, `received`,
    `lost on the way`, `brought back`, `counted more`, `counted less`, `count explained`, `reversed`; and, with
    other networks, `promised`, `withdrawn`, `handed over`.
    """

    entry: str
    date: str
    good: str
    lot: str
    quantity: int
    source: Account
    target: Account
    why: str
