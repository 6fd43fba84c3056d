"""A case → its outcome: what the best plan without some things is worth, bracketed in one look or searched for.

Everything here runs in worker processes as well. The state that all cases start from is sent to them as one array of
bytes: joblib lays it in shared memory or sends it once to each machine, and a worker unpacks it once. Arrays that are
unpacked are plain ones; the compiled kernels would be compiled anew for arrays that may only be read.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from abasto.errors import SolverError
from abasto.planner import exact
from abasto.planner.lots import name_lots
from abasto.planner.problem import Floats, Problem
from abasto.planner.settle import settle
from abasto.planner.solution import Prices
from abasto.planner.tabulate import objective, service
from abasto.planner.warm import Warm
from abasto.rehearse.burden import Burden, Members, grown_most, members_of, on_each, passing_flows, passing_ways, rents
from abasto.rehearse.damage import Damage, damage
from abasto.rehearse.losses import Loss, without
from abasto.rehearse.softening import Softener, prices_of_additions, softeners
from abasto.tables.target import Targets

__all__ = ["Base", "Case", "Outcome", "Packed", "make_base", "pack", "quick", "searched"]

Case = tuple[Loss, ...]
"""What is lost together: one thing, or two."""
Bytes = npt.NDArray[np.uint8]

FINER = 16.0
"""The plan with nothing lost is searched on to a gap so many times smaller, within bounds: it narrows all brackets."""
MOST_ROUNDS = 60
"""A search that has not proven its gap after so many rounds, more than one from nothing mostly takes, is left."""
MOST_FURTHER_ROUNDS = 30
"""The same, for a smaller gap than was asked for."""
PARTNERS = 3
"""Of a searched case, so many things on which more rests than before are kept by each measure."""


@dataclass(frozen=True)
class Base:
    """What every case starts from: the problem with nothing lost beyond the scenario, and the best plan known for it.

    `value` and `bound` enclose the best objective; `coverage` [needs] is that of the plan worth `value`. `rent` and
    `passing` [losses] measure what rests on each of `losses`; `addition_prices` are those of one unit more of each
    capacity. `gap` is the one asked for.
    """

    problem: Problem
    solver: str
    value: float
    bound: float
    coverage: Floats
    warm: Warm | None
    losses: tuple[Loss, ...]
    members: tuple[Members, ...]
    rent: Floats
    passing: Floats
    addition_prices: dict[tuple[str, int], float]
    gap: float


@dataclass(frozen=True)
class Outcome:
    """What is left without the things of a case: the best objective lies between `value` and `bound`.

    `aim` is the gap that was searched for, None for a quick bracket. `softened_by` and `leans_on` (things on which more
    rests than before) are empty for a bracket. `rounds` tells how long was searched, `note` why no plan could be made.
    """

    case: Case
    aim: float | None
    value: float
    bound: float
    damage: Damage
    softened_by: tuple[Softener, ...] = ()
    leans_on: tuple[Loss, ...] = ()
    rounds: int = 0
    note: str = ""

    @property
    def gap(self) -> float:
        """How far `value` is at most below the best possible, as a share of it."""
        left = max(0.0, self.bound - self.value)
        return left / self.value if self.value > 0 else float("inf" if left else 0.0)


@dataclass(frozen=True)
class Packed:
    """A base as it is sent to workers, and the key by which they know it again."""

    key: str
    content: Bytes


@dataclass(frozen=True)
class _Planned:
    """What either solver knows of a problem."""

    value: float
    bound: float
    coverage: Floats
    prices: Prices
    passing: Burden
    warm: Warm | None = None
    rounds: int = 0


def make_base(
    problem: Problem,
    solver: str,
    losses: Sequence[Loss],
    *,
    gap: float,
    stop: Callable[[], bool] | None = None,
) -> Base:
    """Plan `problem` with the solver named, to the gap or better, and return what cases start from."""
    if solver == "exact":
        planned = _exactly(problem, stop=stop)
    else:
        planned = _reckoned(problem, None, gap=gap, stop=stop, finer=FINER)
    members = members_of(problem, losses, Targets(problem.network))
    return Base(
        problem=problem,
        solver=solver,
        value=planned.value,
        bound=planned.bound,
        coverage=planned.coverage,
        warm=planned.warm,
        losses=tuple(losses),
        members=members,
        rent=on_each(rents(problem, planned.prices), members),
        passing=on_each(planned.passing, members),
        addition_prices=prices_of_additions(problem, planned.prices),
        gap=gap,
    )


def pack(base: Base, key: str) -> Packed:
    """Return the base as one array of bytes; table rows that no case looks at stay behind."""
    lean = replace(base.problem.network, stocks=(), rations=(), needs=(), reserves=(), requirements=())
    content = pickle.dumps(replace(base, problem=replace(base.problem, network=lean)), protocol=5)
    return Packed(key, np.frombuffer(content, dtype=np.uint8))


_unpacked: dict[str, tuple[Base, Targets]] = {}


def _unpack(key: str, content: Bytes) -> tuple[Base, Targets]:
    """Return the base; of the one unpacked last nothing has to be read again."""
    known = _unpacked.get(key)
    if known is None:
        base: Base = pickle.loads(content.tobytes())
        known = base, Targets(base.problem.network)
        _unpacked.clear()
        _unpacked[key] = known
    return known


def quick(key: str, content: Bytes, cases: Sequence[Case]) -> list[Outcome]:
    """Return a bracket for each case from one sweep at the base's prices; where the exact solver plans, its plan."""
    base, targets = _unpack(key, content)
    if base.warm is None:
        return [_searched(base, targets, case, gap=None) for case in cases]
    from abasto.planner import equilibrium

    outcomes = []
    for case in cases:
        look = equilibrium.look(without(base.problem, case, targets), base.warm)
        hurt = damage(base.problem, base.coverage, look.coverage)
        outcomes.append(Outcome(case, None, look.value, look.bound, hurt))
    return outcomes


def searched(key: str, content: Bytes, case: Case, gap: float, enough: float) -> Outcome:
    """Search from the base's ways and prices until the gap is proven, or a plan is worth `enough` not to matter."""
    base, targets = _unpack(key, content)
    return _searched(base, targets, case, gap=gap, enough=enough)


def _searched(base: Base, targets: Targets, case: Case, *, gap: float | None, enough: float = float("inf")) -> Outcome:
    problem = without(base.problem, case, targets)
    try:
        if base.warm is None:
            planned = _exactly(problem)
        else:
            assert gap is not None
            planned = _from_base(base, problem, gap, enough)
    except SolverError as error:
        nothing = damage(base.problem, base.coverage, np.zeros(len(base.coverage)))
        return Outcome(case, gap, 0.0, base.bound, nothing, note=str(error))
    before = (base.rent, base.passing)
    after = tuple(on_each(one, base.members) for one in (rents(problem, planned.prices), planned.passing))
    return Outcome(
        case=case,
        aim=gap,
        value=planned.value,
        bound=planned.bound,
        damage=damage(base.problem, base.coverage, planned.coverage),
        softened_by=softeners(problem, planned.prices, base.addition_prices, base.value - planned.value),
        leans_on=tuple(loss for loss in grown_most(base.losses, before, after, PARTNERS) if loss not in case),
        rounds=planned.rounds,
    )


def _exactly(problem: Problem, *, stop: Callable[[], bool] | None = None) -> _Planned:
    solution = exact.solve(problem, stop=stop)
    flows = settle(problem, solution.flows)
    coverage = service(problem, name_lots(problem, flows)).coverage
    value = objective(problem, coverage)
    bound = max(value, min(solution.bound, problem.full_value))
    return _Planned(value, bound, coverage, solution.prices, passing_flows(problem, flows))


def _from_base(base: Base, problem: Problem, gap: float, enough: float) -> _Planned:
    """Search from what the base knows; where that leads nowhere, as where much of it is lost, also from nothing."""
    most = MOST_ROUNDS if gap >= base.gap else MOST_FURTHER_ROUNDS
    found = _reckoned(problem, base.warm, gap=gap, stop=_after(most), enough=enough)
    if found.bound - found.value <= gap * found.value or found.value >= enough or gap < base.gap:
        return found
    again = _reckoned(problem, None, gap=gap, stop=_after(MOST_ROUNDS), enough=enough)
    better, surer = max(found, again, key=lambda one: one.value), min(found, again, key=lambda one: one.bound)
    return replace(better, bound=surer.bound, prices=surer.prices, rounds=found.rounds + again.rounds)


def _after(most: int) -> Callable[[], bool]:
    """Return what turns true when it is asked for the last time; a search asks once a round."""
    rounds = itertools.count(1)
    return lambda: next(rounds) >= most


def _reckoned(
    problem: Problem,
    warm: Warm | None,
    *,
    gap: float,
    stop: Callable[[], bool] | None,
    finer: float = 1.0,
    enough: float = float("inf"),
) -> _Planned:
    from abasto.planner import equilibrium

    found = equilibrium.reckon(problem, gap=gap, stop=stop, warm=warm, resumable=True, finer=finer, enough=enough)
    assert found.warm is not None
    passing = passing_ways(problem, found.warm)
    return _Planned(found.value, found.bound, found.coverage, found.prices, passing, found.warm, found.rounds)
