"""Rehearsing: harms and ranks equal those of planning every case, ties are told, and a stopped rehearsal goes on."""

from __future__ import annotations

import csv
import itertools
import json
import os
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # benchmarks are no part of the installed package

from benchmarks.generate import generate

from abasto import example_path, read
from abasto.errors import AbastoError, SettingError, SolverError
from abasto.network import Disruption, Fleet, Good, Lane, Need, Network, Plant, RecipeLine, Site, Stock, Supply
from abasto.planner import equilibrium, exact
from abasto.planner.make import plan_in_full
from abasto.planner.problem import Problem, build_problem, weighted_people_days
from abasto.planner.solution import Solution
from abasto.rehearse import KINDS, Loss, Rehearsal, rehearsal_csv, rehearse, workers
from abasto.rehearse import cases as room_of_cases
from abasto.rehearse.burden import passing_flows, passing_ways
from abasto.rehearse.cases import Case, Outcome
from abasto.rehearse.damage import Damage, damage
from abasto.rehearse.losses import losses_of
from abasto.rehearse.pairing import how_many
from abasto.rehearse.ranking import contested, ranks, to_certify
from abasto.rehearse.words import briefing
from abasto.tables.target import Targets

DAY_1 = date(2026, 11, 22)


def with_losses(network: Network, scenario: str | None, case: Case) -> Network:
    """Return the network with a scenario `rehearsed`: the rows of `scenario`, and one more for each loss."""
    before = [
        row.model_copy(update={"scenario": "rehearsed"}) for row in network.disruptions if row.scenario == scenario
    ]
    more = [Disruption(scenario="rehearsed", kind=loss.kind, target=loss.target, left=0) for loss in case]
    return replace(network, disruptions=(*before, *more))


def exact_objective(network: Network, scenario: str | None, case: Case, fairness: float = 4.0) -> float:
    """Plan a case from its tables with the exact solver: the second, slow, obvious way."""
    lost = with_losses(network, scenario, case)
    named = "rehearsed" if lost.disruptions else None
    return plan_in_full(lost, named, fairness=fairness, solver="exact").plan.objective


def check_against_planning_every_case(rehearsal: Rehearsal) -> None:
    """Check limits, estimates and ranks of all losses against exact plans of every case."""
    network, scenario = rehearsal.network, rehearsal.scenario
    best = exact_objective(network, scenario, (), rehearsal.fairness)
    left = {harm.case: exact_objective(network, scenario, harm.case, rehearsal.fairness) for harm in rehearsal.harms}
    for harm in [*rehearsal.harms, *rehearsal.pairs]:
        if harm.case not in left:
            left[harm.case] = exact_objective(network, scenario, harm.case, rehearsal.fairness)
        true = weighted_people_days(best - left[harm.case], rehearsal.fairness)
        dust = 1e-7 * weighted_people_days(best, rehearsal.fairness)
        assert harm.limits.least - dust <= true <= harm.limits.most + dust, harm.case
        assert harm.limits.least <= harm.limits.estimate <= harm.limits.most
    for group in (rehearsal.harms, rehearsal.pairs):
        for harm in group:
            worse = sum(left[other.case] < left[harm.case] * (1 - 1e-7) for other in group)
            less_bad = sum(left[other.case] > left[harm.case] * (1 + 1e-7) for other in group)
            assert harm.first_rank <= worse + 1, harm.case
            assert harm.last_rank >= len(group) - less_bad, harm.case


def as_table(rehearsal: Rehearsal) -> bytes:
    return rehearsal_csv(rehearsal)


# Small networks: every loss is planned exactly


def test_rehearsal_of_a_small_network_equals_planning_every_case() -> None:
    network = read(example_path("neighbourhood"))
    rehearsal = rehearse(network, "lockout", pairs=2)
    assert len(rehearsal.harms) == 37
    assert len(rehearsal.pairs) > 2
    check_against_planning_every_case(rehearsal)
    for harm in rehearsal.harms:  # exact plans leave nothing open
        assert harm.limits.most - harm.limits.least <= 1e-6 * rehearsal.needed
        assert harm.is_certified


def test_ranks_are_those_of_planning_every_case_where_harms_differ() -> None:
    network = read(example_path("neighbourhood"))
    rehearsal = rehearse(network, "lockout", what=["sites", "fleets"])
    left = {harm.case: exact_objective(network, "lockout", harm.case) for harm in rehearsal.harms}
    order = sorted(left.values())
    for harm in rehearsal.harms:
        first = 1 + sum(value < left[harm.case] * (1 - 1e-9) for value in order)
        last = len(order) - sum(value > left[harm.case] * (1 + 1e-9) for value in order)
        assert (harm.first_rank, harm.last_rank) == (first, last), harm.case


def test_two_losses_that_do_the_same_share_their_rank() -> None:
    harms = rehearse(read(example_path("neighbourhood")), "lockout", what=["sites", "fleets"]).harms
    van, mill = (next(harm for harm in harms if harm.case[0].target == name) for name in ("mill van", "Mill"))
    assert (van.first_rank, van.last_rank) == (mill.first_rank, mill.last_rank) == (2, 3)


def test_what_the_scenario_leaves_nothing_of_is_left_out_and_named() -> None:
    network = read(example_path("neighbourhood"))
    closed = replace(network, disruptions=(Disruption(scenario="flood", kind="site", target="Mill", left=0),))
    rehearsal = rehearse(closed, "flood")
    assert Loss("site", "Mill") in rehearsal.gone
    assert Loss("fleet", "mill van") in rehearsal.gone
    assert not {harm.case[0] for harm in rehearsal.harms} & set(rehearsal.gone)
    assert len(rehearsal.harms) + len(rehearsal.gone) == 37


def test_every_thing_is_listed_once_and_a_two_way_lane_is_one() -> None:
    network = read(example_path("neighbourhood"))
    listed = losses_of(network, tuple(KINDS.values()), Targets(network))
    assert len(listed) == len(set(listed))
    assert sum(loss.kind == "lane" for loss in listed) == len(network.lanes)
    back = Lane(from_site="North bakery", to_site="Mill", km=10)
    both = replace(network, lanes=(*network.lanes, back))
    assert losses_of(both, ("lane",), Targets(both)) == tuple(loss for loss in listed if loss.kind == "lane")


SHORT = Network(
    "Short",
    DAY_1,
    4,
    sites=(Site(site="depot"), Site(site="near", people=100), Site(site="far", people=50)),
    goods=(Good(good="rice"), Good(good="tea", priority=2)),
    stocks=(Stock(site="near", good="rice", quantity=200),),
    supplies=(Supply(site="depot", good="rice", quantity=1000), Supply(site="depot", good="tea", quantity=1000)),
    needs=(
        Need(site="near", good="rice", quantity=100),
        Need(site="far", good="rice", quantity=50),
        Need(site="near", good="tea", quantity=10, people=20),
    ),
    lanes=(
        Lane(from_site="depot", to_site="near", hours=1, lead_days=0),
        Lane(from_site="depot", to_site="far", hours=1, lead_days=0),
    ),
    fleets=(Fleet(fleet="trucks", vehicles=10, payload_t=1),),
)
"""Everything is met; without the lane to `near` its rice lasts two of four days and its tea is missing."""


def test_what_is_lost_where_and_from_when_is_what_can_be_counted_by_hand() -> None:
    rehearsal = rehearse(SHORT, what=["lanes", "supplies"])
    by_target = {harm.case[0].target: harm for harm in rehearsal.harms}
    lane = by_target["depot>near"].outcome.damage
    assert dict(lane.lost) == pytest.approx({1.0: 200.0, 2.0: 80.0})
    assert dict(lane.gained) == pytest.approx({1.0: 0.0, 2.0: 0.0})
    rice, tea = lane.hits
    assert (rice.site, rice.need, rice.people) == ("near", "rice", 100.0)
    assert (rice.people_days, rice.before, rice.after) == pytest.approx((200.0, 1.0, 0.5))
    assert (tea.need, tea.people, tea.first_day) == ("tea", 20.0, 1)
    assert tea.people_days == pytest.approx(80.0)
    only_tea = by_target["depot/tea"].outcome.damage
    assert only_tea.first_day == 1
    assert dict(only_tea.lost) == pytest.approx({1.0: 0.0, 2.0: 80.0})


def test_a_loss_is_felt_from_the_day_on_which_something_is_needed() -> None:
    later = replace(SHORT, stocks=(), needs=(Need(site="near", good="rice", quantity=100, from_day=3),))
    assert rehearse(later, what=["lanes"]).harms[0].outcome.damage.first_day == 3


PARALLEL = Network(
    "Parallel",
    DAY_1,
    3,
    sites=(Site(site="east depot"), Site(site="west depot"), Site(site="town", people=900), Site(site="hut", people=9)),
    goods=(Good(good="rice"),),
    supplies=(
        Supply(site="east depot", good="rice", quantity=2000),
        Supply(site="west depot", good="rice", quantity=2000),
    ),
    needs=(Need(site="town", good="rice", quantity=900), Need(site="hut", good="rice", quantity=9)),
    lanes=(
        Lane(from_site="east depot", to_site="town", hours=1, lead_days=0),
        Lane(from_site="west depot", to_site="town", hours=2, lead_days=0),
        Lane(from_site="town", to_site="hut", hours=1, lead_days=0),
        *(Lane(from_site="hut", to_site=f"farm {i}", hours=1, lead_days=0) for i in range(12)),
    ),
    fleets=(Fleet(fleet="trucks", vehicles=10, payload_t=1),),
)
PARALLEL = replace(
    PARALLEL,
    sites=(*PARALLEL.sites, *(Site(site=f"farm {i}", people=3) for i in range(12))),
    needs=(*PARALLEL.needs, *(Need(site=f"farm {i}", good="rice", quantity=3) for i in range(12))),
)
"""Two depots, each enough for all: either can be lost without harm, and a dozen farms are worse to lose."""


@pytest.mark.parametrize("solver", ["exact", "equilibrium"])
def test_a_pair_of_things_that_stand_in_for_each_other_is_found_though_neither_hurts_alone(solver: str) -> None:
    rehearsal = rehearse(PARALLEL, what=["sites"], pairs=1, solver=solver)  # type: ignore[arg-type]
    depots = (Loss("site", "east depot"), Loss("site", "west depot"))
    alone = {harm.case[0]: harm for harm in rehearsal.harms}
    assert all(alone[depot].limits.estimate == pytest.approx(0, abs=1.0) for depot in depots)
    assert all(alone[depot].first_rank > how_many(1) for depot in depots) or solver == "equilibrium"
    both = next(harm for harm in rehearsal.pairs if harm.case == depots)
    assert both.worse_together is not None
    assert both.worse_together.least > 2700
    assert both.limits.estimate == pytest.approx(rehearsal.needed, rel=0.01)


@pytest.mark.soak
def test_pairs_equal_planning_them_and_a_pair_that_goes_together_anyway_is_none() -> None:
    network = read(example_path("neighbourhood"))
    rehearsal = rehearse(network, "lockout", pairs=3)
    alone = {harm.case: harm.limits.estimate for harm in rehearsal.harms}
    for pair in rehearsal.pairs:
        first, second = pair.case
        assert pair.worse_together is not None
        together = pair.limits.estimate - alone[first,] - alone[second,]
        assert pair.worse_together.estimate == pytest.approx(together)
        assert pair.limits.estimate > max(alone[first,], alone[second,])
        assert {first.target, second.target} != {"Mill", "mill van"}
    check_against_planning_every_case(rehearsal)


def test_what_softens_a_loss_brings_something_and_at_most_what_it_is_said_to_be_worth() -> None:
    network = read(example_path("neighbourhood"))
    harms = rehearse(network, "lockout", what=["fleets"]).harms
    van = next(harm for harm in harms if harm.case[0].target == "mill van")
    first = van.outcome.softened_by[0]
    assert first.words == "24 kg more flour in stock at North bakery"
    more = replace(network, stocks=(*network.stocks, Stock(site="North bakery", good="flour", quantity=24)))
    gain = exact_objective(more, "lockout", van.case) - exact_objective(network, "lockout", van.case)
    assert 0.5 * first.worth < weighted_people_days(gain, 4.0) <= first.worth * (1 + 1e-6)


def test_what_helps_as_much_without_the_loss_softens_none() -> None:
    harms = rehearse(read(example_path("neighbourhood")), "lockout", what=["sites"]).harms
    station = next(harm for harm in harms if harm.case[0].target == "Station")
    assert station.outcome.softened_by == ()


def test_a_case_that_the_solver_has_no_answer_for_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    solve = exact.solve

    def stumbles(problem: Problem, **options: object) -> Solution:
        if not problem.fleet_hours.any():
            raise SolverError("the solver ended as unknown; try again")
        return solve(problem, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(exact, "solve", stumbles)
    rehearsal = rehearse(SHORT, what=["fleets", "lanes"], jobs=1)
    trucks = next(harm for harm in rehearsal.harms if harm.case[0].kind == "fleet")
    assert trucks.outcome.note == "the solver ended as unknown; try again"
    assert (trucks.limits.least, trucks.first_rank, trucks.last_rank) == (0.0, 1, 3)
    assert not trucks.is_certified
    said = "\n".join(briefing(rehearsal, most=3, pairs=0))
    assert "1–3. trucks (fleet): not known; the solver ended as unknown; try again" in said
    assert "inf" not in said
    (row,) = [row for row in csv.DictReader(rehearsal_csv(rehearsal).decode().splitlines()) if row["kind"] == "fleet"]
    assert (row["gap"], row["certified"]) == ("", "no")


def test_what_is_left_out_is_not_laid_to_a_scenario_that_there_is_none_of() -> None:
    """Without lanes the towns have nothing that could be lost with them, on usual days too."""
    rehearsal = rehearse(replace(SHORT, lanes=(), days=1), what=["sites"], jobs=1)
    opening = briefing(rehearsal, most=3, pairs=0)[:2]
    assert opening == [
        "Short: 1 thing taken away in turn for the day (sites).",
        "2 more are left out: losing them would take nothing away.",
    ]


# Large networks: brackets and searches


@pytest.mark.soak
@pytest.mark.parametrize("seed", [0, 1])
def test_limits_of_the_quick_solver_contain_the_exact_harms_and_its_ranks_the_exact_ranks(seed: int) -> None:
    network = generate("TINY", seed=seed, chain=seed == 1)
    rehearsal = rehearse(network, what=["fleets", "plants", "sites"], most=3, solver="equilibrium", jobs=1)
    assert rehearsal.searches > 0
    check_against_planning_every_case(rehearsal)


@pytest.mark.soak
def test_pairs_of_the_quick_solver_contain_the_exact_harms() -> None:
    network = generate("TINY", seed=2)
    rehearsal = rehearse(network, what=["fleets", "sites"], pairs=1, most=1, solver="equilibrium", jobs=1)
    assert rehearsal.pairs
    check_against_planning_every_case(replace(rehearsal, pairs=rehearsal.pairs[:8]))


@pytest.mark.soak
def test_limits_and_ranks_on_small_contain_the_exact_ones() -> None:
    network = generate("SMALL", seed=0)
    rehearsal = rehearse(network, what=["fleets", "plants", "sites"], most=5, solver="equilibrium")
    check_against_planning_every_case(rehearsal)


def test_the_worst_are_proven_to_the_gap_asked_for() -> None:
    network = generate("TINY", seed=0)
    rehearsal = rehearse(network, what=["sites"], most=3, solver="equilibrium", gap=0.005, jobs=1)
    for harm in rehearsal.harms:
        assert harm.is_certified == (harm.outcome.gap <= 0.005 * (1 + 1e-9))
        assert harm.is_certified or harm.first_rank > 3


def test_limits_hold_where_searches_are_cut_short_and_tried_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_of_cases, "MOST_ROUNDS", 2)
    network = generate("TINY", seed=0)
    rehearsal = rehearse(network, what=["fleets"], most=2, solver="equilibrium", gap=1e-5, jobs=1)
    assert any(harm.outcome.rounds == 4 for harm in rehearsal.harms)
    check_against_planning_every_case(rehearsal)


def test_what_passes_is_counted_alike_from_flows_and_from_ways() -> None:
    problem = build_problem(PARALLEL)
    found = equilibrium.solve(problem, gap=1e-4)
    assert found.warm is not None
    flows, ways = passing_flows(problem, found.flows), passing_ways(problem, found.warm)
    assert ways.fleet == pytest.approx(flows.fleet, rel=0.05)
    assert ways.supply.sum() == pytest.approx(flows.supply.sum()) == pytest.approx(1.0)
    hut = [problem.sites[lane[1]] == "hut" for lane in problem.lanes].index(True)
    assert ways.lane[hut] == pytest.approx(flows.lane[hut], rel=0.05)


def test_what_plants_pass_adds_up_to_all_of_each_recipe() -> None:
    bakery = Network(
        "Bakery",
        DAY_1,
        2,
        sites=(Site(site="mill"), Site(site="town", people=10)),
        goods=(Good(good="flour"), Good(good="bread")),
        stocks=(Stock(site="mill", good="flour", quantity=100), Stock(site="town", good="flour", quantity=5)),
        needs=(Need(site="town", good="bread", quantity=10),),
        recipes=(
            RecipeLine(recipe="baking", good="flour", quantity=-1),
            RecipeLine(recipe="baking", good="bread", quantity=1),
        ),
        plants=(Plant(site="mill", recipe="baking", batches=8), Plant(site="town", recipe="baking", batches=8)),
        lanes=(Lane(from_site="mill", to_site="town", hours=1, lead_days=0),),
        fleets=(Fleet(fleet="van", vehicles=1, payload_t=1),),
    )
    problem = build_problem(bakery)
    found = equilibrium.solve(problem, gap=1e-4)
    assert found.warm is not None
    for passing in (passing_flows(problem, found.flows), passing_ways(problem, found.warm)):
        assert passing.plant.sum() == pytest.approx(1.0)
        assert passing.supply.sum() == 0.0


# Ranks and damage, against plain loops


def outcome(number: int, value: float, bound: float, aim: float | None = None) -> Outcome:
    return Outcome((Loss("fleet", f"{number:03}"),), aim, value, bound, Damage((), (), (), 0))


@given(st.lists(st.tuples(st.floats(1, 100), st.floats(0, 20)), min_size=1, max_size=30))
def test_ranks_equal_those_of_comparing_every_two(intervals: list[tuple[float, float]]) -> None:
    outcomes = [outcome(number, value, value + width) for number, (value, width) in enumerate(intervals)]
    first, last = ranks(outcomes)
    for one, low, high in zip(outcomes, first.tolist(), last.tolist(), strict=True):
        worse = sum(other.bound < one.value * (1 - 1e-9) for other in outcomes)
        less_bad = sum(other.value * (1 - 1e-9) > one.bound for other in outcomes)
        assert (low, high) == (worse + 1, len(outcomes) - less_bad)
        assert 1 <= low <= high <= len(outcomes)


def test_whoever_cannot_be_among_the_worst_is_not_searched() -> None:
    outcomes = [outcome(1, 50, 60), outcome(2, 70, 75), outcome(3, 76, 99)]
    assert [one.case[0].target for one in to_certify(outcomes, gap=0.01, most=2)] == ["001", "002"]
    sure = [outcome(1, 50, 50.1), outcome(2, 70, 70.1)]
    assert contested(sure, best=100, gap=0.01, most=2) == []
    tied = [outcome(1, 50, 51), outcome(2, 50.5, 50.9), outcome(3, 90, 90)]
    assert [(one.case[0].target, aim) for one, aim in contested(tied, best=100, gap=0.01, most=3)] == [
        ("001", pytest.approx(0.02 / 4)),
        ("002", pytest.approx(0.4 / 50.5 / 4)),
    ]


def test_a_search_that_fell_short_is_not_repeated() -> None:
    stuck = [outcome(1, 50, 52, aim=0.01), outcome(2, 50, 52, aim=0.01)]
    assert to_certify(stuck, gap=0.01, most=2) == []
    assert contested(stuck, best=100, gap=0.01, most=2) == []


@pytest.fixture
def problem() -> Problem:
    return build_problem(read(example_path("neighbourhood")), "lockout")


def test_damage_equals_plain_loops(problem: Problem) -> None:
    random = np.random.default_rng(1)
    before, after = random.random(len(problem.needs.site)), random.random(len(problem.needs.site))
    found = damage(problem, before, after)
    needs = problem.needs
    weighted: dict[tuple[int, int], float] = {}
    plain: dict[tuple[int, int], float] = {}
    for n in range(len(needs.site)):
        place = int(needs.site[n]), int(needs.target[n])
        fell = float(before[n] - after[n])
        weighted[place] = weighted.get(place, 0.0) + fell * float(needs.weight[n])
        plain[place] = plain.get(place, 0.0) + fell * float(needs.people[n])
    for table, sign in ((found.lost, 1), (found.gained, -1)):
        for priority, amount in table:
            here = {
                (int(needs.site[n]), int(needs.target[n]))
                for n in range(len(needs.site))
                if needs.priority[n] == priority
            }
            total = sum(sign * plain[place] for place in here if (weighted[place] > 0) == (sign == 1))
            assert amount == pytest.approx(total)
    worst = max(weighted, key=lambda place: weighted[place])
    names = (*problem.goods, *problem.nutrients)
    assert (found.hits[0].site, found.hits[0].need) == (problem.sites[worst[0]], names[worst[1]])
    assert found.hits[0].people_days == pytest.approx(plain[worst])
    total, by_day = 0.0, dict.fromkeys(range(problem.days), 0.0)
    for n in range(len(needs.site)):
        if weighted[int(needs.site[n]), int(needs.target[n])] > 0:
            by_day[int(needs.day[n])] += float((before[n] - after[n]) * needs.weight[n])
    total = sum(by_day.values())
    sums = list(itertools.accumulate(by_day[day] for day in range(problem.days)))
    assert found.first_day == next(day + 1 for day, so_far in enumerate(sums) if so_far >= 0.05 * total)


# Settings


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"what": ["truck"]}, '"truck" is nothing that can be taken away'),
        ({"what": ["fleet"]}, 'did you mean "fleets"?'),
        ({"what": []}, "nothing was named"),
        ({"pairs": -1}, "pairs is -1"),
        ({"most": 0}, "most is 0"),
        ({"jobs": 0}, "jobs is 0"),
        ({"gap": -1.0}, "gap is -1.0"),
        ({"scenario": "lokout"}, 'did you mean "lockout"?'),
    ],
)
def test_settings_that_nothing_can_be_rehearsed_with_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(SettingError) as raised:
        rehearse(read(example_path("neighbourhood")), **options)  # type: ignore[arg-type]
    assert words in str(raised.value)


# Stopping and going on


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """List the cases that are planned anew."""
    made: list[Case] = []
    planned = room_of_cases._searched

    def counted(base: object, targets: object, case: Case, **options: object) -> Outcome:
        made.append(case)
        return planned(base, targets, case, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(room_of_cases, "_searched", counted)
    return made


def test_a_folder_of_fewer_places_leads_to_the_same_table_as_none(tmp_path: Path) -> None:
    """Searches that ended once a loss could not be the very worst go on when more of the worst are asked for."""
    network = generate("TINY", seed=0)
    options: dict[str, Any] = {"solver": "equilibrium", "what": ["fleets", "plants", "sites", "lanes"], "gap": 0.003}
    rehearse(network, most=1, folder=tmp_path, jobs=1, **options)
    more = rehearse(network, most=8, folder=tmp_path, jobs=1, **options)
    assert rehearsal_csv(more) == rehearsal_csv(rehearse(network, most=8, jobs=1, **options))
    assert all(harm.is_certified for harm in more.harms[:8])


def test_a_rehearsal_that_was_cut_off_goes_on_and_ends_in_the_same_table(tmp_path: Path, solved: list[Case]) -> None:
    network = read(example_path("neighbourhood"))
    whole = rehearse(network, "lockout", what=["sites"], pairs=2, folder=tmp_path / "whole", jobs=1)
    every = len(solved)
    lines = (tmp_path / "whole" / "progress.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == every + 1
    (tmp_path / "cut").mkdir()
    torn = b"".join(lines[:9]) + lines[9][:40]  # the power went in the middle of a line
    (tmp_path / "cut" / "progress.jsonl").write_bytes(torn)
    solved.clear()
    resumed = rehearse(network, "lockout", what=["sites"], pairs=2, folder=tmp_path / "cut", jobs=1)
    assert len(solved) == every - 8
    assert as_table(resumed) == as_table(whole)
    assert [(harm.case, harm.limits) for harm in resumed.pairs] == [(harm.case, harm.limits) for harm in whole.pairs]
    solved.clear()
    rehearse(network, "lockout", what=["sites"], pairs=2, folder=tmp_path / "cut", jobs=1)
    assert solved == []


def test_searches_go_on_where_they_were_too(tmp_path: Path) -> None:
    network = generate("TINY", seed=0)
    options = {"what": ["sites"], "most": 3, "solver": "equilibrium", "jobs": 1}
    whole = rehearse(network, folder=tmp_path, **options)  # type: ignore[arg-type]
    path = tmp_path / "progress.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    assert any(json.loads(line).get("aim") for line in lines)
    path.write_bytes(b"".join(lines[:-2]))
    resumed = rehearse(network, folder=tmp_path, **options)  # type: ignore[arg-type]
    assert as_table(resumed) == as_table(whole)
    assert resumed.searches == whole.searches
    assert path.read_bytes() == b"".join(lines)


def test_progress_of_other_tables_or_settings_is_refused_and_fresh_starts_over(tmp_path: Path) -> None:
    network = read(example_path("neighbourhood"))
    rehearse(network, "lockout", what=["fleets"], folder=tmp_path)
    before = (tmp_path / "progress.jsonl").read_bytes()
    for other, scenario, fairness in (
        (network, None, 4.0),
        (network, "lockout", 2.0),
        (replace(network, stocks=network.stocks[1:]), "lockout", 4.0),
    ):
        with pytest.raises(SettingError, match="start over with --fresh, or give another folder"):
            rehearse(other, scenario, what=["fleets"], fairness=fairness, folder=tmp_path)
    assert (tmp_path / "progress.jsonl").read_bytes() == before
    rehearse(network, what=["fleets"], folder=tmp_path, fresh=True)
    assert (tmp_path / "progress.jsonl").read_bytes() != before


def test_a_file_that_is_no_progress_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "progress.jsonl").write_text("shopping list\n", encoding="utf-8")
    with pytest.raises(SettingError, match="progress of a rehearsal, it was changed or damaged"):
        rehearse(SHORT, folder=tmp_path)
    assert (tmp_path / "progress.jsonl").read_text(encoding="utf-8") == "shopping list\n"


def test_a_stop_keeps_what_is_done_and_says_what_is_missing(tmp_path: Path) -> None:
    network = read(example_path("neighbourhood"))
    done: list[int] = []

    def stop() -> bool:
        return bool(done) and done[-1] >= 16

    stopped = rehearse(
        network, what=["lanes"], folder=tmp_path, jobs=1, stop=stop, progress=lambda s: done.append(s.done)
    )
    assert not stopped.is_complete
    assert len(stopped.harms) == 16
    assert stopped.not_looked_at == len(network.lanes) - 16
    assert rehearse(network, what=["lanes"], folder=tmp_path, jobs=1).is_complete


def test_a_time_limit_that_is_over_at_once_leaves_nothing_but_says_so() -> None:
    rehearsal = rehearse(read(example_path("neighbourhood")), time_limit=1e-9)
    assert rehearsal.harms == ()
    assert not rehearsal.is_complete
    assert rehearsal.not_looked_at == 37
    said = "\n".join(briefing(rehearsal, most=3, pairs=0))
    assert "The time was over before the plan with nothing lost was found; give it more." in said
    assert "are met" not in said


# Many processes


def test_a_process_that_is_ended_from_outside_is_told_with_what_to_do() -> None:
    with pytest.raises(AbastoError, match=r"ended from outside, .* try again with fewer \(--jobs\)"):
        list(workers._as_they_come([joblib.delayed(os._exit)(1)] * 2, 2))


@pytest.mark.soak
def test_processes_and_a_dask_cluster_give_the_same_table_as_one_process() -> None:
    distributed = pytest.importorskip("distributed")
    network = read(example_path("neighbourhood"))
    options = {"what": ["fleets"], "most": 3, "solver": "equilibrium", "pairs": 1}
    alone = rehearse(network, jobs=1, **options)  # type: ignore[arg-type]
    two = rehearse(network, jobs=2, **options)  # type: ignore[arg-type]
    assert as_table(two) == as_table(alone)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask", client=client),
    ):
        spread = rehearse(network, **options)  # type: ignore[arg-type]
        ran_on = client.run(lambda: bool(__import__("sys").modules.get("abasto.rehearse.cases")))
    assert as_table(spread) == as_table(alone)
    assert [(harm.case, harm.limits) for harm in spread.pairs] == [(harm.case, harm.limits) for harm in alone.pairs]
    assert all(ran_on.values())
