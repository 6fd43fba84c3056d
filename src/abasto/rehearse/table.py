"""What a rehearsal comes to: harms with proven limits, ranks that say how sure they are, and the tables of both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from abasto.network import Network
from abasto.planner.problem import weighted_people_days
from abasto.rehearse.cases import Case, Outcome
from abasto.rehearse.losses import Loss
from abasto.rehearse.ranking import certified, ranks
from abasto.tables.text import csv_bytes, number_text

__all__ = ["Harm", "Limits", "Rehearsal", "harms_of", "pairs_csv", "pairs_of", "rehearsal_csv"]


@dataclass(frozen=True)
class Limits:
    """A number that is known to lie from `least` to `most`, and the best estimate of it."""

    least: float
    estimate: float
    most: float


@dataclass(frozen=True)
class Harm:
    """What losing a case costs, in weighted people-days of need, and the ranks it may have among those looked at.

    `is_certified` says that the gap asked for is proven. `worse_together` is the harm of a pair beyond the sum of the
    harms of its two alone.
    """

    case: Case
    limits: Limits
    first_rank: int
    last_rank: int
    is_certified: bool
    outcome: Outcome
    worse_together: Limits | None = None


@dataclass(frozen=True)
class Rehearsal:
    """The harms of all losses and of the pairs that were looked at, worst first, and what they are compared with.

    `value` and `bound` enclose the best objective with nothing lost beyond the scenario; `needed` and `met` are its
    people-days of need. `gone` are things with which nothing would be lost. `is_complete` is false where it was
    stopped before everything asked for was done, and `not_looked_at` counts the losses that it had not come to.
    """

    network: Network
    scenario: str | None
    fairness: float
    solver: str
    value: float
    bound: float
    needed: float
    met: float
    gap: float
    kinds: tuple[str, ...]
    harms: tuple[Harm, ...]
    pairs: tuple[Harm, ...]
    gone: tuple[Loss, ...]
    searches: int
    not_looked_at: int
    is_complete: bool
    seconds: float


def harms_of(
    outcomes: Mapping[Case, Outcome], *, value: float, bound: float, fairness: float, gap: float
) -> tuple[Harm, ...]:
    """Return the harm of each case, worst first; `value` and `bound` enclose the best objective with nothing lost."""
    listed = list(outcomes.values())
    if not listed:
        return ()
    first, last = ranks(listed)
    harms = [
        Harm(
            case=one.case,
            limits=_limits(one, value, bound, fairness),
            first_rank=low,
            last_rank=high,
            is_certified=certified(one, gap),
            outcome=one,
        )
        for one, low, high in zip(listed, first.tolist(), last.tolist(), strict=True)
    ]
    return tuple(sorted(harms, key=lambda harm: (-round(harm.limits.estimate, 3), harm.first_rank, harm.case)))


def _limits(outcome: Outcome, value: float, bound: float, fairness: float) -> Limits:
    """Return the harm's limits: a loss never helps, and the plan without it is worth `outcome.value` to `.bound`."""
    least = max(0.0, value - outcome.bound)
    most = max(least, bound - outcome.value)
    estimate = min(max(value - outcome.value, least), most)
    return Limits(*(weighted_people_days(harm, fairness) for harm in (least, estimate, most)))


def pairs_of(pairs: Sequence[Harm], singles: Sequence[Harm]) -> tuple[Harm, ...]:
    """Return the pairs with what they do together beyond what both do alone."""
    alone = {harm.case: harm.limits for harm in singles}
    found = []
    for harm in pairs:
        first, second = (alone[loss,] for loss in harm.case)
        together = Limits(
            least=harm.limits.least - first.most - second.most,
            estimate=harm.limits.estimate - first.estimate - second.estimate,
            most=harm.limits.most - first.least - second.least,
        )
        found.append(replace(harm, worse_together=together))
    return tuple(found)


LOSS = ("kind", "target")
HARM = ("harm", "harm_at_least", "harm_at_most", "certified", "gap", "people_days_lost", "people_days_gained")
HITS = ("felt_from_day", "hit_site", "hit_need", "hit_people", "hit_people_days", "softened_by", "note")


def rehearsal_csv(rehearsal: Rehearsal) -> bytes:
    """Return the table of all losses: ranks, harm in weighted people-days, people-days lost by priority, who is hit."""
    priorities = _priorities(rehearsal.harms)
    header = ("rank_first", "rank_last", *LOSS, *HARM, *_lost_names(priorities), *HITS)
    return csv_bytes(header, ([*_ranks(harm), *_names(harm), *_cells(harm, priorities)] for harm in rehearsal.harms))


def pairs_csv(rehearsal: Rehearsal) -> bytes:
    """Return the table of all pairs that were looked at."""
    priorities = _priorities(rehearsal.pairs)
    beyond = ("worse_together_by", "worse_together_at_least", "worse_together_at_most")
    second = tuple(f"{name}_2" for name in LOSS)
    header = ("rank_first", "rank_last", *LOSS, *second, *beyond, *HARM, *_lost_names(priorities), *HITS)
    return csv_bytes(
        header,
        ([*_ranks(harm), *_names(harm), *_beyond(harm), *_cells(harm, priorities)] for harm in rehearsal.pairs),
    )


def _priorities(harms: Iterable[Harm]) -> list[float]:
    return sorted({priority for harm in harms for priority, _ in harm.outcome.damage.lost})


def _lost_names(priorities: Sequence[float]) -> list[str]:
    return [f"people_days_{what}_p{number_text(one)}" for what in ("lost", "gained") for one in priorities]


def _ranks(harm: Harm) -> list[str]:
    return [str(harm.first_rank), str(harm.last_rank)]


def _names(harm: Harm) -> list[str]:
    return [text for loss in harm.case for text in (loss.kind, loss.target)]


def _beyond(harm: Harm) -> list[str]:
    assert harm.worse_together is not None
    return [_number(value) for value in _three(harm.worse_together)]


def _three(limits: Limits) -> tuple[float, float, float]:
    return limits.estimate, limits.least, limits.most


def _cells(harm: Harm, priorities: Sequence[float]) -> list[str]:
    hurt = harm.outcome.damage
    lost, gained = dict(hurt.lost), dict(hurt.gained)
    worst = hurt.hits[0] if hurt.hits else None
    return [
        *(_number(value) for value in _three(harm.limits)),
        "yes" if harm.is_certified else "no",
        _number(harm.outcome.gap) if math.isfinite(harm.outcome.gap) else "",
        _number(sum(lost.values())),
        _number(sum(gained.values())),
        *(_number(by.get(priority, 0.0)) for by in (lost, gained) for priority in priorities),
        str(hurt.first_day) if hurt.first_day else "",
        *((worst.site, worst.need, _number(worst.people), _number(worst.people_days)) if worst else ("",) * 4),
        "; ".join(one.words for one in harm.outcome.softened_by),
        harm.outcome.note,
    ]


def _number(value: float) -> str:
    """Return a number with seven digits; rounding errors of sums of a whole country are none of them."""
    return number_text(float(f"{value:.7g}")) if abs(value) > 1e-9 else "0"
