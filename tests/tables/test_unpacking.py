"""Small files that would fill the memory are refused before anybody unpacks them, whatever they say of themselves."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from abasto.inbox.opened import open_file
from abasto.tables import check_path
from abasto.tables.unpacking import MOST_BYTES, refuse_bomb


def workbook(*cells: tuple[int, int], sheet: str = "network") -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    page = book.add_worksheet(sheet)
    for row, column in cells:
        page.write_string(row, column, "x")
    book.close()
    return buffer.getvalue()


def archive(size: int, *, name: str = "reports.csv") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, b"0" * size)
    return buffer.getvalue()


def with_declared_size(content: bytes, size: int) -> bytes:
    """Return an archive of one part that claims to unpack to `size` bytes."""
    lying = bytearray(content)
    struct.pack_into("<I", lying, 22, size)
    struct.pack_into("<I", lying, lying.rfind(b"PK\x01\x02") + 24, size)
    assert zipfile.ZipFile(io.BytesIO(bytes(lying))).infolist()[0].file_size == size
    return bytes(lying)


def test_workbook_with_a_cell_far_away_is_refused_and_one_with_many_rows_is_not() -> None:
    refuse_bomb(workbook((0, 0), (900_000, 10)))
    with pytest.raises(zipfile.BadZipFile, match="as far as row 40,001 and column 16,384"):
        refuse_bomb(workbook((0, 0), (40_000, 16_383)))


@pytest.mark.parametrize("is_honest", [True, False])
def test_archive_that_unpacks_to_too_much_is_refused_whatever_size_it_declares(is_honest: bool) -> None:
    content = archive(MOST_BYTES + 1)
    with pytest.raises(zipfile.BadZipFile, match="unpacks to more than"):
        refuse_bomb(content if is_honest else with_declared_size(content, 100))


def test_every_way_to_open_a_workbook_refuses_a_bomb_with_a_finding(tmp_path: Path) -> None:
    for sheet in ("network", "reports"):
        bomb = workbook((0, 0), (40_000, 16_383), sheet=sheet)
        (finding,) = open_file("reports.xlsx", bomb).findings
        assert "as far as row" in finding.message
        (tmp_path / "net.xlsx").write_bytes(bomb)
        network, findings = check_path(tmp_path / "net.xlsx")
        assert network is None
        assert any("as far as row" in one.message for one in findings)
    (finding,) = open_file("export.zip", archive(MOST_BYTES + 1)).findings
    assert "unpacks to more than" in finding.message


def test_damaged_archive_is_refused_and_not_believed() -> None:
    content = bytearray(archive(100_000))
    content[60:80] = b"\xff" * 20
    (finding,) = open_file("export.zip", bytes(content)).findings
    assert "cannot be read" in finding.message
    with pytest.raises(zipfile.BadZipFile):
        refuse_bomb(b"no archive at all")
