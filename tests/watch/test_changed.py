"""Rates that left their course, beside a plain loop over one number after the other; and what a planted step gives."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from abasto.forecast import forecast
from abasto.state.observed import OBSERVED_DAYS, Floats, Observed
from abasto.watch.changed import HIGHER_PER_LESSON, LEAST_KNOWN, LIMIT, MOST_Z, NOTICES, SLACK, TOLD, Change, changes

TODAY = date(2027, 3, 29)
DAYS = OBSERVED_DAYS


def seen_of(use: Floats) -> Observed:
    places = tuple((f"Site {number}", "flour") for number in range(len(use)))
    return Observed(TODAY, places, use, np.full(use.shape, np.nan), {})


def plain(use: list[float], lessons: int) -> tuple[str, int] | None:
    """Walk through one series number by number; return in which direction it went last and since which column."""
    first_day = TODAY.toordinal() - DAYS
    fixed = [column for column in range(DAYS - NOTICES + TOLD) if (first_day + column) % TOLD == 0]
    told, heard = None, -1
    for begin in fixed[-2:]:
        start = begin
        while True:
            kept = [value if column >= start else math.nan for column, value in enumerate(use)]
            kept = kept[begin : begin + NOTICES]
            course = forecast(np.array([kept]), 7)
            passed = walk(kept, course.slow[0].tolist(), course.scale[0].tolist(), LIMIT + HIGHER_PER_LESSON * lessons)
            if passed is None:
                break
            kind, start, noticed = passed[0], begin + passed[1], begin + passed[2]
            if start <= heard:
                continue
            heard = noticed
            later = np.nanmean(use[start:]) - np.nanmean(course.slow[0, start - begin :])
            if DAYS - noticed <= TOLD and (later > 0) == (kind == "jumped") and later != 0:
                told = kind, start
    return told


def walk(use: list[float], slow: list[float], scale: list[float], limit: float) -> tuple[str, int, int] | None:
    """Return the first sum of errors that passes the limit: its direction, since which column, and on which."""
    passed = []
    for kind, sign in (("jumped", 1), ("collapsed", -1)):
        total, known_days, since, normal = 0.0, 0, 0, 1.0
        for column, (value, expected, spread) in enumerate(zip(use, slow, scale, strict=True)):
            known_days += not math.isnan(value)
            if math.isnan(value) or known_days <= LEAST_KNOWN or not spread > 0:
                if total == 0.0:
                    since = column + 1
                continue
            if total == 0.0:
                normal = spread
            z = max(-MOST_Z, min(MOST_Z, sign * (value - expected) / normal))
            total = max(0.0, total + z - SLACK)
            if total == 0.0:
                since = column + 1
            if total > limit:
                passed.append((kind, since, column))
                break
    return min(passed, key=lambda one: one[2], default=None)


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
    use = many(np.random.default_rng(11), 120)
    seen = seen_of(use)
    found = changes(seen, np.full(len(use), learned, dtype=np.int64))
    told = {number: (one.kind, (one.since - seen.first).days) for number, one in found.items()}
    walked = {number: plain(use[number].tolist(), learned) for number in range(len(use))}
    assert told == {number: one for number, one in walked.items() if one is not None}
    assert {kind for kind, _ in told.values()} == {"jumped", "collapsed"}
    assert len(told) < len(use) / 2


def alone(use: Floats) -> Change | None:
    return changes(seen_of(use[None]), np.zeros(1, dtype=np.int64)).get(0)


@pytest.mark.parametrize(("factor", "kind"), [(2.0, "jumped"), (0.3, "collapsed")])
def test_a_planted_step_is_found_within_a_week_and_dated_about_right(factor: float, kind: str) -> None:
    rng = np.random.default_rng(5)
    off = []
    for _ in range(20):
        use = 50 * rng.gamma(25, 1 / 25, size=DAYS)
        use[-7:] *= factor
        change = alone(use)
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
    assert alone(use) is None


def test_a_young_course_is_not_known() -> None:
    young = np.full(DAYS, np.nan)
    young[-LEAST_KNOWN:] = 50 * np.random.default_rng(4).gamma(25, 1 / 25, size=LEAST_KNOWN)
    young[-5:] *= 3
    assert alone(young) is None


def test_a_site_without_any_use_gives_nothing() -> None:
    assert alone(np.zeros(DAYS)) is None
    assert alone(np.full(DAYS, np.nan)) is None


STEP_ON, LATER = DAYS, 50


def steps(rng: np.random.Generator, number: int, *factors: tuple[int, float]) -> Floats:
    """Series of use around 50 that are watched for LATER days after 84; each factor holds from its column on."""
    use = 50 * rng.gamma(25, 1 / 25, size=(number, DAYS + LATER))
    for column, factor in factors:
        use[:, column:] *= factor
    return use


def morning(use: Floats, day: int) -> dict[int, Change]:
    """What is told of the series so many days after TODAY."""
    past = use[:, day : day + DAYS]
    seen = Observed(TODAY + timedelta(days=day), (), past, past, {})
    return changes(seen, np.zeros(len(use), dtype=np.int64))


def mornings(use: Floats) -> list[dict[int, Change]]:
    """What is told of the series on TODAY and each of the LATER mornings after it."""
    return [morning(use, day) for day in range(LATER + 1)]


def episodes(told: list[dict[int, Change]], series: int) -> list[tuple[str, int, int]]:
    """Each alarm of a series by kind and since: how many days after TODAY that is, and on how many mornings told."""
    counted = Counter((one[series].kind, (one[series].since - TODAY).days) for one in told if series in one)
    return [(kind, since, times) for (kind, since), times in counted.items()]


def test_a_change_is_told_for_two_weeks_then_it_is_the_normal_course() -> None:
    rng = np.random.default_rng(21)
    told = mornings(np.concatenate([steps(rng, 24, (STEP_ON, 2.0)), steps(rng, 24, (STEP_ON, 0.4))]))
    again, since = 0, []
    for series in range(48):
        begun = episodes(told, series)
        assert begun[0][0] == ("jumped" if series < 24 else "collapsed")
        since.append(begun[0][1])
        heard = [day for day, one in enumerate(told) if series in one]
        assert heard[0] <= 7
        assert heard[:TOLD] == list(range(heard[0], heard[0] + TOLD))
        again += len(begun) - 1
    assert np.median(since) == pytest.approx(0, abs=1)
    assert max(since) <= 3
    # A course of two weeks is known less well than one of two months.
    assert again <= 4


@pytest.mark.parametrize(("second", "kind"), [(1.8, "jumped"), (0.5, "collapsed")])
@pytest.mark.parametrize("days", [16, 30])
def test_a_second_change_is_heard_with_its_own_since(second: float, kind: str, days: int) -> None:
    use = steps(np.random.default_rng(22), 24, (STEP_ON, 2.0), (STEP_ON + days, second))
    first, then = morning(use, 7), morning(use, days + 12)
    assert {one.kind for one in first.values()} == {"jumped"}
    heard = [number for number, one in then.items() if one.kind == kind]
    assert len(first) == 24
    assert len(heard) >= 22
    for number in heard:
        assert then[number].since >= first[number].since + timedelta(days=LEAST_KNOWN)
    assert np.median([(then[number].since - TODAY).days for number in heard]) == pytest.approx(days, abs=1)


def test_what_was_told_stays_as_it_was_while_days_are_added() -> None:
    use = steps(np.random.default_rng(23), 40, (STEP_ON + 5, 1.6))
    use[::2, STEP_ON + 25 :] *= 1.6
    use[np.random.default_rng(24).random(use.shape) < 0.2] = np.nan
    told = mornings(use)
    for before, now in pairwise(told):
        for series in before.keys() & now.keys():
            if now[series].since != before[series].since:
                assert now[series].since >= before[series].since + timedelta(days=LEAST_KNOWN)
    lasted = [times for series in range(40) for _, _, times in episodes(told, series)]
    assert len(lasted) >= 55
    # Where two pasts notice the same change within the days on which one hands over to the other, it is told longer.
    assert sum(times > TOLD for times in lasted) <= 4
    assert max(lasted) <= TOLD + 7


def test_days_that_are_missing_neither_hide_a_change_nor_keep_it() -> None:
    use = steps(np.random.default_rng(25), 12, (STEP_ON, 2.0))
    use[np.random.default_rng(26).random(use.shape) < 0.4] = np.nan
    use[6:, STEP_ON + 14 :] = np.nan  # silent from then on
    told = mornings(use)
    for series in range(12):
        heard = [day for day, one in enumerate(told) if series in one]
        assert 3 <= heard[0] <= 14
        assert heard[:TOLD] == list(range(heard[0], heard[0] + TOLD))
        assert len(heard) == TOLD or series < 6
        assert -14 <= (told[heard[0]][series].since - TODAY).days <= 5
