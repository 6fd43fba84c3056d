"""Which dates are believed: those near the dates of the latest facts, so that a wild clock cannot bend the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median_low

from abasto.state.holding import days_after

__all__ = ["RecentDates"]

KEPT = 31
MOST_OF_ONE = 10
"""Where others report too, no device has more dates among them than this: one with a wild clock outvotes nobody."""
FEWEST = 5
FARTHEST_DAYS = 180
_EVER = "9999-12-31"


class RecentDates:
    """The claimed dates of the latest facts that were applied, and the number of the author of each."""

    def __init__(self) -> None:
        self._dates: list[str] = []
        self._authors: list[int] = []
        self._shares: Counter[int] = Counter()
        self._median = ""
        self._earliest, self._latest = "", _EVER

    def believed(self, day: str) -> str:
        """Return the date that a fact of a day is booked on: that day, or the latest facts' median if it is far off."""
        return day if self._earliest <= day <= self._latest else self._median

    def add(self, day: str, author: int) -> None:
        """Note the claimed date of a fact that is applied."""
        self._dates.append(day)
        self._authors.append(author)
        self._shares[author] += 1
        gone = ""
        if MOST_OF_ONE < self._shares[author] < len(self._dates):
            gone = self._forget(self._authors.index(author))
        elif len(self._dates) > KEPT:
            gone = self._forget(0)
        if gone != day:
            self._weigh()

    def _forget(self, place: int) -> str:
        author = self._authors.pop(place)
        self._shares[author] -= 1
        return self._dates.pop(place)

    def _weigh(self) -> None:
        if len(self._dates) < FEWEST:
            return
        self._median = median_low(self._dates)
        self._earliest = days_after(self._median, -FARTHEST_DAYS)
        self._latest = days_after(self._median, FARTHEST_DAYS) or _EVER

    def plain(self) -> list[tuple[str, int]]:
        """Return the dates and their authors' numbers, oldest first."""
        return list(zip(self._dates, self._authors, strict=True))

    def restore(self, plain: Sequence[tuple[str, int]]) -> None:
        """Take over what `plain` gave."""
        self._dates = [day for day, _ in plain]
        self._authors = [author for _, author in plain]
        self._shares = Counter(self._authors)
        self._weigh()
