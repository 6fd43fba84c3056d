"""What binds, in words: causes and remedies as a dispatcher would say them, and the steps of a way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from abasto.planner.causes import Kind, Resource, Standing
from abasto.planner.obstacles import Obstacle
from abasto.planner.problem import Problem
from abasto.planner.walk import Key

__all__ = [
    "KIND_OF",
    "days_in_words",
    "in_words",
    "joined",
    "kept_in_words",
    "left_in_words",
    "mostly_in_words",
    "named",
    "obstacle_in_words",
    "percent",
    "quantity",
]

ALL = 1 - 1e-6
"""From this share on it is all."""
KIND_OF: dict[str, Kind] = {
    "fleet": "vehicles",
    "lane": "lane",
    "plant": "plant",
    "labour": "labour",
    "storage": "storage",
    "reserve": "reserved",
    "stock": "nothing_left",
    "supply": "nothing_left",
    "fuel": "fuel",
}
"""The kind of cause that each kind of resource makes when it binds."""

_OBSTACLE_KIND: dict[str, Kind] = {
    "plant": "plant",
    "labour": "labour",
    "storage": "storage",
    "spoiled": "spoiled",
    "reserve": "reserved",
    "supply": "nothing_left",
    "fuel": "fuel",
}


def named(problem: Problem, key: Key) -> Resource:
    """Return a resource by its names."""
    kind, what, where = key
    if kind == "lane":
        start, end = problem.lanes[what]
        return Resource(kind, f"{problem.sites[start]}>{problem.sites[end]}", "tonnes")
    if kind == "fleet":
        return Resource(kind, problem.fleets[what], "vehicle-hours")
    site = problem.sites[where]
    if kind == "plant":
        return Resource(kind, f"{site}/{problem.recipe_ids[int(problem.plant_recipe[what])]}", "batches")
    if kind == "labour":
        return Resource(kind, site, "hours")
    if kind == "storage":
        return Resource(kind, site, "tonnes")
    return Resource(kind, f"{site}/{problem.goods[what]}", problem.network.goods[what].unit)


def in_words(problem: Problem, key: Key, when: str, *, all_of_it: bool, none: bool = False) -> tuple[str, str]:
    """Return the cause and the remedy where a resource binds; `when` says on which days.

    `none` says that there is none of it at all on these days.
    """
    kind, what, where = key
    nearly = "" if all_of_it else "nearly "
    if kind == "lane":
        name = f"lane {named(problem, key).name}"
        return f"{name} is {nearly}full {when}", f"more tonnes on {name} {when}"
    if kind == "fleet":
        fleet = problem.fleets[what]
        return f"{nearly}all vehicles of {fleet} are taken {when}", f"more vehicle-hours for {fleet} {when}"
    site = problem.sites[where]
    if kind == "plant":
        recipe = problem.recipe_ids[int(problem.plant_recipe[what])]
        return f"{site} makes {nearly}all the {recipe} it can {when}", f"more batches of {recipe} at {site} {when}"
    if kind == "labour":
        said = f"nobody works at {site} {when}" if none else f"{nearly}all working hours at {site} are taken {when}"
        return said, f"more working hours at {site} {when}"
    if kind == "storage":
        said = f"{site} has no store {when}" if none else f"the store of {site} is {nearly}full {when}"
        return said, f"more storage at {site} {when}"
    return _of_goods(problem.goods[what], kind, site, when, nearly)


def _of_goods(good: str, kind: str, site: str, when: str, nearly: str) -> tuple[str, str]:
    if kind == "reserve":
        return f"the rest of the {good} at {site} is its reserve", f"a smaller reserve of {good} at {site}"
    if kind == "stock":
        return f"the stock of {good} at {site} is {nearly}used up", f"more {good} at {site} or a place nearer"
    taken = f"{nearly}all {good} that {site} can take in is taken {when}"
    return taken, f"a larger supply of {good} at {site} {when}"


MOSTLY: dict[Standing, str] = {
    "more_urgent": ", mostly for more urgent needs",
    "worse_off": ", mostly for places that would be worse off without",
    "nearer": ", mostly for places that need less of it per person",
    "itself": "",
    "other": "",
}


def mostly_in_words(standing: Standing | None) -> str:
    """Return the clause on whom most of a resource serves; empty if the trace shows no majority."""
    return "" if standing is None else MOSTLY[standing]


def obstacle_in_words(problem: Problem, obstacle: Obstacle, when: str) -> tuple[Kind, Resource | None, str, str]:
    """Return kind, resource, cause and remedy of a thing without which nothing can come."""
    kind, what, where, item_good, day = obstacle
    good, site = problem.goods[item_good], problem.sites[where]
    of = _OBSTACLE_KIND.get(kind, "no_way")
    if kind in ("lane", "unserved", "late"):
        start, end = problem.lanes[what]
        lane = f"lane {problem.sites[start]}>{problem.sites[end]}"
        resource = named(problem, ("lane", what, what))
        if kind == "lane":
            return of, resource, f"{lane} is closed {when}", f"{lane} open {when}"
        if kind == "unserved":
            return of, resource, f"no fleet serves {lane}", f"vehicles that may serve {lane}"
        lead = max(1, int(problem.options.lead[problem.options.lane == what].max(initial=0)))
        long = f"{lead} day" + ("s" if lead > 1 else "")
        return of, resource, f"{lane} takes {long}", f"{good} nearer from the start, or a faster way than {lane}"
    if kind == "fleet":
        fleet = problem.fleets[what]
        return (
            of,
            named(problem, ("fleet", what, what)),
            f"{fleet} has no vehicles to spare {when}",
            f"vehicles for {fleet} {when}",
        )
    if kind == "plant":
        key: Key = ("plant", what, where)
        recipe = problem.recipe_ids[int(problem.plant_recipe[what])]
        return of, named(problem, key), f"{recipe} at {site} is shut {when}", f"{recipe} at {site} open {when}"
    if kind in ("labour", "storage"):
        key = (kind, where, where)
        return of, named(problem, key), *in_words(problem, key, when, all_of_it=True, none=True)
    resource = named(problem, (kind if kind in ("reserve", "supply") else "stock", what, where))
    if kind == "spoiled":
        spoiled = f"the {good} at {site} is spoiled by day {day + 1}"
        return of, resource, spoiled, f"{good} that lasts longer, or more of it later, at {site}"
    if kind == "reserve":
        words = f"all {good} at {site} is its reserve", f"a smaller reserve of {good} at {site}"
        return of, resource, *words
    if kind == "fuel":
        return of, resource, f"there is no {good} for vehicles at {site} {when}", f"{good} at {site} {when}"
    return of, resource, f"the supply of {good} at {site} is cut off {when}", f"the supply of {good} at {site} {when}"


def kept_in_words(problem: Problem, obstacle: Obstacle, kept_until: int) -> tuple[str, str]:
    """Return cause and remedy where something would have to start on a day (from 0) whose orders are kept."""
    when = f"before day {kept_until + 1}"
    near = f"{problem.goods[obstacle.good]} that is there already"
    return f"orders {when} are kept as they were, and nothing is added to them", f"fewer frozen days, or {near}"


def left_in_words(problem: Problem, good: int, site: int, when: str) -> tuple[str, str]:
    """Return cause and remedy where what kept orders leave of a good at a site is used up; `when` it comes."""
    name, place = problem.goods[good], problem.sites[site]
    cause = f"all {name} that kept orders leave at {place} {when} is used"
    return cause, f"more {name} at {place} or a place nearer"


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


def quantity(amount: float, unit: str) -> str:
    """Return a quantity with three digits and its unit.

    >>> quantity(1234567.0, "kg"), quantity(0.0512, "t"), quantity(0.0, "kg")
    ('1,230,000 kg', '0.0512 t', '0 kg')
    """
    rounded = float(f"{amount:.3g}")
    return f"{rounded:,.10g} {unit}"


def joined(parts: Sequence[str]) -> str:
    """Return clauses as a list people say.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def percent(share: float) -> str:
    """Return a share in percent: none only where it is none, and never all of what is not all.

    >>> percent(0.0), percent(0.003), percent(0.5), percent(0.999), percent(1.0)
    ('none', 'under 1 %', '50 %', '99 %', '100 %')
    """
    if share <= 1 - ALL or share >= ALL:
        return "none" if share < 0.5 else "100 %"
    return "under 1 %" if share < 0.01 else f"{min(99, round(100 * share))} %"
