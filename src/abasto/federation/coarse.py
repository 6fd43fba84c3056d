"""The coarse map that a network publishes of itself: places merged to nodes, amounts on a log scale, in fixed bytes.

A map names no site and no person. Its amounts are levels, whole numbers from 1 to 254 that stand for powers of √2, so
that each is right to about 19 %; 0 is nothing, 255 is without limit. Goods and recipes are numbers in the common
list, which all who plan together hold; lanes between networks are numbers that only their two ends can read.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import zstandard

from abasto.errors import EntryError, FederationError
from abasto.facts.canonical import canonical, parse
from abasto.network import Network

__all__ = [
    "COLUMNS",
    "MOST_BYTES",
    "MOST_TEXT",
    "UNLIMITED",
    "CoarseMap",
    "amount",
    "common_digest",
    "decode",
    "encode",
    "fits",
    "level",
]

MOST_BYTES = 4096
"""A map is at most so long as it is sent."""
MOST_TEXT = 1 << 18
"""And so long unpacked, whatever its bytes promise."""
UNLIMITED = 255
MIDDLE = 100
"""The level of 1; 1 to 254 reach from about 1e-15 to 1e23."""
MOST_PERIODS = 12
MOST_NODES = 4096

Rows = tuple[tuple[int, ...], ...]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "nodes": ("people", "storage"),
    "needs": ("node", "good", "tenths", "people", "amount*"),
    "supplies": ("node", "good", "amount*"),
    "stocks": ("node", "good", "amount"),
    "reserves": ("node", "good", "amount"),
    "plants": ("node", "recipe", "hours", "amount*"),
    "labour": ("node", "amount*"),
    "fleets": ("mode", "base", "payload", "handling", "amount*"),
    "lanes": ("node", "node", "mode", "hours", "tonnes"),
    "out": ("lane", "node", "mode", "hours", "tonnes"),
    "into": ("lane", "node"),
}
"""Tables of a map and what their columns hold; a column with * stands once for each period. `base` is a node plus one,
0 for a fleet without a base; `tenths` are tenths of a priority."""

_MOST = {"node": MOST_NODES - 1, "base": MOST_NODES, "good": 4095, "recipe": 4095, "mode": 4095, "lane": 2**32 - 1}
_LEVELS = ("people", "storage", "amount", "hours", "payload", "handling", "tonnes")


@dataclass(frozen=True)
class CoarseMap:
    """A map: whose, for which days in how many periods, in which common list, at which fairness, and its tables."""

    network: str
    start: date
    days: int
    periods: int
    common: str
    fairness: float
    tables: Mapping[str, Rows]

    @property
    def digest(self) -> str:
        """Names the map by what it says."""
        return hashlib.blake2b(_text(self), digest_size=16).hexdigest()

    def days_of(self, period: int) -> range:
        """Return the days of a period, numbered from 1."""
        return range(
            1 + math.ceil(period * self.days / self.periods), 1 + math.ceil((period + 1) * self.days / self.periods)
        )


def level(amount: float) -> int:
    """Return the level of an amount: 0 for nothing, 255 for infinity, else the nearest power of √2.

    >>> [level(x) for x in (0.0, 1.0, 1.19, 2.0, math.inf)]
    [0, 100, 101, 102, 255]
    """
    if not amount > 0:
        return 0
    return UNLIMITED if math.isinf(amount) else min(254, max(1, MIDDLE + round(2 * math.log2(amount))))


def amount(level: int) -> float:
    """Return what a level stands for.

    >>> amount(0), amount(98), amount(104)
    (0.0, 0.5, 4.0)
    """
    if level == 0:
        return 0.0
    return math.inf if level == UNLIMITED else float(2.0 ** ((level - MIDDLE) / 2))


def common_digest(network: Network) -> str:
    """Return the name of the list of goods, recipes and substitutes that a network plans with."""
    rows = [
        [f"{row!r}" for row in sorted(table, key=repr)]
        for table in (network.goods, network.recipes, network.substitutes)
    ]
    return hashlib.blake2b(canonical(rows), digest_size=16).hexdigest()


def encode(coarse: CoarseMap) -> bytes:
    """Return the bytes of a map as they are sent; `FederationError` where they are more than a map may have."""
    _check_tables(coarse.tables, coarse.periods)
    raw = _packed(coarse)
    if len(raw) > MOST_BYTES:
        raise FederationError(
            f'the map of "{coarse.network}" takes {len(raw)} bytes, at most {MOST_BYTES} are sent; publish fewer '
            "periods, merge more sites to a node, or publish offers only"
        )
    return raw


def fits(coarse: CoarseMap) -> bool:
    """Return whether a map takes no more bytes than may be sent."""
    return len(_packed(coarse)) <= MOST_BYTES


def _packed(coarse: CoarseMap) -> bytes:
    return zstandard.ZstdCompressor(level=19, write_content_size=True).compress(_text(coarse))


def decode(raw: bytes) -> CoarseMap:
    """Return the map that bytes say; `FederationError` if they are too many, damaged, or not the only way to say it."""
    if len(raw) > MOST_BYTES:
        raise FederationError(f"a map of {len(raw)} bytes; at most {MOST_BYTES} are read")
    try:
        text = zstandard.ZstdDecompressor(max_window_size=1 << 20).decompress(
            raw, max_output_size=MOST_TEXT, allow_extra_data=False
        )
        if len(text) > MOST_TEXT:
            raise FederationError(f"a map of {len(text)} bytes unpacked; at most {MOST_TEXT} are read")
        said = parse(text)
    except (zstandard.ZstdError, EntryError) as error:
        raise FederationError(f"no map: {error}") from None
    return _understood(said)


def _understood(said: dict[str, object]) -> CoarseMap:
    if set(said) != {"v", "network", "start", "days", "periods", "common", "fairness", "tables"} or said["v"] != 1:
        raise FederationError(f"no map of version 1: it has the fields {', '.join(sorted(said))[:200]}")
    whole = {name: said[name] for name in ("start", "days", "periods", "fairness")}
    if not all(type(value) is int for value in whole.values()):
        raise FederationError("no map: start, days, periods and fairness must be whole numbers")
    start, days, periods, fairness = (int(str(value)) for value in whole.values())
    if not (1 <= start <= date.max.toordinal() and 1 <= days <= 3660 and 1 <= periods <= min(days, MOST_PERIODS)):
        raise FederationError(f"no map: day {start}, {days} days in {periods} periods")
    if not 0 <= fairness <= 50_000:
        raise FederationError(f"no map: fairness {fairness} thousandths, from 0 to 50000 are known")
    network, common, columns = said["network"], said["common"], said["tables"]
    if not (isinstance(network, str) and 0 < len(network) <= 200 and isinstance(common, str) and len(common) == 32):
        raise FederationError("no map: network and common must be short texts")
    if not isinstance(columns, dict) or not set(columns) <= set(COLUMNS):
        raise FederationError("no map: it has tables that maps do not have")
    tables = {name: _rows(name, columns.get(name, []), periods) for name in COLUMNS}
    _check_tables(tables, periods)
    found = CoarseMap(network, date.fromordinal(start), days, periods, common, fairness / 1000, tables)
    if _text(found) != canonical(said):
        raise FederationError("these are not the bytes of what they say; a map has one way to be written")
    return found


def _rows(name: str, columns: object, periods: int) -> Rows:
    if not isinstance(columns, list) or not all(isinstance(column, list) for column in columns):
        raise FederationError(f"no map: table {name} is no list of columns")
    if len({len(column) for column in columns}) > 1 or (columns and len(columns) != len(_kinds(name, periods))):
        raise FederationError(f"no map: the columns of table {name} are too many, too few or of unequal length")
    return tuple(zip(*columns, strict=True))


def _text(coarse: CoarseMap) -> bytes:
    """Return the canonical bytes before they are packed: each table by columns, which packs best; no empty table."""
    return canonical(
        {
            "v": 1,
            "network": coarse.network,
            "start": coarse.start.toordinal(),
            "days": coarse.days,
            "periods": coarse.periods,
            "common": coarse.common,
            "fairness": round(coarse.fairness * 1000),
            "tables": {
                name: [list(column) for column in zip(*sorted(rows) if name != "nodes" else rows, strict=True)]
                for name, rows in coarse.tables.items()
                if rows
            },
        }
    )


def _kinds(table: str, periods: int) -> list[str]:
    return [kind.rstrip("*") for kind in COLUMNS[table] for _ in range(periods if kind.endswith("*") else 1)]


def _check_tables(tables: Mapping[str, Rows], periods: int) -> None:
    nodes = len(tables.get("nodes", ()))
    for name, rows in tables.items():
        kinds = _kinds(name, periods)
        for row in rows:
            for kind, value in zip(kinds, row, strict=True):
                most = _most(kind, nodes)
                if type(value) is not int or not 0 <= value <= most:
                    raise FederationError(f"no map: {kind} {value!r:.40} in table {name}, at most {most} is known")
    if nodes > MOST_NODES:
        raise FederationError(f"no map: {nodes} nodes, at most {MOST_NODES} are known")


def _most(kind: str, nodes: int) -> int:
    if kind == "node":
        return nodes - 1
    if kind == "base":
        return nodes
    return UNLIMITED if kind in _LEVELS else _MOST.get(kind, 10_000)


def levels(amounts: Iterable[float]) -> tuple[int, ...]:
    """Return the levels of amounts, one for each period."""
    return tuple(level(value) for value in amounts)


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
