"""When the next delivery is due: a site that is filled up every few days is not about to run out on the day before.

What was used is added to how the stock changed; a day on which more than a day's use came in is a delivery. As long as
the next one is not overdue, by the longest of the last gaps between them, what lies there need only last until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["days_to_last"]

LAST_GAPS = 6
LEAST_DELIVERIES = 2
Floats = NDArray[np.float64]


def days_to_last(closing: Floats, use: Floats, level: float, coming: Iterable[int], *, most: int) -> int:
    """Return for how many days from today on what lies there has to last; `most` where no habit is known.

    `closing` and `use` are those of the days before today, `level` is the mean use a day, and `coming` are the days,
    counted from 1 = today, on which something is known to come.

    >>> filled = np.array([8.0, 6, 4, 2, 8, 6, 4, 2, 8, 6, 4, 2, 8, 6])
    >>> days_to_last(filled, np.full(14, 2.0), 2.0, (), most=7)
    2
    """
    came = np.flatnonzero(np.diff(closing) + np.nan_to_num(use[1:]) > level) + 1
    days = [int(day) - len(closing) + 1 for day in came]  # counted from 1 = today: yesterday is 0
    if level <= 0 or len(days) < LEAST_DELIVERIES:
        return most
    gap = max(_gaps(days))
    last = max([*days, *(day for day in coming if day <= most)])
    due = last + gap
    return most if due < 1 else min(most, max(1, due - 1))


def _gaps(days: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise(days)][-LAST_GAPS:]
