"""The forecast of many series: mean, interval and cumulative spread of use a day.

Legend: n series, t past days, h coming days, m members; use in the good's unit a day.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from abasto.errors import SettingError
from abasto.forecast.members import FADING, Array
from abasto.forecast.smoothing import WEEK, Course, run
from abasto.forecast.spread import quantiles, spread_of

__all__ = ["Forecast", "forecast"]

BLOCK: Final = 256
"""Series worked on at once: what a block needs stays in a processor's cache, and memory does not grow with series."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What n series will use over h days, and how their past t days compared with what was foreseen each day.

    Use is in each good's unit a day. A series without a known day has mean, interval and totals 0 and `known` 0:
    nothing is foreseen of it, and whoever reads `known` sees that.
    """

    mean: Array
    """[n, h]"""
    low: Array
    """[n, h] with `high`, where a day's use lies with the wanted probability; never below 0."""
    high: Array
    """[n, h]"""
    total_mean: Array
    """[n, h] expected use over the first 1…h days together."""
    total_sd: Array
    """[n, h] standard deviation of that."""
    known: NDArray[np.int64]
    """[n] days whose use is known."""
    level: Array
    """[n] mean use a day over the coming week."""
    one_step: Array
    """[n, t] what was foreseen for each day from the days before it; NaN before the first known day."""
    slow: Array
    """[n, t] the same by the member that follows a change most slowly: use that keeps away from it has jumped."""
    scale: Array
    """[n, t] robust standard deviation of the one-step errors before each day; NaN in the first week known."""


def forecast(use: Array, days: int, *, coverage: float = 0.9) -> Forecast:
    """Return the forecast of `days` coming days of use [n, t], NaN where unknown.

    `coverage` is the probability with which a day's use shall lie between `low` and `high`. Raises `SettingError` for
    what is no use, and names its series and day.

    >>> import numpy as np
    >>> steady = forecast(np.full((1, 30), 20.0), 3)
    >>> steady.mean.round(9).tolist(), steady.high.round(9).tolist()
    ([[20.0, 20.0, 20.0]], [[20.0, 20.0, 20.0]])
    """
    past = np.asarray(use, dtype=np.float64)
    _require(past, days, coverage)
    blocks = [_block(past[at : at + BLOCK], days, coverage) for at in range(0, max(len(past), 1), BLOCK)]
    names = [field.name for field in fields(Forecast)]
    return Forecast(*(np.concatenate([getattr(block, name) for block in blocks]) for name in names))


def _require(use: Array, days: int, coverage: float) -> None:
    if use.ndim != 2:
        raise SettingError(f"use: {use.ndim} dimensions — give series × days, NaN where a day is unknown.")
    if days < 1:
        raise SettingError(f"days: {days} — give at least 1.")
    if not 0 < coverage < 1:
        raise SettingError(f"coverage: {coverage} — give a probability between 0 and 1, such as 0.9.")
    wrong = np.argwhere(np.isinf(use) | (use < 0))
    if len(wrong):
        series, day = (int(number) for number in wrong[0])
        raise SettingError(
            f"use, series {series}, day {day}: {use[series, day]:g} — use is a number from 0 on; give NaN if unknown."
        )


def _block(use: Array, days: int, coverage: float) -> Forecast:
    """Forecast one block of series."""
    course = run(use)
    each = _coming(course, use.shape[1], max(days, WEEK))
    mean = np.maximum(np.einsum("nm,nmh->nh", course.weights, each), 0.0)
    known = ~np.isnan(use)
    spread = spread_of(course, use, each, mean)
    low, high = quantiles(course, spread, coverage)
    return Forecast(
        mean=mean[:, :days],
        low=np.maximum(mean + low, 0.0)[:, :days],
        high=np.maximum(mean + high, 0.0)[:, :days],
        total_mean=np.cumsum(mean, axis=1)[:, :days],
        total_sd=spread.total_sd[:, :days],
        known=known.sum(axis=1),
        level=mean[:, :WEEK].mean(axis=1),
        one_step=course.one_step,
        slow=course.slow,
        scale=course.scale,
    )


def _coming(course: Course, t: int, h: int) -> Array:
    """Return each member's forecast [n, m, h]: l + (φ + … + φ^h)b + the weekday's s."""
    faded = np.cumsum(FADING[:, None] ** np.arange(1, h + 1), axis=1)
    weekdays = np.moveaxis(course.weekdays[(t + np.arange(h)) % WEEK], 0, 2)
    coming: Array = course.level[..., None] + course.slope[..., None] * faded + weekdays
    return coming
