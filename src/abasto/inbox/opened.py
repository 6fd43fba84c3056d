"""A file that came in, opened: which kind it is, and its cells, which may be mended before anything is read from them.

Everything is in memory. Formulas are not computed: their cells are what the spreadsheet last showed.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import PurePath
from typing import Literal

from abasto.errors import Finding
from abasto.inbox.exports import Sheet, is_export, sheets_of_archive, sheets_of_text, sheets_of_workbook
from abasto.network import TABLES
from abasto.tables.raw import Cell, RawTable, RawTables, shown
from abasto.tables.read_csv import csv_table, csv_tables
from abasto.tables.unpacking import refuse_bomb

__all__ = ["SUFFIXES", "CellPlace", "Opened", "mend", "open_file"]

SUFFIXES = (".txt", ".csv", ".xlsx", ".xlsm", ".ods", ".zip")
"""The files that reports come in."""

CellPlace = tuple[str, int, int]
"""The table or sheet as a person calls it, the line, and the place of the column from 0."""
OpenedKind = Literal["messages", "reports", "export", "network", "nothing"]


@dataclass(frozen=True)
class Opened:
    """What a file holds: messages as `text`, an export as `sheets`, or the `tables` of reports or of a network.

    `findings` are what keeps parts of it, or all, from being read.
    """

    kind: OpenedKind
    text: str = ""
    sheets: tuple[Sheet, ...] = ()
    tables: tuple[RawTable, ...] = ()
    findings: tuple[Finding, ...] = ()
    unreadable: frozenset[str] = frozenset()
    is_workbook: bool = False

    @property
    def parts(self) -> Sequence[Sheet | RawTable]:
        """Its tables, of whichever kind they are."""
        return self.sheets or self.tables

    @property
    def raw(self) -> RawTables:
        """The tables of a network, as its reader takes them."""
        tables = {one.table: one for one in self.tables}
        return RawTables(tables, [*self.findings], {*self.unreadable}, workbook=self.is_workbook)


def open_file(name: str, content: bytes, *, may_be_network: bool = True) -> Opened:
    """Return what a file holds, by its name and content; whatever keeps it from being read is a finding."""
    suffix = PurePath(name).suffix.lower()
    if suffix == ".txt":
        return _messages(name, content)
    if suffix not in SUFFIXES:
        remedy = f"bring a file that ends in {', '.join(SUFFIXES)}"
        return _nothing(name, "files of this kind are not read", remedy)
    if suffix == ".csv" and may_be_network and (alone := _table_alone(name, content)):
        return _nothing(
            name, f"this is table {alone} of a network alone", "paste its rows into it, or bring all tables in one .zip"
        )
    if suffix == ".csv":
        sheets = _csv_export(name, content)
        return Opened("export", sheets=sheets) if is_export(sheets) else _csv_reports(name, content)
    from python_calamine import CalamineError

    try:
        if may_be_network and (network := _network(name, content)) is not None:
            return network
        sheets = sheets_of_archive(content) if suffix == ".zip" else sheets_of_workbook(content)
    except (CalamineError, zipfile.BadZipFile, UnicodeDecodeError, KeyError, ValueError, csv.Error) as error:
        return _nothing(name, f"the file cannot be read ({error})", "export or save it again")
    if is_export(sheets):
        return Opened("export", sheets=sheets)
    if sheets and suffix == ".zip":
        return _nothing(name, "this is no export of a form", "give the CSV file or workbook itself")
    return _first(name, sheets)


def mend(opened: Opened, cells: Mapping[CellPlace, str], *, left_out: Collection[tuple[str, int]] = ()) -> Opened:
    """Return what was opened with other texts in some cells, and without some of its rows."""
    sheets = tuple(
        replace(
            one,
            header=tuple(shown(cell) for cell in _mended(one.file, one.header_line, one.header, cells)),
            rows=tuple((line, tuple(row)) for line, row in _rows(one, cells, left_out)),
        )
        for one in opened.sheets
    )
    tables = tuple(
        replace(
            one,
            header=_mended(one.file, one.header_line, one.header, cells),
            rows=[(line, row) for line, row in _rows(one, cells, left_out)],
        )
        for one in opened.tables
    )
    return replace(opened, sheets=sheets, tables=tables)


def _rows(
    part: Sheet | RawTable, cells: Mapping[CellPlace, str], left_out: Collection[tuple[str, int]]
) -> Iterator[tuple[int, Sequence[Cell]]]:
    mended = {(file, line) for file, line, _ in cells}
    for line, row in part.rows:
        if (part.file, line) in left_out:
            continue
        yield line, _mended(part.file, line, row, cells) if (part.file, line) in mended else row


def _mended(file: str, line: int, row: Sequence[Cell], cells: Mapping[CellPlace, str]) -> Sequence[Cell]:
    width = max([len(row), *(place + 1 for one, at, place in cells if (one, at) == (file, line))])
    padded = [*row, *[""] * (width - len(row))]
    return [cells.get((file, line, place), cell) for place, cell in enumerate(padded)]


def _messages(name: str, content: bytes) -> Opened:
    try:
        return Opened("messages", text=content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return _nothing(name, f"the file is not in UTF-8 (byte {error.start})", "save it as UTF-8")


def _network(name: str, content: bytes) -> Opened | None:
    """Return the tables of a network, None if this is none; raises what a reader of archives and workbooks raises."""
    refuse_bomb(content)
    if name.lower().endswith(".zip"):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            found = [one for one in archive.infolist() if one.filename.lower().endswith(".csv") and not one.is_dir()]
            names = [PurePath(one.filename).name for one in found]
            if "network.csv" not in names or len(set(names)) != len(names):
                return None
            raw = csv_tables({PurePath(one.filename).name: archive.read(one) for one in found})
    else:
        from python_calamine import CalamineWorkbook

        from abasto.tables.read_workbook import workbook_tables

        with CalamineWorkbook.from_filelike(BytesIO(content)) as workbook:
            if "network" not in workbook.sheet_names:
                return None
        raw = workbook_tables(content, name)
    known = [raw.tables[schema.name] for schema in TABLES if schema.name in raw.tables]
    return Opened(
        "network",
        tables=tuple(known),
        findings=tuple(raw.findings),
        unreadable=frozenset(raw.unreadable),
        is_workbook=raw.workbook,
    )


def _table_alone(name: str, content: bytes) -> str:
    """Return the table of the format that a CSV file holds by its name and columns, blank if it is none."""
    schema = next((one for one in TABLES if one.name == PurePath(name).stem.lower()), None)
    found = csv_table(content, name, "reports") if schema is not None else None
    if schema is None or not isinstance(found, RawTable):
        return ""
    header = {shown(cell).strip() for cell in found.header}
    required = {one.name for one in schema.columns if one.required}
    return schema.name if required <= header <= {one.name for one in schema.columns} else ""


def _csv_export(name: str, content: bytes) -> tuple[Sheet, ...]:
    """Return the sheet of a CSV file if it can be an export; what is wrong with others, their own reader says."""
    try:
        return sheets_of_text(content.decode("utf-8-sig"), name=PurePath(name).stem, file=name)
    except (UnicodeDecodeError, ValueError, csv.Error):
        return ()


def _csv_reports(name: str, content: bytes) -> Opened:
    found = csv_table(content, name, "reports")
    return Opened("reports", tables=(found,)) if isinstance(found, RawTable) else Opened("nothing", findings=(found,))


def _first(name: str, sheets: tuple[Sheet, ...]) -> Opened:
    if not sheets:
        return _nothing(name, "there is nothing in this file", "export or save it again")
    first = sheets[0]
    return Opened("reports", tables=(RawTable("reports", first.file, first.header_line, first.header, first.rows),))


def _nothing(name: str, message: str, remedy: str) -> Opened:
    return Opened("nothing", findings=(Finding("reports", 0, "", "", message, remedy, file=name),))
