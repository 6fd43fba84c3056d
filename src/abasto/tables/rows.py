"""From a raw table to the frozen rows of the schema, with a finding for whatever stands in the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from pydantic import ValidationError

from abasto.errors import Finding
from abasto.network import Row, TableSchema
from abasto.tables.cells import BLANK
from abasto.tables.columns import ReadColumns, read_columns
from abasto.tables.kinds import kind_of
from abasto.tables.raw import RawTable, shown

__all__ = ["ID_COLUMNS", "ReadTable", "read_rows"]

ID_COLUMNS = {"sites": "site", "goods": "good", "nutrients": "nutrient", "recipes": "recipe", "fleets": "fleet"}
"""The tables that declare ids, and the column they stand in."""


@dataclass(slots=True)
class ReadTable:
    """The rows that could be read, the line of each, what is wrong with the others, and the ids that all declare."""

    rows: list[Row] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    has_required_columns: bool = True


def read_rows(raw: RawTable, schema: TableSchema, *, start: date | None) -> ReadTable:
    """Return every row of `raw` that can be read; `start` is the date of day 1, where known."""
    kinds = {column.name: kind_of(schema.row, column.attribute) for column in schema.columns}
    read = read_columns(raw, schema.columns, kinds, start=start)
    result = ReadTable(findings=read.findings, has_required_columns=read.has_required_columns)
    if ID_COLUMNS.get(raw.table) in read.values:
        result.ids = {value for value in read.values[ID_COLUMNS[raw.table]] if isinstance(value, str)}
    if read.lines and read.has_required_columns:
        _build(raw, schema, read, result)
    return result


def _build(raw: RawTable, schema: TableSchema, read: ReadColumns, result: ReadTable) -> None:
    """Add the rows that are not broken; the schema has the last word, should it refuse what the cells allowed."""
    # Columns that are blank throughout need not be looked at in every row.
    filled = {name: column for name, column in read.values.items() if any(value is not BLANK for value in column)}
    names = tuple(filled)
    for place, row_values in enumerate(zip(*filled.values(), strict=True)):
        if place in read.broken:
            continue
        present = {name: value for name, value in zip(names, row_values, strict=True) if value is not BLANK}
        try:
            row = schema.row.model_validate(present)
        except ValidationError as error:
            for problem in error.errors():
                column = str(problem["loc"][0]) if problem["loc"] else ""
                message, value = problem["msg"][:1].lower() + problem["msg"][1:], shown(problem["input"])
                finding = Finding(
                    raw.table, read.lines[place], column, value, message, "correct the cell", file=raw.file
                )
                result.findings.append(finding)
        else:
            result.rows.append(row)
            result.lines.append(read.lines[place])
