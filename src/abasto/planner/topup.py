"""What a plan leaves spare, for whoever it leaves short: more flows beside those that stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from abasto.planner.hold import unless_cut
from abasto.planner.problem import Floats, Ints, Problem
from abasto.planner.residual import Residual, add_flows, residual_of, rest_of
from abasto.planner.settle import settle, without_circles
from abasto.planner.solution import Flows, Solution

__all__ = ["Bools", "around", "top_up", "without"]

Bools = npt.NDArray[np.bool_]

SHORT = 1e-3
"""A need of which less than this share is missing is left alone."""


def top_up(
    residual: Residual, flows: Flows, coverage: Floats, chosen: Bools, solve: Callable[[Problem], Solution]
) -> Flows:
    """Return flows of the residual problem with more beside them, found by `solve`, for the `chosen` needs that their
    `coverage` leaves short.

    `flows` must be possible. What is missing of a need counts as a need of its own, worth what its next tier is worth.
    """
    problem = residual.problem
    left = residual_of(problem, flows, today=residual.today, open_day=residual.open_day)
    short = np.flatnonzero(chosen & (coverage < 1 - SHORT) & (problem.needs.target < len(problem.goods)))
    if not len(short) or problem.shippable:  # a gate that is passed twice is not kept
        return flows
    more = replace(left.problem, needs=rest_of(problem, short, coverage[short]))
    found = settle(more, solve(more).flows)
    found = left.lifted(replace(found, hand_need=np.append(short, -1)[found.hand_need]))
    both = without_circles(problem, add_flows(flows, found))  # what goes there and comes back need not go, nor its fuel
    return unless_cut(both, settle(problem, both))


def around(problem: Problem, sites: Ints, hops: int) -> Bools:
    """Return which sites lie within so many lanes of some of `sites`, those included."""
    near = np.zeros(len(problem.sites), dtype=np.bool_)
    near[sites] = True
    ends = np.array(problem.lanes, dtype=np.int64).reshape(-1, 2)
    for _ in range(hops):
        reached = ends[near[ends].any(axis=1)]
        near[reached.ravel()] = True
    return near


def without(problem: Problem, flows: Flows, near: Bools) -> Flows:
    """Return the flows with nothing left that starts, ends or happens at some sites; what depends on it is cut."""
    options, sources = problem.options, problem.sources
    touched = near[options.start[flows.ship_option]] | near[options.end[flows.ship_option]]
    emptied = replace(
        flows,
        taken=np.where(near[sources.site] & ~sources.is_stock, 0.0, flows.taken),
        ship_quantity=np.where(touched, 0.0, flows.ship_quantity),
        made_batches=np.where(near[problem.plant_site[flows.made_plant]], 0.0, flows.made_batches),
        hand_quantity=np.where(near[flows.hand_site], 0.0, flows.hand_quantity),
        draw_quantity=np.where(near[flows.draw_site], 0.0, flows.draw_quantity),
    )
    return settle(problem, emptied)
