"""Exports of KoboToolbox and ODK: a table of submissions, and one for each repeated group, joined into reports.

KoboToolbox writes a workbook with a sheet for each repeat (`_index`, `_parent_index`, `_parent_table_name`), or one
CSV file with semicolons; ODK Central an archive of CSV files (`KEY`, `PARENT_KEY`). Columns carry the names or labels
of the questions, with or without their groups (`report/good`, `report-good`).
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from abasto.errors import Finding
from abasto.inbox.names import Names
from abasto.inbox.reports import ALIASES, REPORTS, Gathered, canonical_columns, never, read_reports
from abasto.inbox.tokens import fold_text
from abasto.inbox.words import Language
from abasto.tables.raw import BLANKS, Cell, RawTable, shown
from abasto.tables.unpacking import refuse_bomb

__all__ = [
    "Sheet",
    "is_export",
    "questions",
    "read_export",
    "rows_above",
    "sheets_of_archive",
    "sheets_of_text",
    "sheets_of_workbook",
]

IDS = (
    "meta/rootuuid", "meta-rootuuid", "rootuuid", "key", "_uuid", "meta/instanceid", "meta-instanceid", "instanceid",
)  # fmt: skip
"""The columns that identify a submission, folded; one that survives a correction goes before one that does not."""
INDEX = ("_index", "key")
PARENT = ("_parent_index", "parent_key")
PARENT_TABLE = ("_parent_table_name",)
DATES = ("today", "end", "start", "_submission_time", "submissiondate")
"""Where a form has no question for the date, the day on which it was filled in or sent."""
STATUS = ("_validation_status", "reviewstate")
REFUSED = frozenset({"not approved", "validation_status_not_approved", "no aprobado", "rejected"})


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of an export: the name it has there, how a person calls it, its header and its rows with their lines."""

    name: str
    file: str
    header_line: int
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]

    def place(self, names: Sequence[str]) -> int | None:
        """Return where the first of these columns is (folded names), if there is one."""
        folded = [fold_text(name) for name in self.header]
        return next((folded.index(name) for name in names if name in folded), None)

    def cell(self, row: Sequence[Cell], names: Sequence[str]) -> str:
        """Return what stands in the first of these columns that is not blank."""
        folded = [fold_text(name) for name in self.header]
        for name in names:
            if name in folded and folded.index(name) < len(row):
                text = shown(row[folded.index(name)]).strip(BLANKS)
                if text:
                    return text
        return ""

    @property
    def is_repeat(self) -> bool:
        """Whether its rows belong to rows of another sheet."""
        return self.place(PARENT) is not None


def is_export(sheets: Sequence[Sheet]) -> bool:
    """Whether these tables come from a form: their rows carry the ids of submissions."""
    return any(sheet.place((*IDS, "_submission__uuid")) is not None for sheet in sheets)


def sheets_of_workbook(content: bytes) -> tuple[Sheet, ...]:
    """Return the sheets of a workbook; whatever keeps it from being read is raised as the reader says it."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum

    found = []
    refuse_bomb(content)
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
        for meta in workbook.sheets_metadata:
            if meta.typ == SheetTypeEnum.WorkSheet:
                rows = workbook.get_sheet_by_name(meta.name).to_python(skip_empty_area=False)
                numbered = [(line, tuple(row)) for line, row in enumerate(rows, start=1) if any(map(_filled, row))]
                if numbered:
                    header = tuple(shown(cell).strip(BLANKS) for cell in numbered[0][1])
                    found.append(Sheet(meta.name, f"sheet {meta.name}", numbered[0][0], header, tuple(numbered[1:])))
    return tuple(found)


def sheets_of_text(text: str, *, name: str, file: str) -> tuple[Sheet, ...]:
    """Return the one sheet of a CSV file, whether commas or semicolons part its cells."""
    first = text.lstrip("\ufeff\r\n").partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=separator)
    numbered: list[tuple[int, tuple[Cell, ...]]] = []
    begins = 1
    for record in reader:
        if any(map(_filled, record)):
            numbered.append((begins, tuple(record)))
        begins = reader.line_num + 1
    if not numbered:
        return ()
    header = tuple(shown(cell).strip(BLANKS) for cell in numbered[0][1])
    return (Sheet(name, file, numbered[0][0], header, tuple(numbered[1:])),)


def sheets_of_archive(content: bytes) -> tuple[Sheet, ...]:
    """Return the CSV files of an archive, as ODK Central packs them; attachments are left alone."""
    found: list[Sheet] = []
    refuse_bomb(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        tables = [one for one in archive.infolist() if one.filename.lower().endswith(".csv") and not one.is_dir()]
        for one in tables:
            text = archive.read(one).decode("utf-8-sig")
            name = Path(one.filename).stem
            found.extend(sheets_of_text(text, name=name, file=Path(one.filename).name))
    return tuple(found)


def _filled(cell: Cell) -> bool:
    return not isinstance(cell, str) or bool(cell.strip(BLANKS))


def read_export(
    sheets: Sequence[Sheet],
    *,
    names: Names,
    language: Language,
    site: str | None = None,
    is_known: Callable[[str], bool] = never,
) -> Gathered:
    """Return the reports of an export, each with the id of its submission as `ref`, and every finding.

    `is_known` says whether a ref is in the journal already.
    """
    gathered = Gathered()
    mains = [sheet for sheet in sheets if not sheet.is_repeat]
    if len(mains) != 1:
        message = f"there are {len(mains)} tables of submissions here" if mains else "there is no table of submissions"
        remedy = "export one form at a time, with its repeated groups"
        gathered.findings.append(Finding("reports", 0, "", "", message, remedy, file=sheets[0].file if sheets else ""))
        return gathered
    parents = {(sheet.name, key): (sheet, row) for sheet in sheets for key, row in _by_index(sheet)}
    numbers: Counter[str] = Counter()
    for sheet in sorted(sheets, key=lambda one: one.is_repeat):
        records = []
        for line, row in sheet.rows:
            record = _record(sheet, row, mains[0], parents, numbers)
            if isinstance(record, str):
                gathered.left_out.append(f"{sheet.file} row {line}: {record}")
            elif record:
                records.append((line, record))
        if records:
            columns = tuple(one.name for one in REPORTS.columns)
            rows = [(line, tuple(record.get(name, "") for name in columns)) for line, record in records]
            raw = RawTable("reports", sheet.file, 1, columns, rows)
            read = read_reports(raw, names=names, language=language, site=site, is_known=is_known)
            gathered.items += read.items
            gathered.findings += read.findings
    return gathered


def _by_index(sheet: Sheet) -> Iterator[tuple[str, Sequence[Cell]]]:
    return ((sheet.cell(row, INDEX), row) for _, row in sheet.rows)


def _record(
    sheet: Sheet,
    row: Sequence[Cell],
    main: Sheet,
    parents: Mapping[tuple[str, str], tuple[Sheet, Sequence[Cell]]],
    numbers: Counter[str],
) -> dict[str, Cell] | str:
    """Return the cells of a report with those of the submission it is part of; nothing if it is none, or why not."""
    chain = [(sheet, row)]
    while chain[-1][0].is_repeat and len(chain) < 10:
        child, cells = chain[-1]
        table, key = child.cell(cells, PARENT_TABLE) or main.name, child.cell(cells, PARENT)
        above = parents.get((table, key)) or _any_parent(parents, key)
        if above is None:
            return f"the submission it belongs to ({key}) is not in this export"
        chain.append(above)
    top, submission = chain[-1]
    own = _cells(sheet, row)
    if not own.keys() & {"good", "quantity"}:
        return {}
    status = fold_text(top.cell(submission, STATUS))
    if status in REFUSED:
        return "the submission was not approved"
    record: dict[str, Cell] = {}
    for level, cells in reversed(chain):
        record |= _cells(level, cells)
    record.setdefault("date", _day(top.cell(submission, DATES)))
    record["date"] = _day_cell(record["date"])
    id = top.cell(submission, IDS).removeprefix("uuid:") or sheet.cell(row, ("_submission__uuid",))
    if not id:
        return "the submission has no id, so that it cannot be told from others"
    numbers[id] += 1
    record["ref"] = f"form:{id}/{numbers[id]}"
    return record


def rows_above(sheets: Sequence[Sheet], sheet: Sheet, row: Sequence[Cell]) -> Iterator[tuple[Sheet, int]]:
    """Yield the rows that a row belongs to: their sheet and line, the nearest first."""
    for _ in range(10):
        key = sheet.cell(row, PARENT)
        found = [
            (one, line, cells)
            for one in sheets
            if one is not sheet
            for line, cells in one.rows
            if key and one.cell(cells, INDEX) == key
        ]
        table = sheet.cell(row, PARENT_TABLE)
        named = [one for one in found if one[0].name == table] or found
        if len(named) != 1:
            return
        sheet, line, row = named[0]
        yield sheet, line


def _any_parent(
    parents: Mapping[tuple[str, str], tuple[Sheet, Sequence[Cell]]], key: str
) -> tuple[Sheet, Sequence[Cell]] | None:
    """Return the row of this key in whatever sheet: names of sheets are cut short at 31 letters."""
    found = [row for (_, one), row in parents.items() if one == key]
    return found[0] if len(found) == 1 else None


def _cells(sheet: Sheet, row: Sequence[Cell]) -> dict[str, Cell]:
    """Return the cells that are filled, by the column of reports that they stand for; `ref` is none of them."""
    return {
        name: row[place]
        for place, name in questions(sheet.header).items()
        if place < len(row) and _filled(row[place]) and not sheet.header[place].startswith("_")
    }


def questions(header: Sequence[str]) -> dict[int, str]:
    """Return for the places of a form's header the column of reports that stands there."""
    return canonical_columns([_question(name) for name in header], known=_QUESTIONS)


_QUESTIONS = {name: others for name, others in ALIASES.items() if name not in ("ref", "sure")}


def _question(header: str) -> str:
    """Return the question's own name, without its groups.

    >>> _question("report/items/good"), _question("items-quantity"), _question("Cantidad")
    ('good', 'quantity', 'Cantidad')
    """
    return re.split(r"[/.]|(?<=\w)-(?=\w)", header)[-1]


def _day_cell(cell: Cell) -> Cell:
    """Return a date without the time of day that forms write with it."""
    if isinstance(cell, datetime):
        return cell.date()
    return _day(cell) if isinstance(cell, str) else cell


def _day(text: str) -> str:
    """Return the date of a date with time as forms write it; other texts as they are.

    >>> _day("2026-11-22T10:41:00.000-03:00"), _day("22/11/2026")
    ('2026-11-22', '22/11/2026')
    """
    match = re.fullmatch(r"(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}.*", text.strip(BLANKS))
    if match:
        try:
            return date.fromisoformat(match[1]).isoformat()
        except ValueError:
            return text
    return text
