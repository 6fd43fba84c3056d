"""How changes and bounds are worded: with their sign, in points, rounded to the side that promises nothing too much."""

from __future__ import annotations

import math
from collections.abc import Callable

from abasto.planner.plan import MET_TOLERANCE
from abasto.summary import amount

__all__ = ["at_least", "at_most", "change_words", "points"]


def points(change: float) -> str:
    """Return a change of a share in percentage points, with its sign.

    >>> points(-0.4382), points(0.006), points(0.0)
    ('−44 points', '+0.6 points', '0 points')
    """
    if abs(change) <= MET_TOLERANCE:
        return "0 points"
    size = abs(change) * 100
    shown = f"{size:.0f}" if size >= 9.95 else f"{size:.1f}".removesuffix(".0") if size >= 0.05 else "<0.1"
    return f"{_sign(change)}{shown} {'point' if shown == '1' else 'points'}"


def change_words(change: float) -> str:
    """Return a change of a quantity with its sign, in whole numbers.

    >>> change_words(1234.5), change_words(-7.0), change_words(0.2)
    ('+1,234', '−7', '0')
    """
    return f"{_sign(change)}{abs(change):,.0f}" if abs(change) >= 0.5 else "0"


def _sign(change: float) -> str:
    return "−" if change < 0 else "+"


def at_least(value: float) -> str:
    """Return a quantity of at least 0 rounded down to three figures, as words that do not promise too much.

    >>> at_least(2955952.2), at_least(384.497)
    ('2,950,000', '384')
    """
    return amount(_rounded(value, math.floor))


def at_most(value: float) -> str:
    """Return a quantity of at least 0 rounded up to three figures.

    >>> at_most(7033322.4), at_most(0.0)
    ('7,040,000', '0')
    """
    return amount(_rounded(value, math.ceil))


def _rounded(value: float, whole: Callable[[float], int]) -> float:
    if value <= 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return whole(round(value / step, 6)) * step
