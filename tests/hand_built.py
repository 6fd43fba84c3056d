"""Plans written by hand, so that what shows them can be tested without planning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from abasto.network import Disruption, Fleet, Good, Lane, Network, RecipeLine, Site
from abasto.planner.plan import PLAN_TABLES, Plan, Table

NETWORK = Network(
    "Barrio",
    date(2026, 11, 22),
    3,
    sites=(
        Site(site="port", name="The port", lat=-33.0, lon=-71.6),
        Site(site="hill", name="Hill <b>school</b>", lat=-33.1, lon=-71.5, people=300),
        Site(site="vale", name="Vale", lat=-33.2, lon=-71.4, people=100),
        Site(site="isle", people=50),
    ),
    goods=(Good(good="bread", name="Bread"), Good(good="milk", unit="l", priority=2)),
    recipes=(RecipeLine(recipe="bake", good="bread", quantity=10),),
    lanes=(
        Lane(from_site="port", to_site="hill", km=20),
        Lane(from_site="hill", to_site="vale", km=15),
        Lane(from_site="port", to_site="isle", km=5),
    ),
    fleets=(
        Fleet(fleet="carts", vehicles=2, payload_t=1, hours_per_day=10),
        Fleet(fleet="van", site="port", vehicles=1, payload_t=2, hours_per_day=8, from_day=2),
    ),
    disruptions=(
        Disruption(scenario="lockout", kind="fleet", target="carts", left=0.5),
        Disruption(scenario="lockout", kind="fleet", target="*", from_day=3, left=0.25),
    ),
)

NEEDED = {"bread": 10.0, "milk": 4.0}
PRIORITY = {"bread": 1.0, "milk": 2.0}
PEOPLE = {"hill": 300.0, "vale": 100.0, "isle": 50.0}

SHORT: Mapping[tuple[str, str], Sequence[float]] = {
    ("hill", "bread"): (1.0, 0.5, 0.6),
    ("hill", "milk"): (1.0, 1.0, 1.0),
    ("vale", "bread"): (0.2, 0.3, 0.1),
    ("vale", "milk"): (0.0, 0.0, 0.0),
    ("isle", "bread"): (1.0, 1.0, 1.0),
}
FULL: Mapping[tuple[str, str], Sequence[float]] = dict.fromkeys(SHORT, (1.0, 1.0, 1.0))


def plan_table(name: str, rows: Sequence[Sequence[Any]]) -> Table:
    """Return a plan table of the format from rows of plain values."""
    schema = next(table for table in PLAN_TABLES if table.name == name)
    kinds = {"text": np.str_, "day": np.int64, "date": "datetime64[D]", "number": np.float64}
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema.columns)
    return Table(
        {
            column.name: np.array(list(values), dtype=kinds[column.kind])
            for column, values in zip(schema.columns, columns, strict=True)
        }
    )


def hand_built_plan(
    coverage: Mapping[tuple[str, str], Sequence[float]] = SHORT,
    *,
    network: Network = NETWORK,
    scenario: str | None = None,
    status: str = "planned",
    objective: float = 1000.0,
    bound: float = 1006.0,
    cause: str = "the trucks are full",
) -> Plan:
    """Return a plan with the given coverage by site and need, some trips, some bread baked."""
    covered = [
        (site, need, PRIORITY[need], day, NEEDED[need], NEEDED[need] * share, share)
        for (site, need), shares in coverage.items()
        for day, share in enumerate(shares, start=1)
    ]
    short = [
        (site, need, 1, 3, sum(NEEDED[need] * (1 - share) for share in shares), cause, "one more truck at the port")
        for (site, need), shares in coverage.items()
        if min(shares) < 1
    ]
    trips = [
        ("carts", "port", "hill", 1, 3.0, 20.0, 2.5),
        ("carts", "hill", "vale", 2, 1.0, 4.0, 0.5),
        ("van", "port", "isle", 2, 0.5, 2.0, 0.25),
    ]
    tables = {table.name: plan_table(table.name, []) for table in PLAN_TABLES}
    tables["coverage"] = plan_table("coverage", covered)
    tables["shortages"] = plan_table("shortages", short)
    tables["trips"] = plan_table("trips", trips)
    tables["production"] = plan_table("production", [("port", "bake", 1, 4.0), ("port", "bake", 2, 2.5)])
    return Plan(
        network=network,
        scenario=scenario,
        fairness=4.0,
        solver="exact",
        status=status,
        objective=objective,
        bound=bound,
        full_value=1100.0,
        seconds=0.42,
        summary=_summary(network, covered),
        **tables,
    )


def _summary(network: Network, covered: Sequence[tuple[Any, ...]]) -> Table:
    people_days = {1.0: 0.0, 2.0: 0.0}
    met = {1.0: 0.0, 2.0: 0.0}
    for site, _, priority, _, _, _, share in covered:
        people_days[priority] += PEOPLE[site]
        met[priority] += PEOPLE[site] * share
    whole = sum(people_days.values()) or 1.0
    row: dict[str, Any] = {"sites": len(network.sites), "people": network.people}
    row |= {"needed_p1": people_days[1.0], "met_p1": met[1.0], "needed_p2": people_days[2.0], "met_p2": met[2.0]}
    row |= {"mean_coverage": sum(met.values()) / whole, "worst_5_percent_coverage": 0.05}
    row |= {"lowest_coverage": min((shares[-1] for shares in covered), default=1.0)}
    row |= {
        "vehicle_hours": 26.0,
        "cost": 0.0,
        "seconds": 0.42,
        "objective": 1000.0,
        "gap": 0.006,
        "gap_of_unmet": 0.06,
    }
    return Table({name: np.array([value]) for name, value in (row | {"solver": "exact"}).items()})
