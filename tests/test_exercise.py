"""Three networks in three processes: they keep each other supplied, and the loss of one loses the others nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.homes import run

from abasto.cycle import read_state
from abasto.journal.home import Home
from abasto.state.exceptions import exceptions
from abasto.state.state import State


def shares(printed: str) -> dict[str, list[int]]:
    """Return what each network got day by day, in percent."""
    found: dict[str, list[int]] = {}
    for line in printed.splitlines():
        if "of what people need" in line:
            for name, share in re.findall(r"(\w+) +(\d+)%", line.partition("they get:")[2]):
                found.setdefault(name, []).append(int(share))
    return found


def lived(folder: Path, capsys: pytest.CaptureFixture[str], *options: object) -> dict[str, list[int]]:
    assert run("exercise", folder, *options) == 0
    return shares(capsys.readouterr().out)


def state_of(folder: Path) -> State:
    with Home.open(folder, passphrase=None) as home:
        return read_state(home.journal)


def test_a_few_days_in_three_processes_of_which_the_largest_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    got = lived(tmp_path / "x", capsys, "--days", 2, "--gone-on", 2)
    assert {name: len(days) for name, days in got.items()} == {"Hills": 1, "Vale": 2, "Coast": 2}
    for name in ("vale", "coast"):
        state = state_of(tmp_path / "x" / name)
        came = [one for one in state.letters.coming.values() if one.is_sent]
        assert came, f"{name} got something from others"
        assert {one.kind for one in exceptions(state)} <= {"order overdue"}
    hills, coast = state_of(tmp_path / "x" / "hills"), state_of(tmp_path / "x" / "coast")
    received = {state.orders[order].status for state in (hills, coast) for order in state.letters.going}
    assert "received" in received, "receipts came back, also by file"
    assert (tmp_path / "x" / "from coast to vale.abasto").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("mine")
    assert run("exercise", tmp_path) == 2
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.soak
def test_days_together_are_better_than_alone_before_and_after_the_largest_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    together = lived(tmp_path / "together", capsys, "--days", 9, "--gone-on", 6)
    alone = lived(tmp_path / "alone", capsys, "--days", 9, "--gone-on", 6, "--alone")
    for name in ("Hills", "Vale", "Coast"):
        for days in (slice(2, 5), slice(5, 9)):
            mine, other = together[name][days], alone[name][days]
            if mine:
                assert sum(mine) / len(mine) > sum(other) / len(other) + 5, (name, days, mine, other)
    assert len(together["Hills"]) == 5
    for name in ("vale", "coast"):
        assert exceptions(state_of(tmp_path / "together" / name)) == ()
