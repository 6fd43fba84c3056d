"""A day's orders become routes that can be followed on paper: loads, hours, reloads, opening hours, what fits none."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.routes.days import DAY, NETWORK, id_of, order, route, told, whys, with_fleet

from abasto.errors import SettingError
from abasto.facts.kinds import Line
from abasto.network import Fleet, Lane
from abasto.routes import Route, plan_routes
from abasto.state.openings import Opening

TOMORROW = DAY + timedelta(days=1)


def only(routes: tuple[Route, ...]) -> Route:
    (one,) = routes
    return one


def test_small_orders_along_one_way_ride_together() -> None:
    found = route(order(1, "Mill", "Hill", 200), order(2, "Mill", "Vale", 250))
    # Half an hour to load and set out, a quarter to drive 10 km, of the other half the load's share.
    one = only(found.routes)
    assert [stop.site for stop in one.stops] == ["Mill", "Hill", "Vale", "Mill"]
    assert told(found) == ["vans 1 of 2: 07:00 Mill +200 +250, 07:45 Hill -200, 08:12 Vale -250, 08:57 Mill"]
    assert (one.km, round(one.hours, 3)) == (40.0, 1.95)
    assert [stop.kg_after for stop in one.stops] == [450.0, 250.0, 0.0, 0.0]
    assert found.unrouted == ()


def test_a_vehicle_reloads_when_both_loads_do_not_fit_at_once() -> None:
    found = route(order(1, "Mill", "Hill", 400), order(2, "Mill", "Hill", 300))
    one = only(found.routes)
    assert [stop.site for stop in one.stops] == ["Mill", "Hill", "Mill", "Hill", "Mill"]
    assert one.km == 40.0
    assert sorted(stop.kg_after for stop in one.stops) == [0.0, 0.0, 0.0, 300.0, 400.0]


def test_what_is_delivered_makes_room_for_what_is_picked_up() -> None:
    found = route(order(1, "Mill", "Vale", 400), order(2, "Vale", "Mill", 450))
    assert told(found) == ["vans 1 of 2: 07:00 Mill +400, 08:00 Vale +450 -400, 09:21 Mill -450"]


def test_goods_that_lie_elsewhere_are_fetched_and_brought_in_one_trip() -> None:
    found = route(order(1, "Hill", "Cape", 500))
    assert told(found) == ["vans 1 of 2: 07:00 Mill, 07:45 Hill +500, 08:45 Cape -500, 10:00 Mill"]


def test_an_order_beyond_a_payload_goes_in_parts_of_whole_units() -> None:
    found = route(order(1, "Mill", "Hill", 60, good="eggs"))  # 1,200 kg in boxes of 20 kg
    loads = [load for one in found.routes for stop in one.stops for load in stop.deliveries]
    assert sorted(load.quantity for load in loads) == [10_000, 25_000, 25_000]
    assert sum(load.kg for load in loads) == 1200
    assert found.unrouted == ()


def test_a_piece_that_no_vehicle_carries_is_told() -> None:
    found = route(order(1, "Mill", "Hill", 1, good="stove"))
    assert whys(found) == [("too heavy", 900.0)]
    assert (found.unrouted[0].why.needed, found.unrouted[0].why.available) == (900.0, 500.0)


def test_what_is_weighed_is_parted_finer_than_a_unit_if_it_must_be() -> None:
    network = replace(NETWORK, goods=(NETWORK.goods[0].model_copy(update={"unit": "t", "kg_per_unit": 1000.0}),))
    found = route(order(1, "Mill", "Hill", 2), network=network)
    loads = [load for one in found.routes for stop in one.stops for load in stop.deliveries]
    assert {load.quantity for load in loads} == {500, 1000} or sum(load.quantity for load in loads) == 2000
    assert max(load.kg for load in loads) <= 500.001


def test_goods_without_weight_take_a_vehicle_and_no_room() -> None:
    found = route(order(1, "Mill", "Hill", 900, good="leaflets"), order(2, "Mill", "Hill", 500))
    assert len(found.routes) == 1
    assert [stop.site for stop in found.routes[0].stops] == ["Mill", "Hill", "Mill"]


def test_the_day_of_a_vehicle_ends_after_its_hours() -> None:
    # There and back with a full load takes an hour and a half: five trips in eight hours, ten for two vans.
    orders = [order(number, "Mill", "Hill", 500) for number in range(12)]
    found = route(*orders)
    assert sum(len(one.orders) for one in found.routes) == 10
    assert whys(found) == [("taken", 500.0)] * 2
    assert {one.why.available for one in found.unrouted} == {2.0}
    assert all(one.hours <= 8.02 for one in found.routes)


def test_a_vehicle_waits_until_a_site_opens_and_starts_no_earlier_than_it_must() -> None:
    found = route(order(1, "Mill", "Hill", 500), openings={"Hill": ("10:00", "11:00")})
    one = only(found.routes)
    assert (one.stops[1].arrives.time(), one.stops[1].leaves.time()) == (time(10), time(10, 30))
    assert one.begins.time() == time(9, 15)


def test_a_site_that_closes_before_anybody_could_be_done_is_told() -> None:
    found = route(order(1, "Mill", "Hill", 500), openings={"Hill": ("06:00", "08:00")})
    assert whys(found) == [("opening hours", 500.0)]
    assert found.unrouted[0].why.site == "Hill"
    assert route(order(1, "Mill", "Hill", 500), openings={"Hill": ("06:00", "08:15")}).unrouted == ()


def test_a_base_that_closes_before_the_vehicle_is_back_is_told() -> None:
    found = route(order(1, "Mill", "Hill", 500), openings={"Mill": ("07:00", "08:00")})
    assert [(one.why.obstacle, one.why.site) for one in found.unrouted] == [("opening hours", "Mill")]


def test_a_site_that_is_closed_all_day_is_told() -> None:
    found = route(order(1, "Mill", "Hill", 5), order(2, "Mill", "Vale", 5), openings={"Hill": ("00:00", "00:00")})
    assert [(one.why.obstacle, one.why.site) for one in found.unrouted] == [("closed", "Hill")]
    assert only(found.routes).orders == (id_of(2),)


def test_a_site_that_no_lane_of_the_fleet_reaches_is_told() -> None:
    assert whys(route(order(1, "Mill", "Isle", 5))) == [("no way", 5.0)]


def test_a_fleet_that_does_not_drive_on_the_day_is_told() -> None:
    later = with_fleet(from_day=2)
    assert whys(route(order(1, "Mill", "Hill", 5), network=later)) == [("no fleet", 5.0)]
    assert whys(route(order(1, "Mill", "Hill", 5, fleet="ghosts"))) == [("no fleet", 5.0)]
    assert whys(route(order(1, "Mill", "Hill", 5), network=with_fleet(hours_per_day=0))) == [("no time", 5.0)]


def test_a_part_of_a_vehicle_drives_nothing() -> None:
    found = route(order(1, "Mill", "Hill", 5), network=with_fleet(vehicles=0.9))
    assert whys(found) == [("no vehicle", 5.0)]
    assert route(order(1, "Mill", "Hill", 5), network=with_fleet(vehicles=1.9)).routes[0].vehicles == 1


def test_vehicles_without_a_base_start_where_goods_are_and_fetch_from_several_places() -> None:
    found = route(order(1, "Hill", "Vale", 100, fleet="carts"), order(2, "Vale", "Cape", 80, fleet="carts"))
    assert told(found) == ["carts 1 of 1: 07:00 Hill +100, 07:30 Vale +80 -100, 08:12 Cape -80"]
    assert (found.routes[0].base, found.routes[0].km) == ("", 20.0)


def test_fleets_share_orders_only_if_they_may() -> None:
    lorries = Fleet(fleet="lorries", site="Mill", vehicles=1, payload_t=2, hours_per_day=8, handling_hours=1)
    network = replace(NETWORK, fleets=(*NETWORK.fleets, lorries))
    orders = [
        order(1, "Mill", "Hill", 400),
        order(2, "Mill", "Hill", 300),
        order(3, "Mill", "Vale", 50, fleet="lorries"),
    ]
    apart = route(*orders, network=network)
    assert {(one.fleet, len(one.orders)) for one in apart.routes} == {("vans", 2), ("lorries", 1)}
    mixed = route(*orders, network=network, mixed=True)
    assert [(one.fleet, len(one.orders)) for one in mixed.routes] == [("lorries", 3)]
    assert mixed.km < apart.km


def test_a_trip_of_several_days_takes_its_vehicle_as_a_whole() -> None:
    far = replace(NETWORK, lanes=(*NETWORK.lanes, Lane(from_site="Mill", to_site="Isle", km=900)))  # 22.5 h: 1 day
    found = route(order(1, "Mill", "Isle", 300, arrives=TOMORROW), order(2, "Mill", "Isle", 150, arrives=TOMORROW),
                  order(3, "Mill", "Hill", 10), network=far)  # fmt: skip
    long, short = sorted(found.routes, key=lambda one: not one.is_long)
    assert (long.is_long, short.is_long) == (True, False)
    assert [stop.arrives.date() for stop in long.stops] == [DAY, TOMORROW, date(2026, 12, 5)]
    assert (long.km, long.orders) == (1800.0, (id_of(1), id_of(2)))
    assert [one.number for one in found.routes] == [1, 2]


def test_an_order_that_arrives_today_but_takes_a_vehicle_past_its_hours_keeps_it_overnight() -> None:
    found = route(order(1, "Mill", "Cape", 500), network=with_fleet(hours_per_day=2))
    one = only(found.routes)
    assert [stop.arrives.date() for stop in one.stops] == [DAY, DAY, TOMORROW]
    assert one.is_long


def test_vehicles_that_are_not_back_yet_are_not_sent_out() -> None:
    far = replace(NETWORK, lanes=(*NETWORK.lanes, Lane(from_site="Mill", to_site="Isle", km=900)))
    gone = [
        order(1, "Mill", "Isle", 500, departs=DAY - timedelta(days=1), arrives=DAY, status="loaded"),
        order(2, "Mill", "Isle", 500, departs=DAY - timedelta(days=2), arrives=DAY, status="received"),
        order(3, "Mill", "Isle", 500, departs=DAY - timedelta(days=9), status="received"),
        order(4, "Mill", "Isle", 500, departs=DAY - timedelta(days=1), arrives=DAY),  # never left
        order(5, "Mill", "Hill", 500, departs=DAY - timedelta(days=1), status="loaded"),  # came back at noon
    ]
    found = route(*gone, order(6, "Mill", "Hill", 5), network=far)
    assert found.away == {"vans": 2}
    assert whys(found) == [("vehicles away", 5.0)]
    assert route(*gone[1:], order(6, "Mill", "Hill", 5), network=far).routes[0].label == "vans 1 of 2"


def test_only_the_orders_that_leave_on_the_day_are_routed_and_those_that_have_left_stay_on_the_sheet() -> None:
    orders = [
        order(1, "Mill", "Hill", 5, status="received"),
        order(2, "Mill", "Hill", 5, status="loaded"),
        order(3, "Mill", "Hill", 5, status="cancelled"),
        order(4, "Mill", "Hill", 5, departs=TOMORROW),
    ]
    assert set(only(route(*orders).routes).orders) == {id_of(1), id_of(2)}


def test_an_order_of_nothing_is_told_and_a_day_without_orders_has_no_routes() -> None:
    assert whys(route(order(1, "Mill", "Hill", 0))) == [("nothing", 0.0)]
    empty = route()
    assert (empty.routes, empty.unrouted) == ((), ())


def test_vehicles_start_no_earlier_than_they_are_told_to() -> None:
    found = route(order(1, "Mill", "Hill", 5), begins=time(5, 30))
    assert found.routes[0].begins.time() == time(5, 30)


def test_a_time_limit_of_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="time limit is 0 seconds"):
        route(time_limit=0.0)


def test_lots_of_an_order_are_kept_apart() -> None:
    lines = (Line("flour", 300_000, ""), Line("flour", 400_000, "2026-12-24"))
    found = route(order(1, "Mill", "Hill", 0, lines=lines))
    loads = [load for one in found.routes for stop in one.stops for load in stop.deliveries]
    sums: dict[str | None, int] = {}
    for load in loads:
        sums[load.lot] = sums.get(load.lot, 0) + load.quantity
    assert sums == {"": 300_000, "2026-12-24": 400_000}


SITES = ("Mill", "Hill", "Vale", "Cape", "Isle")
HOURS = st.sampled_from(["06:00", "08:00", "09:30", "12:00", "15:00", "24:00"])


@st.composite
def days(draw: st.DrawFn) -> tuple[list[tuple[int, str, str, float, str]], dict[str, Opening], bool]:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(SITES),
                st.sampled_from(SITES),
                st.sampled_from([0.5, 40.0, 99.9999, 130.0, 500.0, 730.0]),
                st.sampled_from(["vans", "carts", "boats"]),
            ),
            max_size=4,
        )
    )
    hours = draw(st.dictionaries(st.sampled_from(SITES), st.tuples(HOURS, HOURS).map(sorted), max_size=3))
    openings = {site: Opening(site=site, opens=one, closes=other) for site, (one, other) in hours.items()}
    return [(number, *row) for number, row in enumerate(rows)], openings, draw(st.booleans())


@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(days(), st.randoms(use_true_random=False))
def test_whatever_the_day_its_routes_keep_every_rule_and_the_order_of_orders_does_not_matter(
    day: tuple[list[tuple[int, str, str, float, str]], dict[str, Opening], bool], order_of: random.Random
) -> None:
    rows, openings, mixed = day
    boats = Fleet(fleet="boats", site="Mill", vehicles=1.5, payload_t=0.3, hours_per_day=5, mode="water")
    network = replace(NETWORK, fleets=(*NETWORK.fleets, boats))
    orders = [order(number, start, end, much, fleet=fleet) for number, start, end, much, fleet in rows]
    found = plan_routes(orders, network, DAY, openings=openings, mixed=mixed)  # raises if a rule is broken
    order_of.shuffle(orders)
    assert plan_routes(orders, network, DAY, openings=openings, mixed=mixed) == found
