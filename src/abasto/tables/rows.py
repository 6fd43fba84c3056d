"""From a raw table to the frozen rows of the schema, with a finding for whatever stands in the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import ValidationError

from abasto.errors import Finding
from abasto.network import Column, Row, TableSchema
from abasto.tables.cells import BLANK, Doubt, cell_reader
from abasto.tables.kinds import kind_of
from abasto.tables.names import closest
from abasto.tables.raw import BLANKS, Cell, RawTable, shown

__all__ = ["ID_COLUMNS", "ReadTable", "is_hxl", "read_rows"]

ID_COLUMNS = {"sites": "site", "goods": "good", "nutrients": "nutrient", "recipes": "recipe", "fleets": "fleet"}
"""The tables that declare ids, and the column they stand in."""

_HXL_TAG = re.compile(r"#[a-z]\w*(\s*\+[a-z]\w*)*", re.ASCII | re.IGNORECASE)


@dataclass(slots=True)
class ReadTable:
    """The rows that could be read, the line of each, what is wrong with the others, and the ids that all declare."""

    rows: list[Row] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
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


def read_rows(raw: RawTable, schema: TableSchema, *, start: date | None) -> ReadTable:
    """Return every row of `raw` that can be read; `start` is the date of day 1, where known."""
    result = ReadTable()
    names = _names(raw.header)
    below = _header_below(raw, schema, names)
    if below is not None:
        result.findings.append(below)
        result.has_required_columns = False
        return result
    width = max((place for place, name in enumerate(names, start=1) if name), default=0)
    rows = raw.rows[1:] if raw.rows and is_hxl(raw.rows[0][1]) else raw.rows
    result.findings.extend(_header_findings(raw, schema, names, rows))
    misfits = {line: misfit for line, cells in rows if (misfit := _misfit(raw, line, cells, width))}
    result.findings.extend(misfits.values())
    fitting = [row for row in rows if row[0] not in misfits] if misfits else rows
    lines = [line for line, _ in fitting]
    columns = list(zip(*(cells for _, cells in fitting), strict=False))
    readers = _column_readers(raw, schema, names, start) if fitting else []
    values = {reader.column.name: reader(columns[reader.place]) for reader in readers}
    broken: set[int] = set()
    for reader in readers:
        broken |= _cell_findings(raw, reader.column, lines, columns[reader.place], values[reader.column.name], result)
    if ID_COLUMNS.get(raw.table) in values:
        result.ids = {value for value in values[ID_COLUMNS[raw.table]] if isinstance(value, str)}
    result.has_required_columns = all(column.name in names for column in schema.columns if column.required)
    if fitting and result.has_required_columns:
        _build(raw, schema, lines, values, broken, result)
    return result


def _names(cells: Sequence[Cell]) -> list[str]:
    return [shown(cell).strip(BLANKS) for cell in cells]


def _header_below(raw: RawTable, schema: TableSchema, names: list[str]) -> Finding | None:
    """Return a finding if the first row is a title and the names of the columns follow in one of the next rows."""
    known = {column.name for column in schema.columns}
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


def _column_readers(raw: RawTable, schema: TableSchema, names: list[str], start: date | None) -> list[_ColumnReader]:
    columns = {column.name: column for column in schema.columns}
    readers: dict[str, _ColumnReader] = {}
    for place, name in enumerate(names):
        if name in columns and name not in readers:
            column = columns[name]
            read = cell_reader(raw.table, column, kind_of(schema.row, column.attribute), start=start)
            readers[name] = _ColumnReader(place, column, read)
    return list(readers.values())


def _header_findings(
    raw: RawTable, schema: TableSchema, names: list[str], rows: Sequence[tuple[int, Sequence[Cell]]]
) -> Iterator[Finding]:
    """Yield what is wrong with the header: unknown, doubled, missing and nameless columns."""
    known = [column.name for column in schema.columns]

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
    for column in schema.columns:
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


def _cell_findings(
    raw: RawTable, column: Column, lines: list[int], cells: Sequence[Cell], values: list[Any], result: ReadTable
) -> set[int]:
    """Add a finding for each cell that cannot be read or must not be blank; return the places of their rows."""
    broken: set[int] = set()
    for place, value in enumerate(values):
        if type(value) is Doubt:
            text, doubt = shown(cells[place]).strip(BLANKS), value
        elif value is BLANK and column.required:
            text, doubt = "", Doubt(f"{column.name} is missing", f"write the {column.name}: {column.help}")
        else:
            continue
        broken.add(place)
        result.findings.append(
            Finding(
                raw.table, lines[place], column.name, text, doubt.message, doubt.remedy, doubt.closest, file=raw.file
            )
        )
    return broken


def _build(
    raw: RawTable,
    schema: TableSchema,
    lines: list[int],
    values: dict[str, list[Any]],
    broken: set[int],
    result: ReadTable,
) -> None:
    """Add the rows that are not broken; the schema has the last word, should it refuse what the cells allowed."""
    # Columns that are blank throughout need not be looked at in every row.
    filled = {name: column for name, column in values.items() if any(value is not BLANK for value in column)}
    names = tuple(filled)
    for place, row_values in enumerate(zip(*filled.values(), strict=True)):
        if place in broken:
            continue
        present = {name: value for name, value in zip(names, row_values, strict=True) if value is not BLANK}
        try:
            row = schema.row.model_validate(present)
        except ValidationError as error:
            for problem in error.errors():
                column = str(problem["loc"][0]) if problem["loc"] else ""
                message, value = problem["msg"][:1].lower() + problem["msg"][1:], shown(problem["input"])
                finding = Finding(raw.table, lines[place], column, value, message, "correct the cell", file=raw.file)
                result.findings.append(finding)
        else:
            result.rows.append(row)
            result.lines.append(lines[place])
