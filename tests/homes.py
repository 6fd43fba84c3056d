"""A home of the bundled neighbourhood for the tests of commands, and its commands as the terminal calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import abasto
from abasto.cli import main
from abasto.journal.home import Home
from abasto.state.fold import fold
from abasto.state.state import State

DAY = "2027-03-01"
"""The first day of the neighbourhood's tables."""


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def new_home(folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> Path:
    """Found the neighbourhood in a home without a passphrase, and let every command find it."""
    home = folder / "casa"
    assert run("init", home, "--from", abasto.example_path("neighbourhood"), "--clear", "--date", DAY, *options) == 0
    monkeypatch.setenv("ABASTO_HOME", str(home))
    return home


def state_of(home: Path) -> State:
    """Return what all entries of a home come to, folded from scratch."""
    with Home.open(home, passphrase=None) as opened:
        return fold(opened.journal.read())


def entries_of(home: Path) -> int:
    with Home.open(home, passphrase=None) as opened:
        return opened.journal.store.count()


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the JSON object that was printed."""
    return json.loads(capsys.readouterr().out)
