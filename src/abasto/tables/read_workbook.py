"""Read the raw tables of a workbook."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from xml.etree.ElementTree import ParseError

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

from abasto.errors import Finding
from abasto.network import TABLES
from abasto.tables.error_cells import error_cells
from abasto.tables.names import closest
from abasto.tables.raw import BLANKS, Cell, ErrorCell, RawTable, RawTables
from abasto.tables.unpacking import refuse_bomb

__all__ = ["WORKBOOK_SUFFIXES", "raw_workbook", "workbook_tables"]

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".ods")
"""Not .xls and .xlsb: their failed formulas reach us as blank cells, which would be a guess."""

_KNOWN = tuple(schema.name for schema in TABLES)


def raw_workbook(path: Path) -> RawTables:
    """Return the tables of a workbook, one per worksheet; formulas count as the values last computed for them."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raw = RawTables(workbook=True, unreadable={*_KNOWN})
        raw.findings.append(_unusable(path.name, f"the file cannot be read ({error.strerror})", "check that you may"))
        return raw
    return workbook_tables(content, path.name)


def workbook_tables(content: bytes, name: str) -> RawTables:
    """Return the tables of a workbook that is in memory; `name` is what its file is called."""
    raw = RawTables(workbook=True)
    try:
        refuse_bomb(content)
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            failed = error_cells(content, is_ods=name.lower().endswith(".ods"))
            for sheet in workbook.sheets_metadata:
                if sheet.typ == SheetTypeEnum.WorkSheet:
                    rows: list[list[Cell]] = []
                    for cells in workbook.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False):
                        rows.append([*cells])
                    _add(sheet.name, rows, failed.get(sheet.name, {}), raw)
    except PasswordError:
        raw.findings.append(_unusable(name, "the workbook is locked by a password", "save it without one"))
    except (CalamineError, zipfile.BadZipFile, ParseError, KeyError, OSError) as error:
        reason = f"the file cannot be read as a workbook ({error})"
        raw.findings.append(_unusable(name, reason, "open it in a spreadsheet and save it as .xlsx again"))
    if raw.findings and not raw.tables:
        raw.unreadable.update(_KNOWN)
    return raw


def _unusable(file: str, message: str, remedy: str) -> Finding:
    return Finding("", 0, "", "", message, remedy, file=file)


def _add(sheet: str, cells: list[list[Cell]], failed: dict[tuple[int, int], str], raw: RawTables) -> None:
    file = f"sheet {sheet}"
    if sheet not in _KNOWN:
        message, remedy = f"the format has no table {sheet}", "rename or remove the sheet"
        raw.findings.append(Finding(sheet, 0, "", "", message, remedy, closest(sheet, _KNOWN), file=file))
        raw.unreadable.add(sheet)
        return
    for (row, column), text in failed.items():
        # A sheet's area may end before its last failed cell, which the reader takes for a blank one.
        cells.extend([] for _ in range(row + 1 - len(cells)))
        cells[row].extend("" for _ in range(column + 1 - len(cells[row])))
        cells[row][column] = ErrorCell(text)
    width = max((len(row) for row in cells), default=0)
    records = [(line, _padded(row, width)) for line, row in enumerate(cells, start=1) if not _is_blank(row)]
    if not records:
        message, remedy = "the sheet is empty", "write a header row, or remove the sheet"
        raw.findings.append(Finding(sheet, 0, "", "", message, remedy, file=file))
        raw.unreadable.add(sheet)
        return
    (line, header), *rows = records
    raw.tables[sheet] = RawTable(sheet, file, line, header, rows)


def _is_blank(row: list[Cell]) -> bool:
    return all(isinstance(cell, str) and not cell.strip(BLANKS) for cell in row)


def _padded(row: list[Cell], width: int) -> list[Cell]:
    return row if len(row) == width else row + [""] * (width - len(row))
