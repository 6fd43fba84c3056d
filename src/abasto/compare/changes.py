"""compare_plans: two plans of the same needs → who gains and who loses, where, of what, since when, how sure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from abasto.errors import AbastoError
from abasto.planner.plan import MET_TOLERANCE, Plan
from abasto.planner.problem import build_problem, weighted_people_days
from abasto.planner.tabulate import worst_off
from abasto.summary import need_name, people_at

__all__ = [
    "Comparison",
    "FleetChange",
    "NeedChange",
    "PriorityChange",
    "Proof",
    "SiteChange",
    "Totals",
    "compare_plans",
    "label_of",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Case = Literal["first", "second"]

AGREEMENT = 1e-6
"""Amounts needed are the same if they differ by at most this share: files carry 15 digits."""


@dataclass(frozen=True, slots=True)
class Totals:
    """A plan's figures over all sites and days: coverage as shares, what trips take in hours, money in its unit."""

    mean_coverage: float
    worst_5_percent_coverage: float
    lowest_coverage: float
    vehicle_hours: float
    cost: float


@dataclass(frozen=True, slots=True)
class SiteChange:
    """A site's coverage over all its needs and days, weighted by priority, in the first plan and in the second.

    `people_days` of need are met more (or, below 0, fewer) in the second plan. `need` is the one that does most of it:
    its mean coverage in both, and the first day on which it differs; blank and 0 where nothing changes.
    """

    site: str
    name: str
    people: float
    first: float
    second: float
    people_days: float
    need: str
    need_name: str
    need_first: float
    need_second: float
    from_day: int

    @property
    def change(self) -> float:
        """How much of its needs is met more in the second plan, as a share; below 0 where less."""
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class NeedChange:
    """A good or nutrient over all sites and days: needed and met in its unit, and people-days of need.

    `sites_lose` and `sites_gain` count the sites where less, or more, of it is met in the second plan.
    """

    need: str
    name: str
    unit: str
    needed: float
    met_first: float
    met_second: float
    people_days: float
    people_days_first: float
    people_days_second: float
    sites_lose: int
    sites_gain: int

    @property
    def change(self) -> float:
        """People-days of need that are met more in the second plan; below 0 where fewer."""
        return self.people_days_second - self.people_days_first


@dataclass(frozen=True, slots=True)
class PriorityChange:
    """People-days of need of one priority: all of them, and those met in either plan."""

    priority: str
    needed: float
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class FleetChange:
    """Vehicle-hours of a fleet over the horizon in either plan."""

    fleet: str
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Proof:
    """What is certain about two plans, in weighted people-days of need.

    `difference` is what the second plan is worth more than the first. Whatever had been planned instead, the best plan
    of the second case is better than that of the first by `least` at least and by `most` at most (below 0: worse).
    `less_in` is the case that can be no better than the other, where that is known beforehand.
    """

    difference: float
    least: float
    most: float
    less_in: Case | None = None

    @property
    def told_apart(self) -> bool:
        """Whether it is certain which of the two cases is better."""
        return self.least > 0 or self.most < 0


@dataclass(frozen=True)
class Comparison:
    """Two plans of the same needs side by side; sites are sorted by change, the greatest loss first.

    `proof` is None where the plans were made with different fairness, for then their objectives have no common unit.
    """

    first: Plan
    second: Plan
    labels: tuple[str, str]
    totals: tuple[Totals, Totals]
    sites: tuple[SiteChange, ...]
    needs: tuple[NeedChange, ...]
    priorities: tuple[PriorityChange, ...]
    fleets: tuple[FleetChange, ...]
    proof: Proof | None

    @property
    def losing(self) -> tuple[SiteChange, ...]:
        """Sites where less is met in the second plan, the greatest loss first."""
        return tuple(site for site in self.sites if site.change < -MET_TOLERANCE)

    @property
    def gaining(self) -> tuple[SiteChange, ...]:
        """Sites where more is met in the second plan, the greatest gain first."""
        return tuple(site for site in reversed(self.sites) if site.change > MET_TOLERANCE)


@dataclass(frozen=True)
class _Needs:
    """The needs of both plans in one order [needs], with indices into `site_ids` and `need_ids`."""

    site_ids: tuple[str, ...]
    need_ids: tuple[str, ...]
    site: Ints
    need: Ints
    day: Ints
    people: Floats
    priority: Floats
    amount: Floats
    first: Floats
    second: Floats
    met_first: Floats
    met_second: Floats


def compare_plans(
    first: Plan, second: Plan, *, labels: tuple[str, str] | None = None, less_in: Case | None = None
) -> Comparison:
    """Return what changes from one plan to another of the same needs; `labels` are what people call the two.

    `less_in` names the case that nowhere has more capacity than the other, as a scenario beside usual days: whatever
    can be planned for it could be planned for the other too, which makes the proof sharper. Every figure is computed
    from the plans' tables of coverage and trips. An AbastoError says where needs differ.
    """
    needs = _needs(first, second)
    sites = sorted(_sites(first, needs), key=lambda site: (round(site.change, 9), -site.people, site.site))
    return Comparison(
        first=first,
        second=second,
        labels=labels or _labels(first, second),
        totals=(_totals(first, needs, needs.first), _totals(second, needs, needs.second)),
        sites=tuple(sites),
        needs=tuple(sorted(_need_changes(first, needs), key=lambda need: (-abs(need.change), need.need))),
        priorities=tuple(_priorities(needs)),
        fleets=_fleets(first, second),
        proof=_proof(first, second, less_in),
    )


def label_of(plan: Plan) -> str:
    """Return what a plan is called beside others of its network."""
    return f"scenario {plan.scenario}" if plan.scenario else "usual days"


def _labels(first: Plan, second: Plan) -> tuple[str, str]:
    labels = label_of(first), label_of(second)
    return labels if labels[0] != labels[1] else ("the first plan", "the second plan")


def _needs(first: Plan, second: Plan) -> _Needs:
    """Return the needs of the network with their coverage in both plans."""
    problem = build_problem(first.network)
    needs, targets = problem.needs, (*problem.goods, *problem.nutrients)
    keys = list(
        zip(
            (problem.sites[site] for site in needs.site.tolist()),
            (targets[target] for target in needs.target.tolist()),
            (needs.day + 1).tolist(),
            strict=True,
        )
    )
    rows = [_rows(plan, keys) for plan in (first, second)]
    for plan, order in zip((first, second), rows, strict=True):
        if not np.allclose(plan.coverage["needed"][order], needs.amount, rtol=AGREEMENT, atol=0.0):
            raise _other_needs(plan)
    return _Needs(
        site_ids=tuple(problem.sites),
        need_ids=targets,
        site=needs.site,
        need=needs.target,
        day=needs.day + 1,
        people=needs.people,
        priority=needs.priority,
        amount=needs.amount,
        first=first.coverage["coverage"][rows[0]].astype(np.float64),
        second=second.coverage["coverage"][rows[1]].astype(np.float64),
        met_first=first.coverage["met"][rows[0]].astype(np.float64),
        met_second=second.coverage["met"][rows[1]].astype(np.float64),
    )


def _rows(plan: Plan, keys: list[tuple[str, str, int]]) -> Ints:
    """Return the row of the plan's coverage for each (site, need, day)."""
    columns = (plan.coverage[name].tolist() for name in ("site", "need", "day"))
    row_of = {key: row for row, key in enumerate(zip(*columns, strict=True))}
    if len(row_of) != len(keys) or any(key not in row_of for key in keys):
        raise _other_needs(plan)
    return np.array([row_of[key] for key in keys], dtype=np.int64)


def _other_needs(plan: Plan) -> AbastoError:
    return AbastoError(
        f"the plan for {label_of(plan)} covers other needs than the network has now; "
        "compare plans of the same needs, or plan both again."
    )


def _totals(plan: Plan, needs: _Needs, coverage: Floats) -> Totals:
    whole = float(needs.people.sum())
    return Totals(
        mean_coverage=float(needs.people @ coverage) / whole if whole else 1.0,
        worst_5_percent_coverage=worst_off(coverage, needs.people, 0.05),
        lowest_coverage=float(coverage.min(initial=1.0)),
        vehicle_hours=float(plan.trips["vehicle_hours"].sum()),
        cost=float(next(plan.summary.rows())["cost"]),
    )


def _sites(plan: Plan, needs: _Needs) -> Iterator[SiteChange]:
    known = {site.site: site for site in plan.network.sites}
    people = people_at(plan.network)
    urgency = 10.0 ** (1.0 - needs.priority)
    order = np.argsort(needs.site, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(needs.site[order])) + 1) if len(order) else ():
        site = needs.site_ids[needs.site[rows[0]]]
        weight = urgency[rows]
        first, second = (float(weight @ share[rows] / weight.sum()) for share in (needs.first, needs.second))
        need, from_day = _need_that_changes_most(needs, rows, second - first)
        mine = rows[needs.need[rows] == need]
        yield SiteChange(
            site=site,
            name=known[site].name or site,
            people=people[site],
            first=first,
            second=second,
            people_days=float(needs.people[rows] @ (needs.second - needs.first)[rows]),
            need=needs.need_ids[need] if from_day else "",
            need_name=need_name(plan.network, needs.need_ids[need]) if from_day else "",
            need_first=float(needs.first[mine].mean()),
            need_second=float(needs.second[mine].mean()),
            from_day=from_day,
        )


def _need_that_changes_most(needs: _Needs, rows: Ints, change: float) -> tuple[int, int]:
    """Return the need that does most of a site's change, and the first day on which it differs that way; 0 if never."""
    sign = -1.0 if change < 0 else 1.0
    moved = sign * (needs.second - needs.first)[rows]
    by_need = np.bincount(needs.need[rows], needs.people[rows] * 10.0 ** (1.0 - needs.priority[rows]) * moved)
    there = np.unique(needs.need[rows])
    need = int(there[np.argmax(by_need[there])])
    differs = (needs.need[rows] == need) & (moved > MET_TOLERANCE)
    return need, int(needs.day[rows][differs].min(initial=0 if not differs.any() else np.iinfo(np.int64).max))


def _need_changes(plan: Plan, needs: _Needs) -> Iterator[NeedChange]:
    units = {good.good: good.unit for good in plan.network.goods}
    for need in np.unique(needs.need).tolist():
        rows = np.flatnonzero(needs.need == need)
        people = needs.people[rows]
        count = np.bincount(needs.site[rows])
        by_site = np.bincount(needs.site[rows], (needs.second - needs.first)[rows])
        change = by_site[count > 0] / count[count > 0]
        yield NeedChange(
            need=needs.need_ids[need],
            name=need_name(plan.network, needs.need_ids[need]),
            unit=units.get(needs.need_ids[need], ""),
            needed=float(needs.amount[rows].sum()),
            met_first=float(needs.met_first[rows].sum()),
            met_second=float(needs.met_second[rows].sum()),
            people_days=float(people.sum()),
            people_days_first=float(people @ needs.first[rows]),
            people_days_second=float(people @ needs.second[rows]),
            sites_lose=int((change < -MET_TOLERANCE).sum()),
            sites_gain=int((change > MET_TOLERANCE).sum()),
        )


def _priorities(needs: _Needs) -> Iterator[PriorityChange]:
    for priority in np.unique(needs.priority).tolist():
        mine = needs.priority == priority
        people = needs.people[mine]
        yield PriorityChange(
            priority=f"{priority:g}",
            needed=float(people.sum()),
            first=float(people @ needs.first[mine]),
            second=float(people @ needs.second[mine]),
        )


def _fleets(first: Plan, second: Plan) -> tuple[FleetChange, ...]:
    """Return every fleet's hours in both plans, the greatest change first."""
    hours: list[dict[str, float]] = []
    for plan in (first, second):
        used = {fleet.fleet: 0.0 for fleet in plan.network.fleets}
        for fleet, spent in zip(*(plan.trips[name].tolist() for name in ("fleet", "vehicle_hours")), strict=True):
            used[fleet] += spent
        hours.append(used)
    changes = [FleetChange(fleet, used, hours[1].get(fleet, 0.0)) for fleet, used in hours[0].items()]
    return tuple(sorted(changes, key=lambda fleet: (-abs(fleet.second - fleet.first), fleet.fleet)))


def _proof(first: Plan, second: Plan, less_in: Case | None) -> Proof | None:
    """Each plan's best possible lies between its objective and its bound; their difference between the differences."""
    if first.fairness != second.fairness:
        return None

    def people_days(value: float) -> float:
        return weighted_people_days(value, first.fairness)

    least, most = second.objective - first.bound, second.bound - first.objective
    if less_in == "second":
        most = min(most, 0.0)
    elif less_in == "first":
        least = max(least, 0.0)
    return Proof(people_days(second.objective - first.objective), people_days(least), people_days(most), less_in)
