"""Networks of members only in which some are hostile: all come to the same, and no attack reaches too far."""

from __future__ import annotations

from collections import Counter

import pytest
from sim_members import live_members
from sim_naive_members import NAIVE
from sim_sets import soak_chunks
from sim_world import Schedule


@pytest.mark.parametrize("first", range(0, 20, 10))
def test_no_schedule_parts_the_members_or_lets_an_attack_reach_too_far(first: int) -> None:
    for seed in range(first, first + 10):
        live_members(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seeds", soak_chunks("members", 100), ids=str)
def test_none_of_hundreds_more_of_members_does(seeds: range) -> None:
    for seed in seeds:
        live_members(seed)


@pytest.mark.soak
def test_a_network_of_many_members_comes_to_the_same() -> None:
    for seed in range(2):
        live_members(seed, Schedule(devices=(12, 15), steps=(150, 200)))


def test_every_attack_is_tried() -> None:
    seen: Counter[str] = Counter()
    for seed in range(2_000, 2_015):
        seen += live_members(seed)
    happenings = {
        "written", "endorse", "replace", "cut", "lie", "overreach", "stranger", "take back", "fork", "flood", "wipe",
        "restore", "partition", "not allowed", "Lost", "Crash", "refused",
    }  # fmt: skip
    assert happenings <= set(seen)


def test_the_same_seed_is_the_same_schedule_of_members() -> None:
    assert live_members(7) == live_members(7)


@pytest.mark.parametrize("rule", NAIVE)
def test_a_naive_rule_of_membership_is_caught(rule: str) -> None:
    with NAIVE[rule]():
        for seed in range(100):
            try:
                live_members(seed)
            except AssertionError:
                return
    pytest.fail("no schedule told the naive rule from the real one; the simulation finds too little")
