"""Forecasts: one member computed plainly, honest intervals, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.watch import FAMILIES, WAYS, simulated

from abasto.errors import SettingError
from abasto.forecast import forecast
from abasto.forecast.members import SLOWEST

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
    assert one.mean[0].tolist() == [5.0] * 4
    assert one.high[0, 0] > 10
    assert one.total_mean[0, 1] == 10
    assert one.total_sd[0, 1] > 0


@pytest.mark.parametrize("value", [np.inf, -1.0])
def test_what_is_no_use_names_its_series(value: float) -> None:
    use = np.ones((3, 5))
    use[2, 4] = value
    with pytest.raises(SettingError, match="series 2, day 4"):
        forecast(use, 3)
