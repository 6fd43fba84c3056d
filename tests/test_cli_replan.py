"""`abasto plan --from`: an earlier plan is carried on, and it is told what stays, what cannot and what changes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from abasto.cli import main
from abasto.examples import example_path
from abasto.network import Disruption, Fleet, Good, Lane, Need, Network, Site, Stock, Supply
from abasto.tables import read_network, write_network

NETWORK = Network(
    "Valley",
    date(2026, 11, 22),
    4,
    sites=(Site(site="port"), Site(site="hill", people=100), Site(site="shelter", people=20)),
    goods=(Good(good="rice"),),
    supplies=(Supply(site="port", good="rice", quantity=1000),),
    needs=(Need(site="hill", good="rice", quantity=100),),
    lanes=(
        Lane(from_site="port", to_site="hill", hours=1, lead_days=0),
        Lane(from_site="port", to_site="shelter", hours=1, lead_days=0),
    ),
    fleets=(Fleet(fleet="van", vehicles=1, payload_t=0.1, hours_per_day=8),),
    disruptions=(Disruption(scenario="flood", kind="lane", target="port>shelter", left=1),),
)
"""The van makes two trips of 100 kg a day; one is all that is needed, on each of four days."""


@pytest.fixture
def planned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return a folder with the tables in `net` and the plan of them in `plan`."""
    write_network(NETWORK, tmp_path / "net")
    assert run("plan", tmp_path / "net", "--out", tmp_path / "plan") == 0
    capsys.readouterr()
    return tmp_path


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def rewrite(folder: Path, **tables: object) -> None:
    """Write the tables anew with what has changed."""
    write_network(replace(NETWORK, **tables), folder / "net")  # type: ignore[arg-type]


def shipments(folder: Path) -> str:
    return (folder / "shipments.csv").read_text(encoding="utf-8")


def test_without_news_the_same_plan_is_written(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", planned / "net", "--from", planned / "plan", "--day", 2, "--out", planned / "next") == 0
    said = capsys.readouterr().out
    assert "Kept from the earlier plan: what happened on day 1 and the orders of day 2." in said
    assert "From day 3 on the plan goes on as it was: all 2 orders stay." in said
    assert shipments(planned / "next") == shipments(planned / "plan")


def test_a_cut_order_is_shown_with_what_is_possible_and_why(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = Disruption(scenario="flood", kind="fleet", target="van", from_day=2, left=0.25)
    rewrite(planned, disruptions=(lost,))
    arguments = ("plan", planned / "net", "--from", planned / "plan", "--day", 2, "--scenario", "flood")
    assert run(*arguments) == 0
    said = capsys.readouterr().out
    assert "1 thing that should be kept cannot be as planned:" in said
    words = "port > hill with van: 50 of 100 kg rice; van has 2 vehicle-hours on day 2, the orders take 4"
    assert f"  day 2, {words}\n" in said
    assert "Of 2 orders from day 3 on 2 change. Shipments: 0.2 t before, 0.1 t now." in said
    assert run(*arguments, "--json") == 0
    document = json.loads(capsys.readouterr().out)["replanned"]
    assert (document["day"], document["frozen"], document["as_before"]) == (2, 1, False)
    assert [(cut["kind"], cut["planned"], cut["possible"]) for cut in document["cuts"]] == [("shipment", 100.0, 50.0)]
    assert [change["after"] for change in document["orders"]["changed"]] == [50.0, 50.0]
    assert (document["orders"]["from_day"], document["orders"]["before"], document["orders"]["kept"]) == (3, 2, 0)


def test_a_new_need_is_served_beside_the_orders_that_stay(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(planned, needs=(*NETWORK.needs, Need(site="shelter", good="rice", quantity=40, from_day=2)))
    arguments = ("plan", planned / "net", "--from", planned / "plan", "--day", 2)
    assert run(*arguments, "--strict") == 3  # today is frozen
    said = capsys.readouterr().out
    assert "Of 2 orders from day 3 on 2 stay; 2 new ones come in." in said
    assert "day 3, port > shelter with van: new, 40 kg rice" in said
    assert run(*arguments, "--frozen", 0, "--strict") == 0


def test_what_cannot_have_happened_is_told_apart(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(planned, disruptions=(Disruption(scenario="flood", kind="lane", target="port>hill", left=0),))
    run("plan", planned / "net", "--from", planned / "plan", "--day", 2, "--scenario", "flood")
    said = capsys.readouterr().out
    assert "Some of these lie before day 2; by the tables now they cannot have happened." in said
    assert "day 1, port > hill with van: 0 of 100 kg rice; lane port>hill is closed on day 1" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--from", "plan"), "say with --day which day it is today"),
        (("--day", "2"), "--day: only a plan that carries on an earlier one has it; name its folder with --from."),
        (("--frozen", "2"), "--frozen: only a plan that carries on an earlier one has it"),
        (("--from", "plan", "--day", "5"), "--day 5: the plan is for days 1 to 4; day 1 is 2026-11-22."),
        (("--from", "plan", "--day", "2", "--frozen", "-1"), "--frozen -1: give a number of days from 0 up"),
        (("--from", "plans", "--day", "2"), "there is no such folder"),
        (("--from", "plan", "--day", "2", "--out", "plan"), "the earlier plan lies there"),
        (("--from", "plan", "--day", "2", "--report", "plan/next.html"), "the earlier plan lies there"),
        (("--from", "plan", "--day", "two"), "--day"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_planned(
    options: tuple[str, ...],
    message: str,
    planned: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(planned)
    before = shipments(planned / "plan")
    assert run("plan", "net", *options) == 2
    assert message in capsys.readouterr().err
    assert shipments(planned / "plan") == before


def test_a_folder_without_a_plan_is_refused(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", planned / "net", "--from", planned / "net", "--day", 2) == 1
    assert "there is no plan in this folder" in capsys.readouterr().err


def test_what_was_thought_to_be_there_and_is_not_was_not_handed_over(
    planned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stocked = {"supplies": (), "stocks": (Stock(site="hill", good="rice", quantity=400),)}
    rewrite(planned, **stocked)
    assert run("plan", planned / "net", "--out", planned / "plan") == 0
    rewrite(planned, **(stocked | {"stocks": (Stock(site="hill", good="rice", quantity=150),)}))
    capsys.readouterr()
    run("plan", planned / "net", "--from", planned / "plan", "--day", 3)
    said = capsys.readouterr().out
    assert "day 2, hill: 50 of 100 kg rice handed over; no more rice is at hill on day 2" in said
    assert read_network(planned / "net").stocks[0].quantity == 150


def test_very_many_cuts_are_taken_for_the_wrong_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = example_path("neighbourhood")
    assert run("plan", example, "--out", tmp_path / "plan") == 0
    capsys.readouterr()
    assert run("plan", example, "--from", tmp_path / "plan", "--day", 4, "--scenario", "lockout") == 0
    assert "the earlier plan was for another scenario (--scenario)" in capsys.readouterr().out
    assert run("plan", example, "--from", tmp_path / "plan", "--day", 4) == 0
    assert "another scenario" not in capsys.readouterr().out
