"""Files that came in, opened: which kind they are, and cells that are mended before anything is read from them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

from tests.inbox.hamlet import HAMLET

import abasto
from abasto.inbox.gather import gather
from abasto.inbox.opened import Opened, mend, open_file
from abasto.inbox.reports import Gathered
from abasto.tables import read_network, write_network
from abasto.tables.read import check_raw

DAY = date(2026, 11, 22)
NAMES = replace(HAMLET, most={("mill", "flour"): 1_000_000})
NEIGHBOURHOOD = abasto.example_path("neighbourhood")


def gathered(opened: Opened) -> Gathered:
    return gather(opened, names=NAMES, date=DAY, language="en")


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_network_is_the_same_from_a_folder_an_archive_and_a_workbook_in_memory(tmp_path: Path) -> None:
    network = read_network(NEIGHBOURHOOD)
    files = {f"tables/{path.name}": path.read_bytes() for path in Path(NEIGHBOURHOOD).glob("*.csv")}
    from_archive = open_file("network.zip", zipped(files))
    assert from_archive.kind == "network"
    assert check_raw(from_archive.raw)[0] == network
    write_network(network, tmp_path / "network.xlsx")
    from_workbook = open_file("network.xlsx", (tmp_path / "network.xlsx").read_bytes())
    assert from_workbook.kind == "network"
    assert check_raw(from_workbook.raw)[0] == network


def test_mended_cell_is_read_in_place_of_what_stood_there() -> None:
    content = b"date,site,kind,good,quantity,unit\n2026-11-22,mill,count,flour,many,kg\n"
    opened = open_file("reports.csv", content)
    (finding,) = gathered(opened).findings
    assert (finding.row, finding.column, finding.value) == (2, "quantity", "many")
    mended = gathered(mend(opened, {("reports.csv", 2, 4): "30"}))
    right = gathered(open_file("reports.csv", content.replace(b"many", b"30")))
    assert not mended.findings
    assert [item.said for item in mended.items] == [item.said for item in right.items]
    assert mended.items[0].said


def test_header_is_mended_like_any_cell_and_a_row_can_be_left_out() -> None:
    content = b"date,site,kind,good,how many,unit\n2026-11-22,mill,count,flour,30,kg\n2026-11-22,mill,count,?,30,kg\n"
    opened = open_file("reports.csv", content)
    assert gathered(opened).findings
    mended = gathered(mend(opened, {("reports.csv", 1, 4): "quantity"}, left_out={("reports.csv", 3)}))
    assert not mended.findings
    assert len(mended.items) == 1


def test_column_that_was_not_there_can_be_added_while_mending() -> None:
    content = b"date,site,kind,good,quantity,unit\n2026-11-22,mill,count,flour,900000,kg\n"
    opened = open_file("reports.csv", content)
    assert gathered(opened).items[0].doubt is not None
    mended = gathered(mend(opened, {("reports.csv", 1, 6): "sure", ("reports.csv", 2, 6): "yes"}))
    assert not mended.findings
    assert mended.items[0].doubt is None


def test_file_of_an_unknown_kind_says_which_are_read() -> None:
    (finding,) = open_file("picture.png", b"\x89PNG").findings
    assert "are not read" in finding.message
    assert ".xlsx" in finding.remedy


def test_one_table_of_a_network_is_told_from_a_table_of_reports() -> None:
    (finding,) = open_file("sites.csv", b"site,people\nHill,800\n").findings
    assert "this is table sites of a network alone" in finding.message
    reports = b"date,site,kind,good,quantity,unit\n2026-11-22,mill,count,flour,1,kg\n"
    assert open_file("sites.csv", reports).kind == "reports"
