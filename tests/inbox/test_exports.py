"""Exports of KoboToolbox and ODK, in the shapes that both write, and the form that makes them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hamlet import HAMLET, ORDER
from openpyxl import Workbook, load_workbook

from abasto.facts.kinds import Fact, GoodsHandedOut, Line, OrderReceived, StockCounted
from abasto.inbox.choices import choice_names
from abasto.inbox.form import form_bytes, form_sheets
from abasto.inbox.gather import gather_file
from abasto.inbox.names import GoodName, Pack, SiteName
from abasto.inbox.reports import Gathered

DAY = date(2026, 11, 25)
TODAY = "2026-11-22"

MAIN = [
    "start", "end", "report/date", "report/site", "report/kind", "report/order", "_id", "_uuid", "_submission_time",
    "_validation_status", "__version__", "_index",
]  # fmt: skip
ITEMS = ["items/good", "items/unit", "items/quantity", "items/expires", "_index", "_parent_table_name",
         "_parent_index", "_submission__uuid"]  # fmt: skip


def submission(index: int, site: str, kind: str, *, order: str = "", status: str = "", day: Any = TODAY) -> list[Any]:
    return ["2026-11-22T10:00:00.000-03:00", "2026-11-22T10:05:00.000-03:00", day, site, kind, order, 100 + index,
            f"uuid-{index}", "2026-11-23T01:00:00", status, "v1", index]  # fmt: skip


def item(index: int, parent: int, good: str, unit: str, quantity: Any, expires: Any = "") -> list[Any]:
    return [good, unit, quantity, expires, index, "reports", parent, f"uuid-{parent}"]


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def read(path: Path, **options: Any) -> Gathered:
    return gather_file(path, names=HAMLET, date=DAY, language="en", **options)


def facts(found: Gathered) -> list[Fact]:
    assert [str(finding) for finding in found.findings] == []
    assert [one.doubt for one in found.items if one.doubt] == []
    return [fact for one in found.items for fact in one.facts]


COUNTED = StockCounted("mill", "flour", 1_500_000, TODAY, ref="form:uuid-1/1")
MILK = StockCounted("mill", "milk", 5_000, TODAY, "2026-11-30", "form:uuid-1/2")
HANDED = GoodsHandedOut("school", "milk powder", 2_500, TODAY, ref="form:uuid-2/1")


def kobo(tmp_path: Path, extra: list[list[Any]] | None = None) -> Path:
    return workbook(
        tmp_path / "export.xlsx",
        {
            "reports": [MAIN, submission(1, "mill", "count"), submission(2, "school", "handed_out"), *(extra or [])],
            "items": [
                ITEMS,
                item(1, 1, "flour", "flour.saco", 30),
                item(2, 1, "milk", "milk.litre", 5.0, "2026-11-30"),
                item(3, 2, "milk_powder", "milk_powder.kg", "2.5"),
            ],
        },
    )


def test_a_workbook_with_a_repeated_group_is_joined_by_index(tmp_path: Path) -> None:
    assert facts(read(kobo(tmp_path))) == [COUNTED, MILK, HANDED]


def test_the_refs_stay_when_later_exports_have_more(tmp_path: Path) -> None:
    more = kobo(tmp_path, [submission(3, "mill", "count")])
    assert facts(read(more)) == [COUNTED, MILK, HANDED]
    known = {COUNTED.ref, MILK.ref, HANDED.ref}
    again = read(more, is_known=known.__contains__)
    assert [one.is_known for one in again.items] == [True, True, True]


def test_a_corrected_submission_keeps_its_first_id(tmp_path: Path) -> None:
    header, sent = [*MAIN, "meta/rootUuid"], submission(1, "mill", "count")
    path = workbook(
        tmp_path / "export.xlsx",
        {
            "reports": [header, [*sent[:7], "uuid-9", *sent[8:], "uuid:uuid-1"]],
            "items": [ITEMS, item(1, 1, "flour", "saco", 30)],
        },
    )  # fmt: skip
    assert facts(read(path)) == [COUNTED]


def test_labels_instead_of_names_are_read_as_well(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "export.xlsx",
        {
            "reports": [
                ["Fecha", "Sitio", "Qué pasó", "Código de la orden", "_uuid", "_index"],
                [datetime(2026, 11, 22), "Molino", "Recuento: lo que hay", None, "uuid-1", 1],
                [datetime(2026, 11, 22), "Escuela", "Entregado a la gente", None, "uuid-2", 2],
            ],
            "items": [
                ["Bien", "Unidad o envase", "Cantidad", "Vence", "_parent_index"],
                ["Harina", "saco (50 kg)", 30, None, 1],
                ["Leche", "litre", 5, datetime(2026, 11, 30), 1],
                ["Leche en polvo", "kg", 2.5, None, 2],
            ],
        },
    )
    assert facts(read(path)) == [COUNTED, MILK, HANDED]


@pytest.mark.parametrize("separator", [";", ","])
def test_a_flat_csv_of_kobo_is_read_with_either_separator(tmp_path: Path, separator: str) -> None:
    header = ["date", "site", "kind", "good", "unit", "quantity", "meta/instanceID", "_submission_time"]
    row = [TODAY, "mill", "count", "flour", "saco", "30", "uuid:uuid-1", "2026-11-23T01:00:00"]
    text = "".join(separator.join(f'"{cell}"' for cell in cells) + "\n" for cells in (header, row))
    (tmp_path / "export.csv").write_text("\ufeff" + text, encoding="utf-8")
    assert facts(read(tmp_path / "export.csv")) == [COUNTED]


def test_an_archive_of_odk_central_is_joined_by_key(tmp_path: Path) -> None:
    main = (
        "SubmissionDate,start,report-date,report-site,report-kind,meta-instanceID,KEY,ReviewState\n"
        f"2026-11-23T01:00:00Z,,{TODAY},mill,count,uuid:changed,uuid:uuid-1,approved\n"
        f"2026-11-23T01:00:00Z,,{TODAY},school,handed_out,uuid:uuid-2,uuid:uuid-2,\n"
        f"2026-11-23T01:00:00Z,,{TODAY},school,handed_out,uuid:uuid-3,uuid:uuid-3,rejected\n"
    )
    items = (
        "good,unit,quantity,expires,PARENT_KEY,KEY\n"
        "flour,flour.saco,30,,uuid:uuid-1,uuid:uuid-1/items[1]\n"
        "milk,milk.litre,5,2026-11-30,uuid:uuid-1,uuid:uuid-1/items[2]\n"
        "milk_powder,milk_powder.kg,2.5,,uuid:uuid-2,uuid:uuid-2/items[1]\n"
        "milk_powder,milk_powder.kg,9,,uuid:uuid-3,uuid:uuid-3/items[1]\n"
    )
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("abasto_reports.csv", main)
        archive.writestr("abasto_reports-items.csv", items)
        archive.writestr("media/photo.jpg", b"\xff\xd8")
    found = read(tmp_path / "export.zip")
    assert facts(found) == [COUNTED, MILK, HANDED]
    assert found.left_out == ["abasto_reports-items.csv row 5: the submission was not approved"]


def test_without_a_question_for_the_date_the_day_it_was_filled_in_counts(tmp_path: Path) -> None:
    text = "start,site,kind,good,unit,quantity,_uuid,_submission_time\n"
    text += "2026-11-22T23:30:00.000-03:00,mill,count,flour,saco,30,uuid-1,2026-11-23T02:31:00\n"
    (tmp_path / "export.csv").write_text(text, encoding="utf-8")
    assert facts(read(tmp_path / "export.csv")) == [COUNTED]


def test_an_order_that_a_form_receives_is_one_step_with_all_its_goods(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "export.xlsx",
        {
            "reports": [MAIN, submission(1, "school", "received", order="jtbs h6ct")],
            "items": [ITEMS, item(1, 1, "flour", "saco", 2), item(2, 1, "milk", "litre", 0)],
        },
    )
    lines = (Line("flour", 100_000), Line("milk", 0))
    assert facts(read(path)) == [OrderReceived(ORDER, "school", lines, TODAY, ref="form:uuid-1/1")]


def test_what_is_wrong_in_an_export_is_said_with_sheet_and_row(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "export.xlsx",
        {
            "reports": [MAIN, submission(1, "mill", "count"), submission(2, "moon", "count", status="Not approved")],
            "items": [
                ITEMS,
                item(1, 1, "flowr", "kg", 30),
                item(2, 1, "flour", "kg", "2,5"),
                item(3, 7, "flour", "kg", 1),
                item(4, 2, "flour", "kg", 1),
            ],
        },
    )
    found = read(path)
    assert [str(finding) for finding in found.findings] == [
        'sheet items row 3, quantity: "2,5" — decimals take a point, not a comma; write 2.5.',
        'sheet items row 2, good: "flowr" — table goods has no such good; correct it, or set the good first. '
        'Did you mean "flour"?',
    ]
    assert found.left_out == [
        "sheet items row 4: the submission it belongs to (7) is not in this export",
        "sheet items row 5: the submission was not approved",
    ]


def test_a_submission_without_an_id_is_left_out_and_listed(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text(f"date,site,kind,good,unit,quantity,_uuid\n{TODAY},mill,count,flour,kg,1,\n")
    found = read(tmp_path / "export.csv")
    assert found.items == []
    assert found.left_out == ["export.csv row 2: the submission has no id, so that it cannot be told from others"]


def test_the_form_asks_for_what_the_reader_reads(tmp_path: Path) -> None:
    """What a person chooses on the form, under the names that it gives the choices, comes back as it was meant."""
    choices = form_sheets(HAMLET, title="Hamlet")["choices"]
    named = {(row[0], row[2], row[4]): row[1] for row in choices[1:]}
    for good in HAMLET.goods:
        form_name = named["good", good.name, ""]
        for label, unit in [(row[2], row[1]) for row in choices if row[0] == "unit" and row[4] == form_name]:
            path = workbook(
                tmp_path / "export.xlsx",
                {
                    "reports": [MAIN, submission(1, named["site", "Escuela", ""], "count")],
                    "items": [ITEMS, item(1, 1, form_name, unit, 3)],
                },
            )
            (fact,) = facts(read(path))
            assert isinstance(fact, StockCounted)
            pack = next((one for one in HAMLET.packs_of(good.id) if label.startswith(f"{one.name} (")), None)
            assert (fact.site, fact.good) == ("school", good.id)
            assert fact.quantity == 3 * (pack.quantity if pack else 1_000)


def test_the_form_is_a_workbook_of_an_xlsform(tmp_path: Path) -> None:
    content = form_bytes(HAMLET, title="Hamlet")
    assert content == form_bytes(HAMLET, title="Hamlet")
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["survey", "choices", "settings"]
    survey = [[cell.value for cell in row] for row in book["survey"].iter_rows()]
    types = [row[0] for row in survey[1:]]
    assert types.count("begin_repeat") == types.count("end_repeat") == 1
    lists = {row[0].split()[1] for row in survey[1:] if str(row[0]).startswith("select_one")}
    choices = [[cell.value for cell in row] for row in book["choices"].iter_rows()][1:]
    assert {row[0] for row in choices} == lists
    assert len({(row[0], row[1]) for row in choices}) == len(choices)
    settings = dict(zip(*[[cell.value for cell in row] for row in book["settings"].iter_rows()], strict=True))
    assert settings["form_id"] == "abasto_reports"
    changed = form_sheets(replace(HAMLET, packs=()), title="Hamlet")["settings"][1][2]
    assert changed != settings["version"]


def test_choices_that_would_be_called_alike_are_told_apart_and_read_back(tmp_path: Path) -> None:
    names = replace(
        HAMLET,
        sites=(SiteName("a b"), SiteName("a-b"), SiteName("村")),
        goods=(GoodName("x.y"), GoodName("x y")),
        packs=(Pack("x y", "big box", 5_000), Pack("x y", "big-box", 7_000)),
    )
    called = choice_names(site.id for site in names.sites)
    assert len(set(called.values())) == 3
    units = [row for row in form_sheets(names, title="N")["choices"] if row[0] == "unit"]
    goods = choice_names(good.id for good in names.goods)
    for row in units:
        (tmp_path / "export.csv").write_text(
            f"date,site,kind,good,unit,quantity,_uuid\n{TODAY},{called['村']},count,{row[4]},{row[1]},1,u\n"
        )
        found = gather_file(tmp_path / "export.csv", names=names, date=DAY, language="en")
        (fact,) = facts(found)
        assert isinstance(fact, StockCounted)
        assert (fact.site, goods[fact.good]) == ("村", row[4])
        assert fact.quantity == {"big box (5 kg)": 5_000, "big-box (7 kg)": 7_000}.get(row[2], 1_000)
