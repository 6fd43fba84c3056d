"""What each site was seen to use of each good, day by day, and what lay there at the end of each day.

Use comes from what people report: hand-outs and use as they are; where a site hands out without writing it down, from
what a count misses. Days of which nothing is known stay unknown: a forecast takes gaps, and a zero would be a claim.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abasto.state.books import Books
from abasto.state.holding import Holding

if TYPE_CHECKING:
    from abasto.state.state import State

__all__ = ["FAR_TOO_MUCH", "OBSERVED_DAYS", "Observed", "observed"]

OBSERVED_DAYS = 84
"""Twelve weeks: what the books keep by day, less a week in which late reports still come."""

FAR_TOO_MUCH = 4.0
"""So many times the usual use of a day is doubted: a zero too many makes ten."""
LEAST_USUAL = 7
"""After so many days with use it is known what is usual."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Observed:
    """Use and stock [places, days] of the days before `day`, in each good's unit; NaN where nothing is known.

    `places` are sites and goods, sorted; the last column is the day before `day`. `reported` has the dates of the
    reports of each site in these days, sorted.
    """

    day: date
    places: tuple[tuple[str, str], ...]
    use: Floats
    closing: Floats
    reported: Mapping[str, tuple[date, ...]]

    @property
    def days(self) -> int:
        """How many days are looked back."""
        return int(self.use.shape[1])

    @property
    def first(self) -> date:
        """The date of the first column."""
        return self.day - timedelta(days=self.days)


def observed(state: State, day: date, *, days: int = OBSERVED_DAYS) -> Observed:
    """Return what was seen on the `days` days before `day`."""
    books = state.books
    places = tuple(books.places())
    dates = [(day - timedelta(days=days - number)).isoformat() for number in range(days)]
    column = {when: number for number, when in enumerate(dates)}
    reported = _reported(books, places, column)
    use = np.full((len(places), days), np.nan)
    closing = np.full((len(places), days), np.nan)
    for number, (site, good) in enumerate(places):
        holding = books.holding(site, good)
        if holding is None:
            continue
        closing[number] = _closing(holding, dates)
        use[number] = _use(holding, column, reported[site])
        _mark_empty_days(use[number], closing[number])
    as_dates = {site: tuple(date.fromisoformat(when) for when in sorted(when)) for site, when in reported.items()}
    return Observed(day, places, use, closing, as_dates)


def _reported(books: Books, places: Sequence[tuple[str, str]], column: Mapping[str, int]) -> dict[str, set[str]]:
    """Return for each site the days on which anything was reported there."""
    reported: dict[str, set[str]] = defaultdict(set)
    for site, good in places:
        holding = books.holding(site, good)
        mine = reported[site]
        if holding is not None:
            for keys in (holding.nets, holding.used, holding.marks):
                mine.update(when for key in keys if (when := key[:10]) in column)
    return reported


def _closing(holding: Holding, dates: Sequence[str]) -> Floats:
    """Return what lay there at the end of each day, going back from what lies there now; NaN before the first news."""
    changes: dict[str, int] = defaultdict(int)
    for key, net in holding.nets.items():
        changes[key[:10]] += net
    first = min((key[:10] for key in (*holding.nets, *holding.marks)), default="")
    closing = np.full(len(dates), np.nan)
    held = sum(holding.lots.values()) - sum(net for when, net in changes.items() if when > dates[-1])
    for number in range(len(dates) - 1, -1, -1):
        if not first or dates[number] < first:
            break
        closing[number] = held / 1000
        held -= changes.get(dates[number], 0)
    return closing


def _use(holding: Holding, column: Mapping[str, int], reported: set[str]) -> Floats:
    """Return what was used on each day.

    A day on which the site reported something, but no hand-out of a good that it hands out, had none. What a count
    misses was used on the days before it, back to the count before, of which nothing else is known; in equal parts.
    Where a count finds again what one of these days used far too much of, nobody knows what was used on it.
    """
    use = np.full(len(column), np.nan)
    begun = min(holding.used, default="")
    for when, number in column.items():
        if when in holding.used:
            use[number] = max(0, holding.used[when]) / 1000
        elif begun and when > begun and when in reported:
            use[number] = 0.0
    missed: dict[str, int] = defaultdict(int)
    for key, marks in holding.marks.items():
        missed[key[:10]] -= sum(mark.difference for mark in marks)
    for before, when in pairwise(sorted(missed)):
        between = [number for day, number in column.items() if before < day <= when and np.isnan(use[number])]
        if between and when in column:
            use[between] = max(0, missed[when]) / 1000 / len(between)
    _forget_found_again(use, column, missed)
    return use


def _forget_found_again(use: Floats, column: Mapping[str, int], missed: Mapping[str, int]) -> None:
    """Forget what was used on a day that used far too much, where the next count found at least half of it again."""
    some = use[use > 0]
    if len(some) < LEAST_USUAL:
        return
    far = FAR_TOO_MUCH * float(np.median(some))
    for before, when in pairwise(sorted(missed)):
        for day, number in column.items():
            if before < day <= when and use[number] >= far and -missed[when] / 1000 >= use[number] / 2:
                use[number] = np.nan


def _mark_empty_days(use: Floats, closing: Floats) -> None:
    """On a day that began and ended with nothing there, nobody knows what would have been used."""
    empty = closing <= 0
    use[1:][empty[1:] & empty[:-1] & (use[1:] <= 0)] = np.nan
