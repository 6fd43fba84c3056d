"""The books agree with a second, obvious ledger on every balance of every day, also where reports come late."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.state.devices import Crew
from tests.state.second_ledger import Report, SecondLedger

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
    StockCounted,
)
from abasto.state.story import ledger

FIRST = date(2026, 11, 10)
DAYS = 12
SITES = ("Store", "School")
GOODS = ("bread", "flour")  # One that spoils, and so has lots, and one that does not.

places = st.tuples(st.sampled_from(SITES), st.sampled_from(GOODS))
quantities = st.integers(0, 50_000)
offsets = st.integers(0, DAYS - 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("count"), places, quantities, offsets),
        st.tuples(st.sampled_from(("in", "out", "lose", "order")), places, quantities, offsets),
        st.tuples(st.sampled_from(("undo", "uncount")), st.integers(0, 99), st.just(0), offsets),
    ),
    min_size=1,
    max_size=40,
)


def day_of(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


class Both:
    """The journal and the second ledger, told the same."""

    def __init__(self) -> None:
        self.crew = Crew()
        self.ledgers: dict[tuple[str, str], SecondLedger] = defaultdict(SecondLedger)
        self.told = 0
        self.changes: list[tuple[str, tuple[str, str], Report]] = []
        self.counts: list[tuple[str, tuple[str, str], Report]] = []
        self.uncounted: set[tuple[str, str]] = set()

    def say(self, fact: Fact) -> str:
        self.told += 1
        return self.crew.say(fact)[0].id

    def change(self, fact: Fact, place: tuple[str, str], quantity: int, day: str) -> None:
        id = self.say(fact)
        change = Report(day, self.told, quantity)
        self.ledgers[place].changes.append(change)
        if quantity:
            self.changes.append((id, place, change))

    def step(self, kind: str, where: tuple[str, str], quantity: int, day: str) -> None:
        site, good = where
        if kind == "count":
            id = self.say(StockCounted(site, good, quantity, day))
            count = Report(day, self.told, quantity)
            self.ledgers[where].counts.append(count)
            self.counts.append((id, where, count))
        elif kind == "in":
            self.change(GoodsTakenIn(site, good, quantity, day), where, quantity, day)
        elif kind == "out":
            self.change(GoodsHandedOut(site, good, quantity, day), where, -quantity, day)
        elif kind == "lose":
            self.change(GoodsLost(site, good, quantity, day), where, -quantity, day)
        else:
            other = SITES[1 - SITES.index(site)]
            order = self.say(OrderIssued(site, other, "truck", 1, day, day, (Line(good, quantity),), day))
            for name, fact, sign in (
                (site, OrderLoaded(order, (Line(good, quantity),), day), -1),
                (other, OrderReceived(order, other, (Line(good, quantity // 2),), day), 1),
            ):
                self.say(fact)
                moved = quantity if sign < 0 else quantity // 2
                self.ledgers[name, good].changes.append(Report(day, self.told, sign * moved))

    def undo(self, which: int, day: str) -> None:
        if self.changes:
            id, place, change = self.changes.pop(which % len(self.changes))
            self.say(EntryReversed(id, day))
            self.ledgers[place].reverse(change, day=day, number=self.told)

    def uncount(self, which: int, day: str) -> None:
        """Take a count back: today it is as if it had never been; on days before, both stay to be read."""
        # Of several things taken back at a place, which of its counts saw which is more than this ledger can tell.
        counts = [one for one in self.counts if not self.ledgers[one[1]].reversals and one[1] not in self.uncounted]
        if counts:
            id, place, count = counts[which % len(counts)]
            self.counts.remove((id, place, count))
            self.say(EntryReversed(id, day))
            self.ledgers[place].counts.remove(count)
            self.uncounted.add(place)


def check(told: list[tuple[str, object, int, int]]) -> None:
    """Tell both the same, what takes counts back last: no late count of the days between knows of it."""
    both = Both()
    for kind, what, quantity, offset in sorted(told, key=lambda step: step[0] == "uncount"):
        if kind in ("undo", "uncount"):
            assert isinstance(what, int)
            both.undo(what, day_of(offset)) if kind == "undo" else both.uncount(what, day_of(offset))
        else:
            assert isinstance(what, tuple)
            both.step(kind, what, quantity, day_of(offset))
    state = both.crew.state()
    for (site, good), second in both.ledgers.items():
        assert sum(state.books.balance(site, good).values()) == second.balance()
        for offset in range(0 if (site, good) in both.uncounted else DAYS):
            day = FIRST + timedelta(days=offset)
            here = state.books.at_end_of(site, good, day)
            assert sum(here.values()) == second.balance(day.isoformat()), (site, good, day)
        lines = ledger(both.crew.placed(), site, good)
        if lines:
            assert lines[-1].balance == second.balance()
            assert dict(lines[-1].lots) == state.books.balance(site, good)


@given(steps)
@settings(max_examples=150, deadline=None)
def test_both_ledgers_agree_on_every_day(told: list[tuple[str, object, int, int]]) -> None:
    check(told)


@pytest.mark.soak
@given(steps)
@settings(max_examples=1_500, deadline=None)
def test_both_ledgers_agree_on_every_day_soak(told: list[tuple[str, object, int, int]]) -> None:
    check(told)


def test_the_second_ledger_can_tell_a_wrong_balance() -> None:
    second = SecondLedger()
    second.counts.append(Report("2026-11-10", 1, 100))
    second.changes += [Report("2026-11-09", 2, -10), Report("2026-11-10", 3, -20), Report("2026-11-12", 4, -30)]
    assert [second.balance(day) for day in ("2026-11-09", "2026-11-10", "2026-11-12")] == [-10, 80, 50]
