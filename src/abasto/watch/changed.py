"""A rate that jumped or collapsed: use keeps away from its normal course, day after day.

Two cumulative sums (Page 1954) of the standardised errors z of a slow forecast: up(t) = max(0, up(t−1) + z(t) − SLACK),
down likewise; one that passes LIMIT has left its course on the day after it last was zero. Errors are cut at ±MOST_Z,
so that one wrong number alone rings nothing.

From there on it is watched anew: what was before that day is forgotten, both sums start from zero, and the course since
then is the normal one as soon as it is known. A change is told for TOLD days, or until the next one is noticed.

What is told on one morning has to be told on the next, which no longer knows the oldest day. So a past begins on fixed
days, TOLD apart, and two are looked at: the one that notices now, 57 to 70 days long, and the one before it, of which
the last that it noticed is still told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from abasto.forecast import Forecast, forecast
from abasto.state.observed import OBSERVED_DAYS, Observed

__all__ = ["BY_CHANCE", "LIMIT", "TOLD", "Change", "changes"]

SLACK = 0.5
"""Half the change that is to be found soon, in standard deviations of a day's error."""
LIMIT = 7.0
HIGHER_PER_LESSON = 1.5
MOST_Z = 3.0
LEAST_KNOWN = 14
"""A course is known after so many days."""
TOLD = 14
"""On so many mornings a change is told, from the one on which it is noticed; then it is history."""
NOTICES = OBSERVED_DAYS - TOLD
"""A past has so many days: what is noticed on the last of them is told for as long as its first one is known."""
BY_CHANCE = 0.022
"""Alarms of one quiet series a month (30 days): of 2,400 simulated ones, by benchmarks/watch_alarms.py."""

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Change:
    """Use that left its course: upwards or downwards, since when, and the rates a day before and after."""

    kind: Literal["jumped", "collapsed"]
    since: date
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class _Left:
    """A series that left its course in a direction, 1.0 or −1.0, since a column; noticed on another; rate before."""

    series: int
    sign: float
    first: int
    noticed: int
    before: float


def changes(seen: Observed, lessons: Numbers) -> dict[int, Change]:
    """Return the series that have left their course, by their number; `lessons` raises the limit of each."""
    limit = np.asarray(LIMIT + HIGHER_PER_LESSON * lessons, dtype=np.float64)
    newer = seen.days - 1 - (NOTICES - TOLD) - (seen.day.toordinal() - 1) % TOLD
    heard: dict[int, int] = {}
    found: dict[int, Change] = {}
    for begin in (newer - TOLD, newer):
        for one in _noticed(seen.use, max(0, begin), max(0, begin + NOTICES), limit):
            if one.first <= heard.get(one.series, -1):  # the older past has noticed the same
                continue
            heard[one.series] = one.noticed
            change = _change(seen, one)
            if seen.days - one.noticed <= TOLD and change is not None:
                found[one.series] = change
    return found


def _noticed(use: Floats, begin: int, end: int, limit: Floats) -> Iterator[_Left]:
    """Yield what is noticed in the columns from `begin` to before `end`, of each series the oldest first."""
    past, series = use[:, begin:end].copy(), np.arange(len(use))
    while len(series):
        course = forecast(past, 1)
        sign, first, noticed = _left(past, course, limit[series])
        left = np.flatnonzero(noticed >= 0)
        for row in left.tolist():
            since = int(first[row])
            before = float(np.nanmean(course.slow[row, since:]))
            yield _Left(int(series[row]), float(sign[row]), begin + since, begin + int(noticed[row]), before)
            past[row, :since] = np.nan
        past, series = past[left], series[left]


def _left(use: Floats, course: Forecast, limit: Floats) -> tuple[Floats, Numbers, Numbers]:
    """Return in which direction each series [series, days] left its course, since which column, and when noticed.

    That is −1 if it never was.
    """
    seen = ~np.isnan(use)
    known = seen & (np.cumsum(seen, axis=1) > LEAST_KNOWN) & (course.scale > 0)
    error = np.where(known, use - course.slow, 0.0)
    sign = np.array([[1.0], [-1.0]])
    total, scale = np.zeros((2, len(use))), np.ones((2, len(use)))
    first, noticed = np.zeros((2, len(use)), dtype=np.int64), np.full(len(use), -1)
    for column in range(use.shape[1]):
        here = known[:, column] & (noticed < 0)
        # A change makes errors larger; how large they are in the normal course is what counts, from before it.
        scale = np.where(here & (total <= 0), course.scale[:, column], scale)
        z = np.clip(sign * error[:, column] / scale, -MOST_Z, MOST_Z)
        total = np.where(here, np.maximum(0.0, total + z - SLACK), total)
        first = np.where(total <= 0, column + 1, first)
        noticed = np.where(here & np.any(total > limit, axis=0), column, noticed)
    way = np.argmax(total, axis=0)
    return sign[way, 0], first[way, np.arange(len(use))], noticed


def _change(seen: Observed, one: _Left) -> Change | None:
    """Return what changed, None if what followed was no more than what was before."""
    after = float(np.nanmean(seen.use[one.series, one.first :]))
    if one.sign * (after - one.before) <= 0:
        return None
    kind: Literal["jumped", "collapsed"] = "jumped" if one.sign > 0 else "collapsed"
    return Change(kind, seen.first + timedelta(days=one.first), one.before, after)
