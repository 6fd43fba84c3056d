"""What would help: promises of prices against solving again, remedies known by hand, and how the command tells them."""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "planner"))

from networks import bakery, depot_and_town, lane, network, truck
from random_networks import networks

import abasto
from abasto import cli_remedies
from abasto.cli import main
from abasto.errors import SettingError
from abasto.network import (
    Disruption,
    Fleet,
    Good,
    Labour,
    Need,
    Network,
    Nutrient,
    Plant,
    Ration,
    RecipeLine,
    Requirement,
    Reserve,
    Site,
    Stock,
    Supply,
)
from abasto.planner.make import Solved, make_plan, plan_in_full
from abasto.planner.plan import Plan
from abasto.planner.problem import build_problem, tier_values, weighted_people_days
from abasto.remedies import Remedy, Verified, find_remedies, shortlist, verify, verify_remedies, with_remedy
from abasto.remedies.promise import Promises
from abasto.remedies.words import remedies_lines
from abasto.tables import check_network, write_network

FEW = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def solve(net: Network, scenario: str | None = None, *, fairness: float = 0.0, **options: Any) -> Solved:
    """Plan with fairness 0 unless told otherwise: then a weighted people-day is a plain one of priority 1."""
    return plan_in_full(net, scenario, fairness=fairness, **options)


def found(net: Network, scenario: str | None = None, **options: Any) -> dict[tuple[str, ...], Remedy]:
    """Return the remedies found, all verified, by kind and target."""
    solved = solve(net, scenario, **options)
    verified = verify_remedies(solved, find_remedies(solved, most=None), most=20)
    return {(remedy.kind, *remedy.target): remedy for remedy in verified}


def gain_of(remedy: Remedy) -> float:
    assert remedy.solved is not None
    return remedy.solved.gain


# Remedies known by hand


def one_truck() -> Network:
    """One truck of 300 kg and two trips a day bring 600 of the 1,000 kg that 100 people need on two days."""
    return depot_and_town(2, stock=100_000, need=1000, fleet=truck(payload_t=0.3, hours_per_day=8, site="depot"))


def test_a_second_truck_helps_most_where_the_only_one_is_full() -> None:
    all_found = found(one_truck())
    best = next(iter(all_found.values()))
    assert (best.kind, best.target, best.first, best.last) == ("vehicle", ("truck",), 1, 2)
    assert best.promise == pytest.approx(80)  # 600 kg more a day are promised, but only 400 are missing
    assert gain_of(best) == pytest.approx(80)
    assert best.solved is not None
    assert best.solved.people_days == (("1", pytest.approx(80)),)
    assert [(gainer.site, gainer.need) for gainer in best.solved.gainers] == [("town", "rice")]
    assert best.solved.gainers[0].people_days == pytest.approx(80)


def test_a_truck_s_promise_is_price_times_hours_where_it_is_not_capped() -> None:
    """Of 10 t needed the truck brings 600 kg; a second one brings 600 kg more: 6 people-days on each day."""
    net = replace(one_truck(), needs=(Need(site="town", good="rice", quantity=10_000),))
    truck_more = found(net)["vehicle", "truck"]
    assert truck_more.promise == pytest.approx(12)
    assert gain_of(truck_more) == pytest.approx(12)


def test_a_shift_helps_where_hours_bind() -> None:
    """10 hours are 50 loaves of 100; 8 more are 40 loaves more."""
    best = next(iter(found(bakery(labour=[Labour(site="town", hours=10)])).values()))
    assert (best.kind, best.target, best.amount, best.unit) == ("labour", ("town",), 8.0, "hours a day")
    assert best.promise == pytest.approx(40)
    assert gain_of(best) == pytest.approx(40)


def test_hours_on_a_day_without_any_are_priced_by_what_they_would_make() -> None:
    """Nobody works on day 2: a shift there is 4 batches, 40 loaves, as on the other days."""
    labour = [Labour(site="town", hours=10, to_day=1), Labour(site="town", hours=10, from_day=3)]
    stocks = [Stock(site="town", good="flour", quantity=10_000)]
    goods = [Good(good="flour"), Good(good="bread", shelf_life_days=0)]
    solved = solve(replace(bakery(labour=labour, stocks=stocks, goods=goods), days=3))
    remedy = Remedy("labour", ("town",), 8.0, "hours a day", 2, 2)
    changed = with_remedy(solved.problem.network, None, remedy)
    promise = Promises(solved).of(build_problem(changed, fairness=0.0))
    assert weighted_people_days(promise, 0.0) == pytest.approx(40)


def test_an_ingredient_helps_where_it_has_run_out() -> None:
    """200 kg of flour make 200 of 500 loaves of five days; 10 kg more, a round part of what there is, make 10."""
    net = replace(bakery(stocks=[Stock(site="town", good="flour", quantity=200)]), days=5)
    all_found = found(net)
    flour, bread = all_found["stock", "town", "flour"], all_found["stock", "town", "bread"]
    assert (flour.amount, flour.unit) == (10.0, "kg")
    assert gain_of(flour) == pytest.approx(10)
    assert flour.promise == pytest.approx(10)
    assert gain_of(bread) == pytest.approx(bread.amount)


def test_supply_batches_storage_lane_and_reserve_help_where_they_bind() -> None:
    supply = network(
        2,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="rice")],
        supplies=[Supply(site="town", good="rice", quantity=50)],
        needs=[Need(site="town", good="rice", quantity=100)],
    )
    assert gain_of(found(supply)["supply", "town", "rice"]) == pytest.approx(2)  # 1 kg on 2 days, 1 person-day each
    batches = found(bakery(plants=[Plant(site="town", recipe="bake", batches=4)]))["batches", "town", "bake"]
    assert (batches.amount, gain_of(batches)) == (1.0, pytest.approx(10))
    storage = network(
        3,
        sites=[Site(site="town", people=100, storage_t=0.1)],
        goods=[Good(good="rice")],
        supplies=[Supply(site="town", good="rice", quantity=1000, to_day=1)],
        rations=[Ration(good="rice", quantity=1)],
    )
    room = found(storage)["storage", "town"]
    assert (room.amount, gain_of(room)) == (0.01, pytest.approx(10))
    narrow = depot_and_town(
        1, stock=9000, need=1000, fleet=truck(payload_t=9), lanes=[lane("depot", "town", tonnes=0.2)]
    )
    tonnes = found(narrow)["lane", "depot", "town"]
    assert (tonnes.amount, gain_of(tonnes)) == (0.01, pytest.approx(1))
    reserved = depot_and_town(
        1, stock=100, need=100, fleet=truck(), reserves=[Reserve(site="depot", good="rice", quantity=60)]
    )
    smaller = found(reserved)["reserve", "depot", "rice"]
    assert (smaller.amount, gain_of(smaller)) == (6.0, pytest.approx(6))


def test_a_reserve_that_holds_everything_is_worth_what_could_leave_it() -> None:
    """Nothing may leave: no gate has a price, but the town would take every kilo."""
    reserved = depot_and_town(
        1, stock=50, need=100, fleet=truck(), reserves=[Reserve(site="depot", good="rice", quantity=50)]
    )
    smaller = found(reserved)["reserve", "depot", "rice"]
    assert smaller.promise >= 5 - 1e-9
    assert gain_of(smaller) == pytest.approx(5)


def test_a_closed_lane_reopened_helps_who_is_cut_off() -> None:
    """Nothing has ever been in the town, so nothing has a price there: all that is missing is promised, and comes."""
    net = replace(
        one_truck(),
        disruptions=(Disruption(scenario="flood", kind="lane", target="*>*"),),
    )
    best = next(iter(found(net, "flood").values()))
    assert (best.kind, best.target) == ("restored", ("lane", "depot", "town"))
    assert gain_of(best) == pytest.approx(120)  # 600 of 1,000 kg on two days
    assert best.promise >= 120


def test_only_what_is_healed_is_healed() -> None:
    """Of three lanes that one row closes, one is reopened; the others stay closed."""
    sites = [Site(site=name, people=100) for name in ("depot", "town", "hill", "port")]
    lanes = [lane("depot", end) for end in ("town", "hill", "port")]
    hit = [
        Disruption(scenario="flood", kind="lane", target="depot>*"),
        Disruption(scenario="other", kind="lane", target="*"),
    ]
    net = depot_and_town(1, stock=9, need=9, fleet=truck(), sites=sites, lanes=lanes, disruptions=hit)
    healed = with_remedy(net, "flood", Remedy("restored", ("lane", "depot", "hill"), 0.0, "", 1, 1))
    assert [finding for finding in check_network(healed) if finding.severity == "error"] == []
    before, after = (build_problem(one, "flood") for one in (net, healed))
    opened = {
        (after.sites[start], after.sites[end])
        for index, (start, end) in enumerate(after.lanes)
        if after.lane_tonnes[index, 0] > before.lane_tonnes[index, 0]
    }
    assert opened == {("depot", "hill"), ("hill", "depot")}
    assert (build_problem(healed, "other").lane_tonnes == build_problem(net, "other").lane_tonnes).all()


def test_what_cannot_be_named_alone_is_not_healed_alone() -> None:
    """Ids may hold a slash; "a/b/pack" is then two plants, and no row could spare one of the two."""
    recipes = [RecipeLine(recipe=name, good="rice", quantity=1) for name in ("b/pack", "pack")]
    net = depot_and_town(
        1,
        stock=0,
        need=10,
        fleet=truck(),
        sites=[Site(site=name, people=10) for name in ("a", "a/b", "town")],
        stocks=[],
        lanes=[lane("a", "town")],
        recipes=recipes,
        plants=[Plant(site="a", recipe="b/pack", batches=1), Plant(site="a/b", recipe="pack", batches=1)],
        disruptions=[Disruption(scenario="fire", kind="plant", target="*")],
    )
    solved = solve(net, "fire")
    remedies = find_remedies(solved, most=None)
    assert remedies
    assert not [remedy for remedy in remedies if remedy.kind == "restored"]


def test_the_last_disruption_lifted_leaves_the_scenario_known() -> None:
    net = replace(one_truck(), disruptions=(Disruption(scenario="strike", kind="fleet", target="truck", left=0.5),))
    restored = found(net, "strike")["restored", "fleet", "truck"]
    assert gain_of(restored) == pytest.approx(60)  # from 300 to 600 kg on both days


@pytest.mark.parametrize(
    ("kind", "target", "gain"),
    [("site", "depot", 60.0), ("plant", "depot/pack", 60.0), ("supply", "depot/grain", 60.0)],
)
def test_a_place_plant_or_supply_restored(kind: Any, target: str, gain: float) -> None:
    """The depot packs 600 kg of grain a day; in the scenario nothing comes of it."""
    net = depot_and_town(
        1,
        stock=0,
        need=1000,
        fleet=truck(payload_t=10),
        goods=[Good(good="rice"), Good(good="grain")],
        supplies=[Supply(site="depot", good="grain", quantity=600)],
        recipes=[
            RecipeLine(recipe="pack", good="grain", quantity=-1),
            RecipeLine(recipe="pack", good="rice", quantity=1),
        ],
        plants=[Plant(site="depot", recipe="pack", batches=900)],
        disruptions=[Disruption(scenario="fire", kind=kind, target=target)],
    )
    restored = found(net, "fire")[("restored", kind, *target.split("/"))]
    assert gain_of(restored) == pytest.approx(gain)
    assert restored.promise >= gain - 1e-9


def test_a_plant_switches_to_what_is_short() -> None:
    """The town bakes 4 batches of bread and 20 of cake, which nobody needs; one batch for one: 20 loaves more."""
    net = bakery(
        goods=[Good(good="flour"), Good(good="bread"), Good(good="cake")],
        recipes=[
            RecipeLine(recipe="bread", good="flour", quantity=-10),
            RecipeLine(recipe="bread", good="bread", quantity=10),
            RecipeLine(recipe="cake", good="flour", quantity=-10),
            RecipeLine(recipe="cake", good="cake", quantity=10),
        ],
        plants=[Plant(site="town", recipe="bread", batches=4), Plant(site="town", recipe="cake", batches=20)],
    )
    switch = found(net)["switch", "town", "cake", "bread"]
    assert (switch.amount, switch.promise, gain_of(switch)) == (1.0, pytest.approx(10), pytest.approx(10))
    changed = with_remedy(net, None, switch)
    batches = {(row.site, row.recipe): 0.0 for row in changed.plants}
    for row in changed.plants:
        batches[row.site, row.recipe] += row.batches
    assert batches == {("town", "bread"): 5, ("town", "cake"): 19}


def test_a_plant_switches_to_a_recipe_that_only_others_know() -> None:
    """The mill next door knows how to bake: a tenth of the town's idle cake batches would be bread."""
    net = bakery(
        sites=[Site(site="town", people=100), Site(site="mill")],
        goods=[Good(good="flour"), Good(good="bread"), Good(good="cake")],
        recipes=[
            RecipeLine(recipe="bread", good="flour", quantity=-10),
            RecipeLine(recipe="bread", good="bread", quantity=10),
            RecipeLine(recipe="cake", good="flour", quantity=-10),
            RecipeLine(recipe="cake", good="cake", quantity=10),
        ],
        plants=[Plant(site="mill", recipe="bread", batches=4), Plant(site="town", recipe="cake", batches=40)],
    )
    switch = found(net)["switch", "town", "cake", "bread"]
    assert gain_of(switch) == pytest.approx(10)
    assert switch.promise >= gain_of(switch) - 1e-9


def test_a_load_beside_a_lot_of_another_date_is_priced_as_what_is_added() -> None:
    """The lot on hand outlives the horizon, and so does the load brought: two rows of stock, one item."""
    net = depot_and_town(
        2,
        stock=0,
        need=1000,
        fleet=truck(),
        goods=[Good(good="milk", shelf_life_days=3)],
        stocks=[Stock(site="depot", good="milk", quantity=500, expires=date(2026, 12, 22))],
        needs=[Need(site="town", good="milk", quantity=1000)],
    )
    milk = found(net)["stock", "depot", "milk"]
    assert gain_of(milk) == pytest.approx(milk.amount / 10)  # ten kilos are a person's day
    assert milk.promise == pytest.approx(milk.amount / 10)


@pytest.mark.parametrize("good", ["flour", "bread"])
def test_goods_are_brought_to_where_they_help_most(good: str) -> None:
    """In the lockout both are dearest at the dairy, to which they would have to be carried back."""
    net = abasto.read(abasto.example_path("neighbourhood"))
    solved = plan_in_full(net, "lockout")
    load = next(one for one in find_remedies(solved) if one.kind == "stock" and one.target[1] == good)
    objectives = {
        row.site: make_plan(with_remedy(net, "lockout", replace(load, target=(row.site, good))), "lockout").objective
        for row in net.sites
    }
    most = max(objectives.values())
    assert objectives["Dairy"] < most * (1 - 1e-5)
    assert objectives[load.target[0]] == pytest.approx(most, rel=1e-9)


def test_a_switch_changes_the_row_of_its_own_days() -> None:
    """Cake is baked by two rows, one for each day: a switch on day 2 leaves day 1 alone."""
    net = bakery(
        goods=[Good(good="flour"), Good(good="bread"), Good(good="cake")],
        recipes=[RecipeLine(recipe=good, good=good, quantity=10) for good in ("bread", "cake")],
        plants=[
            Plant(site="town", recipe="cake", batches=20, from_day=1, to_day=1),
            Plant(site="town", recipe="cake", batches=20, from_day=2),
            Plant(site="town", recipe="bread", batches=1),
        ],
    )
    net = replace(net, days=2)
    changed = with_remedy(net, None, Remedy("switch", ("town", "cake", "bread"), 2.0, "batches a day", 2, 2))
    batches = build_problem(changed).plant_batches.tolist()
    assert sorted(batches) == [[1.0, 3.0], [20.0, 18.0]]
    with pytest.raises(SettingError, match="no row of cake at town for days 1 to 2 has 2 batches"):
        with_remedy(net, None, Remedy("switch", ("town", "cake", "bread"), 2.0, "batches a day", 1, 2))


@pytest.mark.parametrize(("hours", "rate"), [((2.0, 0.5), 4.0), ((0.0, 0.5), 0.5), ((0.0, 0.0), 0.5)])
def test_a_switch_trades_hours_or_else_weight(hours: tuple[float, float], rate: float) -> None:
    """A batch of cake takes 2 hours and makes 10 kg, one of bread half an hour and 20 kg."""
    net = bakery(
        goods=[Good(good="flour"), Good(good="bread", kg_per_unit=2), Good(good="cake")],
        recipes=[RecipeLine(recipe=good, good=good, quantity=10) for good in ("bread", "cake")],
        plants=[
            Plant(site="town", recipe="cake", batches=20, hours_per_batch=hours[0]),
            Plant(site="town", recipe="bread", batches=1, hours_per_batch=hours[1]),
        ],
    )
    changed = with_remedy(net, None, Remedy("switch", ("town", "cake", "bread"), 2.0, "batches a day", 1, 1))
    batches = [(row.recipe, row.batches, row.hours_per_batch) for row in changed.plants]
    assert batches == [("cake", 18.0, hours[0]), ("bread", 1.0, hours[1]), ("bread", 2 * rate, hours[1])]


# A ration lowered


def worth_by_hand(plan: Plan, needed: dict[tuple[str, str, int], float], fairness: float) -> dict[str, float]:
    """Score deliveries against needs in plain loops: weighted people-days by good; people are 100 everywhere."""
    met: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in plan.deliveries.rows():
        met[row["site"], row["meets"], row["day"]] += row["quantity"]
    values = tier_values(fairness).tolist()
    worth: dict[str, float] = defaultdict(float)
    for (site, good, day), quantity in needed.items():
        tenths = 10 * min(1.0, met[site, good, day] / quantity)
        for k, value in enumerate(values):
            worth[good] += 100 * value * min(1.0, max(0.0, tenths - k)) / sum(values)
    return worth


@pytest.mark.parametrize("fairness", [0.0, 4.0])
def test_a_lower_ration_is_counted_against_the_needs_as_they_were(fairness: float) -> None:
    """One truck brings rice and beans; less rice makes room for beans, which help nobody more than the rice did."""
    goods = [Good(good="rice"), Good(good="beans", priority=1)]
    stocks = [Stock(site="depot", good="rice", quantity=9000), Stock(site="depot", good="beans", quantity=9000)]
    rations = [Ration(good="rice", quantity=4), Ration(good="beans", quantity=5)]
    net = depot_and_town(
        2, stock=0, need=1, fleet=truck(payload_t=0.3, hours_per_day=8), goods=goods, stocks=stocks, needs=[],
        rations=rations,
    )  # fmt: skip
    lowered = found(net, fairness=fairness)["ration", "rice"]
    assert lowered.solved is not None
    needed = {("town", good, day): 100.0 * ration for good, ration in (("rice", 4), ("beans", 5)) for day in (1, 2)}
    before = worth_by_hand(make_plan(net, fairness=fairness), needed, fairness)
    less = replace(net, rations=(Ration(good="rice", quantity=3.6), rations[1]))
    after_plan = make_plan(less, fairness=fairness)
    after = worth_by_hand(after_plan, needed, fairness)
    assert lowered.solved.others == pytest.approx(after["beans"] - before["beans"], abs=1e-6)
    assert lowered.solved.own == pytest.approx(after["rice"] - before["rice"], abs=1e-6)
    assert lowered.solved.others is not None
    assert lowered.solved.others > 0
    assert lowered.solved.counted <= 1e-6  # the plan could have handed over less rice already
    assert lowered.solved.gain <= lowered.promise + 1e-6
    assert lowered.solved.gain > 0


# Promises and proofs


@given(networks(), st.sampled_from([0.0, 1.0, 4.0]))
@FEW
def test_no_remedy_brings_more_than_its_promise_beside_the_plan_s_own_gap(
    drawn: tuple[Network, str | None], fairness: float
) -> None:
    """Weak duality: the best plan with the remedy is worth at most the bound plus the promise."""
    net, scenario = drawn
    solved = solve(net, scenario, fairness=fairness, solver="exact")
    for remedy in find_remedies(solved, most=None):
        after = make_plan(with_remedy(net, scenario, remedy), scenario, fairness=fairness, solver="exact")
        brought = weighted_people_days(after.objective - solved.plan.bound, fairness)
        assert brought <= remedy.promise + 1e-6 * (1 + weighted_people_days(after.objective, fairness)), remedy


@pytest.mark.parametrize("scenario", [None, "lockout"])
@pytest.mark.parametrize("solver", ["exact", "equilibrium"])
def test_figures_of_both_solvers_agree_and_stay_within_the_promise(scenario: str | None, solver: Any) -> None:
    net = abasto.read(abasto.example_path("neighbourhood"))
    solved = plan_in_full(net, scenario, solver=solver, gap=1e-4)
    remedies = verify_remedies(solved, find_remedies(solved), most=3, gap=1e-4)
    assert sum(remedy.solved is not None for remedy in remedies) >= 3
    for remedy in remedies:
        if remedy.solved is None:
            continue
        changed = with_remedy(net, scenario, remedy)
        truth = make_plan(changed, scenario, solver="exact").objective - make_plan(net, scenario).objective
        assert remedy.solved.lower <= remedy.solved.gain <= remedy.solved.upper
        rounding = 1e-6 * (1 + remedy.promise)
        assert remedy.solved.lower - rounding <= weighted_people_days(truth, 4.0) <= remedy.solved.upper + rounding
        unproven = weighted_people_days(solved.plan.bound - solved.plan.objective, 4.0)
        assert weighted_people_days(truth, 4.0) <= remedy.promise + unproven + rounding


def test_what_is_added_is_added_in_full_in_a_scenario() -> None:
    """In the lockout a fifth of the van's hours is left; one more vehicle works its whole day."""
    net = abasto.read(abasto.example_path("neighbourhood"))
    changed = with_remedy(net, "lockout", Remedy("vehicle", ("mill van",), 1.0, "vehicle", 1, 7))
    before, after = (build_problem(one, "lockout").fleet_hours for one in (net, changed))
    van = next(index for index, fleet in enumerate(net.fleets) if fleet.fleet == "mill van")
    assert after[van] - before[van] == pytest.approx(np.full(net.days, net.fleets[van].hours_per_day))


def test_more_of_what_a_scenario_takes_wholly_is_refused_with_a_way_out() -> None:
    net = replace(one_truck(), disruptions=(Disruption(scenario="strike", kind="fleet", target="truck"),))
    with pytest.raises(SettingError, match=r'nothing is left of fleet truck in scenario "strike".*restore it'):
        with_remedy(net, "strike", Remedy("vehicle", ("truck",), 1.0, "vehicle", 1, 2))


@pytest.mark.parametrize("nutrients", [True, False])
def test_rations_beside_nutrients_promise_no_less_than_comes_out(nutrients: bool) -> None:
    tables: dict[str, Any] = {}
    if nutrients:
        tables["nutrients"] = [Nutrient(good="rice", nutrient="kcal", quantity=3500)]
        tables["requirements"] = [Requirement(nutrient="kcal", quantity=2000)]
    net = network(
        1,
        sites=[Site(site="town", people=10)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="town", good="rice", quantity=4)],
        rations=[Ration(good="rice", quantity=0.5)],
        **tables,
    )
    lowered = found(net, fairness=4.0)["ration", "rice"]
    assert gain_of(lowered) <= lowered.promise + 1e-9


def test_nothing_is_found_where_nothing_is_short() -> None:
    solved = solve(depot_and_town(1, stock=100, need=10, fleet=truck()))
    assert find_remedies(solved) == ()
    assert verify_remedies(solved, ()) == ()


def test_a_short_list_has_three_of_a_kind_and_rations_apart() -> None:
    many = [Remedy("vehicle", (f"f{k}",), 1.0, "vehicle", 1, 1, 10.0 - k) for k in range(5)]
    others = [Remedy("labour", ("s",), 8.0, "hours a day", 1, 1, 1.0), Remedy("ration", ("g",), 1.0, "kg", 1, 1, 0.5)]
    chosen = shortlist([*many, *others], 4)
    assert [remedy.target for remedy in chosen] == [("f0",), ("f1",), ("f2",), ("s",), ("g",)]
    assert [remedy.kind for remedy in shortlist([*many, *others], 1)] == ["vehicle", "ration"]


def test_verified_ones_come_first_ranked_by_what_came_out() -> None:
    net = abasto.read(abasto.example_path("neighbourhood"))
    solved = plan_in_full(net, "lockout")
    remedies = find_remedies(solved)
    verified = verify_remedies(solved, remedies, most=4)
    figures = [remedy.solved.counted for remedy in verified if remedy.solved is not None]
    assert figures == sorted(figures, reverse=True)
    assert [remedy.solved is not None for remedy in verified] == sorted(
        [remedy.solved is not None for remedy in verified], reverse=True
    )
    assert {(remedy.kind, remedy.target) for remedy in verified} == {(one.kind, one.target) for one in remedies}


def test_what_was_added_never_makes_a_plan_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search may end a little lower with more to share; the plan without it holds all the same."""
    net = abasto.read(abasto.example_path("neighbourhood"))
    solved, poorer = plan_in_full(net, solver="exact"), plan_in_full(net, "lockout", solver="exact")
    monkeypatch.setattr(verify, "plan_in_full", lambda *arguments, **options: poorer)
    lorry = Remedy("vehicle", ("milk lorry",), 1.0, "vehicle", 1, 7, promise=1.0)
    (verified,) = verify_remedies(solved, [lorry], most=1)
    assert verified.solved is not None
    assert (verified.solved.gain, verified.solved.lower) == (0, 0)
    assert all(days == 0 for _, days in verified.solved.people_days)
    assert verified.solved.gainers == ()


def test_a_wide_gap_is_narrowed_before_plans_are_compared() -> None:
    """At a gap of a half the plan is poor; a remedy must not be credited with what search alone would bring."""
    net = abasto.read(abasto.example_path("neighbourhood"))
    rough = plan_in_full(net, "lockout", solver="equilibrium", gap=0.5)
    van = Remedy("vehicle", ("milk lorry",), 1.0, "vehicle", 1, 7, promise=1e6)
    (verified,) = verify_remedies(rough, [van], most=1, gap=1e-4)
    assert verified.solved is not None
    truth = make_plan(with_remedy(net, "lockout", van), "lockout").objective - make_plan(net, "lockout").objective
    unproven = weighted_people_days(1e-4 * make_plan(net, "lockout").bound, 4.0)
    assert abs(verified.solved.gain - weighted_people_days(truth, 4.0)) <= 2 * unproven


def test_a_stop_keeps_what_is_done() -> None:
    net = abasto.read(abasto.example_path("neighbourhood"))
    solved = plan_in_full(net, "lockout")
    begun: list[int] = []

    def shown(number: int, of: int, remedy: Remedy) -> None:
        begun.append(number)

    verified = verify_remedies(solved, find_remedies(solved), most=4, progress=shown, stop=lambda: len(begun) > 2)
    assert len(begun) == 3  # the third was cut short, and does not count
    assert sum(remedy.solved is not None for remedy in verified) == 2


# The command


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture
def barrio() -> Path:
    return abasto.example_path("neighbourhood")


def test_the_command_says_both_figures(barrio: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("remedies", barrio, "--scenario", "lockout") == 0
    out, err = capsys.readouterr()
    assert "What would help most, each planned anew" in out
    assert "One more vehicle on the road for mill van, all days" in out
    assert "prices promised" in out
    assert "Promised by the prices, not planned anew" in out
    assert "If a ration were lowered" in out
    assert err == ""


def test_json_is_one_object_and_agrees_with_the_library(barrio: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("remedies", barrio, "--scenario", "lockout", "--json", "--verify", 3, "--most", 4) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["scenario"] == "lockout"
    assert document["fully_met"] is False
    solved_again = [one for one in document["remedies"] if one["solved"] is not None and one["kind"] != "ration"]
    assert len(solved_again) == 3
    assert len([one for one in document["remedies"] if one["kind"] != "ration"]) == 4
    net = abasto.read(barrio)
    before = make_plan(net, "lockout")
    van = next(one for one in solved_again if one["kind"] == "vehicle" and one["target"] == ["mill van"])
    fleets = tuple(
        Fleet(**(row.model_dump() | {"vehicles": row.vehicles + 5})) if row.fleet == "mill van" else row
        for row in net.fleets
    )
    after = make_plan(replace(net, fleets=fleets), "lockout")
    gain = weighted_people_days(after.objective - before.objective, 4.0)
    assert van["solved"]["gain"] == pytest.approx(gain)
    met = {p: after.summary[f"met_p{p}"][0] - before.summary[f"met_p{p}"][0] for p in ("1", "2")}
    assert van["solved"]["people_days"] == pytest.approx(met, abs=1e-3)
    assert document["missing"] == pytest.approx(weighted_people_days(before.full_value - before.objective, 4.0))


def test_out_writes_all_that_was_found(barrio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "remedies.csv"
    assert run("remedies", barrio, "--scenario", "lockout", "--verify", 1, "--most", 2, "--out", file) == 0
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    everything = find_remedies(plan_in_full(abasto.read(barrio), "lockout"), most=None)
    assert len(rows) == len(everything)
    assert {(row["kind"], row["target"]) for row in rows} == {(one.kind, "/".join(one.target)) for one in everything}
    assert sum(row["gain"] != "" for row in rows) == 2  # the first addition and the first ration
    assert f"All {len(rows)} that were found are in {file}." in capsys.readouterr().out


def test_nothing_short_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_network(depot_and_town(1, stock=100, need=10, fleet=truck()), tmp_path / "net")
    assert run("remedies", tmp_path / "net") == 0
    assert "Nothing is short" in capsys.readouterr().out


def test_a_switch_that_is_proven_to_harm_is_said_to() -> None:
    """What a search proves below nothing is neither nothing nor too little to tell."""
    solved = plan_in_full(depot_and_town(2, stock=500, need=1000, fleet=truck()))
    harmful = Verified(-4.0, -5.0, -3.0, (("1", -4.0),), (), 0.01, 1.0)
    switch = Remedy("switch", ("town", "cake", "bread"), 1.0, "batches a day", 1, 1, 6.0, harmful)
    said = "\n".join(remedies_lines(solved, [switch]))
    assert "serves 4.0 fewer weighted people-days of need (prices promised 6.0; proven between −5.0 and −3.0)" in said
    unclear = replace(switch, solved=replace(harmful, gain=0.0, upper=3.0))
    assert "proven between −5.0 and 3.0" in "\n".join(remedies_lines(solved, [unclear]))


def test_where_nothing_can_help_the_words_do_not_promise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody has heard of rice, and a load of it in the town is all that is worth anything."""
    net = network(1, sites=[Site(site="town", people=10)], goods=[Good(good="rice")],
                  needs=[Need(site="town", good="rice", quantity=10)])  # fmt: skip
    write_network(net, tmp_path / "net")
    assert run("remedies", tmp_path / "net", "--fairness", 0) == 0
    out = capsys.readouterr().out
    assert "1 kg of rice more on hand at town" in out
    assert "serves 1 more" in out or "serves 1.0 more" in out


def test_no_verification_shows_promises_alone(barrio: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("remedies", barrio, "--scenario", "lockout", "--verify", 0) == 0
    out = capsys.readouterr().out
    assert "planned anew\n" not in out
    assert "prices promise at most" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--most", "0"), "--most 0: there would be nothing to show; give 1 or more"),
        (("--verify", "-1"), "--verify -1: give how many are planned anew"),
        (("--scenario", "lokout"), 'unknown scenario "lokout"; there are: lockout. Did you mean "lockout"?'),
        (("--out", "remedies.txt"), "the table is written as CSV; give the name of a file that ends in .csv"),
        (("--gap", "0"), "--gap 0.0: this cannot be planned with"),
    ],
)
def test_wrong_use_is_refused_with_a_remedy(
    barrio: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("remedies", barrio, *arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_table_is_never_written_among_the_tables_that_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_network(one_truck(), tmp_path / "net")
    assert run("remedies", tmp_path / "net", "--out", tmp_path / "net" / "stocks.csv") == 2
    assert "the tables that are read lie there" in capsys.readouterr().err


def test_a_search_cut_short_says_that_time_comes_first(barrio: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("remedies", barrio, "--scenario", "lockout", "--time-limit", "0.00001") == 0
    out = capsys.readouterr().out
    assert "a longer --time-limit comes before any remedy" in out
    assert "stopped before prices were known; give it more time" in out


def test_a_stop_during_planning_skips_what_would_follow(
    barrio: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As at the first Ctrl-C: what is found by then is told, and nothing is planned anew."""

    def stopped(work: Callable[[Callable[[], bool]], Any]) -> Any:
        return work(lambda: True)

    monkeypatch.setattr(cli_remedies, "run_until_stopped", stopped)
    assert run("remedies", barrio, "--scenario", "lockout") == 0
    out = capsys.readouterr().out
    assert "each planned anew" not in out
