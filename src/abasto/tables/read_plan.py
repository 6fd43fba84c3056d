"""Read the tables of a plan from its folder as columns, checked against the network that was planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from abasto.errors import Finding
from abasto.network import Column, Network
from abasto.tables.cells import BLANK
from abasto.tables.columns import ReadColumns, read_columns
from abasto.tables.kinds import Form, Kind
from abasto.tables.names import Suggestions, closest
from abasto.tables.raw import RawTable, RawTables
from abasto.tables.read_csv import raw_files
from abasto.tables.rows import ID_COLUMNS

if TYPE_CHECKING:
    import numpy.typing as npt

    from abasto.planner.plan import PlanColumn, PlanTable

__all__ = ["PlanColumns", "placed", "raw_plan", "read_plan_table"]

MAY_BE_BLANK = frozenset({"expires", "meets", "cause", "remedy", "gap", "gap_of_unmet"})
"""A lot may never spoil, a delivery may count for nutrients alone, and a gap may not be known."""
REFERS: Mapping[str, tuple[str, ...]] = {
    "site": ("sites",),
    "from": ("sites",),
    "to": ("sites",),
    "good": ("goods",),
    "fleet": ("fleets",),
    "recipe": ("recipes",),
    "need": ("goods", "nutrients"),
    "meets": ("goods", "nutrients"),
}
"""The tables of the network that declare the ids of a column of text."""
FORMS: Mapping[str, Form] = {"text": "text", "day": "day", "date": "date", "number": "number"}


@dataclass(frozen=True)
class PlanColumns:
    """A table of a plan as arrays [rows] by column, the line of each row, and what is wrong with the table.

    Text is dtype object, days int64, dates datetime64[D] with NaT for blank, numbers float64 with NaN for blank.
    """

    columns: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    lines: Sequence[int] = ()
    findings: tuple[Finding, ...] = ()


def raw_plan(folder: Path, tables: Sequence[str]) -> RawTables:
    """Return the raw tables of a plan, with a finding for every one that is not in the folder."""
    if not folder.is_dir():
        message = "this is a file, not the folder of a plan" if folder.exists() else "there is no such folder"
        remedy = "give the folder that a plan was written in"
        return RawTables(findings=[Finding("", 0, "", "", message, remedy, file=str(folder))], unreadable=set(tables))
    raw = raw_files(folder, tables)
    missing = [table for table in tables if table not in raw.tables and table not in raw.unreadable]
    raw.unreadable.update(missing)
    if len(missing) == len(tables):
        remedy = "give the folder that a plan was written in"
        raw.findings.append(Finding("", 0, "", "", "there is no plan in this folder", remedy, file=str(folder)))
        return raw
    strangers = {path.stem for path in folder.iterdir() if path.suffix.lower() == ".csv"}.difference(tables)
    for table in missing:
        message, remedy = "this table of the plan is missing", "write the plan again, or put the file back"
        file = str(folder / f"{table}.csv")
        raw.findings.append(Finding(table, 0, "", "", message, remedy, closest(table, strangers), file=file))
    return raw


def read_plan_table(raw: RawTable, schema: PlanTable, network: Network) -> PlanColumns:
    """Return a table of a plan as columns; where anything is wrong with it there are only findings."""
    columns = [_column(column) for column in schema.columns]
    kinds = {column.name: _kind(column) for column in schema.columns}
    read = read_columns(raw, columns, kinds, start=network.start)
    findings = [*read.findings, *_missing_columns(raw, schema, read)]
    for column in schema.columns:
        if column.name not in read.values:
            continue
        if column.kind == "text" and column.name in REFERS:
            findings += _unknown_ids(raw, column, read, network)
        elif column.kind == "day":
            findings += _days_outside(raw, column, read, network)
    if findings:
        return PlanColumns(findings=tuple(findings))
    return PlanColumns({column.name: _array(column, read) for column in schema.columns}, read.lines)


def _column(column: PlanColumn) -> Column:
    """Return a plan's column as the readers of cells see it."""
    return Column(
        name=column.name,
        attribute=column.name,
        help=column.help,
        required=column.name not in MAY_BE_BLANK,
        default=None,
        blank="",
        unit=column.unit,
        refers="",
    )


def _kind(column: PlanColumn) -> Kind:
    if column.kind != "number":
        return Kind(FORMS[column.kind])
    return Kind("number", least=0, most=1 if column.name == "coverage" else None)


def _missing_columns(raw: RawTable, schema: PlanTable, read: ReadColumns) -> list[Finding]:
    """Return a finding for each column that may be blank but has to be there: a lot without date never spoils."""
    if not read.has_required_columns or not raw.rows:
        return []
    return [
        Finding(
            raw.table, raw.header_line, "", column.name, "a column of the plan is missing",
            f"add it: {column.help}", file=raw.file,
        )
        for column in schema.columns
        if column.name in MAY_BE_BLANK and column.name not in read.values and read.lines
    ]  # fmt: skip


def _unknown_ids(raw: RawTable, column: PlanColumn, read: ReadColumns, network: Network) -> list[Finding]:
    tables = REFERS[column.name]
    ids = {getattr(row, ID_COLUMNS[table]) for table in tables for row in network.rows(table)}
    suggestion = Suggestions(ids)
    return [
        Finding(
            raw.table, line, column.name, value, f"the network has no such id in {' or '.join(tables)}",
            "give the network that was planned, or plan again", suggestion(value), file=raw.file,
        )
        for value, line in zip(read.values[column.name], read.lines, strict=True)
        if isinstance(value, str) and value not in ids
    ]  # fmt: skip


def _days_outside(raw: RawTable, column: PlanColumn, read: ReadColumns, network: Network) -> list[Finding]:
    """Return a finding for each day outside the horizon; what leaves on its last days may arrive after it."""
    last = None if column.name == "arrives" else network.days
    return [
        Finding(
            raw.table, line, column.name, str(day), f"the horizon has days 1 to {network.days}",
            "give the network that was planned, or plan again", file=raw.file,
        )
        for day, line in zip(read.values[column.name], read.lines, strict=True)
        if isinstance(day, int) and not (day >= 1 and (last is None or day <= last))
    ]  # fmt: skip


def _array(column: PlanColumn, read: ReadColumns) -> npt.NDArray[Any]:
    values = read.values.get(column.name, [])
    if column.kind == "text":
        return np.array(["" if value is BLANK else value for value in values], dtype=object)
    if column.kind == "date":
        return np.array([value if isinstance(value, date) else None for value in values], dtype="datetime64[D]")
    if column.kind == "day":
        return np.array(values, dtype=np.int64)
    return np.array([np.nan if value is BLANK else value for value in values], dtype=np.float64)


def placed(findings: Sequence[Finding], folder: Path) -> list[Finding]:
    """Return findings whose files are named with their folder: a plan's tables lie beside a network's."""
    return [
        finding if Path(finding.file).is_relative_to(folder) else replace(finding, file=str(folder / finding.file))
        for finding in findings
    ]
