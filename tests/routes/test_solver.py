"""The solver against every possible way to drive: on problems so small that all of them can be tried."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from abasto.errors import SolverError
from abasto.routes.problem import Job, Pair, Problem, Tour, Vehicles, Ways, Window
from abasto.routes.solver import solve

Event = tuple[str, int]


def ways(generator: np.random.Generator, places: int) -> Ways:
    spots = generator.integers(0, 10_000, size=(places, 2))
    metres = np.rint(np.sqrt(((spots[:, None] - spots[None]) ** 2).sum(-1))).astype(np.int64)
    return Ways(metres, metres // 10)


def price(problem: Problem, kind: int, events: Sequence[Event]) -> float:
    """Return what a vehicle's day costs, infinite if it breaks a limit; it starts as early as it can."""
    vehicles, roads = problem.vehicles[kind], problem.ways[problem.vehicles[kind].ways]
    trips = [list(group) for base, group in itertools.groupby(events, lambda event: event[0] == "base") if not base]
    if len(trips) > 1 and not vehicles.reload:
        return math.inf
    start = now = max(vehicles.window.first, vehicles.base_window.first)
    metres, place = 0, vehicles.base
    for trip in trips:
        load = sum(problem.jobs[n].delivery for step, n in trip if step == "job")
        now += vehicles.set_out_seconds
        for step, n in trip:
            if load > vehicles.capacity:
                return math.inf
            job, pair = (problem.jobs[n], None) if step == "job" else (None, problem.pairs[n])
            if job is not None:
                there, window, seconds, change = job.place, job.window, job.seconds, job.pickup - job.delivery
            elif pair is not None and step == "start":
                there, window, seconds, change = pair.start, pair.start_window, pair.start_seconds, pair.grams
            else:
                assert pair is not None
                there, window, seconds, change = pair.end, pair.end_window, pair.end_seconds, -pair.grams
            now = max(now + int(roads.seconds[place, there]), window.first)
            if now > window.last:
                return math.inf
            now += seconds
            metres += int(roads.metres[place, there])
            load += change
            place = there
        if load > vehicles.capacity:
            return math.inf
        now += int(roads.seconds[place, vehicles.base])
        metres += int(roads.metres[place, vehicles.base])
        place = vehicles.base
    if now > min(vehicles.window.last, vehicles.base_window.last) or now - start > vehicles.work_seconds:
        return math.inf
    return vehicles.fixed_cost + vehicles.metre_cost * metres + vehicles.second_cost * (now - start)


def all_days(problem: Problem) -> Iterator[list[tuple[int, list[Event]]]]:
    """Yield every way to share all jobs and pairs out over vehicles and trips, in every order."""
    events: list[Event] = [("job", n) for n in range(len(problem.jobs))]
    events += [(step, n) for n in range(len(problem.pairs)) for step in ("start", "end")]
    seats = [kind for kind, one in enumerate(problem.vehicles) for _ in range(one.count)]
    for order in itertools.permutations(events):
        if any(order.index(("start", n)) > order.index(("end", n)) for n in range(len(problem.pairs))):
            continue
        for breaks in itertools.product(("", "trip", "vehicle"), repeat=len(order) - 1):
            days: list[list[Event]] = [[order[0]]]
            for event, ends in zip(order[1:], breaks, strict=True):
                if ends == "vehicle":
                    days.append([event])
                else:
                    days[-1] += [("base", 0), event] if ends == "trip" else [event]
            if any(_is_torn(day) for day in days):
                continue
            for kinds in set(itertools.permutations(seats, len(days))):
                yield list(zip(kinds, days, strict=True))


def _is_torn(day: Sequence[Event]) -> bool:
    """Whether a pair's ends are on two trips or vehicles."""
    on_board: set[int] = set()
    for step, n in day:
        if step == "start":
            on_board.add(n)
        elif step == "end":
            if n not in on_board:
                return True
            on_board.remove(n)
        elif step == "base" and on_board:
            return True
    return bool(on_board)


def cheapest(problem: Problem) -> float:
    return min(sum(price(problem, kind, day) for kind, day in days) for days in all_days(problem))


def events_of(tour: Tour) -> list[Event]:
    return [(visit.kind, visit.index) for visit in tour.visits[1:-1]]


def found_price(problem: Problem, tours: Sequence[Tour]) -> float:
    return sum(price(problem, tour.kind, events_of(tour)) for tour in tours)


@pytest.mark.parametrize("seed", range(6))
def test_deliveries_pickups_and_reloads_cost_no_more_than_the_best_of_all_days(seed: int) -> None:
    generator = np.random.default_rng(seed)
    jobs = tuple(
        Job(place=place, delivery=int(much) if place % 2 else 0, pickup=0 if place % 2 else int(much), seconds=60)
        for place, much in enumerate(generator.integers(20, 90, size=4), start=1)
    )
    van = Vehicles(0, 1, 100, set_out_seconds=30, reload=True, fixed_cost=500, second_cost=1)
    cart = Vehicles(0, 1, 60, set_out_seconds=10, reload=True, fixed_cost=50, metre_cost=2, second_cost=1)
    problem = Problem((ways(generator, 5),), (van, cart), jobs)
    solved = solve(problem, seed=seed, patience=1_000)
    assert solved.cost == cheapest(problem) == found_price(problem, solved.tours)


@pytest.mark.parametrize("seed", range(4))
def test_pairs_beside_a_delivery_cost_hardly_more_than_the_best_of_all_days(seed: int) -> None:
    generator = np.random.default_rng(seed)
    jobs = (Job(place=1, delivery=70, seconds=60),)
    pairs = (Pair(2, 3, 50, 20, 30), Pair(4, 1, 40, 20, 30))
    van = Vehicles(0, 2, 100, set_out_seconds=30, reload=True, fixed_cost=500, second_cost=1)
    problem = Problem((ways(generator, 5),), (van,), jobs, pairs)
    solved = solve(problem, seed=seed, patience=1_000)
    # It may come by the base once more than it must, which costs half a minute.
    assert cheapest(problem) <= solved.cost <= 1.002 * cheapest(problem)
    assert solved.cost == found_price(problem, solved.tours)


@pytest.mark.parametrize("seed", range(6))
def test_time_windows_are_kept_at_the_least_cost(seed: int) -> None:
    generator = np.random.default_rng(seed)
    opens = generator.integers(0, 4_000, size=4)
    jobs = tuple(
        Job(place=place, delivery=30, seconds=100, window=Window(int(first), int(first) + 1_200))
        for place, first in enumerate(opens, start=1)
    )
    van = Vehicles(0, 4, 100, window=Window(0, 8_000), fixed_cost=700, reload=True)
    problem = Problem((ways(generator, 5),), (van,), jobs)
    solved = solve(problem, seed=seed, patience=1_000)
    assert solved.cost == cheapest(problem) == found_price(problem, solved.tours)


@pytest.mark.parametrize("seed", range(6))
def test_of_what_does_not_fit_as_much_is_served_as_any_day_could(seed: int) -> None:
    generator = np.random.default_rng(seed)
    jobs = tuple(
        Job(place=place, delivery=int(much), seconds=60, prize=1_000_000 + int(much))
        for place, much in enumerate(generator.integers(40, 100, size=5), start=1)
    )
    roads = ways(generator, 6)
    van = Vehicles(0, 1, 100, set_out_seconds=60, reload=True, work_seconds=3_000)
    problem = Problem((roads,), (van,), jobs)
    solved = solve(problem, seed=seed, patience=1_000)
    served = [visit.index for tour in solved.tours for visit in tour.visits if visit.kind == "job"]
    assert len(served) == len(set(served))
    assert found_price(problem, solved.tours) == solved.cost < math.inf
    most = max(
        len(chosen)
        for number in range(len(jobs) + 1)
        for chosen in itertools.combinations(jobs, number)
        if not chosen or cheapest(Problem((roads,), (van,), chosen)) < math.inf
    )
    assert len(served) == most


def test_what_must_be_served_and_cannot_is_an_error() -> None:
    roads = ways(np.random.default_rng(0), 2)
    van = Vehicles(0, 1, 100)
    with pytest.raises(SolverError, match="allow more time, or more vehicles"):
        solve(Problem((roads,), (van,), (Job(1, delivery=150),)), patience=50)
    assert solve(Problem((roads,), (van,), (Job(1, delivery=150, prize=5),)), patience=50).tours == ()


def test_the_same_seed_finds_the_same_and_a_search_ends_when_it_is_asked_to() -> None:
    generator = np.random.default_rng(1)
    jobs = tuple(Job(place=place, delivery=30) for place in range(1, 30))
    problem = Problem((ways(generator, 30),), (Vehicles(0, 20, 100),), jobs)
    assert solve(problem, iterations=300) == solve(problem, iterations=300)
    assert solve(problem, iterations=10_000, stop=lambda: True).iterations <= 1
    assert solve(problem, iterations=300, seed=1).tours != ()
