"""Fixtures of the room: one that runs, on a home of the bundled neighbourhood."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.room.others import Other, founded
from tests.room.served import Served, neighbourhood


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A running room of the neighbourhood, on its first day."""
    with Served(neighbourhood(tmp_path)) as room:
        yield room


@pytest.fixture
def vale(tmp_path: Path) -> Other:
    """Another network, in a home of its own, that the room may come to know."""
    return founded(tmp_path / "vale", "vale")
