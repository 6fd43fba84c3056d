"""The national example: real towns of Chile (GeoNames, CC BY 4.0); everything else about them is invented here.

Each good flows from its nearest source along shortest ways; sources, plants and trucks are given somewhat more than
that takes. So the undisturbed network covers nearly every need, and what the scenarios take away is missed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

from abasto.network import (
    Disruption,
    Fleet,
    Good,
    Labour,
    Lane,
    Need,
    Network,
    Plant,
    Ration,
    RecipeLine,
    Site,
    Stock,
    Supply,
)
from country import Country, add_up
from towns import Town, bases_among, largest_towns, road_ways

DAYS = 14
TOWNS = 131

GOODS = {
    "wheat": Good(good="wheat"),
    "flour": Good(good="flour"),
    "bread": Good(good="bread", shelf_life_days=2, priority=1),
    "milk": Good(good="milk", unit="litre", kg_per_unit=1.03, shelf_life_days=4, priority=1),
    "potatoes": Good(good="potatoes", shelf_life_days=60, priority=2),
    "oil": Good(good="oil", name="cooking oil", unit="litre", kg_per_unit=0.92, priority=2),
    "gas": Good(good="gas", name="cooking gas", unit="cylinder", kg_per_unit=30, priority=2),
    "diesel": Good(good="diesel", unit="litre", kg_per_unit=0.84, priority=1),
}

RATIONS = {"bread": 0.24, "milk": 0.15, "potatoes": 0.15, "oil": 0.03, "gas": 0.015}
"""Need per person and day, assumed; the README gives the reasoning."""

HOSPITAL_DIESEL_LITRES_PER_PERSON = 0.003
PEOPLE_PER_PATIENT = 100

FLOUR_KG_PER_BREAD_KG = 0.78
WHEAT_KG_PER_FLOUR_KG = 1.28
BREAD_KG_PER_BATCH = 100
FLOUR_KG_PER_BATCH = 1000
BAKING_HOURS_PER_BATCH = 1.5
MILLING_HOURS_PER_BATCH = 2.0

SOURCES = {
    "wheat": ("San Antonio", "Talcahuano", "Antofagasta", "Iquique", "Los Ángeles", "Victoria", "Osorno"),
    "milk": ("Osorno", "Puerto Montt", "Temuco", "Antofagasta", "Arica"),
    "potatoes": ("Puerto Varas", "Castro", "Carahue", "Cañete", "Antofagasta", "Arica"),
    "oil": ("San Antonio", "Valparaíso", "Talcahuano", "Iquique", "Los Ángeles"),
    "gas": ("Concón", "Talcahuano", "San Antonio", "Antofagasta", "Puerto Montt", "Punta Arenas"),
    "diesel": ("Concón", "Talcahuano", "Antofagasta", "Iquique", "Puerto Montt", "Punta Arenas"),
}
"""Where goods enter: ports, and farm country for wheat, milk and potatoes."""

MILLS = (
    "Santiago",
    "San Antonio",
    "Rancagua",
    "Talca",
    "Chillán",
    "Concepción",
    "Temuco",
    "Osorno",
    "Iquique",
    "Antofagasta",
)
BAKERY_PEOPLE = 30_000
"""Towns of this size have bakeries; smaller ones get their bread from the nearest that has."""
SHARED_LABOUR = ("Santiago", "Concepción", "Temuco", "Rancagua", "Talca")
"""Towns where mill and bakeries draw on the same working hours."""

STOCK_DAYS = {"wheat": 6.0, "flour": 3.0, "bread": 0.5, "milk": 1.0, "potatoes": 4.0, "oil": 7.0, "gas": 5.0}
DIESEL_STOCK_DAYS = 5.0
FAR_STOCK_DAYS = {"flour": 12.0, "milk": 4.0, "potatoes": 10.0, "oil": 12.0, "gas": 8.0}
"""Towns that only ships reach keep more at hand."""

SEA_KM = {
    ("Puerto Montt", "Ancud"): 90,
    ("Puerto Montt", "Castro"): 190,
    ("Quellón", "Puerto Aysén"): 330,
    ("Puerto Montt", "Puerto Aysén"): 500,
    ("Puerto Montt", "Puerto Natales"): 1400,
    ("Puerto Montt", "Punta Arenas"): 1700,
    ("Talcahuano", "Puerto Montt"): 780,
    ("San Antonio", "Talcahuano"): 420,
    ("Valparaíso", "Antofagasta"): 1080,
    ("Antofagasta", "Iquique"): 400,
    ("Antofagasta", "Arica"): 600,
}
"""Lengths of the sea lanes: invented, somewhat longer than the straight line."""
SHIP_KM_PER_HOUR = 26.0

TRUCK = Fleet(fleet="truck", vehicles=1, payload_t=15, handling_hours=2)
SHIP = Fleet(fleet="coastal ships", vehicles=8, payload_t=600, hours_per_day=24, handling_hours=10, mode="sea")
SHIP_DEARNESS = 60.0
"""An hour of a ship is worth this many hours of a truck, so that goods take the road where there is one."""
DIESEL_LITRES_PER_KM = 0.35
FUEL_BASES = ("Santiago", "Antofagasta", "Concepción", "Puerto Montt", "Temuco", "Rancagua", "Iquique", "Punta Arenas")
"""Bases whose trucks burn diesel from the plan; the others bring their own."""

SPARE_SUPPLY = 1.15
SPARE_PLANT = 1.2
SPARE_LABOUR = 1.1
SPARE_TRUCKS = 1.3
"""How much more there is than the shortest ways take."""

SOUTH_OF_LATITUDE = -38.1
PORTS_HIT = ("San Antonio", "Valparaíso", "Talcahuano", "Concón")


def national() -> Network:
    """Return the network of the example: bread, milk, potatoes, oil and gas for the larger towns in two weeks."""
    towns = largest_towns(TOWNS)
    bases = bases_among(towns)
    lanes = _lanes(towns, bases)
    based = {towns[base].name for base in bases}
    country = Country(
        tuple(town.name for town in towns), lanes, {"road": TRUCK, "sea": SHIP}, {"road": 1.0, "sea": SHIP_DEARNESS}
    )
    flows = Flows(country, towns, based)
    fleets = _fleets(flows, based)
    return Network(
        name="Chile, 131 towns",
        start=date(2027, 3, 1),
        days=DAYS,
        sites=tuple(Site(site=town.name, lat=town.lat, lon=town.lon, people=town.people) for town in towns),
        goods=tuple(GOODS.values()),
        stocks=_stocks(flows, towns),
        supplies=tuple(
            Supply(site=town, good=good, quantity=_round_up(SPARE_SUPPLY * 1000 * tonnes / GOODS[good].kg_per_unit))
            for good, given in flows.supplied.items()
            for town, tonnes in given.items()
        ),
        rations=tuple(Ration(good=good, quantity=quantity) for good, quantity in RATIONS.items()),
        needs=_hospital_needs(towns, based),
        recipes=(
            RecipeLine(recipe="milling", good="wheat", quantity=-WHEAT_KG_PER_FLOUR_KG * FLOUR_KG_PER_BATCH),
            RecipeLine(recipe="milling", good="flour", quantity=FLOUR_KG_PER_BATCH),
            RecipeLine(recipe="baking", good="flour", quantity=-FLOUR_KG_PER_BREAD_KG * BREAD_KG_PER_BATCH),
            RecipeLine(recipe="baking", good="bread", quantity=BREAD_KG_PER_BATCH),
        ),
        plants=_plants(flows),
        labour=_labour(flows),
        lanes=lanes,
        fleets=fleets,
        disruptions=(*_lockout(fleets), *_ports(flows), *_south(towns, lanes)),
    )


class Flows:
    """What the undisturbed day takes: tonnes a day given by sources, mills and bakeries, and carried by lanes."""

    def __init__(self, country: Country, towns: tuple[Town, ...], based: set[str]) -> None:
        self.country = country
        people = {town.name: town.people for town in towns}
        eaten = {
            good: {town: people[town] * ration * GOODS[good].kg_per_unit / 1000 for town in people}
            for good, ration in RATIONS.items()
        }
        bakeries = [town.name for town in towns if town.people >= BAKERY_PEOPLE]
        self.baked, by_bread = country.spread(bakeries, eaten["bread"])
        self.flour_used = {town: FLOUR_KG_PER_BREAD_KG * tonnes for town, tonnes in self.baked.items()}
        self.milled, by_flour = country.spread(MILLS, self.flour_used)
        self.wheat_used = {town: WHEAT_KG_PER_FLOUR_KG * tonnes for town, tonnes in self.milled.items()}
        demand = {"wheat": self.wheat_used, "milk": eaten["milk"], "potatoes": eaten["potatoes"]}
        demand |= {"oil": eaten["oil"], "gas": eaten["gas"]}
        spread = {good: country.spread(SOURCES[good], tonnes) for good, tonnes in demand.items()}
        self.supplied = {good: given for good, (given, _) in spread.items()}
        self.carried = add_up([by_bread, by_flour, *(carried for _, carried in spread.values())])
        self.diesel_used = self._diesel(people, based)
        self.supplied["diesel"], by_diesel = country.spread(SOURCES["diesel"], self.diesel_used)
        self.carried = add_up([self.carried, by_diesel])

    def truck_trips(self, based: set[str]) -> dict[str, list[tuple[float, Lane]]]:
        """Return, by base, the trips a day its trucks make along each lane; two bases share a lane half and half."""
        lanes = {(lane.from_site, lane.to_site): lane for lane in self.country.lanes if lane.mode == "road"}
        trips: dict[str, list[tuple[float, Lane]]] = {base: [] for base in based}
        for (start, end), tonnes in self.carried.items():
            lane = lanes.get((start, end)) or lanes.get((end, start))
            ends = [town for town in (start, end) if town in based]
            if lane is None:
                continue  # a sea lane
            for base in ends:
                trips[base].append((tonnes / TRUCK.payload_t / len(ends), lane))
        return trips

    def _diesel(self, people: Mapping[str, int], based: set[str]) -> dict[str, float]:
        litres = {town: people[town] * HOSPITAL_DIESEL_LITRES_PER_PERSON for town in people if town in based}
        for base, trips in self.truck_trips(based).items():
            if base in FUEL_BASES:
                litres[base] += sum(2 * lane.km * DIESEL_LITRES_PER_KM * count for count, lane in trips)
        return {town: amount * GOODS["diesel"].kg_per_unit / 1000 for town, amount in litres.items()}


def _lanes(towns: tuple[Town, ...], bases: tuple[int, ...]) -> tuple[Lane, ...]:
    roads = (Lane(from_site=towns[way.a].name, to_site=towns[way.b].name, km=way.km) for way in road_ways(towns, bases))
    sea = (
        Lane(from_site=start, to_site=end, km=km, hours=round(km / SHIP_KM_PER_HOUR), mode="sea")
        for (start, end), km in SEA_KM.items()
    )
    return (*roads, *sea)


def _fleets(flows: Flows, based: set[str]) -> tuple[Fleet, ...]:
    fleets = []
    for base, trips in flows.truck_trips(based).items():
        hours = sum(count * (2 * lane.travel_hours + TRUCK.handling_hours) for count, lane in trips)
        burns = base in FUEL_BASES
        fleets.append(
            Fleet(
                fleet=f"{base} trucks",
                site=base,
                vehicles=max(2, _round_up(SPARE_TRUCKS * hours / TRUCK.hours_per_day)),
                payload_t=TRUCK.payload_t,
                fuel="diesel" if burns else None,
                fuel_per_km=DIESEL_LITRES_PER_KM if burns else 0.0,
            )
        )
    fleets.sort(key=lambda fleet: (-fleet.vehicles, fleet.fleet))
    return (*fleets, SHIP)


def _stocks(flows: Flows, towns: tuple[Town, ...]) -> tuple[Stock, ...]:
    """Some days of what each town eats, bakes, mills and burns."""
    stocks = []
    for town in towns:
        days = STOCK_DAYS if town.land == "mainland" else STOCK_DAYS | FAR_STOCK_DAYS
        a_day = {good: town.people * ration * GOODS[good].kg_per_unit / 1000 for good, ration in RATIONS.items()}
        a_day["wheat"] = flows.wheat_used.get(town.name, 0.0)
        a_day["flour"] = flows.flour_used.get(town.name, 0.0)
        stocks += [
            Stock(site=town.name, good=good, quantity=_round(days[good] * 1000 * tonnes / GOODS[good].kg_per_unit))
            for good, tonnes in a_day.items()
            if tonnes > 0
        ]
    litres = {town: 1000 * tonnes / GOODS["diesel"].kg_per_unit for town, tonnes in flows.diesel_used.items()}
    diesel = [
        Stock(site=town, good="diesel", quantity=_round(DIESEL_STOCK_DAYS * amount)) for town, amount in litres.items()
    ]
    return (*stocks, *diesel)


def _hospital_needs(towns: tuple[Town, ...], based: set[str]) -> tuple[Need, ...]:
    """Diesel for the generators of hospitals, which serve few people at a time."""
    return tuple(
        Need(
            site=town.name,
            good="diesel",
            quantity=_round(town.people * HOSPITAL_DIESEL_LITRES_PER_PERSON),
            people=_round(town.people / PEOPLE_PER_PATIENT),
        )
        for town in towns
        if town.name in based
    )


def _plants(flows: Flows) -> tuple[Plant, ...]:
    mills = [
        Plant(
            site=town,
            recipe="milling",
            batches=_round_up(SPARE_PLANT * 1000 * tonnes / FLOUR_KG_PER_BATCH),
            hours_per_batch=MILLING_HOURS_PER_BATCH,
        )
        for town, tonnes in flows.milled.items()
    ]
    bakeries = [
        Plant(
            site=town,
            recipe="baking",
            batches=_round_up(SPARE_PLANT * 1000 * tonnes / BREAD_KG_PER_BATCH),
            hours_per_batch=BAKING_HOURS_PER_BATCH,
        )
        for town, tonnes in flows.baked.items()
    ]
    return (*mills, *bakeries)


def _labour(flows: Flows) -> tuple[Labour, ...]:
    rows = []
    for town in SHARED_LABOUR:
        milling = MILLING_HOURS_PER_BATCH * 1000 * flows.milled[town] / FLOUR_KG_PER_BATCH
        baking = BAKING_HOURS_PER_BATCH * 1000 * flows.baked[town] / BREAD_KG_PER_BATCH
        rows.append(Labour(site=town, hours=_round_up(SPARE_LABOUR * (milling + baking))))
    return tuple(rows)


def _lockout(fleets: tuple[Fleet, ...]) -> list[Disruption]:
    """Nine of ten trucks stay in their yards; the ships sail."""
    return [
        Disruption(scenario="lockout", kind="fleet", target=fleet.fleet, left=0.1)
        for fleet in fleets
        if fleet.mode == "road"
    ]


def _ports(flows: Flows) -> list[Disruption]:
    """A tenth of what the central ports take in goes on."""
    return [
        Disruption(scenario="ports", kind="supply", target=f"{port}/{good}", left=0.1)
        for port in PORTS_HIT
        for good, given in flows.supplied.items()
        if port in given
    ]


def _south(towns: tuple[Town, ...], lanes: tuple[Lane, ...]) -> list[Disruption]:
    """The roads to the south are cut, and one large town is out for its first week."""
    latitude = {town.name: town.lat for town in towns}
    cut = [
        lane
        for lane in lanes
        if lane.mode == "road"
        and (latitude[lane.from_site] < SOUTH_OF_LATITUDE) != (latitude[lane.to_site] < SOUTH_OF_LATITUDE)
    ]
    roads = [
        Disruption(scenario="south", kind="lane", target=f"{lane.from_site}>{lane.to_site}", left=0) for lane in cut
    ]
    return [*roads, Disruption(scenario="south", kind="site", target="Valdivia", from_day=1, to_day=7, left=0)]


def _round(quantity: float) -> float:
    """Return the quantity with two digits that count, and no fraction of a unit."""
    return float(max(1, round(float(f"{quantity:.2g}"))))


def _round_up(quantity: float) -> float:
    """Return the quantity rounded up to two digits that count, and to whole units."""
    step = 10.0 ** max(0, math.floor(math.log10(max(quantity, 1.0))) - 1)
    return math.ceil(round(quantity / step, 6)) * step
