"""For how long stock has to last: beside a site that is filled up every so many days, written as a plain loop."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abasto.state.observed import Floats
from abasto.watch.deliveries import LAST_GAPS, days_to_last

MOST = 7


def filled(deliveries: list[int], days: int) -> tuple[Floats, Floats]:
    """Stock at the end of each day, and use: 2 a day go, 40 come on each of the days (from 1 on)."""
    stock, closing = 200.0, []
    for number in range(days):
        stock += 40.0 * (number in deliveries) - 2.0
        closing.append(stock)
    return np.array(closing), np.full(days, 2.0)


def second(deliveries: list[int], days: int, coming: list[int]) -> int:
    """Today is day `days`, and what lies there has to last until the day before the next delivery is due."""
    if len(deliveries) < 2:
        return MOST
    gaps = [after - before for before, after in pairwise(deliveries)]
    longest = max(gaps[-LAST_GAPS:])
    last = max([*deliveries, *(days - 1 + one for one in coming if one <= MOST)])
    if last + longest < days:
        return MOST  # overdue: nobody knows when the next one comes
    left = 0
    for today in range(days, last + longest):
        left += today < last + longest
    return min(MOST, max(1, left))


@given(
    st.lists(st.integers(1, 9), max_size=12),
    st.integers(0, 12),
    st.lists(st.integers(1, 10), max_size=2),
)
def test_it_is_until_the_day_before_the_next_delivery_is_due(gaps: list[int], since: int, coming: list[int]) -> None:
    deliveries = np.cumsum(gaps).astype(int).tolist()
    days = (deliveries[-1] if deliveries else 1) + 1 + since
    closing, use = filled(deliveries, days)
    assert days_to_last(closing, use, 2.0, coming, most=MOST) == second(deliveries, days, coming)


@pytest.mark.parametrize("level", [0.0, -1.0])
def test_nothing_is_assumed_of_a_site_that_uses_nothing(level: float) -> None:
    closing, use = filled([4, 8, 12], 14)
    assert days_to_last(closing, use, level, (), most=MOST) == MOST


def test_what_comes_is_seen_although_use_is_not_written_down() -> None:
    closing, use = filled([4, 8, 12], 14)
    use[:] = np.nan
    assert days_to_last(closing, use, 2.0, (), most=MOST) == second([4, 8, 12], 14, [])


def test_little_that_comes_is_no_delivery() -> None:
    closing, use = filled([4, 8, 12], 14)
    assert days_to_last(closing, use, 50.0, (), most=MOST) == MOST
