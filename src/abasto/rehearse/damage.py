"""Who is hit by a loss, by how much, and how long until it shows: two plans' coverage compared, need by need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from abasto.planner.problem import Floats, Problem

__all__ = ["Damage", "Hit", "damage"]

MOST_HITS = 5
FELT = 0.05
"""A loss is felt from the first day by which this share of it has come."""
DUST = 1e-6
"""People-days below which nothing was lost."""


@dataclass(frozen=True)
class Hit:
    """A need at a place that loses: how many people it serves, people-days of need lost, its mean coverage before and
    after, and the day (from 1) from which it is felt.
    """

    site: str
    need: str
    people: float
    people_days: float
    before: float
    after: float
    first_day: int


@dataclass(frozen=True)
class Damage:
    """People-days of need lost and gained by priority, the places and needs that lose most, and the day (from 1) from
    which it is felt; 0 where nothing is lost.

    A need at a place loses or gains over all days. Some gain where others lose: what no longer reaches a place goes to
    the next.
    """

    lost: tuple[tuple[float, float], ...]
    gained: tuple[tuple[float, float], ...]
    hits: tuple[Hit, ...]
    first_day: int


def damage(problem: Problem, before: Floats, after: Floats) -> Damage:
    """Return what is lost from coverage `before` to coverage `after` [needs]; needs weigh by their priority."""
    needs = problem.needs
    fell = before - after
    lost, weighted = needs.people * fell, needs.weight * fell
    place = needs.site * (len(problem.goods) + len(problem.nutrients)) + needs.target
    places, of_place = np.unique(place, return_inverse=True)
    by_place = np.bincount(of_place, weighted, minlength=len(places))
    loses = by_place[of_place] > 0
    worst = [int(one) for one in np.argsort(-by_place, kind="stable")[:MOST_HITS] if by_place[one] > DUST]
    hits = tuple(_hit(problem, of_place == one, before, after) for one in worst)
    return Damage(
        lost=_by_priority(needs.priority, np.where(loses, lost, 0.0)),
        gained=_by_priority(needs.priority, np.where(loses, 0.0, -lost)),
        hits=hits,
        first_day=_first_day(needs.day, np.where(loses, weighted, 0.0)),
    )


def _by_priority(priority: Floats, amount: Floats) -> tuple[tuple[float, float], ...]:
    """Return (priority, sum) for each priority there is; what is but rounding is nothing."""
    totals = {one: float(amount[priority == one].sum()) for one in np.unique(priority).tolist()}
    return tuple((one, total if abs(total) > DUST else 0.0) for one, total in totals.items())


def _hit(problem: Problem, here: np.ndarray[tuple[int], np.dtype[np.bool_]], before: Floats, after: Floats) -> Hit:
    needs = problem.needs
    people = needs.people[here]
    lost = people * (before - after)[here]
    first = int(np.flatnonzero(here)[0])
    return Hit(
        site=problem.sites[int(needs.site[first])],
        need=(*problem.goods, *problem.nutrients)[int(needs.target[first])],
        people=float(people.max()),
        people_days=float(lost.sum()),
        before=float(people @ before[here] / people.sum()),
        after=float(people @ after[here] / people.sum()),
        first_day=_first_day(needs.day[here], lost),
    )


def _first_day(day: np.ndarray[tuple[int], np.dtype[np.int64]], lost: Floats) -> int:
    """Return the first day (from 1) by which FELT of what is lost in all has come; 0 where nothing is."""
    so_far = np.cumsum(np.bincount(day, lost))
    if not len(so_far) or so_far[-1] <= DUST:
        return 0
    return int(np.argmax(so_far >= FELT * so_far[-1])) + 1
