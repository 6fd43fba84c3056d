"""Figures: how each is known, what carrying forward leaves, and that the obvious day-by-day computation agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from living import Living

from abasto.facts.kinds import GoodsHandedOut, GoodsTakenIn, RowSet, StockCounted
from abasto.network import Good, Network, Site
from abasto.state.figures import Spoiled, figures, last_day_of, spoiled, usable
from abasto.state.types import Figure

START = date(2026, 11, 22)
NETWORK = Network(
    "n", START, 7, sites=(Site(site="shop"),), goods=(Good(good="rice"), Good(good="milk", shelf_life_days=3))
)  # fmt: skip


def on(day: int) -> str:
    """Return the date of a day number."""
    return (START + timedelta(days=day - 1)).isoformat()


def figure_of(living: Living, day: int, good: str = "rice", *, carried_after: int = 3) -> Figure:
    found = figures(living.state, START + timedelta(days=day - 1), carried_after=carried_after)
    return next(figure for figure in found if figure.good == good)


def test_kinds_and_ages() -> None:
    living = Living(NETWORK)
    assert figures(living.state, START) == ()
    living.say(StockCounted("shop", "rice", 50_000, on(1)))
    assert figure_of(living, 1) == Figure("shop", "rice", 50_000, (("", 50_000),), "counted", on(1), on(1))
    living.say(GoodsHandedOut("shop", "rice", 8_000, on(2)))
    assert figure_of(living, 3) == Figure("shop", "rice", 42_000, (("", 42_000),), "computed", on(2), on(1))
    # The last report is 3 days old on day 5, and 4 on day 6: of days 3, 4 and 5 nobody has said anything.
    assert figure_of(living, 5).kind == "computed"
    assert figure_of(living, 6) == Figure("shop", "rice", 30_000, (("", 30_000),), "estimated", on(2), on(1), 4_000)
    assert figure_of(living, 6, carried_after=4).kind == "computed"
    assert figure_of(living, 40).quantity == 0
    living.say(StockCounted("shop", "rice", 29_000, on(6)))
    assert figure_of(living, 6) == Figure("shop", "rice", 29_000, (("", 29_000),), "counted", on(6), on(6))


def test_without_use_a_figure_is_only_marked() -> None:
    living = Living(NETWORK)
    living.say(StockCounted("shop", "rice", 50_000, on(1)))
    assert figure_of(living, 30) == Figure("shop", "rice", 50_000, (("", 50_000),), "estimated", on(1), on(1))


@pytest.mark.parametrize(
    ("handed_out", "use"),
    [
        # Days between the first and the last report on which nobody reported count as days without use.
        ({2: 6_000, 4: 6_000}, 3_000),
        # Of the 20 days only the last 14 count: days 7 to 20, with 7 kg on day 7 and day 20.
        ({2: 100_000, 7: 7_000, 20: 7_000}, 1_000),
        # A mean that is no whole number of thousandths is rounded up, so that rather less is planned with.
        ({2: 1_000, 3: 1_000}, 667),
    ],
)
def test_use_per_day_is_the_mean_of_the_two_weeks_before_the_last_report(
    handed_out: Mapping[int, int], use: int
) -> None:
    living = Living(NETWORK)
    living.say(StockCounted("shop", "rice", 900_000, on(1)))
    living.say(*(GoodsHandedOut("shop", "rice", quantity, on(day)) for day, quantity in handed_out.items()))
    last = max(handed_out)
    figure = figure_of(living, last + 6)
    assert figure.use_per_day == use
    assert figure.quantity == 900_000 - sum(handed_out.values()) - 5 * use


def test_spoiled_lots_are_listed_and_no_part_of_the_figure() -> None:
    living = Living(NETWORK)
    living.say(
        StockCounted("shop", "milk", 5_000, on(1), lot=on(2)),
        StockCounted("shop", "milk", 7_000, on(1), lot=on(4)),
    )
    assert figure_of(living, 2, "milk").lots == ((on(2), 5_000), (on(4), 7_000))
    assert spoiled(living.state, START + timedelta(days=1)) == ()
    assert figure_of(living, 3, "milk").lots == ((on(4), 7_000),)
    assert spoiled(living.state, START + timedelta(days=2)) == (Spoiled("shop", "milk", on(2), 5_000),)


def test_lot_without_date_of_a_good_that_spoils_was_fresh_when_it_was_counted() -> None:
    living = Living(NETWORK)
    living.say(StockCounted("shop", "milk", 5_000, on(1), lot=""))
    assert figure_of(living, 2, "milk").lots == ((on(4), 5_000),)
    assert figure_of(living, 5, "milk").lots == ()
    assert spoiled(living.state, START + timedelta(days=4)) == (Spoiled("shop", "milk", on(4), 5_000),)
    assert last_day_of("", 3_000_000, START) == ""


def test_what_is_below_zero_stays_visible_and_is_not_planned_with() -> None:
    living = Living(replace(NETWORK, goods=(Good(good="milk", shelf_life_days=30),)))
    living.say(
        StockCounted("shop", "milk", 5_000, on(1), lot=on(5)),
        StockCounted("shop", "milk", 7_000, on(1), lot=on(9)),
        GoodsHandedOut("shop", "milk", 9_000, on(1), lot=on(9)),
    )
    figure = figure_of(living, 1, "milk")
    assert figure.lots == ((on(5), 5_000), (on(9), -2_000))
    assert figure.quantity == 3_000
    assert usable([figure]) == {("shop", "milk"): {on(5): 3_000}}
    living.say(GoodsHandedOut("shop", "milk", 9_000, on(1), lot=on(9)))
    assert usable([figure_of(living, 1, "milk")]) == {}


def carried_by_hand(lots: Mapping[str, int], use: int, newest: int, day: int) -> dict[str, int]:
    """Go day by day: what has expired is left alone, what expires first is used first."""
    left = dict(lots)
    for one in range(newest + 1, day):
        wanted = use
        for lot in sorted(left, key=lambda lot: lot or "9999"):
            if not lot or lot >= on(one):
                taken = min(left[lot], wanted)
                left[lot] -= taken
                wanted -= taken
    return {lot: quantity for lot, quantity in left.items() if quantity and (not lot or lot >= on(day))}


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(st.sampled_from(["", *(on(day) for day in range(1, 30))]), st.integers(1, 40_000), min_size=1),
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 9_000)), max_size=8),
    st.integers(1, 40),
)
def test_carrying_forward_agrees_with_going_day_by_day(
    lots: dict[str, int], handed_out: list[tuple[int, int]], day: int
) -> None:
    living = Living(replace(NETWORK, goods=(Good(good="rice"),)))
    living.say(*(StockCounted("shop", "rice", quantity, on(1), lot) for lot, quantity in lots.items()))
    for when, quantity in sorted(handed_out):
        living.say(GoodsHandedOut("shop", "rice", quantity, on(when)))
    state = living.state
    newest = max([1, *(when for when, _ in handed_out)])
    here = state.books.balance("shop", "rice")
    used = sum(quantity for when, quantity in handed_out)
    figure = figure_of(living, day)
    if day - newest > 3:
        assert figure.use_per_day == -(-used // newest)
        positive = {lot: quantity for lot, quantity in here.items() if quantity > 0}
        expected = carried_by_hand(positive, figure.use_per_day, newest, day)
        assert {lot: quantity for lot, quantity in figure.lots if quantity > 0} == expected
    else:
        assert dict(figure.lots) == {lot: held for lot, held in here.items() if not lot or lot >= on(day)}


def test_goods_nobody_has_a_row_for_have_figures_too() -> None:
    living = Living(NETWORK)
    living.say(GoodsTakenIn("shed", "tea", 1_000, on(1)), RowSet("sites", {"site": "empty"}, on(1)))
    (figure,) = figures(living.state, START)
    assert (figure.site, figure.good, figure.quantity, figure.kind, figure.counted_on) == (
        "shed",
        "tea",
        1_000,
        "computed",
        "",
    )
