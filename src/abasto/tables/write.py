"""Write a network as a folder of canonical CSV files or as a workbook, and a plan as a folder of CSV files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abasto.errors import AbastoError, Finding, InputError
from abasto.network import TABLES, Column, Network, TableSchema
from abasto.tables.cells import Value, is_serial_date
from abasto.tables.columns import is_hxl
from abasto.tables.findings import Findings, Origin
from abasto.tables.kinds import kind_of
from abasto.tables.raw import BLANKS, ERROR_TEXTS
from abasto.tables.sense import check_horizon
from abasto.tables.text import csv_bytes, csv_cell, value_text
from abasto.tables.whole import write_file_whole, write_folder_whole

if TYPE_CHECKING:
    import numpy.typing as npt

    from abasto.planner.plan import Table

__all__ = ["network_files", "network_workbook", "write_network", "write_plan"]

Record = list[Value | None]


def write_network(network: Network, path: str | PathLike[str]) -> None:
    """Write `network` to `path`, a workbook if it ends in .xlsx and else a folder of CSV files; whole or not at all.

    Other files in the folder stay. Empty tables are not written, and a cell that holds its default is blank.
    """
    path = Path(path)
    if path.suffix.lower() == ".xlsx":
        write_file_whole(path, network_workbook(network))
        return
    files = network_files(network)
    if path.suffix.lower() in (".xls", ".xlsm", ".xlsb", ".ods", ".csv"):
        raise AbastoError(f"{path}: this kind of file is not written; name a file that ends in .xlsx, or a folder.")
    write_folder_whole(path, files, ours=[f"{schema.name}.csv" for schema in TABLES])


def network_workbook(network: Network) -> bytes:
    """Return a network as a workbook."""
    from abasto.tables.workbook import workbook_bytes

    return workbook_bytes(_tables(network))


def network_files(network: Network) -> dict[str, bytes]:
    """Return a network as the CSV files of a folder, by their names."""
    return {f"{schema.name}.csv": _table_bytes(schema, records) for schema, records in _tables(network).items()}


def _tables(network: Network) -> dict[TableSchema, list[Record]]:
    """Return the tables that have rows; raises `InputError` for what would not read back as it is."""
    horizon = Findings(Origin())
    check_horizon(network, horizon)
    if horizon.found:
        raise InputError(horizon.found)
    problems = [finding for schema in TABLES for finding in _unwritable(network, schema)]
    if problems:
        raise InputError(problems)
    return {schema: _records(network, schema) for schema in TABLES if network.rows(schema.name)}


def _unwritable(network: Network, schema: TableSchema) -> list[Finding]:
    """Return the texts that would not read back as they are, which a Network built in Python may hold."""
    texts = [
        (column, kind_of(schema.row, column.attribute).form)
        for column in schema.columns
        if kind_of(schema.row, column.attribute).form in ("id", "text")
    ]
    found: list[Finding] = []
    for column, form in texts:
        seen: set[str | None] = {None}
        for index, row in enumerate(network.rows(schema.name)):
            value: str | None = getattr(row, column.attribute)
            if value in seen:
                continue
            seen.add(value)
            assert value is not None
            if value in ERROR_TEXTS:
                reason = "this reads as a spreadsheet's error"
            elif value != value.strip(BLANKS):
                reason = "blanks around a text are lost in the tables"
            elif value == "" and (form == "id" or column.default):
                reason = f"a blank cell means {column.default_text or 'nothing'}"
            else:
                continue
            found.append(Finding(schema.name, index + 2, column.name, value, reason, "choose another text"))
    return found


def _records(network: Network, schema: TableSchema) -> list[Record]:
    """Return the rows of a table as values in the format's order, None for blank cells."""
    columns = schema.columns
    days = {column.attribute for column in columns if column.attribute in ("from_day", "to_day")}
    rows = network.rows(schema.name)
    by_column = [_values(network, rows, column, column.attribute in days) for column in columns]
    return [list(values) for values in zip(*by_column, strict=True)]


def _values(network: Network, rows: Sequence[Any], column: Column, is_day: bool) -> Record:
    values: Record = [getattr(row, column.attribute) for row in rows]
    if is_day:
        # As a number such a day would be taken for a spreadsheet's serial date.
        return [network.date_of(day) if isinstance(day, int) and is_serial_date(day) else day for day in values]
    if not column.required and column.default is not None:
        return [None if value == column.default else value for value in values]
    return values


def _table_bytes(schema: TableSchema, records: list[Record]) -> bytes:
    texts = [[value_text(value) for value in record] for record in records]
    if is_hxl(texts[0]):
        # A first row that reads as hashtags would be skipped; real hashtags before it are skipped in its place.
        texts.insert(0, [f"#{column.name}" for column in schema.columns])
    return csv_bytes([column.name for column in schema.columns], texts)


def write_plan(plan_tables: Mapping[str, Table], folder: str | PathLike[str]) -> None:
    """Write the tables of a plan as CSV files into `folder`, whole or not at all; other files there stay as they are.

    Tables without rows are written too, with their header: that nothing is short is worth a file that says so.
    """
    files = {f"{name}.csv": _plan_table_bytes(table) for name, table in plan_tables.items()}
    write_folder_whole(Path(folder), files, ours=tuple(files))


def _plan_table_bytes(table: Table) -> bytes:
    return _column_bytes({name: _column_texts(values) for name, values in table.items()})


def _column_bytes(columns: Mapping[str, list[str]]) -> bytes:
    """Return a CSV file of columns whose cells are ready."""
    lines = [",".join(map(csv_cell, columns)), *map(",".join, zip(*columns.values(), strict=True)), ""]
    return "\n".join(lines).encode("utf-8")


def _column_texts(values: npt.NDArray[Any]) -> list[str]:
    """Return a plan's column as cells: numbers with up to 15 digits, dates in ISO form, blank where there is none."""
    if values.dtype.kind == "M":
        days = values.astype("datetime64[D]").astype(str).tolist()
        return ["" if day == "NaT" else day for day in days]
    if values.dtype.kind == "f":
        return ["" if number != number else f"{number:.15g}" for number in values.tolist()]
    if values.dtype.kind in "iu":
        return list(map(str, values.tolist()))
    cells: dict[Any, str] = {}
    return [cells[value] if value in cells else cells.setdefault(value, _plan_cell(value)) for value in values.tolist()]


def _plan_cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.15g}"
    return csv_cell(value_text(value if isinstance(value, (str, bool, int, date)) or value is None else str(value)))
