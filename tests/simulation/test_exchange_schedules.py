"""Thousands of small worlds in which everything goes wrong, and in the end nobody differs and nothing is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from sim_naive import Remembering, Telling
from sim_sets import soak_chunks
from sim_world import Exchange, Schedule, run

CHUNK = 100
TOWN = Schedule(devices=(15, 20), steps=(120, 160))
REGION = Schedule(devices=(30, 40), steps=(300, 400))


@pytest.mark.parametrize("first", range(0, 200, CHUNK))
def test_no_schedule_parts_the_devices_or_loses_an_entry(first: int) -> None:
    for seed in range(first, first + CHUNK):
        run(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seeds", soak_chunks("exchange", 250), ids=str)
def test_none_of_a_thousand_more_schedules_does(seeds: range) -> None:
    for seed in seeds:
        run(seed)


def test_a_town_of_devices_holds_the_same_in_the_end() -> None:
    run(1, TOWN)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(0, 6, 2))
def test_tens_of_devices_hold_the_same_in_the_end(first: int) -> None:
    for seed in range(first, first + 2):
        run(seed, REGION)


def test_everything_that_can_go_wrong_does() -> None:
    seen: Counter[str] = Counter()
    for seed in range(2_000, 2_050):
        seen += run(seed)
    happenings = {
        "written", "first", "partition", "unreachable", "wipe", "backup", "restore", "copied key", "flood", "lie",
        "Lost", "Crash", "MessageError", "PeerError", "refused",
    }  # fmt: skip
    assert happenings <= set(seen)


def test_the_same_seed_is_the_same_schedule() -> None:
    assert run(7) == run(7)


@pytest.mark.parametrize("mutant", [Remembering, Telling])
def test_a_naive_vector_is_caught_within_1500_seeds(mutant: type[Exchange]) -> None:
    for seed in range(1_500):
        try:
            run(seed, exchange=mutant)
        except AssertionError:
            return
    pytest.fail("no schedule told the naive vector from the real exchange; the simulation finds too little")
