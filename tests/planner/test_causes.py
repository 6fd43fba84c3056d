"""Every kind of cause on a network of its own: the kind, the resource that binds and the days, with both solvers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest
from networks import bakery, day, depot_and_town, lane, network, truck

from abasto.errors import SettingError
from abasto.network import (
    Disruption,
    Fleet,
    Good,
    Labour,
    Lane,
    Need,
    Network,
    Nutrient,
    Plant,
    RecipeLine,
    Requirement,
    Reserve,
    Site,
    Stock,
    Supply,
)
from abasto.planner.causes import Cause, Explanation
from abasto.planner.explain import explain_need
from abasto.planner.make import Solved, plan_in_full

Solver = Literal["exact", "equilibrium"]
BOTH = pytest.mark.parametrize("solver", ["exact", "equilibrium"])
TOWN = (Site(site="depot"), Site(site="town", people=100))


def solved(net: Network, solver: Solver, scenario: str | None = None, **options: Any) -> Solved:
    return plan_in_full(net, scenario, solver=solver, gap=0.001, **options)


def why(net: Network, solver: Solver, need: str = "rice", *, scenario: str | None = None) -> Explanation:
    """Return the only explanation of the town's need."""
    (story,) = explain_need(solved(net, solver, scenario), "town", need)
    return story


def told(cause: Cause | None) -> tuple[str, str | None, tuple[int, ...]]:
    """Return what a cause is asserted by: its kind, the name of what binds, and the days."""
    assert cause is not None
    return cause.kind, None if cause.resource is None else cause.resource.name, cause.days


@BOTH
def test_vehicles_that_are_full(solver: Solver) -> None:
    net = depot_and_town(2, stock=100_000, need=1000, fleet=truck(payload_t=0.3, hours_per_day=8, site="depot"))
    story = why(net, solver)
    assert told(story.cause) == ("vehicles", "truck", (1, 2))
    assert story.cause is not None
    assert story.cause.load == pytest.approx((1.0, 1.0))
    assert story.cause.share == pytest.approx(1.0, abs=1e-3)
    assert story.unmet == pytest.approx(800)
    assert story.remedy == "more vehicle-hours for truck on days 1 to 2"


@BOTH
def test_a_lane_that_is_full(solver: Solver) -> None:
    net = depot_and_town(2, stock=9000, need=100, fleet=truck(), lanes=[lane("depot", "town", tonnes=0.04)])
    assert told(why(net, solver).cause) == ("lane", "depot>town", (1, 2))


@BOTH
def test_a_plant_that_is_full(solver: Solver) -> None:
    net = bakery(plants=[Plant(site="town", recipe="bake", batches=4)])
    assert told(why(net, solver, "bread").cause) == ("plant", "town/bake", (1,))


@BOTH
def test_labour_that_is_used_up(solver: Solver) -> None:
    net = bakery(labour=[Labour(site="town", hours=10)])
    assert told(why(net, solver, "bread").cause) == ("labour", "town", (1,))


@BOTH
def test_labour_that_there_is_none_of(solver: Solver) -> None:
    net = bakery(labour=[Labour(site="town", hours=0)])
    story = why(net, solver, "bread")
    assert told(story.cause) == ("labour", "town", (1,))
    assert "nobody works at town on day 1" in story.words.lower()


@BOTH
def test_a_plant_that_is_shut_by_the_scenario(solver: Solver) -> None:
    net = bakery(disruptions=[Disruption(scenario="strike", kind="plant", target="town/bake")])
    assert told(why(net, solver, "bread", scenario="strike").cause) == ("plant", "town/bake", (1,))


def test_recipes_in_a_circle_do_not_hide_the_plant_that_is_shut() -> None:
    """Bread can be packed and unpacked, but nobody bakes any: packing is no way to come by it."""
    bakes = bakery(disruptions=[Disruption(scenario="strike", kind="plant", target="town/bake")])
    circle = [("unpack", "box", -1), ("unpack", "bread", 1), ("pack", "bread", -1), ("pack", "box", 1)]
    net = replace(
        bakes,
        goods=(*bakes.goods, Good(good="box")),
        recipes=(*(RecipeLine(recipe=r, good=g, quantity=q) for r, g, q in circle), *bakes.recipes),
        plants=(*(Plant(site="town", recipe=r, batches=10) for r in ("unpack", "pack")), *bakes.plants),
    )
    assert told(why(net, "exact", "bread", scenario="strike").cause) == ("plant", "town/bake", (1,))


@BOTH
def test_a_store_that_is_full(solver: Solver) -> None:
    """Rice comes in on day 1 alone and is needed on day 2; the store holds 40 kg of it."""
    net = network(
        2,
        sites=[Site(site="town", people=100, storage_t=0.04)],
        goods=[Good(good="rice")],
        supplies=[Supply(site="town", good="rice", quantity=500, to_day=1)],
        needs=[Need(site="town", good="rice", quantity=100, from_day=2)],
    )
    story = why(net, solver)
    assert told(story.cause) == ("storage", "town", (1,))
    assert story.cause is not None
    assert story.cause.load == pytest.approx((1.0,))


@BOTH
def test_stock_that_is_used_up(solver: Solver) -> None:
    net = depot_and_town(2, stock=80, need=100, fleet=truck())
    assert told(why(net, solver).cause) == ("nothing_left", "depot/rice", (1, 2))


@BOTH
def test_a_supply_of_which_all_is_taken(solver: Solver) -> None:
    net = depot_and_town(2, stock=0, need=100, fleet=truck(), supplies=[Supply(site="depot", good="rice", quantity=30)])
    assert told(why(net, solver).cause) == ("nothing_left", "depot/rice", (1, 2))


@BOTH
def test_what_there_is_nowhere(solver: Solver) -> None:
    story = why(depot_and_town(1, stock=0, need=100, fleet=truck()), solver)
    assert told(story.cause) == ("nothing_left", None, (1,))


@BOTH
def test_a_supply_that_the_scenario_cuts_off(solver: Solver) -> None:
    net = depot_and_town(
        2,
        stock=0,
        need=100,
        fleet=truck(),
        supplies=[Supply(site="depot", good="rice", quantity=300)],
        disruptions=[Disruption(scenario="storm", kind="supply", target="depot/rice")],
    )
    assert told(why(net, solver, scenario="storm").cause) == ("nothing_left", "depot/rice", (1, 2))


@BOTH
def test_a_lane_that_the_scenario_closes(solver: Solver) -> None:
    closed = Disruption(scenario="storm", kind="lane", target="depot>town", to_day=2)
    net = depot_and_town(3, stock=900, need=100, fleet=truck(), disruptions=[closed])
    story = why(net, solver, scenario="storm")
    assert told(story.cause) == ("no_way", "depot>town", (1, 2))
    assert "lane depot>town is closed on days 1 to 2" in story.words.lower()


@BOTH
def test_a_lane_without_vehicles(solver: Solver) -> None:
    net = depot_and_town(2, stock=900, need=100, fleet=truck(vehicles=0))
    story = why(net, solver)
    assert told(story.cause) == ("no_way", "truck", (1, 2))
    assert "truck has no vehicles to spare on days 1 to 2" in story.words.lower()


@BOTH
def test_a_lane_that_no_fleet_serves(solver: Solver) -> None:
    net = depot_and_town(1, stock=900, need=100, fleet=truck(), lanes=[lane("depot", "town", mode="sea")])
    story = why(net, solver)
    assert told(story.cause) == ("no_way", "depot>town", (1,))
    assert "no fleet serves lane depot>town" in story.words.lower()


@BOTH
def test_a_place_that_no_lane_leads_to(solver: Solver) -> None:
    net = depot_and_town(1, stock=900, need=100, fleet=truck(), lanes=[])
    story = why(net, solver)
    assert told(story.cause) == ("no_way", None, (1,))
    assert "no lane leads to town from where rice is, such as depot" in story.words.lower()


@BOTH
def test_what_comes_too_late(solver: Solver) -> None:
    net = depot_and_town(4, stock=9000, need=100, fleet=truck(), lanes=[lane("depot", "town", lead_days=2)])
    story = why(net, solver)
    assert told(story.cause) == ("no_way", "depot>town", (1, 2))
    assert "no rice can be at town before day 3: lane depot>town takes 2 days" in story.words.lower()


@BOTH
def test_what_spoils_before_it_is_needed(solver: Solver) -> None:
    net = network(
        4,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="milk")],
        stocks=[Stock(site="town", good="milk", quantity=900, expires=day(2))],
        needs=[Need(site="town", good="milk", quantity=100)],
    )
    story = why(net, solver, "milk")
    assert told(story.cause) == ("spoiled", "town/milk", (3, 4))
    assert (story.first_day, story.last_day) == (3, 4)


@BOTH
def test_what_spoils_on_the_road(solver: Solver) -> None:
    net = depot_and_town(
        3,
        stock=0,
        need=100,
        fleet=truck(),
        goods=[Good(good="rice", shelf_life_days=1)],
        supplies=[Supply(site="depot", good="rice", quantity=300)],
        lanes=[lane("depot", "town", lead_days=2)],
        needs=[Need(site="town", good="rice", quantity=100, from_day=3)],
    )
    assert told(why(net, solver).cause) == ("spoiled", "depot/rice", (3,))


@BOTH
def test_what_is_all_reserved(solver: Solver) -> None:
    net = depot_and_town(
        2, stock=300, need=100, fleet=truck(), reserves=[Reserve(site="depot", good="rice", quantity=300)]
    )
    assert told(why(net, solver).cause) == ("reserved", "depot/rice", (1, 2))


@BOTH
def test_what_is_reserved_in_part(solver: Solver) -> None:
    net = depot_and_town(
        2, stock=300, need=100, fleet=truck(), reserves=[Reserve(site="depot", good="rice", quantity=240)]
    )
    assert told(why(net, solver).cause) == ("reserved", "depot/rice", (1, 2))


@BOTH
def test_a_reserve_is_no_cause_where_it_lies(solver: Solver) -> None:
    """The depot itself may use its reserve: there the stock is what is used up."""
    net = depot_and_town(
        1,
        stock=300,
        need=100,
        fleet=truck(),
        sites=[Site(site="depot", people=100), Site(site="town", people=100)],
        needs=[Need(site="depot", good="rice", quantity=400), Need(site="town", good="rice", quantity=400)],
        reserves=[Reserve(site="depot", good="rice", quantity=200)],
    )
    plan = solved(net, solver)
    (here,) = explain_need(plan, "depot", "rice")
    assert told(here.cause) == ("nothing_left", "depot/rice", (1,))
    (there,) = explain_need(plan, "town", "rice")
    assert told(there.cause) == ("reserved", "depot/rice", (1,))


def two_towns(**town: Any) -> Network:
    """Return a depot whose truck brings 300 kg a day to a town and to a second one, beside which it may differ."""
    second: dict[str, Any] = {"site": "second", "good": "rice", "quantity": 200}
    return network(
        1,
        sites=[Site(site="depot"), Site(site="town", people=100), Site(site="second", people=100)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="depot", good="rice", quantity=9000)],
        needs=[Need(site="town", good="rice", quantity=200), Need(**(second | town))],
        lanes=[lane("depot", "town"), lane("depot", "second")],
        fleets=[truck(payload_t=0.1, vehicles=3, hours_per_day=4)],
    )


@BOTH
def test_what_goes_to_more_urgent_needs(solver: Solver) -> None:
    net = two_towns()
    net = Network(
        net.name,
        net.start,
        net.days,
        **{name: getattr(net, name) for name in ("sites", "goods", "stocks", "lanes", "fleets")},
        needs=(
            Need(site="town", good="rice", quantity=200, priority=4),
            Need(site="second", good="rice", quantity=1000, priority=1),
        ),
    )
    story = why(net, solver)
    assert told(story.cause) == ("lower_priority", "truck", (1,))
    assert story.cause is not None
    assert story.cause.use is not None
    assert next((user.site, user.standing) for user in story.cause.use.users) == ("second", "more_urgent")


@BOTH
def test_users_that_would_be_worse_off_are_counted(solver: Solver) -> None:
    """Both towns get the same; without the truck the second would have nothing."""
    plan = solved(two_towns(), solver)
    (story,) = explain_need(plan, "town", "rice")
    assert told(story.cause) == ("vehicles", "truck", (1,))
    assert story.cause is not None
    assert story.cause.use is not None
    assert story.cause.use.places() == {"itself": 1, "worse_off": 1}
    assert story.cause.use.used == pytest.approx(12.0, rel=1e-3)
    (other,) = [user for user in story.cause.use.users if user.site == "second"]
    assert other.coverage_without == pytest.approx(0.0, abs=1e-9)
    driven = [row["vehicle_hours"] for row in plan.plan.trips.rows() if row["to"] == "second"]
    assert other.amount == pytest.approx(sum(driven))


@BOTH
def test_fuel_that_does_more_elsewhere(solver: Solver) -> None:
    """100 l of diesel: trucks burn 200 kg's worth of it at most, and the depot's own people need it as well."""
    net = network(
        1,
        sites=[Site(site="depot", people=5000), Site(site="town", people=10)],
        goods=[Good(good="rice"), Good(good="diesel", unit="l")],
        stocks=[
            Stock(site="depot", good="rice", quantity=9000),
            Stock(site="depot", good="diesel", quantity=100),
        ],
        needs=[
            Need(site="town", good="rice", quantity=100),
            Need(site="depot", good="diesel", quantity=200, people=5000),
        ],
        lanes=[Lane(from_site="depot", to_site="town", km=100, hours=1, lead_days=0)],
        fleets=[truck(payload_t=1, site="depot", fuel="diesel", fuel_per_km=1, vehicles=9)],
    )
    assert told(why(net, solver).cause) == ("fuel", "depot/diesel", (1,))


@BOTH
def test_fuel_that_there_is_none_of(solver: Solver) -> None:
    net = depot_and_town(
        1,
        stock=9000,
        need=100,
        fleet=truck(site="depot", fuel="diesel", fuel_per_km=1),
        goods=[Good(good="rice"), Good(good="diesel", unit="l")],
        lanes=[lane("depot", "town", km=10)],
    )
    assert told(why(net, solver).cause) == ("fuel", "depot/diesel", (1,))


@BOTH
def test_two_that_bind_at_once_are_both_named(solver: Solver) -> None:
    """Flour for 40 loaves can be brought and 40 can be baked: more of one alone would help nobody."""
    net = bakery(
        sites=[Site(site="mill"), Site(site="town", people=100)],
        stocks=[Stock(site="mill", good="flour", quantity=9000)],
        plants=[Plant(site="town", recipe="bake", batches=4)],
        lanes=[lane("mill", "town")],
        fleets=[truck(payload_t=0.02, hours_per_day=8)],
    )
    story = why(net, solver, "bread")
    causes = {told(cause) for cause in story.causes}
    assert causes == {("plant", "town/bake", (1,)), ("vehicles", "truck", (1,))}


@BOTH
def test_two_stocks_on_one_way_are_both_named(solver: Solver) -> None:
    """Bread takes flour and salt, both used up by two kinds of bread: each carries its part of the price."""
    net = network(
        1,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="flour"), Good(good="salt"), Good(good="bread"), Good(good="soup"), Good(good="cake")],
        stocks=[Stock(site="town", good="flour", quantity=60), Stock(site="town", good="salt", quantity=60)],
        needs=[Need(site="town", good=good, quantity=100) for good in ("bread", "soup", "cake")],
        recipes=[
            RecipeLine(recipe="bake", good="flour", quantity=-1),
            RecipeLine(recipe="bake", good="salt", quantity=-1),
            RecipeLine(recipe="bake", good="bread", quantity=1),
            RecipeLine(recipe="cook", good="salt", quantity=-1),
            RecipeLine(recipe="cook", good="soup", quantity=1),
            RecipeLine(recipe="sweet", good="flour", quantity=-1),
            RecipeLine(recipe="sweet", good="cake", quantity=1),
        ],
        plants=[Plant(site="town", recipe=recipe, batches=1000) for recipe in ("bake", "cook", "sweet")],
    )
    story = why(net, solver, "bread")
    assert {told(cause) for cause in story.causes} == {
        ("nothing_left", "town/flour", (1,)),
        ("nothing_left", "town/salt", (1,)),
    }
    assert all(cause.share == pytest.approx(0.5, abs=0.05) for cause in story.causes)


@BOTH
def test_what_is_in_the_way_at_two_places_is_named_twice(solver: Solver) -> None:
    net = network(
        1,
        sites=[Site(site="depot"), Site(site="bridge"), Site(site="town", people=100)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="depot", good="rice", quantity=300)],
        needs=[Need(site="town", good="rice", quantity=100)],
        lanes=[lane("depot", "bridge"), lane("bridge", "town")],
        fleets=[truck()],
        reserves=[Reserve(site="depot", good="rice", quantity=300)],
        disruptions=[Disruption(scenario="flood", kind="lane", target="bridge>town")],
    )
    story = why(net, solver, scenario="flood")
    assert {told(cause) for cause in story.causes} == {
        ("no_way", "bridge>town", (1,)),
        ("reserved", "depot/rice", (1,)),
    }


@BOTH
def test_days_without_a_way_and_days_without_vehicles_are_told_apart(solver: Solver) -> None:
    net = depot_and_town(
        4,
        stock=9000,
        need=1000,
        fleet=truck(payload_t=0.3, hours_per_day=8),
        lanes=[lane("depot", "town", lead_days=2)],
    )
    story = why(net, solver)
    assert {told(cause) for cause in story.causes} == {
        ("no_way", "depot>town", (1, 2)),
        ("vehicles", "truck", (1, 2)),
    }


@BOTH
def test_a_need_that_is_met_says_from_where(solver: Solver) -> None:
    net = bakery(
        sites=[Site(site="mill"), Site(site="town", people=100)],
        stocks=[Stock(site="mill", good="flour", quantity=9000)],
        lanes=[lane("mill", "town")],
        fleets=[truck()],
    )
    story = why(net, solver, "bread")
    assert story.causes == ()
    assert story.cause is None
    origins = {(one.resource.kind, one.resource.name, one.good): one.amount for one in story.origins}
    assert origins == pytest.approx(
        {
            ("stock", "mill/flour", "flour"): 100,
            ("plant", "town/bake", "bread"): 100,
            ("fleet", "truck", "flour"): 100,
        },
        rel=2e-3,
    )


def test_the_chain_leads_from_the_need_back_to_what_is_scarce() -> None:
    """As in the issue: the bakery has room, flour lies at the mill, and the truck between them is full."""
    net = bakery(
        sites=[Site(site="mill"), Site(site="town", people=100)],
        stocks=[Stock(site="mill", good="flour", quantity=9000)],
        lanes=[lane("mill", "town")],
        fleets=[truck(payload_t=0.02, hours_per_day=8)],
    )
    story = why(net, "exact", "bread")
    assert [(link.step, link.site, link.good) for link in story.links] == [
        ("made", "town", "bread"),
        ("sent", "town", "flour"),
        ("taken", "mill", "flour"),
    ]
    loads = {resource.name: (load, share) for link in story.links for resource, load, share in link.resources}
    assert loads["town/bake"] == pytest.approx((0.04, 0.0))
    assert loads["truck"] == pytest.approx((1.0, 1.0))
    assert loads["mill/flour"] == pytest.approx((40 / 9000, 0.0))
    assert "bread made at town (batches to spare)" in story.words.lower()
    assert "8,960 kg left in the end" in story.words.lower()


def test_a_nutrient_is_explained_like_a_good() -> None:
    net = network(
        1,
        sites=TOWN,
        goods=[Good(good="rice")],
        stocks=[Stock(site="depot", good="rice", quantity=9000)],
        nutrients=[Nutrient(good="rice", nutrient="kcal", quantity=3000)],
        requirements=[Requirement(nutrient="kcal", quantity=2000)],
        lanes=[lane("depot", "town")],
        fleets=[truck(payload_t=0.01, hours_per_day=8)],
    )
    story = why(net, "exact", "kcal")
    assert told(story.cause) == ("vehicles", "truck", (1,))
    assert story.coverage == pytest.approx(20 * 3000 / (100 * 2000))
    assert story.cause is not None
    assert story.cause.use is not None
    assert story.cause.use.used == pytest.approx(8.0)


def test_what_the_prices_do_not_force_is_left_to_the_gap() -> None:
    """The truck is full, but prices that find it worth nothing say that the search was not at its end."""
    plan = solved(depot_and_town(2, stock=9000, need=100, fleet=truck(payload_t=0.01)), "exact")
    prices = replace(plan.prices, fleet=plan.prices.fleet * 1e-3, good=plan.prices.good * 1e-3)
    (story,) = explain_need(replace(plan, prices=prices), "town", "rice")
    assert [told(cause) for cause in story.causes] == [("within_gap", None, ()), ("vehicles", "truck", (1, 2))]
    assert story.remedy == "plan again with a smaller gap"
    assert story.price_to_worth == pytest.approx(1e-3, rel=0.1)
    unknown = replace(plan.prices, fleet=plan.prices.fleet * 0, good=plan.prices.good * 0)
    (story,) = explain_need(replace(plan, prices=unknown), "town", "rice")
    assert told(story.cause) == ("within_gap", None, ())


def test_a_stopped_search_says_so_where_nothing_else_is_known() -> None:
    plan = plan_in_full(depot_and_town(2, stock=900, need=100, fleet=truck()), solver="exact", stop=lambda: True)
    (story,) = explain_need(plan, "town", "rice")
    assert plan.plan.status == "stopped"
    assert told(story.cause) == ("stopped", None, ())


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("twon", "rice", None), 'did you mean "town"'),
        (("town", "rica", None), 'did you mean "rice"'),
        (("depot", "rice", None), "nothing is needed there"),
        (("town", "rice", 3), "days 1 to 2"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked: tuple[str, str, int | None], says: str) -> None:
    plan = solved(depot_and_town(2, stock=80, need=100, fleet=truck()), "exact")
    with pytest.raises(SettingError, match=says):
        explain_need(plan, *asked)


def test_a_day_asked_for_is_explained_alone() -> None:
    plan = solved(depot_and_town(3, stock=80, need=100, fleet=truck()), "exact")
    (story,) = explain_need(plan, "town", "rice", 2)
    assert (story.first_day, story.last_day, len(story.missing)) == (2, 2, 1)


def test_each_run_of_short_days_is_explained() -> None:
    """Vehicles work on days 1, 3 and 5 alone, and nothing keeps."""
    fleets = [Fleet(fleet=f"f{day}", vehicles=1, payload_t=10, from_day=day, to_day=day) for day in (1, 3, 5)]
    net = depot_and_town(
        5,
        stock=0,
        need=100,
        fleet=fleets[0],
        fleets=fleets,
        goods=[Good(good="rice", shelf_life_days=0)],
        supplies=[Supply(site="depot", good="rice", quantity=500)],
    )
    stories = explain_need(solved(net, "exact"), "town", "rice")
    assert [(story.first_day, story.last_day) for story in stories] == [(2, 2), (4, 4)]
