"""A plan made anew around some of what an earlier one hands over: this is handed over just the same, by the same trips
and batches, and everything else is planned on what that leaves.
"""

from __future__ import annotations

import time
from collections.abc import Container
from dataclasses import replace

import numpy as np

from abasto.errors import CheckError, SettingError
from abasto.network import Network
from abasto.planner import exact
from abasto.planner.behind import behind
from abasto.planner.check import check_plan
from abasto.planner.hold import unless_cut
from abasto.planner.lots import name_lots
from abasto.planner.make import Solved, SolverName, problem_to_plan, put_together
from abasto.planner.plan import Plan
from abasto.planner.problem import TIERS, Floats, Ints, Problem
from abasto.planner.replan import coverage_of, reasons, refuse_bad_days
from abasto.planner.residual import Residual, add_flows, residual_of, rest_of
from abasto.planner.settle import settle
from abasto.planner.solution import Flows, Solution
from abasto.planner.tabulate import objective, service, shortages
from abasto.planner.untabulate import untabulate

__all__ = ["kept_flows", "plan_keeping"]

MET = 1e-9
"""A need of which less than this share is missing is met."""


def plan_keeping(
    network: Network,
    old: Plan,
    sites: Container[str],
    *,
    fairness: float = 4.0,
    solver: SolverName = "auto",
    gap: float = 0.01,
    time_limit: float | None = None,
) -> Solved:
    """Return a plan of `network` that keeps what `old` hands over at some `sites`.

    `network` must have all that `old` was planned with, and may have more. `gap` and `time_limit` are those of
    `make_plan`, the bound is that of the best plan that keeps the same. Beside needs that are kept in part the plan may
    stay further from it: what is left of them is worth other than it is to the search. Raises `SettingError` where rows
    of `old` have no place in `network`, and what `make_plan` raises.
    """
    begin = time.perf_counter()
    refuse_bad_days(network, old, 1, 0)
    problem, name = problem_to_plan(network, None, fairness=fairness, solver=solver, gap=gap, time_limit=time_limit)
    deadline = None if time_limit is None else time.monotonic() + time_limit
    held, dates = kept_flows(problem, old, sites)
    residual = _missing(residual_of(problem, held, today=0, open_day=0), held)
    if name == "exact" or not len(residual.need):
        solution = exact.solve(residual.problem, gap=gap, deadline=deadline)
    else:
        from abasto.planner import equilibrium

        equilibrium.prepare()
        solution = equilibrium.solve(residual.problem, gap=gap, deadline=deadline)
    solved = _finish(residual, held, dates, solution, old, solver=name, begin=begin)
    violations = check_plan(network, solved.plan, None)
    if violations:
        raise CheckError(violations)
    return solved


def kept_flows(problem: Problem, old: Plan, sites: Container[str]) -> tuple[Flows, tuple[Ints, Ints]]:
    """Return the flows behind what is kept, and the last days of the lots that they ship and hand over."""
    traced = untabulate(problem, old)
    if traced.lost:
        (table, row), why = next(iter(traced.lost.items()))
        raise SettingError(f"the earlier plan cannot be kept: row {row + 1} of its table {table}: {why}")
    at_kept = np.array([site in sites for site in problem.sites], dtype=np.bool_)
    share = at_kept[traced.flows.hand_site].astype(np.float64)
    held = behind(problem, traced.flows, share)
    return unless_cut(held, settle(problem, held)), (traced.ship_expires, traced.hand_expires)


def _missing(residual: Residual, held: Flows) -> Residual:
    """Return the residual problem in which of needs that `held` meets only the rest is left."""
    problem = residual.problem
    coverage = coverage_of(residual.whole, held)[residual.need]
    left = np.flatnonzero(coverage < 1 - MET)
    needs = rest_of(problem, left, coverage[left])
    return replace(residual, problem=replace(problem, needs=needs), need=residual.need[left])


def _undervalued(residual: Residual, coverage: Floats) -> float:
    """Return by how much the rest of needs that are met in part can be worth more than the residual problem says: there
    its tenths are worth ever less, from the first on.
    """
    problem = residual.problem
    part = np.flatnonzero(coverage > 0)
    before, missing = coverage[part, None], 1.0 - coverage[part, None]
    tenths = np.linspace(0.0, 1.0, TIERS + 1)
    more = np.concatenate([missing * tenths, np.clip(tenths - before, 0.0, missing)], axis=1)

    def worth(share: Floats) -> Floats:
        tiers = np.clip(share[:, :, None] * TIERS - np.arange(TIERS), 0.0, 1.0)
        return np.asarray(tiers @ problem.tier_value)

    whole = residual.whole.needs.weight[residual.need[part], None] * (worth(before + more) - worth(before))
    said = problem.needs.weight[part, None] * worth(more / missing)
    return float(np.maximum(0.0, (whole - said).max(axis=1, initial=0.0)).sum())


def _finish(
    residual: Residual,
    held: Flows,
    dates: tuple[Ints, Ints],
    solution: Solution,
    old: Plan,
    *,
    solver: str,
    begin: float,
) -> Solved:
    """Put what is kept and what was planned around it together, name lots and say why needs are short."""
    problem = residual.whole
    free = settle(residual.problem, solution.flows)
    flows = add_flows(held, residual.lifted(free))
    sizes = (len(flows.ship_item), len(flows.hand_item))
    padded = [np.pad(known, (0, size - len(known))) for known, size in zip(dates, sizes, strict=True)]
    lots = name_lots(problem, flows, dates=(padded[0], padded[1]))
    served = service(problem, lots)
    told = reasons(residual, free, solution, shortages(problem, served.coverage), old)
    kept = coverage_of(problem, held)
    bound = objective(problem, kept) + solution.bound + _undervalued(residual, kept[residual.need])
    solution = replace(solution, bound=bound, prices=residual.prices_of_whole(solution.prices))
    plan = put_together(problem, lots, served, told, solution, solver=solver, begin=begin)
    return Solved(plan, problem, solution.prices, lots, served, solution.warm)
