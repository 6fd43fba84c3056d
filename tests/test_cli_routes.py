"""`abasto routes` as a dispatcher uses it: printed, written as sheets, calendar and messages, and reported back."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from tests.homes import DAY, state_of
from tests.routes.read_qr import read_svg

from abasto.cli import EXIT_INPUT, EXIT_OK, EXIT_USAGE, main
from abasto.examples import example_path
from abasto.routes import plan, solver


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have routes sought with a fifth of the patience: what is told of them is tested here, not how good they are."""
    monkeypatch.setattr(plan, "PATIENCE", 100)
    monkeypatch.setattr(solver, "ALL_PATIENCE", 100)
    monkeypatch.setattr(solver, "ONE_MORE_PATIENCE", 40)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home of the neighbourhood whose orders of the first day are issued; it is only copied."""
    home = tmp_path_factory.mktemp("routes") / "home"
    tables = str(example_path("neighbourhood"))
    assert main(["init", str(home), "--from", tables, "--clear", "--date", DAY]) == EXIT_OK
    assert main(["orders", "issue", "--yes", "--date", DAY, "--home", str(home)]) == EXIT_OK
    return home


@pytest.fixture
def home(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shutil.copytree(founded, tmp_path / "home")
    monkeypatch.setenv("ABASTO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class Said:
    """Runs commands and keeps what they said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: object, code: int = EXIT_OK) -> str:
        self.capsys.readouterr()
        found = main([str(argument) for argument in arguments])
        out, error = self.capsys.readouterr()
        assert found == code, out + error
        return out + error

    def json(self, *arguments: object) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


def test_the_routes_of_a_day_are_told_vehicle_by_vehicle(home: Path, said: Said) -> None:
    told = said("routes", "--date", DAY)
    assert "mill van 1 of 1, Mon 1 Mar\n07:00 Mill: load 300 kg flour [" in told
    assert "vehicles drive" in told
    assert "\\u" not in told, "nothing is spelled out that a terminal cannot show"
    assert said("routes", "--date", DAY) == told, "the same orders give the same routes"


def test_a_day_without_orders_says_so_and_names_those_that_should_have_left(home: Path, said: Said) -> None:
    told = said("routes", "--date", "2027-03-02")
    assert "No order leaves on Tue 2 Mar." in told
    assert told.count("-") > 10, "the codes of those that should have left"
    assert "Should have left before and was not loaded: " in told
    assert said.json("routes", "--date", "2027-03-02")["routes"] == []


def test_json_says_all_of_it(home: Path, said: Said) -> None:
    document = said.json("routes", "--date", DAY)
    assert (document["day"], document["unrouted"], document["written"]) == (DAY, [], None)
    van = next(route for route in document["routes"] if route["fleet"] == "mill van")
    assert (van["vehicle"], van["base"], van["begins"]) == ("mill van 1 of 1", "Mill", f"{DAY}T07:00:00")
    (load,) = van["stops"][0]["pickups"]
    assert (load["good"], load["quantity"], load["unit"], load["kg"]) == ("flour", 300.0, "kg", 300.0)
    issued = {order.id for order in state_of(home).orders.open()}
    carried = {load["order"] for route in document["routes"] for stop in route["stops"] for load in stop["deliveries"]}
    assert carried == issued


def test_no_bicycle_loads_milk_before_the_lorry_has_brought_it(home: Path, said: Said) -> None:
    document = said.json("routes", "--date", DAY)
    lorry = next(route for route in document["routes"] if route["fleet"] == "milk lorry")
    [(brought, there)] = {(load["code"], stop["leaves"]) for stop in lorry["stops"] for load in stop["deliveries"]}
    new_lot = [
        stop
        for route in document["routes"]
        for stop in route["stops"]
        if stop["site"] == "Market" and "2027-03-04" in [load["lot"] for load in stop["pickups"]]
    ]
    assert new_lot
    for stop in new_lot:
        assert {(one["good"], one["with_code"], one["at"]) for one in stop["comes_today"]} == {("milk", brought, there)}
        assert stop["arrives"] >= there
    assert f"milk comes today with order {brought}, planned for {there[11:16]}" in said("routes", "--date", DAY)


def test_opening_hours_and_vehicles_that_are_gone_leave_orders_unrouted_with_the_reason(home: Path, said: Said) -> None:
    assert "New in openings: site=North bakery" in said("set", "openings", "site=north bakery", "closes=07:20")
    said("set", "fleets", "fleet=milk lorry", "vehicles=0.5", "--date", DAY)
    document = said.json("routes", "--date", DAY)
    whys = {(one["from"], one["to"]): one["why"] for one in document["unrouted"]}
    assert whys["Mill", "North bakery"]["obstacle"] == "opening hours"
    assert whys["Dairy", "Market"]["obstacle"] == "no vehicle"
    assert "No vehicle of mill van can be done at North bakery while it is open." in said("routes", "--date", DAY)
    said("drop", "openings", "site=North bakery")
    assert {one["to"] for one in said.json("routes", "--date", DAY)["unrouted"]} == {"Market"}


def test_hours_of_a_site_that_is_not_there_are_refused(home: Path, said: Said) -> None:
    assert 'Did you mean "School"?' in said("set", "openings", "site=Scool", "opens=08:00", code=EXIT_USAGE)
    assert "this is no time of day" in said("set", "openings", "site=School", "opens=8", code=EXIT_INPUT)


def test_folders_and_options_that_cannot_be_are_refused(home: Path, said: Said, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "this is a file" in said("routes", "--date", DAY, "--out", tmp_path / "file", code=EXIT_USAGE)
    assert "write it as 07:00" in said("routes", "--date", DAY, "--begins", "7 am", code=EXIT_USAGE)
    assert "give at least 1" in said("routes", "--date", DAY, "--seconds", "0", code=EXIT_USAGE)


def test_vehicles_begin_when_they_are_told_to(home: Path, said: Said) -> None:
    begins = {route["begins"] for route in said.json("routes", "--date", DAY, "--begins", "05:30")["routes"]}
    assert min(begins) == f"{DAY}T05:30:00"


def test_sheets_calendar_and_messages_are_written_in_a_language(home: Path, said: Said, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said("routes", "--date", DAY, "--out", out, "--language", "ar")
    assert sorted(path.name for path in out.iterdir()) == ["messages.txt", "routes.ics", "sheets.html"]
    assert 'dir="rtl"' in (out / "sheets.html").read_text(encoding="utf-8")
    events = Calendar.from_ical((out / "routes.ics").read_bytes()).walk("VEVENT")
    assert len(events) == len(said.json("routes", "--date", DAY)["routes"])
    assert "تحميل" in (out / "messages.txt").read_text(encoding="utf-8")


def test_every_code_of_the_sheets_read_and_sent_brings_all_orders_home(home: Path, said: Said, tmp_path: Path) -> None:
    said("routes", "--date", DAY, "--out", tmp_path / "out")
    page = (tmp_path / "out" / "sheets.html").read_text(encoding="utf-8")
    texts = [read_svg(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    assert texts == [html.unescape(text) for text in re.findall(r"</span><small dir=\"ltr\">(.*?)</small>", page)]
    # As drivers would: everything that was loaded is reported before what arrived.
    texts.sort(key=lambda text: ("RECEIVED" in text, "MORE TO COME" not in text))
    file = tmp_path / "reports.txt"
    for step in ("LOADED", "MORE TO COME", "RECEIVED"):
        mine = [text for text in texts if step in text and (step != "RECEIVED" or "MORE TO COME" not in text)]
        file.write_text("\n".join(mine) + "\n", encoding="utf-8")
        said("import", file, "--date", DAY, "--yes")
    orders = list(state_of(home).orders.values())
    assert {order.status for order in orders} == {"received"}
    assert [order.difference for order in orders] == [()] * len(orders)


def test_what_was_otherwise_than_planned_is_typed_back_as_a_receipt(home: Path, said: Said) -> None:
    van = next(one for one in said.json("routes", "--date", DAY)["routes"] if one["fleet"] == "mill van")
    code = van["stops"][0]["pickups"][0]["code"]
    said("message", f"{DAY} LOADED ORDER {code}")
    said("message", f"{DAY} RECEIVED ORDER {code}, FLOUR 290 KG")
    order = next(one for one in state_of(home).orders.values() if one.difference)
    assert [(line.good, line.quantity) for line in order.difference] == [("flour", 10_000)]
