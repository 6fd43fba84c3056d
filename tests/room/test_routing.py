"""Routes that are sought beside the pages: whoever waits for them hears of every end that the search comes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event as Signal
from typing import Any, NoReturn

import pytest
from tests.room.served import DAY, neighbourhood

from abasto.facts.kinds import Line, OrderIssued
from abasto.journal.home import Home
from abasto.room import routing
from abasto.room.operations import Room
from abasto.room.routing import RoutesAsked, Sought, routing_of
from abasto.routes import BEGINS


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        room = Room(home, now=lambda: datetime(2027, 3, 1, 8, tzinfo=UTC))
        room.write([OrderIssued("Mill", "South bakery", "mill van", 1, DAY, DAY, (Line("flour", 100_000, ""),), DAY)])
        yield room
        room.close()


def sought(room: Room, day: date, monkeypatch: pytest.MonkeyPatch) -> Sought:
    """Return what a search comes to, once its thread has ended."""
    ended = Signal()

    class Thread(routing.threading.Thread):
        def run(self) -> None:
            try:
                super().run()
            finally:
                ended.set()

    monkeypatch.setattr(routing.threading, "Thread", Thread)
    asked = RoutesAsked(day, BEGINS, mixed=False)
    routing_of(room).ask(room, asked)
    assert ended.wait(60)
    return routing_of(room).ask(room, asked)


def test_routes_of_the_first_of_all_days_are_none(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has left a hundred days before it, since there is no such day."""
    found = sought(room, date.min, monkeypatch)
    assert not found.is_running
    assert found.found is not None
    assert found.found.routes == ()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_search_that_breaks_off_is_not_waited_for(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> NoReturn:
        raise MemoryError

    monkeypatch.setattr(routing, "plan_routes", broken)
    found = sought(room, date.fromisoformat(DAY), monkeypatch)
    assert not found.is_running
    assert "ended by itself" in found.error
