"""The rehearsal: everything is taken away once, all in a quick look, and the worst are searched until ranks are sure.

Which cases are searched, and to which gap, follows from outcomes alone: neither the number of workers nor an
interruption changes the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from abasto.errors import SettingError
from abasto.network import Network
from abasto.planner.make import SolverName, problem_to_plan
from abasto.planner.problem import Problem
from abasto.rehearse.cases import Case, Outcome, make_base, pack
from abasto.rehearse.losses import KINDS, Loss, is_gone, kinds_of, losses_of
from abasto.rehearse.pairing import adds_nothing, pairs_to_look_at, seeds
from abasto.rehearse.ranking import contested, harmless, to_certify
from abasto.rehearse.record import Record, fingerprint
from abasto.rehearse.table import Rehearsal, harms_of, pairs_of
from abasto.rehearse.workers import on_this_machine, share_out_brackets, share_out_searches
from abasto.tables.target import Targets

__all__ = ["Step", "rehearse"]

EFFORT = 40
"""Rounds of search in all for each place in the ranking that is asked for; ranks stay as sure as they are then."""
LEAST_EFFORT = 10
"""Of them, those that are left for telling apart what is proven to the gap."""
LEAST_PLACES = 5
"""Effort is for so many places at least."""
COARSE = 4.0
"""Pairs are searched to a gap so many times larger first."""
WORTH_PROCESSES = 5.0
"""Seconds of work from which starting processes pays."""


@dataclass(frozen=True)
class Step:
    """How far a rehearsal is: the stage, how many cases of it are done, and the worst case known so far."""

    stage: str
    done: int
    total: int
    worst: Case = ()


def rehearse(
    network: Network,
    scenario: str | None = None,
    *,
    what: Sequence[str] = tuple(KINDS),
    pairs: int = 0,
    most: int = 10,
    fairness: float = 4.0,
    solver: SolverName = "auto",
    gap: float = 0.01,
    time_limit: float | None = None,
    jobs: int | None = None,
    folder: Path | None = None,
    fresh: bool = False,
    progress: Callable[[Step], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Rehearsal:
    """Take away each thing in turn, on top of the scenario, and rank by harm; also the `pairs` worst pairs.

    `what` is any of sites, lanes, fleets, plants, supplies. Harms are proven to the gap for those that may be among the
    `most` worst, and further where their ranks are not sure. `jobs` processes share the work, by default one for each
    core where that pays; a `joblib.parallel_config` around the call hands it to a cluster instead. With a `folder`,
    outcomes are kept there as they come and a later call goes on from them. When `time_limit` seconds are over or
    `stop()` turns true, what is known by then is returned. Raises `SettingError`, or `InputError` for bad tables.
    """
    begin = time.monotonic()
    kinds = kinds_of(what)
    _refuse_bad_numbers(pairs, most, jobs, gap)
    problem, name = problem_to_plan(network, scenario, fairness=fairness, solver=solver, gap=gap, time_limit=time_limit)
    settings = {"scenario": scenario, "what": kinds, "fairness": float(fairness), "solver": name, "gap": float(gap)}
    mark = fingerprint(network, **settings)
    targets = Targets(network)
    losses, gone = _still_there(problem, losses_of(network, kinds, targets), targets)

    def over() -> bool:
        return (stop is not None and stop()) or (time_limit is not None and time.monotonic() - begin > time_limit)

    with Record(folder, mark, fresh=fresh) as record:
        run = _Run(record, gap=gap, jobs=jobs, tell=progress or (lambda step: None), over=over)
        run.start(problem, name, losses, mark)
        singles = run.rank([(loss,) for loss in losses], most=most, stage="losses")
        both: dict[Case, Outcome] = {}
        if pairs and not run.is_cut_short:
            run.search_all(seeds(run.base, singles, pairs), singles, stage="what stands in for what")
            candidates = pairs_to_look_at(run.base, singles, pairs, targets)
            both = run.rank(candidates, most=pairs, stage="pairs", alone=singles)
    value = max([run.base.value, *(one.value for one in singles.values())])
    harms = harms_of(singles, value=value, bound=max(value, run.base.bound), fairness=fairness, gap=gap)
    found = harms_of(both, value=value, bound=max(value, run.base.bound), fairness=fairness, gap=gap)
    return Rehearsal(
        network=network,
        scenario=scenario,
        fairness=fairness,
        solver=name,
        value=value,
        bound=max(value, run.base.bound),
        needed=float(problem.needs.people.sum()),
        met=float(problem.needs.people @ run.base.coverage),
        gap=gap,
        kinds=kinds,
        harms=harms,
        pairs=pairs_of(found, harms),
        gone=gone,
        searches=run.searches,
        not_looked_at=len(losses) - len(singles),
        is_complete=not run.is_cut_short,
        seconds=time.monotonic() - begin,
    )


def _refuse_bad_numbers(pairs: int, most: int, jobs: int | None, gap: float) -> None:
    if pairs < 0:
        raise SettingError(f"pairs is {pairs}; give how many of the worst pairs to find, 0 for none")
    if most < 1:
        raise SettingError(f"most is {most}; give how many of the worst losses to tell apart, at least 1")
    if gap == 0:
        raise SettingError("gap is 0; give a share of the objective above 0 to which harms are proven, such as 0.01")
    if jobs == 0:
        raise SettingError("jobs is 0; give how many processes share the work, or -1 for one on each core")


def _still_there(
    problem: Problem, listed: Sequence[Loss], targets: Targets
) -> tuple[tuple[Loss, ...], tuple[Loss, ...]]:
    """Part what can still be lost from what the scenario leaves nothing of."""
    gone = {loss for loss in listed if is_gone(problem, loss, targets)}
    return tuple(loss for loss in listed if loss not in gone), tuple(loss for loss in listed if loss in gone)


class _Run:
    """A rehearsal under way: what is shared out, what has come back, and whether it is to end."""

    def __init__(
        self, record: Record, *, gap: float, jobs: int | None, tell: Callable[[Step], None], over: Callable[[], bool]
    ) -> None:
        self._record, self._gap, self._jobs, self._tell, self._over = record, gap, jobs, tell, over
        self.searches = 0
        self.is_cut_short = False

    def start(self, problem: Problem, solver: str, losses: Sequence[Loss], mark: str) -> None:
        """Plan with nothing lost, and make that ready for the workers."""
        self._tell(Step("planning with nothing lost", 0, 1))
        started = time.monotonic()
        if solver == "equilibrium":
            from abasto.planner import equilibrium

            equilibrium.prepare()
        self.base = make_base(problem, solver, losses, gap=self._gap, stop=self._over)
        work = (time.monotonic() - started) * len(losses)
        if self._jobs is None:
            self._jobs = 1 if on_this_machine() and work < WORTH_PROCESSES else -1
        self._packed = pack(self.base, mark)

    def rank(
        self, cases: Sequence[Case], *, most: int, stage: str, alone: Mapping[Case, Outcome] | None = None
    ) -> dict[Case, Outcome]:
        """Bracket all cases, search those that may be among the `most` worst, and then those whose rank is not sure."""
        known: dict[Case, Outcome] = {}
        ceilings = {case: self._ceiling(case, alone or {}) for case in cases}
        self._bracket(cases, known, ceilings, stage)
        places = max(most, LEAST_PLACES)
        effort = EFFORT * places if self.base.warm is not None else 0
        if alone is not None and effort:  # what two losses leave is too far from the base for a look to tell much
            self._search([(case, COARSE * self._gap) for case in cases], known, ceilings, f"{stage}: a first search")
        cases = [case for case in cases if case in known and not adds_nothing(known[case], alone or {})]
        while effort > 0 and not self.is_cut_short:
            listed = [known[case] for case in cases]
            wanted = [(one.case, self._gap) for one in to_certify(listed, gap=self._gap, most=most)]
            least = LEAST_EFFORT * places if wanted else 0
            wanted = wanted or [
                (one.case, aim) for one, aim in contested(listed, best=self.base.value, gap=self._gap, most=most)
            ]
            wanted = wanted[:most]
            if not wanted:
                break
            enough = harmless(listed, most)
            self._search(wanted, known, ceilings, f"{stage}: proving the worst", enough=enough)
            effort = max(effort - sum(known[case].rounds for case, _ in wanted), least)
        return {case: known[case] for case in cases}

    def search_all(self, cases: Sequence[Case], known: dict[Case, Outcome], *, stage: str) -> None:
        """Search those of the cases that have only a bracket, to the gap asked for."""
        wanted = [(case, self._gap) for case in cases if known[case].aim is None and self.base.warm is not None]
        if not self.is_cut_short:
            self._search(wanted, known, {case: self._ceiling(case, {}) for case, _ in wanted}, stage)

    def _ceiling(self, case: Case, alone: Mapping[Case, Outcome]) -> float:
        """Return what no plan without the case is worth more than: losing more never helps."""
        return min([self.base.bound, *(alone[loss,].bound for loss in case if (loss,) in alone)])

    def _bracket(
        self, cases: Sequence[Case], known: dict[Case, Outcome], ceilings: Mapping[Case, float], stage: str
    ) -> None:
        left = []
        for case in cases:
            outcome = self._record.get(case, None)
            if outcome is None:
                left.append(case)
            else:
                _take(known, outcome, ceilings[case])
        self._show(stage, len(known), len(cases), known)
        if self._ends():
            return
        assert self._jobs is not None
        for part in share_out_brackets(self._packed, left, self._jobs):
            for outcome in part:
                self._record.add(outcome)
                _take(known, outcome, ceilings[outcome.case])
            self._show(stage, len(known), len(cases), known)
            if len(known) < len(cases) and self._ends():
                return

    def _search(
        self,
        wanted: Sequence[tuple[Case, float]],
        known: dict[Case, Outcome],
        ceilings: Mapping[Case, float],
        stage: str,
        *,
        enough: float = float("inf"),
    ) -> None:
        found = [self._record.get(case, aim, enough=enough) for case, aim in wanted]
        for outcome in found:
            if outcome is not None:
                _take(known, outcome, ceilings[outcome.case])
        left = [one for one, outcome in zip(wanted, found, strict=True) if outcome is None]
        done = len(wanted) - len(left)
        self.searches += done
        self._show(stage, done, len(wanted), known)
        if left and self._ends():
            return
        assert self._jobs is not None
        for outcome in share_out_searches(self._packed, left, self._jobs, enough=enough):
            self._record.add(outcome, enough=enough)
            _take(known, outcome, ceilings[outcome.case])
            done += 1
            self.searches += 1
            self._show(stage, done, len(wanted), known)
            if done < len(wanted) and self._ends():
                return

    def _ends(self) -> bool:
        """Return whether the rehearsal is to end with work left; it then is cut short for good."""
        self.is_cut_short = self.is_cut_short or self._over()
        return self.is_cut_short

    def _show(self, stage: str, done: int, total: int, known: Mapping[Case, Outcome]) -> None:
        worst = min(known.values(), key=lambda one: one.value).case if known else ()
        self._tell(Step(stage, done, total, worst))


def _take(known: dict[Case, Outcome], outcome: Outcome, ceiling: float) -> None:
    """Add an outcome to what is known of its case: the higher value, the lower bound, and what the later one found."""
    before = known.get(outcome.case)
    bound = min(outcome.bound, ceiling)
    if before is not None:
        better = outcome if outcome.value >= before.value else before
        outcome = replace(outcome, value=better.value, damage=better.damage)
        bound = min(bound, before.bound)
    known[outcome.case] = replace(outcome, bound=max(bound, outcome.value))
