"""What is plain is not doubtful either when it is foreseen: the quick answer is held against the thorough one."""

from __future__ import annotations

import random
from datetime import date

import pytest
from tests.state.living import Living

import abasto
from abasto.facts.kinds import (
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsTakenIn,
    Line,
    OrderIssued,
    OrderLoaded,
    StockCounted,
)
from abasto.state.beyond_doubt import is_beyond_doubt, promised_places
from abasto.state.foresee import doubts

KINDS = (StockCounted, GoodsTakenIn, GoodsHandedOut, GoodsLost)
LOTS = (None, None, "", "2027-03-05", "2027-03-04")


def random_report(rng: random.Random) -> StockCounted | GoodsTakenIn | GoodsHandedOut | GoodsLost:
    usual = [("Market", "milk"), ("Clinic", "milk powder"), ("North bakery", "flour")]
    site, good = rng.choice([*usual, *usual, ("Mill", "bread"), ("Clinic", "milk"), ("Nowhere", "milk")])
    day = f"2027-03-{rng.randint(1, 4):02}" if rng.random() < 0.95 else "2020-01-01"
    quantity = rng.choice([0, 1, 1_000, 5_000, 50_000, 90_000, 250_000, 5_000_000, 90_000_000])
    return rng.choice(KINDS)(site, good, quantity, day, lot=rng.choice(LOTS))


def lively(rng: random.Random) -> Living:
    """Return the neighbourhood after some reports and orders."""
    network = Living(abasto.read(abasto.example_path("neighbourhood")), on=date(2027, 3, 1))
    for _ in range(rng.randint(0, 8)):
        network.say(random_report(rng))
    for _ in range(rng.randint(0, 3)):
        good, source, target = rng.choice([("flour", "North bakery", "Mill"), ("milk", "Market", "Clinic")])
        lines = (Line(good, rng.choice([1_000, 90_000]), rng.choice(LOTS)),)
        [order] = network.say(
            OrderIssued(source, target, "bicycles", 1, "2027-03-01", "2027-03-02", lines, "2027-03-01")
        )
        if rng.random() < 0.5:
            network.say(OrderLoaded(order.id, lines, "2027-03-01"))
    return network


@pytest.mark.parametrize("seed", range(30))
def test_what_is_plain_is_not_doubtful(seed: int) -> None:
    rng = random.Random(seed)
    state = lively(rng).state
    promised = promised_places(state)
    facts = [random_report(rng) for _ in range(40)]
    plain = [fact for fact in facts if is_beyond_doubt(state, fact, promised=promised)]
    assert [(fact, doubts(state, fact)) for fact in plain] == [(fact, ()) for fact in plain]


def test_the_usual_report_is_plain_and_the_doubtful_is_not() -> None:
    network = Living(abasto.read(abasto.example_path("neighbourhood")), on=date(2027, 3, 1))
    state, promised = network.state, frozenset({("Mill", "flour")})

    def is_plain(fact: Fact) -> bool:
        assert isinstance(fact, KINDS)
        return is_beyond_doubt(state, fact, promised=promised)

    day = "2027-03-02"
    assert is_plain(StockCounted("North bakery", "flour", 200_000, day))
    assert is_plain(GoodsHandedOut("North bakery", "flour", 240_000, day))
    assert is_plain(GoodsTakenIn("North bakery", "flour", 200_000, day))
    assert not is_plain(GoodsHandedOut("North bakery", "flour", 240_001, day))
    assert not is_plain(GoodsHandedOut("North bakery", "flour", 1, "2027-02-01"))
    assert not is_plain(GoodsHandedOut("Mill", "flour", 1, day))
    assert not is_plain(StockCounted("North bakery", "flour", 20_000_000, day))
    assert not is_plain(StockCounted("Nowhere", "flour", 1, day))
    # Of bread at Hill nothing is known but its ration: 800 people with 0.2 kg, 48 t in 300 days.
    assert is_plain(StockCounted("Hill", "bread", 48_000_000, day))
    assert not is_plain(StockCounted("Hill", "bread", 48_000_001, day))
    # At the school nobody is housed; its need is a row of table needs, 40 kg a day.
    assert is_plain(StockCounted("School", "bread", 12_000_000, day))
    assert not is_plain(GoodsTakenIn("School", "bread", 12_000_001, day))
