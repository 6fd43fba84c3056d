"""Run all members over a block of series, a day at a time, from the past alone.

A member forecasts a day as level + slope + weekday, and corrects each by its error e (ETS(A,Ad,A) in error-correction
form; Hyndman et al. 2008, section 3.4):

    forecast = l + φb + s        l ← l + φb + a·e        b ← φb + αβ·e        s ← s + g(1 − a)·e

Four things differ from the book, each for the sake of short and gappy series:

- a and g are α and γ only in the long run. a = 1 ÷ the known days so far, each counted (1 − α)^age, which is Wright's
  extension to irregular times (1986): the first days make a plain mean, and after a gap new days count for more. g is
  the same by weeks, with a prior count, so that a weekday known once or twice stays near the others.
- an error is clipped to 3 robust standard deviations before anything is corrected by it (Gelper, Fried and Croux 2010,
  section 3), so that one wild count does not become the level.
- the third such error running on the same side is not clipped: that is no outlier but a new course.
- where shocks pass (β < 0), what stays of one is the slowest member's a, so that the first days make a plain mean there
  too: αβ gives way to −(a − that) (1 − φ) ÷ φ.

Legend: n series, t days, m members; arrays are [n], [n, t] or [n, m]; use, levels and errors in the good's unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from abasto.forecast.members import ALPHA, BETA, FADING, GAMMA, MEMBERS, PASSING, SLOWEST, WEEKLY, Array, weights_of

__all__ = ["WEEK", "Course", "run"]

WEEK: Final = 7
CLIP: Final = 3.0
"""Errors beyond so many robust standard deviations are clipped."""
MEAN_TO_SD: Final = 1.2533
"""Standard deviation ÷ mean absolute deviation of a normal distribution, √(π/2)."""
SCALE_GAIN: Final = 0.05
"""The share of the newest error in the running scale: about 20 days' memory."""
TRIED: Final = 7
"""Known days before errors count: for the scale to clip by, and for the members' weights."""
RUNNING: Final = 3
"""So many wild errors on one side in a row are a new course."""
WEEKDAY_PRIOR: Final = 1.0
"""Days without any weekday effect that each weekday is assumed to have seen."""
LATE: Final = 1.0
"""What a squared error a week ahead weighs against one a day ahead."""
FORGET: Final = 0.5 ** (1 / 240)
"""What a squared error's weight loses a day: half in 240 days."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a block of series went: forecasts of each day from the days before it, and the members' last states.

    NaN in `one_step`, `slow` and `scale` where too little was known; in `week_ahead` also on days without a known use.
    """

    one_step: Array
    """[n, t] the ensemble's forecast of each day."""
    slow: Array
    """[n, t] the same by the slowest member."""
    scale: Array
    """[n, t] robust standard deviation of the ensemble's errors before each day."""
    week_ahead: Array
    """[n, t] error of the ensemble's forecast made a week before each day."""
    level: Array
    """[n, m]"""
    slope: Array
    """[n, m]"""
    weekdays: Array
    """[7, n, m] by position in the week, day 0 of the series first."""
    gain: Array
    """[n, m] a: the share of the last known day in the level."""
    weekday_gain: Array
    """[n, m] g(1 − a), on average over the weekdays."""
    weights: Array
    """[n, m]"""


def run(use: Array) -> Course:
    """Return the course of a block of series [n, t], NaN where unknown."""
    n, t = use.shape
    known = ~np.isnan(use)
    level, slope, counted = (np.zeros((n, MEMBERS)) for _ in range(3))
    weekdays, told = np.zeros((WEEK, n, MEMBERS)), np.full((WEEK, n, MEMBERS), WEEKDAY_PRIOR)
    losses, promised = np.zeros((n, MEMBERS)), np.zeros((WEEK, n, MEMBERS))
    weights = weights_of(losses)
    seen, deviation, wild = np.zeros(n), np.zeros(n), np.zeros(n)
    one_step, slow, scale, ahead = (np.full((n, t), np.nan) for _ in range(4))
    rise = FADING * (1 - FADING**WEEK) / (1 - FADING)  # Σ φ^i, i = 1…7
    keep_level, keep_weekday = 1 - ALPHA, 1 - GAMMA
    slope_gain, back = np.where(PASSING, 0.0, ALPHA * BETA), np.where(PASSING, (1 - FADING) / FADING, 0.0)
    for day in range(t):
        place, here = day % WEEK, known[:, day]
        base = level + FADING * slope
        each = base + weekdays[place]
        mean = np.einsum("nm,nm->n", weights, each)
        one_step[:, day] = np.where(seen > 0, mean, np.nan)
        slow[:, day] = np.where(seen > 0, each[:, SLOWEST], np.nan)
        scale[:, day] = np.where(seen >= TRIED, MEAN_TO_SD * deviation, np.nan)
        value = np.where(here, use[:, day], mean)
        limit, wild = _limit(value - mean, here, deviation, seen, wild)
        error = np.where(here[:, None], value[:, None] - each, 0.0)
        clipped = np.clip(error, -limit[:, None], limit[:, None])

        arrived = here[:, None]
        counted = counted * keep_level + arrived
        told[place] = told[place] * np.where(seen[:, None] > 0, keep_weekday, 1.0) + arrived
        gain = np.where(arrived, 1 / np.maximum(counted, 1.0), 0.0)
        turn = slope_gain - back * (gain - gain[:, SLOWEST, None])
        slope = FADING * slope + np.where(seen > 0, 1.0, 0.0)[:, None] * turn * clipped
        level = base + gain * clipped
        weekdays[place] += WEEKLY * (1 - gain) / told[place] * clipped

        late = np.where(arrived, use[:, day : day + 1] - promised[place], 0.0)
        losses *= FORGET
        losses += np.where(seen >= TRIED, 1.0, 0.0)[:, None] * error**2
        losses += np.where(seen >= 2 * TRIED, LATE, 0.0)[:, None] * late**2
        weights = weights_of(losses)
        deviation = _deviation(deviation, np.minimum(np.abs(value - mean), 2 * limit), here, seen)
        seen = seen + here
        if day + WEEK < t:
            promised[place] = level + rise * slope + weekdays[place]
            coming = np.einsum("nm,nm->n", weights, promised[place])
            ahead[:, day + WEEK] = np.where(seen >= RUNNING, use[:, day + WEEK] - coming, np.nan)
    last = np.divide(1.0, counted, out=np.ones_like(counted), where=counted > 0)
    week_gain = WEEKLY * (1 - np.minimum(last, 1.0)) * (1 / told).mean(axis=0)
    return Course(one_step, slow, scale, ahead, level, slope, weekdays, np.minimum(last, 1.0), week_gain, weights)


def _limit(error: Array, here: NDArray[np.bool_], deviation: Array, seen: Array, wild: Array) -> tuple[Array, Array]:
    """Return what errors are clipped to [n], and how many wild ones ran up to today, negative if below."""
    bound = np.where(seen >= TRIED, CLIP * MEAN_TO_SD * deviation, np.inf)
    side = np.sign(error) * (np.abs(error) > bound)
    longer = np.where(side * wild > 0, wild + side, side)
    wild = np.where(here, longer, wild)
    return np.where(np.abs(wild) >= RUNNING, np.inf, bound), wild


def _deviation(deviation: Array, size: Array, here: NDArray[np.bool_], seen: Array) -> Array:
    """Return the mean absolute error so far: a plain mean at first, then with SCALE_GAIN; the first day has none."""
    gain = np.maximum(SCALE_GAIN, 1 / np.maximum(seen, 1.0))
    return np.where(here & (seen > 0), deviation + gain * (size - deviation), deviation)
