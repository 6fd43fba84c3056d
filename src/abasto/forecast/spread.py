"""How far use may fall from its forecast: by its own errors so far, and wider when little is known.

A coming error at day h is the newest shock plus what each earlier one leaves behind, Σ ψ_j ε (Hyndman et al. 2008,
section 6.1 and table 6.2, class 1), with

    ψ_0 = 1,  ψ_j = α + αβ(φ + … + φ^j) + γ(1 − α)[j is a whole number of weeks]

    var of day h = σ²(1 + ψ_1² + … + ψ_(h−1)² + u)
    var of the first h days together = σ²(Ψ_0² + … + Ψ_(h−1)² + u·h²) + what members disagree by,  Ψ_k = ψ_0 + … + ψ_k

Errors that stay on one side for days, as when a week's total was spread over its days, make σ² of the totals larger by
what sums of seven errors a week ahead vary more than ψ would have them, and count as fewer errors by as much. A day's
variance then grows as much faster after the first week, and as much slower within it: tomorrow is no surer than that.

u is the variance of the level itself in σ²: 1/(known days) for a plain mean, and α² for each day since the last known,
or what lasts of α where shocks pass.
ψ are means over the members with their weights, since one course of errors drives them all.

Legend: n series, t past days, h coming days, m members.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from abasto.forecast.members import ALPHA, BETA, FADING, GAMMA, LASTING, PASSING, WEEKLY, Array
from abasto.forecast.smoothing import WEEK, Course

__all__ = ["Spread", "quantiles", "spread_of", "student"]

TRUSTED: Final = 20.0
"""So many known errors weigh as much as the normal form when quantiles are read off them."""
GUESSED_DAYS: Final = 14.0
"""Known errors after which nothing is assumed of the spread any more."""
GUESSED: Final = 0.5
"""Standard deviation that a series without errors is assumed to have, as a share of its level."""
FORGET: Final = 0.5 ** (1 / 120)
"""What an error's weight loses a day: half in 120 days."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations, in the good's unit a day."""

    week_ahead: Array
    """[n] of an error a week ahead."""
    errors: Array
    """[n] how many known errors that stands on, old ones counting less."""
    growth: Array
    """[n, h] standard deviation at each day ÷ that a week ahead."""
    total_sd: Array
    """[n, h] of the first 1…h days together."""


def spread_of(course: Course, use: Array, each: Array, mean: Array) -> Spread:
    """Return the spread of the forecasts `each` [n, m, h] with their weighted `mean` [n, h]."""
    h = mean.shape[1]
    psi = _psi(course, h)
    unsure = _unsure(course, use)[:, None]
    day = np.arange(1, h + 1)
    variance = np.cumsum(psi**2, axis=1) + unsure
    whole = np.cumsum(np.cumsum(psi, axis=1) ** 2, axis=1) + unsure * day**2
    week_ahead, errors = _week_ahead(course, mean[:, :WEEK].mean(axis=1))
    alike = _alike(course, psi[:, :WEEK])
    errors = errors / alike
    first = variance[:, WEEK - 1 : WEEK]
    variance = first + (variance - first) * np.where(day > WEEK, alike[:, None], 1 / alike[:, None])
    one = week_ahead[:, None] / np.sqrt(variance[:, WEEK - 1 : WEEK])
    apart = np.cumsum(each - mean[:, None, :], axis=2)
    disagree = np.einsum("nm,nmh->nh", course.weights, apart**2)
    wider = student(0.6827, errors)[:, None]
    total_sd = wider * np.sqrt(one**2 * whole * alike[:, None] + disagree)
    return Spread(week_ahead, errors, np.sqrt(variance / variance[:, WEEK - 1 : WEEK]), total_sd)


def _psi(course: Course, h: int) -> Array:
    """Return ψ_0 … ψ_(h−1) [n, h], the members' weighted mean."""
    lag = np.arange(1, h)
    faded = np.cumsum(FADING[:, None] ** np.arange(1, h), axis=1)
    share = course.weights
    level = share @ (ALPHA[:, None] + (ALPHA * BETA)[:, None] * faded)
    weekday = share @ (WEEKLY * GAMMA * (1 - ALPHA))
    later = level + weekday[:, None] * (lag % WEEK == 0)
    return np.concatenate([np.ones((len(share), 1)), later], axis=1)


def _unsure(course: Course, use: Array) -> Array:
    """Return u [n]: what the level's gain is above its lasting α, and α² for each day since the last known one."""
    t = use.shape[1]
    known = ~np.isnan(use)
    silent = np.where(known.any(axis=1), np.argmax(known[:, ::-1], axis=1), t) if t else np.zeros(len(use))
    young = np.einsum("nm,nm->n", course.weights, np.maximum(course.gain - ALPHA, 0.0))
    lasting = course.weights @ np.where(PASSING, LASTING, ALPHA)
    return np.asarray(young + silent * lasting**2)


def _week_ahead(course: Course, level: Array) -> tuple[Array, Array]:
    """Return standard deviation [n] and number [n] of errors a week ahead; a guess stands in where there are few."""
    weight = _weights(course.week_ahead)
    errors = weight.sum(axis=1)
    squares = (weight * np.nan_to_num(course.week_ahead) ** 2).sum(axis=1)
    guessed = np.maximum(1 - errors / GUESSED_DAYS, 0.0)
    return np.sqrt((squares + guessed * (GUESSED * level) ** 2) / np.maximum(errors + guessed, 1e-9)), errors


def _alike(course: Course, psi: Array) -> Array:
    """Return the variance of seven successive errors a week ahead, summed, ÷ that by `psi` [n, 7]; at least 1.

    The sum has the coefficients of ψ convolved with seven ones: Ψ_0 … Ψ_6, then Ψ_6 − Ψ_0 … Ψ_6 − Ψ_5.
    """
    errors = course.week_ahead
    if errors.shape[1] < 2 * WEEK:
        return np.ones(len(errors))
    runs = np.lib.stride_tricks.sliding_window_view(errors, WEEK, axis=1)
    known = np.isfinite(runs).sum(axis=2)
    sums = np.nansum(runs, axis=2) * np.sqrt(WEEK / np.maximum(known, 1)) * (known > 0)
    whole = (known > 0).sum(axis=1)
    risen = np.cumsum(psi, axis=1)
    by_psi = (risen**2).sum(axis=1) + ((risen[:, -1:] - risen[:, :-1]) ** 2).sum(axis=1)
    single = np.nansum(errors**2, axis=1) / np.maximum(np.isfinite(errors).sum(axis=1), 1) / (psi**2).sum(axis=1)
    seen = (sums**2).sum(axis=1) / np.maximum(whole, 1)
    foreseen = single * by_psi
    return np.asarray(np.maximum(np.divide(seen, foreseen, out=np.ones_like(seen), where=foreseen > 0), 1.0))


def _weights(errors: Array) -> Array:
    """Return the weight [n, t] of each known error: 1 today, half as much after 120 days."""
    t = errors.shape[1]
    return np.where(np.isnan(errors), 0.0, FORGET ** np.arange(t - 1, -1, -1.0))


def quantiles(course: Course, spread: Spread, coverage: float) -> tuple[Array, Array]:
    """Return how far below and above the mean [n, h] a day's use lies with a probability of `coverage`.

    Many errors speak for themselves; few are helped out by Student's t with as many degrees of freedom.
    """
    trust = spread.errors / (spread.errors + TRUSTED)
    form = student(coverage, spread.errors) * spread.week_ahead
    seen = _weighted_quantiles(course.week_ahead, ((1 - coverage) / 2, (1 + coverage) / 2))
    low = trust * seen[0] - (1 - trust) * form
    high = trust * seen[1] + (1 - trust) * form
    return np.minimum(low, 0.0)[:, None] * spread.growth, np.maximum(high, 0.0)[:, None] * spread.growth


def _weighted_quantiles(errors: Array, shares: tuple[float, ...]) -> list[Array]:
    """Return quantiles [n] of the known errors, old ones counting less; 0 where there is none."""
    n, t = errors.shape
    if t == 0:
        return [np.zeros(n) for _ in shares]
    order = np.argsort(errors, axis=1)  # NaN last, with weight 0
    ranked = np.take_along_axis(np.nan_to_num(errors), order, axis=1)
    weight = np.take_along_axis(_weights(errors), order, axis=1)
    reached = np.cumsum(weight, axis=1)
    whole = reached[:, -1:]
    return [
        np.take_along_axis(ranked, np.argmax(reached >= share * whole, axis=1)[:, None], axis=1)[:, 0]
        for share in shares
    ]


def student(coverage: float, freedom: Array) -> Array:
    """Return Student's t for a two-sided interval, with at least two degrees of freedom.

    By its expansion around the normal quantile (Abramowitz and Stegun 1972, 26.7.5), within 2 % from three degrees on.
    """
    z = NormalDist().inv_cdf((1 + coverage) / 2)
    v = np.maximum(freedom, 2.0)
    terms = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return np.asarray(z + sum(term / v ** (power + 1) for power, term in enumerate(terms)), dtype=np.float64)
