"""The rows of all tables as the journal leaves them: set, dropped, undone; the last word in the order of the fold.

Cells stay text here, so that a million row facts fold in seconds; what they say is read when a network is made of them
(`state.tables`). Rows keep the order in which they were first set.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

from abasto.facts.kinds import RowDropped, RowSet
from abasto.network import TABLES
from abasto.tables.raw import BLANKS

__all__ = [
    "ESCALATIONS",
    "EXPORTS",
    "IDENTITY",
    "KEPT",
    "OPENINGS",
    "PACKS",
    "KeptRow",
    "Rows",
    "Standing",
    "identity_of",
]

PACKS = "packs"
"""A table that only a journal has: how much of a good is in one pack (good, pack, quantity)."""
OPENINGS = "openings"
"""Another: when vehicles may load and unload at a site (site, opens, closes)."""
ESCALATIONS = "escalations"
"""Another: who hears an alarm next, and after how long (priority, to, after_hours)."""
EXPORTS = "exports"
"""Another, of stewards: what other networks see and get of this one (good, share)."""

IDENTITY: Mapping[str, tuple[str, ...]] = {
    **{schema.name: schema.key for schema in TABLES},
    "network": (),
    "stocks": ("site", "good", "expires"),
    "supplies": ("site", "good", "from", "to"),
    "needs": ("site", "good", "from", "to"),
    "plants": ("site", "recipe", "from", "to"),
    "labour": ("site", "from", "to"),
    "disruptions": ("scenario", "kind", "target", "from", "to"),
    PACKS: ("good", "pack"),
    OPENINGS: ("site",),
    ESCALATIONS: ("priority", "to"),
    EXPORTS: ("good",),
}
"""The columns that tell the rows of a table apart; where they are equal too, a row's `copy` does."""

_MAY_BE_BLANK = frozenset({"expires", "from", "to"})
_OPTIONAL = {
    name: frozenset() if name in ("lanes", ESCALATIONS) else _MAY_BE_BLANK.intersection(columns)
    for name, columns in IDENTITY.items()
}

KEPT = 5
"""So many versions of a row are kept: the present one, and what undoing brings back."""

_CALENDAR = date.max.toordinal()
"""Goods that last longer than the calendar, in days, never spoil."""

Standing = Literal["stands", "dropped", "unknown"]
Key = tuple[str, ...]
"""The cells that identify a row, and its copy as text."""


class KeptRow(NamedTuple):
    """A version of a row: the entry that set or dropped it, who signed that, its date, the cells that are not blank."""

    entry: str
    author: str
    date: str
    cells: Mapping[str, str]
    stands: bool
    copy: int


def identity_of(table: str, cells: Mapping[str, str], *, copy: int = 1) -> Key:
    """Return what tells a row apart from the others of its table; the table must be one of `IDENTITY`.

    >>> identity_of("needs", {"site": "School", "good": "bread", "quantity": "40"})
    ('School', 'bread', '', '', '1')
    """
    return (*[cells.get(name, "").strip(BLANKS) for name in IDENTITY[table]], str(copy))


class Rows:
    """All rows, by table and identity; `set`, `drop` and `undo` return what is wrong, or nothing."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[Key, list[KeptRow]]] = {name: {} for name in IDENTITY}
        self._cut: set[tuple[str, Key]] = set()
        self._shelf_lives: dict[str, int | None] = {}

    def set(self, fact: RowSet, entry_id: str, *, author: str = "") -> str:
        """Let a row stand as the fact says."""
        return self._add(fact, entry_id, author, stands=True)

    def drop(self, fact: RowDropped, entry_id: str, *, author: str = "") -> str:
        """Let a row hold no longer; it is remembered, so that reports about it can be told from mistakes."""
        return self._add(fact, entry_id, author, stands=False)

    def undo(self, fact: RowSet | RowDropped, entry_id: str) -> str:
        """Let the row that this entry set or dropped be as it was before it, if the entry still has the last word."""
        if fact.table not in IDENTITY:
            return f"no table {fact.table} is known here, so there is nothing to undo"
        rows, key = self._tables[fact.table], identity_of(fact.table, fact.row, copy=fact.copy)
        versions = rows.get(key)
        if not versions or all(version.entry != entry_id for version in versions):
            return f"the row of {fact.table} is not as this entry left it, so it stays; set it as it should be"
        if versions[-1].entry != entry_id:
            return f"the row of {fact.table} was set again on {versions[-1].date}, so it stays; undo that first"
        if len(versions) == 1 and (fact.table, key) in self._cut:
            return f"only the last {KEPT} versions of a row are kept; set the row of {fact.table} as it should be"
        if len(versions) == 1:
            del rows[key]
        else:
            versions.pop()
        self._forget(fact.table, key)
        return ""

    def table(self, name: str) -> Iterator[KeptRow]:
        """Yield the rows of a table that stand, in the order in which they were first set."""
        return (versions[-1] for versions in self._tables[name].values() if versions[-1].stands)

    def get(self, table: str, *identity: str, copy: int = 1) -> KeptRow | None:
        """Return a row that stands, by the cells of `IDENTITY[table]`; None if there is none."""
        versions = self._tables[table].get((*identity, str(copy)))
        return versions[-1] if versions and versions[-1].stands else None

    def cell(self, table: str, column: str, *identity: str) -> str:
        """Return a cell of a row that stands, blank where there is no such row or cell."""
        row = self.get(table, *identity)
        return "" if row is None else row.cells.get(column, "")

    def standing(self, table: str, id: str) -> Standing:
        """Say whether a site, good or fleet stands, was dropped, or was never heard of."""
        versions = self._tables[table].get((id, "1"))
        if not versions:
            return "unknown"
        return "stands" if versions[-1].stands else "dropped"

    def name(self, table: str, id: str) -> str:
        """Return what people call a site or good: its name, else its id."""
        return self.cell(table, "name", id) or id

    def shelf_life(self, good: str) -> int | None:
        """Return how many whole days a good can be used after the day it came, None if it never spoils (as known)."""
        if good not in self._shelf_lives:
            try:
                days = float(self.cell("goods", "shelf_life_days", good))
            except ValueError:
                days = math.inf
            self._shelf_lives[good] = math.floor(days) if 0 <= days < _CALENDAR else None
        return self._shelf_lives[good]

    def plain(self) -> list[Any]:
        """Return all of it as lists, texts and numbers, from which `from_plain` makes equal rows."""
        return [
            [
                name,
                [
                    [
                        versions[-1].copy,
                        (name, key) in self._cut,
                        [[one.entry, one.author, one.date, dict(one.cells), one.stands] for one in versions],
                    ]
                    for key, versions in rows.items()
                ],
            ]
            for name, rows in self._tables.items()
            if rows
        ]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> Rows:
        """Return the rows that `plain` came from."""
        made = cls()
        for name, kept in plain:
            rows = made._tables[name]
            for copy, is_cut, versions in kept:
                key = identity_of(name, versions[-1][3], copy=copy)
                rows[key] = [
                    KeptRow(entry, author, date, cells, stands, copy) for entry, author, date, cells, stands in versions
                ]
                if is_cut:
                    made._cut.add((name, key))
        return made

    def _add(self, fact: RowSet | RowDropped, entry_id: str, author: str, *, stands: bool) -> str:
        identity = IDENTITY.get(fact.table)
        if identity is None:
            return f"no table {fact.table} is known here; {', '.join(IDENTITY)} are"
        cells = {name: kept for name, cell in fact.row.items() if (kept := cell.strip(BLANKS))}
        for name in identity:
            if name not in cells and name not in _OPTIONAL[fact.table]:
                return f"a row of {fact.table} without its {name} cannot be told from others; write it"
        if not stands:
            cells = {name: cells[name] for name in identity if name in cells}
        key = (*[cells.get(name, "") for name in identity], str(fact.copy))
        rows = self._tables[fact.table]
        version = KeptRow(entry_id, author, fact.date, cells, stands, fact.copy)
        versions = rows.get(key)
        if versions is None and not stands:
            return f"there is no such row of {fact.table} ({', '.join(filter(None, key[:-1]))}), so none was dropped"
        if versions is None:
            rows[key] = [version]
        else:
            versions.append(version)
            if len(versions) > KEPT:
                del versions[0]
                self._cut.add((fact.table, key))
        self._forget(fact.table, key)
        return ""

    def _forget(self, table: str, key: Key) -> None:
        if table == "goods":
            self._shelf_lives.pop(key[0], None)
