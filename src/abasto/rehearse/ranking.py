"""Who is worse than whom, for certain: ranks from proven intervals, and which of them to search further.

A case is worse than another for certain only if the most that can be left with it is less than what certainly is left
with the other. What is known of the plan that nothing is lost from plays no part in that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from abasto.planner.problem import Ints
from abasto.rehearse.cases import Outcome

__all__ = ["NARROWING", "certified", "contested", "harmless", "ranks", "to_certify", "worst_first"]

ROUNDING = 1e-9
"""What differs by less than this share is equal."""
NARROWING = 4.0
"""A contested case is searched again to a gap so many times smaller."""
PRECISE = 0.1
"""An interval wider than this share of the harm is worth narrowing though its rank is certain."""
FINEST = 64.0
"""Gaps are not narrowed beyond this part of the first."""


def worst_first(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return outcomes by what is left for certain, least first; of equals by what is lost, so that order is fixed."""
    return sorted(outcomes, key=lambda one: (one.value, one.bound, one.case))


def ranks(outcomes: Sequence[Outcome]) -> tuple[Ints, Ints]:
    """Return the first and the last rank (from 1) that each outcome may have: how many are worse, and not less bad."""
    value = np.array([one.value for one in outcomes]) * (1 - ROUNDING)
    bound = np.array([one.bound for one in outcomes])
    worse = np.searchsorted(np.sort(bound), value, side="left")
    less_bad = len(outcomes) - np.searchsorted(np.sort(value), bound, side="right")
    return worse + 1, len(outcomes) - less_bad


def to_certify(outcomes: Sequence[Outcome], *, gap: float, most: int) -> list[Outcome]:
    """Return those that may be among the `most` worst and whose gap is not yet proven, the worst first."""
    first, _ = ranks(outcomes)
    wide = [one for one, rank in zip(outcomes, first.tolist(), strict=True) if rank <= most and not certified(one, gap)]
    return worst_first([one for one in wide if _may_narrow(one, gap)])


def harmless(outcomes: Sequence[Outcome], most: int) -> float:
    """Return what a plan has to be worth for its case to be none of the `most` worst; inf where there are not so many.

    So many others certainly leave less.
    """
    bounds = sorted(one.bound for one in outcomes)
    return bounds[most] * (1 + 1e-9) if len(bounds) > most else float("inf")


def certified(outcome: Outcome, gap: float) -> bool:
    """Return whether the gap is proven by a search, or by the bracket alone."""
    return outcome.gap <= gap * (1 + 1e-9)


def contested(outcomes: Sequence[Outcome], *, best: float, gap: float, most: int) -> list[tuple[Outcome, float]]:
    """Return those that may be among the `most` worst and whose rank is not certain or whose harm is known too loosely,
    with the gap to search next; the widest interval first. `best` is the best objective known with nothing lost.

    Those whose gap did not come down as far as it was searched for last are left as they are, and so are the finest.
    """
    first, last = ranks(outcomes)
    found = []
    for one, low, high in zip(outcomes, first.tolist(), last.tolist(), strict=True):
        aim = one.gap / NARROWING
        loose = one.bound - one.value > PRECISE * (best - one.value)
        if low <= most and (low < high or loose) and aim >= gap / FINEST and _may_narrow(one, aim):
            found.append((one, aim))
    return sorted(found, key=lambda pair: (pair[0].value - pair[0].bound, pair[0].case))


def _may_narrow(outcome: Outcome, aim: float) -> bool:
    """Return whether a search for this gap may still bring something: the last one reached what it was asked for."""
    return outcome.aim is None or (outcome.aim > aim and outcome.gap <= outcome.aim * (1 + 1e-9))
