"""Tables to facts and back: nothing is lost but what is documented, and what was said by hand is read as tables are."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from living import Living

from abasto.errors import InputError
from abasto.examples import EXAMPLES, example_path
from abasto.facts.kinds import GoodsHandedOut, Line, OrderIssued, RowDropped, RowSet, StockCounted, body_of, fact_of
from abasto.network import (
    TABLES,
    Cost,
    Disruption,
    Fleet,
    Good,
    Labour,
    Lane,
    Need,
    Network,
    Row,
    Site,
    Stock,
    Supply,
)
from abasto.state.cells import cells_of, on_calendar
from abasto.state.kept import as_kept
from abasto.state.known import known
from abasto.state.network import changes_of, row_fact, rows_of
from abasto.state.packs import packs_of
from abasto.state.rows import Rows, identity_of
from abasto.state.tables import has_days, read_table, tables_known
from abasto.tables import read_network

sys.path.insert(0, str(Path(__file__).parents[1] / "planner"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tables"))
from random_networks import networks
from test_round_trip import rows_of as any_rows

START = date(2026, 11, 22)


def rows_from(facts: list[Any]) -> Rows:
    """Return rows after facts that went through bodies, as they do in entries."""
    rows = Rows()
    for number, fact in enumerate(facts):
        read = fact_of(fact.KIND, body_of(fact))
        said = rows.set(read, f"e{number}") if isinstance(read, RowSet) else rows.drop(read, f"e{number}")  # type: ignore[arg-type]
        assert said == ""
    return rows


def without_stocks(network: Network) -> Network:
    return replace(network, stocks=())


def there_and_back(network: Network, day: date | None = None) -> Network:
    return tables_known(rows_from(rows_of(network, date=network.start)), day or network.start).network


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_come_back_as_they_are(name: str) -> None:
    network = read_network(example_path(name))
    assert there_and_back(network) == without_stocks(network)
    assert without_stocks(as_kept(network)) == without_stocks(network)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(networks())
def test_random_networks_come_back_as_they_are(drawn: tuple[Network, str | None]) -> None:
    network, _ = drawn
    assert there_and_back(network) == without_stocks(as_kept(network)) == without_stocks(network)


ODD = Network(
    "La Ñ «1»",
    START,
    7,
    sites=tuple(Site(site=odd, people=0.1 + 0.2) for odd in ("=1+1", "007", "a,b", "two\nlines", "🍞", "\u202ex")),
    goods=(Good(good="#loc", kg_per_unit=1 / 3), Good(good="#adm", priority=5e-324), Good(good="x", kg_per_unit=1e300)),
    needs=(
        Need(site="007", good="#loc", quantity=1e-17),
        Need(site="007", good="#loc", quantity=1e-17),
        Need(site="007", good="#loc", quantity=2.0, from_day=3, to_day=9),
        Need(site="a,b", good="#adm", quantity=12345678.901234567, from_day=8),
    ),
    labour=(Labour(site="🍞", hours=3), Labour(site="🍞", hours=4), Labour(site="🍞", hours=3)),
    lanes=(
        Lane(from_site="007", to_site="a,b", km=0.1, two_way=False),
        Lane(from_site="a,b", to_site="007", two_way=False),
    ),
    fleets=(Fleet(fleet="van", vehicles=1, payload_t=1),),
    supplies=(Supply(site="007", good="x", quantity=1, to_day=30_000), Supply(site="007", good="x", quantity=1)),
    disruptions=(Disruption(scenario="s", kind="lane", target="007>a,b", from_day=2, to_day=2),),
)  # fmt: skip


def test_odd_ids_repeated_rows_and_all_digits_come_back() -> None:
    assert there_and_back(ODD) == ODD


def test_days_that_are_over_are_gone_and_those_that_have_begun_begin_on_day_1() -> None:
    network = Network(
        "n", START, 7,
        sites=(Site(site="a"), Site(site="b"), Site(site="c")),
        goods=(Good(good="g"),),
        needs=(
            Need(site="a", good="g", quantity=1, from_day=1, to_day=3),
            Need(site="a", good="g", quantity=2, from_day=2, to_day=5),
            Need(site="a", good="g", quantity=3, from_day=6),
            Need(site="a", good="g", quantity=4),
        ),
        supplies=(Supply(site="a", good="g", quantity=1, to_day=2),),
        labour=(Labour(site="b", hours=8, to_day=3), Labour(site="c", hours=8, to_day=3), Labour(site="c", hours=5)),
        costs=(Cost(kind="buy", target="a/g", quantity=1),),
        disruptions=(Disruption(scenario="s", kind="supply", target="a/g"),),
    )  # fmt: skip
    later = there_and_back(network, START + timedelta(days=3))
    assert later.needs == (
        Need(site="a", good="g", quantity=2, from_day=1, to_day=2),
        Need(site="a", good="g", quantity=3, from_day=3),
        Need(site="a", good="g", quantity=4),
    )
    # Without rows a site's labour is unlimited: what is over must leave none, and not all.
    assert later.labour == (Labour(site="c", hours=5), Labour(site="b", hours=0))
    assert (later.supplies, later.costs, later.disruptions) == ((), (), ())
    moved = replace(
        network,
        start=START + timedelta(days=3),
        **{
            name: tuple(
                row.model_copy(
                    update={
                        "from_day": None if row.from_day is None else row.from_day - 3,
                        "to_day": None if row.to_day is None else row.to_day - 3,
                    }
                )
                for row in getattr(network, name)
            )
            for name in ("needs", "supplies", "labour", "disruptions")
        },
    )
    assert as_kept(moved) == later


def test_days_beyond_the_calendar_say_nothing() -> None:
    network = Network(
        "n", START, 7, sites=(Site(site="a"),), goods=(Good(good="g"),),
        needs=(
            Need(site="a", good="g", quantity=1, from_day=-10**9),
            Need(site="a", good="g", quantity=2, to_day=10**9),
            Need(site="a", good="g", quantity=3, from_day=10**9),
            Need(site="a", good="g", quantity=4, to_day=-10**9),
        ),
    )  # fmt: skip
    expected = (Need(site="a", good="g", quantity=1), Need(site="a", good="g", quantity=2))
    assert there_and_back(network).needs == as_kept(network).needs == expected


def test_stocks_are_lots_in_thousandths_with_their_last_date() -> None:
    network = Network(
        "n", START, 7, sites=(Site(site="b"), Site(site="a")),
        goods=(Good(good="milk", shelf_life_days=2.5), Good(good="rice")),
        stocks=(
            Stock(site="a", good="rice", quantity=0.1 + 0.2),
            Stock(site="a", good="milk", quantity=5),
            Stock(site="a", good="milk", quantity=2, expires=START + timedelta(days=1)),
            Stock(site="a", good="milk", quantity=9, expires=START - timedelta(days=1)),
            Stock(site="a", good="milk", quantity=3, expires=START + timedelta(days=9)),
            Stock(site="b", good="rice", quantity=0.0004),
            Stock(site="b", good="milk", quantity=1, expires=START),
        ),
    )  # fmt: skip
    assert as_kept(network).stocks == (
        Stock(site="b", good="milk", quantity=1, expires=START),
        Stock(site="a", good="milk", quantity=7, expires=START + timedelta(days=1)),
        Stock(site="a", good="milk", quantity=3, expires=START + timedelta(days=9)),
        Stock(site="a", good="rice", quantity=0.3),
    )
    facts = [fact for fact in rows_of(network, date=START) if isinstance(fact, RowSet) and fact.table == "stocks"]
    assert [(fact.row["site"], fact.row["quantity"], fact.row.get("expires")) for fact in facts] == [
        ("b", "1", "2026-11-22"), ("a", "7", "2026-11-23"), ("a", "3", "2026-12-01"), ("a", "0.3", None)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (Network("n", START, 7, needs=(Need(site="x", good="g", quantity=1),)), "there is no site of this id"),
        (Network("n", START, 7, goods=(Good(good="g", unit=""),)), "this would not be read as it is written"),
        (Network("n", START, 7, sites=(Site(site="a", name=" b"),)), "this would not be read as it is written"),
        (Network("n", START, 7, goods=(Good(good="#N/A"),)), "the spreadsheet could not compute this cell"),
    ],
)
def test_what_a_table_cannot_say_is_refused(network: Network, said: str) -> None:
    with pytest.raises(InputError, match=said):
        rows_of(network, date=START)


def founded(*facts: RowSet | RowDropped) -> Rows:
    network = RowSet("network", {"name": "n", "start": "2026-11-22", "days": "7"}, "2026-11-22")
    return rows_from([network, *facts])


def row(table: str, **cells: str) -> RowSet:
    return RowSet(table, {name.rstrip("_"): cell for name, cell in cells.items()}, "2026-11-22")


def test_rows_about_what_is_not_there_are_left_out_and_told() -> None:
    rows = founded(
        row("sites", site="mill"), row("sites", site="shed"), row("goods", good="grain"), row("goods", good="flour"),
        row("recipes", recipe="milling", good="grain", quantity="-1"),
        row("recipes", recipe="milling", good="flour", quantity="0.8"),
        row("plants", site="mill", recipe="milling", batches="10"),
        row("needs", site="mill", good="flour", quantity="5"),
        row("needs", site="shed", good="flour", quantity="5"),
        row("needs", site="shop", good="flour", quantity="5"),
        row("fleets", fleet="cart", site="shed", vehicles="1", payload_t="1"),
        row("disruptions", scenario="s", kind="plant", target="mill/milling"),
        row("disruptions", scenario="s", kind="site", target="mill"),
        RowDropped("goods", {"good": "grain"}, "2026-11-23"), RowDropped("sites", {"site": "shed"}, "2026-11-23"),
    )  # fmt: skip
    known = tables_known(rows, START)
    assert known.network == Network(
        "n", START, 7, sites=(Site(site="mill"),), goods=(Good(good="flour"),),
        needs=(Need(site="mill", good="flour", quantity=5),),
        disruptions=(Disruption(scenario="s", kind="site", target="mill"),),
    )  # fmt: skip
    told = [str(finding) for finding in known.problems]
    assert len(told) == 7
    for words in (
        'needs shed / flour [entry',
        'site: site "shed" was dropped, so this row is left out of the plan',
        'site: there is no site "shop", so this row is left out',
        'recipes milling / flour',
        'good: good "grain" was dropped',
        'plants mill / milling',
        'recipe: there is no recipe "milling"',
        'target: there is no plant "mill/milling"',
        "fleets cart",
    ):  # fmt: skip
        assert any(words in one for one in told), words


def need(**cells: str) -> RowSet:
    return row("needs", site="mill", good="flour", **cells)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (need(quantity="-40"), r'^needs mill / flour \[entry .*\], quantity: "-40" — a need cannot be negative'),
        (need(quantity="1,5"), "decimals take a point, not a comma"),
        (need(quantity="4", from_="3"), "a day number means nothing in a journal"),
        (need(), "quantity is missing"),
        (need(quantity="4", from_="2026-12-02", to="2026-12-01"), "the first day comes after the last"),
        (
            row("network", name="n", start="2026-11-22", days="many"),
            r'^network \[entry .*\], days: "many" — this is not a number',
        ),
    ],
)
def test_rows_that_cannot_be_read_are_named_with_their_entry(bad: RowSet, said: str) -> None:
    rows = founded(row("sites", site="mill"), row("goods", good="flour"), bad)
    with pytest.raises(InputError, match=said):
        tables_known(rows, START)


def test_findings_between_rows_name_both() -> None:
    rows = founded(
        row("sites", site="a"), row("sites", site="b"),
        row("lanes", from_="a", to="b"), row("lanes", from_="b", to="a"),
    )  # fmt: skip
    with pytest.raises(InputError, match=r"^lanes b / a \[entry .*lanes a / b \[entry .*\] joins the same two sites"):
        tables_known(rows, START)


def test_columns_of_later_versions_are_told_and_left_aside() -> None:
    known = tables_known(founded(row("sites", site="a", colour="red")), START)
    assert known.network.sites == (Site(site="a"),)
    (finding,) = known.problems
    assert "this version knows no such column" in str(finding)


def test_without_network_row_nothing_is_planned() -> None:
    with pytest.raises(InputError, match="table network has no row"):
        tables_known(rows_from([row("sites", site="a")]), START)


def test_row_by_hand_is_read_as_tables_are() -> None:
    fact = row_fact(
        "needs", {"site": "School", "good": "bread", "quantity": "40.0", "from": "2"}, date=START, start=START
    )
    assert fact == RowSet(
        "needs", {"site": "School", "good": "bread", "quantity": "40", "from": "2026-11-23"}, "2026-11-22"
    )
    assert row_fact("packs", {"good": "flour", "pack": "saco", "quantity": "50"}, date=START).table == "packs"


@pytest.mark.parametrize(
    ("table", "cells", "said"),
    [
        ("need", {}, 'there is no such table; name one of .* Did you mean "needs"'),
        ("needs", {"site": "a", "good": "g", "quantity": "4", "when": "x"}, "no such column"),
        ("needs", {"site": "a", "good": "g"}, "quantity is missing"),
        ("needs", {"site": "a", "good": "g", "quantity": "4", "from": "3"}, "a day number means nothing here"),
        ("packs", {"good": "flour", "pack": "saco", "quantity": "0"}, "must be more than 0"),
    ],
)
def test_row_by_hand_that_is_wrong_is_refused(table: str, cells: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        row_fact(table, cells, date=START)


def as_sets(network: Network) -> dict[str, list[str]]:
    """Return a network's rows without their order, which no fact says."""
    return {schema.name: sorted(map(repr, network.rows(schema.name))) for schema in TABLES}


def drawn_pair() -> st.SearchStrategy[tuple[Network, Network]]:
    return st.tuples(networks(), networks()).map(lambda pair: (pair[0][0], pair[1][0]))


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(drawn_pair())
def test_changes_turn_any_network_into_any_other(pair: tuple[Network, Network]) -> None:
    becomes(*pair)


def becomes(old: Network, new: Network) -> None:
    """Check that the changes turn one network into another, and that then there are none left."""
    living = Living(old)
    assert changes_of(living.state, old, date=old.start) == []
    changes = changes_of(living.state, new, date=new.start)
    if changes:
        living.say(*changes)
    state = living.state
    assert changes_of(state, new, date=new.start) == []
    assert as_sets(tables_known(state.rows, new.start).network) == as_sets(without_stocks(as_kept(new)))
    seen = known(state, new.start).tables
    # Stocks that the new tables do not speak of are as they were.
    spoken = {(row.site, row.good) for row in new.stocks}
    for row in as_kept(new).stocks:
        assert row in seen.stocks
    assert {(row.site, row.good) for row in seen.stocks if (row.site, row.good) not in spoken} <= {
        (row.site, row.good) for row in old.stocks
    }


def test_only_what_differs_is_said() -> None:
    network = read_network(example_path("neighbourhood"))
    living = Living(network)
    sites = tuple(site.model_copy(update={"people": 5.0}) if site.site == "School" else site for site in network.sites)
    stocks = tuple(row.model_copy(update={"quantity": 999.0}) if row.site == "Mill" else row for row in network.stocks)
    changed = replace(network, sites=sites, stocks=stocks, days=9, reserves=())
    day = network.start
    said = changes_of(living.state, changed, date=day)
    assert [type(fact) for fact in said] == [RowSet, RowSet, RowDropped, StockCounted]
    assert said[0] == RowSet("network", {"name": network.name, "start": "2027-03-01", "days": "9"}, day.isoformat())
    assert said[1].row["people"] == "5"  # type: ignore[union-attr]
    assert said[2] == RowDropped("reserves", {"site": "Clinic", "good": "milk powder"}, day.isoformat())
    assert said[3] == StockCounted("Mill", "flour", 999_000, day.isoformat(), "")


def test_exported_tables_of_a_later_day_that_come_back_unchanged_say_nothing() -> None:
    network = replace(
        read_network(example_path("neighbourhood")),
        labour=(Labour(site="North bakery", hours=10, to_day=2), Labour(site="South bakery", hours=9, from_day=2)),
        supplies=(
            Supply(site="Mill", good="flour", quantity=300, to_day=2),
            Supply(site="Dairy", good="milk", quantity=9),
        ),
        costs=(Cost(kind="buy", target="Mill/flour", quantity=2),),
    )  # fmt: skip
    living = Living(network)
    start = network.start
    living.say(*(GoodsHandedOut("Market", "milk", 5000, (start + timedelta(days=day)).isoformat()) for day in range(2)))
    for later in (0, 2, 3, 8):
        seen = known(living.state, start + timedelta(days=later)).tables
        assert changes_of(living.state, seen, date=seen.start) == []
    estimate = next(row for row in seen.stocks if row.site == "Mill")
    counted = replace(seen, stocks=(estimate.model_copy(update={"quantity": 3.0}),))
    assert changes_of(living.state, counted, date=seen.start) == [
        StockCounted("Mill", "flour", 3000, seen.start.isoformat(), "")
    ]


def test_row_that_has_begun_is_changed_where_it_stands() -> None:
    network = Network(
        "n", START, 7, sites=(Site(site="a"),), goods=(Good(good="g"),),
        needs=(Need(site="a", good="g", quantity=1, from_day=2, to_day=6),),
    )  # fmt: skip
    living = Living(network)
    seen = known(living.state, START + timedelta(days=3)).tables
    (need,) = seen.needs
    changed = replace(seen, needs=(need.model_copy(update={"quantity": 5.0}),))
    (said,) = changes_of(living.state, changed, date=seen.start)
    assert isinstance(said, RowSet)
    assert (said.row["quantity"], said.row["from"], said.row["to"]) == ("5", "2026-11-23", "2026-11-27")
    doubled = replace(seen, needs=(need, need))
    (said,) = changes_of(living.state, doubled, date=seen.start)
    living.say(said)
    assert known(living.state, seen.start).tables.needs == doubled.needs


def test_rows_that_cannot_be_read_are_dropped_by_tables_that_can() -> None:
    living = Living(read_network(example_path("neighbourhood")))
    living.say(row("needs", site="School", good="bread", quantity="many"))
    network = read_network(example_path("neighbourhood"))
    (dropped,) = changes_of(living.state, network, date=network.start)
    assert dropped == RowDropped("needs", {"site": "School", "good": "bread"}, network.start.isoformat())
    living.say(dropped)
    assert known(living.state, network.start).tables == as_kept(network)


def test_site_that_comes_back_brings_its_rows_once() -> None:
    network = read_network(example_path("neighbourhood"))
    living = Living(network)
    living.say(RowDropped("sites", {"site": "School"}, network.start.isoformat()))
    assert len(known(living.state, network.start).problems) > 2
    changes = changes_of(living.state, network, date=network.start)
    assert [fact.table for fact in changes if isinstance(fact, RowSet)] == ["sites"]
    living.say(*changes)
    assert as_sets(known(living.state, network.start).tables) == as_sets(as_kept(network))


def test_sites_that_stand_for_orders_are_no_tables() -> None:
    network = read_network(example_path("neighbourhood"))
    living = Living(network)
    day = network.start.isoformat()
    living.say(OrderIssued("Mill", "School", "mill van", 1, day, day, (Line("flour", 5000),), day))
    with pytest.raises(InputError, match="this stands for goods on their way and is no site"):
        changes_of(living.state, known(living.state, network.start).network, date=network.start)
    assert changes_of(living.state, known(living.state, network.start).tables, date=network.start) == []


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data(), st.dates(date(1, 1, 1), date(9000, 1, 1)))
def test_any_row_of_any_table_comes_back(data: st.DataObject, start: date) -> None:
    """Rows that need not make sense together: odd texts, any digits, days far beyond the calendar."""
    schema = data.draw(st.sampled_from([schema for schema in TABLES if schema.name != "stocks"]))
    given_rows = data.draw(st.lists(any_rows(schema), min_size=1, max_size=4))
    rows = Rows()
    expected: dict[tuple[str, ...], Row] = {}
    for number, one in enumerate(given_rows):
        dated = on_calendar(one, start) if has_days(schema) else one
        if dated is None:
            continue
        cells = cells_of(dated, schema, start)
        fact = fact_of(RowSet.KIND, body_of(RowSet(schema.name, cells, START.isoformat(), copy=number + 1)))
        assert isinstance(fact, RowSet)
        assert rows.set(fact, f"e{number}") == ""
        expected[identity_of(schema.name, cells, copy=number + 1)] = dated
    read = read_table(Rows.from_plain(json.loads(json.dumps(rows.plain()))), schema, start)
    assert [str(finding) for finding in (*read.errors, *read.doubts)] == []
    assert [one for one, _ in read.placed] == list(expected.values())


def test_packs_are_read_and_wrong_ones_told() -> None:
    rows = rows_from([
        row("packs", good="flour", pack="saco", quantity="50"),
        row("packs", good="flour", pack="bolsa", quantity="0.5"),
        row("packs", good="milk", pack="box", quantity="0"),
        row("packs", good="milk", pack="crate", quantity="twelve"),
        row("packs", good="milk", pack="can"),
    ])  # fmt: skip
    packs, wrong = packs_of(rows)
    assert packs == {"flour": {"saco": 50_000, "bolsa": 500}}
    assert [finding.file for finding in wrong] == ["packs milk / box", "packs milk / crate", "packs milk / can"]
    assert all("set the pack again" in str(finding) for finding in wrong)


@pytest.mark.soak
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck), derandomize=True)
@given(drawn_pair())
def test_changes_turn_any_network_into_any_other_for_long(pair: tuple[Network, Network]) -> None:
    becomes(*pair)
