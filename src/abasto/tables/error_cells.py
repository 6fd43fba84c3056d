"""Find the cells of a workbook whose formulas failed: the workbook reader gives them as blank cells.

.xlsx marks them `t="e"`, .ods marks them `calcext:value-type="error"`; both keep the text that is shown.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from xml.etree.ElementTree import Element, fromstring

__all__ = ["error_cells"]

Places = dict[tuple[int, int], str]
"""Row and column, both counted from 0, and the text shown there."""

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_CALCEXT = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_ERROR_MARK = re.compile(rb"""\st=["']e["']""")
_ODS_ERROR_MARK = b'value-type="error"'


def error_cells(content: bytes, *, is_ods: bool) -> dict[str, Places]:
    """Return, for every sheet of a workbook with failed formulas, where they are."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if is_ods:
            return _in_ods(archive)
        return {name: places for name, part in _sheet_parts(archive) if (places := _in_sheet(archive.read(part)))}


def _sheet_parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield each worksheet's name and the part of the file it is stored in."""
    relations = fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    present = set(archive.namelist())
    for sheet in fromstring(archive.read("xl/workbook.xml")).iter():
        if _local(sheet.tag) == "sheet":
            identity = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)
            part = posixpath.normpath(posixpath.join("/xl", targets.get(identity, ""))).lstrip("/")
            if part in present:
                yield sheet.get("name", ""), part


def _in_sheet(content: bytes) -> Places:
    if not _ERROR_MARK.search(content):
        return {}
    places: Places = {}
    for cell in fromstring(content).iter():
        if _local(cell.tag) == "c" and cell.get("t") == "e":
            value = next((part.text for part in cell if _local(part.tag) == "v"), None)
            places[_row_and_column(cell.get("r", "A1"))] = value or "#N/A"
    return places


def _row_and_column(reference: str) -> tuple[int, int]:
    """Return row and column, both from 0, of a cell's name.

    >>> _row_and_column("AB7")
    (6, 27)
    """
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(reference[len(letters) :]) - 1, column - 1


def _in_ods(archive: zipfile.ZipFile) -> dict[str, Places]:
    content = archive.read("content.xml")
    if _ODS_ERROR_MARK not in content:
        return {}
    found: dict[str, Places] = {}
    for sheet in fromstring(content).iter(f"{_TABLE}table"):
        places: Places = {}
        row_at = 0
        for row in sheet.iter(f"{_TABLE}table-row"):
            column_at = 0
            for cell in row:
                if cell.get(f"{_CALCEXT}value-type") == "error":
                    places[row_at, column_at] = "".join(cell.itertext()) or "#N/A"
                column_at += _repeats(cell, "columns")
            row_at += _repeats(row, "rows")
        if places:
            found[sheet.get(f"{_TABLE}name", "")] = places
    return found


def _repeats(element: Element, what: str) -> int:
    return int(element.get(f"{_TABLE}number-{what}-repeated", "1"))


def _local(tag: str) -> str:
    """Return a tag without its namespace: strict and transitional workbooks differ in it."""
    return tag.rpartition("}")[2]
