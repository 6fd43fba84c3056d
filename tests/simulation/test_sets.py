"""Ten runs of the soak live ten thousand schedules and more, each of them others; a command lives any of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sim_sets
from sim_sets import FIRST, SETS, WORLDS, World, live, soak_chunks


def test_ten_runs_live_ten_thousand_schedules_and_none_twice() -> None:
    of_set = [[(name, seed) for name, world in WORLDS.items() for seed in world.seeds(one)] for one in range(SETS)]
    all_seeds = [one for seeds in of_set for one in seeds]
    assert len(all_seeds) == len(set(all_seeds)) >= 10_000
    assert all(len(seeds) >= 1_000 for seeds in of_set)
    assert min(seed for _, seed in all_seeds) == FIRST, "the tests live those before"


@pytest.mark.parametrize(("number", "first"), [("0", 1_000), ("3", 1_600), ("13", 1_600)])
def test_a_run_of_the_soak_lives_the_set_it_is_told(monkeypatch: pytest.MonkeyPatch, number: str, first: int) -> None:
    monkeypatch.setenv("ABASTO_SEEDS_SET", number)
    assert soak_chunks("letters", 100) == [range(first, first + 100), range(first + 100, first + 200)]


def test_a_schedule_that_fails_is_told_and_keeps_no_other_from_being_lived(monkeypatch: pytest.MonkeyPatch) -> None:
    lived: list[int] = []

    def odd_ones(seed: int) -> None:
        lived.append(seed)
        if seed % 2 == 0:
            raise ValueError(f"{seed} is even")

    monkeypatch.setitem(sim_sets.WORLDS, "letters", World(odd_ones, 4))  # type: ignore[arg-type]
    told = live("letters", range(7, 10))
    assert lived == [7, 8, 9]
    assert str(told) == "letters, seeds 7 to 9: 3 lived, 1 failed\n  8: ValueError: 8 is even"


def test_the_command_lives_seeds_of_a_world() -> None:
    command = [sys.executable, "-m", "tests.simulation", "exchange", "3", "5"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stdout) == (0, "exchange, seeds 3 to 5: 3 lived, 0 failed\n"), done.stderr
