"""How many vehicle-hours a day each fleet would need if every place got its goods along the shortest way."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra

from benchmarks.geography import Geography, Regions

__all__ = ["hours_of_transport", "hours_per_tonne"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


def hours_per_tonne(geography: Geography, regions: Regions) -> Floats:
    """Return the vehicle-hours that moving one tonne takes on each lane: (2 × hours + handling) ÷ payload."""
    return np.asarray((2 * geography.hours + regions.handling_hours) / regions.payload_t[regions.of_lane])


def hours_of_transport(geography: Geography, regions: Regions, sources: Ints, tonnes: Floats) -> Floats:
    """Return the vehicle-hours a day of each fleet when `tonnes` a day reach every place from its nearest source."""
    sites = len(tonnes)
    start, end = geography.lanes.T
    cost = hours_per_tonne(geography, regions)
    graph = sp.csr_matrix((cost, (start, end)), shape=(sites, sites))
    far, before, _ = dijkstra(graph, indices=sources, min_only=True, return_predecessors=True)
    lane_between = {(int(a), int(b)): lane for lane, (a, b) in enumerate(geography.lanes)}
    through = tonnes.astype(float)
    hours = np.zeros(regions.count)
    for place in np.argsort(-far, kind="stable"):
        source = int(before[place])
        if source >= 0:
            lane = lane_between[source, int(place)]
            hours[regions.of_lane[lane]] += through[place] * cost[lane]
            through[source] += through[place]
    return hours
