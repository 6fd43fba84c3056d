"""Write an empty workbook to fill in: a sheet per table, help on every column, lists to choose from, bounds watched."""

from __future__ import annotations

import io
from os import PathLike
from pathlib import Path
from typing import Any

from abasto.errors import AbastoError
from abasto.network import TABLES, Column, TableSchema
from abasto.tables.kinds import Kind, kind_of
from abasto.tables.rows import ID_COLUMNS
from abasto.tables.whole import write_file_whole
from abasto.tables.workbook import new_workbook, write_header

__all__ = ["help_line", "write_template"]

LAST_ROW = 2000
"""The row down to which a sheet is prepared; rows beyond it can be filled in all the same."""
_TITLE_LETTERS, _MESSAGE_LETTERS = 32, 255
"""What spreadsheets allow for the title and the text of an input message."""


def write_template(path: str | PathLike[str]) -> None:
    """Write the empty workbook to `path`, whole or not at all."""
    path = Path(path)
    if path.suffix.lower() != ".xlsx":
        raise AbastoError(f"{path}: the template is a workbook; name a file that ends in .xlsx.")
    buffer = io.BytesIO()
    workbook = new_workbook(buffer)
    text_format = workbook.add_format({"num_format": "@"})
    date_format = workbook.add_format({"num_format": "yyyy-mm-dd"})
    for schema in TABLES:
        sheet = workbook.add_worksheet(schema.name)
        write_header(workbook, sheet, schema)
        for place, column in enumerate(schema.columns):
            kind = kind_of(schema.row, column.attribute)
            if kind.form in ("id", "text", "date"):
                width = max(12, len(column.name) + 2)
                sheet.set_column(place, place, width, date_format if kind.form == "date" else text_format)
            sheet.write_comment(0, place, _note(schema, column), {"x_scale": 2, "author": "Abasto"})
            last_row = 1 if schema.name == "network" else LAST_ROW - 1
            sheet.data_validation(1, place, last_row, place, _validation(column, kind))
    workbook.close()
    write_file_whole(path, buffer.getvalue())


def help_line(column: Column) -> str:
    """Return a column's help, unit and what a blank cell means, in one line.

    >>> from abasto.network import TABLES
    >>> print(help_line(TABLES[1].columns[5]))
    Most it can hold at the end of a day, in tonnes. Blank: unlimited.
    """
    text = column.help[:1].upper() + column.help[1:]
    if column.unit:
        text += f", in {column.unit}" if not column.unit.startswith("per ") else f", {column.unit}"
    if column.required:
        return f"{text}. Required."
    return f"{text}. Blank: {column.default_text}." if column.default_text else f"{text}. May be blank."


def _note(schema: TableSchema, column: Column) -> str:
    table = f"Table {schema.name}: {schema.help}\n\n" if column == schema.columns[0] else ""
    return f"{table}{help_line(column)}"


def _validation(column: Column, kind: Kind) -> dict[str, Any]:
    """Return the rule of a column's cells; it warns and never forbids, as the last word is with `abasto check`."""
    rule: dict[str, Any] = {"validate": "any"}
    if column.refers:
        rule = {"validate": "list", "source": _ids_of(column.refers)}
    elif kind.form == "choice":
        rule = {"validate": "list", "source": list(kind.choices)}
    elif kind.form == "yes_no":
        rule = {"validate": "list", "source": ["yes", "no"]}
    elif kind.form == "date":
        rule = {"validate": "date", "criteria": ">=", "value": "=DATE(1900,3,1)"}
    elif kind.form in ("number", "whole"):
        rule = {"validate": "integer" if kind.form == "whole" else "decimal", **_bounds(kind)}
    return rule | {
        "ignore_blank": True,
        "input_title": column.name[:_TITLE_LETTERS],
        "input_message": help_line(column)[:_MESSAGE_LETTERS],
        "error_type": "warning",
        "error_title": column.name[:_TITLE_LETTERS],
        "error_message": f"Is this meant? {help_line(column)}"[:_MESSAGE_LETTERS],
    }


def _bounds(kind: Kind) -> dict[str, Any]:
    if kind.least is not None and kind.most is not None:
        return {"criteria": "between", "minimum": kind.least, "maximum": kind.most}
    if kind.above is not None:
        return {"criteria": ">", "value": kind.above}
    return {"criteria": ">=", "value": -1e300 if kind.least is None else kind.least}


def _ids_of(table: str) -> str:
    """Return the cells in which a table declares its ids, as a spreadsheet refers to them."""
    (schema,) = (schema for schema in TABLES if schema.name == table)
    place = [column.name for column in schema.columns].index(ID_COLUMNS[table])
    letter = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[place]
    return f"={table}!${letter}$2:${letter}${LAST_ROW}"
