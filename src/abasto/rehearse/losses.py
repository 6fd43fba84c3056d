"""What can be lost: every site, lane, fleet, plant and supply of a network, each once, and a problem without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from abasto.errors import SettingError
from abasto.network import Network
from abasto.planner.lose import lose
from abasto.planner.problem import Problem
from abasto.tables.names import closest
from abasto.tables.target import Target, Targets

__all__ = ["KINDS", "Kind", "Loss", "is_gone", "kinds_of", "losses_of", "names_of", "without"]

Kind = Literal["site", "lane", "fleet", "plant", "supply"]

KINDS: dict[str, Kind] = {f"{kind}s" if kind != "supply" else "supplies": kind for kind in get_args(Kind)}
"""What can be asked for, and the kind of disruption each means."""


@dataclass(frozen=True, order=True)
class Loss:
    """One thing that is lost for the whole horizon: a kind and target as in table disruptions."""

    kind: str
    target: str


def kinds_of(what: Sequence[str]) -> tuple[Kind, ...]:
    """Return the kinds of disruption that names such as `sites` mean; a `SettingError` where one means none.

    >>> kinds_of(["fleets", "sites"])
    ('site', 'fleet')
    """
    asked = {name.strip() for name in what}
    for name in sorted(asked - set(KINDS)):
        guess = closest(name, KINDS)
        meant = f'; did you mean "{guess}"?' if guess else "."
        raise SettingError(f'"{name}" is nothing that can be taken away{meant} There are {", ".join(KINDS)}')
    if not asked:
        raise SettingError(f"nothing was named that can be taken away; there are {', '.join(KINDS)}")
    return tuple(kind for name, kind in KINDS.items() if name in asked)


def losses_of(network: Network, kinds: Sequence[Kind], targets: Targets) -> tuple[Loss, ...]:
    """Return everything of these kinds that the network has, in the order of its tables; a two-way lane is one."""
    rows = {
        "site": [site.site for site in network.sites],
        "lane": [f"{lane.from_site}>{lane.to_site}" for lane in network.lanes],
        "fleet": [fleet.fleet for fleet in network.fleets],
        "plant": [f"{plant.site}/{plant.recipe}" for plant in network.plants],
        "supply": [f"{supply.site}/{supply.good}" for supply in network.supplies],
    }
    found: list[Loss] = []
    for kind in kinds:
        known: set[Target] = set()
        for target in rows[kind]:
            means = targets.resolve(kind, target)
            if not known.issuperset(means):
                known.update(means)
                found.append(Loss(kind, target))
    return tuple(found)


def without(problem: Problem, case: Sequence[Loss], targets: Targets) -> Problem:
    """Return the problem without everything in `case`."""
    for loss in case:
        problem = lose(problem, loss.kind, loss.target, targets)
    return problem


def is_gone(problem: Problem, loss: Loss, targets: Targets) -> bool:
    """Return whether losing it changes nothing, because nothing is left of it or of what it stands for."""
    after = lose(problem, loss.kind, loss.target, targets)
    return (
        len(problem.sources.site) == len(after.sources.site)
        and np.array_equal(problem.lane_tonnes, after.lane_tonnes)
        and np.array_equal(problem.fleet_hours, after.fleet_hours)
        and np.array_equal(problem.plant_batches, after.plant_batches)
    )


def names_of(network: Network) -> dict[str, str]:
    """Return the names by which people know sites and goods, where they differ from the ids."""
    named = [(site.site, site.name) for site in network.sites] + [(good.good, good.name) for good in network.goods]
    return {id: name for id, name in named if name and name != id}
