"""What a plan does otherwise than the one before, compared with plain loops over both plans' tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.hand_built import FULL, NETWORK, SHORT, hand_built_plan, plan_table
from tests.state.living import Living

from abasto.cycle import propose
from abasto.facts.kinds import OrderLoaded
from abasto.network import Fleet, Good, Lane, Network, Ration, Site, Stock
from abasto.planner.make import make_plan
from abasto.situation import plan_changes
from abasto.state.known import known

NEXT = replace(NETWORK, start=NETWORK.start + timedelta(days=1))


def test_a_plan_beside_itself_changes_nothing() -> None:
    plan = hand_built_plan()
    changes = plan_changes(plan, plan)
    assert changes.is_empty
    assert len(changes.days) == 3


def test_plans_without_a_day_in_common_have_nothing_to_compare() -> None:
    later = hand_built_plan(network=replace(NETWORK, start=date(2027, 1, 1)))
    assert plan_changes(hand_built_plan(), later).days == ()


def test_plans_of_two_days_are_compared_by_date() -> None:
    before, after = hand_built_plan(SHORT), hand_built_plan(FULL, network=NEXT)
    changes = plan_changes(before, after)
    assert changes.days == (date(2026, 11, 23), date(2026, 11, 24))
    # Day 2 and 3 of the first are day 1 and 2 of the second, in which all needs are met.
    vale, hill = changes.sites
    assert (vale.site, hill.site) == ("hill", "vale"), "the one with the smaller gain first"
    shares = [(SHORT["hill", "bread"][day], 1.0) for day in (1, 2)] + [
        (SHORT["hill", "milk"][day], 0.1) for day in (1, 2)
    ]
    assert vale.first == pytest.approx(sum(share * weight for share, weight in shares) / 2.2)
    assert (vale.second, vale.need, vale.need_first, vale.from_day) == (1.0, "bread", pytest.approx(0.55), 1)
    assert vale.people_days == pytest.approx(300 * (0.5 + 0.4))
    of_bread = next(need for need in changes.needs if need.need == "bread")
    assert (of_bread.needed, of_bread.met_second) == (60.0, 60.0)
    assert of_bread.met_first == pytest.approx(10 * (0.5 + 0.6 + 0.3 + 0.1 + 1 + 1))
    assert (of_bread.sites_gain, of_bread.sites_lose) == (2, 0)


def test_the_greatest_loss_stands_first_and_what_gains_last() -> None:
    worse = {**SHORT, ("isle", "bread"): (0.0, 0.0, 0.0), ("vale", "milk"): (1.0, 1.0, 1.0)}
    changes = plan_changes(hand_built_plan(SHORT), hand_built_plan(worse))
    assert [(site.site, site.change > 0) for site in changes.sites] == [("isle", False), ("vale", True)]
    assert (changes.sites[0].need, changes.sites[0].from_day) == ("bread", 1)


def test_fleets_and_shipments_change_by_date() -> None:
    first = replace(hand_built_plan(), shipments=plan_table("shipments", [
        ("port", "hill", "bread", None, 1, 1, 40.0, "carts"), ("port", "hill", "bread", None, 2, 2, 40.0, "carts"),
        ("port", "isle", "milk", None, 3, 3, 5.0, "van"),
    ]))  # fmt: skip
    second = replace(hand_built_plan(network=NEXT), shipments=plan_table("shipments", [
        ("port", "hill", "bread", None, 1, 1, 30.0, "carts"), ("port", "isle", "milk", None, 2, 2, 5.001, "van"),
        ("hill", "vale", "bread", None, 3, 3, 9.0, "carts"),
    ]))  # fmt: skip
    changes = plan_changes(first, second)
    assert [(one.departs, one.to_site, one.first, one.second) for one in changes.shipments] == [
        (date(2026, 11, 23), "hill", 40.0, 30.0)
    ], "the last is on a day that only the second plans, and a thousandth of a litre is no change"
    # Carts drive 4 hours on the 23rd in the first plan (its day 2), 20 + 4 on the 23rd and 24th in the second.
    assert {fleet.fleet: (fleet.first, fleet.second) for fleet in changes.fleets} == {"carts": (4.0, 24.0)}


def test_issued_orders_are_the_shipments_they_were_planned_as() -> None:
    start = date(2026, 11, 22)
    village = Network(
        "Village", start, 3,
        sites=(Site(site="depot"), Site(site="shop", people=100)),
        goods=(Good(good="rice"),),
        stocks=(Stock(site="depot", good="rice", quantity=300),),
        rations=(Ration(good="rice", quantity=1),),
        lanes=(Lane(from_site="depot", to_site="shop", km=40),),
        fleets=(Fleet(fleet="vans", site="depot", vehicles=1, payload_t=0.1, hours_per_day=4),),
    )  # fmt: skip
    living = Living(village)
    proposal = propose(living.state, start, solver="exact")
    entries = living.say(*proposal.orders)
    again = known(living.state, start)
    assert again.order_of
    second = make_plan(again.network, solver="exact")
    changes = plan_changes(proposal.rounded.plan, second, seen_first=proposal.known, seen_second=again)
    assert changes.is_empty
    assert not plan_changes(proposal.rounded.plan, second).is_empty, "without what is known, an order is a place"
    # On the next day what was loaded the day before is on its way, and only the days in common count.
    for entry, order in zip(entries, proposal.orders, strict=True):
        living.say(OrderLoaded(entry.id, order.lines, start.isoformat()))
    tomorrow = known(living.state, start + timedelta(days=1))
    third = make_plan(tomorrow.network, solver="exact")
    changes = plan_changes(proposal.rounded.plan, third, seen_first=proposal.known, seen_second=tomorrow)
    assert len(changes.days) == 2
    assert all(one.departs > start for one in changes.shipments)
