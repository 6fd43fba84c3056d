"""Silence: a site that has reported nothing for longer than it ever did.

Its limit is the longest gap between reports so far, or the mean gap and three standard deviations where that is more.
Of n gaps the next one is the longest with a chance of 1 ÷ (n + 1) whatever their distribution; with a tail that falls
off exponentially, as where each day is reported by chance, one is longer than x with exp(−(x − mean) ÷ sd).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

__all__ = ["LEAST_GAPS", "Silence", "silence"]

UNKNOWN_LIMIT = 7
"""Days of silence that are too many where a site's own habit is not known yet."""
LEAST_LIMIT = 2
LEAST_GAPS = 5
DEVIATIONS = 3.0
MONTH_DAYS = 30


@dataclass(frozen=True, slots=True)
class Silence:
    """A site reported last on `last`, and is silent since `since`: its longest gap, `usual` days, was over then.

    `by_chance` is how often a month a site with its habit is silent for so long although nothing is the matter.
    """

    last: date
    since: date
    usual: int
    by_chance: float


def silence(reported: Sequence[date], day: date, *, lessons: int = 0) -> Silence | None:
    """Return the silence of a site that reported on these dates, sorted, as of the start of `day`; None if it is none.

    >>> silence([date(2026, 11, 2 + 3 * n) for n in range(8)], date(2026, 11, 30)).since
    datetime.date(2026, 11, 29)
    """
    if not reported:
        return None
    gaps = [(after - before).days for before, after in pairwise(reported)]
    is_known = len(gaps) >= LEAST_GAPS
    # One gap that is a day longer than all others is counted in: it can come, though it has not yet.
    some = [*gaps, max(gaps) + 1] if is_known else [UNKNOWN_LIMIT]
    mean, sd = statistics.fmean(some), statistics.pstdev(some)
    usual = max(LEAST_LIMIT, *gaps, math.ceil(mean + DEVIATIONS * sd + 0.5)) if is_known else UNKNOWN_LIMIT
    usual *= 1 + lessons
    since = reported[-1] + timedelta(days=usual + 1)
    if since >= day:
        return None
    tail = math.exp(-(usual - mean) / sd) if sd > 0 else 1.0
    return Silence(reported[-1], since, usual, MONTH_DAYS / mean * min(tail, 1 / (len(gaps) + 1)))
