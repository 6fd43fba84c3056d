"""tradeoff: what fairness costs; plans from α = 0, the greatest total, up, their figures side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from abasto.errors import SettingError
from abasto.network import Network
from abasto.planner.make import MOST_FAIRNESS, Progress, Solved, SolverName, plan_in_full
from abasto.planner.plan import MET_TOLERANCE, Plan
from abasto.planner.tabulate import objective
from abasto.summary import PriorityUse, summarize

__all__ = ["FAIRNESS", "GAP", "Tradeoff", "TradeoffPoint", "tradeoff"]

FAIRNESS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""From the greatest total to nearly max-min; 4 is what plans have unless told otherwise."""
GAP = 0.001
"""Smaller than for one plan: at one percent, plans of neighbouring fairness are often as good for one as for the other,
and where they lie between total and worst-off is chance."""
TIE = 1e-8
"""Plans whose objectives differ by a smaller share are worth the same as far as solvers tell. At a large fairness the
upper tiers are worth less than that, and a search may leave them empty."""


@dataclass(frozen=True, slots=True)
class TradeoffPoint:
    """What a plan of one fairness comes to: coverage as shares, people-days of need by priority, hours of vehicles.

    `planned_for` is the fairness it was planned with: another one where that plan is as good for this fairness as well
    and better in what it comes to. `like_previous` says that the point is not told apart from the one before: for
    either one's fairness, both plans are worth the same within what the search has left open.
    """

    fairness: float
    planned_for: float
    mean_coverage: float
    worst_5_percent_coverage: float
    lowest_coverage: float
    priorities: tuple[PriorityUse, ...]
    vehicle_hours: float
    cost: float
    objective: float
    bound: float
    gap: float
    gap_of_unmet: float
    status: str
    seconds: float
    like_previous: bool


@dataclass(frozen=True)
class Tradeoff:
    """Points by rising fairness, and the best plan found for each; `left_out` are those that a stop left unplanned."""

    network: Network
    scenario: str | None
    points: tuple[TradeoffPoint, ...]
    plans: tuple[Plan, ...]
    left_out: tuple[float, ...] = ()


def tradeoff(
    network: Network,
    scenario: str | None = None,
    *,
    fairness: Sequence[float] = FAIRNESS,
    solver: SolverName = "auto",
    gap: float = GAP,
    time_limit: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Tradeoff:
    """Plan with each fairness, from the smallest up, and return what the best plan found for each comes to.

    `gap` and `time_limit` (seconds) hold for each plan. Every search starts from what the one before knew. When
    `stop()` turns true the plan at hand is taken as far as it is, and no other is begun.
    """
    values = _in_order(fairness)
    solved: list[Solved] = []
    for value in values:
        if solved and stop is not None and stop():
            break
        plan = plan_in_full(
            network,
            scenario,
            fairness=value,
            solver=solver,
            gap=gap,
            time_limit=time_limit,
            progress=_of_fairness(progress, value, values),
            stop=stop,
            warm=solved[-1].warm if solved else None,
        )
        solved.append(plan)
    best = _best_of(solved)
    return Tradeoff(
        network=network,
        scenario=scenario,
        points=tuple(_points(solved, best)),
        plans=tuple(solved[index].plan for index in best),
        left_out=tuple(values[len(solved) :]),
    )


def _in_order(fairness: Sequence[float]) -> list[float]:
    """Return each fairness once, the smallest first; a SettingError names the one that cannot be planned with."""
    if not fairness:
        raise SettingError("fairness is empty; give at least one number, such as 0, 4 and 16")
    for value in fairness:
        if not (isinstance(value, int | float) and 0 <= value <= MOST_FAIRNESS):
            raise SettingError(
                f"fairness is {value}; each must be a number from 0 (greatest total) to {MOST_FAIRNESS:g}, such as 4"
            )
    return sorted({float(value) for value in fairness})


def _of_fairness(
    progress: Callable[[Progress], None] | None, value: float, values: Sequence[float]
) -> Callable[[Progress], None] | None:
    """Return a `progress` whose stages say of which plan they are."""
    if progress is None:
        return None
    place = f"fairness {value:g} ({values.index(value) + 1} of {len(values)})"
    return lambda told: progress(Progress(f"{place}, {told.stage}", told.seconds, told.gap))


def _best_of(solved: Sequence[Solved]) -> list[int]:
    """Return for each fairness the plan to take: its own, unless another one is better by every measure.

    Such a one is worth as much for this fairness, and has no smaller total and serves the worst off no worse, while
    one of the two is better: what the search left open, the search for another fairness has found.
    """
    best = []
    for own, at in enumerate(solved):
        enough = _worth(at, at) * (1 - TIE)
        better = [index for index, of in enumerate(solved) if _worth(at, of) >= enough and _outdoes(of.plan, at.plan)]
        # Of several the one that is worth most, and of those worth the same the one of the nearest fairness.
        best.append(max(better, key=lambda index: _rank(solved, at, own, index), default=own))
    return best


def _rank(solved: Sequence[Solved], at: Solved, own: int, index: int) -> tuple[float, int]:
    return round(_worth(at, solved[index]) / at.plan.full_value, 8), -abs(index - own)


def _outdoes(one: Plan, other: Plan) -> bool:
    """Return whether the first plan serves neither the total nor the worst-off 5 % less, and one of them more."""
    more = [
        float(one.summary[name][0] - other.summary[name][0]) for name in ("mean_coverage", "worst_5_percent_coverage")
    ]
    return min(more) >= -MET_TOLERANCE and max(more) > MET_TOLERANCE


def _worth(at: Solved, of: Solved) -> float:
    """Return what a plan is worth for the fairness that another one was made for."""
    return objective(at.problem, of.served.coverage)


def _points(solved: Sequence[Solved], best: Sequence[int]) -> Iterator[TradeoffPoint]:
    for index, own in enumerate(solved):
        taken = solved[best[index]]
        like = index > 0 and _alike((solved[index - 1], solved[best[index - 1]]), (own, taken))
        yield _point(own, taken, like_previous=like)


def _alike(one: tuple[Solved, Solved], other: tuple[Solved, Solved]) -> bool:
    """Return whether either plan would do for the other's fairness; a pair is who searched, and what was taken."""
    return _would_do(*one, instead=other[1]) and _would_do(*other, instead=one[1])


def _would_do(at: Solved, taken: Solved, *, instead: Solved) -> bool:
    """Return whether `instead` is worth less than what was taken by no more than the search there has left open."""
    value = _worth(at, taken)
    return value - _worth(at, instead) <= max(0.0, at.plan.bound - value) + TIE * value


def _point(own: Solved, taken: Solved, *, like_previous: bool) -> TradeoffPoint:
    """Return the point of a fairness: the figures of the plan that was taken, under the bound of its own search."""
    words = summarize(taken.plan)
    row = next(taken.plan.summary.rows())
    value = _worth(own, taken)
    judged = replace(own.plan, objective=value, bound=max(own.plan.bound, value))
    return TradeoffPoint(
        fairness=own.plan.fairness,
        planned_for=taken.plan.fairness,
        mean_coverage=words.mean_coverage,
        worst_5_percent_coverage=words.worst_5_percent_coverage,
        lowest_coverage=words.lowest_coverage,
        priorities=words.priorities,
        vehicle_hours=float(row["vehicle_hours"]),
        cost=float(row["cost"]),
        objective=value,
        bound=judged.bound,
        gap=judged.gap,
        gap_of_unmet=judged.gap_of_unmet,
        status=own.plan.status,
        seconds=own.plan.seconds,
        like_previous=like_previous,
    )
