"""Whoever reads a long story in the books keeps nobody else in the room waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.room.served import DAY, neighbourhood

from abasto.journal.entry import Placed
from abasto.journal.home import Home
from abasto.journal.store import Place
from abasto.room.app import build_app
from abasto.room.operations import Room

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def is_free(room: Room) -> bool:
    """Return whether somebody else could read the room's state now."""
    found: list[bool] = []

    def knock() -> None:
        found.append(room.lock.acquire(blocking=False))
        if found[0]:
            room.lock.release()

    other = threading.Thread(target=knock)
    other.start()
    other.join()
    return found[0]


def test_others_are_answered_while_a_story_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        room = Room(home, now=lambda: NOW, day=date.fromisoformat(DAY))
        first = next(iter(home.journal.read())).entry.id
        _ = room.state
        client = TestClient(build_app(room, hosts=("testserver",)))
        code = room.sessions.new_code("reader", now=NOW)
        assert client.post("/enter", data={"code": code}, follow_redirects=False).status_code == 303
        read, free = home.journal.store.read, []

        def watched(after: Place | None = None) -> Iterator[Placed]:
            if after is None:
                free.append(is_free(room))
            return read(after)

        monkeypatch.setattr(home.journal.store, "read", watched)
        paths = ("/ledger?site=Mill&good=flour", "/history/site/Mill", f"/entries/{first}")
        for number, path in enumerate(paths, start=1):
            assert client.get(path).status_code == 200, path
            assert free == [True] * number, path
