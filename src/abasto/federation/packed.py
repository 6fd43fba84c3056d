"""A map's bytes: a head of canonical JSON, and the columns of its tables as small whole numbers, packed by LZMA.

Of each number stands how far it is from the one that is most likely there: mostly that of the row before; of people and
storage those of the node; of needs, what the row before needs for each of its people; of stocks, what the node needs.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from abasto.errors import EntryError, FederationError
from abasto.facts.canonical import canonical, parse
from abasto.federation.coarse import COLUMNS, FINENESS, MOST_PERIODS, CoarseMap, Rows, columns_of, refuse_unknown

__all__ = ["MOST_BYTES", "MOST_TEXT", "MOST_WHOLE", "decode", "encode", "fits"]

MOST_BYTES = 4096
"""A map is at most so long as it is sent,"""
MOST_WHOLE = 8000
"""and so long where a network chooses to show each of its sites; a letter takes no more."""
MOST_TEXT = 1 << 18
"""Unpacked it is at most so long, whatever its bytes promise."""
VERSION = 2

_HEAD = {"v", "network", "start", "days", "periods", "common", "fairness", "fineness", "rows"}
_PACKED = [{"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "pb": 0, "dict_size": 1 << 16}]
_MOST_NUMBER = 1 << 34

Row = tuple[int, ...]


def encode(coarse: CoarseMap, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a map as they are sent; `FederationError` where they are more than it may have."""
    refuse_unknown(coarse)
    raw = _packed(coarse)
    if len(raw) > most:
        raise FederationError(
            f'the map of "{coarse.network}" takes {len(raw)} bytes, at most {most} are sent; publish fewer periods, '
            "merge more sites to a node, or show less of them"
        )
    return raw


def fits(coarse: CoarseMap, most: int) -> bool:
    """Return whether a map takes no more bytes than it may."""
    return len(_packed(coarse)) <= most


def decode(raw: bytes) -> CoarseMap:
    """Return the map that bytes say; `FederationError` if they are too many, damaged, or not the only way to say it."""
    if len(raw) > MOST_WHOLE:
        raise FederationError(f"a map of {len(raw)} bytes; at most {MOST_WHOLE} are read")
    try:
        unpacking = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_PACKED)
        text = unpacking.decompress(raw, MOST_TEXT + 1)
        if len(text) > MOST_TEXT:
            raise FederationError(f"a map of more than {MOST_TEXT} bytes unpacked, which is the most that is read")
        if not unpacking.eof or unpacking.unused_data:
            raise FederationError("no map: its bytes end too early or too late")
        head, _, numbers = text.partition(b"\n")
        coarse = _understood(parse(head), numbers)
    except (lzma.LZMAError, EntryError) as error:
        raise FederationError(f"no map: {error}") from None
    refuse_unknown(coarse)
    if _text(coarse) != text:
        raise FederationError("these are not the bytes of what they say; a map has one way to be written")
    return coarse


def _packed(coarse: CoarseMap) -> bytes:
    return lzma.compress(_text(coarse), lzma.FORMAT_RAW, filters=_PACKED)


def _text(coarse: CoarseMap) -> bytes:
    """Return the bytes before they are packed: the rows of each table but `nodes` in order, column after column."""
    tables = {name: list(coarse.tables[name]) if name == "nodes" else sorted(coarse.tables[name]) for name in COLUMNS}
    head = {
        "v": VERSION,
        "network": coarse.network,
        "start": coarse.start.toordinal(),
        "days": coarse.days,
        "periods": coarse.periods,
        "common": coarse.common,
        "fairness": round(coarse.fairness * 1000),
        "fineness": coarse.fineness,
        "rows": [len(rows) for rows in tables.values()],
    }
    likely = _Likely(coarse.periods)
    numbers = bytearray()
    for name, rows in tables.items():
        off = [likely.off(name, row, before) for before, row in zip([None, *rows], rows, strict=False)]
        likely.known(name, rows)
        for column in zip(*off, strict=True):
            numbers += _bytes_of(column)
    return canonical(head) + b"\n" + numbers


class _Likely:
    """The number that most likely stands in a column, by what is known before it."""

    def __init__(self, periods: int) -> None:
        self._columns = {name: columns_of(name, periods) for name in COLUMNS}
        self._people: list[int] = []
        self._needed: dict[tuple[int, int], int] = {}

    def known(self, table: str, rows: Sequence[Row]) -> None:
        """Take in a whole table: later ones lean on it."""
        if table == "nodes":
            self._people = [people for people, _ in rows]
        if table == "needs":
            self._needed = {(good, node): amount for good, _, node, _, amount, *_ in rows}

    def off(self, table: str, row: Row, before: Row | None) -> Row:
        """Return how far the numbers of a row are from it."""
        return tuple(value - self.of(table, row[:at], before) for at, value in enumerate(row))

    def of(self, table: str, row: Row, before: Row | None) -> int:
        """Return it for the column after those of `row` that are known; `before` is the row before, if there is one."""
        at = len(row)
        kind = self._columns[table][at]
        usual = before[at] if before is not None else 0
        match table, kind:
            case _, "end":
                return row[0]
            case _, "amount" if row and self._columns[table][at - 1] == "amount":
                return row[-1]
            case ("nodes", "storage") | ("needs", "amount"):
                return usual + row[at - 1] - (before[at - 1] if before is not None else 0)
            case "needs", "people":
                return self._at(row[2])
            case (("stocks" | "reserves"), "amount"):
                return self._needed.get((row[0], row[1]), self._at(row[1]))
        return usual

    def _at(self, node: int) -> int:
        return self._people[node] if 0 <= node < len(self._people) else 0


def _understood(said: dict[str, object], numbers: bytes) -> CoarseMap:
    if set(said) != _HEAD or said["v"] != VERSION:
        raise FederationError(f"no map of version {VERSION}: it has the fields {', '.join(sorted(said))[:200]}")
    whole = {name: said[name] for name in ("start", "days", "periods", "fairness", "fineness")}
    if not all(type(value) is int for value in whole.values()):
        raise FederationError("no map: start, days, periods, fairness and fineness must be whole numbers")
    start, days, periods, fairness, fineness = (int(str(value)) for value in whole.values())
    if not (1 <= start <= date.max.toordinal() and 1 <= days <= 3660 and 1 <= periods <= min(days, MOST_PERIODS)):
        raise FederationError(f"no map: day {start}, {days} days in {periods} periods")
    if not 0 <= fairness <= 50_000 or fineness not in FINENESS:
        raise FederationError(
            f"no map: fairness {fairness} thousandths, from 0 to 50000 are known; fineness {fineness}, of which "
            f"{', '.join(map(str, FINENESS))} are"
        )
    network, common, rows = said["network"], said["common"], said["rows"]
    if not (isinstance(network, str) and 0 < len(network) <= 200 and isinstance(common, str) and len(common) == 32):
        raise FederationError("no map: network and common must be short texts")
    if not isinstance(rows, list) or len(rows) != len(COLUMNS) or not all(type(row) is int for row in rows):
        raise FederationError("no map: it does not say how many rows each table has")
    widths = [len(columns_of(name, periods)) for name in COLUMNS]
    if any(count < 0 for count in rows) or sum(map(int.__mul__, rows, widths)) > len(numbers):
        raise FederationError("no map: its tables have more numbers than there are bytes")
    tables = _tables(dict(zip(COLUMNS, rows, strict=True)), periods, _numbers_in(numbers))
    return CoarseMap(network, date.fromordinal(start), days, periods, common, fairness / 1000, fineness, tables)


def _tables(counts: dict[str, int], periods: int, numbers: Iterator[int]) -> dict[str, Rows]:
    likely = _Likely(periods)
    tables: dict[str, Rows] = {}
    for name, count in counts.items():
        off = zip(*([next(numbers, 0) for _ in range(count)] for _ in columns_of(name, periods)), strict=True)
        rows: list[Row] = []
        for wrong in off:
            row: Row = ()
            for distance in wrong:
                row = (*row, distance + likely.of(name, row, rows[-1] if rows else None))
            rows.append(row)
        likely.known(name, rows)
        tables[name] = tuple(rows)
    return tables


def _bytes_of(column: Iterable[int]) -> bytes:
    """Return numbers with seven bits to a byte, the lowest first, the sign below them all."""
    raw = bytearray()
    for value in column:
        left = 2 * value if value >= 0 else -2 * value - 1
        while left > 127:
            raw.append(left & 127 | 128)
            left >>= 7
        raw.append(left)
    return bytes(raw)


def _numbers_in(raw: bytes) -> Iterator[int]:
    value, shift = 0, 0
    for byte in raw:
        value |= (byte & 127) << shift
        shift += 7
        if value > _MOST_NUMBER:
            raise FederationError("no map: a number in it is larger than any that maps have")
        if byte < 128:
            yield -(value + 1 >> 1) if value & 1 else value >> 1
            value, shift = 0, 0
