"""make_plan: network → checked plan; which solver, how long, and what every step hands to the next.

`plan_in_full` does the same and keeps what the plan was computed from, for whoever asks why, what helps or what if.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from abasto.errors import CheckError, InputError, SettingError, UnsupportedError
from abasto.network import Network
from abasto.planner import exact
from abasto.planner.check import check_plan
from abasto.planner.explain import explain
from abasto.planner.lots import LotFlows, name_lots
from abasto.planner.plan import Plan, Table
from abasto.planner.problem import Problem, build_problem
from abasto.planner.settle import settle
from abasto.planner.solution import Prices, Solution
from abasto.planner.tabulate import Service, objective, service, shortages, summary, tabulate
from abasto.tables import check_network
from abasto.tables.names import closest

if TYPE_CHECKING:
    from abasto.planner.warm import Warm

__all__ = [
    "Progress",
    "Solved",
    "SolverName",
    "finish_plan",
    "make_plan",
    "plan_in_full",
    "problem_to_plan",
    "put_together",
]

EXACT_COLUMNS = 30_000
"""Networks whose exact model has about this many columns at most are solved by it in a few seconds."""
MOST_FAIRNESS = 50.0
"""Beyond it the tiers' values differ by more than a floating-point number can hold."""
ROUNDING = 1e-9
"""How far a bound may lie below the objective of a plan that reaches it."""

SolverName = Literal["auto", "exact", "equilibrium"]


@dataclass(frozen=True)
class Progress:
    """How far the search is: its stage, seconds since the start, and the proven gap once there is one."""

    stage: str
    seconds: float
    gap: float | None


@dataclass(frozen=True)
class Solved:
    """A plan with what it was computed from: the problem's arrays, prices, the lots that move, how needs are served.

    `warm` is what a search on a changed problem may start from; None where the exact solver planned.
    """

    plan: Plan
    problem: Problem
    prices: Prices
    lots: LotFlows
    served: Service
    warm: Warm | None = None


def make_plan(
    network: Network,
    scenario: str | None = None,
    *,
    fairness: float = 4.0,
    solver: SolverName = "auto",
    gap: float = 0.01,
    time_limit: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Plan:
    """Return a fair plan with a proven bound, checked against the network in plain loops.

    `gap` is the share of the objective at which the search may end; `time_limit` is in seconds of searching. When the
    time is up or `stop()` turns true the best plan so far is returned with its gap.
    """
    return plan_in_full(
        network,
        scenario,
        fairness=fairness,
        solver=solver,
        gap=gap,
        time_limit=time_limit,
        progress=progress,
        stop=stop,
    ).plan


def plan_in_full(
    network: Network,
    scenario: str | None = None,
    *,
    fairness: float = 4.0,
    solver: SolverName = "auto",
    gap: float = 0.01,
    time_limit: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    warm: Warm | None = None,
) -> Solved:
    """Return the plan that `make_plan` returns, with what it was computed from.

    `warm` is `Solved.warm` of an earlier plan of the same sites, goods and lanes; the search starts from it.
    """
    begin = time.perf_counter()
    problem, name = problem_to_plan(network, scenario, fairness=fairness, solver=solver, gap=gap, time_limit=time_limit)

    def tell(stage: str, gap: float | None) -> None:
        if progress is not None:
            progress(Progress(stage, time.perf_counter() - begin, gap))

    if name == "equilibrium":
        from abasto.planner import equilibrium

        tell("compiling (only the first time)", None)
        equilibrium.prepare()
    deadline = None if time_limit is None else time.monotonic() + time_limit
    if name == "exact":
        solution = exact.solve(problem, gap=gap, deadline=deadline, progress=tell, stop=stop)
    else:
        solution = equilibrium.solve(problem, gap=gap, deadline=deadline, progress=tell, stop=stop, warm=warm)
    tell("writing the tables", None)
    solved = finish_plan(problem, solution, solver=name, begin=begin)
    tell("checking", solved.plan.gap)
    violations = check_plan(network, solved.plan, scenario)
    if violations:
        raise CheckError(violations)
    return solved


def problem_to_plan(
    network: Network,
    scenario: str | None = None,
    *,
    fairness: float = 4.0,
    solver: SolverName = "auto",
    gap: float = 0.01,
    time_limit: float | None = None,
) -> tuple[Problem, Literal["exact", "equilibrium"]]:
    """Return the arrays that a solver works on and which solver plans them; bad settings and tables are refused."""
    _refuse_bad_settings(fairness, solver, gap, time_limit)
    _refuse_bad_network(network, scenario)
    problem = build_problem(network, scenario, fairness=fairness)
    return problem, _choose(problem, solver)


def finish_plan(problem: Problem, solution: Solution, *, solver: str, begin: float) -> Solved:
    """Cut the flows to what holds strictly, name lots, explain what is short, and put it all into tables.

    `begin` is the reading of time.perf_counter() at which planning began.
    """
    lots = name_lots(problem, settle(problem, solution.flows))
    served = service(problem, lots)
    runs = shortages(problem, served.coverage)
    reasons = explain(problem, solution.prices, lots, served, runs, stopped=solution.status == "stopped")
    plan = put_together(problem, lots, served, reasons, solution, solver=solver, begin=begin)
    return Solved(plan, problem, solution.prices, lots, served, solution.warm)


def put_together(
    problem: Problem,
    lots: LotFlows,
    served: Service,
    reasons: Sequence[tuple[str, str]],
    solution: Solution,
    *,
    solver: str,
    begin: float,
) -> Plan:
    """Return the plan of these lots; `reasons` are its shortages' causes and remedies, the bound is the solution's."""
    value = objective(problem, served.coverage)
    bound = float(min(solution.bound, problem.full_value))
    if bound < value <= bound * (1 + ROUNDING) + ROUNDING:
        bound = value
    seconds = time.perf_counter() - begin
    draft = Plan(
        network=problem.network,
        scenario=problem.scenario,
        fairness=problem.fairness,
        solver=solver,
        status=solution.status,
        objective=value,
        bound=bound,
        full_value=problem.full_value,
        seconds=seconds,
        summary=Table({}),
        **tabulate(problem, lots, served, reasons),
    )
    facts = {"seconds": seconds, "objective": value, "gap": draft.gap, "gap_of_unmet": draft.gap_of_unmet}
    return replace(draft, summary=summary(problem, lots, served, {**facts, "solver": solver}))


def _choose(problem: Problem, solver: SolverName) -> Literal["exact", "equilibrium"]:
    """Return the solver's name: asked for, or the exact one where it takes seconds or is the only one that can."""
    if solver == "exact" or (solver == "auto" and _columns(problem) <= EXACT_COLUMNS):
        return "exact"
    from abasto.planner.layout import unsupported

    missing = unsupported(problem)
    if missing and solver == "equilibrium":
        raise UnsupportedError(
            f"the equilibrium solver does not do {', '.join(missing)}; plan with solver exact or auto"
        )
    return "exact" if missing else "equilibrium"


def _columns(problem: Problem) -> int:
    """Return about how many columns the exact model would have."""
    items, days = len(problem.items.good), problem.days
    tiers = len(np.unique(problem.tier_value))
    return (len(problem.options.lane) + len(problem.sites)) * items * days + tiers * len(problem.needs.amount)


def _refuse_bad_settings(fairness: float, solver: str, gap: float, time_limit: float | None) -> None:
    if not (isinstance(fairness, int | float) and 0 <= fairness <= MOST_FAIRNESS):
        raise SettingError(
            f"fairness is {fairness}; it must be a number from 0 (greatest total) to {MOST_FAIRNESS:g}, such as 4"
        )
    if solver not in get_args(SolverName):
        guess = closest(str(solver), get_args(SolverName))
        meant = f'; did you mean "{guess}"?' if guess else ""
        raise SettingError(f'solver is "{solver}"; known are {", ".join(get_args(SolverName))}{meant}')
    if not (isinstance(gap, int | float) and 0 <= gap < math.inf):
        raise SettingError(f"gap is {gap}; it must be a share of the objective from 0 up, such as 0.01 for 1 %")
    if time_limit is not None and not (isinstance(time_limit, int | float) and 0 < time_limit < math.inf):
        raise SettingError(f"time_limit is {time_limit}; it must be a number of seconds above 0, or None for no limit")


def _refuse_bad_network(network: Network, scenario: str | None) -> None:
    errors = [finding for finding in check_network(network) if finding.severity == "error"]
    if errors:
        raise InputError(errors)
    if scenario is not None and scenario not in network.scenarios:
        guess = closest(scenario, network.scenarios)
        meant = f'; did you mean "{guess}"?' if guess else "."
        known = ", ".join(network.scenarios) or "none: table disruptions is empty"
        raise SettingError(f'scenario is "{scenario}", which table disruptions does not know{meant} Known are {known}')
