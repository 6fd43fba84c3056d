"""Solving again: what a remedy brings when the network that has it is planned anew, and how much of that is proven."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from abasto.planner.make import Solved, plan_in_full
from abasto.planner.problem import TIERS, Floats, weighted_people_days
from abasto.remedies.change import with_remedy
from abasto.remedies.remedy import Gainer, Remedy, Verified, shortlist

__all__ = ["FINE_GAP", "verify_remedies"]

FINE_GAP = 0.0002
"""Plans that are compared come this near to the best: small gains are lost in a wider gap."""
MOST_SECONDS = 60.0
"""A search that has not come so near by then is taken as it is."""
MOST_GAINERS = 5
DUST = 1e-6
"""Gains below this share of a person's day of need are rounding."""

Shown = Callable[[int, int, Remedy], None]
"""Told which remedy of how many is being planned, and which it is."""


def verify_remedies(
    solved: Solved,
    remedies: Sequence[Remedy],
    *,
    most: int = 5,
    gap: float = FINE_GAP,
    time_limit: float | None = MOST_SECONDS,
    progress: Shown | None = None,
    stop: Callable[[], bool] | None = None,
) -> tuple[Remedy, ...]:
    """Plan once more with each of the first `most` (see `shortlist`), and rank them by what comes out; the rest follow.

    Every search ends at `gap` (a share of the objective) or after `time_limit` seconds, and starts from the plan's ways
    where the solver can. Where the plan itself has a wider gap it is searched on first, so that like is compared to
    like. When `stop()` turns true, what is done by then is kept.
    """
    chosen = shortlist(remedies, most)
    if not chosen:
        return tuple(remedies)
    options = {"solver": solved.plan.solver, "fairness": solved.problem.fairness, "gap": gap, "time_limit": time_limit}
    scenario, network = solved.problem.scenario, solved.problem.network
    base = solved
    if solved.plan.gap > gap and not (stop is not None and stop()):
        again = plan_in_full(network, scenario, warm=solved.warm, stop=stop, **options)  # type: ignore[arg-type]
        base = again if again.plan.objective > solved.plan.objective else solved
    bound = min(base.plan.bound, solved.plan.bound)
    done: dict[Remedy, Remedy] = {}
    for number, remedy in enumerate(chosen):
        if stop is not None and stop():
            break
        if progress is not None:
            progress(number, len(chosen), remedy)
        changed = with_remedy(network, scenario, remedy)
        after = plan_in_full(changed, scenario, warm=base.warm, stop=stop, **options)  # type: ignore[arg-type]
        if stop is not None and stop():
            break  # it was cut short: its figures would say less than the promise
        done[remedy] = replace(remedy, solved=_compare(base, after, remedy, bound, solved.plan.bound))
    verified = sorted(done.values(), key=_rank)
    return (*verified, *(remedy for remedy in remedies if remedy not in done))


def _rank(remedy: Remedy) -> float:
    assert remedy.solved is not None
    return -remedy.solved.counted


def _compare(base: Solved, after: Solved, remedy: Remedy, bound: float, promised_from: float) -> Verified:
    """Return what `after` brings over `base`; `bound` is on plans without the remedy, the promise adds to the other."""
    problem, needs = base.problem, base.problem.needs

    def in_people_days(value: float) -> float:
        return weighted_people_days(value, problem.fairness)

    gain = after.plan.objective - base.plan.objective
    lower = after.plan.objective - bound
    coverage = np.minimum(1.0, after.served.met / needs.amount)
    if remedy.kind not in ("switch", "ration"):  # more of anything cannot harm: the plan without it still holds
        lower = max(0.0, lower)
        if gain < 0:
            gain, coverage = 0.0, base.served.coverage
    promised = promised_from - base.plan.objective
    upper = min(in_people_days(after.plan.bound - base.plan.objective), remedy.promise + in_people_days(promised))
    worth = _worth(base, coverage) - _worth(base, base.served.coverage)
    others = own = None
    if remedy.kind == "ration":
        lowered = needs.target == problem.goods.index(remedy.target[0])
        others, own = in_people_days(float(worth[~lowered].sum())), in_people_days(float(worth[lowered].sum()))
    better = needs.people * (coverage - base.served.coverage)
    by_priority = tuple(
        (f"{priority:g}", float(better[needs.priority == priority].sum()))
        for priority in np.unique(needs.priority).tolist()
    )
    return Verified(
        gain=in_people_days(gain),
        lower=in_people_days(min(lower, gain)),
        upper=max(upper, in_people_days(gain)),
        people_days=by_priority,
        gainers=_gainers(base, better, worth),
        gap=after.plan.gap,
        seconds=after.plan.seconds,
        others=others,
        own=own,
    )


def _worth(solved: Solved, coverage: Floats) -> Floats:
    """Return what each need adds to the objective at a coverage [needs]."""
    tiers = np.clip(coverage[:, None] * TIERS - np.arange(TIERS), 0.0, 1.0)
    return np.asarray(solved.problem.needs.weight * (tiers @ solved.problem.tier_value))


def _gainers(base: Solved, better: Floats, worth: Floats) -> tuple[Gainer, ...]:
    """Return the needs at sites that gain most over all days, by worth; those that lose are left out."""
    problem, needs = base.problem, base.problem.needs
    names = (*problem.goods, *problem.nutrients)
    place = needs.site * len(names) + needs.target
    size = len(problem.sites) * len(names)
    people_days, value = np.bincount(place, better, size), np.bincount(place, worth, size)
    best = np.argsort(-value, kind="stable")[:MOST_GAINERS]
    return tuple(
        Gainer(
            site=problem.sites[one // len(names)],
            need=names[one % len(names)],
            people_days=float(people_days[one]),
            weighted=weighted_people_days(float(value[one]), problem.fairness),
        )
        for one in best.tolist()
        if weighted_people_days(float(value[one]), problem.fairness) > DUST
    )
