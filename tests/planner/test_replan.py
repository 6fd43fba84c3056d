"""Replanning: what has begun is kept, to the last digit or with a cut that says why; the rest is the best there is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from networks import bakery, depot_and_town, lane, network, truck
from random_networks import networks
from scipy.optimize import linprog

from abasto.errors import SettingError
from abasto.examples import example_path
from abasto.network import Disruption, Good, Need, Network, Reserve, Site, Stock, Supply
from abasto.planner.blocks import model
from abasto.planner.changes import compare_orders
from abasto.planner.check import check_plan
from abasto.planner.hold import Cut
from abasto.planner.make import make_plan
from abasto.planner.plan import Plan, Table
from abasto.planner.problem import Problem, build_problem
from abasto.planner.replan import Replanned, replan
from abasto.planner.untabulate import untabulate
from abasto.tables import read_network

FEW = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
ROUNDING = 1e-6
ORDERS = {
    "shipments": ("departs", ("from", "to", "good", "expires", "departs", "fleet")),
    "production": ("day", ("site", "recipe", "day")),
}
HISTORY = {
    **ORDERS,
    "intake": ("day", ("site", "good", "expires", "day")),
    "deliveries": ("day", ("site", "day", "good", "expires", "meets")),
}
KINDS = {"shipments": "shipment", "production": "production", "intake": "intake", "deliveries": "delivery"}


def rows(plan: Plan, name: str, before: int) -> dict[tuple[str, ...], float]:
    """Return the quantities of a table's rows that start before a day (from 1), by everything else in the row."""
    table = plan.table(name)
    when, keys = HISTORY[name]
    amount = table["batches" if name == "production" else "quantity"]
    found: dict[tuple[str, ...], float] = defaultdict(float)
    for row in range(table.n_rows):
        if table[when][row] < before:
            found[tuple(str(table[key][row]) for key in keys)] += float(amount[row])
    return found


def key_of(cut: Cut) -> tuple[str, ...]:
    """Return a cut's key as `rows` has it."""
    date = cut.expires or "NaT"
    return {
        "shipment": (cut.site, cut.to, cut.what, date, str(cut.day), cut.fleet),
        "production": (cut.site, cut.what, str(cut.day)),
        "intake": (cut.site, cut.what, date, str(cut.day)),
        "delivery": (cut.site, str(cut.day), cut.what, date, cut.to),
    }[cut.kind]


def nothing_moved_silently(old: Plan, replanned: Replanned) -> None:
    """Fail if anything before today, or any frozen order, is less than it was and not among the cuts with just that
    figure, or is more, other than a lot that stands in for a cut one of the same order.
    """
    today, free = replanned.day, replanned.day + replanned.frozen
    cuts = {(cut.kind, *key_of(cut)): cut for cut in replanned.cuts}
    assert len(cuts) == len(replanned.cuts)
    instead: dict[tuple[str, ...], float] = defaultdict(float)
    for name, kind in KINDS.items():
        lot = HISTORY[name][1].index("expires") if "expires" in HISTORY[name][1] else 0
        before = free if name in ORDERS else today
        was, will = rows(old, name, before), rows(replanned.plan, name, before)
        for key in {*was, *will}:
            planned, now = was.get(key, 0.0), will.get(key, 0.0)
            instead[kind, *key[:lot], *key[lot + 1 :]] += now - planned
            if now < planned * (1 - 1e-7) - 1e-7:
                cut = cuts.pop((kind, *key))
                assert cut.why
                assert (cut.planned, cut.possible) == (pytest.approx(planned), pytest.approx(now, abs=1e-6))
    assert not cuts
    assert max(instead.values(), default=0.0) <= ROUNDING


def same_tables(old: Plan, new: Plan) -> None:
    """Fail if the plans differ in anything but what was said about them, rounding of tables aside."""
    for name in ("intake", "shipments", "production", "deliveries"):
        assert_same(old.table(name), new.table(name), exact=True)
    for name in ("trips", "coverage"):
        assert_same(old.table(name), new.table(name), exact=False)


def assert_same(old: Table, new: Table, *, exact: bool) -> None:
    for column in old:
        if old[column].dtype.kind == "f" and not exact:
            np.testing.assert_allclose(new[column], old[column], rtol=ROUNDING, atol=ROUNDING)
        else:
            np.testing.assert_array_equal(new[column], old[column])


@given(networks(), st.data())
@settings(FEW)
def test_without_news_the_exact_plan_goes_on(drawn: tuple[Network, str | None], data: Any) -> None:
    net, scenario = drawn
    old = make_plan(net, scenario, solver="exact")
    assume(old.gap <= 1e-7)  # what is not the best is rightly bettered
    today, frozen = data.draw(st.integers(1, net.days)), data.draw(st.integers(0, 2))
    replanned = replan(net, old, day=today, frozen=frozen, scenario=scenario, solver="exact")
    assert replanned.as_before
    same_tables(old, replanned.plan)
    assert replanned.cuts == ()
    assert replanned.changes.before == len(replanned.changes.kept)
    assert replanned.changes.new == ()
    assert replanned.plan.bound <= old.bound * (1 + ROUNDING) + ROUNDING


@st.composite
def news(draw: Any, net: Network, today: int) -> Network:
    """Draw what has changed in a network by a day: things lost in a scenario, less on hand, more offered or needed."""
    names, sites = [good.good for good in net.goods], [site.site for site in net.sites]
    lost = [Disruption(scenario="storm", kind="site", target=draw(st.sampled_from(sites)), from_day=today, left=0.5)]
    if net.fleets:
        fleet = draw(st.sampled_from(net.fleets)).fleet
        lost.append(Disruption(scenario="storm", kind="fleet", target=fleet, from_day=today, left=draw(SHARES)))
    if net.lanes:
        row = draw(st.sampled_from(net.lanes))
        target = f"{row.from_site}>{row.to_site}"
        lost.append(Disruption(scenario="storm", kind="lane", target=target, from_day=today, left=0))
    if net.plants:
        plant = draw(st.sampled_from(net.plants))
        target = f"{plant.site}/{plant.recipe}"
        lost.append(Disruption(scenario="storm", kind="plant", target=target, from_day=today, left=draw(SHARES)))
    lost = draw(st.lists(st.sampled_from(lost), max_size=2, unique_by=lambda row: row.kind))
    net = replace(net, disruptions=(*net.disruptions, *lost))
    if net.stocks and draw(st.booleans()):
        which = draw(st.integers(0, len(net.stocks) - 1))
        less = net.stocks[which].model_copy(update={"quantity": net.stocks[which].quantity * draw(SHARES)})
        net = replace(net, stocks=(*net.stocks[:which], less, *net.stocks[which + 1 :]))
    if draw(st.booleans()):
        row = Need(site=draw(st.sampled_from(sites)), good=draw(st.sampled_from(names)), quantity=50, from_day=today)
        net = replace(net, needs=(*net.needs, row))
    if draw(st.booleans()):
        offer = Supply(
            site=draw(st.sampled_from(sites)), good=draw(st.sampled_from(names)), quantity=70, from_day=today
        )
        net = replace(net, supplies=(*net.supplies, offer))
    return net


SHARES = st.sampled_from([0.0, 0.3, 0.8])


def best_that_keeps(problem: Problem, plan: Plan, *, today: int, free: int) -> float:
    """Return the most that a plan can be worth that keeps what `plan` takes in, makes, sends and meets before `today`,
    and its orders before day `free` (both from 1): the whole model, with those columns fixed.
    """
    program = model(problem).program
    if not len(program.value):
        return 0.0
    flows = untabulate(problem, plan).flows
    low, high = np.zeros(len(program.upper)), program.upper.copy()

    def fix(block: str, keys: list[Any], known: list[Any], quantity: Any, mask: Any) -> None:
        total: dict[tuple[int, ...], float] = defaultdict(float)
        for *key, amount in zip(*(part.tolist() for part in known), quantity.tolist(), strict=True):
            total[tuple(key)] += amount
        for column, key in enumerate(zip(*(part.tolist() for part in keys), strict=True)):
            if mask[column]:
                at = program.columns[block].start + column
                low[at] = high[at] = total[key] / program.column_scale[at]

    ship, made, taken = (program.columns[name].labels for name in ("ship", "batches", "taken"))
    keys = [flows.ship_option, flows.ship_item, flows.ship_day]
    fix("ship", list(ship.values()), keys, flows.ship_quantity, ship["day"] < free - 1)
    fix("batches", list(made.values()), [flows.made_plant, flows.made_day], flows.made_batches, made["day"] < free - 1)
    every = np.arange(len(flows.taken))
    fix("taken", [taken["source"]], [every], flows.taken, problem.sources.day[taken["source"]] < today - 1)
    share = {}
    for row in plan.coverage.rows():
        share[row["site"], row["need"], row["day"]] = row["coverage"]
    rows_, right = [], []
    targets = (*problem.goods, *problem.nutrients)
    for block in ("met", "fed"):
        if block not in program.columns:
            continue
        labels, start = program.columns[block].labels, program.columns[block].start
        for need in np.unique(labels["need"]).tolist():
            when = int(problem.needs.day[need]) + 1
            if when < today:
                line = np.zeros(len(low))
                at = start + np.flatnonzero(labels["need"] == need)
                line[at] = program.column_scale[at]
                rows_.append(line)
                key = problem.sites[problem.needs.site[need]], targets[problem.needs.target[need]], when
                right.append(share[key] * problem.needs.amount[need])
    matrix, tight = program.matrix.toarray(), 1e-7
    above, below = np.isfinite(program.row_lower), np.isfinite(program.row_upper)
    answer = linprog(
        -program.value,
        A_ub=np.vstack([matrix[below], -matrix[above], *([np.array(rows_), -np.array(rows_)] if rows_ else [])]),
        b_ub=np.concatenate(
            [
                program.row_upper[below] + tight,
                -program.row_lower[above] + tight,
                np.array(right) * (1 + tight) + tight,
                -np.array(right) * (1 - tight) + tight,
            ]
        ),
        bounds=np.stack([low, high], axis=1),
        method="highs",
    )
    assert answer.status == 0, answer.message
    return -float(answer.fun) * program.value_scale


@given(networks(), st.data())
@settings(FEW)
def test_with_news_the_plan_is_the_best_that_keeps_what_has_begun(drawn: tuple[Network, str | None], data: Any) -> None:
    net, scenario = drawn
    old = make_plan(net, scenario, solver="exact")
    today, frozen = data.draw(st.integers(1, net.days)), data.draw(st.integers(0, 2))
    net = data.draw(news(net, today))
    scenario = "storm" if "storm" in net.scenarios else None
    replanned = replan(net, old, day=today, frozen=frozen, scenario=scenario, solver="exact")
    assert check_plan(net, replanned.plan, scenario) == []
    nothing_moved_silently(old, replanned)
    problem = build_problem(net, scenario)
    best = best_that_keeps(problem, replanned.plan, today=today, free=today + frozen)
    rounding = 1e-5 * replanned.plan.full_value
    if net.reserves and any(good.shelf_life_days is not None for good in net.goods):
        return  # the exact model keeps a reserve lot by lot, the format and the check keep it good by good
    assert replanned.plan.bound <= best + rounding
    plain = not (net.substitutes or net.requirements) and all(good.shelf_life_days is None for good in net.goods)
    if plain:
        assert replanned.plan.objective >= best - rounding


@pytest.mark.soak
@given(networks(equilibrium_only=True), st.data())
@settings(FEW, max_examples=10)
def test_the_equilibrium_plan_goes_on_or_is_good_enough_and_keeps_what_has_begun(
    drawn: tuple[Network, str | None], data: Any
) -> None:
    net, scenario = drawn
    old = make_plan(net, scenario, solver="equilibrium", gap=0.02)
    today, frozen = data.draw(st.integers(1, net.days)), data.draw(st.integers(0, 2))
    same = replan(net, old, day=today, frozen=frozen, scenario=scenario, solver="equilibrium", gap=0.05)
    assert same.as_before or same.plan.objective > old.objective
    if same.as_before:
        same_tables(old, same.plan)
    nothing_moved_silently(old, same)
    net = data.draw(news(net, today))
    scenario = "storm" if "storm" in net.scenarios else None
    replanned = replan(net, old, day=today, frozen=frozen, scenario=scenario, solver="equilibrium", gap=0.02)
    nothing_moved_silently(old, replanned)
    best = replan(net, old, day=today, frozen=frozen, scenario=scenario, solver="exact").plan.objective
    assert best <= replanned.plan.bound * (1 + ROUNDING) + ROUNDING
    assert replanned.plan.status == "stopped" or replanned.plan.gap <= 0.02 + ROUNDING


def shipped(plan: Plan) -> dict[tuple[str, str, int], float]:
    """Return what leaves each site for each other on each day, all goods and fleets together."""
    found: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in plan.shipments.rows():
        found[row["from"], row["to"], row["departs"]] += row["quantity"]
    return found


def covered(plan: Plan) -> dict[tuple[str, str, int], float]:
    return {(row["site"], row["need"], row["day"]): row["coverage"] for row in plan.coverage.rows()}


def storm(kind: Any, target: str, **columns: Any) -> dict[str, Any]:
    """Return table disruptions with one row, and the scenario's name to plan for."""
    return {"disruptions": (Disruption(scenario="storm", kind=kind, target=target, **columns),)}


def test_what_is_on_the_road_arrives_though_its_lane_closes_behind_it() -> None:
    """Two days on the road, a day's need each day: what left on days 1 and 2 comes and lasts four days."""
    lanes = [lane("depot", "town", lead_days=2)]
    net = depot_and_town(6, stock=9000, need=1000, fleet=truck(payload_t=1, hours_per_day=4), lanes=lanes)
    old = make_plan(net)
    closed = replace(net, **storm("lane", "depot>town", from_day=3))
    replanned = replan(closed, old, day=3, scenario="storm")
    assert [covered(replanned.plan)["town", "rice", t] for t in (3, 4, 5, 6)] == pytest.approx([0.5] * 4)
    (cut,) = replanned.cuts
    assert (cut.kind, cut.day, cut.possible) == ("shipment", 3, 0.0)
    assert cut.why == "lane depot>town is closed on day 3"
    assert [change.day for change in replanned.changes.dropped] == [4]


def test_a_truck_lost_today_cuts_its_frozen_orders_and_drops_them_where_nothing_is_frozen() -> None:
    """One truck carries a town's need of 600 kg each day; from day 2 on half its hours are left: one trip of 300 kg."""
    net = depot_and_town(3, stock=100_000, need=600, fleet=truck(payload_t=0.3, hours_per_day=8))
    old = make_plan(net)
    broken = replace(net, **storm("fleet", "truck", from_day=2, left=0.5))
    frozen = replan(broken, old, day=2, frozen=1, scenario="storm")
    (cut,) = frozen.cuts
    assert (cut.planned, cut.possible) == (pytest.approx(600), pytest.approx(300))
    assert cut.why == "truck has 4 vehicle-hours on day 2, the orders take 8"
    free = replan(broken, old, day=2, frozen=0, scenario="storm")
    assert free.cuts == ()
    assert [(change.before, change.after) for change in free.changes.changed] == [
        (pytest.approx(600), pytest.approx(300))
    ] * 2
    assert covered(free.plan) == pytest.approx(covered(frozen.plan))


def test_frozen_orders_stay_though_another_plan_would_be_better() -> None:
    """On day 2 a second town reports that it has nothing. Frozen for a day, the truck still serves the first today."""
    sites = [Site(site="depot"), Site(site="town", people=100), Site(site="other", people=100)]
    needs = [Need(site="town", good="rice", quantity=600)]
    net = depot_and_town(
        3,
        stock=100_000,
        need=600,
        fleet=truck(payload_t=0.3, hours_per_day=8, site="depot"),
        sites=sites,
        needs=needs,
        lanes=[lane("depot", "town"), lane("depot", "other")],
    )
    old = make_plan(net)
    asked = replace(net, needs=(*net.needs, Need(site="other", good="rice", quantity=600, from_day=2)))
    frozen, free = (replan(asked, old, day=2, frozen=days) for days in (1, 0))
    assert shipped(frozen.plan)["depot", "town", 2] == pytest.approx(600)
    assert covered(frozen.plan)["other", "rice", 2] == 0
    assert covered(frozen.plan)["other", "rice", 3] >= 0.5
    assert [covered(free.plan)["other", "rice", t] for t in (2, 3)] == pytest.approx([0.5, 0.5])
    assert frozen.cuts == ()
    assert frozen.plan.gap == pytest.approx(0.0, abs=1e-6)  # of the best that keeps today's order
    assert frozen.plan.objective < free.plan.objective


def test_less_on_hand_than_thought_cuts_what_was_handed_over_last() -> None:
    """150 kg were thought to be there, half a kilo each for three days; there are 80: day 3 has what is left."""
    sites, goods = [Site(site="town", people=100)], [Good(good="rice")]
    needs = [Need(site="town", good="rice", quantity=100)]
    stocks = [Stock(site="town", good="rice", quantity=150)]
    net = network(3, sites=sites, goods=goods, needs=needs, stocks=stocks)
    old = make_plan(net)
    counted = replace(net, stocks=(Stock(site="town", good="rice", quantity=80),))
    replanned = replan(counted, old, day=3)
    assert [covered(replanned.plan)["town", "rice", t] for t in (1, 2, 3)] == pytest.approx([0.5, 0.3, 0.0])
    (cut,) = replanned.cuts
    assert (cut.kind, cut.day, cut.to) == ("delivery", 2, "rice")
    assert (cut.planned, cut.possible) == (pytest.approx(50), pytest.approx(30))
    assert cut.why == "no more rice is at town on day 2"


def test_goods_that_frozen_orders_need_are_not_given_away() -> None:
    """The mill's flour of today is for the oven of tomorrow, which is frozen: a new need for flour gets the rest."""
    net = replace(bakery(stocks=[], supplies=[Supply(site="town", good="flour", quantity=100)]), days=3)
    old = make_plan(net)
    asked = replace(net, needs=(*net.needs, Need(site="town", good="flour", quantity=100, from_day=2, people=10_000)))
    replanned = replan(asked, old, day=2, frozen=2)
    baked = {row["day"]: row["batches"] for row in replanned.plan.production.rows()}
    assert baked == pytest.approx({1: 10, 2: 10, 3: 10})
    assert replanned.cuts == ()
    assert covered(replanned.plan)["town", "flour", 2] == pytest.approx(0)
    free = replan(asked, old, day=2, frozen=0)
    assert covered(free.plan)["town", "flour", 2] > 0.7


@pytest.mark.parametrize("day", [2, 4, 6])
def test_reasons_blame_kept_orders_not_supplies_and_lanes_that_are_as_ever(day: int) -> None:
    usual = read_network(example_path("neighbourhood"))
    closed = Disruption(scenario="bridge", kind="lane", target="Mill>North bakery", from_day=day)
    told = replan(replace(usual, disruptions=(closed,)), make_plan(usual), day=day, frozen=2, scenario="bridge")
    causes = " ".join(told.plan.shortages["cause"].tolist())
    assert f"orders before day {day + 2} are kept as they were" in causes
    assert "that kept orders leave at" in causes
    suppliers = {row.site for row in usual.supplies}
    places = {row.site for row in usual.sites}
    assert not [place for place in places - suppliers if f"that {place} can take in" in causes]
    assert "closed" not in causes.replace("lane Mill>North bakery is closed", "")
    assert "no vehicles to spare" not in causes


def test_a_lane_that_is_closed_is_named_on_frozen_days_too() -> None:
    """Fewer frozen days would not open the lane."""
    net = depot_and_town(3, stock=50_000, need=5000, fleet=truck())
    closed = replace(net, disruptions=(Disruption(scenario="flood", kind="lane", target="depot>town"),))
    (row,) = replan(closed, make_plan(net), day=1, frozen=1, scenario="flood").plan.shortages.rows()
    assert "lane depot>town is closed on days 1 to 3" in row["cause"]
    assert "lane depot>town open on days 1 to 3" in row["remedy"]


def test_lots_keep_their_dates_and_what_spoils_is_used_in_time() -> None:
    """Milk lasts two days. On day 2 the road is cut: the town lives on the lots that it has, dates and all."""
    sites = [Site(site="farm"), Site(site="town", people=100)]
    tables: dict[str, Any] = {
        "sites": sites,
        "goods": [Good(good="milk", shelf_life_days=2)],
        "supplies": [Supply(site="farm", good="milk", quantity=80)],
        "needs": [Need(site="town", good="milk", quantity=50)],
        "lanes": [lane("farm", "town", lead_days=1)],
        "fleets": [truck()],
    }
    net = network(5, **tables)
    old = make_plan(net)
    cut_off = replace(net, **storm("lane", "farm>town", from_day=2))
    replanned = replan(cut_off, old, day=2, scenario="storm")
    nothing_moved_silently(old, replanned)
    arrived = shipped(old)["farm", "town", 1]
    handed = sum(row["quantity"] for row in replanned.plan.deliveries.rows())
    assert handed == pytest.approx(min(arrived, 100))
    assert {str(row["expires"]) for row in replanned.plan.deliveries.rows()} == {"2026-11-24"}


def test_a_reserve_counts_what_was_shipped_before() -> None:
    """60 of the depot's 100 kg stay: 20 left on day 1, so that 20 may still leave, whatever is needed."""
    net = depot_and_town(
        3,
        stock=100,
        need=20,
        fleet=truck(),
        needs=[Need(site="town", good="rice", quantity=20, to_day=1)],
        reserves=[Reserve(site="depot", good="rice", quantity=60)],
    )
    old = make_plan(net)
    assert shipped(old) == pytest.approx({("depot", "town", 1): 20})
    asked = replace(net, needs=(*net.needs, Need(site="town", good="rice", quantity=50, from_day=2)))
    replanned = replan(asked, old, day=2)
    assert sum(shipped(replanned.plan).values()) == pytest.approx(40)


def test_a_store_that_is_too_small_now_cuts_what_it_cannot_hold() -> None:
    """100 kg a day were to come to a store for the last day; it turns out to hold 150 kg."""
    net = depot_and_town(
        3,
        stock=1000,
        need=300,
        fleet=truck(payload_t=0.1, hours_per_day=4),
        sites=[Site(site="depot"), Site(site="town", people=100, storage_t=0.5)],
        needs=[Need(site="town", good="rice", quantity=300, from_day=3)],
    )
    old = make_plan(net)
    assert shipped(old) == pytest.approx({("depot", "town", t): 100 for t in (1, 2, 3)})
    small = replace(net, sites=(Site(site="depot"), Site(site="town", people=100, storage_t=0.15)))
    replanned = replan(small, old, day=2)
    (cut,) = replanned.cuts
    assert (cut.kind, cut.day) == ("shipment", 2)
    assert cut.possible == pytest.approx(50, abs=1e-2)
    assert cut.why == "the store of town, 0.15 t, would be too full"
    assert covered(replanned.plan)["town", "rice", 3] == pytest.approx(250 / 300, abs=1e-4)


def test_frozen_trips_keep_their_fuel() -> None:
    """A trip a day takes 20 l of 60. On day 2 people ask for diesel: they get the 20 l that today's trip leaves."""
    net = depot_and_town(
        3,
        stock=10_000,
        need=100,
        fleet=truck(payload_t=0.1, hours_per_day=4, site="depot", fuel="diesel", fuel_per_km=1.0),
        goods=[Good(good="rice"), Good(good="diesel", unit="l", kg_per_unit=0.8)],
        stocks=[Stock(site="depot", good="rice", quantity=1000), Stock(site="depot", good="diesel", quantity=60)],
        lanes=[lane("depot", "town", km=10)],
    )
    old = make_plan(net)
    assert shipped(old) == pytest.approx({("depot", "town", t): 100 for t in (1, 2, 3)})
    asked = replace(net, needs=(*net.needs, Need(site="depot", good="diesel", quantity=40, from_day=2, people=9999)))
    replanned = replan(asked, old, day=2, frozen=1)
    assert shipped(replanned.plan)["depot", "town", 2] == pytest.approx(100)
    assert sum(covered(replanned.plan)["depot", "diesel", t] for t in (2, 3)) == pytest.approx(0.5)
    assert replanned.cuts == ()


@pytest.mark.parametrize("solver", ["exact", "equilibrium"])
def test_a_search_that_is_stopped_at_once_keeps_the_old_orders_that_are_possible(solver: Any) -> None:
    """Half the van is lost from day 2 on; whoever has no time to look further still sends what it can carry."""
    net = depot_and_town(3, stock=100_000, need=600, fleet=truck(payload_t=0.3, hours_per_day=8))
    old = make_plan(net)
    broken = replace(net, **storm("fleet", "truck", from_day=2, left=0.5))
    replanned = replan(broken, old, day=2, frozen=0, scenario="storm", solver=solver, stop=lambda: True)
    assert [shipped(replanned.plan)["depot", "town", t] for t in (1, 2, 3)] == pytest.approx([600, 300, 300])


def test_on_the_first_day_with_nothing_frozen_the_plan_is_as_good_as_a_fresh_one() -> None:
    net = depot_and_town(3, stock=1000, need=600, fleet=truck(payload_t=0.3, hours_per_day=8))
    asked = replace(net, needs=(Need(site="town", good="rice", quantity=500),))
    replanned = replan(asked, make_plan(net), day=1, frozen=0)
    assert replanned.plan.objective == pytest.approx(make_plan(asked).objective)


def test_of_equally_good_plans_the_one_with_the_fewest_changes_is_taken() -> None:
    """Two trucks can each serve the town; the old plan uses the slower one, and nothing forces it to change."""
    fast, slow = truck(fleet="fast", hours_per_day=8), truck(fleet="slow", hours_per_day=8, handling_hours=4)
    net = depot_and_town(4, stock=10_000, need=100, fleet=slow)
    old = make_plan(net)
    both = replace(
        net, fleets=(slow, fast), needs=(*net.needs, Need(site="town", good="rice", quantity=50, from_day=3))
    )
    replanned = replan(both, old, day=2)
    assert covered(replanned.plan) == pytest.approx(dict.fromkeys(covered(replanned.plan), 1.0))
    assert {row["fleet"] for row in old.shipments.rows()} == {"slow"}
    assert len(replanned.changes.kept) == replanned.changes.before


@pytest.mark.parametrize("gap", [0.05])
def test_without_news_the_national_plan_goes_on(gap: float) -> None:
    net = read_network(example_path("national"))
    old = make_plan(net, "lockout", gap=gap)
    replanned = replan(net, old, day=5, scenario="lockout", gap=1.2 * gap)
    assert replanned.as_before
    assert replanned.cuts == ()
    same_tables(old, replanned.plan)
    assert replanned.plan.bound >= old.objective


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"day": 0}, "day is 0; it must be a day of the horizon, from 1 to 3"),
        ({"day": 4}, "day is 4"),
        ({"day": 2, "frozen": -1}, "frozen is -1"),
    ],
)
def test_days_that_make_no_sense_are_refused(setting: dict[str, Any], message: str) -> None:
    net = depot_and_town(3, stock=1000, need=600, fleet=truck())
    with pytest.raises(SettingError, match=message):
        replan(net, make_plan(net), **setting)


def test_dust_is_no_order() -> None:
    """What rounding leaves of an order is nothing: it is dropped to 0, and new from 0."""
    net = depot_and_town(2, stock=1000, need=600, fleet=truck())
    old = make_plan(net)
    columns = {name: old.shipments[name] for name in old.shipments}
    dust = np.where(old.shipments["departs"] == 1, 1e-13, columns["quantity"])
    new = replace(old, shipments=Table(columns | {"quantity": dust}))
    (dropped,), (added,) = compare_orders(old, new, from_day=1).dropped, compare_orders(new, old, from_day=1).new
    assert (dropped.day, dropped.after, added.day, added.before) == (1, 0.0, 1, 0.0)
    assert dropped.before == added.after == old.shipments["quantity"][0]


def test_the_plan_of_another_network_is_refused() -> None:
    net = depot_and_town(3, stock=1000, need=600, fleet=truck())
    with pytest.raises(SettingError, match="the earlier plan is for 4 days"):
        replan(net, make_plan(replace(net, days=4)), day=2)
    other = depot_and_town(
        3, stock=1000, need=600, fleet=truck(), goods=[Good(good="beans")],
        stocks=[Stock(site="depot", good="beans", quantity=9)], needs=[Need(site="town", good="beans", quantity=9)],
    )  # fmt: skip
    with pytest.raises(SettingError, match='the earlier plan speaks of "rice"'):
        replan(other, make_plan(net), day=2)
