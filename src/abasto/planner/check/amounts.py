"""Which differences count as rounding, and how the messages of the check show numbers and lots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from abasto.planner.check.limits import Limits, Lot

__all__ = ["NOISE", "ROUNDING", "Report", "Rows", "SoundRows", "differ", "exceeds", "lot_name", "rounding", "shown"]

ROUNDING = 1e-6
"""Largest difference that counts as rounding: relative to the scale of a balance, and in its own unit besides."""
NOISE = 1e-9
"""A number may be below zero by this much and no more."""

Report: TypeAlias = Callable[[str], None]
"""Takes one violation, in words."""


class SoundRows:
    """The rows of a table that can be judged, kept by column; dates are day numbers."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self._columns = columns

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = tuple(self._columns)
        for values in zip(*self._columns.values(), strict=True):
            yield dict(zip(names, values, strict=True))


Rows: TypeAlias = dict[str, SoundRows]
"""The sound rows of each of the plan's tables."""


def shown(number: float) -> str:
    """Return a number as messages show it."""
    return str(round(float(number), 6))


def rounding(scale: float) -> float:
    """Return the difference that counts as rounding among amounts of this size."""
    return ROUNDING * abs(scale) + ROUNDING


def exceeds(amount: float, most: float) -> bool:
    return amount > most + rounding(most)


def differ(told: float, found: float) -> bool:
    return told != found and not abs(told - found) <= rounding(found)


def lot_name(lot: Lot, limits: Limits) -> str:
    """Return a lot as messages name it."""
    if lot is None:
        return "the lot that never spoils"
    try:
        return f"the lot of {limits.network.date_of(lot)}"
    except OverflowError:
        return f"the lot of day {lot}"
