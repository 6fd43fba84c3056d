"""What a journal shows: figures with their age, movements that add up, stories, and what is to be settled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homes import DAY, entries_of, new_home, printed, run, state_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    made = new_home(tmp_path, monkeypatch)
    capsys.readouterr()
    return made


def report(*arguments: str, on: str = DAY) -> None:
    assert run(*arguments, "--date", on) == 0


# stock


def test_stock_shows_the_oldest_first_with_age_and_kind(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report("count", "Mill", "flour", "1390", on="2027-03-03")
    report("handout", "Market", "milk", "10", on="2027-03-02")
    capsys.readouterr()
    assert run("stock", "--date", "2027-03-06") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Neighbourhood on 2027-03-06: 5 figures, the oldest first"
    assert [line.split("  ")[1].strip() for line in lines[2:7]] == [
        "Clinic", "North bakery", "South bakery", "Market", "Mill",
    ]  # fmt: skip
    assert lines[6].split() == ["Mill", "flour", "1,390", "kg", "counted", "3", "days", "ago", "3", "days", "ago"]
    assert "estimated" in lines[2]
    assert "spoiled after 2027-03-03: 90 litre milk at Market; book it: abasto lose Market milk 90 --lot" in lines[-1]
    # What is proposed there can be typed as it stands.
    words = lines[-1].partition("abasto ")[2].split()
    report(*words, on="2027-03-06")
    assert state_of(home).books.balance("Market", "milk") == {}


def test_stock_as_json_is_what_the_books_say(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report("receive", "Market", "milk", "12.5", on="2027-03-02")
    capsys.readouterr()
    assert run("stock", "market", "--date", "2027-03-02", "--soon", "3", "--json") == 0
    document = printed(capsys)
    [figure] = document["figures"]
    books = state_of(home).books.balance("Market", "milk")
    assert figure["quantity"] == sum(books.values()) / 1000 == 112.5
    assert {lot["lot"]: lot["quantity"] for lot in figure["lots"]} == {"2027-03-03": 100, "2027-03-05": 12.5}
    assert [row["lot"] for row in document["expiring"]] == ["2027-03-03", "2027-03-05"]
    assert figure["kind"] == "computed"
    assert run("stock", "market", "--date", "2027-03-02", "--soon", "1", "--json") == 0
    assert [row["lot"] for row in printed(capsys)["expiring"]] == ["2027-03-03"]


def test_stock_of_nothing_says_how_to_report_some(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stock", "Hill") == 0
    assert "Report some: abasto count SITE GOOD QUANTITY" in capsys.readouterr().out
    assert run("stock", "--soon", "-1") == 2
    assert "--soon -1: give a number of days from 0 up" in capsys.readouterr().err


# ledger


def test_ledger_adds_up_line_by_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report("receive", "Mill", "flour", "300", on="2027-03-02")
    report("lose", "Mill", "flour", "12.25", "--cause", "mice", on="2027-03-03")
    report("count", "Mill", "flour", "1600", on="2027-03-04")
    report("handout", "Mill", "flour", "80", on="2027-03-03")  # late: the count saw it
    capsys.readouterr()
    assert run("ledger", "mill", "flour", "--date", "2027-03-04", "--json") == 0
    document = printed(capsys)
    total = 0.0
    for movement in document["movements"]:
        total += movement["change"]
        assert movement["balance"] == pytest.approx(total)
        assert sum(lot["quantity"] for lot in movement["lots"]) == pytest.approx(total)
    assert total == 1600
    assert [movement["why"] for movement in document["movements"]] == [
        "opening", "taken in", "lost", "handed out", "counted less", "count explained",
    ]  # fmt: skip
    assert document["figure"]["quantity"] == 1600
    # What is left unexplained is what the count lacks once the late report is known: 1,687.75 less 80 less 1,600.
    unexplained = [move["change"] for move in document["movements"] if move["other"]["account"] == "unexplained"]
    assert sum(unexplained) == pytest.approx(-7.75)
    assert run("ledger", "mill", "flour", "--date", "2027-03-04") == 0
    shown = capsys.readouterr().out
    assert "counted less     unexplained  undated" in shown
    assert shown.splitlines()[-1].startswith("Now 1,600 kg, counted")
    assert run("ledger", "Mill", "bread") == 0
    assert "Report some: abasto count Mill bread QUANTITY" in capsys.readouterr().out


# history


def written(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Report something, and return its entry's code."""
    capsys.readouterr()
    assert run(*arguments, "--json") == 0
    code: str = printed(capsys)["code"]
    return code


def test_history_finds_things_by_name_and_by_code(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = written(capsys, "lose", "Market", "milk", "5", "--cause", "sour", "--date", "2027-03-02")
    story = "lost 5 litre of milk at Market (sour)"
    for thing in (
        ["Market"],
        ["milk"],
        ["Market", "milk"],
        ["milk", "--lot", "2027-03-03"],
        [code],
        [code[:4].lower()],
    ):
        assert run("history", *thing) == 0
        assert story in capsys.readouterr().out, thing
    assert run("history", "Market", "milk", "--lot", "none") == 0
    assert "Nothing has been reported about milk at Market yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("Markte",), 'Did you mean "Market"?'),
        (("milk", "Market"), '"milk" is no site'),
        (("Market", "--lot", "2027-03-03"), "name the good whose lot this is"),
        (("Market", "milk", "--lot", "soon"), '--lot "soon": this is no date'),
    ],
)
def test_history_of_what_is_not_there_says_so(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert run("history", *arguments) == 2
    assert words in capsys.readouterr().err


# exceptions


def exceptions(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run("exceptions", "--date", "2027-03-05", "--json", *arguments) == 0
    found: list[dict[str, Any]] = printed(capsys)["exceptions"]
    return found


def test_an_exception_stands_until_it_is_settled_and_can_be_read_after(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exceptions(capsys) == []
    assert run("exceptions") == 0
    assert capsys.readouterr().out == "Nothing is to be settled.\n"
    report("count", "Mill", "flour", "900", on="2027-03-04")
    [one] = exceptions(capsys)
    assert (one["kind"], one["about"]) == ("discrepancy", "Mill/flour")
    assert run("exceptions", "--settle", one["code"]) == 2
    assert "settling takes both" in capsys.readouterr().err
    assert run("exceptions", "--settle", "0000", "--note", "found") == 1
    assert run("exceptions", "--settle", one["code"], "--note", "weighed again", "--date", "2027-03-05") == 0
    assert f"Settled {one['code']}" in capsys.readouterr().out
    assert exceptions(capsys) == []
    [settled] = exceptions(capsys, "--settled")
    assert settled["id"] == one["id"]
    # Another count that differs is another matter.
    report("count", "Mill", "flour", "500", on="2027-03-05")
    assert [again["id"] == one["id"] for again in exceptions(capsys)] == [False]


def test_a_long_list_of_exceptions_is_cut_and_says_so(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("abasto.cli_ledger.MOST_LISTED", 1)
    report("count", "Mill", "flour", "900", on="2027-03-04")
    report("count", "North bakery", "flour", "100", on="2027-03-05")
    capsys.readouterr()
    assert run("exceptions", "--date", "2027-03-05") == 0
    shown = capsys.readouterr().out
    assert "2 exceptions to be settled, latest first" in shown
    assert "North bakery counted 100 kg" in shown
    assert "Mill counted" not in shown
    assert "… and 1 more, earlier ones; --json lists them all." in shown


def test_what_is_known_to_be_wrong_makes_no_report_doubtful_anew(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("handout", "Clinic", "milk powder", "8", "--date", DAY, "--yes") == 0
    assert [one["kind"] for one in exceptions(capsys)] == ["below zero"]
    report("receive", "Clinic", "milk powder", "1")
    assert run("handout", "Clinic", "milk powder", "1", "--date", DAY) == 1
    assert "the books have -3 kg" in capsys.readouterr().err
    report("count", "Clinic", "milk powder", "4")
    assert state_of(home).books.balance("Clinic", "milk powder") == {"": 4_000}
    assert "below zero" not in [one["kind"] for one in exceptions(capsys)]


def test_what_only_shows_writes_nothing(home: Path) -> None:
    before = (home / "journal.db").read_bytes(), entries_of(home)
    for command in (["stock"], ["ledger", "Mill", "flour"], ["history", "Mill"], ["exceptions"], ["plan"], ["verify"]):
        assert run(*command) == 0
    assert ((home / "journal.db").read_bytes(), entries_of(home)) == before
