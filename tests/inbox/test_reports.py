"""Tables of reports: what rows become, and exactly what is said about those that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import permutations
from pathlib import Path

import pytest
from hamlet import HAMLET, ORDER

from abasto.facts.kinds import (
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    Line,
    OrderLoaded,
    OrderReceived,
    StockCounted,
)
from abasto.inbox.gather import gather_file, gather_lines
from abasto.inbox.names import Names
from abasto.inbox.reports import Gathered, never
from abasto.inbox.words import Language

DAY = date(2026, 11, 22)
TODAY = "2026-11-22"
HEADER = "date,site,kind,good,quantity,unit,expires,order,cause,ref\n"


def gathered(
    tmp_path: Path, text: str | bytes, *, names: Names = HAMLET, language: Language = "en", site: str | None = None,
    name: str = "reports.csv", is_known: Callable[[str], bool] = never,
) -> Gathered:  # fmt: skip
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return gather_file(path, names=names, date=DAY, language=language, site=site, is_known=is_known)


def facts(found: Gathered) -> list[Fact]:
    assert found.findings == []
    assert [item.doubt for item in found.items if item.doubt] == []
    return [fact for item in found.items for fact in item.facts]


def without_ref(fact: Fact) -> Fact:
    return replace(fact, ref="") if hasattr(fact, "ref") else fact  # type: ignore[arg-type]


ROWS: list[tuple[str, Fact]] = [
    ("mill,count,flour,30,saco,,,,", StockCounted("mill", "flour", 1_500_000, TODAY)),
    ("Molino,recuento,Harina,30,sacks,,,,", StockCounted("mill", "flour", 1_500_000, TODAY)),
    ("mill,count,flour,0,kg,,,,", StockCounted("mill", "flour", 0, TODAY)),
    ("mill,count,flour,0,,,,,", StockCounted("mill", "flour", 0, TODAY)),
    ("school,count,milk,5,l,2026-11-30,,,", StockCounted("school", "milk", 5_000, TODAY, "2026-11-30")),
    ("school,received,bread,12.5,,,,,", GoodsTakenIn("school", "bread", 12_500, TODAY)),
    ("school,recibido,Pan,12.5,kg,,,,", GoodsTakenIn("school", "bread", 12_500, TODAY)),
    ("school,handed out,bread,12.5,,,,,", GoodsHandedOut("school", "bread", 12_500, TODAY)),
    ("school,handed_out,bread,12500,g,,,,", GoodsHandedOut("school", "bread", 12_500, TODAY)),
    ("school,lost,milk,1,litre,,,\"rats, two\",", GoodsLost("school", "milk", 1_000, TODAY, None, "rats, two")),
    ("school,vencido,milk,1,litre,,,,", GoodsLost("school", "milk", 1_000, TODAY, None, "spoiled")),
    ("mill,made,bread,200,,,,,",
     GoodsMade("mill", "baking", 2_000, (Line("bread", 200_000), Line("flour", -160_000)), TODAY)),
    ("mill,loaded,flour,2,saco,,JTBS,,", OrderLoaded(ORDER, (Line("flour", 100_000),), TODAY)),
]  # fmt: skip


@pytest.mark.parametrize(("row", "fact"), ROWS, ids=[row for row, _ in ROWS])
def test_a_row_becomes_its_fact(tmp_path: Path, row: str, fact: Fact) -> None:
    (found,) = facts(gathered(tmp_path, f"{HEADER}{TODAY},{row}\n"))
    assert without_ref(found) == fact
    assert getattr(found, "ref", "").startswith("row:")


def test_columns_may_be_spanish_and_in_any_order(tmp_path: Path) -> None:
    text = "Cantidad,Bien,Sitio,Fecha,Tipo,Unidad,Referencia\n30,Harina,Molino,2026-11-22,recuento,saco,a1\n"
    assert facts(gathered(tmp_path, text)) == [StockCounted("mill", "flour", 1_500_000, TODAY, ref="a1")]


def test_rows_of_one_order_are_one_step_of_it(tmp_path: Path) -> None:
    text = f"{HEADER}{TODAY},school,received,flour,2,saco,,JTBS,,\n{TODAY},school,received,milk,0,l,,JTBS,,\n"
    (found,) = facts(gathered(tmp_path, text))
    assert without_ref(found) == OrderReceived(ORDER, "school", (Line("flour", 100_000), Line("milk", 0)), TODAY)


def test_a_receipt_that_leaves_goods_out_is_asked_back(tmp_path: Path) -> None:
    found = gathered(tmp_path, f"{HEADER}{TODAY},school,received,flour,2,saco,,JTBS,,\n")
    (item,) = found.items
    assert item.doubt is not None
    assert item.doubt.question == (
        "Order JTBS-H6CT also carries Leche 20 litre. How much of it arrived? If nothing, write NO Leche."
    )


def test_a_receipt_of_far_more_than_was_ordered_is_asked_back_unless_it_is_sure(tmp_path: Path) -> None:
    header = HEADER.replace("ref\n", "sure\n")
    rows = f"{TODAY},school,received,flour,2000,kg,,JTBS,,\n{TODAY},school,received,milk,0,l,,JTBS,,\n"
    (item,) = gathered(tmp_path, header + rows).items
    assert item.doubt is not None
    assert item.doubt.question == (
        "2000 kg of Harina is a lot for order JTBS-H6CT, which has 100 kg. If it is so, write: sure = yes"
    )
    (found,) = facts(gathered(tmp_path, header + rows.replace("kg,,JTBS,,", "kg,,JTBS,,yes")))
    assert without_ref(found) == OrderReceived(ORDER, "school", (Line("flour", 2_000_000), Line("milk", 0)), TODAY)


MESSAGES: list[tuple[str, str]] = [
    (f"{HEADER}{TODAY},mil,count,flour,30,kg,,,,\n",
     'reports.csv row 2, site: "mil" — table sites has no such site; correct it, or set the site first. '
     'Did you mean "mill"?'),
    (f"{HEADER}{TODAY},mill,count,flower,30,kg,,,,\n",
     'reports.csv row 2, good: "flower" — table goods has no such good; correct it, or set the good first. '
     'Did you mean "flour"?'),
    (f"{HEADER}{TODAY},mill,counting,flour,30,kg,,,,\n",
     'reports.csv row 2, kind: "counting" — this is no kind of report; write one of count, received, handed out, made, '
     'lost, loaded. Did you mean "count"?'),
    (f"{HEADER}{TODAY},mill,count,flour,30,,,,,\n",
     "reports.csv row 2, unit — flour is counted in kg, saco; write which one is meant."),
    (f"{HEADER}{TODAY},mill,count,flour,30,sako,,,,\n",
     'reports.csv row 2, unit: "sako" — this is no unit or pack of flour; write one of kg, saco, or set it with: '
     'abasto pack flour sako …. Did you mean "saco"?'),
    (f"{HEADER}{TODAY},mill,count,flour,\"2,5\",kg,,,,\n",
     'reports.csv row 2, quantity: "2,5" — decimals take a point, not a comma; write 2.5.'),
    (f"{HEADER}{TODAY},mill,count,flour,-2,kg,,,,\n",
     'reports.csv row 2, quantity: "-2" — quantity cannot be negative; write 0 or more.'),
    (f"{HEADER}{TODAY},mill,count,flour,0.0001,kg,,,,\n",
     'reports.csv row 2, quantity: "0.0001" — this is finer than a thousandth of the unit; round it.'),
    (f"{HEADER}{TODAY},mill,count,flour,1e300,kg,,,,\n",
     'reports.csv row 2, quantity: "1e+300" — this is more than can be kept; check it.'),
    (f"{HEADER}{TODAY},mill,handed out,bread,0,kg,,,,\n",
     'reports.csv row 2, quantity: "0" — zero of bread is no report; correct it or leave the row out.'),
    (f"{HEADER}22/11/2026,mill,count,bread,1,kg,,,,\n",
     'reports.csv row 2, date: "22/11/2026" — dates are written year-month-day; write 2026-11-22 if that is the date.'),
    (f"{HEADER},mill,count,bread,1,kg,,,,\n",
     "reports.csv row 2, date — date is missing; write the date: the day it is about."),
    (f"{HEADER}{TODAY},mill,count,bread,1,kg,,,mice,\n",
     'reports.csv row 2, cause: "mice" — only a loss has a cause; clear the cell.'),
    (f"{HEADER}{TODAY},mill,count,bread,1,kg,,JTBS,,\n",
     'reports.csv row 2, order: "JTBS" — an order is loaded or received, not count; clear the cell.'),
    (f"{HEADER}{TODAY},school,received,bread,1,kg,,ZZZZ,,\n",
     'reports.csv row 2, order: "ZZZZ" — nothing here has this code; check it for a sign that was misread; '
     'see abasto orders show.'),
    (f"{HEADER}{TODAY},school,count,bread,1,kg,,,,\n{TODAY},Escuela,hay,Pan,2,kg,,,,\n",
     'reports.csv row 3, good: "Pan" — row 2 counts the same there on that day; keep one of them, write their sum, or '
     'name the lots.'),
    ("date,site,kind,good\n2026-11-22,mill,count,bread\n",
     'reports.csv row 1: "quantity" — a required column is missing; add it: how much, in the unit or pack named beside '
     'it.'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MESSAGES, ids=[message[13:45] for _, message in MESSAGES])
def test_what_is_wrong_is_said_with_place_value_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    found = gathered(tmp_path, text)
    assert [str(finding) for finding in found.findings] == [message]
    assert [item.doubt for item in found.items if item.doubt] == []


def test_all_findings_are_shown_at_once_with_the_names_of_the_file(tmp_path: Path) -> None:
    text = 'fecha,sitio,tipo,bien,cantidad,unidad\n2026-11-22,Mil,hay,Harina,"2,5",kg\n2026-11-22,Mil,hay,Harina,1,x\n'
    found = gathered(tmp_path, text)
    assert [(finding.row, finding.column) for finding in found.findings] == [(2, "cantidad"), (3, "sitio")]


def test_two_goods_of_one_name_are_an_error_that_names_both(tmp_path: Path) -> None:
    names = replace(HAMLET, goods=(replace(HAMLET.goods[0], name="Bulk"), replace(HAMLET.goods[1], name="BULK")))
    found = gathered(tmp_path, f"{HEADER}{TODAY},mill,count,bulk,1,kg,,,,\n", names=names)
    assert [finding.message for finding in found.findings] == ["this may be flour, bread"]


def test_ten_times_what_is_known_is_asked_back_and_can_be_meant(tmp_path: Path) -> None:
    header = HEADER.strip() + ",sure\n"
    found = gathered(tmp_path, f"{header}{TODAY},mill,count,flour,50000,kg,,,,,\n")
    assert [item.doubt is not None for item in found.items] == [True]
    assert facts(gathered(tmp_path, f"{header}{TODAY},mill,count,flour,50000,kg,,,,,yes\n"))


def test_equal_rows_count_each_and_the_same_file_names_them_the_same(tmp_path: Path) -> None:
    row = f"{TODAY},school,handed out,bread,20,kg,,,,\n"
    first = facts(gathered(tmp_path, HEADER + row + row))
    again = facts(gathered(tmp_path, HEADER + row + f"{TODAY},school,count,bread,1,kg,,,,\n" + row))
    assert len({getattr(fact, "ref", "") for fact in first}) == 2
    assert [fact for fact in again if isinstance(fact, GoodsHandedOut)] == first


def test_rows_without_a_site_are_from_the_one_that_is_given(tmp_path: Path) -> None:
    text = f"date,kind,good,quantity\n{TODAY},count,bread,3\n"
    assert [without_ref(fact) for fact in facts(gathered(tmp_path, text, site="mill"))] == [
        StockCounted("mill", "bread", 3_000, TODAY)
    ]


def test_a_workbook_of_reports_is_read_as_a_table_of_them(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["date", "site", "kind", "good", "quantity", "unit"])
    sheet.append([date(2026, 11, 22), "mill", "count", "flour", 2.5, "saco"])
    sheet.append([date(2026, 11, 22), "mill", "count", "flour", "2,5", "saco"])
    book.save(tmp_path / "reports.xlsx")
    found = gather_file(tmp_path / "reports.xlsx", names=HAMLET, date=DAY, language="en")
    assert [without_ref(fact) for item in found.items for fact in item.facts] == [
        StockCounted("mill", "flour", 125_000, TODAY)
    ]
    assert [str(finding) for finding in found.findings] == [
        'sheet Sheet row 3, quantity: "2,5" — decimals take a point, not a comma; write 2.5.'
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("reports.csv", b"", "the file is empty"),
        ("reports.csv", b"date,site\n\xf1", "not in UTF-8"),
        ("reports.csv", b'date,site,kind\n"2026-11-22,mill,count\n', "the quotes of this row do not match"),
        ("reports.CSV", b"", "the file is empty"),
        ("reports.xlsx", b"no workbook", "the file cannot be read"),
        ("reports.zip", b"no archive", "the file cannot be read"),
        ("reports.txt", b"\xff\xfe\x00", "the file is not in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_finding(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    found = gathered(tmp_path, content, name=name)
    (finding,) = found.findings
    assert words in str(finding)


def test_lines_of_messages_are_understood_or_asked_back_each_with_its_number() -> None:
    text = "HARINA 30 SACOS\n\nharina 30\r\nentregue pan 20, leche 5 l\n"
    found = gather_lines(text, names=HAMLET, date=DAY, site="mill")
    assert [(item.place, len(item.facts), item.doubt is not None) for item in found.items] == [
        ("line 1", 1, False),
        ("line 3", 0, True),
        ("line 4", 2, False),
    ]


def test_lines_that_the_journal_has_are_known_again_and_not_read() -> None:
    text = "entregue pan 20, leche 5 l\nENTREGUÉ  pan 20, leche 5 l\n"
    found = gather_lines(text, names=HAMLET, date=DAY, site="mill")
    refs = {getattr(fact, "ref", "") for item in found.items for fact in item.facts}
    assert len(refs) == 4  # the same line twice is two reports
    again = gather_lines(text + "pan 3\n", names=HAMLET, date=DAY, site="mill", is_known=refs.__contains__)
    assert [item.is_known for item in again.items] == [True, True, False]
    other_day = gather_lines(text, names=HAMLET, date=date(2026, 11, 23), site="mill", is_known=refs.__contains__)
    assert not any(item.is_known for item in other_day.items)


STEP = [f"{TODAY},mill,loaded,{what},,JTBS,,\n" for what in ("flour,60,kg", "flour,40,kg", "milk,20,litre")]
"""Three rows that together are one step of an order."""


def test_step_of_an_order_is_known_again_however_its_rows_are_sorted(tmp_path: Path) -> None:
    [first] = facts(gathered(tmp_path, HEADER + "".join(STEP)))
    assert isinstance(first, OrderLoaded)
    for order in permutations(STEP):
        [again] = gathered(tmp_path, HEADER + "".join(order), is_known=first.ref.__eq__).items
        assert again.is_known
        [fact] = again.facts
        assert isinstance(fact, OrderLoaded)
        assert fact.ref == first.ref
        assert sorted(fact.lines, key=str) == sorted(first.lines, key=str)


def test_second_row_with_a_ref_is_refused_whether_or_not_the_journal_has_it(tmp_path: Path) -> None:
    text = HEADER + f"{TODAY},mill,received,flour,30,kg,,,,slip 17\n{TODAY},school,received,bread,40,,,,,slip 17\n"
    for is_known in (never, "slip 17".__eq__):
        found = gathered(tmp_path, text, is_known=is_known)
        assert [str(finding) for finding in found.findings] == [
            'reports.csv row 3, ref: "slip 17" — row 2 has the same ref, and only one of them would count; give each '
            "row a ref of its own, or leave the cell blank."
        ]


def test_rows_of_one_step_may_share_their_ref(tmp_path: Path) -> None:
    rows = [row.removesuffix("\n") + "slip 17\n" for row in STEP[1:]]
    [fact] = facts(gathered(tmp_path, HEADER + "".join(rows)))
    assert fact == OrderLoaded(ORDER, (Line("flour", 40_000), Line("milk", 20_000)), TODAY, "slip 17")
