"""A routing problem in whole numbers, and the tours that solve it: metres, seconds after midnight, grams; no names.

Places are numbered; `Ways` say how far they are from each other. A `Job` is a visit that takes goods of the base to a
place, or from there to the base; a `Pair` takes goods from one place to another in one trip. Where all have a prize
some may be left out, and then their prizes are lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["ANY_TIME", "FAR", "Job", "Pair", "Problem", "Solved", "Tour", "Vehicles", "Visit", "Ways", "Window"]

Ints = npt.NDArray[np.int64]

FAR = 10_000_000
"""Metres and seconds between places that no way connects: more than any vehicle drives in a day."""


@dataclass(frozen=True)
class Window:
    """The earliest and the latest second at which something may begin."""

    first: int
    last: int


ANY_TIME = Window(0, 1 << 40)


@dataclass(frozen=True)
class Ways:
    """Metres and seconds [places, places]."""

    metres: Ints
    seconds: Ints


@dataclass(frozen=True)
class Job:
    """A visit: grams unloaded that come from the base, grams loaded that go there; prize None: it has to be made."""

    place: int
    delivery: int = 0
    pickup: int = 0
    seconds: int = 0
    window: Window = ANY_TIME
    prize: int | None = None


@dataclass(frozen=True)
class Pair:
    """Grams from one place to another, in one trip and in this order."""

    start: int
    end: int
    grams: int
    start_seconds: int = 0
    end_seconds: int = 0
    start_window: Window = ANY_TIME
    end_window: Window = ANY_TIME
    prize: int | None = None


@dataclass(frozen=True)
class Vehicles:
    """Vehicles of one kind: from a base and back, as often as there is time for if they `reload`.

    Whenever one sets out that takes `set_out_seconds`. It works `work_seconds` at most from its first setting out to
    its last return, within `window` (from the first second to the last). Costs are per vehicle used, metre and second;
    `ways` is which of the problem's.
    """

    base: int
    count: int
    capacity: int
    base_window: Window = ANY_TIME
    window: Window = ANY_TIME
    work_seconds: int = ANY_TIME.last
    set_out_seconds: int = 0
    reload: bool = False
    fixed_cost: int = 0
    metre_cost: int = 1
    second_cost: int = 0
    ways: int = 0


@dataclass(frozen=True)
class Problem:
    """What has to be driven, with which vehicles, over which ways."""

    ways: tuple[Ways, ...]
    vehicles: tuple[Vehicles, ...]
    jobs: tuple[Job, ...] = ()
    pairs: tuple[Pair, ...] = ()

    @property
    def places(self) -> int:
        """How many places there are."""
        return len(self.ways[0].metres)


@dataclass(frozen=True)
class Visit:
    """At the base, at a job, or at either end of a pair: from the arrival to the departure, waiting included."""

    kind: Literal["base", "job", "start", "end"]
    index: int
    arrives: int
    leaves: int


@dataclass(frozen=True)
class Tour:
    """What one vehicle of a kind does: from the base and back, with a base visit between trips."""

    kind: int
    visits: tuple[Visit, ...]


@dataclass(frozen=True)
class Solved:
    """The tours found, what they cost (prizes that are lost not counted), and after how many iterations."""

    tours: tuple[Tour, ...]
    cost: int
    iterations: int
