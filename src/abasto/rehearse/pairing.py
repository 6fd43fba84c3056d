"""Which pairs to look at: all pairs of the worst things, and each thing with those that stand in for it.

All pairs of a network are too many. What hurts most may be two things of which neither hurts alone; such a pair is
looked for behind the worst things and behind those that most passes through. Other pairs are not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from abasto.planner.problem import Problem
from abasto.rehearse.cases import Base, Case, Outcome
from abasto.rehearse.losses import Loss, is_gone, without
from abasto.rehearse.ranking import worst_first
from abasto.tables.target import Targets

__all__ = ["adds_nothing", "how_many", "pairs_to_look_at", "seeds"]

ROUNDING = 1e-9


def how_many(pairs: int) -> int:
    """Return how many of the worst things are paired with each other so that there are enough for `pairs`.

    >>> how_many(10)
    10
    """
    return 2 * math.ceil(math.sqrt(2 * pairs))


def seeds(base: Base, singles: Mapping[Case, Outcome], pairs: int) -> list[Case]:
    """Return the cases behind which stand-ins are looked for: the worst, and those that most passes through."""
    worst = [one.case for one in worst_first(list(singles.values()))[: how_many(pairs)]]
    busiest = np.argsort(-base.passing, kind="stable")[: how_many(pairs)].tolist()
    return list(dict.fromkeys([*worst, *((base.losses[which],) for which in busiest if base.passing[which] > 0)]))


def pairs_to_look_at(base: Base, singles: Mapping[Case, Outcome], pairs: int, targets: Targets) -> list[Case]:
    """Return the pairs of the worst things, and of each seed with what leans more on once it is lost."""
    worst = [one.case[0] for one in worst_first(list(singles.values()))[: how_many(pairs)]]
    found = [*combinations(worst, 2)]
    for case in seeds(base, singles, pairs):
        found += [(case[0], partner) for partner in singles[case].leans_on if (partner,) in singles]
    place = {loss: number for number, loss in enumerate(base.losses)}
    ordered = dict.fromkeys(tuple(sorted(pair, key=place.__getitem__)) for pair in found)
    return [pair for pair in ordered if not _nested(base.problem, pair, targets)]


def _nested(problem: Problem, pair: Sequence[Loss], targets: Targets) -> bool:
    """Return whether one of the two is lost with the other anyway."""
    first, second = pair
    return is_gone(without(problem, [first], targets), second, targets) or is_gone(
        without(problem, [second], targets), first, targets
    )


def adds_nothing(pair: Outcome, alone: Mapping[Case, Outcome]) -> bool:
    """Return whether a plan without the pair is known that is as good as the one known without one of the two."""
    values = [alone[loss,].value for loss in pair.case if (loss,) in alone]
    return bool(values) and pair.value >= min(values) * (1 - ROUNDING)
