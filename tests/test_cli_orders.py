"""`abasto orders` as a dispatcher uses it: proposed, signed, driven, received with a difference, cancelled."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from abasto.cli import EXIT_INPUT, EXIT_OK, EXIT_USAGE, main
from abasto.cli_home import open_home, read_state
from abasto.cli_orders import orders
from abasto.examples import example_path

ROOT = Path(__file__).resolve().parent.parent
DAY = ["--date", "2027-03-01"]


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home of the neighbourhood on its first day, and a proposal beside it; both are only copied."""
    folder = tmp_path_factory.mktemp("orders")
    home = folder / "home"
    tables = str(example_path("neighbourhood"))
    assert main(["init", str(home), "--from", tables, "--clear", *DAY]) == EXIT_OK
    assert main(["orders", "propose", "--home", str(home), *DAY, "--out", str(folder / "orders.json")]) == EXIT_OK
    return folder


@pytest.fixture
def home(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a fresh copy of the home, with the proposal beside it, that commands find by themselves."""
    shutil.copytree(founded, tmp_path / "copy")
    monkeypatch.setenv("ABASTO_HOME", str(tmp_path / "copy" / "home"))
    return tmp_path / "copy"


class Said:
    """Runs commands and keeps what they said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str, code: int = EXIT_OK) -> str:
        self.capsys.readouterr()
        found = main(["orders", *arguments])
        out, error = self.capsys.readouterr()
        assert found == code, out + error
        return out + error

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


@pytest.fixture
def code_of(home: Path, said: Said) -> dict[tuple[str, str], str]:
    """Issue the proposal and return the code of each order by where from and to."""
    issued = said.json("issue", str(home / "orders.json"))["issued"]
    return {(order["from"], order["to"]): order["code"] for order in issued}


def balance(site: str, good: str) -> int:
    """Return what the books have there, in thousandths."""
    with open_home(None) as opened:
        return sum(read_state(opened).books.balance(site, good).values())


def test_a_proposal_signs_nothing_and_tells_what_whole_trips_cost(home: Path, said: Said) -> None:
    told = said("propose", *DAY)
    assert "16 orders with 31 trips, from a plan of 7 days from 2027-03-01:" in told
    assert "Mill > North bakery, 1 trip, 2027-03-01: 300 kg flour (undated)" in told
    assert "Whole trips cost nothing: 24.1 trips in parts became 31 whole ones." in told
    assert "North bakery makes" in told
    assert "No order has been issued yet" in said("show")


def test_the_lockout_is_told_with_its_loss_and_who_stays_at_home(home: Path, said: Said) -> None:
    told = said("propose", *DAY, "--scenario", "lockout")
    assert re.search(r"Whole trips cost 0\.95% of the plan's worth, [\d,.]+ weighted people-days", told)
    assert "No choice of whole trips could lose less than 0.95%" in told
    assert "No trip of mill van from Mill to North bakery fits in the hours that the fleet has on any day" in told


def test_what_was_shown_is_what_is_signed(home: Path, said: Said) -> None:
    shown = json.loads((home / "orders.json").read_text(encoding="utf-8"))["orders"]
    issued = said.json("issue", str(home / "orders.json"))["issued"]
    assert [(one["from"], one["to"], one["trips"]) for one in issued] == [
        (one["from"], one["to"], one["trips"]) for one in shown
    ]
    with open_home(None) as opened:
        state = read_state(opened)
    assert {record.id for record in state.orders.open()} == {one["order"] for one in issued}
    quantities = [[line["quantity"] for line in one["lines"]] for one in shown]
    assert [[round(line["quantity"] * 1000) for line in one["ordered"]] for one in issued] == quantities


def test_nothing_is_signed_without_yes_or_a_file(home: Path, said: Said) -> None:
    assert "nothing was signed" in said("issue", *DAY, code=EXIT_INPUT)
    assert "No order has been issued yet" in said("show")
    assert "Issued 16 orders:" in said("issue", *DAY, "--yes")


def test_the_same_orders_are_not_signed_twice(home: Path, said: Said) -> None:
    file = str(home / "orders.json")
    said("issue", file)
    assert "16 entries have come into the journal since this was proposed" in said("issue", file, code=EXIT_USAGE)
    assert "issued already, by the same plan" in said("issue", file, "--yes", code=EXIT_USAGE)
    assert len(said.json("show")["orders"]) == 16


def test_a_proposal_of_another_network_is_refused(home: Path, said: Said, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    assert main(["init", other, "--name", "Another", "--clear", *DAY]) == EXIT_OK
    told = said("issue", str(home / "orders.json"), "--home", other, code=EXIT_USAGE)
    assert "is a proposal for another network" in told


def test_a_file_and_options_of_planning_do_not_go_together(home: Path, said: Said) -> None:
    told = said("issue", str(home / "orders.json"), "--fairness", "1", code=EXIT_USAGE)
    assert "leave out the options of planning, or the file" in told


def test_an_order_is_accepted_loaded_and_received_with_a_difference(
    home: Path, said: Said, code_of: dict[tuple[str, str], str]
) -> None:
    code = code_of["Mill", "North bakery"]
    mill, bakery = balance("Mill", "flour"), balance("North bakery", "flour")
    assert "; accepted" in said("accept", code, *DAY)
    assert "loaded    290 kg flour (undated), on 2027-03-01" in said("load", code, "--line", "flour=290", *DAY)
    assert balance("Mill", "flour") == mill - 290_000
    told = said("receive", code, "--line", "flour=280kg", *DAY)
    assert "10 kg flour less than loaded: booked as lost on the way" in told
    assert balance("North bakery", "flour") == bakery + 280_000
    story = said.json("show", code)["story"]
    assert [line.split()[1] for line in story] == ["issued", "accepted", "loaded", "received"]
    assert "is received already" in said("receive", code, code=EXIT_USAGE)


def test_what_is_not_said_is_as_ordered_and_as_loaded(
    home: Path, said: Said, code_of: dict[tuple[str, str], str]
) -> None:
    code = code_of["Mill", "South bakery"]
    before = balance("South bakery", "flour")
    said("load", code.lower().replace("-", ""), *DAY)
    received = said.json("receive", code[:4], *DAY)["orders"][0]
    ordered = round(received["ordered"][0]["quantity"] * 1000)
    assert received["difference"] == []
    assert balance("South bakery", "flour") == before + ordered


def test_a_delivery_in_two_parts_is_no_loss(home: Path, said: Said, code_of: dict[tuple[str, str], str]) -> None:
    code = code_of["Mill", "North bakery"]
    said("load", code, *DAY)
    part = said.json("receive", code, "--line", "flour=100", "--more-to-come", *DAY)["orders"][0]
    assert (part["status"], part["difference"]) == ("loaded", [])
    whole = said.json("receive", code, *DAY)["orders"][0]
    assert whole["status"] == "received"
    assert whole["difference"] == []
    assert sum(line["quantity"] for line in whole["received"]) == 300


def test_nothing_arrived_is_said_with_zero(home: Path, said: Said, code_of: dict[tuple[str, str], str]) -> None:
    code = code_of["Mill", "North bakery"]
    said("load", code, *DAY)
    lost = said.json("receive", code, "--line", "flour=0", *DAY)["orders"][0]
    assert lost["status"] == "received"
    assert [(line["good"], line["quantity"]) for line in lost["difference"]] == [("flour", 300.0)]


def test_an_order_that_nobody_here_knows_is_received_by_its_whole_id(home: Path, said: Said) -> None:
    unknown = "Q" * 42 + "A"
    assert "say with --site where it arrived" in said("receive", unknown, *DAY, code=EXIT_USAGE)
    told = said("receive", unknown, "--site", "Mill", *DAY, code=EXIT_USAGE)
    assert "say with --line GOOD=QUANTITY what arrived" in told
    arguments = ("receive", unknown, "--site", "Mill", "--line", "flour=5", *DAY)
    before = balance("Mill", "flour")
    assert "doubtful: reports name order" in said(*arguments, code=EXIT_INPUT)
    assert "nobody here has issued it" in said(*arguments, "--yes")
    assert balance("Mill", "flour") == before + 5_000


def test_a_cancelled_order_gives_its_goods_back(home: Path, said: Said, code_of: dict[tuple[str, str], str]) -> None:
    code = code_of["Mill", "North bakery"]
    before = balance("Mill", "flour")
    said("load", code, *DAY)
    assert balance("Mill", "flour") == before - 300_000
    assert "; cancelled" in said("cancel", code, "--cause", "the bridge is out", *DAY)
    assert balance("Mill", "flour") == before
    assert "cancelled: the bridge is out" in said("show", code)
    assert code not in said("show")
    assert code in said("show", "--all")


def test_what_is_doubtful_asks_for_yes(home: Path, said: Said, code_of: dict[tuple[str, str], str]) -> None:
    code = code_of["North bakery", "Hill"]  # no bread is baked yet
    assert "doubtful:" in said("load", code, *DAY, code=EXIT_INPUT)
    assert said.json("show", code)["status"] == "issued"
    assert "; loaded" in said("load", code, *DAY, "--yes")


@pytest.mark.parametrize(
    ("step", "line", "message"),
    [
        (
            "receive",
            "flour=30000",
            "has 300 kg of flour, and this makes 30000 kg of flour that is received; check the unit",
        ),
        ("load", "flour=700", "has 300 kg of flour, and this makes 700 kg of flour that is loaded; check the unit"),
        ("receive", "milk=5", "has no milk; check the code and the good"),
    ],
)
def test_an_order_does_not_grow_on_the_way(
    home: Path, said: Said, code_of: dict[tuple[str, str], str], step: str, line: str, message: str
) -> None:
    code = code_of["Mill", "North bakery"]
    before = balance("North bakery", "flour"), balance("Mill", "flour")
    told = said(step, code, "--line", line, *DAY, code=EXIT_INPUT)
    assert f"doubtful: order {code} {message}" in told
    assert "nothing was booked" in told
    assert (balance("North bakery", "flour"), balance("Mill", "flour")) == before
    said(step, code, "--line", line, "--yes", *DAY)


def test_twice_a_receipt_is_seen_before_it_is_booked_twice(
    home: Path, said: Said, code_of: dict[tuple[str, str], str]
) -> None:
    code = code_of["Mill", "North bakery"]
    said("load", code, *DAY)
    told = said("receive", code, "--line", "flour=305", *DAY)
    assert "5 kg flour more than loaded: it stands as a difference" in told
    assert "lost" not in told
    told = said("receive", code, "--line", "flour=305", *DAY, code=EXIT_INPUT)
    assert "has 300 kg of flour, and this makes 610 kg of flour that is received" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "ZZZZ"), "nothing here has this code"),
        (("load", "Z"), "too short for a code"),
        (("show", "--date", "2027-99-99"), "--date is no option here"),
        (("show", "--date=2027-03-01"), "--date is no option here"),
        (("show", "--dat"), "--dat is no option here"),
        (("show", "-Z"), "too short for a code"),
        (("accept",), "say which order"),
        (("shw",), 'Did you mean "show"'),
        (("propose", "--ordered-days", "0"), "--ordered-days 0"),
        (("propose", "--scenario", "lockuot", *DAY), 'did you mean "lockout"'),
        (("issue", "there-is-none.json"), "there-is-none.json"),
    ],
)
def test_mistakes_are_told_with_a_remedy(home: Path, said: Said, arguments: tuple[str, ...], message: str) -> None:
    assert message in said(*arguments, code=EXIT_USAGE)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("flour", "write GOOD=QUANTITY"),
        ("bred=3", 'Did you mean "bread"'),
        ("flour=3,5", "a comma may be a decimal mark"),
        ("flour=-3", "below 0; check it"),
    ],
)
def test_lines_are_not_guessed(
    home: Path, said: Said, code_of: dict[tuple[str, str], str], line: str, message: str
) -> None:
    assert message in said("load", code_of["Mill", "North bakery"], "--line", line, *DAY, code=EXIT_USAGE)


def test_more_to_come_says_what_has_come(home: Path, said: Said, code_of: dict[tuple[str, str], str]) -> None:
    told = said("receive", code_of["Mill", "North bakery"], "--more-to-come", code=EXIT_USAGE)
    assert "say with --line GOOD=QUANTITY what has arrived" in told


def test_the_page_explains_every_option_of_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "orders.md").read_text(encoding="utf-8")
    explained = dict(re.findall(r"^### abasto orders (\w+)\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))
    steps = {name for name in orders if not name.startswith("-")}
    assert set(explained) == steps
    for step in steps:
        capsys.readouterr()
        assert main(["orders", step, "--help"]) == EXIT_OK
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", capsys.readouterr().out)) - {"--help"}
        options -= {"--version"}
        assert set(re.findall(r"^\| `(--[a-z-]+)[^|]*\| \S", explained[step], re.MULTILINE)) == options, step
