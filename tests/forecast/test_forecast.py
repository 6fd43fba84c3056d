"""Forecasts: one member computed plainly, honest intervals, and what must not matter."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from benchmarks.watch import FAMILIES, WAYS, published, simulated

from abasto.errors import SettingError
from abasto.forecast import forecast
from abasto.forecast.members import ALPHA, FADING, LASTING, PASSING, SLOWEST, WEEKLY
from abasto.forecast.smoothing import run

pytestmark = pytest.mark.filterwarnings("error")


def slowest_by_hand(use: list[float]) -> list[float]:
    """Forecast each day by α = 0.02, no slope, fixed weekdays; nothing is clipped in a series without wild days."""
    assert SLOWEST >= 0
    level, counted = 0.0, 0.0
    weekdays, told, foreseen = [0.0] * 7, [1.0] * 7, []
    for day, value in enumerate(use):
        place = day % 7
        foreseen.append(level + weekdays[place] if counted else float("nan"))
        counted *= 0.98
        if np.isnan(value):
            continue
        error = value - level - weekdays[place]
        counted += 1
        told[place] += 1
        level += error / counted
        weekdays[place] += (1 - 1 / counted) / told[place] * error
    return foreseen


def test_slowest_member_is_what_a_plain_loop_makes_of_it() -> None:
    rng = np.random.default_rng(1)
    use = 100 + rng.uniform(-10, 10, size=90)
    use[rng.random(90) < 0.3] = np.nan
    np.testing.assert_allclose(forecast(use[None], 3).slow[0], slowest_by_hand(use.tolist()), rtol=1e-9)


def passing_by_hand(use: list[float], alpha: float, fading: float) -> tuple[float, float]:
    """Return where a series rests and how far it is from there, by two sums of their own, for α and φ of a member."""
    rest, away, slow, fast = 0.0, 0.0, 0.0, 0.0
    for value in use:
        away *= fading
        slow, fast = slow * (1 - LASTING), fast * (1 - alpha)
        if np.isnan(value):
            continue
        error = value - rest - away
        slow, fast = slow + 1, fast + 1
        rest += error / slow
        away += (1 / fast - 1 / slow) * error
    return rest, away


def test_shock_that_passes_is_what_stays_and_a_part_that_fades() -> None:
    rng = np.random.default_rng(2)
    use = 100 + rng.uniform(-10, 10, size=60)
    use[rng.random(60) < 0.3] = np.nan
    course = run(use[None])
    members = np.flatnonzero(PASSING & (WEEKLY == 0))
    assert len(members)
    for member in members:
        rest, away = passing_by_hand(use.tolist(), ALPHA[member], FADING[member])
        for day in (1, 2, 9):
            faded = (FADING[member] ** np.arange(1, day + 1)).sum()
            told = course.level[0, member] + faded * course.slope[0, member]
            assert told == pytest.approx(rest + away * FADING[member] ** day)


def test_use_that_swings_back_is_foreseen_to_do_so() -> None:
    shocks = np.random.default_rng(3).normal(size=(20, 300))
    away = np.zeros((20, 300))
    for day in range(1, 300):
        away[:, day] = 0.7 * away[:, day - 1] + shocks[:, day]
    told = forecast(100 + 5 * away, 14)
    far = np.abs(away[:, -1]) > 1
    assert far.sum() >= 5
    left = ((told.mean - 100) / (5 * away[:, -1:]))[far]
    assert 0.4 < np.median(left[:, 0]) < 0.9
    assert abs(np.median(left[:, 13])) < 0.2


def test_smooth_course_is_followed_for_a_fortnight() -> None:
    line = 50 + 2.0 * np.arange(80.0)
    curve = 100 + 40 * np.sin(np.arange(80.0) / 25)
    told = forecast(np.stack([line[:66], curve[:66]]), 14)
    assert abs(told.mean[0, 13] - line[79]) < 0.2 * 28
    assert np.abs(told.mean[1] - curve[66:]).mean() < 0.5 * np.abs(curve[65] - curve[66:]).mean()


@pytest.mark.parametrize("way", WAYS)
def test_interval_covers_what_it_says_on_every_family(way: str) -> None:
    series = simulated(150, way, seed=23)
    told = forecast(np.stack([one.past for one in series]), 14)
    after = np.stack([one.after for one in series])
    within = ((after >= told.low - 1e-9) & (after <= told.high + 1e-9)).mean(axis=1)
    for name in FAMILIES:
        covered = within[[one.group == name for one in series]].mean()
        assert 0.82 <= covered <= 0.96, (name, covered)
    assert 0.85 <= within.mean() <= 0.95


def test_published_series_keep_within_their_interval_and_nearer_than_last_week() -> None:
    for package in ("statsmodels", "vega_datasets"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed; uv run --group benchmarks pytest runs this test too")
    series = published()
    past = np.full((len(series), 730), np.nan)
    for row, one in zip(past, series, strict=True):
        row[len(row) - len(one.past) :] = one.past
    after, scale = np.stack([one.after for one in series]), np.array([one.week_apart for one in series])
    told = forecast(past, 14)
    within = np.where(np.isnan(after), np.nan, (after >= told.low - 1e-9) & (after <= told.high + 1e-9))
    ours = np.nanmean(np.abs(told.mean - after), axis=1) / scale
    week = np.nanmean(np.abs(np.tile(past[:, -7:], 2) - after), axis=1) / scale
    groups = np.array([one.group for one in series])
    rows = [groups == group for group in dict.fromkeys(groups)]
    assert len(rows) == 15
    assert 0.85 <= np.mean([np.nanmean(within[row]) for row in rows]) <= 0.95
    assert np.mean([ours[row].mean() for row in rows]) < 0.8 * np.mean([week[row].mean() for row in rows])


def test_forecast_scales_with_the_unit() -> None:
    past = np.stack([one.past for one in simulated(3, WAYS[1], seed=5)])
    one, thousand = forecast(past, 9), forecast(past * 1000, 9)
    for name in ("mean", "low", "high", "total_mean", "total_sd", "one_step", "slow", "scale"):
        np.testing.assert_allclose(getattr(thousand, name), 1000 * getattr(one, name), rtol=1e-6, atol=1e-6)


def test_what_was_foreseen_does_not_depend_on_what_came_later() -> None:
    past = np.stack([one.past for one in simulated(2, WAYS[1], seed=6)])
    whole, part = forecast(past, 3), forecast(past[:, :200], 3)
    for name in ("one_step", "slow", "scale"):
        np.testing.assert_array_equal(getattr(whole, name)[:, :200], getattr(part, name))


def test_unknown_days_in_front_change_nothing() -> None:
    past = np.stack([one.past for one in simulated(1, WAYS[0], seed=7)])[:, :60]
    later = forecast(np.hstack([np.full((len(past), 14), np.nan), past]), 5)
    np.testing.assert_allclose(later.mean, forecast(past, 5).mean, rtol=1e-9)


def test_little_or_nothing_known() -> None:
    none, zero, one = (
        forecast(np.full((1, 9), np.nan), 4),
        forecast(np.zeros((1, 9)), 4),
        forecast(np.array([[5.0]]), 4),
    )
    assert (none.known[0], zero.known[0], one.known[0]) == (0, 9, 1)
    for told in (none, zero):
        assert not told.mean.any()
        assert not told.high.any()
    assert one.mean[0] == pytest.approx([5.0] * 4)
    assert one.high[0, 0] > 10
    assert one.total_mean[0, 1] == pytest.approx(10)
    assert one.total_sd[0, 1] > 0


@pytest.mark.parametrize("value", [np.inf, -1.0])
def test_what_is_no_use_names_its_series(value: float) -> None:
    use = np.ones((3, 5))
    use[2, 4] = value
    with pytest.raises(SettingError, match="series 2, day 4"):
        forecast(use, 3)
