"""Counts far from the books: goods that are missing, or there, although every movement was reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from abasto.state.holding import Holding

if TYPE_CHECKING:
    from abasto.state.state import State

__all__ = ["OffBooks", "off_books"]

LOOKS_BACK = 14
FAR = 0.1
"""From this share of what the books had a difference is far."""
DAYS_OF_USE = 1.0
"""A difference of less than so many days of use is no alarm: hand-outs are written down to the nearest sack."""


@dataclass(frozen=True, slots=True)
class OffBooks:
    """A count of a good at a site on a day that found so much less (or more: above zero) than the books had."""

    site: str
    good: str
    counted_on: date
    difference: float
    books: float


def off_books(state: State, day: date) -> Iterator[OffBooks]:
    """Yield the last count of each good at each site that is far from the books, of the two weeks before `day`.

    A site that hands out without writing it down is left out: there a count tells what was used. So it does of single
    days without a hand-out in the books; what may well have been used on them is taken off.
    """
    first = (day - timedelta(days=LOOKS_BACK)).isoformat()
    for site, good in state.books.places():
        holding = state.books.holding(site, good)
        if holding is None or not holding.used or not first <= holding.counted < day.isoformat():
            continue
        found, difference = _last_count(holding)
        books = found - difference
        per_day = sum(holding.used.values()) / max(1, len(holding.used))
        unexplained = float(abs(difference))
        if difference < 0:
            unexplained -= 2 * per_day * _unwritten(holding)
        if unexplained >= FAR * max(books, found) and unexplained > DAYS_OF_USE * per_day:
            yield OffBooks(site, good, date.fromisoformat(holding.counted), difference / 1000, books / 1000)


def _unwritten(holding: Holding) -> int:
    """Return on how many days from the count before the last one to the last the books have no hand-out.

    The first of these days is one of them: it may have been counted in the morning.
    """
    before = max((key[:10] for key in holding.marks if key[:10] < holding.counted), default=holding.counted)
    first, days = date.fromisoformat(before), 1 + _days(before, holding.counted)
    return sum((first + timedelta(days=number)).isoformat() not in holding.used for number in range(days))


def _days(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def _last_count(holding: Holding) -> tuple[int, int]:
    """Return what all counts of the last day that was counted on found, and what they differ from the books."""
    keys = [key for key in holding.marks if key[:10] == holding.counted]
    found = [holding.found(key) for key in keys]
    return sum(one for one, _ in found), sum(one for _, one in found)
