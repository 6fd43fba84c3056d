"""Since when something runs out: the same question asked on the days before, with what was known then.

What lay there and what was used is cut off before each day; what came is what orders of before that day promised.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from abasto.forecast import forecast
from abasto.state.observed import Observed
from abasto.watch.deliveries import days_to_last
from abasto.watch.runs_out import AHEAD, Outlook, runs_out, with_slack

if TYPE_CHECKING:
    from abasto.state.state import State

__all__ = ["MOST_DAYS", "stands_since"]

MOST_DAYS = 14
"""So far back it is asked; an alarm that stands for longer has been heard by everybody."""


def stands_since(state: State, seen: Observed, number: int, *, likely: float) -> date:
    """Return the first of the days up to `seen.day` on each of which the place with this number ran out."""
    site, good = seen.places[number]
    since = seen.day
    for back in range(1, MOST_DAYS + 1):
        day = seen.day - timedelta(days=back)
        use, closing = seen.use[number : number + 1, :-back], seen.closing[number, -back - 1]
        if use.shape[1] < 2 or np.isnan(closing) or not np.any(~np.isnan(use)):
            break
        course = forecast(use, AHEAD)
        outlook = Outlook(tuple(course.total_mean[0].tolist()), tuple(course.total_sd[0].tolist()))
        coming = _promised(state, site, good, day)
        days = days_to_last(seen.closing[number, :-back], use[0], float(course.level[0]), coming, most=AHEAD)
        told = runs_out(
            with_slack([(None, float(closing))], coming, outlook), coming, outlook, day, days=days, likely=likely
        )
        if told is None:
            break
        since = day
    return since


def _promised(state: State, site: str, good: str, day: date) -> dict[int, float]:
    """Return what orders of before a day promised for then and later, by day counted from it."""
    promised: dict[int, float] = {}
    for id in state.orders:
        order = state.orders[id]
        way = order.issued
        if way is None or way.to_site != site or way.date >= day.isoformat() or way.arrives < day.isoformat():
            continue
        if order.status == "cancelled":
            continue
        number = (date.fromisoformat(way.arrives) - day).days + 1
        for line in way.lines:
            if line.good == good:
                promised[number] = promised.get(number, 0.0) + line.quantity / 1000
    return promised
