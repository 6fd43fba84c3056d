"""Small networks, one per block of the model, each with its plan worked out by hand.

Unless a network says otherwise: day 1 is 2026-11-22, goods are in kg, a fleet has one vehicle that works 10 hours a day
with 2 hours of handling, lanes take an hour (so a trip takes 4 vehicle-hours) and arrive on the same day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from abasto.network import (
    Cost,
    Disruption,
    Fleet,
    Good,
    Labour,
    Lane,
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
    Substitute,
    Supply,
)

START = date(2026, 11, 22)


@dataclass(frozen=True)
class Case:
    """A network and what its best plan must be; `coverage` holds every need, site and day.

    `trips`, `batches`, `vehicle_hours` and `cost` are totals, checked where they are given; `weight` is
    people × 10^(1 − priority) of each need, 100 where it is not given. `nutrients` and `byproducts` say that the case
    has them. `exact_fault` and `equilibrium_fault` say what a solver is known to get wrong in it.
    """

    network: Network
    coverage: dict[tuple[str, str, int], float]
    scenario: str | None = None
    fairness: float = 4.0
    trips: float | None = None
    batches: float | None = None
    vehicle_hours: float | None = None
    cost: float | None = None
    weight: dict[tuple[str, str], float] = field(default_factory=dict)
    nutrients: bool = False
    byproducts: bool = False
    exact_fault: str = ""
    equilibrium_fault: str = ""


CASES: dict[str, Callable[[], Case]] = {}


def case(make: Callable[[], Case]) -> Callable[[], Case]:
    """Add a case to those that every planner must solve."""
    CASES[make.__name__] = make
    return make


def network(days: int, **tables: Any) -> Network:
    """Return a network of these tables."""
    return Network("By hand", START, days, **{name: tuple(rows) for name, rows in tables.items()})


def lane(start: str, end: str, **columns: Any) -> Lane:
    """Return a lane of one hour that arrives on the same day."""
    return Lane(**({"from_site": start, "to_site": end, "hours": 1, "lead_days": 0} | columns))


def day(number: int) -> date:
    """Return the date of a day number."""
    return START + timedelta(days=number - 1)


def depot_and_town(days: int, *, stock: float, need: float, fleet: Fleet, **tables: Any) -> Network:
    """Return a depot with rice and a town of 100 people that needs it, one lane apart; `tables` replaces or adds."""
    basic: dict[str, Any] = {
        "sites": [Site(site="depot"), Site(site="town", people=100)],
        "goods": [Good(good="rice")],
        "stocks": [Stock(site="depot", good="rice", quantity=stock)],
        "needs": [Need(site="town", good="rice", quantity=need)],
        "lanes": [lane("depot", "town")],
        "fleets": [fleet],
    }
    return network(days, **(basic | tables))


def truck(**columns: Any) -> Fleet:
    """Return a fleet of one vehicle that carries 10 t, with no base."""
    return Fleet(**({"fleet": "truck", "vehicles": 1, "payload_t": 10} | columns))


@case
def own_stock() -> Case:
    """Nothing moves: 150 kg last three days of 100 people who need 1 kg; fairness makes it half a kilo every day."""
    net = network(
        3,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="town", good="rice", quantity=150)],
        rations=[Ration(good="rice", quantity=1)],
    )
    return Case(net, {("town", "rice", t): 0.5 for t in (1, 2, 3)}, trips=0, vehicle_hours=0, cost=0)


@case
def vehicle_hours_bind() -> Case:
    """One truck of 300 kg makes 2 trips in its 8 hours: 600 of 1,000 kg a day."""
    net = depot_and_town(2, stock=100_000, need=1000, fleet=truck(payload_t=0.3, hours_per_day=8, site="depot"))
    return Case(net, {("town", "rice", t): 0.6 for t in (1, 2)}, trips=4, vehicle_hours=16)


@case
def lead_time() -> Case:
    """Two days on the road: nothing arrives before day 3, and what left on days 1 and 2 (2 t) is then enough."""
    net = depot_and_town(4, stock=9000, need=1000, fleet=truck(payload_t=2), lanes=[lane("depot", "town", lead_days=2)])
    return Case(net, {("town", "rice", t): float(t >= 3) for t in (1, 2, 3, 4)}, trips=1, vehicle_hours=4)


@case
def lead_time_from_distance() -> Case:
    """1,000 km are 25 hours at 40 km/h: two whole 12-hour driving days after the first, so day 3; 52 hours a trip."""
    lanes = [Lane(from_site="depot", to_site="town", km=1000)]
    fleet = truck(payload_t=2, vehicles=6)
    net = depot_and_town(3, stock=9000, need=1000, fleet=fleet, lanes=lanes)
    return Case(net, {("town", "rice", t): float(t >= 3) for t in (1, 2, 3)}, trips=0.5, vehicle_hours=26)


@case
def two_level_recipe() -> Case:
    """Wheat becomes flour becomes bread on one day: 5 batches of 8 kg flour are 10 of 5 loaves: half the need."""
    net = network(
        2,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="wheat"), Good(good="flour"), Good(good="bread", kg_per_unit=0.5)],
        supplies=[Supply(site="town", good="wheat", quantity=100)],
        needs=[Need(site="town", good="bread", quantity=100)],
        recipes=[
            RecipeLine(recipe="mill", good="wheat", quantity=-10),
            RecipeLine(recipe="mill", good="flour", quantity=8),
            RecipeLine(recipe="bake", good="flour", quantity=-4),
            RecipeLine(recipe="bake", good="bread", quantity=5),
        ],
        plants=[Plant(site="town", recipe="mill", batches=5), Plant(site="town", recipe="bake", batches=20)],
    )
    return Case(net, {("town", "bread", t): 0.5 for t in (1, 2)}, batches=30)


@case
def byproduct() -> Case:
    """5 batches press 15 l of oil (half the need) and leave 30 kg of cake, which somebody needs too (all of it)."""
    net = network(
        1,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="seed"), Good(good="oil", unit="l"), Good(good="cake", priority=2)],
        stocks=[Stock(site="town", good="seed", quantity=100)],
        needs=[Need(site="town", good="oil", quantity=30), Need(site="town", good="cake", quantity=30)],
        recipes=[
            RecipeLine(recipe="press", good="seed", quantity=-10),
            RecipeLine(recipe="press", good="oil", quantity=3),
            RecipeLine(recipe="press", good="cake", quantity=6),
        ],
        plants=[Plant(site="town", recipe="press", batches=5)],
    )
    coverage = {("town", "oil", 1): 0.5, ("town", "cake", 1): 1.0}
    return Case(net, coverage, batches=5, weight={("town", "cake"): 10}, byproducts=True)


def bakery(**tables: Any) -> Network:
    """Return a town that bakes 10 loaves of 10 kg flour a batch and needs 100 a day, for one day."""
    basic: dict[str, Any] = {
        "sites": [Site(site="town", people=100)],
        "goods": [Good(good="flour"), Good(good="bread")],
        "stocks": [Stock(site="town", good="flour", quantity=1000)],
        "needs": [Need(site="town", good="bread", quantity=100)],
        "recipes": [
            RecipeLine(recipe="bake", good="flour", quantity=-10),
            RecipeLine(recipe="bake", good="bread", quantity=10),
        ],
        "plants": [Plant(site="town", recipe="bake", batches=100, hours_per_batch=2)],
    }
    return network(1, **(basic | tables))


@case
def labour_binds() -> Case:
    """10 working hours are 5 batches of 2 hours: 50 of 100 loaves."""
    return Case(bakery(labour=[Labour(site="town", hours=10)]), {("town", "bread", 1): 0.5}, batches=5)


@case
def labour_without_rows_is_unlimited() -> Case:
    """The same bakery where nobody counts hours bakes all 100 loaves; another site's hours do not matter."""
    net = bakery(sites=[Site(site="town", people=100), Site(site="mill")], labour=[Labour(site="mill", hours=0)])
    return Case(net, {("town", "bread", 1): 1.0}, batches=10)


@case
def storage_binds() -> Case:
    """Rice comes on day 1 only and the town can keep 100 kg overnight: days 2 and 3 share them."""
    net = network(
        3,
        sites=[Site(site="town", people=100, storage_t=0.1)],
        goods=[Good(good="rice")],
        supplies=[Supply(site="town", good="rice", quantity=1000, to_day=1)],
        rations=[Ration(good="rice", quantity=1)],
    )
    return Case(net, {("town", "rice", 1): 1.0, ("town", "rice", 2): 0.5, ("town", "rice", 3): 0.5})


@case
def perishable_on_the_road() -> Case:
    """Milk of day 1 lasts to day 2 and is a day on the road: it keeps its age and is good for day 2 alone."""
    net = network(
        3,
        sites=[Site(site="farm"), Site(site="town", people=100)],
        goods=[Good(good="milk", shelf_life_days=1)],
        supplies=[Supply(site="farm", good="milk", quantity=100, to_day=1)],
        needs=[Need(site="town", good="milk", quantity=50)],
        lanes=[lane("farm", "town", lead_days=1)],
        fleets=[truck()],
    )
    return Case(net, {("town", "milk", t): float(t == 2) for t in (1, 2, 3)}, trips=0.005)


@case
def perishable_stock() -> Case:
    """Stock without a date counts as taken in the day before day 1: two days of life are days 1 and 2."""
    net = network(
        3,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="milk", shelf_life_days=2)],
        stocks=[Stock(site="town", good="milk", quantity=300)],
        rations=[Ration(good="milk", quantity=1)],
    )
    return Case(net, {("town", "milk", t): float(t < 3) for t in (1, 2, 3)})


@case
def several_lots() -> Case:
    """Three lots of a day's need each, with dates 1, 2 and none: only oldest first covers all three days."""
    net = network(
        3,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="rice")],
        stocks=[
            Stock(site="town", good="rice", quantity=30),
            Stock(site="town", good="rice", quantity=30, expires=day(2)),
            Stock(site="town", good="rice", quantity=30, expires=day(1)),
        ],
        needs=[Need(site="town", good="rice", quantity=30)],
    )
    return Case(net, {("town", "rice", t): 1.0 for t in (1, 2, 3)})


@case
def recipes_use_the_oldest_lot() -> Case:
    """Old flour (30 kg, day 1 only) and new: 30 loaves on day 1 come of the old, so the new is left for day 2."""
    net = bakery(
        stocks=[
            Stock(site="town", good="flour", quantity=30),
            Stock(site="town", good="flour", quantity=30, expires=day(1)),
        ],
        needs=[Need(site="town", good="bread", quantity=30)],
    )
    return Case(replace(net, days=2), {("town", "bread", t): 1.0 for t in (1, 2)}, batches=6)


@case
def reserve() -> Case:
    """60 of the depot's 100 kg stay: it eats 10 kg a day itself, the town gets 40 of its 100 kg in two days."""
    net = depot_and_town(
        2,
        stock=100,
        need=50,
        fleet=truck(),
        sites=[Site(site="depot", people=100), Site(site="town", people=100)],
        needs=[Need(site="depot", good="rice", quantity=10), Need(site="town", good="rice", quantity=50)],
        reserves=[Reserve(site="depot", good="rice", quantity=60)],
    )
    coverage = {("depot", "rice", t): 1.0 for t in (1, 2)} | {("town", "rice", t): 0.4 for t in (1, 2)}
    return Case(net, coverage, trips=0.004)


@case
def reserve_lets_through_what_comes_in() -> Case:
    """All 10 kg on hand are reserved, but the 50 kg taken in each day may be shipped on."""
    net = depot_and_town(
        1,
        stock=10,
        need=100,
        fleet=truck(),
        supplies=[Supply(site="depot", good="rice", quantity=50)],
        reserves=[Reserve(site="depot", good="rice", quantity=60)],
    )
    return Case(net, {("town", "rice", 1): 0.5})


@case
def substitute() -> Case:
    """30 loaves, and 40 kg of flour that stand for 50 loaves at 0.8 kg each: 80 of 100."""
    net = network(
        1,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="bread"), Good(good="flour")],
        stocks=[Stock(site="town", good="bread", quantity=30), Stock(site="town", good="flour", quantity=40)],
        needs=[Need(site="town", good="bread", quantity=100)],
        substitutes=[Substitute(good="bread", substitute="flour", quantity=0.8)],
    )
    return Case(net, {("town", "bread", 1): 0.8})


@case
def nutrients() -> Case:
    """10 people need 2 kg of rice and 20,000 kcal: 4 kg are handed over, 2 of them for their kcal alone."""
    net = network(
        1,
        sites=[Site(site="town", people=10)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="town", good="rice", quantity=4)],
        rations=[Ration(good="rice", quantity=0.2)],
        nutrients=[Nutrient(good="rice", nutrient="kcal", quantity=3500)],
        requirements=[Requirement(nutrient="kcal", quantity=2000, priority=2)],
    )
    coverage = {("town", "rice", 1): 1.0, ("town", "kcal", 1): 0.7}
    return Case(net, coverage, weight={("town", "rice"): 10, ("town", "kcal"): 1}, nutrients=True)


@case
def fuel() -> Case:
    """10 l of diesel at the base are 2 trips of 40 km at 0.125 l/km: 200 of 400 kg."""
    net = depot_and_town(
        1,
        stock=1000,
        need=400,
        fleet=truck(site="depot", payload_t=0.1, hours_per_day=100, fuel="diesel", fuel_per_km=0.125),
        goods=[Good(good="rice"), Good(good="diesel", unit="l")],
        stocks=[Stock(site="depot", good="rice", quantity=1000), Stock(site="depot", good="diesel", quantity=10)],
        lanes=[lane("depot", "town", km=20)],
    )
    return Case(net, {("town", "rice", 1): 0.5}, trips=2, vehicle_hours=8)


@case
def fuel_without_a_base_is_taken_at_the_start() -> Case:
    """The same truck without a base: the diesel at the depot counts, the 1,000 l in the town do not."""
    base = fuel().network
    fleet = base.fleets[0].model_copy(update={"site": None})
    stocks = (*base.stocks, Stock(site="town", good="diesel", quantity=1000))
    lanes = (lane("depot", "town", km=20, two_way=False),)
    return replace(fuel(), network=replace(base, fleets=(fleet,), stocks=stocks, lanes=lanes))


@case
def fuel_at_a_base_away_from_the_start() -> Case:
    """The truck is based in the town, where there is fuel for one trip; what the depot has is too heavy to bring."""
    base = fuel().network
    fleet = base.fleets[0].model_copy(update={"site": "town"})
    stocks = (*base.stocks, Stock(site="town", good="diesel", quantity=5))
    goods = (Good(good="rice"), Good(good="diesel", unit="barrel", kg_per_unit=1e6))
    return Case(replace(base, goods=goods, fleets=(fleet,), stocks=stocks), {("town", "rice", 1): 0.25}, trips=1)


@case
def two_modes() -> Case:
    """A ship brings rice to the port, one truck takes it on: 2 trips of 500 kg in 8 hours, half of 2 t."""
    net = network(
        1,
        sites=[Site(site="island"), Site(site="port"), Site(site="town", people=100)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="island", good="rice", quantity=9000)],
        needs=[Need(site="town", good="rice", quantity=2000)],
        lanes=[
            lane("island", "port", mode="sea"),
            lane("port", "town"),
            lane("island", "town", mode="air"),
        ],
        fleets=[
            truck(payload_t=0.5, hours_per_day=8),
            Fleet(fleet="ship", vehicles=1, payload_t=10, mode="sea"),
        ],
    )
    return Case(net, {("town", "rice", 1): 0.5}, trips=2.1, vehicle_hours=8.4)


def two_towns(fleet: Fleet) -> Network:
    """Return a depot between two towns of 100 people that need 1 t each."""
    return network(
        1,
        sites=[Site(site="depot"), Site(site="north", people=100), Site(site="south", people=100)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="depot", good="rice", quantity=9000)],
        needs=[Need(site="north", good="rice", quantity=1000), Need(site="south", good="rice", quantity=1000)],
        lanes=[lane("depot", "north"), lane("depot", "south")],
        fleets=[fleet],
    )


@case
def fleet_with_a_base() -> Case:
    """A truck based in the north serves the lane that ends there and no other."""
    net = two_towns(truck(site="north", payload_t=0.5, hours_per_day=8))
    return Case(net, {("north", "rice", 1): 1.0, ("south", "rice", 1): 0.0}, trips=2)


@case
def fleet_without_a_base() -> Case:
    """The same truck without a base shares its two trips among both towns."""
    net = two_towns(truck(payload_t=0.5, hours_per_day=8))
    return Case(net, {("north", "rice", 1): 0.5, ("south", "rice", 1): 0.5}, trips=2)


@case
def fleet_by_day() -> Case:
    """The truck comes on day 2; nothing moves before."""
    net = depot_and_town(3, stock=9000, need=100, fleet=truck(from_day=2))
    return Case(net, {("town", "rice", t): float(t > 1) for t in (1, 2, 3)}, trips=0.02)


@case
def lane_without_fleet() -> Case:
    """A lane that no fleet serves moves nothing, not even what weighs nothing."""
    goods = [Good(good="rice", kg_per_unit=0)]
    net = depot_and_town(1, stock=9000, need=100, fleet=truck(mode="rail"), goods=goods)
    return Case(net, {("town", "rice", 1): 0.0}, trips=0)


@case
def one_way_lane() -> Case:
    """The only lane leads from the town to the depot, one way: the rice stays where it is."""
    net = depot_and_town(1, stock=9000, need=100, fleet=truck(), lanes=[lane("town", "depot", two_way=False)])
    return Case(net, {("town", "rice", 1): 0.0}, trips=0)


@case
def way_back_of_a_two_way_lane() -> Case:
    """The lane is written from the town to the depot, but goes both ways."""
    net = depot_and_town(1, stock=9000, need=100, fleet=truck(), lanes=[lane("town", "depot")])
    return Case(net, {("town", "rice", 1): 1.0}, trips=0.01)


@case
def lane_tonnes() -> Case:
    """The lane bears 300 kg a day of the 1,000 needed."""
    net = depot_and_town(1, stock=9000, need=1000, fleet=truck(), lanes=[lane("depot", "town", tonnes=0.3)])
    return Case(net, {("town", "rice", 1): 0.3}, trips=0.03)


@case
def weightless_goods() -> Case:
    """Medicine that weighs nothing fills no truck: everything arrives and no trip is counted."""
    goods = [Good(good="rice", kg_per_unit=0)]
    net = depot_and_town(1, stock=9000, need=1000, fleet=truck(payload_t=0.001), goods=goods)
    return Case(net, {("town", "rice", 1): 1.0}, trips=0, vehicle_hours=0)


@case
def costs_decide() -> Case:
    """100 kg cost 100 × 1 + 0.1 t × 5,000 = 600 from the west and 100 × 2 + 0.1 t × 10 = 201 from the east."""
    net = network(
        1,
        sites=[Site(site="east"), Site(site="west"), Site(site="town", people=100)],
        goods=[Good(good="rice")],
        supplies=[Supply(site="east", good="rice", quantity=100), Supply(site="west", good="rice", quantity=100)],
        rations=[Ration(good="rice", quantity=1)],
        lanes=[lane("east", "town"), lane("west", "town")],
        fleets=[truck()],
        costs=[
            Cost(kind="buy", target="*/rice", quantity=1),
            Cost(kind="buy", target="east/rice", quantity=2),
            Cost(kind="lane", target="west>town", quantity=5000),
            Cost(kind="lane", target="*>*", quantity=10),
        ],
    )
    return Case(net, {("town", "rice", 1): 1.0}, trips=0.01, cost=201)


@case
def hours_decide_without_costs() -> Case:
    """Two depots have enough; the one that is an hour away serves, not the one that is three hours away."""
    net = network(
        1,
        sites=[Site(site="far"), Site(site="near"), Site(site="town", people=100)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="far", good="rice", quantity=500), Stock(site="near", good="rice", quantity=500)],
        rations=[Ration(good="rice", quantity=1)],
        lanes=[lane("far", "town", hours=3), lane("near", "town")],
        fleets=[truck(payload_t=0.1)],
    )
    return Case(net, {("town", "rice", 1): 1.0}, trips=1, vehicle_hours=4)


def mill_town(**tables: Any) -> Network:
    """Return a farm that takes in 100 kg of grain, and a town one lane away that mills and needs them; each capacity
    is just enough, and each scenario hits another one.
    """
    hits = (
        ("poor harvest", "supply", "farm/grain", 0.5),
        ("any supply", "supply", "*/grain", 0.6),
        ("mill breaks", "plant", "town/grind", 0.4),
        ("few trucks", "fleet", "truck", 0.3),
        ("no trucks", "fleet", "*", 0.0),
        ("narrow road", "lane", "farm>town", 0.2),
        ("narrow road told backwards", "lane", "town>farm", 0.7),
        ("closed road", "lane", "*>town", 0.0),
        ("farm hit", "site", "farm", 0.9),
        ("town hit", "site", "town", 0.8),
        ("both", "plant", "*/grind", 0.4),
        ("both", "supply", "farm/*", 0.1),
        ("next week", "lane", "*>*", 0.0),
    )
    scenarios = [
        Disruption(scenario=name, kind=kind, target=target, left=left, from_day=8 if name == "next week" else None)  # type: ignore[arg-type]
        for name, kind, target, left in hits
    ]
    basic: dict[str, Any] = {
        "sites": [Site(site="farm"), Site(site="town", people=100)],
        "goods": [Good(good="grain"), Good(good="flour")],
        "supplies": [Supply(site="farm", good="grain", quantity=100)],
        "rations": [Ration(good="flour", quantity=1)],
        "recipes": [
            RecipeLine(recipe="grind", good="grain", quantity=-1),
            RecipeLine(recipe="grind", good="flour", quantity=1),
        ],
        "plants": [Plant(site="town", recipe="grind", batches=100)],
        "lanes": [lane("farm", "town", tonnes=0.1)],
        "fleets": [truck(payload_t=0.05, hours_per_day=8)],
        "disruptions": scenarios,
    }
    return network(1, **(basic | tables))


LEFT_IN = {
    None: 1.0,
    "poor harvest": 0.5,
    "any supply": 0.6,
    "mill breaks": 0.4,
    "few trucks": 0.3,
    "no trucks": 0.0,
    "narrow road": 0.2,
    "narrow road told backwards": 0.7,
    "closed road": 0.0,
    "farm hit": 0.9,
    "town hit": 0.8,
    "both": 0.1,
    "next week": 1.0,
}
"""What each scenario leaves of the mill town's bread, by the smallest capacity on the only way."""


def _disrupted(scenario: str | None, left: float) -> Callable[[], Case]:
    return lambda: Case(mill_town(), {("town", "flour", 1): left}, scenario=scenario, batches=100 * left)


CASES.update(
    {
        f"disruption_{scenario or 'none'}".replace(" ", "_"): _disrupted(scenario, left)
        for scenario, left in LEFT_IN.items()
    }
)


@case
def smallest_left_counts() -> Case:
    """The town's lane, plant and supply halved at once leave half; shares do not multiply."""
    hits = [("lane", "farm>town", 0.5), ("plant", "*/*", 0.5), ("supply", "*/*", 0.6), ("supply", "farm/grain", 0.5)]
    rows = [Disruption(scenario="all", kind=kind, target=target, left=left) for kind, target, left in hits]  # type: ignore[arg-type]
    return Case(mill_town(disruptions=rows), {("town", "flour", 1): 0.5}, scenario="all")


@case
def needs_and_rations_merge() -> Case:
    """50 people eat 50 kg (priority 1) and the kitchen there cooks 50 kg for 200 (priority 2): one need of 100 kg."""
    net = network(
        1,
        sites=[Site(site="town", people=50)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="town", good="rice", quantity=40)],
        rations=[Ration(good="rice", quantity=1)],
        needs=[Need(site="town", good="rice", quantity=50, priority=2, people=200)],
    )
    return Case(net, {("town", "rice", 1): 0.4}, weight={("town", "rice"): 200})


@case
def need_by_days() -> Case:
    """The need is of days 2 and 3 alone, at a site without people: it counts for one person."""
    net = network(
        4,
        sites=[Site(site="clinic")],
        goods=[Good(good="oxygen", unit="bottle", kg_per_unit=40)],
        supplies=[Supply(site="clinic", good="oxygen", quantity=3, from_day=3, to_day=3)],
        needs=[Need(site="clinic", good="oxygen", quantity=5, from_day=2, to_day=3)],
    )
    coverage = {("clinic", "oxygen", 2): 0.0, ("clinic", "oxygen", 3): 0.6}
    return Case(net, coverage, weight={("clinic", "oxygen"): 1})


def bread_and_water(fairness: float, bread: float, water: float) -> Case:
    """Return a truck that carries half of what two goods need, 1 t each; bread is ten times as urgent as water."""
    net = depot_and_town(
        1,
        stock=0,
        need=0,
        fleet=truck(payload_t=0.5, hours_per_day=8),
        goods=[Good(good="bread"), Good(good="water", unit="l", priority=2)],
        stocks=[Stock(site="depot", good=good, quantity=9000) for good in ("bread", "water")],
        needs=[Need(site="town", good=good, quantity=1000) for good in ("bread", "water")],
    )
    coverage = {("town", "bread", 1): bread, ("town", "water", 1): water}
    return Case(net, coverage, fairness=fairness, weight={("town", "water"): 10})


@case
def priorities_without_fairness() -> Case:
    """At α = 0 the more urgent need takes all."""
    return bread_and_water(0, 1.0, 0.0)


@case
def priorities_with_fairness() -> Case:
    """At α = 4 a tier of bread is worth 625, 625, 256, 66.6, 24.4, 10.9, 5.6 … and one of water a tenth: six of bread,
    four of water (62.5, 62.5, 25.6, 6.66) come first.
    """
    return bread_and_water(4, 0.6, 0.4)


def unequal_towns(stock: float, fairness: float, small: float, large: float) -> Case:
    """Return two towns of 100 people that share a stock; the large need takes three times as much."""
    net = network(
        1,
        sites=[Site(site="depot"), Site(site="small", people=100), Site(site="large", people=100)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="depot", good="rice", quantity=stock)],
        needs=[Need(site="small", good="rice", quantity=100), Need(site="large", good="rice", quantity=300)],
        lanes=[lane("depot", "small"), lane("depot", "large")],
        fleets=[truck()],
    )
    return Case(net, {("small", "rice", 1): small, ("large", "rice", 1): large}, fairness=fairness)


@case
def no_fairness() -> Case:
    """α = 0 is greatest total coverage: 80 kg cover 0.8 of the small need, or 0.27 of the large one."""
    return unequal_towns(80, 0, 0.8, 0.0)


@case
def default_fairness() -> Case:
    """α = 4: a kg is worth 625, 625, 256 in the small town's tiers and 208, 208, 85 in the large one's; 30 + 50 kg."""
    return unequal_towns(80, 4, 0.3, 1 / 6)


@case
def default_fairness_with_more() -> Case:
    """180 kg: six tiers of 10 kg (10.9 a kg and more) for the small town, four of 30 kg (22.2 and more)."""
    return unequal_towns(180, 4, 0.6, 0.4)


@case
def great_fairness() -> Case:
    """α = 50 comes near max-min: both towns get a fifth."""
    return unequal_towns(80, 50, 0.2, 0.2)


@case
def nothing_to_give() -> Case:
    """There is a need and nothing at all to meet it."""
    net = network(
        2, sites=[Site(site="town", people=100)], goods=[Good(good="rice")], rations=[Ration(good="rice", quantity=1)]
    )
    return Case(net, {("town", "rice", t): 0.0 for t in (1, 2)}, trips=0, batches=0)


@case
def two_perishables_in_a_store() -> Case:
    """1,200 kg that last to day 2, beside another good that spoils: days 1 and 2 are served, day 3 is not."""
    net = network(
        3,
        sites=[Site(site="town", people=100, storage_t=1.35)],
        goods=[Good(good="milk", shelf_life_days=2.5), Good(good="meat", shelf_life_days=2.5)],
        stocks=[Stock(site="town", good="milk", quantity=1200)],
        needs=[Need(site="town", good="milk", quantity=100)],
    )
    return Case(net, {("town", "milk", t): float(t < 3) for t in (1, 2, 3)})


@case
def perishable_kept_overnight() -> Case:
    """40 kg come on day 2 and last to day 3: a fifth of the need on each of the two days."""
    net = network(
        3,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="milk", shelf_life_days=1)],
        supplies=[Supply(site="town", good="milk", quantity=40, from_day=2, to_day=2)],
        needs=[Need(site="town", good="milk", quantity=100)],
    )
    return Case(net, {("town", "milk", 1): 0.0, ("town", "milk", 2): 0.2, ("town", "milk", 3): 0.2})


@case
def another_good_is_no_substitute() -> Case:
    """There is milk, which spoils, and no rice at all: nobody gets milk for rice."""
    net = network(
        3,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="milk", shelf_life_days=1), Good(good="rice")],
        supplies=[Supply(site="town", good="milk", quantity=40)],
        needs=[Need(site="town", good="rice", quantity=100)],
    )
    return Case(net, {("town", "rice", t): 0.0 for t in (1, 2, 3)})


@case
def fuel_that_spoils() -> Case:
    """One fleet burns a good that spoils and has none at its base; the other burns none and fills the lane's 400 kg."""
    net = network(
        1,
        sites=[Site(site="port"), Site(site="town", people=100)],
        goods=[Good(good="oil", shelf_life_days=2.5)],
        supplies=[Supply(site="port", good="oil", quantity=1200)],
        needs=[Need(site="town", good="oil", quantity=1200)],
        lanes=[Lane(from_site="town", to_site="port", km=200, lead_days=0, tonnes=0.4)],
        fleets=[
            Fleet(fleet="burner", site="town", vehicles=1, payload_t=0.5, fuel="oil", fuel_per_km=0.1),
            Fleet(fleet="carts", site="port", vehicles=1, payload_t=5),
        ],
    )
    return Case(net, {("town", "oil", 1): 1 / 3}, trips=0.08)


@case
def weightless_goods_take_no_fuel() -> Case:
    """There is no diesel, but advice weighs nothing and so takes no trip: all of it arrives."""
    net = depot_and_town(
        1,
        stock=50,
        need=100,
        fleet=truck(fuel="diesel", fuel_per_km=1),
        goods=[Good(good="rice", kg_per_unit=0), Good(good="diesel")],
        lanes=[lane("depot", "town", km=10)],
    )
    return Case(
        net,
        {("town", "rice", 1): 0.5},
        trips=0,
    )


@case
def trucks_burn_what_they_bring() -> Case:
    """Diesel for trucks based in town comes with the same trip: 2 l per 50 kg, so 4 of 100 l, and 96 l are left."""
    net = depot_and_town(
        1,
        stock=100,
        need=120,
        fleet=truck(site="town", payload_t=0.05, fuel="rice", fuel_per_km=0.1),
        lanes=[lane("depot", "town", km=10)],
    )
    return Case(net, {("town", "rice", 1): 0.8}, trips=2)


@case
def room_left_by_opening_stock() -> Case:
    """The store is full on the first morning; what is eaten on day 1 makes room for what comes on day 2 for day 3."""
    net = network(
        3,
        sites=[Site(site="town", people=100, storage_t=0.1)],
        goods=[Good(good="rice")],
        stocks=[Stock(site="town", good="rice", quantity=100)],
        supplies=[Supply(site="town", good="rice", quantity=100, from_day=2, to_day=2)],
        needs=[Need(site="town", good="rice", quantity=100, from_day=t, to_day=t) for t in (1, 3)],
    )
    return Case(
        net,
        {("town", "rice", 1): 1.0, ("town", "rice", 3): 1.0},
        equilibrium_fault="a room that opening stock fills is shut to the bound, too, though the stock may leave it",
    )


@case
def dated_lot_of_a_good_that_never_spoils() -> Case:
    """Rice never spoils, but this lot has a date: what is not eaten on day 1 is gone."""
    net = network(
        2,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="rice")],
        stocks=[
            Stock(site="town", good="rice", quantity=300, expires=day(1)),
            Stock(site="town", good="rice", quantity=40),
            Stock(site="town", good="rice", quantity=500, expires=day(0)),
        ],
        needs=[Need(site="town", good="rice", quantity=100)],
    )
    return Case(net, {("town", "rice", 1): 1.0, ("town", "rice", 2): 0.4})


@case
def supplies_partly_outside_the_horizon() -> Case:
    """Supplies count on the days of theirs that the horizon has: 30 on day 1, 30 + 20 on day 2, 20 on day 3."""
    net = network(
        3,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="bread", shelf_life_days=0)],
        supplies=[
            Supply(site="town", good="bread", quantity=30, from_day=-5, to_day=2),
            Supply(site="town", good="bread", quantity=20, from_day=2, to_day=90),
            Supply(site="town", good="bread", quantity=90, from_day=4, to_day=9),
            Supply(site="town", good="bread", quantity=90, to_day=0),
        ],
        needs=[Need(site="town", good="bread", quantity=100)],
    )
    return Case(net, {("town", "bread", 1): 0.3, ("town", "bread", 2): 0.5, ("town", "bread", 3): 0.2})


@case
def a_site_hit_takes_the_hours_of_its_fleet() -> Case:
    """The base keeps half: its truck of 100 kg works 4 of 8 hours, one trip a day; the lane has no tonnes to halve."""
    net = depot_and_town(
        1,
        stock=1000,
        need=200,
        fleet=truck(payload_t=0.1, hours_per_day=8, site="depot"),
        disruptions=[Disruption(scenario="storm", kind="site", target="depot", left=0.5)],
    )
    return Case(net, {("town", "rice", 1): 0.5}, scenario="storm", trips=1)


@case
def one_of_two_one_way_lanes_closed() -> Case:
    """The way back is a lane of its own: closing it leaves the way there open."""
    net = depot_and_town(
        1,
        stock=100,
        need=100,
        fleet=truck(),
        lanes=[lane("depot", "town", two_way=False), lane("town", "depot", two_way=False)],
        disruptions=[Disruption(scenario="storm", kind="lane", target="town>depot")],
    )
    return Case(net, {("town", "rice", 1): 1.0}, scenario="storm")


@case
def no_labour_on_a_day_without_a_row() -> Case:
    """A site with hours on day 1 alone has none on day 2; bread does not keep."""
    net = network(
        2,
        **{name: bakery().rows(name) for name in ("sites", "stocks", "needs", "recipes", "plants")},
        goods=[Good(good="flour"), Good(good="bread", shelf_life_days=0)],
        labour=[Labour(site="town", hours=10, from_day=1, to_day=1)],
    )
    return Case(net, {("town", "bread", 1): 0.5, ("town", "bread", 2): 0.0}, batches=5)


@case
def reserve_larger_than_the_stock() -> Case:
    """The whole stock is under the reserve: it serves its own site and is not shipped."""
    net = depot_and_town(
        1,
        stock=50,
        need=100,
        fleet=truck(),
        sites=[Site(site="depot", people=100), Site(site="town", people=100)],
        needs=[Need(site="depot", good="rice", quantity=100), Need(site="town", good="rice", quantity=100)],
        reserves=[Reserve(site="depot", good="rice", quantity=80)],
    )
    return Case(net, {("depot", "rice", 1): 0.5, ("town", "rice", 1): 0.0}, trips=0)


@case
def a_need_where_nobody_lives() -> Case:
    """A pump without people counts as one person, against ten in town; α = 0 serves the ten first."""
    net = network(
        1,
        sites=[Site(site="pump"), Site(site="town", people=10)],
        goods=[Good(good="diesel")],
        stocks=[Stock(site="pump", good="diesel", quantity=100)],
        needs=[Need(site=site, good="diesel", quantity=100) for site in ("pump", "town")],
        lanes=[lane("pump", "town")],
        fleets=[truck()],
    )
    weight = {("pump", "diesel"): 1.0, ("town", "diesel"): 10.0}
    return Case(net, {("pump", "diesel", 1): 0.0, ("town", "diesel", 1): 1.0}, fairness=0.0, weight=weight)


@case
def a_substitute_of_a_substitute_is_none() -> Case:
    """Milk may be replaced by powder and powder by soy, but milk not by soy."""
    net = network(
        1,
        sites=[Site(site="town", people=100)],
        goods=[Good(good=good) for good in ("milk", "powder", "soy")],
        stocks=[Stock(site="town", good="soy", quantity=500), Stock(site="town", good="powder", quantity=5)],
        substitutes=[
            Substitute(good="milk", substitute="powder", quantity=0.1),
            Substitute(good="powder", substitute="soy", quantity=2),
        ],
        needs=[Need(site="town", good="milk", quantity=100), Need(site="town", good="powder", quantity=10)],
    )
    return Case(net, {("town", "milk", 1): 0.5, ("town", "powder", 1): 1.0})


@case
def a_good_both_needed_and_used() -> Case:
    """100 kg of flour are eaten as they are or baked, 1 kg to 1 kg: with equal weights half goes either way."""
    net = network(
        1,
        sites=[Site(site="town", people=100)],
        goods=[Good(good="flour"), Good(good="bread")],
        stocks=[Stock(site="town", good="flour", quantity=100)],
        needs=[Need(site="town", good=good, quantity=100) for good in ("flour", "bread")],
        recipes=[
            RecipeLine(recipe="bake", good="flour", quantity=-1),
            RecipeLine(recipe="bake", good="bread", quantity=1),
        ],
        plants=[Plant(site="town", recipe="bake", batches=1000)],
    )
    return Case(net, {("town", "flour", 1): 0.5, ("town", "bread", 1): 0.5}, batches=50)


@case
def a_fleet_without_vehicles() -> Case:
    """A fleet of no vehicles serves the lane, and carries nothing."""
    net = depot_and_town(1, stock=100, need=100, fleet=truck(vehicles=0))
    return Case(net, {("town", "rice", 1): 0.0}, trips=0)


@case
def a_way_longer_than_the_horizon() -> Case:
    """What takes five days is not there within two; sending it would only take trips."""
    net = depot_and_town(2, stock=100, need=100, fleet=truck(), lanes=[lane("depot", "town", lead_days=5)])
    return Case(net, {("town", "rice", t): 0.0 for t in (1, 2)}, trips=0)


@case
def a_single_day() -> Case:
    """One day: what takes a night does not come, what comes the same day does."""
    net = network(
        1,
        sites=[Site(site="near"), Site(site="far"), Site(site="town", people=100)],
        goods=[Good(good="rice", shelf_life_days=0)],
        stocks=[Stock(site="far", good="rice", quantity=100, expires=day(9))],
        supplies=[Supply(site="near", good="rice", quantity=30)],
        needs=[Need(site="town", good="rice", quantity=100)],
        lanes=[lane("near", "town"), lane("far", "town", lead_days=1)],
        fleets=[truck()],
    )
    return Case(net, {("town", "rice", 1): 0.3})


@case
def weightless_goods_need_a_vehicle() -> Case:
    """Advice weighs nothing, but there is no truck before day 2, when it is needed no more."""
    net = depot_and_town(
        2,
        stock=100,
        need=100,
        fleet=truck(from_day=2),
        goods=[Good(good="rice", kg_per_unit=0)],
        needs=[Need(site="town", good="rice", quantity=100, to_day=1)],
    )
    return Case(net, {("town", "rice", 1): 0.0}, trips=0)


@case
def spoiling_makes_no_room_where_recipes_use_the_oldest_lot() -> Case:
    """40 l of milk are cooked on day 1, from the lot that would spoil: 100 l stay, and half the store is left for rice.

    To cook the lasting milk and let the other spoil would leave room for 140 kg of rice; recipes do not work like that.
    """
    net = network(
        3,
        sites=[Site(site="town", people=100, storage_t=0.2)],
        goods=[Good(good="milk"), Good(good="rice"), Good(good="pudding", kg_per_unit=0)],
        stocks=[
            Stock(site="town", good="milk", quantity=40, expires=day(1)),
            Stock(site="town", good="milk", quantity=100),
        ],
        supplies=[Supply(site="town", good="rice", quantity=200, from_day=2, to_day=2)],
        needs=[
            Need(site="town", good="pudding", quantity=40, to_day=1),
            Need(site="town", good="rice", quantity=140, from_day=3),
        ],
        recipes=[
            RecipeLine(recipe="cook", good="milk", quantity=-1),
            RecipeLine(recipe="cook", good="pudding", quantity=1),
        ],
        plants=[Plant(site="town", recipe="cook", batches=40, to_day=1)],
    )
    return Case(
        net,
        {("town", "pudding", 1): 1.0, ("town", "rice", 3): 100 / 140},
        exact_fault="the model may draw a later lot and let the oldest spoil to make room; the check then refuses it",
    )
