"""`abasto bundle` between two homes: written, read, answered, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from abasto.facts.codes import code_of
from abasto.facts.kinds import NoteWritten
from abasto.journal.home import Home
from abasto.sync.exchange import Answerer, pull
from abasto.sync.fingerprint import fingerprint_of
from abasto.sync.quarantine import PER_AUTHOR
from homes import DAY, entries_of, new_home, run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return new_home(tmp_path, monkeypatch)


@pytest.fixture
def other(home: Path, tmp_path: Path) -> Path:
    """A second device of the same network, which holds the same."""
    with Home.create(tmp_path / "otra", passphrase=None) as made, Home.open(home, passphrase=None) as first:
        pull(made.journal, Answerer(first.journal).answer)
    return tmp_path / "otra"


def key_of(home: Path) -> str:
    with Home.open(home, passphrase=None) as opened:
        assert opened.journal.device is not None
        return opened.journal.device.key


def say_at(home: Path, text: str) -> None:
    """Let a device write something, which no steward has endorsed yet: it is kept, and counts for nothing."""
    with Home.open(home, passphrase=None) as opened:
        opened.journal.append([NoteWritten(text, DAY)], time=0)


def code_held(home: Path) -> str:
    with Home.open(home, passphrase=None) as opened:
        return fingerprint_of(opened.journal.store).code


def test_a_day_by_stick_and_back(home: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there, back = tmp_path / "monday.abasto", tmp_path / "answer.abasto"
    say_at(other, "the bridge is closed")
    assert run("note", "we have bread", "--date", DAY) == 0
    capsys.readouterr()
    assert run("bundle", "--home", other) == 0
    shown = capsys.readouterr().out
    key = key_of(other)
    assert f"This device is {code_of(key)}" in shown
    assert f"--for={key}" in shown
    assert f"code {code_held(other)}" in shown
    assert run("bundle", "write", there, f"--for={key}") == 0
    assert f"{entries_of(home)} entries" in capsys.readouterr().out
    assert run("bundle", "read", there, "--home", other) == 0
    shown = capsys.readouterr().out
    assert f"1 new, {entries_of(home) - 1} known, 0 refused, written by {code_of(key_of(home))}." in shown
    assert f"--answer {there}" in shown
    assert run("bundle", "write", back, "--answer", there, "--home", other) == 0
    assert "1 entry," in capsys.readouterr().out
    assert run("bundle", "read", back) == 0
    assert f"Identical to what its writer held: code {code_held(other)}." in capsys.readouterr().out
    assert code_held(home) == code_held(other)


def test_what_readers_have_read_before_is_left_out(
    home: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monday, tuesday = tmp_path / "monday.abasto", tmp_path / "tuesday.abasto"
    say_at(other, "we have bread")
    with Home.open(home, passphrase=None) as one, Home.open(other, passphrase=None) as two:
        pull(one.journal, Answerer(two.journal).answer)
    code = code_of(key_of(other))
    assert run("bundle", "write", monday, "--for", code) == 0  # A code is enough for who has written here.
    assert run("note", "and milk", "--date", DAY) == 0
    capsys.readouterr()
    assert run("bundle", "write", tuesday, "--for", code, "--since-bundle", monday) == 0
    assert ": 1 entry," in capsys.readouterr().out


@pytest.mark.soak
def test_a_passphrase_serves_where_no_key_is_known(
    home: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "monday.abasto"
    assert run("bundle", "write", path, "--passphrase") == 2
    assert "ABASTO_BUNDLE_PASSPHRASE" in capsys.readouterr().err
    monkeypatch.setenv("ABASTO_BUNDLE_PASSPHRASE", "cuatro camiones al alba")
    assert run("bundle", "write", path, "--passphrase") == 0
    assert run("bundle", "read", path, "--home", other) == 0
    assert "Identical" in capsys.readouterr().out
    monkeypatch.setenv("ABASTO_BUNDLE_PASSPHRASE", "cinco camiones")
    assert run("bundle", "read", path, "--home", other) == 1
    assert "cannot be opened" in capsys.readouterr().err


def test_a_device_that_nobody_endorsed_gets_little_room(
    home: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "flood.abasto"
    with Home.open(other, passphrase=None) as opened:
        opened.journal.append([NoteWritten(f"flood {number}", DAY) for number in range(PER_AUTHOR + 10)], time=0)
    assert run("bundle", "write", path, f"--for={key_of(home)}", "--home", other) == 0
    capsys.readouterr()
    assert run("bundle", "read", path) == 1
    shown = capsys.readouterr().out
    assert f"{PER_AUTHOR} new" in shown
    assert "10 refused" in shown
    assert "no room for more of it" in shown
    assert run("members", "endorse", key_of(other), "reader", "--date", DAY, "--yes") == 0
    capsys.readouterr()
    assert run("bundle", "read", path) == 0
    assert "10 new" in capsys.readouterr().out


def test_what_cannot_be_meant_is_said(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "monday.abasto"
    for arguments, why in (
        ([], "nobody could open it"),
        (["--for", "K7Q2-M4XP"], "the whole key is needed"),
        (["--for", "A" * 43], "no key of a device"),
        (["--for", "K7Q2-M4XP", "--passphrase"], "exclude each other"),
        (["--answer", tmp_path / "none"], "check the file"),
    ):
        assert run("bundle", "write", path, *arguments) != 0
        assert why in capsys.readouterr().err
        assert not path.exists()
    path.write_text("of yesterday")
    assert run("bundle", "write", path, f"--for={key_of(home)}") == 2
    assert run("bundle", "read", path) == 1
    assert "this is no file that a device of Abasto wrote for others" in capsys.readouterr().err
    assert run("bundle", "write", path, f"--for={key_of(home)}", "--force") == 0
