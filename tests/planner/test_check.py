"""The checker finds every broken rule in a plan worked out by hand, and nothing in the plan itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from plans import changed, hand_plan, numbers_of, table, without_row

from abasto.network import (
    Cost,
    Disruption,
    Fleet,
    Good,
    Labour,
    Lane,
    Network,
    Nutrient,
    Plant,
    Ration,
    RecipeLine,
    Requirement,
    Reserve,
    Site,
    Stock,
    Substitute,
    Supply,
)
from abasto.planner.check import check_plan
from abasto.planner.plan import Plan

DAY1, DAY2, DAY3, DAY4 = (date(2026, 11, day) for day in (22, 23, 24, 25))


@pytest.fixture
def bakery() -> Network:
    """A bakery that lives on flour from a depot one day away: lots, spoilage, fuel, labour and a reserve all count."""
    return Network(
        "Bakery",
        DAY1,
        3,
        sites=(Site(site="depot", storage_t=0.4), Site(site="bakery", people=100, storage_t=0.1)),
        goods=(
            Good(good="flour"),
            Good(good="bread", shelf_life_days=1),
            Good(good="diesel", unit="l", kg_per_unit=0.8),
            Good(good="cake", shelf_life_days=1),
        ),
        stocks=(
            Stock(site="depot", good="flour", quantity=300),
            Stock(site="depot", good="diesel", quantity=90),
            Stock(site="bakery", good="flour", quantity=15, expires=DAY1),
            Stock(site="bakery", good="bread", quantity=5),
        ),
        supplies=(Supply(site="depot", good="diesel", quantity=10, to_day=1),),
        rations=(Ration(good="bread", quantity=0.6),),
        reserves=(Reserve(site="depot", good="flour", quantity=200),),
        recipes=(
            RecipeLine(recipe="bake", good="flour", quantity=-10),
            RecipeLine(recipe="bake", good="bread", quantity=12),
        ),
        plants=(Plant(site="bakery", recipe="bake", batches=8, hours_per_batch=1),),
        labour=(Labour(site="bakery", hours=6),),
        lanes=(Lane(from_site="depot", to_site="bakery", km=20, lead_days=1, tonnes=0.1),),
        fleets=(
            Fleet(
                fleet="truck", site="depot", vehicles=1, payload_t=0.1, hours_per_day=3, fuel="diesel", fuel_per_km=0.1
            ),
        ),
        costs=(
            Cost(kind="buy", target="*/diesel", quantity=2),
            Cost(kind="lane", target="bakery > depot", quantity=50),
            Cost(kind="lane", target="*>*", quantity=7),
        ),
    )


@pytest.fixture
def plan(bakery: Network) -> Plan:
    """Day 1: 5 + 12 loaves of 60, flour leaves; day 2: 6 batches make 72, 12 are kept; day 3: 12 + 48 of 60."""
    summary: dict[str, Any] = {
        "sites": 2,
        "people": 100.0,
        "needed_p1": 300.0,
        "met_p1": 100 * (17 / 60 + 2),
        "mean_coverage": (17 / 60 + 2) / 3,
        "worst_5_percent_coverage": 17 / 60,
        "lowest_coverage": 17 / 60,
        "vehicle_hours": 3.0,
        "cost": 10 * 2 + 0.1 * 50,
        "seconds": 0.25,
        "objective": 1000 * (17 / 60 + 2),
        "gap": 0.0,
        "gap_of_unmet": 0.0,
        "solver": "hand",
    }
    return hand_plan(
        bakery,
        summary,
        fairness=0.0,
        bound=1000 * (17 / 60 + 2),
        full_value=3000.0,
        intake=[("depot", "diesel", None, 1, 10)],
        shipments=[("depot", "bakery", "flour", None, 1, 2, 100, "truck")],
        trips=[("truck", "depot", "bakery", 1, 1, 3, 0.1)],
        production=[("bakery", "bake", 1, 1), ("bakery", "bake", 2, 6), ("bakery", "bake", 3, 4)],
        deliveries=[
            ("bakery", 1, "bread", DAY1, 5, "bread"),
            ("bakery", 1, "bread", DAY2, 12, "bread"),
            ("bakery", 2, "bread", DAY3, 60, "bread"),
            ("bakery", 3, "bread", DAY3, 12, "bread"),
            ("bakery", 3, "bread", DAY4, 48, "bread"),
        ],
        coverage=[
            ("bakery", "bread", 1, 1, 60, 17, 17 / 60),
            ("bakery", "bread", 1, 2, 60, 60, 1),
            ("bakery", "bread", 1, 3, 60, 60, 1),
        ],
        closing=[
            *(("depot", "flour", None, day, 200, 0) for day in (1, 2, 3)),
            *(("depot", "diesel", None, day, 96, 0) for day in (1, 2, 3)),
            ("bakery", "flour", DAY1, 1, 5, 0),
            ("bakery", "flour", DAY1, 2, 0, 5),
            ("bakery", "flour", None, 2, 40, 0),
            ("bakery", "bread", DAY3, 2, 12, 0),
        ],
        shortages=[("bakery", "bread", 1, 1, 43, "no flour", "send flour")],
    )


def test_a_right_plan_breaks_no_rule(bakery: Network, plan: Plan) -> None:
    assert check_plan(bakery, plan) == []


def test_each_number_that_is_changed_breaks_a_rule(bakery: Network, plan: Plan) -> None:
    for name, column, row in numbers_of(plan):
        value = plan.table(name)[column][row].item()
        for other in (value + 1, value * 1.01 + 0.001, value - 1, -value - 1, float("nan")):
            wrong = changed(plan, name, column, row, other)
            assert check_plan(bakery, wrong), f"{name}.{column} row {row}: {value} became {other}"


def test_each_row_that_is_left_out_or_doubled_breaks_a_rule(bakery: Network, plan: Plan) -> None:
    for name in (
        "intake",
        "shipments",
        "trips",
        "production",
        "deliveries",
        "coverage",
        "closing",
        "shortages",
        "summary",
    ):
        for row in range(plan.table(name).n_rows):
            assert check_plan(bakery, without_row(plan, name, row)), f"{name} row {row} left out"
            twice = np.sort(np.append(np.arange(plan.table(name).n_rows), row))
            doubled = replace(plan, **{name: plan.table(name).where(twice)})
            assert check_plan(bakery, doubled), f"{name} row {row} doubled"


def test_each_text_or_date_that_is_changed_breaks_a_rule(bakery: Network, plan: Plan) -> None:
    for name in ("intake", "shipments", "trips", "production", "deliveries", "coverage", "closing", "shortages"):
        for column, values in plan.table(name).items():
            for row in range(len(values)):
                if column in ("cause", "remedy"):
                    continue
                if values.dtype.kind == "O":
                    others: list[Any] = ["", "nowhere", "depot", "bakery", "cake"]
                elif values.dtype.kind == "M":
                    others = [np.datetime64("NaT"), np.datetime64(DAY2), np.datetime64(date(2027, 1, 1))]
                else:
                    continue
                for other in others:
                    if other == values[row] or (other != other and values[row] != values[row]):
                        continue
                    wrong = changed(plan, name, column, row, other)
                    assert check_plan(bakery, wrong), f"{name}.{column} row {row} became {other!r}"


@pytest.mark.parametrize("field", ["objective", "full_value", "bound", "seconds", "fairness", "solver"])
def test_what_the_plan_says_of_itself_is_checked(bakery: Network, plan: Plan, field: str) -> None:
    wrong = replace(plan, **{field: "other" if field == "solver" else getattr(plan, field) * 0.9 + 0.01})
    assert check_plan(bakery, wrong)


def row_of(table: str, position: int, **cells: Any) -> Callable[[Network], Network]:
    """Return a change of one row of a network."""

    def change(network: Network) -> Network:
        rows = list(network.rows(table))
        rows[position] = rows[position].model_copy(update=cells)
        return replace(network, **{table: tuple(rows)})

    return change


def disrupted(kind: str, target: str, left: float, **span: int) -> Callable[[Network], Network]:
    """Return a change that adds a disruption of scenario `storm`."""

    def change(network: Network) -> Network:
        row = Disruption(scenario="storm", kind=kind, target=target, left=left, **span)  # type: ignore[arg-type]
        return replace(network, disruptions=(*network.disruptions, row))

    return change


BROKEN = [
    (row_of("supplies", 0, quantity=9), "intake depot, diesel, day 1: 10.0 of a supply of 9.0"),
    (row_of("supplies", 0, from_day=2, to_day=3), "intake depot, diesel, day 1: 10.0 of a supply of 0.0"),
    (disrupted("supply", "depot/*", 0.5), "intake depot, diesel, day 1: 10.0 of a supply of 5.0"),
    (disrupted("supply", "*/diesel", 0.25), "intake depot, diesel, day 1: 10.0 of a supply of 2.5"),
    (disrupted("site", "depot", 0.75), "intake depot, diesel, day 1: 10.0 of a supply of 7.5"),
    (row_of("goods", 2, shelf_life_days=3), "intake depot, diesel, day 1: lot is the lot that never spoils, not"),
    (row_of("lanes", 0, from_site="bakery", to_site="depot", two_way=False), "there is no such lane"),
    (row_of("lanes", 0, lead_days=0), "arrives on day 2, but the lane takes 0 days"),
    (row_of("lanes", 0, tonnes=0.09), "shipments depot>bakery, day 1: 0.1 t of the lane's 0.09 t"),
    (disrupted("lane", "depot>bakery", 0.5), "shipments depot>bakery, day 1: 0.1 t of the lane's 0.05 t"),
    (disrupted("lane", "bakery>depot", 0.5), "shipments depot>bakery, day 1: 0.1 t of the lane's 0.05 t"),
    (disrupted("lane", "*>bakery", 0.5), "shipments depot>bakery, day 1: 0.1 t of the lane's 0.05 t"),
    (disrupted("site", "bakery", 0.2), "shipments depot>bakery, day 1: 0.1 t of the lane's 0.02 t"),
    (disrupted("lane", "*>*", 0), "trips truck, depot>bakery, day 1: the lane is closed"),
    (row_of("fleets", 0, payload_t=0.05), "shipments depot>bakery, flour, day 1: 0.1 t in trips that carry 0.05 t"),
    (row_of("fleets", 0, handling_hours=3.0), "3.0 vehicle-hours, but the trips take 4.0"),
    (row_of("fleets", 0, vehicles=0.5), "trips truck, day 1: 3.0 vehicle-hours of 1.5"),
    (row_of("fleets", 0, from_day=2), "the fleet has no vehicles on that day"),
    (row_of("fleets", 0, mode="rail"), "the fleet goes by rail, the lane is for road"),
    (row_of("fleets", 0, site=None), None),
    (disrupted("fleet", "truck", 0.1), "trips truck, day 1: 3.0 vehicle-hours of 0.3"),
    (disrupted("fleet", "*", 0.1), "trips truck, day 1: 3.0 vehicle-hours of 0.3"),
    (disrupted("site", "depot", 0.5), "trips truck, day 1: 3.0 vehicle-hours of 1.5"),
    (row_of("fleets", 0, fuel_per_km=0.2), "closing depot, diesel, day 1: the lot that never spoils closes at 96.0"),
    (row_of("fleets", 0, fuel_per_km=9.0), "recipes and vehicles use 260.0 more than is there"),
    (row_of("plants", 0, batches=5), "production bakery, bake, day 2: 6.0 batches of 5.0"),
    (row_of("plants", 0, to_day=2), "production bakery, bake, day 3: 4.0 batches of 0.0"),
    (disrupted("plant", "bakery/bake", 0.5), "production bakery, bake, day 2: 6.0 batches of 4.0"),
    (disrupted("plant", "*/bake", 0.5), "production bakery, bake, day 2: 6.0 batches of 4.0"),
    (row_of("labour", 0, hours=5), "production bakery, day 2: 6.0 working hours of 5.0"),
    (row_of("labour", 0, to_day=2), "production bakery, day 3: 4.0 working hours of 0.0"),
    (row_of("plants", 0, hours_per_batch=2), "production bakery, day 2: 12.0 working hours of 6.0"),
    (row_of("recipes", 0, quantity=-11), "closing bakery, flour, day 1"),
    (row_of("recipes", 1, quantity=11), "closing bakery, bread, day 1"),
    (row_of("sites", 0, storage_t=0.25), "closing depot, day 1: 0.2768 t in a store for 0.25 t"),
    (row_of("sites", 1, storage_t=0.05), "closing bakery, day 2: 0.052 t in a store for 0.05 t"),
    (row_of("reserves", 0, quantity=201), "100.0 shipped so far, 99.0 is free above the reserve of 201.0"),
    (row_of("stocks", 0, quantity=290), "closing depot, flour, day 1: the lot that never spoils closes at 200.0"),
    (row_of("stocks", 2, expires=DAY2), "closing bakery, flour, day 1: the lot of 2026-11-23 closes at 0.0"),
    (row_of("goods", 1, shelf_life_days=0), "bread, day 1: the lot of 2026-11-23 falls to -12.0"),
    (row_of("rations", 0, quantity=0.5), "deliveries bakery, bread, day 2: 60.0 for a need of 50.0"),
    (row_of("rations", 0, quantity=0.7), "coverage bakery, bread, day 1: needed says 60.0, it is 70.0"),
    (row_of("goods", 1, priority=2), "coverage bakery, bread, day 1: priority says 1.0, it is 2.0"),
    (row_of("sites", 0, people=1), "coverage depot, bread, day 1: the row is missing"),
    (row_of("costs", 0, quantity=3), "summary: cost says 25.0, it is 35.0"),
    (row_of("costs", 1, quantity=100), "summary: cost says 25.0, it is 30.0"),
    (row_of("lanes", 0, two_way=False), "summary: cost says 25.0, it is 20.7"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN, ids=[str(number) for number in range(len(BROKEN))])
def test_a_rule_of_the_network_that_the_plan_breaks_is_named(
    bakery: Network, plan: Plan, change: Callable[[Network], Network], message: str | None
) -> None:
    network = change(bakery)
    violations = check_plan(network, plan, "storm" if network.disruptions else None)
    if message is None:
        assert violations == []
    else:
        assert any(message in violation for violation in violations), violations


def test_disruptions_outside_their_days_or_scenario_change_nothing(bakery: Network, plan: Plan) -> None:
    network = disrupted("lane", "*>*", 0, from_day=2, to_day=3)(bakery)
    assert check_plan(network, plan, "storm") == []
    network = disrupted("lane", "*>*", 0)(bakery)
    assert check_plan(network, plan) == []
    assert check_plan(network, plan, "calm") == ["scenario calm: table disruptions does not know it"]


def test_a_one_way_lane_is_not_hit_from_its_other_side(bakery: Network, plan: Plan) -> None:
    one_way = row_of("lanes", 0, two_way=False)(row_of("costs", 2, quantity=50)(bakery))
    assert check_plan(disrupted("lane", "bakery>depot", 0)(one_way), plan, "storm") == []


def test_a_plan_is_checked_under_its_own_scenario_unless_another_is_named(bakery: Network, plan: Plan) -> None:
    network = disrupted("fleet", "truck", 0)(bakery)
    assert check_plan(network, plan) == []
    assert check_plan(network, replace(plan, scenario="storm")) != []


def test_a_substitute_counts_in_units_of_the_good_it_stands_for(bakery: Network, plan: Plan) -> None:
    """The 12 loaves of day 3 are cake instead, 18 for 12: only right where cake is a substitute at 1.5."""
    network = replace(
        bakery,
        stocks=(*bakery.stocks, Stock(site="bakery", good="cake", quantity=18, expires=DAY3)),
        substitutes=(Substitute(good="bread", substitute="cake", quantity=1.5),),
    )
    rows = [tuple(row.values()) for row in plan.deliveries.rows()]
    rows[3] = ("bakery", 3, "cake", DAY3, 18.0, "bread")
    closing = [tuple(row.values()) for row in plan.closing.rows()]
    closing += [("bakery", "cake", DAY3, day, 18.0, 0.0) for day in (1, 2)]
    closing += [("bakery", "bread", DAY3, 3, 12.0, 0.0)]
    swapped = replace(plan, deliveries=table("deliveries", rows), closing=table("closing", closing))
    assert check_plan(network, swapped) == []
    dearer = replace(network, substitutes=(Substitute(good="bread", substitute="cake", quantity=2),))
    assert any("coverage" in violation for violation in check_plan(dearer, swapped))
    violations = check_plan(replace(network, substitutes=()), swapped)
    assert "deliveries bakery, cake, day 3: it is no substitute for bread" in violations


def test_a_nutrient_is_met_by_all_that_is_handed_over(bakery: Network, plan: Plan) -> None:
    """17 and 60 loaves of 2,500 kcal each for 100 people who need 1,000: day 1 is covered to 0.425."""
    network = replace(
        bakery,
        nutrients=(Nutrient(good="bread", nutrient="kcal", quantity=2500),),
        requirements=(Requirement(nutrient="kcal", quantity=1000, priority=2),),
    )
    need = 100 * 1000.0
    shares = {1: 0.425, 2: 1.0, 3: 1.0}
    coverage = [tuple(row.values()) for row in plan.coverage.rows()]
    coverage += [
        ("bakery", "kcal", 2, day, need, met * 2500.0, shares[day]) for day, met in ((1, 17), (2, 60), (3, 60))
    ]
    shortages = [tuple(row.values()) for row in plan.shortages.rows()]
    shortages += [("bakery", "kcal", 1, 1, need * 0.575, "no flour", "send flour")]
    objective = plan.objective + 100 * 0.1 * 10 * 2.425
    summary = next(plan.summary.rows()) | {
        "needed_p2": 300.0,
        "met_p2": 242.5,
        "mean_coverage": (17 / 60 + 2 + 2.425) / 6,
        "objective": objective,
    }
    fed = replace(
        hand_plan(network, summary, fairness=0.0, bound=objective, full_value=3300.0),
        **{name: plan.table(name) for name in ("intake", "shipments", "trips", "production", "deliveries", "closing")},
        coverage=table("coverage", coverage),
        shortages=table("shortages", shortages),
    )
    assert check_plan(network, fed) == []
    assert check_plan(replace(network, nutrients=()), fed) != []
    richer = replace(network, nutrients=(Nutrient(good="bread", nutrient="kcal", quantity=2600),))
    assert any("coverage bakery, kcal, day 1" in violation for violation in check_plan(richer, fed))


def test_a_delivery_that_meets_nothing_must_hold_a_nutrient(bakery: Network, plan: Plan) -> None:
    violations = check_plan(bakery, changed(plan, "deliveries", "meets", 0, ""))
    assert "deliveries bakery, bread, day 1: meets no need and holds no nutrient" in violations


def test_a_missing_column_is_a_violation_and_no_crash(bakery: Network, plan: Plan) -> None:
    from abasto.planner.plan import Table

    cut = Table({name: values for name, values in plan.intake.items() if name != "expires"})
    assert "intake: column expires is missing" in check_plan(bakery, replace(plan, intake=cut))
