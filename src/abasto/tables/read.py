"""Read a folder of CSV files or a workbook into a Network, or say everything that is wrong with it."""

from __future__ import annotations

from datetime import date
from os import PathLike
from pathlib import Path
from typing import Any

from abasto.errors import Finding, InputError
from abasto.network import TABLES, Network, NetworkRow
from abasto.tables.check import check_rows
from abasto.tables.collector import collector_paused
from abasto.tables.findings import Origin, worst_first
from abasto.tables.raw import RawTables
from abasto.tables.read_csv import raw_folder
from abasto.tables.rows import ReadTable, read_rows

__all__ = ["check_path", "check_raw", "read_network"]


def read_network(path: str | PathLike[str]) -> Network:
    """Return the network in a folder of CSV files or a workbook; an InputError lists everything that is wrong."""
    network, findings = check_path(path)
    if network is None:
        raise InputError(findings)
    return network


def check_path(path: str | PathLike[str]) -> tuple[Network | None, list[Finding]]:
    """Return the network at `path`, None if it has errors, and all findings, worst first."""
    with collector_paused():
        return check_raw(_raw(Path(path)))


def check_raw(raw: RawTables) -> tuple[Network | None, list[Finding]]:
    """Return the network in raw tables, None if it has errors, and all findings, worst first."""
    with collector_paused():
        read = _read_tables(raw)
    findings = [*raw.findings, *(finding for table in read.values() for finding in table.findings)]
    if not (raw.findings and not raw.tables):
        findings.extend(_network_findings(raw, read))
    network, known = _assembled(read)
    partial = {name for name, table in read.items() if table.findings}
    origin = Origin(
        lines={name: table.lines for name, table in read.items()},
        files={schema.name: raw.file_of(schema.name) for schema in TABLES}
        | {name: table.file for name, table in raw.tables.items()},
        ids={name: frozenset(table.ids) for name, table in read.items()},
        partial=frozenset(partial if known else partial | {"network"}),
        unreadable=frozenset(_unreadable(raw, read)),
    )
    findings.extend(check_rows(network, origin))
    broken = any(finding.severity == "error" for finding in findings)
    return (None if broken else network), worst_first(findings)


def _raw(path: Path) -> RawTables:
    """Return the raw tables at `path`, whatever it is."""
    if path.is_dir():
        return raw_folder(path)
    suffix = path.suffix.lower()
    if not path.exists():
        message, remedy = "there is no such file or folder", "check the path"
    elif suffix == ".csv":
        message, remedy = "this is one table of a network", "give the folder it lies in"
    else:
        # The workbook reader is loaded only where there is a workbook.
        from abasto.tables.read_workbook import WORKBOOK_SUFFIXES, raw_workbook

        if suffix in WORKBOOK_SUFFIXES:
            return raw_workbook(path)
        message, remedy = "this is neither a folder of CSV files nor a workbook", "save it as .xlsx, or as CSV files"
    finding = Finding("", 0, "", "", message, remedy, file=str(path))
    return RawTables(findings=[finding], unreadable={schema.name for schema in TABLES})


def _read_tables(raw: RawTables) -> dict[str, ReadTable]:
    """Return every table as rows; `network` comes first, as dates become days by its start."""
    read: dict[str, ReadTable] = {}
    start: date | None = None
    for schema in TABLES:
        table = raw.tables.get(schema.name)
        read[schema.name] = read_rows(table, schema, start=start) if table else ReadTable()
        if schema.name == "network":
            start = next((row.start for row in read["network"].rows if isinstance(row, NetworkRow)), None)
    return read


def _unreadable(raw: RawTables, read: dict[str, ReadTable]) -> set[str]:
    """Return the tables of which nothing could be read, also those that seem to be there under another name."""
    misnamed = {finding.closest for finding in raw.findings if finding.closest} - set(raw.tables)
    headless = {name for name, table in read.items() if not table.has_required_columns}
    return raw.unreadable | misnamed | headless


def _network_findings(raw: RawTables, read: dict[str, ReadTable]) -> list[Finding]:
    """Return what is wrong with the number of rows in table `network`."""
    table, file = read["network"], raw.file_of("network")
    if "network" in _unreadable(raw, read) or table.findings:
        return []
    if not table.rows:
        remedy = "write one row with name, start and days"
        return [Finding("network", 0, "", "", "table network has no row", remedy, file=file)]
    message, remedy = f"table network has {len(table.rows)} rows", "keep one"
    return [Finding("network", line, "", "", message, remedy, file=file) for line in table.lines[1:]]


def _assembled(read: dict[str, ReadTable]) -> tuple[Network, bool]:
    """Return a network of what could be read, and whether its horizon is known."""
    rows: dict[str, Any] = {name: tuple(table.rows) for name, table in read.items()}
    horizon = rows.pop("network")
    # What stands in for an unknown horizon is never used: the checks that hang on it are left out.
    first = horizon[0] if horizon else NetworkRow(name="unknown", start=date(2000, 1, 1), days=1)
    return Network(first.name, first.start, first.days, **rows), bool(horizon)
