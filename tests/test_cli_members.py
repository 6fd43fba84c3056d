"""`abasto members`: found, invite, join, endorse, cut, replace, as the paper guide has it, on real homes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from abasto.facts.codes import code_of, spoken
from abasto.facts.kinds import DeviceEndorsed, NoteWritten
from abasto.journal.home import Home
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device
from abasto.state.fold import fold_anew
from abasto.state.state import State
from abasto.sync.bundle import write_bundle
from abasto.sync.quarantine import PER_AUTHOR
from homes import DAY, entries_of, new_home, printed, run

ON = ("--date", DAY)


@pytest.fixture
def casa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A network founded as `abasto init` does by default: only members count."""
    home = new_home(tmp_path, monkeypatch)
    capsys.readouterr()
    return home


def key_of(home: Path) -> str:
    with Home.open(home, passphrase=None) as opened:
        assert opened.journal.device is not None
        return opened.journal.device.key


def bring(source: Path, target: Path) -> None:
    """Let a home have all entries of another one."""
    with Home.open(source, passphrase=None) as one, Home.open(target, passphrase=None) as other:
        other.journal.receive(one.journal.store.export())


def state_in(home: Path) -> State:
    with Home.open(home, passphrase=None) as opened:
        return fold_anew(opened.journal.read)


def joined(casa: Path, name: str) -> Path:
    """Return the home of another device that asked to join, and let the first one know."""
    home = casa.parent / name
    assert run("members", "join", casa, home, "--name", name, "--clear", *ON) == 0
    bring(home, casa)
    return home


def counted(home: Path, site: str, quantity: int) -> int:
    return run("count", site, "flour", quantity, "--home", home, "--yes", *ON)


def flour_at_mill(home: Path) -> int:
    return sum(state_in(home).books.balance("Mill", "flour").values()) // 1000


def listed(capsys: pytest.CaptureFixture[str], *options: object) -> Any:
    capsys.readouterr()
    assert run("members", "--json", *ON, *options) == 0
    return printed(capsys)


def test_the_founder_is_the_only_steward(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = listed(capsys)
    assert document["admission"] == "endorsed"
    assert (document["threshold"], document["needed"]) == (2, 1)
    [device] = document["devices"]
    assert (device["role"], device["is_this"], device["last_seen"]) == ("steward", True, DAY)
    assert run("members", *ON) == 0
    shown = capsys.readouterr().out
    assert spoken(document["network"]) in shown
    assert "Endorse two more." in shown


def test_an_open_network_needs_no_endorsement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", tmp_path / "casa", "--name", "Barrio", "--open", "--threshold", 1, "--clear") == 0
    assert "Only members count" not in capsys.readouterr().out
    assert listed(capsys, "--home", tmp_path / "casa")["admission"] == "open"


def test_a_threshold_of_nobody_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", tmp_path / "casa", "--name", "Barrio", "--threshold", 0, "--clear") == 2
    assert "at least one steward decides" in capsys.readouterr().err
    assert not (tmp_path / "casa").exists()


def test_invite_shows_the_network_and_a_code_that_join_checks(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("members", "invite") == 0
    shown = capsys.readouterr().out
    network, key = state_in(casa).network, key_of(casa)
    assert f"abasto:join?network={network}&device={key}" in shown
    assert spoken(network) in shown
    assert re.search("[▀▄█]{20}", shown)
    assert run("members", "join", casa, casa.parent / "one", "--network", spoken(network), "--clear", *ON) == 0
    assert "It has not asked to join yet" in capsys.readouterr().out
    misheard = spoken(network).replace(spoken(network)[0], "Z" if spoken(network)[0] != "Z" else "Y", 1)
    assert run("members", "join", casa, casa.parent / "two", "--network", misheard, "--clear", *ON) == 1
    assert "misheard" in capsys.readouterr().err
    assert run("members", "join", casa, casa.parent / "two", "--network", spoken(key), "--clear", *ON) == 2
    assert "not of" in capsys.readouterr().err
    assert not (casa.parent / "two").exists()


def test_join_takes_a_backup_with_a_key_of_its_own(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backup = casa.parent / "b.abasto"
    assert run("backup", backup) == 0
    assert run("members", "join", backup, casa.parent / "home", "--name", "School phone", "--clear", *ON) == 0
    assert state_in(casa.parent / "home").members.names == {key_of(casa.parent / "home"): "School phone"}
    assert key_of(casa.parent / "home") != key_of(casa)
    assert run("members", "join", casa.parent / "none", casa.parent / "other", "--clear") == 2
    assert run("members", "join", backup, casa.parent / "home", "--clear") == 2
    assert "there is something already" in capsys.readouterr().err


def test_join_takes_a_bundle_under_a_passphrase(
    casa: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, home = casa.parent / "monday.abasto", casa.parent / "phone"
    monkeypatch.setenv("ABASTO_BUNDLE_PASSPHRASE", "six words that nobody else knows")
    assert run("bundle", "write", bundle, "--passphrase") == 0
    assert run("members", "join", bundle, home, "--name", "phone", "--clear", *ON) == 0
    assert state_in(home).count == state_in(casa).count + 1
    monkeypatch.setenv("ABASTO_BUNDLE_PASSPHRASE", "six others")
    assert run("members", "join", bundle, casa.parent / "other", "--clear", *ON) == 1
    assert not (casa.parent / "other").exists()


def test_a_newcomer_who_was_endorsed_joins_with_a_bundle_that_only_it_opens(
    casa: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    norte, stick = casa.parent / "norte", casa.parent / "norte.abasto"
    assert run("members", "key", norte, "--clear", "--json") == 0
    key = str(printed(capsys)["device"])
    assert run("members", "key", norte) == 0
    assert f"--for={key}" in capsys.readouterr().out
    assert run("members", "endorse", key, "allocator", "--yes", *ON) == 0
    assert run("bundle", "write", stick, f"--for={key}") == 0
    capsys.readouterr()
    # It opens with no new home's key, and says what to do; nothing is made.
    assert run("members", "join", stick, casa.parent / "other", "--clear", *ON) == 2
    assert "abasto members key" in capsys.readouterr().err
    assert not (casa.parent / "other").exists()
    # Nor with another network's code: the home stays as it was.
    misread = run("members", "join", stick, norte, "--network", spoken(key), *ON)
    assert (misread, entries_of(norte)) == (2, 0)
    assert run("members", "join", stick, norte, "--name", "Norte", *ON) == 0
    shown = capsys.readouterr().out
    assert "as allocator" in shown
    assert key_of(norte) == key
    assert entries_of(norte) == entries_of(casa) + 1
    # Whoever has joined does not join again, nor gets an empty home.
    for command in (["join", stick, norte], ["key", norte]):
        assert run("members", *command) == 2
        assert "there is something already" in capsys.readouterr().err


def test_join_tells_what_a_bundle_refused_and_why(
    casa: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABASTO_BUNDLE_PASSPHRASE", "six words that nobody else knows")
    bundle = casa.parent / "flooded.abasto"
    with Home.open(casa, passphrase=None) as opened:
        stranger = Journal(MemoryStore(), Device(bytes([9]) * 32))
        stranger.receive(opened.journal.store.export())
        stranger.append([NoteWritten(f"{number}", DAY) for number in range(PER_AUTHOR + 12)], time=0)
        write_bundle(stranger, bundle, passphrase="six words that nobody else knows")
    for number, json in enumerate(([], ["--json"])):
        assert run("members", "join", bundle, casa.parent / f"{number}", "--clear", *json, *ON) == 1
        assert entries_of(casa.parent / f"{number}") == entries_of(casa) + PER_AUTHOR
        if json:
            assert len(printed(capsys)["refused"]) == 12
        else:
            told = capsys.readouterr().out
            assert "12 of what was received were refused" in told
            assert told.count("there is no room for more of it here") == 10
            assert "refused: 2 more" in told


def test_a_bundle_for_somebody_else_fills_no_home(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    norte, stick = casa.parent / "norte", casa.parent / "else.abasto"
    assert run("members", "key", norte, "--clear") == 0
    assert run("bundle", "write", stick, f"--for={key_of(casa)}") == 0
    capsys.readouterr()
    assert run("members", "join", stick, norte, *ON) == 1
    assert "cannot be opened" in capsys.readouterr().err
    assert entries_of(norte) == 0


def test_who_is_no_member_is_told_before_anything_is_written(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phone = joined(casa, "phone")
    before = state_in(phone).count
    assert counted(phone, "Mill", 7) == 1
    assert "which is no member" in capsys.readouterr().err
    assert state_in(phone).count == before


def test_an_endorsed_reporter_counts_at_its_sites_and_nowhere_else(
    casa: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phone = joined(casa, "phone")
    code = spoken(key_of(phone))
    assert run("members", "endorse", code, "reporter", "--sites", "Mill", *ON) == 1
    told = capsys.readouterr()
    assert f"Device {code} (phone) becomes a reporter of Mill." in told.out
    assert "--yes" in told.err
    assert state_in(casa).members.role(key_of(phone), DAY) is None
    assert run("members", "endorse", code, "reporter", "--sites", "Mill", "--until", "2027-06-01", "--yes", *ON) == 0
    assert "It is decided." in capsys.readouterr().out
    bring(casa, phone)
    assert counted(phone, "Mill", 7) == 0
    assert counted(phone, "School", 7) == 1
    assert "which has the role reporter" in capsys.readouterr().err
    bring(phone, casa)
    assert flour_at_mill(casa) == 7
    [device] = [one for one in listed(capsys)["devices"] if one["key"] == key_of(phone)]
    assert (device["name"], device["sites"], device["until"]) == ("phone", ["Mill"], "2027-06-01")
    assert (device["standing"], device["entries"]) == ("member", 2)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("endorse", "phone", "reporter", "--yes"), 2, "name them with --sites"),
        (("endorse", "phone", "allocator", "--sites", "Mill", "--yes"), 2, "the other roles have none"),
        (("endorse", "phone", "reporter", "--sites", "Nowhere", "--yes"), 2, "unknown site"),
        (("endorse", "0000", "reader", "--yes"), 1, "nothing here has this code"),
        (("cut", "phone", "--after", "7", "--yes"), 1, "has 1 entries here in a row, and no number 7"),
        (("replace", "phone", "own", "--yes"), 1, "has no role that another could take over"),
        (("replace", "own", "own", "--yes"), 1, "are the same"),
    ],
)
def test_what_cannot_be_decided_is_told(
    casa: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    names = {"phone": key_of(joined(casa, "phone")), "own": key_of(casa)}
    before = state_in(casa).count
    assert run("members", *(names.get(one, one) for one in arguments), *ON) == code
    assert said in capsys.readouterr().err
    assert state_in(casa).count == before


def test_only_stewards_decide(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phone = joined(casa, "phone")
    assert run("members", "endorse", key_of(phone), "steward", "--home", phone, "--yes", *ON) == 1
    assert "which is no member" in capsys.readouterr().err


def test_a_key_of_which_nothing_is_here_can_be_endorsed(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = casa.parent / "phone"
    assert run("members", "join", casa, home, "--clear", *ON) == 0
    assert run("members", "endorse", key_of(home), "reader", "--yes", *ON) == 0
    assert "No entry of it is here" in capsys.readouterr().out
    grant = state_in(casa).members.role(key_of(home), DAY)
    assert grant is not None
    assert grant.role == "reader"


def test_a_cut_takes_back_what_came_after_it(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phone = joined(casa, "phone")
    assert run("members", "endorse", key_of(phone), "reporter", "--sites", "Mill", "--yes", *ON) == 0
    bring(casa, phone)
    assert (counted(phone, "Mill", 7), counted(phone, "Mill", 900)) == (0, 0)
    bring(phone, casa)
    assert flour_at_mill(casa) == 900
    capsys.readouterr()
    assert run("members", "cut", code_of(key_of(phone)), "--after", 2, *ON) == 1
    assert "1 entry of it that came after would no longer count." in capsys.readouterr().out
    assert run("members", "cut", code_of(key_of(phone)), "--after", 2, "--reason", "lost", "--yes", *ON) == 0
    assert flour_at_mill(casa) == 7
    [device] = [one for one in listed(capsys)["devices"] if one["key"] == key_of(phone)]
    assert (device["standing"], device["cut_after"], device["role"]) == ("cut", 2, "")
    assert run("ledger", "Mill", "flour", *ON) == 0
    assert "900" not in capsys.readouterr().out
    assert run("exceptions", *ON) == 0
    assert "after it was cut off, from number 3 on" in capsys.readouterr().out
    assert run("verify") == 0


def test_a_device_cuts_itself_off(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phone = joined(casa, "phone")
    assert run("members", "endorse", key_of(phone), "reporter", "--sites", "Mill", "--yes", *ON) == 0
    bring(casa, phone)
    assert run("members", "cut", key_of(phone), "--home", phone, "--yes", *ON) == 0
    assert "It is this device" in capsys.readouterr().out
    assert counted(phone, "Mill", 7) == 1
    bring(phone, casa)
    assert key_of(phone) in state_in(casa).members.cuts


def test_two_stewards_replace_a_lost_third_one_after_the_same_words(
    casa: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second, third, fourth = (joined(casa, name) for name in ("second", "third", "fourth"))
    assert run("members", "endorse", key_of(second), "steward", "--yes", *ON) == 0
    bring(casa, second)
    for home in (casa, second):
        assert run("members", "endorse", key_of(third), "steward", "--home", home, "--yes", *ON) == 0
    bring(second, casa)
    assert listed(capsys)["needed"] == 2
    assert run("members", "replace", key_of(third), key_of(fourth), "--yes", *ON) == 0
    assert "It is proposed: 1 steward more" in capsys.readouterr().out
    wanted = listed(capsys)["proposed"]
    assert {one["kind"] for one in wanted} == {"endorse", "cut"}
    assert run("members", *ON) == 0
    shown = capsys.readouterr().out
    assert f"abasto members replace {code_of(key_of(third))} {code_of(key_of(fourth))}" in shown
    bring(casa, second)
    bring(third, second)
    assert run("members", "replace", key_of(third), key_of(fourth), "--home", second, "--yes", *ON) == 0
    assert "It is decided." in capsys.readouterr().out
    bring(second, casa)
    devices = {one["key"]: one for one in listed(capsys)["devices"]}
    assert devices[key_of(third)]["standing"] == "replaced"
    assert devices[key_of(third)]["heir"] == key_of(fourth)
    assert devices[key_of(fourth)]["role"] == "steward"
    assert listed(capsys)["proposed"] == []


def test_a_fork_is_shown_with_its_proof(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phone = joined(casa, "phone")
    copy = casa.parent / "copy"
    copy.mkdir()
    for file in phone.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    for home, name in ((phone, "one"), (copy, "other")):
        assert run("members", "ask", name, "--home", home, *ON) == 0
        bring(home, casa)
    [device] = [one for one in listed(capsys)["devices"] if one["key"] == key_of(phone)]
    assert device["frozen_at"] == 2
    assert len(device["proof"]) == 2
    assert run("members", *ON) == 0
    shown = capsys.readouterr().out
    assert all(code_of(id) in shown for id in device["proof"])


def test_a_restored_backup_is_a_new_device_that_says_so(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backup, again = casa.parent / "b.abasto", casa.parent / "again"
    assert run("backup", backup) == 0
    assert run("restore", backup, again) == 0
    assert "abasto members ask NAME" in capsys.readouterr().out
    assert run("members", "ask", "the laptop again", "--home", again, *ON) == 0
    bring(again, casa)
    assert run("members", "replace", key_of(casa), key_of(again), "--yes", *ON) == 0
    assert "It is decided." in capsys.readouterr().out
    members = state_in(casa).members
    assert [key for key, grant in members.grants.items() if grant.role == "steward"] == [key_of(again)]
    assert members.cuts == {}  # It is there and hands over; nothing of it is taken back.
    bring(casa, again)
    assert (counted(casa, "Mill", 5), counted(again, "Mill", 5)) == (1, 0)


def test_what_a_steward_writes_is_one_fact(casa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phone = joined(casa, "phone")
    capsys.readouterr()
    assert run("members", "endorse", key_of(phone), "reader", "--json", "--yes", *ON) == 0
    document = printed(capsys)
    assert (document["decided"], document["missing"]) == (True, 0)
    with Home.open(casa, passphrase=None) as opened:
        [entry] = [one.entry for one in opened.journal.read() if one.entry.id in document["entries"]]
    assert entry.kind == DeviceEndorsed.KIND
    assert entry.body == {"device": key_of(phone), "role": "reader", "date": DAY}
