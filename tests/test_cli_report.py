"""The reports of sites: what is booked, what is said of it, and what is looked at twice."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from abasto import cli_home
from abasto.facts.codes import code_of
from abasto.facts.kinds import Line, OrderIssued
from abasto.journal.home import Home
from homes import DAY, entries_of, new_home, printed, run, state_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    made = new_home(tmp_path, monkeypatch)
    capsys.readouterr()
    return made


def test_a_count_is_booked_and_its_difference_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("count", "mill", "FLOUR", "1390.5", "--date", DAY) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Counted: 1,390.5 kg of flour at Mill on 2027-03-01."
    assert said[1] == "  flour at Mill: 1,400 kg before, 1,390.5 kg now"
    assert said[2] == "  9.5 kg missing of what the books had; it stands as a discrepancy"
    assert said[3].startswith("Entry ")
    assert state_of(home).books.balance("Mill", "flour") == {"": 1_390_500}


@pytest.mark.parametrize(
    ("arguments", "place", "now"),
    [
        (("receive", "Mill", "flour", "30"), ("Mill", "flour"), {"": 1_430_000}),
        (("receive", "Market", "milk", "30"), ("Market", "milk"), {"2027-03-03": 100_000, "2027-03-05": 30_000}),
        (("receive", "Market", "milk", "30", "--lot", "none"), ("Market", "milk"), {"2027-03-03": 100_000, "": 30_000}),
        (("handout", "Clinic", "milk powder", "2", "kg"), ("Clinic", "milk powder"), {"": 3_000}),
        (("lose", "Market", "milk", "40.25", "--cause", "sour"), ("Market", "milk"), {"2027-03-03": 59_750}),
        (("lose", "Mill", "flour", "500g"), ("Mill", "flour"), {"": 1_399_500}),
        (("count", "Mill", "flour", "0"), ("Mill", "flour"), {}),
        (("count", "Mill", "flour", "1.2 t"), ("Mill", "flour"), {"": 1_200_000}),
    ],
)
def test_every_report_moves_what_it_says(
    home: Path, arguments: tuple[str, ...], place: tuple[str, str], now: dict[str, int]
) -> None:
    assert run(*arguments, "--date", "2027-03-02") == 0
    books = state_of(home).books
    assert books.balance(*place) == now
    assert books.unbalanced() == {}


def test_packs_are_understood_once_they_are_known(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("receive", "Mill", "flour", "3", "sacos", "--date", DAY) == 2
    assert '"sacos": no such unit or pack of flour is known; there are: kg.' in capsys.readouterr().err
    assert run("set", "packs", "good=flour", "pack=saco", "quantity=50", "--date", DAY) == 0
    assert run("receive", "Mill", "flour", "3", "sacos", "--date", DAY) == 0
    assert state_of(home).books.balance("Mill", "flour") == {"": 1_550_000}


def test_what_was_made_follows_the_recipe_but_for_what_was_otherwise(home: Path) -> None:
    # A batch makes 100 kg of bread of 80 kg of flour; 1.5 batches took 130 kg in place of 120, and left 5 kg of milk.
    assert run("make", "North bakery", "baking", "1.5", "--line", "flour=130", "--line", "milk=5", "--date", DAY) == 0
    books = state_of(home).books
    assert books.balance("North bakery", "flour") == {"": 110_000}
    assert books.balance("North bakery", "bread") == {"2027-03-03": 150_000}
    assert books.balance("North bakery", "milk") == {"2027-03-04": 5_000}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("handout", "Clinic", "milk powder", "8"), "the books have -3 kg of milk powder at Clinic"),
        (("count", "Mill", "flour", "14001"), "10 times as much flour as Mill is known to have or use"),
        (("receive", "Dairy", "milk", "4001"), "10 times as much milk as Dairy is known to have or use"),
        (("count", "Hill", "bread", "48001"), "this is as much bread as Hill needs in 300 days"),
        (("make", "North bakery", "baking", "4"), "the books have -80 kg of flour at North bakery"),
        (("count", "Mill", "flour", "1390", "--date", "2028-03-01"), "2028-03-01"),
    ],
)
def test_what_is_doubtful_is_booked_only_when_said_twice(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    dated = arguments if "--date" in arguments else (*arguments, "--date", DAY)
    before = entries_of(home)
    assert run(*dated) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"doubtful: {'' if words[0].isdigit() else words}" in said.err
    assert words in said.err
    assert "nothing was booked" in said.err
    assert entries_of(home) == before
    assert run(*dated, "--yes") == 0
    assert words in capsys.readouterr().err
    assert entries_of(home) == before + 1


def test_what_an_order_brings_is_not_taken_in_from_outside(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line("flour", 30_000)
    order = OrderIssued("Mill", "South bakery", "mill van", 1, DAY, DAY, (line,), DAY)
    with Home.open(home, passphrase=None) as opened:
        [entry] = opened.journal.append([order], time=0)
    assert run("receive", "South bakery", "flour", "30", "--date", DAY) == 1
    assert f"if this is it, book it by: abasto orders receive {code_of(entry.id)}" in capsys.readouterr().err
    assert run("orders", "receive", code_of(entry.id), "--date", DAY) == 0
    assert state_of(home).books.balance("South bakery", "flour") == {"": 190_000}
    assert run("receive", "South bakery", "flour", "30", "--date", DAY) == 0  # nothing is on its way there any more


def test_a_site_that_was_dropped_is_doubtful(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("drop", "sites", "site=Park", "--yes", "--date", DAY) == 0
    assert run("count", "Park", "flour", "3", "--date", DAY) == 1
    assert "site Park, whose row was dropped" in capsys.readouterr().err
    assert run("count", "Park", "flour", "3", "--date", DAY, "--yes") == 0
    assert state_of(home).books.balance("Park", "flour") == {"": 3_000}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("count", "Mil", "flour", "3"), 'unknown site "Mil"; there are: Mill, Dairy'),
        (
            ("count", "Mill", "flower", "3"),
            'unknown good "flower"; there are: flour, bread, milk, milk powder. Did you',
        ),
        (("make", "Mill", "bakin", "3"), 'unknown recipe "bakin"; there are: baking.'),
        (("count", "Mill", "flour", "1,390"), '"1,390": a comma may be a decimal mark or not'),
        (("count", "Mill", "flour", "1.0005"), "1.0005 is finer than a thousandth"),
        (("count", "Mill", "flour", "0.5 g"), '"0.5 g": that is finer than a thousandth of a kg'),
        (("count", "Mill", "flour", "-5"), '"-5": what is counted cannot be below 0'),
        (("receive", "Mill", "flour", "0"), '"0": what is booked must be above 0'),
        (("count", "Mill", "flour", "many"), '"many": this is no quantity'),
        (("count", "Mill", "flour", "3kg", "sacks"), '"3kg" and "sacks" are two units'),
        (("count", "Mill", "flour", "3", "litres"), '"litres": no such unit or pack of flour is known'),
        (("count", "Mill", "flour", "3", "--date", "1/3/2027"), '--date "1/3/2027": this is no date'),
        (("count", "Mill", "flour", "3", "--lot", "soon"), '--lot "soon": this is no date'),
        (("make", "North bakery", "baking", "1", "--line", "flour"), '--line "flour": write the good, an equals sign'),
        (("make", "North bakery", "baking", "1kg"), '"kg": only a number is expected here'),
    ],
)
def test_what_cannot_be_understood_says_what_to_write(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    before = entries_of(home)
    assert run(*arguments) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""
    assert entries_of(home) == before


def test_json_says_what_was_booked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("handout", "Market", "milk", "1.5", "--date", DAY, "--json") == 0
    document = printed(capsys)
    assert document["kind"] == "goods.handed_out"
    assert document["body"] == {"site": "Market", "good": "milk", "quantity": 1500, "date": DAY}
    [books] = document["books"]
    assert (books["before"], books["after"], books["unit"]) == (100, 98.5, "litre")
    assert books["lots"] == {"2027-03-03": 98.5}
    assert document["doubts"] == []
    assert entries_of(home) == 62


def test_ctrl_c_waits_until_it_was_said_what_was_booked(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    append = cli_home.write

    def pressed(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return append(*arguments)

    monkeypatch.setattr("abasto.cli_report.write", pressed)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background it is ignored
    try:
        assert run("count", "Mill", "flour", "1390", "--date", DAY) == 0
        assert "1,390 kg now" in capsys.readouterr().out
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_home_is_the_current_folder_if_it_holds_a_journal(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ABASTO_HOME")
    assert run("count", "Mill", "flour", "1390", "--date", DAY) == 2
    assert "there is no journal in this folder; name its folder with --home" in capsys.readouterr().err
    monkeypatch.chdir(home)
    assert run("count", "Mill", "flour", "1390", "--date", DAY) == 0
    assert run("count", "Mill", "flour", "1390", "--home", home / "nowhere") == 2
    assert "no journal is there" in capsys.readouterr().err
