"""A joint plan by commands: three homes, of which one is reached by files only, and one is killed on the way."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.homes import run
from tests.sync.served_peer import served

from abasto.cycle import read_state
from abasto.examples import FEDERATION, federation_path
from abasto.facts.codes import code_of
from abasto.facts.kinds import DeviceEndorsed
from abasto.federation.session import Session, current, standing
from abasto.journal.home import Home
from abasto.letters import answering_for, exported, heard
from abasto.state.abroad import card
from abasto.state.exceptions import exceptions
from abasto.state.state import State
from abasto.sync.hosting import peers_app

TODAY, FIRST = "2027-03-01", "2027-03-02"
STEPS = 6


class Member:
    """A network of the example in a home of its own."""

    def __init__(self, root: Path, name: str) -> None:
        self.name, self.folder = name.capitalize(), root / name
        assert run("init", self.folder, "--from", federation_path(name), "--clear", "--date", TODAY) == 0
        with self.open() as home:
            assert home.journal.device is not None
            self.key, self.network = home.journal.device.key, home.journal.network

    def open(self) -> Home:
        return Home.open(self.folder, passphrase=None)

    def state(self) -> State:
        with self.open() as home:
            return read_state(home.journal)

    def __call__(self, *arguments: object) -> int:
        return run("networks", *arguments, "--home", self.folder, "--date", TODAY)

    def plan(self, *arguments: object) -> int:
        return self("plan", "--first", FIRST, *arguments)

    def done(self) -> int:
        return standing(self.state(), FIRST).done

    def said(self) -> list[str]:
        state = self.state()
        return list(state.letters.said.get(state.network, {}).get(FIRST, ()))


@pytest.fixture
def members(tmp_path: Path) -> list[Member]:
    found = [Member(tmp_path, name) for name in FEDERATION]
    for one in found:
        for other in found:
            if other is not one:
                assert one("recognise", other.name, other.network) == 0
    return found


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def keys(members: list[Member]) -> list[str]:
    return [text for member in members for text in ("--for", member.key)]


def killed_in_the_middle(member: Member, *arguments: object) -> None:
    """Begin a run in a process of its own, and kill it as soon as it has said that it plans a step."""
    command = [sys.executable, "-m", "abasto", "networks", "plan", "--first", FIRST, "--home", member.folder]
    process = subprocess.Popen(
        [str(part) for part in [*command, "--date", TODAY, *arguments]],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "of 6: this network" in line:
            break
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.fixture
def line(members: list[Member]) -> Iterator[None]:
    """Let Hills answer Vale over HTTP."""
    hills, vale = members[0], members[1]
    assert run("peers", "add", "vale", "127.0.0.1:1", vale.key, "--home", hills.folder) == 0
    with hills.open() as home:
        app = peers_app(home, answering_for(home.journal, read=read_state))
        with served(app) as address:
            assert run("peers", "add", "hills", address, hills.key, "--home", vale.folder) == 0
            yield


@pytest.mark.soak
@pytest.mark.usefixtures("line")
def test_three_networks_agree_by_line_and_by_stick_though_one_is_killed(
    members: list[Member], stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vale = members[1]
    readers = keys(members)
    ways: dict[str, tuple[object, ...]] = {
        "Hills": ("--stick", stick, *readers),
        "Vale": ("--stick", stick, "--peer", "hills", *readers),
        "Coast": ("--stick", stick, *readers),
    }
    for turn in range(STEPS + 2):
        for member in members:
            if turn == 2 and member is vale:
                before = vale.said()
                killed_in_the_middle(vale, *ways["Vale"])
                assert vale.said()[: len(before)] == before
            assert member.plan(*ways[member.name]) == 0
        if all(member.done() == STEPS for member in members):
            break
    else:
        pytest.fail("they did not come to an end")
    for member in members:
        assert member.plan(*ways[member.name]) == 0
    printed = capsys.readouterr().out
    assert "Waiting for" in printed
    assert "To sign the orders of its first day" in printed
    for member in members:
        assert member.plan(*ways[member.name], "--issue") == 0
        assert standing(member.state(), FIRST).is_issued
        number = len(member.state().orders)
        assert member.plan(*ways[member.name], "--issue") == 0, "and not a second time"
        assert len(member.state().orders) == number
    promised = {member.name: member.state().letters.going for member in members}
    assert all(promised.values()), promised
    for member in members:
        assert member.plan(*ways[member.name]) == 0
    for member in members:
        coming = {one.order for one in member.state().letters.coming.values()}
        assert coming == {
            order
            for other in members
            for order, promise in other.state().letters.going.items()
            if promise.network == member.network
        }
        assert exceptions(member.state()) == ()


def test_it_says_from_whom_it_waits_and_goes_on_without(
    members: list[Member], stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hills = members[0]
    capsys.readouterr()
    assert hills.plan("--rounds", "1") == 0
    printed = capsys.readouterr().out
    assert "this network has done 1 of 6 steps; next it promises (1 of 2)." in printed
    assert "Vale: nothing heard yet" in printed
    assert "Waiting for Coast, Vale." in printed
    assert hills.plan() == 0
    assert hills.done() == 1, "nobody has answered yet"
    assert hills.plan("--issue") == 0
    assert "not agreed yet" in capsys.readouterr().err
    assert hills.plan("--without", "Vale", "Coast", "--json") == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["done"], told["awaited"]) == (STEPS, [])
    assert told["value"] == told["alone"]
    assert hills.plan("--without", "Vale", "Coast") == 0
    assert "nothing goes between the networks" in capsys.readouterr().out


def test_a_joint_plan_without_orders_on_its_first_day_is_over_once_it_is_issued(
    members: list[Member], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hills, vale, _ = members
    monkeypatch.setattr(Session, "orders", lambda session, *, days=1: ())
    assert current(hills.state(), date.fromisoformat(TODAY)) == TODAY
    assert hills.plan("--rounds", "1", "--without", "Vale", "Coast") == 0
    assert current(hills.state(), date.fromisoformat(TODAY)) == FIRST
    assert hills.plan("--without", "Vale", "Coast", "--issue") == 0
    told = capsys.readouterr()
    assert "nothing to sign" in told.err
    assert "To sign the orders of its first day" not in told.out.rpartition("step")[2]
    stands = standing(hills.state(), FIRST)
    assert (stands.is_issued, stands.done, stands.next) == (True, STEPS, "")
    assert current(hills.state(), date.fromisoformat(TODAY)) == TODAY
    assert hills.plan("--issue") == 0
    told = capsys.readouterr()
    assert "this joint plan is over already: it has no order on its first day" in told.err
    assert "This joint plan is over here: it has no order on its first day." in told.out
    with hills.open() as home, vale.open() as other:
        letters = exported(home.journal, read_state(home.journal)).store.export()
        facts, _ = heard(read_state(other.journal), letters, date.fromisoformat(TODAY))
        other.journal.append(facts, time=0)
    [partner] = [one for one in standing(vale.state(), FIRST).partners if one.name == "Hills"]
    assert partner.steps == STEPS, "others hear of steps alone"


def test_another_day_is_begun_or_the_one_that_others_have_begun_is_gone_on_with(
    members: list[Member], stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hills, vale, _ = members
    assert hills.plan("--stick", stick, *keys(members)) == 0
    capsys.readouterr()
    assert vale("plan", "--stick", stick) == 0
    assert f"Joint plan from {FIRST} on" in capsys.readouterr().out
    assert vale("plan", "--without", "Hills", "Coast", "--issue") == 0
    printed = capsys.readouterr().out
    assert f"Joint plan from {FIRST} on: this network has done {STEPS} of {STEPS} steps." in printed
    assert "The orders of this joint plan are signed" in printed


def test_it_says_whose_map_is_of_no_use(members: list[Member], stick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hills, vale, _ = members
    assert hills.plan("--days", "3", "--stick", stick, *keys(members)) == 0
    capsys.readouterr()
    assert vale.plan("--stick", stick, "--without", "Coast") == 0
    assert capsys.readouterr().err.count('of no use: Hills: "Hills" plans 3 days') == 1


def test_what_others_see_and_what_never_leaves_is_chosen_once_and_shown(
    members: list[Member], capsys: pytest.CaptureFixture[str]
) -> None:
    hills = members[0]
    assert hills.plan("--share", "offers", "--forbid", "flour", "milk") == 0
    assert hills.plan("--allow", "milk", "--allow", "beans") == 0
    capsys.readouterr()
    assert hills("plan", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["share"], told["forbidden"]) == ("offers", ["flour"])
    assert run("networks", "--home", hills.folder) == 0
    line = "In joint plans this network shows only what it has left over. Never leave: flour."
    assert line in capsys.readouterr().out
    count = hills.state().count
    assert hills.plan("--share", "offers", "--forbid", "flour") == 0
    assert hills.state().count == count, "it is so already"
    assert run("drop", "exports", "good=flour", "--home", hills.folder, "--date", TODAY) == 0
    assert run("set", "exports", "good=*", "share=map", "--home", hills.folder, "--date", TODAY) == 0
    assert run("networks", "--json", "--home", hills.folder) == 0
    out = capsys.readouterr().out
    assert '"share": "map"' in out
    assert '"forbidden": []' in out


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("--without", "Atlantis"), "recognised are Coast, Vale"),
        (("--forbid", "gold"), "no such good"),
        (("--allow", "gold"), "no such good"),
        (("--share", "all"), "give whole, map, offers or nothing"),
        (("--wait", "-1"), "--wait"),
        (("--stick", "nowhere"), "no such folder"),
        (("--first", "tomorrow"), '--first "tomorrow": this is no date'),
        (("--first", "2020-03-02"), '--first "2020-03-02": this day is past'),
        (("--days", "0", "--share", "offers"), "--days 0: give a number from 1 to 3660."),
        (("--days", "-1", "--share", "offers"), "--days -1: give a number from 1 to 3660."),
        (("--days", "3661", "--share", "offers"), "--days 3661: give a number from 1 to 3660."),
        (("--issue", "--ordered-days", "0"), "--ordered-days 0: give a number from 1"),
        (("--issue", "--ordered-days", "4", "--days", "3"), "--ordered-days 4: give a number from 1 to 3."),
        (("--for", "abc", "--share", "offers"), '--for "abc": this is no whole key of a device'),
        (("--for", "Vale"), "No device is known yet of Coast, Vale."),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_said(
    members: list[Member], arguments: tuple[str, ...], wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    count = members[0].state().count
    capsys.readouterr()
    assert run("networks", "plan", *arguments, "--home", members[0].folder) == 2
    said = capsys.readouterr().err
    assert wrong in said
    assert "step 1" not in said
    assert members[0].state().count == count


def test_who_is_known_to_read_letters_is_told_where_a_key_is_none(
    members: list[Member], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hills, vale, _ = members
    assert vale("post", tmp_path / "vale.abasto", "--for", hills.key) == 0
    assert hills("hear", tmp_path / "vale.abasto") == 0
    for command in (("plan", "--stick", tmp_path), ("post", tmp_path / "hills.abasto")):
        capsys.readouterr()
        assert hills(*command, "--for", "abc") == 2
        known = f"Who is known already need not be named: Vale ({code_of(vale.key)})."
        assert f"{known} No device is known yet of Coast." in capsys.readouterr().err
    assert not (tmp_path / "hills.abasto").exists()


def test_steps_of_one_kind_are_told_apart(members: list[Member], capsys: pytest.CaptureFixture[str]) -> None:
    assert members[0].plan("--without", "Vale", "Coast") == 0
    told = [line for line in capsys.readouterr().err.splitlines() if ": this network " in line]
    assert [line.partition("this network ")[2] for line in told] == [
        "publishes its map (1 of 2) …",
        "promises (1 of 4) …",
        "promises (2 of 4) …",
        "votes (1 of 2) …",
        "publishes its map (2 of 2) …",
        "promises (3 of 4) …",
        "promises (4 of 4) …",
        "votes (2 of 2) …",
        "commits to what it sends (1 of 4) …",
        "commits to what it sends (2 of 4) …",
        "commits to what it sends (3 of 4) …",
        "commits to what it sends (4 of 4) …",
    ]


def test_all_go_round_as_often_as_the_one_that_would_least(
    members: list[Member], stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hills, vale, _ = members
    assert hills.plan("--rounds", "2", "--stick", stick, *keys(members)) == 0
    assert vale.plan("--stick", stick, *keys(members)) == 0
    assert standing(hills.state(), FIRST).steps.count("map") == 2
    capsys.readouterr()
    assert hills.plan("--stick", stick, "--without", "Coast") == 0
    assert f"this network has done 2 of {STEPS} steps" in capsys.readouterr().out
    for member in (vale, hills) * STEPS:
        assert member.plan("--stick", stick, "--without", "Coast", *keys(members)) == 0
    assert (hills.done(), vale.done()) == (STEPS, STEPS)
    for member in (hills, vale):
        assert len(standing(member.state(), FIRST).steps) == STEPS


def test_how_often_it_goes_round_is_of_who_began(members: list[Member], capsys: pytest.CaptureFixture[str]) -> None:
    hills = members[0]
    assert hills.plan("--rounds", "1") == 0
    assert "changes nothing" not in capsys.readouterr().out
    assert hills.plan("--rounds", "2", "--without", "Vale", "Coast") == 0
    assert hills.done() == STEPS
    assert "--rounds 2 changes nothing: it goes round once, as was said before or by others." in capsys.readouterr().out
    for wrong in ("0", "3"):
        assert hills.plan("--rounds", wrong) == 2
        assert f"--rounds {wrong}: give a number from 1 to 2." in capsys.readouterr().err


def test_who_takes_no_part_is_told_of_no_step_that_it_does_not_do(
    members: list[Member], capsys: pytest.CaptureFixture[str]
) -> None:
    assert members[0].plan("--share", "nothing", "--rounds", "1") == 0
    said = capsys.readouterr()
    assert "step 1 of 6: this network tells that it takes no part …" in said.err
    assert "next it tells that it takes no part." in said.out
    assert "publishes" not in said.err + said.out
    assert "promises" not in said.err + said.out


def test_what_is_to_be_typed_next_says_all_that_was_typed(
    members: list[Member], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hills, vale, coast = members
    stick = tmp_path / "a stick"
    stick.mkdir()
    text = card(coast.network, coast.key)
    given = ["--days", "3", "--rounds", "1", "--stick", stick, "--for", vale.key, "--for", text]
    assert hills.plan(*given, "--without", "Coast") == 0
    printed = capsys.readouterr().out.splitlines()
    again, without = (next(line for line in printed if line.startswith(word)) for word in ("Waiting", "To go on"))
    for line, names in ((again, ["Coast"]), (without, ["Coast", "Vale"])):
        typed = shlex.split(line.partition("abasto networks ")[2])
        assert typed == [
            *("plan", "--first", FIRST, "--days", "3", "--rounds", "1", "--stick", str(stick)),
            *(f"--for={vale.key}", f"--for={text}"),
            *(part for name in names for part in ("--without", name)),
        ]
    assert hills(*shlex.split(without.partition("abasto networks ")[2])) == 0
    assert hills.done() == STEPS
    assert "--without Coast --without Vale --issue" in capsys.readouterr().out


def test_a_device_that_does_not_speak_for_its_network_says_nothing(
    members: list[Member], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hills = members[0]
    other = tmp_path / "other"
    assert run("members", "join", hills.folder, other, "--name", "desk", "--clear", "--date", TODAY) == 0
    with Home.open(other, passphrase=None) as home, hills.open() as own:
        assert home.journal.device is not None
        own.journal.append([DeviceEndorsed(home.journal.device.key, "allocator", TODAY)], time=0)
        home.journal.receive(own.journal.store.export())
    assert run("networks", "plan", "--first", FIRST, "--home", other) == 1
    assert "role allocator" in capsys.readouterr().err
