"""The towns as a graph of roads and sea lanes, and what each good's shortest ways through it would carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra

from abasto.network import Fleet, Lane

__all__ = ["Country", "Tonnes", "add_up"]

Tonnes = Mapping[str, float]
"""Tonnes a day, by town."""


@dataclass(frozen=True, slots=True)
class Country:
    """Lanes that can be used both ways, and for each mode one vehicle that stands for all of the mode."""

    towns: tuple[str, ...]
    lanes: tuple[Lane, ...]
    vehicles: Mapping[str, Fleet]
    dearness: Mapping[str, float]
    """What an hour of a vehicle of each mode is worth, in truck-hours."""

    def spread(self, sources: Iterable[str], demand: Tonnes) -> tuple[dict[str, float], dict[tuple[str, str], float]]:
        """Serve the demand of every town from its nearest source, in worth of vehicle-hours per tonne.

        Return the tonnes a day that each source gives, and that each lane carries in each direction.
        """
        names = sorted(set(sources), key=self.towns.index)
        hours, before, source = dijkstra(
            self._graph(), indices=[self.towns.index(name) for name in names], min_only=True, return_predecessors=True
        )
        given = dict.fromkeys(names, 0.0)
        through = np.array([demand.get(name, 0.0) for name in self.towns])
        for town in np.flatnonzero(through):
            given[self.towns[source[town]]] += float(through[town])
        carried: dict[tuple[str, str], float] = {}
        for town in np.argsort(-hours, kind="stable"):
            if before[town] >= 0 and through[town] > 0:
                carried[self.towns[before[town]], self.towns[town]] = float(through[town])
                through[before[town]] += through[town]
        return given, carried

    def hours_per_tonne(self, lane: Lane) -> float:
        """Return the vehicle-hours that moving a tonne along the lane takes, with the empty way back."""
        vehicle = self.vehicles[lane.mode]
        return (2 * lane.travel_hours + vehicle.handling_hours) / vehicle.payload_t

    def _graph(self) -> sp.csr_matrix:
        index = {name: place for place, name in enumerate(self.towns)}
        starts = [index[lane.from_site] for lane in self.lanes]
        ends = [index[lane.to_site] for lane in self.lanes]
        worth = [self.dearness[lane.mode] * self.hours_per_tonne(lane) for lane in self.lanes]
        return sp.csr_matrix((worth * 2, (starts + ends, ends + starts)), shape=(len(index), len(index)))


def add_up(parts: Iterable[Mapping[tuple[str, str], float]]) -> dict[tuple[str, str], float]:
    """Return the sum of what several goods load on the lanes."""
    total: dict[tuple[str, str], float] = {}
    for part in parts:
        for lane, tonnes in part.items():
            total[lane] = total.get(lane, 0.0) + tonnes
    return total
