"""Tables as they lie in a file, before anything is understood: cells with the numbers of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from abasto.errors import Finding

__all__ = ["BLANKS", "ERROR_TEXTS", "Cell", "ErrorCell", "RawTable", "RawTables", "shown"]

BLANKS = "\t\n\x0b\x0c\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""What counts as blank around an id: Unicode's White_Space, as in the schema's pattern. `str.strip()` would also take
the separators U+001C to U+001F, which the schema keeps."""

ERROR_TEXTS = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)
"""What spreadsheets show in a cell whose formula failed; exported CSV files carry these texts."""


@dataclass(frozen=True, slots=True)
class ErrorCell:
    """A worksheet cell whose formula failed, with the text the spreadsheet shows for it."""

    text: str


Cell = str | float | int | bool | date | datetime | time | timedelta | ErrorCell


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table's header and rows as cells; every row carries its line in the file, counted from 1.

    In a CSV file whose quoted cells hold line breaks, a row's number is the line on which it begins, as editors count.
    """

    table: str
    file: str
    header_line: int
    header: Sequence[Cell]
    rows: Sequence[tuple[int, Sequence[Cell]]]


@dataclass(slots=True)
class RawTables:
    """What a folder or workbook holds: its readable tables, what is wrong, and the names of the unreadable ones."""

    tables: dict[str, RawTable] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)
    workbook: bool = False

    def file_of(self, table: str) -> str:
        """Return how a person would call the place of `table`, whether or not it is there."""
        return f"sheet {table}" if self.workbook else f"{table}.csv"


def shown(cell: Cell) -> str:
    """Return a cell's content as a person sees it."""
    if isinstance(cell, ErrorCell):
        return cell.text
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)
