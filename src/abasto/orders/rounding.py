"""round_trips: a plan with fractions of trips → one with whole trips, checked, and what that costs.

The trips are rounded by what each lane is owed (`spread`), everything else is planned anew with what these trips carry,
and the prices of that plan say which trips are worth more elsewhere (`moves`). The best of a few rounds is kept. In
small networks branch and bound then looks for a better one (`planner.whole`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from abasto.errors import CheckError, SettingError, SolverError
from abasto.network import Network
from abasto.orders.fuel import burn_whole
from abasto.orders.loss import Loss, losses
from abasto.orders.spread import Move, moved, moves, spread
from abasto.orders.trips import WEIGHTLESS, Trips, find_trips, loads_of, trips_of, whole_up, with_trips
from abasto.orders.vehicles import FleetDay, fleet_days
from abasto.planner import exact
from abasto.planner.check import check_plan
from abasto.planner.lots import name_lots
from abasto.planner.make import Progress, SolverName, problem_to_plan, put_together
from abasto.planner.plan import Plan, Table
from abasto.planner.problem import Floats, Problem, weighted_people_days
from abasto.planner.replan import coverage_of
from abasto.planner.settle import settle
from abasto.planner.solution import Flows, Prices, Solution
from abasto.planner.tabulate import objective, service, shortages
from abasto.planner.whole import most_with_whole_trips

if TYPE_CHECKING:
    from abasto.planner.warm import Warm

__all__ = ["Rounded", "round_trips"]

HEAD_STARTS = {"equilibrium": (0.3, 0.98), "exact": (0.3, 0.0, 0.6, 0.98)}
"""Parts of a trip that lanes are owed on the first day, tried one after the other; a plan takes a second, or hundredths
of one."""
LIGHT = 0.05
"""A trip with less than this part of its payload is dropped, unless that costs more than LIGHT_COST."""
LIGHT_COST = 1e-3
"""Dropping all light trips may cost this share of the objective."""
AVOIDABLE = 0.01
"""From this loss on it is also computed how much of it no choice of whole trips could avoid."""
ROUNDS = {"equilibrium": 4, "exact": 60}
"""How often trips are moved to where they are worth more."""
LITTLE = 1e-9
"""A plan better by less than this share is the same."""
BRANCHED = 2_000
"""Up to so many numbers of trips are left to branch and bound too, where the exact solver plans."""
BRANCH_SECONDS = 10.0
WORTH_BRANCHING = 1e-4
"""A smaller loss than this share is not worth the search."""
DUST_LOAD = 1e-4
"""Less than this part of a payload is no load."""
DUST_ROUNDS = 5
FUEL_ROUNDS = 12
"""After so many trips that lack fuel one by one, all that lack it are dropped."""

WHY = "trips are whole: the parts of a trip that were planned here do not drive"


@dataclass(frozen=True)
class Rounded:
    """A plan with whole trips on its first `days` days, and what is lost against the `fractional` one.

    `loss` is a share of the fractional objective, `people_days` the same in weighted people-days, `losses` say where.
    `unavoidable` is the loss that every plan with whole trips has at least, where it was computed (else 0). Of trips,
    `planned` are the fractional ones of these days, `begun` the same with every fraction as a whole one, `driven` the
    whole ones; `light` of these carry hardly anything. `light_loss` is the part of the loss that dropping other light
    ones cost, `fuel_loss` that of trips for which fuel did not suffice. `too_long` names lanes and fleets of which no
    whole trip fits in the fleet's hours of any day.
    """

    plan: Plan
    fractional: Plan
    days: int
    loss: float
    people_days: float
    unavoidable: float
    losses: tuple[Loss, ...]
    planned: float
    begun: int
    driven: int
    light: int
    light_loss: float
    fuel_loss: float
    too_long: tuple[tuple[str, str, str], ...]
    vehicles: tuple[FleetDay, ...]
    seconds: float


def round_trips(
    network: Network,
    plan: Plan,
    *,
    scenario: str | None = None,
    fairness: float | None = None,
    solver: SolverName = "auto",
    gap: float = 0.005,
    days: int | None = None,
    light: float = LIGHT,
    rounds: int | None = None,
    branch_seconds: float = BRANCH_SECONDS,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Rounded:
    """Return a plan of `network` like `plan` with whole trips on the first `days` days (all unless given).

    Scenario and fairness are those of the plan unless given; `light` is the part of a payload below which a trip is
    dropped; branch and bound in small networks takes at most `branch_seconds`. When `stop()` turns true the best so far
    is returned. Raises `CheckError` if the result broke a rule.
    """
    begin = time.perf_counter()
    scenario = plan.scenario if scenario is None else scenario
    fairness = plan.fairness if fairness is None else fairness
    days = network.days if days is None else min(days, network.days)
    if days < 1:
        raise SettingError(f"days is {days}; trips must be whole on at least the first day")
    problem, name = problem_to_plan(network, scenario, fairness=fairness, solver=solver, gap=gap)

    def tell(stage: str) -> None:
        if progress is not None:
            progress(Progress(stage, time.perf_counter() - begin, None))

    rounding = _Rounding(find_trips(problem, days=days), name, gap=gap, tell=tell, stop=stop or (lambda: False))
    planned = trips_of(rounding.trips, plan)
    best = rounding.improved(rounding.first(planned), ROUNDS[name] if rounds is None else rounds)
    if name == "exact" and branch_seconds > 0 and _share_lost(plan, best.value) > WORTH_BRANCHING:
        best = rounding.branched(best, branch_seconds)
    lighter = rounding.without_light(best, light)
    lean = rounding.with_fuel(lighter)
    tell("writing the tables")
    rounded = _plan_of(rounding.trips, lean, plan, begin=begin)
    violations = check_plan(network, rounded, scenario)
    if violations:
        raise CheckError(violations)
    loss = _share_lost(plan, rounded.objective)
    unavoidable = rounding.unavoidable(plan, even_if_unknown=loss > AVOIDABLE)
    count = lean.count(rounding.trips)[rounding.trips.limited, :days]
    before = planned[rounding.trips.limited, :days]
    return Rounded(
        plan=rounded,
        fractional=plan,
        days=days,
        loss=loss,
        people_days=weighted_people_days(plan.objective - rounded.objective, fairness),
        unavoidable=max(0.0, min(loss, unavoidable)),
        losses=losses(problem, plan, rounded),
        planned=float(before.sum()),
        begun=int(whole_up(before).sum()),
        driven=int(count.sum()),
        light=int(_lightly(rounding.trips, lean, light)[rounding.trips.limited, :days].sum()),
        light_loss=max(0.0, _share_lost(plan, lighter.value) - _share_lost(plan, best.value)),
        fuel_loss=max(0.0, _share_lost(plan, lean.value) - _share_lost(plan, lighter.value)),
        too_long=_too_long(rounding.trips, planned),
        vehicles=fleet_days(network, rounded, days=days),
        seconds=time.perf_counter() - begin,
    )


@dataclass(frozen=True)
class _Attempt:
    """Whole trips, and the best that was found to do with them: settled flows, their loads in payloads, their worth."""

    whole: Floats
    flows: Flows
    loads: Floats
    value: float
    prices: Prices

    def count(self, trips: Trips) -> Floats:
        """Return the trips that drive: whole ones as far as they are loaded, fractions on later days."""
        is_whole = np.arange(self.loads.shape[1]) < trips.days
        return np.where(is_whole, whole_up(self.loads), self.loads)


class _Rounding:
    """Plans the rest for given whole trips, again and again; a search starts from what the one before knew."""

    def __init__(
        self, trips: Trips, solver: str, *, gap: float, tell: Callable[[str], None], stop: Callable[[], bool]
    ) -> None:
        self.trips, self._solver, self._gap, self._tell, self._stop = trips, solver, gap, tell, stop
        self._warm: Warm | None = None
        self._burn = trips.fuel
        self._like = np.zeros((len(trips.hours), trips.problem.days))
        self._most = np.inf

    def attempt(self, whole: Floats) -> _Attempt:
        """Plan everything but the trips; raises `SolverError` where no plan is possible with these."""
        problem = with_trips(self.trips, whole, self._like, self._burn)
        solution = self._solution(problem)
        flows = self._without_dust(problem, settle(problem, solution.flows))
        value = objective(self.trips.problem, coverage_of(self.trips.problem, flows))
        return _Attempt(whole, flows, loads_of(self.trips, flows), value, solution.prices)

    def _without_dust(self, problem: Problem, flows: Flows) -> Flows:
        """Drop loads that are rounding of the search: nobody drives for them."""
        is_whole = (np.arange(problem.days) < self.trips.days) & self.trips.limited[:, None]
        for _ in range(DUST_ROUNDS):
            loads = loads_of(self.trips, flows)
            dust = is_whole & (loads > 0) & (loads < DUST_LOAD) & (loads != WEIGHTLESS)
            drop = dust[flows.ship_option, flows.ship_day]
            if not drop.any():
                break
            flows = settle(problem, replace(flows, ship_quantity=np.where(drop, 0.0, flows.ship_quantity)))
        return flows

    def _solution(self, problem: Problem) -> Solution:
        if self._solver == "exact":
            return exact.solve(problem, gap=self._gap)
        from abasto.planner import equilibrium

        equilibrium.prepare()
        solution = equilibrium.solve(problem, gap=self._gap, warm=self._warm, stop=self._stop)
        self._warm = solution.warm
        return solution

    def first(self, planned: Floats) -> _Attempt:
        """Return the best of a few ways to spread the planned trips over the days."""
        self._tell("whole trips")
        self._like = planned
        tried: dict[bytes, _Attempt] = {}
        failure: SolverError | None = None
        for head_start in HEAD_STARTS[self._solver]:
            whole = spread(self.trips, planned, head_start=head_start)
            if whole.tobytes() in tried or (tried and self._stop()):
                continue
            try:
                tried[whole.tobytes()] = self.attempt(whole)
            except SolverError as error:
                failure = error
        if not tried:
            assert failure is not None
            raise failure
        return max(tried.values(), key=lambda attempt: attempt.value)

    def improved(self, best: _Attempt, rounds: int) -> _Attempt:
        """Move trips to where they are worth more while that helps; each failure tries fewer of the moves, and what
        fails alone is not tried again.
        """
        share, failed = 0.5, set[Move]()
        for _ in range(rounds):
            if self._stop():
                break
            self._tell("moving trips to where they are worth more")
            self._learn_fuel(best)
            trips = np.where(self.trips.limited[:, None], np.minimum(best.whole, whole_up(best.loads)), best.whole)
            worth = best.prices.lane * self.trips.payload_t[:, None]
            found = [move for move in moves(self.trips, trips, best.loads, worth) if move not in failed]
            if not found:
                break
            chosen = found[: max(1, round(share * len(found)))]
            tried = self._try(moved(trips, chosen))
            if tried is not None and tried.value > best.value * (1 + LITTLE):
                best, failed = tried, set()
            elif len(chosen) == 1:
                failed.add(chosen[0])
            else:
                share /= 3
        return best

    def branched(self, best: _Attempt, seconds: float) -> _Attempt:
        """Return what branch and bound finds in so many seconds, if it is better."""
        if self._stop() or int(self.trips.limited.sum()) * self.trips.days > BRANCHED:
            return best
        self._tell("branch and bound")
        found = most_with_whole_trips(self.trips.problem, self.trips.payload_t, days=self.trips.days, seconds=seconds)
        if found is None:
            return best
        self._most = found.bound
        tried = self._try(found.trips)
        return tried if tried is not None and tried.value > best.value else best

    def _learn_fuel(self, attempt: _Attempt) -> None:
        """Take for a payload the fuel that whole trips burned for each; where room is limited, no more than it burns
        itself: what it would not burn after all would have to lie somewhere.
        """
        count, loads = attempt.count(self.trips).sum(axis=1), attempt.loads.sum(axis=1)
        ratio = np.divide(count, loads, out=np.ones(len(loads)), where=loads > 1e-3)
        has_room = np.isinf(self.trips.problem.storage_t[self.trips.problem.options.fuel_site])
        self._burn = self.trips.fuel * np.where(has_room, np.clip(ratio, 1.0, 3.0), 1.0)

    def _try(self, whole: Floats) -> _Attempt | None:
        try:
            return self.attempt(whole)
        except SolverError:
            return None

    def without_light(self, best: _Attempt, light: float) -> _Attempt:
        """Drop trips that carry hardly anything, if others can take that along at little cost."""
        mask = _lightly(self.trips, best, light)
        if not mask.any():
            return best
        self._tell("without light trips")
        tried = self._try(best.count(self.trips) - mask)
        return tried if tried is not None and tried.value >= best.value * (1 - LIGHT_COST) else best

    def with_fuel(self, attempt: _Attempt) -> _Attempt:
        """Return flows that draw the fuel of whole trips; those that lack it stay at home."""
        barred = np.full(attempt.whole.shape, np.inf)
        for round_ in range(2 * FUEL_ROUNDS + len(self.trips.hours) * attempt.whole.shape[1]):
            count = attempt.count(self.trips)
            flows, lacking = burn_whole(self.trips, attempt.flows, count)
            if not lacking:
                return replace(attempt, flows=flows)
            self._tell("trips that fuel suffices for")
            if round_ < FUEL_ROUNDS:
                lacking = [min(lacking, key=lambda place: attempt.loads[place] - count[place])]
            for place in lacking:
                barred[place] = max(0.0, np.ceil(count[place]) - 1)
            self._learn_fuel(attempt)
            attempt = self.attempt(np.minimum(attempt.whole, barred))
        return attempt

    def unavoidable(self, plan: Plan, *, even_if_unknown: bool) -> float:
        """Return the share that every plan with whole trips loses: as branch and bound proved, or what no fleet could
        do even if each lane had all the whole trips that fit in its fleet's hours.
        """
        if np.isinf(self._most) and even_if_unknown:
            self._burn = self.trips.fuel
            self._most = self._solution(with_trips(self.trips, self.trips.most(), self._like, self._burn)).bound
        return max(0.0, _share_lost(plan, self._most))


def _share_lost(plan: Plan, value: float) -> float:
    return (plan.objective - value) / plan.objective if plan.objective > 0 else 0.0


def _lightly(trips: Trips, attempt: _Attempt, light: float) -> Floats:
    """Return 1 where the last whole trip carries less than this part of its payload, else 0 [options, days]."""
    count = attempt.count(trips)
    last = attempt.loads - (count - 1)
    is_whole = (np.arange(count.shape[1]) < trips.days) & trips.limited[:, None]
    return np.where(is_whole & (count >= 1) & (last < light), 1.0, 0.0)


def _too_long(trips: Trips, planned: Floats) -> tuple[tuple[str, str, str], ...]:
    """Return (fleet, from, to) where trips were planned and no whole one fits in the fleet's hours of any day."""
    problem, options = trips.problem, trips.problem.options
    never = np.flatnonzero((planned[:, : trips.days].sum(axis=1) > 1e-6) & (trips.most().max(axis=1) < 1))
    names = ((options.fleet[one], options.start[one], options.end[one]) for one in never.tolist())
    return tuple(sorted((problem.fleets[fleet], problem.sites[a], problem.sites[b]) for fleet, a, b in names))


def _plan_of(trips: Trips, attempt: _Attempt, plan: Plan, *, begin: float) -> Plan:
    """Name lots and put all into tables; trips and hours are those of whole trips."""
    problem = trips.problem
    lots = name_lots(problem, attempt.flows)
    served = service(problem, lots)
    reasons = _reasons(problem, plan, [(run.first, run.last) for run in shortages(problem, served.coverage)])
    bound = max(plan.bound, objective(problem, served.coverage))
    status = "planned" if plan.status == "planned" else "stopped"
    solution = Solution(attempt.flows, bound, attempt.prices, status)  # type: ignore[arg-type]
    drafted = put_together(problem, lots, served, reasons, solution, solver=plan.solver, begin=begin)
    number = _option_numbers(problem)
    count = attempt.count(trips)
    table = _with_weightless(drafted.trips, trips, count, number)
    cells = zip(*(table[name].tolist() for name in ("from", "to", "fleet", "day")), strict=True)
    places = [(number[start, end, fleet], int(day) - 1) for start, end, fleet, day in cells]
    whole = np.array([count[place] for place in places], dtype=np.float64)
    hours = whole * np.array([trips.hours[option] for option, _ in places], dtype=np.float64)
    is_whole = np.array([day < trips.days for _, day in places], dtype=np.bool_)
    columns = dict(table)
    columns["trips"] = np.where(is_whole, whole, table["trips"])
    columns["vehicle_hours"] = np.where(is_whole, hours, table["vehicle_hours"])
    summary = dict(drafted.summary)
    summary["vehicle_hours"] = np.array([float(columns["vehicle_hours"].sum())])
    return replace(drafted, trips=Table(columns), summary=Table(summary))


def _with_weightless(
    table: Table, trips: Trips, count: Floats, number: Mapping[tuple[str, str, str], int]
) -> dict[str, Any]:
    """Return the columns of table trips with a row for each whole trip that carries nothing but goods without weight,
    which a plan with fractions does not list.
    """
    columns: dict[str, Any] = dict(table)
    cells = zip(*(table[name].tolist() for name in ("from", "to", "fleet", "day")), strict=True)
    listed = {(number[start, end, fleet], int(day) - 1) for start, end, fleet, day in cells}
    name_of = {option: names for names, option in number.items()}
    for option, day in np.argwhere(count[:, : trips.days] > 0).tolist():
        if (option, day) not in listed:
            start, end, fleet = name_of[option]
            row: dict[str, Any] = {"from": start, "to": end, "fleet": fleet, "day": day + 1}
            columns = {name: np.append(column, [row.get(name, 0.0)]) for name, column in columns.items()}
    return columns


def _option_numbers(problem: Problem) -> dict[tuple[str, str, str], int]:
    options = problem.options
    names = zip(options.start.tolist(), options.end.tolist(), options.fleet.tolist(), strict=True)
    return {
        (problem.sites[start], problem.sites[end], problem.fleets[fleet]): option
        for option, (start, end, fleet) in enumerate(names)
    }


def _reasons(problem: Problem, plan: Plan, runs: list[tuple[int, int]]) -> list[tuple[str, str]]:
    """Return cause and remedy of every shortage: what the fractional plan said of its days, else the rounding."""
    said: dict[tuple[str, str, int], tuple[str, str]] = {}
    cells = (plan.shortages[name].tolist() for name in ("site", "need", "from", "to", "cause", "remedy"))
    for site, need, first, last, cause, remedy in zip(*cells, strict=True):
        for day in range(int(first), int(last) + 1):
            said[site, need, day] = cause, remedy
    needs, targets = problem.needs, (*problem.goods, *problem.nutrients)
    own = (WHY, "more vehicle-hours, or vehicles that carry less on shorter trips")
    reasons = []
    for first, last in runs:
        place = problem.sites[int(needs.site[first])], targets[int(needs.target[first])]
        days = range(int(needs.day[first]) + 1, int(needs.day[last]) + 2)
        reasons.append(next((said[*place, day] for day in days if (*place, day) in said), own))
    return reasons
