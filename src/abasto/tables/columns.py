"""From a raw table to columns of values, with a finding for every header and cell that stands in the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from abasto.errors import Finding
from abasto.network import Column
from abasto.tables.cells import BLANK, Doubt, cell_reader
from abasto.tables.kinds import Kind
from abasto.tables.names import closest
from abasto.tables.raw import BLANKS, Cell, RawTable, shown

__all__ = ["ReadColumns", "is_hxl", "read_columns"]

_HXL_TAG = re.compile(r"#[a-z]\w*(\s*\+[a-z]\w*)*", re.ASCII | re.IGNORECASE)


@dataclass(slots=True)
class ReadColumns:
    """The values of every known column that is there, row by row, and the line of each row.

    A value is a `Doubt` where the cell could not be read and `BLANK` where nothing stood; `broken` holds the places of
    rows that are not to be used. Without the required columns there are no values.
    """

    values: dict[str, list[Any]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    has_required_columns: bool = True


@dataclass(frozen=True, slots=True)
class _ColumnReader:
    """Reads one column of a table."""

    place: int
    column: Column
    read: Callable[[Cell], Any]

    def __call__(self, cells: Sequence[Cell]) -> list[Any]:
        """Return the value of each cell; equal texts, which most cells of a long table are, are read once."""
        texts = {cell for cell in cells if type(cell) is str}
        values = {text: self.read(text) for text in texts}
        # Only texts are looked up: True, 1 and 1.0 are the same key but different cells.
        return [values[cell] if type(cell) is str else self.read(cell) for cell in cells]


def read_columns(
    raw: RawTable, columns: Sequence[Column], kinds: Mapping[str, Kind], *, start: date | None
) -> ReadColumns:
    """Return what stands in `columns` of `raw`; `kinds` by column name, `start` is the date of day 1, where known."""
    result = ReadColumns()
    names = _names(raw.header)
    below = _header_below(raw, columns, names)
    if below is not None:
        result.findings.append(below)
        result.has_required_columns = False
        return result
    width = max((place for place, name in enumerate(names, start=1) if name), default=0)
    rows = raw.rows[1:] if raw.rows and is_hxl(raw.rows[0][1]) else raw.rows
    result.findings.extend(_header_findings(raw, columns, names, rows))
    misfits = {line: misfit for line, cells in rows if (misfit := _misfit(raw, line, cells, width))}
    result.findings.extend(misfits.values())
    fitting = [row for row in rows if row[0] not in misfits] if misfits else rows
    result.lines = [line for line, _ in fitting]
    cells = list(zip(*(cells for _, cells in fitting), strict=False))
    readers = _column_readers(raw, columns, kinds, names, start) if fitting else []
    result.values = {reader.column.name: reader(cells[reader.place]) for reader in readers}
    for reader in readers:
        _find_unread(raw, reader.column, cells[reader.place], result)
    result.has_required_columns = all(column.name in names for column in columns if column.required)
    return result


def _names(cells: Sequence[Cell]) -> list[str]:
    return [shown(cell).strip(BLANKS) for cell in cells]


def _header_below(raw: RawTable, columns: Sequence[Column], names: list[str]) -> Finding | None:
    """Return a finding if the first row is a title and the names of the columns follow in one of the next rows."""
    known = {column.name for column in columns}
    if known.intersection(names):
        return None
    line = next((line for line, cells in raw.rows[:5] if len(known.intersection(_names(cells))) > 1), None)
    if line is None:
        return None
    message, remedy = f"the names of the columns stand in row {line}, not in the first", "remove the rows above them"
    return Finding(raw.table, raw.header_line, "", next(filter(None, names)), message, remedy, file=raw.file)


def is_hxl(cells: Sequence[Cell]) -> bool:
    """Whether a row holds nothing but HXL hashtags, such as `#loc+code`."""
    present = [cell for cell in cells if cell != ""]
    return bool(present) and all(isinstance(cell, str) and _HXL_TAG.fullmatch(cell.strip(BLANKS)) for cell in present)


def _column_readers(
    raw: RawTable, columns: Sequence[Column], kinds: Mapping[str, Kind], names: list[str], start: date | None
) -> list[_ColumnReader]:
    known = {column.name: column for column in columns}
    readers: dict[str, _ColumnReader] = {}
    for place, name in enumerate(names):
        if name in known and name not in readers:
            read = cell_reader(raw.table, known[name], kinds[name], start=start)
            readers[name] = _ColumnReader(place, known[name], read)
    return list(readers.values())


def _header_findings(
    raw: RawTable, columns: Sequence[Column], names: list[str], rows: Sequence[tuple[int, Sequence[Cell]]]
) -> Iterator[Finding]:
    """Yield what is wrong with the header: unknown, doubled, missing and nameless columns."""
    known = [column.name for column in columns]

    def finding(value: str, message: str, remedy: str, guess: str = "") -> Finding:
        return Finding(raw.table, raw.header_line, "", value, message, remedy, guess, file=raw.file)

    free = [name for name in known if name not in names]
    for place, name in enumerate(names):
        if not name:
            line = next((line for line, cells in rows if place < len(cells) and _filled(cells[place])), None)
            if line is not None:
                message = f"column {place + 1} has no name but holds cells (row {line})"
                yield finding("", message, "name the column or clear its cells")
        elif name not in known:
            remedy = f"rename or remove it; the columns of {raw.table} are {', '.join(known)}"
            yield finding(name, f"table {raw.table} has no such column", remedy, closest(name, free))
        elif name in names[:place]:
            yield finding(name, "the column is there twice", "keep one of them")
    for column in columns:
        if column.required and column.name not in names:
            yield finding(column.name, "a required column is missing", f"add it: {column.help}")


def _filled(cell: Cell) -> bool:
    return not isinstance(cell, str) or bool(cell.strip(BLANKS))


def _misfit(raw: RawTable, line: int, cells: Sequence[Cell], width: int) -> Finding | None:
    """Return a finding if the row has more cells than the header, or fewer: then no cell is surely under its column."""
    count = len(cells)
    while count > width and not _filled(cells[count - 1]):
        count -= 1
    if count == width or (count > width and len(raw.header) >= count):
        return None
    cells_in_words, columns_in_words = _counted(count, "cell"), _counted(width, "column")
    message = f"the row has {cells_in_words} but the header has {columns_in_words}"
    remedy = "put cells with commas in quotes" if count > width else "add the missing commas, also for blank cells"
    return Finding(raw.table, line, "", "", message, remedy, file=raw.file)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _find_unread(raw: RawTable, column: Column, cells: Sequence[Cell], result: ReadColumns) -> None:
    """Add a finding for each cell that cannot be read or must not be blank, and mark its row as broken."""
    for place, value in enumerate(result.values[column.name]):
        if type(value) is Doubt:
            text, doubt = shown(cells[place]).strip(BLANKS), value
        elif value is BLANK and column.required:
            text, doubt = "", Doubt(f"{column.name} is missing", f"write the {column.name}: {column.help}")
        else:
            continue
        result.broken.add(place)
        line = result.lines[place]
        result.findings.append(
            Finding(raw.table, line, column.name, text, doubt.message, doubt.remedy, doubt.closest, file=raw.file)
        )
