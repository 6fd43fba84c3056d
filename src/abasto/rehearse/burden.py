"""How much rests on each thing: what passes through it, and what its capacity is worth at the prices.

Two things that stand in for each other are found by what grows when one is lost. Prices alone do not show it: a depot
that can carry everything alone has no price, before or after the other is lost, but then all passes through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from abasto.planner.lose import lose
from abasto.planner.problem import Floats, Ints, Problem
from abasto.planner.solution import Flows, Prices
from abasto.planner.warm import Warm
from abasto.rehearse.losses import Loss
from abasto.tables.target import Targets

__all__ = ["Burden", "Members", "grown_most", "members_of", "on_each", "passing_flows", "passing_ways", "rents"]

LEAST_GROWTH = 1e-6


@dataclass(frozen=True)
class Burden:
    """One measure of what rests on each `lane` [lanes], `fleet` [fleets], `plant` [plants] and `supply`
    [sites × goods].
    """

    lane: Floats
    fleet: Floats
    plant: Floats
    supply: Floats


@dataclass(frozen=True)
class Members:
    """What goes with a thing when it is lost: indices of lanes, fleets, plants and supplies."""

    lane: Ints
    fleet: Ints
    plant: Ints
    supply: Ints


def members_of(problem: Problem, losses: Sequence[Loss], targets: Targets) -> tuple[Members, ...]:
    """Return what goes with each loss."""
    ones = np.ones(len(problem.sources.site))
    offers = _by_supply(problem, ones)
    everything = []
    for loss in losses:
        after = lose(problem, loss.kind, loss.target, targets)
        everything.append(
            Members(
                lane=np.flatnonzero((problem.lane_tonnes != after.lane_tonnes).any(axis=1)),
                fleet=np.flatnonzero((problem.fleet_hours != after.fleet_hours).any(axis=1)),
                plant=np.flatnonzero((problem.plant_batches != after.plant_batches).any(axis=1)),
                supply=np.flatnonzero(offers != _by_supply(after, ones[: len(after.sources.site)])),
            )
        )
    return tuple(everything)


def on_each(burden: Burden, members: Sequence[Members]) -> Floats:
    """Return what rests on each thing: the sum over what goes with it."""
    return np.array(
        [
            burden.lane[one.lane].sum()
            + burden.fleet[one.fleet].sum()
            + burden.plant[one.plant].sum()
            + burden.supply[one.supply].sum()
            for one in members
        ],
        dtype=np.float64,
    )


def rents(problem: Problem, prices: Prices) -> Burden:
    """Return price × capacity, in the objective's units; what has no limit has no price."""
    tonnes = np.where(np.isfinite(problem.lane_tonnes), problem.lane_tonnes, 0.0)
    return Burden(
        lane=(prices.lane * tonnes).sum(axis=1),
        fleet=(prices.fleet * problem.fleet_hours).sum(axis=1),
        plant=(prices.plant * problem.plant_batches).sum(axis=1),
        supply=_by_supply(problem, prices.source * problem.sources.amount),
    )


def passing_flows(problem: Problem, flows: Flows) -> Burden:
    """Return what passes in a plan's flows, each good as a share of all of it that moves, is made or is taken in."""
    return _passing(
        problem,
        (flows.ship_option, problem.items.good[flows.ship_item], flows.ship_quantity),
        (flows.made_plant, flows.made_batches),
        flows.taken,
    )


def passing_ways(problem: Problem, warm: Warm) -> Burden:
    """Return what passes on the ways of an earlier search, as `passing_flows` counts it."""
    layout, actions, pool = warm.layout, warm.actions, warm.pool
    rows = len(layout.offer)
    slot = np.repeat(np.arange(len(pool.length)), pool.length)
    entry = np.arange(len(slot)) + np.repeat(pool.start - np.cumsum(pool.length) + pool.length, pool.length)
    action = pool.action[entry].astype(np.int64)
    amount = pool.flow[slot] * pool.quantity[entry]
    kind = np.searchsorted([actions.batches, actions.draws, actions.taken], action, side="right")
    row_good = np.repeat(layout.item_good, layout.item_last - layout.item_first + 1).astype(np.int64)
    ship, make, take = (kind == 0), (kind == 1), (kind == 3)
    by_resource = np.bincount(action[take] - actions.taken, amount[take], minlength=layout.nothing + 1)
    sources = problem.sources
    taken, offers = np.zeros(len(sources.site)), np.flatnonzero(~sources.is_stock)
    number = layout.offer[layout.row[sources.item[offers]] + sources.day[offers], sources.site[offers]]
    taken[offers] = np.where(number >= 0, by_resource[np.maximum(number, 0)], 0.0)
    return _passing(
        problem,
        (action[ship] // rows, row_good[action[ship] % rows], amount[ship]),
        ((action[make] - actions.batches) // layout.n_days, amount[make]),
        taken,
    )


def _passing(problem: Problem, shipped: tuple[Ints, Ints, Floats], made: tuple[Ints, Floats], taken: Floats) -> Burden:
    """Add up shares: of each good's shipments by option, of each recipe's batches by plant, of each good's intake."""
    options, sources, goods = problem.options, problem.sources, len(problem.goods)
    option, good, quantity = shipped
    plant, batches = made
    share = _parts(good, quantity, goods)
    of_recipe = _parts(problem.plant_recipe[plant], batches, len(problem.recipes))
    taken = np.where(sources.is_stock, 0.0, taken)
    return Burden(
        lane=_added_up(options.lane[option], share, len(problem.lanes)),
        fleet=_added_up(options.fleet[option], share, len(problem.fleets)),
        plant=_added_up(plant, of_recipe, len(problem.plant_site)),
        supply=_by_supply(problem, _parts(problem.items.good[sources.item], taken, goods)),
    )


def _by_supply(problem: Problem, amount: Floats) -> Floats:
    """Add up what is told of sources [sources] by site and good, of what may be taken in only."""
    sources = problem.sources
    place = sources.site * len(problem.goods) + problem.items.good[sources.item]
    offered = np.where(sources.is_stock, 0.0, amount)
    return _added_up(place, offered, len(problem.sites) * len(problem.goods))


def _added_up(place: Ints, amount: Floats, length: int) -> Floats:
    return np.asarray(np.bincount(place, amount, minlength=length), dtype=np.float64)


def _parts(place: Ints, amount: Floats, length: int) -> Floats:
    """Return each amount as a share of all at its place."""
    return np.asarray(amount / np.maximum(_added_up(place, amount, length), 1e-300)[place])


def grown_most(losses: Sequence[Loss], before: Sequence[Floats], after: Sequence[Floats], most: int) -> list[Loss]:
    """Return the things on which most more rests by each measure, the one that grew most first and each once."""
    found: dict[Loss, None] = {}
    for was, now in zip(before, after, strict=True):
        growth = now - was
        least = LEAST_GROWTH * max(1.0, float(np.abs(was).max(initial=0.0)))
        for which in np.argsort(-growth, kind="stable")[:most].tolist():
            if growth[which] > least:
                found[losses[which]] = None
    return list(found)
