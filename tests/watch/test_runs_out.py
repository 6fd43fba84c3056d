"""The chance that something runs out, beside drawn needs counted one by one, and what can be used, day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abasto.watch.runs_out import AHEAD, STATED_SPREAD, Lots, Outlook, runs_out

DAY = date(2026, 11, 23)
NEVER = -1.0
"""A chance from which on any outlook is told."""


def in_days(number: int) -> date:
    """The date so many days after DAY."""
    return DAY + timedelta(days=number)


def usable(lots: Lots, mean: Sequence[float], day: int) -> float:
    """What of the lots can be used over so many days: eaten day by day at the mean rate, the first to expire first.

    What a day wanted and did not find is eaten on the next days, as in the sums of the formula.
    """
    left = [[last, quantity] for last, quantity in lots]
    eaten, wanted = 0.0, 0.0
    for number in range(day):
        wanted += mean[number] - (mean[number - 1] if number else 0.0)
        for lot in left:
            if lot[0] is None or lot[0] >= in_days(number):
                bite = min(lot[1], wanted)
                lot[1] -= bite
                wanted -= bite
                eaten += bite
    return eaten + sum(lot[1] for lot in left if lot[0] is None or lot[0] >= in_days(day - 1))


def drawn(lots: Lots, arrivals: Mapping[int, float], outlook: Outlook, days: int) -> list[float]:
    """The share of 200,000 drawn needs that were not covered, by day; what is gone once is gone."""
    rng = np.random.default_rng(7)
    shares, until = [], 0.0
    for day in range(1, days + 1):
        need = rng.normal(outlook.mean[day - 1], outlook.sd[day - 1], size=200_000)
        there = usable(lots, outlook.mean, day) + sum(arrivals.get(one, 0.0) for one in range(1, day + 1))
        until = max(until, float(np.mean(need > there)))
        shares.append(until)
    return shares


CASES: dict[str, tuple[Lots, Mapping[int, float], list[float]]] = {
    "a little more than a week's need": ([(None, 72.0)], {}, [10.0] * AHEAD),
    "less than a week's need": ([(None, 45.0)], {}, [10.0] * AHEAD),
    "a truck in time": ([(None, 25.0)], {2: 30.0, 5: 30.0}, [10.0] * AHEAD),
    "a truck that comes too late": ([(None, 25.0)], {6: 300.0}, [10.0] * AHEAD),
    "a lot that expires before it is eaten": ([(in_days(1), 60.0), (None, 48.0)], {}, [10.0] * AHEAD),
    "needs that differ": ([(None, 66.0)], {3: 4.0}, [4.0, 2.0, 20.0, 0.0, 10.0, 25.0, 5.0]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_chance_and_the_dates_are_those_of_drawn_needs(name: str) -> None:
    lots, arrivals, needs = CASES[name]
    outlook = Outlook.stated(needs)
    shares = drawn(lots, arrivals, outlook, AHEAD)
    told = runs_out(lots, arrivals, outlook, DAY, likely=0.02)
    if max(shares) < 0.015:
        assert told is None
        return
    assert told is not None
    assert told.chance == pytest.approx(shares[-1], abs=0.005)
    assert told.likely == in_days(next(number for number, share in enumerate(shares) if share >= 0.02))
    late = next((in_days(number) for number, share in enumerate(shares) if share >= 0.95), None)
    assert told.late == late


def test_the_stated_spread_is_that_of_days_that_vary_by_themselves() -> None:
    needs = [4.0, 2.0, 20.0, 0.0, 10.0, 25.0, 5.0]
    outlook = Outlook.stated(needs)
    days = np.random.default_rng(3).normal(needs, STATED_SPREAD * np.array(needs), size=(200_000, len(needs)))
    totals = np.cumsum(days, axis=1)
    assert outlook.mean == pytest.approx(totals.mean(axis=0), rel=0.01)
    assert outlook.sd == pytest.approx(totals.std(axis=0), rel=0.01)


@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(-2, 8)), st.integers(0, 60)), max_size=4),
    st.lists(st.integers(0, 20), min_size=AHEAD, max_size=AHEAD),
    st.dictionaries(st.integers(1, AHEAD), st.integers(0, 40), max_size=3),
)
def test_without_spread_it_runs_out_where_eating_day_by_day_does(
    given_lots: list[tuple[int | None, int]], needs: list[int], arrivals: dict[int, int]
) -> None:
    in_order = sorted(given_lots, key=lambda lot: (lot[0] is None, lot[0] or 0))
    lots = [(None if last is None else in_days(last), float(quantity)) for last, quantity in in_order]
    mean = np.cumsum(needs).astype(float).tolist()
    some = {day: float(quantity) for day, quantity in arrivals.items()}
    missing = [
        mean[day - 1] - usable(lots, mean, day) - sum(some.get(one, 0.0) for one in range(1, day + 1))
        for day in range(1, AHEAD + 1)
    ]
    told = runs_out(lots, some, Outlook(tuple(mean), (0.0,) * AHEAD), DAY)
    first = next((day for day, short in enumerate(missing) if short > 1e-9), None)
    if first is None:
        assert told is None
    else:
        assert told is not None
        assert (told.chance, told.early, told.likely, told.late) == (1.0, *(in_days(first),) * 3)
        assert told.missing == pytest.approx(max(missing))


def test_what_has_to_last_for_fewer_days_is_asked_of_these_only() -> None:
    outlook = Outlook.stated([10.0] * AHEAD)
    assert runs_out([(None, 35.0)], {}, outlook, DAY, days=3) is None
    told = runs_out([(None, 35.0)], {}, outlook, DAY, days=4)
    assert told is not None
    assert told.likely == in_days(3)


def test_the_limit_is_met_by_what_is_just_as_likely() -> None:
    even = Outlook((10.0,), (3.0,))
    assert runs_out([(None, 10.0)], {}, even, DAY) is not None
    assert runs_out([(None, 10.1)], {}, even, DAY) is None
    assert runs_out([(None, 10.1)], {}, even, DAY, likely=0.4) is not None
