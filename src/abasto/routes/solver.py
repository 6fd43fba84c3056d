"""From a problem to tours, by PyVRP's iterated local search; nothing else in Abasto knows PyVRP.

Wouda, Lan and Kool, PyVRP: a high-performance VRP solver package, INFORMS Journal on Computing 36 (2024). Version 0.14
knows all that is needed here: deliveries from and pickups for the base in one trip, pairs of other places, reloads,
several kinds of vehicles, and time windows.

It is far better at placing what it must than at choosing what to leave out, and never opens another trip for what may
be left out. So where everything has a prize, things are put in one after the other first, the most worth first, and
the search begins with that; and where they do not all fit, it is asked for one more at a time.
"""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from abasto.errors import SolverError
from abasto.routes.problem import Job, Pair, Problem, Solved, Tour, Vehicles, Visit

if TYPE_CHECKING:
    import pyvrp

__all__ = ["solve"]

ALL_PATIENCE = 500
"""So many iterations are tried to serve everything, where putting it in one after the other left something out."""
ONE_MORE_PATIENCE = 200
"""So many iterations are tried to serve one thing more."""
MOST_TRIED = 20
"""So many things that were left out are tried once more, those worth most."""

Step = tuple[Literal["base", "job", "start", "end"], int]
"""What happens next on a tour, as a `Visit` without times."""


def solve(
    problem: Problem,
    *,
    seed: int = 0,
    iterations: int | None = None,
    patience: int | None = None,
    seconds: float | None = None,
    stop: Callable[[], bool] | None = None,
) -> Solved:
    """Return the best tours found in so many iterations or seconds, or when `patience` iterations bring nothing better.

    Ended by iterations or patience, the same problem and seed give the same tours. Where everything has a prize, some
    is left out if no tours were found that serve all; else `SolverError` is raised then.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    search = _Search(problem, seed, iterations, patience, deadline, stop)
    all_of_it = frozenset(range(len(_prizes(problem))))
    found = search.run(all_of_it) if None in _prizes(problem) else _serve_most(search, all_of_it)
    if not found.is_feasible:
        raise SolverError("no tours were found that serve everything; allow more time, or more vehicles")
    return Solved(found.tours, found.cost, search.iterations)


@dataclass(frozen=True)
class _Found:
    """The outcome of a search."""

    tours: tuple[Tour, ...]
    cost: int
    is_feasible: bool


@dataclass
class _Search:
    """Searches of one problem with one seed and one deadline; counts the iterations of all of them."""

    problem: Problem
    seed: int
    most: int | None
    patience: int | None
    deadline: float | None
    asked: Callable[[], bool] | None
    iterations: int = 0

    def run(
        self, required: Set[int], *, patience: int | None = None, begin: Sequence[tuple[int, list[Step]]] = ()
    ) -> _Found:
        """Search for tours that serve what is required, and of the rest what its prizes pay for; from some tours on."""
        import pyvrp
        from pyvrp.exceptions import PenaltyBoundWarning

        # It warns where not everything can be served, which is found out and told here.
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        data = _data(self.problem, required)
        initial = pyvrp.Solution(data, [_route(data, kind, steps) for kind, steps in begin]) if begin else None
        limit = _Stop(self, self.patience if patience is None else patience)
        result = pyvrp.solve(data, limit, seed=self.seed, collect_stats=False, display=False, initial_solution=initial)
        self.iterations += result.num_iterations
        routes = [_tidied(data, route) for route in result.best.routes()]
        return _Found(tuple(map(_tour, routes)), sum(map(_cost, routes)), result.best.is_feasible())


class _Stop:
    """Ends a search: asked to, out of time, out of iterations, or so many of them without anything better."""

    def __init__(self, search: _Search, patience: int | None) -> None:
        self._search, self._patience = search, patience
        self._best: float | None = None
        self._idle = self._done = 0

    def __call__(self, best_cost: float) -> bool:
        if self._best is None or best_cost < self._best:
            self._best, self._idle = best_cost, 0
        else:
            self._idle += 1
        self._done += 1
        search = self._search
        return (
            (search.most is not None and self._done > search.most)
            or (self._patience is not None and self._idle >= self._patience)
            or (search.deadline is not None and time.monotonic() >= search.deadline)
            or (search.asked is not None and search.asked())
        )


def _prizes(problem: Problem) -> list[int | None]:
    """Return the prizes of the jobs and then the pairs: in this order everything to serve is numbered."""
    return [*(job.prize for job in problem.jobs), *(pair.prize for pair in problem.pairs)]


def _serve_most(search: _Search, all_of_it: Set[int]) -> _Found:
    """Return tours that serve everything, or else what is worth most as far as was found."""
    problem = search.problem
    prizes = _prizes(problem)
    wanted = sorted(all_of_it, key=lambda one: (-(prizes[one] or 0), one))
    filling = _Filling(problem)
    left = [one for one in wanted if not filling.put_in(one)]
    if not filling.tours:
        return _Found((), 0, is_feasible=True)
    if not left:
        return search.run(all_of_it, begin=filling.tours)
    found = search.run(all_of_it, patience=ALL_PATIENCE)
    if found.is_feasible:
        return search.run(all_of_it, begin=[(tour.kind, _steps(tour)) for tour in found.tours])
    best = search.run(frozenset(), begin=filling.tours)
    served = _served(problem, best.tours)
    for one in [one for one in wanted if one not in served][:MOST_TRIED]:
        begin = _with_one_more(best.tours, _steps_for(problem, one))
        tried = search.run(served | {one}, patience=ONE_MORE_PATIENCE, begin=begin)
        if tried.is_feasible:
            best, served = tried, _served(problem, tried.tours)
    return search.run(served, begin=[(tour.kind, _steps(tour)) for tour in best.tours])


def _served(problem: Problem, tours: Sequence[Tour]) -> Set[int]:
    """Return what tours serve, jobs and pairs numbered on."""
    visits = [visit for tour in tours for visit in tour.visits]
    jobs = {visit.index for visit in visits if visit.kind == "job"}
    return frozenset(jobs | {len(problem.jobs) + visit.index for visit in visits if visit.kind == "end"})


def _with_one_more(tours: Sequence[Tour], steps: list[Step]) -> list[tuple[int, list[Step]]]:
    """Return tours of which the emptiest does something more first, whether it can or not."""
    found = [(tour.kind, _steps(tour)) for tour in tours]
    if found:
        emptiest = min(range(len(found)), key=lambda place: (len(found[place][1]), place))
        kind, before = found[emptiest]
        found[emptiest] = kind, [*steps, *before]
    return found


def _steps_for(problem: Problem, one: int) -> list[Step]:
    """Return the steps that serve a job or a pair."""
    if one < len(problem.jobs):
        return [("job", one)]
    return [("start", one - len(problem.jobs)), ("end", one - len(problem.jobs))]


class _Filling:
    """Tours that are filled with one thing after the other, each where it costs least, perhaps on a trip of its own."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._data = _data(problem, frozenset())
        self.tours: list[tuple[int, list[Step]]] = []

    def put_in(self, one: int) -> bool:
        """Put a thing in, if it fits somewhere."""
        steps = _steps_for(self._problem, one)
        best: tuple[int, int, int, list[Step]] | None = None
        for place, kind, before, after in self._tries(steps):
            route = _route(self._data, kind, after)
            if route.is_feasible():
                cost = _cost(route) - (_cost(_route(self._data, kind, before)) if before else 0)
                if best is None or cost < best[0]:
                    best = cost, place, kind, after
        if best is None:
            return False
        _, place, kind, after = best
        self.tours[place : place + 1] = [(kind, after)]
        return True

    def _tries(self, steps: list[Step]) -> Iterator[tuple[int, int, list[Step], list[Step]]]:
        """Yield where something may go: which tour, its kind of vehicles, its steps before and after."""
        for place, (kind, before) in enumerate(self.tours):
            for at in range(len(before) + 1):
                yield place, kind, before, [*before[:at], *steps, *before[at:]]
            if self._problem.vehicles[kind].reload:
                yield place, kind, before, [*before, ("base", kind), *steps]
                yield place, kind, before, [*steps, ("base", kind), *before]
        for kind, vehicles in enumerate(self._problem.vehicles):
            if sum(kind == other for other, _ in self.tours) < vehicles.count:
                yield len(self.tours), kind, [], steps


def _steps(tour: Tour) -> list[Step]:
    """Return what happens on a tour between its first setting out and its last return."""
    return [(visit.kind, visit.index) for visit in tour.visits[1:-1]]


def _route(data: pyvrp.ProblemData, kind: int, steps: Sequence[Step]) -> pyvrp.Route:
    """Return a route of PyVRP's, with its times, for a vehicle of a kind."""
    import pyvrp

    types = pyvrp.ActivityType
    named = {"base": types.DEPOT, "job": types.CLIENT, "start": types.PICKUP, "end": types.DELIVERY}
    return pyvrp.Route(data, [pyvrp.Activity(named[step], index) for step, index in steps], kind)


def _tidied(data: pyvrp.ProblemData, route: pyvrp.Route) -> pyvrp.Route:
    """Return a route without trips on which nothing happens."""
    steps = _steps(_tour(route))
    kept = [step for step, group in itertools.groupby(steps) for step in ([step] if step[0] == "base" else group)]
    while kept and kept[-1][0] == "base":
        kept.pop()
    while kept and kept[0][0] == "base":
        kept.pop(0)
    return route if kept == steps else _route(data, route.vehicle_type(), kept)


def _cost(route: pyvrp.Route) -> int:
    return route.fixed_vehicle_cost() + route.distance_cost() + route.duration_cost()


def _data(problem: Problem, required: Set[int]) -> pyvrp.ProblemData:
    """Return the problem as PyVRP wants it: what is not required has its prize, and each kind of vehicles a depot
    of its own, with its time to set out.
    """
    import pyvrp

    metres: list[Any] = [ways.metres for ways in problem.ways]  # PyVRP's own annotation of matrices fits none
    seconds: list[Any] = [ways.seconds for ways in problem.ways]
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(x=0, y=0) for _ in range(problem.places)],
        clients=[_client(job, number in required) for number, job in enumerate(problem.jobs)],
        depots=[
            pyvrp.Depot(
                location=kind.base,
                tw_early=kind.base_window.first,
                tw_late=kind.base_window.last,
                service_duration=kind.set_out_seconds,
            )
            for kind in problem.vehicles
        ],
        vehicle_types=[_vehicle_type(kind, depot) for depot, kind in enumerate(problem.vehicles)],
        distance_matrices=metres,
        duration_matrices=seconds,
        shipments=[
            _shipment(pair, number in required) for number, pair in enumerate(problem.pairs, start=len(problem.jobs))
        ],
    )


def _client(job: Job, is_required: bool) -> pyvrp.Client:
    import pyvrp

    return pyvrp.Client(
        location=job.place,
        delivery=[job.delivery],
        pickup=[job.pickup],
        service_duration=job.seconds,
        tw_early=job.window.first,
        tw_late=job.window.last,
        prize=job.prize or 0,
        required=is_required,
    )


def _shipment(pair: Pair, is_required: bool) -> pyvrp.Shipment:
    import pyvrp

    return pyvrp.Shipment(
        pickup_location=pair.start,
        delivery_location=pair.end,
        pickup_tw_early=pair.start_window.first,
        pickup_tw_late=pair.start_window.last,
        pickup_service_duration=pair.start_seconds,
        delivery_tw_early=pair.end_window.first,
        delivery_tw_late=pair.end_window.last,
        delivery_service_duration=pair.end_seconds,
        amount=[pair.grams],
        prize=pair.prize or 0,
        required=is_required,
    )


def _vehicle_type(kind: Vehicles, depot: int) -> pyvrp.VehicleType:
    import pyvrp

    return pyvrp.VehicleType(
        num_available=kind.count,
        capacity=[kind.capacity],
        start_depot=depot,
        end_depot=depot,
        fixed_cost=kind.fixed_cost,
        tw_early=kind.window.first,
        tw_late=kind.window.last,
        shift_duration=kind.work_seconds,
        unit_distance_cost=kind.metre_cost,
        unit_duration_cost=kind.second_cost,
        profile=kind.ways,
        reload_depots=[depot] if kind.reload else [],
    )


def _tour(route: pyvrp.Route) -> Tour:
    visits = [
        Visit(_kind(activity), activity.idx, activity.start_time - activity.wait_duration, activity.end_time)
        for activity in route.schedule()
    ]
    return Tour(route.vehicle_type(), tuple(visits))


def _kind(activity: pyvrp.ScheduledActivity) -> Literal["base", "job", "start", "end"]:
    if activity.is_depot():
        return "base"
    if activity.is_client():
        return "job"
    return "start" if activity.is_pickup() else "end"
