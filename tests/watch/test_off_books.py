"""Counts far from the books: differences made by hand, and the same journal in which every sack was written down."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.state.living import Living

from abasto.facts.kinds import Fact, GoodsHandedOut, RowSet, StockCounted
from abasto.watch.off_books import OffBooks, off_books

FIRST = date(2026, 11, 2)
A_DAY = 10.0


def on(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def counted(quantity: float, day: int) -> StockCounted:
    return StockCounted("School", "flour", round(1000 * quantity), on(day))


def handed(*days: int) -> list[Fact]:
    return [GoodsHandedOut("School", "flour", round(1000 * A_DAY), on(day)) for day in days]


def found(*facts: Fact, day: int = 12) -> list[OffBooks]:
    town = Living(on=FIRST)
    town.say(RowSet("sites", {"site": "School"}, on(0)), RowSet("goods", {"good": "flour"}, on(0)))
    town.say(*facts)
    return list(off_books(town.state, FIRST + timedelta(days=day)))


@pytest.mark.parametrize(
    ("counts", "is_far"),
    [(150.0, False), (149.0, False), (139.0, False), (136.0, False), (134.0, True), (90.0, True), (250.0, True)],
)
def test_a_tenth_of_the_books_and_a_day_of_use_is_far(counts: float, is_far: bool) -> None:
    # 200 less five days of 10: the books have 150, so 15 is a tenth, and more than a day's use.
    told = found(counted(200, 1), *handed(1, 2, 3, 4, 5), counted(counts, 5))
    expected = [OffBooks("School", "flour", FIRST + timedelta(days=5), counts - 150, 150.0)] if is_far else []
    assert told == expected


def test_little_beside_a_days_use_is_not_far_though_it_is_half_of_what_is_left() -> None:
    assert found(counted(66, 1), *handed(1, 2, 3, 4, 5), counted(8, 5)) == []


def test_what_was_used_on_days_without_a_hand_out_in_the_books_is_not_missing() -> None:
    # Days 3 and 4 were not written down: up to twice a usual day may have gone on each.
    whole = [counted(200, 1), *handed(1, 2, 5)]
    assert found(*whole, counted(140, 5)) == []
    assert found(*whole, counted(131, 5)) == []
    assert [one.difference for one in found(*whole, counted(100, 5))] == [-70.0]


def test_a_site_that_writes_down_no_hand_outs_is_left_out() -> None:
    assert found(counted(200, 1), counted(100, 5)) == []


def test_only_the_last_count_matters_and_not_for_ever() -> None:
    far = [counted(200, 1), *handed(1, 2, 3, 4, 5), counted(90, 5)]
    assert len(found(*far, day=19)) == 1
    assert found(*far, day=20) == []
    assert found(*far, day=5) == []
    assert found(*far, *handed(6), counted(80, 6)) == []


def test_a_late_hand_out_that_explains_it_takes_the_alarm_back() -> None:
    far = [counted(200, 1), *handed(1, 2, 3, 4, 5), counted(90, 5)]
    explained = GoodsHandedOut("School", "flour", 60_000, on(3))
    assert len(found(*far)) == 1
    assert found(*far, explained) == []
