"""What binds, in words: the cause of a shortage and what would help, as a dispatcher would say it."""

from __future__ import annotations

from collections.abc import Iterable

from abasto.planner.problem import Problem

__all__ = ["days_in_words", "in_words"]


def in_words(problem: Problem, resource: tuple[str, int, int], when: str, *, all_of_it: bool) -> tuple[str, str]:
    """Return the cause and the remedy where a resource (kind, what, where) binds; `when` says on which days."""
    kind, what, where = resource
    nearly = "" if all_of_it else "nearly "
    if kind == "lane":
        start, end = problem.lanes[what]
        name = f"lane {problem.sites[start]}>{problem.sites[end]}"
        return f"{name} is {nearly}full {when}", f"more tonnes on {name} {when}"
    if kind == "fleet":
        fleet = problem.fleets[what]
        return f"{nearly}all vehicles of {fleet} are taken {when}", f"more vehicle-hours for {fleet} {when}"
    site = problem.sites[where]
    if kind == "plant":
        recipe = problem.recipe_ids[int(problem.plant_recipe[what])]
        return f"{site} makes {nearly}all the {recipe} it can {when}", f"more batches of {recipe} at {site} {when}"
    if kind == "labour":
        return f"{nearly}all working hours at {site} are taken {when}", f"more working hours at {site} {when}"
    if kind == "storage":
        return f"the store of {site} is full {when}", f"more storage at {site} {when}"
    return _of_goods(problem.goods[what], kind, site, when, nearly)


def _of_goods(good: str, kind: str, site: str, when: str, nearly: str) -> tuple[str, str]:
    if kind == "reserve":
        return f"the rest of the {good} at {site} is its reserve", f"a smaller reserve of {good} at {site}"
    if kind == "fuel":
        return f"all {good} for vehicles at {site} is taken {when}", f"more {good} at {site} {when}"
    if kind == "stock":
        return f"the stock of {good} at {site} is used up", f"more {good} at {site} or a place nearer"
    taken = f"{nearly}all {good} that {site} can take in is taken {when}"
    return taken, f"a larger supply of {good} at {site} {when}"


def days_in_words(days: Iterable[int]) -> str:
    """Return days (from 0) in words, numbered from 1.

    >>> days_in_words([2]), days_in_words([0, 1, 2]), days_in_words([0, 4, 5])
    ('on day 3', 'on days 1 to 3', 'on 3 of days 1 to 6')
    """
    known = sorted(set(days))
    first, last = known[0] + 1, known[-1] + 1
    if first == last:
        return f"on day {first}"
    return f"on days {first} to {last}" if len(known) > last - first else f"on {len(known)} of days {first} to {last}"
