"""Silence: the limit computed a second way, and how often a habit is silent for so long although nothing is wrong."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abasto.watch.silent import LEAST_GAPS, UNKNOWN_LIMIT, silence

FIRST = date(2026, 9, 1)


def dates(gaps: list[int]) -> list[date]:
    """The dates of reports with these gaps between them."""
    found = [FIRST]
    for gap in gaps:
        found.append(found[-1] + timedelta(days=gap))
    return found


def limit(gaps: list[int]) -> int:
    """The days of silence that are still usual, step by step."""
    if len(gaps) < LEAST_GAPS:
        return UNKNOWN_LIMIT
    some = [*gaps, max(gaps) + 1]
    mean = sum(some) / len(some)
    variance = sum((gap - mean) ** 2 for gap in some) / len(some)
    days = max(2, *gaps)
    while days < mean + 3 * math.sqrt(variance) + 0.5:
        days += 1
    return days


@given(st.lists(st.integers(1, 9), max_size=30), st.integers(0, 60), st.integers(0, 2))
def test_it_is_silent_from_the_day_after_its_limit(gaps: list[int], after: int, lessons: int) -> None:
    reported = dates(gaps)
    day = reported[-1] + timedelta(days=after)
    told = silence(reported, day, lessons=lessons)
    # Nothing is known of `day` yet: the days without a report are those after the last one and before it.
    quiet_days = after - 1
    usual = limit(gaps) * (1 + lessons)
    assert (told is not None) == (quiet_days > usual)
    if told is not None:
        assert (told.last, told.usual) == (reported[-1], usual)
        assert told.since == reported[-1] + timedelta(days=usual + 1)


def test_who_never_reported_is_not_silent_here() -> None:
    assert silence([], FIRST) is None


@given(st.lists(st.integers(1, 9), max_size=30), st.integers(0, 30))
def test_since_does_not_move_while_it_stays_silent(gaps: list[int], more: int) -> None:
    reported = dates(gaps)
    day = reported[-1] + timedelta(days=limit(gaps) + 2)
    first, later = silence(reported, day), silence(reported, day + timedelta(days=more))
    assert first is not None
    assert first == later


@pytest.mark.parametrize("share", [0.95, 0.7, 0.4])
def test_sites_that_report_by_chance_are_called_silent_about_as_rarely_as_is_said(share: float) -> None:
    """400 sites report each day with a given probability for 84 days, and are then looked at for 30 more."""
    rng = np.random.default_rng(17)
    wrong, told = 0, []
    for _ in range(400):
        here = rng.random(114) < share
        was_silent = False
        for number in range(84, 114):
            reported = [FIRST + timedelta(days=int(one)) for one in np.flatnonzero(here[max(0, number - 84) : number])]
            found = silence(reported, FIRST + timedelta(days=min(number, 84)))
            if found is not None and not was_silent:
                wrong += 1
                told.append(found.by_chance)
            was_silent = found is not None
    stated = max(told, default=0.0)
    # A Poisson count has a standard deviation of √mean; three of them on top.
    assert wrong <= 400 * stated + 3 * math.sqrt(400 * stated) + 3
    assert wrong / 400 < 0.2
