"""Who uses a resource, need by need, and how each of them stands to a need that is short.

The trace says how much of a resource goes where; here that is summed by place and need, with how far each is covered
and how far it would be without what came through the resource.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np

from abasto.planner.causes import Resource, Standing, Use, User
from abasto.planner.lots import LotFlows
from abasto.planner.problem import Floats, Ints, Problem
from abasto.planner.settle import units_per_need
from abasto.planner.tabulate import Service
from abasto.planner.trace import Reached

__all__ = ["Asker", "Users", "find_users"]

STANDINGS: tuple[Standing, ...] = get_args(Standing)
LESS = 0.99
"""Somebody needs less of a resource per person if it is at most this share of what the asker needs."""
SAME = 1e-6
"""Coverages that differ by less are equal."""


@dataclass(frozen=True)
class Asker:
    """A need that is short: where, of what, how urgent, how far covered, and what of the resource would cover one
    person for a day. `tier_value` are the plan's values of tiers, the lowest first.
    """

    site: int
    target: int
    priority: float
    coverage: float
    per_person_day: float
    tier_value: Floats

    def worth(self, priority: Floats, coverage: Floats) -> Floats:
        """Return what a person's next tenth is worth at a coverage, by the plan's own rule."""
        tier = np.clip((coverage * len(self.tier_value)).astype(np.int64), 0, len(self.tier_value) - 1)
        return np.asarray(10.0 ** (1.0 - priority) * self.tier_value[tier])


@dataclass(frozen=True)
class Users:
    """Those who use a resource, as parallel arrays: `amount` of it, and the coverage of the days on which they do, with
    and without; `person_days` are those that it covers.
    """

    site: Ints
    target: Ints
    priority: Floats
    people: Floats
    amount: Floats
    coverage: Floats
    without: Floats
    person_days: Floats

    def standing(self, asker: Asker) -> Ints:
        """Return how each user stands to the asker, as a position in STANDINGS; the first that holds counts.

        Whoever would have less is worse off; where the need is less urgent, only if that still weighs more.
        """
        itself = (self.site == asker.site) & (self.target == asker.target)
        urgent = self.priority < asker.priority
        mine = asker.worth(np.array([asker.priority]), np.array([asker.coverage]))
        weighs = (self.priority <= asker.priority) | (asker.worth(self.priority, self.without) > mine)
        worse = (self.without < asker.coverage - SAME) & weighs
        near = self.amount < LESS * asker.per_person_day * self.person_days
        return np.select([itself, urgent, worse, near], [0, 1, 2, 3], default=4)

    def mostly(self, asker: Asker) -> Standing | None:
        """Return the standing of more than half of what others use, by amount; None if there is none."""
        amounts = np.bincount(self.standing(asker), self.amount, minlength=len(STANDINGS))
        most = int(amounts.argmax())
        return STANDINGS[most] if amounts[most] > amounts.sum() / 2 else None

    def use(self, problem: Problem, resource: Resource, days: tuple[int, ...], ended: float, asker: Asker) -> Use:
        """Return the same in names, the greatest amounts first."""
        names = (*problem.goods, *problem.nutrients)
        standing = self.standing(asker).tolist()
        users = [
            User(
                site=problem.sites[int(self.site[k])],
                need=names[int(self.target[k])],
                priority=float(self.priority[k]),
                people=float(self.people[k]),
                amount=float(self.amount[k]),
                coverage=float(self.coverage[k]),
                coverage_without=float(self.without[k]),
                standing=STANDINGS[standing[k]],
            )
            for k in np.argsort(-self.amount, kind="stable").tolist()
        ]
        return Use(resource, days, float(self.amount.sum()), ended, tuple(users))


def find_users(problem: Problem, lots: LotFlows, served: Service, reached: Reached) -> Users:
    """Sum what was followed to handing over by site and need."""
    needs = problem.needs
    of_need, lost = np.zeros(len(needs.amount)), np.zeros(len(needs.amount))
    handed, good = lots.handed, lots.lot_good[lots.handed.lot]
    for_need = np.flatnonzero((handed.need >= 0) & (reached.amount > 0))
    ratio = units_per_need(problem, handed.need, good)
    np.add.at(of_need, handed.need[for_need], reached.amount[for_need])
    np.add.at(lost, handed.need[for_need], reached.goods[for_need] / ratio[for_need])
    _add_nutrients(problem, lots, reached, of_need, lost)
    mine = np.flatnonzero(of_need > 0)
    place, group = np.unique(
        needs.site[mine] * (len(problem.goods) + len(problem.nutrients)) + needs.target[mine], return_inverse=True
    )

    def total(values: Floats) -> Floats:
        return np.bincount(group, values, minlength=len(place)).astype(np.float64)

    needed, met = total(needs.amount[mine]), total(np.minimum(served.met, needs.amount)[mine])
    rest = total(np.clip(np.minimum(served.met, needs.amount) - lost, 0.0, None)[mine])
    covered = np.minimum(lost, np.minimum(served.met, needs.amount))[mine] / needs.amount[mine]
    first = np.zeros(len(place), dtype=np.int64)
    first[group[::-1]] = mine[::-1]
    site, target = np.divmod(place, len(problem.goods) + len(problem.nutrients))
    return Users(
        site=site,
        target=target,
        priority=needs.priority[first],
        people=needs.people[first],
        amount=total(of_need[mine]),
        coverage=met / needed,
        without=rest / needed,
        person_days=total(needs.people[mine] * covered),
    )


def _add_nutrients(problem: Problem, lots: LotFlows, reached: Reached, of_need: Floats, lost: Floats) -> None:
    """Add nutrients: what is handed over for them alone counts for them; the content of every good would be lost."""
    needs, goods, handed = problem.needs, len(problem.goods), lots.handed
    nutrient_needs = np.flatnonzero(needs.target >= goods)
    if not len(nutrient_needs):
        return
    number = np.full((len(problem.nutrients), problem.days, len(problem.sites)), -1)
    number[needs.target[nutrient_needs] - goods, needs.day[nutrient_needs], needs.site[nutrient_needs]] = nutrient_needs
    some = np.flatnonzero(reached.amount > 0)
    good = lots.lot_good[handed.lot[some]]
    at = number[:, handed.day[some], handed.what[some]]
    content = np.where(at >= 0, problem.content[:, good], 0.0)
    for nutrient in range(len(problem.nutrients)):
        here = content[nutrient] > 0
        np.add.at(lost, at[nutrient][here], (content[nutrient] * reached.goods[some])[here])
    alone = handed.need[some] < 0
    kinds = np.maximum(1, (content > 0).sum(axis=0))
    for nutrient in range(len(problem.nutrients)):
        here = alone & (content[nutrient] > 0)
        np.add.at(of_need, at[nutrient][here], (reached.amount[some] / kinds)[here])
