"""Import against a room that runs: a dry run that writes nothing, mended where it stands, then all of it or nothing."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
import xlsxwriter
from playwright.sync_api import Page, expect
from starlette.testclient import TestClient
from tests.room.served import DAY, Desk, Served, neighbourhood

import abasto
from abasto.journal.home import Home
from abasto.room.app import build_app
from abasto.room.operations import Room
from abasto.tables import read_network, write_network

NEIGHBOURHOOD = Path(abasto.example_path("neighbourhood"))
HEADER = "date,site,kind,good,quantity,unit\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One room for all tests of this module: each counts anew what it looks at, in figures of its own."""
    room = Served(neighbourhood(tmp_path_factory.mktemp("import")))
    room.start()
    yield room
    assert room.stop() == 0


@pytest.fixture(scope="module")
def desk(served: Served) -> Desk:
    return served.desk()


def entries(served: Served) -> int:
    return served.state().count


def brought(desk: Desk, name: str, content: bytes | str) -> httpx.Response:
    """Bring a file, and return the page that shows what it would come to."""
    desk.form("/import/forget")
    file = content.encode() if isinstance(content, str) else content
    return desk.post("/import/read", data={"csrf": desk.sign, "day": DAY}, files={"file": (name, file)})


def pasted(desk: Desk, text: str, **fields: str) -> httpx.Response:
    desk.form("/import/forget")
    return desk.form("/import/read", text=text, day=DAY, **fields)


def code(desk: Desk, role: str) -> str:
    found = re.search(r">([0-9A-Z]{5}-[0-9A-Z]{5})<", desk.form("/access/code", role=role).text)
    assert found is not None
    return found[1]


def sign_in(page: httpx.Response) -> str:
    found = re.search(r'name="sign" value="([0-9a-f]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def workbook(name: str, rows: list[list[Any]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet(name)
    for line, row in enumerate(rows):
        for place, cell in enumerate(row):
            if isinstance(cell, tuple):
                sheet.write_formula(line, place, cell[0], value=cell[1])
            else:
                sheet.write(line, place, cell)
    book.close()
    return buffer.getvalue()


def test_dry_run_writes_nothing_and_confirming_writes_what_it_showed(served: Served, desk: Desk) -> None:
    before = served.state()
    page = brought(desk, "reports.csv", f"{HEADER}{DAY},Mill,count,flour,1380,kg\n{DAY},Mill,lost,flour,5,kg\n")
    assert page.status_code == 200
    assert "1\u202f400" in page.text
    assert "1\u202f375" in page.text
    assert entries(served) == before.count
    taken = desk.form("/import/take", sign=sign_in(page))
    assert "Took in 2 reports" in taken.text
    after = served.state()
    assert after.count == before.count + 2
    assert sum(after.books.balance("Mill", "flour").values()) == 1_375_000
    again = brought(desk, "reports.csv", f"{HEADER}{DAY},Mill,count,flour,1380,kg\n{DAY},Mill,lost,flour,5,kg\n")
    assert "There is nothing new to write" in again.text


def test_file_with_an_error_is_refused_whole_and_taken_once_its_cell_is_mended(served: Served, desk: Desk) -> None:
    before = entries(served)
    content = f"{HEADER}{DAY},Mill,count,flour,1390,kg\n{DAY},Mil,lost,flour,6,kg\n"
    page = brought(desk, "reports.csv", content)
    assert "Did you mean Mill?" in page.text
    assert 'name="sign"' not in page.text
    refused = desk.form("/import/take", sign="00")
    assert refused.status_code == 400
    assert entries(served) == before
    page = desk.form("/import/mend", **{"cell:0:3:1": "Mill"})
    taken = desk.form("/import/take", sign=sign_in(page))
    assert "Took in 2 reports" in taken.text
    assert sum(served.state().books.balance("Mill", "flour").values()) == 1_384_000


def test_what_is_wrong_stands_in_the_order_of_the_rows(served: Served, desk: Desk) -> None:
    wrong = ["Mil,count,flour,1", "Mill,count,flour,-1", "Mill,count,fluor,1", 'Mill,count,flour,"1,5"']
    page = brought(desk, "reports.csv", HEADER + "".join(f"{DAY},{row},kg\n" for row in wrong))
    rows = re.findall(r'<td data-label="Row" class="number">(\d+)</td>', page.text)
    assert rows == ["2", "3", "4", "5"]


def test_second_tab_says_that_what_was_brought_may_have_been_taken_in(served: Served, desk: Desk) -> None:
    sign = sign_in(brought(desk, "reports.csv", f"{HEADER}{DAY},Mill,count,flour,1377,kg\n"))
    desk.form("/import/take", sign=sign)
    assert "taken in or forgotten already" in desk.form("/import/take", sign=sign).text


def test_row_that_is_wrong_can_be_left_out_and_a_column_renamed(served: Served, desk: Desk) -> None:
    content = f"date,site,kind,good,how many,unit\n{DAY},Mill,count,flour,1391,kg\n{DAY},Nowhere,count,flour,5,kg\n"
    page = brought(desk, "reports.csv", content)
    assert 'name="cell:0:1:4"' in page.text
    page = desk.form("/import/mend", **{"cell:0:1:4": "quantity"})
    assert "Nowhere" in page.text
    page = desk.form("/import/mend", **{"leave:0:3": "yes"})
    desk.form("/import/take", sign=sign_in(page))
    state = served.state()
    assert sum(state.books.balance("Mill", "flour").values()) == 1_391_000


def test_quantity_far_above_the_usual_is_in_doubt_until_it_is_said_to_be_meant(served: Served, desk: Desk) -> None:
    page = brought(desk, "reports.csv", f"{HEADER}{DAY},Mill,count,flour,90000,kg\n")
    assert "In doubt" in page.text
    assert 'name="sign"' not in page.text
    assert 'name="cell:0:2:6"' in page.text
    page = desk.form("/import/mend", **{"cell:0:2:6": "yes"})
    desk.form("/import/take", sign=sign_in(page))
    assert sum(served.state().books.balance("Mill", "flour").values()) == 90_000_000


def test_text_messages_are_asked_about_line_by_line_and_doubtful_ones_left_out_only_when_said(
    served: Served, desk: Desk
) -> None:
    before = entries(served)
    page = pasted(desk, "MILL FLOUR 1380 KG\nMILL FLUOR 20 KG LOST\n")
    assert "line 2" in page.text
    refused = desk.form("/import/take", sign=sign_in(page))
    assert refused.status_code == 400
    assert entries(served) == before
    mended = desk.form("/import/mend", **{"line:2": "MILL LOST 20 KG FLOUR"})
    desk.form("/import/take", sign=sign_in(mended))
    assert sum(served.state().books.balance("Mill", "flour").values()) == 1_360_000
    page = pasted(desk, "MILL FLOUR 1300 KG\nWHAT IS THIS\n")
    desk.form("/import/take", sign=sign_in(page), skip="yes")
    assert sum(served.state().books.balance("Mill", "flour").values()) == 1_300_000


def test_what_is_confirmed_after_the_journal_changed_is_shown_again_first(served: Served, desk: Desk) -> None:
    content = f"{HEADER}{DAY},Mill,count,flour,1381,kg\n"
    page = brought(desk, "reports.csv", content)
    sign = sign_in(page)
    other = Desk(served.url, code(desk, "allocator"))
    taken = other.form("/import/take", sign=sign_in(brought(other, "reports.csv", content)))
    assert "Took in 1 report" in taken.text
    count = entries(served)
    refused = desk.form("/import/take", sign=sign)
    assert refused.status_code == 400
    assert "meanwhile the journal has changed" in refused.text
    assert entries(served) == count


def test_tables_of_the_network_become_the_journals_from_a_workbook_and_an_archive(
    served: Served, desk: Desk, tmp_path: Path
) -> None:
    files = {path.name: path.read_text() for path in NEIGHBOURHOOD.glob("*.csv")}
    files["sites.csv"] = files["sites.csv"].replace("Hill,,-33.03,-71.59,800", "Hill,,-33.03,-71.59,many")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    page = brought(desk, "network.zip", buffer.getvalue())
    assert "sites.csv" in page.text
    assert 'value="many"' in page.text
    (name,) = re.findall(r'name="(cell:\d+:\d+:\d+)" value="many"', page.text)
    page = desk.form("/import/mend", **{name: "850"})
    assert "people 850" in page.text
    desk.form("/import/take", sign=sign_in(page))
    assert served.state().rows.cell("sites", "people", "Hill") == "850"
    network = read_network(NEIGHBOURHOOD)
    write_network(network, tmp_path / "network.xlsx")
    page = brought(desk, "network.xlsx", (tmp_path / "network.xlsx").read_bytes())
    desk.form("/import/take", sign=sign_in(page))
    assert served.state().rows.cell("sites", "people", "Hill") == "800"


def test_formulas_are_not_computed_and_hostile_text_stays_text(served: Served, desk: Desk) -> None:
    hostile = '"><script>alert(1)</script>'
    rows = [
        ["date", "site", "kind", "good", "quantity", "unit"],
        [DAY, "Mill", "count", "flour", ('=WEBSERVICE("http://127.0.0.1/")', 1382), "kg"],
        [DAY, hostile, "count", '=cmd|"/c calc"!A1', 5, "kg"],
    ]
    rows[2][3] = "'=1+1"
    page = brought(desk, "reports.xlsx", workbook("reports", rows))
    assert hostile not in page.text
    assert hostile in unescape(page.text)
    page = desk.form("/import/mend", **{"leave:0:3": "yes"})
    desk.form("/import/take", sign=sign_in(page))
    assert sum(served.state().books.balance("Mill", "flour").values()) == 1_382_000  # as the spreadsheet last showed it


def test_bombs_and_files_of_other_kinds_are_refused_and_the_room_goes_on(served: Served, desk: Desk) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("reports.csv", b"0" * 250_000_000)
    assert "unpacks to more than" in brought(desk, "export.zip", buffer.getvalue()).text
    sheet: list[list[Any]] = [["date"]] + [[]] * 40_000 + [[""] * 16_383 + ["x"]]
    assert "as far as row" in brought(desk, "reports.xlsx", workbook("reports", sheet)).text
    assert "cannot be read" in brought(desk, "reports.xlsx", b"PK\x03\x04 nothing").text
    assert brought(desk, "picture.png", b"\x89PNG").status_code == 400
    assert desk.get("/access").status_code == 200


def test_what_was_brought_is_never_on_the_disk_and_belongs_to_one_session(served: Served, desk: Desk) -> None:
    brought(desk, "reports.csv", f"{HEADER}{DAY},Mill,count,flour,1380,kg,a-mark-of-its-own\n")
    for path in served.home.rglob("*"):
        assert not path.is_file() or b"a-mark-of-its-own" not in path.read_bytes()
    other = Desk(served.url, code(desk, "allocator"))
    assert "a-mark-of-its-own" not in other.get("/import/draft").text
    assert "a-mark-of-its-own" in desk.get("/import/draft").text
    desk.form("/import/forget")
    assert "a-mark-of-its-own" not in desk.get("/import/draft").text


def test_large_upload_goes_through_memory_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        room = Room(home, now=lambda: datetime.now().astimezone(), day=date.fromisoformat(DAY))
        with TestClient(build_app(room), base_url="http://127.0.0.1") as client:
            client.post("/enter", data={"code": room.sessions.new_code("steward", now=room.now())})
            (session,) = room.sessions.running(now=room.now())
            monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
            content = f"{HEADER}{DAY},Mill,count,flour,1380,kg\n".encode() + b"\n" * 3_000_000
            sent = {"data": {"csrf": session.csrf}, "files": {"file": ("reports.csv", content)}}
            assert "1\u202f380" in client.post("/import/read", **sent).text  # type: ignore[arg-type]


def test_reports_that_a_phone_saved_in_a_file_are_taken_once(served: Served, desk: Desk) -> None:
    report = (
        f'{{"id":"abcdefgh1","kind":"count","site":"Mill","good":"flour","quantity":"1370","unit":"kg","date":"{DAY}"}}'
    )
    content = f'{{"abasto":1,"phone":"file-test1","reports":[{report}]}}'
    page = brought(desk, "reports.json", content)
    desk.form("/import/take", sign=sign_in(page))
    state = served.state()
    assert sum(state.books.balance("Mill", "flour").values()) == 1_370_000
    assert "There is nothing new to write" in pasted(desk, f"FLOUR 1370 kg at Mill\n{content}").text
    damaged = brought(desk, "reports.json", content[:-20])
    assert "damaged" in damaged.text


def test_reader_may_not_import(served: Served, desk: Desk) -> None:
    reader = Desk(served.url, code(desk, "reader"))
    assert reader.get("/import").status_code == 403
    assert reader.form("/import/read", text="MILL FLOUR 1 KG").status_code == 403


def test_error_is_mended_in_a_browser_and_taken_in(served: Served, desk: Desk, page: Page) -> None:
    page.goto(f"{served.url}/enter?code={code(desk, 'allocator')}&to=/import")
    page.get_by_role("button", name="Enter", exact=True).click()
    content = f"{HEADER}{DAY},Mill,count,flour,1392,kg\n{DAY},Mill,lost,flour,five,kg\n"
    page.set_input_files(
        "input[name=file]", {"name": "reports.csv", "mimeType": "text/csv", "buffer": content.encode()}
    )
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name="Wrong")).to_be_visible()
    expect(page.get_by_role("button", name="Take it in")).to_have_count(0)
    wrong = page.locator("input[aria-invalid=true]")
    expect(wrong).to_have_value("five")
    wrong.fill("7")
    page.get_by_role("button", name="Look again").first.click()
    page.get_by_role("button", name="Take it in").click()
    expect(page.get_by_text("Took in 2 reports")).to_be_visible()
    state = served.state()
    assert sum(state.books.balance("Mill", "flour").values()) == 1_385_000
