"""Devices on machines of their own, with real programs, HTTP and NATS between them, and a cable that is pulled."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sync.apart import Apart, wait_until
from tests.sync.nats_here import PROGRAM

from abasto.facts.kinds import NoteWritten
from abasto.journal.home import Home
from abasto.sync.register import Register

DAY = "2026-11-22"
ENTRIES = 12_000
"""More than two pages hold."""
PORT = 8300
NATS_PORT = 4222


@pytest.fixture
def apart() -> Iterator[Apart]:
    with Apart("sur", "norte") as machines:
        yield machines


def key_of(home: Home) -> str:
    assert home.journal.device is not None
    return home.journal.device.key


@pytest.fixture
def sur(tmp_path: Path) -> Iterator[Home]:
    """The home that holds everything."""
    with Home.create(tmp_path / "sur", passphrase=None) as home:
        home.journal.found("Barrio Sur", date=DAY, time=0)
        home.journal.append([NoteWritten(f"the road is open, day {n}", DAY) for n in range(ENTRIES - 1)], time=0)
        yield home


@pytest.fixture
def norte(tmp_path: Path) -> Iterator[Home]:
    """The home of the other machine, which holds nothing yet."""
    with Home.create(tmp_path / "norte", passphrase=None) as home:
        yield home


def acquaint(apart: Apart, sur: Home, norte: Home) -> None:
    Register(sur.file).add("norte", apart.address("norte"), key_of(norte), own="")
    Register(norte.file).add("sur", f"{apart.address('sur')}:{PORT}", key_of(sur), own="")


def serve(apart: Apart, machine: str, home: Home, *options: object) -> subprocess.Popen[str]:
    """Let a home answer its peers on a machine, and return when it does."""
    command = [sys.executable, "-m", "abasto", "peers", "serve", "--port", PORT, "--home", home.folder]
    process = apart.start(
        machine, [*command, "--lan", apart.address(machine), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert "answers its peers" in process.stdout.readline(), process.communicate()
    return process


def sync(apart: Apart, home: Home) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "abasto", "sync", "sur", "--json", "--home", home.folder]
    return apart.start("norte", command, stdout=subprocess.PIPE)


def told(process: subprocess.Popen[str]) -> dict[str, object]:
    """Return what `abasto sync --json` said of its only peer."""
    said, _ = process.communicate(timeout=300)
    (peer,) = json.loads(said)["peers"]
    assert isinstance(peer, dict)
    return peer


def pull_cable_in_the_middle(apart: Apart, norte: Home) -> int:
    """Pull the cable once a part is kept, and return how much was when it was noticed that nothing comes any more."""
    wait_until(norte.journal.store.count, "a first page is kept")
    apart.pull("norte")
    before = [apart.sent_again(machine) for machine in apart.machines]
    wait_until(
        lambda: any(apart.sent_again(machine) > count for machine, count in zip(apart.machines, before, strict=True)),
        "something was sent into the cable that is out",
    )
    kept = norte.journal.store.count()
    assert 0 < kept < ENTRIES
    return kept


def hold_the_same(one: Home, other: Home) -> bool:
    entries = list(other.journal.store.export())
    assert len(entries) == len(set(entries))
    return set(one.journal.store.export()) == set(entries)


@pytest.mark.soak
def test_an_exchange_goes_on_by_itself_when_the_cable_is_back(apart: Apart, sur: Home, norte: Home) -> None:
    acquaint(apart, sur, norte)
    serve(apart, "sur", sur)
    asking = sync(apart, norte)
    pull_cable_in_the_middle(apart, norte)
    apart.plug("norte")
    done = told(asking)
    assert (done["came"], done["refused"], done["identical"]) == (ENTRIES, [], True)
    assert hold_the_same(sur, norte)


@pytest.mark.soak
def test_an_exchange_that_was_killed_while_the_cable_was_out_is_gone_on_with(
    apart: Apart, sur: Home, norte: Home
) -> None:
    acquaint(apart, sur, norte)
    serve(apart, "sur", sur)
    asking = sync(apart, norte)
    kept = pull_cable_in_the_middle(apart, norte)
    asking.kill()
    asking.wait(timeout=60)
    apart.plug("norte")
    done = told(sync(apart, norte))
    assert (done["came"], done["identical"]) == (ENTRIES - kept, True)
    assert hold_the_same(sur, norte)


@pytest.mark.soak
def test_what_goes_through_a_nats_server_elsewhere_arrives_whole_though_the_cable_was_out(
    apart: Apart, sur: Home, norte: Home, tmp_path: Path
) -> None:
    first = next(iter(sur.journal.store.export()))
    assert norte.journal.receive([first]).new == 1
    acquaint(apart, sur, norte)
    apart.start("", [PROGRAM, "-js", "-a", apart.address(""), "-p", NATS_PORT, "-sd", tmp_path, "-l", tmp_path / "log"])
    servers = f"nats://{apart.address('')}:{NATS_PORT}"
    norte.journal.append([NoteWritten("here is norte", DAY)], time=0)
    wait_until(lambda: "Server is ready" in _text(tmp_path / "log"), "the server of NATS is ready")
    serve(apart, "norte", norte, "--nats", servers)
    serve(apart, "sur", sur, "--nats", servers)
    wait_until(lambda: norte.journal.store.count() > 2, "a first part came through the stream")
    apart.pull("norte")
    sent = apart.sent_again("norte")
    assert norte.journal.store.count() < ENTRIES
    wait_until(lambda: apart.sent_again("norte") > sent, "something was sent into the cable that is out")
    sur.journal.append([NoteWritten("while norte was away", DAY)], time=0)
    apart.plug("norte")
    wait_until(lambda: norte.journal.store.count() == ENTRIES + 2, "all came to norte")
    wait_until(lambda: sur.journal.store.count() == ENTRIES + 2, "all came to sur")
    assert hold_the_same(sur, norte)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
