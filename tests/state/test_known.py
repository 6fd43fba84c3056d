"""The network as known: nothing is lost, promises bind, goods on their way arrive, and both planners take it."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from living import Living

from abasto.cycle import propose
from abasto.errors import InputError, SettingError
from abasto.examples import EXAMPLES, example_path
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    GoodsHandedOut,
    Line,
    OrderAccepted,
    OrderCancelled,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    RowDropped,
    RowSet,
    StockCounted,
)
from abasto.network import Disruption, Fleet, Good, Lane, Network, Site, Stock
from abasto.planner.check import check_plan
from abasto.planner.make import make_plan
from abasto.state.fleets import part_fleets
from abasto.state.kept import as_kept
from abasto.state.known import Known, known
from abasto.tables import check_network, read_network

sys.path.insert(0, str(Path(__file__).parents[1] / "planner"))
from random_networks import networks

START = date(2026, 11, 22)


def on(day: int) -> str:
    """Return the date of a day number."""
    return (START + timedelta(days=day - 1)).isoformat()


NETWORK = Network(
    "n", START, 5,
    sites=(Site(site="depot"), Site(site="shop", people=10), Site(site="far", people=10)),
    goods=(Good(good="rice"), Good(good="milk", unit="litre", shelf_life_days=3), Good(good="diesel", unit="l")),
    stocks=(
        Stock(site="depot", good="rice", quantity=500),
        Stock(site="depot", good="milk", quantity=30, expires=START + timedelta(days=1)),
        Stock(site="depot", good="milk", quantity=40, expires=START + timedelta(days=2)),
        Stock(site="depot", good="diesel", quantity=100),
    ),
    lanes=(
        Lane(from_site="shop", to_site="depot", km=40),
        Lane(from_site="depot", to_site="far", km=400, lead_days=2),
    ),
    fleets=(Fleet(fleet="vans", vehicles=3, payload_t=0.2, hours_per_day=8, fuel="diesel", fuel_per_km=0.1),),
    disruptions=(Disruption(scenario="strike", kind="fleet", target="vans", left=0.5),),
)  # fmt: skip


def order(*lines: Line, to: str = "shop", departs: int = 1, arrives: int = 1, trips: int = 1) -> OrderIssued:
    return OrderIssued("depot", to, "vans", trips, on(departs), on(arrives), lines, on(1))


def seen(living: Living, day: int = 1) -> Known:
    """Return what is known on a day, which must be something that can be planned."""
    result = known(living.state, START + timedelta(days=day - 1))
    assert [one for one in check_network(result.network) if one.severity == "error"] == []
    return result


def stocks_of(network: Network, site: str) -> dict[tuple[str, str], float]:
    return {
        (row.good, row.expires.isoformat() if row.expires else ""): row.quantity
        for row in network.stocks
        if row.site == site
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_known_as_they_were_founded(name: str) -> None:
    network = read_network(example_path(name))
    result = known(Living(network).state, network.start, days=network.days)
    assert result.network == result.tables == as_kept(network)
    assert replace(result.network, stocks=()) == replace(network, stocks=())
    assert (result.problems, result.orders, result.estimated) == ((), (), ())


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(networks())
def test_random_networks_are_known_as_they_were_founded(drawn: tuple[Network, str | None]) -> None:
    network, _ = drawn
    assert known(Living(network).state, network.start).network == as_kept(network)


def test_promised_goods_are_on_their_way_and_no_longer_there() -> None:
    living = Living(NETWORK)
    entry, *_ = living.say(
        order(Line("milk", 35_000, on(3)), Line("milk", 20_000), Line("rice", 100_000, ""), departs=2, arrives=3)
    )
    result = seen(living)
    site = f"order {code_of(entry.id)}"
    # What the named lot lacks and what names no lot come from the lots that expire first.
    assert stocks_of(result.network, "depot") == {
        ("rice", ""): 400, ("milk", on(2)): 10, ("milk", on(3)): 5, ("diesel", ""): 92,
    }  # fmt: skip
    assert stocks_of(result.network, site) == {("rice", ""): 100, ("milk", on(2)): 20, ("milk", on(3)): 35}
    assert result.network.lanes[2:] == (
        Lane(from_site=site, to_site="shop", hours=0, lead_days=1, mode=site, two_way=False),
    )
    # They leave on day 2, on vehicles whose hours are taken off the fleet and not counted again.
    fleet = result.network.fleets[-1]
    assert (fleet.fleet, fleet.site, fleet.mode, fleet.handling_hours) == (site, site, site, 0)
    assert (fleet.from_day, fleet.to_day) == (2, None)
    assert fleet.vehicles * fleet.payload_t == pytest.approx(0.155)
    assert result.order_of == {site: entry.id}
    assert [record.id for record in result.orders] == [entry.id]
    assert stocks_of(result.tables, "depot") == stocks_of(as_kept(NETWORK), "depot")
    assert result.problems == ()


def test_promised_fuel_and_hours_are_taken_off_on_the_day_of_departure() -> None:
    living = Living(NETWORK)
    living.say(order(Line("rice", 300_000), departs=2, arrives=2, trips=2))
    result = seen(living)
    # Two trips of 80 km at 0.1 litres, of 2 × 1 hour of driving and 2 of handling.
    assert stocks_of(result.network, "depot")["diesel", ""] == 84
    parts = {fleet.fleet: (fleet.vehicles, fleet.from_day, fleet.to_day) for fleet in result.network.fleets[:-1]}
    assert parts == {
        "vans on 2026-11-22": (3, None, 1), "vans on 2026-11-23": (2, 2, 2), "vans": (3, 3, None),
    }  # fmt: skip
    assert result.fleet_of == {"vans on 2026-11-22": "vans", "vans on 2026-11-23": "vans"}
    assert {row.target for row in result.network.disruptions} == set(parts)
    assert result.tables.fleets == NETWORK.fleets


def test_loaded_goods_arrive_on_their_day_late_ones_on_day_1() -> None:
    living = Living(NETWORK)
    (entry,) = living.say(order(Line("milk", 30_000, on(3)), to="far", departs=1, arrives=3))
    living.say(OrderAccepted(entry.id, on(1)), OrderLoaded(entry.id, (Line("milk", 28_000, on(3)),), on(1)))
    for day, lead in ((1, 2), (2, 1), (3, 0)):
        result = seen(living, day)
        assert result.network.lanes[-1].lead_days == lead
        assert result.network.stocks[-1].quantity == 28
        assert result.network.stocks[-1].expires == START + timedelta(days=2)
    # On day 4 the milk has spoiled on its way: it is told, and counted on no longer.
    late = seen(living, 4)
    assert late.order_of == {}
    assert any("28 of milk on the way spoiled" in str(problem) for problem in late.problems)


def test_order_loaded_late_arrives_late() -> None:
    living = Living(NETWORK)
    (entry,) = living.say(order(Line("rice", 30_000), to="far", departs=1, arrives=3))
    living.say(OrderLoaded(entry.id, (Line("rice", 30_000),), on(2)))
    result = seen(living, 2)
    assert result.network.lanes[-1].lead_days == 2
    # The vehicle is out on the day it was loaded: 2 × 10 hours and 2 of handling, of 24.
    today = next(fleet for fleet in result.network.fleets if fleet.to_day == 1)
    assert today.vehicles == pytest.approx(3 - 22 / 8)


def test_vehicle_of_an_order_that_was_received_today_has_worked_today() -> None:
    living = Living(NETWORK)
    (entry,) = living.say(order(Line("rice", 100_000)))
    (other,) = living.say(order(Line("rice", 10_000)))
    living.say(OrderLoaded(entry.id, (Line("rice", 100_000),), on(1)))
    living.say(OrderReceived(entry.id, "shop", (Line("rice", 100_000),), on(1)), OrderCancelled(other.id, on(1)))
    # 2 × 1 hour of driving and 2 of handling, of 3 × 8; what was cancelled took none.
    today = next(fleet for fleet in seen(living).network.fleets if fleet.to_day == 1)
    assert today.vehicles == pytest.approx(3 - 4 / 8)
    assert [fleet.fleet for fleet in seen(living, 2).network.fleets] == ["vans"]


def test_rest_of_a_receipt_is_still_on_its_way_and_what_is_done_binds_nothing() -> None:
    living = Living(NETWORK)
    (entry,) = living.say(order(Line("rice", 100_000)))
    living.say(OrderLoaded(entry.id, (Line("rice", 100_000),), on(1)))
    living.say(OrderReceived(entry.id, "shop", (Line("rice", 60_000),), on(1), more_to_come=True))
    assert stocks_of(seen(living, 2).network, f"order {code_of(entry.id)}") == {("rice", ""): 40}
    living.say(OrderReceived(entry.id, "shop", (Line("rice", 39_000),), on(2)))
    result = seen(living, 2)
    assert (result.order_of, result.orders) == ({}, ())
    assert stocks_of(result.network, "shop") == {("rice", ""): 99}
    (other,) = living.say(order(Line("rice", 100_000), departs=2, arrives=2))
    living.say(OrderCancelled(other.id, on(2)))
    assert seen(living, 2).network == result.network


def test_stale_orders_are_told_and_bind_nothing() -> None:
    living = Living(NETWORK)
    before = seen(living, 2).network
    (entry,) = living.say(order(Line("rice", 100_000)))
    result = seen(living, 2)
    assert result.network == before
    assert result.orders == ()
    told = [str(problem) for problem in result.problems if problem.table == "orders"]
    assert told == [
        f"order {code_of(entry.id)} — it should have left depot on 2026-11-22 and was not loaded, so it is not "
        "counted on; load it, cancel it, or issue it anew."
    ]


def test_what_is_promised_and_not_there_yet_has_room_on_its_day() -> None:
    living = Living(NETWORK)
    first, second = living.say(
        order(Line("rice", 400_000), trips=9),
        order(Line("rice", 400_000), Line("milk", 60_000, on(6)), departs=2, arrives=3),
    )
    result = seen(living)
    assert ("rice", "") not in stocks_of(result.network, "depot")
    name = f"order {code_of(second.id)}"
    assert stocks_of(result.network, f"order {code_of(first.id)}") == {("rice", ""): 400}
    assert stocks_of(result.network, name) == {("rice", ""): 100, ("milk", on(2)): 30, ("milk", on(3)): 30}
    loading = result.network.lanes[-1]
    assert (loading.from_site, loading.to_site, loading.mode, loading.two_way) == (
        "depot",
        name,
        f"{name} loading",
        False,
    )
    # 300 kg of rice are missing; of milk there is enough, if of other lots than the one that is yet to be made.
    assert loading.tonnes == pytest.approx(0.3)
    fleet = result.network.fleets[-1]
    assert (fleet.mode, fleet.from_day, fleet.to_day, fleet.payload_t) == (loading.mode, 2, 2, loading.tonnes)
    assert set(result.order_of) == {f"order {code_of(first.id)}", name}


def test_vehicles_that_are_promised_twice_are_told() -> None:
    living = Living(NETWORK)
    living.say(order(Line("rice", 400_000), trips=9), order(Line("rice", 40_000)))
    result = seen(living)
    assert "open orders take 40 vehicle-hours on 2026-11-22, and the fleet has 24" in "\n".join(
        map(str, result.problems)
    )
    assert next(fleet for fleet in result.network.fleets if fleet.to_day == 1).vehicles == 0


def test_plan_is_as_good_after_its_orders_were_issued_and_orders_nothing_twice() -> None:
    """Most of a plan's orders name what is baked, taken in or passed on the same day: issuing them changes no plan."""
    network = read_network(example_path("neighbourhood"))
    living = Living(network)
    first = propose(living.state, network.start)
    living.say(*first.orders)
    again = propose(living.state, network.start)
    # Hours that whole trips left over may carry something for the days after; then there is nothing left to order.
    assert len(again.orders) < len(first.orders) / 4
    assert again.plan.objective == pytest.approx(first.plan.objective)
    living.say(*again.orders)
    last = propose(living.state, network.start)
    assert last.orders == ()
    assert last.plan.objective == pytest.approx(first.plan.objective)
    assert last.known.problems == ()


def test_orders_about_what_was_dropped_are_told() -> None:
    living = Living(NETWORK)
    living.say(order(Line("rice", 100_000), Line("milk", 5_000)), order(Line("rice", 50_000), to="far"))
    living.say(
        RowDropped("goods", {"good": "milk"}, on(1)),
        RowDropped("sites", {"site": "far"}, on(1)),
        RowDropped("fleets", {"fleet": "vans"}, on(1)),
    )
    result = seen(living)
    told = "\n".join(map(str, result.problems))
    for words in (
        "site far is in no row of sites, so what is on its way there is left out",
        "fleet vans is in no row of the tables, so no vehicle-hours are taken off",
        "stock of milk at depot",
        'lanes depot / far',
    ):  # fmt: skip
        assert words in told
    assert len(result.order_of) == 1


def test_site_may_be_called_like_an_order() -> None:
    living = Living(NETWORK)
    (entry,) = living.say(order(Line("rice", 100_000)))
    name = f"order {code_of(entry.id)}"
    living.say(RowSet("sites", {"site": name}, on(1)))
    assert seen(living).order_of == {f"{name} (2)": entry.id}


def test_more_than_a_store_holds_is_a_fact_and_told() -> None:
    living = Living(replace(NETWORK, sites=(Site(site="depot", storage_t=1.0), *NETWORK.sites[1:])))
    living.say(StockCounted("depot", "rice", 2_000_000, on(1)))
    result = seen(living)
    assert result.network.sites[0].storage_t == pytest.approx(2.17)
    assert "2.17 t lie there, more than it can hold" in str(result.problems[0])


def test_old_figures_are_carried_forward_and_marked() -> None:
    living = Living(NETWORK)
    living.say(*(GoodsHandedOut("depot", "rice", 10_000, on(day)) for day in (1, 2)))
    result = seen(living, 7)
    # Handed out 10 a day; nobody said anything of days 3 to 6.
    assert stocks_of(result.network, "depot")["rice", ""] == 480 - 4 * 10
    assert [(figure.good, figure.use_per_day) for figure in result.estimated] == [
        ("diesel", 0), ("milk", 0), ("rice", 10_000),
    ]  # fmt: skip
    told = "\n".join(map(str, result.problems))
    assert f'stock of milk at depot, expires: "{on(2)}" — 30 are spoiled by now' in told
    assert f'stock of milk at depot, expires: "{on(3)}" — 40 are spoiled by now' in told
    assert known(living.state, START + timedelta(days=6), carried_after=10).estimated == ()


def test_tables_with_errors_are_not_planned() -> None:
    living = Living(NETWORK)
    (entry,) = living.say(RowSet("goods", {"good": "rice", "kg_per_unit": "heavy"}, on(1)))
    with pytest.raises(InputError) as error:
        known(living.state, START)
    place = rf"goods rice [entry {code_of(entry.id)} by {code_of(entry.author)}, {on(1)}], kg_per_unit"
    assert str(error.value).startswith(f'{place}: "heavy" — this is not a number')
    with pytest.raises(SettingError, match="days is 0; a plan is made for 1 to 3660 days"):
        known(Living(NETWORK).state, START, days=0)


def test_parts_of_a_fleet_have_its_hours_less_those_promised() -> None:
    fleet = Fleet(fleet="f", vehicles=2, payload_t=1, hours_per_day=10, from_day=2, to_day=9)
    other = Fleet(fleet="f on 2026-11-25", vehicles=1, payload_t=1)
    network = Network("n", START, 7, fleets=(fleet, other))
    promised = {("f", 1): 99.0, ("f", 4): 5.0, ("f", 5): 30.0}
    parted = part_fleets(network, promised)
    assert parted.network.fleets[-1] == other
    for day in range(1, 10):
        hours = sum(
            row.vehicles * row.hours_per_day
            for row in parted.network.fleets[:-1]
            if (row.from_day or 1) <= day <= (row.to_day or 99)
        )
        whole = 20 if 2 <= day <= 9 else 0
        assert hours == max(0, whole - promised.get(("f", day), 0) * (day > 1))
    assert list(parted.fleet_of) == ["f on 2026-11-23", "f on 2026-11-25 (2)", "f on 2026-11-26"]


def lived(name: str) -> tuple[Living, Network]:
    """Return an example after four days of orders, loads, receipts and counts."""
    network = read_network(example_path(name))
    living = Living(network)
    for number in range(4):
        day = network.start + timedelta(days=number)
        today = known(living.state, day)
        sent = 0
        for lane in today.tables.lanes:
            stocks = [row for row in today.network.stocks if row.site == lane.from_site and row.quantity >= 10]
            fleets = [
                row for row in today.tables.fleets
                if row.mode == lane.mode and row.site in (None, lane.from_site, lane.to_site)
            ]  # fmt: skip
            if not stocks or not fleets or sent == 6:
                continue
            sent += 1
            leaves = day + timedelta(days=sent % 2)
            arrives = leaves + timedelta(days=max(lane.travel_days, sent % 3))
            lines = (Line(stocks[0].good, 3_000, stocks[0].expires.isoformat() if stocks[0].expires else ""),)
            issued = OrderIssued(
                lane.from_site, lane.to_site, fleets[0].fleet, 1, leaves.isoformat(), arrives.isoformat(), lines,
                day.isoformat(),
            )  # fmt: skip
            (entry,) = living.say(issued)
            if sent > 2:
                living.say(OrderLoaded(entry.id, lines, leaves.isoformat()))
            if sent > 4:
                living.say(OrderReceived(entry.id, lane.to_site, (Line(lines[0].good, 2_900),), arrives.isoformat()))
        first = today.network.stocks[0]
        living.say(GoodsHandedOut(first.site, first.good, 1_500, day.isoformat()))
    return living, network


@pytest.mark.parametrize(
    ("name", "solver"), [("neighbourhood", "exact"), ("neighbourhood", "equilibrium"), ("national", "auto")]
)
def test_both_planners_plan_what_is_known_after_some_days(name: str, solver: str) -> None:
    living, network = lived(name)
    result = known(living.state, network.start + timedelta(days=4), days=4)
    assert len(result.order_of) >= 2
    scenario = network.scenarios[0] if network.scenarios else None
    for chosen in (None, scenario):
        plan = make_plan(result.network, chosen, solver=solver, gap=0.5)  # type: ignore[arg-type]
        assert check_plan(result.network, plan, chosen) == []
        # Goods on their way are used: whatever the plan makes of them left their site, or lies there unspoiled.
        sent = {name for name in plan.shipments["from"].tolist() if name in result.order_of}
        left = {name for name in plan.closing["site"].tolist() if name in result.order_of}
        assert sent | left == set(result.order_of)


def test_the_page_about_what_is_known_runs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "known.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    exec(compile(code, "known.md", "exec"), {})
