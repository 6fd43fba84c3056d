"""The coarse map that a network publishes of itself: places merged to nodes, amounts on a log scale.

A map names no site and no person. Its amounts are levels: 0 is nothing, 1 is without limit, and the others stand for
powers of two, `fineness` of them for each doubling; at 2 each amount is right to about 19 %, at 16 to 2 %. Goods and
recipes are numbers in the common list, which all who plan together hold; lanes between networks are numbers that only
their two ends can read.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from abasto.errors import FederationError
from abasto.facts.canonical import canonical
from abasto.network import Network

__all__ = [
    "COLUMNS",
    "FINENESS",
    "INTO",
    "LEVELS",
    "MOST_PERIODS",
    "NOTHING",
    "OUT",
    "UNLIMITED",
    "CoarseMap",
    "amount",
    "by_period",
    "columns_of",
    "common_digest",
    "level",
    "period_of",
    "refuse_unknown",
]

NOTHING, UNLIMITED = 0, 1
FINENESS = (16, 8, 4, 2)
"""Levels for each doubling that maps may have, the finest first."""
OUT, INTO = 1, 2
"""What a lane between networks is to the network that tells of it; the sum where it is both."""
FIRST = -50
"""Level 2 is two to this power, about 1e-15;"""
DOUBLINGS = 126
"""and the last one so many doublings more, about 1e23."""
MOST_PERIODS = 12
MOST_NODES = 400
"""A map of so many nodes with thousands of lanes is cleared in ten seconds; the time grows faster than their square."""
MOST_ROWS = 20_000
MOST_LANES = 4_000

Rows = tuple[tuple[int, ...], ...]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "nodes": ("people", "storage"),
    "needs": ("good", "tenths", "node", "people", "amount*"),
    "supplies": ("good", "node", "amount*"),
    "stocks": ("good", "node", "amount"),
    "reserves": ("good", "node", "amount"),
    "plants": ("recipe", "node", "hours", "amount*"),
    "labour": ("node", "amount*"),
    "fleets": ("mode", "base", "payload", "handling", "amount*"),
    "lanes": ("node", "end", "both", "mode", "hours", "tonnes"),
    "border": ("lane", "ways", "node", "mode", "hours", "tonnes"),
}
"""Tables of a map and what their columns hold; a column with * stands once for each period. `base` is a node plus one,
0 for a fleet without a base; `tenths` are tenths of a priority; `both` is 1 for a lane that leads back alike. `lane` is
the number of a lane as it leads out; what leads in has the number of the way back."""

_MOST = {
    "base": MOST_NODES,
    "good": 4095,
    "recipe": 4095,
    "mode": 4095,
    "lane": 2**32 - 1,
    "tenths": 10_000,
    "both": 1,
    "ways": OUT + INTO,
}
LEVELS = frozenset({"people", "storage", "amount", "hours", "payload", "handling", "tonnes"})
"""Columns that hold levels;"""
_LIMITED = LEVELS - {"storage", "tonnes"}
"""and those of which none is without limit."""


@dataclass(frozen=True)
class CoarseMap:
    """Whose map, for which days in how many periods, in which common list, at which fairness, how fine; its tables."""

    network: str
    start: date
    days: int
    periods: int
    common: str
    fairness: float
    fineness: int
    tables: Mapping[str, Rows]

    @property
    def digest(self) -> str:
        """Names the map by what it says."""
        tables = {name: [list(row) for row in rows] for name, rows in self.tables.items() if rows}
        scale = [self.start.toordinal(), self.days, self.periods, round(self.fairness * 1000), self.fineness]
        return hashlib.blake2b(canonical([self.network, self.common, scale, tables]), digest_size=16).hexdigest()

    def amount(self, level: int) -> float:
        """Return what one of the map's levels stands for."""
        return amount(level, self.fineness)

    def days_of(self, period: int) -> range:
        """Return the days of a period, numbered from 1."""
        return range(
            1 + math.ceil(period * self.days / self.periods), 1 + math.ceil((period + 1) * self.days / self.periods)
        )


def level(amount: float, fineness: int) -> int:
    """Return the level of an amount: the nearest power of two, `fineness` of which are a doubling.

    >>> [level(x, 2) for x in (0.0, math.inf, 1.0, 1.19, 2.0)]
    [0, 1, 102, 103, 104]
    """
    if not amount > 0:
        return NOTHING
    if math.isinf(amount):
        return UNLIMITED
    return 2 + min(DOUBLINGS * fineness, max(0, round(fineness * (math.log2(amount) - FIRST))))


def amount(level: int, fineness: int) -> float:
    """Return what a level stands for.

    >>> amount(0, 2), amount(1, 2), amount(100, 2), amount(106, 2)
    (0.0, inf, 0.5, 4.0)
    """
    if level == NOTHING:
        return 0.0
    return math.inf if level == UNLIMITED else float(2.0 ** ((level - 2) / fineness + FIRST))


def common_digest(network: Network) -> str:
    """Return the name of the list of goods, recipes and substitutes that a network plans with."""
    rows = [
        [f"{row!r}" for row in sorted(table, key=repr)]
        for table in (network.goods, network.recipes, network.substitutes)
    ]
    return hashlib.blake2b(canonical(rows), digest_size=16).hexdigest()


def columns_of(table: str, periods: int) -> list[str]:
    """Return what each column of a table holds, with one for each period where the table has such."""
    return [kind.rstrip("*") for kind in COLUMNS[table] for _ in range(periods if kind.endswith("*") else 1)]


def refuse_unknown(coarse: CoarseMap) -> None:
    """Refuse a map with numbers that stand for nothing, with `FederationError`."""
    nodes = len(coarse.tables["nodes"])
    if nodes > MOST_NODES:
        raise FederationError(f"no map: {nodes} nodes, at most {MOST_NODES} are known")
    if max(map(len, coarse.tables.values())) > MOST_ROWS or len(coarse.tables["lanes"]) > MOST_LANES:
        raise FederationError(f"no map: a table has more than {MOST_ROWS} rows, or table lanes more than {MOST_LANES}")
    most = {**_MOST, "node": nodes - 1, "end": nodes - 1, "base": nodes}
    for name, rows in coarse.tables.items():
        kinds = [(kind, most.get(kind, 2 + DOUBLINGS * coarse.fineness)) for kind in columns_of(name, coarse.periods)]
        for row in rows:
            for (kind, highest), value in zip(kinds, row, strict=True):
                if type(value) is not int or not 0 <= value <= highest:
                    raise FederationError(f"no map: {kind} {value!r:.40} in table {name}, at most {highest} is known")
                if (value == UNLIMITED and kind in _LIMITED) or (value == NOTHING and kind == "payload"):
                    raise FederationError(f"no map: {kind} {amount(value, 1):g} in table {name}, which cannot be")
    if any(start == end for start, end, *_ in coarse.tables["lanes"]):
        raise FederationError("no map: a lane in table lanes leads from a node to itself")


def by_period(days: int, periods: int, amounts: Mapping[int, float]) -> Sequence[float]:
    """Return the sums of each period of amounts by day, days from 1; periods as `CoarseMap.days_of` has them."""
    sums = [0.0] * periods
    for day, value in amounts.items():
        sums[period_of(day, days, periods)] += value
    return sums


def period_of(day: int, days: int, periods: int) -> int:
    """Return the period in which a day lies, from 0.

    >>> [period_of(day, 5, 2) for day in range(1, 6)]
    [0, 0, 0, 1, 1]
    """
    return min(periods - 1, (day - 1) * periods // days)
