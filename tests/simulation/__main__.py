"""Live schedules of the simulation: whole sets, as runs of the soak do, or any seeds of one world."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

from sim_sets import SETS, WORLDS, Lived, live  # noqa: E402 - it lies beside this file


def main(arguments: list[str]) -> int:
    """Live what is asked for; tell of each world as soon as it is lived, and return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("what", choices=["sets", *WORLDS], help="whole sets, or a world")
    parser.add_argument("first", type=int, help=f"the first set, from 0 to {SETS - 1}, or the first seed")
    parser.add_argument("last", type=int, help="the last set, or the last seed")
    asked = parser.parse_args(arguments)
    has_failed = False
    for lived in _lived(asked.what, range(asked.first, asked.last + 1)):
        print(lived, flush=True)
        has_failed |= bool(lived.failed)
    return int(has_failed)


def _lived(what: str, numbers: range) -> Iterator[Lived]:
    if what != "sets":
        yield live(what, numbers)
        return
    for number in numbers:
        for name, world in WORLDS.items():
            yield live(name, world.seeds(number))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
