"""What was seen of use and stock, day by day: made by hand, and any history beside what the books say themselves."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.state.devices import DAY, Crew, received
from tests.state.living import Living

from abasto.facts.kinds import (
    EntryReversed,
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsTakenIn,
    Line,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    RowSet,
    StockCounted,
)
from abasto.state.fold import fold
from abasto.state.observed import Observed, observed
from abasto.state.state import State

FOUNDED = date.fromisoformat(DAY)
NAN = float("nan")


def on(number: int) -> str:
    """The date so many days after the network was founded."""
    return (FOUNDED + timedelta(days=number)).isoformat()


def living() -> Living:
    """A network with two sites and two goods that do not spoil, founded on day 0."""
    town = Living(on=FOUNDED)
    rows = [RowSet("sites", {"site": site}, DAY) for site in ("Store", "School")]
    town.say(*rows, *(RowSet("goods", {"good": good}, DAY) for good in ("flour", "oil")))
    return town


def counted(quantity: float, day: int, *, site: str = "School", good: str = "flour") -> StockCounted:
    return StockCounted(site, good, round(1000 * quantity), on(day))


def handed(quantity: float, day: int, *, site: str = "School", good: str = "flour") -> GoodsHandedOut:
    return GoodsHandedOut(site, good, round(1000 * quantity), on(day))


def seen(state: State, *, day: int, days: int, site: str = "School", good: str = "flour") -> tuple[list[float], ...]:
    """Use and closing of the `days` days before a day."""
    told = observed(state, FOUNDED + timedelta(days=day), days=days)
    number = told.places.index((site, good))
    return told.use[number].tolist(), told.closing[number].tolist()


def same(found: list[float], expected: list[float]) -> bool:
    return bool(np.allclose(found, expected, equal_nan=True))


def test_hand_outs_are_use_and_a_day_with_another_report_had_none() -> None:
    town = living()
    town.say(counted(100, 1), handed(5, 2), counted(9, 3, good="oil"), handed(7, 5))
    use, closing = seen(town.state, day=7, days=7)
    assert same(use, [NAN, NAN, 5, 0, NAN, 7, NAN])
    assert same(closing, [NAN, 100, 95, 95, 95, 88, 88])


def test_where_nothing_is_written_down_what_a_count_misses_was_used_in_equal_parts() -> None:
    town = living()
    town.say(counted(100, 1), counted(70, 4), counted(60, 5), counted(60, 6))
    use, closing = seen(town.state, day=7, days=7)
    assert same(use, [NAN, NAN, 10, 10, 10, 10, 0])
    assert same(closing, [NAN, 100, 100, 100, 70, 60, 60])


def test_counts_with_a_delivery_between_them_miss_what_was_used_and_not_what_came() -> None:
    town = living()
    town.say(counted(100, 1), GoodsTakenIn("School", "flour", 50_000, on(2)), counted(120, 4))
    use, _ = seen(town.state, day=5, days=5)
    assert same(use, [NAN, NAN, 10, 10, 10])


def test_more_than_the_books_had_is_no_use_below_zero() -> None:
    town = living()
    town.say(counted(100, 1), counted(130, 3))
    use, closing = seen(town.state, day=4, days=4)
    assert same(use, [NAN, NAN, 0, 0])
    assert same(closing, [NAN, 100, 100, 130])


def test_a_hand_out_that_is_told_late_explains_what_the_count_missed() -> None:
    town = living()
    town.say(counted(100, 1), handed(4, 2), counted(66, 5))
    assert same(seen(town.state, day=6, days=6)[0], [NAN, NAN, 4, 15, 15, 0])
    town.say(handed(20, 3))
    use, closing = seen(town.state, day=6, days=6)
    assert same(use, [NAN, NAN, 4, 20, 10, 0])
    assert same(closing, [NAN, 100, 96, 76, 76, 66])


def test_what_is_undone_was_not_used() -> None:
    town = living()
    town.say(counted(100, 1), handed(5, 2))
    (wrong,) = town.say(handed(50, 3))
    assert same(seen(town.state, day=5, days=5)[0], [NAN, NAN, 5, 50, NAN])
    town.say(EntryReversed(wrong.id, on(4)))
    use, closing = seen(town.state, day=5, days=5)
    assert use[2] == 5
    assert not use[3] > 0
    # As the books have it: what is reversed comes back on the day of the reversal.
    assert same(closing[1:], [100, 95, 45, 95])


def test_what_leaves_with_a_truck_is_not_used_and_what_comes_with_one_neither() -> None:
    town = living()
    lines = (Line("flour", 30_000),)
    town.say(counted(100, 1, site="Store"), counted(10, 1))
    (order,) = town.say(OrderIssued("Store", "School", "van", 1, on(2), on(3), lines, on(2)))
    town.say(OrderLoaded(order.id, lines, on(2)), OrderReceived(order.id, "School", lines, on(3)), handed(8, 4))
    use, closing = seen(town.state, day=5, days=5)
    assert not np.any(np.array(use[:4]) > 0)
    assert same(closing, [NAN, 10, 10, 40, 32])
    use, closing = seen(town.state, day=5, days=5, site="Store")
    assert not np.any(np.array(use) > 0)
    assert same(closing, [NAN, 100, 70, 70, 70])


def test_nobody_knows_what_would_have_been_used_of_what_was_not_there() -> None:
    town = living()
    town.say(counted(10, 1), handed(10, 2), counted(3, 3, good="oil"), counted(3, 4, good="oil"))
    use, closing = seen(town.state, day=5, days=5)
    assert same(use, [NAN, NAN, 10, NAN, NAN])
    assert same(closing, [NAN, 10, 0, 0, 0])


def test_a_day_to_come_is_not_seen() -> None:
    town = living()
    town.say(counted(100, 1), handed(5, 2), handed(7, 5), counted(40, 6))
    use, closing = seen(town.state, day=4, days=4)
    assert same(closing, [NAN, 100, 95, 95])
    assert use[2] == 5


def test_reports_of_a_site_are_those_of_all_its_goods() -> None:
    town = living()
    town.say(counted(100, 1), handed(5, 2), counted(9, 5, good="oil"), counted(9, 3, good="oil", site="Store"))
    told = observed(town.state, FOUNDED + timedelta(days=7), days=7)
    assert [when.isoformat() for when in told.reported["School"]] == [on(1), on(2), on(5)]
    assert [when.isoformat() for when in told.reported["Store"]] == [on(3)]


places = st.tuples(st.sampled_from(["Store", "School"]), st.sampled_from(["bread", "flour"]))
quantities = st.integers(0, 40).map(lambda number: number * 1000)
reports = st.one_of(
    st.builds(lambda p, q, d: StockCounted(*p, q, on(d)), places, quantities, st.integers(0, 30)),
    st.builds(lambda p, q, d: GoodsHandedOut(*p, q or 1, on(d)), places, quantities, st.integers(0, 30)),
    st.builds(lambda p, q, d: GoodsTakenIn(*p, q or 1, on(d)), places, quantities, st.integers(0, 30)),
    st.builds(lambda p, q, d: GoodsLost(*p, q or 1, on(d)), places, quantities, st.integers(0, 30)),
)
LOOK, DAYS = 26, 24
"""The look is from before the newest reports, on the days from 2 to 25."""


def history(facts: list[Fact], undone: list[int]) -> Crew:
    """A journal in which some of the facts are reversed."""
    crew = Crew()
    entries = [crew.say(fact)[0] for fact in facts]
    for number in dict.fromkeys(number % len(entries) for number in undone if entries):
        crew.say(EntryReversed(entries[number].id, on(12)))
    return crew


@settings(max_examples=150, deadline=None)
@given(st.lists(reports, max_size=14), st.lists(st.integers(0, 13), max_size=3))
def test_what_lay_there_is_what_the_books_say_of_each_day(facts: list[Fact], undone: list[int]) -> None:
    state = history(facts, undone).state()
    told = observed(state, FOUNDED + timedelta(days=LOOK), days=DAYS)
    assert told.first == FOUNDED + timedelta(days=LOOK - DAYS)
    for number, (site, good) in enumerate(told.places):
        for column in range(DAYS):
            day = told.first + timedelta(days=column)
            books = sum(state.books.at_end_of(site, good, day).values()) / 1000
            value = told.closing[number, column]
            assert value == pytest.approx(books) or (np.isnan(value) and books == 0)
        known = ~np.isnan(told.closing[number])
        assert not np.any(np.diff(known.astype(int)) < 0), "once known, always known"


@settings(max_examples=100, deadline=None)
@given(st.lists(reports, max_size=14), st.lists(st.integers(0, 13), max_size=3))
def test_use_is_what_was_handed_out_on_each_day_with_a_hand_out(facts: list[Fact], undone: list[int]) -> None:
    state = history(facts, undone).state()
    told = observed(state, FOUNDED + timedelta(days=LOOK), days=DAYS)
    for number, (site, good) in enumerate(told.places):
        for day, quantity in state.books.daily_use(site, good).items():
            column = (day - told.first).days
            if 0 <= column < DAYS and quantity > 0:
                used = told.use[number, column]
                assert used == pytest.approx(quantity / 1000) or (np.isnan(used) and is_far(state, site, good, day))
        use = told.use[number]
        assert np.all(np.isnan(use) | (use >= 0))


def is_far(state: State, site: str, good: str, day: date) -> bool:
    """Whether a count after a day found more than the books had, and the day used far more than most."""
    holding = state.books.holding(site, good)
    assert holding is not None
    more = any(
        mark.difference > 0 for key, marks in holding.marks.items() if key[:10] >= day.isoformat() for mark in marks
    )
    used = sorted(one for one in holding.used.values() if one > 0)
    return more and len(used) >= 7 and holding.used[day.isoformat()] >= 2 * used[len(used) // 2]


def equal(one: Observed, other: Observed) -> bool:
    return (
        one.places == other.places
        and one.reported == other.reported
        and np.array_equal(one.use, other.use, equal_nan=True)
        and np.array_equal(one.closing, other.closing, equal_nan=True)
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(reports, max_size=10), st.randoms(use_true_random=False))
def test_it_is_the_same_in_whatever_order_entries_come(facts: list[Fact], random: object) -> None:
    crew = Crew(2)
    for number, fact in enumerate(facts):
        crew.say(fact, by=number % 2)
    crew.meet()
    entries = crew.everything()
    random.shuffle(entries)  # type: ignore[attr-defined]
    day = FOUNDED + timedelta(days=LOOK)
    assert equal(observed(fold(received(entries).read()), day), observed(crew.state(), day))
