"""The command `why` answers as a dispatcher would, refuses what cannot be asked, and prints JSON if told to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abasto.cli import EXIT_INPUT, EXIT_OK, EXIT_USAGE, UsageError, main
from abasto.cli_why import _show, find
from abasto.examples import example_path
from abasto.planner.make import make_plan, plan_in_full
from abasto.tables import read_network

NEIGHBOURHOOD = str(example_path("neighbourhood"))


def why(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what the command prints."""
    assert main(["why", NEIGHBOURHOOD, *arguments]) == EXIT_OK
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(why(capsys, *arguments, "--json"))


def test_it_says_what_binds_on_which_days_and_whom_that_serves(capsys: pytest.CaptureFixture[str]) -> None:
    said = " ".join(why(capsys, "Hill", "bread", "--scenario", "lockout").split())
    assert said.startswith("Hill lacks bread on days 1 to 7: 50 % of what 800 people need there is missing (560 kg).")
    assert "bread made at North bakery (batches to spare); flour from Mill with mill van (full)" in said
    assert "All vehicles of mill van are taken on days 1 to 7, serving this need itself and 6 places" in said
    assert "How we know" in said
    assert "no plan can be better" in said


def test_numbers_are_those_of_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    plan = make_plan(read_network(example_path("neighbourhood")), "lockout")
    (row,) = [row for row in plan.shortages.rows() if (row["site"], row["need"]) == ("Hill", "bread")]
    (story,) = document(capsys, "Hill", "bread", "--scenario", "lockout")["explanations"]
    assert story["unmet"] == pytest.approx(row["unmet"])
    assert (story["first_day"], story["last_day"]) == (row["from"], row["to"])
    (cause,) = story["causes"]
    driven = [trip["vehicle_hours"] for trip in plan.trips.rows() if trip["fleet"] == "mill van"]
    assert cause["resource"] == {"kind": "fleet", "name": "mill van", "unit": "vehicle-hours"}
    assert sum(user["amount"] for user in cause["use"]["users"]) == pytest.approx(sum(driven))
    assert row["remedy"] == story["remedy"]


def test_names_are_found_in_any_case_and_without_accents(capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "HÍLL", "Bread", "2")["explanations"][0]["site"] == "Hill"
    known = {"s1": "Viña del Mar", "s2": "Lota", "s3": "lota"}
    assert find("site", "vina DEL mar", known) == "s1"
    assert find("site", "s3", known) == "s3"
    with pytest.raises(UsageError, match="may be s2, s3"):
        find("site", "LOTA", known)


def test_of_many_needs_it_says_in_which_tables_they_stand() -> None:
    with pytest.raises(UsageError, match='unknown need "g5"; there are 40, in tables goods and nutrients'):
        find("need", "g5", {f"good{number}": None for number in range(40)})


def test_a_gap_that_is_not_known_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    solved = plan_in_full(read_network(example_path("neighbourhood")), "lockout")
    worthless = replace(solved, plan=replace(solved.plan, objective=0.0))
    _show(worthless, [], json=True)
    assert json.loads(capsys.readouterr().out)["gap"] is None


def test_a_need_that_is_met_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    said = " ".join(why(capsys, "School", "milk").split())
    assert said.startswith("milk at School is fully met on days 1 to 5. It comes from the supply of milk at Dairy")
    (story,) = document(capsys, "School", "milk")["explanations"]
    assert story["cause"] is None
    from_outside = [one["amount"] for one in story["origins"] if one["resource"]["kind"] in ("stock", "supply")]
    assert sum(from_outside) == pytest.approx(200, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("Hil", "bread"), 'Did you mean "Hill"?'),
        (("Hill", "bred"), 'Did you mean "bread"?'),
        (("Hill", "flour"), "it needs bread and milk"),
        (("Mill", "bread"), "nothing is needed there"),
        (("Hill", "bread", "8"), "the plan has days 1 to 7"),
        (("School", "bread", "6"), "it does on days 1 to 5"),
        (("Hill", "bread", "--scenario", "lokout"), 'Did you mean "lockout"?'),
        (("Hill", "bread", "--gap", "0"), "--gap 0"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["why", NEIGHBOURHOOD, *arguments]) == EXIT_USAGE
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.out == ""


def test_tables_that_cannot_be_planned_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sites.csv").write_text("site\nHill\n", encoding="utf-8")
    assert main(["why", str(tmp_path), "Hill", "bread"]) == EXIT_INPUT
    assert "cannot be planned" in capsys.readouterr().err
