"""Right readings: what is no error, in CSV folders and in workbooks."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from network_folders import GOOD, folder

from abasto.network import Lane, Need, Network, Site, Stock
from abasto.tables import check_network, check_path, read_network

STOCKS = "site,good,quantity\nmill,flour,"


def book(path: Path, **changes: list[list[object]]) -> Path:
    """Write the good network as a workbook with some sheets changed or added, cell by cell."""
    tables: dict[str, list[list[object]]] = {
        "network": [["name", "start", "days"], ["Barrio", date(2026, 11, 22), 7]],
        "sites": [["site", "people"], ["mill", 0], ["school", 400]],
        "goods": [["good", "unit"], ["flour", "kg"], ["bread", "kg"]],
        "lanes": [["from", "to", "km"], ["mill", "school", 12]],
        "fleets": [["fleet", "vehicles", "payload_t"], ["trucks", 2, 5]],
    }
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in (tables | changes).items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def test_byte_order_mark_windows_line_ends_and_trailing_blanks_change_nothing(tmp_path: Path) -> None:
    plain = read_network(folder(tmp_path / "plain"))
    untidy = {
        name: b"\xef\xbb\xbf"
        + "".join(f" {line.replace(',', ' , ')} ,,\r\n" for line in text.splitlines()).encode()
        + b"\r\n,,\r\n \r\n"
        for name, text in GOOD.items()
    }
    assert read_network(folder(tmp_path / "untidy", **untidy)) == plain


def test_row_of_hashtags_is_skipped_only_under_the_header(tmp_path: Path) -> None:
    tagged = folder(tmp_path, sites="site,people\n#loc+code,#population +all\nmill,0\nschool,400\n")
    network = read_network(tagged)
    assert network.sites == (Site(site="mill", people=0), Site(site="school", people=400))
    later = folder(tmp_path, sites="site,people\nmill,0\nschool,400\n#loc,\n")
    assert read_network(later).sites[-1].site == "#loc"


def test_files_that_are_no_tables_are_left_alone(tmp_path: Path) -> None:
    path = folder(tmp_path)
    for name in ("README.md", ".hidden.csv", "~$sites.csv", ".~lock.sites.csv#", "sites.csv.bak"):
        (path / name).write_text("site;x\n")
    (path / "old.csv").mkdir()
    assert check_path(path)[1] == []


@pytest.mark.parametrize(
    ("text", "value"), [("1e3", 1000), ("+5", 5), (".5", 0.5), ("5.", 5), ("007", 7), ("1.200", 1.2), ("-0", 0)]
)
def test_plain_numbers_are_read(tmp_path: Path, text: str, value: float) -> None:
    assert read_network(folder(tmp_path, stocks=STOCKS + text + "\n")).stocks[0].quantity == value


def test_whole_numbers_may_carry_a_point(tmp_path: Path) -> None:
    assert read_network(folder(tmp_path, network="name,start,days\nBarrio,2026-11-22,3.0\n")).days == 3


def test_answers_are_yes_or_no_in_any_case_and_blank_means_the_default(tmp_path: Path) -> None:
    for text, answer in {
        "YES": True,
        "no": False,
        "True": True,
        "FALSE": False,
        "1": True,
        "0": False,
        "": True,
    }.items():
        path = folder(tmp_path, lanes=f"from,to,two_way\nmill,school,{text}\n")
        assert read_network(path).lanes == (Lane(from_site="mill", to_site="school", two_way=answer),)


def test_days_may_be_numbers_or_dates(tmp_path: Path) -> None:
    path = folder(
        tmp_path, needs="site,good,quantity,from,to\nschool,bread,9,2026-11-23,5\nschool,bread,1,-3,2026-12-31\n"
    )
    spans = [(need.from_day, need.to_day) for need in read_network(path).needs]
    assert spans == [(2, 5), (-3, 40)]


def test_ids_keep_what_lies_within_them(tmp_path: Path) -> None:
    path = folder(tmp_path, goods='good\nflour\nbread\n" a  ""b"",\n\u00e9 "\n007\n1e5\nTRUE\n')
    assert [good.good for good in read_network(path).goods[2:]] == ['a  "b",\n\u00e9', "007", "1e5", "TRUE"]


def test_header_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    assert read_network(folder(tmp_path, stocks="site,good,quantity\n")).stocks == ()


def test_workbook_is_read_as_the_folder_is(tmp_path: Path) -> None:
    assert read_network(book(tmp_path / "net.xlsx")) == read_network(folder(tmp_path / "net"))


def test_ending_of_a_workbook_may_be_in_capitals(tmp_path: Path) -> None:
    assert read_network(book(tmp_path / "net.XLSX")) == read_network(folder(tmp_path / "net"))


def test_workbook_cells_are_read_by_what_they_hold(tmp_path: Path) -> None:
    path = book(
        tmp_path / "net.xlsx",
        sites=[["site", "people"], ["mill", "12"], ["school", 0.5], [101, None], [2.5, None], [" x ", " "]],
        stocks=[
            ["site", "good", "quantity", "expires"],
            ["mill", "flour", 3, datetime(2026, 12, 1)],
            ["mill", "flour", " 1e2 ", "2026-12-02"],
        ],
        needs=[["site", "good", "quantity", "from", "to"], ["school", "bread", 1, 2.0, date(2026, 11, 26)]],
        lanes=[["from", "to", "two_way"], ["mill", "school", False], ["school", "101", 1]],
    )
    network = read_network(path)
    assert [(site.site, site.people) for site in network.sites] == [
        ("mill", 12), ("school", 0.5), ("101", 0), ("2.5", 0), ("x", 0),
    ]  # fmt: skip
    assert network.stocks == (
        Stock(site="mill", good="flour", quantity=3, expires=date(2026, 12, 1)),
        Stock(site="mill", good="flour", quantity=100, expires=date(2026, 12, 2)),
    )
    assert network.needs == (Need(site="school", good="bread", quantity=1, from_day=2, to_day=5),)
    assert [lane.two_way for lane in network.lanes] == [False, True]


WORKBOOK_MESSAGES: list[tuple[list[object], str]] = [
    (
        ["mill", "flour", 1, 46348],
        'expires: "46348" — this is a spreadsheet\'s serial number; it would be 2026-11-22; '
        "write 2026-11-22 if that is the date.",
    ),
    (
        ["mill", "flour", 1, datetime(2026, 11, 22, 9, 30)],
        'expires: "2026-11-22 09:30:00" — a date takes no time of day; write 2026-11-22.',
    ),
    (
        ["mill", "flour", 1, True],
        'expires: "TRUE" — this is not a date; write it as year-month-day, such as 2026-11-22.',
    ),
    (
        ["mill", "flour", date(2026, 5, 1), None],
        'quantity: "2026-05-01" — the spreadsheet has turned this number into a date or time; '
        "format the cell as a number and type it again, with a point for decimals.",
    ),
    (
        ["mill", "flour", True, None],
        'quantity: "TRUE" — the spreadsheet holds a truth value here, not a number; write the number.',
    ),
    (["mill", "flour", "12,5", None], 'quantity: "12,5" — decimals take a point, not a comma; write 12.5.'),
    (
        [True, "flour", 1, None],
        'site: "TRUE" — the spreadsheet holds a truth value here, not text; format the cell as text and type it again.',
    ),
    (
        [date(2026, 5, 1), "flour", 1, None],
        'site: "2026-05-01" — the spreadsheet has turned this text into a date or time; '
        "format the cell as text and type it again.",
    ),
    (
        [1234567890123456789, "flour", 1, None],
        'site: "1.234567890123457e+18" — the spreadsheet keeps only 15 digits of a number; '
        "format the cell as text and type it again.",
    ),
    (
        ["mill", "flour", "#N/A", None],
        'quantity: "#N/A" — the spreadsheet could not compute this cell; '
        "correct its formula or write the value itself.",
    ),
    (
        ["mill", "flour", 1, "#REF!"],
        'expires: "#REF!" — the spreadsheet could not compute this cell; '
        "correct its formula or write the value itself.",
    ),
]


@pytest.mark.parametrize(
    ("cells", "message"), WORKBOOK_MESSAGES, ids=[row[1].split(" — ")[0] for row in WORKBOOK_MESSAGES]
)
def test_worksheet_cell_in_doubt_is_said_exactly_so(tmp_path: Path, cells: list[object], message: str) -> None:
    header: list[object] = ["site", "good", "quantity", "expires"]
    path = book(tmp_path / "net.xlsx", stocks=[header, [], cells])
    network, findings = check_path(path)
    assert network is None
    assert [str(finding) for finding in findings] == [f"sheet stocks row 3, {message}"]


def test_unknown_and_empty_sheets_are_errors(tmp_path: Path) -> None:
    path = book(tmp_path / "net.xlsx", Stocks=[["a"]], needs=[])
    assert [str(finding) for finding in check_path(path)[1]] == [
        'sheet Stocks — the format has no table Stocks; rename or remove the sheet. Did you mean "stocks"?',
        "sheet needs — the sheet is empty; write a header row, or remove the sheet.",
    ]


def test_formula_counts_as_the_value_last_computed_for_it(tmp_path: Path) -> None:
    import xlsxwriter

    read_network(book(tmp_path / "net.xlsx"))
    workbook = xlsxwriter.Workbook(tmp_path / "formula.xlsx")
    sheet = workbook.add_worksheet("network")
    sheet.write_row(0, 0, ["name", "start", "days"])
    sheet.write_row(1, 0, ["Barrio", "2026-11-22"])
    sheet.write_formula(1, 2, "=3+4", None, 7)
    workbook.close()
    assert read_network(tmp_path / "formula.xlsx") == Network("Barrio", date(2026, 11, 22), 7)


ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" office:version="1.3">
<office:body><office:spreadsheet><table:table table:name="network">
<table:table-row>{header}</table:table-row>
<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="3"/></table:table-row>
<table:table-row>
<table:table-cell office:value-type="string" calcext:value-type="string"><text:p>Barrio</text:p></table:table-cell>
<table:table-cell office:value-type="date" office:date-value="2026-11-22"><text:p>22/11/26</text:p></table:table-cell>
{days}</table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>"""
MANIFEST = """<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">
<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>
</manifest:manifest>"""
SEVEN = '<table:table-cell office:value-type="float" office:value="7"><text:p>7</text:p></table:table-cell>'
FAILED = (
    '<table:table-cell table:formula="of:=NA()" office:value-type="string" office:string-value="" '
    'calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
)


def ods(path: Path, days: str) -> Path:
    """Write an OpenDocument sheet `network` whose cell for `days` is given."""
    names = ("name", "start", "days")
    cells = (
        f'<table:table-cell office:value-type="string"><text:p>{name}</text:p></table:table-cell>' for name in names
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", ODS.format(header="".join(cells), days=days).replace(">\n<", "><"))
    return path


def test_opendocument_sheets_are_read_too(tmp_path: Path) -> None:
    assert read_network(ods(tmp_path / "net.ods", SEVEN)) == Network("Barrio", date(2026, 11, 22), 7)


def test_failed_formula_in_an_opendocument_sheet_is_an_error(tmp_path: Path) -> None:
    assert [str(finding) for finding in check_path(ods(tmp_path / "net.ods", FAILED))[1]] == [
        'sheet network row 4, days: "#N/A" — the spreadsheet could not compute this cell; '
        "correct its formula or write the value itself."
    ]


def test_network_built_in_python_is_checked_with_rows_counted_from_two() -> None:
    network = Network(
        "Barrio",
        date(2026, 11, 22),
        7,
        sites=(Site(site="mill"), Site(site="mill")),
        stocks=(Stock(site="mil", good="flour", quantity=1),),
    )
    assert [str(finding) for finding in check_network(network)] == [
        'sites row 3, site: "mill" — row 2 is the same site; keep one of the two rows.',
        'stocks row 2, site: "mil" — there is no site of this id in table sites; '
        'add it to sites or correct the id. Did you mean "mill"?',
        'stocks row 2, good: "flour" — there is no good of this id in table goods; add it to goods or correct the id.',
    ]


def test_hundred_thousand_rows_are_read_and_every_repeated_mistake_is_listed(tmp_path: Path) -> None:
    count = 100_000
    lines = [f"mill,flour,{index},2026-12-{index % 28 + 1:02}" for index in range(count)]
    right = folder(tmp_path / "right", stocks="site,good,quantity,expires\n" + "\n".join(lines))
    stocks = read_network(right).stocks
    assert sum(stock.quantity for stock in stocks) == count * (count - 1) / 2
    assert len({stock.expires for stock in stocks}) == 28
    wrong = folder(
        tmp_path / "wrong", stocks=("\n".join(["site,good,quantity,expires", *lines]).replace("mill", "mil"))
    )
    findings = check_path(wrong)[1]
    assert [finding.row for finding in findings] == list(range(2, count + 2))
    assert {finding.closest for finding in findings} == {"mill"}


@pytest.mark.parametrize(
    ("file", "remedy"),
    [("notes.txt", "give the folder that holds network.csv"), ("b.xlsx", 'give the workbook in it: "b.xlsx"')],
)
def test_a_folder_without_tables_is_told_from_a_network_without_rows(tmp_path: Path, file: str, remedy: str) -> None:
    (tmp_path / file).write_bytes(b"x")
    network, (finding,) = check_path(tmp_path)
    assert network is None
    assert str(finding) == f"{tmp_path} — there is no CSV file in this folder; {remedy}."


def test_a_folder_in_the_place_of_a_table_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "network.csv").write_text("name,start,days\nBarrio,2026-11-22,7\n", encoding="utf-8")
    (tmp_path / "stocks.csv").mkdir()
    network, (finding,) = check_path(tmp_path)
    assert network is None
    assert str(finding).startswith("stocks.csv — this is a folder, not a file; ")
