"""What a plan leaves beside what it hands over: by hand for one network, and what it is worth for many."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import network
from random_networks import networks

from abasto.federation.worth import value_at
from abasto.network import Fleet, Good, Labour, Lane, Need, Network, Plant, RecipeLine, Site, Stock, Supply
from abasto.planner.left import left_beside
from abasto.planner.make import make_plan

slowly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def bakery() -> Network:
    """A mill whose bakery feeds a school, four days long: 2 t of flour a day, of which the school takes 0.5."""
    return network(
        days=4,
        goods=(Good(good="flour"), Good(good="bread")),
        sites=(Site(site="mill"), Site(site="school", people=100)),
        stocks=(Stock(site="mill", good="flour", quantity=300.0),),
        supplies=(Supply(site="mill", good="flour", quantity=2000.0),),
        recipes=(
            RecipeLine(recipe="bake", good="flour", quantity=-1.0),
            RecipeLine(recipe="bake", good="bread", quantity=1.0),
        ),
        plants=(Plant(site="mill", recipe="bake", batches=1500.0, hours_per_batch=0.01),),
        labour=(Labour(site="mill", hours=10.0),),
        lanes=(Lane(from_site="mill", to_site="school", hours=1.0),),
        fleets=(Fleet(fleet="van", vehicles=2, payload_t=1.0),),
        needs=(Need(site="school", good="bread", quantity=500.0, from_day=2, to_day=4),),
    )


def test_what_stands_behind_what_is_kept_is_gone_and_all_else_is_there() -> None:
    tables = bakery()
    plan = make_plan(tables, solver="exact")
    assert sum(row["quantity"] for row in plan.deliveries.rows()) == pytest.approx(1500.0)
    left = left_beside(tables, plan, {"school"})

    def summed(rows: tuple[Supply, ...] | tuple[Plant, ...] | tuple[Labour, ...], column: str) -> float:
        return float(sum(getattr(row, column) * (1 + (row.to_day or 4) - (row.from_day or 1)) for row in rows))

    flour = summed(left.supplies, "quantity") + sum(row.quantity for row in left.stocks)
    assert flour == pytest.approx(300.0 + 4 * 2000.0 - 1500.0)
    assert summed(left.plants, "batches") == pytest.approx(4 * 1500.0 - 1500.0)
    assert summed(left.labour, "hours") == pytest.approx(40.0 - 15.0)
    hours = sum(row.vehicles * row.hours_per_day * (1 + row.to_day - row.from_day) for row in left.fleets)  # type: ignore[operator]
    driven = sum(row["vehicle_hours"] for row in plan.trips.rows())
    assert driven > 0
    assert hours == pytest.approx(4 * 2 * 10.0 - 1500.0 / 1000.0 * (2 * 1.0 + 2.0))
    assert (left.needs, left.lanes, left.sites) == (tables.needs, tables.lanes, tables.sites)


def test_where_nothing_is_kept_all_is_left() -> None:
    tables = bakery()
    left = left_beside(tables, make_plan(tables, solver="exact"), set())
    assert make_plan(left, solver="exact").objective == pytest.approx(make_plan(tables, solver="exact").objective)


@given(networks(), st.data())
@slowly
def test_what_is_left_is_a_network_that_is_worth_no_more_than_the_whole(
    drawn: tuple[Network, str | None], data: st.DataObject
) -> None:
    """And with nothing that is kept by others, no less than what they have in the best plan around it."""
    tables = replace(drawn[0], disruptions=(), rations=())
    kept = set(data.draw(st.lists(st.sampled_from([site.site for site in tables.sites]), unique=True)))
    old = make_plan(tables, solver="exact")
    left = left_beside(tables, old, kept)
    others = tuple(row for row in tables.needs if row.site not in kept)
    there, all = (make_plan(replace(one, needs=others), solver="exact").objective for one in (left, tables))
    assert there <= all * (1 + 1e-6) + 1e-6
    own = value_at(tables, old, {row.site for row in others}, 4.0)
    assert there >= own * (1 - 1e-6) - 1e-6
