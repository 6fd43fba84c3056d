"""A lane that somebody closes for a day: nothing leaves there on that day, all else goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import abasto
from abasto.orders import Closed, close_lanes
from abasto.planner.check import check_plan

NETWORK = abasto.read(abasto.example_path("neighbourhood"))
START = NETWORK.start


def sent(plan: abasto.Plan, start: str, end: str) -> dict[int, float]:
    """Return by day of departure what leaves from one site to the other."""
    found: dict[int, float] = {}
    for row in plan.shipments.rows():
        if (row["from"], row["to"]) == (start, end):
            found[row["departs"]] = found.get(row["departs"], 0.0) + row["quantity"]
    return found


def test_nothing_leaves_along_a_closed_lane_on_that_day_and_the_way_back_stays_open() -> None:
    before = abasto.plan(NETWORK)
    ways = {(row["from"], row["to"], row["departs"]) for row in before.shipments.rows()}
    start, end, day = min(ways)
    closed = Closed(start, end, START + timedelta(days=day - 1))
    network, scenario = close_lanes(NETWORK, [closed], None)
    assert scenario == "closed lanes"
    after = abasto.plan(network, scenario)
    assert check_plan(network, after) == []
    assert day in sent(before, start, end)
    assert day not in sent(after, start, end)
    lanes = {(lane.from_site, lane.to_site, lane.two_way) for lane in network.lanes}
    assert {(start, end, False), (end, start, False)} <= lanes
    assert {(row.target, row.from_day, row.to_day, row.left) for row in network.disruptions} - {
        (row.target, row.from_day, row.to_day, row.left) for row in NETWORK.disruptions
    } == {(f"{start}>{end}", day, day, 0.0)}


def test_a_two_way_lane_in_two_halves_plans_as_before() -> None:
    lane = next(lane for lane in NETWORK.lanes if lane.two_way)
    beyond = Closed(lane.from_site, lane.to_site, START)
    network, scenario = close_lanes(NETWORK, [beyond], None)
    open_again = replace(network, disruptions=NETWORK.disruptions)
    assert scenario is not None
    assert len(network.lanes) == len(NETWORK.lanes) + 1
    assert abs(abasto.plan(open_again).objective / abasto.plan(NETWORK).objective - 1) < 1e-6


def test_closing_holds_in_the_scenario_that_is_planned_for() -> None:
    lane = NETWORK.lanes[0]
    network, scenario = close_lanes(NETWORK, [Closed(lane.from_site, lane.to_site, START)], "lockout")
    assert scenario == "lockout"
    assert network.scenarios == NETWORK.scenarios


def test_what_is_not_there_closes_nothing() -> None:
    nothing = [
        Closed("Mill", "nowhere", START),
        Closed(NETWORK.lanes[0].from_site, NETWORK.lanes[0].to_site, START - timedelta(days=1)),
        Closed(NETWORK.lanes[0].from_site, NETWORK.lanes[0].to_site, date(2030, 1, 1)),
    ]
    assert close_lanes(NETWORK, nothing, None) == (NETWORK, None)
