"""What a scenario leaves of every capacity, day by day: where several disruptions hit a thing, the smallest counts."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

from abasto.network import Network
from abasto.tables.target import Targets

__all__ = ["Disrupted"]


class Disrupted:
    """The shares that remain in a scenario; 1 everywhere without one. Days count from 0."""

    def __init__(self, network: Network, scenario: str | None, targets: Targets) -> None:
        self._left: dict[tuple[str, Hashable], npt.NDArray[np.float64]] = {}
        self.any = False
        for row in network.disruptions:
            if scenario is None or row.scenario != scenario:
                continue
            self.any = True
            first = 1 if row.from_day is None else max(1, row.from_day)
            last = network.days if row.to_day is None else min(network.days, row.to_day)
            for target in targets.resolve(row.kind, row.target):
                left = self._left.setdefault((row.kind, target), np.ones(network.days))
                left[first - 1 : last] = np.minimum(left[first - 1 : last], row.left)

    def _share(self, kind: str, target: Hashable, day: int) -> float:
        left = self._left.get((kind, target))
        return 1.0 if left is None else float(left[day])

    def supply(self, site: str, good: str, day: int) -> float:
        return min(self._share("supply", (site, good), day), self._share("site", site, day))

    def plant(self, site: str, recipe: str, day: int) -> float:
        return min(self._share("plant", (site, recipe), day), self._share("site", site, day))

    def lane(self, start: str, end: str, day: int) -> float:
        ends = min(self._share("site", start, day), self._share("site", end, day))
        return min(self._share("lane", (start, end), day), ends)

    def fleet(self, fleet: str, base: str | None, day: int) -> float:
        at_base = 1.0 if base is None else self._share("site", base, day)
        return min(self._share("fleet", fleet, day), at_base)
