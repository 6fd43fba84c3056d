"""A rate that jumped or collapsed: use keeps away from its normal course, day after day.

Two cumulative sums (Page 1954) of the standardised errors z of a slow forecast: up(t) = max(0, up(t−1) + z(t) − SLACK),
down likewise; one that passes LIMIT has left its course on the day after it last was zero. Errors are cut at ±MOST_Z,
so that one wrong number alone rings nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from abasto.forecast import Forecast
from abasto.state.observed import Observed

__all__ = ["BY_CHANCE", "LIMIT", "Change", "changes"]

SLACK = 0.5
"""Half the change that is to be found soon, in standard deviations of a day's error."""
LIMIT = 7.0
HIGHER_PER_LESSON = 1.5
MOST_Z = 3.0
LEAST_KNOWN = 14
"""A course is known after so many days."""
BY_CHANCE = 0.025
"""Alarms of one quiet series a month (30 days): of 2,400 simulated ones, by benchmarks/watch_alarms.py."""
RECENT = 14
"""A change that was over before so many days is history."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """Use that left its course: upwards or downwards, since when, and the rates a day before and after."""

    kind: Literal["jumped", "collapsed"]
    since: date
    before: float
    after: float


def changes(seen: Observed, course: Forecast, lessons: NDArray[np.int64]) -> dict[int, Change]:
    """Return the series that have left their course, by their number; `lessons` raises the limit of each."""
    known = ~np.isnan(seen.use) & ~np.isnan(course.slow) & (course.scale > 0)
    error = np.where(known, seen.use - course.slow, 0.0)
    ripe = np.cumsum(known, axis=1) > LEAST_KNOWN
    limit = LIMIT + HIGHER_PER_LESSON * lessons
    found: dict[int, Change] = {}
    for sign in (1.0, -1.0):
        total, scale, zero_on = np.zeros(len(error)), np.ones(len(error)), np.full(len(error), -1)
        for number in range(error.shape[1]):
            here = known[:, number] & ripe[:, number]
            # A change makes errors larger; how large they are in the normal course is what counts, from before it.
            scale = np.where(here & (total <= 0), course.scale[:, number], scale)
            z = np.clip(sign * error[:, number] / scale, -MOST_Z, MOST_Z)
            total = np.where(here, np.maximum(0.0, total + z - SLACK), total)
            zero_on = np.where(total <= 0, number, zero_on)
        for series in np.flatnonzero(total > limit).tolist():
            change = _change(seen, course, series, int(zero_on[series]) + 1, sign)
            if change is not None:
                found[series] = change
    return found


def _change(seen: Observed, course: Forecast, series: int, first: int, sign: float) -> Change | None:
    """Return the change of a series since a column, None if what followed was no more than what was before."""
    after = seen.use[series, first:]
    if not np.any(~np.isnan(after[-RECENT:])):
        return None
    before = float(np.nanmean(course.slow[series, first:]))
    rate = float(np.nanmean(after))
    if sign * (rate - before) <= 0:
        return None
    return Change("jumped" if sign > 0 else "collapsed", seen.first + timedelta(days=first), before, rate)
