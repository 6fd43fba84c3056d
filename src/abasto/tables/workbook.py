"""Write tables as a workbook whose bytes depend on nothing but the tables."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from abasto.errors import AbastoError
from abasto.network import TableSchema
from abasto.tables.cells import Value
from abasto.tables.columns import is_hxl
from abasto.tables.text import number_text, value_text

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

__all__ = ["new_workbook", "workbook_bytes", "write_header"]

_MOST_ROWS = 1_048_576
_MOST_LETTERS = 32_767
_FIRST_DATE = date(1900, 3, 1)
"""Spreadsheets count a 29 February 1900 that never was; earlier dates are written as text."""
_CREATED = datetime(2000, 1, 1)


class _ExactNumber(float):
    """A number that the workbook writer's 16 digits do not cut short."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


def new_workbook(buffer: io.BytesIO) -> Workbook:
    """Return an empty workbook stored in `buffer` when closed; texts are never taken for formulas, numbers or links."""
    from xlsxwriter import Workbook

    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    workbook = Workbook(buffer, options)
    workbook.set_properties({"created": _CREATED})
    return workbook


def write_header(workbook: Workbook, sheet: Worksheet, schema: TableSchema) -> None:
    """Write the names of a table's columns, bold, and keep them in view."""
    bold = workbook.add_format({"bold": True})
    for place, column in enumerate(schema.columns):
        sheet.write_string(0, place, column.name, bold)
        sheet.set_column(place, place, max(10, len(column.name) + 2))
    sheet.freeze_panes(1, 0)


def workbook_bytes(tables: Mapping[TableSchema, Sequence[Sequence[Value | None]]]) -> bytes:
    """Return a workbook with one sheet per table: real dates, and texts that stay texts."""
    buffer = io.BytesIO()
    workbook = new_workbook(buffer)
    text_format = workbook.add_format({"num_format": "@"})
    date_format = workbook.add_format({"num_format": "yyyy-mm-dd"})
    for schema, records in tables.items():
        sheet = workbook.add_worksheet(schema.name)
        write_header(workbook, sheet, schema)
        if is_hxl([value_text(value) for value in records[0]]):
            records = [[f"#{column.name}" for column in schema.columns], *records]
        if len(records) >= _MOST_ROWS:
            raise AbastoError(
                f"table {schema.name} has {len(records)} rows, a sheet holds {_MOST_ROWS - 1}; write a folder instead."
            )
        for line, record in enumerate(records, start=1):
            for place, value in enumerate(record):
                if value is not None:
                    _write_cell(sheet, line, place, value, text_format, date_format)
    workbook.close()
    return buffer.getvalue()


def _write_cell(
    sheet: Worksheet, line: int, place: int, value: Value, text_format: Format, date_format: Format
) -> None:
    if isinstance(value, (bool, str)):
        text = value_text(value)
        if len(text) > _MOST_LETTERS:
            raise AbastoError(
                f"{sheet.name} row {line + 1}: a text of {len(text)} letters does not fit a cell of a workbook."
            )
        if text:
            sheet.write_string(line, place, text, text_format)
    elif isinstance(value, date):
        if value >= _FIRST_DATE:
            sheet.write_datetime(line, place, datetime(value.year, value.month, value.day), date_format)
        else:
            sheet.write_string(line, place, value.isoformat())
    elif isinstance(value, int) and abs(value) >= 2**53:
        sheet.write_string(line, place, number_text(value))
    else:
        sheet.write_number(line, place, _ExactNumber(value))
