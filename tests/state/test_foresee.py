"""What is foreseen is what happens, and foreseeing changes nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

import pytest

import abasto
from abasto.facts.kinds import (
    MOST,
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    RowDropped,
    RowSet,
    StockCounted,
)
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device
from abasto.state.encode import encode
from abasto.state.exceptions import exceptions
from abasto.state.fold import fold
from abasto.state.foresee import doubts, foresee, recipe_lines, row_doubts
from abasto.state.network import rows_of
from abasto.state.state import State

DAY = "2027-03-01"


def founded() -> Journal:
    journal = Journal(MemoryStore(), Device(b"1" * 32))
    journal.found("Neighbourhood", date=DAY, time=0)
    journal.append(rows_of(abasto.read(abasto.example_path("neighbourhood")), date=date.fromisoformat(DAY)), time=0)
    return journal


def reports(state: State, *, seed: int) -> Iterator[Fact]:
    """Yield some reports, sensible and not, about places of the neighbourhood and others."""
    rng = random.Random(seed)
    kinds = (StockCounted, GoodsTakenIn, GoodsHandedOut, GoodsLost)
    for _ in range(12):
        site, good = rng.choice(["Mill", "Market", "Hill", "Nowhere"]), rng.choice(["flour", "milk", "bread"])
        day = f"2027-03-{rng.randint(1, 9):02}"
        yield rng.choice(kinds)(site, good, rng.randint(1, 200_000), day)
        yield GoodsMade("North bakery", "baking", 500, recipe_lines(state.rows, "baking", 500), day)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_foreseen_is_what_happens(seed: int) -> None:
    journal = founded()
    state = fold(journal.read())
    facts = list(reports(state, seed=seed))
    before = encode(state)
    foreseen = foresee(state, facts)
    assert encode(state) == before
    journal.append(facts, time=0)
    happened = fold(journal.read())
    assert foreseen.books.places() == happened.books.places()
    for place in happened.books.places():
        assert foreseen.books.balance(*place) == happened.books.balance(*place)
    assert {(one.kind, one.about) for one in exceptions(foreseen)} == {
        (one.kind, one.about) for one in exceptions(happened)
    }


def test_a_report_is_doubtful_for_what_it_would_bring_up_and_not_for_what_is_known() -> None:
    journal = founded()
    state = fold(journal.read())
    assert doubts(state, StockCounted("Mill", "flour", 700_000, DAY)) == ()  # a difference is no doubt
    gone = GoodsHandedOut("Hill", "bread", 5_000, DAY)
    assert len(doubts(state, gone)) == 1
    journal.append([gone], time=0)
    state = fold(journal.read())
    assert doubts(state, GoodsTakenIn("Hill", "bread", 2_000, DAY)) == ()
    assert len(doubts(state, gone)) == 1  # still more of what is not there


def test_recipe_lines_are_the_recipe_times_the_batches() -> None:
    state = fold(founded().read())
    assert {line.good: line.quantity for line in recipe_lines(state.rows, "baking", 1_500)} == {
        "flour": round(-80 * 1.5 * 1000),
        "bread": round(100 * 1.5 * 1000),
    }


def test_a_row_is_doubtful_only_for_what_it_changes() -> None:
    state = fold(founded().read())
    day = date.fromisoformat(DAY)
    assert row_doubts(state, RowSet("sites", {"site": "Camp", "people": "9"}, DAY), day=day) == ()
    lanes = [lane for lane in abasto.read(abasto.example_path("neighbourhood")).lanes if lane.to_site == "Park"]
    assert len(row_doubts(state, RowDropped("sites", {"site": "Park"}, DAY), day=day)) == len(lanes)
    with pytest.raises(abasto.InputError, match="a point, not a comma"):
        row_doubts(state, RowSet("sites", {"site": "Camp", "people": "1,5"}, DAY), day=day)


@pytest.mark.parametrize("much", ["9e999999", "-9e999999", "1e400000"])
def test_a_number_that_no_entry_could_say_keeps_nobody_from_reporting(much: str) -> None:
    journal = founded()
    journal.append(
        [
            RowSet("supplies", {"site": "Mill", "good": "flour", "quantity": much}, DAY),
            RowSet("recipes", {"recipe": "odd", "good": "flour", "quantity": much}, DAY),
        ],
        time=0,
    )
    state = fold(journal.read())
    assert doubts(state, StockCounted("Mill", "flour", 700_000, DAY)) == ()
    assert [abs(line.quantity) > MOST for line in recipe_lines(state.rows, "odd", 2_000)] == [True]
