"""Rates that left their course, beside a plain loop over one number after the other; and what a planted step gives."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest

from abasto.forecast import Forecast, forecast
from abasto.state.observed import Floats, Observed
from abasto.watch.changed import HIGHER_PER_LESSON, LEAST_KNOWN, LIMIT, MOST_Z, RECENT, SLACK, Change, changes

TODAY = date(2027, 3, 29)
DAYS = 84


def seen_of(use: Floats) -> Observed:
    places = tuple((f"Site {number}", "flour") for number in range(len(use)))
    return Observed(TODAY, places, use, np.full(use.shape, np.nan), {})


def plain(use: list[float], slow: list[float], scale: list[float], lessons: int) -> tuple[str, int] | None:
    """Walk through one series number by number; return in which direction it went and since which column."""
    found = None
    for kind, sign in (("jumped", 1), ("collapsed", -1)):
        total, known_days, since, normal = 0.0, 0, 0, 1.0
        for column, (value, expected, spread) in enumerate(zip(use, slow, scale, strict=True)):
            if math.isnan(value) or math.isnan(expected) or not spread > 0:
                if total == 0.0:
                    since = column + 1
                continue
            known_days += 1
            if known_days <= LEAST_KNOWN:
                since = column + 1
                continue
            if total == 0.0:
                normal = spread
            z = max(-MOST_Z, min(MOST_Z, sign * (value - expected) / normal))
            total = max(0.0, total + z - SLACK)
            if total == 0.0:
                since = column + 1
        if total > LIMIT + HIGHER_PER_LESSON * lessons:
            later = [one for one in use[since:] if not math.isnan(one)]
            expected = [one for one in slow[since:] if not math.isnan(one)]
            is_fresh = any(not math.isnan(one) for one in use[since:][-RECENT:])
            if is_fresh and sign * (sum(later) / len(later) - sum(expected) / len(expected)) > 0:
                found = (kind, since)
    return found


def many(rng: np.random.Generator, number: int) -> Floats:
    """Series of which some jump, some collapse and some do neither, with gaps and days without use."""
    base = np.exp(rng.uniform(1, 5, size=(number, 1)))
    noise = rng.uniform(0.1, 0.6, size=(number, 1))
    use = base * rng.gamma(noise**-2, noise**2, size=(number, DAYS))
    for row in range(number):
        factor = (1.0, 2.0, 0.4)[row % 3]
        use[row, rng.integers(30, DAYS) :] *= factor
    use[rng.random(use.shape) < 0.15] = np.nan
    use[rng.random(use.shape) < 0.1] = 0.0
    return np.round(use, 1)


@pytest.mark.parametrize("learned", [0, 2])
def test_it_is_what_a_plain_loop_finds(learned: int) -> None:
    use = many(np.random.default_rng(11), 240)
    seen, course = seen_of(use), forecast(use, 7)
    found = changes(seen, course, np.full(len(use), learned, dtype=np.int64))
    told = {number: (one.kind, (one.since - seen.first).days) for number, one in found.items()}
    expected = {}
    for number in range(len(use)):
        one = plain(use[number].tolist(), course.slow[number].tolist(), course.scale[number].tolist(), learned)
        if one is not None:
            expected[number] = one
    assert told == expected
    assert {kind for kind, _ in told.values()} == {"jumped", "collapsed"}
    assert len(told) < len(use) / 2


def alone(use: Floats) -> tuple[Change | None, Forecast]:
    course = forecast(use[None], 7)
    return changes(seen_of(use[None]), course, np.zeros(1, dtype=np.int64)).get(0), course


@pytest.mark.parametrize(("factor", "kind"), [(2.0, "jumped"), (0.3, "collapsed")])
def test_a_planted_step_is_found_within_a_week_and_dated_about_right(factor: float, kind: str) -> None:
    rng = np.random.default_rng(5)
    off = []
    for _ in range(20):
        use = 50 * rng.gamma(25, 1 / 25, size=DAYS)
        use[-7:] *= factor
        change, _ = alone(use)
        assert change is not None
        assert change.kind == kind
        off.append((change.since - (TODAY - timedelta(days=7))).days)
        assert change.before == pytest.approx(50, rel=0.3)
        assert abs(change.after - 50) > 0.5 * abs(50 * factor - 50)
    # Errors that by chance lie on the same side before the step are counted to it: it is dated early, not late.
    assert abs(np.median(off)) <= 1
    assert max(off) <= 1


def test_one_wild_number_rings_nothing() -> None:
    use = 50 * np.random.default_rng(2).gamma(25, 1 / 25, size=DAYS)
    use[-1] = 5000.0
    assert alone(use)[0] is None


def test_a_young_course_is_not_known_and_an_old_change_is_history() -> None:
    rng = np.random.default_rng(4)
    young = np.full(DAYS, np.nan)
    young[-LEAST_KNOWN:] = 50 * rng.gamma(25, 1 / 25, size=LEAST_KNOWN)
    young[-5:] *= 3
    assert alone(young)[0] is None
    old = 50 * rng.gamma(25, 1 / 25, size=DAYS)
    old[-RECENT - 10 :] *= 2
    assert alone(old)[0] is not None
    old[-RECENT:] = np.nan
    assert alone(old)[0] is None


def test_a_site_without_any_use_gives_nothing() -> None:
    assert alone(np.zeros(DAYS))[0] is None
    assert alone(np.full(DAYS, np.nan))[0] is None
