"""A writing program killed at any moment: what it acknowledged is there, nothing by halves, and the chain goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from tests.journal.entries import DAY, PASSPHRASE

from abasto.journal.home import FILE, Home
from abasto.journal.sqlite import SqliteStore
from abasto.journal.store import Place
from abasto.journal.verify import verify

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")


def killed(program: subprocess.Popen[str], *, seed: int, random: Random) -> list[list[str]]:
    """Let a child of the program write, kill it at some moment, and return the batches that it acknowledged."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(f"{seed}\n")
    program.stdin.flush()
    ready, pid = program.stdout.readline().split()
    assert ready == "ready"
    # Mostly it writes when it is killed, sometimes it is still opening the home.
    lines = [program.stdout.readline()] if random.random() < 0.8 else []
    time.sleep(random.uniform(0, 0.06))
    os.kill(int(pid), signal.SIGKILL)
    while not lines or not lines[-1].endswith("over\n"):
        lines.append(program.stdout.readline())
        assert lines[-1], "the program ended by itself"
    # What stands before `over` on its line was cut off in the middle, and is no acknowledgement.
    return [line.split() for line in lines[:-1]]


def check(home: Home, acknowledged: list[list[str]], *, after: Place, is_thorough: bool) -> Place:
    """Hold a home to what was acknowledged; return its last place. Batches say in their text how large they are."""
    store = home.journal.store
    entries = [placed.entry for placed in store.read(after)]
    here = {entry.id for entry in entries}
    assert not [id for batch in acknowledged for id in batch if id not in here]
    whole = 0
    while whole < len(entries):
        batch, _, of = entries[whole].body["text"].partition(": ")
        size = int(of.split(" of ")[1])
        texts = [entry.body["text"] for entry in entries[whole : whole + size]]
        assert texts == [f"{batch}: {n} of {size}" for n in range(1, size + 1)]
        whole += size
    assert store.forks() == {}
    (head,) = store.heads().values()
    assert head.seq == store.count()
    assert home.file.lost_pages() == 0
    if is_thorough:
        assert home.file.structure() == []
    return Place(head.lc, head.id)


def kills(folder: Path, *, times: int, seed: int) -> None:
    with Home.create(folder, passphrase=PASSPHRASE) as home:
        founding = home.journal.found("Barrio Sur", date=DAY, time=0)
        key = home.file._key
    assert key is not None
    random, place, all = Random(seed), Place(founding.lc, founding.id), 0
    command = [sys.executable, "-m", "tests.journal.writer", str(folder), key.key.hex(), key.salt.hex()]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        for number in range(times):
            acknowledged = killed(program, seed=number, random=random)
            all += len(acknowledged)
            with Home(folder, SqliteStore(folder / FILE, key=key)) as home:
                # A look at the whole file takes long, and longer each time: the file grows.
                is_thorough = number % 100 == 99 or number == times - 1
                place = check(home, acknowledged, after=place, is_thorough=is_thorough)
                assert number < times - 1 or verify(home).is_fine
    assert all > times, "hardly anything was acknowledged; what is tested here then?"


def test_a_killed_writer_loses_nothing_and_goes_on(tmp_path: Path) -> None:
    kills(tmp_path / "home", times=6, seed=1)


@pytest.mark.soak
def test_300_kills_lose_nothing(tmp_path: Path) -> None:
    kills(tmp_path / "home", times=300, seed=2)
