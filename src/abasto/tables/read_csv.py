"""Read the raw tables of a folder of CSV files: those of a network, or any others by name."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from abasto.errors import Finding
from abasto.network import TABLES
from abasto.tables.names import closest
from abasto.tables.raw import BLANKS, RawTable, RawTables

__all__ = ["csv_table", "csv_tables", "raw_files", "raw_folder"]

_KNOWN = tuple(schema.name for schema in TABLES)


def raw_folder(folder: Path) -> RawTables:
    """Return the tables of a folder; files other than CSV, hidden files and lock files are none of its tables."""
    raw = RawTables()
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != ".csv" or path.name.startswith((".", "~$")):
            continue
        table = path.stem
        finding: Finding | None
        if path.is_dir():
            if table not in _KNOWN:
                continue
            finding = _whole_file(path, table, "this is a folder, not a file", "move it away, or what is in it here")
        elif table not in _KNOWN:
            finding = _whole_file(
                path, table, f"the format has no table {table}", "rename or remove the file", closest(table, _KNOWN)
            )
        elif table in raw.tables or table in raw.unreadable:
            finding = _whole_file(path, table, f"there are two files for table {table}", "join them into one")
        else:
            finding = _read(path, table, raw)
        if finding:
            raw.findings.append(finding)
            raw.unreadable.add(table)
    if not raw.tables and not raw.findings:
        raw.findings.append(_without_tables(folder))
        raw.unreadable.update(_KNOWN)
    return raw


def raw_files(folder: Path, tables: Sequence[str]) -> RawTables:
    """Return those of these tables that are in the folder, each in a file of its name; what else lies there is left."""
    raw = RawTables()
    for table in tables:
        path = folder / f"{table}.csv"
        finding = _read(path, table, raw) if path.is_file() else None
        if finding:
            raw.findings.append(finding)
            raw.unreadable.add(table)
    return raw


def csv_tables(files: Mapping[str, bytes]) -> RawTables:
    """Return the tables of CSV files that are in memory, by their names, as those of a folder with them."""
    raw = RawTables()
    for name, content in sorted(files.items()):
        table = Path(name).stem
        if table not in _KNOWN:
            message, remedy = f"the format has no table {table}", "rename or remove the file"
            found: RawTable | Finding = Finding(table, 0, "", "", message, remedy, closest(table, _KNOWN), file=name)
        else:
            found = csv_table(content, name, table)
        if isinstance(found, RawTable):
            raw.tables[table] = found
        else:
            raw.findings.append(found)
            raw.unreadable.add(table)
    return raw


def _without_tables(folder: Path) -> Finding:
    """Return what to say of a folder that holds no CSV file."""
    books = [path.name for path in sorted(folder.iterdir()) if path.suffix.lower() in (".xlsx", ".xlsm", ".ods")]
    remedy = f'give the workbook in it: "{books[0]}"' if books else "give the folder that holds network.csv"
    return Finding("", 0, "", "", "there is no CSV file in this folder", remedy, file=str(folder))


def _whole_file(path: Path, table: str, message: str, remedy: str, closest: str = "") -> Finding:
    return Finding(table, 0, "", "", message, remedy, closest, file=path.name)


def _read(path: Path, table: str, raw: RawTables) -> Finding | None:
    """Add the table in `path` to `raw`, or return what keeps it from being read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return _whole_file(path, table, f"the file cannot be read ({error.strerror})", "check that you may read it")
    found = csv_table(content, path.name, table)
    if isinstance(found, Finding):
        return found
    raw.tables[table] = found
    return None


def csv_table(content: bytes, name: str, table: str) -> RawTable | Finding:
    """Return the table in a CSV file that is in memory, or what keeps it from being read."""
    text = _decoded(content, name, table)
    if isinstance(text, Finding):
        return text
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for record in reader:
            if "".join(record).strip(BLANKS):
                records.append((begins, record))
            begins = reader.line_num + 1
    except csv.Error as error:
        return Finding(
            table, begins, "", "", f"the quotes of this row do not match ({error})",
            'put cells with quotes, commas or line breaks in quotes, and double the quotes inside: "so ""called"""',
            file=name,
        )  # fmt: skip
    if not records:
        return Finding(table, 0, "", "", "the file is empty", "write a header row, or remove the file", file=name)
    (line, header), *rows = records
    other = _other_separator(header)
    if other:
        return Finding(
            table, line, "", header[0].strip(BLANKS), f"the cells are separated by {other}, not by commas",
            "save the file as CSV with commas, or paste the table into a workbook", file=name,
        )  # fmt: skip
    return RawTable(table, name, line, header, rows)


def _decoded(content: bytes, name: str, table: str) -> str | Finding:
    """Return the text of a file in UTF-8, with or without a byte order mark, or say where it is something else."""
    remedy = 'save it as "CSV UTF-8"'
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:4]:
        return Finding(table, 0, "", "", "the file is in UTF-16, not UTF-8 (byte 0)", remedy, file=name)
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    try:
        return content[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        place = start + error.start
        line = content.count(b"\n", 0, place) + 1
        wrong = f"0x{content[place]:02x}"
        return Finding(table, line, "", wrong, f"the file is not in UTF-8 (byte {place})", remedy, file=name)


def _other_separator(header: list[str]) -> str:
    """Return the name of the sign that separates the cells if it is not the comma."""
    joined = ",".join(header)
    for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        # Trailing blank columns may add commas of their own to a header that is one cell in truth.
        if sign in joined.strip(BLANKS + ",") and len([cell for cell in header if cell.strip(BLANKS)]) == 1:
            return name
    return ""
