"""Quantities: whole thousandths of a unit in entries, decimals before people and in tables, exact both ways."""

from __future__ import annotations

import re
from decimal import Decimal

from abasto.errors import FactError
from abasto.facts.kinds import MOST

__all__ = ["amount", "thousandths"]

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?", re.ASCII)
_MOST_DIGITS = len(str(MOST))


def thousandths(value: str | Decimal | float) -> int:
    """Return a decimal in thousandths, exactly; `FactError` for what is no number or finer than a thousandth.

    >>> thousandths("0.125"), thousandths(30), thousandths(1e3)
    (125, 30000, 1000000)
    """
    text = value.strip() if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)
    if not _NUMBER.fullmatch(text):
        raise FactError(f"{text!r:.40} is no number; write digits with a point, as in 12.5.")
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)  # A number that matched is neither infinite nor undefined.
    whole = "".join(map(str, digits)).lstrip("0")
    kept = whole.rstrip("0")
    exponent += 3 + len(whole) - len(kept)
    if not kept:
        return 0
    if exponent < 0:
        raise FactError(f"{text:.40} is finer than a thousandth; quantities are kept in thousandths, so round it.")
    if len(kept) + exponent > _MOST_DIGITS or (quantity := int(kept + "0" * exponent)) > MOST:
        raise FactError(f"{text:.40} is more than can be kept ({amount(MOST)}); check it, or use a larger unit.")
    return -quantity if sign else quantity


def amount(quantity: int) -> str:
    """Return thousandths as a decimal, without needless zeros.

    >>> amount(30_000), amount(125), amount(-1_500)
    ('30', '0.125', '-1.5')
    """
    whole, rest = divmod(abs(quantity), 1000)
    fraction = f".{rest:03}".rstrip("0") if rest else ""
    return f"{'-' if quantity < 0 else ''}{whole}{fraction}"
