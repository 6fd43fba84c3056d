"""Two networks in homes of their own: recognised, and letters between them by stick and over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.homes import run
from tests.sync.served_peer import served

from abasto.cli_home import write
from abasto.cycle import read_state
from abasto.examples import federation_path
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    DeviceEndorsed,
    Line,
    NetworkRecognised,
    NoteWritten,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    ShipmentPromised,
)
from abasto.journal.home import Home
from abasto.letters import answering_for
from abasto.state.letters import shipment_of
from abasto.state.state import State
from abasto.sync.hosting import peers_app

TODAY = date(2027, 3, 1)
DAY, TOMORROW, LATER = (f"{TODAY + timedelta(days=days)}" for days in (0, 1, 3))
Printed = Callable[[], Any]


@dataclass
class Member:
    """A network's home, and what its commands need."""

    name: str
    folder: Path
    key: str
    network: str

    def __call__(self, *arguments: object) -> int:
        return run(*arguments, "--home", self.folder)

    def open(self) -> Home:
        return Home.open(self.folder, passphrase=None)

    def state(self) -> State:
        with self.open() as home:
            return read_state(home.journal)

    def say(self, *facts: Any) -> list[str]:
        with self.open() as home:
            return [entry.id for entry in home.journal.append(list(facts), time=0)]


def founded(tmp_path: Path, example: str) -> Member:
    folder = tmp_path / example
    assert run("init", folder, "--from", federation_path(example), "--clear") == 0
    with Home.open(folder, passphrase=None) as home:
        assert home.journal.device is not None
        return Member(example.capitalize(), folder, home.journal.device.key, home.journal.network)


@pytest.fixture
def hills(tmp_path: Path) -> Member:
    return founded(tmp_path, "hills")


@pytest.fixture
def vale(tmp_path: Path) -> Member:
    return founded(tmp_path, "vale")


def befriend(one: Member, other: Member) -> None:
    assert one("networks", "recognise", other.name, other.network) == 0
    assert other("networks", "recognise", one.name, one.network) == 0


def ordered(hills: Member) -> str:
    lines = (Line("flour", 500_000),)
    [id] = hills.say(OrderIssued("Hills depot", "Vale market", "Hills lorries", 1, DAY, TOMORROW, lines, DAY))
    return id


def test_letters_go_by_stick_and_the_receipt_comes_back(
    hills: Member, vale: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(hills, vale)
    own = ordered(hills)
    stick = tmp_path / "stick.abasto"
    assert hills("networks", "post", stick, "--for", vale.key, "--date", DAY) == 0
    assert "Hills depot" not in stick.read_bytes().decode("latin-1")
    assert vale("networks", "hear", stick, "--date", DAY) == 0
    assert "2 letters came from Hills." in capsys.readouterr().out
    [shipment] = vale.state().letters.coming
    capsys.readouterr()
    assert vale("orders", "show") == 0
    assert f"{code_of(shipment)}  promised   Hills > Vale market" in capsys.readouterr().out
    assert vale("orders", "show", shipment) == 0
    told = capsys.readouterr().out
    assert "arrives 2027-03-02; promised" in told
    assert "loaded" not in told, "nobody has told that it was"
    assert vale("orders", "show", shipment, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], document["loaded"], document["loaded_on"]) == ("promised", [], None)
    assert vale("networks", "--json") == 0
    assert json.loads(capsys.readouterr().out)["coming"][0]["status"] == "promised"
    hills.say(OrderLoaded(own, (Line("flour", 500_000),), DAY))
    assert hills("networks", "post", stick, "--force", "--for", vale.key, "--date", DAY) == 0
    assert vale("networks", "hear", stick, "--date", DAY) == 0
    capsys.readouterr()
    assert vale("orders", "show") == 0
    assert f"{code_of(shipment)}  loaded     Hills > Vale market" in capsys.readouterr().out
    assert vale("orders", "show", shipment, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], document["loaded"][0]["quantity"]) == ("loaded", 500.0)
    vale.say(OrderReceived(shipment, "Vale market", (Line("flour", 500_000),), TOMORROW))
    answer = tmp_path / "answer.abasto"
    assert vale("networks", "post", answer, "--date", TOMORROW) == 0, "Hills' steward is known from its letter"
    assert hills("networks", "hear", answer, "--date", TOMORROW) == 0
    assert hills.state().orders[own].status == "received"
    capsys.readouterr()
    assert vale("networks") == 0
    shown = capsys.readouterr().out
    assert "3 letters heard, the last on 2027-03-01" in shown
    assert "received" in shown
    assert vale("networks", "--json") == 0
    assert json.loads(capsys.readouterr().out)["coming"][0]["status"] == "received"


def test_what_arrived_before_it_was_told_to_be_loaded_is_not_told_as_loaded(
    hills: Member, vale: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(hills, vale)
    ordered(hills)
    stick = tmp_path / "stick.abasto"
    assert hills("networks", "post", stick, "--for", vale.key, "--date", DAY) == 0
    assert vale("networks", "hear", stick, "--date", DAY) == 0
    [shipment] = vale.state().letters.coming
    vale.say(OrderReceived(shipment, "Vale market", (Line("flour", 400_000),), TOMORROW))
    capsys.readouterr()
    assert vale("orders", "show", shipment, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], document["loaded"], document["loaded_on"]) == ("received", [], None)
    assert document["received"][0]["quantity"] == 400.0
    assert vale("orders", "show", shipment) == 0
    assert "  loaded    " not in capsys.readouterr().out


def test_an_order_to_another_network_is_promised_when_it_is_issued_and_withdrawn_with_its_reason(
    hills: Member, vale: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(hills, vale)
    lines = (Line("flour", 500_000),)
    order = OrderIssued("Hills depot", "Vale market", "Hills lorries", 1, DAY, TOMORROW, lines, DAY)
    with hills.open() as home:
        [entry] = write(home, [order])
    assert list(hills.state().letters.going) == [entry.id]
    capsys.readouterr()
    assert hills("orders", "show") == 0
    assert "promised to Vale" in capsys.readouterr().out
    assert hills("orders", "cancel", entry.id, "--cause", "the bridge is down", "--date", DAY) == 0
    assert "was promised to Vale and withdrawn" in capsys.readouterr().out
    stick = tmp_path / "stick.abasto"
    assert hills("networks", "post", stick, "--for", vale.key, "--date", DAY) == 0
    assert vale("networks", "hear", stick, "--date", DAY) == 0
    [shipment] = vale.state().letters.coming
    assert vale.state().orders[shipment].status == "cancelled"
    with vale.open() as home:
        assert any(b"the bridge is down" in signed.raw for signed in home.journal.store.export())


def test_a_load_by_a_driver_waits_until_a_steward_passes_it_on_and_both_are_told(
    hills: Member, vale: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(hills, vale)
    own, stick = ordered(hills), tmp_path / "stick.abasto"
    assert hills("networks", "post", stick, "--for", vale.key, "--date", DAY) == 0
    folder = tmp_path / "driver"
    assert run("members", "join", hills.folder, folder, "--name", "driver", "--clear", "--date", DAY) == 0
    with Home.open(folder, passphrase=None) as home:
        assert home.journal.device is not None
        driver = Member("driver", folder, home.journal.device.key, hills.network)
    hills.say(DeviceEndorsed(driver.key, "allocator", DAY))
    for one, other in ((hills, driver), (driver, hills)):
        with one.open() as home, other.open() as theirs:
            if other is hills:
                home.journal.append([OrderLoaded(own, (Line("flour", 400_000),), DAY)], time=0)
            theirs.journal.receive(home.journal.store.export())
    for one in (driver, hills):
        capsys.readouterr()
        assert one("networks") == 0
        assert "1 load or receipt waits for a steward's device" in capsys.readouterr().out
    assert hills("networks", "post", stick, "--force", "--for", vale.key, "--date", DAY) == 0
    assert vale("networks", "hear", stick, "--date", DAY) == 0
    [shipment] = vale.state().letters.coming
    assert [line.quantity for line in vale.state().orders[shipment].loaded] == [400_000]
    capsys.readouterr()
    assert hills("networks", "--json") == 0
    assert json.loads(capsys.readouterr().out)["waiting"] == []


def test_a_promise_whose_order_was_lost_with_its_device_is_taken_back_by_the_id_that_the_other_side_shows(
    hills: Member, vale: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(hills, vale)
    folder = tmp_path / "second"
    assert run("members", "join", hills.folder, folder, "--name", "second", "--clear", "--date", DAY) == 0
    with Home.open(folder, passphrase=None) as home:
        assert home.journal.device is not None
        second = Member("second", folder, home.journal.device.key, hills.network)
    hills.say(DeviceEndorsed(second.key, "steward", DAY))
    with hills.open() as home, second.open() as theirs:
        theirs.journal.receive(home.journal.store.export())
    lost = ordered(second)
    stick = tmp_path / "stick.abasto"
    assert second("networks", "post", stick, "--for", vale.key, "--date", DAY) == 0
    assert vale("networks", "hear", stick, "--date", DAY) == 0  # The second device is never heard of again.
    [shipment] = vale.state().letters.coming
    capsys.readouterr()
    assert vale("networks", "--date", TOMORROW) == 0
    out = capsys.readouterr().out
    assert "This network is Vale, " in out
    assert "withdraw" not in out, "it is not overdue yet"
    assert "500 kg flour: promised, to arrive" in out, "nothing was loaded"
    assert vale("networks", "--date", LATER) == 0
    assert f"abasto networks withdraw {shipment} --lost" in capsys.readouterr().out
    assert vale("networks", "withdraw", shipment) == 2
    assert "only Hills, who promised it" in capsys.readouterr().err
    assert hills("networks", "withdraw", "K7Q2") == 2
    assert hills("networks", "withdraw", shipment, "--cause", "lost in the flood") == 2
    assert hills.state().letters.withdrawn == set(), "nobody here can tell it from an id that was mistyped"
    assert "no promise that is known here has the id" in capsys.readouterr().err
    assert hills("networks", "withdraw", shipment, "--lost", "--cause", "lost in the flood", "--date", LATER) == 0
    assert hills("networks", "withdraw", shipment) == 2
    assert "withdrawn already" in capsys.readouterr().err
    assert hills("networks", "post", stick, "--force", "--for", vale.key, "--date", LATER) == 0
    assert vale("networks", "hear", stick, "--date", LATER) == 0
    assert vale.state().orders[shipment].status == "cancelled"
    assert vale.state().books.on_the_way(shipment) == {}
    with hills.open() as home, second.open() as theirs:  # It turns up after all: nothing is promised anew.
        home.journal.receive(theirs.journal.store.export())
    capsys.readouterr()
    assert hills("orders", "show") == 0
    assert "was promised to Vale and withdrawn" in capsys.readouterr().out
    assert hills("orders", "cancel", lost, "--date", LATER) == 0


def test_a_promise_is_not_taken_back_while_its_order_is_here_and_is_shown_where_it_is_not(
    hills: Member, vale: Member, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(hills, vale)
    own = ordered(hills)
    shipment = shipment_of(hills.network, own)
    assert hills("networks", "withdraw", shipment) == 2
    assert "carries it out and is here" in capsys.readouterr().err
    lost = ShipmentPromised(vale.network, "O" * 43, "Vale market", DAY, TOMORROW, (Line("flour", 1),), DAY)
    hills.say(lost)
    capsys.readouterr()
    assert hills("networks") == 0
    gone = shipment_of(hills.network, lost.order)
    assert f"abasto networks withdraw {gone}" in capsys.readouterr().out
    assert hills("networks", "withdraw", gone) == 0
    assert hills("networks") == 0
    assert "its order is not here" not in capsys.readouterr().out


def test_an_id_that_no_promise_has_is_not_taken_back(
    hills: Member, vale: Member, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(hills, vale)
    ordered(hills)
    count = hills.state().count
    capsys.readouterr()
    assert hills("networks", "withdraw", "A" * 43) == 2
    said = capsys.readouterr()
    assert "Taken back" not in said.out
    assert f"has the id {'A' * 43}. What was promised is shown by: abasto networks." in said.err
    assert f"abasto networks withdraw {'A' * 43} --lost" in said.err
    assert hills.state().count == count


def test_letters_and_nothing_else_go_to_a_peer_of_another_network(
    hills: Member, vale: Member, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(hills, vale)
    ordered(hills)
    hills.say(NoteWritten("our own matters", DAY))
    assert hills("peers", "add", "vale", "127.0.0.1:1", vale.key) == 0
    with hills.open() as home:
        app = peers_app(home, answering_for(home.journal, read=read_state, today=lambda: TODAY))
        with served(app) as address:
            assert vale("peers", "add", "hills", address, hills.key) == 0
            capsys.readouterr()
            assert vale("sync", "hills") == 0
            assert "hills, of another network: 2 letters came, 1 letter went." in capsys.readouterr().out
            assert vale("sync", "hills", "--json") == 0
            [told] = json.loads(capsys.readouterr().out)["peers"]
            assert (told["letters_came"], told["letters_went"]) == (0, 0)
    state = vale.state()
    assert [one.network for one in state.letters.coming.values()] == [hills.network]
    with vale.open() as home:
        assert not any(b"our own matters" in signed.raw for signed in home.journal.store.export())
        assert not any(b"Hills depot" in s.raw and b"order.issued" in s.raw for s in home.journal.store.export())
    assert hills.state().letters.stewards(vale.network) == (vale.key,), "what Vale pushed was heard"


def test_of_two_networks_with_one_name_the_one_that_wrote_is_told(
    hills: Member, vale: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(hills, vale)
    with hills.open() as home:  # As two stewards may, each before it heard of what the other one says.
        home.journal.append([NetworkRecognised("A" * 42 + "E", "Vale", DAY)], time=0)
    stick = tmp_path / "stick.abasto"
    assert vale("networks", "post", stick, "--for", hills.key, "--date", DAY) == 0
    capsys.readouterr()
    assert hills("networks", "hear", stick, "--date", DAY, "--json") == 0
    assert json.loads(capsys.readouterr().out)["network"] == vale.network


def test_who_is_not_recognised_gets_nothing_and_is_told_why(
    hills: Member, vale: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vale("networks", "recognise", "Hills", hills.network) == 0
    assert vale("networks", "post", tmp_path / "x", "--for", hills.key) == 0
    assert hills("networks", "hear", tmp_path / "x") == 1
    assert "not recognised" in capsys.readouterr().err
    assert hills.state().letters.heard == {}


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("Vale", "K7Q2-M4XP"), "whole id"),
        (("Dale", "own"), "this is the network of this journal itself"),
        (("Hills", "V" * 42 + "A"), '"Hills" is this network itself'),
    ],
)
def test_what_cannot_be_recognised_is_refused(
    hills: Member, arguments: tuple[str, str], wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, network = arguments
    assert hills("networks", "recognise", name, hills.network if network == "own" else network) == 2
    assert wrong in capsys.readouterr().err
    assert hills.state().letters.recognised == {}


def test_a_network_that_is_recognised_already_gets_a_new_name_and_that_is_said(
    hills: Member, vale: Member, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hills("networks", "recognise", "Dale", vale.network) == 0
    assert "already" not in capsys.readouterr().out
    assert hills("networks", "recognise", "Vale", vale.network) == 0
    assert "It was recognised already, as Dale; it is Vale now." in capsys.readouterr().out
    assert hills.state().letters.recognised == {vale.network: "Vale"}


def test_a_name_stands_for_one_network(hills: Member, vale: Member, capsys: pytest.CaptureFixture[str]) -> None:
    befriend(hills, vale)
    assert hills("networks", "recognise", "Vale", vale.network) == 2
    assert "already" in capsys.readouterr().err
    assert hills("networks", "recognise", "Vale", "V" * 42 + "A") == 2
    assert "a name of its own" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"a list of sacks\n" * 100, bytes(range(256)) * 8, b"age-encryption.org/v1"])
def test_a_file_that_is_no_bundle_is_told_to_be_none(
    hills: Member, tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    for command in (("networks", "hear"), ("bundle", "read")):
        capsys.readouterr()
        assert hills(*command, path) == 1
        told = capsys.readouterr().err
        assert f'"{path}": this is no file that a device of Abasto wrote for others' in told
        assert "choose the file, or have it written once more" in told
        assert not re.search("header|buffer", told, re.IGNORECASE), "these are words of the library that opens seals"


def test_a_bundle_that_is_damaged_or_for_others_is_told_in_plain_words(
    hills: Member, vale: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(hills, vale)
    path = tmp_path / "stick.abasto"
    assert hills("networks", "post", path, "--for", hills.key) == 0
    capsys.readouterr()
    assert vale("networks", "hear", path) == 1
    assert f'"{path}": cannot be opened: it was not sealed for this device' in capsys.readouterr().err
    path.write_bytes(path.read_bytes()[:-1])
    assert hills("networks", "hear", path) == 1
    assert f'"{path}": cannot be opened: it was not sealed for this device' in capsys.readouterr().err


def test_a_bundle_of_this_network_is_told_to_be_its_own(
    hills: Member, vale: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(hills, vale)
    assert hills("networks", "post", tmp_path / "letters.abasto", "--for", vale.key) == 0
    assert hills("bundle", "write", tmp_path / "all.abasto", "--for", vale.key) == 0
    for name in ("letters.abasto", "all.abasto"):
        capsys.readouterr()
        assert hills("networks", "hear", tmp_path / name) == 1
        told = capsys.readouterr().err
        assert f"a bundle of this network itself, written by its device {code_of(hills.key)}" in told
        assert "recognised" not in told


def test_without_a_reader_nothing_is_written(hills: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hills("networks", "post", tmp_path / "x") == 2
    assert "--for" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
