"""make_plan: what it refuses, what it tells on the way, and the words it finds for shortages."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from abasto.errors import AbastoError, InputError, UnsupportedError
from abasto.network import (
    Disruption,
    Fleet,
    Good,
    Lane,
    Need,
    Network,
    Nutrient,
    Ration,
    Requirement,
    Reserve,
    Site,
    Stock,
    Supply,
)
from abasto.planner.check import coverage
from abasto.planner.make import Progress, make_plan
from abasto.planner.plan import MET_TOLERANCE
from abasto.summary import is_fully_met


def network(**tables: Any) -> Network:
    """A depot with rice for all, a school an hour away, and one van that does two trips of 20 kg a day."""
    rows: dict[str, Any] = {
        "sites": (Site(site="depot"), Site(site="school", people=100)),
        "goods": (Good(good="rice"),),
        "stocks": (Stock(site="depot", good="rice", quantity=1000),),
        "rations": (Ration(good="rice", quantity=1),),
        "lanes": (Lane(from_site="depot", to_site="school", hours=1),),
        "fleets": (Fleet(fleet="van", vehicles=1, payload_t=0.02, hours_per_day=8),),
    }
    return Network("Small", date(2026, 11, 22), 2, **{**rows, **tables})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"fairness": -1}, "fairness is -1"),
        ({"fairness": float("nan")}, "fairness is nan"),
        ({"gap": -0.1}, "gap is -0.1"),
        ({"time_limit": 0}, "time_limit is 0"),
        ({"solver": "exakt"}, 'did you mean "exact"'),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(AbastoError, match=message):
        make_plan(network(), **setting)


def test_an_unknown_scenario_names_the_closest_and_all_known() -> None:
    storms = tuple(Disruption(scenario=name, kind="site", target="depot") for name in ("storm", "strike"))
    with pytest.raises(AbastoError, match=r'did you mean "storm"\? Known are storm, strike'):
        make_plan(network(disruptions=storms), "storms")
    with pytest.raises(AbastoError, match=r"does not know\. Known are storm, strike"):
        make_plan(network(disruptions=storms), "flood")


def test_tables_with_errors_are_not_planned() -> None:
    with pytest.raises(InputError, match="depott"):
        make_plan(network(stocks=(Stock(site="depott", good="rice", quantity=1),)))


def test_the_equilibrium_solver_refuses_nutrients_by_name() -> None:
    food = network(
        nutrients=(Nutrient(good="rice", nutrient="energy", quantity=3500),),
        requirements=(Requirement(nutrient="energy", quantity=2000),),
    )
    with pytest.raises(UnsupportedError, match="nutrient"):
        make_plan(food, solver="equilibrium")
    assert make_plan(food).solver == "exact"


def test_needs_that_serve_nobody_are_left_to_the_exact_solver() -> None:
    nobody = network(rations=(), needs=(Need(site="depot", good="rice", quantity=2, people=0),))
    with pytest.raises(UnsupportedError, match="serve nobody"):
        make_plan(nobody, solver="equilibrium")
    plan = make_plan(nobody)
    assert (plan.objective, plan.bound, plan.gap) == (0.0, 0.0, 0.0)


def test_small_networks_are_solved_exactly_and_progress_is_told() -> None:
    told: list[Progress] = []
    plan = make_plan(network(), progress=told.append)
    assert plan.solver == "exact"
    assert plan.status == "planned"
    assert plan.gap < 1e-6
    assert [step.seconds for step in told] == sorted(step.seconds for step in told)
    assert told[-1].stage == "checking"
    assert told[-1].gap == plan.gap


def test_coverage_and_trips_are_those_worked_out_by_hand() -> None:
    plan = make_plan(network())
    assert plan.coverage["coverage"].tolist() == pytest.approx([0.4, 0.4])
    assert plan.trips["trips"].tolist() == pytest.approx([2.0, 2.0])
    assert plan.summary["mean_coverage"][0] == pytest.approx(0.4)
    assert plan.summary["vehicle_hours"][0] == pytest.approx(16.0)


def words(plan_network: Network) -> tuple[str, str]:
    (row,) = make_plan(plan_network).shortages.rows()
    return row["cause"], row["remedy"]


def test_full_vehicles_are_named_as_the_cause() -> None:
    cause, remedy = words(network())
    assert cause.startswith("all vehicles of van are taken")
    assert remedy.startswith("more vehicle-hours for van")


def test_a_full_lane_is_named_as_the_cause() -> None:
    lane = Lane(from_site="depot", to_site="school", hours=1, tonnes=0.01)
    assert words(network(lanes=(lane,)))[0].startswith("lane depot>school is full")


def test_a_used_up_stock_is_named_as_the_cause() -> None:
    cause, _ = words(network(stocks=(Stock(site="depot", good="rice", quantity=10),)))
    assert cause.startswith("the stock of rice at depot is used up")


def test_a_used_up_supply_is_named_as_the_cause() -> None:
    cause, _ = words(network(stocks=(), supplies=(Supply(site="depot", good="rice", quantity=10),)))
    assert cause.startswith("all rice that depot can take in is taken")


def test_a_reserve_is_named_as_the_cause() -> None:
    cause, remedy = words(network(reserves=(Reserve(site="depot", good="rice", quantity=990),)))
    assert cause.startswith("the rest of the rice at depot is its reserve")
    assert remedy == "a smaller reserve of rice at depot"


def test_a_place_without_a_way_is_told_so() -> None:
    assert words(network(lanes=()))[0] == "no lane leads to school from where rice is, such as depot"


def test_a_good_that_is_nowhere_is_told_so() -> None:
    assert words(network(stocks=()))[0].startswith("there is no rice anywhere")


@pytest.mark.parametrize(("share_missing", "rows"), [(1e-6, 0), (9e-5, 0), (2e-4, 1)])
def test_what_no_scale_can_tell_is_no_shortage(share_missing: float, rows: int) -> None:
    there = Stock(site="school", good="rice", quantity=100.0 * (1 - share_missing))
    need = Need(site="school", good="rice", quantity=100.0, to_day=1)
    plan = make_plan(network(stocks=(there,), needs=(need,), rations=()))
    assert plan.coverage["coverage"].tolist() == pytest.approx([1 - share_missing], abs=1e-7)
    assert plan.shortages.n_rows == rows
    assert is_fully_met(plan) == (rows == 0)


def test_planner_and_check_draw_the_line_of_shortages_at_the_same_place() -> None:
    assert coverage.MET_TOLERANCE == MET_TOLERANCE


def test_what_a_small_need_lacks_is_exact_beside_a_huge_one() -> None:
    tables = network(
        sites=(Site(site="a", people=10), Site(site="b", people=10)),
        goods=(Good(good="water"), Good(good="insulin", kg_per_unit=1e-6)),
        needs=(Need(site="a", good="water", quantity=1e13), Need(site="b", good="insulin", quantity=0.2029165)),
        **dict.fromkeys(("stocks", "rations", "lanes", "fleets"), ()),
    )
    plan = make_plan(tables)
    unmet = {row["need"]: row["unmet"] for row in plan.shortages.rows()}
    assert unmet == {"water": 2e13, "insulin": pytest.approx(2 * 0.2029165, rel=1e-12)}


LAST = date.max.toordinal() - date(2026, 11, 22).toordinal()
"""The shelf life in days of what is taken in on day 1 and lasts to the last day of the calendar."""


@pytest.mark.parametrize("life", [LAST - 2, LAST - 1, LAST, LAST + 1])
def test_goods_that_last_to_the_end_of_the_calendar_are_planned(life: int) -> None:
    stocks = (Stock(site="depot", good="rice", quantity=30, expires=date.max),)
    supplies = (Supply(site="depot", good="rice", quantity=30),)
    goods = (Good(good="rice", shelf_life_days=life),)
    planned = make_plan(network(goods=goods, stocks=stocks, supplies=supplies), solver="exact")
    assert date.max in {row["expires"] for row in planned.deliveries.rows()}
