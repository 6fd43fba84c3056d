"""The invented country of the benchmarks: cities along a narrow land, lanes, and who drives where."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

__all__ = ["Geography", "Regions", "draw_geography", "draw_regions"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

PEOPLE = 2e7
LENGTH_KM = 2500.0
WIDTH_KM = 200.0
TRUNK_KM = 180.0
"""Lanes longer than this are driven by the heavy trucks of a city."""
SPEED_KM_PER_HOUR = 55.0
LOCAL_PAYLOAD_T = 12.0
TRUNK_PAYLOAD_T = 30.0
HANDLING_HOURS = 1.5
CUT_OFF_SHARE = 0.25


@dataclass(frozen=True)
class Geography:
    """Places with people, and directed lanes between them as rows (from, to); the largest places are the hubs."""

    position_km: Floats  # sites × (across, along)
    people: Floats
    hubs: Ints
    lanes: Ints  # lanes × 2
    km: Floats
    hours: Floats
    lead_days: Ints

    @property
    def is_trunk(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.km > TRUNK_KM)

    def degrees(self) -> tuple[Floats, Floats]:
        """Return latitude and longitude, for maps: the country begins at 20° S, 72° W."""
        across, along = self.position_km.T
        return (-20 - along / 111.0).round(3).clip(-60, 0), (-72 + across / 90.0).round(3)


@dataclass(frozen=True)
class Regions:
    """Fleets, each with a mode of its own: first the local ones, then the heavy ones; and the parts of the land."""

    of_lane: Ints  # fleet that drives the lane
    local: int
    count: int
    payload_t: Floats
    part: Ints  # of each site
    cut_off: Ints  # parts that no lane enters or leaves
    handling_hours: float = HANDLING_HOURS

    def mode(self, fleet: int) -> str:
        return f"region {fleet}" if fleet < self.local else f"trunk {fleet - self.local}"

    def open_lanes(self, geography: Geography) -> Ints:
        """Return the lanes that neither leave nor enter a part that is cut off."""
        start, end = self.part[geography.lanes].T
        closed = (start != end) & (np.isin(start, self.cut_off) | np.isin(end, self.cut_off))
        return np.flatnonzero(~closed)


def draw_geography(sites: int, lanes_per_site: float, rng: np.random.Generator) -> Geography:
    """Draw places around cities of Zipf size, and lanes: to near neighbours, along the land, and out of the hubs."""
    cities = max(4, sites // 12)
    centre = np.column_stack([rng.uniform(0, WIDTH_KM, cities), rng.uniform(0, LENGTH_KM, cities)])
    pull = 1 / np.arange(1, cities + 1)
    city = np.concatenate([np.arange(cities), rng.choice(cities, sites - cities, p=pull / pull.sum())])
    position = centre[city] + rng.normal(0, 1, (sites, 2)) * np.array([25.0, 45.0])
    weight = rng.permutation(1 / np.arange(1, sites + 1) ** 0.9) * (1 + 2 / (1 + city))
    people = np.round(PEOPLE * weight / weight.sum()).clip(500)
    hubs = np.argsort(-people, kind="stable")[: max(4, sites // 25)]
    lanes = np.array(sorted(_draw_lanes(position, cities, hubs, round(lanes_per_site * sites), rng)), dtype=np.intp)
    apart = np.hypot(*(position[lanes[:, 0]] - position[lanes[:, 1]]).T)
    km = (1.25 * apart + 2).round()
    return Geography(
        position_km=position,
        people=people,
        hubs=hubs,
        lanes=lanes,
        km=km,
        hours=(km / SPEED_KM_PER_HOUR).round(2),
        lead_days=np.clip(np.floor(km / 350 + 0.25), 0, 3).astype(np.intp),
    )


def _draw_lanes(
    position: Floats, cities: int, hubs: Ints, wanted: int, rng: np.random.Generator
) -> set[tuple[int, int]]:
    """Return directed lanes, always both ways: nearest neighbours, the trunk road, then lanes out of hubs at random."""
    sites = len(position)
    neighbours = max(2, wanted // sites // 2)
    nearest = np.asarray(cKDTree(position).query(position, k=neighbours + 1)[1])
    pairs = {(i, int(j)) for i in range(sites) for j in nearest[i, 1:]}
    along = np.argsort(position[:cities, 1])
    pairs |= {(int(a), int(b)) for a, b in pairwise(along)}
    lanes = {lane for a, b in pairs for lane in ((a, b), (b, a))}
    while len(lanes) < wanted:
        hub = int(rng.choice(hubs))
        other = int(rng.integers(sites)) if rng.random() < 0.7 else int(rng.choice(hubs))
        if hub != other:
            lanes |= {(hub, other), (other, hub)}
    return lanes


def draw_regions(geography: Geography, rng: np.random.Generator) -> Regions:
    """Draw where trucks stand, give each lane to the nearest of them, and choose the parts that are cut off.

    A sixth as many fleets as places: three quarters of them local, which drive the lanes that end near them, and
    one quarter heavy, which drive the long lanes that start near them.
    """
    sites = len(geography.people)
    count = max(6, sites // 6)
    local = count - count // 4
    others = np.setdiff1d(rng.permutation(sites), geography.hubs)
    local_yards = np.concatenate([geography.hubs, rng.permutation(others)])[:local]
    trunk_yards = np.argsort(-geography.people, kind="stable")[: count - local]
    start, end = geography.position_km[geography.lanes[:, 0]], geography.position_km[geography.lanes[:, 1]]
    nearest_local = cKDTree(geography.position_km[local_yards]).query(end)[1]
    nearest_trunk = cKDTree(geography.position_km[trunk_yards]).query(start)[1]
    parts = max(4, min(30, sites // 12))
    towns = np.argsort(-geography.people, kind="stable")[:parts]
    part = cKDTree(geography.position_km[towns]).query(geography.position_km)[1]
    return Regions(
        of_lane=np.where(geography.is_trunk, local + nearest_trunk, nearest_local).astype(np.intp),
        local=local,
        count=count,
        payload_t=np.where(np.arange(count) < local, LOCAL_PAYLOAD_T, TRUNK_PAYLOAD_T),
        part=np.asarray(part, dtype=np.intp),
        cut_off=rng.permutation(parts)[: max(1, int(CUT_OFF_SHARE * parts))],
    )
