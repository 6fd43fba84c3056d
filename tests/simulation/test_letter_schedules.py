"""Networks that send each other goods while everything goes wrong: a promise counts once, and what it says is kept."""

from __future__ import annotations

from collections import Counter

import pytest
from sim_hostile import ATTACKS
from sim_naive_letters import NAIVE
from sim_sets import soak_chunks
from sim_towns import Span, live_towns


@pytest.mark.parametrize("first", range(0, 20, 10))
def test_no_schedule_promises_twice_or_breaks_a_promise(first: int) -> None:
    for seed in range(first, first + 10):
        live_towns(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seeds", soak_chunks("letters", 100), ids=str)
def test_none_of_hundreds_more_does(seeds: range) -> None:
    for seed in seeds:
        live_towns(seed)


@pytest.mark.soak
def test_five_networks_hold_what_they_promise() -> None:
    for seed in range(3):
        live_towns(seed, Span(towns=(5, 5), desks=(3, 4), steps=(200, 250)))


def test_everything_that_can_go_wrong_between_networks_does() -> None:
    seen: Counter[str] = Counter()
    for seed in range(2_000, 2_036):
        seen += live_towns(seed)
    happenings = {
        "ordered", "promised", "load", "receive", "cancel", "loaded", "received", "cancelled", "exchange", "stick read",
        "partition", "unreachable", "wipe", "restore", "let in", "cut", "meddle", "Lost", "Crash", "shared",
    }  # fmt: skip
    happenings |= {f"attack: {attack}" for attack in ATTACKS}
    assert happenings <= set(seen)


def test_the_same_seed_is_the_same_schedule_of_letters() -> None:
    assert live_towns(7) == live_towns(7)


SOAKED = (
    ("a shipment is known by its order alone", 0),
    ("a receipt counts wherever", 10),
    ("anybody receives", 0),
    ("of a shipment all counts that is told", 0),
    ("so much is kept early of all together", 13),
    ("there is room for the letters of all together", 0),
    ("so much is said in a session by all together", 0),
)


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        ("a promise that comes again counts again", 0),
        ("what is heard before the promise is dropped", 0),
        ("anybody withdraws", 0),
        ("who speaks is judged when a letter comes", 55),
        ("whoever names a network speaks for it", 34),
        ("a device is of the network that calls it its own", 0),
        *(pytest.param(*one, marks=pytest.mark.soak) for one in SOAKED),
    ],
)
def test_a_naive_rule_of_letters_is_caught(rule: str, first: int) -> None:
    with NAIVE[rule]():
        for seed in range(first, first + 100):
            try:
                live_towns(seed)
            except AssertionError:
                return
    pytest.fail("no schedule told the naive rule from the real one; the simulation finds too little")
