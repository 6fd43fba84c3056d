"""Goods that come to a site on the day they are to leave it: a note at the stop, and a vehicle that waits for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.routes.days import DAY, id_of, order, route

from abasto.facts.kinds import Line
from abasto.inbox.names import Names
from abasto.language import language
from abasto.report.route_sheets import sheets_html
from abasto.routes import DayRoutes
from abasto.routes.calendar import calendar
from abasto.routes.route import Coming, Stop
from abasto.routes.told import message
from abasto.state.types import OrderRecord

BRINGS = order(1, "Mill", "Hill", 300)
"""A van sets out at 07:30, drives a quarter of an hour, and unloads for 18 minutes."""
TAKES = order(2, "Hill", "Vale", 80, fleet="carts")
AT = datetime(2026, 11, 30, 8, 3)
NOTE = Coming(id_of(2), "flour", id_of(1), AT)
MILL = {("Mill", "flour"): {"": 1_000_000}}


def loading(found: DayRoutes, number: int = 2) -> Stop:
    """Return the stop at which an order is loaded."""
    [stop] = [s for one in found.routes for s in one.stops if id_of(number) in [load.order for load in s.pickups]]
    return stop


def lasts(found: DayRoutes) -> list[timedelta]:
    return [one.back - one.begins for one in found.routes]


def test_a_vehicle_waits_for_what_comes_the_same_day_and_its_stop_says_so() -> None:
    blind, found = route(BRINGS, TAKES), route(BRINGS, TAKES, on_hand=MILL)
    assert loading(blind).arrives.hour == 7
    assert loading(blind).comings == ()
    assert loading(found).arrives == AT
    assert loading(found).comings == (NOTE,)
    assert sorted(lasts(found)) == sorted(lasts(blind))
    assert [stop.comings for one in found.routes for stop in one.stops if stop.site != "Hill" or stop.deliveries] == (
        [()] * 4
    )


def test_what_lies_there_is_loaded_at_once() -> None:
    there = {**MILL, ("Hill", "flour"): {"": 80_000}}
    assert route(BRINGS, TAKES, on_hand=there) == route(BRINGS, TAKES)
    short = route(BRINGS, TAKES, on_hand={**MILL, ("Hill", "flour"): {"": 79_999}})
    assert loading(short).comings == (NOTE,)


def test_what_others_load_before_is_not_there_any_more() -> None:
    both = (BRINGS, TAKES, order(3, "Hill", "Vale", 60, fleet="carts"))
    found = route(*both, on_hand={**MILL, ("Hill", "flour"): {"": 100_000}})
    assert [len(loading(found, number).comings) for number in (2, 3)].count(1) == 1
    enough = route(*both, on_hand={**MILL, ("Hill", "flour"): {"": 140_000}})
    assert [loading(enough, number).comings for number in (2, 3)] == [(), ()]


def test_a_vehicle_that_cannot_begin_later_is_only_told() -> None:
    hours = {"Vale": ("00:00", "08:00")}
    found = route(BRINGS, TAKES, on_hand=MILL, openings=hours)
    assert found.routes == tuple(
        replace(
            one, stops=tuple(replace(s, comings=(NOTE,)) if s.site == "Hill" and s.pickups else s for s in one.stops)
        )
        for one in route(BRINGS, TAKES, openings=hours).routes
    )


def test_what_was_sent_before_has_no_time() -> None:
    sent = order(1, "Mill", "Hill", 300, departs=DAY - timedelta(days=1), arrives=DAY, status="loaded")
    found = route(sent, TAKES, on_hand=MILL)
    assert loading(found).comings == (replace(NOTE, at=None),)
    assert loading(found).arrives == loading(route(TAKES)).arrives
    tomorrow = order(1, "Mill", "Hill", 300, arrives=DAY + timedelta(days=1))
    cancelled = replace(BRINGS, status="cancelled")
    for other in (tomorrow, cancelled, order(1, "Mill", "Cape", 300), order(1, "Mill", "Hill", 9, good="eggs")):
        assert loading(route(other, TAKES, on_hand=MILL)).comings == ()


@pytest.mark.parametrize(("lot", "comes"), [("2026-12-24", True), ("2026-12-31", False), (None, True)])
def test_only_the_lot_that_an_order_names_is_waited_for(lot: str | None, comes: bool) -> None:
    brings = order(1, "Mill", "Hill", 300, lines=[Line("flour", 300_000, "2026-12-24")])
    takes = order(2, "Hill", "Vale", 80, fleet="carts", lines=[Line("flour", 80_000, lot)])
    assert bool(loading(route(brings, takes, on_hand=MILL)).comings) == comes
    here = {("Hill", "flour"): {"2026-12-31": 80_000}}
    assert bool(loading(route(brings, takes, on_hand=here)).comings) == (lot == "2026-12-24")


def test_a_sheet_printed_at_noon_says_the_same() -> None:
    day, lines = DAY.isoformat(), (Line("flour", 300_000, ""),)
    loaded = replace(BRINGS, status="loaded", loaded=lines, loaded_on=day)
    received = replace(loaded, status="received", received=lines, received_on=day)
    taken = replace(TAKES, status="loaded", loaded=(Line("flour", 80_000, ""),), loaded_on=day)
    morning = route(BRINGS, TAKES, on_hand=MILL)
    later: list[tuple[OrderRecord, OrderRecord, int]] = [
        (loaded, TAKES, 0),
        (received, TAKES, 300_000),
        (received, taken, 220_000),
    ]
    for brings, takes, at_hill in later:
        here = {("Mill", "flour"): {"": 700_000}, ("Hill", "flour"): {"": at_hill}}
        assert route(brings, takes, on_hand=here) == morning


@pytest.mark.parametrize(
    ("code", "said", "waits"),
    [
        ("en", "flour comes today with order", "planned for"),
        ("es", "flour llega hoy con la orden", "espere"),
        ("ar", "flour تصل اليوم مع الأمر", "انتظر"),
    ],
)
def test_sheet_message_and_calendar_say_what_comes(code: str, said: str, waits: str) -> None:
    words, names = language(code), Names()
    found = route(BRINGS, TAKES, on_hand=MILL, openings={"Vale": ("00:00", "08:00")})
    [cart] = [one for one in found.routes if one.fleet == "carts"]
    text, page = message(cart, words, names=names), sheets_html(found, words, names=names, title="Barrio")
    for shown in (bare(text), bare(page)):
        assert f"{said} " in shown
        assert waits in shown
        assert NOTE.code in shown
    diary = calendar(found, words, names=names, made=AT.astimezone()).decode().replace("\r\n ", "")
    assert said in bare(diary)
    assert said not in bare(sheets_html(route(BRINGS, TAKES), words, names=names, title="Barrio"))


def bare(text: str) -> str:
    """Return a text without its marks of direction."""
    return text.translate(dict.fromkeys((0x2068, 0x2069, 0x200F)))
