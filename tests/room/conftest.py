"""Fixtures of the room: one that runs, on a home of the bundled neighbourhood."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.room.served import Served, neighbourhood


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A running room of the neighbourhood, on its first day."""
    room = Served(neighbourhood(tmp_path))
    room.start()
    yield room
    assert room.process is not None
    if room.process.poll() is None:
        assert room.stop() == 0
