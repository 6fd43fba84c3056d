"""The command `report`: from a journal, from tables, with a plan or none, and what it refuses."""

from __future__ import annotations

import io
from pathlib import Path

import pypdf
import pytest

import abasto
from homes import DAY, entries_of, new_home, run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    made = new_home(tmp_path, monkeypatch)
    capsys.readouterr()
    return made


def sheets(file: Path) -> str:
    """Return the text of a PDF, its blanks made plain."""
    return " ".join(
        " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(file.read_bytes())).pages).split()
    )


def test_report_of_the_journal_shows_orders_alarms_and_how_old_it_is(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("orders", "issue", "--yes", "--date", DAY) == 0
    before = entries_of(home)
    out = tmp_path / "meeting.pdf"
    capsys.readouterr()
    assert run("report", "--out", out, "--date", "2027-03-02") == 0
    assert capsys.readouterr().out == f"The report is {out}.\n"
    said = sheets(out)
    assert "Neighbourhood: the situation on Tuesday, March 2, 2027" in said
    assert "Has not left: bread, Hill" in said
    assert "5 figures of stock are known; the oldest was last reported yesterday" in said
    assert f"The journal had {before} entries" in said
    assert entries_of(home) == before, "it writes nothing into the journal"


@pytest.mark.parametrize(("code", "direction"), [("es", "ltr"), ("ar", "rtl")])
def test_report_speaks_the_language_that_is_asked_for(home: Path, tmp_path: Path, code: str, direction: str) -> None:
    out = tmp_path / "informe.html"
    assert run("report", "--out", out, "--language", code, "--no-plan", "--date", DAY) == 0
    html = out.read_text(encoding="utf-8")
    assert f'<html lang="{code}" dir="{direction}">' in html
    assert "How long it lasts" not in html


def test_report_of_tables_says_that_they_do_not_tell_how_old_they_are(tmp_path: Path) -> None:
    out = tmp_path / "meeting.html"
    assert run("report", abasto.example_path("neighbourhood"), "--scenario", "lockout", "--out", out) == 0
    html = out.read_text(encoding="utf-8")
    assert "Made from tables" in html
    assert "It is made for the scenario lockout." in html
    assert "The journal had" not in html


def test_report_shows_a_plan_that_was_made_before(home: Path, tmp_path: Path) -> None:
    folder, fresh, shown = tmp_path / "plan", tmp_path / "fresh.html", tmp_path / "shown.html"
    assert run("plan", "--date", DAY, "--out", folder, "--fairness", "0") == 0
    assert run("report", "--date", DAY, "--plan", folder, "--out", shown) == 0
    assert run("report", "--date", DAY, "--fairness", "0", "--out", fresh) == 0
    parts = [file.read_text(encoding="utf-8").partition("How far needs are met")[2] for file in (shown, fresh)]
    assert parts[0].partition("How long it lasts")[0] == parts[1].partition("How long it lasts")[0]


def test_a_plan_of_other_needs_is_refused(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "plan"
    assert run("plan", "--date", DAY, "--out", folder) == 0
    assert run("set", "rations", "good=bread", "quantity=0.3", "--date", DAY) == 0
    capsys.readouterr()
    out = tmp_path / "meeting.html"
    assert run("report", "--date", DAY, "--plan", folder, "--out", out) == 1
    assert "the needs are not those of the network" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "meeting.docx"), "give a name that ends in .html or .pdf"),
        (("--out", "."), "give a name that ends in .html or .pdf"),
        (("--out", "folder.pdf"), "this is a folder"),
        (("--out", "nowhere/x/meeting.pdf", "--gap", "0"), "cannot be planned with"),
        (("--out", "a.pdf", "--plan", "p", "--no-plan"), "give one of them"),
        (("--out", "a.pdf", "--no-plan", "--scenario", "lockout"), "leave out the options of planning"),
        (("--out", "a.pdf", "--scenario", "lockdown"), 'Did you mean "lockout"?'),
        ((), "--out"),
    ],
)
def test_report_says_what_it_cannot_do_before_it_plans(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.pdf").mkdir()
    assert run("report", *arguments) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.glob("*.pdf")) == [tmp_path / "folder.pdf"]


def test_tables_have_no_days_of_a_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = abasto.example_path("neighbourhood")
    assert run("report", tables, "--out", tmp_path / "a.html", "--date", DAY) == 2
    assert "only a journal has days" in capsys.readouterr().err


def test_signs_that_cannot_be_printed_are_told(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("set", "goods", "good=bread", "name=Bread \u0378", "--date", DAY) == 0
    capsys.readouterr()
    assert run("report", "--out", tmp_path / "a.pdf", "--no-plan", "--date", DAY) == 0
    told = capsys.readouterr().err
    assert "no font on this machine has these signs" in told
    assert "write HTML instead" in told
