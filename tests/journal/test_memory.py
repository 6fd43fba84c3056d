"""The store in plain Python, which the others are compared with, against the contract."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.journal.contract import Opener, StoreContract

from abasto.journal.memory import MemoryStore


class TestMemoryStore(StoreContract):
    lasts = False

    @pytest.fixture
    def opener(self, tmp_path: Path) -> Iterable[Opener]:
        return MemoryStore
