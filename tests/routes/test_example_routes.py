"""The bundled examples, from what the journal knows to the routes of their first day; every route passes the check."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from icalendar import Calendar
from tests.state.living import Living

import abasto
from abasto.cycle import propose
from abasto.facts.kinds import OrderIssued
from abasto.inbox.from_state import names_of
from abasto.language import language
from abasto.report.route_sheets import sheets_html
from abasto.routes import DayRoutes, plan_routes
from abasto.routes.calendar import calendar
from abasto.state.state import State
from abasto.state.tables import tables_known


def first_day(example: str, scenario: str | None = None) -> tuple[State, DayRoutes, Sequence[OrderIssued]]:
    """Return an example's state with the orders of its first day issued, and the routes of these."""
    network = abasto.read(abasto.example_path(example))
    living = Living(network)
    proposal = propose(living.state, network.start, scenario=scenario)
    living.say(*proposal.orders)
    state = living.state
    tables = tables_known(state.rows, network.start).network
    return state, plan_routes(state.orders.values(), tables, network.start, time_limit=None), proposal.orders


def test_every_order_of_the_neighbourhood_has_a_vehicle() -> None:
    state, found, orders = first_day("neighbourhood")
    assert found.unrouted == ()
    assert {order for route in found.routes for order in route.orders} == {record.id for record in state.orders.open()}
    # The bicycles ride from bakery to bakery, and the fleets with a base come home.
    assert {route.fleet: route.base for route in found.routes} == {
        "bicycles": "",
        "milk lorry": "Dairy",
        "mill van": "Mill",
    }
    assert len(found.routes) <= sum(order.trips for order in orders)
    names, words = names_of(state), language("es")
    page = sheets_html(found, words, names=names, title="Neighbourhood")
    assert page.count('<section class="sheet') == 1 + len(found.routes)
    assert "reported already" not in page
    made = datetime(2027, 2, 28, tzinfo=UTC)
    events = Calendar.from_ical(calendar(found, words, names=names, made=made)).walk("VEVENT")
    assert len(events) == len(found.routes)
    again = plan_routes(
        reversed(list(state.orders.values())), tables_known(state.rows, found.day).network, found.day, time_limit=None
    )
    assert again == found


@pytest.mark.soak
def test_the_orders_of_the_national_lockout_are_routed_or_told_with_a_reason() -> None:
    state, found, orders = first_day("national", "lockout")
    assert found.day == date.fromisoformat(orders[0].departs)
    routed = {order for route in found.routes for order in route.orders}
    told = {one.order for one in found.unrouted}
    assert routed | told == {record.id for record in state.orders.open()}
    assert len(told) < len(routed) / 10
    # Long trips take whole vehicles, and all others are back within their hours.
    assert any(route.is_long for route in found.routes)
    assert all(route.is_long or route.back.date() == found.day for route in found.routes)
