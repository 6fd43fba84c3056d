"""Alarms: each kind on a network made for it, with its date, what is at stake, and what relieves it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.hand_built import NETWORK, SHORT, hand_built_plan, plan_table
from tests.state.living import Living

from abasto.facts.codes import code_of
from abasto.facts.kinds import GoodsHandedOut, Line, OrderIssued, OrderLoaded, OrderReceived, StockCounted
from abasto.language import LANGUAGES, language
from abasto.network import Good, Lane, Need, Network, Ration, Reserve, Site, Stock, Substitute
from abasto.planner.plan import Plan
from abasto.situation import (
    Alarm,
    AlarmKind,
    alarm_words,
    cause_words,
    known_words,
    quantity_words,
    relief_words,
    remedy_words,
    situation,
    status_words,
)

DAY = date(2026, 11, 22)


def after(days: int) -> date:
    return DAY + timedelta(days=days)


VILLAGE = Network(
    "Village", DAY, 7,
    sites=(Site(site="depot"), Site(site="shop", name="Shop", people=10)),
    goods=(Good(good="rice"), Good(good="milk", unit="litre", shelf_life_days=3, priority=2), Good(good="powder")),
    stocks=(Stock(site="depot", good="rice", quantity=900), Stock(site="shop", good="rice", quantity=1000)),
    rations=(Ration(good="rice", quantity=2),),
    lanes=(Lane(from_site="depot", to_site="shop", km=10),),
)  # fmt: skip
"""Ten people eat twenty kg of rice a day at the shop."""


def rung(living: Living, day: date, kind: AlarmKind, plan: Plan | None = None) -> list[Alarm]:
    return [alarm for alarm in situation(living.state, day, plan=plan).alarms if alarm.kind == kind]


def order(*lines: Line, departs: int = 0, arrives: int = 0) -> OrderIssued:
    days = after(departs).isoformat(), after(arrives).isoformat()
    return OrderIssued("depot", "shop", "vans", 1, *days, lines, DAY.isoformat())


def test_where_all_is_well_nothing_rings() -> None:
    assert situation(Living(VILLAGE).state, DAY).alarms == ()


def test_what_a_plan_leaves_short_rings_with_its_cause_and_what_it_weighs() -> None:
    plan = hand_built_plan()
    living = Living(NETWORK)
    found = {(alarm.site, alarm.need): alarm for alarm in rung(living, NETWORK.start, "short", plan)}
    assert set(found) == {place for place, shares in SHORT.items() if min(shares) < 1}
    hill = found["hill", "bread"]
    assert (hill.site_name, hill.need_name) == ("Hill <b>school</b>", "Bread")
    assert hill.quantity == pytest.approx(10 * (0.5 + 0.4))
    assert hill.people_days == pytest.approx(300 * (0.5 + 0.4))
    assert (hill.cause, hill.remedy) == ("the trucks are full", "one more truck at the port")
    milk = found["vale", "milk"]
    assert milk.people_days == pytest.approx(100 * 3 / 10), "a need of priority 2 counts a tenth"
    assert (milk.starts, milk.ends) == (NETWORK.start, NETWORK.start + timedelta(days=2))
    everything = situation(living.state, NETWORK.start, plan=plan).alarms
    weights = [alarm.people_days for alarm in everything]
    assert weights == sorted(weights, reverse=True)


def test_without_a_plan_what_runs_out_in_the_coming_days_rings_from_its_first_day() -> None:
    living = Living(VILLAGE, on=after(-2))
    living.say(StockCounted("shop", "rice", 30_000, after(-1).isoformat()))
    [alarm] = rung(living, DAY, "runs out")
    assert (alarm.site, alarm.need, alarm.starts, alarm.quantity) == ("shop", "rice", after(1), 30.0)
    assert alarm.people_days == pytest.approx(10 * (0.5 + 1.0)), "half of the second day's need and all of the third's"
    assert (alarm.known, alarm.as_of, alarm.relieved_by) == ("counted", after(-1), ())
    # What an order brings in time counts; what it brings too late relieves it.
    living.say(order(Line("rice", 15_000), arrives=1))
    [alarm] = rung(living, DAY, "runs out")
    assert (alarm.starts, alarm.quantity) == (after(2), 15.0)
    living.say(order(Line("rice", 500_000), arrives=5))
    [alarm] = rung(living, DAY, "runs out")
    assert [(one.arrives, one.quantity, one.status) for one in alarm.relieved_by] == [
        (after(1), 15.0, "issued"), (after(5), 500.0, "issued"),
    ]  # fmt: skip


def test_with_a_plan_the_plan_says_what_runs_out() -> None:
    living = Living(NETWORK)
    full = hand_built_plan(dict.fromkeys(SHORT, (1.0, 1.0, 1.0)))
    assert situation(living.state, NETWORK.start, plan=full).alarms == ()


def test_crumbs_do_not_ring_but_a_tenth_on_a_single_day_does() -> None:
    living = Living(NETWORK)
    crumbs = dict.fromkeys(SHORT, (0.91, 0.95, 0.99))
    assert rung(living, NETWORK.start, "short", hand_built_plan(crumbs)) == []
    tenth = {**crumbs, ("hill", "bread"): (0.91, 0.9, 0.99)}
    [alarm] = rung(living, NETWORK.start, "short", hand_built_plan(tenth))
    assert (alarm.site, alarm.need) == ("hill", "bread")
    assert alarm.quantity == pytest.approx(10 * (0.09 + 0.1 + 0.01)), "all that is missing counts, once it rings"


def test_an_order_that_should_have_left_rings_and_does_not_relieve_itself() -> None:
    living = Living(VILLAGE)
    [late] = living.say(order(Line("rice", 60_000), Line("powder", 1_000)))
    assert rung(living, DAY, "not left") == [], "today is not over"
    [alarm] = rung(living, after(1), "not left")
    assert (alarm.order, alarm.from_site, alarm.site, alarm.need) == (late.id, "depot", "shop", "rice")
    assert (alarm.starts, alarm.quantity) == (DAY, 60.0)
    assert alarm.people_days == pytest.approx(30), "three days of ten people's rice; nobody needs powder"
    [fresh] = living.say(order(Line("rice", 10_000), departs=2, arrives=2))
    [alarm] = rung(living, after(1), "not left")
    assert [one.order for one in alarm.relieved_by] == [fresh.id]
    assert situation(living.state, after(1)).headline.overdue == 1


def test_an_order_on_its_way_that_should_have_arrived_rings_with_what_is_still_to_come() -> None:
    living = Living(VILLAGE)
    [sent] = living.say(order(Line("rice", 60_000), arrives=1))
    living.say(OrderLoaded(sent.id, (Line("rice", 50_000),), DAY.isoformat()))
    assert rung(living, after(1), "not arrived") == []
    living.say(OrderReceived(sent.id, "shop", (Line("rice", 20_000),), after(1).isoformat(), more_to_come=True))
    [alarm] = rung(living, after(2), "not arrived")
    assert (alarm.quantity, alarm.starts) == (30.0, after(1))
    assert rung(living, after(2), "not left") == []


def test_what_expires_before_the_site_can_use_it_rings() -> None:
    milk = Need(site="shop", good="milk", quantity=10, people=10)
    lots = (Stock(site="shop", good="milk", quantity=35, expires=after(2)),
            Stock(site="shop", good="milk", quantity=12, expires=after(1)),
            Stock(site="shop", good="milk", quantity=500, expires=after(6)))  # fmt: skip
    living = Living(replace(VILLAGE, stocks=(*VILLAGE.stocks, *lots), needs=(milk,)))
    # Twelve are drunk in time, and eighteen of the next thirty-five.
    [alarm] = rung(living, DAY, "expires")
    assert (alarm.quantity, alarm.starts, alarm.unit) == (pytest.approx(17), after(2), "litre")
    assert alarm.people_days == pytest.approx(1.7 * 10 / 10)
    assert alarm.relieved_by == ()


def test_what_a_plan_lets_spoil_rings() -> None:
    plan = hand_built_plan()
    closing = plan_table("closing", [
        ("hill", "milk", after(1), 3, 0.0, 7.5),
        ("hill", "milk", DAY, 2, 4.0, 1.5), ("vale", "bread", None, 2, 4.0, 0.0),
    ])  # fmt: skip
    [alarm] = rung(Living(NETWORK), NETWORK.start, "expires", replace(plan, closing=closing))
    assert (alarm.site, alarm.need, alarm.quantity) == ("hill", "milk", 9.0)
    assert (alarm.starts, alarm.ends) == (DAY, after(1)), "their last usable days"


def test_what_has_spoiled_rings_until_it_is_booked() -> None:
    lot = Stock(site="shop", good="milk", quantity=8, expires=after(1))
    living = Living(replace(VILLAGE, stocks=(*VILLAGE.stocks, lot)))
    assert rung(living, after(1), "spoiled") == []
    [alarm] = rung(living, after(2), "spoiled")
    assert (alarm.site, alarm.need, alarm.quantity, alarm.starts) == ("shop", "milk", 8.0, after(1))


def test_less_than_the_reserve_rings_as_a_risk_behind_the_others() -> None:
    living = Living(replace(VILLAGE, reserves=(Reserve(site="shop", good="rice", quantity=40),)))
    living.say(StockCounted("shop", "rice", 30_000, DAY.isoformat()))
    seen = situation(living.state, after(1))
    assert [alarm.kind for alarm in seen.alarms] == ["runs out", "below reserve"]
    assert (seen.alarms[1].quantity, seen.alarms[1].people_days) == (10.0, pytest.approx(5))
    assert [alarm.rank for alarm in seen.alarms] == [0, 2]


def test_a_site_that_has_been_silent_for_more_than_a_week_rings() -> None:
    living = Living(VILLAGE)
    living.say(GoodsHandedOut("shop", "rice", 1_000, DAY.isoformat()))
    assert rung(living, after(7), "silent") == []
    assert [(alarm.site, alarm.as_of) for alarm in rung(living, after(8), "silent")] == [("shop", DAY), ("depot", DAY)]
    living.say(StockCounted("depot", "rice", 800_000, after(5).isoformat()))
    assert [alarm.site for alarm in rung(living, after(8), "silent")] == ["shop"]


def test_a_site_that_has_never_reported_is_given_a_week_from_the_founding() -> None:
    living = Living(replace(VILLAGE, stocks=VILLAGE.stocks[:1]))
    assert rung(living, after(7), "silent") == []
    found = {alarm.site: alarm for alarm in rung(living, after(8), "silent")}
    assert (found["shop"].as_of, found["shop"].known) == (None, "unreported")


def test_substitutes_and_planned_shipments_relieve_too() -> None:
    plan = hand_built_plan()
    shipments = plan_table("shipments", [
        ("port", "vale", "milk", None, 1, 2, 1.5, "carts"), ("port", "vale", "milk", DAY, 1, 2, 2.0, "carts"),
        ("port", "vale", "cheese", None, 2, 3, 4.0, "van"), ("port", "hill", "milk", None, 2, 3, 4.0, "van"),
        ("order ABCD", "vale", "milk", None, 1, 1, 9.0, "order ABCD"),
    ])  # fmt: skip
    network = replace(NETWORK, goods=(*NETWORK.goods, Good(good="cheese")),
                      substitutes=(Substitute(good="milk", substitute="cheese", quantity=0.2),))  # fmt: skip
    found = rung(Living(network), NETWORK.start, "short", replace(plan, shipments=shipments))
    alarm = next(one for one in found if (one.site, one.need) == ("vale", "milk"))
    assert [(one.good, one.from_site, one.arrives, one.quantity, one.fleet) for one in alarm.relieved_by] == [
        ("milk", "port", after(1), 3.5, "carts"), ("cheese", "port", after(2), 4.0, "van"),
    ]  # fmt: skip
    assert {one.status for one in alarm.relieved_by} == {"planned"}


def test_what_would_be_read_as_nothing_relieves_nothing() -> None:
    """Crumbs of a plan on both sides of what is written as 0, and some that only their sum makes more."""
    quantities = [1e-9, 1e-6, 0.0004, math.nextafter(0.0005, 0), 0.0005, 0.0006, 0.001, 3.5]
    rows = [("port", "vale", "milk", None, day, day, much, "carts") for day, much in enumerate(quantities, start=1)]
    rows += [
        ("port", "vale", "milk", None, 9, 9, 0.0003, "carts"),
        ("port", "vale", "milk", DAY, 9, 9, 0.0003, "carts"),
    ]
    plan = replace(hand_built_plan(), shipments=plan_table("shipments", rows))
    found = rung(Living(NETWORK), NETWORK.start, "short", plan)
    alarm = next(one for one in found if (one.site, one.need) == ("vale", "milk"))
    shown = [(number, much) for number, much in enumerate((*quantities, 0.0006)) if reads_as_something(much)]
    assert [one.arrives for one in alarm.relieved_by] == [after(number) for number, _ in shown]
    assert [one.quantity for one in alarm.relieved_by] == pytest.approx([much for _, much in shown])
    for words in map(language, LANGUAGES):
        lines = [relief_words(one, alarm.unit, DAY, words) for one in alarm.relieved_by]
        assert not [line for line in lines if re.search(r"(?<![0-9.])0\u00a0", line)]


def reads_as_something(quantity: float) -> bool:
    return quantity_words(quantity, "", language("en")) != "0"


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_kind_of_alarm_has_its_words(code: str) -> None:
    words = language(code)
    lot = Stock(site="shop", good="milk", quantity=8, expires=after(1))
    reserve = Reserve(site="shop", good="rice", quantity=5000)
    living = Living(replace(VILLAGE, stocks=(*VILLAGE.stocks, lot), reserves=(reserve,)))
    gone, sent = living.say(order(Line("rice", 1_000)), order(Line("rice", 2_000)))
    living.say(OrderLoaded(sent.id, (Line("rice", 2_000),), DAY.isoformat()))
    living.say(StockCounted("shop", "rice", 1_000, after(1).isoformat()))
    alarms = [*situation(living.state, DAY).alarms, *situation(living.state, after(12)).alarms,
              *rung(Living(NETWORK), NETWORK.start, "short", hand_built_plan(cause=""))]  # fmt: skip
    assert {alarm.kind for alarm in alarms} == {
        "short", "runs out", "not left", "not arrived", "expires", "spoiled", "below reserve", "silent",
    }  # fmt: skip
    for alarm in alarms:
        told = [alarm_words(alarm.kind, words), cause_words(alarm, words), remedy_words(alarm, words)]
        told += [known_words(alarm.known, words), *(relief_words(one, "kg", DAY, words) for one in alarm.relieved_by)]
        told += [status_words(one.status, words) for one in alarm.relieved_by]
        assert all(told)
        assert not any("{" in one for one in told)
        if alarm.order:
            assert code_of(alarm.order) in cause_words(alarm, words)
    assert {code_of(gone.id), code_of(sent.id)} == {code_of(alarm.order) for alarm in alarms if alarm.order}
