"""The neighbourhood example: a dozen invented places whose plan can be followed with pencil and paper."""

from __future__ import annotations

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
    Reserve,
    Site,
    Stock,
    Substitute,
    Supply,
)

BLOCKS = {"Hill": 800, "Station": 1000, "River": 600, "Park": 400, "Harbour": 700}
"""The people who live in each block."""

BICYCLE_KM_PER_HOUR = 10.0
BICYCLE_KM = {
    ("North bakery", "Hill"): 1,
    ("North bakery", "Station"): 2,
    ("North bakery", "Park"): 2,
    ("North bakery", "Clinic"): 1,
    ("South bakery", "River"): 1,
    ("South bakery", "Harbour"): 2,
    ("South bakery", "Station"): 3,
    ("South bakery", "School"): 1,
    ("Market", "Hill"): 2,
    ("Market", "Station"): 1,
    ("Market", "River"): 2,
    ("Market", "Park"): 2,
    ("Market", "Harbour"): 3,
    ("Market", "School"): 1,
    ("Market", "Clinic"): 2,
}


def neighbourhood() -> Network:
    """Return the network of the example: bread and milk for 3,500 people, a school and a clinic in one week."""
    return Network(
        name="Neighbourhood",
        start=date(2027, 3, 1),
        days=7,
        sites=_sites(),
        goods=(
            Good(good="flour"),
            Good(good="bread", shelf_life_days=2),
            Good(good="milk", unit="litre", shelf_life_days=3, priority=2),
            Good(good="milk powder", priority=2),
        ),
        stocks=(
            Stock(site="Mill", good="flour", quantity=1400),
            Stock(site="North bakery", good="flour", quantity=240),
            Stock(site="South bakery", good="flour", quantity=160),
            Stock(site="Market", good="milk", quantity=100),
            Stock(site="Clinic", good="milk powder", quantity=5),
        ),
        supplies=(
            Supply(site="Mill", good="flour", quantity=300),
            Supply(site="Dairy", good="milk", quantity=400),
        ),
        rations=(Ration(good="bread", quantity=0.2), Ration(good="milk", quantity=0.1)),
        needs=_needs(),
        reserves=(Reserve(site="Clinic", good="milk powder", quantity=5),),
        substitutes=(Substitute(good="milk", substitute="milk powder", quantity=0.125),),
        recipes=(
            RecipeLine(recipe="baking", good="flour", quantity=-80),
            RecipeLine(recipe="baking", good="bread", quantity=100),
        ),
        plants=(
            Plant(site="North bakery", recipe="baking", batches=6, hours_per_batch=2),
            Plant(site="South bakery", recipe="baking", batches=3),
        ),
        labour=(Labour(site="North bakery", hours=10),),
        lanes=_lanes(),
        fleets=(
            Fleet(fleet="mill van", site="Mill", vehicles=1, payload_t=0.3, hours_per_day=4, handling_hours=0.5),
            Fleet(fleet="milk lorry", site="Dairy", vehicles=1, payload_t=0.5, hours_per_day=6, handling_hours=1),
            Fleet(
                fleet="bicycles",
                vehicles=3,
                payload_t=0.05,
                hours_per_day=5,
                handling_hours=0.2,
                mode="bicycle",
            ),
        ),
        disruptions=(
            Disruption(scenario="lockout", kind="fleet", target="mill van", left=0.2),
            Disruption(scenario="lockout", kind="fleet", target="milk lorry", left=0.2),
        ),
    )


def _sites() -> tuple[Site, ...]:
    places = (
        Site(site="Mill", lat=-33.02, lon=-71.50),
        Site(site="Dairy", lat=-33.25, lon=-71.35),
        Site(site="North bakery", lat=-33.035, lon=-71.585),
        Site(site="South bakery", lat=-33.062, lon=-71.590),
        Site(site="Market", lat=-33.048, lon=-71.600, storage_t=1),
        Site(site="School", lat=-33.055, lon=-71.597),
        Site(site="Clinic", lat=-33.038, lon=-71.592),
    )
    corners = {
        "Hill": (-33.030, -71.590),
        "Station": (-33.047, -71.606),
        "River": (-33.068, -71.598),
        "Park": (-33.036, -71.606),
        "Harbour": (-33.066, -71.612),
    }
    blocks = (
        Site(site=block, lat=corners[block][0], lon=corners[block][1], people=people)
        for block, people in BLOCKS.items()
    )
    return (*places, *blocks)


def _needs() -> tuple[Need, ...]:
    """The school eats from Monday to Friday; the clinic every day, and its milk is as urgent as bread."""
    return (
        Need(site="School", good="bread", quantity=40, from_day=1, to_day=5, people=400),
        Need(site="School", good="milk", quantity=40, from_day=1, to_day=5, people=400),
        Need(site="Clinic", good="bread", quantity=10, people=50),
        Need(site="Clinic", good="milk", quantity=10, priority=1, people=50),
    )


def _lanes() -> tuple[Lane, ...]:
    """Two roads for the van, one for the lorry, and streets and paths for bicycles."""
    roads = (
        Lane(from_site="Mill", to_site="North bakery", km=10),
        Lane(from_site="Mill", to_site="South bakery", km=15),
        Lane(from_site="Dairy", to_site="Market", km=40),
    )
    paths = (
        Lane(from_site=start, to_site=end, km=km, hours=km / BICYCLE_KM_PER_HOUR, mode="bicycle")
        for (start, end), km in BICYCLE_KM.items()
    )
    return (*roads, *paths)
