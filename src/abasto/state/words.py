"""Quantities, devices and orders in words, as exceptions and stories say them."""

from __future__ import annotations

from abasto.facts.amounts import amount
from abasto.facts.codes import code_of
from abasto.state.rows import Rows

__all__ = ["NOBODY", "device_named", "measured", "order_named", "times_more"]

NOBODY = "A" * 42 + "E"
"""A key that no device has: a point of small order, which no signature is accepted from."""
_UNIT = "kg"
"""What goods are measured in whose row names no unit, as in the format's tables."""


def measured(rows: Rows, good: str, quantity: int) -> str:
    """Return thousandths of a good with its unit, such as `12.5 kg of flour`."""
    return f"{amount(quantity)} {rows.cell('goods', 'unit', good) or _UNIT} of {good}"


def device_named(author: str) -> str:
    """Return what people call a device: by the code of its key; `NOBODY` is the one that is about to sign."""
    return "this device" if author == NOBODY else f"device {code_of(author)}"


def order_named(order: str) -> str:
    """Return what people call an order: by its code."""
    return f"order {code_of(order)}"


def times_more(times: int, what: str) -> str:
    """Return a number of things: `1 entry`, `2 entries`.

    >>> times_more(1, "count"), times_more(1200, "entry")
    ('1 count', '1,200 entries')
    """
    if times == 1:
        return f"1 {what}"
    return f"{times:,} {what[:-1]}ies" if what.endswith("y") else f"{times:,} {what}s"
