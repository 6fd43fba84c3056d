"""Ten sets of schedules, each of all worlds: every run of the soak lives one, so ten runs in a row live all of them.

python -m tests.simulation sets 0 9             # all that ten runs live
python -m tests.simulation letters 1600 1799    # any seeds of one world
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sim_joint import live_joint
from sim_members import live_members
from sim_towns import live_towns
from sim_world import run

__all__ = ["SETS", "WORLDS", "Lived", "World", "live", "soak_chunks"]

SETS = 10
FIRST = 1_000
"""The seeds before it are those of the tests."""


@dataclass(frozen=True)
class World:
    """What lives one seed of a world, and how many of its seeds are in a set."""

    live: Callable[[int], object]
    many: int

    def seeds(self, number: int) -> range:
        """Return the seeds of a set, 0 to 9: those of two sets are never the same."""
        first = FIRST + number % SETS * self.many
        return range(first, first + self.many)


WORLDS: Mapping[str, World] = {
    "exchange": World(run, 1_000),
    "members": World(live_members, 200),
    "letters": World(live_towns, 200),
    "joint": World(live_joint, 40),
}


@dataclass(frozen=True)
class Lived:
    """Seeds of a world that were lived, and what went wrong, by seed."""

    world: str
    seeds: range
    failed: Mapping[int, str]

    def __str__(self) -> str:
        words = f"{self.world}, seeds {self.seeds[0]} to {self.seeds[-1]}: {len(self.seeds)} lived, "
        return words + f"{len(self.failed)} failed" + "".join(f"\n  {seed}: {why}" for seed, why in self.failed.items())


def live(world: str, seeds: range) -> Lived:
    """Live seeds of a world, all of them, whatever comes of one."""
    failed: dict[int, str] = {}
    for seed in seeds:
        try:
            WORLDS[world].live(seed)
        except Exception as error:  # Whatever it is, it is told, and the others are lived.
            failed[seed] = f"{type(error).__name__}: {error}"
    return Lived(world, seeds, failed)


def soak_chunks(world: str, size: int) -> list[range]:
    """Return in chunks the seeds that this run of the soak lives: those of the set that `ABASTO_SEEDS_SET` names."""
    seeds = WORLDS[world].seeds(int(os.environ.get("ABASTO_SEEDS_SET", "0")))
    return [seeds[first : first + size] for first in range(0, len(seeds), size)]
