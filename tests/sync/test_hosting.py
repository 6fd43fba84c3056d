"""The thread that keeps a journal and the network's stream alike: whatever goes wrong is told, and it goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from abasto.errors import SyncError
from abasto.journal.home import Home
from abasto.membership import Membership
from abasto.sync import hosting
from abasto.sync.nats_stream import Streamed


class NoLink:
    """A link to servers that are nowhere."""

    def __init__(self, servers: str) -> None: ...

    def answer(self, *_: object) -> None: ...

    def __enter__(self) -> NoLink:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home.create(tmp_path / "home", passphrase=None) as made:
        made.journal.found("Barrio Sur", date="2026-11-22", time=0)
        yield made


@pytest.mark.parametrize(
    "error", [SyncError("the servers are away."), ZeroDivisionError("of our own"), OSError("the disk is full")]
)
def test_whatever_goes_wrong_in_a_look_at_the_stream_is_told_and_the_next_look_is_had(
    home: Home, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    looks, told = [0], list[str]()

    class Stream:
        def exchange(self) -> Streamed:
            looks[0] += 1
            if looks[0] <= 2:
                raise error
            return Streamed()

    def stream_for(*_: Any) -> Stream:
        return Stream()

    monkeypatch.setattr(hosting, "NatsLink", NoLink)
    monkeypatch.setattr(hosting, "stream_for", stream_for)
    monkeypatch.setattr(hosting, "EVERY_SECONDS", 0.001)
    with hosting.over_nats(
        home, "nats://127.0.0.1", told.append, lambda key: lambda asked: asked, Membership(home.journal)
    ):
        until = time.monotonic() + 20
        while looks[0] < 4 and time.monotonic() < until:
            time.sleep(0.001)
    first, *rest = told
    assert str(error) in first
    assert rest == ["the stream of the network is reached again."]
