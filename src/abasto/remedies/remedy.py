"""What a remedy is: a small change to the network, what prices promise of it, and what solving again has shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Gainer", "Kind", "Remedy", "Verified", "shortlist"]

Kind = Literal[
    "vehicle", "labour", "stock", "supply", "batches", "lane", "storage", "reserve", "switch", "restored", "ration"
]

MOST_OF_A_KIND = 3
"""A short list shows at most so many remedies of a kind, so that the best of every kind is seen."""
WORTH_SHOWING = 0.01
"""A ration is shown if it promises at least this share of what the best one does."""


@dataclass(frozen=True, slots=True)
class Gainer:
    """A need at a site and the people-days by which it is met better (worse if negative); `weighted` is the same by
    tiers and priority.
    """

    site: str
    need: str
    people_days: float
    weighted: float


@dataclass(frozen=True, slots=True)
class Verified:
    """What came out when the network with the remedy was planned again.

    In weighted people-days: `gain` is the new plan's worth less the old one's; the best plans' difference lies between
    `lower` and `upper`. `people_days` is (priority, people-days of need met more), by plain coverage. Of a lowered
    ration `gain` counts its need as lowered; `others` is what all other needs gain and `own` what its people's need
    gains (loses, if negative), both counted against the needs as they were.
    """

    gain: float
    lower: float
    upper: float
    people_days: tuple[tuple[str, float], ...]
    gainers: tuple[Gainer, ...]
    gap: float
    seconds: float
    others: float | None = None
    own: float | None = None

    @property
    def told_apart(self) -> bool:
        """Whether it is proven that the remedy helps."""
        return self.lower > 0

    @property
    def counted(self) -> float:
        """What the remedy is ranked by: its gain, counted against the needs as they were."""
        return self.gain if self.others is None or self.own is None else self.others + self.own


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change to the network: so much (`amount`, in `unit`) of a kind at a target, on days `first` to `last` (from 1).

    Targets by kind: (fleet,) for `vehicle`, (site,) for `labour` and `storage`, (site, good) for `stock`, `supply` and
    `reserve`, (site, recipe) for `batches`, (from, to) for `lane`, (site, recipe, recipe to run instead) for `switch`,
    (kind of disruption, ids…) for `restored`, (good,) for `ration`. `promise` is what prices say it is worth at most,
    beside what the plan itself was not proven to reach; weighted people-days.
    """

    kind: Kind
    target: tuple[str, ...]
    amount: float
    unit: str
    first: int
    last: int
    promise: float = 0.0
    solved: Verified | None = None

    @property
    def promise_per_unit(self) -> float:
        """The promise for one unit; of what has no amount (`restored`), the promise."""
        return self.promise / self.amount if self.amount > 0 else self.promise


def shortlist(remedies: Sequence[Remedy], most: int) -> tuple[Remedy, ...]:
    """Return the first `most` of a list and the first rations, at most three of each kind.

    Rations that promise less than a hundredth of what the best one does are left out.
    """
    seen: Counter[str] = Counter()
    least = WORTH_SHOWING * max((remedy.promise for remedy in remedies if remedy.kind == "ration"), default=0.0)
    chosen = []
    for remedy in remedies:
        if remedy.kind == "ration" and remedy.promise < least:
            continue
        additions = sum(seen.values()) - seen["ration"]
        if seen[remedy.kind] < min(most, MOST_OF_A_KIND) and (remedy.kind == "ration" or additions < most):
            seen[remedy.kind] += 1
            chosen.append(remedy)
    return tuple(chosen)
