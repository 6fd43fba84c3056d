"""The members of the ensemble: fixed settings of additive exponential smoothing, and how their errors weigh them.

Legend, as in Hyndman, Koehler, Ord and Snyder, *Forecasting with Exponential Smoothing* (2008), chapter 2:
α how fast the level follows, β how much of that the slope takes, γ how fast the weekdays follow, φ what is left of a
slope each day. Nothing is fitted: fitting 10,000 series is slow, and what is fitted to a short series is mostly noise.

A negative β makes a shock pass: the level jumps by α of an error, and the slope brings it back, φ + φ² + … times αβ in
the end. With β = −(1 − LASTING ÷ α)(1 − φ) ÷ φ a share LASTING stays, and (α − LASTING)φ^h is left of the rest.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALPHA",
    "BETA",
    "FADING",
    "GAMMA",
    "LASTING",
    "MEMBERS",
    "PASSING",
    "SLOWEST",
    "WEEKLY",
    "Array",
    "weights_of",
]

Array: TypeAlias = NDArray[np.float64]

USUAL: Final = 0.95
"""φ of most members: a slope is 5 % weaker each day, so that no trend runs on for ever (Gardner and McKenzie 1985)."""
STEEP: Final = ((0.8, 0.3, USUAL), (0.8, 0.1, 0.99))
"""α, β, φ of what moves so smoothly that its last days tell its course: one turns soon, one keeps on for months."""
SHOCKS: Final = ((0.4, 0.7), (0.9, 0.7))
"""α, φ of what goes back, half of it in two days, to where it was."""
LASTING: Final = 0.02
"""What stays of a shock that passes, and α of the slowest member."""

POWER: Final = 32
"""How strongly a member with smaller squared errors is preferred; tuned on one seed of benchmarks/watch.py."""


def _grid() -> Array:
    """Return α, β, γ, φ and whether the week counts, one row a member; a slope needs a level that moves."""
    rows = []
    for alpha in (0.0, LASTING, 0.06, 0.15, 0.35, 0.8):
        for beta in (0.0, 0.1) if alpha >= 0.06 else (0.0,):
            rows.append((alpha, beta, 0.0, USUAL, 0.0))
            rows += [(alpha, beta, gamma, USUAL, 1.0) for gamma in (0.0, 0.06, 0.2)]
    back = [(alpha, -(1 - LASTING / alpha) * (1 - fading) / fading, fading) for alpha, fading in SHOCKS]
    rows += [(alpha, beta, 0.0, fading, weekly) for alpha, beta, fading in (*STEEP, *back) for weekly in (0.0, 1.0)]
    return np.array(rows)


ALPHA, BETA, GAMMA, FADING, WEEKLY = (column.copy() for column in _grid().T)
"""One value a member; FADING is φ, and WEEKLY is 1 where weekdays differ and 0 where they do not."""
PASSING: Final = BETA < 0
"""Which members' shocks pass."""
MEMBERS: Final = len(ALPHA)
SLOWEST: Final = int(np.flatnonzero((ALPHA == LASTING) & (GAMMA == 0.0) & (WEEKLY == 1.0))[0])
"""The member with weekdays that follows a change most slowly, and so shows longest that there was one."""


def weights_of(losses: Array) -> Array:
    """Return each member's share [series, member] from its discounted sum of squared errors, in use²; rows add up to 1.

    A share is (least loss ÷ own loss)^POWER, a sharper form of the inverse-error weights of Bates and Granger (1969),
    with their discount of old errors. Members without any error share equally.
    """
    least = losses.min(axis=1, keepdims=True)
    tiny = np.finfo(np.float64).tiny
    ratio = (least + tiny) / (losses + tiny)
    shares: Array = ratio**POWER
    shares /= shares.sum(axis=1, keepdims=True)
    return shares
