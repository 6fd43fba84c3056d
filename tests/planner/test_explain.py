"""The causes of shortages are true of the plan they stand in, and every shortage has one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from networks import CASES, depot_and_town, lane, truck
from random_networks import networks

from abasto.network import Fleet, Network, Site, Supply
from abasto.planner.binding import some_of
from abasto.planner.make import make_plan
from abasto.planner.plan import Plan
from abasto.planner.reasons import days_in_words
from abasto.planner.tabulate import Shortage

DAYS = r"on days? (?P<first>\d+)(?: to (?P<last>\d+))?"
VEHICLES = re.compile(rf"(?P<nearly>nearly )?all vehicles of (?P<what>\S+) are taken {DAYS}([;,]|$)")
SUPPLY = re.compile(rf"(?P<nearly>nearly )?all (?P<good>\S+) that (?P<what>\S+) can take in is taken {DAYS}([;,]|$)")


def days_named(found: re.Match[str]) -> range:
    first = int(found["first"])
    return range(first, int(found["last"] or first) + 1)


def holds_on(row: Any, day: int, network: Network) -> bool:
    return (row.from_day or 1) <= day <= (row.to_day or network.days)


def hours_taken(plan: Plan, fleet: Fleet, day: int) -> float:
    """Return the share of a fleet's vehicle-hours that the plan's trips take on a day."""
    taken = sum(row["vehicle_hours"] for row in plan.trips.rows() if (row["fleet"], row["day"]) == (fleet.fleet, day))
    return float(taken) / (fleet.vehicles * fleet.hours_per_day)


def supply_taken(plan: Plan, site: str, good: str, day: int) -> float:
    """Return the share of what may be taken in of a good at a site that is taken in on a day."""
    offered = sum(
        row.quantity
        for row in plan.network.supplies
        if (row.site, row.good) == (site, good) and holds_on(row, day, plan.network)
    )
    rows = plan.intake.rows()
    taken = sum(row["quantity"] for row in rows if (row["site"], row["good"], row["day"]) == (site, good, day))
    return float(taken) / offered


@given(networks())
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_what_is_said_to_be_taken_is_taken(drawn: tuple[Network, str | None]) -> None:
    plan = make_plan(drawn[0], solver="exact")
    fleets = {row.fleet: row for row in plan.network.fleets}
    for row in plan.shortages.rows():
        assert row["cause"]
        assert row["remedy"]
        if found := VEHICLES.match(row["cause"]):
            for day in days_named(found):
                assert hours_taken(plan, fleets[found["what"]], day) >= (0.9 if found["nearly"] else 0.99) - 1e-6
        if found := SUPPLY.match(row["cause"]):
            for day in days_named(found):
                taken = supply_taken(plan, found["what"], found["good"], day)
                assert taken >= (0.9 if found["nearly"] else 0.99) - 1e-6


def test_a_binding_fleet_is_named_for_all_days_of_the_run() -> None:
    plan = make_plan(CASES["vehicle_hours_bind"]().network)
    (row,) = plan.shortages.rows()
    assert row["cause"] == "all vehicles of truck are taken on days 1 to 2"
    assert row["remedy"] == "more vehicle-hours for truck on days 1 to 2"


def test_what_comes_too_late_says_when_it_could_come() -> None:
    late = depot_and_town(4, stock=500, need=100, fleet=truck(), lanes=[lane("depot", "town", lead_days=3)])
    (row,) = make_plan(late).shortages.rows()
    assert (row["from"], row["to"]) == (1, 3)
    assert row["cause"] == "no rice can be at town before day 4: lane depot>town takes 3 days"


def test_a_stock_that_is_left_over_is_not_said_to_be_used_up() -> None:
    plan = make_plan(
        depot_and_town(
            2,
            stock=1000,
            need=100,
            fleet=truck(vehicles=0),
            sites=[Site(site="depot"), Site(site="town", people=100)],
            supplies=[Supply(site="town", good="rice", quantity=10)],
        )
    )
    (row,) = plan.shortages.rows()
    assert row["cause"] == "all rice that town can take in is taken on days 1 to 2"


@pytest.mark.parametrize(
    ("days", "words"),
    [({4}, "on day 5"), ({0, 1}, "on days 1 to 2"), ({0, 2, 3}, "on 3 of days 1 to 4")],
)
def test_days_are_told_as_people_say_them(days: set[int], words: str) -> None:
    assert days_in_words(days) == words


@pytest.mark.parametrize(
    ("run", "most", "chosen"),
    [
        (Shortage(5, 7), 7, [5, 6, 7]),
        (Shortage(0, 13), 7, [0, 2, 4, 6, 9, 11, 13]),
        (Shortage(10, 20), 1, [15]),
    ],
)
def test_long_runs_are_sampled_from_end_to_end(run: Shortage, most: int, chosen: list[int]) -> None:
    assert some_of(run, most) == chosen
