"""The check of routes finds whatever is made wrong in routes that were right; it knows not how they came about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.routes.days import NETWORK, order, route, with_fleet

from abasto.routes import DayRoutes, Load, Route, Stop
from abasto.routes.check import check_routes
from abasto.state.openings import Opening

ORDERS = [order(1, "Mill", "Hill", 200), order(2, "Mill", "Vale", 250), order(3, "Vale", "Mill", 300)]
RIGHT = route(*ORDERS)
MINUTE = timedelta(minutes=1)


def wrong(found: DayRoutes, openings: dict[str, Opening] | None = None, **more: Any) -> str:
    return "\n".join(check_routes(ORDERS, NETWORK, found, openings=openings or {}, **more))


def changed(**changes: Any) -> DayRoutes:
    return replace(RIGHT, routes=(replace(RIGHT.routes[0], **changes),))


def with_stop(place: int, change: Callable[[Stop], Stop]) -> DayRoutes:
    stops = list(RIGHT.routes[0].stops)
    stops[place] = change(stops[place])
    return changed(stops=tuple(stops))


def with_load(change: Callable[[Load], Load]) -> DayRoutes:
    """Return the routes with what is unloaded at the second stop changed."""
    return with_stop(1, lambda stop: replace(stop, deliveries=tuple(map(change, stop.deliveries))))


def later(stop: Stop, minutes: float) -> Stop:
    return replace(stop, arrives=stop.arrives + minutes * MINUTE, leaves=stop.leaves + minutes * MINUTE)


def test_right_routes_are_right() -> None:
    assert [stop.site for stop in RIGHT.routes[0].stops] == ["Mill", "Hill", "Vale", "Mill"]
    assert wrong(RIGHT) == ""


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (replace(RIGHT, routes=()), "0 are delivered or unrouted, and 200000 ordered"),
        (with_load(lambda load: replace(load, quantity=load.quantity - 1)), "199999 are delivered or unrouted"),
        (with_load(lambda load: replace(load, order="another")), "which is no order of the day"),
        (with_load(lambda load: replace(load, good="eggs")), "something is unloaded that is not on board"),
        (with_stop(1, lambda stop: replace(stop, site="Cape")), "is unloaded at Cape and goes to Hill"),
        (with_stop(0, lambda stop: replace(stop, site="Hill")), "does not begin and end at its base"),
        (with_stop(0, lambda stop: replace(stop, pickups=stop.pickups[:1])), "that is not on board"),
        (with_stop(3, lambda stop: replace(stop, deliveries=())), "comes home with goods that belong elsewhere"),
        (with_stop(1, lambda stop: replace(stop, kg_after=7.0)), "says 7 kg after Hill, and has 250"),
        (with_stop(1, lambda stop: later(stop, -5)), "drives from Mill to Hill in 10.0 minutes, and the way"),
        (with_stop(1, lambda stop: replace(stop, leaves=stop.arrives)), "works 0.0 minutes at Hill"),
        (with_stop(0, lambda stop: replace(stop, arrives=stop.leaves)), "works 0.0 minutes at Mill"),
        (with_stop(3, lambda stop: later(stop, 600)), "its fleet 8 in a day"),
        (changed(hours=1.0), "it says 1.000 hours"),
        (changed(km=1.0), "it says 1 km and drives 40"),
        (changed(payload_t=1.0), "and a vehicle of its fleet 500"),
        (changed(fleet="ghosts"), "there is no such fleet"),
        (changed(fleet="carts"), "names the fleet vans"),
        (replace(RIGHT, away={"vans": 2}), "1 vehicles are out and 2 away, of 2"),
        (replace(RIGHT, routes=RIGHT.routes * 2), "a vehicle has two routes"),
    ],
)  # fmt: skip
def test_whatever_is_made_wrong_is_found(found: DayRoutes, said: str) -> None:
    assert said in wrong(found)


def test_a_load_beyond_the_payload_is_found() -> None:
    network = with_fleet(payload_t=0.449)
    assert "carries 450.000000 kg from Mill" in "\n".join(check_routes(ORDERS, network, RIGHT, openings={}))


def test_working_behind_closed_doors_is_found() -> None:
    hours = Opening(site="Hill", opens="00:00", closes="07:50")
    assert "which closes at 07:50" in wrong(RIGHT, {"Hill": hours})
    assert "minutes at Hill, and handling takes 12.0" in wrong(RIGHT, {"Hill": Opening(site="Hill", opens="08:02")})
    assert "is closed all day" in wrong(RIGHT, {"Vale": Opening(site="Vale", opens="08:00", closes="08:00")})


def test_ways_that_are_there_are_needed() -> None:
    without = replace(NETWORK, lanes=NETWORK.lanes[:1])
    found = check_routes(ORDERS, without, RIGHT, openings={})
    assert any("no way leads from Hill to Vale" in one for one in found)


@given(st.integers(0, 3), st.sampled_from(["arrives", "leaves"]), st.integers(-600, 600))
def test_a_stop_that_moves_by_more_than_a_few_minutes_is_found(place: int, which: str, minutes: int) -> None:
    """The day of these routes has no slack: whatever comes earlier or goes later is against a rule."""
    one: Route = RIGHT.routes[0]
    stop = one.stops[place]
    moved = replace(stop, **{which: getattr(stop, which) + minutes * MINUTE})
    found = wrong(with_stop(place, lambda stop: moved))
    if abs(minutes) <= 1:
        assert found == ""
    # To come earlier is to drive too fast (but at the first stop), and to leave earlier to work too little.
    elif minutes < -4 and not (place == 0 and which == "arrives") and not (place == 3 and which == "leaves"):
        assert found != ""
