"""The empty workbook to fill in, and the reference of the format."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from abasto.errors import AbastoError
from abasto.network import TABLES, Lane, Network, Site, Stock
from abasto.planner.plan import PLAN_TABLES
from abasto.tables import check_path, format_reference, read_network, write_template


def test_empty_template_lacks_the_row_of_the_network_and_nothing_else(tmp_path: Path) -> None:
    write_template(tmp_path / "template.xlsx")
    network, findings = check_path(tmp_path / "template.xlsx")
    assert network is None
    assert [(finding.table, finding.message) for finding in findings] == [("network", "table network has no row")]


def test_template_has_a_sheet_per_table_and_help_on_every_column(tmp_path: Path) -> None:
    write_template(tmp_path / "template.xlsx")
    workbook = openpyxl.load_workbook(tmp_path / "template.xlsx")
    assert workbook.sheetnames == [schema.name for schema in TABLES]
    for schema in TABLES:
        sheet = workbook[schema.name]
        assert sheet.freeze_panes == "A2"
        assert [cell.value for cell in sheet[1]] == [column.name for column in schema.columns]
        messages = {
            rule.promptTitle: rule.prompt for rule in sheet.data_validations.dataValidation if rule.showInputMessage
        }
        for cell, column in zip(sheet[1], schema.columns, strict=True):
            assert cell.font.bold
            assert column.help[1:] in cell.comment.text
            assert column.help[1:] in messages[column.name]


def test_template_offers_ids_and_choices_to_choose_from(tmp_path: Path) -> None:
    write_template(tmp_path / "template.xlsx")
    workbook = openpyxl.load_workbook(tmp_path / "template.xlsx")

    def offered(table: str, column: str) -> str:
        rules = workbook[table].data_validations.dataValidation
        (rule,) = (rule for rule in rules if rule.promptTitle == column)
        assert rule.type == "list"
        assert rule.errorStyle == "warning"
        return str(rule.formula1)

    assert offered("stocks", "site") == "sites!$A$2:$A$2000"
    assert offered("lanes", "to") == "sites!$A$2:$A$2000"
    assert offered("fleets", "fuel") == "goods!$A$2:$A$2000"
    assert offered("requirements", "nutrient") == "nutrients!$B$2:$B$2000"
    assert offered("plants", "recipe") == "recipes!$A$2:$A$2000"
    assert offered("lanes", "two_way") == '"yes,no"'
    assert offered("costs", "kind") == '"buy,lane"'
    assert offered("disruptions", "kind") == '"site,lane,fleet,plant,supply"'


def test_template_filled_in_is_read_right(tmp_path: Path) -> None:
    write_template(tmp_path / "template.xlsx")
    workbook = openpyxl.load_workbook(tmp_path / "template.xlsx")

    def fill(table: str, **cells: object) -> None:
        sheet = workbook[table]
        row = sheet.max_row + 1
        for cell in sheet[1]:
            if cell.value in cells:
                sheet.cell(row, cell.column, cells[cell.value])

    fill("network", name="Barrio", start=date(2026, 11, 22), days=7)
    fill("sites", site="mill")
    fill("sites", site="007", people=400)
    fill("goods", good="flour")
    fill("stocks", site="mill", good="flour", quantity=12.5, expires=date(2026, 12, 1))
    fill("lanes", **{"from": "mill", "to": "007"}, km=12, two_way="no", mode="foot")
    workbook.save(tmp_path / "filled.xlsx")
    network = read_network(tmp_path / "filled.xlsx")
    assert network.sites == (Site(site="mill"), Site(site="007", people=400))
    assert network.stocks == (Stock(site="mill", good="flour", quantity=12.5, expires=date(2026, 12, 1)),)
    assert network.lanes == (Lane(from_site="mill", to_site="007", km=12, two_way=False, mode="foot"),)
    assert (network.name, network.start, network.days) == ("Barrio", date(2026, 11, 22), 7)
    assert isinstance(network, Network)


def test_template_is_a_workbook_whose_bytes_do_not_depend_on_the_clock(tmp_path: Path) -> None:
    write_template(tmp_path / "one.xlsx")
    write_template(tmp_path / "two.xlsx")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    with pytest.raises(AbastoError, match=r"template\.csv: the template is a workbook"):
        write_template(tmp_path / "template.csv")


def test_reference_names_every_column_with_its_meaning_and_default() -> None:
    lines = format_reference(PLAN_TABLES).splitlines()
    for table in (*TABLES, *PLAN_TABLES):
        assert f"### {table.name}" in lines
    for schema in TABLES:
        for column in schema.columns:
            name = f"**{column.name}**" if column.required else column.name
            blank = "required" if column.required else column.default_text
            (_,) = {
                line
                for line in lines
                if line.startswith(f"| {name} | {column.help} | {column.unit} |") and line.endswith(f"| {blank} |")
            }
    assert "| tonnes | most it carries in each direction | tonnes a day | number, 0 or more | unlimited |" in lines
    assert "| **site** | where it lies |  | id from `sites` | required |" in lines
    assert all(line.count("|") == 6 for line in lines[: lines.index("## What a plan writes")] if line.startswith("|"))
