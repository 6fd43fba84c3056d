"""An exchange of whole journals that breaks in the middle goes on where it stopped, over a real server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.sync.served_peer import Link, served

from abasto.facts.kinds import NoteWritten
from abasto.journal.home import Home
from abasto.sync import http
from abasto.sync.exchange import Synced, sync
from abasto.sync.hosting import peers_app
from abasto.sync.http import HttpCarrier
from abasto.sync.peer import Asking
from abasto.sync.refused import UnreachableError
from abasto.sync.register import Register

DAY = "2026-11-22"
ENTRIES = 12_000
ENDLESS = 1 << 60
BREAKS = 700_000
"""So many bytes pass first: all of a page, and half of the next one."""


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Home]:
    """A home with more entries than two pages hold."""
    with Home.create(tmp_path / "full", passphrase=None) as home:
        home.journal.found("Barrio Sur", date=DAY, time=0)
        home.journal.append([NoteWritten(f"the road is open, day {n}", DAY) for n in range(ENTRIES - 1)], time=0)
        yield home


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Home]:
    with Home.create(tmp_path / "empty", passphrase=None) as home:
        yield home


def exchange(asking: Home, answering: Home, address: str) -> Synced:
    """Exchange over an address, the asking side as the command does it."""
    own, other = asking.journal.device, answering.journal.device
    assert own is not None
    assert other is not None
    Register(answering.file).add("asking", "127.0.0.1", own.key, own="")
    with HttpCarrier(address, pause=lambda seconds: None) as carry:
        return sync(asking.journal, Asking(carry, own, key=other.key, network=asking.journal.network))


@pytest.mark.parametrize("is_asking_full", [False, True], ids=["pulled", "pushed"])
def test_a_connection_that_is_killed_in_the_middle_loses_nothing_and_sends_nothing_kept_twice(
    full: Home, empty: Home, is_asking_full: bool
) -> None:
    asking, answering = (full, empty) if is_asking_full else (empty, full)
    with served(peers_app(answering, is_cut=lambda key: False)) as address:
        port = urlsplit(address).port
        assert port is not None
        # It breaks for good in the second page: what the first one had is kept.
        half = (BREAKS, ENDLESS) if is_asking_full else (ENDLESS, BREAKS)
        link = Link(port, cuts=[half, *[(0, 0)] * http.TRIES])
        with pytest.raises(UnreachableError):
            exchange(asking, answering, link.address)
        kept = empty.journal.store.count()
        assert 0 < kept < ENTRIES

        # And it goes on, though the next connection breaks in the middle too.
        link.cuts = [half, (ENDLESS, ENDLESS)]
        synced = exchange(asking, answering, link.address)
        link.close()
    assert (synced.went if is_asking_full else synced.came) == ENTRIES - kept
    assert synced.is_identical
    assert set(full.journal.store.export()) == set(empty.journal.store.export())
