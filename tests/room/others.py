"""Other networks in homes of their own, far from the room that is tested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.homes import run
from tests.room.served import DAY

from abasto.cycle import read_state
from abasto.examples import federation_path
from abasto.journal.home import Home
from abasto.state.state import State

__all__ = ["Other", "befriended", "founded"]


@dataclass
class Other:
    """A network in a home of its own, far from the room."""

    folder: Path
    key: str
    network: str

    def __call__(self, *arguments: object) -> int:
        return run("networks", *arguments, "--home", self.folder, "--date", DAY)

    def state(self) -> State:
        with Home.open(self.folder, passphrase=None) as home:
            return read_state(home.journal)


def founded(folder: Path, name: str) -> Other:
    assert run("init", folder, "--from", federation_path(name), "--clear", "--date", DAY) == 0
    with Home.open(folder, passphrase=None) as home:
        assert home.journal.device is not None
        return Other(folder, home.journal.device.key, home.journal.network)


def befriended(folder: Path, vale: Other) -> Other:
    """Return Hills, newly founded in a folder; Vale and it have recognised each other."""
    hills = founded(folder / "hills", "hills")
    assert vale("recognise", "Hills", hills.network) == 0
    assert hills("recognise", "Vale", vale.network) == 0
    return hills
