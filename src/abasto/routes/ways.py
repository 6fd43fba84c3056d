"""The fastest ways between sites over the lanes of a mode, also where no single lane leads."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from abasto.network import Lane
from abasto.routes.problem import FAR, Ways

__all__ = ["Lanes", "Way"]


class Way(NamedTuple):
    """How long and how far it is from one site to another."""

    seconds: int
    metres: int

    @property
    def hours(self) -> float:
        """The driving time in hours."""
        return self.seconds / 3600

    @property
    def km(self) -> float:
        """The length in km."""
        return self.metres / 1000


class Lanes:
    """The lanes of one mode, to drive along; with `within_a_day` only those that arrive on the day they are left."""

    def __init__(self, lanes: Iterable[Lane], mode: str, *, within_a_day: bool) -> None:
        self._next: defaultdict[str, dict[str, Way]] = defaultdict(dict)
        self._found: dict[str, dict[str, Way]] = {}
        for lane in lanes:
            if lane.mode != mode or (within_a_day and lane.travel_days > 0):
                continue
            way = Way(round(lane.travel_hours * 3600), round(lane.km * 1000))
            self._add(lane.from_site, lane.to_site, way)
            if lane.two_way:
                self._add(lane.to_site, lane.from_site, way)

    def _add(self, start: str, end: str, way: Way) -> None:
        self._next[start][end] = min(way, self._next[start].get(end, way))

    def way(self, start: str, end: str) -> Way | None:
        """Return the fastest way, and of the fastest the shortest; None if there is none."""
        if start not in self._found:
            self._found[start] = self._from(start)
        return self._found[start].get(end)

    def between(self, sites: Sequence[str]) -> Ways:
        """Return the fastest ways between sites as a solver wants them."""
        metres, seconds = (np.zeros((len(sites), len(sites)), dtype=np.int64) for _ in range(2))
        for row, start in enumerate(sites):
            for column, end in enumerate(sites):
                way = self.way(start, end)
                seconds[row, column], metres[row, column] = (FAR, FAR) if way is None else way
        return Ways(metres, seconds)

    def _from(self, start: str) -> dict[str, Way]:
        """Return the ways from a site to all others: Dijkstra's."""
        found: dict[str, Way] = {}
        waiting = [(Way(0, 0), start)]
        while waiting:
            way, site = heapq.heappop(waiting)
            if site in found:
                continue
            found[site] = way
            for neighbour, further in self._next.get(site, {}).items():
                if neighbour not in found:
                    there = Way(way.seconds + further.seconds, way.metres + further.metres)
                    heapq.heappush(waiting, (there, neighbour))
        return found
