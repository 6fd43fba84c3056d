"""replan: an earlier plan, today's day and the network as it is now → a plan that keeps what has begun.

What started before today happened and what has left arrives; orders of the frozen days stay unless they are impossible
(`hold`). What that leaves is an ordinary problem (`residual`), and of its good plans one is taken that changes as few
of the old orders as it can.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from abasto.errors import CheckError, SettingError, SolverError
from abasto.network import Network
from abasto.planner import exact
from abasto.planner.changes import Changes, compare_orders
from abasto.planner.check import check_plan
from abasto.planner.explain import explain
from abasto.planner.hold import Cut, Held, as_planned, cuts_by_lot, hold, unless_cut
from abasto.planner.lots import name_lots
from abasto.planner.make import (
    Progress,
    Solved,
    SolverName,
    problem_to_plan,
    put_together,
)
from abasto.planner.plan import Plan
from abasto.planner.problem import TIERS, Floats, Ints, Problem
from abasto.planner.residual import Residual, add_flows, least_intake, residual_of, stored_t
from abasto.planner.settle import settle, units_per_need
from abasto.planner.solution import Flows, Solution
from abasto.planner.tabulate import Service, Shortage, objective, service, shortages
from abasto.planner.topup import Bools, around, top_up, without
from abasto.planner.untabulate import Traced, untabulate

if TYPE_CHECKING:
    from abasto.planner.warm import Warm

__all__ = ["Replanned", "coverage_of", "reasons", "refuse_bad_days", "replan"]

SAME_VALUE = 1e-6
"""So far the value of a plan may be below the best and still count as the best: interior point gives no more."""
WORSE_OFF = 1e-6
"""A need is worse off than it was promised if its coverage is lower by more than this."""
CIRCLES = (1, 1, 2, 2)
"""How many lanes from those who still go short orders are planned anew, time after time."""
A_FEW = 2e-3
"""Where what happens near those who go short is planned anew, this share of all people-days may stay low."""
MOST_ANEW = 0.7
"""Where more than this share of all sites would be planned anew, the whole plan is."""
STORE = 1e-6
"""A store may be over its limit by this share, and by so many tonnes, of rounding."""


@dataclass(frozen=True)
class Replanned:
    """A new plan that keeps what has begun of an old one.

    `cuts` lists every held order that could not stay as it was, `changes` compares the orders of the days that are
    open: after the frozen ones. `as_before` says that the old plan goes on unchanged.
    """

    solved: Solved
    day: int
    frozen: int
    cuts: tuple[Cut, ...]
    changes: Changes
    as_before: bool

    @property
    def plan(self) -> Plan:
        return self.solved.plan


@dataclass(frozen=True)
class _Choice:
    """The flows to take, which of them are free (in the residual problem), and the dates that lots have already."""

    flows: Flows
    free: Flows
    dates: tuple[Ints, Ints]
    as_before: bool


def replan(
    network: Network,
    old: Plan,
    *,
    day: int,
    frozen: int = 1,
    scenario: str | None = None,
    fairness: float = 4.0,
    solver: SolverName = "auto",
    gap: float = 0.01,
    time_limit: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    warm: Warm | None = None,
) -> Replanned:
    """Return a plan of the whole horizon that keeps what `old` does before `day` and the orders of `frozen` days from
    it, on the network as it is now; its bound is that of the best plan that keeps the same.

    `warm` is `Solved.warm` of an earlier plan; the search starts from it where it can.
    """
    begin = time.perf_counter()
    refuse_bad_days(network, old, day, frozen)
    problem, name = problem_to_plan(network, scenario, fairness=fairness, solver=solver, gap=gap, time_limit=time_limit)

    def tell(stage: str, gap: float | None) -> None:
        if progress is not None:
            progress(Progress(stage, time.perf_counter() - begin, gap))

    today, open_day = day - 1, min(network.days, day - 1 + frozen)
    deadline = None if time_limit is None else time.monotonic() + time_limit
    tell("holding what has begun", None)
    traced = untabulate(problem, old)
    choice, overfull = None, False
    while choice is None:
        held = hold(problem, old, traced, today=today, open_day=open_day, mind_stores=overfull)
        residual = residual_of(problem, held.flows, today=today, open_day=open_day)
        rest = _rest(residual, traced.flows, held.flows)
        try:
            solution = _solve(residual, rest, name, gap=gap, deadline=deadline, tell=tell, stop=stop, warm=warm)
            spare = partial(_equilibrium, gap=gap, deadline=deadline, tell=tell, stop=stop)
            more = None if name == "exact" else spare
            choice = _choose(residual, held, traced, rest, solution, old, share=gap, more=more)
        except SolverError:
            if overfull or not np.isfinite(problem.storage_t).any():
                raise
            overfull = True
    tell("writing the tables", None)
    solved = _finish(residual, choice, solution, old, solver=name, begin=begin)
    tell("checking", solved.plan.gap)
    violations = check_plan(network, solved.plan, scenario)
    if violations:
        raise CheckError(violations)
    changes = compare_orders(old, solved.plan, from_day=residual.open_day + 1)
    cuts = cuts_by_lot(old, solved.plan, held.cuts, today=today, open_day=open_day)
    return Replanned(solved, day, frozen, cuts, changes, choice.as_before)


def _solve(
    residual: Residual,
    rest: Flows,
    name: str,
    *,
    gap: float,
    deadline: float | None,
    tell: Callable[[str, float | None], None],
    stop: Callable[[], bool] | None,
    warm: Warm | None,
) -> Solution:
    """Return a good plan of what is left to plan, with a bound."""
    if name == "exact" or not len(residual.need):
        return exact.solve(residual.problem, gap=gap, deadline=deadline, progress=tell, stop=stop, near=rest)
    return _equilibrium(residual.problem, gap=gap, deadline=deadline, tell=tell, stop=stop, warm=warm)


def _equilibrium(
    problem: Problem,
    *,
    gap: float,
    deadline: float | None,
    tell: Callable[[str, float | None], None],
    stop: Callable[[], bool] | None,
    warm: Warm | None = None,
) -> Solution:
    from abasto.planner import equilibrium

    tell("compiling (only the first time)", None)
    equilibrium.prepare()
    return equilibrium.solve(problem, gap=gap, deadline=deadline, progress=tell, stop=stop, warm=warm)


def refuse_bad_days(network: Network, old: Plan, day: int, frozen: int) -> None:
    """Refuse a plan of other days than the network's, and days that it does not have, with a `SettingError`."""
    if (old.network.start, old.network.days) != (network.start, network.days):
        raise SettingError(
            f"the earlier plan is for {old.network.days} days from {old.network.start}, the network for {network.days} "
            f"days from {network.start}; give the tables that were planned, with what has changed since"
        )
    if not (isinstance(day, int) and 1 <= day <= network.days):
        raise SettingError(f"day is {day}; it must be a day of the horizon, from 1 to {network.days}")
    if not (isinstance(frozen, int) and frozen >= 0):
        raise SettingError(f"frozen is {frozen}; it must be a whole number of days from 0 up, such as 1 for today")


def _rest(residual: Residual, old: Flows, held: Flows) -> Flows:
    """Return what the old plan does later, as far as it is possible beside what is held."""
    free = residual.lowered(old, held)
    free = unless_cut(free, settle(residual.problem, free))
    return replace(free, taken=least_intake(residual.problem, free, free.taken, residual.source >= 0))


def coverage_of(problem: Problem, flows: Flows) -> Floats:
    """Return how far flows meet each need, as a share: what is handed over for it, or the nutrients in all that is."""
    needs, items = problem.needs, problem.items
    good = items.good[flows.hand_item]
    met = np.zeros(len(needs.amount))
    mine = flows.hand_need >= 0
    units = units_per_need(problem, flows.hand_need, flows.hand_item)
    np.add.at(met, flows.hand_need[mine], (flows.hand_quantity / units)[mine])
    fed = np.flatnonzero(needs.target >= len(problem.goods))
    if len(fed):
        eaten = np.zeros((len(problem.nutrients), problem.days, len(problem.sites)))
        for nutrient in range(len(problem.nutrients)):
            content = problem.content[nutrient, good] * flows.hand_quantity
            np.add.at(eaten[nutrient], (flows.hand_day, flows.hand_site), content)
        met[fed] = eaten[needs.target[fed] - len(problem.goods), needs.day[fed], needs.site[fed]]
    return np.asarray(met / needs.amount)


def _choose(
    residual: Residual,
    held: Held,
    traced: Traced,
    rest: Flows,
    solution: Solution,
    old: Plan,
    *,
    share: float,
    more: Callable[[Problem], Solution] | None,
) -> _Choice:
    """Return the old plan where it goes on as it was and is good enough, else the first good one with little changed
    that `more` makes of it, else the new plan.

    Good enough is as good as the new plan, or within `share` of the best with nobody below a tenth of a need whom the
    news hit and the new plan would serve. Without `more`, the new plan is the best and the nearest to the old one.
    """
    whole, part = residual.whole, residual.problem
    new = settle(part, solution.flows)
    new_coverage = coverage_of(part, new)
    judge = _Judge(residual, held, solution, new_coverage, old, share=share if more is not None else 0.0)
    goes_on = not traced.lost and _is_possible(whole, traced.flows)
    if goes_on and judge.is_good(coverage_of(whole, traced.flows)[residual.need]):
        return _Choice(traced.flows, rest, (traced.ship_expires, traced.hand_expires), as_before=True)
    later = traced.flows.ship_day >= residual.open_day, traced.flows.hand_day >= residual.today
    after = (held.ship_expires, held.hand_expires)
    both = (traced.ship_expires[later[0]], traced.hand_expires[later[1]])
    kept = (np.concatenate([after[0], both[0]]), np.concatenate([after[1], both[1]]))

    def fits(free: Flows) -> bool:
        return _fits(whole, add_flows(held.flows, residual.lifted(free)))

    for flows, but_for in _with_little_changed(residual, rest, judge, more) if more is not None else ():
        if judge.is_good(coverage_of(part, flows), but_for=but_for) and fits(flows):
            return _chosen(residual, held, flows, kept)
    lost_time = solution.status == "stopped" and objective(part, coverage_of(part, rest)) > objective(
        part, new_coverage
    )
    if lost_time and fits(rest):
        return _chosen(residual, held, rest, kept)
    return _chosen(residual, held, new, after)


def _with_little_changed(
    residual: Residual, rest: Flows, judge: _Judge, more: Callable[[Problem], Solution]
) -> Iterator[tuple[Flows, float]]:
    """Yield the old flows that are left, then the same with what they leave spare, then with all that happens near
    those who would go short planned anew, in wider and wider circles; and for which share of the people-days these may
    still be low to be good.
    """
    part = residual.problem
    yield rest, 0.0
    flows, near = rest, np.zeros(len(part.sites), dtype=np.bool_)
    for hops in CIRCLES:
        coverage = coverage_of(part, flows)
        hit = judge.hit(coverage)
        found = top_up(residual, flows, coverage, hit if hit.any() else np.ones(len(hit), dtype=np.bool_), more)
        yield found, A_FEW if near.any() else 0.0
        low = judge.left_low(coverage_of(part, found))
        near |= around(part, part.needs.site[low], hops)
        if not len(low) or near.mean() > MOST_ANEW:
            break
        flows = without(part, rest, near)


def _chosen(residual: Residual, held: Held, free: Flows, dates: tuple[Ints, Ints]) -> _Choice:
    """Return held and free flows together; the dates are those of the first lots, the rest is open."""
    flows = add_flows(held.flows, residual.lifted(free))
    if not _fits(residual.whole, flows):
        raise SolverError(_overfull(residual.whole, flows))
    sizes = (len(flows.ship_item), len(flows.hand_item))
    padded = [np.pad(known, (0, size - len(known))) for known, size in zip(dates, sizes, strict=True)]
    return _Choice(flows, free, (padded[0], padded[1]), as_before=False)


class _Judge:
    """Says whether a plan of what is left is good enough, by its coverage [needs of the residual problem]."""

    def __init__(
        self, residual: Residual, held: Held, solution: Solution, new: Floats, old: Plan, *, share: float
    ) -> None:
        self._problem, self._new = residual.problem, new
        self._promised = _promised(residual.problem, old)
        past = objective(residual.whole, _past(residual, coverage_of(residual.whole, held.flows)))
        best = objective(residual.problem, new)
        within = (past + solution.bound) / (1 + share) - past if share > 0 else np.inf
        self._aim = min(best * (1 - SAME_VALUE), within)

    def hit(self, coverage: Floats) -> Bools:
        """Return which needs get less than the old plan promised them; to a new need everything was promised."""
        return np.asarray(np.minimum(1.0, coverage) < self._promised - WORSE_OFF)

    def left_low(self, coverage: Floats) -> Ints:
        """Return the needs that the news hit and that stay below a tenth although the new plan serves them."""
        low = coverage < np.minimum(1.0 / TIERS, self._new) * (1 - WORSE_OFF)
        return np.flatnonzero(self.hit(coverage) & low)

    def is_good(self, coverage: Floats, *, but_for: float = 0.0) -> bool:
        """Whether a coverage is worth enough and leaves nobody low, `but_for` a share of the people-days of need."""
        people = self._problem.needs.people
        low = float(people[self.left_low(coverage)].sum())
        return objective(self._problem, coverage) >= self._aim and low <= but_for * float(people.sum())


def _past(residual: Residual, coverage: Floats) -> Floats:
    """Return the coverage of the needs before today, 0 for those of later days."""
    return np.where(residual.whole.needs.day < residual.today, coverage, 0.0)


def _is_possible(problem: Problem, flows: Flows) -> bool:
    """Whether flows keep every balance and capacity, up to rounding."""
    settled = settle(problem, flows)
    names = ("ship_quantity", "made_batches", "hand_quantity", "draw_quantity", "taken")
    same = all(as_planned(getattr(flows, name), getattr(settled, name)).all() for name in names)
    return same and _fits(problem, flows)


def _fits(problem: Problem, flows: Flows) -> bool:
    """Whether every store holds what the flows leave in it."""
    if not np.isfinite(problem.storage_t).any():
        return True
    limit = problem.storage_t * (1 + STORE) + STORE
    return bool((stored_t(problem, flows) <= limit[:, None]).all())


def _overfull(problem: Problem, flows: Flows) -> str:
    """Name the store that is fullest over its limit."""
    stored = stored_t(problem, flows)
    site, day = np.unravel_index(np.argmax(stored - problem.storage_t[:, None]), stored.shape)
    return (
        f"{problem.sites[site]} would hold {stored[site, day]:,.6g} t on day {day + 1} and has room for "
        f"{problem.storage_t[site]:,.6g} t: what has begun cannot all stay or leave; raise storage_t in table sites"
    )


def _promised(problem: Problem, old: Plan) -> Floats:
    """Return the coverage that a plan promised to each need; 1 for a need that it does not know."""
    table, needs, targets = old.coverage, problem.needs, (*problem.goods, *problem.nutrients)
    cells = (table[name].tolist() for name in ("site", "need", "day", "coverage"))
    promised = {(site, need, day): share for site, need, day, share in zip(*cells, strict=True)}
    keys = zip(needs.site.tolist(), needs.target.tolist(), needs.day.tolist(), strict=True)
    return np.array([promised.get((problem.sites[site], targets[target], day + 1), 1.0) for site, target, day in keys])


def _finish(residual: Residual, choice: _Choice, solution: Solution, old: Plan, *, solver: str, begin: float) -> Solved:
    """Name lots, explain what is short, and put it all into tables."""
    problem = residual.whole
    lots = name_lots(problem, choice.flows, dates=choice.dates)
    served = service(problem, lots)
    bound = objective(problem, _past(residual, served.coverage)) + solution.bound
    told = reasons(residual, choice.free, solution, shortages(problem, served.coverage), old)
    solution = replace(solution, bound=bound, prices=residual.prices_of_whole(solution.prices))
    plan = put_together(problem, lots, served, told, solution, solver=solver, begin=begin)
    return Solved(plan, problem, solution.prices, lots, served, solution.warm)


def reasons(
    residual: Residual, free: Flows, solution: Solution, runs: Sequence[Shortage], old: Plan
) -> list[tuple[str, str]]:
    """Return cause and remedy of every shortage: of its days from today on in the residual problem, where they can
    still be helped; of what is over, what the old plan said.
    """
    part, needs = residual.problem, residual.whole.needs
    lots = name_lots(part, free)
    served: Service = service(part, lots)
    later = shortages(part, served.coverage)
    stopped, kept = solution.status == "stopped", residual.open_day
    told = explain(part, solution.prices, lots, served, later, stopped=stopped, kept_until=kept, whole=residual.whole)
    reason_of = {
        int(residual.need[need]): reason
        for run, reason in zip(later, told, strict=True)
        for need in range(run.first, run.last + 1)
    }
    cells = (old.shortages[name].tolist() for name in ("site", "need", "from", "to", "cause"))
    before = list(zip(*cells, strict=True))
    said: dict[tuple[str, str], list[tuple[int, int, str]]] = {}
    for site, need, first, last, cause in before:
        said.setdefault((site, need), []).append((first, last, cause))
    targets = (*residual.whole.goods, *residual.whole.nutrients)
    found = []
    for run in runs:
        key = residual.whole.sites[int(needs.site[run.last])], targets[int(needs.target[run.last])]
        day = int(needs.day[run.last]) + 1
        causes = [cause for first, last, cause in said.get(key, ()) if first <= day <= last]
        past = (causes[0] if causes else "less was there than was planned", "the day is over")
        found.append(reason_of.get(run.last, past))
    return found
