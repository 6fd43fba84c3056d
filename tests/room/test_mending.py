"""Cells to be mended are where the error is, also where a form keeps the answer in the submission above the row."""

from __future__ import annotations

import io
import zipfile
from datetime import date

from tests.inbox.hamlet import HAMLET

from abasto.errors import Finding
from abasto.inbox.gather import gather
from abasto.inbox.opened import Opened, mend, open_file
from abasto.room.mending import MOST_ROWS, Mending, mendings

DAY = date(2026, 11, 22)


def odk(submissions: str, rows: str) -> Opened:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("form.csv", submissions)
        archive.writestr("form-items.csv", rows)
    return open_file("export.zip", buffer.getvalue())


def to_mend(opened: Opened) -> tuple[Mending, ...]:
    return mendings(opened, gather(opened, names=HAMLET, date=DAY, language="en").findings)


def test_site_of_a_submission_is_mended_there_and_not_in_the_row_that_needs_it() -> None:
    opened = odk(
        "SubmissionDate,date,site,kind,KEY\n2026-11-22T10:00:00Z,2026-11-22,mil,count,uuid:1\n",
        "good,quantity,unit,PARENT_KEY,KEY\nflour,30,kg,uuid:1,uuid:1/items[1]\n",
    )
    assert opened.kind == "export"
    above = next(one for one in to_mend(opened) if one.file == "form.csv")
    (row,) = above.rows
    (wrong,) = [cell for cell in row.cells if cell.wrong]
    assert (row.line, above.header[wrong.place], wrong.text, wrong.closest) == (2, "site", "mil", "mill")
    mended = mend(opened, {("form.csv", 2, wrong.place): "mill"})
    assert not to_mend(mended)


def test_only_so_many_rows_are_shown_and_the_rest_is_counted() -> None:
    rows = "".join(f"2026-11-22,nowhere,count,flour,{number},kg\n" for number in range(MOST_ROWS + 5))
    (mending,) = to_mend(open_file("reports.csv", f"date,site,kind,good,quantity,unit\n{rows}".encode()))
    assert len(mending.rows) == MOST_ROWS
    assert mending.more == 5


def test_warnings_and_findings_about_a_whole_file_ask_for_no_cell() -> None:
    opened = open_file("reports.csv", b"date,site,kind,good,quantity,unit\n2026-11-22,mill,count,flour,1,kg\n")
    about = [
        Finding("reports", 2, "good", "flour", "odd", "look", severity="warning", file="reports.csv"),
        Finding("reports", 0, "", "", "wrong", "look", file="reports.csv"),
        Finding("reports", 2, "good", "flour", "wrong", "look", file="another.csv"),
    ]
    assert mendings(opened, about) == ()
