"""What runs out: the chance that what lies somewhere, and what comes, does not last for the coming days.

With N(d) what will be needed over the first d days together (mean m(d), standard deviation s(d) of the forecast) and
A(d) what can be used by then, P(gone by d) = P(N(d) > A(d)) = Φ((m(d) − A(d)) / s(d)). A(d) counts lots only until they
expire and arrivals from their day on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

__all__ = ["AHEAD", "LIKELY", "Lots", "Outlook", "RunsOut", "runs_out", "with_slack"]

AHEAD = 7
"""So many days are looked ahead."""
LIKELY = 0.5
"""From this chance on an alarm is raised: it is as likely as not to run out."""
SLACK_DAYS = 0.5
"""Where a site is supplied day by day, each day ends as likely as not with a little too little: half a day's need is no
alarm there."""
UNLIKELY, NEARLY_SURE = 0.05, 0.95
STATED_SPREAD = 0.3
"""Standard deviation of a day's need beside its mean, where it is only stated and nobody saw what is used."""

Lots = Sequence[tuple[date | None, float]]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What will be needed over the first 1, 2, … days together: mean and standard deviation, in the good's unit."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]

    @classmethod
    def stated(cls, needs: Sequence[float]) -> Outlook:
        """Return the outlook of a need that is stated for each day and that nobody has seen used."""
        mean = [sum(needs[: number + 1]) for number in range(len(needs))]
        sd = [STATED_SPREAD * math.sqrt(sum(need**2 for need in needs[: number + 1])) for number in range(len(needs))]
        return cls(tuple(mean), tuple(sd))


@dataclass(frozen=True, slots=True)
class RunsOut:
    """A good that runs out within the coming days: the chance of it, and when; `missing` of the mean need by then.

    `likely` is the first day on which it is as likely as not to be gone; it is gone from `early` on with a chance of
    5 %, and by `late` with one of 95 % (None: not within the days looked ahead).
    """

    chance: float
    likely: date
    early: date
    late: date | None
    missing: float


def runs_out(
    lots: Lots,
    arrivals: Mapping[int, float],
    outlook: Outlook,
    day: date,
    *,
    days: int = AHEAD,
    likely: float = LIKELY,
) -> RunsOut | None:
    """Return when a good runs out, None if that is less likely than `likely` within so many days.

    `lots` are what can be used, the first to expire first, with the last usable date (None: never spoils); `arrivals`
    are quantities by day, counted from 1 = `day`.
    """
    chances, missing = [], []
    for number in range(1, min(days, len(outlook.mean)) + 1):
        there = _usable(lots, outlook.mean, day, number) + sum(
            quantity for when, quantity in arrivals.items() if when <= number
        )
        chances.append(_chance(outlook.mean[number - 1], outlook.sd[number - 1], there))
        missing.append(outlook.mean[number - 1] - there)
    # What is gone on one day is gone, though more may come later.
    until = [max(chances[: number + 1]) for number in range(len(chances))]
    first = next((number for number, chance in enumerate(until) if chance >= likely), None)
    if first is None:
        return None
    early = next(number for number, chance in enumerate(until) if chance >= min(UNLIKELY, likely))
    late = next((number for number, chance in enumerate(until) if chance >= NEARLY_SURE), None)
    return RunsOut(
        chance=until[-1],
        likely=day + timedelta(days=first),
        early=day + timedelta(days=early),
        late=None if late is None else day + timedelta(days=late),
        missing=max(0.0, *missing),
    )


def with_slack(lots: Lots, arrivals: Mapping[int, float], outlook: Outlook) -> Lots:
    """Return the lots, and half a day's need more where something comes within the days of the outlook."""
    if not any(quantity > 0 and when <= len(outlook.mean) for when, quantity in arrivals.items()):
        return lots
    return [*lots, (None, SLACK_DAYS * outlook.mean[-1] / len(outlook.mean))]


def _usable(lots: Lots, mean: Sequence[float], day: date, number: int) -> float:
    """Return what of the lots can be used over the first days, if each is used until it expires and not longer."""
    used = 0.0
    for last, quantity in lots:
        if last is None:
            used += quantity
            continue
        days = (last - day).days + 1
        if days >= number:
            used += quantity
        elif days > 0:
            used += min(quantity, max(0.0, mean[days - 1] - used))
    return used


def _chance(mean: float, sd: float, there: float) -> float:
    """Return P(need > there) for a normal need; need and stock alike, it is not gone."""
    if sd <= 0:
        return float(mean > there * (1 + 1e-9))
    return 0.5 * math.erfc((there - mean) / sd / math.sqrt(2))
