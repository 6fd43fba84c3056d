"""import, message and pack: what is shown, what is written, what is asked back, and that nothing counts twice."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook

from abasto.cli import main
from abasto.cli_home import open_home, read_state
from abasto.network import Fleet, Good, Lane, Network, RecipeLine, Site, Stock
from abasto.tables import write_network

VILLAGE = Network(
    "Village",
    date(2026, 11, 22),
    7,
    sites=(Site(site="mill", name="Molino"), Site(site="school", name="Escuela", people=100)),
    goods=(Good(good="flour", name="Harina"), Good(good="bread", name="Pan", shelf_life_days=2)),
    stocks=(Stock(site="mill", good="flour", quantity=500),),
    recipes=(
        RecipeLine(recipe="baking", good="flour", quantity=-80),
        RecipeLine(recipe="baking", good="bread", quantity=100),
    ),
    lanes=(Lane(from_site="mill", to_site="school", km=5),),
    fleets=(Fleet(fleet="van", vehicles=1, payload_t=1),),
)
DAY = ("--date", "2026-11-23")


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return a home with the village in it and a pack of flour; every command finds it."""
    write_network(VILLAGE, tmp_path / "village")
    assert run("init", tmp_path / "home", "--from", tmp_path / "village", "--clear", "--date", "2026-11-22") == 0
    monkeypatch.setenv("ABASTO_HOME", str(tmp_path / "home"))
    assert run("pack", "flour", "saco", "50", *DAY) == 0
    capsys.readouterr()
    return tmp_path / "home"


def balance(home: Path, site: str, good: str) -> int:
    with open_home(home) as opened:
        return sum(read_state(opened).books.balance(site, good).values())


def entries(home: Path) -> int:
    with open_home(home) as opened:
        return opened.journal.store.count()


# message


def test_a_message_that_is_clear_is_written_and_said_back(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("message", "HARINA 8 SACOS", "--site", "Molino", *DAY) == 0
    shown = capsys.readouterr().out
    assert "2026-11-23, Molino: recuento: Harina 400 kg" in shown
    assert "flour at mill: 500 kg before, 400 kg after" in shown
    assert "abasto undo" in shown
    assert balance(home, "mill", "flour") == 400_000


def test_a_message_in_doubt_is_asked_back_and_nothing_is_written(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = entries(home)
    assert run("message", "HARINA 30", "--site", "mill", *DAY) == 1
    assert capsys.readouterr().out.splitlines() == [
        "30 what, of Harina: kg / saco?",
        "  → HARINA 30 kg",
        "  → HARINA 30 saco",
    ]
    assert run("message", "quedan 30 de harina", "--site", "mill", "--json", *DAY) == 1
    assert json.loads(capsys.readouterr().out)["doubtful"][0]["question"] == "¿30 qué, de Harina: kg / saco?"
    assert entries(home) == before


def test_a_message_that_leaves_less_than_nothing_is_written_with_a_warning(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("message", "escuela: entregue pan 20", *DAY) == 0
    said = capsys.readouterr()
    assert "−20 kg after, BELOW ZERO" in said.out
    assert "written although doubtful" in said.err


def test_a_second_count_of_a_day_is_no_count_at_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("message", "mill: flour 8 sacks", *DAY) == 0
    assert run("message", "mill: flour 7 sacks", *DAY) == 0
    assert capsys.readouterr().err == ""
    assert balance(home, "mill", "flour") == 350_000


# import


def test_messages_are_shown_first_then_written_all_and_never_twice(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "messages.txt"
    file.write_text("mill: harina 8 sacos\nmill: hice pan 100\n", encoding="utf-8")
    before = entries(home)
    assert run("import", file, *DAY) == 0
    shown = capsys.readouterr().out
    assert "line 1: 2026-11-23, Molino: recuento: Harina 400 kg" in shown
    assert "flour at mill: 500 kg before, 320 kg after" in shown
    assert "bread at mill: nothing known before, 100 kg after" in shown
    assert shown.splitlines()[-1] == "Dry run: 2 reports would be written. To write them, the same again with --yes."
    assert entries(home) == before
    assert run("import", file, "--yes", *DAY) == 0
    assert "Wrote 2 reports, all in one." in capsys.readouterr().out
    assert (balance(home, "mill", "flour"), balance(home, "mill", "bread")) == (320_000, 100_000)
    with file.open("a") as more:
        more.write("mill: hice pan 100\n")
    assert run("import", file, "--yes", *DAY) == 0
    assert "not written again: line 1, line 2" in capsys.readouterr().out
    assert balance(home, "mill", "bread") == 200_000
    assert entries(home) == before + 3


def test_one_line_in_doubt_stops_all_unless_it_is_left_out(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "messages.txt"
    file.write_text("harina 8 sacos\nharina 30\n", encoding="utf-8")
    before = entries(home)
    assert run("import", file, "--site", "mill", "--yes", *DAY) == 1
    shown = capsys.readouterr().out
    assert 'In doubt: line 2 "harina 30"\n  30 what, of Harina: kg / saco?\n  → harina 30 kg\n' in shown
    assert "Nothing was written: 1 in doubt; answer them, or leave them out with --skip-doubtful." in shown
    assert entries(home) == before
    assert run("import", file, "--site", "mill", "--yes", "--skip-doubtful", *DAY) == 0
    assert "Wrote 1 report, all in one; 1 in doubt left out." in capsys.readouterr().out
    assert entries(home) == before + 1


def test_one_row_that_is_wrong_stops_all_even_with_skip_doubtful(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "reports.csv"
    file.write_text(
        "date,site,kind,good,quantity,unit\n2026-11-23,mill,count,flour,8,saco\n2026-11-23,mil,count,flour,8,saco\n"
    )
    before = entries(home)
    assert run("import", file, "--yes", "--skip-doubtful") == 1
    shown = capsys.readouterr().out
    assert 'error: reports.csv row 3, site: "mil" — table sites has no such site' in shown
    assert "Nothing was written: 1 error; mend them and import again." in shown
    assert entries(home) == before


def test_standard_input_is_read_as_messages(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("mill: harina 8 sacos\n"))
    assert run("import", "-", "--yes", *DAY) == 0
    assert balance(home, "mill", "flour") == 400_000


def export(path: Path, quantity: float) -> Path:
    path.write_text(
        "date,site,kind,good,unit,quantity,_uuid\n"
        f"2026-11-23,mill,count,flour,flour.saco,{quantity},uuid-1\n2026-11-23,mill,made,bread,bread.kg,100,uuid-2\n"
    )
    return path


def test_a_second_import_of_an_export_changes_nothing_and_says_what_was_corrected_since(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("import", export(tmp_path / "export.csv", 8), "--yes") == 0
    before = entries(home)
    capsys.readouterr()
    assert run("import", export(tmp_path / "export.csv", 8), "--yes") == 0
    said = capsys.readouterr()
    assert said.out.endswith("There is nothing new to write.\n")
    assert said.err == ""
    assert run("import", export(tmp_path / "export.csv", 9), "--yes") == 0
    assert "export.csv row 2 is in the journal with other figures" in capsys.readouterr().err
    assert entries(home) == before
    assert balance(home, "mill", "flour") == 320_000


def test_an_import_says_in_json_what_it_would_write(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("import", export(tmp_path / "export.csv", 8), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["written"] == 0
    assert [fact["kind"] for fact in document["facts"]] == ["stock.counted", "goods.made"]
    assert document["facts"][0]["quantity"] == 400_000
    assert document["books"][1] == {"site": "mill", "good": "flour", "unit": "kg", "before": 500.0, "after": 320.0}


def test_tables_of_the_format_become_the_journal_s(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    village = tmp_path / "village"
    assert run("import", village, *DAY) == 0
    assert "nothing new to write" in capsys.readouterr().out
    (village / "sites.csv").write_text("site,name,people\nmill,Molino,\nschool,Escuela,150\n", encoding="utf-8")
    assert run("import", village, *DAY) == 0
    shown = capsys.readouterr().out
    assert "sites, set: site school, name Escuela, people 150" in shown
    assert "Dry run: 1 change would be written." in shown
    assert run("import", village, "--yes", *DAY) == 0
    with open_home(home) as opened:
        assert read_state(opened).rows.cell("sites", "people", "school") == "150"
    (village / "stocks.csv").write_text("site,good,quantity\nmill,flour,450\n", encoding="utf-8")
    capsys.readouterr()
    assert run("import", village, *DAY) == 0
    shown = capsys.readouterr().out
    assert "count: 450 of flour at mill" in shown
    assert "flour at mill: 500 kg before, 450 kg after" in shown
    (village / "lanes.csv").write_text("from,to\nmill,scool\n", encoding="utf-8")
    assert run("import", village, "--yes", *DAY) == 1
    assert 'lanes.csv row 2, to: "scool"' in capsys.readouterr().err


def test_a_form_is_written_once_and_its_choices_are_the_network_s(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("import", "--form", tmp_path / "form.xlsx") == 0
    assert "2 sites, 2 goods with 1 packs" in capsys.readouterr().out
    choices = [[cell.value for cell in row] for row in load_workbook(tmp_path / "form.xlsx")["choices"].iter_rows()]
    assert ["unit", "flour.saco", "saco (50 kg)", "saco (50 kg)", "flour"] in choices
    assert run("import", "--form", tmp_path / "form.xlsx") == 2
    assert "this file exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import"], "say what to take in"),
        (["import", "FILE", "--form", "x.xlsx"], "say what to take in"),
        (["import", "nowhere.csv"], '"nowhere.csv": there is no such file or folder'),
        (["import", "FILE.pdf"], "reports come in files that end in .txt, .csv, .xlsx, .xlsm, .ods, .zip"),
        (["import", "FILE", "--site", "mil"], 'unknown site "mil"; there are: mill, school. Did you mean "mill"?'),
        (["import", "FILE", "--language", "fr"], "--language"),
        (["import", "--form", "form.csv"], "a form is a workbook"),
        (["message", "harina 3 kg", "--site", "mil"], 'unknown site "mil"'),
        (["pack", "flower", "saco", "50"], 'unknown good "flower"; there are: flour, bread. Did you mean "flour"?'),
        (["pack", "flour", "saco", "0"], "0"),
        (["pack", "flour", "saco", "2,5"], "2,5"),
        (["pack", "flour", "  ", "50"], "the pack has no name"),
    ],
)
def test_wrong_use_exits_with_2_and_says_what_to_do(
    arguments: list[str], words: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "FILE").write_text("")
    for name in ("FILE.txt", "FILE.pdf"):
        (tmp_path / name).write_text("")
    named = [str(tmp_path / ("FILE.txt" if one == "FILE" else one)) if one.startswith("FILE") else one
             for one in arguments]  # fmt: skip
    before = entries(home)
    assert run(*named) == 2
    assert words in capsys.readouterr().err
    assert entries(home) == before


# pack


def test_a_unit_is_no_pack(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("kg", "KG", "g", "kilos"):
        assert run("pack", "Harina", name, "50", *DAY) == 2
        assert f'"{name}" is a unit, and flour is measured in it already' in capsys.readouterr().err
    assert run("set", "packs", "good=flour", "pack=kg", "quantity=50", *DAY) == 2
    assert run("pack", "Harina", "litre", "0.6", *DAY) == 0
    assert run("message", "mill: 30 kg flour", *DAY) == 0
    assert balance(home, "mill", "flour") == 30_000


def test_a_pack_is_set_changed_and_used(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pack", "Harina", "saco", "50", *DAY) == 0
    assert capsys.readouterr().out == "Nothing to write: one saco of flour is 50 kg already.\n"
    assert run("pack", "Harina", "saco", "25", *DAY) == 0
    assert "One saco of flour is 25 kg (before: 50)." in capsys.readouterr().out
    assert run("message", "mill: 4 sacks of flour", *DAY) == 0
    assert balance(home, "mill", "flour") == 100_000
